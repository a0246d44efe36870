/*
 * struct insp_pty: a pseudo terminal between the caller's terminal and a command inside a container.
 *
 * The caller's terminal is never handed on: whoever holds it could type into the caller's shell (TIOCSTI). Of the
 * command's 0, 1 and 2 only those are replaced by the pty that were a terminal, so that redirections stay exact.
 */
#ifndef SONDE_ENTER_PTY_H
#define SONDE_ENTER_PTY_H

#include "libinspect/pty.h"

#include <termios.h>

#define PTY_BUF 16384

struct insp_pty {
	int tty;    /* the caller's terminal; borrowed; -EBADF: there is none */
	int out;    /* where the command's output goes: 1 or 2 when that is a terminal, else tty */
	int master; /* O_NONBLOCK */
	int slave;  /* closed by the parent when it starts to relay */
	bool input; /* tty is standard input: bytes are read from it, and it is made raw */
	bool replace[3];  /* which of 0, 1, 2 the pty stands for */
	bool raw;	  /* the terminal is in raw mode now */
	bool saved_valid; /* saved holds the terminal's modes before */
	struct termios saved;
	/* bytes from the terminal that the pty did not take yet */
	char in[PTY_BUF];
	size_t in_len;
};

/* Copies the window size from the terminal to the pty; the kernel tells the command (SIGWINCH). */
void pty_copy_size(const struct insp_pty *pty);
/* Raw mode on, when this process is in the terminal's foreground. */
void pty_raw(struct insp_pty *pty);
/* The terminal's modes as they were found. */
void pty_restore(struct insp_pty *pty);
/* Whether this process is in the terminal's foreground process group. */
bool pty_in_foreground(const struct insp_pty *pty);

#endif
