#include "libinspect/resolve/pod.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

void pod_reference_clear(struct pod_reference *ref)
{
	for (size_t i = 0; i < ref->n; i++)
		free(ref->parts[i]);
	*ref = (struct pod_reference){ 0 };
}

static int bad(const char *text, struct insp_err *err)
{
	_cleanup_free_ char *shown = insp_escape_str(text);

	insp_err_say(err, -EINVAL, "'pod/%s' names no pod", shown ? shown : "?");
	insp_err_hint(err, "as in pod/POD, pod/POD/CONTAINER or pod/NAMESPACE/POD/CONTAINER");
	return -EINVAL;
}

int pod_reference_parse(const char *text, struct pod_reference *ret, struct insp_err *err)
{
	_cleanup_(pod_reference_clear) struct pod_reference ref = { 0 };
	const char *p = text;

	for (;;) {
		size_t len = strcspn(p, "/");

		if (len == 0 || ref.n == ARRAY_SIZE(ref.parts))
			return bad(text, err);
		ref.parts[ref.n] = strndup(p, len);
		if (!ref.parts[ref.n])
			return insp_err_set(err, -ENOMEM, "look for a container");
		ref.n++;
		if (!p[len])
			break;
		p += len + 1;
	}
	*ret = ref;
	ref = (struct pod_reference){ 0 };
	return 0;
}

/* NULL stands for any. */
static bool is_of(const struct insp_container *c, const char *ns, const char *pod, const char *name)
{
	const char *label = insp_container_label(c, "io.kubernetes.container.name");

	if (c->infra || !str_eq(c->pod, pod) || (ns && !str_eq(c->pod_namespace, ns)))
		return false;
	return !name || str_eq(c->name, name) || str_eq(label, name);
}

enum rank { RANK_NONE, RANK_ENDED_NS, RANK_LIVE_NS, RANK_ENDED, RANK_LIVE };

static enum rank rank_of(const struct insp_container *c, const struct pod_reference *ref)
{
	bool live = insp_state_is_live(c->state);
	char *const *part = ref->parts;

	if (ref->n == 1	  ? is_of(c, NULL, part[0], NULL)
	    : ref->n == 2 ? is_of(c, NULL, part[0], part[1])
			  : is_of(c, part[0], part[1], part[2]))
		return live ? RANK_LIVE : RANK_ENDED;
	if (ref->n == 2 && is_of(c, part[0], part[1], NULL))
		return live ? RANK_LIVE_NS : RANK_ENDED_NS;
	return RANK_NONE;
}

/* Whether another of the same name in the same pod lives, while this one has ended. */
static bool is_replaced(const struct insp_list *list, size_t n, const struct insp_container *c,
			const struct pod_reference *ref)
{
	if (insp_state_is_live(c->state))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct insp_container *o = list->items[i];

		if (rank_of(o, ref) != RANK_NONE && insp_state_is_live(o->state) &&
		    o->engine == c->engine && o->owner == c->owner && str_eq(o->name, c->name) &&
		    str_eq(o->pod, c->pod) && str_eq(o->pod_namespace, c->pod_namespace))
			return true;
	}
	return false;
}

/* Whether the first part is a pod's name, by the word of a store that counts for owner's: root's, or owner's own. */
static bool is_pod(const struct pod_reference *ref, const struct insp_list *list, size_t n,
		   uid_t owner)
{
	for (size_t i = 0; i < n; i++)
		if ((list->items[i]->owner == 0 || list->items[i]->owner == owner) &&
		    rank_of(list->items[i], ref) >= RANK_ENDED)
			return true;
	return false;
}

void pod_reference_keep(const struct pod_reference *ref, struct insp_list *list)
{
	size_t n = list->n, kept = 0;
	bool *keep = calloc(n + 1, sizeof(*keep));

	for (size_t i = 0; keep && i < n; i++) {
		enum rank rank = rank_of(list->items[i], ref);

		keep[i] = rank != RANK_NONE &&
			  (rank >= RANK_ENDED || !is_pod(ref, list, n, list->items[i]->owner)) &&
			  !is_replaced(list, n, list->items[i], ref);
	}
	for (size_t i = 0; i < n; i++) {
		struct insp_container *c = list->items[i];

		if (keep && keep[i])
			list->items[kept++] = c;
		else
			insp_container_free(c);
	}
	list->n = kept;
	free(keep);
}
