/* Record -> container object: what the columns show. */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/image.h"

/* Compose's project, by either of its generations. */
static const char *const project_label = "com.docker.compose.project";

/* daemon/list.go: an argument with blanks is shown in single quotes */
static int fill_command(const json_t *j, struct insp_container *c)
{
	const json_t *args = json_at(j, "Args");
	const char *path = json_str_at(j, "Path");
	struct strbuf sb = { 0 };

	if (!path)
		return 0;
	strbuf_puts(&sb, path);
	for (size_t i = 0; i < json_array_size(args); i++) {
		const char *arg = json_string_value(json_array_get(args, i));

		if (arg)
			strbuf_printf(&sb, strchr(arg, ' ') ? " '%s'" : " %s", arg);
	}
	c->command = strbuf_take(&sb);
	return c->command ? 0 : -ENOMEM;
}

static int fill_labels(const json_t *j, struct insp_container *c)
{
	json_t *labels = json_object_get(json_object_get(j, "Config"), "Labels");
	const char *key;
	json_t *value;

	json_object_foreach (labels, key, value) {
		const char *s = json_string_value(value);
		int r = s ? container_add_label(c, key, s) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static bool parse_port(const char *s, size_t len, uint16_t *ret)
{
	char digits[8];
	uint64_t n;

	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, s, len);
	digits[len] = '\0';
	if (str_to_u64(digits, &n) < 0 || n > UINT16_MAX)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* "80/tcp" */
static bool parse_exposed(const char *key, struct insp_port *port)
{
	const char *slash = strchr(key, '/');

	if (!slash || strlen(slash + 1) >= sizeof(port->proto) || !slash[1])
		return false;
	snprintf(port->proto, sizeof(port->proto), "%s", slash + 1);
	return parse_port(key, (size_t)(slash - key), &port->port);
}

static int fill_bindings(const json_t *bindings, struct insp_port port, struct insp_container *c)
{
	if (json_array_size(bindings) == 0)
		return container_add_port(c, &port);
	for (size_t i = 0; i < json_array_size(bindings); i++) {
		const json_t *b = json_array_get(bindings, i);
		const char *ip = json_str_at(b, "HostIp"), *p = json_str_at(b, "HostPort");
		_cleanup_free_ char *host_ip = str_dup(ip ? ip : "0.0.0.0");
		int r;

		if (!host_ip)
			return -ENOMEM;
		if (!p || !parse_port(p, strlen(p), &port.host_port))
			continue;
		port.host_ip = host_ip;
		r = container_add_port(c, &port);
		if (r < 0)
			return r;
	}
	return 0;
}

/* {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null} */
static int fill_ports(const json_t *j, struct insp_container *c)
{
	json_t *ports = json_object_get(json_object_get(j, "NetworkSettings"), "Ports");
	const char *key;
	json_t *bindings;

	json_object_foreach (ports, key, bindings) {
		struct insp_port port = { 0 };
		int r = parse_exposed(key, &port) ? fill_bindings(bindings, port, c) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* {"bridge": {"IPAddress": "172.17.0.2", "GlobalIPv6Address": "", "IPAMConfig": {"IPv4Address": …}}}; a stopped one has only the last. */
static int fill_addresses(const json_t *j, struct insp_container *c)
{
	static const char *const fields[] = { "IPAddress", "GlobalIPv6Address",
					      "IPAMConfig.IPv4Address", "IPAMConfig.IPv6Address" };
	json_t *networks = json_object_get(json_object_get(j, "NetworkSettings"), "Networks");
	const char *key;
	json_t *network;

	json_object_foreach (networks, key, network) {
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			if (container_add_address(c, json_str_at(network, fields[i])) < 0)
				return -ENOMEM;
	}
	return 0;
}

static int fill_detail(const struct docker_record *rec, struct insp_container *c)
{
	if (container_set(&c->log_path, json_str_at(rec->json, "LogPath")) < 0 ||
	    container_set(&c->hostname, json_str_at(rec->json, "Config.Hostname")) < 0 ||
	    fill_command(rec->json, c) < 0 || fill_labels(rec->json, c) < 0 ||
	    fill_ports(rec->json, c) < 0 || fill_addresses(rec->json, c) < 0)
		return -ENOMEM;
	return 0;
}

int docker_record_fill(const struct docker_record *rec, unsigned want, struct insp_container *c)
{
	/* json_at() would take the dots of a label's key for a path */
	const json_t *project = json_object_get(json_at(rec->json, "Config.Labels"), project_label);

	if (container_set(&c->name, rec->name ? rec->name : c->id) < 0 ||
	    container_set(&c->image_id, rec->image_id) < 0 ||
	    container_set(&c->project, json_string_value(project)) < 0)
		return -ENOMEM;
	c->state = rec->state;
	c->exit_code = rec->exit_code;
	c->created = rec->created;
	c->started = rec->started;
	c->finished = insp_state_is_live(rec->state) ? 0 : rec->finished;
	c->restarts = rec->restarts;
	if ((want & INSP_WANT_CONFIG) &&
	    oci_image_config(json_at(rec->json, "Config"), &c->image_config) < 0)
		return -ENOMEM;
	return want & INSP_WANT_DETAIL ? fill_detail(rec, c) : 0;
}
