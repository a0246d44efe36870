/*
 * A directory that the caller names as an engine's store, and that has nothing of one: a typo would look like a host
 * without containers. An empty one is a store that nothing was written to yet.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"
#include "libinspect/engines/homes.h"

#include <fnmatch.h>

static bool is_mark(const struct engine *engine, const char *name)
{
	for (const char *const *m = engine->store_marks; *m; m++)
		if (fnmatch(*m, name, 0) == 0)
			return true;
	return false;
}

/* true also of what cannot be looked at: the engine has said so. */
static bool may_be_store(struct engine_scan *scan, const struct engine *engine, const char *path)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	_cleanup_close_ int fd = homes_open_dir(scan, 0, path);
	bool empty = true;

	if (fd < 0 || io_dir_of(fd, &dir) < 0)
		return true;
	for_each_entry (de, dir) {
		if (is_mark(engine, de->d_name))
			return true;
		empty = false;
	}
	return empty;
}

void engine_scan_named(struct engine_scan *scan, const struct engine *only)
{
	for (size_t i = 0; i < scan->sys->n_stores; i++) {
		const struct insp_store *s = &scan->sys->stores[i];
		const struct engine *engine = engine_by_name(s->engine, strlen(s->engine));
		struct insp_err err = { 0 };

		if (!engine || !engine->store_marks || (only && only != engine) ||
		    may_be_store(scan, engine, s->path))
			continue;
		insp_err_say(&err, -ENOENT, "%s store '%s' holds nothing of such a store",
			     s->engine, s->path);
		insp_err_hint(&err, "cps(1) says at --store which directory it is");
		engine_scan_fail(scan, &err);
	}
}
