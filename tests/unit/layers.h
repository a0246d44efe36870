/* For the tests of rootfs/: layers made by hand in a temporary directory, and what a view of them shows. */
#ifndef SONDE_TESTS_UNIT_LAYERS_H
#define SONDE_TESTS_UNIT_LAYERS_H

#include "tests/unit/prereq.h"
#include "tests/unit/scratch.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/view.h"

#include <limits.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

/* Layers are called "0" (the uppermost), "1", … below base. */
struct layers {
	char base[PATH_MAX];
	int fd;
};

static int layers_up(void **state)
{
	struct layers *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	scratch_dir(l->base);
	l->fd = open(l->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(l->fd >= 0);
	*state = l;
	return 0;
}

static void layers_remove(int at, const char *name)
{
	_cleanup_io_dir_ struct io_dir *d = NULL;

	if (unlinkat(at, name, 0) == 0 || io_opendir(at, name, &d) < 0)
		return;
	for_each_entry (de, d)
		layers_remove(io_dirfd(d), de->d_name);
	unlinkat(at, name, AT_REMOVEDIR);
}

static int layers_down(void **state)
{
	struct layers *l = *state;

	layers_remove(AT_FDCWD, l->base);
	close(l->fd);
	free(l);
	return 0;
}

/* A file descriptor for each layer, and one for each directory of it that is open. */
static inline void layers_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* The directories that lead to path are made. */
static inline void put_parents(const struct layers *l, const char *path)
{
	char dir[PATH_MAX];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		if (mkdirat(l->fd, dir, 0755) < 0)
			assert_int_equal(errno, EEXIST);
	}
}

static inline void put_dir(const struct layers *l, const char *path)
{
	put_parents(l, path);
	if (mkdirat(l->fd, path, 0755) < 0)
		assert_int_equal(errno, EEXIST);
}

static inline void put_file(const struct layers *l, const char *path, const char *text)
{
	_cleanup_close_ int fd = -EBADF;

	put_parents(l, path);
	fd = openat(l->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static inline void put_link(const struct layers *l, const char *path, const char *target)
{
	put_parents(l, path);
	assert_int_equal(symlinkat(target, l->fd, path), 0);
}

static inline void put_socket(const struct layers *l, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char cwd[PATH_MAX];

	put_parents(l, path);
	/* an address is short */
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(fchdir(l->fd), 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(chdir(cwd), 0);
}

static inline void put_time(const struct layers *l, const char *path, time_t sec, long nsec)
{
	const struct timespec times[2] = { { sec, nsec }, { sec, nsec } };

	assert_int_equal(utimensat(l->fd, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline void put_mode(const struct layers *l, const char *path, mode_t mode)
{
	assert_int_equal(fchmodat(l->fd, path, mode, 0), 0);
}

static inline void put_whiteout(const struct layers *l, const char *path)
{
	put_parents(l, path);
	/* allowed to everybody since Linux 5.8 */
	if (mknodat(l->fd, path, S_IFCHR, makedev(0, 0)) < 0)
		NEED(errno != EPERM, "a whiteout: root, or Linux 5.8");
}

static inline void put_xattr_n(const struct layers *l, const char *path, const char *name,
			       const void *value, size_t len)
{
	char full[PATH_MAX * 2];

	snprintf(full, sizeof(full), "%s/%s", l->base, path);
	/* trusted.* is root's, and not every file system has user.* */
	if (lsetxattr(full, name, value, len, 0) < 0)
		NEED(errno != EPERM && errno != EOPNOTSUPP, name);
}

static inline void put_xattr(const struct layers *l, const char *path, const char *name,
			     const char *value)
{
	put_xattr_n(l, path, name, value, strlen(value));
}

/* The view of layers 0 … n-1. */
static inline struct view layers_view(const struct layers *l, unsigned n, unsigned marks)
{
	struct view v = { .marks = marks };

	for (unsigned i = 0; i < n; i++) {
		char name[16];
		int fd;

		snprintf(name, sizeof(name), "%u", i);
		put_dir(l, name);
		fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(view_add(&v, fd), 0);
	}
	return v;
}

/* The merged directory at path ("/a/b"), without links. */
static inline int enter_at(const struct view *v, const char *path, struct view_dir *ret)
{
	struct view_dir dir;
	int r = view_root(v, 0, &dir);

	while (r == 0 && *(path += strspn(path, "/"))) {
		struct view_dir next = { 0 };
		struct view_node node;
		char name[NAME_MAX + 1];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, "/"), path);
		path += strlen(name);
		r = view_lookup(&dir, name, &node);
		if (r == 0)
			r = view_enter(&dir, name, &node, &next);
		view_dir_close(&dir);
		dir = next;
	}
	if (r == 0)
		*ret = dir;
	return r;
}

/* The names in the directory at path, each behind a blank; "-ENOENT" and so on for an error. Good until the next call. */
static inline const char *names_at(const struct view *v, const char *path)
{
	static char text[PATH_MAX];
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_view_list_ struct view_list list = { 0 };
	int r = enter_at(v, path, &dir);

	if (r == 0)
		r = view_list(&dir, dir.n, 0, &list);
	snprintf(text, sizeof(text), "%s", r < 0 ? strerrorname_np(-r) : "");
	for (size_t i = 0; i < list.n; i++) {
		struct view_node node;
		size_t used = strlen(text);

		if (view_stat(&dir, &list.items[i], &node) == 0)
			snprintf(text + used, sizeof(text) - used, " %s", list.items[i].name);
	}
	return text;
}

/* What is in the file NAME of the directory at path, or the error's name. */
static inline const char *text_at(const struct view *v, const char *path, const char *name)
{
	static char text[PATH_MAX];
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_close_ int fd = -EBADF;
	struct view_node node;
	int r = enter_at(v, path, &dir);
	ssize_t n;

	if (r == 0)
		r = view_lookup(&dir, name, &node);
	if (r == 0)
		r = view_open(&dir, name, &node, &fd);
	if (r < 0)
		return strerrorname_np(-r);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

#endif
