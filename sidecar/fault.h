/*
 * Places of the start-up at which a test may have a process killed, or stopped so that another can be: SONDE_FAULT=PLACE:kill,
 * PLACE:stop in the environment. Only in the test build's cdebug-faults (Makefile); nothing elsewhere.
 */
#ifndef SONDE_SIDECAR_FAULT_H
#define SONDE_SIDECAR_FAULT_H

#ifdef SONDE_FAULTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void fault_point(const char *place)
{
	const char *wanted = getenv("SONDE_FAULT");
	size_t len = strlen(place);

	if (!wanted || strncmp(wanted, place, len) != 0 || wanted[len] != ':')
		return;
	kill(getpid(), strcmp(wanted + len, ":stop") == 0 ? SIGSTOP : SIGKILL);
}
#else
#define fault_point(place) ((void)0)
#endif

#endif
