/* A directory as seen through a mount of its own that nothing can be done with but reading. */
#ifndef SONDE_KERNEL_SEALEDTREE_H
#define SONDE_KERNEL_SEALEDTREE_H

/*
 * A detached mount of the directory dirfd: read-only, nodev, nosuid, noexec, noatime. Whatever is opened below it can be
 * no device, and reading leaves no access time behind. It is gone with its last fd: nothing is ever mounted in a
 * namespace. Without the mounts below dirfd. The caller's fd, or -errno: -EPERM without CAP_SYS_ADMIN or where the
 * directory is another mount namespace's, -ENOSYS (compat: kernel < 5.12).
 */
int sealedtree_open(int dirfd);

#endif
