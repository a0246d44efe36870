/*
 * systemd-nspawn: what runs is told by its supervisors, what does not by the directories of machines
 * (docs/formats/nspawn.md).
 */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/nspawn/scan.h"
#include "libinspect/engines/oci/process.h"
#include "libinspect/kernel/pid.h"

#include <sys/stat.h>

#define MACHINES     "/var/lib/machines"
#define REGISTRY     "/run/systemd/machines"
#define LOCKS	     "/run/systemd/nspawn/locks"
#define SETTINGS_MAX (256 * 1024)
#define NAME_LEN_MAX 64 /* HOST_NAME_MAX */

size_t nspawn_name_len(const char *file, bool is_dir)
{
	static const char alphabet[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t n = strlen(file);

	if (!is_dir) {
		if (!str_ends(file, ".raw"))
			return 0;
		n -= strlen(".raw");
	}
	if (n == 0 || n > NAME_LEN_MAX || file[0] == '.' || file[0] == '-')
		return 0;
	return strspn(file, alphabet) == strlen(file) ? n : 0;
}

static int read_settings(const struct insp_sys *sys, const char *dir, const char *name,
			 struct nspawn_options *o)
{
	_cleanup_free_ char *path = str_format("%s/%s.nspawn", dir, name);
	_cleanup_close_ int fd = path ? insp_open_regular_in_root(sys->rootfd, path) : -ENOMEM;
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r;

	if (fd < 0)
		return fd == -ENOMEM ? fd : 0;
	r = io_read_fd(fd, SETTINGS_MAX, &b);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = nspawn_settings_parse(b.data, b.len, o);
	return r < 0 ? r : 1;
}

/* The first that is there counts. The one beside the tree is not asked: what came with an image may not mount. */
int nspawn_settings_read(const struct insp_sys *sys, const char *name, struct nspawn_options *o)
{
	static const char *const dirs[] = { "/etc/systemd/nspawn", "/run/systemd/nspawn" };
	int r = 0;

	if (strchr(name, '/'))
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++)
		r = read_settings(sys, dirs[i], name, o);
	return r < 0 ? r : 0;
}

int nspawn_set_root(struct nspawn_scan *s, const char *directory, enum nspawn_volatile is_volatile,
		    struct insp_container *c)
{
	_cleanup_layers_ struct insp_layers *layers = NULL;
	bool overlay = is_volatile == NSPAWN_VOLATILE_OVERLAY;
	int r = 0;

	/* a tmpfs with the tree's /usr: no layers */
	if (is_volatile == NSPAWN_VOLATILE_YES)
		return 0;
	if (!overlay)
		r = container_set(&c->rootfs, directory);
	if (r < 0 || !(s->scan->want & INSP_WANT_FILES))
		return r;
	layers = container_layers_new(overlay ? INSP_ROOT_OVERLAY : INSP_ROOT_DIR);
	if (!layers)
		return -ENOMEM;
	/* the overlay's upper directory is on a tmpfs that nothing leads to */
	r = overlay ? container_layers_add(layers, directory)
		    : container_set(&layers->upper, directory);
	if (r < 0)
		return r;
	c->layers = TAKE_PTR(layers);
	return 0;
}

/* ---- machines that do not run ---- */

static bool is_used(const struct nspawn_scan *s, const struct stat *st)
{
	for (size_t i = 0; i < s->n_used; i++)
		if (s->used[i].dev == st->st_dev && s->used[i].ino == st->st_ino)
			return true;
	return false;
}

static bool is_listed(const struct nspawn_scan *s, const char *name)
{
	const struct insp_list *found = &s->scan->found;

	for (size_t i = 0; i < found->n; i++)
		if (str_eq(found->items[i]->engine, NSPAWN_NAME) &&
		    str_eq(found->items[i]->name, name))
			return true;
	return false;
}

/* A tree that a machine runs on is locked by its inode (nspawn.c: image_path_lock()); the file goes with the lock. */
static bool may_run(const struct nspawn_scan *s, const struct stat *st)
{
	char path[96];
	_cleanup_close_ int fd = -EBADF;

	snprintf(path, sizeof(path), LOCKS "/inode-%lu:%lu", (unsigned long)st->st_dev,
		 (unsigned long)st->st_ino);
	fd = s->scan->sys->live ? sys_open(s->scan->sys, path, O_PATH) : -ENOENT;
	return fd >= 0;
}

static int fill_stopped(struct nspawn_scan *s, const char *tree, struct insp_container *c)
{
	_cleanup_nspawn_options_ struct nspawn_options o = { 0 };
	unsigned want = s->scan->want;
	int r = nspawn_settings_read(s->scan->sys, c->name, &o);

	if (r == 0 && tree)
		r = nspawn_set_root(s, tree, NSPAWN_VOLATILE_NO, c);
	if (r == 0 && (want & INSP_WANT_FILES))
		r = nspawn_add_mounts(&o, c);
	if (r == 0 && (want & INSP_WANT_DETAIL))
		r = container_set(&c->hostname, o.hostname ? o.hostname : c->name);
	if (r == 0 && (want & INSP_WANT_DETAIL))
		r = container_set(&c->command, o.command);
	/* systemd-nspawn@.service boots it */
	if (r == 0 && (want & INSP_WANT_CONFIG))
		r = oci_process_of_command(o.command, "/sbin/init", &c->process);
	return r;
}

static int add_machine(struct nspawn_scan *s, const char *dir, const struct stat *dir_st,
		       const char *name, bool is_tree)
{
	_cleanup_container_ struct insp_container *c = container_new(NSPAWN_NAME, name);
	_cleanup_free_ char *tree = is_tree ? str_format("%s/%s", dir, name) : NULL;
	int r = c && (tree || !is_tree) ? container_set(&c->store, dir) : -ENOMEM;

	if (r < 0)
		return r;
	c->owner = dir_st->st_uid;
	c->state = INSP_STATE_EXITED;
	r = fill_stopped(s, tree, c);
	return r < 0 ? r : engine_scan_add(s->scan, TAKE_PTR(c));
}

static bool is_running(const struct nspawn_scan *s, const struct stat *tree, const char *name)
{
	return is_used(s, tree) || is_listed(s, name);
}

static int look_at_entry(struct nspawn_scan *s, const char *dir, int fd, const struct stat *dir_st,
			 const char *file)
{
	_cleanup_free_ char *name = NULL;
	struct stat st;
	size_t n;
	int r = 0;

	if (fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
		return 0;
	n = nspawn_name_len(file, S_ISDIR(st.st_mode));
	if (n == 0)
		return 0;
	name = strndup(file, n);
	if (!name)
		return -ENOMEM;
	if (!engine_scan_wants(s->scan, name, name) || is_running(s, &st, name))
		return 0;
	if (!s->walked && may_run(s, &st))
		r = nspawn_walk(s);
	if (r < 0 || is_running(s, &st, name))
		return r;
	return add_machine(s, dir, dir_st, name, S_ISDIR(st.st_mode));
}

int nspawn_add_machines(struct nspawn_scan *s, const char *path, bool must_be)
{
	_cleanup_close_ int fd = sys_open_dir(s->scan->sys, path);
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	struct insp_err err = { 0 };
	struct stat st;
	int r = fd < 0 ? fd : io_dir_of(fd, &dir);

	if (r == -ENOMEM || (r == -ENOENT && !must_be))
		return r == -ENOMEM ? r : 0;
	if (r < 0 || fstat(fd, &st) < 0) {
		insp_err_set(&err, r, NSPAWN_NAME ": open '%s'", path);
		if (r == -EACCES)
			insp_err_hint(&err, "its machines are root's: run this as root");
		engine_scan_fail(s->scan, &err);
		return 0;
	}
	r = 0;
	for_each_entry (de, dir) {
		if (r < 0 || engine_scan_spend(s->scan, st.st_uid, path, 0) == 0)
			break;
		r = look_at_entry(s, path, fd, &st, de->d_name);
	}
	return r;
}

/* ---- ---- */

/* A value of the registry's file: "KEY=VALUE" lines of systemd's env-file form. */
static const char *line_value(char *text, const char *key)
{
	size_t n = strlen(key);

	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) == 0 && line[n] == '=')
			return line + n + 1;
	}
	return NULL;
}

/*
 * A machine that is registered with systemd-machined, without a walk: its leader's parent is the supervisor. The file's
 * word is not enough: the parent has to be one.
 */
static int add_registered(struct nspawn_scan *s, const char *name)
{
	_cleanup_close_ int fd = sys_open_dir(s->scan->sys, REGISTRY);
	_cleanup_io_buf_ struct io_buf b = { 0 };
	const char *leader;
	struct pid_stat st;
	pid_t pid;

	if (fd < 0 || strchr(name, '/') || io_read_file(fd, name, IO_SMALL_MAX, &b, NULL) < 0)
		return 0;
	leader = line_value(b.data, "LEADER");
	pid = leader ? (pid_t)strtol(leader, NULL, 10) : 0;
	if (pid <= 1 || pid_read_stat(s->scan->sys->procfd, pid, &st) < 0)
		return 0;
	s->registered = st.ppid;
	return nspawn_add_running(s, st.ppid);
}

static int scan_all(struct nspawn_scan *s)
{
	struct engine_scan *scan = s->scan;
	const struct insp_sys *sys = scan->sys;
	int r = 0;

	if (sys->live && scan->may_walk)
		r = nspawn_walk(s);
	else if (sys->live && scan->match.ref && !scan->match.by_id_only)
		r = add_registered(s, scan->match.ref);
	if (r < 0 || !(scan->want & INSP_WANT_STOPPED))
		return r;
	r = nspawn_add_machines(s, MACHINES, false);
	for (size_t i = 0; r == 0 && i < sys->n_stores; i++)
		if (str_eq(sys->stores[i].engine, NSPAWN_NAME))
			r = nspawn_add_machines(s, sys->stores[i].path, true);
	return r;
}

static int scan_nspawn(struct engine_scan *scan)
{
	struct nspawn_scan s = { .scan = scan };
	int r = scan_all(&s);

	freezer_done(&s.freezer);
	free(s.used);
	return r;
}

static const char *const cgroup_marks[] = { "/machine-", "/systemd-nspawn@", NULL };

const struct engine engine_nspawn = {
	.name = NSPAWN_NAME,
	.scan = scan_nspawn,
	.cgroup_marks = cgroup_marks,
};
