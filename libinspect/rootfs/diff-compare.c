/*
 * When a file counts as changed: the rule of docker's pkg/archive (changes_unix.go, statDifferent()), which podman's
 * storage has too. A container's file is a copy of the image's once it was touched, so inode, ctime and blocks say nothing.
 */
#include "libinspect/rootfs/diff.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

#define CAPABILITY "security.capability"
#define CHUNK	   (64 * 1024)

static const char *const what_names[] = {
	"type", "mode", "owner", "device", "size", "mtime", "content", "capability", "xattr",
};

const char *insp_change_what_name(enum insp_change_what what)
{
	for (size_t i = 0; i < ARRAY_SIZE(what_names); i++)
		if (what == 1U << i)
			return what_names[i];
	return NULL;
}

/* Some file systems and archives keep whole seconds only. */
static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && (a.tv_nsec == b.tv_nsec || a.tv_nsec == 0 || b.tv_nsec == 0);
}

/* docker asks for "a directory" with a mask that block devices and sockets have in common with one. */
static bool has_time(mode_t mode)
{
	return (mode & S_IFDIR) != S_IFDIR;
}

static unsigned compare_stat(const struct stat *a, const struct stat *b)
{
	unsigned what = 0;

	if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT))
		what |= INSP_CHANGED_TYPE;
	if ((a->st_mode & 07777) != (b->st_mode & 07777))
		what |= INSP_CHANGED_MODE;
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		what |= INSP_CHANGED_OWNER;
	if (a->st_rdev != b->st_rdev)
		what |= INSP_CHANGED_DEVICE;
	if ((what & INSP_CHANGED_TYPE) || !has_time(a->st_mode))
		return what;
	if (a->st_size != b->st_size)
		what |= INSP_CHANGED_SIZE;
	if (!same_time(a->st_mtim, b->st_mtim))
		what |= INSP_CHANGED_MTIME;
	return what;
}

/* ---- attributes ---- */

static bool same_value(const struct view_xattr *a, const struct view_xattr *b)
{
	return strcmp(a->name, b->name) == 0 && a->len == b->len &&
	       memcmp(a->value, b->value, a->len) == 0;
}

static unsigned kind_of(const struct view_xattr *x)
{
	return strcmp(x->name, CAPABILITY) == 0 ? INSP_CHANGED_CAPABILITY : INSP_CHANGED_XATTR;
}

/* Both lists are sorted by name. */
static unsigned compare_lists(const struct view_xattrs *a, const struct view_xattrs *b)
{
	unsigned what = 0;
	size_t i = 0, j = 0;

	while (i < a->n || j < b->n) {
		int order = i == a->n	? 1
			    : j == b->n ? -1
					: strcmp(a->items[i].name, b->items[j].name);

		if (order != 0)
			what |= kind_of(order < 0 ? &a->items[i] : &b->items[j]);
		else if (!same_value(&a->items[i], &b->items[j]))
			what |= kind_of(&a->items[i]);
		i += order <= 0;
		j += order >= 0;
	}
	return what;
}

static int compare_xattrs(const struct diff_file files[2], unsigned *what)
{
	_cleanup_view_xattrs_ struct view_xattrs a = { 0 }, b = { 0 };
	int r = view_xattrs(files[0].dir, files[0].name, &files[0].node, &a);

	if (r == 0)
		r = view_xattrs(files[1].dir, files[1].name, &files[1].node, &b);
	if (r == 0)
		*what |= compare_lists(&a, &b);
	return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

/* ---- content ---- */

/* Where the data is that comes next: done itself, unless a hole is there. The offset of fd is changed. */
static off_t next_data(int fd, off_t done, off_t size)
{
	off_t data = lseek(fd, done, SEEK_DATA);

	if (data < 0 && errno == ENXIO)
		return size;
	return data < done ? done : data;
}

/* No further than the size they had: a file that grows for ever ends. Where both have a hole nothing is read. 1: they differ. */
static int compare_fds(int a, int b, off_t size)
{
	_cleanup_free_ char *buf = malloc(2 * CHUNK);
	off_t done = 0;

	if (!buf)
		return -ENOMEM;
	while ((done = MIN_OF(next_data(a, done, size), next_data(b, done, size))) < size) {
		ssize_t n = io_pread_full(a, buf, CHUNK, (uint64_t)done);
		ssize_t m = io_pread_full(b, buf + CHUNK, CHUNK, (uint64_t)done);

		if (n < 0 || m < 0)
			return (int)(n < 0 ? n : m);
		if (n != m || memcmp(buf, buf + CHUNK, (size_t)n) != 0)
			return 1;
		if (n < CHUNK)
			break;
		done += CHUNK;
	}
	return 0;
}

static int compare_data(const struct diff_file files[2])
{
	_cleanup_close_ int a = -EBADF, b = -EBADF;
	int r = view_open(files[0].dir, files[0].name, &files[0].node, &a);

	if (r == 0)
		r = view_open(files[1].dir, files[1].name, &files[1].node, &b);
	return r < 0 ? r : compare_fds(a, b, files[1].node.st.st_size);
}

static int compare_links(const struct diff_file files[2])
{
	_cleanup_free_ char *a = NULL, *b = NULL;
	int r = view_readlink(files[0].dir, files[0].name, &files[0].node, &a);

	if (r == 0)
		r = view_readlink(files[1].dir, files[1].name, &files[1].node, &b);
	return r < 0 ? r : strcmp(a, b) != 0;
}

/* Sizes are the same. */
static int compare_content(const struct diff_file files[2], unsigned *what)
{
	mode_t mode = files[0].node.st.st_mode;
	int r = S_ISREG(mode) ? compare_data(files) : S_ISLNK(mode) ? compare_links(files) : 0;

	if (r > 0)
		*what |= INSP_CHANGED_CONTENT;
	return r > 0 || r == -ENOENT || r == -ESTALE || r == -EINVAL ? 0 : r;
}

int diff_compare(const struct diff_file files[2], unsigned flags, unsigned *ret)
{
	unsigned what = compare_stat(&files[0].node.st, &files[1].node.st), deep = 0;
	bool changed = what != 0,
	     full = (flags & INSP_DIFF_VERIFY) || (changed && (flags & INSP_DIFF_DETAIL));
	int r = 0;

	if (what & INSP_CHANGED_SIZE)
		what |= INSP_CHANGED_CONTENT;
	if (what & INSP_CHANGED_TYPE) {
		*ret = what;
		return 0;
	}
	/* one that is known to be changed need not be looked at any further */
	if (!changed || full)
		r = compare_xattrs(files, &deep);
	if (!(flags & INSP_DIFF_VERIFY) && !changed && !(deep & INSP_CHANGED_CAPABILITY))
		deep = 0; /* docker sees this one attribute only */
	if (r == 0 && full && !(what & INSP_CHANGED_SIZE))
		r = compare_content(files, &deep);
	*ret = what | deep;
	return r;
}
