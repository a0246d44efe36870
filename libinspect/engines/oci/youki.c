/*
 * youki's own records: ROOT/ID/state.json, and youki_config.json beside it. crates/libcontainer/src/container/state.rs
 * and config.rs; not seen on a real host. docs/formats/youki.md.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/spec.h"
#include "libinspect/engines/oci/store.h"
#include "libinspect/kernel/pid.h"

#define NAME	    "youki"
#define STATE_FILE  "state.json"
#define CONFIG_FILE "config.json" /* of the bundle */

/* The record is written at create and at start, when its process is there already. */
#define START_NS (120LL * 1000000000)
#define CLOCK_NS (2LL * 1000000000)

static bool is_status(const json_t *state, const char *status)
{
	const char *s = json_str_at(state, "status");

	return s && strcasecmp(s, status) == 0;
}

/*
 * The record has no start time in ticks, only `created`: the init is made a moment after. 0: another process got its pid,
 * or it is gone; then its cgroup may still prove it.
 */
static uint64_t start_of(const struct insp_sys *sys, pid_t pid, const json_t *state)
{
	const char *created = json_str_at(state, "created");
	struct pid_stat st;
	int64_t made, start;

	if (!sys->live || !created || str_to_time(created, &made) < 0 ||
	    pid_read_stat(sys->procfd, pid, &st) < 0)
		return 0;
	start = insp_sys_ticks_to_time(sys, st.start);
	return start >= made - START_NS && start <= made + CLOCK_NS ? st.start : 0;
}

static int set_state(const struct store_root *root, int fd, const json_t *state,
		     struct insp_container *c)
{
	int64_t pid = json_int_at(state, "pid", 0);
	struct runtime_init init = { 0 };
	bool created = is_status(state, "created") || is_status(state, "creating");
	int r;

	if (pid <= 0 || pid > INT32_MAX)
		return store_set_state(root, fd, NULL, c);
	init.pid = (pid_t)pid;
	init.start = start_of(root->scan->sys, init.pid, state);
	r = store_set_state(root, fd, &init, c);
	/* its fifo is called otherwise in each version: the record is as good */
	if (r == 0 && created && (c->pid > 0 || !root->scan->sys->live)) {
		c->state = INSP_STATE_CREATED;
		c->started = 0;
	}
	return r;
}

/* Root's bundles only: a user's could lead anywhere. */
static int read_bundle(const struct store_root *root, const char *bundle, struct insp_container *c)
{
	_cleanup_json_ json_t *config = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (root->owner != 0 || !bundle)
		return 0;
	fd = sys_open_dir(root->scan->sys, bundle);
	if (fd < 0 || json_read_file(fd, CONFIG_FILE, IO_STATE_MAX, &config, NULL) < 0)
		return 0;
	r = oci_spec_fill(config, root->scan->want, c);
	return r < 0 || c->rootfs ? r : oci_spec_rootfs(config, bundle, &c->rootfs);
}

static int fill(const struct store_root *root, int fd, const json_t *state,
		struct insp_container *c)
{
	int r = store_fill(root, c, json_str_at(state, "created"), NULL);

	if (r == 0 && (root->scan->want & INSP_WANT_DETAIL))
		r = runtime_add_labels(c, json_at(state, "annotations"));
	if (r == 0 && (root->scan->want & (INSP_WANT_DETAIL | INSP_WANT_FILES)))
		r = read_bundle(root, json_str_at(state, "bundle"), c);
	return r < 0 ? r : set_state(root, fd, state, c);
}

static const struct store_format format = {
	.file = STATE_FILE,
	.fill = fill,
};

static const struct runtime runtime_youki = {
	.name = NAME,
	.root = "/run/youki",
	.user_dir = "youki",
};

static int scan_youki(struct engine_scan *scan)
{
	return store_scan(scan, &runtime_youki, &format);
}

const struct engine engine_youki = { .name = NAME, .scan = scan_youki, .below = true };
