/* uid_map and gid_map of a user namespace. user_namespaces(7). */
#ifndef SONDE_KERNEL_IDMAP_H
#define SONDE_KERNEL_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define IDMAP_MAX 340 /* lines; the kernel's own limit since 4.15 */

struct idmap {
	struct {
		uint32_t inside, outside, count;
	} e[IDMAP_MAX];
	size_t n;
};
/* Parses (buf, len). -EBADMSG for a line that is no map, -E2BIG above IDMAP_MAX. */
int idmap_parse(const char *buf, size_t len, struct idmap *ret);
/* Reads PID's "uid_map" or "gid_map" below pid_procfd (a /proc/PID). */
int idmap_read(int pid_procfd, const char *file, struct idmap *ret);
/* (uint32_t)-1: not mapped. */
uint32_t idmap_to_inside(const struct idmap *m, uint32_t outside);
/* ret: what is inside "inner", whose outside is the inside of "outer", outside of that. What outer has not is left out. */
void idmap_compose(const struct idmap *inner, const struct idmap *outer, struct idmap *ret);
/* Whether it maps all ids to themselves: the host's own, "0 0 4294967295". */
bool idmap_is_identity(const struct idmap *m);
uint32_t idmap_to_outside(const struct idmap *m, uint32_t inside);

#endif
