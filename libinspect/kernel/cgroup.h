/*
 * cgroups: v1, v2, hybrid. A process's path in each hierarchy, and a cgroup's directory and processes.
 * Source: cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef SONDE_KERNEL_CGROUP_H
#define SONDE_KERNEL_CGROUP_H

#include "libinspect/kernel/span.h"
#include "libinspect/kernel/sys.h"

/* One line of /proc/PID/cgroup. Borrowed from the buffer that was parsed. */
struct cgroup_line {
	int hierarchy;		 /* 0: v2 */
	const char *controllers; /* "cpu,cpuacct", "name=systemd", "" */
	const char *path;	 /* "/docker/ID"; "/../x" is possible */
};
struct cgroup_lines {
	char *buf;
	struct cgroup_line *items;
	size_t n;
};
void cgroup_lines_free(struct cgroup_lines *l);
#define _cleanup_cgroup_lines_ _cleanup_(cgroup_lines_free)

/* Parses (buf, len) of /proc/PID/cgroup; lines that make no sense are left out. -ENOMEM. */
int cgroup_parse(const char *buf, size_t len, struct cgroup_lines *ret);
int cgroup_read(int procfd, pid_t pid, struct cgroup_lines *ret);

/*
 * The line that says most about the container: v2's when it is not "/", else the longest of the v1 lines
 * memory, pids, devices, freezer, name=systemd. NULL when all are "/".
 */
const struct cgroup_line *cgroup_best(const struct cgroup_lines *l);
/* Whether any line's path has id as a whole component, or as the id part of a scope ("docker-ID.scope"). */
bool cgroup_has_id(const struct cgroup_lines *l, const char *id);
/* The same for one path component of len bytes. */
bool cgroup_component_is(const char *component, size_t len, const char *id);
/* Whether name is one of a line's comma separated controllers. */
bool cgroup_has_controller(const char *controllers, const char *name);
/* Finds the first 64-digit hex id in the lines' paths, last component first. id: 65 bytes. false: none. */
bool cgroup_find_id(const struct cgroup_lines *l, char *id);

/*
 * The component of path that tells what the cgroup is of: the last one that is not what systemd, nspawn and crun call
 * the inner cgroup of everything ("init.scope", "payload", "container"). Empty: path is "/", or "..". Borrowed.
 */
struct span cgroup_telling_name(const char *path);

/* Where the hierarchies are mounted on this host, from mountinfo and statfs. */
struct cgroup_mounts {
	char *v2;      /* "/sys/fs/cgroup", "/sys/fs/cgroup/unified"; NULL: none */
	char *v2_root; /* the cgroup that is mounted there: "/" but for part mounts, as in a container */
	struct {
		char controller[32]; /* "memory", "name=systemd" */
		char *path, *root;
	} v1[24];
	size_t n_v1;
};
int cgroup_mounts_read(const struct insp_sys *sys, struct cgroup_mounts *ret, struct insp_err *err);
/* The same from a table that was read. */
struct mount_table;
int cgroup_mounts_of(const struct mount_table *t, struct cgroup_mounts *ret);
void cgroup_mounts_free(struct cgroup_mounts *m);
#define _cleanup_cgroup_mounts_ _cleanup_(cgroup_mounts_free)
/* Directory fd of the cgroup that a line names. -ENOENT: gone, or outside what is mounted ("/../x"). */
int cgroup_open(const struct insp_sys *sys, const struct cgroup_mounts *m,
		const struct cgroup_line *line);
/* Pids of the cgroup and of all below it, ascending. *ret: free(). Returns how many, or -errno. */
ssize_t cgroup_procs(int cgroupfd, pid_t **ret);

#endif
