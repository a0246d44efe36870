#include "libinspect/engines/freezer.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

void freezer_done(struct freezer *f)
{
	if (f->usable)
		cgroup_mounts_free(&f->mounts);
	*f = (struct freezer){ 0 };
}

static bool file_says(int cgroupfd, const char *file, const char *word)
{
	char buf[256];

	return io_read_small(cgroupfd, file, buf, sizeof(buf)) > 0 && strstr(buf, word);
}

static bool line_frozen(const struct freezer *f, const struct insp_sys *sys,
			const struct cgroup_line *line)
{
	bool v2 = line->hierarchy == 0;
	_cleanup_close_ int fd = -EBADF;

	/* the root cgroup cannot be frozen */
	if (str_eq(line->path, "/") || (!v2 && !strstr(line->controllers, "freezer")))
		return false;
	fd = cgroup_open(sys, &f->mounts, line);
	if (fd < 0)
		return false;
	/* cgroup.events tells of a freeze from above too; freezer.state inherits by itself */
	return v2 ? file_says(fd, "cgroup.events", "frozen 1")
		  : file_says(fd, "freezer.state", "FR");
}

const struct cgroup_mounts *freezer_mounts(struct freezer *f, struct engine_scan *scan)
{
	const struct mount_table *table;

	if (!f->read) {
		f->read = true;
		f->usable = engine_scan_mounts(scan, &table) == 0 &&
			    cgroup_mounts_of(table, &f->mounts) == 0;
	}
	return f->usable ? &f->mounts : NULL;
}

bool freezer_frozen(struct freezer *f, struct engine_scan *scan, pid_t pid)
{
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	bool frozen = false;

	if (!freezer_mounts(f, scan) || cgroup_read(scan->sys->procfd, pid, &lines) < 0)
		return false;
	for (size_t i = 0; i < lines.n && !frozen; i++)
		frozen = line_frozen(f, scan->sys, &lines.items[i]);
	return frozen;
}
