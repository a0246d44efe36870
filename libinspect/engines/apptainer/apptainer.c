/*
 * apptainer's and singularity's instances: CONFIG/instances/PREFIX/HOST/USER/NAME/NAME.json, CONFIG being ~/.apptainer or
 * ~/.singularity of root and of every user. The record goes when the instance is stopped; logs alone stay.
 */
#include "libinspect/engines/apptainer/apptainer.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/freezer.h"
#include "libinspect/engines/homes.h"
#include "libinspect/kernel/passwd.h"
#include "libinspect/kernel/pid.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#define NAME	       "apptainer"
#define FIRST_USER_UID 1000
#define NOBODY_UID     65534

/* The record is written when the instance is up: its process started shortly before. */
#define START_NS (120LL * 1000000000)
#define CLOCK_NS (2LL * 1000000000)

/* Directories of a home, and what instances/ has in each. */
static const struct {
	const char *config, *prefix;
} kinds[] = {
	{ ".apptainer", "app" },
	{ ".singularity", "sing" },
};

struct places {
	struct engine_scan *scan;
	struct freezer *freezer;
	struct utsname host;
	/* of the directory at hand */
	const char *path; /* of CONFIG */
	uid_t owner;
};

/*
 * The start time of the instance's process when it is the one of a record of this age, with mounts of its own; 0: it is
 * not, or is gone. The record has no start time, and its own cgroup only where systemd runs.
 */
static uint64_t start_of(const struct insp_sys *sys, pid_t pid, int64_t written)
{
	struct pid_stat st;
	int64_t start;
	uint64_t mnt;

	if (!sys->live || pid_read_stat(sys->procfd, pid, &st) < 0 ||
	    pid_ns_inode(sys->procfd, pid, INSP_NS_MNT, &mnt) < 0 ||
	    mnt == sys->self_ns.ino[INSP_NS_MNT])
		return 0;
	start = insp_sys_ticks_to_time(sys, st.start);
	return start <= written + CLOCK_NS && start >= written - START_NS ? st.start : 0;
}

static int set_state(struct places *p, const json_t *record, int64_t written,
		     struct insp_container *c)
{
	int64_t pid = json_int_at(record, "pid", 0);
	uint64_t start = 0;
	int r = 0;

	c->state = INSP_STATE_EXITED;
	if (pid > 0 && pid <= INT32_MAX)
		start = start_of(p->scan->sys, (pid_t)pid, written);
	if (start)
		r = engine_claim_init(p->scan, c, (pid_t)pid, start);
	if (r > 0) {
		c->state = freezer_frozen(p->freezer, p->scan, c->pid) ? INSP_STATE_PAUSED
								       : INSP_STATE_RUNNING;
		c->started = insp_sys_ticks_to_time(p->scan->sys, c->pid_start);
	} else if (start && r == 0) {
		/* a setuid installation: in the host's user namespace nothing proves that it is the user's */
		c->state = INSP_STATE_UNKNOWN;
	}
	return r < 0 ? r : 0;
}

static int fill_config(struct places *p, const json_t *record, struct insp_container *c)
{
	_cleanup_json_ json_t *config = NULL;
	struct insp_err err = { 0 };
	int r;

	if (!(p->scan->want & (INSP_WANT_DETAIL | INSP_WANT_FILES)))
		return 0;
	r = apptainer_config_decode(record, &config, &err);
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	if (r == 0)
		return apptainer_config_fill(p->scan, config, c);
	insp_err_wrap(&err, r, NAME " instance %.64s", c->id);
	engine_scan_fail(p->scan, &err);
	return 0;
}

static int fill(struct places *p, const json_t *record, int64_t written, struct insp_container *c)
{
	int r = container_set(&c->name, c->id);

	c->owner = p->owner;
	if (r == 0)
		r = container_set(&c->image, json_str_at(record, "image"));
	if (r == 0)
		r = container_set(&c->store, p->path);
	if (r == 0 && (p->scan->want & INSP_WANT_DETAIL))
		r = container_set(&c->log_path, json_str_at(record, "logOutPath"));
	if (r == 0)
		r = fill_config(p, record, c);
	return r < 0 ? r : set_state(p, record, written, c);
}

static int read_record(struct places *p, int dirfd, const char *file, json_t **ret,
		       struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r = io_read_file(dirfd, file, APPTAINER_FILE_MAX, &b, err);

	if (r < 0)
		return r;
	(void)engine_scan_spend(p->scan, p->owner, p->path, b.len);
	r = json_parse(b.data, b.len, ret, err);
	return r < 0 ? insp_err_wrap(err, r, "read '%s'", file) : 0;
}

/* HOST/USER/NAME, open: its record is called as it is. */
static int add_instance(struct places *p, int dirfd, const char *name)
{
	_cleanup_free_ char *file = str_format("%s.json", name);
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_json_ json_t *record = NULL;
	struct insp_err err = { 0 };
	struct stat st;
	int r;

	if (!file)
		return -ENOMEM;
	/* started or stopped just now, or a link or FIFO, which reading will name */
	if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    engine_scan_spend(p->scan, p->owner, p->path, 0) == 0)
		return 0;
	r = read_record(p, dirfd, file, &record, &err);
	if (r == 0 && !str_eq(json_str_at(record, "name"), name))
		r = insp_err_say(&err, -EBADMSG, "'%s' is not the record of that instance", file);
	if (r < 0) {
		insp_err_wrap(&err, r, NAME " instance %.64s", name);
		engine_scan_fail(p->scan, &err);
		return r == -ENOMEM ? r : 0;
	}
	c = container_new(NAME, name);
	if (!c)
		return -ENOMEM;
	r = fill(p, record, st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec, c);
	return r < 0 ? r : engine_scan_add(p->scan, TAKE_PTR(c));
}

typedef int (*below_fn)(struct places *p, int dirfd, const char *name);

/* Calls fn for each directory in the one that is open. No link is followed: all of it is the user's to arrange. */
static int for_each_dir(struct places *p, int dirfd, below_fn fn)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = 0;

	if (io_dir_of(dirfd, &dir) < 0)
		return 0;
	for_each_entry (de, dir) {
		_cleanup_close_ int fd = io_open_dir(dirfd, de->d_name);

		if (fd >= 0)
			r = fn(p, fd, de->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A directory that the caller names may be one of a home. */
static bool is_known(const struct places *p, const char *name)
{
	const struct insp_list *found = &p->scan->found;

	for (size_t i = 0; i < found->n; i++)
		if (str_eq(found->items[i]->id, name) && found->items[i]->owner == p->owner &&
		    str_eq(found->items[i]->store, p->path))
			return true;
	return false;
}

static int add_named(struct places *p, int dirfd, const char *name)
{
	if (!engine_scan_wants(p->scan, name, name) || is_known(p, name))
		return 0;
	return add_instance(p, dirfd, name);
}

static int add_user(struct places *p, int dirfd, const char *name)
{
	return for_each_dir(p, dirfd, add_named);
}

/* A home may be shared by hosts: pids of another one mean nothing here. */
static int add_host(struct places *p, int dirfd, const char *name)
{
	if (p->scan->sys->live && !str_eq(name, p->host.nodename))
		return 0;
	return for_each_dir(p, dirfd, add_user);
}

/* CONFIG/instances/PREFIX. Whose word the records are: of, who has the home that it is in, or its owner when of is -1. */
static int add_config(struct places *p, int configfd, const char *prefix, const char *path,
		      uid_t of)
{
	_cleanup_close_ int instances = io_open_dir(configfd, "instances");
	_cleanup_close_ int fd = instances < 0 ? instances : io_open_dir(instances, prefix);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	/* a container that has somebody's home for a volume can make directories of root's there */
	p->owner = of == 0 || of == (uid_t)-1 ? st.st_uid : of;
	p->path = path;
	return for_each_dir(p, fd, add_host);
}

/* A directory that the caller names: ~/.apptainer, or APPTAINER_CONFIGDIR. */
static int add_store(struct places *p, const char *path)
{
	_cleanup_close_ int fd = sys_open_dir(p->scan->sys, path);
	struct insp_err err = { 0 };
	int r = 0;

	if (fd < 0) {
		insp_err_set(&err, fd, NAME " store: open '%s'", path);
		engine_scan_fail(p->scan, &err);
		return fd == -ENOMEM ? fd : 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++)
		r = add_config(p, fd, kinds[i].prefix, path, (uid_t)-1);
	return r;
}

static int add_home(struct places *p, const char *home, uid_t uid)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++) {
		_cleanup_free_ char *path = str_format("%s/%s", home, kinds[i].config);
		_cleanup_close_ int config = -EBADF;

		if (!path)
			return -ENOMEM;
		config = homes_open(p->scan, uid, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (config >= 0)
			r = add_config(p, config, kinds[i].prefix, path, uid);
	}
	return r;
}

static int add_homes(struct places *p)
{
	const struct passwd_table *table;
	int r = 0;

	if (engine_scan_users(p->scan, &table) < 0)
		return 0;
	for (size_t i = 0; i < table->n && r == 0; i++) {
		const struct passwd_entry *e = &table->items[i];

		if (e->uid == 0 || (e->uid >= FIRST_USER_UID && e->uid != NOBODY_UID))
			r = add_home(p, e->home, e->uid);
	}
	return r;
}

static int scan_apptainer(struct engine_scan *scan)
{
	_cleanup_freezer_ struct freezer freezer = { 0 };
	struct places p = { .scan = scan, .freezer = &freezer };
	int r;

	if (uname(&p.host) < 0)
		p.host.nodename[0] = '\0';
	r = add_homes(&p);
	for (size_t i = 0; r == 0 && i < scan->sys->n_stores; i++)
		if (str_eq(scan->sys->stores[i].engine, NAME))
			r = add_store(&p, scan->sys->stores[i].path);
	return r;
}

const struct engine engine_apptainer = { .name = NAME, .scan = scan_apptainer };
