/*
 * The root of the target view: a small file system in memory, in it each entry of the target's root directory, cloned with
 * all mounts below, and our own names. The target's root itself may have no directory to mount a toolbox on, and none may be
 * made there. It is never written to, and what is mounted here is in no namespace of the target's.
 *
 * Nothing is asked of a file system that could be the container's own (FUSE): an entry is a directory or not by what the
 * listing says, and a mount of the wrong kind is refused by the kernel. So an entry that is exchanged meanwhile is missing, or
 * is what it has become, but leads nowhere else.
 *
 * The target's files cannot be executed, nor mapped for it (MOUNT_ATTR_NOEXEC), unless that was asked for: whatever a program
 * of the toolbox finds there, it does not run.
 */
#include "sidecar/view.h"
#include "sidecar/stopped.h"
#include "sidecar/toolbox.h"
#include "libinspect/sysc.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Each is a mount. A hostile image's million would be a second of the session's start, and the namespace's last. */
#define ENTRIES_MAX 1024

/* By what the listing says; where it says nothing, by trying. */
static int attach_entry(int from, const struct dirent *de, int to)
{
	int r;

	if (de->d_type == DT_LNK)
		return mounts_copy_link(from, de->d_name, to);
	if (de->d_type != DT_UNKNOWN)
		return mounts_attach(from, de->d_name, to, de->d_name, de->d_type == DT_DIR);
	r = mounts_copy_link(from, de->d_name, to);
	if (r == -EINVAL)
		r = mounts_attach(from, de->d_name, to, de->d_name, true);
	if (r == -ENOTDIR && unlinkat(to, de->d_name, AT_REMOVEDIR) == 0)
		r = mounts_attach(from, de->d_name, to, de->d_name, false);
	return r;
}

struct entries {
	int from, to;
	const char *where; /* for messages */
	const char *const *ours;
	size_t n_ours;
	int messages;
};

static bool is_ours(const struct entries *e, const char *name)
{
	for (size_t i = 0; i < e->n_ours; i++)
		if (strcmp(name, e->ours[i]) == 0)
			return true;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void say_missing(const struct entries *e, const char *name, int r)
{
	struct insp_err err = { 0 };

	insp_err_set(&err, r, "bring '%s%s' of the container", e->where, name);
	message_warn(e->messages, &err);
}

static void say_hidden(const struct entries *e, const char *name)
{
	struct insp_err err = { 0 };

	/* those that every container has, and that are its processes' and devices here as well */
	if (name[0] != '.' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	insp_err_say(&err, 0, "'%s%s' of the container is hidden: a name of ours", e->where, name);
	message_warn(e->messages, &err);
}

/* Our own names are there by now, and win. */
static int attach_entries(const struct entries *e, struct insp_err *err)
{
	int fd = openat(e->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;

	if (!dir)
		return insp_err_set(err, -errno, "list '%s' of the container", e->where);
	for (struct dirent *de = readdir(dir); de; de = readdir(dir)) {
		int r;

		if (is_ours(e, de->d_name)) {
			say_hidden(e, de->d_name);
			continue;
		}
		r = n++ < ENTRIES_MAX ? attach_entry(e->from, de, e->to) : -E2BIG;
		if (r == -E2BIG) {
			insp_err_say(err, r,
				     "the container has more than %d entries in '%s': "
				     "the others are missing",
				     ENTRIES_MAX, e->where);
			message_warn(e->messages, err);
			break;
		}
		/* one that went meanwhile */
		if (r < 0 && r != -ENOENT)
			say_missing(e, de->d_name, r);
	}
	closedir(dir);
	return 0;
}

/* What every program takes for granted is the host's, or a hostile image's /dev/null would be a file. */
static int attach_devices(struct mounts *m, int dev)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(nodes) && r == 0; i++) {
		char path[32];

		snprintf(path, sizeof(path), "dev/%s", nodes[i]);
		r = mounts_attach(m->host, path, dev, nodes[i], false);
	}
	r = r ?: mounts_attach(m->host, "dev/pts", dev, "pts", true);
	r = r ?: mounts_link(dev, "ptmx", "pts/ptmx");
	r = r ?: mounts_link(dev, "fd", "/proc/self/fd");
	r = r ?: mounts_link(dev, "stdin", "/proc/self/fd/0");
	r = r ?: mounts_link(dev, "stdout", "/proc/self/fd/1");
	return r ?: mounts_link(dev, "stderr", "/proc/self/fd/2");
}

/* Whether mount id of this namespace is of that type: "… - tmpfs …" of its line of mountinfo. */
static bool is_type(struct mounts *m, int id, const char *type)
{
	int fd = openat(m->self, "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	size_t cap = 0, len = strlen(type);
	char *line = NULL, *sep;
	bool found = false;

	while (f && !found && getline(&line, &cap, f) > 0) {
		sep = strstr(line, " - ");
		found = sep && (int)strtol(line, NULL, 10) == id &&
			strncmp(sep + 3, type, len) == 0 && sep[3 + len] == ' ';
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Told by fdinfo, which asks nothing of the file system. */
static int mount_id(struct mounts *m, int fd)
{
	char path[32], text[512];
	const char *id;

	snprintf(path, sizeof(path), "fdinfo/%d", fd);
	if (files_read(m->self, path, text, sizeof(text)) < 0)
		return -1;
	id = strstr(text, "mnt_id:");
	return id ? (int)strtol(id + 7, NULL, 10) : -1;
}

/* The standard devices, and what else the target has in /dev: shared memory, message queues. */
static int make_dev(struct mounts *m, int messages, struct insp_err *err)
{
	static const char *const ours[] = { "null",   "zero",	"full",	  "random", "urandom",
					    "tty",    "pts",	"ptmx",	  "fd",	    "stdin",
					    "stdout", "stderr", "console" };
	_cleanup_close_ int dev = mounts_tmpfs("0755", 0, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	_cleanup_close_ int theirs =
		openat(m->tree, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct entries e = { theirs, dev, "/dev/", ours, ARRAY_SIZE(ours), messages };
	int r;

	if (dev < 0)
		return insp_err_set(err, dev, "make /dev");
	if (mkdirat(m->root, "dev", 0755) < 0 || sysc_move_mount_to(dev, m->root, "dev", 0) < 0)
		return insp_err_set(err, -errno, "attach /dev");
	r = attach_devices(m, dev);
	if (r < 0)
		return insp_err_set(err, r, "bring the host's devices");
	/* a directory of a file system that the container answers for is not listed here */
	if (theirs < 0 || !(is_type(m, mount_id(m, theirs), "tmpfs") ||
			    is_type(m, mount_id(m, theirs), "devtmpfs")))
		return 0;
	return attach_entries(&e, err);
}

static int make_own(struct mounts *m, struct insp_err *err)
{
	_cleanup_close_ int dir = -1;
	int r = 0;

	if (mkdirat(m->root, SIDECAR_DIR, 0755) < 0)
		return insp_err_set(err, -errno, "make the root's directories");
	dir = openat(m->root, SIDECAR_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || mkdirat(dir, "home", 0755) < 0 || mkdirat(dir, "etc", 0755) < 0)
		return insp_err_set(err, -errno, "make the home directory");
	for (size_t i = 0; i < view_n_paths && r == 0; i++)
		r = !view_paths[i].link
			    ? 0
			    : mounts_link(m->root, view_paths[i].link, view_paths[i].to);
	return r < 0 ? insp_err_set(err, r, "make the root's links") : 0;
}

/* Whether the target has a /sys that is one. If not there is a place for ours: the target's directory, or a new one. */
static bool has_sys(struct mounts *m)
{
	_cleanup_close_ int fd =
		openat(m->root, "sys", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		mkdirat(m->root, "sys", 0755);
	return fd >= 0 && is_type(m, mount_id(m, fd), "sysfs");
}

/* While the tree is where it can be looked up in. */
static int bring_users(const struct sidecar_plan *plan, struct mounts *m, int messages,
		       struct insp_err *err)
{
	_cleanup_close_ int etc =
		openat(m->root, SIDECAR_DIR "/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct nameconf names;
	int r = etc < 0 ? -errno : nameconf_start(plan, m->tree, &names);

	if (r < 0)
		return insp_err_set(err, r, "read the container's users");
	nameconf_finish(&names, etc, messages);
	return 0;
}

static int bring_target(const struct sidecar_plan *plan, struct mounts *m, int messages,
			struct insp_err *err)
{
	static const char *const ours[] = { "proc", "dev", SIDECAR_DIR, ".u", ".e", ".l",
					    ".l64", ".b",  ".sb",	".o", ".v" };
	struct entries e = { m->tree, m->root, "/", ours, ARRAY_SIZE(ours), messages };
	int r = make_own(m, err);

	r = r ?: bring_users(plan, m, messages, err);
	r = r ?: make_dev(m, messages, err);
	r = r ?: attach_entries(&e, err);
	if (r < 0)
		return r;
	m->has_sys = has_sys(m);
	if (fchdir(m->root) < 0 || umount2("proc", MNT_DETACH) < 0)
		return insp_err_set(err, -errno, "detach the container's files");
	if (plan->join & (1U << INSP_NS_PID))
		return 0;
	r = mounts_attach(m->host, "proc", m->root, "proc", true);
	return r < 0 ? insp_err_set(err, r, "bring the host's /proc") : 0;
}

/*
 * Where /proc will be: before Linux 6.15 nothing can be cloned out of a tree that is not attached in this namespace. Not
 * over the old root, which would then not be what leaves at the pivot.
 */
static int attach_tree(const struct sidecar_plan *plan, struct mounts *m, int messages,
		       struct insp_err *err)
{
	int r;

	if (mkdirat(m->root, "proc", 0755) < 0 ||
	    sysc_move_mount_to(m->tree, m->root, "proc", 0) < 0)
		return insp_err_set(err, -errno, "attach the container's files");
	if (!plan->opts->stopped)
		return 0;
	r = stopped_volumes_in(plan, m, m->tree, messages, err);
	return r ?: mounts_restrict_target(plan, m, err);
}

static int seal(struct mounts *m, struct insp_err *err)
{
	struct sysc_mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (sysc_mount_setattr(m->root, "", AT_EMPTY_PATH, &attr) < 0)
		return insp_err_set(err, -errno, "make the root read-only");
	return 0;
}

int view_make_root(const struct sidecar_plan *plan, struct mounts *m, int messages,
		   struct insp_err *err)
{
	_cleanup_close_ int box = -1;
	int r = 0;

	if (m->by_hand) {
		insp_err_say(err, -ENOSYS, "--in-target needs Linux 5.12 or later (mount_setattr)");
		return -ENOSYS;
	}
	r = mounts_leave_host(m, err);
	if (r == 0 && plan->opts->stopped)
		r = stopped_mount(plan, m, err);
	/* before the root is covered */
	if (r == 0 && plan->opts->toolbox)
		r = toolbox_mount(plan->opts->toolbox, &box, err);
	r = r ?: mounts_attach_root(m, err);
	r = r ?: attach_tree(plan, m, messages, err);
	r = r ?: bring_target(plan, m, messages, err);
	r = r ?: view_add_toolbox(m, box, err);
	return r ?: seal(m, err);
}
