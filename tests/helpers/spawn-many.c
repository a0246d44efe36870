/*
 * spawn-many N [M]: N sleeping processes, spread over M sets of namespaces (mnt, uts, ipc, net; default 0: all in
 * the caller's). Prints "ready" once they run, and ends them all when its standard input closes or it dies.
 *
 * Each set has a leader that unshares and forks its share, so that the sets are distinct and cheap.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void sleep_forever(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* the parent may have died before the line above */
	if (getppid() != parent)
		_exit(0);
	for (;;)
		pause();
}

static int spawn_sleepers(long n)
{
	pid_t parent = getpid();

	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("spawn-many: fork");
			return -1;
		}
		if (pid == 0)
			sleep_forever(parent);
	}
	return 0;
}

/* One set of namespaces: itself one of its n processes. Writes one byte to ready when all run. */
static void lead(long n, int ready, pid_t parent)
{
	char ok = 'k';

	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) < 0) {
		perror("spawn-many: unshare");
		_exit(1);
	}
	if (spawn_sleepers(n - 1) < 0 || write(ready, &ok, 1) != 1)
		_exit(1);
	close(ready);
	sleep_forever(parent);
}

static int start(long n, long m)
{
	int ready[2];
	pid_t self = getpid();
	char c;

	if (m == 0)
		return spawn_sleepers(n);
	if (pipe(ready) < 0)
		return -1;
	for (long i = 0; i < m; i++) {
		long share = n / m + (i < n % m);
		pid_t pid = fork();

		if (pid < 0)
			return -1;
		if (pid == 0) {
			close(ready[0]);
			lead(share, ready[1], self);
		}
	}
	close(ready[1]);
	for (long i = 0; i < m; i++)
		if (read(ready[0], &c, 1) != 1)
			return -1;
	close(ready[0]);
	return 0;
}

int main(int argc, char *argv[])
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long m = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	char buf[64];

	if (n <= 0 || m < 0 || m > n) {
		fprintf(stderr, "usage: spawn-many PROCESSES [NAMESPACE-SETS]\n");
		return 2;
	}
	signal(SIGCHLD, SIG_IGN);
	if (start(n, m) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	while (read(0, buf, sizeof(buf)) > 0)
		;
	/* PDEATHSIG does the rest */
	return 0;
}
