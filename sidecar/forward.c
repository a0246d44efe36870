/* Listening on the host, connecting in the container's network, and the loop over all connections. */
#include "sidecar/forward.h"
#include "sidecar/internal.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>

#define BACKLOG 64
/* So many SYNs, 31 seconds in all: an address that swallows them does not hold its caller for two minutes. */
#define SYN_TRIES 4
/* compat: kernel < 5.3 has no pidfd, so the target is looked at as often */
#define LOOK_MS 1000
/* A flood of connections that are refused is not one of lines. */
#define SAYINGS_PER_SECOND 5

struct forwarder {
	const struct insp_pid *target;
	const struct forward_opts *opts;
	struct forward *forwards;
	size_t n;
	int listeners[FORWARD_MAX];
	int signals;
	struct relay *relays[FORWARD_MAX_CONNECTIONS];
	size_t n_relays;
	bool said_full;
	time_t second; /* of the sayings counted */
	unsigned sayings, unsaid;
};

static void say(struct forwarder *f, struct insp_err *err)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != f->second) {
		f->second = now.tv_sec;
		f->sayings = 0;
	}
	if (f->sayings++ >= SAYINGS_PER_SECOND) {
		f->unsaid++;
		return;
	}
	if (f->unsaid)
		insp_err_hint(err, "and %u times more before", f->unsaid);
	f->unsaid = 0;
	f->opts->warn(err);
}

static int make_socket(int family, int *ret)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

/* Opens the host's port, and puts the number that it got into addr. */
static int listen_on(struct forward_addr *addr, int *ret)
{
	_cleanup_close_ int fd = -1;
	int on = 1, r = make_socket(addr->sa.any.sa_family, &fd);

	if (r < 0)
		return r;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* [::] is that, and not also what 0.0.0.0 is */
	if (addr->sa.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &addr->sa.any, addr->len) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, &addr->sa.any, &addr->len) < 0)
		return -errno;
	*ret = fd;
	fd = -1;
	return 0;
}

static int listen_all(struct forwarder *f, struct insp_err *err)
{
	char where[FORWARD_TEXT_MAX];

	for (size_t i = 0; i < f->n; i++) {
		int r = listen_on(&f->forwards[i].host, &f->listeners[i]);

		if (r < 0) {
			forward_text(&f->forwards[i].host, where);
			return insp_err_set(err, r, "listen on %s", where);
		}
	}
	return 0;
}

static bool same_address(const struct forward_addr *a, const struct forward_addr *b)
{
	if (a->sa.any.sa_family != b->sa.any.sa_family)
		return false;
	if (a->sa.any.sa_family == AF_INET)
		return a->sa.in.sin_port == b->sa.in.sin_port &&
		       (a->sa.in.sin_addr.s_addr == b->sa.in.sin_addr.s_addr ||
			a->sa.in.sin_addr.s_addr == htonl(INADDR_ANY));
	return a->sa.in6.sin6_port == b->sa.in6.sin6_port &&
	       (IN6_ARE_ADDR_EQUAL(&a->sa.in6.sin6_addr, &b->sa.in6.sin6_addr) ||
		IN6_IS_ADDR_UNSPECIFIED(&a->sa.in6.sin6_addr));
}

/* Where the container's network is the host's, a port could be its own client without end. */
static int refuse_loops(const struct forwarder *f, struct insp_err *err)
{
	char where[FORWARD_TEXT_MAX];
	int shared = plan_ns_shared(f->target, INSP_NS_NET);

	for (size_t i = 0; i < f->n && shared == 1; i++) {
		const struct forward *w = &f->forwards[i];

		if (!same_address(&w->host, &w->target))
			continue;
		forward_text(&w->target, where);
		insp_err_say(err, -ELOOP, "%s would lead to itself", where);
		insp_err_hint(err, "%s has no network of its own: the port is the host's",
			      f->opts->name);
		return -ELOOP;
	}
	return 0;
}

/* All that is left to do is to accept, connect and copy. */
static int drop_all(struct insp_err *err)
{
	const struct insp_enter_ids same = { 0 };
	const struct insp_enter_caps none = { .cut = true, .no_new_privs = true };

	return insp_enter_creds_apply(&same, &none, err);
}

static int watch_signals(struct forwarder *f, struct insp_err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return insp_err_set(err, -errno, "block signals");
	f->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return f->signals < 0 ? insp_err_set(err, -errno, "watch for signals") : 0;
}

/* Without Nagle's waiting on top of what the two ends do of it; a dead peer is noticed one day. */
static void tune(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static int start_connect(struct relay *r)
{
	const struct forward_addr *to = &r->forward->target;
	int tries = SYN_TRIES, e = make_socket(to->sa.any.sa_family, &r->fd[1]);

	if (e < 0)
		return e;
	tune(r->fd[1]);
	setsockopt(r->fd[1], IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof(tries));
	if (connect(r->fd[1], &to->sa.any, to->len) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

/* Takes fd. What cannot be connected to is said, and its caller sees the connection end. */
static void add_relay(struct forwarder *f, const struct forward *forward, int fd)
{
	struct relay *r = calloc(1, sizeof(*r));
	struct insp_err err = { 0 };
	char where[FORWARD_TEXT_MAX];
	int e;

	if (!r) {
		close(fd);
		return;
	}
	r->fd[0] = fd;
	r->fd[1] = -1;
	r->forward = forward;
	tune(fd);
	e = start_connect(r);
	if (e < 0) {
		forward_text(&forward->target, where);
		insp_err_set(&err, e, "%s: connect to %s", f->opts->name, where);
		say(f, &err);
		relay_end(r, true);
		return;
	}
	f->relays[f->n_relays++] = r;
}

static void say_full(struct forwarder *f)
{
	struct insp_err err = { 0 };

	if (f->said_full)
		return;
	f->said_full = true;
	insp_err_say(&err, -EUSERS, "%d connections: more wait until one ends",
		     FORWARD_MAX_CONNECTIONS);
	f->opts->warn(&err);
}

static void accept_all(struct forwarder *f, size_t i)
{
	while (f->n_relays < FORWARD_MAX_CONNECTIONS) {
		int fd = accept4(f->listeners[i], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		add_relay(f, &f->forwards[i], fd);
	}
	say_full(f);
}

static void step(struct forwarder *f, size_t i, const short revents[2])
{
	struct relay *r = f->relays[i];
	struct insp_err err = { 0 };
	int e = relay_step(r, revents, &err);

	if (e == 0)
		return;
	if (err.code) {
		insp_err_wrap(&err, err.code, "%s", f->opts->name);
		say(f, &err);
	}
	relay_end(r, e < 0);
	f->relays[i] = f->relays[--f->n_relays];
}

/* [0] signals, [1] the target, then the listeners, then two of each connection. */
struct polled {
	struct pollfd fds[2 + FORWARD_MAX + 2 * FORWARD_MAX_CONNECTIONS];
	size_t n;
};

static void collect(const struct forwarder *f, struct polled *p)
{
	bool full = f->n_relays == FORWARD_MAX_CONNECTIONS;

	p->n = 0;
	p->fds[p->n++] = (struct pollfd){ f->signals, POLLIN, 0 };
	p->fds[p->n++] = (struct pollfd){ insp_pid_fd(f->target), POLLIN, 0 };
	for (size_t i = 0; i < f->n; i++)
		p->fds[p->n++] = (struct pollfd){ full ? -1 : f->listeners[i], POLLIN, 0 };
	for (size_t i = 0; i < f->n_relays; i++)
		for (int side = 0; side < 2; side++) {
			struct pollfd *pfd = &p->fds[p->n++];

			pfd->events = relay_events(f->relays[i], side, &pfd->fd);
			pfd->revents = 0;
		}
}

/* From the last to the first, for one that ends is replaced by the last; new ones come after. */
static void handle(struct forwarder *f, const struct polled *p)
{
	const struct pollfd *relays = p->fds + 2 + f->n;

	for (size_t i = f->n_relays; i-- > 0;) {
		const short revents[2] = { relays[2 * i].revents, relays[2 * i + 1].revents };

		if (revents[0] || revents[1])
			step(f, i, revents);
	}
	for (size_t i = 0; i < f->n; i++)
		if (p->fds[2 + i].revents)
			accept_all(f, i);
}

static int loop(struct forwarder *f, struct insp_err *err)
{
	struct polled p;

	for (;;) {
		int timeout = insp_pid_fd(f->target) < 0 ? LOOK_MS : -1;

		collect(f, &p);
		if (poll(p.fds, p.n, timeout) < 0 && errno != EINTR)
			return insp_err_set(err, -errno, "wait for connections");
		if (p.fds[0].revents)
			return 0;
		if ((p.fds[1].revents || timeout > 0) && !insp_pid_alive(f->target)) {
			insp_err_say(err, -ESRCH, "%s: its first process %d has ended",
				     f->opts->name, (int)insp_pid_number(f->target));
			insp_err_hint(err, "'cps -a' shows what became of it");
			return -ESRCH;
		}
		handle(f, &p);
	}
}

static void end(struct forwarder *f)
{
	while (f->n_relays)
		relay_end(f->relays[--f->n_relays], true);
	for (size_t i = 0; i < f->n; i++)
		tool_closep(&f->listeners[i]);
	tool_closep(&f->signals);
}

static int start(struct forwarder *f, struct insp_err *err)
{
	int r = watch_signals(f, err);

	r = r ?: listen_all(f, err);
	r = r ?: refuse_loops(f, err);
	r = r ?: insp_enter_join(f->target, 1U << INSP_NS_NET, err);
	r = r ?: drop_all(err);
	for (size_t i = 0; i < f->n && r == 0; i++)
		f->opts->listening(&f->forwards[i], f->opts->name);
	return r;
}

int forward_run(const struct insp_pid *target, struct forward *forwards, size_t n,
		const struct forward_opts *opts, struct insp_err *err)
{
	struct forwarder f = {
		.target = target, .opts = opts, .forwards = forwards, .n = n, .signals = -1
	};
	int r;

	for (size_t i = 0; i < FORWARD_MAX; i++)
		f.listeners[i] = -1;
	r = start(&f, err);
	r = r ?: loop(&f, err);
	end(&f);
	return r;
}
