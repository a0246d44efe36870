/* What --toolbox says. See toolbox.h. */
#include "sidecar/toolbox.h"
#include "sidecar/internal.h"

#include <fcntl.h>
#include <sys/stat.h>

struct toolbox *toolbox_free(struct toolbox *t)
{
	if (!t)
		return NULL;
	free(t->spec);
	free(t->path);
	free(t);
	return NULL;
}

static void toolbox_freep(struct toolbox **t)
{
	toolbox_free(*t);
}

static int no_toolbox(const char *spec, int r, struct insp_err *err)
{
	if (r == -ENOENT)
		insp_err_say(err, r, "no toolbox '%s'", spec);
	else
		insp_err_set(err, r, "toolbox '%s'", spec);
	insp_err_hint(err, "a directory, or 'host'");
	return r;
}

static int find_file(struct toolbox *t, struct insp_err *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	t->path = realpath(t->spec, NULL);
	fd = t->path ? open(t->path, O_PATH | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st) < 0)
		return no_toolbox(t->spec, -errno, err);
	if (S_ISDIR(st.st_mode)) {
		t->kind = TOOLBOX_DIR;
		return 0;
	}
	return insp_err_say(err, -EINVAL, "toolbox '%s': it is no directory", t->spec);
}

int toolbox_find(struct insp_sys *sys, const char *spec, struct toolbox **ret, struct insp_err *err)
{
	_cleanup_(toolbox_freep) struct toolbox *t = NULL;
	int r;

	if (strcmp(spec, "host") == 0) {
		*ret = NULL;
		return 0;
	}
	t = calloc(1, sizeof(*t));
	if (t)
		t->spec = insp_escape_str(spec);
	if (!t || !t->spec)
		return insp_err_set(err, -ENOMEM, "look for the toolbox");
	r = find_file(t, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}
