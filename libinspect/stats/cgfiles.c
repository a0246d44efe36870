/* The files of a cgroup, kept open. */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/stats/watch.h"

/* io.stat has a line of some 80 bytes a device, memory.stat of v2 some 60 lines */
#define FILE_MAX (16 * 1024)
#define LIMITS                                                                     \
	(INSP_STAT_BIT(INSP_STAT_CPU_LIMIT) | INSP_STAT_BIT(INSP_STAT_MEM_LIMIT) | \
	 INSP_STAT_BIT(INSP_STAT_PIDS_LIMIT))

static bool tells_only_limits(const struct stat_file *what)
{
	return (what->fields & ~LIMITS) == 0;
}

static int open_one(struct cgfiles *files, int dirfd, const struct stat_file *what)
{
	_cleanup_close_ int fd =
		openat(dirfd, what->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	if (!util_grow(&files->items, files->n, &files->cap, sizeof(*files->items), 8))
		return -ENOMEM;
	files->items[files->n++] = (struct cgfile){ what, TAKE_FD(fd) };
	return 0;
}

int cgfiles_add(struct cgfiles *files, int dirfd, const char *controllers, uint32_t wanted)
{
	const struct stat_file *what = controllers ? stat_files_v1 : stat_files_v2;
	uint32_t lacking = wanted & ~files->covered;
	int r = 0;

	for (; what->name && r >= 0; what++) {
		size_t n = files->n;

		if (!(what->fields & lacking) ||
		    (controllers && !cgroup_has_controller(controllers, what->controller)))
			continue;
		r = open_one(files, dirfd, what);
		if (files->n > n)
			files->covered |= what->fields;
	}
	return r;
}

int cgfiles_read(const struct cgfiles *files, bool slow, struct insp_sample *sample)
{
	struct stat_parts parts = { .sample = sample };
	char buf[FILE_MAX];
	size_t gone = 0;

	for (size_t i = 0; i < files->n; i++) {
		const struct cgfile *f = &files->items[i];
		ssize_t n;

		if (!slow && tells_only_limits(f->what))
			continue;
		n = pread(f->fd, buf, sizeof(buf), 0);
		gone += n < 0 && errno == ENODEV;
		if (n >= 0)
			f->what->parse(buf, (size_t)n, &parts);
	}
	stat_parts_join(&parts);
	return files->n > 0 && gone == files->n ? -ENODEV : 0;
}

void cgfiles_clear(struct cgfiles *files)
{
	for (size_t i = 0; i < files->n; i++)
		util_close(files->items[i].fd);
	free(files->items);
	*files = (struct cgfiles){ 0 };
}
