/*
 * One forwarded connection. Each direction has one buffer, and nothing is read while there are bytes in it that the
 * other side has not taken: who is slow slows the other down, and costs no memory.
 */
#include "sidecar/forward.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

static bool is_empty(const struct relay_pipe *p)
{
	return p->start == p->end;
}

short relay_events(const struct relay *r, int side, int *ret_fd)
{
	const struct relay_pipe *from = &r->pipe[side], *to = &r->pipe[!side];
	short events = 0;

	*ret_fd = r->fd[side];
	if (r->state == RELAY_CONNECTING)
		return side ? POLLOUT : 0;
	if (is_empty(from) && !from->eof)
		events |= POLLIN;
	if (!is_empty(to))
		events |= POLLOUT;
	/* both directions of this socket are over: it would say so for ever */
	if (!events && to->shut)
		*ret_fd = -1;
	return events;
}

static int socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

static int fill(struct relay_pipe *p, int fd)
{
	ssize_t n;

	if (!is_empty(p) || p->eof)
		return 0;
	n = recv(fd, p->data, sizeof(p->data), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	p->start = 0;
	p->end = (size_t)n;
	p->eof = n == 0;
	return 0;
}

static int drain(struct relay_pipe *p, int fd)
{
	if (!is_empty(p)) {
		ssize_t n = send(fd, p->data + p->start, p->end - p->start,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		p->start += (size_t)n;
	}
	/* half-closed: the other may have a lot to say still */
	if (is_empty(p) && p->eof && !p->shut) {
		p->shut = true;
		if (shutdown(fd, SHUT_WR) < 0 && errno != ENOTCONN)
			return -errno;
	}
	return 0;
}

static int finish_connect(struct relay *r, short revents, struct insp_err *err)
{
	char where[FORWARD_TEXT_MAX];
	int e;

	if (!(revents & (POLLOUT | POLLERR | POLLHUP)))
		return 0;
	e = socket_error(r->fd[1]);
	if (e < 0) {
		forward_text(&r->forward->target, where);
		return insp_err_set(err, e, "connect to %s", where);
	}
	r->state = RELAY_OPEN;
	return 0;
}

int relay_step(struct relay *r, const short revents[2], struct insp_err *err)
{
	if (r->state == RELAY_CONNECTING) {
		/* the caller has gone: nobody waits for it */
		if (revents[0] & (POLLERR | POLLHUP))
			return -ECONNRESET;
		return finish_connect(r, revents[1], err);
	}
	for (int side = 0; side < 2; side++) {
		struct relay_pipe *p = &r->pipe[side];
		int e = 0;

		/* reset; what came before that is read first, where there is room for it */
		if ((revents[side] & POLLERR) && (!is_empty(p) || p->eof))
			e = -ECONNRESET;
		else if (revents[side] & (POLLIN | POLLHUP | POLLERR))
			e = fill(p, r->fd[side]);
		if (e == 0)
			e = drain(p, r->fd[!side]);
		if (e < 0)
			return e;
	}
	return r->pipe[0].shut && r->pipe[1].shut;
}

void relay_end(struct relay *r, bool reset)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	for (int side = 0; side < 2; side++) {
		if (reset && r->fd[side] >= 0)
			setsockopt(r->fd[side], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		tool_closep(&r->fd[side]);
	}
	free(r);
}
