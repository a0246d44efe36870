/*
 * The entrypoint's root: what an engine mounts in a container, and nothing of the host's but six devices. In a mount namespace
 * that is a copy of the session's, and by the launcher, which is not the container's yet.
 *
 * Up to the pivot a name is one component of the tree's root, never a path. Behind it nothing of the host is left to be reached.
 */
#include "libinspect/sysc.h"
#include "sidecar/mounts.h"
#include "sidecar/rerun.h"

#include <sys/mount.h>
#include <sys/stat.h>

#define PROC_ATTRS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int fail(struct insp_err *err, const char *what, const char *name)
{
	return insp_err_set(err, -errno, "%s '/%s' for the entrypoint", what, name);
}

/* A new file system with one option (NULL: none), detached. */
static int make_fs(const char *type, const char *const (*options)[2], unsigned attrs)
{
	_cleanup_close_ int fs = sysc_fsopen(type);

	if (fs < 0)
		return -1;
	for (; options && (*options)[0]; options++)
		if (sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, (*options)[0], (*options)[1]) < 0)
			return -1;
	if (sysc_fsconfig(fs, SYSC_FSCONFIG_CREATE, NULL, NULL) < 0)
		return -1;
	return sysc_fsmount(fs, attrs);
}

/* On the directory name, which is made where the tree has none, and may be no link. */
static int attach(int root, int fs, const char *name, struct insp_err *err)
{
	_cleanup_close_ int at = -1;

	if (fs < 0)
		return fail(err, "make", name);
	if (mkdirat(root, name, 0755) < 0 && errno != EEXIST)
		return fail(err, "make a directory", name);
	at = openat(root, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return fail(err, "open the directory", name);
	return sysc_move_mount_to(fs, root, name, 0) < 0 ? fail(err, "mount", name) : 0;
}

/* A part of a file system of the kernel's, once more over itself and read-only. What this kernel lacks is none to hide. */
static int seal_part(int fs, const char *part)
{
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | PROC_ATTRS };
	_cleanup_close_ int fd = sysc_open_tree(fs, part, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (sysc_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
		return -1;
	return sysc_move_mount_to(fd, fs, part, 0);
}

/* An empty file, or directory, over it. */
static int hide_part(int fs, const char *part)
{
	_cleanup_close_ int over = -1;
	struct stat st;

	if (fstatat(fs, part, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -1;
	if (S_ISDIR(st.st_mode))
		over = make_fs("tmpfs", NULL, MOUNT_ATTR_RDONLY | PROC_ATTRS);
	else
		over = sysc_open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return over < 0 ? -1 : sysc_move_mount_to(over, fs, part, 0);
}

/* As runtimes have it: what of /proc is the host's is not to be written to, and some not to be read (moby oci/defaults.go). */
static int mount_proc(int root, struct insp_err *err)
{
	static const char *const sealed[] = { "sys", "sysrq-trigger", "irq", "bus", "fs" };
	static const char *const hidden[] = { "kcore",	       "keys",	 "timer_list",
					      "latency_stats", "scsi",	 "acpi",
					      "sched_debug",   "asound", "interrupts" };
	_cleanup_close_ int fs = make_fs("proc", NULL, PROC_ATTRS);
	int r = attach(root, fs, "proc", err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sealed); i++)
		if (seal_part(fs, sealed[i]) < 0)
			r = fail(err, "seal a part of", "proc");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(hidden); i++)
		if (hide_part(fs, hidden[i]) < 0)
			r = fail(err, "hide a part of", "proc");
	return r;
}

static int mount_sys(int root, struct insp_err *err)
{
	_cleanup_close_ int fs = make_fs("sysfs", NULL, PROC_ATTRS | MOUNT_ATTR_RDONLY);
	int r;

	/* a container around us may not let us: then there is none */
	if (fs < 0)
		return 0;
	r = attach(root, fs, "sys", err);
	if (r == 0 &&
	    (hide_part(fs, "firmware") < 0 || hide_part(fs, "devices/virtual/powercap") < 0))
		r = fail(err, "hide a part of", "sys");
	return r;
}

/* The session's own device, which is the host's. The tmpfs is nodev: what the entrypoint makes there is none. */
static int bind_device(int dev, const char *name)
{
	_cleanup_close_ int from = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd =
		from < 0 ? -1 : sysc_open_tree(from, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0 || mknodat(dev, name, S_IFREG | 0666, 0) < 0)
		return -1;
	return sysc_move_mount_to(fd, dev, name, 0);
}

static int fill_dev(int dev, struct insp_err *err)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };
	static const char *const links[][2] = { { "/proc/self/fd", "fd" },
						{ "/proc/self/fd/0", "stdin" },
						{ "/proc/self/fd/1", "stdout" },
						{ "/proc/self/fd/2", "stderr" },
						{ "pts/ptmx", "ptmx" } };
	static const char *const pts[][2] = {
		{ "mode", "0620" }, { "ptmxmode", "0666" }, { "gid", "5" }, { NULL, NULL }
	};
	static const char *const shm[][2] = { { "mode", "1777" }, { NULL, NULL } };
	_cleanup_close_ int ptsfs = make_fs("devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	_cleanup_close_ int shmfs = make_fs("tmpfs", shm, PROC_ATTRS);
	_cleanup_close_ int mqueue = make_fs("mqueue", NULL, PROC_ATTRS);
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(nodes); i++)
		if (bind_device(dev, nodes[i]) < 0)
			r = fail(err, "bind a device in", "dev");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i][0], dev, links[i][1]) < 0)
			r = fail(err, "make a link in", "dev");
	r = r ?: attach(dev, ptsfs, "pts", err);
	r = r ?: attach(dev, shmfs, "shm", err);
	return r || mqueue < 0 ? r : attach(dev, mqueue, "mqueue", err);
}

static int mount_dev(int root, struct insp_err *err)
{
	static const char *const options[][2] = { { "mode", "0755" },
						  { "size", "64m" },
						  { NULL, NULL } };
	_cleanup_close_ int fs =
		make_fs("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV);
	int r = attach(root, fs, "dev", err);

	return r < 0 ? r : fill_dev(fs, err);
}

/* ---- behind the pivot ---- */

/* path is the container's, and so is all that it can lead to. */
static void make_path(const char *path)
{
	char part[4096];

	for (size_t i = 1; path[i - 1] && i < sizeof(part); i++)
		if (path[i] == '/' || path[i] == '\0') {
			snprintf(part, sizeof(part), "%.*s", (int)i, path);
			mkdir(part, 0755);
		}
}

static int mount_tmpfs(const char *path, struct insp_err *err)
{
	make_path(path);
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0)
		return insp_err_set(err, -errno, "mount its tmpfs '%s'", path);
	return 0;
}

/* Engines mount theirs over what is, as a rule, an empty file. One that has content keeps it. */
static void write_if_empty(const char *path, const char *text)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 &&
	    write(fd, text, strlen(text)) < 0)
		return;
}

static void write_names(const char *hostname)
{
	char text[512];

	snprintf(text, sizeof(text), "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t%.64s\n",
		 hostname);
	write_if_empty("/etc/hosts", text);
	snprintf(text, sizeof(text), "%.64s\n", hostname);
	write_if_empty("/etc/hostname", text);
}

static int pivot(int root, struct insp_err *err)
{
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return insp_err_set(err, -errno, "change to the container's root");
	return 0;
}

/* The session's tree is nosuid for the host's programs, which have all capabilities; the entrypoint has the container's. */
static int own_tree(struct insp_err *err)
{
	struct sysc_mount_attr attr = { .attr_clr = MOUNT_ATTR_NOSUID, .propagation = MS_PRIVATE };

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    sysc_mount_setattr(AT_FDCWD, "/target", AT_RECURSIVE, &attr) < 0)
		return insp_err_set(err, -errno, "take the container's files");
	return 0;
}

int launch_enter_root(const struct orders *o, const struct order_strings *s, struct insp_err *err)
{
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int root = -1;
	int r = own_tree(err);

	if (r < 0)
		return r;
	root = open("/target", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return insp_err_set(err, -errno, "open the container's files");
	r = mount_proc(root, err);
	r = r ?: mount_sys(root, err);
	r = r ?: mount_dev(root, err);
	r = r ?: pivot(root, err);
	for (char **t = s->tmpfs; r == 0 && *t; t++)
		r = mount_tmpfs(*t, err);
	if (r == 0 && o->scratch) {
		write_names(s->hostname);
		make_path(s->workdir);
	}
	if (r == 0 && o->read_only && sysc_mount_setattr(AT_FDCWD, "/", 0, &attr) < 0)
		r = insp_err_set(err, -errno, "make the container's root read-only");
	return r;
}
