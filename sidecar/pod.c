/*
 * A pod's namespaces are those of a container that does nothing else. What is shared is seen, not read: a namespace of that
 * one in which another container of the pod has its first process.
 */
#include "sidecar/pod.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <string.h>

#define NS_BIT(type) (1U << INSP_NS_##type)
/* Kubernetes' pods without shareProcessNamespace, and podman's default. */
#define USUAL  (NS_BIT(NET) | NS_BIT(IPC) | NS_BIT(UTS))
#define CAN_BE (USUAL | NS_BIT(PID) | NS_BIT(CGROUP))

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* "POD" of whatever namespace, or "NAMESPACE/POD". */
static bool is_of(const struct insp_container *c, const char *name)
{
	const char *slash = strchr(name, '/');

	if (!c->pod)
		return false;
	if (!slash)
		return strcmp(c->pod, name) == 0;
	return c->pod_namespace && strlen(c->pod_namespace) == (size_t)(slash - name) &&
	       memcmp(c->pod_namespace, name, (size_t)(slash - name)) == 0 &&
	       strcmp(c->pod, slash + 1) == 0;
}

static bool is_same_pod(const struct insp_container *a, const struct insp_container *b)
{
	return same(a->engine, b->engine) && same(a->pod, b->pod) && same(a->store, b->store) &&
	       same(a->pod_namespace, b->pod_namespace) && a->owner == b->owner;
}

static bool is_live(const struct insp_container *c)
{
	return insp_state_is_live(c->state) && c->pid > 0;
}

static unsigned shared_of(const struct insp_list *all, const struct insp_container *holder)
{
	bool alone = true;
	unsigned bits = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct insp_container *c = all->items[i];

		if (c == holder || c->infra || !is_live(c) || !is_same_pod(c, holder))
			continue;
		alone = false;
		for (int t = 0; t < INSP_NS_MAX; t++)
			if ((CAN_BE & (1U << t)) && c->ns.ino[t] &&
			    c->ns.ino[t] == holder->ns.ino[t])
				bits |= 1U << t;
	}
	return alone ? USUAL : bits;
}

struct found {
	size_t members, holders, live;
	size_t at; /* of the last holder that lives */
};

static struct found look(const struct insp_list *all, const char *name)
{
	struct found f = { 0 };

	for (size_t i = 0; i < all->n; i++) {
		const struct insp_container *c = all->items[i];

		if (!is_of(c, name))
			continue;
		f.members++;
		if (!c->infra)
			continue;
		f.holders++;
		if (!is_live(c))
			continue;
		f.live++;
		f.at = i;
	}
	return f;
}

static int not_found(const struct found *f, const char *name, struct insp_err *err)
{
	if (!f->members) {
		insp_err_say(err, -ENOENT, "no pod '%s' found", name);
		insp_err_hint(err, "'cps -a -o POD,NAME' shows those there are");
		return -ENOENT;
	}
	if (!f->holders) {
		insp_err_say(err, -ESRCH, "pod '%s' has no container that holds its namespaces",
			     name);
		insp_err_hint(err, "its containers share none; each is named as pod/POD/NAME");
		return -ESRCH;
	}
	return insp_err_say(err, -ESRCH, "pod '%s' is not running", name);
}

/* Moves the holders that live to candidates. */
static void move_candidates(struct insp_list *all, const char *name, struct insp_list *candidates)
{
	size_t n = 0;

	candidates->items = calloc(all->n, sizeof(*candidates->items));
	for (size_t i = 0; candidates->items && i < all->n; i++)
		if (is_of(all->items[i], name) && all->items[i]->infra && is_live(all->items[i]))
			candidates->items[candidates->n++] = all->items[i];
		else
			all->items[n++] = all->items[i];
	if (candidates->items)
		all->n = n;
}

int pod_find(struct insp_sys *sys, const char *name, struct insp_container **ret_container,
	     unsigned *ret_shared, struct insp_list *candidates, struct insp_diags *diags,
	     struct insp_err *err)
{
	_cleanup_list_ struct insp_list all = { 0 };
	struct found f;
	int r = insp_list(sys, INSP_WANT_STOPPED | INSP_WANT_NS, &all, diags, err);

	if (r < 0)
		return r;
	f = look(&all, name);
	if (f.live == 0)
		return not_found(&f, name, err);
	if (f.live > 1) {
		move_candidates(&all, name, candidates);
		insp_err_say(err, -ENOTUNIQ, "several pods are called '%s'", name);
		insp_err_hint(err, "NAMESPACE/POD, or 'cdebug --ns net,ipc,uts' of one of these");
		return -ENOTUNIQ;
	}
	*ret_shared = shared_of(&all, all.items[f.at]);
	*ret_container = all.items[f.at];
	all.items[f.at] = all.items[--all.n];
	return 0;
}
