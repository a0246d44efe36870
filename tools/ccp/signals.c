/* Signals that end the copy: it stops at the next file, takes away what is not whole, and then dies of them. */
#include "tools/ccp/ccp.h"

#include <signal.h>

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
