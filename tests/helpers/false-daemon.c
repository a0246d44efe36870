/*
 * Whatever it is called, with whatever arguments, it waits, and a child of its own with it. With PIDFILE in the
 * environment its pid is there when it does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
	const char *path = getenv("PIDFILE");
	FILE *file;

	file = path ? fopen(path, "we") : NULL;
	if (path && !file)
		return 1;
	if (fork() == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
		for (;;)
			pause();
	if (file && (fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file) != 0))
		return 1;
	for (;;)
		pause();
}
