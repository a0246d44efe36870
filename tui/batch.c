#include "tui/batch.h"

#include "tools/shared/text.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- table --------------------------------------------------------------------------------------------- */

/* A name is bytes of a record: what is no plain character is written out, so its width is what it is long. */
static char *cell_words(const struct batch *b, const struct column *column, const struct row *row)
{
	_cleanup_(cell_clear) struct cell cell = { 0 };
	char *text;

	column->fill(row, &cell);
	if (!cell.text)
		return strdup("-");
	text = insp_escape_str(cell.text);
	if (text && column->flags & COL_SHORT && !b->no_trunc && strlen(text) == 64)
		text[12] = '\0';
	return text;
}

static void table_clear(char **cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(cells[i]);
	free(cells);
}

static int table_width(const char *utf8)
{
	int n = 0;

	for (; *utf8; utf8++)
		n += (*utf8 & 0xc0) != 0x80;
	return n;
}

static void print_cell(const struct column *column, const char *text, int width, bool last)
{
	int pad = width - table_width(text);

	if (column->flags & COL_RIGHT)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : pad, "");
	putchar(last ? '\n' : ' ');
}

static void print_line(const struct columns *columns, char *const *cells, const int *widths)
{
	for (size_t i = 0; i < columns->n; i++)
		print_cell(columns->chosen[i], cells ? cells[i] : column_title(columns->chosen[i]),
			   widths[i], i + 1 == columns->n);
}

static int print_table(const struct batch *b, const struct model *m, bool first)
{
	size_t wide = b->columns->n, n = m->shown * wide;
	char **cells = calloc(n + 1, sizeof(*cells));
	int widths[COLUMNS_MAX], r = cells ? 0 : -ENOMEM;

	for (size_t i = 0; i < wide; i++)
		widths[i] = b->no_headings ? 0 : table_width(column_title(b->columns->chosen[i]));
	for (size_t i = 0; i < n && r >= 0; i++) {
		int width;

		cells[i] = cell_words(b, b->columns->chosen[i % wide], m->rows[i / wide]);
		if (!cells[i]) {
			r = -ENOMEM;
			break;
		}
		width = table_width(cells[i]);
		if (width > widths[i % wide])
			widths[i % wide] = width;
	}
	if (r >= 0 && !first)
		putchar('\n');
	if (r >= 0 && !b->no_headings)
		print_line(b->columns, NULL, widths);
	for (size_t i = 0; i < m->shown && r >= 0; i++)
		print_line(b->columns, cells + i * wide, widths);
	table_clear(cells, cells ? n : 0);
	return r;
}

/* ---- CSV (RFC 4180) ------------------------------------------------------------------------------------ */

/* Escaped as for a terminal, for that is where it is looked at; then quoted where CSV wants it. */
static int print_csv_text(const char *raw)
{
	_cleanup_free_ char *text = insp_escape_str(raw);

	if (!text)
		return -ENOMEM;
	if (!strpbrk(text, ",\"")) {
		fputs(text, stdout);
		return 0;
	}
	putchar('"');
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			putchar('"');
		putchar(*p);
	}
	putchar('"');
	return 0;
}

/* Numbers as JSON has them; what is not known is empty. */
static int print_csv_cell(const struct column *column, const struct row *row)
{
	_cleanup_(cell_clear) struct cell cell = { 0 };
	struct json_out out = { .file = stdout, .depth = 1 };

	column->fill(row, &cell);
	if (cell.is_number && column->json && column->flags & COL_RIGHT) {
		column->json(row, NULL, &out);
		return 0;
	}
	if (cell.is_number && column->flags & COL_RIGHT) {
		json_out_int(&out, NULL, cell.number);
		return 0;
	}
	/* "none" of a limit: JSON's null */
	return cell.text && !(column->flags & COL_RIGHT) ? print_csv_text(cell.text) : 0;
}

static int print_csv(const struct batch *b, const struct model *m, bool first)
{
	char time[TEXT_MAX];

	if (first && !b->no_headings) {
		fputs("time", stdout);
		for (size_t i = 0; i < b->columns->n; i++)
			printf(",%s", b->columns->chosen[i]->key);
		putchar('\n');
	}
	text_rfc3339(m->time, time);
	for (size_t i = 0; i < m->shown; i++) {
		fputs(time, stdout);
		for (size_t c = 0; c < b->columns->n; c++) {
			putchar(',');
			if (print_csv_cell(b->columns->chosen[c], m->rows[i]) < 0)
				return -ENOMEM;
		}
		putchar('\n');
	}
	return 0;
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void json_known(struct json_out *out, const char *key, double v)
{
	if (v < 0)
		json_out_null(out, key);
	else
		json_out_real(out, key, v, 2);
}

static void json_count(struct json_out *out, const char *key, int64_t v)
{
	if (v < 0)
		json_out_null(out, key);
	else
		json_out_int(out, key, v);
}

static void json_host(const struct insp_host_sample *h, struct json_out *out)
{
	json_out_open(out, "host", '{');
	json_known(out, "load1", h->load[0]);
	json_known(out, "load5", h->load[1]);
	json_known(out, "load15", h->load[2]);
	json_count(out, "cpus", h->cpus);
	json_count(out, "mem_total", h->mem_total);
	json_count(out, "mem_available", h->mem_available);
	json_count(out, "swap_total", h->swap_total);
	json_count(out, "swap_free", h->swap_free);
	json_known(out, "psi_cpu", h->psi[0]);
	json_known(out, "psi_mem", h->psi[1]);
	json_known(out, "psi_io", h->psi[2]);
	json_out_close(out, '}');
}

static void json_event(const struct event *e, struct json_out *out)
{
	json_out_open(out, NULL, '{');
	json_out_string(out, "event", event_name(e->kind));
	json_out_string(out, "engine", e->engine);
	json_out_string(out, "name", e->name);
	json_out_string(out, "id", e->id);
	json_count(out, "number", e->number);
	json_out_close(out, '}');
}

static int print_json(const struct batch *b, const struct model *m)
{
	struct json_out out = { .file = stdout, .one_line = true };
	char time[TEXT_MAX];

	json_out_open(&out, NULL, '{');
	json_out_int(&out, "schema", 1);
	json_out_string(&out, "time", text_rfc3339(m->time, time));
	if (m->interval > 0)
		json_out_real(&out, "interval", (double)m->interval / 1e9, 3);
	else
		json_out_null(&out, "interval");
	json_host(&m->host, &out);
	json_out_open(&out, "containers", '[');
	for (size_t i = 0; i < m->shown; i++)
		columns_json(b->columns, m->rows[i], &out);
	json_out_close(&out, ']');
	json_out_open(&out, "events", '[');
	for (uint64_t i = 0; i < m->new_events; i++)
		json_event(model_new_event(m, i), &out);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	return 0;
}

int batch_print(const struct batch *b, const struct model *m, bool first)
{
	switch (b->form) {
	case BATCH_JSON: return print_json(b, m);
	case BATCH_CSV: return print_csv(b, m, first);
	default: return print_table(b, m, first);
	}
}
