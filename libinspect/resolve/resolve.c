/*
 * A reference -> one container.
 *
 * The engines' stores are asked first, with the reference, so that they parse only what can match. A name may be in
 * every store, so those are asked, too, that only running daemons and monitors tell: a walk over /proc that looks at
 * programs alone. Only when nothing there has the name, or bare containers are asked for, everything is listed.
 */
#include "libinspect/engines/engine.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/resolve/ended.h"
#include "libinspect/resolve/near.h"
#include "libinspect/resolve/pod.h"
#include "libinspect/resolve/unseen.h"

#define SHORT_ID_LEN 12
#define ID_LEN	     64

struct reference {
	const struct engine *engine; /* NULL: any */
	const char *name;	     /* a name or the beginning of an id */
};

static void engine_names(struct strbuf *sb)
{
	for (size_t i = 0; engines[i]; i++)
		strbuf_printf(sb, "%s%s", i ? ", " : "", engines[i]->name);
}

static int unknown_engine(const char *ref, size_t len, struct insp_err *err)
{
	_cleanup_free_ char *shown = insp_escape(ref, len);
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	engine_names(&sb);
	insp_err_say(err, -EINVAL, "unknown engine '%s'", shown ? shown : "?");
	insp_err_hint(err, "engines: %s", sb.buf ? sb.buf : "none");
	return -EINVAL;
}

static int parse_reference(const char *ref, struct reference *ret, struct insp_err *err)
{
	const char *colon = strchr(ref, ':');
	const struct engine *engine = NULL;

	if (colon) {
		engine = engine_by_name(ref, (size_t)(colon - ref));
		if (!engine)
			return unknown_engine(ref, (size_t)(colon - ref), err);
		ref = colon + 1;
	}
	if (!*ref) {
		insp_err_say(err, -EINVAL, "empty container name");
		insp_err_hint(err,
			      "name a container: NAME, ID, ENGINE:NAME, pod/POD/NAME or pid:N");
		return -EINVAL;
	}
	*ret = (struct reference){ .engine = engine, .name = ref };
	return 0;
}

enum rank { RANK_NONE, RANK_PREFIX, RANK_ID, RANK_NAME };

static enum rank rank_of(const struct insp_container *c, const struct reference *ref)
{
	if (ref->engine && strcmp(ref->engine->name, c->engine) != 0)
		return RANK_NONE;
	if (str_eq(c->name, ref->name))
		return RANK_NAME;
	if (str_eq(c->id, ref->name))
		return RANK_ID;
	return str_starts(c->id, ref->name) ? RANK_PREFIX : RANK_NONE;
}

/* As many digits of an id as every listing shows. */
static bool looks_like_id(const char *s)
{
	return strlen(s) >= SHORT_ID_LEN && strspn(s, "0123456789abcdef") == strlen(s);
}

/*
 * Leaves in list only the containers that match best. A name wins over the beginning of an id, but not when another user
 * has called his container by the id of somebody else's: then both stay. Of a name that is neither root's nor the caller's
 * any beginning counts as that: four digits are what hands type.
 */
static void keep_best(struct insp_list *list, const struct reference *ref)
{
	enum rank best = RANK_NONE;
	uid_t owner = 0;
	size_t kept = 0;
	bool foreign;

	for (size_t i = 0; i < list->n; i++) {
		enum rank rank = rank_of(list->items[i], ref);

		if (rank > best)
			owner = list->items[i]->owner;
		best = MAX_OF(best, rank);
	}
	foreign = owner != 0 && owner != geteuid();
	for (size_t i = 0; i < list->n; i++) {
		struct insp_container *c = list->items[i];
		enum rank rank = rank_of(c, ref);

		if (rank != RANK_NONE &&
		    (rank == best || (c->owner != owner && (looks_like_id(ref->name) || foreign))))
			list->items[kept++] = c;
		else
			insp_container_free(c);
	}
	list->n = kept;
}

static int not_found(const struct engine_scan *scan, const struct reference *ref, const char *text,
		     struct insp_err *err)
{
	_cleanup_free_ char *shown = insp_escape_str(text);

	insp_err_say(err, -ENOENT, "no container '%s'", shown ? shown : "?");
	near_hint(&scan->found, ref->name, ref->engine ? ref->engine->name : NULL, err);
	/* what could not be looked at may be where it is */
	unseen_note(&scan->diags, ref->name, err);
	return -ENOENT;
}

static const char *what_tells_apart(const struct insp_list *found)
{
	bool same_engine = true, same_name = true;

	for (size_t i = 1; i < found->n; i++) {
		same_engine = same_engine && found->items[i]->engine == found->items[0]->engine;
		same_name = same_name && str_eq(found->items[i]->name, found->items[0]->name);
	}
	if (!same_engine)
		return "name the engine too, as in ENGINE:NAME, or the id";
	return same_name ? "name it by its id" : "give more of the id";
}

static int ambiguous(struct insp_list *found, const char *ref, struct insp_list *candidates,
		     struct insp_err *err)
{
	_cleanup_free_ char *shown = insp_escape_str(ref);

	insp_err_say(err, -ENOTUNIQ, "'%s' is ambiguous: %zu containers match", shown ? shown : "?",
		     found->n);
	insp_err_hint(err, "%s", what_tells_apart(found));
	if (candidates) {
		*candidates = *found;
		*found = (struct insp_list){ 0 };
	}
	return -ENOTUNIQ;
}

/*
 * Everything, bare containers too unless another engine is named; what matches is taken out of it. 1 found, 0 not (then
 * *scan keeps all).
 */
static int ask_all(struct engine_scan *scan, const struct reference *ref)
{
	bool any = false;
	int r;

	/* a record that could not be read was noted the first time round already */
	engine_scan_again(scan);
	scan->match = (struct engine_match){ 0 };
	if (!ref->engine || ref->engine->leftovers)
		scan->want |= INSP_WANT_BARE;
	scan->may_walk = true;
	scan->programs_only = false;
	r = engine_scan_run(scan, NULL);
	if (r < 0)
		return r;
	for (size_t i = 0; i < scan->found.n; i++)
		any = any || rank_of(scan->found.items[i], ref) != RANK_NONE;
	if (any)
		keep_best(&scan->found, ref);
	return any;
}

/* Nobody chose a whole id, and what root's store says of it holds: no other store need be looked for. */
static bool is_settled(const struct engine_scan *scan, const struct reference *ref)
{
	return str_is_hex(ref->name, ID_LEN) && scan->found.n == 1 &&
	       scan->found.items[0]->owner == 0 && str_eq(scan->found.items[0]->id, ref->name);
}

static int ask_for(struct engine_scan *scan, const struct reference *ref)
{
	int r;

	engine_scan_again(scan);
	r = engine_scan_run(scan, ref->engine);
	if (r < 0)
		return r;
	keep_best(&scan->found, ref);
	return scan->found.n > 0;
}

static int ask(struct engine_scan *scan, const struct reference *ref)
{
	int r;

	if (ref->engine && ref->engine->leftovers)
		return ask_all(scan, ref);
	if (str_is_hex(ref->name, ID_LEN)) {
		r = ask_for(scan, ref);
		if (r < 0 || is_settled(scan, ref))
			return r;
	}
	scan->may_walk = true;
	scan->programs_only = true;
	r = ask_for(scan, ref);
	return r != 0 ? r : ask_all(scan, ref);
}

static int resolve_name(struct insp_sys *sys, const char *text, unsigned want,
			struct insp_container **ret_container, struct insp_list *candidates,
			struct insp_err *err)
{
	struct reference ref;
	int r = parse_reference(text, &ref, err);

	if (r < 0)
		return r;

	/* a stopped container is found, so that what is wrong with it can be said */
	_cleanup_scan_ struct engine_scan scan = {
		.sys = sys,
		.want = (want | INSP_WANT_STOPPED) & ~(unsigned)INSP_WANT_BARE,
		.match = { .ref = ref.name },
	};
	r = ask(&scan, &ref);
	if (r < 0)
		return insp_err_set(err, r, "look for a container");
	if (r == 0)
		return not_found(&scan, &ref, text, err);
	if (scan.found.n > 1)
		return ambiguous(&scan.found, text, candidates, err);
	if ((want & INSP_WANT_FILES) && unseen_layers(&scan.diags, scan.found.items[0]) < 0)
		return insp_err_set(err, -ENOMEM, "look for a container");
	*ret_container = TAKE_PTR(scan.found.items[0]);
	scan.found.n = 0;
	return 0;
}

static int ask_pod(struct engine_scan *scan, const struct pod_reference *ref)
{
	int r = engine_scan_run(scan, NULL);

	if (r < 0)
		return r;
	pod_reference_keep(ref, &scan->found);
	return scan->found.n > 0;
}

static int resolve_pod(struct insp_sys *sys, const char *text, unsigned want,
		       struct insp_container **ret_container, struct insp_list *candidates,
		       struct insp_err *err)
{
	_cleanup_(pod_reference_clear) struct pod_reference ref = { 0 };
	_cleanup_scan_ struct engine_scan scan = {
		.sys = sys,
		.want = (want | INSP_WANT_STOPPED | INSP_WANT_DETAIL) & ~(unsigned)INSP_WANT_BARE,
		.may_walk = true,
		.programs_only = true,
	};
	int r = pod_reference_parse(text + strlen("pod/"), &ref, err);

	if (r < 0)
		return r;
	r = ask_pod(&scan, &ref);
	if (r < 0)
		return insp_err_set(err, r, "look for a container");
	if (r == 0)
		return not_found(&scan, &(struct reference){ .name = text }, text, err);
	if (scan.found.n > 1) {
		r = ambiguous(&scan.found, text, candidates, err);
		insp_err_hint(err, "name the container too, as in pod/POD/CONTAINER or "
				   "pod/NAMESPACE/POD/CONTAINER, or its id");
		return r;
	}
	*ret_container = TAKE_PTR(scan.found.items[0]);
	scan.found.n = 0;
	return 0;
}

int insp_resolve(struct insp_sys *sys, const char *ref, unsigned want,
		 struct insp_container **ret_container, struct insp_list *candidates,
		 struct insp_err *err)
{
	const char *number = str_after(ref, "pid:");
	_cleanup_pid_ struct insp_pid *pid = NULL;
	pid_t n;
	int r;

	if (str_after(ref, "pod/"))
		return resolve_pod(sys, ref, want, ret_container, candidates, err);
	if (!number)
		return resolve_name(sys, ref, want, ret_container, candidates, err);
	if (str_to_pid(number, &n) < 0) {
		_cleanup_free_ char *shown = insp_escape_str(number);

		insp_err_say(err, -EINVAL, "'%s' is not a process number", shown ? shown : "?");
		insp_err_hint(err, "as in pid:4711");
		return -EINVAL;
	}
	r = insp_pid_open(sys, n, 0, &pid, err);
	if (r < 0)
		return r;
	return insp_resolve_pid(sys, pid, want, ret_container, err);
}

int insp_container_on_host(const struct insp_container *c, struct insp_err *err)
{
	_cleanup_free_ char *shown = NULL;

	if (!c->guest)
		return 0;
	shown = insp_escape_str(c->name);
	insp_err_say(err, -EOPNOTSUPP,
		     "container '%s': its processes run on %s's kernel, they are not on this host",
		     shown ? shown : "?", c->guest);
	insp_err_hint(err, "process %d is its sandbox", (int)c->pid);
	return -EOPNOTSUPP;
}

int insp_container_init(struct insp_sys *sys, const struct insp_container *c,
			struct insp_pid **ret_pid, struct insp_err *err)
{
	_cleanup_free_ char *shown = insp_escape_str(c->name);
	int r;

	if (c->pid <= 0)
		return ended_say(sys, c, err);
	r = insp_pid_open(sys, c->pid, c->pid_start, ret_pid, err);
	if (r < 0)
		return insp_err_wrap(err, r, "container '%s'", shown ? shown : "?");
	return 0;
}
