/*
 * naive-enter PID COMMAND [ARGUMENT...]
 *
 * Enters a container as one writes it first, so that the attacks can be seen to succeed: it holds a directory fd of
 * the host over the join (as lxc-attach did, CVE-2016-8649), stays dumpable, cuts its capabilities to the target's
 * and only then forks into the pid namespace (as runc before 1.0-rc3, CVE-2016-9962), takes its time between fork
 * and exec, and runs from the host's binary (CVE-2019-5736).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What looking up users and terminals takes in a program that does more than this one. */
#define SETUP_US 150000

static int fail(const char *what)
{
	fprintf(stderr, "naive-enter: %s: %s\n", what, strerror(errno));
	return 1;
}

static int open_proc(const char *pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	return open(path, O_RDONLY);
}

static int join(const char *pid)
{
	static const char *const types[] = { "ns/ipc", "ns/uts", "ns/net", "ns/pid", "ns/mnt" };
	int fds[5];

	for (int i = 0; i < 5; i++)
		fds[i] = open_proc(pid, types[i]);
	for (int i = 0; i < 5; i++)
		if (setns(fds[i], 0) < 0)
			return -1;
	return 0;
}

/* The CapPrm line of the target. */
static uint64_t target_caps(const char *pid)
{
	char text[4096], *p;
	int fd = open_proc(pid, "status");
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	p = strstr(text, "CapPrm:");
	return p ? strtoull(p + 7, NULL, 16) : 0;
}

static int cut_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(caps >> (32 * i));
		data[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &head, data);
}

int main(int argc, char **argv)
{
	int status, host = open("/", O_RDONLY | O_DIRECTORY);
	uint64_t caps;
	pid_t child;

	if (host < 0 || argc < 3 || argv[1][0] == '/') {
		usleep(SETUP_US); /* run again by a '#!/proc/self/exe' of the container */
		return 1;
	}
	caps = target_caps(argv[1]);
	if (join(argv[1]) < 0 || cut_caps(caps) < 0)
		return fail("join");
	child = fork();
	if (child == 0) {
		usleep(SETUP_US);
		execvp(argv[2], argv + 2);
		_exit(fail(argv[2]));
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return fail("fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
