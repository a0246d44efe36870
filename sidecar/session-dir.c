/*
 * The directory of detached sessions and its entries. Whoever could write to it would tell root whom to talk to: it has to be
 * root's alone, and no link, or it is not used. All below it is opened by descriptor.
 */
#include "sidecar/session-internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define ENTRY_MAX    (64 * 1024)
#define UNFINISHED_S 60 /* an entry in the making that is older was given up */
#define WORDS_MAX    4096
#define BACKLOG	     16
#define PARENT	     "/run"
#define NAME	     "sonde"

void session_mark(const char *id, char ret[SESSION_MARK_MAX])
{
	snprintf(ret, SESSION_MARK_MAX, "cdebug-%.12s", id);
}

int session_new_id(char *ret, struct insp_err *err)
{
	unsigned char bytes[(SESSION_ID_SIZE - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return insp_err_set(err, -errno, "make an id");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* -EPERM: others than we could have put there what is in it. */
static int check_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid != geteuid() || (st.st_mode & 077) ? -EPERM : 0;
}

static int open_private(int dirfd, const char *name, int *ret_fd)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	/* ENOTDIR: a link, too */
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? -EPERM : -errno;
	r = check_private(fd);
	if (r < 0)
		return r;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int session_dir_open(bool create, int *ret_fd, struct insp_err *err)
{
	_cleanup_close_ int parent = open(PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (parent < 0)
		return insp_err_set(err, -errno, "open '" PARENT "'");
	if (create && mkdirat(parent, NAME, 0700) < 0 && errno != EEXIST)
		return insp_err_set(err, -errno, "make '" SESSION_DIR "'");
	r = open_private(parent, NAME, ret_fd);
	if (r == -EPERM) {
		insp_err_say(err, r, "'" SESSION_DIR "' is not a directory of yours alone");
		insp_err_hint(err, "somebody may have put it there; what is in it is not believed");
		return r;
	}
	return r < 0 ? insp_err_set(err, r, "open '" SESSION_DIR "'") : 0;
}

void session_entry_clear(struct session_entry *e)
{
	free(e->info.container);
	free(e->info.command);
	for (size_t i = 0; i < e->n_cgroups; i++)
		free(e->cgroups[i]);
	free(e->cgroups);
	*e = (struct session_entry){ 0 };
}

/* ---- writing ---- */

static void add(FILE *f, const char *key, const char *value)
{
	fprintf(f, "%s=%.*s%c", key, WORDS_MAX, value ?: "", '\0');
}

static void add_number(FILE *f, const char *key, int64_t number)
{
	fprintf(f, "%s=%" PRId64 "%c", key, number, '\0');
}

static int write_entry(int fd, const struct session_entry *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return -ENOMEM;
	add(f, "container", e->info.container);
	add(f, "command", e->info.command);
	add_number(f, "created", e->info.created);
	add_number(f, "holder", e->info.holder);
	add_number(f, "start", (int64_t)e->holder_start);
	add_number(f, "pidns", (int64_t)e->pidns);
	add_number(f, "mntns", (int64_t)e->mntns);
	for (size_t i = 0; i < e->n_cgroups; i++)
		add(f, "cgroup", e->cgroups[i]);
	if (fclose(f) != 0)
		return -ENOMEM;
	return files_write(fd, "session", text, len) ?: files_write(fd, "attached", "0\n", 2);
}

static void address_of(int entry, struct sockaddr_un *sun)
{
	char dir[PROC_FD_PATH_MAX];

	proc_fd_path(entry, dir);
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/socket", dir);
}

static int listen_in(int entry)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sun;
	int r;

	address_of(entry, &sun);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	r = fd;
	fd = -1;
	return r;
}

int session_connect(int dir, const char *id, int *ret_fd)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	_cleanup_close_ int entry = -1;
	struct sockaddr_un sun;
	int r = open_private(dir, id, &entry);

	if (r < 0)
		return r;
	address_of(entry, &sun);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -errno;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static void remove_files(int dir, const char *name)
{
	_cleanup_close_ int entry = -1;

	if (open_private(dir, name, &entry) == 0) {
		unlinkat(entry, "socket", 0);
		unlinkat(entry, "attached", 0);
		unlinkat(entry, "session", 0);
	}
	unlinkat(dir, name, AT_REMOVEDIR);
}

int session_entry_write(int dir, const struct session_entry *e, int *ret_fd, int *ret_socket,
			struct insp_err *err)
{
	_cleanup_close_ int entry = -1, sock = -1;
	char making[SESSION_ID_SIZE + 1];
	int r;

	snprintf(making, sizeof(making), ".%s", e->info.id);
	if (mkdirat(dir, making, 0700) < 0)
		return insp_err_set(err, -errno, "make '" SESSION_DIR "/%s'", e->info.id);
	r = open_private(dir, making, &entry);
	if (r == 0) {
		sock = listen_in(entry);
		r = sock < 0 ? sock : write_entry(entry, e);
	}
	fault_point("making");
	if (r == 0 && renameat(dir, making, dir, e->info.id) < 0)
		r = -errno;
	if (r < 0) {
		remove_files(dir, making);
		return insp_err_set(err, r, "write '" SESSION_DIR "/%s'", e->info.id);
	}
	*ret_fd = entry;
	*ret_socket = sock;
	entry = sock = -1;
	return 0;
}

void session_entry_remove(int dir, const char *id)
{
	remove_files(dir, id);
}

/* ---- reading ---- */

static int add_cgroup(struct session_entry *e, const char *path)
{
	char **more = realloc(e->cgroups, (e->n_cgroups + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	e->cgroups = more;
	more[e->n_cgroups] = strdup(path);
	return more[e->n_cgroups] ? (e->n_cgroups++, 0) : -ENOMEM;
}

static int set_text(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

static int take_field(struct session_entry *e, const char *key, size_t len, const char *value)
{
	static const char *const keys[] = { "container", "command", "created", "holder",
					    "start",	 "pidns",   "cgroup",  "mntns" };
	size_t i = 0;

	while (i < ARRAY_SIZE(keys) && (strlen(keys[i]) != len || memcmp(keys[i], key, len) != 0))
		i++;
	switch (i) {
	case 0: return set_text(&e->info.container, value);
	case 1: return set_text(&e->info.command, value);
	case 2: e->info.created = strtoll(value, NULL, 10); return 0;
	case 3: e->info.holder = (pid_t)strtol(value, NULL, 10); return 0;
	case 4: e->holder_start = strtoull(value, NULL, 10); return 0;
	case 5: e->pidns = strtoull(value, NULL, 10); return 0;
	case 6: return add_cgroup(e, value);
	case 7: e->mntns = strtoull(value, NULL, 10); return 0;
	default: return 0;
	}
}

static int parse_entry(const char *text, size_t len, struct session_entry *e)
{
	for (const char *p = text; p < text + len; p += strlen(p) + 1) {
		const char *eq = strchr(p, '=');
		int r = eq ? take_field(e, p, (size_t)(eq - p), eq + 1) : 0;

		if (r < 0)
			return r;
	}
	/* a start time of 0 would mean any process with that pid */
	return e->info.container && e->info.command && e->info.holder > 0 && e->holder_start &&
			       e->pidns
		       ? 0
		       : -EBADMSG;
}

static int read_entry(int dir, const char *id, struct session_entry *e)
{
	_cleanup_free_ char *text = malloc(ENTRY_MAX);
	_cleanup_close_ int fd = -1;
	char attached[16] = "";
	int r = text ? open_private(dir, id, &fd) : -ENOMEM;
	ssize_t len = r < 0 ? r : files_read(fd, "session", text, ENTRY_MAX);

	r = len < 0 ? (int)len : parse_entry(text, (size_t)len, e);
	if (r == 0 && files_read(fd, "attached", attached, sizeof(attached)) >= 0)
		e->info.attached = (unsigned)strtoul(attached, NULL, 10);
	snprintf(e->info.id, sizeof(e->info.id), "%s", id);
	return r;
}

int session_entry_read(int dir, const char *id, struct session_entry *ret, struct insp_err *err)
{
	struct session_entry e = { 0 };
	int r = read_entry(dir, id, &e);

	if (r == 0) {
		*ret = e;
		return 0;
	}
	session_entry_clear(&e);
	if (r == -ENOENT)
		return insp_err_say(err, r, "no session '%s'", id);
	return insp_err_set(err, r, "read '" SESSION_DIR "/%s'", id);
}

/* An entry that was being made when its holder was killed. */
static void remove_unfinished(int dir, const char *name)
{
	struct timespec now;
	struct stat st;

	clock_gettime(CLOCK_REALTIME, &now);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now.tv_sec - st.st_mtim.tv_sec > UNFINISHED_S)
		remove_files(dir, name);
}

static bool is_id(const char *s)
{
	return strlen(s) == SESSION_ID_SIZE - 1 &&
	       strspn(s, "0123456789abcdef") == SESSION_ID_SIZE - 1;
}

int session_entry_each(int dir, void (*each)(const char *id, void *arg), void *arg)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return -errno;
	for (struct dirent *de = readdir(d); de; de = readdir(d)) {
		if (is_id(de->d_name))
			each(de->d_name, arg);
		else if (de->d_name[0] == '.' && is_id(de->d_name + 1))
			remove_unfinished(dir, de->d_name);
	}
	closedir(d);
	return 0;
}

struct search {
	const char *ref;
	char *id;
	unsigned n;
};

static void compare(const char *id, void *arg)
{
	struct search *s = arg;

	if (strncmp(id, s->ref, strlen(s->ref)) != 0)
		return;
	s->n++;
	memcpy(s->id, id, SESSION_ID_SIZE);
}

int session_entry_find(int dir, const char *ref, char *ret_id, struct insp_err *err)
{
	struct search s = { .ref = ref, .id = ret_id };
	size_t len = strlen(ref);
	int r;

	/* before it is a part of any path */
	if (len == 0 || len >= SESSION_ID_SIZE || strspn(ref, "0123456789abcdef") != len) {
		insp_err_say(err, -EINVAL, "'%.80s' is no session's id", ref);
		insp_err_hint(err, "'cdebug --list' shows them");
		return -EINVAL;
	}
	r = session_entry_each(dir, compare, &s);
	if (r < 0)
		return insp_err_set(err, r, "read '" SESSION_DIR "'");
	if (s.n > 1)
		return insp_err_say(err, -ENOTUNIQ, "%u sessions' ids begin with '%s'", s.n, ref);
	if (s.n == 1)
		return 0;
	insp_err_say(err, -ENOENT, "no session '%s'", ref);
	insp_err_hint(err, "it may have ended; 'cdebug --list' shows those there are");
	return -ENOENT;
}

uint64_t session_pidns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

int session_holder(struct insp_sys *sys, const struct session_entry *e, struct insp_pid **ret)
{
	/* its pid means somebody else here */
	if (e->pidns != session_pidns())
		return -EXDEV;
	return insp_pid_open(sys, e->info.holder, e->holder_start, ret, NULL);
}
