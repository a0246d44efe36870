/*
 * A terminal of the command's own. A public header of libinspect; its conventions are those of inspect.h.
 */
#ifndef SONDE_PTY_H
#define SONDE_PTY_H

#include "libinspect/inspect.h"

/*
 * A pty between the caller's terminal and a command. Used so: insp_pty_open(); fork; the child calls
 * insp_pty_child(); the parent insp_pty_relay() until the child is gone, then insp_pty_close().
 */
struct insp_pty;
/*
 * tty: the caller's terminal, the first of 0, 1, 2 that is one. The pty is from the host's devpts, with the size and
 * modes of tty. It stands for those of 0, 1, 2 only that are a terminal now; the others stay what they are. When tty
 * is not 0, nothing is read from it and its modes stay.
 */
int insp_pty_open(int tty, struct insp_pty **ret_pty, struct insp_err *err);
/*
 * The same where there is no terminal of the caller's: it stands for 0, 1 and 2, has 80 columns and 24 rows, and the modes
 * of a new terminal. There is nothing to relay to: insp_pty_take_master() after the fork.
 */
int insp_pty_open_alone(struct insp_pty **ret_pty, struct insp_err *err);
/*
 * In the parent, instead of insp_pty_relay(): the end that is read and written, O_NONBLOCK. Reads fail with EIO when no
 * command has the other one open. Stays the object's.
 */
int insp_pty_take_master(struct insp_pty *pty);
/*
 * In a child that closes every other fd before insp_pty_child(): closes the relay's end, which must not be closed
 * later when its number may be another's, and gives the command's end, which is to be kept. Stays the object's.
 */
int insp_pty_detach(struct insp_pty *pty);
/* In the child: new session, the pty as controlling terminal and as those of 0, 1, 2 that were a terminal. */
int insp_pty_child(struct insp_pty *pty, struct insp_err *err);
/*
 * In the parent: raw mode, bytes both ways, window size passed on, and TERM, HUP, INT, QUIT, USR1 and USR2 sent to
 * the child, until child (a pidfd) exits; TSTP stops the caller with its terminal in order. The terminal is restored
 * whatever happens. Output that is still in the pty is drained. -EIO: the caller's terminal is gone; the child may
 * still run.
 */
int insp_pty_relay(struct insp_pty *pty, int child_pidfd, struct insp_err *err);
struct insp_pty *insp_pty_close(struct insp_pty *pty);

#endif
