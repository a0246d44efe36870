/*
 * A directory that is written to.
 *
 * What overlayfs does when something is made in a merged directory (fs/overlayfs/copy_up.c, dir.c of Linux 6.1): the
 * directory is made in the upper layer with the owner, mode, times and attributes of the one below, up to the root; those
 * above it keep their times; a directory that takes the place of a whiteout is opaque, so that what the whiteout
 * hid stays hidden. fuse-overlayfs makes every new directory opaque.
 */
#include "libinspect/rootfs/copy.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/marks.h"

#include <limits.h>
#include <sys/random.h>
#include <sys/xattr.h>

static int temp_name(char temp[COPY_TEMP_MAX])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	snprintf(temp, COPY_TEMP_MAX, ".ccp-%016llx", (unsigned long long)number);
	return 0;
}

static void wh_name(char wh[NAME_MAX + 8], const char *name)
{
	snprintf(wh, NAME_MAX + 8, ".wh.%s", name);
}

static unsigned marks_of(const struct copy_into *into)
{
	return into->dir.view->marks;
}

/* ---- a directory that is not whole is not left behind ---- */

/* A directory that was made: what a container mounts on it meanwhile (/etc of the host, where it can name that) is not. */
static int open_made(int dirfd, const char *name)
{
	const struct view_layer layer = { .one_mount = true };

	return view_openat(&layer, dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

#define PASSES_MAX (1 << 20) /* who puts more there as fast as it is removed does not keep us */
#define IN_PLACE   64	     /* levels */

static int temp_name(char temp[COPY_TEMP_MAX]);

/*
 * One name of dir, which is top or below it: a directory that is not top's own is moved there, so that no depth of them takes more
 * than two descriptors. Where that cannot be (a full disk), what is in it is removed where it is.
 */
static bool remove_one(int dir, const char *name, int top, unsigned level);

/* Whether anything was removed, or moved. */
static bool remove_entries(int dir, int top, unsigned level)
{
	_cleanup_io_dir_ struct io_dir *d = NULL;
	bool progress = false;

	if (io_opendir(dir, ".", &d) < 0)
		return false;
	for_each_entry (de, d)
		progress |= remove_one(dir, de->d_name, top, level);
	return progress;
}

static bool remove_one(int dir, const char *name, int top, unsigned level)
{
	_cleanup_close_ int fd = -EBADF;
	char temp[COPY_TEMP_MAX];
	bool progress;

	if (unlinkat(dir, name, 0) == 0 || unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return true;
	if (level > 0 && temp_name(temp) == 0 && renameat(dir, name, top, temp) == 0)
		return true;
	fd = level < IN_PLACE ? open_made(dir, name) : -ELOOP;
	progress = fd >= 0 && remove_entries(fd, top, level + 1);
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 || progress;
}

static int remove_tree(int dirfd, const char *name)
{
	_cleanup_close_ int fd = -EBADF;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = open_made(dirfd, name);
	if (fd < 0)
		return fd;
	for (int i = 0; i < PASSES_MAX; i++) {
		bool progress = remove_entries(fd, fd, 0);

		if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (!progress)
			break;
	}
	return -errno;
}

/* ---- the object ---- */

struct copy_into *copy_into_new(struct copy_into *up, struct view_dir *dir, const char *name)
{
	struct copy_into *into = calloc(1, sizeof(*into));
	char *own = name ? strdup(name) : NULL;

	if (!into || (name && !own)) {
		view_dir_close(dir);
		free(into);
		free(own);
		return NULL;
	}
	*into = (struct copy_into){ .up = up, .dir = *dir, .name = own };
	*dir = (struct view_dir){ 0 };
	return into;
}

void copy_into_free(struct copy_into *into)
{
	if (!into)
		return;
	if (*into->temp && into->up)
		remove_tree(copy_into_fd(into->up), into->temp);
	view_dir_close(&into->dir);
	free(into->name);
	free(into);
}

/* ---- copy-up ---- */

static int put_before(struct view_dir *dir, int fd)
{
	struct view_part *bigger = reallocarray(dir->parts, dir->n + 1, sizeof(*bigger));

	if (!bigger) {
		util_close(fd);
		return -ENOMEM;
	}
	memmove(bigger + 1, bigger, dir->n * sizeof(*bigger));
	bigger[0] = (struct view_part){ .fd = fd, .layer = 0 };
	dir->parts = bigger;
	dir->n++;
	return 0;
}

static uint32_t other_form(const struct idmap *from, const struct idmap *to, uint32_t id)
{
	uint32_t r = from ? idmap_to_inside(from, id) : id;

	if (to && r != UINT32_MAX)
		r = idmap_to_outside(to, r);
	return r == UINT32_MAX ? id : r;
}

/* Layers may hold ids in two forms: as the host counts, and as inside. */
static void as_upper(const struct view_dir *dir, struct stat *st)
{
	const struct view_ids *from = dir->view->layers[dir->parts[0].layer].ids;
	const struct view_ids *to = dir->view->layers[0].ids;

	if (from == to)
		return;
	st->st_uid = other_form(from ? &from->uids : NULL, to ? &to->uids : NULL, st->st_uid);
	st->st_gid = other_form(from ? &from->gids : NULL, to ? &to->gids : NULL, st->st_gid);
}

static int same_attrs(const struct copy_into *into, const struct stat *st, int fd)
{
	struct copy_meta meta = { .mode = st->st_mode,
				  .uid = st->st_uid,
				  .gid = st->st_gid,
				  .times = { st->st_atim, st->st_mtim } };
	struct view_node node = { .st = *st };
	_cleanup_view_xattrs_ struct view_xattrs x = { 0 };
	int r = view_xattrs(&into->dir, ".", &node, &x);

	for (size_t i = 0; i < x.n && r == 0; i++)
		r = copy_xattr_set(marks_of(into), fd, x.items[i].name, x.items[i].value,
				   x.items[i].len);
	return r < 0 ? r : copy_meta_apply(fd, &meta);
}

static int open_new_dir(int dirfd, const char *name)
{
	if (mkdirat(dirfd, name, 0700) < 0)
		return -errno;
	return open_made(dirfd, name);
}

/* The directory that only lower layers have is made in up, which is its parent in the uppermost one. */
static int copy_up(struct copy_into *into, int up)
{
	_cleanup_close_ int fd = -EBADF;
	char temp[COPY_TEMP_MAX];
	struct stat st, parent;
	int r = temp_name(temp);

	if (r < 0)
		return r;
	if (fstat(into->dir.parts[0].fd, &st) < 0 || fstat(up, &parent) < 0)
		return -errno;
	as_upper(&into->dir, &st);
	fd = open_new_dir(up, temp);
	r = fd < 0 ? fd : same_attrs(into, &st, fd);
	if (r == 0 && renameat(up, temp, up, into->name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(up, temp, AT_REMOVEDIR);
		return r;
	}
	/* as the kernel's copy-up does: nothing was made in it that anybody sees */
	futimens(up, (struct timespec[]){ parent.st_atim, parent.st_mtim });
	return put_before(&into->dir, TAKE_FD(fd));
}

int copy_into_fd(struct copy_into *into)
{
	int up, r;

	if (into->dir.parts[0].layer == 0) {
		r = rights_fd(into->dir.view->layers[0].rights, into->dir.parts[0].fd,
			      RIGHTS_WRITE | RIGHTS_SEARCH);
		return r < 0 ? r : into->dir.parts[0].fd;
	}
	if (!into->up)
		return -EROFS;
	up = copy_into_fd(into->up);
	if (up < 0)
		return up;
	r = copy_up(into, up);
	return r < 0 ? r : into->dir.parts[0].fd;
}

int copy_into_own_fd(struct copy_into *into)
{
	int fd = copy_into_fd(into);
	int r = fd < 0 ? fd : rights_fd(into->dir.view->layers[0].rights, fd, RIGHTS_OWN);

	return r < 0 ? r : fd;
}

/* ---- what is in it ---- */

int copy_into_lookup(struct copy_into *into, const char *name, struct view_node *ret)
{
	return into->fresh ? -ENOENT : view_lookup(&into->dir, name, ret);
}

int copy_into_enter(struct copy_into *into, const char *name, const struct view_node *node,
		    struct copy_into **ret)
{
	struct view_dir dir;
	int r = view_enter(&into->dir, name, node, &dir);

	if (r < 0)
		return r;
	*ret = copy_into_new(into, &dir, name);
	return *ret ? 0 : -ENOMEM;
}

static bool is_reserved(const struct copy_into *into, const char *name)
{
	return marks_is_own(marks_of(into), name);
}

/* What hides the name's lower files, in the layer that is written to: a whiteout, which is in the way, or a .wh. file. */
static void look_for_whiteout(const struct copy_into *into, int fd, const char *name, bool *in_way,
			      bool *hidden)
{
	char wh[NAME_MAX + 8];
	struct stat st;

	*in_way = *hidden = false;
	if (!marks_of(into) || into->fresh)
		return;
	/* nothing is there for who looks, so what is there is a mark */
	*in_way = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	*hidden = *in_way;
	if (!(marks_of(into) & VIEW_FUSE))
		return;
	wh_name(wh, name);
	*hidden = *hidden || faccessat(fd, wh, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* up: the directory that it is made in, whose owner a mark that is a file gets: one that the user's engine can remove. */
static int set_opaque(unsigned marks, int up, int fd)
{
	const char *name = marks & VIEW_FUSE	  ? "user.fuseoverlayfs.opaque"
			   : marks & VIEW_TRUSTED ? "trusted.overlay.opaque"
						  : "user.overlay.opaque";
	struct stat st;
	int file, r;

	if (fsetxattr(fd, name, "y", 1, 0) < 0)
		return -errno;
	if (!(marks & VIEW_FUSE))
		return 0;
	file = openat(fd, ".wh..wh..opq", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	if (file < 0)
		return -errno;
	r = fstat(up, &st) < 0 || fchown(file, st.st_uid, st.st_gid) < 0 ? -errno : 0;
	util_close(file);
	return r;
}

/* The new directory fd of into, which has no name of its own yet. Takes ownership of fd. */
static int new_dir(struct copy_into *into, const char *name, int fd, bool opaque,
		   struct copy_into **ret)
{
	struct view_dir dir = { .view = into->dir.view };
	int r = put_before(&dir, fd);

	if (r == 0 && opaque)
		r = set_opaque(marks_of(into), into->dir.parts[0].fd, fd);
	if (r < 0) {
		view_dir_close(&dir);
		return r;
	}
	*ret = copy_into_new(into, &dir, name);
	return *ret ? 0 : -ENOMEM;
}

int copy_into_mkdir(struct copy_into *into, const char *name, struct copy_into **ret)
{
	int dirfd = copy_into_fd(into), fd, r;
	char temp[COPY_TEMP_MAX] = "";
	bool in_way, hidden;

	if (dirfd < 0)
		return dirfd;
	if (is_reserved(into, name))
		return -EINVAL;
	look_for_whiteout(into, dirfd, name, &in_way, &hidden);
	r = into->fresh ? 0 : temp_name(temp);
	if (r < 0)
		return r;
	fd = open_new_dir(dirfd, *temp ? temp : name);
	if (fd < 0)
		return fd;
	r = new_dir(into, name, fd, hidden || (!into->fresh && (marks_of(into) & VIEW_FUSE)), ret);
	if (r < 0) {
		remove_tree(dirfd, *temp ? temp : name);
		return r;
	}
	(*ret)->fresh = true;
	(*ret)->swap = in_way;
	memcpy((*ret)->temp, temp, sizeof(temp));
	return 0;
}

/* renameat2() with flags; where the file system has no such thing (compat), the two calls that come near. */
static int rename_with(int fd, const char *temp, const char *name, unsigned flags)
{
	if (renameat2(fd, temp, fd, name, flags) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (flags & RENAME_EXCHANGE)
		unlinkat(fd, name, 0);
	return renameat(fd, temp, fd, name) < 0 ? -errno : 0;
}

static void remove_wh(const struct copy_into *into, int fd, const char *name)
{
	char wh[NAME_MAX + 8];

	if (!(marks_of(into) & VIEW_FUSE))
		return;
	wh_name(wh, name);
	unlinkat(fd, wh, 0);
}

int copy_into_place(struct copy_into *into)
{
	int fd, r;

	if (!*into->temp)
		return 0;
	fd = copy_into_fd(into->up);
	if (fd < 0)
		return fd;
	r = rename_with(fd, into->temp, into->name,
			into->swap ? RENAME_EXCHANGE : RENAME_NOREPLACE);
	if (r < 0)
		return r;
	if (into->swap)
		unlinkat(fd, into->temp, 0); /* the whiteout */
	into->temp[0] = '\0';
	remove_wh(into->up, fd, into->name);
	return 0;
}

/*
 * The kernel refuses to rename over what is mounted in the caller's mount namespace; what is mounted in another one it
 * takes away there (detach_mounts(), Linux 3.18): a container would lose its /etc/hosts.
 */
static int check_not_mounted(int fd, const char *name)
{
	int r = io_open_one_mount(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	util_close(r);
	return r == -EXDEV ? -EBUSY : 0;
}

int copy_into_begin(struct copy_into *into, const char *name, char temp[NAME_MAX + 1],
		    int *ret_dirfd)
{
	char own[COPY_TEMP_MAX] = "";
	int fd = copy_into_fd(into), r;

	if (fd < 0)
		return fd;
	if (is_reserved(into, name))
		return -EINVAL;
	r = into->fresh ? 0 : check_not_mounted(fd, name);
	if (r == 0 && !into->fresh)
		r = temp_name(own);
	if (r < 0)
		return r;
	snprintf(temp, NAME_MAX + 1, "%s", *own ? own : name);
	*ret_dirfd = fd;
	return 0;
}

/* In a sticky directory that is others' (/tmp of the host) only what is one's own: sticky(7). */
static int may_replace(const struct copy_into *into, int fd, const char *name)
{
	const struct view_rights *rights = into->dir.view->layers[0].rights;
	struct stat dir, st;

	if (!rights || fstat(fd, &dir) < 0 || !(dir.st_mode & S_ISVTX) ||
	    rights_check(rights, &dir, RIGHTS_OWN) == 0 ||
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return rights_check(rights, &st, RIGHTS_OWN);
}

int copy_into_place_file(struct copy_into *into, const char *temp, const char *name)
{
	int fd = copy_into_fd(into), r;

	if (fd < 0)
		return fd;
	if (strcmp(temp, name) == 0)
		return 0;
	r = may_replace(into, fd, name);
	if (r < 0)
		return r;
	if (renameat(fd, temp, fd, name) < 0)
		return -errno;
	/* rename(2) does nothing, and says nothing, when both are names of one file already */
	unlinkat(fd, temp, 0);
	remove_wh(into, fd, name);
	return 0;
}

void copy_into_drop(struct copy_into *into, const char *temp)
{
	int fd = copy_into_fd(into);

	if (fd >= 0)
		unlinkat(fd, temp, 0);
}
