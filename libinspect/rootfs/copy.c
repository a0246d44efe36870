/* Copying files and trees: what goes where (docker cp's rules), and each file of a tree. */
#include "libinspect/rootfs/copy-end.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <stdarg.h>
#include <sys/capability.h>
#include <sys/fsuid.h>

void copy_clear(struct copy *c)
{
	links_clear(&c->links);
	free(c->buf);
	c->buf = NULL;
}

int copy_stopped(const struct copy *c)
{
	return c->opts->stop && *c->opts->stop ? -EINTR : 0;
}

bool copy_is_final(int error)
{
	switch (-error) {
	case ENOSPC:
	case EDQUOT:
	case ENOMEM:
	case EINTR: return true;
	default: return false;
	}
}

int copy_err_set(struct insp_err *err, int error, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error == -EBUSY
		       ? insp_err_say(err, error, "%.400s: something is mounted there", text)
		       : insp_err_set(err, error, "%s", text);
}

/* ---- what goes where ---- */

struct job {
	struct copy *c;
	struct copy_end *src, *dst;
	struct insp_diags *diags;
	struct insp_err *err;
};

static int refuse(const struct job *j, int code, const char *what)
{
	return insp_err_say(j->err, code, "copy '%s' to '%s': %s", j->src->label, j->dst->label,
			    what);
}

/* The directory name in into, which will be at path to: there, made, or mounted. */
static int into_dir(const struct job *j, struct copy_into *into, const char *to, const char *name,
		    struct copy_into **ret)
{
	struct view_node node;
	struct stat st;
	int r = copy_volume_enter(j->dst, to, "", into, name, ret), fd;

	if (r != 0)
		return r < 0 ? r : 0;
	r = copy_into_lookup(into, name, &node);

	if (r == 0 && !S_ISDIR(node.st.st_mode))
		return refuse(j, -ENOTDIR, "a directory does not replace what is none");
	if (r == 0)
		return copy_into_enter(into, name, &node, ret);
	r = r == -ENOENT ? copy_into_mkdir(into, name, ret) : r;
	if (r < 0)
		return r;
	fd = copy_into_fd(*ret);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		j->c->made_dev = st.st_dev;
		j->c->made_ino = st.st_ino;
	}
	return 0;
}

/* The source, a directory, as name in into (NULL: its contents). */
static int copy_dir(const struct job *j, struct copy_into *into, const char *name)
{
	struct copy_tree t = { .c = j->c,
			       .src = j->src,
			       .dst = j->dst,
			       .name = name,
			       .diags = j->diags,
			       .err = j->err };
	bool below = name && copy_end_is_dir(j->dst);
	_cleanup_view_dir_ struct view_dir from = { 0 };
	_cleanup_free_ char *to =
		str_format("%s%s%s", j->dst->at.path, below ? "/" : "", below ? name : "");
	struct copy_into *own = NULL;
	int r = to ? copy_end_enter(j->src, &from) : -ENOMEM;

	t.to = to && strncmp(to, "//", 2) == 0 ? to + 1 : to;
	if (r == 0 && name)
		r = into_dir(j, into, t.to, name, &own);
	if (r == 0)
		r = copy_tree(&t, &from, own ? own : into);
	copy_into_free(own);
	return r;
}

static int copy_file(const struct job *j, struct copy_into *into, const char *name)
{
	struct copy_from from = { .dir = &j->src->at.dir,
				  .name = j->src->at.name,
				  .node = &j->src->at.node };
	int base = copy_into_fd(into);

	return base < 0 ? base : copy_node(j->c, &from, into, base, name, name);
}

/* The destination is a directory, and into it. */
static int copy_into_it(const struct job *j, struct copy_into *into)
{
	if (!copy_end_is_dir(j->src))
		return copy_file(j, into, j->src->base);
	return copy_dir(j, into, j->src->contents ? NULL : j->src->base);
}

/* It is none, or is not there; into is the directory that it is in. */
static int copy_as_it(const struct job *j, struct copy_into *into)
{
	const struct path_at *at = &j->dst->at;

	if (at->exists && copy_end_is_dir(j->src))
		return refuse(j, -ENOTDIR, "a directory does not replace what is none");
	/* docker's "destination must be a directory or a regular file" means just these */
	if (at->exists && (S_ISCHR(at->node.st.st_mode) || S_ISBLK(at->node.st.st_mode)))
		return refuse(j, -EINVAL, "the destination is a device");
	if (copy_end_is_dir(j->src))
		return copy_dir(j, into, at->name);
	if (at->slash)
		return refuse(j, -ENOENT, "the destination directory must exist");
	return copy_file(j, into, at->name);
}

static int copy_job(const struct job *j)
{
	struct copy_into *into = NULL;
	bool is_dir = copy_end_is_dir(j->dst);
	int r;

	if (j->c->opts->into_dir && !is_dir)
		return insp_err_say(j->err, -ENOTDIR,
				    "copy to '%s': several sources need a directory",
				    j->dst->label);
	r = copy_end_into(j->dst, &into);
	if (r == 0 && is_dir && j->dst->at.name) {
		struct copy_into *dir;

		r = copy_into_enter(into, j->dst->at.name, &j->dst->at.node, &dir);
		if (r == 0)
			into = dir;
	}
	if (r == 0)
		r = is_dir ? copy_into_it(j, into) : copy_as_it(j, into);
	copy_chain_free(into);
	return r;
}

/* ---- whose the copies are ---- */

static int target_ids(struct copy *c, bool host, struct insp_err *err)
{
	uid_t uid = host ? geteuid() : 0;
	gid_t gid = host ? getegid() : 0;

	if (c->opts->owner == INSP_COPY_IDS) {
		uid = c->opts->uid;
		gid = c->opts->gid;
	}
	c->keep_ids = c->opts->owner == INSP_COPY_KEEP;
	c->owner_uid = c->to.mapped ? idmap_to_outside(&c->to.uids, uid) : uid;
	c->owner_gid = c->to.mapped ? idmap_to_outside(&c->to.gids, gid) : gid;
	if (c->owner_uid == UINT32_MAX || c->owner_gid == UINT32_MAX)
		return insp_err_say(err, -EINVAL,
				    "%u:%u has no id in the container's user namespace", uid, gid);
	return 0;
}

/*
 * The root of a user namespace is not the host's: what it has made set-user-ID, which any user can in his own, would be a program
 * of root's with his content (as chown(2) has it, which takes the bits away). With ids kept root's own engines get what they
 * had; a user's never.
 */
static bool loses_set_ids(const struct copy *c, const struct insp_files *from)
{
	return from && from->ids && !c->to.mapped && geteuid() == 0 &&
	       (!c->keep_ids || rootfs_is_users(from->container));
}

/*
 * Who writes: file systems that a user namespace has mounted take nothing from ids that it has not, and what is new in a user's
 * files is to be that user's from the first.
 */
struct writer {
	bool changed;
	uid_t uid;
	gid_t gid;
	cap_t caps;
};

static int writer_become(struct writer *w, const struct copy *c, bool others)
{
	if (!others || !c->to.mapped || geteuid() != 0)
		return 0;
	w->caps = cap_get_proc();
	if (!w->caps)
		return -errno;
	w->changed = true;
	w->gid = (gid_t)setfsgid(idmap_to_outside(&c->to.gids, 0));
	w->uid = (uid_t)setfsuid(idmap_to_outside(&c->to.uids, 0));
	/* setfsuid() has taken those about files: capabilities(7) */
	return cap_set_proc(w->caps) < 0 ? -errno : 0;
}

static void writer_back(struct writer *w)
{
	if (w->changed) {
		setfsuid(w->uid);
		setfsgid(w->gid);
		cap_set_proc(w->caps);
		cap_free(w->caps);
	}
}

/* A container that was removed looks as if its files had been few. */
static int still_there(const struct insp_copy_side *side, struct insp_err *err)
{
	struct insp_files *f = side->files;
	struct stat st;

	if (!f)
		return 0;
	if (f->from == INSP_FILES_LIVE) {
		struct insp_pid *init = NULL;
		int r = insp_container_init(f->sys, f->container, &init, NULL);

		insp_pid_close(init);
		if (r == 0)
			return 0;
	} else if (fstat(f->view.layers[0].fd, &st) == 0 && st.st_nlink > 0) {
		return 0;
	}
	insp_err_say(err, -ESTALE, "%s container %s ended or was removed while it was copied",
		     f->container->engine, f->container->name);
	insp_err_hint(err, "the copy may be incomplete");
	return -ESTALE;
}

/* What src is (NULL: an archive from fd) to where dst is. */
static int run(struct job *job, const struct insp_copy_side *src, int fd,
	       const struct insp_copy_side *dst)
{
	struct writer writer = { 0 };
	struct copy *c = job->c;
	int r = src ? copy_end_source(src, c->opts->follow, job->src, job->err) : 0;

	if (r == 0)
		r = copy_end_destination(dst, job->dst, job->err);
	if (r < 0)
		return r;
	copy_ids_of(src ? src->files : NULL, NULL, &c->from);
	copy_ids_of(dst->files, job->dst->view, &c->to);
	r = target_ids(c, !dst->files, job->err);
	if (r < 0)
		return r;
	c->no_set_ids = loses_set_ids(c, src ? src->files : NULL);
	c->to_marks = job->dst->view->n > 1 ? job->dst->view->marks : 0;
	r = writer_become(&writer, c, dst->files && rootfs_rights(dst->files));
	if (r == 0)
		r = src ? copy_job(job) : copy_untar(c, fd, job->dst, job->diags, job->err);
	writer_back(&writer);
	if (r < 0 && !job->err->code && src)
		copy_err_set(job->err, r, "copy '%s' to '%s'", job->src->label, job->dst->label);
	else if (r < 0 && !job->err->code)
		insp_err_set(job->err, r, "copy an archive to '%s'", job->dst->label);
	return r;
}

static int copy(const struct insp_copy_side *src, int fd, const struct insp_copy_side *dst,
		const struct insp_copy_opts *opts, struct insp_copy_result *result,
		struct insp_diags *diags, struct insp_err *err)
{
	_cleanup_copy_ struct copy c = { .opts = opts, .result = result };
	_cleanup_copy_end_ struct copy_end from = { 0 }, to = { 0 };
	struct job job = { .c = &c, .src = &from, .dst = &to, .diags = diags, .err = err };
	struct insp_err own = { 0 };
	int r;

	if (!err)
		job.err = err = &own;
	err->code = 0;
	r = run(&job, src, fd, dst);
	if (r >= 0 && src)
		r = still_there(src, err);
	if (r >= 0)
		r = still_there(dst, err);
	return r < 0 ? r : 0;
}

int insp_copy(const struct insp_copy_side *src, const struct insp_copy_side *dst,
	      const struct insp_copy_opts *opts, struct insp_copy_result *result,
	      struct insp_diags *diags, struct insp_err *err)
{
	return copy(src, -EBADF, dst, opts, result, diags, err);
}

int insp_copy_archive(int fd, const struct insp_copy_side *dst, const struct insp_copy_opts *opts,
		      struct insp_copy_result *result, struct insp_diags *diags,
		      struct insp_err *err)
{
	return copy(NULL, fd, dst, opts, result, diags, err);
}
