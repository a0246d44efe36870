/*
 * Who is at the other end of a session's socket. The directory lets in nobody but its owner; but a container that has the
 * host's /run mounted, and runs as the same user, gets there: its namespaces are others.
 */
#include "sidecar/session-internal.h"
#include "libinspect/sysc.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

static int same_namespaces(pid_t pid)
{
	static const enum insp_ns_type types[] = { INSP_NS_MNT, INSP_NS_PID, INSP_NS_USER };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct stat ours, theirs;
		char path[48];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", insp_ns_name(types[i]));
		if (stat(path, &ours) < 0)
			return -errno;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, insp_ns_name(types[i]));
		if (stat(path, &theirs) < 0)
			return -errno;
		if (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev)
			return -EPERM;
	}
	return 0;
}

/* The process that connected, not one that got its number. */
static int peer_pidfd(int fd, pid_t pid)
{
	int pidfd = -1;
	socklen_t len = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
		return pidfd;
	/* compat: kernel < 6.5: one that connected and ended at once may have been followed by another */
	return sysc_pidfd_open(pid);
}

static int check(int fd, pid_t pid)
{
	struct ucred cred = { .pid = 0 };
	socklen_t len = sizeof(cred);
	_cleanup_close_ int pidfd = -1;
	struct pollfd ended;
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	/* 0: of a pid namespace that ours does not see */
	if (cred.uid != geteuid() || cred.pid <= 0 || (pid && cred.pid != pid))
		return -EPERM;
	pidfd = peer_pidfd(fd, cred.pid);
	if (pidfd < 0)
		return -EPERM;
	r = same_namespaces(cred.pid);
	if (r < 0)
		return r;
	ended = (struct pollfd){ pidfd, POLLIN, 0 };
	return poll(&ended, 1, 0) == 0 ? 0 : -EPERM;
}

int session_check_peer(int fd, pid_t pid, struct insp_err *err)
{
	int r = check(fd, pid);

	if (r == 0)
		return 0;
	return insp_err_say(err, -EPERM,
			    "the other end of the session's socket is of another user, or in other "
			    "namespaces");
}
