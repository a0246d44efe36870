/* cps --ns: every namespace of the host, and whose it is. */
#include "tools/cps/cps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct insp_ns_info *of(const void *row)
{
	return row;
}

/* ---- columns ------------------------------------------------------------------------------------------- */

static void fill_ns(const void *row, struct cell *cell)
{
	cell_number(cell, (int64_t)of(row)->ino);
}

static void fill_type(const void *row, struct cell *cell)
{
	cell_text(cell, insp_ns_name(of(row)->type));
}

static void fill_nprocs(const void *row, struct cell *cell)
{
	cell_number(cell, of(row)->nprocs);
}

static void fill_pid(const void *row, struct cell *cell)
{
	if (of(row)->pid > 0)
		cell_number(cell, of(row)->pid);
}

static void fill_uid(const void *row, struct cell *cell)
{
	if (of(row)->pid > 0)
		cell_number(cell, of(row)->uid);
}

static void fill_command(const void *row, struct cell *cell)
{
	cell_text(cell, of(row)->comm[0] ? of(row)->comm : NULL);
}

static void fill_container(const void *row, struct cell *cell)
{
	cell_text(cell, of(row)->container ? of(row)->container->name : NULL);
}

static void fill_id(const void *row, struct cell *cell)
{
	cell_text(cell, of(row)->container ? of(row)->container->id : NULL);
}

static void fill_engine(const void *row, struct cell *cell)
{
	cell_text(cell, of(row)->container ? of(row)->container->engine : NULL);
}

static void fill_host(const void *row, struct cell *cell)
{
	cell_text(cell, of(row)->host ? "yes" : "no");
}

static void json_host(const void *row, const char *key, struct json_out *out)
{
	json_out_bool(out, key, of(row)->host);
}

/* clang-format off */
const struct column namespace_columns[] = {
	{ "NS", COL_RIGHT, "inode of the namespace", "ns", fill_ns },
	{ "TYPE", 0, "mnt, pid, net, ipc, uts, user, cgroup, time", "type", fill_type },
	{ "NPROCS", COL_RIGHT, "number of processes in it", "procs", fill_nprocs },
	{ "PID", COL_RIGHT, "lowest pid in it", "pid", fill_pid },
	{ "UID", COL_RIGHT, "effective uid of that process", "uid", fill_uid },
	{ "COMMAND", 0, "short name of that process", "comm", fill_command },
	{ "CONTAINER", 0, "name of the container it belongs to", "container", fill_container },
	{ "ID", COL_SHORT, "id of that container", "id", fill_id },
	{ "ENGINE", 0, "engine of that container", "engine", fill_engine },
	{ "HOST", 0, "whether cps itself is in it", "host", fill_host, json_host },
	{ NULL },
};
/* clang-format on */

/* ---- the list ------------------------------------------------------------------------------------------ */

/* "net,pid" -> bits; 0 for NULL: all. */
static int parse_types(const char *list, unsigned *ret_types, struct insp_err *err)
{
	unsigned types = 0;

	while (list && *list) {
		size_t len = strcspn(list, ",");
		int type = insp_ns_from_name(list, len);

		if (type < 0)
			return insp_err_say(err, -EINVAL, "'%.*s' is no type of namespace",
					    (int)len, list);
		types |= 1U << type;
		list += len;
		list += *list == ',';
	}
	*ret_types = types;
	return 0;
}

/* Those of one container: by inode, so that shared and the host's own are there too. */
static bool belongs(const struct insp_ns_info *ns, const struct insp_container *only)
{
	return !only || only->ns.ino[ns->type] == ns->ino;
}

/* One line for all processes that this user may not look into. */
static void note_unreadable(struct cps *cps, size_t n)
{
	struct insp_err err = { 0 };

	if (n == 0)
		return;
	insp_err_say(&err, -EACCES, "the namespaces of %zu process%s may not be read", n,
		     n == 1 ? "" : "es");
	if (geteuid() == 0)
		insp_err_hint(&err, "a sandbox or security module forbids it, even to root");
	else
		insp_err_hint(&err, "run as root to see them");
	insp_diags_add(&cps->diags, &err);
}

static int show(struct cps *cps, const struct columns *columns, const struct insp_ns_list *list,
		const struct insp_container *only)
{
	_cleanup_free_ const void **rows = calloc(list->n + 1, sizeof(*rows));
	struct insp_err err = { 0 };
	size_t n = 0;

	if (!rows) {
		insp_err_set(&err, -ENOMEM, "list namespaces");
		return tool_fail(cps->tool, &err);
	}
	for (size_t i = 0; i < list->n; i++)
		if (belongs(&list->items[i], only))
			rows[n++] = &list->items[i];
	note_unreadable(cps, list->unreadable);
	return cps_print(cps, "namespaces", columns, rows, n, NULL);
}

/* The container of the operand; -ESRCH when it does not run. */
static int resolve(struct cps *cps, struct insp_container **ret)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_pid_ struct insp_pid *init = NULL;
	struct insp_err err = { 0 };

	if (cps->opts->n_operands == 0)
		return 0;
	if (tool_resolve(cps->tool, cps->sys, cps->opts->operands[0], INSP_WANT_NS, &c) != 0)
		return -ENOENT;
	if (insp_container_init(cps->sys, c, &init, &err) < 0) {
		tool_say(cps->tool, &err);
		return err.code;
	}
	*ret = TAKE_PTR(c);
	return 0;
}

int cps_namespaces(struct cps *cps)
{
	_cleanup_container_ struct insp_container *only = NULL;
	_cleanup_(insp_ns_list_clear) struct insp_ns_list list = { 0 };
	const struct cps_opts *o = cps->opts;
	struct columns columns;
	struct insp_err err = { 0 };
	unsigned types = 0;

	if (parse_types(o->types, &types, &err) < 0 ||
	    columns_choose(namespace_columns, o->quiet ? "NS" : NAMESPACE_DEFAULT, o->output,
			   &columns, &err) < 0)
		return tool_fail(cps->tool, &err);
	if (resolve(cps, &only) < 0)
		return TOOL_FAILED;
	if (insp_ns_list(cps->sys, types, &list, &cps->diags, &err) < 0)
		return tool_fail(cps->tool, &err);
	return show(cps, &columns, &list, only);
}
