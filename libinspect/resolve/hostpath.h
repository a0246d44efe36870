/*
 * Paths of the host as people write them and as engines do: they differ where the administrator has linked a directory
 * elsewhere (/var/lib/docker -> /data/docker). Both are brought to one form without ever following a link that a
 * container or a user could have made.
 */
#ifndef SONDE_RESOLVE_HOSTPATH_H
#define SONDE_RESOLVE_HOSTPATH_H

#include "libinspect/kernel/sys.h"

/* Links are followed only among so many first components: stores and their directories lie there, containers' files below. */
#define HOSTPATH_DEPTH 4

struct hostpaths {
	const struct insp_sys *sys;
	struct {
		char *from, *to;
	} * known; /* of the first components */
	size_t n;
};
void hostpaths_clear(struct hostpaths *p);

/* Without ".", "..", doubled and final slashes. A new string, NULL when memory is out. path is absolute. */
char *hostpath_tidy(const char *path);
/*
 * The tidy path with root's links among its first components replaced by where they lead. Remembers what it looked up.
 * A new string, NULL when memory is out.
 */
char *hostpath_canonical(struct hostpaths *p, const char *tidy);

#endif
