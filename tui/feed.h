/*
 * Where frames come from: the live host, or a recording. A frame is all containers at one moment; what it points to is the
 * feed's, and valid until the next frame.
 */
#ifndef SONDE_TUI_FEED_H
#define SONDE_TUI_FEED_H

#include "libinspect/stats.h"

struct frame {
	int64_t time; /* ns since the epoch */
	struct insp_host_sample host;
	const struct insp_fleet_item *items;
	size_t n;
	struct insp_container *const *ended; /* since the frame before */
	size_t n_ended;
};

struct feed {
	/* 1: a frame; 0: there are no more; or -errno. diags: what could not be read. */
	int (*next)(struct feed *feed, struct frame *ret, struct insp_diags *diags,
		    struct insp_err *err);
	/* What is needed from now on: INSP_STAT_BIT()s, INSP_WANT_*. May be NULL. */
	void (*set)(struct feed *feed, uint32_t fields, unsigned want);
	void (*close)(struct feed *feed);
};

int feed_live(struct insp_sys *sys, uint32_t fields, unsigned want, struct feed **ret,
	      struct insp_diags *diags, struct insp_err *err);
static inline void feed_closep(struct feed **feed)
{
	if (*feed)
		(*feed)->close(*feed);
}

#endif
