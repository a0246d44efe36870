/* The rules: facts and options -> what to do. */
#include "libinspect/enter/plan.h"

#define BIT(type) (1U << INSP_NS_##type)

static bool will_fork(const struct enter_decision *d, const struct insp_enter_opts *o)
{
	/*
	 * A process cannot change its own pid namespace, only its children's; a pty needs somebody to relay it; and what
	 * leads the caller's process group cannot leave it for a session of its own, as programs of the container do.
	 */
	return !o->no_fork && ((d->join & BIT(PID)) || o->pty || d->inside);
}

static enum enter_cwd decide_cwd(const struct enter_decision *d, const struct insp_enter_opts *o)
{
	if (o->workdir_inside)
		return ENTER_CWD_INSIDE;
	if (o->workdir)
		return d->inside ? ENTER_CWD_INSIDE : ENTER_CWD_HOST;
	if (o->workdir_set || o->as_target)
		return ENTER_CWD_TARGET;
	return d->inside ? ENTER_CWD_ROOT : ENTER_CWD_KEEP;
}

/*
 * The caller's environment holds what is not meant for a container (tokens, sockets of agents): it is handed over
 * only where the command stays on the host's side, or when asked for.
 */
static enum enter_env decide_env(const struct enter_decision *d, const struct insp_enter_opts *o)
{
	/* programs of the host with the target's PATH or LD_PRELOAD would be the target's programs: CLEAN, or refused */
	if (d->inside && (o->target_env || o->as_target))
		return ENTER_ENV_TARGET;
	if (o->keep_env)
		return ENTER_ENV_KEEP;
	if (d->inside || o->as_target || (d->join & (BIT(PID) | BIT(USER))))
		return ENTER_ENV_CLEAN;
	return ENTER_ENV_KEEP;
}

static void set_uid(struct insp_enter_ids *ids, uid_t uid)
{
	ids->set_uid = true;
	ids->uid = uid;
}

static void set_gid(struct insp_enter_ids *ids, gid_t gid)
{
	ids->set_gid = true;
	ids->gid = gid;
}

/* A change of ids drops the caller's groups; inside they would be those of others who have the same numbers. */
static void decide_groups(const struct enter_facts *f, const struct insp_enter_opts *o, bool inside,
			  struct insp_enter_ids *ids)
{
	if (!ids->set_uid && !ids->set_gid && (!inside || o->keep_ids))
		return;
	/* in such a user namespace setgroups() is refused to everybody */
	if (f->setgroups_denied)
		return;
	ids->set_groups = true;
	if (!o->as_target)
		return;
	ids->n_groups = f->n_groups;
	memcpy(ids->groups, f->groups, f->n_groups * sizeof(f->groups[0]));
}

static void decide_ids(const struct enter_facts *f, const struct insp_enter_opts *o,
		       const struct enter_decision *d, struct insp_enter_ids *ids)
{
	/* nsenter's default in a user namespace is its root; one that has none gets the target's own ids */
	if ((d->join & BIT(USER)) && !o->keep_ids) {
		set_uid(ids, f->root_mapped ? 0 : f->uid);
		set_gid(ids, f->root_mapped ? 0 : f->gid);
	}
	/*
	 * Outside of it uid 0 is the host's, also without capabilities: what it owns in /proc/sys (core_pattern) would be
	 * open to the container's programs. They are whom the host takes the container's first process for.
	 */
	if (d->inside && f->user_differs && !(d->join & BIT(USER)) && !o->keep_ids &&
	    !o->keep_caps) {
		set_uid(ids, f->uid);
		set_gid(ids, f->gid);
	}
	if (o->uid_follow || o->as_target)
		set_uid(ids, f->uid);
	if (o->gid_follow || o->as_target)
		set_gid(ids, f->gid);
	if (o->uid_set)
		set_uid(ids, o->uid);
	if (o->gid_set)
		set_gid(ids, o->gid);
	decide_groups(f, o, d->inside, ids);
}

/*
 * Programs of an image get no more than the container's own processes: else a hostile /bin/sh, started for one look,
 * has the host's capabilities (and with them mknod, module loading, ptrace).
 */
static void decide_caps(const struct enter_facts *f, const struct insp_enter_opts *o,
			const struct enter_decision *d, struct insp_enter_caps *caps)
{
	const struct pid_status *s = &f->status;

	if (o->keep_caps || !(d->inside || o->as_target))
		return;
	caps->cut = true;
	caps->no_new_privs = s->no_new_privs;
	caps->bounding = s->cap_bnd;
	/* the target's capabilities are worth nothing outside its own user namespace: where we stay, so are ours */
	if (f->user_differs && !(d->join & BIT(USER)))
		caps->bounding = 0;
	if (!o->as_target)
		return;
	caps->exact = true;
	caps->permitted = s->cap_prm & caps->bounding;
	caps->effective = s->cap_eff & caps->bounding;
	caps->inheritable = s->cap_inh & caps->bounding;
	caps->ambient = s->cap_amb & caps->bounding;
	/* execve() gives uid 0 its whole bounding set: one that has dropped some shall not get them back here */
	if (d->ids.set_uid && d->ids.uid == 0)
		caps->bounding &= s->cap_prm;
}

void enter_decide(const struct enter_facts *facts, const struct insp_enter_opts *opts,
		  struct enter_decision *ret)
{
	struct enter_decision d = { .asked = opts->namespaces };

	d.join = opts->namespaces & facts->differs;
	d.chroot = (d.join & BIT(MNT)) || opts->root_set;
	d.inside = d.chroot;
	d.fork = will_fork(&d, opts);
	d.pty = d.fork && opts->pty;
	/* without a child nobody is in the pid namespace yet, and proc would show the old one */
	d.fresh_proc = (d.join & BIT(PID)) && !d.inside && d.fork;
	d.net_view = (d.join & BIT(NET)) && !d.inside;
	d.private_mounts = d.fresh_proc || d.net_view;
	d.cwd = decide_cwd(&d, opts);
	d.env = decide_env(&d, opts);
	decide_ids(facts, opts, &d, &d.ids);
	decide_caps(facts, opts, &d, &d.caps);
	*ret = d;
}
