/*
 * Carrying a plan out. Three processes when a child is needed:
 *
 *	front	stays on the host's side: relays the terminal, passes signals on, waits
 *	worker	joins the namespaces, closes everything, cuts the capabilities, makes the command's process and ends
 *	command	a child of the front (CLONE_PARENT), the first one that anybody in the container can see
 *
 * So the command's process is born with nothing of the host in it but 0, 1, 2 (a pty of ours where they were a
 * terminal) and a pipe to the front: there is nothing to steal before execve() (CVE-2016-9962).
 */
#ifndef SONDE_ENTER_RUN_H
#define SONDE_ENTER_RUN_H

#include "libinspect/enter/plan.h"

#include <signal.h>

enum report_kind {
	REPORT_CHILD = 1, /* value: the command's pid. The worker says so. */
	REPORT_FAILED,	  /* err says why the command could not be entered */
	REPORT_NO_EXEC,	  /* value: 126 or 127; err says why */
};

/*
 * What comes over the pipe, whole (below PIPE_BUF). Once the command's process exists it may be in the hands of the
 * container: its words are shown escaped, its numbers are checked.
 */
struct report {
	int kind;
	int value;
	struct insp_err err;
};

/* One run, the same in all three processes. */
struct run {
	const struct insp_enter_plan *plan;
	char *const *argv;
	struct insp_pty *pty; /* NULL: none */
	int report;	      /* the pipe's end for writing; -EBADF: no child, no front */
	int tty;	      /* of 0, 1, 2: what became the pty; -1: none */
};

/* Enters and becomes the command, without a child. Returns as insp_enter_run(). */
int run_in_place(struct run *run, int *ret_status, struct insp_err *err);
/* What the worker does; does not return. */
void run_worker(struct run *run) __attribute__((noreturn));
/*
 * Waits for the command, passing signals on. own_session: it does not get those of the caller's terminal by itself.
 * ret_status as docker exec.
 */
int front_wait(pid_t child, bool own_session, int *ret_status, struct insp_err *err);
/* The signals that are passed on, and SIGCHLD: blocked while the front waits. */
void front_signals(sigset_t *ret);

#endif
