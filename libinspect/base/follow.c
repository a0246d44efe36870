/*
 * Links of the host's that somebody else may have made. The kernel follows none that another user has put into a directory of
 * everybody's (may_follow_link() of fs/namei.c), but only where fs.protected_symlinks is set, and not where a program reads the
 * link itself, as is done here so that what it leads to can be replaced.
 */
#include "libinspect/files.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define LINKS_MAX 40 /* MAXSYMLINKS */

/* Whether the link path, in the directory dir, is another user's, where everybody may make one: as in /tmp. */
static bool is_trap(const char *dir, const char *path)
{
	struct stat in, st;

	if (lstat(path, &st) < 0 || stat(dir, &in) < 0)
		return false;
	return (in.st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH) &&
	       st.st_uid != geteuid() && st.st_uid != in.st_uid;
}

/* *path, a link to target, becomes what it leads to. */
static int follow_one(char **path, const char *target)
{
	const char *slash = strrchr(*path, '/');
	_cleanup_free_ char *dir =
		slash ? strndup(*path, (size_t)(slash - *path + (slash == *path))) : str_dup(".");
	char *next;

	if (!dir)
		return -ENOMEM;
	if (is_trap(dir, *path))
		return -EACCES;
	next = *target == '/' ? str_dup(target) : str_format("%s/%s", dir, target);
	if (!next)
		return -ENOMEM;
	free(*path);
	*path = next;
	return 0;
}

int insp_follow(const char *path, char **ret_path)
{
	_cleanup_free_ char *now = str_dup(path);

	for (int links = 0; links < LINKS_MAX; links++) {
		_cleanup_free_ char *target = NULL;
		int r = now ? io_readlink(AT_FDCWD, now, &target) : -ENOMEM;

		if (r == -EINVAL || r == -ENOENT) { /* no link, or nothing */
			*ret_path = TAKE_PTR(now);
			return 0;
		}
		if (r == 0)
			r = follow_one(&now, target);
		if (r < 0)
			return r;
	}
	return -ELOOP;
}
