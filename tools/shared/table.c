#include "tools/shared/table.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <string.h>

#define SHORT_ID 12

static void unref_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}
#define _cleanup_table_ _cleanup_(unref_table)

static int column_flags(const struct column *c, const struct table_opts *opts)
{
	int flags = 0;

	if (c->flags & COL_RIGHT)
		flags |= SCOLS_FL_RIGHT;
	if (c->flags & COL_TRUNC && !opts->no_trunc)
		flags |= SCOLS_FL_TRUNC;
	if (c->flags & COL_TREE && opts->parent)
		flags |= SCOLS_FL_TREE;
	return flags;
}

static int add_columns(struct libscols_table *table, const struct columns *columns,
		       const struct table_opts *opts)
{
	for (size_t i = 0; i < columns->n; i++) {
		const struct column *c = columns->chosen[i];

		if (!scols_table_new_column(table, c->name, 0, column_flags(c, opts)))
			return -ENOMEM;
	}
	return 0;
}

/* An id that an engine made up, not one that somebody chose. */
static bool is_made_up(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* What the cell shows, safe for a terminal; free(). */
static char *draw(const struct column *c, const void *row, const struct table_opts *opts)
{
	_cleanup_(cell_clear) struct cell cell = { 0 };
	char *text;

	c->fill(row, &cell);
	if (!cell.text && cell.is_number)
		cell_printf(&cell, "%lld", (long long)cell.number);
	if (!cell.text)
		return strdup("-");
	text = insp_escape_str(cell.text);
	if (text && c->flags & COL_SHORT && !opts->no_trunc && is_made_up(text))
		text[SHORT_ID] = '\0';
	return text;
}

static int fill_line(struct libscols_line *line, const struct columns *columns, const void *row,
		     const struct table_opts *opts)
{
	for (size_t i = 0; i < columns->n; i++) {
		char *text = draw(columns->chosen[i], row, opts);

		if (!text || scols_line_refer_data(line, i, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_parents(struct libscols_line **lines, const void *const *rows, size_t n,
		       const struct table_opts *opts)
{
	for (size_t i = 0; i < n; i++) {
		ssize_t parent = opts->parent(rows, n, i);

		if (parent >= 0 && scols_line_add_child(lines[parent], lines[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_lines(struct libscols_table *table, const struct columns *columns,
		     const void *const *rows, size_t n, const struct table_opts *opts)
{
	_cleanup_free_ struct libscols_line **lines = calloc(n + 1, sizeof(struct libscols_line *));

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r;

		lines[i] = scols_table_new_line(table, NULL);
		r = lines[i] ? fill_line(lines[i], columns, rows[i], opts) : -ENOMEM;
		if (r < 0)
			return r;
	}
	return opts->parent ? add_parents(lines, rows, n, opts) : 0;
}

/* libsmartcols prints nothing at all for a table without lines. */
static void print_headings(const struct columns *columns)
{
	for (size_t i = 0; i < columns->n; i++)
		printf("%s%s", i ? " " : "", columns->chosen[i]->name);
	putchar('\n');
}

int table_print(const struct columns *columns, const void *const *rows, size_t n,
		const struct table_opts *opts, struct insp_err *err)
{
	_cleanup_table_ struct libscols_table *table = NULL;
	int r;

	if (n == 0) {
		if (!opts->no_headings)
			print_headings(columns);
		return 0;
	}
	setlocale(LC_CTYPE, ""); /* for the width of what is not ASCII */
	table = scols_new_table();
	if (!table)
		return insp_err_set(err, -ENOMEM, "draw the table");
	scols_table_enable_noencoding(table, 1); /* the cells are escaped already */
	scols_table_enable_noheadings(table, opts->no_headings);
	if (opts->no_trunc)
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	r = add_columns(table, columns, opts);
	if (r >= 0)
		r = add_lines(table, columns, rows, n, opts);
	if (r >= 0)
		r = scols_print_table(table);
	return r < 0 ? insp_err_set(err, r, "draw the table") : 0;
}
