/*
 * Sessions that go on without a terminal: `cdebug -d`, --list, --attach, --stop. There is no daemon: the front of such a
 * session, its holder, stays, and serves a socket in a private directory of root's.
 *
 *   SESSION_DIR/ID/   0700, of who started it
 *     session         who holds it and what it runs, NUL-terminated "KEY=VALUE"
 *     socket          SOCK_SEQPACKET, see session-internal.h; only for processes of the holder's user and namespaces
 *     attached        how many are, as text
 *
 * It is written when the session is ready and removed when it ends. A holder that was killed leaves it behind: the process
 * with that pid and start time is gone then. What such a session may have left is found by the mark in its mount table
 * and by the cgroups that the file names.
 */
#ifndef SONDE_SIDECAR_SESSION_H
#define SONDE_SIDECAR_SESSION_H

#include "sidecar/sidecar.h"

#define SESSION_DIR	"/run/sonde"
#define SESSION_ID_SIZE 13 /* 12 hexadecimal digits */

/* ret is of SESSION_ID_SIZE bytes; nobody can guess it. */
int session_new_id(char *ret, struct insp_err *err);

/*
 * sidecar_run() in a process of its own that nobody waits for, under plan's opts->session. Returns when the session is
 * ready, or could not be made: then *ret_status is 125, 126 or 127, and nothing is left.
 */
int session_start(const struct sidecar_plan *plan, void (*warn)(const struct insp_err *err),
		  int *ret_status, struct insp_err *err);

struct session_info {
	char id[SESSION_ID_SIZE];
	char *container; /* hostile bytes, as the engine has it */
	char *command;	 /* blank separated */
	int64_t created; /* nanoseconds since the epoch */
	pid_t holder;
	bool killed;	    /* its holder is gone; processes are left, which session_stop() ends */
	unsigned attached;  /* terminals */
	unsigned processes; /* of a killed one: how many are left */
};
struct session_list {
	struct session_info *items; /* the oldest first */
	size_t n;
};
void session_list_clear(struct session_list *list);
/*
 * All sessions of this host, in the holder's namespaces or not. What is left of killed ones without a process is removed.
 * What cannot be read goes to diags. No directory: an empty list. -EPERM: the directory is not private to root.
 */
int session_list(struct insp_sys *sys, struct session_list *ret_list, struct insp_diags *diags,
		 struct insp_err *err);

/*
 * ref: an id or the unique beginning of one. -ENOENT, -ENOTUNIQ. The terminal, of 0, 1, 2 the first that is one, becomes the
 * session's until it ends, ret_status being the command's status then; or until ctrl-p ctrl-q or a signal (TERM, HUP, INT):
 * *ret_detached, and ret_status 0 or 128+N.
 */
int session_attach(struct insp_sys *sys, const char *ref, int *ret_status, bool *ret_detached,
		   struct insp_err *err);
/* Ends every process of it, removes its cgroups and its entry. Also what a killed one left. */
int session_stop(struct insp_sys *sys, const char *ref, struct insp_err *err);

#endif
