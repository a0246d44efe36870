/* What the parts of the sidecar share. */
#ifndef SONDE_SIDECAR_INTERNAL_H
#define SONDE_SIDECAR_INTERNAL_H

#include "libinspect/creds.h"
#include "libinspect/pty.h"
#include "sidecar/fault.h"
#include "sidecar/sidecar.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Files of our own, below the sidecar's root. */
#define SIDECAR_DIR ".sonde"

#define SIDECAR_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct sidecar_plan {
	struct insp_sys *sys;		 /* borrowed */
	const struct insp_pid *target;	 /* borrowed; NULL: opts->stopped */
	const struct sidecar_opts *opts; /* borrowed */
	unsigned join;			 /* without the user namespace; of opts->stopped: to make */
	bool join_user;
	char *name;	 /* letters, digits and "_.-/:" only: goes into a prompt */
	pid_t inner_pid; /* $TARGET_PID; 0: there is none */
	uid_t uid;	 /* who the command's user is on this host */
	gid_t gid;
	struct insp_enter_ids ids; /* as the user namespace counts that the session is in */
	struct insp_enter_caps caps;
	struct insp_user user; /* name NULL: the caller's root, or a number without a name */
	char *workdir;	       /* NULL: / */
	char *home;	       /* absolute; the command's own file system is mounted there */
	char **argv, **envp;
	struct rerun *rerun; /* rerun.h; NULL: not wanted */
	/* opts->stopped with as_target; ids are those of its passwd, which the builder reads. NULL: not that */
	struct insp_start *start;
	struct insp_diags warnings;
};

/* 1: the target is in our namespace of this type; 0: in another; -errno. */
int plan_ns_shared(const struct insp_pid *target, enum insp_ns_type type);

/* ---- limits.c, scope.c ---- */

#define LIMITS_MAX 16 /* a process is in each hierarchy of v1, and in that of v2 */

/* A cgroup of our own, one directory in each hierarchy that is needed. */
struct limits {
	char name[64];		/* sonde-PID-STARTTIME */
	int parent[LIMITS_MAX]; /* the directories that it is in; -1: systemd's to remove */
	int procs[LIMITS_MAX];	/* cgroup.procs, open for writing */
	unsigned controllers[LIMITS_MAX]; /* bits 1 << enum in limits.c */
	bool v2[LIMITS_MAX];
	size_t n;
	int hold; /* write end of a pipe: while one is open, the scope has its first process */
};
#define LIMITS_NONE                                                  \
	{                                                            \
		.parent = { [0 ... LIMITS_MAX - 1] = -1 },           \
		.procs = { [0 ... LIMITS_MAX - 1] = -1 }, .hold = -1 \
	}
/*
 * In the front: finds where the cgroups can be made, and removes stale ones of ours there; where systemd manages the
 * host it starts a scope instead. -ENOTSUP: a controller is not to be had.
 */
int limits_find(struct insp_sys *sys, const struct sidecar_limits *wanted, struct limits *ret,
		struct insp_err *err);
/* In the supervisor, which also removes them when the front was killed. */
int limits_create(struct limits *l, const struct sidecar_limits *wanted, struct insp_err *err);
/* Moves the calling process in. */
int limits_join(const struct limits *l, struct insp_err *err);
/* Waits a little for the last processes to go. Those never made are no error. */
void limits_remove(const struct limits *l);
/* Closes the fds only. */
void limits_close(struct limits *l);
/* A cgroup that is made and limited already: only to be joined. */
int limits_add_ready(struct limits *l, int dirfd);

/* Whether systemd manages this host: then the cgroup tree is not ours to write to. */
bool scope_wanted(void);
/* Starts the scope l->name with these limits, and adds its cgroups to l. It ends with its last process. */
int scope_start(struct insp_sys *sys, const struct sidecar_limits *wanted, struct limits *l,
		struct insp_err *err);

/* ---- share-cgroup.c ---- */

/* Those of the target, to be joined; nothing to be made or removed. */
int share_cgroup(struct insp_sys *sys, const struct insp_pid *target, struct limits *ret,
		 struct insp_err *err);
/* What the user should know of it. */
void share_cgroup_warn(struct sidecar_plan *plan);

/* ---- messages from the other processes to the front ---- */

enum message_kind { MESSAGE_WARNING, MESSAGE_READY, MESSAGE_FAILURE };

/* Smaller than PIPE_BUF, so written whole. */
struct message {
	enum message_kind kind;
	int status;	  /* MESSAGE_FAILURE: what to exit with */
	pid_t supervisor; /* MESSAGE_READY: as this host counts */
	uint64_t mntns;	  /* MESSAGE_READY: the sidecar's mount namespace */
	struct insp_err err;
};
/* fd is the pipe. A front that is gone needs no message. */
void message_send(int fd, const struct message *m);
void message_warn(int fd, const struct insp_err *err);
/* Sends err as the failure and ends the process. */
_Noreturn void message_die(int fd, int status, const struct insp_err *err);

/* ---- what the processes inherit ---- */

struct channels {
	int alive;    /* read end; EOF: the front is gone */
	int messages; /* write end */
	int userns;   /* -1: not joined; closed by who does not need it */
	int keep;     /* the directory of --keep-changes, locked; -1: none */
};

/* ---- files.c, nameconf.c: run in the builder ---- */

/*
 * The target's resolv.conf and hosts, or for its own view passwd and group, read by a process of its own that may hang or die.
 */
struct nameconf {
	pid_t reader;
	int fd; /* -1: not wanted */
	const char *const *files;
};
#define NAMECONF_MAX (256 * 1024)
int nameconf_start(const struct sidecar_plan *plan, int tree, struct nameconf *ret);
/* Writes what arrived into dirfd (".sonde" of the new root, or its "etc"); warns about what did not. */
void nameconf_finish(struct nameconf *n, int dirfd, int messages);
/* After the pivot: over the host's files. */
void nameconf_mount(int messages);
/* At most max bytes of s with "?" for all but letters, digits and "_.-/:". NULL: memory is out. free() it. */
char *files_prompt_word(const char *s, size_t max);
/* .bashrc, .zshrc, .shrc with the prompt, into the home directory. */
int files_write_rc(const struct sidecar_plan *plan, int homefd, struct insp_err *err);
int files_write(int dirfd, const char *name, const char *data, size_t len);
/*
 * What is in a small file, NUL-terminated and cut at size - 1: its length, or -errno. No link is followed as its last component,
 * and a FIFO keeps nobody waiting.
 */
ssize_t files_read(int dirfd, const char *name, char *buf, size_t size);
/* Until buf is full or the file ends: how many bytes there were, or -errno. */
ssize_t files_read_fd(int fd, void *buf, size_t size);

/* ---- the processes ---- */

_Noreturn void builder_main(const struct sidecar_plan *plan, struct insp_pty *pty,
			    struct limits *limits, struct channels *ch, pid_t front);
_Noreturn void supervisor_main(const struct sidecar_plan *plan, struct insp_pty *pty,
			       struct limits *limits, struct channels *ch);
_Noreturn void command_main(const struct sidecar_plan *plan, struct insp_pty *pty,
			    const struct limits *limits, const struct channels *ch,
			    pid_t supervisor);

/* The path itself, or one below the directory, as words: no link is looked at. */
bool proc_is_below(const char *path, const char *dir);
/* "/proc/self/fd/N", for calls that take no fd. */
#define PROC_FD_PATH_MAX 32
void proc_fd_path(int fd, char buf[PROC_FD_PATH_MAX]);
/* Closes every fd above 2 but those of keep (n, any order, -1 entries ignored). */
void proc_close_others(int *keep, size_t n);
/* 128 + N, or the exit code. */
int proc_exit_status(int wait_status);
/* Every signal to its default, none blocked. */
void proc_default_signals(void);
/* Those of 0, 1, 2 that are a terminal become /dev/null. */
int proc_drop_terminals(void);

#endif
