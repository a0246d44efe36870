/*
 * A tar archive into a container. The archive is as hostile as a container: names are taken apart here and gone along one
 * component at a time, below the destination; libarchive reads the format and writes nothing.
 *
 * ".." in a name is refused, a slash before it is left out. A link that the archive itself has made is not followed by its
 * later entries, nor does a hard link go through any (kubectl cp: CVE-2019-1002101 and the four after it); one that was in the
 * container before is, inside it (/lib -> /usr/lib).
 */
#include "libinspect/rootfs/copy-end.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/utf8.h"

#include <archive.h>
#include <archive_entry.h>
#include <limits.h>

#define BLOCK	  ((size_t)256 * 1024)
#define DIAGS_MAX 100

/* A directory on the way to the entry that is being made. */
struct level {
	struct copy_into *into;
	bool chain;    /* those above into are not those of the levels above: free all of them */
	char *name;    /* in the archive; NULL: the destination */
	char *path;    /* in the container: "/srv/a", without links; NULL: the destination's */
	bool has_meta; /* the archive said what it is to have, once all is in it */
	struct copy_meta meta;
};

struct untar {
	struct copy *c;
	struct copy_end *dst;
	struct archive *archive;
	struct level *levels;
	size_t n, cap;
	struct links made; /* links that the archive made */
	struct insp_diags *diags;
	struct insp_err *err;
};

/* ---- the directories that are open ---- */

/* Takes ownership of into and, with a name, of path. */
static int push(struct untar *u, struct copy_into *into, bool chain, const char *name, char *path)
{
	char *own = name ? strdup(name) : NULL;

	if ((name && (!own || !path)) ||
	    !util_grow(&u->levels, u->n, &u->cap, sizeof(*u->levels), 16)) {
		if (chain)
			copy_chain_free(into);
		else
			copy_into_free(into);
		free(own);
		free(path);
		return -ENOMEM;
	}
	u->levels[u->n++] =
		(struct level){ .into = into, .chain = chain, .name = own, .path = path };
	return 0;
}

/* All that the archive has for the directory is in it, or so it seems: now it gets its times. */
static int pop(struct untar *u)
{
	struct level *l = &u->levels[--u->n];
	int fd = l->has_meta ? copy_into_own_fd(l->into) : 0;
	int r = fd < 0 ? fd : l->has_meta ? copy_meta_apply(fd, &l->meta) : 0;

	if (l->chain)
		copy_chain_free(l->into);
	else
		copy_into_free(l->into);
	free(l->name);
	free(l->path);
	return r;
}

static struct copy_into *here(const struct untar *u)
{
	return u->levels[u->n - 1].into;
}

/* ---- names ---- */

/* The next component of *p, cut off. 1: there is one; 0: none. -EXDEV: "..", -ENAMETOOLONG. */
static int next_name(const char **p, char name[NAME_MAX + 1])
{
	size_t n;

	do {
		*p += strspn(*p, "/");
		n = strcspn(*p, "/");
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, *p, n);
		name[n] = '\0';
		*p += n;
	} while (strcmp(name, ".") == 0);
	if (n == 0)
		return 0;
	return strcmp(name, "..") == 0 ? -EXDEV : 1;
}

/* Whether another component follows. */
static bool is_last(const char *p)
{
	while (*p == '/' || (*p == '.' && (p[1] == '/' || p[1] == '\0')))
		p++;
	return *p == '\0';
}

/* Where name is, or would be, in the container: "/srv/a". */
static char *path_here(const struct untar *u, const char *name)
{
	const char *path = u->levels[u->n - 1].path;

	if (!path)
		path = u->dst->at.path;
	return str_format("%s/%s", strcmp(path, "/") == 0 ? "" : path, name);
}

/* The directory that a link of the container leads to. */
static int enter_link(struct untar *u, const char *name, const struct view_node *node)
{
	_cleanup_free_ char *link = path_here(u, name);
	_cleanup_free_ char *path = link ? str_format("%s/", link) : NULL;
	struct copy_end end = { 0 };
	struct copy_into *into = NULL, *next;
	const struct volume *volume;
	int r;

	if (links_find(&u->made, &node->st, 0))
		return -ELOOP;
	r = path ? volumes_resolve(&u->dst->own, &u->dst->volumes, path, PATH_FOLLOW, &end.at)
		 : -ENOMEM;
	end.view = end.at.dir.view;
	volume = r == 0 ? volumes_of(&u->dst->volumes, &end.at.dir) : NULL;
	if (r == 0 && !end.at.exists)
		r = -ENOENT;
	if (volume && volume->mount->read_only)
		r = -EROFS;
	if (r == 0)
		r = copy_end_into(&end, &into);
	if (r == 0 && end.at.name) {
		r = copy_into_enter(into, end.at.name, &end.at.node, &next);
		if (r == 0)
			into = next;
	}
	free(path);
	path = TAKE_PTR(end.at.path);
	path_at_close(&end.at);
	if (r == 0)
		return push(u, into, true, name, TAKE_PTR(path));
	copy_chain_free(into);
	return r;
}

/* One directory further down; made where it is missing. */
static int enter(struct untar *u, const char *name, bool *ret_made)
{
	_cleanup_free_ char *path = path_here(u, name);
	struct copy_into *next;
	struct view_node node;
	int r = path ? copy_volume_enter(u->dst, path, "", here(u), name, &next) : -ENOMEM;

	*ret_made = false;
	if (r != 0)
		return r < 0 ? r : push(u, next, false, name, TAKE_PTR(path));
	r = copy_into_lookup(here(u), name, &node);
	*ret_made = r == -ENOENT;
	if (r == -ENOENT) {
		r = copy_into_mkdir(here(u), name, &next);
		if (r == 0) {
			next->fresh = false; /* one name may come twice */
			r = copy_into_place(next);
			if (r < 0)
				copy_into_free(next);
		}
	} else if (r == 0 && S_ISLNK(node.st.st_mode)) {
		return enter_link(u, name, &node);
	} else if (r == 0) {
		r = S_ISDIR(node.st.st_mode) ? copy_into_enter(here(u), name, &node, &next)
					     : -ENOTDIR;
	}
	return r < 0 ? r : push(u, next, false, name, TAKE_PTR(path));
}

/* What a directory has that the archive only implies. */
static void imply_meta(const struct untar *u, struct level *l)
{
	struct stat st = { .st_mode = 0755 };

	clock_gettime(CLOCK_REALTIME, &st.st_mtim);
	st.st_atim = st.st_mtim;
	copy_meta_of(u->c, &st, &l->meta);
	l->meta.uid = u->c->owner_uid;
	l->meta.gid = u->c->owner_gid;
	l->has_meta = true;
}

/* Goes to the directory that path is in; name: its last component ("": the destination itself). */
static int go_to(struct untar *u, const char *path, char name[NAME_MAX + 1])
{
	size_t depth = 1;
	int r;

	while ((r = next_name(&path, name)) > 0 && !is_last(path)) {
		bool made;

		if (depth < u->n && strcmp(u->levels[depth].name, name) == 0) {
			depth++;
			continue;
		}
		while (u->n > depth)
			if ((r = pop(u)) < 0)
				return r;
		r = enter(u, name, &made);
		if (r < 0)
			return r;
		if (made)
			imply_meta(u, &u->levels[u->n - 1]);
		depth++;
	}
	if (r < 0)
		return r;
	while (u->n > depth)
		if ((r = pop(u)) < 0)
			return r;
	return 0;
}

/* ---- entries ---- */

static void meta_of(const struct untar *u, struct archive_entry *e, struct copy_meta *ret)
{
	struct stat st = {
		.st_mode = archive_entry_mode(e),
		.st_uid = (uid_t)archive_entry_uid(e),
		.st_gid = (gid_t)archive_entry_gid(e),
		.st_mtim = { archive_entry_mtime(e), archive_entry_mtime_nsec(e) },
	};

	st.st_atim =
		archive_entry_atime_is_set(e)
			? (struct timespec){ archive_entry_atime(e), archive_entry_atime_nsec(e) }
			: st.st_mtim;
	copy_meta_of(u->c, &st, ret);
}

static int set_xattrs(const struct untar *u, struct archive_entry *e, int fd)
{
	const char *name;
	const void *value;
	size_t len;
	int r = 0;

	archive_entry_xattr_reset(e);
	while (r == 0 && archive_entry_xattr_next(e, &name, &value, &len) == ARCHIVE_OK)
		if (copy_xattr_is_copied(u->c, name))
			r = copy_xattr_set(u->c->to_marks, fd, name, value, len);
	return r;
}

static int read_failed(const struct untar *u)
{
	int error = archive_errno(u->archive);

	return error > 0 && error != ENOMEM ? -EBADMSG : error > 0 ? -error : -EBADMSG;
}

static int write_data(const struct untar *u, int fd, int64_t size)
{
	const void *block;
	size_t len;
	la_int64_t at;
	int r;

	while ((r = archive_read_data_block(u->archive, &block, &len, &at)) == ARCHIVE_OK) {
		for (size_t done = 0; done < len;) {
			ssize_t n = pwrite(fd, (const char *)block + done, len - done,
					   (off_t)at + (off_t)done);

			if (n < 0 && errno != EINTR)
				return -errno;
			done += n < 0 ? 0 : (size_t)n;
		}
		u->c->result->bytes += len;
		if (u->c->opts->progress)
			u->c->opts->progress(u->c->result, u->c->opts->arg);
		if (copy_stopped(u->c) < 0)
			return -EINTR;
	}
	if (r != ARCHIVE_EOF)
		return read_failed(u);
	return ftruncate(fd, size) < 0 ? -errno : 0;
}

static int make_regular(const struct untar *u, struct archive_entry *e, int dirfd, const char *name)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct copy_meta meta;
	int r;

	if (fd < 0)
		return -errno;
	meta_of(u, e, &meta);
	r = write_data(u, fd, archive_entry_size(e));
	if (r == 0)
		r = copy_meta_apply(fd, &meta);
	if (r == 0)
		r = set_xattrs(u, e, fd);
	if (r == 0)
		r = futimens(fd, meta.times) < 0 ? -errno : 0;
	return r < 0 ? r : close(TAKE_FD(fd)) < 0 ? -errno : 0;
}

/* The file that an entry is another name of: below the destination, through no link. */
static int make_hardlink(struct untar *u, const char *target, int dirfd, const char *name)
{
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	struct view_node node;
	char part[NAME_MAX + 1];
	int r = view_dir_again(&u->levels[0].into->dir, &dir), more = 0;

	while (r == 0 && (more = next_name(&target, part)) > 0) {
		struct view_dir next = { 0 };

		r = view_lookup(&dir, part, &node);
		if (r < 0 || is_last(target))
			break;
		r = S_ISDIR(node.st.st_mode)   ? view_enter(&dir, part, &node, &next)
		    : S_ISLNK(node.st.st_mode) ? -ELOOP
					       : -ENOTDIR;
		if (r == 0) {
			view_dir_close(&dir);
			dir = next;
		}
	}
	if (r < 0 || more <= 0)
		return r < 0 ? r : more < 0 ? more : -ENOENT;
	if (!S_ISREG(node.st.st_mode))
		return S_ISDIR(node.st.st_mode) ? -EISDIR : -EINVAL;
	return copy_node_again(u->c, &(struct copy_from){ &dir, part, &node }, dirfd, name);
}

/* What is neither file nor directory. */
static int make_other(struct untar *u, struct archive_entry *e, int dirfd, const char *name)
{
	const char *target = archive_entry_symlink(e);
	struct copy_meta meta;
	struct stat st;
	int r;

	meta_of(u, e, &meta);
	r = copy_make_special(u->c, meta.mode, archive_entry_rdev(e), target, dirfd, name);
	if (r == 0)
		r = copy_meta_apply_at(dirfd, name, &meta);
	if (r == 0 && S_ISLNK(meta.mode) && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		r = links_add(&u->made, &st, 0, "", NULL);
	return r;
}

static int make(struct untar *u, struct archive_entry *e, int dirfd, const char *temp)
{
	const char *hardlink = archive_entry_hardlink(e);

	if (hardlink)
		return make_hardlink(u, hardlink, dirfd, temp);
	if (S_ISREG(archive_entry_mode(e)))
		return make_regular(u, e, dirfd, temp);
	return make_other(u, e, dirfd, temp);
}

static bool is_mounted(const struct untar *u, const char *name)
{
	_cleanup_free_ char *path = path_here(u, name);

	return path && volumes_at(&u->dst->volumes, path);
}

static int put_file(struct untar *u, struct archive_entry *e, const char *name)
{
	struct copy_into *into = here(u);
	char temp[NAME_MAX + 1];
	struct view_node there;
	int dirfd, r = copy_into_lookup(into, name, &there);

	if (is_mounted(u, name))
		return -EBUSY;
	if (r == 0 && S_ISDIR(there.st.st_mode))
		return -EISDIR;
	if (r < 0 && r != -ENOENT)
		return r;
	r = copy_into_begin(into, name, temp, &dirfd);
	if (r < 0)
		return r;
	r = make(u, e, dirfd, temp);
	if (r == 0)
		r = copy_into_place_file(into, temp, name);
	if (r < 0)
		copy_into_drop(into, temp);
	return r;
}

static int put_dir(struct untar *u, struct archive_entry *e, const char *name)
{
	struct view_node there;
	struct level *l;
	bool made;
	int r;

	/* a link is not what a directory replaces, wherever it leads; unless something is mounted there */
	if (!is_mounted(u, name) && copy_into_lookup(here(u), name, &there) == 0 &&
	    !S_ISDIR(there.st.st_mode))
		return -ENOTDIR;
	r = enter(u, name, &made);
	if (r < 0)
		return r;
	l = &u->levels[u->n - 1];
	l->has_meta = true;
	meta_of(u, e, &l->meta);
	r = copy_into_own_fd(l->into);
	return r < 0 ? r : set_xattrs(u, e, r);
}

/* Before anything is made on the way. */
static int check_name(const char *path)
{
	char name[NAME_MAX + 1];
	int r;

	while ((r = next_name(&path, name)) > 0)
		;
	return r;
}

static int put(struct untar *u, struct archive_entry *e, const char *path)
{
	mode_t type = archive_entry_filetype(e);
	char name[NAME_MAX + 1];
	int r = check_name(path);

	if (r < 0)
		return r;
	if (copy_is_left_out(u->c, type) && !archive_entry_hardlink(e))
		return 0;
	r = go_to(u, path, name);
	if (r < 0)
		return r;
	/* "./" is the destination, which keeps what it has, as with docker cp */
	if (!*name)
		return S_ISDIR(type) ? 0 : -EINVAL;
	u->c->result->files++;
	return S_ISDIR(type) && !archive_entry_hardlink(e) ? put_dir(u, e, name)
							   : put_file(u, e, name);
}

static int fail(struct untar *u, const char *path, int error)
{
	struct insp_err err = { 0 };

	if (error == -EXDEV)
		insp_err_say(&err, error, "copy '%s' from the archive: its name leads out of it",
			     path);
	else if (error == -ELOOP)
		insp_err_say(&err, error, "copy '%s' from the archive: it goes through a link",
			     path);
	else
		copy_err_set(&err, error, "copy '%s' from the archive", path);
	u->c->result->failed++;
	if (copy_is_final(error) || error == -EBADMSG) {
		*u->err = err;
		return error;
	}
	if (u->diags && u->diags->n < DIAGS_MAX)
		insp_diags_add(u->diags, &err);
	return 0;
}

static int all_entries(struct untar *u)
{
	struct archive_entry *e;
	int r = 0, a = ARCHIVE_OK;

	while (r == 0 && (a = archive_read_next_header(u->archive, &e)) != ARCHIVE_EOF) {
		const char *path;

		if (a < ARCHIVE_WARN)
			return insp_err_say(u->err, -EBADMSG, "read the archive: %s",
					    archive_error_string(u->archive));
		path = archive_entry_pathname(e);
		r = path && *path ? put(u, e, path) : -EILSEQ;
		if (r < 0)
			r = fail(u, path ? path : "", r);
		if (r == 0)
			r = copy_stopped(u->c);
	}
	while (u->n > 1) {
		int p = pop(u);

		r = r < 0 ? r : p;
	}
	return r;
}

/* ---- the archive ---- */

/* What docker cp takes; each is built into libarchive: those that are not would be run as programs. */
static int open_archive(struct untar *u, int fd)
{
	u->archive = archive_read_new();
	if (!u->archive)
		return -ENOMEM;
	archive_read_support_format_tar(u->archive);
	archive_read_support_format_empty(u->archive);
	archive_read_support_filter_gzip(u->archive);
	archive_read_support_filter_bzip2(u->archive);
	archive_read_support_filter_xz(u->archive);
	archive_read_support_filter_zstd(u->archive);
	if (archive_read_open_fd(u->archive, fd, BLOCK) == ARCHIVE_OK)
		return 0;
	return insp_err_say(u->err, -EBADMSG, "read the archive: %s",
			    archive_error_string(u->archive));
}

int copy_untar(struct copy *c, int fd, struct copy_end *dst, struct insp_diags *diags,
	       struct insp_err *err)
{
	struct untar u = { .c = c, .dst = dst, .diags = diags, .err = err };
	struct copy_into *into = NULL, *next;
	struct utf8 utf8;
	int r;

	if (!copy_end_is_dir(dst))
		return insp_err_say(err, -ENOTDIR,
				    "copy an archive to '%s': it must be a directory", dst->label);
	r = copy_end_into(dst, &into);
	if (r == 0 && dst->at.name) {
		r = copy_into_enter(into, dst->at.name, &dst->at.node, &next);
		if (r == 0)
			into = next;
	}
	if (r < 0) {
		copy_chain_free(into);
		return r;
	}
	utf8 = utf8_begin();
	r = push(&u, into, true, NULL, NULL);
	if (r == 0)
		r = open_archive(&u, fd);
	if (r == 0)
		r = all_entries(&u);
	archive_read_free(u.archive);
	utf8_end(utf8);
	while (u.n > 0)
		pop(&u);
	free(u.levels);
	links_clear(&u.made);
	return r;
}
