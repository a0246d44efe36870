/*
 * OpenVZ and Virtuozzo: /etc/vz/conf/CTID.conf for every container, running or not; /proc/vz/veinfo names those that run.
 * docs/formats/openvz.md. Not seen on a real OpenVZ.
 */
#include "libinspect/engines/openvz.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/span.h"

#define NAME	     "openvz"
#define CONF_DIR     "/etc/vz/conf"
#define OLD_CONF_DIR "/etc/sysconfig/vz-scripts"
#define GLOBAL_CONF  "/etc/vz/vz.conf"
#define VEINFO	     "vz/veinfo"
#define CTID_MAX     64

void openvz_conf_free(struct openvz_conf *conf)
{
	free(conf->name);
	free(conf->hostname);
	free(conf->template);
	free(conf->private);
	free(conf->root);
	free(conf->addresses);
	free(conf->layout);
	*conf = (struct openvz_conf){ 0 };
}
#define _cleanup_openvz_conf_ _cleanup_(openvz_conf_free)

static int set_key(struct openvz_conf *conf, struct span key, struct span value)
{
	const struct {
		const char *name;
		char **field;
	} keys[] = {
		{ "NAME", &conf->name },	   { "HOSTNAME", &conf->hostname },
		{ "OSTEMPLATE", &conf->template }, { "VE_PRIVATE", &conf->private },
		{ "VE_ROOT", &conf->root },	   { "IP_ADDRESS", &conf->addresses },
		{ "VE_LAYOUT", &conf->layout },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strlen(keys[i].name) != span_len(&key) ||
		    memcmp(keys[i].name, key.p, span_len(&key)) != 0)
			continue;
		free(*keys[i].field);
		*keys[i].field = strndup(value.p, span_len(&value));
		return *keys[i].field ? 0 : -ENOMEM;
	}
	return 0;
}

int openvz_conf_parse(const char *buf, size_t len, struct openvz_conf *ret)
{
	_cleanup_openvz_conf_ struct openvz_conf conf = { 0 };
	struct span s = span_of(buf, len), line, key;

	while (span_line(&s, &line)) {
		const char *end;

		span_blanks(&line);
		if (!memchr(line.p, '=', span_len(&line)) || !span_until(&line, '=', &key))
			continue;
		if (span_len(&line) >= 1 && *line.p == '"') {
			end = memchr(line.p + 1, '"', span_len(&line) - 1);
			if (!end)
				continue;
			line = (struct span){ line.p + 1, end };
		}
		if (span_len(&line) == 0 || memchr(line.p, '\0', span_len(&line)))
			continue;
		if (set_key(&conf, key, line) < 0)
			return -ENOMEM;
	}
	*ret = conf;
	conf = (struct openvz_conf){ 0 };
	return 0;
}

char *openvz_expand(const char *text, const char *ctid)
{
	struct strbuf sb = { 0 };

	while (*text) {
		const char *rest = str_after(text, "$VEID");

		rest = rest ? rest : str_after(text, "${VEID}");
		if (rest) {
			strbuf_puts(&sb, ctid);
			text = rest;
		} else {
			strbuf_add(&sb, text++, 1);
		}
	}
	return strbuf_take(&sb);
}

bool openvz_is_listed(const char *buf, size_t len, const char *ctid)
{
	struct span s = span_of(buf, len), line;

	while (span_line(&s, &line)) {
		span_blanks(&line);
		if (span_after(&line, ctid) && (line.p == line.end || *line.p == ' '))
			return true;
	}
	return false;
}

bool openvz_parse_status(const char *buf, size_t len, char *ctid, size_t size, bool *ret_init)
{
	struct span s = span_of(buf, len), line;
	bool found = false;

	*ret_init = false;
	while (span_line(&s, &line)) {
		uint64_t pid;

		if (span_after(&line, "envID:")) {
			span_blanks(&line);
			found = span_len(&line) > 0 && span_len(&line) < size;
			if (found)
				snprintf(ctid, size, "%.*s", (int)span_len(&line), line.p);
		} else if (span_after(&line, "VPid:")) {
			*ret_init = span_u64(&line, &pid) && pid == 1;
		}
	}
	return found;
}

/* ---- a host's containers ---- */

struct vz {
	struct engine_scan *scan;
	const char *dir; /* of the configuration files */
	struct openvz_conf global;
	struct io_buf running; /* /proc/vz/veinfo */
};

static char *path_of(const char *own, const char *global, const char *fallback, const char *ctid)
{
	return openvz_expand(own ? own : global ? global : fallback, ctid);
}

/* Of a ploop container the tree is in an image file: nothing that could be listed. */
static int fill_layers(const struct vz *vz, const char *private, const char *layout,
		       struct insp_container *c)
{
	_cleanup_close_ int fd = sys_open_dir(vz->scan->sys, private);
	_cleanup_layers_ struct insp_layers *l = NULL;
	struct strbuf sb = { 0 };

	if (fd < 0 || str_starts(layout ? layout : "", "ploop") ||
	    faccessat(fd, "root.hdd", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	l = container_layers_new(INSP_ROOT_DIR);
	if (!l)
		return -ENOMEM;
	/* Virtuozzo keeps the tree apart from its own files */
	strbuf_puts(&sb, private);
	if (faccessat(fd, "fs", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    faccessat(fd, "etc", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		strbuf_puts(&sb, "/fs");
	l->upper = strbuf_take(&sb);
	if (!l->upper)
		return -ENOMEM;
	c->layers = TAKE_PTR(l);
	return 0;
}

static int fill_addresses(const char *text, struct insp_container *c)
{
	struct span s = span_of(text ? text : "", text ? strlen(text) : 0), word;

	while (span_until(&s, ' ', &word)) {
		_cleanup_free_ char *address = strndup(word.p, span_len(&word));

		if (!address || container_add_address(c, address) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int fill(const struct vz *vz, const struct openvz_conf *conf, struct insp_container *c)
{
	_cleanup_free_ char *private =
		path_of(conf->private, vz->global.private, "/vz/private/$VEID", c->id);
	_cleanup_free_ char *root = path_of(conf->root, vz->global.root, "/vz/root/$VEID", c->id);
	unsigned want = vz->scan->want;
	int r;

	if (!private || !root)
		return -ENOMEM;
	c->owner = 0;
	if (container_set(&c->name, conf->name ? conf->name : c->id) < 0 ||
	    container_set(&c->image, conf->template) < 0 ||
	    container_set(&c->hostname, conf->hostname) < 0 ||
	    container_set(&c->store, vz->dir) < 0 || container_set(&c->rootfs, root) < 0)
		return -ENOMEM;
	r = want & INSP_WANT_DETAIL ? fill_addresses(conf->addresses, c) : 0;
	if (r == 0 && want & INSP_WANT_FILES)
		r = fill_layers(vz, private, conf->layout, c);
	return r;
}

/* The init of a container that runs: the kernel's own status of a process says which container it is in. */
static int claim(const struct vz *vz, struct insp_container *c)
{
	const struct scan_procs *procs;
	int r = engine_scan_procs(vz->scan, &procs);

	for (size_t i = 0; r == 0 && i < procs->n; i++) {
		_cleanup_io_buf_ struct io_buf b = { 0 };
		char path[32], ctid[CTID_MAX];
		struct pid_stat st;
		bool init;

		snprintf(path, sizeof(path), "%d/status", (int)procs->items[i].pid);
		if (pid_read_stat(vz->scan->sys->procfd, procs->items[i].pid, &st) < 0 ||
		    io_read_proc(vz->scan->sys->procfd, path, IO_SMALL_MAX, &b) < 0 ||
		    !openvz_parse_status(b.data, b.len, ctid, sizeof(ctid), &init) || !init ||
		    !str_eq(ctid, c->id))
			continue;
		return engine_claim_init(vz->scan, c, procs->items[i].pid, st.start);
	}
	return r;
}

static int fill_state(const struct vz *vz, struct insp_container *c)
{
	int r;

	c->state = INSP_STATE_EXITED;
	if (!vz->running.data || !openvz_is_listed(vz->running.data, vz->running.len, c->id))
		return 0;
	/* the kernel's word, whether its init may be looked at or not */
	c->state = INSP_STATE_RUNNING;
	r = claim(vz, c);
	if (r > 0)
		c->started = insp_sys_ticks_to_time(vz->scan->sys, c->pid_start);
	return r < 0 ? r : 0;
}

static int read_conf(const struct insp_sys *sys, const char *path, struct openvz_conf *ret,
		     struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	/* Virtuozzo 7 links it to the container's private area: followed, below the host's root */
	_cleanup_close_ int fd = insp_open_regular_in_root(sys->rootfd, path);
	int r = fd < 0 ? fd : io_read_fd(fd, IO_SMALL_MAX, &b);

	if (r < 0)
		return insp_err_set(err, r, "read '%s'", path);
	return openvz_conf_parse(b.data, b.len, ret);
}

static int add_container(const struct vz *vz, const char *file, const char *ctid)
{
	_cleanup_openvz_conf_ struct openvz_conf conf = { 0 };
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_free_ char *path = str_format("%s/%s", vz->dir, file);
	struct insp_err err = { 0 };
	int r = path ? read_conf(vz->scan->sys, path, &conf, &err) : -ENOMEM;

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		insp_err_wrap(&err, r, NAME " container %s", ctid);
		engine_scan_fail(vz->scan, &err);
		return 0;
	}
	c = container_new(NAME, ctid);
	if (!c)
		return -ENOMEM;
	r = fill(vz, &conf, c);
	if (r == 0 && engine_scan_wants(vz->scan, c->id, c->name))
		r = fill_state(vz, c);
	return r < 0 ? r : engine_scan_add(vz->scan, TAKE_PTR(c));
}

/* "101.conf", or of Virtuozzo 7 a UUID; "0.conf" is the host's own, "vps.basic" a sample. */
static bool is_ctid(const char *file, char *ctid)
{
	size_t n = strlen(file) - (str_ends(file, ".conf") ? strlen(".conf") : strlen(file));

	if (n == 0 || n >= CTID_MAX || strspn(file, "0123456789abcdef-") != n)
		return false;
	memcpy(ctid, file, n);
	ctid[n] = '\0';
	return strcmp(ctid, "0") != 0 && (strchr(ctid, '-') || strspn(ctid, "0123456789") == n);
}

/* -ENOENT: it is not there, and need not be. */
static int scan_dir(struct vz *vz, bool must_be)
{
	_cleanup_close_ int fd = sys_open_dir(vz->scan->sys, vz->dir);
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	struct insp_err err = { 0 };
	char ctid[CTID_MAX];
	int r = fd < 0 ? fd : io_dir_of(fd, &dir);

	if (r == -ENOENT && !must_be)
		return r;
	if (r < 0) {
		insp_err_set(&err, r, NAME " store: open '%s'", vz->dir);
		engine_scan_fail(vz->scan, &err);
		return r == -ENOMEM ? r : 0;
	}
	if (vz->scan->sys->live && !vz->running.data &&
	    io_read_proc(vz->scan->sys->procfd, VEINFO, IO_STATE_MAX, &vz->running) < 0)
		vz->running = (struct io_buf){ 0 };
	(void)read_conf(vz->scan->sys, GLOBAL_CONF, &vz->global, NULL);
	for_each_entry (de, dir) {
		if (!is_ctid(de->d_name, ctid))
			continue;
		r = add_container(vz, de->d_name, ctid);
		if (r < 0)
			return r;
	}
	return 0;
}

static int scan_openvz(struct engine_scan *scan)
{
	const struct insp_sys *sys = scan->sys;
	struct vz vz = { .scan = scan };
	int r;

	/* where both are, one is a link to the other */
	vz.dir = CONF_DIR;
	r = scan_dir(&vz, false);
	if (r == -ENOENT) {
		vz.dir = OLD_CONF_DIR;
		r = scan_dir(&vz, false);
	}
	r = r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < sys->n_stores && r == 0; i++) {
		if (!str_eq(sys->stores[i].engine, NAME))
			continue;
		openvz_conf_free(&vz.global);
		vz.dir = sys->stores[i].path;
		r = scan_dir(&vz, true);
	}
	openvz_conf_free(&vz.global);
	io_buf_free(&vz.running);
	return r;
}

const struct engine engine_openvz = { .name = NAME, .scan = scan_openvz };
