/*
 * Joining the namespaces of a process. setns(2), user_namespaces(7).
 */
#include "libinspect/enter/enter.h"

#include "libinspect/sysc.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define USER_BIT (1U << INSP_NS_USER)

static int ns_path(enum insp_ns_type type, char buf[32])
{
	return snprintf(buf, 32, "ns/%s", insp_ns_name(type));
}

int enter_ns_shared(const struct insp_pid *target, enum insp_ns_type type)
{
	struct stat ours, theirs;
	char path[32], self[48];

	ns_path(type, path);
	snprintf(self, sizeof(self), "/proc/self/%s", path);
	if (fstatat(insp_pid_procfd(target), path, &theirs, 0) < 0)
		return -errno;
	if (stat(self, &ours) < 0)
		return -errno;
	return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static int err_of_target(const struct insp_pid *target, int r, const char *what,
			 struct insp_err *err)
{
	insp_err_set(err, r, "process %d: %s", (int)insp_pid_number(target), what);
	if (r == -EPERM || r == -EACCES)
		insp_err_hint(err, "this needs root, or CAP_SYS_ADMIN and CAP_SYS_PTRACE over it");
	else if (r == -ESRCH || r == -ENOENT)
		insp_err_hint(err, "it ended meanwhile");
	return r;
}

int enter_ns_to_join(const struct insp_pid *target, unsigned namespaces, unsigned *ret,
		     struct insp_err *err)
{
	unsigned join = 0;

	for (int t = 0; t < INSP_NS_MAX; t++) {
		int r;

		if (!(namespaces & (1U << t)))
			continue;
		r = enter_ns_shared(target, t);
		/* compat: a kernel without this type of namespace; the process itself is asked last */
		if (r == -ENOENT && insp_pid_alive(target))
			continue;
		if (r < 0)
			return err_of_target(target, r, "look at its namespaces", err);
		if (!r)
			join |= 1U << t;
	}
	*ret = join;
	return 0;
}

int insp_enter_open_ns(const struct insp_pid *target, enum insp_ns_type type, int *ret_fd,
		       struct insp_err *err)
{
	_cleanup_close_ int fd = -EBADF;
	char path[32];

	ns_path(type, path);
	fd = openat(insp_pid_procfd(target), path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_of_target(target, -errno, "open its namespaces", err);
	/* a zombie keeps its directory; what it held may be another's by now */
	if (!insp_pid_alive(target))
		return err_of_target(target, -ESRCH, "open its namespaces", err);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int clone_flags(unsigned bits)
{
	int flags = 0;

	for (int t = 0; t < INSP_NS_MAX; t++)
		if (bits & (1U << t))
			flags |= insp_ns_flag(t);
	return flags;
}

/*
 * One call: either all namespaces are changed or none, so no half-entered process is ever seen. The kernel takes the
 * user namespace first; where another namespace belongs to an outer user namespace (a container that shares
 * the network of another) that is refused, and the order of the privileged is taken: user last.
 */
static int join_by_pidfd(const struct insp_pid *target, unsigned bits)
{
	int fd = insp_pid_fd(target);

	if (fd < 0)
		return -ENOSYS;
	if (setns(fd, clone_flags(bits)) == 0)
		return 0;
	if (errno != EPERM || !(bits & USER_BIT) || bits == USER_BIT)
		return -errno;
	if (setns(fd, clone_flags(bits & ~USER_BIT)) < 0)
		return -errno;
	return setns(fd, CLONE_NEWUSER) < 0 ? -errno : 0;
}

/* Joins those of bits that it may; returns the rest, or a negative errno. */
static int join_some(const int fds[INSP_NS_MAX], unsigned bits)
{
	unsigned rest = 0;

	for (int t = 0; t < INSP_NS_MAX; t++) {
		if (!(bits & (1U << t)))
			continue;
		if (setns(fds[t], insp_ns_flag(t)) == 0)
			continue;
		if (errno != EPERM)
			return -errno;
		rest |= 1U << t;
	}
	return (int)rest;
}

/*
 * compat: kernel < 5.8. The privileged can join everything while they still are, and the user namespace last; one who
 * gets his privileges only in there joins it first: what was refused before is tried again after it.
 */
static int join_in_order(const int fds[INSP_NS_MAX], unsigned bits)
{
	int rest = join_some(fds, bits & ~USER_BIT);

	if (rest < 0)
		return rest;
	if ((bits & USER_BIT) && setns(fds[INSP_NS_USER], CLONE_NEWUSER) < 0)
		return -errno;
	rest = join_some(fds, (unsigned)rest);
	return rest > 0 ? -EPERM : rest;
}

static int join_by_fds(const struct insp_pid *target, unsigned bits, struct insp_err *err)
{
	int fds[INSP_NS_MAX], r = 0;

	for (int t = 0; t < INSP_NS_MAX; t++)
		fds[t] = -EBADF;
	/* all are opened before the first is joined: afterwards /proc may be the container's */
	for (int t = 0; t < INSP_NS_MAX && r == 0; t++)
		if (bits & (1U << t))
			r = insp_enter_open_ns(target, t, &fds[t], err);
	if (r == 0) {
		r = join_in_order(fds, bits);
		if (r < 0)
			err_of_target(target, r, "join its namespaces", err);
	}
	for (int t = 0; t < INSP_NS_MAX; t++)
		util_close(fds[t]);
	return r;
}

int enter_join(const struct insp_pid *target, unsigned bits, struct insp_err *err)
{
	int r;

	if (!bits)
		return 0;
	/*
	 * From here until execve() nobody inside may trace this process or open its /proc/PID/fd, cwd, root
	 * (CVE-2016-9962): it still holds what belongs to the host.
	 */
	prctl(PR_SET_DUMPABLE, 0);
	r = join_by_pidfd(target, bits);
	/* compat: kernel < 5.3 has no pidfd, < 5.8 no setns() of one */
	if (r == -EINVAL || r == -ENOSYS)
		return join_by_fds(target, bits, err);
	return r < 0 ? err_of_target(target, r, "join its namespaces", err) : 0;
}

int insp_enter_join(const struct insp_pid *target, unsigned namespaces, struct insp_err *err)
{
	unsigned bits;
	int r = enter_ns_to_join(target, namespaces, &bits, err);

	return r < 0 ? r : enter_join(target, bits, err);
}

/* What setns(CLONE_NEWNS) resets, so that it can be put back. */
struct place {
	int mntns, root, cwd;
};

static void place_close(struct place *p)
{
	util_close(p->mntns);
	util_close(p->root);
	util_close(p->cwd);
}

static int place_open(struct place *p, struct insp_err *err)
{
	p->mntns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	p->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	p->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->mntns < 0 || p->root < 0 || p->cwd < 0)
		return insp_err_set(err, -errno, "remember the own mount namespace");
	return 0;
}

static int place_return(const struct place *p, struct insp_err *err)
{
	if (setns(p->mntns, CLONE_NEWNS) < 0 || fchdir(p->root) < 0 || chroot(".") < 0 ||
	    fchdir(p->cwd) < 0)
		return insp_err_set(err, -errno, "return to the own mount namespace");
	return 0;
}

static int clone_root(int rootfd)
{
	struct sysc_mount_attr attr = { .propagation = MS_PRIVATE };
	_cleanup_close_ int tree = sysc_open_tree(
		rootfd, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return -errno;
	/* else a mount made below the copy of a shared mount would appear in the target */
	if (sysc_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0 &&
	    errno != ENOSYS)
		return -errno;
	return TAKE_FD(tree);
}

int insp_enter_clone_tree(const struct insp_pid *target, int *ret_treefd, struct insp_err *err)
{
	_cleanup_(place_close) struct place own = { -EBADF, -EBADF, -EBADF };
	_cleanup_close_ int rootfd = -EBADF, tree = -EBADF;
	int r = place_open(&own, err);

	if (r < 0)
		return r;
	/* the root of the process, which a chroot may have set below that of its mount namespace */
	r = insp_pid_open_root(target, &rootfd, err);
	if (r < 0)
		return r;
	r = insp_enter_join(target, 1U << INSP_NS_MNT, err);
	if (r < 0)
		return r;
	tree = clone_root(rootfd);
	r = place_return(&own, err);
	if (r < 0)
		return r;
	if (tree < 0)
		return err_of_target(target, tree, "copy its mount tree", err);
	*ret_treefd = TAKE_FD(tree);
	return 0;
}
