/*
 * cdebug --forward: a port of this host that leads to one of the container's network, one bound to its localhost
 * included. Sockets belong to the network namespace that their process was in when it made them: first the host's
 * ports are opened, then the process joins the container's network, gives all capabilities away, and only then accepts
 * and connects. Nothing of the container is run, and no process of ours is in its sight.
 */
#ifndef SONDE_SIDECAR_FORWARD_H
#define SONDE_SIDECAR_FORWARD_H

#include "libinspect/inspect.h"

#include <netinet/in.h>

/* Connections at a time, of all forwards; who comes later waits in the kernel's queue. */
#define FORWARD_MAX_CONNECTIONS 256
#define FORWARD_MAX		32

struct forward_addr {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} sa;
	socklen_t len;
};
struct forward {
	struct forward_addr host, target;
};
/* "[" address "]:" port, "]" only with IPv6. */
#define FORWARD_TEXT_MAX (INET6_ADDRSTRLEN + 9)
/* ret: at least FORWARD_TEXT_MAX. */
void forward_text(const struct forward_addr *addr, char *ret);
/*
 * "[ADDR:]PORT:[ADDR:]PORT"; an address is IPv4, IPv6 in brackets, or localhost, and 127.0.0.1 where there is none.
 * Port 0 of the host: the kernel's choice. -EINVAL.
 */
int forward_parse(const char *text, struct forward *ret, struct insp_err *err);

struct forward_opts {
	const char *name; /* the container's; hostile bytes */
	/* For who is told what: where a port leads (once for each, before the first connection), and what went wrong. */
	void (*listening)(const struct forward *f, const char *name);
	void (*warn)(const struct insp_err *err);
};
/*
 * Forwards until SIGINT, SIGTERM or SIGHUP: 0. -ESRCH: the container's first process has ended. The process is in the
 * container's network afterwards: end it.
 */
int forward_run(const struct insp_pid *target, struct forward *forwards, size_t n,
		const struct forward_opts *opts, struct insp_err *err);

/* ---- relay.c: one connection ---- */

/* Bytes on their way in one direction: what was read and not yet written, never more than this. */
#define RELAY_BUFFER 32768
struct relay_pipe {
	size_t start, end; /* of what is in data */
	bool eof;	   /* the reader's end has said its last */
	bool shut;	   /* and the other has been told */
	char data[RELAY_BUFFER];
};
enum relay_state { RELAY_CONNECTING, RELAY_OPEN };
struct relay {
	enum relay_state state;
	int fd[2]; /* of who called, of the container's; non-blocking */
	const struct forward *forward;
	struct relay_pipe pipe[2]; /* [0] from fd[0] to fd[1], [1] back */
};
/* What to poll for on fd[side]; *ret_fd -1: nothing, not even errors. */
short relay_events(const struct relay *r, int side, int *ret_fd);
/*
 * Moves what can be moved. revents: of both sides. 0: goes on; 1: both have said their last; -errno: it is broken, and
 * err says why where it never was a connection.
 */
int relay_step(struct relay *r, const short revents[2], struct insp_err *err);
/* Closes both. reset: so that both see that it was no orderly end. Frees r. */
void relay_end(struct relay *r, bool reset);

#endif
