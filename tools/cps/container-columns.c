/* The columns of a list of containers. The man page's table is checked against this one (tests/lint). */
#include "tools/cps/cps.h"
#include "tools/shared/text.h"

#include <stdio.h>

static const struct insp_container *of(const void *row)
{
	return ((const struct container_row *)row)->c;
}

/* ---- texts of the record ------------------------------------------------------------------------------- */

#define TEXT_COLUMN(field)                                           \
	static void fill_##field(const void *row, struct cell *cell) \
	{                                                            \
		cell_text(cell, of(row)->field);                     \
	}
TEXT_COLUMN(id)
TEXT_COLUMN(name)
TEXT_COLUMN(engine)
TEXT_COLUMN(image)
TEXT_COLUMN(image_id)
TEXT_COLUMN(command)
TEXT_COLUMN(pod)
TEXT_COLUMN(pod_namespace)
TEXT_COLUMN(project)
TEXT_COLUMN(guest)
TEXT_COLUMN(cgroup)
TEXT_COLUMN(log_path)
TEXT_COLUMN(hostname)
TEXT_COLUMN(store)
TEXT_COLUMN(rootfs)

/* ---- life ---------------------------------------------------------------------------------------------- */

/* What waits for its next start has ended, and has no process meanwhile. */
static bool is_up(const struct insp_container *c)
{
	return insp_state_is_live(c->state) && (c->state != INSP_STATE_RESTARTING || c->pid > 0);
}

static void fill_status(const void *row, struct cell *cell)
{
	const struct insp_container *c = of(row);

	if (c->state == INSP_STATE_UNKNOWN)
		return;
	if (!is_up(c) && c->exit_code != INSP_EXIT_UNSET)
		cell_printf(cell, "%s (%d)", insp_state_name(c->state), c->exit_code);
	else
		cell_text(cell, insp_state_name(c->state));
}

static void json_status(const void *row, const char *key, struct json_out *out)
{
	const struct insp_container *c = of(row);

	json_out_string(out, key,
			c->state == INSP_STATE_UNKNOWN ? NULL : insp_state_name(c->state));
}

static void fill_pid(const void *row, struct cell *cell)
{
	if (of(row)->pid > 0)
		cell_number(cell, of(row)->pid);
}

static void fill_process(const void *row, struct cell *cell)
{
	const struct container_row *r = row;

	if (r->process > 0)
		cell_number(cell, r->process);
}

static void fill_how(const void *row, struct cell *cell)
{
	cell_text(cell, ((const struct container_row *)row)->how);
}

static void fill_procs(const void *row, struct cell *cell)
{
	const struct container_row *r = row;

	if (r->nprocs >= 0)
		cell_number(cell, r->nprocs);
}

static void fill_exit(const void *row, struct cell *cell)
{
	if (of(row)->exit_code != INSP_EXIT_UNSET)
		cell_number(cell, of(row)->exit_code);
}

static void fill_restarts(const void *row, struct cell *cell)
{
	if (of(row)->restarts != INSP_COUNT_UNSET)
		cell_number(cell, of(row)->restarts);
}

static void fill_owner(const void *row, struct cell *cell)
{
	if (of(row)->owner != (uid_t)-1)
		cell_number(cell, of(row)->owner);
}

static void fill_infra(const void *row, struct cell *cell)
{
	if (of(row)->infra)
		cell_text(cell, "yes");
}

static void json_infra(const void *row, const char *key, struct json_out *out)
{
	json_out_bool(out, key, of(row)->infra);
}

/* ---- times --------------------------------------------------------------------------------------------- */

static void fill_ago(const void *row, int64_t when, struct cell *cell)
{
	int64_t now = ((const struct container_row *)row)->now;
	char buf[TEXT_MAX];

	if (when == 0)
		return;
	cell_printf(cell, "%s ago", text_duration(now > when ? now - when : 0, buf));
	cell_number(cell, when);
}

static void fill_created(const void *row, struct cell *cell)
{
	fill_ago(row, of(row)->created, cell);
}

static void fill_started(const void *row, struct cell *cell)
{
	fill_ago(row, of(row)->started, cell);
}

static void fill_finished(const void *row, struct cell *cell)
{
	fill_ago(row, of(row)->finished, cell);
}

/* Sorted by its length: the number is the age. */
static void fill_uptime(const void *row, struct cell *cell)
{
	const struct insp_container *c = of(row);
	int64_t now = ((const struct container_row *)row)->now, age = now - c->started;
	char buf[TEXT_MAX];

	if (!is_up(c) || !c->started)
		return;
	cell_printf(cell, "%s", text_duration(age > 0 ? age : 0, buf));
	cell_number(cell, age);
}

/* ---- lists --------------------------------------------------------------------------------------------- */

/* Collects into a string that grows; NULL text when there was nothing. */
static void print_labels(FILE *file, const struct insp_container *c)
{
	for (size_t i = 0; i < c->n_labels; i++)
		fprintf(file, "%s%s=%s", i ? "," : "", c->labels[i].key, c->labels[i].value);
}

static void print_ports(FILE *file, const struct insp_container *c)
{
	for (size_t i = 0; i < c->n_ports; i++) {
		const struct insp_port *p = &c->ports[i];
		bool v6 = p->host_ip && strchr(p->host_ip, ':');

		fputs(i ? ", " : "", file);
		if (p->host_ip)
			fprintf(file, "%s%s%s:%u->", v6 ? "[" : "", p->host_ip, v6 ? "]" : "",
				p->host_port);
		fprintf(file, "%u/%s", p->port, p->proto);
	}
}

static void fill_from(struct cell *cell, const struct insp_container *c,
		      void (*print)(FILE *file, const struct insp_container *c))
{
	size_t len = 0;
	FILE *file = open_memstream(&cell->own, &len);

	if (!file)
		return;
	print(file, c);
	fclose(file);
	if (len)
		cell->text = cell->own;
}

static void fill_labels(const void *row, struct cell *cell)
{
	fill_from(cell, of(row), print_labels);
}

static void json_labels(const void *row, const char *key, struct json_out *out)
{
	const struct insp_container *c = of(row);

	json_out_open(out, key, '{');
	for (size_t i = 0; i < c->n_labels; i++)
		json_out_string(out, c->labels[i].key, c->labels[i].value);
	json_out_close(out, '}');
}

static void fill_ports(const void *row, struct cell *cell)
{
	fill_from(cell, of(row), print_ports);
}

static void json_ports(const void *row, const char *key, struct json_out *out)
{
	const struct insp_container *c = of(row);

	json_out_open(out, key, '[');
	for (size_t i = 0; i < c->n_ports; i++) {
		const struct insp_port *p = &c->ports[i];

		json_out_open(out, NULL, '{');
		json_out_string(out, "host_ip", p->host_ip);
		if (p->host_ip)
			json_out_int(out, "host_port", p->host_port);
		else
			json_out_null(out, "host_port");
		json_out_int(out, "port", p->port);
		json_out_string(out, "proto", p->proto);
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
}

static void print_addresses(FILE *file, const struct insp_container *c)
{
	for (size_t i = 0; i < c->n_addresses; i++)
		fprintf(file, "%s%s", i ? ", " : "", c->addresses[i]);
}

static void fill_addresses(const void *row, struct cell *cell)
{
	fill_from(cell, of(row), print_addresses);
}

static void json_addresses(const void *row, const char *key, struct json_out *out)
{
	const struct insp_container *c = of(row);

	json_out_open(out, key, '[');
	for (size_t i = 0; i < c->n_addresses; i++)
		json_out_string(out, NULL, c->addresses[i]);
	json_out_close(out, ']');
}

/* ---- files --------------------------------------------------------------------------------------------- */

static void fill_upper(const void *row, struct cell *cell)
{
	if (of(row)->layers)
		cell_text(cell, of(row)->layers->upper);
}

static void fill_layers(const void *row, struct cell *cell)
{
	if (of(row)->layers)
		cell_number(cell, (int64_t)of(row)->layers->n_lowers);
}

static const char *root_kind(const struct insp_layers *layers)
{
	switch (layers->kind) {
	case INSP_ROOT_OVERLAY: return "overlay";
	case INSP_ROOT_FUSE_OVERLAY: return "fuse-overlayfs";
	case INSP_ROOT_DIR: return "directory";
	case INSP_ROOT_UNKNOWN: break;
	}
	return NULL;
}

static void json_layers(const void *row, const char *key, struct json_out *out)
{
	const struct insp_layers *layers = of(row)->layers;

	if (!layers) {
		json_out_null(out, key);
		return;
	}
	json_out_open(out, key, '{');
	json_out_string(out, "kind", root_kind(layers));
	json_out_string(out, "upper", layers->upper);
	json_out_string(out, "work", layers->work);
	json_out_open(out, "lowers", '[');
	for (size_t i = 0; i < layers->n_lowers; i++)
		json_out_string(out, NULL, layers->lowers[i]);
	json_out_close(out, ']');
	json_out_int(out, "engine_layers", (int64_t)layers->n_engine);
	json_out_close(out, '}');
}

static void print_mounts(FILE *file, const struct insp_container *c)
{
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct insp_mount *m = &c->mounts[i];
		const char *from = m->name ? m->name : m->source ? m->source : m->type;

		fprintf(file, "%s%s:%s%s", i ? ", " : "", from, m->destination,
			m->read_only ? ":ro" : "");
	}
}

static void fill_mounts(const void *row, struct cell *cell)
{
	fill_from(cell, of(row), print_mounts);
}

static void json_mounts(const void *row, const char *key, struct json_out *out)
{
	const struct insp_container *c = of(row);

	json_out_open(out, key, '[');
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct insp_mount *m = &c->mounts[i];

		json_out_open(out, NULL, '{');
		json_out_string(out, "type", m->type);
		json_out_string(out, "name", m->name);
		json_out_string(out, "source", m->source);
		json_out_string(out, "destination", m->destination);
		json_out_bool(out, "read_only", m->read_only);
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
}

/* ---- namespaces ---------------------------------------------------------------------------------------- */

static void fill_ns(const void *row, enum insp_ns_type type, struct cell *cell)
{
	if (of(row)->ns.ino[type])
		cell_number(cell, (int64_t)of(row)->ns.ino[type]);
}

#define NS_COLUMN(name, type)                                            \
	static void fill_##name##_ns(const void *row, struct cell *cell) \
	{                                                                \
		fill_ns(row, type, cell);                                \
	}
NS_COLUMN(mnt, INSP_NS_MNT)
NS_COLUMN(pid, INSP_NS_PID)
NS_COLUMN(net, INSP_NS_NET)
NS_COLUMN(ipc, INSP_NS_IPC)
NS_COLUMN(uts, INSP_NS_UTS)
NS_COLUMN(user, INSP_NS_USER)
NS_COLUMN(cgroup, INSP_NS_CGROUP)
NS_COLUMN(time, INSP_NS_TIME)

#define DETAIL INSP_WANT_DETAIL
#define FILES  INSP_WANT_FILES
#define NS     INSP_WANT_NS

/* clang-format off */
const struct column container_columns[] = {
	{ "PROCESS", COL_RIGHT | COL_EXTRA, "with -p: the process that was asked for", "process", fill_process },
	{ "HOW", COL_EXTRA, "why it is the answer to --path, --veth, --ip, --port, --cgroup or --ns-inode", "how", fill_how },
	{ "ID", COL_SHORT, "id, its first 12 characters unless --no-trunc", "id", fill_id },
	{ "NAME", COL_SHORT, "name; the id where the engine has no names", "name", fill_name },
	{ "ENGINE", 0, "the engine whose store has it; bare: none", "engine", fill_engine },
	{ "IMAGE", 0, "image, as the engine's own list names it", "image", fill_image },
	{ "IMAGEID", COL_SHORT, "id of the image", "image_id", fill_image_id },
	{ "STATUS", 0, "state, with the exit code when it has ended, or waits for its next restart", "status", fill_status, json_status },
	{ "PID", COL_RIGHT, "pid of the container's init on this host", "pid", fill_pid },
	{ "UPTIME", 0, "time since it was started", NULL, fill_uptime },
	{ "EXIT", COL_RIGHT, "exit code", "exit_code", fill_exit },
	{ "CREATED", COL_TIME, "when it was created", "created", fill_created },
	{ "STARTED", COL_TIME, "when it was started last", "started", fill_started },
	{ "FINISHED", COL_TIME, "when it ended last", "finished", fill_finished },
	{ "COMMAND", COL_TRUNC, "entrypoint and arguments", "command", fill_command, .want = DETAIL },
	{ "LABELS", COL_TRUNC, "labels", "labels", fill_labels, json_labels, DETAIL },
	{ "PORTS", COL_TRUNC, "published and exposed ports", "ports", fill_ports, json_ports, DETAIL },
	{ "ADDRESSES", COL_TRUNC, "IP addresses that the engine gave it", "addresses", fill_addresses, json_addresses, DETAIL },
	{ "POD", 0, "pod", "pod", fill_pod, .want = DETAIL },
	{ "INFRA", 0, "yes: it only holds a pod's namespaces", "infra", fill_infra, json_infra, DETAIL },
	{ "PODNS", 0, "Kubernetes namespace of the pod", "pod_namespace", fill_pod_namespace, .want = DETAIL },
	{ "GUEST", 0, "whose kernel its processes run on, when not the host's", "guest", fill_guest },
	{ "PROJECT", 0, "compose project", "project", fill_project, .want = DETAIL },
	{ "RESTARTS", COL_RIGHT, "how often the engine restarted it", "restarts", fill_restarts, .want = DETAIL },
	{ "HOSTNAME", 0, "host name inside", "hostname", fill_hostname, .want = DETAIL },
	{ "LOG", COL_TRUNC, "path of the log file on this host", "log", fill_log_path, .want = DETAIL },
	{ "OWNER", COL_RIGHT, "uid whose store it is in", "owner", fill_owner },
	{ "STORE", COL_TRUNC, "directory of the store", "store", fill_store },
	{ "ROOTFS", COL_TRUNC, "merged root as mounted by the engine", "rootfs", fill_rootfs, .want = DETAIL },
	{ "UPPER", COL_TRUNC, "directory with the container's own changes, or its whole tree", NULL, fill_upper, .want = FILES },
	{ "LAYERS", COL_RIGHT, "number of directories below it", "layers", fill_layers, json_layers, FILES },
	{ "MOUNTS", COL_TRUNC, "volumes and directories mounted by its configuration", "mounts", fill_mounts, json_mounts, FILES },
	{ "CGROUP", COL_TRUNC, "cgroup path", "cgroup", fill_cgroup, .want = INSP_WANT_CGROUP },
	{ "PROCS", COL_RIGHT | COL_EXTRA, "number of processes", "procs", fill_procs, .want = CPS_WANT_NPROCS },
	{ "MNTNS", COL_RIGHT, "inode of the mount namespace", "mnt_ns", fill_mnt_ns, .want = NS },
	{ "PIDNS", COL_RIGHT, "inode of the pid namespace", "pid_ns", fill_pid_ns, .want = NS },
	{ "NETNS", COL_RIGHT, "inode of the network namespace", "net_ns", fill_net_ns, .want = NS },
	{ "IPCNS", COL_RIGHT, "inode of the ipc namespace", "ipc_ns", fill_ipc_ns, .want = NS },
	{ "UTSNS", COL_RIGHT, "inode of the uts namespace", "uts_ns", fill_uts_ns, .want = NS },
	{ "USERNS", COL_RIGHT, "inode of the user namespace", "user_ns", fill_user_ns, .want = NS },
	{ "CGROUPNS", COL_RIGHT, "inode of the cgroup namespace", "cgroup_ns", fill_cgroup_ns, .want = NS },
	{ "TIMENS", COL_RIGHT, "inode of the time namespace", "time_ns", fill_time_ns, .want = NS },
	{ NULL },
};
/* clang-format on */
