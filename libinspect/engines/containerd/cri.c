/*
 * Kubernetes' containers and the pods' sandboxes: records of containerd in the CRI plugin's namespace, with the plugin's own
 * metadata in them and its status files beside. docs/formats/cri.md.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/containerd.h"

#define NAMESPACE     "k8s.io"
#define PLUGIN	      "io.containerd.grpc.v1.cri"
#define CONTAINER_EXT "io.cri-containerd.container.metadata"
#define SANDBOX_EXT   "io.cri-containerd.sandbox.metadata"

/* Of the metadata of either; most of it is how to make it. */
static const char *const members[] = { "Metadata.SandboxID",
				       "Metadata.Config",
				       "Metadata.ImageRef",
				       "Metadata.LogPath",
				       "Metadata.IP",
				       "Metadata.AdditionalIPs",
				       NULL };

int cri_status_parse(const char *data, size_t len, struct cri_status *ret, struct insp_err *err)
{
	static const char *const keys[] = { "CreatedAt", "StartedAt", "FinishedAt", "ExitCode",
					    NULL };
	_cleanup_json_ json_t *j = NULL;
	struct cri_status st = { .exit_code = INSP_EXIT_UNSET };
	int r = json_parse_members(data, len, keys, &j, err);
	int64_t code;

	if (r < 0)
		return r;
	st.created = MAX_OF(json_int_at(j, "CreatedAt", 0), (int64_t)0);
	st.started = MAX_OF(json_int_at(j, "StartedAt", 0), (int64_t)0);
	st.finished = MAX_OF(json_int_at(j, "FinishedAt", 0), (int64_t)0);
	code = json_int_at(j, "ExitCode", INSP_EXIT_UNSET);
	if (!json_object_get(j, "CreatedAt"))
		return insp_err_say(err, -EBADMSG, "no status");
	if (st.finished > 0 && code >= 0 && code <= 255)
		st.exit_code = (int)code;
	*ret = st;
	return 0;
}

/* {"protocol":1,"container_port":80,"host_port":8080,"host_ip":""}: what is zero is left out */
static int add_port(const json_t *p, struct insp_container *c)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	int64_t inside = json_int_at(p, "container_port", 0),
		outside = json_int_at(p, "host_port", 0), proto = json_int_at(p, "protocol", 0);
	const char *ip = json_str_at(p, "host_ip");
	struct insp_port port = { .host_port = (uint16_t)outside, .port = (uint16_t)inside };

	if (inside <= 0 || inside > UINT16_MAX || outside < 0 || outside > UINT16_MAX ||
	    proto < 0 || (size_t)proto >= ARRAY_SIZE(protocols))
		return 0;
	if (outside > 0)
		port.host_ip = (char *)(ip ? ip : "0.0.0.0");
	snprintf(port.proto, sizeof(port.proto), "%s", protocols[proto]);
	return container_add_port(c, &port);
}

/* What a pod is, in c: its sandbox, or a container of it. */
static int fill_pod(const json_t *config, struct insp_container *c)
{
	if (container_set(&c->pod, json_str_at(config, "metadata.name")) < 0 ||
	    container_set(&c->pod_namespace, json_str_at(config, "metadata.namespace")) < 0)
		return -ENOMEM;
	return c->hostname ? 0 : container_set(&c->hostname, json_str_at(config, "hostname"));
}

static int add_addresses(const json_t *metadata, struct insp_container *c)
{
	const json_t *more = json_at(metadata, "AdditionalIPs");
	int r = container_add_address(c, json_str_at(metadata, "IP"));

	for (size_t i = 0; r == 0 && i < json_array_size(more); i++)
		r = container_add_address(c, json_string_value(json_array_get(more, i)));
	return r;
}

static int fill_sandbox(const json_t *metadata, const json_t *config, unsigned want,
			struct insp_container *c)
{
	const json_t *ports = json_at(config, "port_mappings");
	int r = fill_pod(config, c);

	c->infra = c->unlisted = true;
	if (r == 0 && (want & INSP_WANT_DETAIL))
		r = add_addresses(metadata, c);
	for (size_t i = 0; r == 0 && (want & INSP_WANT_DETAIL) && i < json_array_size(ports); i++)
		r = add_port(json_array_get(ports, i), c);
	return r;
}

static int fill_container(const json_t *metadata, const json_t *config, struct insp_container *c)
{
	const char *ref = json_str_at(metadata, "ImageRef"),
		   *user = json_str_at(config, "image.user_specified_image");
	const char *hex = ref ? str_after(ref, "sha256:") : NULL;

	if (hex && str_is_hex(hex, 64) && container_set(&c->image_id, hex) < 0)
		return -ENOMEM;
	/* kubelet asks for images by their id */
	if (user && (!c->image || str_starts(c->image, "sha256:")) &&
	    container_set(&c->image, user) < 0)
		return -ENOMEM;
	return 0;
}

int cri_metadata_fill(const json_t *metadata, bool sandbox, unsigned want, struct insp_container *c)
{
	const json_t *config = json_at(metadata, "Config");
	const char *name = json_str_at(config, "metadata.name");
	int64_t attempt = json_int_at(config, "metadata.attempt", config ? 0 : INSP_COUNT_UNSET);

	if (attempt >= 0 && attempt <= INT32_MAX)
		c->restarts = (int)attempt;
	if (container_set(&c->name, name ? name : c->id) < 0)
		return -ENOMEM;
	return sandbox ? fill_sandbox(metadata, config, want, c)
		       : fill_container(metadata, config, c);
}

/* The plugin's metadata of a record as JSON; *ret is to be given back, the result stays its. NULL: damaged, which is noted. */
static const json_t *read_metadata(struct containerd_scan *cs, const char *id,
				   const struct bolt_bucket *record, const char *extension,
				   json_t **ret)
{
	struct insp_err err = { 0 };
	struct bolt_bucket b;
	struct bolt_slice v;
	int r = bolt_bucket(record, "extensions", &b);

	if (r == 0)
		r = bolt_get(&b, extension, &v);
	if (r < 0)
		insp_err_say(&err, r, "it has no metadata");
	else
		r = containerd_any_json(v, members, ret, &err);
	if (r == 0)
		return json_at(*ret, "Metadata");
	(void)containerd_record_fail(cs, id, r == -ENOMEM ? -EBADMSG : r, &err);
	return NULL;
}

/* The pod of a container by its sandbox's record. One that is being removed has none. */
static int fill_pod_of(struct containerd_scan *cs, const json_t *metadata, struct insp_container *c)
{
	const char *id = json_str_at(metadata, "SandboxID");
	_cleanup_json_ json_t *json = NULL;
	struct bolt_bucket b;

	if (!id || containerd_meta_namespaces(cs->meta, &b) < 0 ||
	    bolt_bucket(&b, NAMESPACE, &b) < 0 || bolt_bucket(&b, "containers", &b) < 0 ||
	    bolt_bucket(&b, id, &b) < 0)
		return 0;
	return fill_pod(json_at(read_metadata(cs, id, &b, SANDBOX_EXT, &json), "Config"), c);
}

static int read_status(const struct containerd_scan *cs, const char *id, struct cri_status *ret,
		       struct insp_err *err)
{
	_cleanup_free_ char *path = str_format(PLUGIN "/containers/%s", id);
	_cleanup_close_ int fd = -EBADF;
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r;

	if (!path)
		return -ENOMEM;
	fd = io_open_dir(cs->root->fd, path);
	r = fd < 0 ? fd : io_read_file(fd, "status", IO_SMALL_MAX, &b, err);
	return r < 0 ? r : cri_status_parse(b.data, b.len, ret, err);
}

/* The plugin notes the end of its containers and deletes their tasks; a process that lives is still more to be believed. */
static int fill_status(struct containerd_scan *cs, struct insp_container *c)
{
	struct cri_status st = { .exit_code = INSP_EXIT_UNSET };
	struct insp_err err = { 0 };
	int r = read_status(cs, c->id, &st, &err);

	if (r < 0) {
		if (c->pid == 0)
			c->state = INSP_STATE_UNKNOWN;
		return r == -ENOENT ? 0 : containerd_record_fail(cs, c->id, r, &err);
	}
	if (st.created)
		c->created = st.created;
	if (st.started)
		c->started = st.started;
	if (c->pid > 0)
		return 0;
	c->state = st.started || st.finished ? INSP_STATE_EXITED : INSP_STATE_CREATED;
	c->exit_code = st.exit_code;
	c->finished = st.finished;
	return 0;
}

static int fill_state(struct containerd_scan *cs, const struct containerd_record *rec,
		      struct insp_container *c)
{
	int r = containerd_task_state(cs, rec, c);

	if (r < 0)
		return r;
	if (!rec->sandbox)
		return fill_status(cs, c);
	/* a sandbox is made and started at once; one without a process is "not ready" */
	if (c->pid == 0)
		c->state = INSP_STATE_EXITED;
	return 0;
}

static int fill_log_path(const struct containerd_scan *cs, const json_t *metadata,
			 struct insp_container *c)
{
	const char *path = json_str_at(metadata, "LogPath");

	if (!path || path[0] != '/' || !(cs->scan->want & INSP_WANT_DETAIL))
		return 0;
	free(c->log_path);
	c->log_path = str_format("%s%s", cs->root->prefix, path);
	return c->log_path ? 0 : -ENOMEM;
}

static int fill(struct containerd_scan *cs, const struct containerd_record *rec,
		const json_t *metadata, struct insp_container *c)
{
	int r = containerd_record_fill(cs, rec, c);

	if (r == 0)
		r = cri_metadata_fill(metadata, rec->sandbox, cs->scan->want, c);
	if (r == 0 && !rec->sandbox)
		r = fill_pod_of(cs, metadata, c);
	return r < 0 ? r : fill_log_path(cs, metadata, c);
}

static int add(struct containerd_scan *cs, const struct containerd_record *rec)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_json_ json_t *json = NULL;
	const json_t *metadata;
	const char *name;
	int r;

	if (!rec->cri || !engine_scan_wants(cs->scan, rec->id, NULL))
		return 0;
	metadata = read_metadata(cs, rec->id, &rec->bucket,
				 rec->sandbox ? SANDBOX_EXT : CONTAINER_EXT, &json);
	name = json_str_at(metadata, "Config.metadata.name");
	if (!engine_scan_wants(cs->scan, rec->id, name ? name : rec->id))
		return 0;
	c = container_new(cs->engine->name, rec->id);
	if (!c)
		return -ENOMEM;
	c->owner = cs->root->owner;
	r = fill_state(cs, rec, c);
	if (r < 0 || (!insp_state_is_live(c->state) && !(cs->scan->want & INSP_WANT_STOPPED)))
		return r;
	r = fill(cs, rec, metadata, c);
	return r < 0 ? r : engine_scan_add(cs->scan, TAKE_PTR(c));
}

static int scan_cri(struct engine_scan *scan)
{
	static const struct containerd_walk walk = {
		.engine = &engine_cri,
		.ns = NAMESPACE,
		.needs = PLUGIN,
		.fn = add,
	};

	return containerd_each_record(scan, &walk);
}

/* With systemd's driver; with the cgroupfs driver nothing tells. */
static const char *const cgroup_marks[] = { "/cri-containerd-", NULL };

const struct engine engine_cri = {
	.name = "cri",
	.scan = scan_cri,
	.cgroup_marks = cgroup_marks,
	.store_marks = containerd_store_marks,
};
