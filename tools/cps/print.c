/* What all lists share: sorting, table or JSON, diagnostics, exit status. */
#include "tools/cps/cps.h"

#include <errno.h>
#include <stdio.h>

static void json_diags(const struct insp_diags *diags, struct json_out *out)
{
	json_out_open(out, "diagnostics", '[');
	for (size_t i = 0; i < diags->n; i++) {
		const struct insp_err *e = &diags->items[i];

		json_out_open(out, NULL, '{');
		json_out_string(out, "text", e->text);
		json_out_string(out, "hint", e->hint[0] ? e->hint : NULL);
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
}

static void print_json(const struct cps *cps, const char *list, const struct columns *columns,
		       const void **rows, size_t n)
{
	struct json_out out = { .file = stdout };

	json_out_open(&out, NULL, '{');
	json_out_int(&out, "schema", 1);
	json_out_open(&out, list, '[');
	for (size_t i = 0; i < n; i++)
		columns_json(columns, rows[i], &out);
	json_out_close(&out, ']');
	json_diags(&cps->diags, &out);
	json_out_close(&out, '}');
}

int cps_status(const struct cps *cps)
{
	if (cps->failed)
		return TOOL_FAILED;
	return cps->diags.n ? TOOL_INCOMPLETE : TOOL_OK;
}

int cps_print(struct cps *cps, const char *list, const struct columns *columns, const void **rows,
	      size_t n, ssize_t (*parent)(const void *const *rows, size_t n, size_t row))
{
	const struct cps_opts *o = cps->opts;
	struct table_opts table = {
		.no_headings = o->no_headings || o->quiet,
		.no_trunc = o->no_trunc,
		.parent = parent,
	};
	struct insp_err err = { 0 };

	if (o->sort && columns_sort(columns->table, o->sort, rows, n, &err) < 0)
		return tool_fail(cps->tool, &err);
	if (o->json)
		print_json(cps, list, columns, rows, n);
	else if (table_print(columns, rows, n, &table, &err) < 0)
		return tool_fail(cps->tool, &err);
	/* the table first, also where both go to one file */
	if (fflush(stdout) != 0) {
		insp_err_set(&err, -errno, "write to stdout");
		clearerr(stdout); /* it is said */
		return tool_fail(cps->tool, &err);
	}
	tool_say_diags(cps->tool, &cps->diags);
	return cps_status(cps);
}
