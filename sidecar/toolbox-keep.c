/*
 * --keep NAME: what is changed in a toolbox, kept on this host for the next session that says the same name. A directory as that of
 * --keep-changes (keep.c), below one that is root's alone.
 */
#include "sidecar/stopped.h"
#include "sidecar/toolbox-kinds.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>

#define KEPT	 "/var/lib/sonde/kept"
#define NAME_LEN 64

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_LEN && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       len;
}

int toolbox_keep_as(struct toolbox *t, const char *name, struct insp_err *err)
{
	char *keep = NULL;

	if (!is_name(name)) {
		_cleanup_free_ char *safe = insp_escape_str(name);

		return insp_err_say(err, -EINVAL,
				    "--keep: '%s' is no name of letters, digits and \"._-\"",
				    safe ? safe : "?");
	}
	if (asprintf(&keep, KEPT "/%s", name) < 0)
		return insp_err_set(err, -ENOMEM, "--keep");
	free(t->keep);
	t->keep = keep;
	return 0;
}

/*
 * Whose changes they are: laid over another tree they would mean nothing. Of a file its size and time are part of it, since one that
 * was built again has another tree in it.
 */
static char *whose(const struct toolbox *t)
{
	char *text = NULL;
	struct stat st;
	int n;

	if (t->kind == TOOLBOX_IMAGE)
		n = asprintf(&text, "image %s\n", t->image->id);
	else if (t->kind == TOOLBOX_DIR)
		n = asprintf(&text, "directory %s\n", t->path);
	else
		n = stat(t->path, &st) < 0
			    ? -1
			    : asprintf(&text, "%s %s %jd %jd\n", toolbox_kind_name(t->kind),
				       t->path, (intmax_t)st.st_size, (intmax_t)st.st_mtime);
	return n < 0 ? NULL : text;
}

static int fail(const struct toolbox *t, int r, struct insp_err *err)
{
	if (r == -EEXIST) {
		insp_err_say(err, r, "'%s' has the changes of another toolbox", t->keep);
		insp_err_hint(err, "--keep with another name, or remove that directory");
		return r;
	}
	if (r == -EPERM)
		return insp_err_say(err, r, "'%s': others may write to it, or it is not root's",
				    t->keep);
	if (r == -EWOULDBLOCK)
		return insp_err_say(err, -EBUSY, "another session keeps its changes in '%s'",
				    t->keep);
	return insp_err_set(err, r, "keep changes in '%s'", t->keep);
}

/* Each is made if it is missing. */
static int make_places(const struct toolbox *t)
{
	static const char *const above[] = { "/var/lib/sonde", KEPT };

	for (size_t i = 0; i < ARRAY_SIZE(above); i++)
		if (mkdir(above[i], 0700) < 0 && errno != EEXIST)
			return -errno;
	return mkdir(t->keep, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int toolbox_keep_open(const struct toolbox *t, int *ret_fd, struct insp_err *err)
{
	_cleanup_free_ char *mark = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (!t || !t->keep)
		return 0;
	mark = whose(t);
	r = mark ? make_places(t) : -ENOMEM;
	if (r < 0)
		return fail(t, r, err);
	fd = open(t->keep, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail(t, -errno, err);
	r = keep_prepare(fd, mark);
	if (r < 0)
		return fail(t, r, err);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int toolbox_list_kept(int (*each)(const char *name, const char *path, void *arg), void *arg)
{
	struct dirent **found = NULL;
	int n = scandir(KEPT, &found, NULL, alphasort), r = 0;

	for (int i = 0; i < n; i++) {
		struct toolbox t = { 0 };

		if (r == 0 && is_name(found[i]->d_name) &&
		    toolbox_keep_as(&t, found[i]->d_name, NULL) == 0)
			r = each(found[i]->d_name, t.keep, arg);
		free(t.keep);
		free(found[i]);
	}
	free(found);
	return r;
}
