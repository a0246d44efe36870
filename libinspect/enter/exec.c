/* The last steps before the command runs: fds, root and directory, finding the program. */
#include "libinspect/base/str.h"
#include "libinspect/enter/plan.h"
#include "libinspect/sysc.h"

#include <limits.h>
#include <sys/syscall.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool kept(int fd, const int *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/* The lowest kept fd that is at least from; INT_MAX: none. */
static int next_kept(int from, const int *keep, size_t n)
{
	int best = INT_MAX;

	for (size_t i = 0; i < n; i++)
		if (keep[i] >= from && keep[i] < best)
			best = keep[i];
	return best;
}

static int close_gaps(const int *keep, size_t n)
{
	int from = 3;

	for (;;) {
		int stop = next_kept(from, keep, n);

		if (stop > from && sysc_close_range((unsigned)from, (unsigned)stop - 1) < 0)
			return -errno;
		if (stop == INT_MAX)
			return 0;
		from = stop + 1;
	}
}

/* compat: kernel < 5.9. The list is read anew until nothing is left to close: closing changes it. */
static void close_listed(int selffd, const int *keep, size_t n)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int own = dup(selffd);
	bool again = true;

	dir = own < 0 ? NULL : fdopendir(own);
	while (dir && again) {
		again = false;
		rewinddir(dir);
		for_each_dirent (de, dir) {
			uint64_t fd;

			if (str_to_u64(de->d_name, &fd) < 0 || fd < 3 || (int)fd == own ||
			    (int)fd == selffd || kept((int)fd, keep, n))
				continue;
			again |= close((int)fd) == 0;
		}
	}
}

void enter_close_fds(int selffd, const int *keep, size_t n)
{
	if (close_gaps(keep, n) < 0 && selffd >= 0) {
		close_listed(selffd, keep, n);
		if (!kept(selffd, keep, n))
			close(selffd);
	}
}

/*
 * The kernel names a directory outside the root "(unreachable)/…", a deleted one not at all. A process whose working
 * directory is the host's can walk out of any root (CVE-2024-21626). Raw call: the C library would search.
 */
static bool cwd_is_inside(void)
{
	char buf[PATH_MAX];

	return syscall(SYS_getcwd, buf, sizeof(buf)) > 0 && buf[0] == '/';
}

static int change_cwd(const struct insp_enter_plan *plan, struct insp_err *err)
{
	switch (plan->d.cwd) {
	case ENTER_CWD_KEEP: return 0;
	case ENTER_CWD_INSIDE:
		if (chdir(plan->cwd_inside) < 0)
			return insp_err_set(err, -errno, "change to directory '%s'",
					    plan->cwd_inside);
		return 0;
	case ENTER_CWD_TARGET:
	case ENTER_CWD_HOST:
		if (fchdir(plan->cwdfd) < 0)
			return insp_err_set(err, -errno, "change to the working directory");
		return 0;
	case ENTER_CWD_ROOT: break;
	}
	if (chdir("/") < 0)
		return insp_err_set(err, -errno, "change to directory '/'");
	return 0;
}

int enter_place_apply(const struct insp_enter_plan *plan, struct insp_err *err)
{
	int r;

	if (plan->d.chroot) {
		if (fchdir(plan->rootfd) < 0 || chroot(".") < 0)
			return insp_err_set(err, -errno, "change to the target's root");
	}
	r = change_cwd(plan, err);
	if (r < 0)
		return r;
	if (plan->d.inside && !cwd_is_inside() && chdir("/") < 0)
		return insp_err_set(err, -errno, "change to directory '/'");
	return 0;
}

static int exec_status(int r)
{
	return r == -ENOENT || r == -ENOTDIR ? INSP_EXIT_NOT_FOUND : INSP_EXIT_NOT_EXECUTABLE;
}

static int try_exec(const char *path, char *const argv[], char *const env[])
{
	execve(path, argv, env);
	return -errno;
}

/* Every directory of path in turn, as execvp() does it, but by the command's own PATH and environment. */
static int try_path(const char *path, char *const argv[], char *const env[])
{
	int worst = -ENOENT;

	for (const char *p = path;; p++) {
		size_t len = strcspn(p, ":");
		char file[PATH_MAX];
		int r = snprintf(file, sizeof(file), "%.*s%s%s", (int)MIN_OF(len, PATH_MAX),
				 len ? p : ".", "/", argv[0]);

		if (r > 0 && (size_t)r < sizeof(file)) {
			r = try_exec(file, argv, env);
			if (r == -EACCES)
				worst = r;
			else if (r != -ENOENT && r != -ENOTDIR)
				return r;
		}
		p += len;
		if (!*p)
			return worst;
	}
}

int enter_exec(char *const argv[], char *const env[], struct insp_err *err)
{
	const char *path = enter_env_get(env, "PATH");
	int r;

	if (strchr(argv[0], '/') || !argv[0][0])
		r = try_exec(argv[0], argv, env);
	else
		r = try_path(path ? path : DEFAULT_PATH, argv, env);
	insp_err_set(err, r, "run '%s'", argv[0]);
	return exec_status(r);
}
