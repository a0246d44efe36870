#include "tools/shared/progress.h"
#include "tools/shared/text.h"

#include <stdio.h>
#include <unistd.h>

static double seconds_from(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) + (double)(b->tv_nsec - a->tv_nsec) / 1e9;
}

void progress_begin(struct progress *p, const struct tool *tool, bool on)
{
	*p = (struct progress){ .tool = tool, .on = on && isatty(STDERR_FILENO) };
	clock_gettime(CLOCK_MONOTONIC, &p->last);
}

void progress_show(struct progress *p, uint64_t bytes, uint64_t files)
{
	char size[TEXT_MAX], rate[TEXT_MAX];
	struct timespec now;
	double passed;

	if (!p->on || clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return;
	passed = seconds_from(&p->last, &now);
	if (passed < 1)
		return;
	text_size((uint64_t)((double)(bytes - p->bytes) / passed), rate);
	fprintf(stderr, "\r%s: %s in %llu %s, %s/s\033[K", p->tool->name, text_size(bytes, size),
		(unsigned long long)files, files == 1 ? "file" : "files", rate);
	p->last = now;
	p->bytes = bytes;
	p->shown = true;
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
