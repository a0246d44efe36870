/*
 * Which processes of the host are in namespaces of their own: the groups that the bare engine makes containers of.
 * Inside the engine only.
 */
#ifndef SONDE_ENGINES_BARE_H
#define SONDE_ENGINES_BARE_H

#include "libinspect/engines/engine.h"

struct bare_member {
	uint64_t
		key; /* inode of the namespace that makes the group: pid, else mnt; of the root directory, by_root */
	uint64_t mnt;
	pid_t pid;
	bool by_pid;			 /* key is a pid namespace */
	bool by_root;			 /* chroot(2) on the host's own mounts */
	uint32_t root_major, root_minor; /* by_root: of the root directory's file system */
};

static inline bool bare_same_group(const struct bare_member *a, const struct bare_member *b)
{
	return a->key == b->key && a->by_root == b->by_root && a->root_major == b->root_major &&
	       a->root_minor == b->root_minor;
}

/*
 * The processes that are in another pid namespace than the host's, or in another mount namespace with another
 * root directory (a service with PrivateTmp= has its own mount namespace, and the host's root; its lowest
 * process decides, so that a worker of it in a chroot makes no container), or in no namespace of their own, but in
 * another root directory that has programs (a daemon's empty chroot is none). Sorted by key, then pid. Left out: those in a claimed namespace, and those that merely share the mount namespace of a
 * pid namespace's group (unshare --fork waits there).
 */
struct bare_members {
	struct bare_member *items;
	size_t n;
	uint64_t *claimed; /* inodes of namespaces of other engines' containers, sorted */
	size_t n_claimed;
};
int bare_collect(struct engine_scan *scan, struct bare_members *ret);
void bare_members_free(struct bare_members *m);
#define _cleanup_bare_members_ _cleanup_(bare_members_free)

bool bare_is_claimed(const struct bare_members *m, uint64_t ino);

#endif
