/* A decision in words, for --dry-run and for the tests. */
#include "libinspect/base/str.h"
#include "libinspect/enter/plan.h"

static void put_namespaces(struct strbuf *sb, const char *label, unsigned bits)
{
	if (!bits)
		return;
	strbuf_printf(sb, "%-13s", label);
	for (int t = 0; t < INSP_NS_MAX; t++)
		if (bits & (1U << t))
			strbuf_printf(sb, " %s", insp_ns_name(t));
	strbuf_puts(sb, "\n");
}

static void put_line(struct strbuf *sb, const char *label, const char *text)
{
	if (text)
		strbuf_printf(sb, "%-13s %s\n", label, text);
}

static void put_mounts(struct strbuf *sb, const struct enter_decision *d)
{
	if (!d->private_mounts)
		return;
	strbuf_printf(sb, "%-13s private mount namespace", "mounts:");
	if (d->fresh_proc)
		strbuf_puts(sb, ", fresh /proc");
	if (d->net_view)
		strbuf_puts(sb, ", fresh /sys, the target's resolv.conf and hosts");
	strbuf_puts(sb, "\n");
}

static const char *cwd_text(enum enter_cwd cwd)
{
	switch (cwd) {
	case ENTER_CWD_ROOT: return "/ of the target";
	case ENTER_CWD_TARGET: return "the target's own";
	case ENTER_CWD_INSIDE: return "as given, inside";
	case ENTER_CWD_HOST: return "as given, on the host";
	case ENTER_CWD_KEEP: break;
	}
	return "unchanged";
}

static const char *env_text(enum enter_env env)
{
	switch (env) {
	case ENTER_ENV_CLEAN: return "TERM, PATH and HOME only";
	case ENTER_ENV_TARGET: return "the target's";
	case ENTER_ENV_KEEP: break;
	}
	return "the caller's";
}

static void put_ids(struct strbuf *sb, const struct insp_enter_ids *ids)
{
	strbuf_printf(sb, "%-13s", "user:");
	if (!ids->set_uid && !ids->set_gid)
		strbuf_puts(sb, " unchanged");
	if (ids->set_uid)
		strbuf_printf(sb, " uid %u", (unsigned)ids->uid);
	if (ids->set_gid)
		strbuf_printf(sb, " gid %u", (unsigned)ids->gid);
	if (ids->set_groups)
		strbuf_puts(sb, ids->n_groups ? ", groups" : ", no groups");
	for (size_t i = 0; i < ids->n_groups; i++)
		strbuf_printf(sb, " %u", (unsigned)ids->groups[i]);
	strbuf_puts(sb, "\n");
}

static void put_caps(struct strbuf *sb, const struct insp_enter_caps *caps)
{
	strbuf_printf(sb, "%-13s", "capabilities:");
	if (!caps->cut)
		strbuf_puts(sb, " unchanged");
	else
		strbuf_printf(sb, " cut to %016llx", (unsigned long long)caps->bounding);
	if (caps->exact)
		strbuf_printf(sb, ", effective %016llx, ambient %016llx",
			      (unsigned long long)caps->effective,
			      (unsigned long long)caps->ambient);
	if (caps->no_new_privs)
		strbuf_puts(sb, ", no new privileges");
	strbuf_puts(sb, "\n");
}

static const char *run_text(const struct enter_decision *d)
{
	if (d->pty)
		return "in a child, on a pty of its own";
	return d->fork ? "in a child" : "in place of this process";
}

char *enter_describe(const struct enter_decision *d, const char *who)
{
	struct strbuf sb = { 0 };

	put_line(&sb, "target:", who);
	put_namespaces(&sb, "join:", d->join);
	put_namespaces(&sb, "shared:", d->asked & ~d->join);
	put_mounts(&sb, d);
	put_line(&sb, "root:", d->chroot ? "changed" : "unchanged");
	put_line(&sb, "directory:", cwd_text(d->cwd));
	put_line(&sb, "environment:", env_text(d->env));
	put_ids(&sb, &d->ids);
	put_caps(&sb, &d->caps);
	put_line(&sb, "run:", run_text(d));
	return strbuf_take(&sb);
}

char *insp_enter_plan_describe(const struct insp_enter_plan *plan)
{
	return enter_describe(&plan->d, plan->who);
}
