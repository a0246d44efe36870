/*
 * CRI-O: graph roots of containers-storage, shared with others; its own records have a pod in their metadata. Each has
 * userdata/{config.json,state.json} below the graph root; config.json's annotations tell what Kubernetes asked for.
 * docs/formats/cri-o.md. Not seen on a real CRI-O.
 */
#include "libinspect/engines/crio.h"
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/freezer.h"
#include "libinspect/engines/oci/runtime.h"
#include "libinspect/engines/oci/spec.h"
#include "libinspect/engines/storage/storage.h"

#define NAME	 "cri-o"
#define EXITS	 "/var/run/crio/exits"
#define OWN	 "io.kubernetes.cri-o."
#define RUN_ROOT "/run/containers/storage"
#define POD_KEY \
	"pod-" /* "pod-name", "pod-id": in the metadata of its records and of nobody else's */

static int64_t time_at(const json_t *j, const char *key)
{
	const char *text = json_str_at(j, key);
	int64_t t = 0;

	/* Go's zero time is the year 1 */
	return text && str_to_time(text, &t) == 0 && t > 0 ? t : 0;
}

int crio_parse_state(const char *buf, size_t len, struct crio_state *ret, struct insp_err *err)
{
	struct crio_state st = { .exit_code = INSP_EXIT_UNSET };
	_cleanup_json_ json_t *j = NULL;
	const char *status, *start;
	int64_t pid, code;
	int r = json_parse(buf, len, &j, err);

	if (r < 0)
		return r;
	if (!json_is_object(j))
		return insp_err_say(err, -EBADMSG, "not a JSON object");
	status = json_str_at(j, "status");
	st.created_only = str_eq(status, "created") || str_eq(status, "creating");
	st.ended = str_eq(status, "stopped");
	st.created = time_at(j, "created");
	st.started = time_at(j, "started");
	st.finished = time_at(j, "finished");
	pid = json_int_at(j, "initPid", json_int_at(j, "pid", 0));
	st.pid = pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
	/* a string since 1.20, a number before */
	start = json_str_at(j, "initStartTime");
	if (!start || str_to_u64(start, &st.start) < 0)
		st.start = (uint64_t)MAX_OF(json_int_at(j, "initStartTime", 0), 0);
	code = json_int_at(j, "exitCode", -1);
	if (st.ended && code >= 0 && code <= 255)
		st.exit_code = (int)code;
	*ret = st;
	return 0;
}

/* Dots are part of the keys: json_at() would take them for a path. */
static const char *note(const json_t *config, const char *key)
{
	const json_t *notes = json_object_get(config, "annotations");
	const char *text = json_string_value(json_object_get(notes, key));

	return text && *text ? text : NULL;
}

static const char *first_of(const char *a, const char *b)
{
	return a ? a : b;
}

/* "io.kubernetes.cri-o.Labels" is a JSON object of its own. */
static int add_labels(const json_t *config, struct insp_container *c)
{
	const char *text = note(config, OWN "Labels");
	_cleanup_json_ json_t *labels = NULL;

	if (!text || json_parse(text, strlen(text), &labels, NULL) < 0)
		return 0;
	return runtime_add_labels(c, labels);
}

int crio_fill_annotations(const json_t *config, unsigned want, struct insp_container *c)
{
	const char *pod = note(config, "io.kubernetes.pod.name");
	const char *name = note(config, "io.kubernetes.container.name");
	const char *attempt = note(config, "io.kubernetes.container.restartCount");
	uint64_t restarts;

	c->infra = c->unlisted = str_eq(note(config, OWN "ContainerType"), "sandbox");
	if (container_set(&c->pod, first_of(pod, c->pod)) < 0 ||
	    container_set(&c->pod_namespace, first_of(note(config, "io.kubernetes.pod.namespace"),
						      c->pod_namespace)) < 0 ||
	    container_set(&c->image, first_of(note(config, OWN "ImageName"), c->image)) < 0)
		return -ENOMEM;
	/* a sandbox is called by its pod, as crictl shows it */
	name = c->infra ? c->pod : name;
	if (name && container_set(&c->name, name) < 0)
		return -ENOMEM;
	if (attempt && str_to_u64(attempt, &restarts) == 0 && restarts <= INT32_MAX)
		c->restarts = (int)restarts;
	if (!(want & INSP_WANT_DETAIL))
		return 0;
	if (container_set(&c->log_path, note(config, OWN "LogPath")) < 0 ||
	    container_set(&c->hostname, note(config, OWN "HostName")) < 0)
		return -ENOMEM;
	for (int i = 0; i < 2; i++)
		if (container_add_address(c, note(config, i ? OWN "IP.1" : OWN "IP.0")) < 0)
			return -ENOMEM;
	return add_labels(config, c);
}

/* ---- one record ---- */

struct place {
	struct engine_scan *scan;
	struct storage_root *root;
	const struct storage_record *record;
	int userdata, rundata; /* either may be missing */
	struct freezer *freezer;
};

static int fail(const struct place *p, int r, struct insp_err *err)
{
	if (r == -ENOMEM)
		return r;
	insp_err_wrap(err, r, NAME " container %.12s", p->record->id);
	engine_scan_fail(p->scan, err);
	return 0;
}

static int read_config(const struct place *p, json_t **ret, struct insp_err *err)
{
	size_t max = storage_json_max(p->root);
	int r = -ENOENT;

	if (p->userdata >= 0)
		r = json_read_file(p->userdata, "config.json", max, ret, err);
	if (r == -ENOENT && p->rundata >= 0)
		r = json_read_file(p->rundata, "config.json", max, ret, err);
	return r;
}

/* 1 read, 0 there is none. */
static int read_state(const struct place *p, struct crio_state *ret, struct insp_err *err)
{
	const int dirs[] = { p->userdata, p->rundata };
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && r == -ENOENT; i++)
		if (dirs[i] >= 0)
			r = io_read_file(dirs[i], "state.json", storage_json_max(p->root), &b, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = crio_parse_state(b.data, b.len, ret, err);
	return r < 0 ? insp_err_wrap(err, r, "read 'state.json'") : 1;
}

/* The monitor writes the code of a container that ended while the daemon was away. */
static void read_exit(const struct place *p, struct insp_container *c)
{
	_cleanup_close_ int exits = storage_open_dir(p->root, EXITS);
	char buf[32];
	uint64_t code;

	if (exits < 0 || io_read_small(exits, c->id, buf, sizeof(buf)) <= 0)
		return;
	buf[strcspn(buf, "\n")] = '\0';
	if (str_to_u64(buf, &code) == 0 && code <= 255)
		c->exit_code = (int)code;
}

static pid_t read_pidfile(const struct place *p)
{
	char buf[32];
	pid_t pid;

	if (p->rundata < 0 || io_read_small(p->rundata, "pidfile", buf, sizeof(buf)) <= 0)
		return 0;
	buf[strcspn(buf, "\n")] = '\0';
	return str_to_pid(buf, &pid) < 0 ? 0 : pid;
}

static int fill_state(const struct place *p, bool has_state, const struct crio_state *st,
		      struct insp_container *c)
{
	pid_t pid = has_state && st->pid ? st->pid : read_pidfile(p);
	int r = has_state && st->ended
			? 0
			: engine_claim_init(p->scan, c, pid, has_state ? st->start : 0);

	if (r < 0)
		return r;
	if (has_state) {
		c->created = st->created ? st->created : c->created;
		c->started = st->started;
		c->finished = st->finished;
		c->exit_code = st->exit_code;
	}
	if (r > 0) {
		c->state = freezer_frozen(p->freezer, p->scan, c->pid) ? INSP_STATE_PAUSED
								       : INSP_STATE_RUNNING;
		if (has_state && st->created_only)
			c->state = INSP_STATE_CREATED;
		return 0;
	}
	c->state = !has_state || st->created_only ? INSP_STATE_CREATED : INSP_STATE_EXITED;
	if (c->state == INSP_STATE_EXITED && c->exit_code == INSP_EXIT_UNSET)
		read_exit(p, c);
	return 0;
}

/* What the storage's own record says, where config.json does not. */
static int fill_metadata(const struct place *p, const json_t *meta, struct insp_container *c)
{
	const char *name = first_of(json_str_at(meta, "metadata-name"), json_str_at(meta, "name"));

	c->owner = p->root->owner;
	c->created = p->record->created;
	c->infra = c->unlisted = json_bool_at(meta, "pod");
	if (container_set(&c->name, first_of(name, c->id)) < 0 ||
	    container_set(&c->store, p->root->path) < 0 ||
	    container_set(&c->image, json_str_at(meta, "image-name")) < 0 ||
	    container_set(&c->image_id, p->record->image) < 0 ||
	    container_set(&c->pod, json_str_at(meta, "pod-name")) < 0 ||
	    container_set(&c->pod_namespace, json_str_at(meta, "namespace")) < 0)
		return -ENOMEM;
	return 0;
}

static int fill_config(const struct place *p, struct insp_container *c)
{
	_cleanup_json_ json_t *config = NULL;
	struct insp_err err = { 0 };
	int r = read_config(p, &config, &err);

	if (r < 0)
		return r == -ENOENT ? 0 : fail(p, r, &err);
	r = crio_fill_annotations(config, p->scan->want, c);
	return r < 0 ? r : oci_spec_fill(config, p->scan->want, c);
}

static int fill(const struct place *p, const json_t *meta, struct insp_container *c)
{
	struct crio_state st = { .exit_code = INSP_EXIT_UNSET };
	struct insp_err err = { 0 };
	int r = fill_metadata(p, meta, c), has_state = 0;

	if (r == 0)
		r = fill_config(p, c);
	if (r == 0) {
		has_state = read_state(p, &st, &err);
		r = has_state < 0 ? fail(p, has_state, &err) : 0;
	}
	/* a state that cannot be read tells nothing; the runtime's process may */
	if (r == 0)
		r = fill_state(p, has_state > 0, &st, c);
	if (r == 0 && has_state < 0 && c->pid == 0)
		c->state = INSP_STATE_UNKNOWN;
	if (r == 0 && p->scan->want & INSP_WANT_FILES)
		r = storage_fill_layers(p->root, p->record, c);
	return r;
}

struct store {
	struct engine_scan *scan;
	struct freezer freezer;
};

static int add_record(void *userdata, struct storage_root *root,
		      const struct storage_record *record)
{
	struct store *s = userdata;
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_json_ json_t *meta = NULL;
	_cleanup_close_ int userfd = -EBADF, runfd = -EBADF;
	int r;

	/* another engine's: not even to be parsed */
	if (!record->metadata || !strstr(record->metadata, POD_KEY))
		return 0;
	if (storage_metadata(record, &meta) < 0 ||
	    (!json_str_at(meta, "pod-name") && !json_str_at(meta, "pod-id")))
		return 0;
	/* the name that is shown is in config.json: of a name nothing is known before that is read */
	if (!engine_scan_wants(s->scan, record->id, NULL))
		return 0;
	c = container_new(NAME, record->id);
	if (!c)
		return -ENOMEM;
	userfd = storage_open_userdata(root, record);
	runfd = storage_open_rundata(root, root->run_root ? root->run_root : RUN_ROOT, record);

	struct place p = { s->scan, root, record, userfd, runfd, &s->freezer };

	r = fill(&p, meta, c);
	return r < 0 ? r : engine_scan_add(s->scan, TAKE_PTR(c));
}

static int scan_crio(struct engine_scan *scan)
{
	struct store s = { .scan = scan };
	const struct storage_roots *roots;
	int r = storage_roots(scan, &roots);

	for (size_t i = 0; r == 0 && i < roots->n; i++)
		r = storage_each_record(roots->items[i], POD_KEY, add_record, &s);
	freezer_done(&s.freezer);
	return r;
}

static const char *const cgroup_marks[] = { "/crio-", NULL };

const struct engine engine_crio = {
	.name = NAME,
	.scan = scan_crio,
	.storage = true,
	.cgroup_marks = cgroup_marks,
	.store_marks = storage_marks,
};
