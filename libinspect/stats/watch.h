/*
 * One running container with the files of its numbers kept open: a sample is one pread() of each. A file that went with its
 * cgroup says ENODEV; that the container ended is its pidfd's to say.
 */
#ifndef SONDE_STATS_WATCH_H
#define SONDE_STATS_WATCH_H

#include "libinspect/kernel/cgroup.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/stats/parse.h"

/* The files of one or several cgroup directories. Zero-initialise; free with cgfiles_clear(). */
struct cgfile {
	const struct stat_file *what;
	int fd;
};
struct cgfiles {
	struct cgfile *items;
	size_t n, cap;
	uint32_t covered; /* fields that one of them tells */
};
/*
 * Opens the files below dirfd that tell wanted fields which none tells yet. controllers: of a v1 hierarchy, as
 * /proc/PID/cgroup has them; NULL: v2. What is not there is left out. -ENOMEM; -EMFILE when no more files can be open.
 */
int cgfiles_add(struct cgfiles *files, int dirfd, const char *controllers, uint32_t wanted);
/* Reads them into sample; slow: those too that tell nothing but limits, which seldom change. -ENODEV: they are gone. */
int cgfiles_read(const struct cgfiles *files, bool slow, struct insp_sample *sample);
void cgfiles_clear(struct cgfiles *files);

/* What can be summed over processes. */
#define STAT_SUMMABLE                                                       \
	(INSP_STAT_BIT(INSP_STAT_CPU) | INSP_STAT_BIT(INSP_STAT_MEM) |      \
	 INSP_STAT_BIT(INSP_STAT_PIDS) | INSP_STAT_BIT(INSP_STAT_IO_READ) | \
	 INSP_STAT_BIT(INSP_STAT_IO_WRITE))

/* Counters of processes that were seen, so that the sum does not fall when one of them ends. */
struct procsum_item {
	pid_t pid;
	uint64_t start, cpu, read, write; /* as last read */
};
struct procsum {
	struct procsum_item *items; /* by pid */
	size_t n;
	uint64_t cpu, read, write; /* of all there ever were */
};
/* These are its processes now: pids ascending. -ENOMEM. */
int procsum_set(struct procsum *sum, const pid_t *pids, size_t n);
/* Adds up the fields of wanted that processes tell. */
void procsum_read(const struct insp_sys *sys, struct procsum *sum, uint32_t wanted,
		  struct insp_sample *sample);
void procsum_clear(struct procsum *sum);

struct watch {
	struct insp_pid *init;
	uint32_t fields; /* wanted */
	struct cgfiles files;
	int cgroupfd;	  /* a cgroup of its own, for its processes; -EBADF: none */
	char *path;	  /* of its cgroup in the hierarchy of note; NULL: none of its own there */
	int netfd;	  /* /proc/PID/net/dev; -EBADF: not wanted, or the host's own network */
	uint32_t summing; /* fields that only the sum over processes tells */
	enum insp_ns_type ns_type;
	uint64_t ns_ino; /* what its processes are told by; 0: by nothing */
	struct procsum sum;
	struct insp_sample last; /* for limits that were not read again */
	int64_t limits_at;
};

/* note: the controller (or "" for v2) whose path is kept in watch.path. -ESRCH: it does not run. */
int watch_open(struct insp_sys *sys, const struct cgroup_mounts *mounts, const char *note,
	       const struct insp_container *c, uint32_t fields, struct watch **ret);
struct watch *watch_close(struct watch *w);
bool watch_ended(const struct watch *w);
int watch_read(struct insp_sys *sys, struct watch *w, struct insp_sample *ret);

int64_t stats_now(void); /* ns of CLOCK_BOOTTIME */

#endif
