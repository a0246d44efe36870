/* cnsenter: run a command in the namespaces of a container, nsenter(1) by name. */
#include "libinspect/inspect.h"
#include "tools/shared/errors.h"
#include "tools/shared/opts.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NS(type) (1U << INSP_NS_##type)
#define NS_ALL	 ((1U << INSP_NS_MAX) - 1)

struct cnsenter_opts {
	struct common_opts common;
	unsigned namespaces;
	unsigned pid;
	const char *uid, *gid, *root, *wd, *wdns;
	struct opt_list env;
	bool keep_ids, target_env, keep_env, as_target, privileged, no_fork, context, dry_run;
};
#define AT(member) offsetof(struct cnsenter_opts, member)

/* Hands that know docker exec type -it NAME. As nsenter's letters that would be IPC alone, and a host's program. */
static int parse_target(const char *arg, void *value, struct insp_err *err)
{
	unsigned long pid;
	char *end;

	errno = 0;
	pid = strtoul(arg, &end, 10);
	if (!errno && !*end && arg[0] >= '0' && arg[0] <= '9' && pid > 0 && pid <= INT32_MAX) {
		*(unsigned *)value = (unsigned)pid;
		return 0;
	}
	insp_err_say(err, -EINVAL, "'%s' is not a pid", arg);
	insp_err_hint(err, "a container is named without -t, and a terminal needs no option: "
			   "cnsenter NAME COMMAND");
	return -EINVAL;
}

static const struct opt options[] = {
	{ OPT_GROUP, .help = "Which namespaces (default: all)" },
	{ OPT_BIT, 'a', "all", AT(namespaces), .help = "all of them", .bit = NS_ALL },
	{ OPT_BIT, 'm', "mount", AT(namespaces), .help = "mount: the container's files",
	  .bit = NS(MNT) },
	{ OPT_BIT, 'u', "uts", AT(namespaces), .help = "UTS: host name", .bit = NS(UTS) },
	{ OPT_BIT, 'i', "ipc", AT(namespaces), .help = "System V IPC, POSIX queues",
	  .bit = NS(IPC) },
	{ OPT_BIT, 'n', "net", AT(namespaces), .help = "network", .bit = NS(NET) },
	{ OPT_BIT, 'p', "pid", AT(namespaces), .help = "process ids", .bit = NS(PID) },
	{ OPT_BIT, 'C', "cgroup", AT(namespaces), .help = "cgroup names", .bit = NS(CGROUP) },
	{ OPT_BIT, 'U', "user", AT(namespaces), .help = "user and group ids", .bit = NS(USER) },
	{ OPT_BIT, 'T', "time", AT(namespaces), .help = "clocks", .bit = NS(TIME) },
	{ OPT_CALL, 't', "target", AT(pid), "PID", "the process PID instead of a container",
	  .complete = COMPLETE_PID, .call = parse_target },

	{ OPT_GROUP, .help = "What the command gets" },
	{ OPT_STRING, 'S', "setuid", AT(uid), "UID", "user id inside, or 'follow': the target's" },
	{ OPT_STRING, 'G', "setgid", AT(gid), "GID", "group id inside, or 'follow'" },
	{ OPT_FLAG, 0, "preserve-credentials", AT(keep_ids),
	  .help = "keep user and groups in a user namespace, too" },
	{ OPT_OPTIONAL, 'r', "root", AT(root), "DIR", "change the root: the target's, or DIR",
	  .complete = COMPLETE_DIR },
	{ OPT_OPTIONAL, 'w', "wd", AT(wd), "DIR", "working directory: the target's, or DIR" },
	{ OPT_STRING, 'W', "wdns", AT(wdns), "DIR", "working directory, looked up inside" },
	{ OPT_FLAG, 'e', "target-env", AT(target_env), .help = "the target's environment" },
	{ OPT_LIST, 0, "env", AT(env), "NAME=VALUE", "set a variable (repeatable)" },
	{ OPT_FLAG, 0, "preserve-env", AT(keep_env), .help = "the caller's environment" },
	{ OPT_FLAG, 0, "as-target", AT(as_target),
	  .help = "user, groups, capabilities, environment, directory of its init" },
	{ OPT_FLAG, 0, "privileged", AT(privileged),
	  .help = "keep the capabilities that the container lacks" },
	{ OPT_FLAG, 'Z', "follow-context", AT(context), .help = "the target's SELinux context" },

	{ OPT_GROUP, .help = "Other" },
	{ OPT_FLAG, 'F', "no-fork", AT(no_fork),
	  .help = "become the command, no terminal of its own" },
	{ OPT_FLAG, 0, "dry-run", AT(dry_run), .help = "print what would be done" },
	OPTS_COMMON(struct cnsenter_opts, common),
	OPTS_END,
};

static const char *const usage[] = {
	"[options] CONTAINER [COMMAND [ARGUMENT]...]",
	"[options] -t PID [COMMAND [ARGUMENT]...]",
	NULL,
};

static const struct tool cnsenter = {
	.name = "cnsenter",
	.summary = "run a command in the namespaces of a container",
	.usage = usage,
	.opts = options,
	.epilog = "Exit status: the command's own; 125 own failure, 126 not executable, "
		  "127 not found, 128+N signal N.",
	.operands = COMPLETE_RUNNING,
	.stop_at_operand = true,
	.failure = INSP_EXIT_OWN_FAILURE,
};

static void opts_clear(struct cnsenter_opts *o)
{
	opt_list_clear(&o->env);
	common_opts_clear(&o->common);
}

/* What is entered: a process, and the container it is the init of (NULL: -t). */
struct target {
	struct insp_container *container;
	struct insp_pid *pid;
};

static void target_clear(struct target *t)
{
	insp_container_free(t->container);
	insp_pid_close(t->pid);
}

static void plan_clear(struct insp_enter_plan **plan)
{
	insp_enter_plan_free(*plan);
}

static int no_namespaces(const struct insp_container *c)
{
	struct insp_err err = { 0 };
	char code[16] = "";

	if (c->state == INSP_STATE_EXITED && c->exit_code != INSP_EXIT_UNSET)
		snprintf(code, sizeof(code), " (%d)", c->exit_code);
	insp_err_say(&err, -ESRCH, "container %s is %s%s, it has no namespaces to enter", c->name,
		     insp_state_name(c->state), code);
	insp_err_hint(&err, "'cps -a' shows stopped containers and how they ended");
	return tool_fail(&cnsenter, &err);
}

/* 0, or the exit status. */
static int find_container(struct insp_sys *sys, const char *ref, struct target *t)
{
	struct insp_err err = { 0 };
	int r = tool_resolve(&cnsenter, sys, ref, 0, &t->container);

	if (r != 0)
		return r;
	if (!insp_state_is_live(t->container->state) || t->container->pid == 0)
		return no_namespaces(t->container);
	if (insp_container_init(sys, t->container, &t->pid, &err) < 0)
		return tool_fail(&cnsenter, &err);
	return 0;
}

static int find_process(struct insp_sys *sys, unsigned pid, struct target *t)
{
	struct insp_err err = { 0 };

	if (insp_pid_open(sys, (pid_t)pid, 0, &t->pid, &err) < 0)
		return tool_fail(&cnsenter, &err);
	return 0;
}

/* "1000", "follow"; NULL: not given. 0, or the exit status. */
static int parse_id(const char *option, const char *text, bool *set, bool *follow, uint32_t *ret)
{
	unsigned long v;
	char *end;

	if (!text)
		return 0;
	if (strcmp(text, "follow") == 0) {
		*follow = true;
		return 0;
	}
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || v >= UINT32_MAX)
		return opts_usage_error(&cnsenter, "%s: '%s' is no id", option, text);
	*ret = (uint32_t)v;
	*set = true;
	return 0;
}

/* The list with a NULL behind it; the strings stay those of argv. free() it. */
static const char **env_array(const struct opt_list *list)
{
	const char **env = calloc(list->n + 1, sizeof(*env));

	for (size_t i = 0; env && i < list->n; i++)
		env[i] = list->items[i];
	return env;
}

static int enter_opts(const struct cnsenter_opts *o, char *envp[], struct insp_enter_opts *e)
{
	int r = parse_id("--setuid", o->uid, &e->uid_set, &e->uid_follow, &e->uid);

	if (r == 0)
		r = parse_id("--setgid", o->gid, &e->gid_set, &e->gid_follow, &e->gid);
	e->namespaces = o->namespaces ? o->namespaces : NS_ALL;
	e->keep_ids = o->keep_ids;
	e->root_set = o->root;
	e->root = o->root && *o->root ? o->root : NULL;
	e->workdir_set = o->wd;
	e->workdir = o->wd && *o->wd ? o->wd : NULL;
	e->workdir_inside = o->wdns;
	e->target_env = o->target_env;
	e->keep_env = o->keep_env;
	e->as_target = o->as_target;
	e->keep_caps = o->privileged;
	e->no_fork = o->no_fork;
	e->follow_context = o->context;
	e->pty = isatty(0) || isatty(1) || isatty(2);
	e->envp = envp;
	return r;
}

/* -e NAME without a value takes the caller's, as docker does: here a mistake is more likely. */
static int check_env(const struct opt_list *env)
{
	for (size_t i = 0; i < env->n; i++)
		if (!strchr(env->items[i], '=') || env->items[i][0] == '=')
			return opts_usage_error(&cnsenter, "--env: '%s' is not NAME=VALUE",
						env->items[i]);
	return 0;
}

static int print_plan(const struct insp_enter_plan *plan)
{
	_cleanup_free_ char *text = insp_enter_plan_describe(plan);

	if (!text || fputs(text, stdout) == EOF)
		return INSP_EXIT_OWN_FAILURE;
	return 0;
}

static void hint_not_there(const struct target *t, bool shell, struct insp_err *err)
{
	if (t->container && shell)
		insp_err_hint(err, "the image has no shell: 'cdebug %s' brings one",
			      t->container->name);
	else if (t->container)
		insp_err_hint(err, "it is looked for in the container; 'cdebug %s' has the host's",
			      t->container->name);
}

static int run(const struct insp_enter_plan *plan, const struct target *t, char *command[],
	       char *shell)
{
	char *inside_shell[] = { (char *)"/bin/sh", NULL }, *own_shell[] = { shell, NULL };
	bool inside = insp_enter_plan_is_inside(plan);
	char **argv = command;
	struct insp_err err = { 0 };
	int status = 0;

	if (!*command)
		argv = inside || !shell || !*shell ? inside_shell : own_shell;
	if (insp_enter_run(plan, argv, &status, &err) < 0)
		return tool_fail(&cnsenter, &err);
	if (err.code) {
		if (status == INSP_EXIT_NOT_FOUND && inside)
			hint_not_there(t, !*command, &err);
		tool_say(&cnsenter, &err);
	}
	return status;
}

static int enter(const struct cnsenter_opts *o, struct insp_sys *sys, const struct target *t,
		 char *command[], char *envp[])
{
	_cleanup_(plan_clear) struct insp_enter_plan *plan = NULL;
	_cleanup_free_ const char **env = env_array(&o->env);
	struct insp_enter_opts e = { .env = env };
	struct insp_err err = { 0 };
	int r = enter_opts(o, envp, &e);

	if (r != 0)
		return r;
	if (insp_enter_plan_make(sys, t->pid, t->container, &e, &plan, &err) < 0)
		return tool_fail(&cnsenter, &err);
	tool_say_diags(&cnsenter, insp_enter_plan_warnings(plan));
	if (o->dry_run)
		return print_plan(plan);
	return run(plan, t, command, getenv("SHELL"));
}

static int find_and_enter(const struct cnsenter_opts *o, const char *ref, char *command[],
			  char *envp[])
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	_cleanup_(target_clear) struct target t = { 0 };
	struct insp_err err = { 0 };
	int r;

	if (common_opts_open(&o->common, &sys, &err) < 0)
		return tool_fail(&cnsenter, &err);
	r = ref ? find_container(sys, ref, &t) : find_process(sys, o->pid, &t);
	return r != 0 ? r : enter(o, sys, &t, command, envp);
}

int main(int argc, char *argv[], char *envp[])
{
	_cleanup_(opts_clear) struct cnsenter_opts o = { 0 };
	struct insp_err err = { 0 };
	const char *ref = NULL;
	int first, r = opts_parse(&cnsenter, argc, argv, &o, &first);

	if (r < 0 && !o.pid) {
		int more;

		if (first >= argc)
			return opts_usage_error(&cnsenter, "which container?");
		ref = argv[first];
		/* options may also stand between the container and the command */
		r = opts_parse(&cnsenter, argc - first, argv + first, &o, &more);
		first += more;
	}
	if (r < 0) {
		r = check_env(&o.env);
		if (r != 0)
			return r;
		if (!o.dry_run && insp_enter_seal(argv, envp, &err) < 0)
			return tool_fail(&cnsenter, &err);
		r = find_and_enter(&o, ref, argv + first, envp);
	}
	return r;
}
