/* cps: the containers. */
#include "tools/cps/cps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void container_rows_count(struct cps *cps, struct container_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_procs_ struct insp_procs procs = { 0 };

		if (!rows[i].c->pid)
			continue;
		if (insp_container_procs(cps->sys, rows[i].c, 0, &procs, NULL, NULL) >= 0)
			rows[i].nprocs = (ssize_t)procs.n;
	}
}

/* Newest first, as docker; unknown times last; then by name. */
static int compare_age(const void *va, const void *vb)
{
	const struct container_row *a = va, *b = vb;
	int64_t at = a->c->created ? a->c->created : a->c->started;
	int64_t bt = b->c->created ? b->c->created : b->c->started;

	if (at != bt)
		return at > bt ? -1 : 1;
	return strcmp(a->c->name, b->c->name);
}

/* -l, -n N and a status filter look at containers in any state, as docker does. */
static bool any_state(const struct cps_opts *o, const struct filters *filters)
{
	return o->all || o->latest || o->last || filters_want(filters) & INSP_WANT_STOPPED;
}

static unsigned want(const struct cps_opts *o, const struct columns *columns,
		     const struct filters *filters)
{
	unsigned bits = columns_want(columns, o->json) | filters_want(filters);

	if (o->sort) {
		const char *name = o->sort + (o->sort[0] == '-' || o->sort[0] == '+');
		const struct column *c = columns_find(container_columns, name, strlen(name));

		bits |= c ? c->want : 0;
	}
	if (any_state(o, filters))
		bits |= INSP_WANT_STOPPED;
	if (filters_pass_bare(filters))
		bits |= INSP_WANT_BARE;
	return bits;
}

/* The rows to show, in order; *ret_n of them. */
static struct container_row *select_rows(const struct cps *cps, const struct insp_list *list,
					 const struct filters *filters, size_t *ret_n)
{
	struct container_row *rows = calloc(list->n + 1, sizeof(*rows));
	size_t n = 0, most = cps->opts->latest ? 1 : cps->opts->last;
	int64_t now = insp_sys_now(cps->sys);

	if (!rows)
		return NULL;
	for (size_t i = 0; i < list->n; i++) {
		const struct insp_container *c = list->items[i];

		if (!any_state(cps->opts, filters) && !insp_state_is_live(c->state) &&
		    c->state != INSP_STATE_UNKNOWN)
			continue;
		if (c->unlisted && !any_state(cps->opts, filters))
			continue;
		if (filters_match(filters, c))
			rows[n++] = (struct container_row){ .c = c, .nprocs = -1, .now = now };
	}
	qsort(rows, n, sizeof(*rows), compare_age);
	*ret_n = most && most < n ? most : n;
	return rows;
}

/* Nothing to show of another host than this one: what may be meant instead. */
static void hint_empty(const struct cps *cps, bool stopped, size_t listed)
{
	const char *words = NULL;

	if (cps->opts->json || cps->opts->quiet || insp_sys_is_live(cps->sys) || cps->diags.n)
		return;
	if (!stopped)
		words = "nothing runs on a host that is not this one: -a shows what stopped";
	else if (listed == 0)
		words = "no engine's state is there: is it where the host's root is mounted?";
	if (words)
		fprintf(stderr, "hint: %s\n", words);
}

static int show(struct cps *cps, const struct columns *columns, struct container_row *rows,
		size_t n, unsigned bits)
{
	_cleanup_free_ const void **pointers = calloc(n + 1, sizeof(*pointers));
	struct insp_err err = { 0 };

	if (!pointers) {
		insp_err_set(&err, -ENOMEM, "list containers");
		return tool_fail(cps->tool, &err);
	}
	if (bits & CPS_WANT_NPROCS)
		container_rows_count(cps, rows, n);
	for (size_t i = 0; i < n; i++)
		pointers[i] = &rows[i];
	return cps_print(cps, "containers", columns, pointers, n, NULL);
}

static int list(struct cps *cps, const struct columns *columns, const struct filters *filters)
{
	_cleanup_list_ struct insp_list containers = { 0 };
	_cleanup_free_ struct container_row *rows = NULL;
	unsigned bits = want(cps->opts, columns, filters);
	struct insp_err err = { 0 };
	size_t n = 0;
	int status;

	if (insp_list(cps->sys, bits & ~CPS_WANT_NPROCS, &containers, &cps->diags, &err) < 0)
		return tool_fail(cps->tool, &err);
	rows = select_rows(cps, &containers, filters, &n);
	if (!rows) {
		insp_err_set(&err, -ENOMEM, "list containers");
		return tool_fail(cps->tool, &err);
	}
	status = show(cps, columns, rows, n, bits);
	if (n == 0 && status == TOOL_OK)
		hint_empty(cps, bits & INSP_WANT_STOPPED, containers.n);
	return status;
}

int cps_list(struct cps *cps)
{
	_cleanup_(filters_freep) struct filters *filters = NULL;
	const struct cps_opts *o = cps->opts;
	struct columns columns;
	struct insp_err err = { 0 };

	if (filters_parse(&o->filters, &filters, &err) < 0 ||
	    columns_choose(container_columns, o->quiet ? "ID" : CONTAINER_DEFAULT, o->output,
			   &columns, &err) < 0)
		return tool_fail(cps->tool, &err);
	return list(cps, &columns, filters);
}
