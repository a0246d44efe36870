/* The config and state JSON of one container in podman's database. docs/formats/podman.md names the fields. */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/podman/podman.h"
#include "libinspect/engines/oci/runtime.h"

#define PORTS_MAX    1024
#define SHORT_ID_LEN 12

/* libpod/define.ContainerStatus */
enum {
	STATE_CONFIGURED = 1,
	STATE_CREATED = 2,
	STATE_RUNNING = 3,
	STATE_STOPPED = 4,
	STATE_PAUSED = 5,
	STATE_EXITED = 6,
	STATE_REMOVING = 7,
	STATE_STOPPING = 8,
};

/* ---- config ---- */

static int add_mapping(struct insp_container *c, const json_t *m)
{
	int64_t inside = json_int_at(m, "container_port", 0),
		outside = json_int_at(m, "host_port", 0);
	int64_t range = json_int_at(m, "range", 1);
	const char *ip = json_str_at(m, "host_ip"), *proto = json_str_at(m, "protocol");
	int r = 0;

	if (inside < 1 || inside > UINT16_MAX || outside < 0 || outside > UINT16_MAX)
		return 0;
	for (int64_t i = 0; i < MAX_OF(range, 1) && r == 0; i++) {
		struct insp_port port = {
			/* podman ps shows no address as all of them */
			.host_ip = (char *)(ip ? ip : "0.0.0.0"),
			.host_port = (uint16_t)(outside + i),
			.port = (uint16_t)(inside + i),
		};

		if (inside + i > UINT16_MAX || outside + i > UINT16_MAX || c->n_ports >= PORTS_MAX)
			break;
		snprintf(port.proto, sizeof(port.proto), "%s", proto ? proto : "tcp");
		r = container_add_port(c, &port);
	}
	return r;
}

static int set_ports(struct insp_container *c, const json_t *config)
{
	const json_t *list = json_at(config, "newPortMappings");
	json_t *m;
	size_t i;

	json_array_foreach (list, i, m) {
		int r = add_mapping(c, m);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Its own word; else its id's beginning where it has a UTS namespace of its own, as libpod does it. */
static int set_hostname(struct insp_container *c, const json_t *config)
{
	const json_t *list = json_at(config, "spec.linux.namespaces");
	const char *name = json_str_at(config, "spec.hostname");
	char short_id[SHORT_ID_LEN + 1];
	json_t *ns;
	size_t i;

	if (name)
		return container_set(&c->hostname, name);
	snprintf(short_id, sizeof(short_id), "%s", c->id);
	json_array_foreach (list, i, ns)
		if (str_eq(json_str_at(ns, "type"), "uts") && !json_str_at(ns, "path") &&
		    !json_str_at(config, "utsNsCtr"))
			return container_set(&c->hostname, short_id);
	return 0;
}

static int set_project(struct insp_container *c)
{
	static const char *const keys[] = { "com.docker.compose.project",
					    "io.podman.compose.project" };
	const char *project = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !project; i++)
		project = insp_container_label(c, keys[i]);
	return container_set(&c->project, project);
}

static int set_path(const struct podman_store *s, char **field, const char *path)
{
	_cleanup_free_ char *here = path ? podman_host_path(s, path) : NULL;

	if (path && !here)
		return -ENOMEM;
	return container_set(field, here);
}

static int fill_detail(const struct podman_store *s, struct insp_container *c, const json_t *config)
{
	int r = runtime_add_labels(c, json_at(config, "labels"));

	c->command = runtime_join_args(json_at(config, "spec.process.args"));
	if (r == 0)
		r = set_project(c);
	if (r == 0)
		r = set_ports(c, config);
	if (r == 0)
		r = set_hostname(c, config);
	return r < 0 ? r : set_path(s, &c->log_path, json_str_at(config, "logPath"));
}

/*
 * The end of the JSON value at buf (an object), SIZE_MAX when it does not end. Only what is needed to skip one: what
 * is skipped is not checked.
 */
static size_t value_end(const char *buf, size_t len)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		char ch = buf[i];

		if (in_string && ch == '\\')
			i++;
		else if (ch == '"')
			in_string = !in_string;
		else if (!in_string && ch == '{')
			depth++;
		else if (!in_string && ch == '}' && --depth == 0)
			return i + 1;
	}
	return SIZE_MAX;
}

/*
 * Most of a config is its OCI spec, its first member, of which only the detail needs something. Without it the rest
 * parses five times as fast. false: it does not start as libpod writes it.
 */
static bool without_spec(const char *buf, size_t len, struct strbuf *ret)
{
	static const char head[] = "{\"spec\":";
	size_t skip = sizeof(head) - 1, end;

	if (len <= skip || memcmp(buf, head, skip) != 0 || buf[skip] != '{')
		return false;
	end = value_end(buf + skip, len - skip);
	if (end == SIZE_MAX || skip + end >= len || buf[skip + end] != ',')
		return false;
	strbuf_puts(ret, "{");
	strbuf_add(ret, buf + skip + end + 1, len - skip - end - 1);
	return !ret->failed;
}

static int parse_config(const char *buf, size_t len, bool detail, json_t **ret,
			struct insp_err *err)
{
	_cleanup_(strbuf_free) struct strbuf rest = { 0 };
	int r;

	if (!detail && without_spec(buf, len, &rest))
		r = json_parse(rest.buf, rest.len, ret, err);
	else
		r = json_parse(buf, len, ret, err);
	return r < 0 ? insp_err_wrap(err, r, "its config") : 0;
}

int podman_fill_config(struct podman_store *s, struct insp_container *c, const char *buf,
		       size_t len, struct insp_err *err)
{
	bool detail = s->scan->want & INSP_WANT_DETAIL, files = s->scan->want & INSP_WANT_FILES;
	_cleanup_json_ json_t *config = NULL;
	const char *created;
	int r = parse_config(buf, len, detail || files, &config, err);

	if (r < 0)
		return r;
	r = container_set(&c->image, json_str_at(config, "rootfsImageName"));
	if (r == 0)
		r = container_set(&c->image_id, json_str_at(config, "rootfsImageID"));
	/* listed as any other, as podman ps does */
	c->infra = json_bool_at(config, "pause");
	created = json_str_at(config, "createdTime");
	if (created)
		str_to_time(created, &c->created);
	if (r == 0 && detail)
		r = fill_detail(s, c, config);
	if (r == 0 && (s->scan->want & INSP_WANT_CONFIG))
		r = podman_fill_image_config(s, c, config);
	return r == 0 && files ? podman_fill_files(s, c, config) : r;
}

/* ---- state ---- */

/* {"podman":{"interfaces":{"eth0":{"subnets":[{"ipnet":"10.88.0.2/16"}]}}}}, while it runs */
static int add_addresses(struct insp_container *c, const json_t *interfaces)
{
	const char *key;
	json_t *interface;

	json_object_foreach ((json_t *)interfaces, key, interface) {
		const json_t *subnets = json_at(interface, "subnets");

		for (size_t i = 0; i < json_array_size(subnets); i++)
			if (container_add_address(c, json_str_at(json_array_get(subnets, i),
								 "ipnet")) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int set_addresses(struct insp_container *c, const json_t *state)
{
	json_t *networks = json_object_get(state, "networkStatus");
	const char *key;
	json_t *network;

	json_object_foreach (networks, key, network)
		if (add_addresses(c, json_at(network, "interfaces")) < 0)
			return -ENOMEM;
	return 0;
}

/* Go's zero time is the year 1. */
static int64_t time_at(const json_t *j, const char *path)
{
	const char *s = json_str_at(j, path);
	int64_t t;

	return s && str_to_time(s, &t) == 0 && t > 0 ? t : 0;
}

static pid_t pid_at(const json_t *j, const char *path)
{
	int64_t pid = json_int_at(j, path, 0);

	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static int exit_code_of(int64_t code)
{
	return code >= 0 && code <= 255 ? (int)code : INSP_EXIT_UNSET;
}

/* It ran when podman last wrote: now it may have died without podman. */
static int fill_live(struct podman_store *s, struct insp_container *c,
		     const struct podman_state *st)
{
	int r = podman_claim(s, c, st->pid, st->conmon);

	if (r < 0)
		return r;
	c->started = st->started;
	if (r > 0) {
		c->state = st->state == STATE_PAUSED ? INSP_STATE_PAUSED : INSP_STATE_RUNNING;
		return 0;
	}
	c->state = INSP_STATE_EXITED;
	podman_read_exit(s, c->id, st->started, &c->exit_code, &c->finished);
	return 0;
}

static void fill_dead(struct insp_container *c, const struct podman_state *st,
		      enum insp_state state)
{
	c->state = state;
	c->started = st->started;
	c->finished = st->finished;
	/* stopped, but its end was not seen yet: no code is known */
	if (st->state == STATE_EXITED || st->exited)
		c->exit_code = exit_code_of(st->exit_code);
}

static int fill_created(struct podman_store *s, struct insp_container *c,
			const struct podman_state *st)
{
	int r = st->state == STATE_CREATED ? podman_claim(s, c, st->pid, st->conmon) : 0;

	c->state = INSP_STATE_CREATED;
	return r < 0 ? r : 0;
}

int podman_fill_state(struct podman_store *s, struct insp_container *c, const char *buf, size_t len,
		      struct insp_err *err)
{
	_cleanup_json_ json_t *j = NULL;
	struct podman_state st;
	int r = json_parse(buf, len, &j, err);

	if (r < 0)
		return insp_err_wrap(err, r, "its state");
	st = (struct podman_state){
		.state = json_int_at(j, "state", 0),
		.exit_code = json_int_at(j, "exitCode", 0),
		.exited = json_bool_at(j, "exited"),
		.pid = pid_at(j, "pid"),
		.conmon = pid_at(j, "conmonPid"),
		.started = time_at(j, "startedTime"),
		.finished = time_at(j, "finishedTime"),
	};
	c->restarts = (int)MIN_OF(MAX_OF(json_int_at(j, "restartCount", 0), 0), INT32_MAX);
	/* a user's is mounted in the user's own mount namespace */
	if (s->owner == 0 && json_bool_at(j, "mounted"))
		r = set_path(s, &c->rootfs, json_str_at(j, "mountPoint"));
	if (r == 0 && (s->scan->want & INSP_WANT_DETAIL))
		r = set_addresses(c, j);
	if (r < 0)
		return r;
	switch (st.state) {
	case STATE_CONFIGURED:
	case STATE_CREATED: return fill_created(s, c, &st);
	case STATE_RUNNING:
	case STATE_PAUSED:
	case STATE_STOPPING: return fill_live(s, c, &st);
	case STATE_STOPPED:
	case STATE_EXITED: fill_dead(c, &st, INSP_STATE_EXITED); return 0;
	case STATE_REMOVING: fill_dead(c, &st, INSP_STATE_DEAD); return 0;
	default: return 0;
	}
}
