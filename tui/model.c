#include "tui/model.h"

#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void row_free(struct row *row)
{
	if (!row)
		return;
	free(row->key);
	free(row);
}

static char *key_of(const struct insp_container *c)
{
	char *key;

	return asprintf(&key, "%s/%u/%s", c->engine, (unsigned)c->owner, c->id) < 0 ? NULL : key;
}

static bool is_key_of(const char *key, const struct insp_container *c)
{
	size_t engine = strlen(c->engine), id = strlen(c->id), len = strlen(key);
	char owner[16];
	size_t n = (size_t)snprintf(owner, sizeof(owner), "/%u/", (unsigned)c->owner);

	return len == engine + n + id && memcmp(key, c->engine, engine) == 0 &&
	       memcmp(key + engine, owner, n) == 0 && memcmp(key + engine + n, c->id, id) == 0;
}

/*
 * The row of c among those of the frame before, from *at on around: containers come in nearly the same order each time, so
 * this is one comparison. Taken out of old. NULL: it is new.
 */
static struct row *take_old(struct row **old, size_t n, size_t *at, const struct insp_container *c)
{
	for (size_t i = 0; i < n; i++) {
		size_t here = (*at + i) % n;
		struct row *row = old[here];

		if (!row || !is_key_of(row->key, c))
			continue;
		old[here] = NULL;
		*at = (here + 1) % n;
		return row;
	}
	return NULL;
}

static struct row *new_row(const struct insp_container *c)
{
	struct row *row = calloc(1, sizeof(*row));

	if (row && !(row->key = key_of(c))) {
		free(row);
		return NULL;
	}
	return row;
}

static void remember_cpu(struct row *row)
{
	double cpu;

	if (!row_cpu(row, &cpu))
		return;
	row->cpu[row->n_cpu++ % HISTORY] = cpu > 6553 ? UINT16_MAX : (uint16_t)(cpu * 10);
}

/* The same id with another process was started anew: its counters began at 0. */
static void update_row(struct row *row, const struct insp_fleet_item *item, int64_t time)
{
	row->before = row->now;
	row->now = item->sample;
	row->c = item->c;
	row->summed = item->summed;
	row->time = time;
	remember_cpu(row);
}

static int by_seen(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	return (x->seen > y->seen) - (x->seen < y->seen);
}

int model_take(struct model *m, const struct insp_moment *frame)
{
	_cleanup_free_ struct row **old = m->rows;
	struct row **rows = calloc(frame->n + 1, sizeof(*rows));
	size_t n_old = m->n, at = 0;
	int r = rows ? 0 : -ENOMEM;

	/* back into the order of the frame, which the next one mostly has too */
	if (n_old)
		qsort(old, n_old, sizeof(*old), by_seen);
	m->rows = rows;
	m->n = 0;
	m->interval = m->frames ? frame->time - m->time : 0;
	m->time = frame->time;
	m->host = frame->host;
	m->new_events = 0;
	for (size_t i = 0; i < frame->n && r >= 0; i++) {
		struct row *row = n_old ? take_old(old, n_old, &at, frame->items[i].c) : NULL;
		bool is_new = !row;

		if (!row && !(row = new_row(frame->items[i].c))) {
			r = -ENOMEM;
			break;
		}
		row->seen = (int64_t)i;
		rows[m->n++] = row;
		update_row(row, &frame->items[i], frame->time);
		r = model_events_of(m, row, is_new && m->frames > 0);
	}
	if (r >= 0)
		r = model_events_of_ended(m, frame);
	for (size_t i = 0; i < n_old; i++)
		row_free(old[i]);
	m->shown = m->n;
	m->frames++;
	return r;
}

int model_sort(struct model *m, const char *spec, struct insp_err *err)
{
	return columns_sort(ctop_columns, spec, (const void **)m->rows, m->n, err);
}

static bool has(const char *text, const char *part)
{
	return text && strcasestr(text, part);
}

static bool passes(const struct insp_container *c, const char *text)
{
	return has(c->name, text) || has(c->id, text) || has(c->image, text) || has(c->pod, text) ||
	       has(c->project, text);
}

int model_filter(struct model *m, const char *text)
{
	_cleanup_free_ struct row **hidden = NULL;
	size_t n = 0;

	m->shown = m->n;
	if (!text || !*text)
		return 0;
	hidden = calloc(m->n + 1, sizeof(*hidden));
	if (!hidden)
		return -ENOMEM;
	m->shown = 0;
	for (size_t i = 0; i < m->n; i++) {
		if (passes(m->rows[i]->c, text))
			m->rows[m->shown++] = m->rows[i];
		else
			hidden[n++] = m->rows[i];
	}
	for (size_t i = 0; i < n; i++)
		m->rows[m->shown + i] = hidden[i];
	return 0;
}
