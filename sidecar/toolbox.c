/* What --toolbox says. See toolbox.h. */
#include "sidecar/toolbox-kinds.h"
#include "sidecar/internal.h"
#include "libinspect/files.h"

#include <fcntl.h>
#include <sys/stat.h>

struct toolbox *toolbox_free(struct toolbox *t)
{
	if (!t)
		return NULL;
	free(t->spec);
	free(t->path);
	free(t->keep);
	insp_container_free(t->image);
	free(t);
	return NULL;
}

static void toolbox_freep(struct toolbox **t)
{
	toolbox_free(*t);
}

const char *toolbox_kind_name(enum toolbox_kind kind)
{
	static const char *const names[] = {
		[TOOLBOX_DIR] = "directory", [TOOLBOX_SQUASHFS] = "squashfs",
		[TOOLBOX_EROFS] = "erofs",   [TOOLBOX_ARCHIVE] = "archive",
		[TOOLBOX_IMAGE] = "image",
	};

	return names[kind];
}

/* ---- files ---- */

static const struct {
	off_t at;
	const char *bytes;
	enum toolbox_kind kind;
} magics[] = {
	{ 0, "hsqs", TOOLBOX_SQUASHFS },
	{ 257, "ustar", TOOLBOX_ARCHIVE },
	{ 0, "\x1f\x8b", TOOLBOX_ARCHIVE }, /* gzip */
	{ 0, "BZh", TOOLBOX_ARCHIVE },	    /* bzip2 */
	{ 0,
	  "\xfd"
	  "7zXZ",
	  TOOLBOX_ARCHIVE },			    /* xz */
	{ 0, "\x28\xb5\x2f\xfd", TOOLBOX_ARCHIVE }, /* zstd */
	{ 1024, "\xe2\xe1\xf5\xe0", TOOLBOX_EROFS },
};

static int look_at_file(struct toolbox *t, int fd, struct insp_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		size_t len = strlen(magics[i].bytes);
		char buf[8];

		if (pread(fd, buf, len, magics[i].at) == (ssize_t)len &&
		    memcmp(buf, magics[i].bytes, len) == 0) {
			t->kind = magics[i].kind;
			return 0;
		}
	}
	insp_err_say(err, -EINVAL,
		     "toolbox '%s': no squashfs or erofs file system, and no tar archive, is in it",
		     t->spec);
	return -EINVAL;
}

int toolbox_look_at(struct toolbox *t, struct insp_err *err)
{
	_cleanup_close_ int fd = open(t->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return insp_err_set(err, -errno, "toolbox '%s'", t->spec);
	if (S_ISREG(st.st_mode))
		return look_at_file(t, fd, err);
	if (!S_ISDIR(st.st_mode))
		return insp_err_say(err, -EINVAL,
				    "toolbox '%s': it is neither a file nor a directory", t->spec);
	t->kind = TOOLBOX_DIR;
	return 0;
}

static int no_toolbox(const struct toolbox *t, int r, struct insp_err *err)
{
	if (r == -ENOENT)
		insp_err_say(err, r, "no toolbox '%s'", t->spec);
	else
		insp_err_set(err, r, "toolbox '%s'", t->spec);
	insp_err_hint(
		err,
		"a directory, a squashfs or erofs file, a tar archive, a name that '--toolbox list' "
		"shows, image:NAME, or host");
	return r;
}

static int find_path(struct toolbox *t, const char *spec, char *const *envp, struct insp_err *err)
{
	_cleanup_free_ char *named = NULL;
	int r = strchr(spec, '/') ? -ENOENT : toolbox_named(spec, envp, &named);

	if (r == -EPERM) {
		insp_err_say(err, r, "toolbox '%s': others than root and you may have put it there",
			     t->spec);
		insp_err_hint(err, "its path is taken, whoever it belongs to");
		return r;
	}
	if (r < 0 && r != -ENOENT)
		return no_toolbox(t, r, err);
	t->path = realpath(named ?: spec, NULL);
	return t->path ? toolbox_look_at(t, err) : no_toolbox(t, -errno, err);
}

/* ---- images ---- */

#define IMAGE "image:"

/* Else a user could keep an image of the name that root asks for, and root would run what is in it. */
static int check_owner(const struct toolbox *t, char *const *envp, struct insp_err *err)
{
	const struct insp_container *c = t->image;

	if (toolbox_is_trusted_owner(c->owner, envp))
		return 0;
	insp_err_say(err, -EPERM,
		     "toolbox '%s': %s's image is in a store of user %u, not in root's", t->spec,
		     c->engine, (unsigned)c->owner);
	insp_err_hint(err, "root would run what that user has put there; pull it as root");
	return -EPERM;
}

static int find_image(struct insp_sys *sys, struct toolbox *t, const char *name, char *const *envp,
		      struct insp_err *err)
{
	int r = insp_image_find(sys, name, NULL, &t->image, NULL, err);

	if (r < 0)
		return insp_err_wrap(err, r, "toolbox");
	t->kind = TOOLBOX_IMAGE;
	return check_owner(t, envp, err);
}

int toolbox_find(struct insp_sys *sys, const char *spec, char *const *envp, struct toolbox **ret,
		 struct insp_err *err)
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
	r = strncmp(spec, IMAGE, strlen(IMAGE)) == 0
		    ? find_image(sys, t, spec + strlen(IMAGE), envp, err)
		    : find_path(t, spec, envp, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}
