/*
 * containerd's own containers, of every namespace: ctr's, nerdctl's, and those of another engine whose store tells nothing
 * of them. docs/formats/containerd.md.
 */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/containerd.h"

static int add(struct containerd_scan *cs, const struct containerd_record *rec)
{
	_cleanup_container_ struct insp_container *c = NULL;
	const char *name = rec->name ? rec->name : rec->id;
	int r;

	/* Kubernetes': the other engine's */
	if (rec->cri || !engine_scan_wants(cs->scan, rec->id, name))
		return 0;
	/* docker's, which has read the runtime's record itself */
	if (engine_scan_has_running(cs->scan, rec->id, cs->root->owner, cs->engine->name))
		return 0;
	c = container_new(cs->engine->name, rec->id);
	if (!c || container_set(&c->name, name) < 0)
		return -ENOMEM;
	c->owner = cs->root->owner;
	r = containerd_task_state(cs, rec, c);
	if (r < 0)
		return r;
	if (!insp_state_is_live(c->state) && !(cs->scan->want & INSP_WANT_STOPPED))
		return 0;
	r = containerd_record_fill(cs, rec, c);
	return r < 0 ? r : engine_scan_add(cs->scan, TAKE_PTR(c));
}

static int scan_containerd(struct engine_scan *scan)
{
	static const struct containerd_walk walk = { .engine = &engine_containerd,
						     .fn = add,
						     .last = true };

	return containerd_each_record(scan, &walk);
}

/* a directory for each plugin */
const char *const containerd_store_marks[] = { "io.containerd.*", NULL };

const struct engine engine_containerd = {
	.name = "containerd",
	.scan = scan_containerd,
	.images = containerd_all_images,
	.below = true,
	.store_marks = containerd_store_marks,
};
