/* group(5) of a container: bytes of its author's. Lines that make no sense are left out, as is the number that is none. */
#ifndef SONDE_KERNEL_GROUP_H
#define SONDE_KERNEL_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The number of the first group that is called name, in the len bytes at buf. false: there is none. */
bool group_find(const char *buf, size_t len, const char *name, gid_t *ret);
/* Calls each with every group that lists user among its members, in the file's order. */
void group_each_of(const char *buf, size_t len, const char *user,
		   void (*each)(gid_t gid, void *arg), void *arg);

#endif
