/* How far a piece of work is: one line on the terminal that stderr is, drawn over itself, from its second second on. */
#ifndef SONDE_SHARED_PROGRESS_H
#define SONDE_SHARED_PROGRESS_H

#include "tools/shared/opts.h"

#include <stdint.h>
#include <time.h>

struct progress {
	const struct tool *tool;
	bool on, shown;
	struct timespec last;
	uint64_t bytes; /* when it was last drawn */
};

/* on: somebody may want to see it; it is only shown where stderr is a terminal. */
void progress_begin(struct progress *p, const struct tool *tool, bool on);
/* Call it as often as you like: it is drawn once a second. */
void progress_show(struct progress *p, uint64_t bytes, uint64_t files);
/* Takes the line away. Before anything else is said on stderr, and at the end. */
void progress_clear(struct progress *p);

#endif
