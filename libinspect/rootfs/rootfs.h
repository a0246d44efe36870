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
	/*
	 * The container's user namespace; NULL: it has none of its own. With INSP_FILES_LIVE only the view does not use it: what
	 * is seen through /proc/PID/root has the host's ids, and is written with them.
	 */
	struct view_ids *ids;
	/*
	 * Whose rights count in the views where we are root: of a user namespace that is seen as it runs, its root's; of a user's
	 * record, that user's. ids is NULL: the caller's.
	 */
	struct view_rights rights;
};
/* Whether its record is a user's word. Not where that is unknown (a disk that is only looked at, by who is not root). */
bool rootfs_is_users(const struct insp_container *c);
/* As a layer's rights. */
const struct view_rights *rootfs_rights(const struct insp_files *f);

/*
 * Of a container in a user namespace of its own: f->ids, and for each layer of f's views whether it holds ids of the
 * host, as most do, or the ids inside, where the engine has it id-mapped when it mounts it (mount_setattr(2)). The
 * root directory of a layer tells: it belongs to an id that only one of the two sides has.
 */
int rootfs_set_ids(struct insp_files *f, struct insp_err *err);

/* Opens a directory of the host that c's record names as its own (a layer): rootfs_open_own() of open.c says what is believed. */
int rootfs_open_own(struct insp_sys *sys, const struct insp_container *c, const char *path,
		    struct insp_err *err);

#endif
