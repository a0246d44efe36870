/* A namespace's inode -> the containers that are in it. */
#include "libinspect/resolve/find.h"

#include "libinspect/base/util.h"
#include "libinspect/kernel/mountinfo.h"

/* "4026532211", or as readlink /proc/PID/ns/net gives it. *ret_type: INSP_NS_MAX when the text has none. */
static int parse(struct finder *f, enum insp_ns_type *ret_type, uint64_t *ret_ino)
{
	const char *open = strchr(f->text, '[');
	int type = INSP_NS_MAX;
	uint64_t ino = 0;
	bool good;

	if (open) {
		type = open > f->text && open[-1] == ':'
			       ? insp_ns_from_name(f->text, (size_t)(open - f->text - 1))
			       : -EINVAL;
		good = type >= 0 && pid_parse_ns_link(f->text, &ino) == 0;
	} else {
		good = str_to_u64(f->text, &ino) == 0;
	}
	if (!good || ino == 0)
		return finder_bad(
			f, "is not a namespace's inode, as in 4026532211 or net:[4026532211]");
	*ret_type = (enum insp_ns_type)type;
	*ret_ino = ino;
	return 0;
}

/* The type of the namespace when set has it; INSP_NS_MAX: it has not. */
static enum insp_ns_type type_in(const struct insp_ns_set *set, enum insp_ns_type type,
				 uint64_t ino)
{
	for (int t = 0; t < INSP_NS_MAX; t++)
		if (set->ino[t] == ino && (type == INSP_NS_MAX || t == (int)type))
			return (enum insp_ns_type)t;
	return INSP_NS_MAX;
}

static int add_inits(struct finder *f, enum insp_ns_type type, uint64_t ino)
{
	for (size_t i = 0; i < f->list.n; i++) {
		enum insp_ns_type t = type_in(&f->list.items[i]->ns, type, ino);
		int r = 0;

		if (f->list.items[i]->pid > 0 && t != INSP_NS_MAX)
			r = finder_add(f, i, "its %s namespace", insp_ns_name(t));
		if (r < 0)
			return r;
	}
	return 0;
}

/* A namespace without processes is held by a file that it is mounted on. */
static bool held_by_mount(const struct finder *f, uint64_t ino, char *words, size_t size)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	if (mountinfo_read(f->sys, 0, &t, NULL) < 0)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		uint64_t root;

		if (strcmp(t.items[i].fstype, "nsfs") != 0 ||
		    pid_parse_ns_link(t.items[i].root, &root) < 0 || root != ino)
			continue;
		_cleanup_free_ char *shown = finder_shown(t.items[i].target);

		snprintf(words, size, "it is held open by the mount '%s', and no process is in it",
			 shown);
		return true;
	}
	return false;
}

/* The process's container, when it is in one: made a namespace inside it, say. */
static int add_container_of(struct finder *f, const struct insp_ns_info *ns)
{
	_cleanup_pid_ struct insp_pid *pid = NULL;
	struct insp_container *c = NULL;
	uint64_t seen;
	int r = insp_pid_open(f->sys, ns->pid, 0, &pid, NULL);

	if (r < 0 || pid_ns_inode(f->sys->procfd, ns->pid, ns->type, &seen) < 0 ||
	    seen != ns->ino || insp_resolve_pid(f->sys, pid, f->want, &c, NULL) < 0)
		return -ENOENT;
	r = -ENOENT;
	for (size_t i = 0; i < f->list.n && r == -ENOENT; i++)
		if (f->list.items[i]->engine == c->engine && str_eq(f->list.items[i]->id, c->id))
			r = finder_add(f, i, "its process %d is in that %s namespace", (int)ns->pid,
				       insp_ns_name(ns->type));
	insp_container_free(c);
	return r;
}

static int other_type(struct finder *f, enum insp_ns_type asked, enum insp_ns_type is, uint64_t ino)
{
	insp_err_say(f->err, -EINVAL, "namespace %llu is no %s namespace, but a %s namespace",
		     (unsigned long long)ino, insp_ns_name(asked), insp_ns_name(is));
	insp_err_hint(f->err, "ask for %s:[%llu]", insp_ns_name(is), (unsigned long long)ino);
	return -EINVAL;
}

/* unseen: of so many processes it is not known where they are. */
static int unknown(struct finder *f, uint64_t ino, size_t unseen)
{
	int r;

	if (unseen == 0)
		return finder_nothing(f, "no process is in a namespace %llu",
				      (unsigned long long)ino);
	r = finder_nothing(f, "no process that may be looked at is in a namespace %llu",
			   (unsigned long long)ino);
	insp_err_hint(f->err, "%zu processes may not be looked at: run as root", unseen);
	return r;
}

/* Not a container's init's: any process may be in it. */
static int ask_processes(struct finder *f, enum insp_ns_type type, uint64_t ino)
{
	_cleanup_(insp_ns_list_clear) struct insp_ns_list all = { 0 };
	char words[300];
	int r = insp_ns_list(f->sys, 0, &all, NULL, f->err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n; i++) {
		const struct insp_ns_info *ns = &all.items[i];
		_cleanup_free_ char *comm = finder_shown(ns->comm);

		if (ns->ino != ino)
			continue;
		if (type != INSP_NS_MAX && ns->type != type)
			return other_type(f, type, ns->type, ino);
		r = add_container_of(f, ns);
		if (r != -ENOENT)
			return r;
		return finder_nothing(f,
				      "%s namespace %llu is no container's: process %d (%s) of the "
				      "host is in it",
				      insp_ns_name(ns->type), (unsigned long long)ino, (int)ns->pid,
				      comm);
	}
	if (held_by_mount(f, ino, words, sizeof(words)))
		return finder_nothing(f, "namespace %llu is no container's: %s",
				      (unsigned long long)ino, words);
	return unknown(f, ino, geteuid() == 0 ? 0 : all.unreadable);
}

int find_by_ns(struct finder *f)
{
	enum insp_ns_type type = INSP_NS_MAX, host;
	uint64_t ino = 0;
	int r = parse(f, &type, &ino);

	if (r < 0)
		return r;
	if (!insp_sys_is_live(f->sys))
		return insp_err_say(f->err, -ENOTSUP, "namespace %s: not the running host",
				    f->text);
	host = type_in(&f->sys->self_ns, type, ino);
	if (host != INSP_NS_MAX)
		return finder_nothing(f, "%s namespace %llu is the host's own", insp_ns_name(host),
				      (unsigned long long)ino);
	r = finder_list(f, INSP_WANT_NS | INSP_WANT_BARE);
	if (r == 0)
		r = add_inits(f, type, ino);
	return r < 0 || f->n_found ? r : ask_processes(f, type, ino);
}
