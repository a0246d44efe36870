/*
 * A list is its column table: the heading and -o name, the help of --list-columns, the JSON key, what a cell shows
 * and what it is sorted by. tests/lint compares the man page with it.
 */
#ifndef SONDE_SHARED_COLUMNS_H
#define SONDE_SHARED_COLUMNS_H

#include "libinspect/inspect.h"
#include "tools/shared/json-out.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One cell. Unknown unless something was set: a text (raw bytes, escaped when drawn), a number, or both; then the
 * text is drawn and the number sorted by and written to JSON.
 */
struct cell {
	const char *text;
	char *own; /* what text points to when it is not borrowed from the row */
	int64_t number;
	bool is_number;
};
void cell_text(struct cell *cell, const char *borrowed); /* NULL: unknown */
void cell_printf(struct cell *cell, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cell_number(struct cell *cell, int64_t number);
void cell_clear(struct cell *cell);

enum column_flags {
	COL_RIGHT = 1 << 0, /* drawn right-aligned */
	COL_TRUNC = 1 << 1, /* may be cut to fit the terminal */
	COL_SHORT = 1 << 2, /* of an id of 64 hexadecimal digits the first 12 unless --no-trunc */
	COL_TIME = 1 << 3,  /* the number is ns since the epoch; JSON has RFC 3339 */
	COL_EXTRA = 1 << 4, /* in JSON only when asked for with -o */
	COL_TREE = 1 << 5,  /* carries the branches of --tree */
};

struct column {
	const char *name;
	unsigned flags;
	const char *help;
	const char *key; /* in JSON; NULL: not there */
	void (*fill)(const void *row, struct cell *cell);
	void (*json)(const void *row, const char *key, struct json_out *out); /* NULL: the cell */
	unsigned want; /* INSP_WANT_* or INSP_PROC_* that its data costs */
};

#define COLUMNS_MAX 64

/* A tool's choice of columns, in order. */
struct columns {
	const struct column *table; /* ends with a NULL name */
	const struct column *chosen[COLUMNS_MAX];
	size_t n;
	bool explicit; /* chosen with -o: JSON has just these */
};

/*
 * spec: "A,B" replaces defaults, "+A,B" adds to them, NULL is just them. Names in any case. -EINVAL.
 */
int columns_choose(const struct column *table, const char *defaults, const char *spec,
		   struct columns *ret, struct insp_err *err);
/* A column of that name in the table, or NULL. */
const struct column *columns_find(const struct column *table, const char *name, size_t len);
/* The want bits of all chosen columns; of every JSON key when json. */
unsigned columns_want(const struct columns *columns, bool json);
/* "NAME  help" lines on stdout. */
void columns_print_list(const struct column *table);

/* Rows are the caller's structs. Sorts by column spec ("COL", "-COL": reverse); unknown cells last. */
int columns_sort(const struct column *table, const char *spec, const void **rows, size_t n,
		 struct insp_err *err);

/* One JSON object for a row, in an array. */
void columns_json(const struct columns *columns, const void *row, struct json_out *out);

#endif
