/* A container's files as a tar archive. libarchive makes the format, the walk the order. */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/path.h"
#include "libinspect/rootfs/utf8.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

void export_warn(struct export *x, int error, const char *path, const char *what)
{
	struct insp_err err = { 0 };

	if (!x->opts->warn)
		return;
	if (error && error != -ESTALE && error != -EINVAL)
		insp_err_set(&err, error, "export '%s': %s", path, what);
	else
		insp_err_say(&err, error, "export '%s': %s", path, what);
	x->opts->warn(&err, x->opts->arg);
}

int export_archive_failed(struct export *x, const char *what)
{
	const char *text = archive_error_string(x->archive);

	if (x->out.error)
		return insp_err_set(x->err, x->out.error, "%s the archive", what);
	insp_err_say(x->err, -EIO, "%s the archive: %s", what, text ? text : "unknown error");
	return -EIO;
}

int export_tell(struct export *x, const char *path)
{
	struct insp_export_progress p = { x->n_files, x->out.taken, path };

	if (x->opts->progress)
		x->opts->progress(&p, x->opts->arg);
	return 0;
}

/* ---- which files ---- */

static int enter(const struct walk_file *f, void *arg)
{
	struct export *x = arg;
	const struct volume *volume;

	if (strlen(f->path) <= x->skip) /* has no name in an archive: as engines leave it out */
		return 0;
	if (path_is_excluded(x->opts->excludes, x->opts->n_excludes, f->path, f->name)) {
		export_volumes_skip(x, f->path);
		return WALK_SKIP;
	}
	volume = export_volume_at(x, f);
	return volume ? export_volume(x, f, volume) : export_file(x, f);
}

static int failed(const char *path, int error, void *arg)
{
	if (error == -EXDEV)
		export_warn(arg, 0, path, "what is mounted there is left out");
	else
		export_warn(arg, error, path, "look at it");
	return error == -ENOMEM ? error : 0;
}

int export_tree(struct export *x, const struct view_dir *dir, const char *path)
{
	struct walk walk = {
		.enter = enter, .leave = export_volumes_leave, .failed = failed, .arg = x
	};

	return walk_tree(dir, path, &walk);
}

/* What of the paths is not in the names: "/a/" of what is at /a/b, and of all that is in it. */
static size_t skip_of(const struct export *x, const char *path, const struct path_at *at)
{
	const char *last = strrchr(at->path, '/');
	size_t len = strlen(path);

	if (!x->opts->relative)
		return 1;
	if (len > 1 && strcmp(path + len - 2, "/.") == 0)
		return strlen(at->path) + (last[1] != '\0');
	return (size_t)(last - at->path) + 1;
}

/* One of opts->paths. */
static int export_path(struct export *x, const char *path)
{
	_cleanup_path_at_ struct path_at at = { 0 };
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	struct walk_file f = { 0 };
	int r = volumes_resolve(&x->files->view, &x->volumes, path,
				x->opts->follow ? PATH_FOLLOW : 0, &at);

	if (r == 0 && !at.exists)
		r = -ENOENT;
	if (r < 0)
		return insp_err_set(x->err, r, "%s container %s: '%s'", x->files->container->engine,
				    x->files->container->name, path);
	x->skip = skip_of(x, path, &at);
	if (!at.name)
		return export_tree(x, &at.dir, at.path);
	if (!S_ISDIR(at.node.st.st_mode)) {
		f = (struct walk_file){ at.path, at.name, &at.dir, &at.node, 0 };
		return export_file(x, &f);
	}
	r = view_enter(&at.dir, at.name, &at.node, &dir);
	if (r == 0)
		return export_tree(x, &dir, at.path);
	export_warn(x, r, at.path, "look at it");
	return 0;
}

static int export_all(struct export *x)
{
	_cleanup_view_dir_ struct view_dir root = { 0 };
	int r = 0;

	for (size_t i = 0; i < x->opts->n_paths && r == 0; i++)
		r = export_path(x, x->opts->paths[i]);
	if (x->opts->n_paths > 0)
		return r;
	r = view_root(&x->files->view, 0, &root);
	return r < 0 ? r : export_tree(x, &root, "/");
}

/* A layer that is gone by now took its files with it, and what was read is not all. */
static int check_removed(const struct export *x)
{
	for (size_t i = 0; i < x->files->view.n; i++) {
		struct stat st;

		if (fstat(x->files->view.layers[i].fd, &st) == 0 && st.st_nlink > 0)
			continue;
		return insp_err_say(x->err, -ESTALE,
				    "%s container %s was removed while it was exported",
				    x->files->container->engine, x->files->container->name);
	}
	return 0;
}

/* ---- the archive ---- */

static la_ssize_t on_write(struct archive *archive, void *arg, const void *data, size_t len)
{
	struct export *x = arg;

	(void)archive;
	return export_out_write(&x->out, data, len) < 0 ? -1 : (la_ssize_t)len;
}

static int open_archive(struct export *x, int fd)
{
	int r = export_out_open(&x->out, fd, x->opts->format != INSP_EXPORT_TAR);

	x->block = malloc(EXPORT_BLOCK);
	x->zeros = mmap(NULL, EXPORT_ZEROS, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);
	x->archive = archive_write_new();
	x->entry = archive_entry_new();
	if (r < 0 || !x->block || x->zeros == MAP_FAILED || !x->archive || !x->entry)
		return insp_err_set(x->err, -ENOMEM, "export");
	if (x->opts->filter != INSP_EXPORT_PLAIN && export_out_pack(&x->out, x->opts->filter) < 0)
		return insp_err_say(x->err, -EOPNOTSUPP, "libarchive here cannot compress so");
	archive_write_set_bytes_per_block(x->archive, 0); /* export_out makes the blocks */
	if (archive_write_set_format_pax(x->archive) < ARCHIVE_OK ||
	    archive_write_set_options(x->archive, "pax:xattrheader=SCHILY") < ARCHIVE_OK ||
	    archive_write_open(x->archive, x, NULL, on_write, NULL) < ARCHIVE_OK)
		return export_archive_failed(x, "begin");
	return 0;
}

static int close_archive(struct export *x)
{
	if (archive_write_close(x->archive) < ARCHIVE_OK)
		return export_archive_failed(x, "end");
	if (export_out_finish(&x->out) < 0)
		return export_archive_failed(x, "write");
	return 0;
}

static void clear(struct export *x)
{
	archive_entry_free(x->entry);
	if (x->archive)
		archive_write_fail(x->archive); /* what is left is not written */
	archive_write_free(x->archive);
	if (x->zeros && x->zeros != MAP_FAILED)
		munmap((void *)(uintptr_t)x->zeros, EXPORT_ZEROS);
	free(x->block);
	links_clear(&x->links);
	export_volumes_close(x);
	export_out_close(&x->out);
}

/* The archive from where fd stands on. */
static int export_to(struct export *x, int fd)
{
	int r = open_archive(x, fd);

	if (r == 0)
		r = export_volumes_open(x);
	if (r == 0)
		r = x->opts->upper ? export_upper(x) : export_all(x);
	if (r == 0)
		r = check_removed(x);
	if (r == 0)
		export_volumes_check(x);
	return r == 0 ? close_archive(x) : r;
}

static const char *spool_dir(const struct export *x)
{
	return x->opts->spool ? x->opts->spool : "/var/tmp";
}

/* An empty regular file takes the image as it is made, with its head written last; else there is one before. */
static int open_spool(struct export *x, int fd)
{
	const char *dir = spool_dir(x);
	struct stat st;
	int spool;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 &&
	    !(fcntl(fd, F_GETFL) & O_APPEND))
		return fd;
	spool = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return spool < 0 ? insp_err_set(x->err, -errno, "create a file in '%s'", dir) : spool;
}

static int copy_out(struct export *x, int from, int to)
{
	off_t at = 0;
	ssize_t n;

	while ((n = sendfile(to, from, &at, 64 * EXPORT_BLOCK)) > 0)
		export_tell(x, "");
	return n < 0 ? insp_err_set(x->err, -errno, "write the image") : 0;
}

static int export_as_image(struct export *x, int fd)
{
	int spool = open_spool(x, fd), r;
	struct export_layer layer;

	if (spool < 0)
		return spool;
	r = lseek(spool, EXPORT_IMAGE_HEAD, SEEK_SET) < 0
		    ? insp_err_set(x->err, -errno, "write the image")
		    : export_to(x, spool);
	if (r == 0) {
		layer.size = x->out.given;
		sum_hex(&x->out.plain, layer.plain);
		memcpy(layer.packed, layer.plain, sizeof(layer.packed));
		if (x->out.packer)
			sum_hex(&x->out.packed, layer.packed);
		r = export_image(x, spool, &layer);
	}
	if (spool == fd)
		return r;
	/* who writes to a pipe would not look for a disk that is full */
	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG)
		insp_err_wrap(x->err, r, "a file without a name in '%s'", spool_dir(x));
	if (r == 0)
		r = copy_out(x, spool, fd);
	util_close(spool);
	return r;
}

int insp_export(struct insp_files *files, const struct insp_export_opts *opts, int fd,
		struct insp_err *err)
{
	struct insp_err own = { 0 };
	struct export x = { .files = files, .opts = opts, .skip = 1, .err = &own };
	struct utf8 utf8 = utf8_begin();
	int r = opts->format == INSP_EXPORT_TAR ? export_to(&x, fd) : export_as_image(&x, fd);

	if (r < 0 && !own.code)
		insp_err_set(&own, r, "export %s container %s", files->container->engine,
			     files->container->name);
	if (r < 0 && err)
		*err = own;
	clear(&x);
	utf8_end(utf8);
	return r;
}
