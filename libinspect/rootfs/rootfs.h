/* Inside rootfs/: the views of one container. */
#ifndef SONDE_ROOTFS_ROOTFS_H
#define SONDE_ROOTFS_ROOTFS_H

#include "libinspect/files.h"
#include "libinspect/rootfs/view.h"

struct insp_files {
	struct insp_sys *sys;
	const struct insp_container *container;
	enum insp_files_from from;
	/*
	 * The layers. With INSP_FILES_LAYERS the first n_upper of them hold what changed, the n_engine behind them what the
	 * engine put there before it ran; INSP_FILES_IMAGE begins behind those.
	 */
	struct view view;
	size_t n_upper, n_engine;
	/* INSP_FILES_LAYERS of a root that is one whole tree: the tree that it began as. n is 0 where none is kept. */
	struct view base;
};

/* Opens a directory of the host that c's record names as its own (a layer): rootfs_open_own() of open.c says what is believed. */
int rootfs_open_own(struct insp_sys *sys, const struct insp_container *c, const char *path,
		    struct insp_err *err);

#endif
