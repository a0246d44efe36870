/* /etc/subuid and /etc/subgid: which ids a user may give to user namespaces. subuid(5), subgid(5). */
#ifndef SONDE_KERNEL_SUBID_H
#define SONDE_KERNEL_SUBID_H

#include "libinspect/kernel/idmap.h"
#include "libinspect/kernel/sys.h"

#define SUBID_FILE_MAX (1024 * 1024)

/*
 * Appends the ranges of (buf, len) whose first word is who, in the file's order, each inside behind what ret has (from
 * "inside" 0 where it has none). Lines that make no sense, and what is above IDMAP_MAX, are left out.
 */
void subid_parse(const char *buf, size_t len, const char *who, struct idmap *ret);
/*
 * The ids of a root daemon that remaps (dockerd --userns-remap): all ranges of whoever has the one that begins with first,
 * from inside 0 on; of 65,536 from first on where the file has none. file: "subuid" or "subgid".
 */
void subid_remapped(const struct insp_sys *sys, const char *file, uint32_t first,
		    struct idmap *ret);
/*
 * The ids in the user namespace that rootless engines make: 0 is the user, 1 and up the user's ranges. -ENOMEM.
 */
int subid_rootless(const struct insp_sys *sys, uid_t user, struct idmap *ret_uids,
		   struct idmap *ret_gids);

#endif
