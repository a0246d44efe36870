/*
 * The launcher, what {} stands for. It is started by a program of the host's in the session, with all that the session has, and
 * becomes the container's entrypoint.
 *
 * The entrypoint is the first process of a pid namespace of its own, as in its container: it sees neither the program that watches
 * it nor cdebug. So the launcher forks, and waits. A tracer that does not follow a fork (gdb, strace without -f) would see
 * nothing: there the launcher itself becomes the entrypoint, in the session's pid namespace. It cannot look into the tracer then
 * either, for want of CAP_SYS_PTRACE, which no entrypoint is given.
 */
#include "sidecar/rerun.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#define ORDERS_MAX (8 * 1024 * 1024)
#define ENV_MAX	   8192
#define GIVE_UP	   3 /* so many interrupts end what ignores them; docker's number */

/* What a child says before it goes on. */
enum child_word { CHILD_GOES_ON = 'g', CHILD_IS_UNSEEN = 'u' };

struct launch {
	struct orders o;
	struct order_strings s;
	char *text;
	int self; /* /proc/self of the process that becomes the entrypoint, as the session's /proc has it */
	bool traced;
};

bool launch_wanted(char *const argv[])
{
	return argv[0] && strcmp(argv[0], SIDECAR_LAUNCHER) == 0;
}

static int complain(const struct insp_err *err)
{
	_cleanup_free_ char *text = insp_escape_str(err->text);
	_cleanup_free_ char *hint = insp_escape_str(err->hint);

	dprintf(STDERR_FILENO, "cdebug: %s\n", text ? text : "out of memory");
	if (hint && *hint)
		dprintf(STDERR_FILENO, "hint: %s\n", hint);
	return INSP_EXIT_OWN_FAILURE;
}

/* ---- the orders ---- */

static char *next_string(char **at, const char *end)
{
	char *s = *at;
	size_t len = s < end ? strnlen(s, (size_t)(end - s)) : 0;

	if (s >= end || s + len == end)
		return NULL;
	*at = s + len + 1;
	return s;
}

static char **next_strings(char **at, const char *end, size_t n)
{
	char **list = n <= ENV_MAX ? calloc(n + 1, sizeof(*list)) : NULL;

	for (size_t i = 0; list && i < n; i++) {
		list[i] = next_string(at, end);
		if (!list[i])
			return NULL;
	}
	return list;
}

static int take_strings(struct launch *l)
{
	char *at = l->text, *end = l->text + l->o.len;
	char **single[] = { &l->s.workdir, &l->s.hostname, &l->s.uid_map, &l->s.gid_map };

	for (size_t i = 0; i < ARRAY_SIZE(single); i++) {
		*single[i] = next_string(&at, end);
		if (!*single[i])
			return -EBADMSG;
	}
	l->s.argv = next_strings(&at, end, l->o.n_argv);
	l->s.env = next_strings(&at, end, l->o.n_env);
	l->s.tmpfs = next_strings(&at, end, l->o.n_tmpfs);
	return l->s.argv && l->s.env && l->s.tmpfs && l->o.n_argv ? 0 : -EBADMSG;
}

static int read_all(int fd, void *buf, size_t len)
{
	ssize_t n = files_read_fd(fd, buf, len);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EBADMSG;
}

static int read_orders(struct launch *l, struct insp_err *err)
{
	_cleanup_close_ int fd = open(SIDECAR_ORDERS, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : read_all(fd, &l->o, sizeof(l->o));

	if (r == 0)
		r = l->o.len <= ORDERS_MAX ? 0 : -EBADMSG;
	if (r == 0) {
		l->text = malloc(l->o.len + 1);
		r = l->text ? read_all(fd, l->text, l->o.len) : -ENOMEM;
	}
	r = r ?: take_strings(l);
	if (r < 0) {
		insp_err_set(err, r, "read what to start");
		insp_err_hint(err, "the entrypoint can be started as root only, in the session of "
				   "cdebug --rerun");
	}
	return r;
}

/* ---- who watches ---- */

/* Whether somebody traces this process; by the session's /proc, which knows the tracer's number. */
static bool is_traced(void)
{
	char buf[4096], *p;

	if (files_read(AT_FDCWD, "/proc/self/status", buf, sizeof(buf)) <= 0)
		return false;
	p = strstr(buf, "\nTracerPid:");
	return p && strtol(p + strlen("\nTracerPid:"), NULL, 10) > 0;
}

/* ---- becoming the entrypoint ---- */

static int write_map(int self, const char *file, const char *map)
{
	_cleanup_close_ int fd = openat(self, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, map, strlen(map)) < 0 ? -errno : 0;
}

/* The maps of a new user namespace are written by one who is not in it. */
static int new_userns(const struct launch *l, struct insp_err *err)
{
	int ready[2], status = 1;
	pid_t writer;
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return insp_err_set(err, -errno, "make a pipe");
	writer = fork();
	if (writer == 0) {
		close(ready[1]);
		_exit(read(ready[0], &c, 1) != 1 ||
		      write_map(l->self, "uid_map", l->s.uid_map) < 0 ||
		      write_map(l->self, "gid_map", l->s.gid_map) < 0);
	}
	close(ready[0]);
	if (writer < 0 || unshare(CLONE_NEWUSER) < 0) {
		close(ready[1]);
		return insp_err_set(err, -errno, "make a user namespace for the entrypoint");
	}
	if (write(ready[1], "", 1) == 1)
		waitpid(writer, &status, 0);
	close(ready[1]);
	return status == 0 ? 0
			   : insp_err_say(err, -EPERM,
					  "the ids of the entrypoint's user namespace are refused");
}

/* Of the host's device the entrypoint could change the mode; that of its own /dev is on a read-only mount. */
static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* fds that lead further than to a file: a directory of the host is a way out (CVE-2024-21626). */
static int close_ways_out(struct insp_err *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), none[] = { -1 };
	struct stat st;

	if (null < 0)
		return insp_err_set(err, -errno, "open '/dev/null'");
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || is_null(&st)) &&
		    dup2(null, fd) < 0)
			return insp_err_set(err, -errno, "take a directory away");
	proc_close_others(none, 1);
	return 0;
}

/* Ours to give, as engines do it: /dev/stderr is opened again by who the entrypoint runs as. */
static void own_pipes(const struct launch *l)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (l->o.ids.uid != 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
		    fchown(fd, l->o.ids.uid, (gid_t)-1) < 0)
			return;
}

static void own_terminal(const struct launch *l)
{
	for (int fd = 0; fd < 3; fd++)
		if (l->o.ids.uid != 0 && isatty(fd) && fchown(fd, l->o.ids.uid, (gid_t)-1) < 0)
			return;
}

/* In a network that is the session's alone; docker's own defaults. */
static void open_ports(void)
{
	static const char *const settings[][2] = {
		{ "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0" },
		{ "/proc/sys/net/ipv4/ping_group_range", "0 2147483647" }
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		_cleanup_close_ int fd = open(settings[i][0], O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && write(fd, settings[i][1], strlen(settings[i][1])) < 0)
			continue; /* older than the setting */
	}
}

/* By where the kernel says that we are; raw, for the C library would search. */
static int change_dir(const struct launch *l, struct insp_err *err)
{
	char buf[PATH_MAX];

	if (chdir(l->s.workdir) < 0)
		return insp_err_set(err, -errno, "change to its directory '%s'", l->s.workdir);
	if (syscall(SYS_getcwd, buf, sizeof(buf)) <= 0 || buf[0] != '/')
		return insp_err_say(err, -EXDEV, "its directory '%s' leads out of the container",
				    l->s.workdir);
	return 0;
}

static int confine(struct launch *l, struct insp_err *err)
{
	int r;

	if (l->o.network)
		open_ports();
	l->self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->self < 0)
		return insp_err_set(err, -errno, "open '/proc/self'");
	own_pipes(l);
	own_terminal(l);
	r = launch_enter_root(&l->o, &l->s, err);
	/* an own, empty one: the caller's session keyring came this far */
	if (r == 0 && syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		r = insp_err_set(err, -errno, "make a keyring for the entrypoint");
	return r;
}

static int try_path(const struct launch *l, const char *path)
{
	int worst = ENOENT;

	for (const char *p = path;; p++) {
		size_t len = strcspn(p, ":");
		char file[PATH_MAX];
		int n = snprintf(file, sizeof(file), "%.*s/%s", len < PATH_MAX ? (int)len : 0, p,
				 l->s.argv[0]);

		if (n > 0 && (size_t)n < sizeof(file)) {
			execve(file, l->s.argv, l->s.env);
			if (errno != ENOENT && errno != ENOTDIR)
				worst = errno;
			if (worst != ENOENT && worst != EACCES)
				return worst;
		}
		p += len;
		if (!*p)
			return worst;
	}
}

static const char *env_path(const struct launch *l)
{
	for (char **e = l->s.env; *e; e++)
		if (strncmp(*e, "PATH=", 5) == 0)
			return *e + 5;
	return SIDECAR_PATH;
}

/* Returns the status of what could not be run. */
static int exec_entrypoint(const struct launch *l)
{
	const char *name = l->s.argv[0];
	struct insp_err err = { 0 };
	int e;

	if (strchr(name, '/')) {
		execve(name, l->s.argv, l->s.env);
		e = errno;
	} else {
		e = try_path(l, env_path(l));
	}
	insp_err_set(&err, -e, "run the entrypoint '%s'", name);
	if (e == ENOENT && strchr(name, '/') && access(name, F_OK) == 0)
		insp_err_hint(&err, "it is there: what is missing is its interpreter or loader");
	else if (e == ENOEXEC)
		insp_err_hint(&err, "it is for another machine, or a script without #!");
	complain(&err);
	return e == ENOENT || e == ENOTDIR ? INSP_EXIT_NOT_FOUND : INSP_EXIT_NOT_EXECUTABLE;
}

/* None blocked, and those at their defaults that programs ignore for what they start: a trace shows few calls of ours. */
static void usual_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGQUIT, SIGHUP, SIGCHLD };
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		sigaction(ignored[i], &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Everything but the mount and pid namespaces, which this process has. */
static int become(struct launch *l)
{
	struct insp_err err = { 0 };
	int r = confine(l, &err);

	if (r == 0 && l->s.uid_map[0])
		r = new_userns(l, &err);
	/* it would not let us make one */
	r = r ?: launch_filter(l->o.filter, &err);
	r = r ?: close_ways_out(&err);
	if (r == 0 && chdir("/") < 0)
		r = insp_err_set(&err, -errno, "change to directory '/'");
	r = r ?: insp_enter_creds_apply(&l->o.ids, &l->o.caps, &err);
	r = r ?: change_dir(l, &err);
	if (r < 0)
		return complain(&err);
	usual_signals();
	return exec_entrypoint(l);
}

/* ---- a process for it ---- */

/* Interrupts are the terminal's to all of its group; what ignores them is ended by the third. */
static int wait_for(pid_t child)
{
	int status = 0, interrupts = 0, sig;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGHUP);
	while (waitpid(child, &status, WNOHANG) == 0)
		if (sigwait(&set, &sig) == 0 && sig != SIGCHLD && ++interrupts == GIVE_UP)
			kill(child, SIGKILL);
	return proc_exit_status(status);
}

static void block_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static _Noreturn void child_main(struct launch *l, int words)
{
	char word = l->traced && !is_traced() ? CHILD_IS_UNSEEN : CHILD_GOES_ON;

	if (write(words, &word, 1) != 1 || word == CHILD_IS_UNSEEN)
		_exit(INSP_EXIT_OWN_FAILURE);
	close(words);
	_exit(become(l));
}

/* The child; its word in *ret_word. Its namespaces are its own from the first. */
static pid_t start_child(struct launch *l, char *ret_word, struct insp_err *err)
{
	int words[2];
	pid_t child;

	if (pipe2(words, O_CLOEXEC) < 0)
		return insp_err_set(err, -errno, "make a pipe");
	child = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWCGROUP | SIGCHLD,
			       NULL, NULL, NULL, NULL);
	if (child == 0) {
		close(words[0]);
		/* all of the session ends with its supervisor; this is for who kills the launcher alone */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child_main(l, words[1]);
	}
	close(words[1]);
	if (child > 0 && read(words[0], ret_word, 1) != 1)
		*ret_word = CHILD_GOES_ON; /* it has ended: its status tells */
	close(words[0]);
	return child < 0 ? insp_err_set(err, -errno, "start a process in namespaces of its own")
			 : child;
}

static int become_here(struct launch *l, struct insp_err *err)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWCGROUP) < 0)
		return insp_err_set(err, -errno, "make a mount namespace for the entrypoint");
	return become(l);
}

int launch_main(void)
{
	struct launch l = { .self = -1 };
	struct insp_err err = { 0 };
	char word = CHILD_GOES_ON;
	pid_t child;
	int r = read_orders(&l, &err);

	if (r < 0)
		return complain(&err);
	l.traced = is_traced();
	block_signals();
	child = start_child(&l, &word, &err);
	if (child < 0)
		return complain(&err);
	if (word == CHILD_GOES_ON)
		return wait_for(child);
	waitpid(child, NULL, 0);
	r = become_here(&l, &err);
	return r < 0 ? complain(&err) : r;
}
