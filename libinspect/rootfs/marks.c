/*
 * Overlay's private attributes: fs/overlayfs/overlayfs.h (OVL_XATTR_*), Documentation/filesystems/overlayfs.rst,
 * "whiteouts and opaque directories", "Nesting overlayfs mounts". Those of fuse-overlayfs: its manual and what it leaves
 * on disk. ".wh." files: the OCI image specification, layer.md.
 */
#include "libinspect/rootfs/marks.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/span.h"

#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define WH	  ".wh."
#define WH_OPAQUE ".wh..wh..opq"
#define VALUE_MAX 4096 /* a redirect is at most a path */

static const struct {
	unsigned mark;
	const char *prefix;
} prefixes[] = {
	{ VIEW_TRUSTED, "trusted.overlay." },
	{ VIEW_USER, "user.overlay." },
	{ VIEW_FUSE, "user.fuseoverlayfs." },
};

/* The private attribute called what ("opaque") of fd. Its length, or -errno; -ENODATA where there is none. */
static ssize_t get(unsigned marks, int fd, const char *what, char *value, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		char name[64];
		ssize_t n;

		if (!(marks & prefixes[i].mark))
			continue;
		snprintf(name, sizeof(name), "%s%s", prefixes[i].prefix, what);
		n = fgetxattr(fd, name, value, size);
		if (n >= 0)
			return n;
		if (errno != ENODATA && errno != EOPNOTSUPP)
			return -errno;
	}
	return -ENODATA;
}

bool marks_is_whiteout(unsigned marks, const struct stat *st)
{
	return (marks & VIEW_DEVICE) && S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool marks_is_xwhiteout(unsigned marks, int dirfd, const char *name, const struct stat *st)
{
	const char *attribute =
		marks & VIEW_TRUSTED ? "trusted.overlay.whiteout" : "user.overlay.whiteout";

	if (!S_ISREG(st->st_mode) || st->st_size != 0 || !(marks & (VIEW_TRUSTED | VIEW_USER)) ||
	    (marks & VIEW_FUSE))
		return false;
	/* not opened: it may be a device by now */
	return lgetxattr(io_fd_path(dirfd, name).s, attribute, NULL, 0) >= 0;
}

const char *marks_deletes(unsigned marks, const char *name)
{
	const char *rest = marks & VIEW_FUSE ? str_after(name, WH) : NULL;

	return rest && *rest && !str_starts(rest, WH) ? rest : NULL;
}

bool marks_is_deleted_by_name(unsigned marks, int dirfd, const char *name)
{
	char wh[sizeof(WH) + NAME_MAX];

	if (!(marks & VIEW_FUSE))
		return false;
	snprintf(wh, sizeof(wh), WH "%s", name);
	return faccessat(dirfd, wh, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool marks_is_own(unsigned marks, const char *name)
{
	return (marks & VIEW_FUSE) && str_starts(name, WH);
}

enum marks_opaque marks_opaque(unsigned marks, int dirfd)
{
	char value[16];
	ssize_t n = get(marks, dirfd, "opaque", value, sizeof(value));

	/* fuse-overlayfs looks at the first byte, the kernel at the length, too */
	if (n > 0 && value[0] == 'y' && (n == 1 || (marks & VIEW_FUSE)))
		return MARKS_OPAQUE;
	if (n == 1 && value[0] == 'x')
		return MARKS_XWHITEOUTS;
	/* fuse-overlayfs looks for the file only where no attribute says anything */
	if (n == -ENODATA && (marks & VIEW_FUSE) &&
	    faccessat(dirfd, WH_OPAQUE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return MARKS_OPAQUE;
	return MARKS_SEE_THROUGH;
}

/*
 * Which marks say where something else is. The kernel obeys these only of trusted.*: a mount with userxattr refuses them
 * (it has redirect_dir=nofollow and no metacopy, fs/overlayfs/params.c), and fuse-overlayfs knows neither.
 */
static unsigned leading(unsigned marks)
{
	return marks & VIEW_FUSE ? 0 : marks & VIEW_TRUSTED;
}

bool marks_redirect_is_sound(const char *value, size_t len)
{
	struct span s = span_of(value, len), name;
	bool absolute = len > 0 && value[0] == '/';

	if (len == 0 || len > VALUE_MAX || memchr(value, '\0', len) || value[len - 1] == '/' ||
	    (!absolute && memchr(value, '/', len)))
		return false;
	s.p += absolute;
	while (span_until(&s, '/', &name)) {
		size_t n = span_len(&name);

		if (n == 0 || n > NAME_MAX || (n == 1 && name.p[0] == '.') ||
		    (n == 2 && memcmp(name.p, "..", 2) == 0))
			return false;
	}
	return true;
}

int marks_redirect(unsigned marks, int fd, char **ret)
{
	char value[VALUE_MAX + 1];
	ssize_t n = get(leading(marks), fd, "redirect", value, VALUE_MAX);

	if (n == -ENODATA) {
		*ret = NULL;
		return 0;
	}
	if (n < 0)
		return (int)n;
	if (!marks_redirect_is_sound(value, (size_t)n))
		return -EBADMSG;
	value[n] = '\0';
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

bool marks_is_metacopy(unsigned marks, int fd)
{
	char value[1];

	return get(leading(marks), fd, "metacopy", value, 0) >= 0;
}

const char *marks_xattr_name(unsigned marks, const char *name, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *rest =
			marks & prefixes[i].mark ? str_after(name, prefixes[i].prefix) : NULL;
		const char *nested = rest ? str_after(rest, "overlay.") : NULL;

		if (!rest)
			continue;
		/* fuse-overlayfs hides them all */
		if (!nested || (marks & VIEW_FUSE))
			return NULL;
		snprintf(buf, size, "%s%s", prefixes[i].prefix, nested);
		return buf;
	}
	return name;
}
