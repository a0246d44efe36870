/*
 * A file system image as a toolbox's lower directory: read-only, on a loop device that the kernel takes down with the last use
 * of it (LO_FLAGS_AUTOCLEAR, set in the same call that binds it), also after a kill -9 of all of ours.
 */
#include "sidecar/internal.h"
#include "sidecar/toolbox-kinds.h"
#include "libinspect/sysc.h"

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define SET_FLAG 0 /* enum fsconfig_command */
/* somebody else may take the device between the two calls */
#define TRIES 64

#ifndef LOOP_CONFIGURE
#define LOOP_CONFIGURE 0x4C0A
struct loop_config {
	uint32_t fd, block_size;
	struct loop_info64 info;
	uint64_t reserved[8];
};
#endif

/* A toolbox that is a file: "squashfs", "erofs". */
static const char *type_of(const struct toolbox *t)
{
	return t->kind == TOOLBOX_SQUASHFS ? "squashfs" : "erofs";
}

static int no_loop(const struct toolbox *t, int r, struct insp_err *err)
{
	insp_err_set(err, r, "toolbox '%s': no free loop device", t->spec);
	insp_err_hint(err, "unpacked to a directory it needs none: unsquashfs(1), fsck.erofs(1)");
	return r;
}

/* Linux 5.8. */
static int bind_loop(int loop, int file)
{
	struct loop_config config = {
		.fd = (uint32_t)file,
		.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR,
	};

	return ioctl(loop, LOOP_CONFIGURE, &config) < 0 ? -errno : 0;
}

/* The fd keeps it. */
static int make_loop(const struct toolbox *t, int file, char path[32], struct insp_err *err)
{
	_cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int r = control < 0 ? -errno : -EBUSY;

	for (int i = 0; i < TRIES && r == -EBUSY; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE), loop;

		if (n < 0)
			return no_loop(t, -errno, err);
		snprintf(path, 32, "/dev/loop%d", n);
		loop = open(path, O_RDONLY | O_CLOEXEC);
		if (loop < 0)
			return no_loop(t, -errno, err);
		r = bind_loop(loop, file);
		if (r == 0)
			return loop;
		close(loop);
	}
	return no_loop(t, r, err);
}

static int mount_source(const struct toolbox *t, const char *source)
{
	_cleanup_close_ int fs = sysc_fsopen(type_of(t));
	int fd;

	if (fs < 0 || sysc_fsconfig(fs, SYSC_FSCONFIG_SET_STRING, "source", source) < 0 ||
	    sysc_fsconfig(fs, SET_FLAG, "ro", NULL) < 0 ||
	    sysc_fsconfig(fs, SYSC_FSCONFIG_CREATE, NULL, NULL) < 0)
		return -errno;
	fd = sysc_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return fd < 0 ? -errno : fd;
}

static int cannot_mount(const struct toolbox *t, int r, struct insp_err *err)
{
	if (r == -ENODEV)
		return insp_err_say(err, r, "toolbox '%s': this kernel has no %s", t->spec,
				    type_of(t));
	insp_err_set(err, r, "toolbox '%s': mount it as %s", t->spec, type_of(t));
	if (r == -EPERM || r == -EACCES)
		insp_err_hint(err, TOOLBOX_DENIED);
	else
		insp_err_hint(err, "it may be damaged, or compressed as this kernel cannot read; "
				   "the kernel's log (dmesg) says more");
	return r;
}

/* The mount, detached. */
static int mount_image(const struct toolbox *t, int file, struct insp_err *err)
{
	_cleanup_close_ int loop = -1;
	char path[PROC_FD_PATH_MAX];
	int r;

	/* erofs needs no loop device since Linux 6.12 */
	proc_fd_path(file, path);
	r = t->kind == TOOLBOX_EROFS ? mount_source(t, path) : -ENOTBLK;
	if (r >= 0)
		return r;
	loop = make_loop(t, file, path, err);
	if (loop < 0)
		return loop;
	r = mount_source(t, path);
	return r < 0 ? cannot_mount(t, r, err) : r;
}

int toolbox_attach_image(const struct toolbox *t, int dirfd, const char *at, struct insp_err *err)
{
	_cleanup_close_ int file = open(t->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0)
		return insp_err_set(err, -errno, "toolbox '%s': open it", t->spec);
	if (!S_ISREG(st.st_mode))
		return insp_err_say(err, -ESTALE, "toolbox '%s': it is another file now", t->spec);
	fd = mount_image(t, file, err);
	if (fd < 0)
		return fd;
	if (sysc_move_mount_to(fd, dirfd, at, 0) < 0)
		return insp_err_set(err, -errno, "toolbox '%s': attach it", t->spec);
	return 0;
}
