/*
 * System calls that the oldest C library we build with (glibc 2.31, musl 1.2) has no wrapper or number for, for the library
 * and for who stands on it. Raw: -1 and errno. compat: the comment behind each is the kernel that brought it; callers handle
 * ENOSYS.
 */
#ifndef SONDE_SYSC_H
#define SONDE_SYSC_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers above 423 are the same on every architecture. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig 431
#endif
#ifndef SYS_fsmount
#define SYS_fsmount 432
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x04
#endif
#ifndef MOVE_MOUNT_T_SYMLINKS
#define MOVE_MOUNT_T_SYMLINKS 0x10
#endif
#ifndef MOVE_MOUNT_T_EMPTY_PATH
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#endif
#ifndef FSMOUNT_CLOEXEC
#define FSMOUNT_CLOEXEC 1
#endif
#ifndef FSOPEN_CLOEXEC
#define FSOPEN_CLOEXEC 1
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x1
#endif
#ifndef MOUNT_ATTR_NOSUID
#define MOUNT_ATTR_NOSUID 0x2
#endif
#ifndef MOUNT_ATTR_NODEV
#define MOUNT_ATTR_NODEV 0x4
#endif
#ifndef MOUNT_ATTR_NOEXEC
#define MOUNT_ATTR_NOEXEC 0x8
#endif
#ifndef MOUNT_ATTR_NOATIME
#define MOUNT_ATTR_NOATIME 0x10
#endif
#ifndef MOUNT_ATTR__ATIME
#define MOUNT_ATTR__ATIME 0x70
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* 6.3 */
#endif

/* enum fsconfig_command of linux/mount.h, which clashes with sys/mount.h on some systems. */
#define SYSC_FSCONFIG_SET_STRING 1
#define SYSC_FSCONFIG_CREATE	 6

/* linux/mount.h's struct mount_attr, which clashes with sys/mount.h on some systems. */
struct sysc_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

/* 5.2 */
static inline int sysc_open_tree(int dirfd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

/* 5.2. The detached mount tree becomes attached to what at, a directory or file, is. */
static inline int sysc_move_mount(int tree, int at)
{
	return (int)syscall(SYS_move_mount, tree, "", at, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/* 5.2. The same, to what path is below dirfd; flags: MOVE_MOUNT_T_x. */
static inline int sysc_move_mount_to(int tree, int dirfd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_move_mount, tree, "", dirfd, path, flags | MOVE_MOUNT_F_EMPTY_PATH);
}

/* 5.2. A file system of this type, to be configured. */
static inline int sysc_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

/* 5.2. command: SYSC_FSCONFIG_x. */
static inline int sysc_fsconfig(int fs, unsigned command, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, command, key, value, 0);
}

/* 5.2. attrs: MOUNT_ATTR_x. The detached mount. */
static inline int sysc_fsmount(int fs, unsigned attrs)
{
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs);
}

/* 5.12 */
static inline int sysc_mount_setattr(int dirfd, const char *path, unsigned flags,
				     struct sysc_mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr));
}

/* 5.3 */
static inline int sysc_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* 5.9 */
static inline int sysc_close_range(unsigned first, unsigned last)
{
	return (int)syscall(SYS_close_range, first, last, 0);
}

#endif
