/* What is in a file of a view: its data, where a link leads, its attributes. */
#include "libinspect/rootfs/view.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/marks.h"

#include <limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define XATTRS_MAX    (1024 * 1024)
#define METACOPY_DEEP 64 /* copies of copies; a layer has at most one */

int view_openat(const struct view_layer *layer, int dirfd, const char *name, int flags)
{
	int fd = layer->one_mount ? io_open_one_mount(dirfd, name, flags)
				  : openat(dirfd, name, flags);

	return fd < 0 && !layer->one_mount ? -errno : fd;
}

bool view_is_pseudo(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	switch ((unsigned long)fs.f_type) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC: return true;
	default: return false;
	}
}

/* A regular file that may have become something else since it was looked at. *st: what it is now. */
static int open_whoevers(const struct view_layer *layer, int dirfd, const char *name,
			 struct stat *st)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	_cleanup_close_ int path = -EBADF, fd = -EBADF;

	if (layer->sealed) {
		fd = openat(dirfd, name, flags);
		if (fd < 0)
			return errno == ENXIO || errno == ELOOP || errno == EACCES ? -ESTALE
										   : -errno;
		return fstat(fd, st) < 0 ? -errno : S_ISREG(st->st_mode) ? TAKE_FD(fd) : -ESTALE;
	}
	/* to open a device is to use it: looked at first, then opened by what was looked at */
	path = view_openat(layer, dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (path < 0)
		return path;
	if (fstat(path, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -ESTALE;
	flags &= ~O_NOFOLLOW; /* of proc's link, which is no path */
	fd = open(io_fd_path(path, NULL).s, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(io_fd_path(path, NULL).s, flags);
	return fd < 0 ? -errno : TAKE_FD(fd);
}

static int open_regular(const struct view_layer *layer, int dirfd, const char *name,
			struct stat *st)
{
	_cleanup_close_ int fd = open_whoevers(layer, dirfd, name, st);
	int r = fd < 0 ? fd : rights_fd(layer->rights, fd, RIGHTS_READ);

	return r < 0 ? r : TAKE_FD(fd);
}

/*
 * Only what looks as if it had no data can have it further down. Blocks may be there for attributes: up to one of 64 KiB
 * where pages are as large.
 */
static bool may_be_metacopy(const struct view_dir *dir, const struct view_node *node)
{
	return (dir->view->marks & (VIEW_TRUSTED | VIEW_USER)) && node->st.st_size > 0 &&
	       (node->st.st_blocks <= 128 || node->st.st_blocks < node->st.st_size / 512) &&
	       dir->parts[node->part].layer + 1 < dir->view->n;
}

static int open_at(const struct view_dir *dir, size_t part, const char *name, unsigned deep,
		   int *ret_fd);

/* The data of a file whose redirect is an absolute path. */
static int open_path(const struct view *v, size_t first, const char *path, unsigned deep,
		     int *ret_fd)
{
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	const char *name;
	int r = view_enter_parent(v, first, path, &dir, &name);

	return r < 0 ? r : open_at(&dir, 0, name, deep, ret_fd);
}

/* The data of the file that top, which is taken, was opened as. */
static int open_below(const struct view_dir *dir, const char *name, const struct view_node *node,
		      int top, unsigned deep, int *ret_fd)
{
	const struct view_part *part = &dir->parts[node->part];
	_cleanup_close_ int fd = top;
	_cleanup_free_ char *redirect = NULL;
	int r;

	if (!may_be_metacopy(dir, node) || !marks_is_metacopy(dir->view->marks, fd)) {
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	if (deep >= METACOPY_DEEP)
		return -ELOOP;
	r = marks_redirect(dir->view->marks, fd, &redirect);
	if (r < 0)
		return r;
	if (redirect && redirect[0] == '/')
		return open_path(dir->view, part->layer + 1, redirect, deep + 1, ret_fd);
	return open_at(dir, node->part + 1, redirect ? redirect : name, deep + 1, ret_fd);
}

static int open_node(const struct view_dir *dir, const char *name, const struct view_node *node,
		     unsigned deep, int *ret_fd)
{
	const struct view_part *part = &dir->parts[node->part];
	struct stat st;
	int fd = open_regular(&dir->view->layers[part->layer], part->fd, name, &st);

	return fd < 0 ? fd : open_below(dir, name, node, fd, deep, ret_fd);
}

static int open_at(const struct view_dir *dir, size_t part, const char *name, unsigned deep,
		   int *ret_fd)
{
	struct view_dir below = { .view = dir->view,
				  .parts = dir->parts + part,
				  .n = dir->n - part };
	struct view_node node;
	int r;

	if (part >= dir->n)
		return -ENOENT;
	r = view_lookup(&below, name, &node);
	if (r < 0)
		return r;
	return S_ISREG(node.st.st_mode) ? open_node(&below, name, &node, deep, ret_fd) : -ESTALE;
}

int view_open(const struct view_dir *dir, const char *name, const struct view_node *node,
	      int *ret_fd)
{
	return open_node(dir, name, node, 0, ret_fd);
}

int view_open_as(const struct view_dir *dir, const char *name, struct view_node *node, int *ret_fd,
		 int *ret_top)
{
	const struct view_part *part = &dir->parts[node->part];
	struct view_node now = { .part = node->part };
	_cleanup_close_ int top =
		open_regular(&dir->view->layers[part->layer], part->fd, name, &now.st);
	int fd, r = 0;

	if (top < 0)
		return top;
	view_ids_inside(dir, now.part, &now.st);
	if (!may_be_metacopy(dir, &now)) {
		*node = now;
		*ret_fd = TAKE_FD(top);
		*ret_top = -EBADF;
		return 0;
	}
	fd = fcntl(top, F_DUPFD_CLOEXEC, 3);
	r = fd < 0 ? -errno : open_below(dir, name, &now, fd, 0, ret_fd);
	if (r == 0) {
		*node = now;
		*ret_top = TAKE_FD(top);
	}
	return r;
}

int view_readlink(const struct view_dir *dir, const char *name, const struct view_node *node,
		  char **ret)
{
	return io_readlink(dir->parts[node->part].fd, name, ret);
}

/* ---- attributes ---- */

void view_xattrs_clear(struct view_xattrs *x)
{
	free(x->items);
	free(x->buf);
	*x = (struct view_xattrs){ 0 };
}

/* What has attributes: an fd, or with -1 a path, whose last component is not followed. */
struct has_xattrs {
	int fd;
	const char *path;
};

static ssize_t list_into(struct has_xattrs of, char *buf, size_t size)
{
	return of.fd >= 0 ? flistxattr(of.fd, buf, size) : llistxattr(of.path, buf, size);
}

/* The names into a new buffer; *ret_len 0: there are none. */
static int list_names(struct has_xattrs of, char **ret, size_t *ret_len)
{
	char small[1024];
	ssize_t n = list_into(of, small, sizeof(small));

	*ret_len = 0;
	if (n == 0 || (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)))
		return 0;
	if (n < 0 && errno != ERANGE)
		return -errno;
	*ret = malloc(XATTR_LIST_MAX);
	if (!*ret)
		return -ENOMEM;
	if (n > 0) {
		memcpy(*ret, small, (size_t)n);
	} else {
		n = list_into(of, *ret, XATTR_LIST_MAX);
		if (n < 0)
			return -errno;
	}
	*ret_len = (size_t)n;
	return 0;
}

/* The value of one attribute behind what sb has. -ENODATA: it went meanwhile. */
static ssize_t add_value(struct strbuf *sb, struct has_xattrs of, const char *name)
{
	_cleanup_free_ char *value = malloc(XATTR_SIZE_MAX);
	ssize_t n;

	if (!value)
		return -ENOMEM;
	n = of.fd >= 0 ? fgetxattr(of.fd, name, value, XATTR_SIZE_MAX)
		       : lgetxattr(of.path, name, value, XATTR_SIZE_MAX);
	if (n < 0)
		return -errno;
	strbuf_add(sb, value, (size_t)n);
	return sb->failed ? -ENOMEM : sb->len > XATTRS_MAX ? -E2BIG : n;
}

static int by_name(const void *a, const void *b)
{
	const struct view_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Reads those of names (len bytes); name and value are offsets into sb until all are there. */
static int read_values(unsigned marks, struct has_xattrs of, const char *names, size_t len,
		       struct strbuf *sb, struct view_xattrs *x)
{
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		char held[XATTR_NAME_MAX + 1];
		const char *shown = marks_xattr_name(marks, name, held, sizeof(held));
		struct view_xattr *bigger;
		size_t at = sb->len;
		ssize_t n;

		if (!shown)
			continue;
		bigger = reallocarray(x->items, x->n + 1, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		x->items = bigger;
		strbuf_add(sb, shown, strlen(shown) + 1);
		n = add_value(sb, of, name);
		if (n == -ENODATA) {
			sb->len = at;
			continue;
		}
		if (n < 0)
			return (int)n;
		x->items[x->n++] = (struct view_xattr){ .name = (const char *)(uintptr_t)at,
							.len = (size_t)n };
	}
	return 0;
}

static int read_xattrs(unsigned marks, struct has_xattrs of, struct view_xattrs *ret)
{
	_cleanup_free_ char *names = NULL;
	_cleanup_view_xattrs_ struct view_xattrs x = { 0 };
	struct strbuf sb = { 0 };
	size_t len;
	int r = list_names(of, &names, &len);

	if (r == 0 && len > 0)
		r = read_values(marks, of, names, len, &sb, &x);
	x.buf = sb.buf;
	if (r < 0)
		return r;
	for (size_t i = 0; i < x.n; i++) {
		x.items[i].name = x.buf + (uintptr_t)x.items[i].name;
		x.items[i].value = x.items[i].name + strlen(x.items[i].name) + 1;
	}
	if (x.n > 1)
		qsort(x.items, x.n, sizeof(*x.items), by_name);
	*ret = x;
	x = (struct view_xattrs){ 0 };
	return 0;
}

int view_xattrs(const struct view_dir *dir, const char *name, const struct view_node *node,
		struct view_xattrs *ret)
{
	struct io_fd_path path = io_fd_path(dir->parts[node->part].fd, name);

	return read_xattrs(dir->view->marks, (struct has_xattrs){ -1, path.s }, ret);
}

int view_xattrs_of_fd(const struct view *v, int fd, struct view_xattrs *ret)
{
	return read_xattrs(v->marks, (struct has_xattrs){ fd, NULL }, ret);
}
