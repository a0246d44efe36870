/* The plan in words, for --dry-run. */
#include "sidecar/toolbox.h"
#include "sidecar/rerun.h"
#include "sidecar/view-layout.h"
#include "sidecar/who.h"

#include <inttypes.h>

static void print_namespaces(const struct sidecar_plan *plan, FILE *f)
{
	unsigned bits = plan->join | (plan->join_user ? 1U << INSP_NS_USER : 0);

	fprintf(f, "%s", plan->opts->stopped ? "make          " : "join          ");
	for (int t = 0; t < INSP_NS_MAX; t++)
		if (bits & (1U << t))
			fprintf(f, "%s ", insp_ns_name(t));
	if (!bits)
		fprintf(f, "no namespace ");
	if (plan->opts->stopped)
		fprintf(f, "of its own\n");
	else
		fprintf(f, "of process %d\n", (int)insp_pid_number(plan->target));
}

/* What is at /target, and where what is written there goes. */
static void print_target(const struct sidecar_opts *o, FILE *f)
{
	_cleanup_free_ char *keep = insp_escape_str(o->keep);

	if (!o->stopped || o->write)
		fprintf(f, "mount         the container's files with its volumes at /target (%s)\n",
			o->write ? "writable" : "read-only");
	else
		fprintf(f,
			"mount         an overlay of the container's layers at /target (changes: %s), "
			"its volumes in it (read-only)\n",
			keep ? keep : "in memory, lost at the end");
}

static void print_tools(const struct sidecar_plan *plan, FILE *f)
{
	const struct toolbox *t = plan->opts->toolbox;

	if (t)
		fprintf(f,
			"mount         the toolbox %s at / (changes: %s), "
			"the host's /dev (read-only), ",
			t->spec, t->keep ?: "in memory, lost at the end");
	else
		fprintf(f, "mount         the host's directories at / (read-only), ");
	fprintf(f, "memory at /tmp and %s\n", plan->home);
}

static void print_view(const struct sidecar_plan *plan, FILE *f)
{
	const struct sidecar_opts *o = plan->opts;

	fprintf(f, "mount         the container's files with its volumes at / (%s, %s)\n",
		o->stopped ? "changes lost at the end"
		: o->write ? "writable"
			   : "read-only",
		o->exec ? "its programs may be started" : "nothing of them is executed");
	fprintf(f, "mount         %s%s at " VIEW_TOOLBOX ", memory at %s and " VIEW_TMP "\n",
		o->toolbox ? "the toolbox " : "the host's programs (read-only)",
		o->toolbox ? o->toolbox->spec : "", plan->home);
	fprintf(f, "mount         /proc of %s, the host's standard devices at /dev\n",
		plan->join & (1U << INSP_NS_PID) ? "the container" : "the host");
}

static void print_mounts(const struct sidecar_plan *plan, FILE *f)
{
	const char *whose = plan->opts->stopped ? "the session" : "the container";
	bool net = plan->join & (1U << INSP_NS_NET);

	if (plan->opts->in_target) {
		print_view(plan, f);
		return;
	}
	print_tools(plan, f);
	print_target(plan->opts, f);
	fprintf(f, "mount         /proc of %s, /sys of %s%s\n",
		plan->join & (1U << INSP_NS_PID) ? whose : "the host", net ? whose : "the host",
		net ? "'s network" : "");
	if (net && !plan->opts->stopped)
		fprintf(f, "mount         the container's resolv.conf and hosts over the host's\n");
}

static void print_limits(const struct sidecar_opts *o, FILE *f)
{
	const struct sidecar_limits *l = &o->limits;

	if (o->share_cgroup) {
		fprintf(f, "cgroup        the container's own, with its limits\n");
		return;
	}
	if (!l->memory && l->cpus <= 0 && !l->pids) {
		fprintf(f, "cgroup        the caller's\n");
		return;
	}
	fprintf(f, "cgroup        one of its own:");
	if (l->memory)
		fprintf(f, " %" PRIu64 " bytes of memory", l->memory);
	if (l->cpus > 0)
		fprintf(f, " %g cpus", l->cpus);
	if (l->pids)
		fprintf(f, " %u processes", l->pids);
	if (scope_wanted())
		fprintf(f, ", a scope of systemd");
	fprintf(f, "\n");
}

static void print_command(const struct sidecar_plan *plan, FILE *f)
{
	who_describe(plan, f);
	fprintf(f, "terminal      %s\n",
		isatty(0) || isatty(1) || isatty(2) ? "one of its own" : "none");
	if (plan->inner_pid > 0)
		fprintf(f, "set           TARGET_PID=%d\n", (int)plan->inner_pid);
	if (plan->rerun)
		rerun_describe(plan, f);
	fprintf(f, "run          ");
	for (char **arg = plan->argv; *arg; arg++) {
		_cleanup_free_ char *safe = insp_escape_str(*arg);

		fprintf(f, " %s", safe ? safe : "?");
	}
	fprintf(f, "\n");
}

char *sidecar_plan_describe(const struct sidecar_plan *plan)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	print_namespaces(plan, f);
	print_mounts(plan, f);
	print_limits(plan->opts, f);
	print_command(plan, f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}
