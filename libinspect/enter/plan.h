/*
 * A plan: every step of entering, decided while nothing has changed. facts + options -> decisions is a pure function
 * (enter_decide()), so that the rules can be tested as text.
 */
#ifndef SONDE_ENTER_PLAN_H
#define SONDE_ENTER_PLAN_H

#include "libinspect/creds.h"
#include "libinspect/enter/enter.h"

/* What is known of the target. */
struct enter_facts {
	unsigned differs;	  /* namespaces, bits, that are other than the caller's */
	struct pid_status status; /* ids as the caller's user namespace sees them */
	uid_t uid;		  /* of the target, as its user namespace sees it; -1: not mapped */
	gid_t gid;
	gid_t groups[INSP_GROUPS_MAX];
	size_t n_groups;
	bool user_differs;     /* it has a user namespace of its own, joined or not */
	bool root_mapped;      /* its user namespace has a uid 0 and a gid 0 */
	bool setgroups_denied; /* user_namespaces(7): /proc/PID/setgroups says "deny" */
};

enum enter_cwd {
	ENTER_CWD_KEEP,	  /* the caller's */
	ENTER_CWD_ROOT,	  /* "/" of the target */
	ENTER_CWD_TARGET, /* the target's own */
	ENTER_CWD_INSIDE, /* a path, looked up after entering */
	ENTER_CWD_HOST,	  /* a path, opened before entering */
};

enum enter_env {
	ENTER_ENV_KEEP,	  /* the caller's */
	ENTER_ENV_CLEAN,  /* TERM, PATH, HOME */
	ENTER_ENV_TARGET, /* /proc/PID/environ */
};

/* resolv.conf, hosts: the bytes that the command shall see there. */
struct enter_file {
	const char *path;
	char *data; /* NULL: not brought */
	size_t len;
};
#define ENTER_FILES 2

struct enter_decision {
	unsigned join;	/* namespaces, bits */
	unsigned asked; /* of these, those not in join are the caller's already */
	bool inside;	/* the command sees the target's files: programs are the container's */
	bool fork, pty;
	bool private_mounts, fresh_proc, net_view;
	bool chroot; /* to the target's root, or to opts.root */
	enum enter_cwd cwd;
	enum enter_env env;
	struct insp_enter_ids ids;
	struct insp_enter_caps caps;
};

/* Fills *f for one who would join these namespaces. -errno, err says. */
int enter_facts_read(const struct insp_pid *target, unsigned namespaces, struct enter_facts *f,
		     struct insp_err *err);
void enter_decide(const struct enter_facts *facts, const struct insp_enter_opts *opts,
		  struct enter_decision *ret);
/* The decision in words; who: "container web". The answer is free()d; NULL when memory is out. */
char *enter_describe(const struct enter_decision *d, const char *who);

struct insp_enter_plan {
	struct enter_decision d;
	const struct insp_pid *target; /* the caller's */
	char *who;
	int rootfd;	  /* O_PATH, -EBADF */
	int cwdfd;	  /* O_PATH, -EBADF */
	char *cwd_inside; /* for ENTER_CWD_INSIDE */
	char *context;	  /* SELinux, NULL: unchanged */
	char **env;	  /* NULL-terminated */
	struct enter_file files[ENTER_FILES];
	struct insp_diags warnings;
};

/* Fills plan->env. home: the home directory of the command's user, NULL: unknown. */
int enter_env_make(struct insp_enter_plan *plan, struct insp_sys *sys,
		   const struct insp_enter_opts *opts, struct insp_err *err);
/* The value of name in env, NULL: none. */
const char *enter_env_get(char *const env[], const char *name);

/* Reads resolv.conf and hosts of the target. What cannot be read becomes a warning. */
void enter_files_read(struct insp_enter_plan *plan, int target_rootfd);

/* ---- carrying out; all in the process that enters ---- */

/* Closes every fd above 2 but keep (n of them, any order). selffd: /proc/self/fd opened earlier, or -EBADF. */
void enter_close_fds(int selffd, const int *keep, size_t n);
/* A private mount namespace. */
int enter_mounts_unshare(struct insp_err *err);
/* Fresh /proc and /sys, resolv.conf and hosts, in the private mount namespace. */
int enter_mounts_make(const struct insp_enter_plan *plan, struct insp_err *err);
/*
 * After joining a user namespace: looks at files as its root. Host ids have no number there, and FUSE cannot tell its
 * daemon who asks (fs/fuse/dev.c: EOVERFLOW). Where the namespace has no id 0 nothing changes.
 */
void enter_creds_fs(void);
/* Runs argv; returns 126 or 127 with err said. */
int enter_exec(char *const argv[], char *const env[], struct insp_err *err);
/* What all that comes after entering has in common: root and working directory. */
int enter_place_apply(const struct insp_enter_plan *plan, struct insp_err *err);

#endif
