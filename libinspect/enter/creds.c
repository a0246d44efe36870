/* User, groups and capabilities of the command. capabilities(7), credentials(7). */
#include "libinspect/enter/plan.h"

#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define CAP_BITS 64

static bool has(uint64_t set, unsigned cap)
{
	return set >> cap & 1;
}

static int cut_bounding(uint64_t keep)
{
	for (unsigned cap = 0; cap < CAP_BITS; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (there < 0) /* above the kernel's last capability */
			break;
		if (there && !has(keep, cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

struct cap_sets {
	uint64_t effective, permitted, inheritable;
};

static int sets_get(struct cap_sets *ret)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct c[2] = { { 0 } };

	if (syscall(SYS_capget, &h, c) < 0)
		return -errno;
	ret->effective = c[0].effective | (uint64_t)c[1].effective << 32;
	ret->permitted = c[0].permitted | (uint64_t)c[1].permitted << 32;
	ret->inheritable = c[0].inheritable | (uint64_t)c[1].inheritable << 32;
	return 0;
}

static int sets_put(const struct cap_sets *s)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct c[2] = {
		{ (uint32_t)s->effective, (uint32_t)s->permitted, (uint32_t)s->inheritable },
		{ (uint32_t)(s->effective >> 32), (uint32_t)(s->permitted >> 32),
		  (uint32_t)(s->inheritable >> 32) },
	};

	return syscall(SYS_capset, &h, c) < 0 ? -errno : 0;
}

static int raise_ambient(uint64_t set)
{
	for (unsigned cap = 0; cap < CAP_BITS; cap++)
		if (has(set, cap) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	return 0;
}

/* After the ids: setuid() from 0 to another has emptied the sets, unless they were to be kept. */
static int cut_sets(const struct insp_enter_caps *caps)
{
	struct cap_sets s = { 0 };
	int r = sets_get(&s);

	if (r < 0)
		return r;
	s.permitted &= caps->exact ? caps->permitted : caps->bounding;
	s.effective = s.permitted & (caps->exact ? caps->effective : s.effective);
	/* never the caller's: inheritable ones of host root would reach file capabilities (CVE-2022-24769) */
	s.inheritable = caps->exact ? caps->inheritable & s.permitted : 0;
	r = sets_put(&s);
	if (r < 0)
		return r;
	return caps->exact ? raise_ambient(caps->ambient & s.permitted & s.inheritable) : 0;
}

/* Raw: grp.h declares what reads group files, and does not get past banned.h. */
static int set_groups(const gid_t *groups, size_t n)
{
#ifdef SYS_setgroups32
	return (int)syscall(SYS_setgroups32, n, groups);
#else
	return (int)syscall(SYS_setgroups, n, groups);
#endif
}

static int apply_ids(const struct insp_enter_ids *ids, struct insp_err *err)
{
	if (ids->set_groups && set_groups(ids->groups, ids->n_groups) < 0)
		return insp_err_set(err, -errno, "set the supplementary groups");
	if (ids->set_gid && setresgid(ids->gid, ids->gid, ids->gid) < 0)
		return insp_err_set(err, -errno, "set the group id %u", (unsigned)ids->gid);
	if (ids->set_uid && setresuid(ids->uid, ids->uid, ids->uid) < 0)
		return insp_err_set(err, -errno, "set the user id %u", (unsigned)ids->uid);
	return 0;
}

void enter_creds_fs(void)
{
	setfsgid(0);
	setfsuid(0);
	/* a change of ids sets it to fs.suid_dumpable, which may be 1 */
	prctl(PR_SET_DUMPABLE, 0);
}

int insp_enter_creds_apply(const struct insp_enter_ids *ids, const struct insp_enter_caps *caps,
			   struct insp_err *err)
{
	int r;

	if (caps->cut) {
		/* needs CAP_SETPCAP, so it comes before the ids */
		r = cut_bounding(caps->bounding);
		if (r < 0)
			return insp_err_set(err, r, "cut the capability bounding set");
		/* compat: kernel < 4.3 has no ambient set */
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	}
	if (caps->exact)
		prctl(PR_SET_KEEPCAPS, 1);
	r = apply_ids(ids, err);
	if (r < 0)
		return r;
	if (caps->cut) {
		r = cut_sets(caps);
		if (r < 0)
			return insp_err_set(err, r, "set the capabilities");
	}
	if (caps->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return insp_err_set(err, -errno, "set no_new_privs");
	/* a change of ids sets it to fs.suid_dumpable, which may be 1 */
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

int insp_enter_target_creds(const struct insp_pid *target, unsigned namespaces,
			    struct insp_enter_ids *ret_ids, struct insp_enter_caps *ret_caps,
			    struct insp_err *err)
{
	const struct insp_enter_opts opts = { .namespaces = namespaces, .as_target = true };
	struct enter_facts facts = { 0 };
	struct enter_decision d;
	int r = enter_facts_read(target, namespaces, &facts, err);

	if (r < 0)
		return r;
	enter_decide(&facts, &opts, &d);
	if (d.ids.uid == (uid_t)-1 || d.ids.gid == (gid_t)-1)
		return insp_err_say(err, -EINVAL,
				    "process %d: its ids have no number in its user namespace",
				    (int)insp_pid_number(target));
	*ret_ids = d.ids;
	*ret_caps = d.caps;
	return 0;
}
