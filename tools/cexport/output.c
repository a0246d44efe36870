/*
 * The file has no name until it is whole (O_TMPFILE): whatever ends the program, nothing is left. On a file system that
 * cannot do so it has a hidden one beside its place, which a signal that can be caught takes away.
 */
#include "tools/cexport/output.h"
#include "libinspect/files.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* what the signal's handler takes away */
static int doomed_dirfd = -1;
static const char *volatile doomed;

static void on_signal(int sig)
{
	if (doomed)
		unlinkat(doomed_dirfd, (const char *)doomed, 0);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void doom(int dirfd, const char *name)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ };

	doomed_dirfd = dirfd;
	doomed = name;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (signal(signals[i], on_signal) == SIG_IGN)
			signal(signals[i], SIG_IGN);
}

static int open_stdout(struct output *out, struct insp_err *err)
{
	if (isatty(STDOUT_FILENO)) {
		insp_err_say(err, -ENOTTY, "an archive is nothing for a terminal");
		insp_err_hint(err, "cexport NAME -o FILE.tar, or cexport NAME | tar -tv");
		return -ENOTTY;
	}
	out->is_stdout = true;
	out->fd = STDOUT_FILENO;
	return 0;
}

/* Where path is. */
static int split(struct output *out, const char *path, struct insp_err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	out->name = strdup(slash ? slash + 1 : path);
	if (!dir || !out->name)
		return insp_err_set(err, -ENOMEM, "'%s'", path);
	out->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->dirfd < 0)
		return insp_err_set(err, -errno, "open '%s'", dir);
	return *out->name ? 0 : insp_err_set(err, -EISDIR, "create '%s'", path);
}

/* A hidden name beside the file's. */
static int choose_temp(struct output *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	free(out->temp);
	if (asprintf(&out->temp, ".%.200s.%x.%lx", out->name, (unsigned)getpid(), now.tv_nsec) <
	    0) {
		out->temp = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int create(struct output *out)
{
	out->fd = openat(out->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (out->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
		return -errno;
	if (choose_temp(out) < 0)
		return -ENOMEM;
	out->fd = openat(out->dirfd, out->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			 0600);
	if (out->fd < 0)
		return -errno;
	doom(out->dirfd, out->temp);
	return 0;
}

/* What is no file, and by now may be: that would be written over. O_CREAT: fs.protected_fifos counts, as with tar -f. */
static int open_direct(struct output *out, const char *path, struct insp_err *err)
{
	struct stat st;

	out->direct = true;
	out->fd = open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);
	if (out->fd < 0)
		return insp_err_set(err, -errno, "open '%s'", path);
	if (fstat(out->fd, &st) < 0 || S_ISREG(st.st_mode))
		return insp_err_say(err, -EEXIST, "open '%s': it was replaced", path);
	return 0;
}

int output_open(struct output *out, const char *path, struct insp_err *err)
{
	_cleanup_free_ char *real = NULL;
	struct stat st;
	int r;

	*out = (struct output){ .fd = -1, .dirfd = -1 };
	if (!path || strcmp(path, "-") == 0)
		return open_stdout(out, err);
	/* a link to a file stays one */
	r = insp_follow(path, &real);
	if (r < 0)
		return insp_err_set(err, r, "open '%s'", path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return open_direct(out, path, err);
	r = split(out, real, err);
	if (r < 0)
		return r;
	r = create(out);
	return r < 0 ? insp_err_set(err, r, "create '%s'", path) : 0;
}

/* Gives the unnamed file a name: its own when that is free, else a hidden one. 1: its own. */
static int link_unnamed(struct output *out)
{
	char proc[64];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", out->fd);
	if (linkat(AT_FDCWD, proc, out->dirfd, out->name, AT_SYMLINK_FOLLOW) == 0)
		return 1;
	if (errno != EEXIST)
		return -errno;
	if (choose_temp(out) < 0)
		return -ENOMEM;
	doom(out->dirfd, out->temp);
	return linkat(AT_FDCWD, proc, out->dirfd, out->temp, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int put_in_place(struct output *out)
{
	int r = out->temp ? 0 : link_unnamed(out);

	if (r != 0)
		return r < 0 ? r : 0;
	if (renameat(out->dirfd, out->temp, out->dirfd, out->name) < 0)
		return -errno;
	doomed = NULL;
	free(out->temp);
	out->temp = NULL;
	return 0;
}

int output_commit(struct output *out, struct insp_err *err)
{
	int r;

	if (out->is_stdout || out->direct)
		return 0;
	r = put_in_place(out);
	/* what a network file system could not write is said now, or never */
	if (r == 0 && close(out->fd) < 0)
		r = -errno;
	out->fd = -1;
	return r < 0 ? insp_err_set(err, r, "create '%s'", out->name) : 0;
}

void output_close(struct output *out)
{
	if (out->temp)
		unlinkat(out->dirfd, out->temp, 0);
	doomed = NULL;
	if (out->fd >= 0 && !out->is_stdout)
		close(out->fd);
	if (out->dirfd >= 0)
		close(out->dirfd);
	free(out->name);
	free(out->temp);
	*out = (struct output){ .fd = -1, .dirfd = -1 };
}
