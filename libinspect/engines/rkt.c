/*
 * rkt's pods: DIR/pods/PHASE/UUID. The phase and a lock on the directory are all the state there is: whether the lock is
 * held is read from /proc/locks, without taking it. A pod is one container here: its apps share all but their root.
 * docs/formats/rkt.md. Not seen on a real rkt.
 */
#include "libinspect/engines/rkt.h"
#include "libinspect/base/io.h"
#include "libinspect/base/json.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"
#include "libinspect/engines/oci/runtime.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/span.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#define NAME	 "rkt"
#define ROOT	 "/var/lib/rkt"
#define UUID_LEN 36

static int add_annotations(const json_t *manifest, struct insp_container *c)
{
	const json_t *list = json_object_get(manifest, "annotations");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *a = json_array_get(list, i);
		const char *key = json_str_at(a, "name"), *value = json_str_at(a, "value");

		if (key && container_add_label(c, key, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

int rkt_fill_manifest(const char *buf, size_t len, unsigned want, struct insp_container *c,
		      char **ret_app, struct insp_err *err)
{
	_cleanup_json_ json_t *manifest = NULL;
	_cleanup_free_ char *only = NULL;
	const json_t *apps, *app;
	const char *name, *id;
	int r = json_parse(buf, len, &manifest, err);

	if (r < 0)
		return r;
	if (!json_is_object(manifest))
		return insp_err_say(err, -EBADMSG, "not a JSON object");
	apps = json_object_get(manifest, "apps");
	app = json_array_size(apps) == 1 ? json_array_get(apps, 0) : NULL;
	name = json_str_at(app, "name");
	id = json_str_at(app, "image.id");
	only = str_dup(name);
	if ((name && (!only || container_set(&c->name, name) < 0)) ||
	    container_set(&c->image, json_str_at(app, "image.name")) < 0 ||
	    container_set(&c->image_id, id) < 0)
		return -ENOMEM;
	if (want & INSP_WANT_DETAIL) {
		c->command = runtime_join_args(json_at(app, "app.exec"));
		r = add_annotations(manifest, c);
		if (r < 0)
			return r;
	}
	*ret_app = TAKE_PTR(only);
	return 0;
}

/* "1: FLOCK  ADVISORY  WRITE 4711 08:01:131075 0 EOF"; of one that waits there is "->" behind the number. */
pid_t rkt_lock_holder(const char *buf, size_t len, dev_t dev, ino_t ino)
{
	struct span s = span_of(buf, len), line;

	while (span_line(&s, &line)) {
		uint64_t number, major_, minor_, inode;
		int pid;

		if (!span_u64(&line, &number) || !span_after(&line, ": FLOCK") ||
		    !span_skip_words(&line, 1))
			continue;
		span_blanks(&line);
		if (!span_after(&line, "WRITE") || !span_int(&line, &pid) ||
		    !span_number(&line, 16, UINT32_MAX, &major_) || !span_after(&line, ":") ||
		    !span_number(&line, 16, UINT32_MAX, &minor_) || !span_after(&line, ":") ||
		    !span_u64(&line, &inode))
			continue;
		if (major_ == major(dev) && minor_ == minor(dev) && inode == ino)
			return pid;
	}
	return 0;
}

/* ---- one pod ---- */

struct pods {
	struct engine_scan *scan;
	const char *path; /* of rkt's data directory */
	const char *phase;
	int fd; /* on DIR/pods/PHASE */
	uid_t owner;
	struct io_buf *locks; /* /proc/locks */
};

static pid_t read_pid(int podfd, const char *file)
{
	char buf[32];
	pid_t pid;

	if (io_read_small(podfd, file, buf, sizeof(buf)) <= 0)
		return 0;
	buf[strcspn(buf, "\n")] = '\0';
	return str_to_pid(buf, &pid) < 0 ? 0 : pid;
}

/* The only child of a process; 0: none, or several. */
static pid_t only_child(const struct insp_sys *sys, pid_t parent)
{
	char path[64], buf[64];
	pid_t pid;

	snprintf(path, sizeof(path), "%d/task/%d/children", (int)parent, (int)parent);
	if (parent <= 0 || io_read_small(sys->procfd, path, buf, sizeof(buf)) <= 0)
		return 0;
	buf[strcspn(buf, " ")] = '\0';
	return str_to_pid(buf, &pid) < 0 ? 0 : pid;
}

/*
 * The init: by the file pid, or the child of the one in ppid. Believed when the process that holds the pod's lock is it or
 * its parent: the lock is the kernel's word, and goes with its process.
 */
static int claim(const struct pods *p, int podfd, pid_t holder, struct insp_container *c)
{
	const struct insp_sys *sys = p->scan->sys;
	pid_t pid = read_pid(podfd, "pid");
	struct pid_stat st;

	if (pid == 0)
		pid = only_child(sys, read_pid(podfd, "ppid"));
	if (pid == 0 || pid_read_stat(sys->procfd, pid, &st) < 0 ||
	    (pid != holder && st.ppid != holder))
		return 0;
	return engine_claim_init(p->scan, c, pid, st.start);
}

/* stage1/rootfs/rkt/status/APP, or where the overlay that was mounted there has it. Nothing is followed. */
static int read_status(int fd, const char *const *path, const char *app)
{
	_cleanup_close_ int at = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	uint64_t code;
	char buf[32];

	for (; at >= 0 && *path; path++) {
		int next = io_open_dir(at, *path);

		util_close(at);
		at = next;
	}
	if (at < 0 || strchr(app, '/') || io_read_small(at, app, buf, sizeof(buf)) <= 0)
		return INSP_EXIT_UNSET;
	buf[strcspn(buf, "\n")] = '\0';
	return str_to_u64(buf, &code) < 0 || code > 255 ? INSP_EXIT_UNSET : (int)code;
}

static int exit_code(int podfd, const char *app)
{
	static const char *const plain[] = { "stage1", "rootfs", "rkt", "status", NULL };
	static const char *const upper[] = { "upper", "rkt", "status", NULL };
	_cleanup_close_ int overlay = -EBADF;
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int code = app ? read_status(podfd, plain, app) : INSP_EXIT_UNSET;

	if (!app || code != INSP_EXIT_UNSET)
		return code;
	overlay = io_open_dir(podfd, "overlay");
	if (overlay < 0 || io_dir_of(overlay, &dir) < 0)
		return INSP_EXIT_UNSET;
	for_each_entry (de, dir) {
		_cleanup_close_ int fd = io_open_dir(overlay, de->d_name);

		code = fd < 0 ? INSP_EXIT_UNSET : read_status(fd, upper, app);
		if (code != INSP_EXIT_UNSET)
			break;
	}
	return code;
}

static int fill_state(const struct pods *p, int podfd, const char *app, struct insp_container *c)
{
	struct stat st;
	pid_t holder = 0;
	int r;

	c->state = INSP_STATE_CREATED;
	if (str_eq(p->phase, "prepared"))
		return 0;
	c->state = INSP_STATE_EXITED;
	if (str_eq(p->phase, "run") && p->locks->data && fstat(podfd, &st) == 0)
		holder = rkt_lock_holder(p->locks->data, p->locks->len, st.st_dev, st.st_ino);
	if (holder > 0) {
		r = claim(p, podfd, holder, c);
		if (r < 0)
			return r;
		c->state = INSP_STATE_RUNNING;
		if (r > 0)
			c->started = insp_sys_ticks_to_time(p->scan->sys, c->pid_start);
		return 0;
	}
	c->exit_code = exit_code(podfd, app);
	return 0;
}

/* With an overlay the upper directory is of stage1, and each app has its own: only a whole tree is one container's. */
static int fill_files(const struct pods *p, int podfd, struct insp_container *c)
{
	_cleanup_layers_ struct insp_layers *l = NULL;
	_cleanup_close_ int stage1 = io_open_dir(podfd, "stage1");

	if (stage1 < 0 || faccessat(podfd, "overlay", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	    faccessat(stage1, "rootfs", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	l = container_layers_new(INSP_ROOT_DIR);
	if (l)
		l->upper = str_format("%s/pods/%s/%s/stage1/rootfs", p->path, p->phase, c->id);
	if (!l || !l->upper)
		return -ENOMEM;
	c->layers = TAKE_PTR(l);
	return 0;
}

static int fill(const struct pods *p, int podfd, struct insp_container *c, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	_cleanup_free_ char *app = NULL;
	int r = io_read_file(podfd, "pod", IO_STATE_MAX, &b, err);

	c->owner = p->owner;
	if (r < 0)
		return r;
	r = rkt_fill_manifest(b.data, b.len, p->scan->want, c, &app, err);
	if (r < 0)
		return insp_err_wrap(err, r, "read 'pod'");
	if (container_set(&c->store, p->path) < 0 || container_set(&c->pod, c->id) < 0)
		return -ENOMEM;
	r = fill_state(p, podfd, app, c);
	if (r == 0 && p->scan->want & INSP_WANT_FILES)
		r = fill_files(p, podfd, c);
	return r;
}

static bool is_uuid(const char *s)
{
	return strlen(s) == UUID_LEN && strspn(s, "0123456789abcdef-") == UUID_LEN;
}

static int add_pod(const struct pods *p, const char *uuid)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_close_ int podfd = io_open_dir(p->fd, uuid);
	struct insp_err err = { 0 };
	int r;

	if (podfd < 0 && podfd != -EACCES)
		return 0;
	c = container_new(NAME, uuid);
	if (!c)
		return -ENOMEM;
	r = podfd < 0 ? insp_err_set(&err, podfd, "open it") : fill(p, podfd, c, &err);
	/* it is being prepared or removed */
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOMEM ? r : 0;
	if (r < 0) {
		insp_err_wrap(&err, r, NAME " pod %.8s", uuid);
		engine_scan_fail(p->scan, &err);
		return 0;
	}
	return engine_scan_add(p->scan, TAKE_PTR(c));
}

static int scan_phase(struct pods *p, int podsfd)
{
	_cleanup_close_ int fd = io_open_dir(podsfd, p->phase);
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || io_dir_of(fd, &dir) < 0)
		return 0;
	p->fd = fd;
	p->owner = st.st_uid;
	for_each_entry (de, dir) {
		int r;

		if (!is_uuid(de->d_name) || !engine_scan_wants(p->scan, de->d_name, NULL))
			continue;
		r = add_pod(p, de->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int scan_root(struct engine_scan *scan, const char *path, bool must_be)
{
	static const char *const phases[] = { "prepared", "run", "exited-garbage" };
	_cleanup_close_ int root = sys_open_dir(scan->sys, path);
	_cleanup_close_ int podsfd = root < 0 ? root : io_open_dir(root, "pods");
	_cleanup_io_buf_ struct io_buf locks = { 0 };
	struct pods p = { .scan = scan, .path = path, .locks = &locks };
	struct insp_err err = { 0 };
	int r = 0;

	if (podsfd == -ENOENT && !must_be)
		return 0;
	if (podsfd < 0) {
		insp_err_set(&err, podsfd, NAME " store: open '%s'", path);
		if (podsfd == -EACCES)
			insp_err_hint(&err, "its containers are root's: run this as root");
		engine_scan_fail(scan, &err);
		return podsfd == -ENOMEM ? podsfd : 0;
	}
	if (scan->sys->live && io_read_proc(scan->sys->procfd, "locks", IO_PROC_MAX, &locks) < 0)
		locks = (struct io_buf){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(phases) && r == 0; i++) {
		p.phase = phases[i];
		r = scan_phase(&p, podsfd);
	}
	return r;
}

static int scan_rkt(struct engine_scan *scan)
{
	const struct insp_sys *sys = scan->sys;
	int r = scan_root(scan, ROOT, false);

	for (size_t i = 0; i < sys->n_stores && r == 0; i++)
		if (str_eq(sys->stores[i].engine, NAME))
			r = scan_root(scan, sys->stores[i].path, true);
	return r;
}

const struct engine engine_rkt = { .name = NAME, .scan = scan_rkt };
