/*
 * One file as one entry of the archive. What stands in its header and what follows are of the same file also when the
 * container puts another in its place meanwhile: else a set-uid header could be given somebody's own data.
 */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

/* The file that is being added. */
struct source {
	const struct walk_file *f;
	const char *name; /* in the archive */
	struct view_node node;
	int fd;	 /* its data, -EBADF: it has none */
	int top; /* what its mode, owner and attributes are of, where that is not fd */
	struct export_map map;
};

static void source_clear(struct source *s)
{
	util_close(s->fd);
	util_close(s->top);
	free(s->map.extents);
}
#define _cleanup_source_ _cleanup_(source_clear)

#define SPARSE_ABOVE \
	((uint64_t)1 \
	 << 40) /* what no disk of zeros takes stays sparse, also where bytes are to be the same */
#define FILE_SIZE_MAX \
	((uint64_t)1  \
	 << 50) /* whose holes are counted in a second; a file system takes 8192 times as much */

/* 0, or why the file's data cannot be had. */
static int prepare_data(const struct export *x, struct source *s)
{
	struct stat st;
	int r;

	if (!S_ISREG(s->node.st.st_mode) || s->node.st.st_size == 0)
		return 0;
	r = view_open_as(s->f->dir, s->f->name, &s->node, &s->fd, &s->top);
	if (r == 0 && fstat(s->fd, &st) < 0)
		r = -errno;
	if (r < 0)
		return r;
	s->map.size = (uint64_t)st.st_size;
	if (s->map.size > FILE_SIZE_MAX)
		return -EFBIG;
	if (s->map.size > EXPORT_BLOCK)
		(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if ((x->opts->sorted && s->map.size <= SPARSE_ABOVE) ||
	    (uint64_t)st.st_blocks * 512 >= s->map.size)
		return 0;
	return export_map_read(s->fd, s->map.size, &s->map);
}

static int read_xattrs(const struct source *s, struct view_xattrs *ret)
{
	int fd = s->top >= 0 ? s->top : s->fd;

	return fd >= 0 ? view_xattrs_of_fd(s->f->dir->view, fd, ret)
		       : view_xattrs(s->f->dir, s->f->name, &s->node, ret);
}

/* What an image's layer has of attributes: labels and marks of this host's security and overlays mean nothing elsewhere. */
static bool is_portable(const char *name)
{
	return !str_starts(name, "trusted.") &&
	       (!str_starts(name, "security.") || strcmp(name, "security.capability") == 0);
}

static void add_xattrs(struct export *x, const struct source *s)
{
	_cleanup_view_xattrs_ struct view_xattrs xattrs = { 0 };
	int r = read_xattrs(s, &xattrs);

	if (r < 0 && r != -ENOENT)
		export_warn(x, r, s->f->path, "read its attributes");
	for (size_t i = 0; r == 0 && i < xattrs.n; i++) {
		const struct view_xattr *a = &xattrs.items[i];

		if (export_is_layer(x) && !is_portable(a->name))
			continue;
		/* a pax record ends its name there: it would be another attribute */
		if (strchr(a->name, '='))
			export_warn(x, -EINVAL, s->f->path, "an attribute with '=' in its name");
		else
			archive_entry_xattr_add_entry(x->entry, a->name, a->value, a->len);
	}
}

static void add_map(struct export *x, const struct export_map *map)
{
	if (!map->sparse)
		return;
	for (size_t i = 0; i < map->n; i++)
		archive_entry_sparse_add_entry(x->entry, (la_int64_t)map->extents[i].offset,
					       (la_int64_t)map->extents[i].len);
	if (map->n == 0) /* all hole */
		archive_entry_sparse_add_entry(x->entry, 0, 0);
}

/*
 * libarchive (3.6) writes the seconds, a point and the nanoseconds, which is no sum when the seconds are negative. The last
 * second before 1970 cannot be had so, and loses its fraction.
 */
static void set_mtime(struct archive_entry *entry, struct timespec t)
{
	if (t.tv_sec < 0 && t.tv_nsec > 0) {
		t.tv_nsec = t.tv_sec < -1 ? 1000000000 - t.tv_nsec : 0;
		t.tv_sec += t.tv_sec < -1;
	}
	archive_entry_set_mtime(entry, t.tv_sec, t.tv_nsec);
}

static void fill_header(struct export *x, const struct source *s)
{
	const struct stat *st = &s->node.st;

	archive_entry_clear(x->entry);
	archive_entry_copy_pathname(x->entry, s->name);
	archive_entry_set_mode(x->entry, st->st_mode);
	archive_entry_set_uid(x->entry, st->st_uid);
	archive_entry_set_gid(x->entry, st->st_gid);
	set_mtime(x->entry, st->st_mtim);
	archive_entry_set_size(x->entry, S_ISREG(st->st_mode) ? (la_int64_t)s->map.size : 0);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		archive_entry_set_rdev(x->entry, st->st_rdev);
}

static int put_header(struct export *x)
{
	int r = archive_write_header(x->archive, x->entry);

	/* a warning is about bytes that are no UTF-8: they are written as they are, and so marked */
	if (r < ARCHIVE_WARN)
		return export_archive_failed(x, "write");
	x->n_files++;
	return 0;
}

static int add_whole(struct export *x, struct source *s)
{
	_cleanup_free_ char *target = NULL;
	int r = S_ISLNK(s->node.st.st_mode)
			? view_readlink(s->f->dir, s->f->name, &s->node, &target)
			: prepare_data(x, s);

	if (r == -EXDEV) {
		export_warn(x, 0, s->f->path, "what is mounted there is left out");
		return 0;
	}
	if (r < 0) {
		export_warn(x, r, s->f->path,
			    r == -ENOENT   ? "it is gone"
			    : r == -ESTALE ? "it was replaced"
					   : "read");
		return r == -ENOMEM ? r : 0;
	}
	fill_header(x, s);
	if (target)
		archive_entry_copy_symlink(x->entry, target);
	add_xattrs(x, s);
	add_map(x, &s->map);
	r = put_header(x);
	if (r == 0 && s->fd >= 0)
		r = export_data(x, s->fd, &s->map, s->f->path);
	return r < 0 ? r : 1;
}

static int add_link(struct export *x, const struct source *s, const char *first)
{
	fill_header(x, s);
	archive_entry_copy_hardlink(x->entry, first);
	return put_header(x);
}

int export_file(struct export *x, const struct walk_file *f)
{
	_cleanup_source_ struct source s = {

		.f = f, .name = f->path + x->skip, .node = *f->node, .fd = -EBADF, .top = -EBADF
	};
	unsigned layer = f->dir->parts[f->node->part].layer;
	bool has_names = f->node->st.st_nlink > 1 && !S_ISDIR(f->node->st.st_mode);
	const struct link *first = has_names ? links_find(&x->links, &f->node->st, layer) : NULL;
	int r;

	if (export_is_layer(x) && str_starts(f->name, EXPORT_WH)) {
		export_warn(x, -EINVAL, f->path, "a layer cannot have a file of that name");
		return 0;
	}
	if (S_ISSOCK(f->node->st.st_mode)) {
		export_warn(x, 0, f->path, "a socket is left out");
		return 0;
	}
	r = first ? add_link(x, &s, first->name) : add_whole(x, &s);
	if (r == 1 && has_names && io_same_inode(&s.node.st, &f->node->st))
		r = links_add(&x->links, &f->node->st, layer, s.name, NULL);
	if (r >= 0)
		r = archive_write_finish_entry(x->archive) < ARCHIVE_WARN
			    ? export_archive_failed(x, "write")
			    : 0;
	return r == 0 ? export_tell(x, f->path) : r;
}

static int add_nothing(struct export *x, const char *name, mode_t mode)
{
	archive_entry_clear(x->entry);
	archive_entry_copy_pathname(x->entry, name);
	archive_entry_set_mode(x->entry, mode);
	archive_entry_set_size(x->entry, 0);
	archive_entry_set_mtime(x->entry, 0, 0);
	return put_header(x);
}

int export_empty(struct export *x, const char *name)
{
	return add_nothing(x, name, S_IFREG);
}

int export_dir(struct export *x, const char *name)
{
	return add_nothing(x, name, S_IFDIR | 0755);
}
