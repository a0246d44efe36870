/* All records of all roots. */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/containerd.h"

#include <sys/stat.h>

/* The walk over one root. */
struct walk {
	struct containerd_scan *cs;
	const struct containerd_walk *of;
	const char *ns; /* that is being walked */
};

static int call_record(void *userdata, struct bolt_slice key, struct bolt_slice value,
		       const struct bolt_bucket *bucket)
{
	_cleanup_containerd_record_ struct containerd_record rec = { 0 };
	const struct walk *w = userdata;
	_cleanup_free_ char *id = NULL;
	struct insp_err err = { 0 };
	int r;

	if (!bucket)
		return 0;
	id = containerd_string(key);
	if (!id)
		return -ENOMEM;
	/* a NUL byte in it, a slash: not containerd's, and it becomes part of paths */
	if (strlen(id) != key.len || !containerd_is_identifier(id))
		return 0;
	r = containerd_record_read(w->ns, id, bucket, &rec);
	if (r == 0)
		return w->of->fn(w->cs, &rec);
	insp_err_say(&err, r, "its record is damaged");
	return containerd_record_fail(w->cs, id, r, &err);
}

static int walk_namespace(void *userdata, struct bolt_slice key, struct bolt_slice value,
			  const struct bolt_bucket *bucket)
{
	struct walk w = *(const struct walk *)userdata;
	_cleanup_free_ char *ns = containerd_string(key);
	struct bolt_bucket containers;
	int r;

	if (!ns)
		return -ENOMEM;
	/* beside the namespaces stands the version, a value */
	if (!bucket || strlen(ns) != key.len || !containerd_is_identifier(ns) ||
	    (w.of->ns && !str_eq(w.of->ns, ns)))
		return 0;
	w.ns = ns;
	r = bolt_bucket(bucket, "containers", &containers);
	return r < 0 ? (r == -ENOENT ? 0 : r) : bolt_each(&containers, call_record, &w);
}

static int walk_meta(struct containerd_scan *cs, const struct containerd_walk *of,
		     struct insp_err *err)
{
	struct walk w = { .cs = cs, .of = of };
	struct bolt_bucket namespaces;
	int r = containerd_root_open(cs->scan, cs->root, &cs->meta, err);

	if (r < 0)
		return r;
	r = containerd_meta_namespaces(cs->meta, &namespaces);
	/* a database that was only just made has no buckets */
	if (r == 0)
		r = bolt_each(&namespaces, walk_namespace, &w);
	if (r == -EACCES)
		insp_err_set(err, r, "open the runtime's records");
	else if (r < 0 && r != -ENOENT && r != -ENOMEM)
		insp_err_say(err, r, "its database is damaged");
	return r;
}

static int walk_root(struct containerd_scan *cs, const struct containerd_walk *of)
{
	struct insp_err err = { 0 };
	struct stat st;
	int r;

	if (of->needs && fstatat(cs->root->fd, of->needs, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		return 0;
	r = walk_meta(cs, of, &err);
	if (cs->meta && containerd_meta_note_damage(cs->meta) && r == -EBADMSG)
		return 0;
	if (r >= 0 || r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	insp_err_wrap(&err, r, "containerd store '%s'", cs->root->path);
	if (r == -EACCES || r == -EPERM)
		insp_err_hint(&err, "its containers are root's: run this as root");
	engine_scan_fail(cs->scan, &err);
	return 0;
}

int containerd_each_record(struct engine_scan *scan, const struct containerd_walk *walk)
{
	struct containerd_scan cs = { .scan = scan, .engine = walk->engine };
	struct containerd_roots *roots;
	int r = containerd_roots(scan, &roots);

	for (size_t i = 0; r == 0 && i < roots->n; i++) {
		cs.root = &roots->items[i];
		r = walk_root(&cs, walk);
		if (walk->last)
			containerd_root_close(cs.root);
	}
	freezer_done(&cs.freezer);
	return r;
}
