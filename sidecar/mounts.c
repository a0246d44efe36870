/*
 * The sidecar's root: a small file system in memory, in it the host's top-level directories (read-only), the target's
 * whole tree at /target, and what belongs to the joined namespaces. Runs in the builder.
 *
 * The host's mounts are cloned as slaves: what the host unmounts goes away here too, and is not kept busy. The
 * target's are private: nothing passes between them and the target.
 */
#include "sidecar/internal.h"
#include "sidecar/mounts.h"
#include "libinspect/sysc.h"
#include "sidecar/stopped.h"
#include "sidecar/toolbox-root.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define CLONE_FLAGS \
	(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)

static int err_mount(struct insp_err *err, const char *what)
{
	int r = -errno;

	insp_err_set(err, r, "%s", what);
	if (r == -ENOSYS)
		insp_err_hint(err, MOUNTS_NEED);
	else if (r == -EPERM)
		insp_err_hint(err, "this needs CAP_SYS_ADMIN on the host");
	return r;
}

/* The builder's alone. */
static const char *memory_name = "cdebug";

void mounts_name_memory(const char *name)
{
	memory_name = name;
}

int mounts_tmpfs(const char *mode, uid_t uid, gid_t gid, unsigned attrs)
{
	_cleanup_close_ int fs = sysc_fsopen("tmpfs");
	char id[2][16];
	int fd;

	if (fs < 0)
		return -errno;
	snprintf(id[0], sizeof(id[0]), "%u", uid);
	snprintf(id[1], sizeof(id[1]), "%u", gid);
	if (sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "source", memory_name) < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "mode", mode) < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "uid", id[0]) < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "gid", id[1]) < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_CREATE, NULL, NULL) < 0)
		return -errno;
	fd = sysc_fsmount(fs, attrs);
	return fd < 0 ? -errno : fd;
}

int mounts_scratch(int *ret_fd)
{
	_cleanup_close_ int fd = mounts_tmpfs("0700", 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	if (fd < 0)
		return fd;
	if (mkdirat(fd, "upper", 0755) < 0 || mkdirat(fd, "work", 0755) < 0 ||
	    sysc_move_mount_to(fd, AT_FDCWD, "/", 0) < 0)
		return -errno;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

void mounts_leave_scratch(int fd)
{
	char path[PROC_FD_PATH_MAX];

	proc_fd_path(fd, path);
	umount2(path, MNT_DETACH);
}

static uint64_t target_attributes(const struct sidecar_plan *plan)
{
	/* noatime: even reading leaves no mark */
	return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME |
	       (plan->opts->write || plan->opts->stopped ? 0 : MOUNT_ATTR_RDONLY) |
	       /* in its own view nothing of it is run by chance */
	       (plan->opts->in_target && !plan->opts->exec ? MOUNT_ATTR_NOEXEC : 0);
}

int mounts_restrict_target(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err)
{
	struct sysc_mount_attr attr = { .attr_set = target_attributes(plan),
					.attr_clr = MOUNT_ATTR__ATIME,
					.propagation = MS_PRIVATE };

	if (sysc_mount_setattr(m->tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) == 0)
		return 0;
	/*
	 * In a user namespace's mounts the atime mode is locked (mount_namespaces(7)). Nothing is lost: on a
	 * read-only mount no access is noted.
	 */
	if (errno == EPERM) {
		attr.attr_set &= ~(uint64_t)MOUNT_ATTR_NOATIME;
		attr.attr_clr = 0;
		if (sysc_mount_setattr(m->tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) == 0)
			return 0;
	}
	if (errno != ENOSYS)
		return err_mount(err, "make the target's files read-only");
	m->by_hand = true; /* compat: kernel < 5.12 */
	return 0;
}

int mounts_attach(int from, const char *name, int to, const char *to_name, bool dir)
{
	_cleanup_close_ int fd = sysc_open_tree(from, name, CLONE_FLAGS);

	if (fd < 0)
		return -errno;
	if (dir && mkdirat(to, to_name, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (!dir && mknodat(to, to_name, S_IFREG | 0444, 0) < 0 && errno != EEXIST)
		return -errno;
	return sysc_move_mount_to(fd, to, to_name, 0) < 0 ? -errno : 0;
}

int mounts_link(int dirfd, const char *name, const char *to)
{
	return symlinkat(to, dirfd, name) < 0 && errno != EEXIST ? -errno : 0;
}

int mounts_copy_link(int from, const char *name, int to)
{
	char text[4096];
	ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return mounts_link(to, name, text);
}

static int attach_host(struct mounts *m, const char *name, bool dir)
{
	return mounts_attach(m->host, name, m->root, name, dir);
}

static unsigned char type_of(int dirfd, const struct dirent *de)
{
	struct stat st;

	if (de->d_type != DT_UNKNOWN)
		return de->d_type;
	if (fstatat(dirfd, de->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return DT_UNKNOWN;
	return (unsigned char)IFTODT(st.st_mode);
}

static bool is_ours(const struct sidecar_plan *plan, const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "target") == 0 ||
	       strcmp(name, "tmp") == 0 || strcmp(name, SIDECAR_DIR) == 0 ||
	       (strcmp(name, "proc") == 0 && (plan->join & (1U << INSP_NS_PID))) ||
	       (strcmp(name, "sys") == 0 && (plan->join & (1U << INSP_NS_NET)));
}

static int attach_entry(struct mounts *m, const struct dirent *de, struct insp_err *err)
{
	int r = 0;

	switch (type_of(m->host, de)) {
	case DT_DIR: r = attach_host(m, de->d_name, true); break;
	case DT_REG: r = attach_host(m, de->d_name, false); break;
	case DT_LNK: r = mounts_copy_link(m->host, de->d_name, m->root); break;
	default: break; /* a socket in the root directory is nobody's tool */
	}
	/* one that went meanwhile, or may not be looked at (a FUSE mount of another user) */
	if (r == -ENOENT || r == -EACCES)
		return 0;
	return r < 0 ? (errno = -r, err_mount(err, "bring the host's directories")) : 0;
}

static int attach_entries(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err)
{
	int fd = openat(m->host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return err_mount(err, "read the host's root directory");
	for (struct dirent *de = readdir(dir); de && r == 0; de = readdir(dir))
		if (!is_ours(plan, de->d_name))
			r = attach_entry(m, de, err);
	closedir(dir);
	return r;
}

static int make_directories(struct mounts *m)
{
	static const char *const names[] = { "target", "tmp", "proc", "sys", SIDECAR_DIR };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdirat(m->root, names[i], 0755) < 0)
			return -errno;
	return 0;
}

int mounts_leave_host(struct mounts *m, struct insp_err *err)
{
	m->self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->self < 0)
		return err_mount(err, "open '/proc/self'");
	if (unshare(CLONE_NEWNS) < 0)
		return err_mount(err, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_mount(err, "make the mounts slaves of the host's");
	/* not earlier: a mount of the old namespace cannot be cloned from here */
	m->host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return m->host < 0 ? err_mount(err, "open the host's root directory") : 0;
}

/* The root lies over the old one until the pivot; nothing is reached through it before. */
int mounts_attach_root(struct mounts *m, struct insp_err *err)
{
	m->root = mounts_tmpfs("0755", 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (m->root < 0) {
		errno = -m->root;
		return err_mount(err, "make a root file system in memory");
	}
	if (sysc_move_mount_to(m->root, AT_FDCWD, "/", 0) < 0)
		return err_mount(err, "attach the root file system");
	return 0;
}

/* All that is the host's, and the root itself. */
static int restrict_host(struct mounts *m, struct insp_err *err)
{
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (m->by_hand || sysc_mount_setattr(m->root, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) == 0)
		return 0;
	if (errno != ENOSYS)
		return err_mount(err, "make the host's files read-only");
	m->by_hand = true;
	return 0;
}

static int attach_tmpfs(struct mounts *m, const char *at, const char *mode)
{
	_cleanup_close_ int fd = mounts_tmpfs(mode, 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	if (fd < 0)
		return fd;
	return sysc_move_mount_to(fd, m->root, at, 0) < 0 ? -errno : 0;
}

int mounts_make_root(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err)
{
	int r = mounts_leave_host(m, err);

	if (r == 0 && plan->opts->stopped)
		r = stopped_mount(plan, m, err);
	if (r == 0 && plan->opts->toolbox)
		return toolbox_root(plan, m, err);
	r = r ?: mounts_attach_root(m, err);
	if (r < 0)
		return r;
	r = make_directories(m);
	if (r < 0)
		return insp_err_set(err, r, "make the root's directories");
	return attach_entries(plan, m, err);
}

int mounts_seal_root(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err)
{
	/* a toolbox is written to; what it has of the host's is read-only already */
	int r = plan->opts->toolbox ? 0 : restrict_host(m, err);

	if (r < 0)
		return r;
	if (sysc_move_mount_to(m->tree, m->root, "target", 0) < 0)
		return err_mount(err, "attach the target's files");
	if (m->by_hand &&
	    (fchdir(m->root) < 0 || mount(NULL, "target", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
		return err_mount(err, "make the target's mounts private");
	r = attach_tmpfs(m, "tmp", "1777");
	return r < 0 ? insp_err_set(err, r, "make /tmp") : 0;
}

/* One of the host's, if something is mounted there and it is not a plain directory of sysfs. */
static int attach_sysfs_part(struct mounts *m, const struct stat *sysfs, const char *path)
{
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (fstatat(m->host, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return -errno;
	if (st.st_dev == sysfs->st_dev)
		return 0;
	fd = sysc_open_tree(m->host, path, CLONE_FLAGS);
	if (fd < 0)
		return -errno;
	/* by hand it is done later, with all the others */
	sysc_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	return sysc_move_mount_to(fd, m->root, path, 0) < 0 ? -errno : 0;
}

/*
 * /sys shows the devices of the network namespace of who mounts it. The file systems below it are the host's: those
 * that tools look for are brought along where they are mounted.
 */
int mounts_sysfs(struct mounts *m)
{
	static const char *const parts[] = { "sys/fs/cgroup", "sys/fs/bpf", "sys/kernel/debug",
					     "sys/kernel/tracing", "sys/kernel/security" };
	_cleanup_close_ int fs = sysc_fsopen("sysfs"), fd = -1;
	struct stat st = { 0 };

	if (fs < 0 || sysc_fsconfig(fs, SYSC_FSCONFIG_CREATE, NULL, NULL) < 0)
		return -errno;
	fd = sysc_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				      MOUNT_ATTR_NOEXEC);
	if (fd < 0 || sysc_move_mount_to(fd, m->root, "sys", 0) < 0)
		return -errno;
	fstatat(m->host, "sys", &st, 0);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		attach_sysfs_part(m, &st, parts[i]);
	return 0;
}

int mounts_attach_host(struct mounts *m, const char *name)
{
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int r = attach_host(m, name, true);

	/* by hand it is done later, with all the others */
	if (r == 0 && sysc_mount_setattr(m->root, name, AT_RECURSIVE, &attr) < 0 && !m->by_hand)
		return -errno;
	return r;
}

int mounts_pivot(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err)
{
	if (fchdir(m->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_mount(err, "change the root");
	/* "." is the new root still, over which the old one lies now */
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_mount(err, "leave the host's root");
	if (m->by_hand)
		return remount_all(m->self, target_attributes(plan), err);
	return 0;
}

int mounts_home(const struct sidecar_plan *plan, struct insp_err *err)
{
	_cleanup_close_ int fd = -1;
	const char *mode;
	int r;

	/* a caller without one gets what everybody has */
	mode = strcmp(plan->home, "/tmp") == 0 ? "1777" : "0700";
	fd = mounts_tmpfs(mode, plan->uid, plan->gid, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (fd < 0)
		return insp_err_set(err, fd, "make the home directory");
	r = files_write_rc(plan, fd, err);
	if (r < 0)
		return r;
	if (sysc_move_mount_to(fd, AT_FDCWD, plan->home, MOVE_MOUNT_T_SYMLINKS) < 0)
		return insp_err_set(err, -errno, "attach '%s'", plan->home);
	return 0;
}

int mounts_proc(struct insp_err *err)
{
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return err_mount(err, "mount /proc of the target's processes");
	return 0;
}
