/*
 * The files of a container that does not run, mounted: an overlay over its layers, made again in a mount namespace of the
 * caller's own. The layers are the same that view.h reads, opened by the same rules (open.c).
 *
 * Layers are given to the kernel as numbers of descriptors, relative to /proc/self/fd: no byte of a path can be taken for
 * an option, what was opened and checked is what is mounted, and 500 of them fit in the one page that mount(2) takes.
 */
#include "libinspect/rootfs/rootfs.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/mountinfo.h"
#include "libinspect/sysc.h"

#include <sys/mount.h>

/* OVL_MAX_STACK of the kernel's fs/overlayfs/params.h: with more no engine mounts it either */
#define OVERLAY_LOWERS_MAX 500
#define OVERLAY_FLAGS	   (MS_NOSUID | MS_NODEV | MS_NOATIME)

struct stack {
	int lowers[OVERLAY_LOWERS_MAX];
	size_t n;
	int upper, work; /* -EBADF: those of changes */
};

static void stack_close(struct stack *s)
{
	for (size_t i = 0; i < s->n; i++)
		util_close(s->lowers[i]);
	util_close(s->upper);
	util_close(s->work);
}
#define _cleanup_stack_ _cleanup_(stack_close)

struct mounting {
	struct insp_sys *sys;
	const struct insp_container *c;
	int changes;
	bool write;
	struct insp_err *err;
};

static int fail(const struct mounting *m, int r, const char *what)
{
	return insp_err_set(m->err, r, "%s %s %s: %s", m->c->engine,
			    m->c->is_image ? "image" : "container", m->c->name, what);
}

/* ---- the layers ---- */

static int add_lower(const struct mounting *m, struct stack *s, const char *path)
{
	int fd;

	if (s->n == OVERLAY_LOWERS_MAX)
		return insp_err_say(
			m->err, -E2BIG,
			"%s container %s: it has more layers than the kernel mounts (%d)",
			m->c->engine, m->c->name, OVERLAY_LOWERS_MAX);
	fd = rootfs_open_own(m->sys, m->c, path, m->err);
	if (fd < 0)
		return fd;
	s->lowers[s->n++] = fd;
	return 0;
}

static int open_upper(const struct mounting *m, struct stack *s)
{
	const struct insp_layers *l = m->c->layers;

	if (!l->work)
		return insp_err_say(
			m->err, -ENODATA,
			"%s container %s: the work directory of its upper layer is not known",
			m->c->engine, m->c->name);
	s->upper = rootfs_open_own(m->sys, m->c, l->upper, m->err);
	if (s->upper < 0)
		return s->upper;
	s->work = rootfs_open_own(m->sys, m->c, l->work, m->err);
	return s->work < 0 ? s->work : 0;
}

static int open_stack(const struct mounting *m, struct stack *s)
{
	const struct insp_layers *l = m->c->layers;
	int r = m->write ? open_upper(m, s) : add_lower(m, s, l->upper);

	/* of a whole tree the lower one is what it began as */
	for (size_t i = 0; r == 0 && l->kind == INSP_ROOT_OVERLAY && i < l->n_lowers; i++)
		r = add_lower(m, s, l->lowers[i]);
	return r;
}

/* An image has no layer of its own on top; one whole tree of it is the first. */
static int open_image(const struct mounting *m, struct stack *s)
{
	const struct insp_layers *l = m->c->layers;
	size_t end = l->kind == INSP_ROOT_DIR ? l->n_engine + 1 : l->n_lowers;
	int r = 0;

	for (size_t i = l->n_engine; r == 0 && i < end; i++)
		r = add_lower(m, s, l->lowers[i]);
	return r;
}

/* ---- what may be written to ---- */

/* Whether m is an overlay with this directory as its upper one. */
static bool has_upper(const struct mounting *m, const struct mount_entry *e, const struct stat *dir)
{
	_cleanup_free_ char *upper = NULL;
	_cleanup_close_ int fd = -EBADF;
	char **lowers = NULL;
	struct stat st;
	size_t n = 0;

	if (!str_eq(e->fstype, "overlay") || mountinfo_overlay(e, &lowers, &n, &upper) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		free(lowers[i]);
	free(lowers);
	fd = upper && upper[0] == '/' ? sys_open(m->sys, upper, O_PATH) : -EBADF;
	return fd >= 0 && fstat(fd, &st) == 0 && io_same_inode(&st, dir);
}

/* An upper directory in two overlays at once is undefined behaviour (Documentation/filesystems/overlayfs.rst). */
static int check_unused(const struct mounting *m, int upper)
{
	_cleanup_mount_table_ struct mount_table table = { 0 };
	struct stat st;
	int r = mountinfo_read(m->sys, 0, &table, m->err);

	if (r < 0)
		return r;
	if (fstat(upper, &st) < 0)
		return fail(m, -errno, "look at its upper layer");
	for (size_t i = 0; i < table.n; i++)
		if (has_upper(m, &table.items[i], &st)) {
			insp_err_say(m->err, -EBUSY,
				     "%s container %s: its files are mounted at '%s'", m->c->engine,
				     m->c->name, table.items[i].target);
			insp_err_hint(m->err, "write to them there");
			return -EBUSY;
		}
	return 0;
}

static int check_writable(const struct mounting *m)
{
	if (m->c->state == INSP_STATE_UNKNOWN)
		return insp_err_say(m->err, -EBUSY, "%s container %s: whether it runs is not known",
				    m->c->engine, m->c->name);
	if (insp_state_is_live(m->c->state) || m->c->pid > 0)
		return insp_err_say(m->err, -EBUSY, "%s container %s: it runs", m->c->engine,
				    m->c->name);
	/* root's files would be nobody's in it */
	if (m->c->owner != 0 || m->c->uids.n > 0) {
		insp_err_say(m->err, -EOPNOTSUPP,
			     "%s container %s: its files have the ids of a user namespace",
			     m->c->engine, m->c->name);
		insp_err_hint(m->err, "ccp(1) copies into it with the ids it has");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int check_mountable(const struct mounting *m)
{
	const struct insp_layers *l = m->c->layers;

	bool known = l && l->kind != INSP_ROOT_UNKNOWN;

	if (!known || (m->c->is_image ? l->n_lowers <= l->n_engine : !l->upper))
		return insp_err_say(m->err, -ENODATA, "%s %s %s: where its files are is not known",
				    m->c->engine, m->c->is_image ? "image" : "container",
				    m->c->name);
	if (m->c->is_image && m->write)
		return insp_err_say(m->err, -EROFS, "%s image %s: an image is not written to",
				    m->c->engine, m->c->name);
	if (l->kind == INSP_ROOT_FUSE_OVERLAY) {
		insp_err_say(m->err, -EOPNOTSUPP,
			     "%s container %s: its layers are fuse-overlayfs's, which the kernel "
			     "does not mount",
			     m->c->engine, m->c->name);
		insp_err_hint(m->err, "cexport(1) and ccp(1) read them");
		return -EOPNOTSUPP;
	}
	return m->write ? check_writable(m) : 0;
}

/* ---- the mount ---- */

/*
 * What marks in the layers mean is the kernel's to follow where root's store has them: trusted.* is what no container can
 * set. In a user's store they are user.* (userxattr, Linux 5.11), which have no redirects. No such mark is made in what
 * outlives the session: a layer of the engine's, or a directory that a person reads.
 */
static const char *marks_option(const struct mounting *m)
{
	if (m->c->owner != 0)
		return "userxattr";
	return m->write ? "redirect_dir=follow,metacopy=off" : "redirect_dir=on,metacopy=on";
}

static char *options(const struct mounting *m, const struct stack *s)
{
	struct strbuf sb = { 0 };

	strbuf_printf(&sb, "index=off,%s,", marks_option(m));
	if (m->write)
		strbuf_printf(&sb, "upperdir=%d,workdir=%d", s->upper, s->work);
	else
		strbuf_printf(&sb, "upperdir=%d/upper,workdir=%d/work", m->changes, m->changes);
	for (size_t i = 0; i < s->n; i++)
		strbuf_printf(&sb, "%s%d", i ? ":" : ",lowerdir=", s->lowers[i]);
	if (sb.failed)
		strbuf_free(&sb);
	return sb.buf;
}

/* A merged root is as its upper directory is. */
static int set_root(const struct mounting *m, const struct stack *s)
{
	_cleanup_close_ int upper = io_open_dir(m->changes, "upper");
	struct stat st;

	if (upper < 0)
		return fail(m, upper, "open the directory for changes");
	if (fstat(s->lowers[0], &st) < 0 || fchown(upper, st.st_uid, st.st_gid) < 0 ||
	    fchmod(upper, st.st_mode & 07777) < 0)
		return fail(m, -errno, "make the root directory");
	return 0;
}

/* In /proc/self/fd; on the directory for changes, from which it is taken at once. */
static int mount_overlay(const struct mounting *m, const struct stack *s, int *ret_tree)
{
	_cleanup_free_ char *data = options(m, s);
	char at[32];
	int tree;

	if (!data)
		return fail(m, -ENOMEM, "mount its layers");
	snprintf(at, sizeof(at), "%d/upper", m->changes);
	if (mount("overlay", at, "overlay", OVERLAY_FLAGS, data) < 0) {
		int r = fail(m, -errno, "mount its layers");

		insp_err_hint(m->err, "the kernel's log (dmesg) says more");
		return r;
	}
	tree = sysc_open_tree(m->changes, "upper", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		tree = fail(m, -errno, "take its mount");
	umount2(at, MNT_DETACH);
	if (tree < 0)
		return tree;
	*ret_tree = tree;
	return 0;
}

static int mount_stack(const struct mounting *m, int *ret_tree)
{
	_cleanup_stack_ struct stack s = { .upper = -EBADF, .work = -EBADF };
	_cleanup_close_ int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = m->c->is_image ? open_image(m, &s) : open_stack(m, &s);

	if (r == 0)
		r = m->write ? check_unused(m, s.upper) : set_root(m, &s);
	if (r < 0)
		return r;
	if (back < 0 || chdir("/proc/self/fd") < 0)
		return fail(m, -errno, "open '/proc/self/fd'");
	r = mount_overlay(m, &s, ret_tree);
	if (fchdir(back) < 0 && r == 0) {
		util_close(*ret_tree);
		return fail(m, -errno, "go back to the working directory");
	}
	return r;
}

/* One whole tree that is written to: itself. */
static int clone_tree(const struct mounting *m, int *ret_tree)
{
	_cleanup_close_ int dir = rootfs_open_own(m->sys, m->c, m->c->layers->upper, m->err);
	int tree;

	if (dir < 0)
		return dir;
	tree = sysc_open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return fail(m, -errno, "mount its files");
	*ret_tree = tree;
	return 0;
}

int insp_mount_files(struct insp_sys *sys, const struct insp_container *c,
		     const struct insp_mount_opts *opts, int *ret_tree, struct insp_err *err)
{
	struct mounting m = { sys, c, opts->changes, opts->write, err };
	int r = check_mountable(&m);

	if (r < 0)
		return r;
	return opts->write && c->layers->kind == INSP_ROOT_DIR ? clone_tree(&m, ret_tree)
							       : mount_stack(&m, ret_tree);
}
