/*
 * The directory of --keep-changes: "upper", overlayfs's layer with what was changed; "work", overlayfs's own;
 * "container", whose changes they are, so that a later session does not lay them over other layers.
 */
#include "sidecar/stopped.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define KEPT_OF	 "container"
#define KEPT_MAX 1024

/* "docker 3f1c9ab22d01…": what KEPT_OF holds. free() it. */
static char *whose(const struct sidecar_plan *plan)
{
	const struct insp_container *c = plan->opts->stopped;
	char *text = NULL;

	return asprintf(&text, "%s %s\n", c->engine, c->id) < 0 ? NULL : text;
}

/* -EEXIST: it is not. */
static int check_empty(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return -errno;
	for (struct dirent *de = readdir(dir); de && r == 0; de = readdir(dir))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = -EEXIST;
	closedir(dir);
	return r;
}

/* 1: it is marked as this container's. */
static int is_marked(int dirfd, const char *mark)
{
	char buf[KEPT_MAX];
	ssize_t n = files_read(dirfd, KEPT_OF, buf, sizeof(buf));

	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	return strcmp(buf, mark) == 0 ? 1 : -EEXIST;
}

static int make(int dirfd, const char *name)
{
	return mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int prepare(int dirfd, const char *mark)
{
	int r = is_marked(dirfd, mark);

	if (r < 0)
		return r;
	if (r == 0)
		r = check_empty(dirfd) ?: files_write(dirfd, KEPT_OF, mark, strlen(mark));
	else
		r = 0;
	/* what a container makes is in there: set-user-ID programs, devices that anybody may open */
	if (r == 0 && fchmod(dirfd, 0700) < 0)
		r = -errno;
	r = r ?: make(dirfd, "upper");
	return r ?: make(dirfd, "work");
}

/* What others could put there would be mounted, or written through. */
static int check_own(int dirfd)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return -errno;
	return st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) ? -EPERM : 0;
}

int keep_prepare(int dirfd, const char *mark)
{
	return check_own(dirfd) ?: prepare(dirfd, mark);
}

static int fail(const struct sidecar_plan *plan, int r, struct insp_err *err)
{
	if (r == -EEXIST)
		return insp_err_say(
			err, r, "'%s' is not empty, and does not hold changes of this container",
			plan->opts->keep);
	if (r == -EPERM)
		return insp_err_say(
			err, r, "keep changes in '%s': others may write to it, or it is not yours",
			plan->opts->keep);
	if (r == -EWOULDBLOCK)
		return insp_err_say(err, -EBUSY, "another session keeps its changes in '%s'",
				    plan->opts->keep);
	return insp_err_set(err, r, "keep changes in '%s'", plan->opts->keep);
}

int keep_open(const struct sidecar_plan *plan, int *ret_fd, struct insp_err *err)
{
	_cleanup_free_ char *mark = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (!plan->opts->keep)
		return 0;
	mark = whose(plan);
	if (!mark)
		return fail(plan, -ENOMEM, err);
	if (mkdir(plan->opts->keep, 0700) < 0 && errno != EEXIST)
		return fail(plan, -errno, err);
	fd = open(plan->opts->keep, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail(plan, -errno, err);
	r = keep_prepare(fd, mark);
	if (r < 0)
		return fail(plan, r, err);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int keep_again(const struct sidecar_plan *plan, int fd, int *ret_fd, struct insp_err *err)
{
	_cleanup_close_ int again = open(plan->opts->keep, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat was, is;

	if (again < 0 || fstat(fd, &was) < 0 || fstat(again, &is) < 0)
		return fail(plan, -errno, err);
	if (was.st_ino != is.st_ino || was.st_dev != is.st_dev)
		return fail(plan, -ESTALE, err);
	*ret_fd = again;
	again = -1;
	return 0;
}
