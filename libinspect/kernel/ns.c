/* Names, setns(2) flags and inodes of namespaces. namespaces(7). */
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/span.h"

#include <sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080 /* compat: glibc < 2.31, musl */
#endif

static const struct {
	const char *name, *alias;
	int flag;
} types[INSP_NS_MAX] = {
	[INSP_NS_MNT] = { "mnt", "mount", CLONE_NEWNS },
	[INSP_NS_PID] = { "pid", "pid_for_children", CLONE_NEWPID },
	[INSP_NS_NET] = { "net", "network", CLONE_NEWNET },
	[INSP_NS_IPC] = { "ipc", "ipc", CLONE_NEWIPC },
	[INSP_NS_UTS] = { "uts", "uts", CLONE_NEWUTS },
	[INSP_NS_USER] = { "user", "user", CLONE_NEWUSER },
	[INSP_NS_CGROUP] = { "cgroup", "cgroup", CLONE_NEWCGROUP },
	[INSP_NS_TIME] = { "time", "time_for_children", CLONE_NEWTIME },
};

const char *insp_ns_name(enum insp_ns_type type)
{
	return types[type].name;
}

int insp_ns_flag(enum insp_ns_type type)
{
	return types[type].flag;
}

static bool is_word(const char *word, const char *name, size_t len)
{
	return strlen(word) == len && memcmp(word, name, len) == 0;
}

int insp_ns_from_name(const char *name, size_t len)
{
	for (int i = 0; i < INSP_NS_MAX; i++)
		if (is_word(types[i].name, name, len) || is_word(types[i].alias, name, len))
			return i;
	return -EINVAL;
}

int pid_parse_ns_link(const char *s, uint64_t *ret)
{
	const char *open = strchr(s, '[');
	struct span sp;
	uint64_t ino;

	if (!open || open == s || open[-1] != ':')
		return -EBADMSG;
	sp = span_of(open + 1, strlen(open + 1));
	if (!span_u64(&sp, &ino) || span_len(&sp) != 1 || *sp.p != ']')
		return -EBADMSG;
	*ret = ino;
	return 0;
}

static int read_ns_link(int dirfd, const char *path, uint64_t *ret)
{
	char link[64];
	ssize_t n = readlinkat(dirfd, path, link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = '\0';
	return pid_parse_ns_link(link, ret);
}

int pid_ns_inode(int procfd, pid_t pid, enum insp_ns_type type, uint64_t *ret)
{
	char path[48];

	snprintf(path, sizeof(path), "%d/ns/%s", pid, types[type].name);
	return read_ns_link(procfd, path, ret);
}

int pid_ns_inodes_at(int dirfd, struct insp_ns_set *ret)
{
	struct insp_ns_set set = { 0 };
	int first = 0, n = 0;

	for (int i = 0; i < INSP_NS_MAX; i++) {
		char path[32];
		int r;

		snprintf(path, sizeof(path), "ns/%s", types[i].name);
		r = read_ns_link(dirfd, path, &set.ino[i]);
		if (r < 0 && !first)
			first = r;
		n += r >= 0;
	}
	if (n == 0)
		return first;
	*ret = set;
	return 0;
}
