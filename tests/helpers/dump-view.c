/*
 * dump-view [-m trusted|user|fuse] LAYER...: every file of the view that the layers make, the uppermost first.
 * dump-view -t DIR: the same lines of a directory as the kernel shows it, by plain system calls and no code of rootfs/.
 *
 * A line: path, type and mode, owner, size, time of change of the data, device, where a link leads, hash of the content, the
 * name that it was seen under before (hard links), extended attributes. What rootfs/ answers in two ways (a list and a lookup,
 * a walk and a path) is compared here; exit status 1 where they differ.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/sealedtree.h"
#include "libinspect/rootfs/path.h"
#include "libinspect/rootfs/walk.h"

#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

struct seen {
	dev_t dev;
	ino_t ino;
	char *path;
};
static struct seen *seen;
static size_t n_seen;
static int status;

static void print_bytes(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		printf(c <= ' ' || c > '~' || c == '\\' ? "\\%03o" : "%c", c);
	}
}

static void wrong(const char *path, const char *what, int r)
{
	fprintf(stderr, "dump-view: %s: %s: %s\n", path, what, strerror(r < 0 ? -r : 0));
	status = 1;
}

/* ---- the parts of a line --------------------------------------------------------------------------- */

static void print_stat(const char *path, const struct stat *st)
{
	print_bytes(path, strlen(path));
	printf(" %06o %u:%u", st->st_mode, st->st_uid, st->st_gid);
	/* the size of a directory is the file system's own affair */
	printf(" %lld", S_ISDIR(st->st_mode) ? 0 : (long long)st->st_size);
	printf(" %lld.%09ld", (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf(" %u,%u", major(st->st_rdev), minor(st->st_rdev));
}

static void print_seen(const char *path, const struct stat *st)
{
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return;
	for (size_t i = 0; i < n_seen; i++)
		if (seen[i].dev == st->st_dev && seen[i].ino == st->st_ino) {
			printf(" same=");
			print_bytes(seen[i].path, strlen(seen[i].path));
			return;
		}
	seen = reallocarray(seen, n_seen + 1, sizeof(*seen));
	if (!seen)
		abort();
	seen[n_seen++] = (struct seen){ st->st_dev, st->st_ino, strdup(path) };
}

/* FNV-1a of what is left to read */
static void print_hash(const char *path, int fd)
{
	static unsigned char buf[65536];
	uint64_t hash = 0xcbf29ce484222325;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			hash = (hash ^ buf[i]) * 0x100000001b3;
	if (n < 0)
		wrong(path, "read", -errno);
	printf(" %016llx", (unsigned long long)hash);
}

static void print_xattr(const char *name, const void *value, size_t len)
{
	putchar(' ');
	print_bytes(name, strlen(name));
	putchar('=');
	for (size_t i = 0; i < len; i++)
		printf("%02x", ((const unsigned char *)value)[i]);
}

/* ---- a view ----------------------------------------------------------------------------------------- */

static void print_data(const struct walk_file *f)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *target = NULL;
	int r = 0;

	if (S_ISLNK(f->node->st.st_mode)) {
		r = view_readlink(f->dir, f->name, f->node, &target);
		if (r == 0) {
			printf(" -> ");
			print_bytes(target, strlen(target));
		}
	} else if (S_ISREG(f->node->st.st_mode)) {
		r = view_open(f->dir, f->name, f->node, &fd);
		if (r == 0)
			print_hash(f->path, fd);
	}
	if (r < 0)
		wrong(f->path, "its data", r);
}

/* What a list said is what a lookup says. */
static void check_lookup(const struct walk_file *f)
{
	struct view_node node = { 0 };
	int r = view_lookup(f->dir, f->name, &node);

	if (r < 0 || node.part != f->node->part || node.st.st_ino != f->node->st.st_ino)
		wrong(f->path, "a lookup finds another file than the list", r);
}

static void check_path(const struct walk_file *f)
{
	_cleanup_path_at_ struct path_at at = { 0 };
	int r = path_resolve(f->dir->view, f->path, 0, &at);

	if (r < 0 || !at.exists || (f->depth > 0 && at.node.st.st_ino != f->node->st.st_ino) ||
	    strcmp(at.path, f->path) != 0)
		wrong(f->path, "its path leads to another file", r);
}

/* Every name that is deleted here is not found. */
static void check_deleted(const struct walk_file *f)
{
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_view_list_ struct view_list list = { 0 };
	int r = f->depth > 0 ? view_enter(f->dir, f->name, f->node, &dir)
			     : view_dir_again(f->dir, &dir);

	if (r == 0)
		r = view_list(&dir, dir.n, VIEW_LIST_WHITEOUTS, &list);
	if (r < 0)
		wrong(f->path, "its list", r);
	for (size_t i = 0; i < list.n; i++) {
		struct view_node node;

		r = view_lookup(&dir, list.items[i].name, &node);
		if (r !=
		    (list.items[i].whiteout ? -ENOENT : view_stat(&dir, &list.items[i], &node)))
			wrong(list.items[i].name, "a list and a lookup differ", r);
	}
}

static int print_file(const struct walk_file *f, void *arg)
{
	_cleanup_view_xattrs_ struct view_xattrs x = { 0 };
	int r = view_xattrs(f->dir, f->name, f->node, &x);

	print_stat(f->path, &f->node->st);
	print_data(f);
	print_seen(f->path, &f->node->st);
	if (r < 0)
		wrong(f->path, "its attributes", r);
	for (size_t i = 0; i < x.n; i++)
		print_xattr(x.items[i].name, x.items[i].value, x.items[i].len);
	putchar('\n');
	check_lookup(f);
	check_path(f);
	if (S_ISDIR(f->node->st.st_mode))
		check_deleted(f);
	return 0;
}

static int failed(const char *path, int error, void *arg)
{
	wrong(path, "walk", error);
	return 0;
}

static int open_layers(struct view *v, char **paths)
{
	for (; *paths; paths++) {
		int fd = open(*paths, O_RDONLY | O_DIRECTORY | O_CLOEXEC), sealed, r;

		if (fd < 0)
			return -errno;
		sealed = sealedtree_open(fd);
		if (sealed >= 0) {
			util_close(fd);
			fd = sealed;
		}
		r = view_add(v, fd);
		if (r < 0)
			return r;
		v->layers[v->n - 1].sealed = sealed >= 0;
	}
	return 0;
}

static int dump_view(unsigned marks, char **paths)
{
	_cleanup_view_ struct view v = { .marks = marks };
	_cleanup_view_dir_ struct view_dir root = { 0 };
	struct walk walk = { .enter = print_file, .failed = failed };
	int r = open_layers(&v, paths);

	if (r == 0)
		r = view_root(&v, 0, &root);
	if (r == 0)
		r = walk_tree(&root, "/", &walk);
	if (r < 0)
		wrong(*paths, "view", r);
	return status;
}

/* ---- a directory ------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_xattrs(const char *path)
{
	static char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t len = llistxattr(path, names, sizeof(names));
	char *sorted[1024];
	size_t n = 0;

	for (ssize_t at = 0; at < len && n < ARRAY_SIZE(sorted);
	     at += (ssize_t)strlen(names + at) + 1)
		sorted[n++] = names + at;
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 0; i < n; i++) {
		ssize_t size = lgetxattr(path, sorted[i], value, sizeof(value));

		if (size < 0)
			wrong(sorted[i], "lgetxattr", -errno);
		else
			print_xattr(sorted[i], value, (size_t)size);
	}
}

static void tree_file(int fd, const char *name, const char *path);

static void tree_dir(int fd, const char *path)
{
	_cleanup_closedir_ DIR *d = fdopendir(fd);
	char **names = calloc(100000, sizeof(*names));
	size_t n = 0;

	if (!d || !names)
		abort();
	errno = 0;
	for_each_dirent (de, d)
		names[n++] = strdup(de->d_name);
	if (errno != 0)
		wrong(path, "readdir", -errno);
	qsort(names, n, sizeof(*names), compare);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *inner =
			str_format("%s/%s", strcmp(path, "/") ? path : "", names[i]);

		tree_file(dirfd(d), names[i], inner);
		free(names[i]);
	}
	free(names);
}

static void tree_file(int fd, const char *name, const char *path)
{
	char target[PATH_MAX], at[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		wrong(path, "stat", -errno);
		return;
	}
	snprintf(at, sizeof(at), "/proc/self/fd/%d/%s", fd, name);
	print_stat(path, &st);
	if (S_ISLNK(st.st_mode) && (n = readlinkat(fd, name, target, sizeof(target))) > 0) {
		printf(" -> ");
		print_bytes(target, (size_t)n);
	}
	if (S_ISREG(st.st_mode)) {
		_cleanup_close_ int file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		print_hash(path, file);
	}
	print_seen(path, &st);
	print_xattrs(at);
	putchar('\n');
	if (S_ISDIR(st.st_mode)) {
		int dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (dir < 0)
			wrong(path, "open", -errno);
		else
			tree_dir(dir, path);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	unsigned marks = VIEW_DEVICE | VIEW_TRUSTED;
	int c;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	while ((c = getopt(argc, argv, "m:t:")) != -1) {
		if (c == 't') {
			int fd = open(optarg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			tree_file(fd, ".", "/");
			return status;
		}
		if (c != 'm')
			return 2;
		marks = VIEW_DEVICE |
			(strcmp(optarg, "fuse") == 0   ? VIEW_TRUSTED | VIEW_USER | VIEW_FUSE
			 : strcmp(optarg, "user") == 0 ? VIEW_USER
						       : VIEW_TRUSTED);
	}
	return dump_view(marks, argv + optind);
}
