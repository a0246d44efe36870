/* One container's record in meta.db: v1/NS/containers/ID. */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/containerd.h"
#include "libinspect/engines/oci/spec.h"

#define IDENTIFIER_MAX 76	    /* containerd's own limit */
#define OPTIONS_ROOT   (7 << 3 | 2) /* containerd.runc.v1.Options: string root = 7 */

/* Labels that say something. The CRI plugin's (internal/cri/constants), nerdctl's (pkg/labels), containerd's restarts. */
static const char *const kind_label = "io.cri-containerd.kind";
static const char *const name_label = "nerdctl/name";
static const char *const hostname_label = "nerdctl/hostname";
static const char *const state_dir_label = "nerdctl/state-dir";
static const char *const ports_label = "nerdctl/ports";
static const char *const restarts_label = "containerd.io/restart.count";
static const char *const project_label = "com.docker.compose.project";

/* What of a specification is looked at: most of it are capabilities, rules and devices. */
static const char *const spec_members[] = { "process.args", "hostname", "mounts", NULL };
static const char *const spec_members_config[] = { "process",	    "hostname",	     "mounts",
						   "root.readonly", "linux.seccomp", NULL };

bool containerd_is_identifier(const char *s)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-";
	size_t len = strlen(s);

	return len > 0 && len <= IDENTIFIER_MAX && strspn(s, chars) == len && s[0] != '.' &&
	       s[0] != '-' && s[0] != '_';
}

void containerd_record_free(struct containerd_record *rec)
{
	free(rec->image);
	free(rec->snapshotter);
	free(rec->snapshot_key);
	free(rec->runtime_root);
	free(rec->name);
	*rec = (struct containerd_record){ 0 };
}

int containerd_record_fail(struct containerd_scan *cs, const char *id, int r, struct insp_err *err)
{
	if (r == -ENOMEM)
		return r;
	/* that of a page is not one record's */
	if (r == -EBADMSG && cs->meta && containerd_meta_note_damage(cs->meta))
		return 0;
	insp_err_wrap(err, r, "%s container %.64s", cs->engine->name, id);
	engine_scan_fail(cs->scan, err);
	return 0;
}

/* The value of key as a new string; left as it is when there is none, or it is empty. */
static int get_string(const struct bolt_bucket *b, const char *key, char **field)
{
	struct bolt_slice v;
	int r = bolt_get(b, key, &v);
	char *s;

	if (r < 0 || v.len == 0)
		return r == -ENOENT ? 0 : r;
	s = containerd_string(v);
	if (!s)
		return -ENOMEM;
	free(*field);
	*field = s;
	return 0;
}

/* options: Any of containerd.runc.v1.Options. Another runtime's options tell nothing here. */
static int read_runtime(const struct bolt_bucket *b, struct containerd_record *rec)
{
	struct containerd_any any;
	struct bolt_bucket runtime;
	struct bolt_slice v;

	if (bolt_bucket(b, "runtime", &runtime) < 0 || bolt_get(&runtime, "options", &v) < 0 ||
	    containerd_any(v, &any) < 0)
		return 0;
	v = containerd_field(any.value, OPTIONS_ROOT);
	if (v.len == 0 || v.data[0] != '/')
		return 0;
	rec->runtime_root = containerd_string(v);
	return rec->runtime_root ? 0 : -ENOMEM;
}

static int read_labels(const struct bolt_bucket *b, struct containerd_record *rec)
{
	struct bolt_bucket labels;
	struct bolt_slice v;
	int r = bolt_bucket(b, "labels", &labels);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (bolt_get(&labels, kind_label, &v) == 0) {
		rec->cri = true;
		rec->sandbox = v.len == 7 && memcmp(v.data, "sandbox", 7) == 0;
	}
	return get_string(&labels, name_label, &rec->name);
}

int containerd_record_read(const char *ns, const char *id, const struct bolt_bucket *bucket,
			   struct containerd_record *ret)
{
	_cleanup_containerd_record_ struct containerd_record rec = { .ns = ns,
								     .id = id,
								     .bucket = *bucket };
	int r = get_string(bucket, "image", &rec.image);

	if (r == 0)
		r = get_string(bucket, "snapshotter", &rec.snapshotter);
	if (r == 0)
		r = get_string(bucket, "snapshotKey", &rec.snapshot_key);
	if (r == 0)
		r = read_runtime(bucket, &rec);
	if (r == 0)
		r = read_labels(bucket, &rec);
	if (r < 0)
		return r;
	*ret = rec;
	rec = (struct containerd_record){ 0 };
	return 0;
}

static int add_label(void *userdata, struct bolt_slice key, struct bolt_slice value,
		     const struct bolt_bucket *bucket)
{
	_cleanup_free_ char *k = containerd_string(key), *v = containerd_string(value);

	if (bucket)
		return 0;
	return k && v ? container_add_label(userdata, k, v) : -ENOMEM;
}

static int fill_restarts(struct insp_container *c)
{
	const char *text = insp_container_label(c, restarts_label);
	uint64_t n;

	if (text && str_to_u64(text, &n) == 0 && n <= INT32_MAX)
		c->restarts = (int)n;
	return 0;
}

/* nerdctl's json-file logger; another driver leaves no file, and then there is none of that name. */
static int fill_log_path(const struct containerd_scan *cs, struct insp_container *c)
{
	const char *dir = insp_container_label(c, state_dir_label);
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (!dir || dir[0] != '/' || cs->root->owner != 0)
		return 0;
	path = str_format("%s%s/%s-json.log", cs->root->prefix, dir, c->id);
	if (!path)
		return -ENOMEM;
	fd = sys_open(cs->scan->sys, path, O_PATH | O_NOFOLLOW);
	return fd < 0 ? 0 : container_set(&c->log_path, path);
}

/* [{"HostPort":8080,"ContainerPort":80,"Protocol":"tcp","HostIP":"0.0.0.0"}] */
static int fill_ports(struct insp_container *c)
{
	const char *text = insp_container_label(c, ports_label);
	_cleanup_json_ json_t *ports = NULL;

	if (!text || json_parse(text, strlen(text), &ports, NULL) < 0)
		return 0;
	for (size_t i = 0; i < json_array_size(ports); i++) {
		const json_t *p = json_array_get(ports, i);
		const char *proto = json_str_at(p, "Protocol");
		int64_t outside = json_int_at(p, "HostPort", 0),
			inside = json_int_at(p, "ContainerPort", 0);
		struct insp_port port = { .host_ip = (char *)json_str_at(p, "HostIP"),
					  .host_port = (uint16_t)outside,
					  .port = (uint16_t)inside };

		if (outside < 0 || outside > UINT16_MAX || inside <= 0 || inside > UINT16_MAX ||
		    !proto || strlen(proto) >= sizeof(port.proto))
			continue;
		memcpy(port.proto, proto, strlen(proto));
		if (container_add_port(c, &port) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int fill_labels(const struct containerd_scan *cs, const struct containerd_record *rec,
		       struct insp_container *c)
{
	struct bolt_bucket labels;
	int r = bolt_bucket(&rec->bucket, "labels", &labels);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!(cs->scan->want & INSP_WANT_DETAIL))
		return get_string(&labels, project_label, &c->project);
	r = bolt_each(&labels, add_label, c);
	if (r < 0 || container_set(&c->project, insp_container_label(c, project_label)) < 0 ||
	    container_set(&c->hostname, insp_container_label(c, hostname_label)) < 0 ||
	    fill_log_path(cs, c) < 0 || fill_restarts(c) < 0)
		return r < 0 ? r : -ENOMEM;
	return fill_ports(c);
}

static int fill_spec(struct containerd_scan *cs, const struct containerd_record *rec,
		     struct insp_container *c)
{
	_cleanup_json_ json_t *spec = NULL;
	struct insp_err err = { 0 };
	struct bolt_slice v;
	int r;

	if (!(cs->scan->want & (INSP_WANT_DETAIL | INSP_WANT_FILES)) ||
	    bolt_get(&rec->bucket, "spec", &v) < 0)
		return 0;
	r = containerd_any_json(
		v, cs->scan->want & INSP_WANT_CONFIG ? spec_members_config : spec_members, &spec,
		&err);
	if (r < 0) {
		insp_err_wrap(&err, r, "its specification");
		return containerd_record_fail(cs, rec->id, r, &err);
	}
	return oci_spec_fill(spec, cs->scan->want, c);
}

/* The digest that the name of the image leads to now. */
static int fill_image_id(const struct containerd_scan *cs, const struct containerd_record *rec,
			 struct insp_container *c)
{
	_cleanup_free_ char *digest = NULL;
	struct bolt_bucket b;
	const char *hex;

	if (!rec->image || containerd_meta_namespaces(cs->meta, &b) < 0 ||
	    bolt_bucket(&b, rec->ns, &b) < 0 || bolt_bucket(&b, "images", &b) < 0 ||
	    bolt_bucket(&b, rec->image, &b) < 0 || bolt_bucket(&b, "target", &b) < 0)
		return 0;
	if (get_string(&b, "digest", &digest) == -ENOMEM)
		return -ENOMEM;
	/* what is missing there its specification tells */
	if (digest && (cs->scan->want & INSP_WANT_CONFIG) &&
	    containerd_image_config(cs->root->fd, digest, &c->image_config) == -ENOMEM)
		return -ENOMEM;
	hex = digest ? str_after(digest, "sha256:") : NULL;
	return hex && str_is_hex(hex, 64) ? container_set(&c->image_id, hex) : 0;
}

static int fill_layers(struct containerd_scan *cs, const struct containerd_record *rec,
		       struct insp_container *c)
{
	const char *none[] = { NULL };
	struct insp_err err = { 0 };
	int r = -EOPNOTSUPP;

	if (!(cs->scan->want & INSP_WANT_FILES))
		return 0;
	if (rec->snapshotter && rec->snapshot_key)
		r = containerd_snapshot_layers(cs->meta, rec->ns, rec->snapshotter,
					       rec->snapshot_key, &c->layers, &err);
	if (r == 0 && (cs->scan->want & INSP_WANT_LAYER_IDS))
		r = containerd_layer_diff_ids(cs->meta, c->image_id, c->layers);
	/* removed since, or kept by somebody who keeps no directories: no fault of the record */
	if (r == -ENOENT || r == -EOPNOTSUPP)
		r = engine_layers_from_mounts(cs->scan, c, none);
	return r < 0 ? containerd_record_fail(cs, rec->id, r, &err) : 0;
}

int containerd_record_fill(struct containerd_scan *cs, const struct containerd_record *rec,
			   struct insp_container *c)
{
	struct insp_err err = { 0 };
	struct bolt_slice v;
	int r;

	c->owner = cs->root->owner;
	if (c->created == 0 && bolt_get(&rec->bucket, "createdat", &v) == 0)
		(void)containerd_time(v, &c->created);
	if (container_set(&c->store, cs->root->path) < 0 ||
	    container_set(&c->image, rec->image) < 0 || fill_image_id(cs, rec, c) < 0)
		return -ENOMEM;
	r = fill_labels(cs, rec, c);
	if (r < 0 && r != -ENOMEM) {
		insp_err_say(&err, r, "its labels are damaged");
		r = containerd_record_fail(cs, rec->id, r, &err);
	}
	if (r == 0)
		r = fill_spec(cs, rec, c);
	return r < 0 ? r : fill_layers(cs, rec, c);
}
