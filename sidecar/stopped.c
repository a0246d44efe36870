/* See stopped.h. Nothing is mounted in a namespace that outlives the session's processes, however they end. */
#include "sidecar/stopped.h"
#include "libinspect/sysc.h"

#include "libinspect/files.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int make_scratch(int *ret_fd, struct insp_err *err)
{
	int r = mounts_scratch(ret_fd);

	return r < 0 ? insp_err_set(err, r, "make a file system for changes in memory") : 0;
}

static int mount_files(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err)
{
	_cleanup_close_ int changes = -1;
	struct insp_mount_opts o = { .write = plan->opts->write };
	int r = plan->opts->keep ? keep_again(plan, m->keep, &changes, err)
				 : make_scratch(&changes, err);

	if (r < 0)
		return r;
	o.changes = changes;
	r = insp_mount_files(m->sys, plan->opts->stopped, &o, &m->tree, err);
	if (!plan->opts->keep)
		mounts_leave_scratch(changes);
	return r;
}

int stopped_mount(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err)
{
	/* the plan's leads into the old mount namespace, of which nothing can be mounted here */
	int r = insp_sys_open(NULL, &m->sys, err);

	r = r ?: mount_files(plan, m, err);
	r = r ?: mounts_restrict_target(plan, m, err);
	if (r < 0 || !m->by_hand)
		return r;
	insp_err_set(err, -ENOSYS, "mount the container's files");
	insp_err_hint(err, "for what does not run cdebug needs Linux 5.12 or later "
			   "(mount_setattr)");
	return -ENOSYS;
}

int stopped_volumes(const struct sidecar_plan *plan, struct mounts *m, int messages,
		    struct insp_err *err)
{
	_cleanup_close_ int target = openat(m->root, "target", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (target < 0)
		return insp_err_set(err, -errno, "open the container's files");
	return stopped_volumes_in(plan, m, target, messages, err);
}

int stopped_volumes_in(const struct sidecar_plan *plan, struct mounts *m, int target, int messages,
		       struct insp_err *err)
{
	struct insp_diags diags = { 0 };
	int r;

	r = insp_mount_volumes(m->sys, plan->opts->stopped, target, plan->opts->write, &diags, err);
	for (size_t i = 0; i < diags.n; i++)
		message_warn(messages, &diags.items[i]);
	insp_diags_clear(&diags);
	return r;
}

/* netdevice(7). A new network namespace has "lo", and it is down. */
static int raise_loopback(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

int stopped_namespaces(const struct sidecar_plan *plan, struct insp_err *err)
{
	const char *host = plan->opts->stopped->hostname;
	int flags = 0, r = 0;

	for (int t = 0; t < INSP_NS_MAX; t++)
		if (plan->join & (1U << t))
			flags |= insp_ns_flag(t);
	if (flags && unshare(flags) < 0)
		return insp_err_set(err, -errno, "make namespaces");
	if ((plan->join & (1U << INSP_NS_UTS)) && host && *host &&
	    sethostname(host, strnlen(host, 64)) < 0)
		r = -errno;
	if (r == 0 && (plan->join & (1U << INSP_NS_NET)))
		r = raise_loopback();
	return r < 0 ? insp_err_set(err, r, "set up the new namespaces") : 0;
}
