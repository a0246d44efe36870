/* The steps that make the sidecar's mount namespace, in the order of their use. See mounts.c. */
#ifndef SONDE_SIDECAR_MOUNTS_H
#define SONDE_SIDECAR_MOUNTS_H

#include "sidecar/internal.h"

#define MOUNTS_NEED "cdebug needs Linux 5.2 or later (open_tree, move_mount)"

struct mounts {
	int tree; /* the target's mount tree, detached */
	int root; /* the new root */
	int host; /* the host's root, O_PATH */
	int self; /* the host's /proc/self, O_PATH */
	int keep; /* stopped: --keep-changes, as the front opened it; -1: none. The channels' */
	struct insp_sys *sys; /* stopped: this host as the sidecar's mount namespace has it */
	bool has_sys;	      /* in the target view: the target has a /sys */
	bool by_hand; /* compat: kernel < 5.12: no mount_setattr(); attributes are set after the pivot */
};
#define MOUNTS_NONE                                    \
	{                                              \
		-1, -1, -1, -1, -1, NULL, false, false \
	}

/* Makes the target's tree read-only, or, where that is wanted, only harmless. */
int mounts_restrict_target(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err);
/*
 * The own namespace, and in it the new root with the host's directories; writable as yet. And the tree of a target that does
 * not run.
 */
int mounts_make_root(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err);
/* Steps of it, for view.c too: the own namespace, m->host and m->self; an empty m->root over the old one. */
int mounts_leave_host(struct mounts *m, struct insp_err *err);
int mounts_attach_root(struct mounts *m, struct insp_err *err);
/* Read-only from here; /target and /tmp. */
int mounts_seal_root(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err);
/* /sys of the joined network namespace. -errno. */
int mounts_sysfs(struct mounts *m);
/* One file or directory, with all mounts below, of one tree in another. -errno; -ENOTDIR: it is no directory, or is one. */
int mounts_attach(int from, const char *name, int to, const char *to_name, bool dir);
/* A link, unless the name is there; one that is in another tree (-EINVAL: that is none). -errno. */
int mounts_link(int dirfd, const char *name, const char *to);
int mounts_copy_link(int from, const char *name, int to);
/* A directory of the host's root with all that is mounted below it, read-only, at the same name of the new root. -errno. */
int mounts_attach_host(struct mounts *m, const char *name);
int mounts_pivot(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err);
/* After the pivot: a home directory in memory. */
int mounts_home(const struct sidecar_plan *plan, struct insp_err *err);
/* In the supervisor: /proc of the pid namespace that it is in. */
int mounts_proc(struct insp_err *err);

/* A new file system in memory, detached. fd or -errno. */
int mounts_tmpfs(const char *mode, uid_t uid, gid_t gid, unsigned attrs);
/*
 * One for what an overlay changes, with "upper" and "work", over the namespace's root, where nothing but this fd leads: overlayfs takes
 * only what is mounted in the caller's namespace (clone_private_mount() of the kernel's fs/namespace.c). -errno.
 */
int mounts_scratch(int *ret_fd);
/* Unmounts it: the overlay holds what it took, and nothing else does from here on. fd stays open. */
void mounts_leave_scratch(int fd);
/* What they are called in mount tables from now on; "cdebug" at first. Borrowed. */
void mounts_name_memory(const char *name);
/*
 * compat: kernel < 5.12. Every mount of this namespace gets the attributes it should have had from mount_setattr():
 * target's those of target_set, the host's read-only. self: a /proc/self that the pivot did not take away.
 */
int remount_all(int self, uint64_t target_set, struct insp_err *err);

#endif
