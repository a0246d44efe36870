/*
 * A port -> the containers that listen on it inside, by the kernel's socket tables, or that publish it on the host, by
 * their record. Where several containers share a network, and in the host's, the processes' open sockets tell whose it is.
 */
#include "libinspect/resolve/find.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/nettables.h"

#include <arpa/inet.h>

#define SOCKETS_MAX 64	  /* of one port in one network: SO_REUSEPORT makes many */
#define FDS_MAX	    65536 /* of one process that are looked at */

struct port {
	uint16_t number;
	bool tcp, udp;	   /* the protocols that are asked for */
	const char *other; /* another one, that only records know; NULL: none */
};

/* The waiting sockets of one network. */
struct sockets {
	struct net_socket items[SOCKETS_MAX];
	enum net_proto proto[SOCKETS_MAX];
	size_t n;
};

static int parse(struct finder *f, struct port *ret)
{
	static const char *const protos[] = { "tcp", "udp", "sctp" };
	const char *slash = strchr(f->text, '/');
	char digits[8] = "";
	uint64_t number;
	size_t n = slash ? (size_t)(slash - f->text) : strlen(f->text);
	struct port port = { .tcp = true, .udp = true };

	if (n < sizeof(digits))
		memcpy(digits, f->text, n);
	if (str_to_u64(digits, &number) < 0 || number == 0 || number > UINT16_MAX)
		return finder_bad(f, "is not a port, as in 80 or 53/udp");
	port.number = (uint16_t)number;
	if (slash) {
		port.tcp = str_eq(slash + 1, protos[0]);
		port.udp = str_eq(slash + 1, protos[1]);
		port.other = str_eq(slash + 1, protos[2]) ? protos[2] : NULL;
		if (!port.tcp && !port.udp && !port.other)
			return finder_bad(f, "has a protocol that is none of tcp, udp, sctp");
	}
	*ret = port;
	return 0;
}

static bool asks_for(const struct port *port, const char *proto)
{
	if (port->tcp && port->udp)
		return true;
	return str_eq(proto, port->other ? port->other : port->tcp ? "tcp" : "udp");
}

/* ---- published, by the record ---- */

static int add_published(struct finder *f, const struct port *port, bool running)
{
	for (size_t i = 0; i < f->list.n; i++) {
		const struct insp_container *c = f->list.items[i];

		for (size_t k = 0; k < c->n_ports; k++) {
			const struct insp_port *p = &c->ports[k];
			bool v6 = p->host_ip && strchr(p->host_ip, ':');

			if (!p->host_ip || p->host_port != port->number ||
			    !asks_for(port, p->proto) || (c->pid > 0) != running)
				continue;
			if (finder_add(f, i, "%s %s%s%s:%u -> %u/%s",
				       running ? "publishes" : "would publish", v6 ? "[" : "",
				       p->host_ip, v6 ? "]" : "", p->host_port, p->port,
				       p->proto) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* ---- listening, by the kernel ---- */

static void read_table(const struct insp_pid *pid, uint64_t ino, const char *table,
		       enum net_proto proto, uint16_t number, struct sockets *s)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct net_socket socket;
	size_t at = 0;

	if (finder_read_net(pid, table, ino, &b) < 0)
		return;
	while (s->n < SOCKETS_MAX && nettable_next(b.data, b.len, proto, &at, &socket))
		if (socket.port == number) {
			s->proto[s->n] = proto;
			s->items[s->n++] = socket;
		}
}

static void read_sockets(const struct insp_pid *pid, uint64_t ino, const struct port *port,
			 struct sockets *s)
{
	if (port->tcp) {
		read_table(pid, ino, "tcp", NET_TCP, port->number, s);
		read_table(pid, ino, "tcp6", NET_TCP, port->number, s);
	}
	if (port->udp) {
		read_table(pid, ino, "udp", NET_UDP, port->number, s);
		read_table(pid, ino, "udp6", NET_UDP, port->number, s);
	}
}

/* The index of the socket that the process below processfd, a /proc/PID, has open; -1: none. */
static ssize_t open_socket(int processfd, const struct sockets *s)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int left = FDS_MAX;

	if (io_opendir(processfd, "fd", &dir) < 0)
		return -1;
	for_each_entry (de, dir) {
		char link[48];
		ssize_t n = readlinkat(io_dirfd(dir), de->d_name, link, sizeof(link) - 1);

		if (--left == 0)
			break;
		if (n <= 0)
			continue;
		link[n] = '\0';
		for (size_t i = 0; i < s->n; i++) {
			char wanted[48];

			snprintf(wanted, sizeof(wanted), "socket:[%llu]",
				 (unsigned long long)s->items[i].inode);
			if (strcmp(link, wanted) == 0)
				return (ssize_t)i;
		}
	}
	return -1;
}

static int add_listening(struct finder *f, size_t i, const struct sockets *s, size_t k, pid_t pid)
{
	const struct net_socket *socket = &s->items[k];
	char address[INET6_ADDRSTRLEN] = "?", who[32] = "";
	bool v6 = socket->local.v6;

	inet_ntop(v6 ? AF_INET6 : AF_INET, socket->local.bytes, address, sizeof(address));
	if (pid > 0)
		snprintf(who, sizeof(who), " (pid %d)", (int)pid);
	return finder_add(f, i, "listens on %s%s%s:%u/%s%s", v6 ? "[" : "", address, v6 ? "]" : "",
			  socket->port, s->proto[k] == NET_TCP ? "tcp" : "udp", who);
}

/* The first of container i's processes that holds one of the sockets; 0: none. */
static pid_t holder(const struct finder *f, size_t i, const struct sockets *s, size_t *ret)
{
	struct insp_procs procs = { 0 };
	pid_t found = 0;

	if (insp_container_procs(f->sys, f->list.items[i], 0, &procs, NULL, NULL) < 0)
		return 0;
	for (size_t k = 0; k < procs.n && !found; k++) {
		_cleanup_pid_ struct insp_pid *pid = NULL;
		ssize_t at;

		if (insp_pid_open(f->sys, procs.items[k].pid, procs.items[k].start, &pid, NULL) < 0)
			continue;
		at = open_socket(insp_pid_procfd(pid), s);
		if (at >= 0) {
			*ret = (size_t)at;
			found = procs.items[k].pid;
		}
	}
	insp_procs_clear(&procs);
	return found;
}

/* Of the containers in network ino those whose processes hold one of the sockets. */
static int add_holders(struct finder *f, uint64_t ino, const struct sockets *s, size_t *ret_n)
{
	for (size_t i = 0; i < f->list.n; i++) {
		size_t k = 0;
		pid_t pid;

		if (f->list.items[i]->pid <= 0 || f->list.items[i]->ns.ino[INSP_NS_NET] != ino)
			continue;
		pid = holder(f, i, s, &k);
		if (pid == 0)
			continue;
		if (add_listening(f, i, s, k, pid) < 0)
			return -ENOMEM;
		++*ret_n;
	}
	return 0;
}

static int visit(struct finder *f, size_t i, const struct insp_pid *init, void *userdata)
{
	uint64_t ino = f->list.items[i]->ns.ino[INSP_NS_NET];
	const struct port *port = userdata;
	struct sockets s = { .n = 0 };
	size_t sharing = 0, held = 0;
	int r = 0;

	read_sockets(init, ino, port, &s);
	if (s.n == 0)
		return 0;
	for (size_t j = 0; j < f->list.n; j++)
		sharing += f->list.items[j]->pid > 0 && finder_same_net(f, i, j);
	if (sharing == 1)
		return add_listening(f, i, &s, 0, 0);
	r = add_holders(f, ino, &s, &held);
	/* all of them may be meant when none of their processes has it open */
	for (size_t j = 0; r == 0 && held == 0 && j < f->list.n; j++)
		if (f->list.items[j]->pid > 0 && finder_same_net(f, i, j))
			r = add_listening(f, j, &s, 0, 0);
	return r;
}

/* ---- the host's own network ---- */

/* A process of the host that holds one of the sockets; 0: none that may be looked at. */
static pid_t host_holder(const struct finder *f, const struct sockets *s, char *comm, size_t size)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;

	if (io_opendir(f->sys->procfd, ".", &dir) < 0)
		return 0;
	for_each_pid (pid, dir) {
		_cleanup_pid_ struct insp_pid *process = NULL;
		struct pid_stat st;

		if (insp_pid_open(f->sys, pid, 0, &process, NULL) < 0 ||
		    open_socket(insp_pid_procfd(process), s) < 0)
			continue;
		if (pid_read_stat_at(insp_pid_procfd(process), &st) < 0)
			continue;
		_cleanup_free_ char *shown = finder_shown(st.comm);

		snprintf(comm, size, "%s", shown);
		return pid;
	}
	return 0;
}

static int ask_host(struct finder *f, const struct port *port)
{
	uint64_t ino = f->sys->self_ns.ino[INSP_NS_NET];
	_cleanup_pid_ struct insp_pid *self = NULL;
	struct sockets s = { .n = 0 };
	char comm[80];
	size_t held = 0;
	pid_t pid;
	int r;

	if (!insp_sys_is_live(f->sys) || insp_pid_open(f->sys, getpid(), 0, &self, NULL) < 0)
		return 0;
	read_sockets(self, ino, port, &s);
	if (s.n == 0)
		return 0;
	r = add_holders(f, ino, &s, &held);
	/* whoever listens for a published port is the engine's */
	if (r < 0 || f->n_found)
		return r;
	pid = host_holder(f, &s, comm, sizeof(comm));
	if (pid == 0)
		return finder_nothing(f,
				      "port %u is listened on in the host's own network, by a "
				      "process that is not to be seen",
				      port->number);
	return finder_nothing(f, "port %u is no container's: process %d (%s) of the host listens",
			      port->number, (int)pid, comm);
}

int find_by_port(struct finder *f)
{
	struct port port;
	int r = parse(f, &port);

	if (r == 0)
		r = finder_list(f, INSP_WANT_NS | INSP_WANT_DETAIL | INSP_WANT_STOPPED |
					   INSP_WANT_BARE | INSP_WANT_CGROUP);
	if (r == 0)
		r = add_published(f, &port, true);
	if (r == 0)
		r = finder_each_net(f, visit, &port);
	if (r == 0)
		r = ask_host(f, &port);
	if (r < 0 || f->n_found)
		return r;
	r = add_published(f, &port, false);
	if (r < 0 || f->n_found)
		return r;
	return finder_nothing(f, "nothing listens on port %u, and no container publishes it",
			      port.number);
}
