/* cps CONTAINER...: the processes of containers, seen from the host. */
#include "tools/cps/cps.h"
#include "tools/shared/text.h"

#include <errno.h>
#include <stdlib.h>

static const struct process_row *of(const void *row)
{
	return row;
}

/* ---- columns ------------------------------------------------------------------------------------------- */

static void fill_container(const void *row, struct cell *cell)
{
	cell_text(cell, of(row)->c->name);
}

static void fill_pid(const void *row, struct cell *cell)
{
	cell_number(cell, of(row)->p->pid);
}

static void fill_ppid(const void *row, struct cell *cell)
{
	cell_number(cell, of(row)->p->ppid);
}

static void fill_ns_pid(const void *row, struct cell *cell)
{
	if (of(row)->p->ns_pid > 0)
		cell_number(cell, of(row)->p->ns_pid);
}

/* A user by name, by number where no passwd has it; unknown where it is not mapped. */
static void fill_user_of(const char *name, uid_t uid, struct cell *cell)
{
	if (name)
		cell_text(cell, name);
	else if (uid != (uid_t)-1)
		cell_printf(cell, "%u", uid);
}

static void fill_user(const void *row, struct cell *cell)
{
	fill_user_of(of(row)->p->ns_user, of(row)->p->ns_uid, cell);
}

static void fill_host_user(const void *row, struct cell *cell)
{
	fill_user_of(of(row)->p->user, of(row)->p->uid, cell);
}

static void fill_ns_uid(const void *row, struct cell *cell)
{
	if (of(row)->p->ns_uid != (uid_t)-1)
		cell_number(cell, of(row)->p->ns_uid);
}

static void fill_uid(const void *row, struct cell *cell)
{
	cell_number(cell, of(row)->p->uid);
}

static void fill_state(const void *row, struct cell *cell)
{
	if (of(row)->p->state)
		cell_printf(cell, "%c", of(row)->p->state);
}

static void fill_start(const void *row, struct cell *cell)
{
	char buf[TEXT_MAX];

	if (of(row)->start == 0)
		return;
	cell_printf(cell, "%s", text_start(of(row)->start, of(row)->now, buf));
	cell_number(cell, of(row)->start);
}

/* In JSON: milliseconds. */
static void fill_time(const void *row, struct cell *cell)
{
	uint64_t ticks = of(row)->p->cpu, hz = (uint64_t)of(row)->hz;
	char buf[TEXT_MAX];

	cell_printf(cell, "%s", text_cpu_time(ticks / hz, buf));
	cell_number(cell, (int64_t)(ticks / hz * 1000 + ticks % hz * 1000 / hz));
}

static void fill_rss(const void *row, struct cell *cell)
{
	char buf[TEXT_MAX];

	cell_printf(cell, "%s", text_size(of(row)->p->rss, buf));
	cell_number(cell, (int64_t)of(row)->p->rss);
}

static void fill_threads(const void *row, struct cell *cell)
{
	cell_number(cell, of(row)->p->threads);
}

static void fill_comm(const void *row, struct cell *cell)
{
	cell_text(cell, of(row)->p->comm);
}

/* The command line; like ps(1) the short name in brackets where there is none. */
static void fill_command(const void *row, struct cell *cell)
{
	const struct insp_proc *p = of(row)->p;

	if (p->cmdline && p->cmdline[0])
		cell_text(cell, p->cmdline);
	else
		cell_printf(cell, "[%s]", p->comm);
}

static void json_command(const void *row, const char *key, struct json_out *out)
{
	json_out_string(out, key, of(row)->p->cmdline);
}

#define USERS INSP_PROC_USERS

/* clang-format off */
const struct column process_columns[] = {
	{ "CONTAINER", 0, "name of the container", "container", fill_container },
	{ "PID", COL_RIGHT, "pid on this host", "pid", fill_pid },
	{ "PPID", COL_RIGHT, "parent's pid on this host", "ppid", fill_ppid },
	{ "NSPID", COL_RIGHT, "pid inside the container", "ns_pid", fill_ns_pid },
	{ "USER", 0, "user inside, by the container's passwd", "user", fill_user, .want = USERS },
	{ "HOSTUSER", 0, "the same user as this host sees it", "host_user", fill_host_user, .want = USERS },
	{ "NSUID", COL_RIGHT, "effective uid inside", "uid", fill_ns_uid, .want = USERS },
	{ "UID", COL_RIGHT, "effective uid on this host", "host_uid", fill_uid },
	{ "STATE", 0, "state: R S D T Z ... as in proc(5)", "state", fill_state },
	{ "START", COL_TIME, "when it was started", "started", fill_start },
	{ "TIME", COL_RIGHT, "cpu time used; milliseconds in JSON", "cpu_ms", fill_time },
	{ "RSS", COL_RIGHT, "resident memory; bytes in JSON", "rss", fill_rss },
	{ "THREADS", COL_RIGHT, "number of threads", "threads", fill_threads },
	{ "COMM", 0, "the kernel's short name of it", "comm", fill_comm },
	{ "COMMAND", COL_TREE | COL_TRUNC, "command line", "command", fill_command, json_command, INSP_PROC_CMDLINE },
	{ NULL },
};
/* clang-format on */

/* ---- the list ------------------------------------------------------------------------------------------ */

/* Containers and their processes as the rows point to them. */
struct process_list {
	struct insp_container **containers;
	struct insp_procs *procs; /* of each container */
	size_t n_containers;
	struct process_row *rows;
	const void **pointers;
	size_t n;
};

static void process_list_clear(struct process_list *l)
{
	for (size_t i = 0; i < l->n_containers; i++) {
		insp_procs_clear(&l->procs[i]);
		insp_container_free(l->containers[i]);
	}
	free(l->containers);
	free(l->procs);
	free(l->rows);
	free(l->pointers);
}

/* A script is told in the object what could not be read: there the name may be. */
static void note_unread(struct cps *cps)
{
	_cleanup_list_ struct insp_list all = { 0 };

	if (cps->opts->json && cps->diags.n == 0)
		(void)insp_list(cps->sys, INSP_WANT_STOPPED, &all, &cps->diags, NULL);
}

static int read_one(struct cps *cps, const char *ref, unsigned want, struct process_list *l)
{
	_cleanup_container_ struct insp_container *c = NULL;
	struct insp_procs procs = { 0 };
	struct insp_err err = { 0 };

	if (tool_resolve(cps->tool, cps->sys, ref, INSP_WANT_CGROUP | INSP_WANT_NS, &c) != 0) {
		note_unread(cps);
		return -ENOENT;
	}
	if (insp_container_procs(cps->sys, c, want, &procs, &cps->diags, &err) < 0) {
		tool_say(cps->tool, &err);
		return err.code;
	}
	l->procs[l->n_containers] = procs;
	l->containers[l->n_containers++] = TAKE_PTR(c);
	l->n += procs.n;
	return 0;
}

static void fill_rows(const struct cps *cps, struct process_list *l)
{
	int64_t now = insp_sys_now(cps->sys);
	long hz = insp_sys_ticks_per_second(cps->sys);
	size_t n = 0;

	for (size_t i = 0; i < l->n_containers; i++)
		for (size_t j = 0; j < l->procs[i].n; j++) {
			const struct insp_proc *p = &l->procs[i].items[j];

			l->rows[n] = (struct process_row){
				.c = l->containers[i],
				.p = p,
				.start = insp_sys_ticks_to_time(cps->sys, p->start),
				.now = now,
				.hz = hz > 0 ? hz : 100,
			};
			l->pointers[n] = &l->rows[n];
			n++;
		}
}

/* Rows may be in any order; a parent outside the container is no row. */
static ssize_t parent_of(const void *const *rows, size_t n, size_t row)
{
	const struct process_row *child = rows[row];

	for (size_t i = 0; i < n; i++) {
		const struct process_row *r = rows[i];

		if (i != row && r->c == child->c && r->p->pid == child->p->ppid)
			return (ssize_t)i;
	}
	return -1;
}

static int read_all(struct cps *cps, unsigned want, struct process_list *l, struct insp_err *err)
{
	size_t n = cps->opts->n_operands;

	l->containers = calloc(n, sizeof(struct insp_container *));
	l->procs = calloc(n, sizeof(*l->procs));
	if (!l->containers || !l->procs)
		return insp_err_set(err, -ENOMEM, "list processes");
	for (size_t i = 0; i < n; i++)
		if (read_one(cps, cps->opts->operands[i], want, l) < 0)
			cps->failed = true;
	l->rows = calloc(l->n + 1, sizeof(*l->rows));
	l->pointers = calloc(l->n + 1, sizeof(*l->pointers));
	if (!l->rows || !l->pointers)
		return insp_err_set(err, -ENOMEM, "list processes");
	fill_rows(cps, l);
	return 0;
}

static const char *default_columns(const struct cps_opts *o)
{
	if (o->quiet)
		return "PID";
	return o->n_operands > 1 ? "CONTAINER," PROCESS_DEFAULT : PROCESS_DEFAULT;
}

int cps_processes(struct cps *cps)
{
	_cleanup_(process_list_clear) struct process_list l = { 0 };
	const struct cps_opts *o = cps->opts;
	struct columns columns;
	struct insp_err err = { 0 };

	if (columns_choose(process_columns, default_columns(o), o->output, &columns, &err) < 0 ||
	    read_all(cps, columns_want(&columns, o->json), &l, &err) < 0)
		return tool_fail(cps->tool, &err);
	if (l.n_containers == 0 && !o->json)
		return cps_status(cps);
	return cps_print(cps, "processes", &columns, l.pointers, l.n, o->tree ? parent_of : NULL);
}
