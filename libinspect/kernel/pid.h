/* struct insp_pid inside the library, and reading the small files of /proc/PID through it. */
#ifndef SONDE_KERNEL_PID_H
#define SONDE_KERNEL_PID_H

#include "libinspect/kernel/sys.h"

struct insp_pid {
	pid_t pid;
	uint64_t start; /* clock ticks since boot */
	int pidfd;	/* -EBADF: no pidfd_open (compat: kernel < 5.3) */
	int procfd;
};

static inline void insp_pid_closep(struct insp_pid **p)
{
	insp_pid_close(*p);
}
#define _cleanup_pid_ _cleanup_(insp_pid_closep)

/* What /proc/PID/stat holds that sonde uses. proc(5); comm may hold ')', blanks and newlines. */
struct pid_stat {
	pid_t pid, ppid;
	char comm[64];
	char state;
	uint32_t flags; /* PF_*; PF_KTHREAD 0x00200000 */
	uint32_t threads;
	uint64_t utime, stime, start;
	uint64_t rss_pages;
};
int pid_parse_stat(const char *buf, size_t len, struct pid_stat *ret);
/* Reads PID/stat below procfd (a /proc). */
int pid_read_stat(int procfd, pid_t pid, struct pid_stat *ret);
/* The same below a /proc/PID directory: never of another process that got the pid later. */
int pid_read_stat_at(int dirfd, struct pid_stat *ret);

struct io_dir;
/* The next entry of dir, a /proc, that is a process's; 0: there are no more. */
pid_t pid_next(struct io_dir *dir);
#define for_each_pid(pid, dir) for (pid_t pid = pid_next(dir); pid; pid = pid_next(dir))

/* Bytes of a status at most: 65536 supplementary groups, which the process may set, stand before most of it. */
#define PID_STATUS_MAX (1024 * 1024)

/* What /proc/PID/status holds that sonde uses. */
struct pid_status {
	pid_t tgid; /* its process: differs from the number it was found under for a thread */
	uid_t ruid, euid;
	gid_t rgid, egid;
	pid_t ns_pids[33]; /* NSpid: from our pid namespace inwards; MAX_PID_NS_LEVEL is 32 */
	size_t n_ns_pids;
	gid_t groups[64]; /* first 64 of Groups */
	size_t n_groups;
	uint64_t cap_inh, cap_prm, cap_eff, cap_bnd, cap_amb;
	bool no_new_privs;
	int seccomp; /* 0, 1, 2; -1 unknown */
};
int pid_parse_status(const char *buf, size_t len, struct pid_status *ret);
int pid_read_status_at(int dirfd, struct pid_status *ret); /* dirfd: a /proc/PID */
int pid_read_status(const struct insp_pid *pid, struct pid_status *ret, struct insp_err *err);

/* The inode of PID/ns/TYPE below a /proc fd, by readlink ("mnt:[4026531841]"). -errno. */
int pid_ns_inode(int procfd, pid_t pid, enum insp_ns_type type, uint64_t *ret);
/* All of them below a /proc/PID directory; what may not be read is 0. -errno when none could be. */
int pid_ns_inodes_at(int dirfd, struct insp_ns_set *ret);
/* "mnt:[4026531841]" -> the number. */
int pid_parse_ns_link(const char *s, uint64_t *ret);

/* A root directory, told apart from every other one. */
struct pid_root {
	uint64_t ino;
	uint32_t major, minor;
};
/*
 * That of process pid below procfd; pid 0: of the directory procfd itself. A file system of the target's own making
 * (FUSE) is not asked. -errno.
 */
int pid_root(int procfd, pid_t pid, struct pid_root *ret);
bool pid_root_same(const struct pid_root *a, const struct pid_root *b);

#endif
