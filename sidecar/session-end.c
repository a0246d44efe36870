/*
 * Listing and stopping detached sessions, and what a killed one left. Its processes are known by their mount namespace, whose
 * number is never given again, and by the mark in their mount table, which an older kernel has, too: the id is nobody's to
 * guess. A process that puts the mark into its own table is ended with them.
 */
#include "sidecar/session-internal.h"
#include "libinspect/sysc.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#ifndef NS_GET_MNTNS_ID
#define NS_GET_MNTNS_ID _IOR(0xb7, 0x5, uint64_t)
#endif

#define STOP_ANSWER_MS 8000
#define KILLED_MS      2000
#define CLEAR_ROUNDS   300
#define CLEAR_GRACE    50 /* rounds in which its supervisor may clear up by itself */
#define TABLE_MAX      (16 * 1024 * 1024)

/* ---- what is left ---- */

static bool in_own_mounts(const struct insp_pid *pid)
{
	struct stat ours, theirs;

	return fstatat(insp_pid_procfd(pid), "ns/mnt", &theirs, 0) < 0 ||
	       stat("/proc/self/ns/mnt", &ours) < 0 || ours.st_ino == theirs.st_ino;
}

static bool is_marked(const struct insp_pid *pid, const char *wanted)
{
	int fd = openat(insp_pid_procfd(pid), "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	size_t cap = 0, sum = 0;
	char *line = NULL;
	bool found = false;
	ssize_t n;

	if (!f)
		return false;
	while (!found && sum < TABLE_MAX && (n = getline(&line, &cap, f)) > 0) {
		/* blanks in names are \040: this cannot be a part of one */
		found = strstr(line, wanted) != NULL;
		sum += (size_t)n;
	}
	free(line);
	fclose(f);
	return found;
}

uint64_t session_mntns(int fd)
{
	uint64_t id = 0;

	return fd >= 0 && ioctl(fd, NS_GET_MNTNS_ID, &id) == 0 ? id : 0;
}

/* Also one that has another root directory, and so does not see the mark any more. */
static bool is_in_mounts(const struct insp_pid *pid, uint64_t mntns)
{
	_cleanup_close_ int fd = -1;

	if (!mntns)
		return false;
	fd = openat(insp_pid_procfd(pid), "ns/mnt", O_RDONLY | O_CLOEXEC);
	return session_mntns(fd) == mntns;
}

static bool is_left(struct insp_sys *sys, const char *number, const struct session_entry *e,
		    struct insp_pid **ret)
{
	char mark[SESSION_MARK_MAX], wanted[SESSION_MARK_MAX + 16];
	_cleanup_pid_ struct insp_pid *pid = NULL;

	if (!isdigit((unsigned char)number[0]) ||
	    insp_pid_open(sys, (pid_t)strtol(number, NULL, 10), 0, &pid, NULL) < 0 ||
	    in_own_mounts(pid))
		return false;
	session_mark(e->info.id, mark);
	snprintf(wanted, sizeof(wanted), " - tmpfs %s ", mark);
	if (!is_in_mounts(pid, e->mntns) && !is_marked(pid, wanted))
		return false;
	*ret = TAKE_PTR(pid);
	return true;
}

static void kill_pid(const struct insp_pid *pid)
{
	syscall(SYS_pidfd_send_signal, insp_pid_fd(pid), SIGKILL, NULL, 0);
}

/* How many processes of the session there are; they are killed where that is wanted. */
static unsigned left_processes(struct insp_sys *sys, const struct session_entry *e, bool end)
{
	DIR *dir = opendir("/proc");
	unsigned n = 0;

	if (!dir)
		return 0;
	for (struct dirent *de = readdir(dir); de; de = readdir(dir)) {
		_cleanup_pid_ struct insp_pid *pid = NULL;

		if (!is_left(sys, de->d_name, e, &pid))
			continue;
		n++;
		if (end)
			kill_pid(pid);
	}
	closedir(dir);
	return n;
}

/* Only an empty one goes: a directory with this name that holds anything is not ours. */
static int remove_cgroup(const char *path)
{
	const struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };
	int r = -EBUSY;

	/* a process that ends leaves its cgroup after its namespaces, by which it was known */
	for (int i = 0; i < CLEAR_ROUNDS && r == -EBUSY; i++) {
		r = rmdir(path) < 0 ? -errno : 0;
		if (r == -EBUSY)
			nanosleep(&tick, NULL);
	}
	return r == -EBUSY ? r : 0;
}

static int remove_cgroups(const struct session_entry *e)
{
	int r = 0;

	for (size_t i = 0; i < e->n_cgroups; i++) {
		const char *name = strrchr(e->cgroups[i], '/');

		if (name && strncmp(name + 1, "sonde-", 6) == 0 && remove_cgroup(e->cgroups[i]) < 0)
			r = -EBUSY;
	}
	return r;
}

/* -EBUSY: a process cannot be killed, or is in its cgroup still: it waits for a file system that does not answer. */
static int clear(struct insp_sys *sys, int dir, const struct session_entry *e)
{
	const struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };
	unsigned n = 1;

	for (int i = 0; i < CLEAR_ROUNDS && n; i++) {
		n = left_processes(sys, e, i >= CLEAR_GRACE);
		if (n)
			nanosleep(&tick, NULL);
	}
	if (n || remove_cgroups(e) < 0)
		return -EBUSY;
	session_entry_remove(dir, e->info.id);
	return 0;
}

/* ---- stopping ---- */

/* Asks the holder, and waits until it has gone. */
static int ask(int dir, const struct session_entry *e, const struct insp_pid *holder)
{
	struct session_packet p = { .kind = SESSION_STOP };
	struct pollfd pfd = { insp_pid_fd(holder), POLLIN, 0 };
	_cleanup_close_ int fd = -1;
	int r = session_connect(dir, e->info.id, &fd);

	r = r ?: session_check_peer(fd, e->info.holder, NULL);
	if (r < 0)
		return r;
	if (send(fd, &p, SESSION_HEAD, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return poll(&pfd, 1, STOP_ANSWER_MS) == 1 ? 0 : -ETIMEDOUT;
}

static void end_holder(int dir, const struct session_entry *e, const struct insp_pid *holder)
{
	struct pollfd pfd = { insp_pid_fd(holder), POLLIN, 0 };

	if (ask(dir, e, holder) == 0)
		return;
	/* stopped itself, or busy with somebody: its supervisor sees its end */
	kill_pid(holder);
	poll(&pfd, 1, KILLED_MS);
}

static int stop(struct insp_sys *sys, int dir, const struct session_entry *e, struct insp_err *err)
{
	_cleanup_pid_ struct insp_pid *holder = NULL;
	int r = session_holder(sys, e, &holder);

	if (r == -EXDEV)
		return insp_err_say(err, r, "session '%s' is of another pid namespace", e->info.id);
	if (r == 0)
		end_holder(dir, e, holder);
	else if (r != -ESRCH)
		return insp_err_set(err, r, "session '%s': look at process %d", e->info.id,
				    (int)e->info.holder);
	if (clear(sys, dir, e) == 0)
		return 0;
	insp_err_say(err, -EBUSY, "session '%s': a process of it does not end", e->info.id);
	insp_err_hint(err, "a file system may not answer; again later");
	return -EBUSY;
}

static int need_root(struct insp_err *err)
{
	if (geteuid() == 0)
		return 0;
	insp_err_say(err, -EPERM, "sessions are root's");
	insp_err_hint(err, "sudo cdebug …");
	return -EPERM;
}

int session_find(const char *ref, int *ret_dir, struct session_entry *ret, struct insp_err *err)
{
	_cleanup_close_ int dir = -1;
	char id[SESSION_ID_SIZE] = "";
	int r = need_root(err);

	r = r ?: session_dir_open(false, &dir, err);
	if (r == -ENOENT)
		return insp_err_say(err, r, "no session '%.80s': there is none", ref);
	r = r ?: session_entry_find(dir, ref, id, err);
	r = r ?: session_entry_read(dir, id, ret, err);
	if (r < 0)
		return r;
	*ret_dir = dir;
	dir = -1;
	return 0;
}

int session_stop(struct insp_sys *sys, const char *ref, struct insp_err *err)
{
	struct session_entry e = { 0 };
	_cleanup_close_ int dir = -1;
	int r = session_find(ref, &dir, &e, err);

	r = r ?: stop(sys, dir, &e, err);
	session_entry_clear(&e);
	return r;
}

/* ---- listing ---- */

struct listing {
	struct insp_sys *sys;
	int dir;
	struct session_list *list;
	struct insp_diags *diags;
	int r;
};

static int append(struct session_list *list, struct session_entry *e)
{
	struct session_info *more = realloc(list->items, (list->n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	list->items = more;
	more[list->n++] = e->info;
	/* the strings are the list's now */
	e->info.container = e->info.command = NULL;
	return 0;
}

static void look_at(const char *id, void *arg)
{
	struct listing *l = arg;
	_cleanup_pid_ struct insp_pid *holder = NULL;
	_cleanup_(session_entry_clear) struct session_entry e = { 0 };
	struct insp_err err = { 0 };
	int r = session_entry_read(l->dir, id, &e, &err);

	if (r < 0) {
		/* ended just now */
		if (r != -ENOENT)
			insp_diags_add(l->diags, &err);
		return;
	}
	r = session_holder(l->sys, &e, &holder);
	if (r == -EXDEV) {
		insp_err_say(&err, r, "session '%s' is of another pid namespace", id);
		insp_diags_add(l->diags, &err);
		return;
	}
	e.info.killed = r == -ESRCH;
	e.info.processes = e.info.killed ? left_processes(l->sys, &e, false) : 0;
	if (e.info.killed && !e.info.processes && remove_cgroups(&e) == 0) {
		session_entry_remove(l->dir, id);
		return;
	}
	if (append(l->list, &e) < 0)
		l->r = -ENOMEM;
}

static int by_age(const void *a, const void *b)
{
	const struct session_info *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return strcmp(x->id, y->id);
}

void session_list_clear(struct session_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].container);
		free(list->items[i].command);
	}
	free(list->items);
	*list = (struct session_list){ 0 };
}

int session_list(struct insp_sys *sys, struct session_list *ret_list, struct insp_diags *diags,
		 struct insp_err *err)
{
	_cleanup_(session_list_clear) struct session_list list = { 0 };
	_cleanup_close_ int dir = -1;
	struct listing l = { .sys = sys, .list = &list, .diags = diags };
	int r = need_root(err);

	if (r < 0)
		return r;
	r = session_dir_open(false, &dir, err);
	if (r == -ENOENT) {
		*ret_list = (struct session_list){ 0 };
		return 0;
	}
	l.dir = dir;
	r = r ?: session_entry_each(dir, look_at, &l) ?: l.r;
	if (r < 0)
		return err->code ? r : insp_err_set(err, r, "read '" SESSION_DIR "'");
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), by_age);
	*ret_list = list;
	list = (struct session_list){ 0 };
	return 0;
}
