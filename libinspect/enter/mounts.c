/*
 * When the command keeps the host's files but gets the target's processes or network: a private mount namespace with
 * a /proc and /sys that show these, and resolv.conf and hosts with the target's text. As ip-netns(8) does it, but
 * never with the container's own file, which it could change, or make a FIFO.
 */
#include "libinspect/base/io.h"
#include "libinspect/enter/plan.h"

#include <sched.h>
#include <sys/mount.h>

#define FILE_MAX_BYTES (1024 * 1024)
/* A directory that every host has; covered only while the files are made, in the private namespace. */
#define SCRATCH "/tmp"

static const char *const file_paths[ENTER_FILES] = { "/etc/resolv.conf", "/etc/hosts" };

void enter_files_read(struct insp_enter_plan *plan, int target_rootfd)
{
	for (size_t i = 0; i < ENTER_FILES; i++) {
		struct io_buf buf = { 0 };
		struct insp_err err = { 0 };
		int r = io_read_in_root(target_rootfd, file_paths[i], FILE_MAX_BYTES,
					IO_CONTAINER_DEADLINE_MS, &buf);

		plan->files[i].path = file_paths[i];
		if (r == 0) {
			plan->files[i].data = buf.data;
			plan->files[i].len = buf.len;
		} else if (r != -ENOENT) {
			if (r == -EBADF)
				insp_err_say(&err, r, "%s: its '%s' is no regular file", plan->who,
					     file_paths[i]);
			else
				insp_err_set(&err, r, "%s: read its '%s'", plan->who,
					     file_paths[i]);
			insp_err_hint(&err, "the host's stays in its place");
			insp_diags_add(&plan->warnings, &err);
		}
	}
}

int enter_mounts_unshare(struct insp_err *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return insp_err_set(err, -errno, "make a mount namespace");
	/* else what is mounted here appears on the host */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return insp_err_set(err, -errno, "make the mounts private");
	return 0;
}

static int write_file(const char *path, const struct enter_file *f)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	return io_write_all(fd, f->data, f->len);
}

/* The bind follows a link of the host (systemd-resolved's); a host without the file stays without. */
static int bind_file(size_t i, const struct enter_file *f)
{
	char path[32];
	int r;

	if (!f->data)
		return 0;
	snprintf(path, sizeof(path), SCRATCH "/%zu", i);
	r = write_file(path, f);
	if (r < 0)
		return r;
	if (mount(path, f->path, NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static int bind_files(const struct enter_file *files)
{
	int r = 0;

	if (mount("sonde", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0755,size=4m") < 0)
		return -errno;
	for (size_t i = 0; i < ENTER_FILES && r == 0; i++)
		r = bind_file(i, &files[i]);
	/* the bound files stay */
	if (umount2(SCRATCH, MNT_DETACH) < 0 && r == 0)
		r = -errno;
	return r;
}

int enter_mounts_make(const struct insp_enter_plan *plan, struct insp_err *err)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int r;

	if (plan->d.fresh_proc && mount("proc", "/proc", "proc", flags, NULL) < 0)
		return insp_err_set(err, -errno, "mount a fresh '/proc'");
	if (!plan->d.net_view)
		return 0;
	r = bind_files(plan->files);
	if (r < 0)
		return insp_err_set(err, r, "put the target's resolv.conf and hosts in place");
	/* /sys/class/net shows the network namespace it was mounted in; refused in some user namespaces: go on */
	if (mount("sysfs", "/sys", "sysfs", flags, NULL) < 0)
		return 0;
	return 0;
}
