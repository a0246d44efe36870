/* cps: the containers of this host, their processes and namespaces, without asking any engine. */
#include "tools/cps/cps.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* A list of no containers is nobody's question, and 0 means all of them inside. */
static int parse_last(const char *arg, void *value, struct insp_err *err)
{
	char *end;
	unsigned long n;

	if (*arg < '0' || *arg > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(arg, &end, 10);
	if (*end || n == 0)
		return -EINVAL;
	if (errno || n > UINT_MAX)
		return -ERANGE;
	*(unsigned *)value = (unsigned)n;
	return 0;
}

#define AT(member) offsetof(struct cps_opts, member)

static const struct opt options[] = {
	{ OPT_GROUP, .help = "Which containers" },
	{ OPT_FLAG, 'a', "all", AT(all), .help = "stopped containers too" },
	{ OPT_FLAG, 'l', "latest", AT(latest), .help = "only the newest one, in any state" },
	{ OPT_CALL, 'n', "last", AT(last), "N", "only the N newest ones, in any state",
	  .call = parse_last },
	{ OPT_LIST, 'f', "filter", AT(filters), "KEY=VALUE",
	  "only those with this name, id, engine, status, exited (code), image, label, pod or project",
	  .words = "name= id= engine= status= exited= image= label= pod= project=",
	  .complete = COMPLETE_WORDS },
	{ OPT_GROUP, .help = "Whose is it" },
	{ OPT_STRING, 0, "path", AT(path), "PATH",
	  "whose layer, volume, log or directory of the engine this path of the host is in",
	  .complete = COMPLETE_FILE },
	{ OPT_STRING, 0, "veth", AT(veth), "IFNAME",
	  "whose network the other end of this interface of the host is in" },
	{ OPT_STRING, 0, "ip", AT(ip), "ADDRESS", "who has this IP address" },
	{ OPT_STRING, 0, "port", AT(port), "N[/PROTO]",
	  "who listens on this port inside, or publishes it on the host" },
	{ OPT_STRING, 0, "cgroup", AT(cgroup), "PATH",
	  "whose cgroup this is, or is above or below it", .complete = COMPLETE_DIR },
	{ OPT_STRING, 0, "ns-inode", AT(ns_inode), "N", "who is in this namespace, N or net:[N]" },
	{ OPT_GROUP, .help = "Other lists" },
	{ OPT_FLAG, 'p', "pid", AT(by_pid),
	  .help = "operands are host pids: the container of each" },
	{ OPT_FLAG, 0, "ns", AT(namespaces),
	  .help = "namespaces with their containers, of the host or of CONTAINER" },
	{ OPT_STRING, 't', "type", AT(types), "TYPE,...",
	  "with --ns: only mnt, pid, net, ipc, uts, user, cgroup, time",
	  .words = "mnt pid net ipc uts user cgroup time", .complete = COMPLETE_WORDS },
	{ OPT_FLAG, 0, "tree", AT(tree), .help = "with CONTAINER: processes as a tree" },
	{ OPT_GROUP, .help = "Output" },
	{ OPT_STRING, 'o', "output", AT(output), "COL,...",
	  "these columns; +COL,... adds to the default ones", .complete = COMPLETE_COLUMN },
	{ OPT_FLAG, 0, "list-columns", AT(list_columns), .help = "the columns of this list" },
	{ OPT_STRING, 's', "sort", AT(sort), "COL", "sort by a column; -COL: descending",
	  .complete = COMPLETE_COLUMN },
	{ OPT_FLAG, 'q', "quiet", AT(quiet), .help = "ids only" },
	{ OPT_FLAG, 0, "no-trunc", AT(no_trunc), .help = "do not shorten anything" },
	{ OPT_FLAG, 'H', "no-headings", AT(no_headings), .help = "no line of headings" },
	{ OPT_FLAG, 'J', "json", AT(json), .help = "JSON with every field" },
	{ OPT_GROUP, .help = "General" },
	OPTS_SYSROOT(struct cps_opts, common),
	OPTS_COMMON(struct cps_opts, common),
	OPTS_END,
};

static const char *const usage[] = {
	"[OPTION...]",
	"[OPTION...] CONTAINER...",
	"[OPTION...] -p PID...",
	"[OPTION...] --ns [CONTAINER]",
	"[OPTION...] --path PATH | --veth IFNAME | --ip ADDRESS | --port N | --cgroup PATH | --ns-inode N",
	NULL,
};

static const struct tool cps_tool = {
	.name = "cps",
	.summary = "List containers of every engine, or the processes of a container.",
	.usage = usage,
	.opts = options,
	.epilog =
		"A CONTAINER is a name, an id or its prefix, ENGINE:NAME, pod/POD[/NAME], or pid:N.\n"
		"Exit status: 0 done, 1 failed, 2 something could not be read.",
	.operands = COMPLETE_RUNNING,
	.failure = TOOL_FAILED,
};

enum mode {
	MODE_LIST,
	MODE_OWNERS,
	MODE_QUESTION,
	MODE_PROCESSES,
	MODE_NAMESPACES,
};

static enum mode mode_of(const struct cps_opts *o)
{
	if (o->namespaces)
		return MODE_NAMESPACES;
	if (questions_asked(o))
		return MODE_QUESTION;
	if (o->by_pid)
		return MODE_OWNERS;
	return o->n_operands ? MODE_PROCESSES : MODE_LIST;
}

/* -1: fine; else the exit status. */
static int check(const struct cps_opts *o)
{
	enum mode mode = mode_of(o);

	if (questions_asked(o) + o->by_pid + o->namespaces > 1)
		return opts_usage_error(&cps_tool, "one question at a time: --pid, --path, --veth, "
						   "--ip, --port, --cgroup, --ns-inode and --ns "
						   "exclude each other");
	if (questions_asked(o) && o->n_operands)
		return opts_usage_error(&cps_tool, "--path, --veth, --ip, --port, --cgroup and "
						   "--ns-inode take no container");
	if (o->by_pid && !o->n_operands && !o->list_columns)
		return opts_usage_error(&cps_tool, "--pid needs a pid");
	if (o->namespaces && o->n_operands > 1)
		return opts_usage_error(&cps_tool, "--ns takes one container");
	if (o->tree && mode != MODE_PROCESSES && !o->list_columns)
		return opts_usage_error(&cps_tool, "--tree needs a container");
	if (o->types && mode != MODE_NAMESPACES)
		return opts_usage_error(&cps_tool, "--type goes with --ns");
	if (mode != MODE_LIST && (o->all || o->latest || o->last || o->filters.n))
		return opts_usage_error(&cps_tool,
					"--all, --latest, --last and --filter choose "
					"containers: not with operands, questions or --ns");
	if (o->quiet && (o->json || o->output))
		return opts_usage_error(&cps_tool, "--quiet excludes --json and --output");
	return -1;
}

static int list_columns(const struct cps_opts *o)
{
	switch (mode_of(o)) {
	case MODE_NAMESPACES: columns_print_list(namespace_columns); break;
	case MODE_PROCESSES: columns_print_list(process_columns); break;
	default: columns_print_list(o->tree ? process_columns : container_columns); break;
	}
	return TOOL_OK;
}

static int run(struct cps *cps)
{
	switch (mode_of(cps->opts)) {
	case MODE_NAMESPACES: return cps_namespaces(cps);
	case MODE_OWNERS: return cps_owners(cps);
	case MODE_QUESTION: return cps_questions(cps);
	case MODE_PROCESSES: return cps_processes(cps);
	default: return cps_list(cps);
	}
}

static int start(struct cps_opts *o)
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	struct cps cps = { .tool = &cps_tool, .opts = o };
	struct insp_err err = { 0 };
	int status;

	status = check(o);
	if (status >= 0)
		return status;
	if (o->list_columns)
		return list_columns(o);
	if (common_opts_open(&o->common, &sys, &err) < 0)
		return tool_fail(&cps_tool, &err);
	cps.sys = sys;
	status = run(&cps);
	insp_diags_clear(&cps.diags);
	return status;
}

int main(int argc, char *argv[])
{
	struct cps_opts o = { 0 };
	int first = 0, status;

	status = opts_parse(&cps_tool, argc, argv, &o, &first);
	if (status < 0) {
		o.operands = (const char *const *)argv + first;
		o.n_operands = (size_t)(argc - first);
		status = start(&o);
	}
	opt_list_clear(&o.filters);
	common_opts_clear(&o.common);
	return tool_close_stdout(&cps_tool, status);
}
