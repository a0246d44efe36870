/* cps -p PID...: which container a process of this host is in. */
#include "tools/cps/cps.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

struct owners {
	struct container_row *rows;
	struct insp_container **containers;
	size_t n;
};

static void owners_clear(struct owners *o)
{
	for (size_t i = 0; i < o->n; i++)
		insp_container_free(o->containers[i]);
	free(o->containers);
	free(o->rows);
}

static int parse_pid(const char *text, pid_t *ret, struct insp_err *err)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (errno || *end || end == text || v <= 0 || v > INT_MAX)
		return insp_err_say(err, -EINVAL, "'%s' is not a pid", text);
	*ret = (pid_t)v;
	return 0;
}

static int find(struct cps *cps, const char *text, unsigned want, struct owners *owners,
		struct insp_err *err)
{
	_cleanup_pid_ struct insp_pid *process = NULL;
	struct insp_container *c = NULL;
	pid_t pid = 0;
	int r;

	r = parse_pid(text, &pid, err);
	if (r >= 0)
		r = insp_pid_open(cps->sys, pid, 0, &process, err);
	if (r >= 0)
		r = insp_resolve_pid(cps->sys, process, want, &c, err);
	if (r < 0)
		return r;
	owners->containers[owners->n] = c;
	owners->rows[owners->n++] = (struct container_row){
		.c = c,
		.process = pid,
		.nprocs = -1,
		.now = insp_sys_now(cps->sys),
	};
	return 0;
}

static void find_all(struct cps *cps, unsigned want, struct owners *owners)
{
	for (size_t i = 0; i < cps->opts->n_operands; i++) {
		struct insp_err err = { 0 };

		if (find(cps, cps->opts->operands[i], want, owners, &err) >= 0)
			continue;
		tool_say(cps->tool, &err);
		cps->failed = true;
	}
}

int cps_owners(struct cps *cps)
{
	_cleanup_(owners_clear) struct owners owners = { 0 };
	_cleanup_free_ const void **pointers = NULL;
	const struct cps_opts *o = cps->opts;
	const char *defaults = o->quiet ? "ID" : "PROCESS," CONTAINER_DEFAULT;
	struct columns columns;
	struct insp_err err = { 0 };
	unsigned want;

	if (columns_choose(container_columns, defaults, o->output, &columns, &err) < 0)
		return tool_fail(cps->tool, &err);
	owners.rows = calloc(o->n_operands, sizeof(*owners.rows));
	owners.containers = calloc(o->n_operands, sizeof(struct insp_container *));
	pointers = calloc(o->n_operands, sizeof(*pointers));
	if (!owners.rows || !owners.containers || !pointers) {
		insp_err_set(&err, -ENOMEM, "look up the processes");
		return tool_fail(cps->tool, &err);
	}
	want = columns_want(&columns, o->json);
	find_all(cps, (want & ~CPS_WANT_NPROCS) | INSP_WANT_BARE, &owners);
	if (want & CPS_WANT_NPROCS)
		container_rows_count(cps, owners.rows, owners.n);
	for (size_t i = 0; i < owners.n; i++)
		pointers[i] = &owners.rows[i];
	if (owners.n == 0 && !o->json)
		return cps_status(cps);
	return cps_print(cps, "containers", &columns, pointers, owners.n, NULL);
}
