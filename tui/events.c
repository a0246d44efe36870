/* What happened between two frames. */
#include "tools/shared/util.h"
#include "tui/model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOOP_STARTS 3			  /* so many … */
#define LOOP_NS	    INT64_C(300000000000) /* … in five minutes are a loop */
#define STARTS_MAX  4096
#define THROTTLE    50 /* percent, unless the model says */

/* When a container of that name was started, for the loop: a restart may make a new id. */
struct start {
	char *name;
	int64_t times[LOOP_STARTS]; /* a ring */
	unsigned n;
	int64_t told; /* when it was called a loop */
};

const char *event_name(enum event_kind kind)
{
	static const char *const names[EVENT_MAX] = { "started", "exited", "oom-killed",
						      "throttled", "restart-loop" };

	return names[kind];
}

static void event_clear(struct event *e)
{
	free(e->engine);
	free(e->name);
	free(e->id);
	*e = (struct event){ 0 };
}

static int add(struct model *m, enum event_kind kind, const struct insp_container *c,
	       int64_t number)
{
	struct event *e = &m->events[m->n_events % EVENTS_KEPT];

	event_clear(e);
	*e = (struct event){ kind,	    m->time, strdup(c->engine), strdup(c->name),
			     strdup(c->id), number };
	if (!e->engine || !e->name || !e->id) {
		event_clear(e);
		return -ENOMEM;
	}
	m->n_events++;
	m->new_events += m->new_events < EVENTS_KEPT;
	return 0;
}

const struct event *model_new_event(const struct model *m, uint64_t i)
{
	return &m->events[(m->n_events - m->new_events + i) % EVENTS_KEPT];
}

char *event_text(const struct event *e)
{
	char *text = NULL;
	int n;

	switch (e->kind) {
	case EVENT_EXITED:
		n = e->number < 0 ? asprintf(&text, "%s exited", e->name)
				  : asprintf(&text, "%s exited (%" PRId64 ")", e->name, e->number);
		break;
	case EVENT_THROTTLED:
		n = asprintf(&text, "%s throttled %" PRId64 "%%", e->name, e->number);
		break;
	case EVENT_LOOP: n = asprintf(&text, "%s restarts again and again", e->name); break;
	case EVENT_OOM: n = asprintf(&text, "%s oom-killed", e->name); break;
	default: n = asprintf(&text, "%s %s", e->name, event_name(e->kind));
	}
	return n < 0 ? NULL : text;
}

/* ---- restart loops ---- */

static struct start *find_start(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_starts; i++)
		if (strcmp(m->starts[i].name, name) == 0)
			return &m->starts[i];
	return NULL;
}

static void forget_old_starts(struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_starts; i++) {
		struct start *s = &m->starts[i];

		if (m->time - s->times[(s->n - 1) % LOOP_STARTS] < LOOP_NS)
			m->starts[n++] = *s;
		else
			free(s->name);
	}
	m->n_starts = n;
}

static struct start *new_start(struct model *m, const char *name)
{
	struct start *bigger;
	char *copy;

	forget_old_starts(m);
	if (m->n_starts == STARTS_MAX)
		return NULL;
	if (m->n_starts == m->cap_starts) {
		bigger = reallocarray(m->starts, m->cap_starts * 2 + 16, sizeof(*bigger));
		if (!bigger)
			return NULL;
		m->starts = bigger;
		m->cap_starts = m->cap_starts * 2 + 16;
	}
	copy = strdup(name);
	if (!copy)
		return NULL;
	m->starts[m->n_starts] = (struct start){ .name = copy };
	return &m->starts[m->n_starts++];
}

/* A start more; too many of them, and it is said once in that time. */
static int note_start(struct model *m, const struct insp_container *c)
{
	struct start *s = find_start(m, c->name);

	if (!s)
		s = new_start(m, c->name);
	if (!s)
		return 0;
	s->times[s->n++ % LOOP_STARTS] = m->time;
	if (s->n < LOOP_STARTS || m->time - s->times[s->n % LOOP_STARTS] > LOOP_NS ||
	    (s->told && m->time - s->told < LOOP_NS))
		return 0;
	s->told = m->time;
	return add(m, EVENT_LOOP, c, s->n);
}

/* ---- between two frames ---- */

static int on_start(struct model *m, const struct row *row)
{
	int r;

	if (!insp_state_is_live(row->c->state))
		return 0;
	r = add(m, EVENT_STARTED, row->c, -1);
	return r < 0 ? r : note_start(m, row->c);
}

static int on_throttling(struct model *m, struct row *row)
{
	unsigned threshold = m->throttle_percent ? m->throttle_percent : THROTTLE;
	bool was = row->throttling;
	double percent;

	row->throttling = row_throttled(row, &percent) && percent >= threshold;
	return row->throttling && !was ? add(m, EVENT_THROTTLED, row->c, (int64_t)percent) : 0;
}

int model_events_of(struct model *m, struct row *row, bool is_new)
{
	uint64_t kills;
	int r = 0;

	if (is_new)
		return on_start(m, row);
	/* the same id with other counters: it ended and was started between two frames */
	if (row->before.at && row->now.at && insp_sample_has(&row->before, INSP_STAT_CPU) &&
	    insp_sample_has(&row->now, INSP_STAT_CPU) &&
	    row->now.value[INSP_STAT_CPU] < row->before.value[INSP_STAT_CPU])
		r = on_start(m, row);
	if (r >= 0 && insp_sample_growth(&row->before, &row->now, INSP_STAT_OOM_KILLS, &kills) &&
	    kills)
		r = add(m, EVENT_OOM, row->c, (int64_t)kills);
	return r < 0 ? r : on_throttling(m, row);
}

int model_events_of_ended(struct model *m, const struct insp_moment *frame)
{
	int r = 0;

	for (size_t i = 0; i < frame->n_ended && r >= 0; i++) {
		const struct insp_container *c = frame->ended[i];

		r = add(m, EVENT_EXITED, c, c->exit_code == INSP_EXIT_UNSET ? -1 : c->exit_code);
	}
	return r;
}

void model_clear(struct model *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->rows[i]->key);
		free(m->rows[i]);
	}
	free(m->rows);
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		event_clear(&m->events[i]);
	for (size_t i = 0; i < m->n_starts; i++)
		free(m->starts[i].name);
	free(m->starts);
	*m = (struct model){ 0 };
}
