/*
 * try-escape NAME[=ARGUMENT]...: what a container's program tries to reach the host. One line each, "NAME: reached" or
 * "NAME: refused"; always 0. Static, for any root.
 *
 *   chroot=FILE   the classic: chroot() further down while the working directory stays, then ".." up; FILE is the host's
 *   proc=FILE     FILE below /proc/PID/root and /proc/PID/cwd of every process
 *   fds=FILE      anything above 2 is open, or FILE is below a directory that one of 0, 1, 2 is; to be the first
 *   trace         another process than its own children can be traced
 *   peers         a process is seen that is neither itself nor its child
 *   key=NAME      a key in the user's or the session's keyring
 *   core          /proc/sys/kernel/core_pattern can be written to
 *   node=MAJ:MIN  a character device made here can be opened
 *   tty           TIOCSTI on standard input, also with bits above the 32 that the kernel looks at
 *   userns        a user namespace of its own
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static int try_chroot(const char *file)
{
	mkdir("/tmp/down", 0700);
	if (chdir("/") < 0 || chroot("/tmp/down") < 0)
		return 0;
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return 0;
	return access(file[0] == '/' ? file + 1 : file, F_OK) == 0;
}

static int each_pid(int (*reached)(const char *pid, const char *arg), const char *arg)
{
	DIR *dir = opendir("/proc");
	int found = 0;

	for (struct dirent *de = dir ? readdir(dir) : NULL; de && !found; de = readdir(dir))
		if (isdigit((unsigned char)de->d_name[0]) &&
		    (pid_t)strtol(de->d_name, NULL, 10) != getpid())
			found = reached(de->d_name, arg);
	return found;
}

static int below_proc(const char *pid, const char *file)
{
	static const char *const links[] = { "root", "cwd" };
	char path[4096];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%s/%s/%s", pid, links[i], file);
		if (access(path, F_OK) == 0)
			return 1;
	}
	return 0;
}

static int can_trace(const char *pid, const char *arg)
{
	if (ptrace(PTRACE_SEIZE, (pid_t)strtol(pid, NULL, 10), 0, 0) < 0)
		return 0;
	ptrace(PTRACE_DETACH, (pid_t)strtol(pid, NULL, 10), 0, 0);
	return 1;
}

static int is_peer(const char *pid, const char *arg)
{
	return 1;
}

static int try_fds(const char *file)
{
	for (int fd = 3; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 1;
	for (int fd = 0; fd < 3; fd++)
		if (faccessat(fd, file[0] == '/' ? file + 1 : file, F_OK, 0) == 0)
			return 1;
	return 0;
}

static int try_key(const char *name)
{
	static const int rings[] = { KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING,
				     KEY_SPEC_USER_SESSION_KEYRING };

	for (int i = 0; i < 3; i++)
		if (syscall(SYS_keyctl, KEYCTL_SEARCH, rings[i], "user", name, 0) >= 0)
			return 1;
	return 0;
}

static int try_core(const char *arg)
{
	return open("/proc/sys/kernel/core_pattern", O_WRONLY) >= 0;
}

static int try_node(const char *arg)
{
	static const char *const places[] = { "/tmp/node", "/dev/node", "/dev/shm/node", "/node" };
	unsigned major_nr = 0, minor_nr = 0;

	sscanf(arg, "%u:%u", &major_nr, &minor_nr);
	for (int i = 0; i < 4; i++)
		if (mknod(places[i], S_IFCHR | 0600, makedev(major_nr, minor_nr)) == 0 &&
		    open(places[i], O_RDONLY) >= 0)
			return 1;
	return 0;
}

static int try_tty(const char *arg)
{
	return ioctl(0, TIOCSTI, "x") == 0 ||
	       syscall(SYS_ioctl, 0L, (long)TIOCSTI | 0x100000000L, "x") == 0;
}

static int try_userns(const char *arg)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static int try_proc(const char *file)
{
	return each_pid(below_proc, file);
}

static int try_trace(const char *arg)
{
	return each_pid(can_trace, arg);
}

static int try_peers(const char *arg)
{
	return each_pid(is_peer, arg);
}

static const struct {
	const char *name;
	int (*reached)(const char *arg);
} attempts[] = { { "chroot", try_chroot }, { "proc", try_proc },   { "fds", try_fds },
		 { "trace", try_trace },   { "peers", try_peers }, { "key", try_key },
		 { "core", try_core },	   { "node", try_node },   { "tty", try_tty },
		 { "userns", try_userns } };

static void attempt(const char *text)
{
	size_t len = strcspn(text, "=");
	const char *arg = text[len] ? text + len + 1 : "";

	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
		if (strlen(attempts[i].name) == len && memcmp(attempts[i].name, text, len) == 0) {
			int reached = attempts[i].reached(arg);

			printf("%s: %s\n", attempts[i].name, reached ? "reached" : "refused");
			fflush(stdout);
			return;
		}
	printf("%s: no such attempt\n", text);
}

int main(int argc, char **argv)
{
	/* the last one in this process itself: "chroot" and "userns" change it */
	for (int i = 1; i < argc; i++)
		attempt(argv[i]);
	return 0;
}
