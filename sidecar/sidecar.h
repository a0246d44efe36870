/*
 * The sidecar: a command with the host's tools beside a running container, or with the files of one that does not run.
 *
 * Four processes, each there for one reason:
 *   front       the caller's: terminal, limits, exit status. Enters nothing.
 *   builder     copies the target's mount tree, makes the sidecar's own mount namespace, joins the target's others.
 *               Ends before the command starts.
 *   supervisor  the first process inside the target's pid namespace: parent and reaper of the command. It holds one
 *               end of a pipe whose other end only the front has: when that closes, all below it is killed.
 *   command     what the user asked for. Joins the user namespace and the limits, drops capabilities, execs.
 *
 * The mount namespace is never the target's. Nothing is written to the target's files, cgroup or state.
 *
 * Of a container that does not run the builder mounts the layers itself, under a private overlay, and makes namespaces
 * instead of joining them; the supervisor is the first process of the new pid namespace.
 */
#ifndef SONDE_SIDECAR_H
#define SONDE_SIDECAR_H

#include "libinspect/inspect.h"

/* 0: no limit. */
struct sidecar_limits {
	uint64_t memory; /* bytes */
	double cpus;
	unsigned pids;
};

/* kubectl debug's; see who.c. NONE: all capabilities. */
enum sidecar_profile {
	SIDECAR_PROFILE_NONE,
	SIDECAR_PROFILE_GENERAL,
	SIDECAR_PROFILE_RESTRICTED,
	SIDECAR_PROFILE_NETADMIN,
	SIDECAR_PROFILE_SYSADMIN,
};
/* An enum sidecar_profile; -ENOENT. */
int sidecar_profile_from_name(const char *name);

struct toolbox;

struct sidecar_opts {
	const char *name;    /* the container's, as the engine has it; hostile bytes */
	unsigned namespaces; /* bits 1 << INSP_NS_x to join; those shared already are skipped */
	bool in_target; /* the root is the target's own tree; the tools are in VIEW_DIR (view-layout.h) */
	bool exec;  /* of in_target: the container's programs may be started */
	bool write; /* /target writable; of stopped: its own layer, not a private one */
	/*
	 * It does not run, and there is no target; resolved with INSP_WANT_FILES and INSP_WANT_DETAIL. namespaces are made.
	 */
	const struct insp_container *stopped;
	const char *label; /* "ENGINE:NAME", for lists of sessions */
	/* a detached one's id, by which its file systems in memory are called; NULL: it is none */
	const char *session;
	const char *keep; /* of stopped: the directory for what is changed, NULL: it is lost */
	const struct toolbox *toolbox; /* toolbox.h; NULL: this host */
	/*
	 * Of stopped, resolved with INSP_WANT_CONFIG: command is given its entrypoint, as {}. The rest is the entrypoint's, by the
	 * container's own passwd and paths; NULL: what the record says. The command is root then, with all capabilities.
	 */
	struct {
		bool wanted;
		const char *user, *workdir;
		const char *const *env;
		size_t n_env;
		uint64_t cap_drop;
	} rerun;
	struct sidecar_limits limits;
	bool share_cgroup; /* the command joins the cgroup of the target: without limits */
	const char *user;  /* "NAME" of the host's passwd or "UID", and ":GID"; NULL: root */
	bool as_target;	   /* all that its first process is: without user and profile */
	enum sidecar_profile profile;
	uint64_t cap_drop;   /* bits 1 << CAP_x */
	const char *workdir; /* absolute, as the session sees it; NULL: "/", or the target's */
	const char *const *env;
	size_t n_env;	      /* K=V to set, or K: the caller's */
	char *const *command; /* NULL-terminated; NULL: a shell */
	char *const *envp;    /* the caller's environment */
};

struct sidecar_plan;
/*
 * Looks at the target and decides every step; changes nothing. target is NULL with opts->stopped. sys, target, what opts
 * points to must outlive the plan. -EPERM when not root.
 */
int sidecar_plan_make(struct insp_sys *sys, const struct insp_pid *target,
		      const struct sidecar_opts *opts, struct sidecar_plan **ret_plan,
		      struct insp_err *err);
struct sidecar_plan *sidecar_plan_free(struct sidecar_plan *plan);
/* The plan in words, one step a line, for --dry-run. free() it. */
char *sidecar_plan_describe(const struct sidecar_plan *plan);
/* What the user should know before (the target may trace us). Stays the plan's. */
const struct insp_diags *sidecar_plan_warnings(const struct sidecar_plan *plan);

/*
 * Carries the plan out and waits. ret_status: exit status as docker exec gives it. On failure *ret_status is 125, 126
 * or 127. warn is called for what went on without: a resolv.conf that cannot be read.
 */
int sidecar_run(const struct sidecar_plan *plan, void (*warn)(const struct insp_err *err),
		int *ret_status, struct insp_err *err);

#endif
