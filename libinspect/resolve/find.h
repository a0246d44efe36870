/*
 * Inside insp_find(): what its questions share. find.c asks, by-*.c have one question each.
 *
 * What is read of a container's process is read through its directory in /proc, opened by pid and start time: a pid that
 * came to another process meanwhile gives nothing.
 */
#ifndef SONDE_RESOLVE_FIND_H
#define SONDE_RESOLVE_FIND_H

#include "libinspect/base/str.h"
#include "libinspect/kernel/pid.h"

struct finder {
	struct insp_sys *sys;
	const char *text;
	unsigned want;		 /* the caller's */
	struct insp_list list;	 /* all containers, after finder_list() */
	struct insp_diags diags; /* what could not be read */
	char **how;		 /* by index of list; NULL: not an answer */
	size_t n_found;
	struct insp_err *err;
};

/* Lists the containers, with what the caller and this question want to know of them. */
int finder_list(struct finder *f, unsigned want);
/* Container i of the list answers, because of this; what was said of it before stands in front. -ENOMEM. */
int finder_add(struct finder *f, size_t i, const char *fmt, ...)
	__attribute__((format(__printf__, 3, 4)));
/* -ENOENT with these words in err, and that not all could be read when that is so: f->diags has what. */
int finder_nothing(struct finder *f, const char *fmt, ...)
	__attribute__((format(__printf__, 2, 3)));
/* -EINVAL with "'text' WHAT". */
int finder_bad(struct finder *f, const char *what);
/* insp_escape_str() of s, cut, for messages; never NULL. free() it. */
char *finder_shown(const char *s);

/* "docker container web"-like words are the caller's; this opens container i's init. -ESRCH. */
int finder_open_init(const struct finder *f, size_t i, struct insp_pid **ret);
/*
 * Calls visit for every network namespace of running containers that is not the host's own, with the init of one that is
 * in it and that one's index. Namespaces that may not be looked at are noted.
 */
int finder_each_net(struct finder *f,
		    int (*visit)(struct finder *f, size_t i, const struct insp_pid *init,
				 void *userdata),
		    void *userdata);
/* Whether container i is in the same network namespace as container j. */
bool finder_same_net(const struct finder *f, size_t i, size_t j);
/* Whether container i runs in the host's own network namespace. */
bool finder_host_net(const struct finder *f, size_t i);
/* The table net/NAME of a process, only when it was in the network namespace ino all the while. -errno. */
struct io_buf;
int finder_read_net(const struct insp_pid *pid, const char *name, uint64_t ino, struct io_buf *ret);

/* The questions. f->text is not empty. 0, or -errno with f->err set. */
int find_by_host_path(struct finder *f); /* any, and what is below /proc/PID */
int find_by_path(struct finder *f);
int find_by_veth(struct finder *f);
int find_by_ip(struct finder *f);
int find_by_port(struct finder *f);
int find_by_cgroup(struct finder *f);
int find_by_ns(struct finder *f);

#endif
