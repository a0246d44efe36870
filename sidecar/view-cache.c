/*
 * Programs and libraries of the toolbox, made ready to run in the target view, in memory. Made once a session, by whoever
 * of it comes first: written under another name, and there whole or not at all. A library is there only when those that it
 * needs are, so that who finds a program there finds all.
 */
#include "sidecar/view-launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Libraries on the way from a program to the deepest; more are a circle. */
#define DEPTH_MAX 48

int box_open(int box, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, box, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static int store(const struct image *img, const char *path)
{
	char tmp[PATH_MAX];
	int fd, r;

	snprintf(tmp, sizeof(tmp), "%s.%d", path, (int)getpid());
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
	if (fd < 0)
		return -errno;
	r = write_all(fd, img->data, img->size);
	/* whatever the umask: others of the session run it, too */
	if (r == 0 && fchmod(fd, 0755) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(tmp);
	return r;
}

/* ---- where a library is ---- */

static int try_dir(int box, const char *dir, size_t len, const char *name)
{
	char path[PATH_MAX];

	if (len == 0 ||
	    (size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)len, dir, name) >= sizeof(path))
		return -ENOENT;
	return box_open(box, path);
}

/* "$ORIGIN/../lib:/usr/lib/x"; origin is the directory of what has it. */
static int try_runpath(int box, const char *runpath, const char *origin, const char *name)
{
	for (const char *p = runpath; p && *p;) {
		size_t len = strcspn(p, ":");
		char dir[PATH_MAX];
		int fd, skip = strncmp(p, "$ORIGIN", 7) == 0	 ? 7
			       : strncmp(p, "${ORIGIN}", 9) == 0 ? 9
								 : 0;

		snprintf(dir, sizeof(dir), "%s%.*s", skip ? origin : "", (int)len - skip, p + skip);
		fd = try_dir(box, dir, strlen(dir), name);
		if (fd >= 0)
			return fd;
		p += len + (p[len] == ':');
	}
	return -ENOENT;
}

/* Lines of etc/ld.so.conf.d/NAME that are directories. */
static int try_conf(int box, const char *file, const char *name)
{
	int fd = try_dir(box, "etc/ld.so.conf.d", 16, file), found = -ENOENT;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	char line[PATH_MAX];

	while (f && found < 0 && fgets(line, sizeof(line), f))
		if (line[0] == '/')
			found = try_dir(box, line, strcspn(line, " \t\n#"), name);
	if (f)
		fclose(f);
	return found;
}

static int try_conf_dir(int box, const char *name)
{
	DIR *dir = opendir(VIEW_TOOLBOX "/etc/ld.so.conf.d");
	int found = -ENOENT;

	if (!dir)
		return -ENOENT;
	for (struct dirent *de = readdir(dir); de && found < 0; de = readdir(dir))
		if (de->d_name[0] != '.')
			found = try_conf(box, de->d_name, name);
	closedir(dir);
	return found;
}

static int find_library(int box, const struct elf_needs *by, const char *origin, const char *name)
{
	static const char *const dirs[] = {
		"lib/%s-linux-gnu", "usr/lib/%s-linux-gnu", "lib64", "usr/lib64", "lib",
		"usr/lib",	    "usr/local/lib"
	};
	int fd = try_runpath(box, by->runpath, origin, name);
	struct utsname u;

	uname(&u);
	for (size_t i = 0; fd < 0 && i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		char dir[sizeof(u.machine) + 32];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(dir, sizeof(dir), dirs[i], u.machine);
#pragma GCC diagnostic pop
		fd = try_dir(box, dir, strlen(dir), name);
	}
	return fd >= 0 ? fd : try_conf_dir(box, name);
}

/* ---- making ready ---- */

static int cache_needs(int box, const struct elf_needs *needs, const char *origin, int depth);

static int adapt_and_store(int box, struct image *img, const char *origin, const char *path,
			   int depth)
{
	struct elf_needs needs;
	int r = elf_look(img, &needs);

	r = r < 0 ? r : cache_needs(box, &needs, origin, depth);
	r = r < 0 ? r : elf_adapt(img);
	return r < 0 ? r : store(img, path);
}

/* fd is closed. */
static int cache_library(int box, int fd, const char *name, const char *origin, int depth)
{
	struct image img = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), VIEW_LIB "/%s", name);
	if (depth > DEPTH_MAX || access(path, F_OK) == 0) {
		close(fd);
		return 0;
	}
	r = image_read(fd, &img);
	r = r < 0 ? r : adapt_and_store(box, &img, origin, path, depth);
	image_clear(&img);
	return r;
}

static bool is_cached(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), VIEW_LIB "/%s", name);
	return access(path, F_OK) == 0;
}

static int cache_loader(int box, const char *loader)
{
	const char *base = strrchr(loader, '/');
	int fd = base && !is_cached(base + 1) ? box_open(box, loader) : -EEXIST;

	return fd == -EEXIST ? 0 : fd < 0 ? fd : cache_library(box, fd, base + 1, "", 1);
}

/* One that the toolbox lacks is the loader's to complain of. */
static int cache_needs(int box, const struct elf_needs *needs, const char *origin, int depth)
{
	int r = needs->loader ? cache_loader(box, needs->loader) : 0;

	for (size_t i = 0; r == 0 && i < needs->n; i++) {
		int fd = strchr(needs->names[i], '/') || is_cached(needs->names[i])
				 ? -ENOENT
				 : find_library(box, needs, origin, needs->names[i]);

		if (fd >= 0)
			r = cache_library(box, fd, needs->names[i], origin, depth + 1);
	}
	return r;
}

int cache_program(int box, int fd, const char *path, const char *name, char *ret, size_t size)
{
	struct image img = { 0 };
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX], origin[PATH_MAX];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0) {
		close(fd);
		return -EIO;
	}
	snprintf(dir, sizeof(dir), VIEW_RUN "/%lx-%lx-%lx", (unsigned long)st.st_dev,
		 (unsigned long)st.st_ino, (unsigned long)st.st_mtime);
	snprintf(ret, size, "%s/%s", dir, name);
	if (access(ret, X_OK) == 0) {
		close(fd);
		return 0;
	}
	snprintf(origin, sizeof(origin), "%.*s", slash ? (int)(slash - path) : 0, path);
	if (mkdir(dir, 0700) == 0)
		r = chmod(dir, 01777) < 0 ? -errno : 0;
	else
		r = errno == EEXIST ? 0 : -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	r = image_read(fd, &img);
	r = r < 0 ? r : adapt_and_store(box, &img, origin, ret, 0);
	image_clear(&img);
	return r;
}
