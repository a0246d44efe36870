/*
 * A toolbox: the tree of programs, with their libraries, that a session works with. Without one (NULL) it is this host.
 *
 * The front finds it (toolbox_find()), the builder mounts it (toolbox_mount()): a private overlay, so that what is written goes
 * to memory and the toolbox itself stays as it is. The mount is in no namespace that outlives the session, and in none of the
 * target's.
 *
 * What is in it is the operator's choice, as a program is that is run as root; but nothing of it is run that the operator did not
 * start, and no link in it leads a mount of ours anywhere (toolbox_root()).
 */
#ifndef SONDE_SIDECAR_TOOLBOX_H
#define SONDE_SIDECAR_TOOLBOX_H

#include "libinspect/inspect.h"

enum toolbox_kind {
	TOOLBOX_DIR,
	TOOLBOX_SQUASHFS, /* a file */
	TOOLBOX_EROFS,	  /* a file */
	TOOLBOX_ARCHIVE,  /* a file: tar, of a tree or of an image */
	TOOLBOX_IMAGE,	  /* of an engine's store */
};
/* "directory", "squashfs", … */
const char *toolbox_kind_name(enum toolbox_kind kind);

struct toolbox {
	enum toolbox_kind kind;
	char *spec; /* as it was given: for messages */
	char *path; /* absolute, no links; NULL: of an image */
	struct insp_container *image;
	char *keep; /* the directory for what is changed; NULL: it is lost */
};

/*
 * What --toolbox says, looked at from the outside: nothing is mounted or unpacked yet. *ret is NULL for "host". "image:NAME" is
 * looked for in the stores of the engines that are root's, or the caller's by sudo. A word without a slash is looked for in the places of toolbox_list() first. envp: the caller's environment. -ENOENT: there is none; -EINVAL: it is
 * nothing that could be one; -EPERM: others than root and the caller could have put there what they like. Give back with toolbox_free(),
 * which returns NULL.
 */
int toolbox_find(struct insp_sys *sys, const char *spec, char *const *envp, struct toolbox **ret,
		 struct insp_err *err);
struct toolbox *toolbox_free(struct toolbox *t);

/* ---- toolbox-keep.c: what is changed, under a name ---- */

/* Sets keep. -EINVAL: not a name of letters, digits and "._-". */
int toolbox_keep_as(struct toolbox *t, const char *name, struct insp_err *err);
/*
 * In the front: makes the directory if it is missing, and locks it while *ret_fd is open. t is NULL, or nothing is kept: nothing is
 * done. -EEXIST: it has another toolbox's changes; -EBUSY: another session has it.
 */
int toolbox_keep_open(const struct toolbox *t, int *ret_fd, struct insp_err *err);
/* Calls each for every name that something is kept under. < 0 from each ends it and is returned. */
int toolbox_list_kept(int (*each)(const char *name, const char *path, void *arg), void *arg);

/* ---- toolbox-names.c: those that a name finds ---- */

/*
 * Calls each for every toolbox in ~/.local/share/sonde, /usr/local/lib/sonde/toolbox and /usr/lib/sonde/toolbox: spec is the file's
 * name there (raw bytes), size that of a file in bytes, of a directory 0. < 0 from each ends it and is returned.
 */
int toolbox_list(char *const *envp, int (*each)(const struct toolbox *t, uint64_t size, void *arg),
		 void *arg);
/* The path of the one that is called so, with or without its suffix. free() it. -ENOENT; -EPERM: see toolbox_find(). */
int toolbox_named(const char *name, char *const *envp, char **ret_path);
/* Sets kind by what is at t->path. -EINVAL: nothing that could be a toolbox. */
int toolbox_look_at(struct toolbox *t, struct insp_err *err);

/*
 * In a mount namespace of the caller's own which hands no mount on (MS_SLAVE or MS_PRIVATE), before its root is covered or
 * changed, and before any namespace of the target is joined: *ret_tree, a detached mount, nosuid and nodev, gone with its last
 * fd or attachment; the caller's. A toolbox is writable (to memory); this host (t is NULL) is a clone of all that is mounted
 * at and below /, read-only. -ENOSYS: the kernel lacks a mount call.
 */
int toolbox_mount(const struct toolbox *t, int *ret_tree, struct insp_err *err);

#endif
