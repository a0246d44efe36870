#include "libinspect/engines/homes.h"
#include "libinspect/base/slowopen.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#define DEADLINE_MS 1000 /* a server that is asked for the first time after long */

/* How to open. */
enum way {
	UNKNOWN, /* the mount table was not looked at */
	PLAIN,
	GUARDED,
};

/* What did not answer: a mount, or where that is not known, whatever a user leads to. */
struct dead {
	char *target; /* NULL: uid counts */
	uid_t uid;
};

struct homes {
	enum way way;
	struct slowopen *opener;
	struct dead *dead;
	size_t n_dead;
};

static void homes_free(void *data)
{
	struct homes *h = data;

	slowopen_free(h->opener);
	for (size_t i = 0; i < h->n_dead; i++)
		free(h->dead[i].target);
	free(h->dead);
	free(h);
}

static struct homes *homes_of(struct engine_scan *scan)
{
	struct scan_shared *shared = engine_scan_shared(scan, homes_free);

	if (!shared->data)
		shared->data = calloc(1, sizeof(struct homes));
	return shared->data;
}

/* ---- mounts ---- */

static bool is_fuse(const struct mount_entry *m)
{
	return str_eq(m->fstype, "fuse") || str_eq(m->fstype, "fuseblk") ||
	       str_starts(m->fstype, "fuse.");
}

/* The value of user_id=, which the kernel always shows: who mounted it, and serves it. */
static uid_t fuse_owner(const struct mount_entry *m)
{
	const char *p = strstr(m->super_options, "user_id=");
	uint64_t uid = 0;
	char digits[16];

	if (p)
		snprintf(digits, sizeof(digits), "%.*s", (int)strspn(p + 8, "0123456789"), p + 8);
	return p && str_to_u64(digits, &uid) == 0 ? (uid_t)uid : 0;
}

/* Without allow_other anybody else is answered by the kernel, with EACCES (fuse_allow_current_process()). */
static bool fuse_may_stall(const struct mount_entry *m, uid_t euid)
{
	return fuse_owner(m) == euid || strstr(m->super_options, "allow_other");
}

bool homes_may_stall(const struct mount_entry *m, uid_t euid)
{
	static const char *const types[] = { "nfs",  "nfs4", "cifs",   "smb3",	 "smbfs",
					     "ceph", "afs",  "9p",     "autofs", "lustre",
					     "gpfs", "gfs2", "beegfs", "ocfs2",	 "orangefs" };

	/* the host's own root: whatever we are is there, too */
	if (str_eq(m->target, "/"))
		return false;
	if (is_fuse(m))
		return fuse_may_stall(m, euid);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(m->fstype, types[i]))
			return true;
	return false;
}

static enum way way_by_table(struct engine_scan *scan)
{
	const struct mount_table *table;
	uid_t euid = geteuid();

	if (engine_scan_mounts(scan, &table) < 0)
		return GUARDED;
	for (size_t i = 0; i < table->n; i++)
		if (homes_may_stall(&table->items[i], euid))
			return GUARDED;
	return PLAIN;
}

/* The mount that path is on when it has no links, if that is one that may stall. */
static const struct mount_entry *culprit(struct engine_scan *scan, const char *path)
{
	const struct mount_entry *found = NULL;
	const struct mount_table *table;

	if (engine_scan_mounts(scan, &table) < 0)
		return NULL;
	for (size_t i = 0; i < table->n; i++) {
		const struct mount_entry *m = &table->items[i];

		if (str_path_is_below(path, m->target) &&
		    (!found || strlen(m->target) >= strlen(found->target)))
			found = m;
	}
	return found && homes_may_stall(found, geteuid()) ? found : NULL;
}

/* ---- what did not answer ---- */

static bool is_dead(const struct homes *h, uid_t uid, const char *path)
{
	for (size_t i = 0; i < h->n_dead; i++)
		if (h->dead[i].target ? str_path_is_below(path, h->dead[i].target)
				      : h->dead[i].uid == uid)
			return true;
	return false;
}

static int add_dead(struct homes *h, uid_t uid, const struct mount_entry *m)
{
	struct dead *more = reallocarray(h->dead, h->n_dead + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	h->dead = more;
	more[h->n_dead++] = (struct dead){ .target = m ? str_dup(m->target) : NULL, .uid = uid };
	return 0;
}

/* Returns r, which is why: once for each mount, or each user. */
static int note_dead(struct engine_scan *scan, struct homes *h, uid_t uid, const char *path, int r)
{
	const struct mount_entry *m = r == -ETIMEDOUT ? culprit(scan, path) : NULL;
	struct insp_err err = { 0 };

	if (add_dead(h, uid, m) < 0)
		return -ENOMEM;
	if (r == -ETIMEDOUT)
		insp_err_say(&err, r, "open '%s': no answer", path);
	else if (r == -EPERM)
		insp_err_say(&err, r, "open '%s': its file system is served by a user", path);
	else
		insp_err_set(&err, r, "open '%s'", path);
	if (m)
		insp_err_hint(&err, "users' containers below '%s' (%s) are left out", m->target,
			      m->fstype);
	else
		insp_err_hint(&err, "containers of user %u are left out", (unsigned)uid);
	engine_scan_fail(scan, &err);
	return r;
}

/* A user may answer what is asked first, and then no more. */
static bool is_served_by_user(struct engine_scan *scan, const struct slowopen_dev *dev)
{
	const struct mount_table *table;

	if (engine_scan_mounts(scan, &table) < 0)
		return false;
	for (size_t i = 0; i < table->n; i++) {
		const struct mount_entry *m = &table->items[i];

		if (m->major == dev->major && m->minor == dev->minor && is_fuse(m))
			return fuse_owner(m) != 0 && fuse_owner(m) != geteuid();
	}
	return false;
}

/* ---- opening ---- */

static int open_guarded(struct engine_scan *scan, struct homes *h, uid_t uid, const char *path,
			int flags)
{
	struct slowopen_dev dev;
	int r;

	if (is_dead(h, uid, path))
		return -ETIMEDOUT;
	if (!h->opener)
		h->opener = slowopen_new(scan->sys->rootfd, DEADLINE_MS);
	if (!h->opener)
		return -ENOMEM;
	r = slowopen_open(h->opener, path, flags, &dev);
	if (r == -ETIMEDOUT || r == -EAGAIN || r == -EPIPE || r == -EMFILE)
		return note_dead(scan, h, uid, path, r);
	if (r >= 0 && is_served_by_user(scan, &dev)) {
		util_close(r);
		return note_dead(scan, h, uid, path, -EPERM);
	}
	return r;
}

static int open_plain(struct engine_scan *scan, const char *path, int flags)
{
	return flags == SLOWOPEN_REGULAR ? sys_open_file(scan->sys, path)
					 : sys_open(scan->sys, path, flags);
}

/*
 * A name that is looked for has no need of the mount table, which can be long: most homes are on the root file system,
 * which the kernel makes sure of. The table is only read where it cannot (compat: kernel < 5.6, filtered openat2).
 */
static int open_on_root(struct engine_scan *scan, struct homes *h, const char *path, int flags)
{
	int fd = io_openat2_one_mount(scan->sys->rootfd, path,
				      flags == SLOWOPEN_REGULAR ? O_PATH : flags);

	if (fd == -EXDEV)
		h->way = GUARDED;
	else if (fd == -ENOSYS || fd == -EPERM)
		h->way = way_by_table(scan);
	if (fd < 0 || flags != SLOWOPEN_REGULAR)
		return fd;
	util_close(fd);
	return open_plain(scan, path, flags);
}

static int open_by_way(struct engine_scan *scan, uid_t uid, const char *path, int flags)
{
	struct homes *h;

	if (uid == 0 || !scan->sys->live)
		return open_plain(scan, path, flags);
	h = homes_of(scan);
	if (!h)
		return -ENOMEM;
	if (h->way == UNKNOWN && (scan->may_walk || scan->mounts.done))
		h->way = way_by_table(scan);
	if (h->way == UNKNOWN) {
		int fd = open_on_root(scan, h, path, flags);

		if (h->way == UNKNOWN)
			return fd;
	}
	return h->way == PLAIN ? open_plain(scan, path, flags)
			       : open_guarded(scan, h, uid, path, flags);
}

int homes_open(struct engine_scan *scan, uid_t uid, const char *path, int flags)
{
	return open_by_way(scan, uid, path, flags);
}

int homes_open_dir(struct engine_scan *scan, uid_t uid, const char *path)
{
	return open_by_way(scan, uid, path, O_RDONLY | O_DIRECTORY);
}

int homes_open_file(struct engine_scan *scan, uid_t uid, const char *path)
{
	return open_by_way(scan, uid, path, SLOWOPEN_REGULAR);
}
