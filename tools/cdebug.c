/* cdebug: a shell, or a command, with the host's tools beside a container. */
#include "libinspect/files.h"
#include "sidecar/forward.h"
#include "sidecar/rerun.h"
#include "sidecar/session.h"
#include "sidecar/sidecar.h"
#include "sidecar/toolbox.h"
#include "tools/cdebug/pods.h"
#include "tools/cdebug/sessions.h"
#include "tools/cdebug/toolboxes.h"
#include "tools/cdebug/words.h"
#include "tools/shared/errors.h"
#include "tools/shared/opts.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct cdebug_opts {
	struct common_opts common;
	bool quiet, dry_run, write, in_target, exec, ignored;
	unsigned namespaces;
	uint64_t memory;
	double cpus;
	unsigned pids;
	const char *user, *workdir, *profile;
	bool as_target;
	uint64_t cap_drop;
	struct opt_list env;
	struct opt_list forward;
	bool detach, list, json, share_cgroup;
	const char *pod;
	const char *attach;
	struct opt_list stop;
	const char *keep;
	const char *toolbox, *keep_as;
	bool rerun;
};

#define AT(member) offsetof(struct cdebug_opts, member)
static const struct opt table[] = {
	{ OPT_GROUP, .help = "What the session is part of" },
	{ OPT_CALL, 0, "ns", AT(namespaces), "LIST",
	  "join these namespaces: pid,net,ipc,uts,user,cgroup, or none (default: all but cgroup); "
	  "of a stopped container: make them",
	  "pid net ipc uts user cgroup none", COMPLETE_WORDS, .call = words_namespaces },
	{ OPT_STRING, 0, "toolbox", AT(toolbox), "TOOLBOX",
	  "its programs: a directory, a squashfs, erofs or tar file, image:NAME, a name, list, or host (default)",
	  .complete = COMPLETE_FILE },
	{ OPT_STRING, 0, "keep", AT(keep_as), "NAME",
	  "keep what is changed in the toolbox, for the next session with this NAME" },
	{ OPT_FLAG, 0, "in-target", AT(in_target),
	  .help = "the container's own files at /, the tools on the PATH" },
	{ OPT_FLAG, 0, "exec", AT(exec),
	  .help = "with --in-target: let the container's own programs be started" },
	{ OPT_STRING, 0, "pod", AT(pod), "POD",
	  "instead of CONTAINER: the namespaces that a pod's containers share" },
	{ OPT_FLAG, 0, "write", AT(write), .help = "make the container's files writable" },
	{ OPT_STRING, 0, "keep-changes", AT(keep), "DIR",
	  "keep what is changed in a stopped container's files in DIR/upper (default: it is lost)",
	  .complete = COMPLETE_DIR },
	{ OPT_FLAG, 0, "rerun", AT(rerun),
	  .help = "start what a stopped container, or image, starts; {} in COMMAND stands for it" },
	{ OPT_GROUP, .help = "What the session may use" },
	{ OPT_SIZE, 'm', "memory", AT(memory), "SIZE",
	  "at most this much memory, in a cgroup of its own" },
	{ OPT_DECIMAL, 0, "cpus", AT(cpus), "N", "at most this many processors (1.5)" },
	{ OPT_UINT, 0, "pids", AT(pids), "N", "at most this many processes and threads" },
	{ OPT_FLAG, 0, "share-cgroup", AT(share_cgroup),
	  .help = "count against the container's limits, in its own cgroup" },
	{ OPT_GROUP, .help = "As whom the command runs" },
	{ OPT_STRING, 'u', "user", AT(user), "USER",
	  "a user of the host's passwd or a UID, and :GID (default: root)",
	  .complete = COMPLETE_USER },
	{ OPT_FLAG, 0, "as-target", AT(as_target),
	  .help = "user, groups, capabilities, environment, directory of its first process" },
	{ OPT_CHOICE, 0, "profile", AT(profile), "PROFILE",
	  "capabilities as with kubectl debug (default: sysadmin)",
	  .words = "general restricted netadmin sysadmin" },
	{ OPT_CALL, 0, "cap-drop", AT(cap_drop), "LIST",
	  "without these capabilities, or ALL (default: has all)", .call = words_capabilities },
	{ OPT_LIST, 'e', "env", AT(env), "NAME[=VALUE]",
	  "set a variable, or hand the caller's on (repeatable)" },
	{ OPT_STRING, 'w', "workdir", AT(workdir), "DIR",
	  "working directory: the host's, or /target/…" },
	{ OPT_GROUP, .help = "Instead of a session" },
	{ OPT_LIST, 0, "forward", AT(forward), "[ADDR:]PORT:[ADDR:]PORT",
	  "lead a port of this host to one of its network (repeatable)" },
	{ OPT_GROUP, .help = "Sessions without a terminal" },
	{ OPT_FLAG, 'd', "detach", AT(detach),
	  .help = "start the session, print its id, and return" },
	{ OPT_FLAG, 0, "list", AT(list), .help = "list detached sessions" },
	{ OPT_FLAG, 0, "json", AT(json), .help = "list them as JSON" },
	{ OPT_STRING, 0, "attach", AT(attach), "ID", "attach to one (ctrl-p ctrl-q detaches)" },
	{ OPT_LIST, 0, "stop", AT(stop), "ID", "end one, with all its processes (repeatable)" },
	{ OPT_GROUP, .help = "General" },
	{ OPT_FLAG, 'i', "interactive", AT(ignored),
	  .help = "ignored: standard input is always there" },
	{ OPT_FLAG, 't', "tty", AT(ignored), .help = "ignored: a terminal is noticed" },
	{ OPT_FLAG, 'q', "quiet", AT(quiet), .help = "no warnings" },
	{ OPT_FLAG, 0, "dry-run", AT(dry_run), .help = "print the plan and do nothing" },
	OPTS_COMMON(struct cdebug_opts, common),
	OPTS_END,
};

static const char *const usage[] = {
	"[OPTION…] CONTAINER|image:NAME [-- COMMAND [ARG…]]",
	"--rerun [OPTION…] CONTAINER|image:NAME [-- COMMAND [ARG…] {}]",
	"[OPTION…] --pod POD [-- COMMAND [ARG…]]",
	"--forward [ADDR:]PORT:[ADDR:]PORT… CONTAINER",
	"--toolbox list",
	"--list | --attach ID | --stop ID…",
	NULL
};

static const struct tool tool = {
	.name = "cdebug",
	.summary = "Run a shell with the host's tools beside a container.",
	.usage = usage,
	.opts = table,
	.epilog = "The host's programs are at /, the container's files at /target. $TARGET is the\n"
		  "container's name, $TARGET_PID its first process. Exit status: that of the\n"
		  "command; 125 cdebug failed, 126 not executable, 127 not found, 128+N signal N.",
	.operands = COMPLETE_CONTAINER,
	.stop_at_operand = true,
	.failure = INSP_EXIT_OWN_FAILURE,
};

/* docker's least; "64" that was meant as 64M would have the shell killed without a word */
#define MEMORY_MIN (UINT64_C(6) << 20)

static int check_memory(uint64_t bytes)
{
	if (bytes == 0 || bytes >= MEMORY_MIN)
		return 0;
	return opts_usage_error(&tool, "--memory: less than 6M is too little for a shell; "
				       "bytes are meant without a suffix K, M or G");
}

static bool quiet;

static void warn(const struct insp_err *err)
{
	if (!quiet)
		tool_say(&tool, err);
}

static int check_env(const struct opt_list *env)
{
	for (size_t i = 0; i < env->n; i++)
		if (!env->items[i][0] || env->items[i][0] == '=')
			return opts_usage_error(&tool, "--env '%s' is not of the form NAME[=VALUE]",
						env->items[i]);
	return 0;
}

static int check_who(const struct cdebug_opts *o)
{
	if (o->as_target && (o->user || o->profile))
		return opts_usage_error(&tool, "--as-target says who runs the command: "
					       "not with --user or --profile");
	if (o->workdir && o->workdir[0] != '/')
		return opts_usage_error(&tool, "--workdir: '%s' does not begin with /", o->workdir);
	return 0;
}

static void plan_freep(struct sidecar_plan **plan)
{
	sidecar_plan_free(*plan);
}

static int detach(const struct sidecar_plan *plan, const struct sidecar_opts *so)
{
	struct insp_err err = { 0 };
	int status;

	if (session_start(plan, warn, &status, &err) < 0) {
		tool_say(&tool, &err);
		return status;
	}
	puts(so->session);
	return tool_close_stdout(&tool, status);
}

static int run_plan(const struct sidecar_plan *plan, const struct sidecar_opts *so,
		    const struct cdebug_opts *o)
{
	const struct insp_diags *warnings = sidecar_plan_warnings(plan);
	_cleanup_free_ char *text = NULL;
	struct insp_err err = { 0 };
	int status;

	for (size_t i = 0; i < warnings->n; i++)
		warn(&warnings->items[i]);
	if (!o->dry_run && o->detach)
		return detach(plan, so);
	if (!o->dry_run) {
		if (sidecar_run(plan, warn, &status, &err) < 0)
			tool_say(&tool, &err);
		return status;
	}
	text = sidecar_plan_describe(plan);
	if (!text)
		return tool_no_memory(&tool);
	return fputs(text, stdout) < 0 || fflush(stdout) < 0 ? tool.failure : 0;
}

static void print_forward(const char *before, const struct forward *f, const char *name)
{
	char from[FORWARD_TEXT_MAX], to[FORWARD_TEXT_MAX];
	_cleanup_free_ char *safe = insp_escape_str(name);

	forward_text(&f->host, from);
	forward_text(&f->target, to);
	printf("%s%s -> %s of %s\n", before, from, to, safe ? safe : "?");
	fflush(stdout);
}

static void say_listening(const struct forward *f, const char *name)
{
	print_forward("Forwarding ", f, name);
}

/* What --forward says, once each. 0, or the exit status. */
static int parse_forwards(const struct opt_list *list, struct forward *ret)
{
	struct insp_err err = { 0 };

	if (list->n > FORWARD_MAX)
		return opts_usage_error(&tool, "--forward: at most %d of them", FORWARD_MAX);
	for (size_t i = 0; i < list->n; i++)
		if (forward_parse(list->items[i], &ret[i], &err) < 0)
			return tool_fail(&tool, &err);
	return 0;
}

/* Until a signal ends it. */
static int forward_ports(const struct insp_pid *target, const char *name,
			 const struct cdebug_opts *o)
{
	const struct forward_opts fo = { name, say_listening, warn };
	struct forward forwards[FORWARD_MAX];
	struct insp_err err = { 0 };
	int r = parse_forwards(&o->forward, forwards);

	if (r)
		return r;
	for (size_t i = 0; i < o->forward.n && o->dry_run; i++)
		print_forward("forward       ", &forwards[i], name);
	if (o->dry_run)
		return 0;
	return forward_run(target, forwards, o->forward.n, &fo, &err) < 0 ? tool_fail(&tool, &err)
									  : 0;
}

static int plan_and_run(struct insp_sys *sys, const struct insp_pid *target,
			struct sidecar_opts *so, const struct cdebug_opts *o)
{
	_cleanup_(plan_freep) struct sidecar_plan *plan = NULL;
	char id[SESSION_ID_SIZE] = "";
	struct insp_err err = { 0 };

	if (o->detach && session_new_id(id, &err) < 0)
		return tool_fail(&tool, &err);
	so->session = o->detach ? id : NULL;
	if (sidecar_plan_make(sys, target, so, &plan, &err) < 0)
		return tool_fail(&tool, &err);
	return run_plan(plan, so, o);
}

/* One that is to have processes, and has none: between two starts. */
static int has_no_process(const struct insp_container *c)
{
	struct insp_err err = { 0 };

	insp_err_say(&err, -ESRCH, "%s container '%s' has no process now (%s)", c->engine, c->name,
		     insp_state_name(c->state));
	insp_err_hint(&err, "again in a moment; 'cps -a' shows what becomes of it");
	return tool_fail(&tool, &err);
}

static int debug_running(struct insp_sys *sys, const struct insp_container *c,
			 struct sidecar_opts *so, const struct cdebug_opts *o)
{
	_cleanup_pid_ struct insp_pid *target = NULL;
	struct insp_err err = { 0 };

	if (o->keep || o->rerun) {
		insp_err_say(&err, -EBUSY, "%s container '%s' runs: %s is for what does not",
			     c->engine, c->name, o->rerun ? "--rerun" : "--keep-changes");
		insp_err_hint(&err, o->rerun ? "without it the session is beside what it runs"
					     : "with --write its own files are written to");
		return tool_fail(&tool, &err);
	}
	if (o->share_cgroup && c->state == INSP_STATE_PAUSED) {
		insp_err_say(&err, -EBUSY,
			     "%s container '%s' is paused: what joins its cgroup is, too",
			     c->engine, c->name);
		return tool_fail(&tool, &err);
	}
	if (insp_container_on_host(c, &err) < 0 || insp_container_init(sys, c, &target, &err) < 0)
		return tool_fail(&tool, &err);
	if (o->forward.n)
		return forward_ports(target, c->name, o);
	return plan_and_run(sys, target, so, o);
}

/* As whom, where and with what: the entrypoint's then. */
static void give_to_entrypoint(struct sidecar_opts *so)
{
	so->rerun.wanted = true;
	so->rerun.user = so->user;
	so->rerun.workdir = so->workdir;
	so->rerun.env = so->env;
	so->rerun.n_env = so->n_env;
	so->rerun.cap_drop = so->cap_drop;
	so->user = so->workdir = NULL;
	so->n_env = 0;
	so->cap_drop = 0;
}

static int debug_files(struct insp_sys *sys, const struct insp_container *c,
		       struct sidecar_opts *so, const struct cdebug_opts *o)
{
	so->name = c->name ? c->name : c->id;
	so->stopped = c;
	so->keep = o->keep;
	if (o->rerun)
		give_to_entrypoint(so);
	return plan_and_run(sys, NULL, so, o);
}

/* c is found once more, with where its files are; it may run by now. */
static int debug_stopped(struct insp_sys *sys, const char *ref, struct sidecar_opts *so,
			 const struct cdebug_opts *o)
{
	_cleanup_container_ struct insp_container *c = NULL;
	struct insp_err err = { 0 };
	int r = tool_resolve(
		&tool, sys, ref,
		INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES | INSP_WANT_CONFIG, &c);

	if (r)
		return r;
	if (insp_state_is_live(c->state) || c->pid > 0)
		return has_no_process(c);
	if (o->forward.n || o->share_cgroup) {
		insp_err_say(&err, -ESRCH, "%s container '%s' is not running (%s): no %s",
			     c->engine, c->name, insp_state_name(c->state),
			     o->forward.n ? "--forward" : "--share-cgroup");
		insp_err_hint(&err, "'cps -a' shows stopped containers and how they ended");
		return tool_fail(&tool, &err);
	}
	return debug_files(sys, c, so, o);
}

/* What follows "image:". NULL: it is a container that is named. */
static const char *image_of(const char *ref)
{
	return strncmp(ref, "image:", 6) == 0 ? ref + 6 : NULL;
}

static int debug_image(struct insp_sys *sys, const char *ref, struct sidecar_opts *so,
		       const struct cdebug_opts *o)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_list_ struct insp_list candidates = { 0 };
	struct insp_err err = { 0 };

	if (o->forward.n || o->write || o->share_cgroup)
		return opts_usage_error(&tool, "an image has no %s",
					o->write       ? "changes: not with --write"
					: o->forward.n ? "network: not with --forward"
						       : "cgroup: not with --share-cgroup");
	if (!*ref)
		return opts_usage_error(&tool, "image: which? As its engine names it: image:NAME");
	if (insp_image_find(sys, ref, NULL, &c, &candidates, &err) < 0) {
		tool_say(&tool, &err);
		tool_say_candidates(&candidates);
		return tool.failure;
	}
	if (!c->name)
		c->name = strdup(c->id);
	/* an engine would name it so, and the host's name is not its to see */
	c->hostname = strndup(c->id, 12);
	return c->name && c->hostname ? debug_files(sys, c, so, o) : tool_no_memory(&tool);
}

static void toolbox_freep(struct toolbox **t)
{
	toolbox_free(*t);
}

static int find_toolbox(struct insp_sys *sys, const struct cdebug_opts *o, char *const *envp,
			struct toolbox **ret)
{
	struct insp_err err = { 0 };

	int r;

	if (!o->toolbox)
		return 0;
	r = toolbox_find(sys, o->toolbox, envp, ret, &err);
	if (r == 0 && o->keep_as && *ret)
		r = toolbox_keep_as(*ret, o->keep_as, &err);
	return r < 0 ? tool_fail(&tool, &err) : 0;
}

/* ref, or the pod's. */
static int find_container(struct insp_sys *sys, const char *ref, const struct cdebug_opts *o,
			  struct insp_container **ret, struct sidecar_opts *so)
{
	unsigned shared;
	int r;

	if (!o->pod)
		return tool_resolve(&tool, sys, ref, INSP_WANT_STOPPED | INSP_WANT_BARE, ret);
	r = pods_resolve(&tool, sys, o->pod, ret, &shared);
	if (r == 0)
		so->namespaces &= shared | NS_BIT(USER);
	return r;
}

static int debug_container(struct insp_sys *sys, const char *ref, const struct cdebug_opts *o,
			   char *const *command, char *const *envp)
{
	struct sidecar_opts so = { .namespaces = o->namespaces,
				   .write = o->write,
				   .in_target = o->in_target,
				   .exec = o->exec,
				   .limits = { o->memory, o->cpus, o->pids },
				   .share_cgroup = o->share_cgroup,
				   .user = o->user,
				   .as_target = o->as_target,
				   .cap_drop = o->cap_drop,
				   .workdir = o->workdir,
				   .env = o->env.items,
				   .n_env = o->env.n,
				   .command = command,
				   .envp = envp };
	_cleanup_(toolbox_freep) struct toolbox *toolbox = NULL;
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_free_ char *label = NULL;
	int r = find_toolbox(sys, o, envp, &toolbox);

	so.toolbox = toolbox;
	if (o->profile)
		so.profile = (enum sidecar_profile)sidecar_profile_from_name(o->profile);
	so.label = ref;
	if (!r && !o->pod && image_of(ref))
		return debug_image(sys, image_of(ref), &so, o);
	r = r ?: find_container(sys, ref, o, &c, &so);
	if (r)
		return r;
	if (asprintf(&label, "%s:%s", c->engine, c->name) < 0)
		return tool_no_memory(&tool);
	so.name = c->name;
	so.label = label;
	if (insp_state_is_live(c->state))
		return c->pid > 0 ? debug_running(sys, c, &so, o) : has_no_process(c);
	return debug_stopped(sys, ref, &so, o);
}

static int check_cgroup(const struct cdebug_opts *o)
{
	if (!o->share_cgroup)
		return 0;
	if (o->memory || o->cpus > 0 || o->pids)
		return opts_usage_error(&tool, "--share-cgroup has the container's limits: "
					       "not with --memory, --cpus or --pids");
	/* its end would leave the session in a cgroup that its engine has to remove */
	if (!(o->namespaces & NS_BIT(PID)))
		return opts_usage_error(&tool, "--share-cgroup: the session has to end with the "
					       "container: not without its pid namespace");
	return 0;
}

/* Before anything is looked for: what is given wrongly. 0, or the exit status. */
static int check(const struct cdebug_opts *o, bool command)
{
	struct forward forwards[FORWARD_MAX];
	int r = check_env(&o->env);

	r = r ?: check_who(o);
	r = r ?: check_memory(o->memory);
	r = r ?: parse_forwards(&o->forward, forwards);
	if (!r && o->keep_as && (!o->toolbox || strcmp(o->toolbox, "host") == 0))
		return opts_usage_error(&tool, "--keep is for what is changed in a --toolbox");
	if (!r && o->keep && o->write)
		return opts_usage_error(&tool, "--keep-changes and --write exclude each other");
	if (!r && o->rerun && (o->as_target || o->profile || o->forward.n))
		return opts_usage_error(&tool,
					"--rerun is not with --as-target, --profile or "
					"--forward: the entrypoint runs as in its container");
	if (!r && o->rerun && (~o->namespaces & (NS_BIT(PID) | NS_BIT(IPC) | NS_BIT(UTS))))
		return opts_usage_error(&tool, "--rerun: of its namespaces only net may be the "
					       "host's");
	if (!r && o->exec && !o->in_target)
		return opts_usage_error(&tool, "--exec is for --in-target");
	if (!r && o->in_target && o->rerun)
		return opts_usage_error(&tool, "--in-target and --rerun exclude each other");
	if (!r && o->forward.n && command)
		return opts_usage_error(&tool, "--forward runs no command");
	if (!r && o->forward.n && o->detach)
		return opts_usage_error(&tool, "--forward and --detach exclude each other");
	return r ?: check_cgroup(o);
}

/* What is about detached sessions and no container. -1: nothing of it was asked; else the status. */
static int sessions(const struct cdebug_opts *o, bool operand)
{
	int n = o->list + (o->attach != NULL) + (o->stop.n > 0);

	if (n == 0)
		return -1;
	if (n > 1 || o->detach || o->forward.n)
		return opts_usage_error(&tool, "--detach, --list, --attach, --stop and --forward "
					       "exclude each other");
	if (operand)
		return opts_usage_error(&tool, "--list, --attach and --stop take no container");
	if (o->json && !o->list)
		return opts_usage_error(&tool, "--json is for --list");
	if (o->attach)
		return sessions_attach(&tool, o->attach);
	return o->list ? sessions_print(&tool, o->json) : sessions_stop(&tool, &o->stop);
}

static int cdebug(int argc, char *argv[], char *envp[], struct cdebug_opts *o)
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	struct insp_err err = { 0 };
	char *const *command;
	int first, r = opts_parse(&tool, argc, argv, o, &first);

	if (r >= 0)
		return r;
	if (o->toolbox && strcmp(o->toolbox, "list") == 0)
		return first < argc ? opts_usage_error(&tool, "--toolbox list takes no container")
		       : toolboxes_print(envp) < 0 ? tool.failure
						   : 0;
	r = sessions(o, first < argc);
	if (r >= 0)
		return r;
	if (o->json)
		return opts_usage_error(&tool, "--json is for --list");
	if (first == argc && !o->pod)
		return opts_usage_error(&tool, "which container? 'cps' lists them");
	r = check(o, first + !o->pod < argc);
	if (r)
		return r;
	/* sealed only now, so that --help works without /proc; nothing of a container has been opened */
	if (!o->dry_run && insp_enter_seal(argv, envp, &err) < 0)
		return tool_fail(&tool, &err);
	quiet = o->quiet;
	command = argv + first + !o->pod;
	if (*command && strcmp(*command, "--") == 0)
		command++;
	if (common_opts_open(&o->common, &sys, &err) < 0)
		return tool_fail(&tool, &err);
	return debug_container(sys, argv[first], o, *command ? command : NULL, envp);
}

int main(int argc, char *argv[], char *envp[])
{
	struct cdebug_opts o = { .namespaces = NS_DEFAULT };
	int r;

	/* inside a session of --rerun; there is nothing else at that path */
	if (launch_wanted(argv))
		_exit(launch_main()); /* a program that is traced does nothing more than it has to */
	r = cdebug(argc, argv, envp, &o);
	opt_list_clear(&o.env);
	opt_list_clear(&o.forward);
	opt_list_clear(&o.stop);
	common_opts_clear(&o.common);
	return r;
}
