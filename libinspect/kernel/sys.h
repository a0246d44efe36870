/*
 * struct insp_sys inside the library: the root fd that every reader opens below, the /proc fd, and what is read
 * once per host.
 */
#ifndef SONDE_KERNEL_SYS_H
#define SONDE_KERNEL_SYS_H

#include "libinspect/inspect.h"

#include <dirent.h>

struct insp_sys {
	int rootfd; /* the host's root directory, O_PATH */
	int procfd; /* its /proc; -EBADF when it is not the live host */
	bool live;
	unsigned deadline_ms;
	long ticks_per_second;
	int64_t boot_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME at open, ns */
	struct insp_ns_set
		self_ns; /* of this process: "the host's"; /proc/1/ns may not be readable */
	struct insp_store *stores;
	size_t n_stores;
};

/*
 * Opens an absolute host path below the root fd. Host paths of root's own stores may go through links of the
 * administrator (/var/lib/docker -> /data): followed, below the root, with insp_open_in_root(). fd or -errno.
 */
int sys_open(const struct insp_sys *sys, const char *path, int flags);
/* A regular file, to be read; -EBADF for anything else, which is not opened: insp_open_regular_in_root(). */
int sys_open_file(const struct insp_sys *sys, const char *path);
/* O_DIRECTORY|O_RDONLY of sys_open(). */
int sys_open_dir(const struct insp_sys *sys, const char *path);

#endif
