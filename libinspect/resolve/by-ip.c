/*
 * An address -> the containers whose network namespace has it, by the kernel's tables; of those that do not run, by what
 * the engine's record says. Whoever may set addresses in its own network may take another's: both are shown, and of the
 * one that the engine gave it to that is said.
 */
#include "libinspect/resolve/find.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/nettables.h"

#include <ifaddrs.h>
#include <netinet/in.h>

struct ip {
	struct net_address a;
	char *shown;
};

static bool in_record(const struct insp_container *c, const struct net_address *a)
{
	for (size_t i = 0; i < c->n_addresses; i++) {
		struct net_address b;

		if (net_address_parse(c->addresses[i], &b) == 0 && a->v6 == b.v6 &&
		    memcmp(a->bytes, b.bytes, sizeof(b.bytes)) == 0)
			return true;
	}
	return false;
}

static bool in_network(const struct insp_pid *pid, uint64_t ino, const struct net_address *a)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };

	if (finder_read_net(pid, a->v6 ? "if_inet6" : "fib_trie", ino, &b) < 0)
		return false;
	return a->v6 ? nettable_inet6_has(b.data, b.len, a) : nettable_fib_has(b.data, b.len, a);
}

static int visit(struct finder *f, size_t i, const struct insp_pid *init, void *userdata)
{
	const struct ip *ip = userdata;

	if (!in_network(init, f->list.items[i]->ns.ino[INSP_NS_NET], &ip->a))
		return 0;
	for (size_t j = 0; j < f->list.n; j++) {
		const struct insp_container *c = f->list.items[j];
		int r = 0;

		if (c->pid > 0 && finder_same_net(f, i, j))
			r = finder_add(f, j, "address in its network%s",
				       in_record(c, &ip->a) ? ", given by the engine" : "");
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_recorded(struct finder *f, const struct ip *ip)
{
	for (size_t i = 0; i < f->list.n; i++) {
		const struct insp_container *c = f->list.items[i];
		int r = 0;

		if (c->pid <= 0 && in_record(c, &ip->a))
			r = finder_add(f, i, "address in its record; it does not run");
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_address(const struct sockaddr *sa, const struct net_address *a)
{
	if (sa->sa_family == AF_INET && !a->v6)
		return memcmp(&((const struct sockaddr_in *)sa)->sin_addr, a->bytes, 4) == 0;
	if (sa->sa_family == AF_INET6 && a->v6)
		return memcmp(&((const struct sockaddr_in6 *)sa)->sin6_addr, a->bytes, 16) == 0;
	return false;
}

/* The host's interface with that address. */
static bool on_host(const struct net_address *a, char *name, size_t size)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		found = i->ifa_addr && is_address(i->ifa_addr, a);
		if (found)
			snprintf(name, size, "%s", i->ifa_name);
	}
	freeifaddrs(all);
	return found;
}

static bool is_bridge(const struct finder *f, const char *name)
{
	char path[64];
	int fd;

	if (strchr(name, '/'))
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", name);
	fd = sys_open(f->sys, path, O_PATH);
	util_close(fd);
	return fd >= 0;
}

/* The host has it: then it is also that of containers in the host's network, when there are such. */
static int host_address(struct finder *f, const struct ip *ip, const char *name)
{
	for (size_t i = 0; i < f->list.n; i++) {
		int r = 0;

		if (f->list.items[i]->pid > 0 && finder_host_net(f, i))
			r = finder_add(f, i, "address of the host (%s), whose network it uses",
				       name);
		if (r < 0)
			return r;
	}
	if (f->n_found)
		return 0;
	return finder_nothing(f, "%s is the host's own address, of %s%s", ip->shown, name,
			      is_bridge(f, name) ? ", a bridge" : "");
}

static int ask(struct finder *f, struct ip *ip)
{
	char name[32];
	int r = finder_list(f,
			    INSP_WANT_NS | INSP_WANT_DETAIL | INSP_WANT_STOPPED | INSP_WANT_BARE);

	if (r == 0)
		r = finder_each_net(f, visit, ip);
	if (r < 0 || f->n_found)
		return r;
	if (insp_sys_is_live(f->sys) && on_host(&ip->a, name, sizeof(name)))
		return host_address(f, ip, name);
	r = add_recorded(f, ip);
	if (r < 0 || f->n_found)
		return r;
	return finder_nothing(f, "no container has the address %s", ip->shown);
}

int find_by_ip(struct finder *f)
{
	struct ip ip = { 0 };
	int r;

	if (net_address_parse(f->text, &ip.a) < 0)
		return finder_bad(f, "is not an IP address");
	ip.shown = finder_shown(f->text);
	if (net_address_is_loopback(&ip.a))
		r = finder_nothing(f,
				   "%s is the loopback address of the host and of every container",
				   ip.shown);
	else if (net_address_is_nobodys(&ip.a))
		r = finder_nothing(f, "%s is nobody's own address", ip.shown);
	else
		r = ask(f, &ip);
	free(ip.shown);
	return r;
}
