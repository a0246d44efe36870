/* What the parts of detached sessions share. */
#ifndef SONDE_SIDECAR_SESSION_INTERNAL_H
#define SONDE_SIDECAR_SESSION_INTERNAL_H

#include "sidecar/internal.h"
#include "sidecar/session.h"

#define SESSION_MARK_MAX 32
/* The name of the session's file systems in memory in mount tables: "cdebug-ID". */
void session_mark(const char *id, char ret[SESSION_MARK_MAX]);

/* ---- session-dir.c: the entries ---- */

/*
 * SESSION_DIR, made when create. -ENOENT: there is none. -EPERM: it is a link, somebody else's, or open to others. The
 * caller's fd.
 */
int session_dir_open(bool create, int *ret_fd, struct insp_err *err);

/* An entry as its file has it. */
struct session_entry {
	struct session_info info;
	uint64_t holder_start;
	uint64_t pidns; /* the pid namespace in which both mean something */
	uint64_t mntns; /* session_mntns() of its mount namespace; 0: not known */
	char **cgroups; /* directories, absolute paths */
	size_t n_cgroups;
};
void session_entry_clear(struct session_entry *e);

/* What the holder writes. socket is the listening one, bound in the entry; *ret_fd the entry's directory. */
int session_entry_write(int dir, const struct session_entry *e, int *ret_fd, int *ret_socket,
			struct insp_err *err);
/* -ENOENT: there is none called so, or it ended just now. */
int session_entry_read(int dir, const char *id, struct session_entry *ret, struct insp_err *err);
/* No error when it is gone already. */
void session_entry_remove(int dir, const char *id);
/* The entry that ref means. ret_id is of SESSION_ID_SIZE bytes. */
int session_entry_find(int dir, const char *ref, char *ret_id, struct insp_err *err);
/* Calls each for every id, in no order. */
int session_entry_each(int dir, void (*each)(const char *id, void *arg), void *arg);
/*
 * The number of a mount namespace (an fd of /proc/PID/ns/mnt) that no other has until the host is started again; 0: compat:
 * kernel < 6.11.
 */
uint64_t session_mntns(int fd);
/* The inode of our own pid namespace. */
uint64_t session_pidns(void);
/* The holder, if it still is that process: -ESRCH. -EXDEV: it is of another pid namespace, and nobody here can tell. */
int session_holder(struct insp_sys *sys, const struct session_entry *e, struct insp_pid **ret);

/* Connects to the entry's socket. Not yet known who answers: session_check_peer(). -errno. */
int session_connect(int dir, const char *id, int *ret_fd);

/* session-end.c: the entry that ref means, and SESSION_DIR. -EPERM: not root. */
int session_find(const char *ref, int *ret_dir, struct session_entry *ret, struct insp_err *err);

/* ---- the socket ---- */

enum session_kind {
	SESSION_DATA, /* both ways: bytes of the terminal */
	SESSION_SIZE, /* to the holder: struct winsize */
	SESSION_STOP, /* to the holder: end it */
	SESSION_END,  /* to who is attached: struct session_end */
};
#define SESSION_DATA_MAX 4096
struct session_packet {
	uint32_t kind;
	char data[SESSION_DATA_MAX];
};
#define SESSION_HEAD offsetof(struct session_packet, data)
struct session_end {
	int status;
	struct insp_err err; /* code 0: the command ended by itself */
};

/*
 * Whether the other end of a connected socket is a process of our user and in our mount, pid and user namespaces: 0, or
 * -EPERM. pid, when not 0, is who it has to be.
 */
int session_check_peer(int fd, pid_t pid, struct insp_err *err);

/* ---- session-hold.c ---- */

struct hold;
/*
 * After the session is ready: its entry. limits: whose cgroups are to be named there. mntns: its mount namespace, an fd or -1.
 */
int hold_ready(struct hold *h, const struct limits *limits, int mntns, struct insp_err *err);
/* Serves the terminal until the supervisor (a pidfd) has ended: 1; or until it is to be stopped: 0. */
int hold_serve(struct hold *h, int master, int supervisor_fd, int sigfd, pid_t supervisor);
/* When nothing writes any more: what is in the terminal still goes to who is attached. */
void hold_drain(struct hold *h);

/* front.c: sidecar_run() of a session with a holder. */
int sidecar_run_held(const struct sidecar_plan *plan, struct hold *h,
		     void (*warn)(const struct insp_err *err), int *ret_status,
		     struct insp_err *err);

#endif
