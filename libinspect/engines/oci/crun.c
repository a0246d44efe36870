/*
 * crun's own records: ROOT/ID/status, written at create, and config.json, a copy of the bundle's. No exit code is
 * kept; the record goes with the container. docs/formats/crun.md.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/spec.h"
#include "libinspect/engines/oci/store.h"

#define NAME	    "crun"
#define STATUS_FILE "status"
#define CONFIG_FILE "config.json"

static int parse_init(const json_t *status, struct runtime_init *ret)
{
	int64_t pid = json_int_at(status, "pid", 0);
	int64_t start = json_int_at(status, "process-start-time", 0);

	if (pid <= 0 || pid > INT32_MAX || start <= 0)
		return -EBADMSG;
	*ret = (struct runtime_init){ .pid = (pid_t)pid, .start = (uint64_t)start };
	return 0;
}

static int read_init(int recordfd, size_t max, struct runtime_init *ret)
{
	_cleanup_json_ json_t *status = NULL;
	int r = json_read_file(recordfd, STATUS_FILE, max, &status, NULL);

	return r < 0 ? r : parse_init(status, ret);
}

const struct runtime runtime_crun = {
	.name = NAME,
	.root = "/run/crun",
	.user_dir = "crun",
	.small_record = true,
	.read_init = read_init,
};

/* rootfs is as the bundle's config.json has it: mostly relative to the bundle. Text to be shown, not to be opened. */
static int rootfs_path(const json_t *status, char **ret)
{
	const char *rootfs = json_str_at(status, "rootfs"), *bundle = json_str_at(status, "bundle");
	char *path;

	if (!rootfs || (rootfs[0] != '/' && !bundle))
		return 0;
	path = rootfs[0] == '/' ? str_dup(rootfs) : str_format("%s/%s", bundle, rootfs);
	if (!path)
		return -ENOMEM;
	*ret = path;
	return 0;
}

static int read_config(const struct store_root *root, int fd, struct insp_container *c)
{
	_cleanup_json_ json_t *config = NULL;
	struct insp_err err = { 0 };
	int r = store_read_json(root, fd, CONFIG_FILE, NULL, &config, &err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return store_record_fail(root, c->id, r, &err);
	r = oci_spec_fill(config, root->scan->want, c);
	if (r < 0 || !(root->scan->want & INSP_WANT_DETAIL))
		return r;
	return runtime_add_labels(c, json_at(config, "annotations"));
}

static int fill(const struct store_root *root, int fd, const json_t *status,
		struct insp_container *c)
{
	_cleanup_free_ char *rootfs = NULL;
	struct runtime_init init;
	bool known = parse_init(status, &init) == 0;
	int r = rootfs_path(status, &rootfs);

	if (r == 0)
		r = store_fill(root, c, json_str_at(status, "created"), rootfs);
	if (r == 0 && (root->scan->want & (INSP_WANT_DETAIL | INSP_WANT_FILES)))
		r = read_config(root, fd, c);
	return r < 0 ? r : store_set_state(root, fd, known ? &init : NULL, c);
}

static const struct store_format format = {
	.file = STATUS_FILE,
	.fill = fill,
};

static int scan_crun(struct engine_scan *scan)
{
	return store_scan(scan, &runtime_crun, &format);
}

const struct engine engine_crun = { .name = NAME, .scan = scan_crun, .below = true };
