/*
 * What ctop knows, apart from how it is drawn: a row for each container with its last two samples and a history, events, an
 * order. Nothing here knows a terminal.
 */
#ifndef SONDE_TUI_MODEL_H
#define SONDE_TUI_MODEL_H

#include "tools/shared/columns.h"
#include "tui/feed.h"

#define HISTORY 60 /* frames of cpu that HISTORY shows */

struct row {
	char *key;			/* ENGINE/OWNER/ID */
	const struct insp_container *c; /* the frame's */
	struct insp_sample now, before; /* before.at 0: there is none */
	bool summed;
	int64_t time;	       /* of the frame */
	int64_t seen;	       /* the frame that has it, counted */
	uint16_t cpu[HISTORY]; /* tenths of a percent of one core, a ring */
	unsigned n_cpu;	       /* how many were ever put in */
	bool throttling;       /* over the threshold in the frame before */
};

enum event_kind {
	EVENT_STARTED,
	EVENT_EXITED,
	EVENT_OOM,
	EVENT_THROTTLED,
	EVENT_LOOP, /* it starts again and again */
	EVENT_MAX,
};
const char *event_name(enum event_kind kind); /* "started", "oom-killed" */

struct event {
	enum event_kind kind;
	int64_t time;
	char *engine, *name, *id;
	int64_t number; /* exit code, how many processes, percent, starts; -1: not known */
};

#define EVENTS_KEPT 64

struct model {
	struct row **rows; /* of the last frame, in order; those that the filter passes first */
	size_t n, shown;
	int64_t time, interval; /* of the last frame; ns since the one before, 0: there was none */
	struct insp_host_sample host;
	struct event events[EVENTS_KEPT]; /* a ring: the newest at (n_events - 1) % EVENTS_KEPT */
	uint64_t n_events, new_events;	  /* ever; in the last frame */
	struct start *starts;		  /* for EVENT_LOOP */
	size_t n_starts, cap_starts;
	int64_t frames;
	unsigned throttle_percent; /* threshold of EVENT_THROTTLED */
};

/* -ENOMEM. The frame is used until the next one is taken. */
int model_take(struct model *model, const struct insp_moment *frame);
/* Orders the rows: a column, "-COL" from the top down. -EINVAL. */
int model_sort(struct model *model, const char *spec, struct insp_err *err);
/* Which are shown: those with text in name, id, image, pod or project, in any case; NULL, "": all. The order stays. -ENOMEM. */
int model_filter(struct model *model, const char *text);
void model_clear(struct model *model);

/* The parts of model_take() that tell events. */
int model_events_of(struct model *model, struct row *row, bool is_new);
int model_events_of_ended(struct model *model, const struct insp_moment *frame);

/* Event i of the last frame, 0 the oldest. */
const struct event *model_new_event(const struct model *model, uint64_t i);
/* What it says, raw: "web exited (137)". free(). */
char *event_text(const struct event *event);

/* ---- columns ---- */

extern const struct column ctop_columns[];
#define CTOP_DEFAULT                                                                      \
	"NAME,ENGINE,STATE,CPU,THROTTLED,MEM,MEMPCT,NETIN,NETOUT,READ,WRITE,PIDS,PSICPU," \
	"PSIMEM,PSIIO,TROUBLE"
/* .want of a column that needs more of the record than the list has anyway */
#define CTOP_WANT_DETAIL (1u << 31)
/* What stands above a column: its name, where that says enough. */
const char *column_title(const struct column *column);

/* Percent of one core; of periods throttled. false: not known. */
bool row_cpu(const struct row *row, double *ret);
bool row_throttled(const struct row *row, double *ret);
/* What is wrong with it, worst first, NULL: nothing is seen. free(). ret_weight: 0 … 100. */
char *row_trouble(const struct row *row, unsigned *ret_weight);
/* That weight alone. */
unsigned row_weight(const struct row *row);

#endif
