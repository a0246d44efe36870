/* A reference -> one image, in the stores of the engines. */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"
#include "libinspect/engines/oci/reference.h"
#include "libinspect/files.h"
#include "libinspect/resolve/unseen.h"

/* Asks the engines, or the one that is named. -ENOMEM. */
static int ask(struct engine_scan *scan, const struct engine *only, const char *ref)
{
	int r = 0;

	engine_scan_again(scan);
	scan->match = (struct engine_match){ .ref = ref };
	for (size_t i = 0; engines[i] && r == 0; i++)
		if (engines[i]->images && (!only || engines[i] == only))
			r = engines[i]->images(scan);
	return r;
}

/* Leaves in list those that pass. */
static void keep(struct insp_list *list,
		 bool (*passes)(const struct insp_container *c, const void *arg), const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++)
		if (passes(list->items[i], arg))
			list->items[kept++] = list->items[i];
		else
			insp_container_free(list->items[i]);
	list->n = kept;
}

static bool any(const struct insp_list *list,
		bool (*passes)(const struct insp_container *c, const void *arg), const void *arg)
{
	for (size_t i = 0; i < list->n; i++)
		if (passes(list->items[i], arg))
			return true;
	return false;
}

static bool has_name(const struct insp_container *c, const void *ref)
{
	return c->image && oci_reference_means(ref, c->image);
}

static bool is_beside(const struct insp_container *c, const void *beside)
{
	const struct insp_container *b = beside;

	return str_eq(c->store, b->store) && c->engine == b->engine;
}

static bool is_same(const struct insp_container *a, const struct insp_container *b)
{
	return str_eq(a->id, b->id) && str_eq(a->store, b->store);
}

/* An image of several names comes once for each. */
static void keep_once(struct insp_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct insp_container *c = list->items[i];
		size_t k = 0;

		while (k < kept && !is_same(list->items[k], c))
			k++;
		if (k < kept)
			insp_container_free(c);
		else
			list->items[kept++] = c;
	}
	list->n = kept;
}

static void keep_best(struct insp_list *list, const char *ref, const struct insp_container *beside)
{
	if (any(list, has_name, ref))
		keep(list, has_name, ref);
	if (beside && any(list, is_beside, beside))
		keep(list, is_beside, beside);
	keep_once(list);
}

static int ambiguous(struct insp_list *found, const char *shown, struct insp_list *candidates,
		     struct insp_err *err)
{
	insp_err_say(err, -ENOTUNIQ, "'%s' is ambiguous: %zu images match", shown, found->n);
	insp_err_hint(err, "name the engine too, as in ENGINE:NAME, or more of the id");
	if (candidates) {
		*candidates = *found;
		*found = (struct insp_list){ 0 };
	}
	return -ENOTUNIQ;
}

/* What was noted is why. */
static int without_layers(const struct engine_scan *scan, const char *shown, struct insp_err *err)
{
	if (scan->diags.n > 0 && err)
		*err = scan->diags.items[scan->diags.n - 1];
	else
		insp_err_say(err, -ENODATA, "image '%s': where its files are is not known", shown);
	return -ENODATA;
}

static int copy_ids(const struct insp_id_map *from, struct insp_id_map *to)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r == 0; i++)
		r = container_add_ids(to, from->items[i].inside, from->items[i].outside,
				      from->items[i].count);
	return r;
}

/* Where a store's files have the ids of a user namespace, an image's have those of the containers beside it. */
static int take_ids(struct insp_container *image, const struct insp_container *beside)
{
	int r = 0;

	if (beside && is_beside(image, beside)) {
		r = copy_ids(&beside->uids, &image->uids);
		if (r == 0)
			r = copy_ids(&beside->gids, &image->gids);
	}
	return r;
}

static int choose(struct engine_scan *scan, const char *ref, const struct insp_container *beside,
		  struct insp_container **ret_image, struct insp_list *candidates,
		  struct insp_err *err)
{
	_cleanup_free_ char *escaped = insp_escape_str(ref);
	const char *shown = escaped ? escaped : "?";

	if (scan->found.n == 0) {
		insp_err_say(err, -ENOENT, "no image '%s'", shown);
		if (scan->near_image[0])
			insp_err_hint(err, "there is '%s'", scan->near_image);
		unseen_note(&scan->diags, ref, err);
		if (err && !err->hint[0])
			insp_err_hint(err, "NAME:TAG or the id, as its engine lists it");
		return -ENOENT;
	}
	keep_best(&scan->found, scan->match.ref, beside);
	if (scan->found.n > 1)
		return ambiguous(&scan->found, shown, candidates, err);
	if (!scan->found.items[0]->layers)
		return without_layers(scan, shown, err);
	if (take_ids(scan->found.items[0], beside) < 0)
		return insp_err_set(err, -ENOMEM, "image '%s'", shown);
	*ret_image = scan->found.items[0];
	scan->found.n = 0;
	return 0;
}

int insp_image_find(struct insp_sys *sys, const char *ref, const struct insp_container *beside,
		    struct insp_container **ret_image, struct insp_list *candidates,
		    struct insp_err *err)
{
	const char *colon = strchr(ref, ':');
	const struct engine *only = colon ? engine_by_name(ref, (size_t)(colon - ref)) : NULL;
	_cleanup_scan_ struct engine_scan scan = {
		.sys = sys,
		.want = INSP_WANT_STOPPED | INSP_WANT_FILES | INSP_WANT_LAYER_IDS,
		.may_walk = true,
		.programs_only = true,
	};
	/* "docker:dind" is an image's name, too */
	int r = *ref ? ask(&scan, NULL, ref) : 0;

	if (r == 0 && scan.found.n == 0 && only && colon[1])
		r = ask(&scan, only, colon + 1);
	if (r < 0)
		return insp_err_set(err, r, "look for an image");
	return choose(&scan, ref, beside, ret_image, candidates, err);
}
