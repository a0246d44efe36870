/*
 * runc's own records: ROOT/ID/state.json, written at create and never changed. It knows neither status nor exit
 * code: what runs is what the kernel says. docs/formats/runc.md.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/spec.h"
#include "libinspect/engines/oci/store.h"

#define NAME	   "runc"
#define STATE_FILE "state.json"

/* Most of the 30 KB of a state file is the OCI configuration's mounts, capabilities and seccomp rules. */
static const char *const state_members[] = {
	"init_process_pid", "init_process_start", "created", "config.rootfs",
	"config.labels",    "config.hostname",	  NULL,
};

static int parse_init(const json_t *state, struct runtime_init *ret)
{
	int64_t pid = json_int_at(state, "init_process_pid", 0);
	int64_t start = json_int_at(state, "init_process_start", 0);

	if (pid <= 0 || pid > INT32_MAX || start <= 0)
		return -EBADMSG;
	*ret = (struct runtime_init){ .pid = (pid_t)pid, .start = (uint64_t)start };
	return 0;
}

static int read_init(int recordfd, size_t max, struct runtime_init *ret)
{
	_cleanup_json_ json_t *state = NULL;
	int r = json_read_members(recordfd, STATE_FILE, max, state_members, &state, NULL);

	return r < 0 ? r : parse_init(state, ret);
}

const struct runtime runtime_runc = {
	.name = NAME,
	.root = "/run/runc",
	.user_dir = "runc",
	.read_init = read_init,
};

/* The directory that the container was created from: kept among the annotations, which are the user's. */
static const char *find_bundle(const json_t *labels)
{
	json_t *value;
	size_t i;

	json_array_foreach (labels, i, value) {
		const char *bundle = json_is_string(value)
					     ? str_after(json_string_value(value), "bundle=")
					     : NULL;

		if (bundle)
			return bundle;
	}
	return NULL;
}

/* The bundle's config.json has the command and the mounts; root's bundles only: a user's could lead anywhere. */
static int read_bundle(const struct store_root *root, const char *bundle, struct insp_container *c)
{
	_cleanup_json_ json_t *config = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (root->owner != 0 || !bundle)
		return 0;
	fd = sys_open_dir(root->scan->sys, bundle);
	if (fd < 0 || json_read_file(fd, "config.json", IO_STATE_MAX, &config, NULL) < 0)
		return 0;
	return oci_spec_fill(config, root->scan->want, c);
}

static int read_detail(const struct store_root *root, const json_t *state, struct insp_container *c)
{
	const json_t *labels = json_at(state, "config.labels");
	int r = 0;

	if (root->scan->want & INSP_WANT_DETAIL) {
		r = runtime_add_labels(c, labels);
		if (r == 0)
			r = container_set(&c->hostname, json_str_at(state, "config.hostname"));
	}
	return r < 0 ? r : read_bundle(root, find_bundle(labels), c);
}

static int fill(const struct store_root *root, int fd, const json_t *state,
		struct insp_container *c)
{
	struct runtime_init init;
	bool known = parse_init(state, &init) == 0;
	int r = store_fill(root, c, json_str_at(state, "created"),
			   json_str_at(state, "config.rootfs"));

	if (r == 0 && (root->scan->want & (INSP_WANT_DETAIL | INSP_WANT_FILES)))
		r = read_detail(root, state, c);
	return r < 0 ? r : store_set_state(root, fd, known ? &init : NULL, c);
}

static const struct store_format format = {
	.file = STATE_FILE,
	.members = state_members,
	.fill = fill,
};

static int scan_runc(struct engine_scan *scan)
{
	return store_scan(scan, &runtime_runc, &format);
}

const struct engine engine_runc = { .name = NAME, .scan = scan_runc, .below = true };
