/* How far it is, and signals. */
#include "tools/ccp/ccp.h"
#include "tools/shared/text.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static volatile int caught; /* the signal that came */

static void on_signal(int number)
{
	caught = number;
}

void ccp_signals(const volatile int **ret_stop)
{
	/* the second one kills: a file system that a container serves may keep a call waiting for ever */
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct sigaction old;

		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
	*ret_stop = &caught;
}

void ccp_die_of_signal(void)
{
	if (!caught)
		return;
	signal(caught, SIG_DFL);
	raise(caught);
}

static void line(const char *what, const struct insp_copy_result *r, const char *end)
{
	char size[TEXT_MAX];

	fprintf(stderr, "\rccp: %s %s in %llu files%s", what, text_size(r->bytes, size),
		(unsigned long long)r->files, end);
}

void ccp_progress(const struct insp_copy_result *so_far, void *arg)
{
	struct timespec *last = arg, now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0 || now.tv_sec == last->tv_sec)
		return;
	*last = now;
	line("copying,", so_far, "   ");
}

void ccp_summary(const struct insp_copy_result *result)
{
	if (isatty(2))
		line("copied", result, "         \n");
}
