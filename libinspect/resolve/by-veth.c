/*
 * A host interface -> the containers that its other end leads to. The kernel knows the namespace of the other end by a
 * number (rtnetlink, one socket), and says for each container's namespace which number it has: nothing is entered.
 */
#include "libinspect/resolve/find.h"

#include "libinspect/base/util.h"
#include "libinspect/kernel/mountinfo.h"
#include "libinspect/kernel/netlink.h"

struct veth {
	int fd;	    /* rtnetlink */
	char *name; /* of the interface, escaped */
	struct netlink_link link;
};

static void veth_done(struct veth *v)
{
	util_close(v->fd);
	free(v->name);
}

/* "veth12ab@if5" is how ip(8) writes it. */
static int parse(struct finder *f, char *name, size_t size)
{
	size_t n = strcspn(f->text, "@");

	if (n == 0 || n >= size || strchr(f->text, '/'))
		return finder_bad(f, "is not the name of an interface");
	memcpy(name, f->text, n);
	name[n] = '\0';
	return 0;
}

static int look_up(struct finder *f, const char *name, struct veth *v)
{
	int r;

	v->fd = netlink_open();
	if (v->fd < 0)
		return insp_err_set(f->err, v->fd, "open a netlink socket");
	r = netlink_link(v->fd, name, &v->link);
	if (r == -ENODEV) {
		insp_err_say(f->err, -ENOENT, "no interface '%s' on this host", v->name);
		insp_err_hint(
			f->err,
			"the names inside a container are others: `ip link` lists this host's");
		return -ENOENT;
	}
	return r < 0 ? insp_err_set(f->err, r, "look up interface '%s'", v->name) : 0;
}

/* Whether ns/net below dirfd is where the other end is. */
static bool is_there(const struct veth *v, int dirfd, const char *path)
{
	_cleanup_close_ int nsfd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int32_t nsid;

	return nsfd >= 0 && netlink_nsid(v->fd, nsfd, &nsid) == 0 && nsid == v->link.nsid;
}

static int visit(struct finder *f, size_t i, const struct insp_pid *init, void *userdata)
{
	const struct veth *v = userdata;

	if (!is_there(v, insp_pid_procfd(init), "ns/net") || !insp_pid_alive(init))
		return 0;
	for (size_t j = 0; j < f->list.n; j++) {
		int r = 0;

		if (f->list.items[j]->pid > 0 && finder_same_net(f, i, j))
			r = finder_add(f, j, "%s's other end, interface %d, is in its network",
				       v->name, v->link.peer);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A namespace that is held by a file only: `ip netns`, or a pod without processes. */
static bool held_by_mount(const struct finder *f, const struct veth *v, char *words, size_t size)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	if (mountinfo_read(f->sys, 0, &t, NULL) < 0)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (strcmp(t.items[i].fstype, "nsfs") != 0 ||
		    !str_starts(t.items[i].root, "net:") ||
		    !is_there(v, AT_FDCWD, t.items[i].target))
			continue;
		_cleanup_free_ char *shown = finder_shown(t.items[i].target);

		snprintf(words, size, "network namespace '%s'", shown);
		return true;
	}
	return false;
}

/* *ret_unseen: of so many processes it is not known where they are. */
static bool held_by_process(const struct finder *f, const struct veth *v, char *words, size_t size,
			    size_t *ret_unseen)
{
	_cleanup_(insp_ns_list_clear) struct insp_ns_list all = { 0 };

	if (insp_ns_list(f->sys, 1U << INSP_NS_NET, &all, NULL, NULL) < 0)
		return false;
	*ret_unseen = geteuid() == 0 ? 0 : all.unreadable;
	for (size_t i = 0; i < all.n; i++) {
		char path[32];

		snprintf(path, sizeof(path), "%d/ns/net", (int)all.items[i].pid);
		if (!is_there(v, f->sys->procfd, path))
			continue;
		_cleanup_free_ char *comm = finder_shown(all.items[i].comm);

		snprintf(words, size, "the network namespace of process %d (%s)",
			 (int)all.items[i].pid, comm);
		return true;
	}
	return false;
}

static int no_container(struct finder *f, const struct veth *v)
{
	size_t unseen = 0;
	char words[300];
	int r;

	if (held_by_process(f, v, words, sizeof(words), &unseen) ||
	    held_by_mount(f, v, words, sizeof(words)))
		return finder_nothing(f, "interface '%s' is no container's: its other end is in %s",
				      v->name, words);
	if (unseen == 0)
		return finder_nothing(f,
				      "interface '%s' is no container's that is known: its other "
				      "end is in a network namespace without processes",
				      v->name);
	r = finder_nothing(f,
			   "interface '%s' is no container's that is known: its other end is in a "
			   "network namespace of no process that may be looked at",
			   v->name);
	insp_err_hint(f->err, "%zu processes may not be looked at: run as root", unseen);
	return r;
}

int find_by_veth(struct finder *f)
{
	_cleanup_(veth_done) struct veth v = { .fd = -EBADF };
	char name[NETLINK_NAME_MAX];
	int r = parse(f, name, sizeof(name));

	if (r < 0)
		return r;
	if (!insp_sys_is_live(f->sys))
		return insp_err_say(f->err, -ENOTSUP, "interface %s: not the running host", name);
	v.name = finder_shown(name);
	r = look_up(f, name, &v);
	if (r < 0)
		return r;
	if (!v.link.elsewhere && strcmp(v.link.kind, "veth") == 0)
		return finder_nothing(f, "interface '%s' is the host's: both its ends are", v.name);
	if (!v.link.elsewhere)
		return finder_nothing(f, "interface '%s' is the host's own%s%s%s", v.name,
				      v.link.kind[0] ? " (" : "", v.link.kind,
				      v.link.kind[0] ? ")" : "");
	r = finder_list(f, INSP_WANT_NS | INSP_WANT_BARE);
	if (r == 0)
		r = finder_each_net(f, visit, &v);
	return r < 0 || f->n_found ? r : no_container(f, &v);
}
