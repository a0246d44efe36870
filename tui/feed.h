/*
 * Where frames come from: the live host, or a recording. A frame is a struct insp_moment; what it points to is the
 * feed's, and valid until the next one.
 */
#ifndef SONDE_TUI_FEED_H
#define SONDE_TUI_FEED_H

#include "libinspect/stats.h"

struct feed {
	/* 1: a frame; 0: there are no more; or -errno. diags: what could not be read. */
	int (*next)(struct feed *feed, struct insp_moment *ret, struct insp_diags *diags,
		    struct insp_err *err);
	/* What is needed from now on: INSP_STAT_BIT()s, INSP_WANT_*. May be NULL. */
	void (*set)(struct feed *feed, uint32_t fields, unsigned want);
	void (*close)(struct feed *feed);
	/* Back in time: the next frame but one is the one before the last. NULL: it is live. */
	int (*back)(struct feed *feed, struct insp_err *err);
};

int feed_live(struct insp_sys *sys, uint32_t fields, unsigned want, struct feed **ret,
	      struct insp_diags *diags, struct insp_err *err);
/* A recording, from the time at on (ns since the epoch; 0: from its beginning). */
int feed_replay(const char *path, int64_t at, struct feed **ret, struct insp_err *err);
/* What *feed gives is recorded to path; *feed is replaced. max_size: as insp_recorder_open(). */
int feed_record(const char *path, uint64_t max_size, struct feed **feed, struct insp_err *err);
static inline void feed_closep(struct feed **feed)
{
	if (*feed)
		(*feed)->close(*feed);
}

#endif
