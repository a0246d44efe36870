/*
 * Reading files of /proc/PID that a target can stall: cmdline and environ are read from its memory, which may be
 * backed by its own FUSE file system (CVE-2018-1120). A forked reader does it; one that is late is killed and left
 * behind, and the answer is -ETIMEDOUT. A process that stalled once is not asked again.
 */
#ifndef SONDE_KERNEL_SLOWREAD_H
#define SONDE_KERNEL_SLOWREAD_H

#include "libinspect/kernel/sys.h"

struct slowread;
int slowread_new(struct insp_sys *sys, struct slowread **ret);
struct slowread *slowread_free(struct slowread *r);
/* PID/FILE below /proc, cut at max (a cut file is not an error). ret_data: len bytes and a NUL; free(). */
int slowread_read(struct slowread *r, pid_t pid, const char *file, size_t max, char **ret_data,
		  size_t *ret_len);

#endif
