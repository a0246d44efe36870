#include "tools/shared/columns.h"
#include "tools/shared/text.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- cells --------------------------------------------------------------------------------------------- */

void cell_text(struct cell *cell, const char *borrowed)
{
	cell->text = borrowed;
}

void cell_printf(struct cell *cell, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&cell->own, fmt, ap) < 0)
		cell->own = NULL;
	va_end(ap);
	cell->text = cell->own;
}

void cell_number(struct cell *cell, int64_t number)
{
	cell->number = number;
	cell->is_number = true;
}

void cell_clear(struct cell *cell)
{
	free(cell->own);
	*cell = (struct cell){ 0 };
}

/* ---- choosing ------------------------------------------------------------------------------------------ */

const struct column *columns_find(const struct column *table, const char *name, size_t len)
{
	for (const struct column *c = table; c->name; c++)
		if (strlen(c->name) == len && strncasecmp(c->name, name, len) == 0)
			return c;
	return NULL;
}

static int unknown_column(const char *name, size_t len, struct insp_err *err)
{
	insp_err_say(err, -EINVAL, "unknown column '%.*s'", (int)len, name);
	insp_err_hint(err, "--list-columns shows the names");
	return -EINVAL;
}

/* Appends the columns of a comma list. */
static int add(struct columns *columns, const char *list, struct insp_err *err)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		const struct column *c = columns_find(columns->table, list, len);

		if (!c)
			return unknown_column(list, len, err);
		if (columns->n == COLUMNS_MAX)
			return insp_err_say(err, -E2BIG, "more than %d columns", COLUMNS_MAX);
		columns->chosen[columns->n++] = c;
		list += len;
		list += *list == ',';
	}
	return 0;
}

int columns_choose(const struct column *table, const char *defaults, const char *spec,
		   struct columns *ret, struct insp_err *err)
{
	struct columns columns = { .table = table, .explicit = spec != NULL };
	int r = 0;

	if (!spec || spec[0] == '+')
		r = add(&columns, defaults, err);
	if (r >= 0 && spec)
		r = add(&columns, spec + (spec[0] == '+'), err);
	if (r < 0)
		return r;
	if (columns.n == 0)
		return insp_err_say(err, -EINVAL, "no column named");
	*ret = columns;
	return 0;
}

/* Whether the column is in the JSON output. */
static bool in_json(const struct columns *columns, const struct column *c)
{
	bool chosen = false;

	for (size_t i = 0; i < columns->n; i++)
		chosen = chosen || columns->chosen[i] == c;
	if (!c->key)
		return false;
	return chosen || (!columns->explicit && !(c->flags & COL_EXTRA));
}

unsigned columns_want(const struct columns *columns, bool json)
{
	unsigned want = 0;

	if (!json) {
		for (size_t i = 0; i < columns->n; i++)
			want |= columns->chosen[i]->want;
		return want;
	}
	for (const struct column *c = columns->table; c->name; c++)
		if (in_json(columns, c))
			want |= c->want;
	return want;
}

void columns_print_list(const struct column *table)
{
	for (const struct column *c = table; c->name; c++)
		printf("%-10s %s\n", c->name, c->help);
}

/* ---- sorting ------------------------------------------------------------------------------------------- */

struct sort_item {
	const void *row;
	struct cell cell;
	size_t place; /* keeps equal rows in order: qsort is not stable */
};

static int compare_cells(const struct cell *a, const struct cell *b)
{
	if (a->is_number && b->is_number)
		return (a->number > b->number) - (a->number < b->number);
	return strcmp(a->text ? a->text : "", b->text ? b->text : "");
}

/* Unknown cells come last, whichever the direction. */
static int compare(const void *va, const void *vb, void *direction)
{
	const struct sort_item *a = va, *b = vb;
	bool known_a = a->cell.text || a->cell.is_number,
	     known_b = b->cell.text || b->cell.is_number;
	int r;

	if (known_a != known_b)
		return known_a ? -1 : 1;
	r = *(int *)direction * compare_cells(&a->cell, &b->cell);
	return r ? r : (a->place > b->place) - (a->place < b->place);
}

int columns_sort(const struct column *table, const char *spec, const void **rows, size_t n,
		 struct insp_err *err)
{
	int direction = spec[0] == '-' ? -1 : 1;
	const char *name = spec + (spec[0] == '-' || spec[0] == '+');
	const struct column *column = columns_find(table, name, strlen(name));
	_cleanup_free_ struct sort_item *items = calloc(n + 1, sizeof(*items));

	if (!column)
		return unknown_column(name, strlen(name), err);
	if (!items)
		return insp_err_set(err, -ENOMEM, "sort");
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct sort_item){ .row = rows[i], .place = i };
		column->fill(rows[i], &items[i].cell);
	}
	qsort_r(items, n, sizeof(*items), compare, &direction);
	for (size_t i = 0; i < n; i++) {
		rows[i] = items[i].row;
		cell_clear(&items[i].cell);
	}
	return 0;
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void json_cell(const struct column *c, const void *row, struct json_out *out)
{
	_cleanup_(cell_clear) struct cell cell = { 0 };
	char buf[TEXT_MAX];

	c->fill(row, &cell);
	if (cell.is_number && c->flags & COL_TIME)
		json_out_string(out, c->key, text_rfc3339(cell.number, buf));
	else if (cell.is_number)
		json_out_int(out, c->key, cell.number);
	else
		json_out_string(out, c->key, cell.text);
}

void columns_json(const struct columns *columns, const void *row, struct json_out *out)
{
	json_out_open(out, NULL, '{');
	for (const struct column *c = columns->table; c->name; c++) {
		if (!in_json(columns, c))
			continue;
		if (c->json)
			c->json(row, c->key, out);
		else
			json_cell(c, row, out);
	}
	json_out_close(out, '}');
}
