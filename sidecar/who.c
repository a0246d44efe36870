/* As whom the command runs: --user, --as-target, --profile, --cap-drop become ids and capability sets. */
#include "sidecar/environ.h"
#include "sidecar/view-layout.h"
#include "sidecar/who.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/capability.h>

#define MAP_MAX	   16384
#define CAP_BIT(c) (UINT64_C(1) << (c))
#define CAP_ALL	   ((CAP_BIT(CAP_LAST_CAP) << 1) - 1)
#define ID_NOBODY  65534

/*
 * What a container has that asked for nothing: the list of containerd (contrib/seccomp and oci/spec_unix.go:
 * defaultUnixCaps) and of docker (moby's oci/caps/defaults.go).
 */
#define CAP_RUNTIME                                                                              \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FSETID) |                  \
	 CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_SETGID) | \
	 CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETFCAP) | CAP_BIT(CAP_SETPCAP) |                     \
	 CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_KILL) |           \
	 CAP_BIT(CAP_AUDIT_WRITE))

/*
 * The security contexts that kubectl debug writes for these names (kubectl's pkg/cmd/debug/profiles.go, KEP-1441):
 * what is added to the runtime's capabilities, all (privileged), or none and no way to more.
 */
static const struct profile {
	const char *name;
	uint64_t base, added;
	bool no_root, no_new_privs;
} profiles[] = {
	[SIDECAR_PROFILE_NONE] = { "", CAP_ALL, 0, false, false },
	[SIDECAR_PROFILE_GENERAL] = { "general", CAP_RUNTIME, CAP_BIT(CAP_SYS_PTRACE), false,
				      false },
	[SIDECAR_PROFILE_RESTRICTED] = { "restricted", 0, 0, true, true },
	[SIDECAR_PROFILE_NETADMIN] = { "netadmin", CAP_RUNTIME,
				       CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_NET_RAW), false,
				       false },
	[SIDECAR_PROFILE_SYSADMIN] = { "sysadmin", CAP_ALL, CAP_ALL, false, false },
};

int sidecar_profile_from_name(const char *name)
{
	for (size_t i = SIDECAR_PROFILE_GENERAL; i < ARRAY_SIZE(profiles); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

/* Who id of the target's user namespace is on this host: "0 100000 65536" in its map. */
static int map_id(const struct insp_pid *target, const char *file, uint32_t id, uint32_t *ret,
		  struct insp_err *err)
{
	char buf[MAP_MAX], *save = NULL;
	ssize_t n = files_read(insp_pid_procfd(target), file, buf, sizeof(buf));

	if (n < 0)
		return insp_err_set(err, (int)n, "process %d: read '%s'",
				    (int)insp_pid_number(target), file);
	for (char *line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		uint32_t inside, outside, count;

		if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count) ==
			    3 &&
		    id >= inside && id - inside < count) {
			*ret = outside + (id - inside);
			return 0;
		}
	}
	insp_err_say(err, -EOVERFLOW, "%s %u of the container's user namespace is nobody",
		     file[0] == 'u' ? "user" : "group", id);
	insp_err_hint(err, "'--ns pid,net,ipc,uts' stays out of it");
	return -EOVERFLOW;
}

static bool parse_id(const char *text, uint32_t *ret)
{
	unsigned long v;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v >= UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static void set_ids(struct sidecar_plan *plan, uid_t uid, gid_t gid)
{
	struct insp_enter_ids ids = { .set_uid = true, .set_gid = true, .uid = uid, .gid = gid };

	plan->ids = ids;
}

/* "app", "1000": with the group that the host's passwd gives; one that is not in it, with the group of its number. */
static int find_user(struct sidecar_plan *plan, const char *who, struct insp_err *err)
{
	struct insp_err why = { 0 };
	uint32_t uid = 0;
	bool number = parse_id(who, &uid);
	int r = insp_user_find(plan->sys, number ? NULL : who, uid, &plan->user, &why);

	if (r < 0 && !number) {
		*err = why;
		insp_err_hint(err, "the container's users are others: give their number");
		return r;
	}
	if (r < 0)
		set_ids(plan, uid, uid);
	else
		set_ids(plan, plan->user.uid, plan->user.gid);
	return 0;
}

static int decide_user(struct sidecar_plan *plan, struct insp_err *err)
{
	_cleanup_free_ char *who = strdup(plan->opts->user);
	char *colon = who ? strchr(who, ':') : NULL;
	uint32_t gid = 0;
	int r;

	if (!who)
		return insp_err_set(err, -ENOMEM, "plan");
	if (colon) {
		*colon++ = '\0';
		if (!parse_id(colon, &gid))
			return insp_err_say(err, -EINVAL, "--user: '%s' is no group id", colon);
	}
	if (!*who)
		return insp_err_say(err, -EINVAL, "--user: no user is named");
	r = find_user(plan, who, err);
	if (r == 0 && colon)
		plan->ids.gid = gid;
	return r;
}

/* Those of opts.namespaces that are really joined. */
static unsigned joined(const struct sidecar_plan *plan)
{
	return plan->join | (plan->join_user ? 1U << INSP_NS_USER : 0);
}

/* Whom kubelet would refuse to run (runAsNonRoot): the container's own user is as good where it is not root. */
static int decide_no_root(struct sidecar_plan *plan, struct insp_err *err)
{
	struct insp_enter_ids ids;
	struct insp_enter_caps caps;
	int r;

	if (plan->ids.set_uid && plan->ids.uid == 0 && plan->opts->user) {
		insp_err_say(err, -EINVAL, "--profile restricted: not as user 0");
		insp_err_hint(err, "--user names another");
		return -EINVAL;
	}
	if (plan->opts->user)
		return 0;
	if (!plan->target) {
		set_ids(plan, ID_NOBODY, ID_NOBODY);
		return 0;
	}
	r = insp_enter_target_creds(plan->target, joined(plan), &ids, &caps, err);
	if (r < 0)
		return r;
	if (ids.uid == 0)
		set_ids(plan, ID_NOBODY, ID_NOBODY);
	else
		set_ids(plan, ids.uid, ids.gid);
	return 0;
}

/* Of one that does not run: what its record says. Names are its own passwd's, see who_decide_by_files(). */
static int as_recorded(struct sidecar_plan *plan, struct insp_err *err)
{
	struct insp_err w = { 0 };
	int r = insp_start_read(plan->opts->stopped, &plan->start, err);

	if (r < 0)
		return r;
	plan->caps = (struct insp_enter_caps){ .cut = true,
					       .bounding = plan->start->caps.bounding,
					       .no_new_privs = plan->start->caps.no_new_privs };
	if (plan->start->caps_known)
		return 0;
	plan->caps.bounding = CAP_RUNTIME;
	insp_err_say(&w, -ENODATA, "no record tells its capabilities: a container's default ones");
	insp_diags_add(&plan->warnings, &w);
	return 0;
}

int who_decide_by_files(struct sidecar_plan *plan, int tree, struct insp_err *err)
{
	_cleanup_free_ char *home = NULL;
	int r = insp_start_ids(plan->start, NULL, tree, &plan->ids, &home, err);

	plan->uid = plan->ids.uid;
	plan->gid = plan->ids.gid;
	return r;
}

static int decide_ids(struct sidecar_plan *plan, struct insp_err *err)
{
	const struct sidecar_opts *o = plan->opts;
	struct insp_err ignored = { 0 };
	int r = 0;

	if (plan->join_user)
		set_ids(plan, 0, 0);
	if (o->user)
		r = decide_user(plan, err);
	if (r == 0 && profiles[o->profile].no_root)
		r = decide_no_root(plan, err);
	if (r == 0 && o->as_target && !plan->target)
		r = as_recorded(plan, err);
	else if (r == 0 && o->as_target)
		r = insp_enter_target_creds(plan->target, joined(plan), &plan->ids, &plan->caps,
					    err);
	if (r == 0 && plan->ids.set_uid && plan->ids.uid != 0 && !plan->user.name)
		insp_user_find(plan->sys, NULL, plan->ids.uid, &plan->user, &ignored);
	return r;
}

static void decide_caps(struct sidecar_plan *plan)
{
	const struct profile *p = &profiles[plan->opts->profile];
	struct insp_enter_caps *caps = &plan->caps;
	uint64_t keep = ~plan->opts->cap_drop;

	if (!plan->opts->as_target) {
		caps->cut = plan->opts->profile != SIDECAR_PROFILE_NONE || plan->opts->cap_drop;
		caps->bounding = p->base | p->added;
		caps->no_new_privs = p->no_new_privs;
		/* only ambient ones are left to a user that is not root; without them the profile would be for nothing */
		caps->exact = p->added && plan->ids.set_uid && plan->ids.uid != 0;
		caps->permitted = caps->effective = p->added;
		caps->inheritable = caps->ambient = p->added;
	}
	caps->bounding &= keep;
	caps->permitted &= keep;
	caps->effective &= keep;
	caps->inheritable &= keep;
	caps->ambient &= keep;
}

uint64_t who_caps(const struct sidecar_plan *plan)
{
	const struct insp_enter_caps *caps = &plan->caps;

	/* execve() gives uid 0 its bounding set, everybody else the ambient one */
	if (!plan->ids.set_uid || plan->ids.uid == 0)
		return caps->cut ? caps->bounding & CAP_ALL : CAP_ALL;
	return caps->exact ? caps->ambient & CAP_ALL : 0;
}

static int read_link(const struct insp_pid *target, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(insp_pid_procfd(target), name, buf, size);

	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}

/*
 * Where the target's working directory is below /target: /proc/PID/cwd is told from the root of its mount namespace,
 * and so is /proc/PID/root, which is "/" but for a chroot. Only a name: see change_dir() of command.c.
 */
static int target_cwd(const struct sidecar_plan *plan, char **ret, struct insp_err *err)
{
	char cwd[PATH_MAX], root[PATH_MAX], *path = NULL;
	int r = read_link(plan->target, "cwd", cwd, sizeof(cwd));
	size_t len;

	r = r ?: read_link(plan->target, "root", root, sizeof(root));
	if (r < 0)
		return insp_err_set(err, r, "process %d: read its working directory",
				    (int)insp_pid_number(plan->target));
	len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (cwd[0] != '/' || strncmp(cwd, root, len) != 0 || (cwd[len] && cwd[len] != '/'))
		len = strlen(cwd);
	if (asprintf(&path, "%s%s", plan->opts->in_target ? "" : "/target",
		     cwd[len] || !plan->opts->in_target ? cwd + len : "/") < 0)
		return insp_err_set(err, -ENOMEM, "plan");
	*ret = path;
	return 0;
}

static int recorded_cwd(struct sidecar_plan *plan, struct insp_err *err)
{
	const char *dir = plan->start->workdir ? plan->start->workdir : "";

	if (asprintf(&plan->workdir, "/target%s%s", *dir && *dir != '/' ? "/" : "", dir) >= 0)
		return 0;
	plan->workdir = NULL;
	return insp_err_set(err, -ENOMEM, "plan");
}

static int decide_workdir(struct sidecar_plan *plan, struct insp_err *err)
{
	if (!plan->opts->workdir)
		return plan->start	       ? recorded_cwd(plan, err)
		       : plan->opts->as_target ? target_cwd(plan, &plan->workdir, err)
					       : 0;
	plan->workdir = strdup(plan->opts->workdir);
	return plan->workdir ? 0 : insp_err_set(err, -ENOMEM, "plan");
}

int who_decide(struct sidecar_plan *plan, struct insp_err *err)
{
	int r = decide_ids(plan, err);

	if (r < 0)
		return r;
	decide_caps(plan);
	plan->uid = plan->ids.set_uid ? plan->ids.uid : 0;
	plan->gid = plan->ids.set_gid ? plan->ids.gid : 0;
	if (plan->join_user) {
		r = map_id(plan->target, "uid_map", plan->uid, &plan->uid, err);
		r = r ?: map_id(plan->target, "gid_map", plan->gid, &plan->gid, err);
	}
	return r < 0 ? r : decide_workdir(plan, err);
}

char *who_home(const struct sidecar_plan *plan)
{
	if (plan->opts->in_target)
		return strdup(VIEW_HOME);
	if (plan->user.name)
		return environ_home(plan->user.home);
	/* who it is the builder finds out */
	if (plan->start)
		return strdup("/tmp");
	/* nobody's home, or one behind directories that the user may not enter */
	if (plan->ids.set_uid && plan->ids.uid != 0)
		return strdup("/tmp");
	return environ_home(environ_get(plan->opts->envp, "HOME"));
}

void who_describe(const struct sidecar_plan *plan, FILE *f)
{
	const struct insp_enter_caps *caps = &plan->caps;

	if (plan->start && plan->start->user) {
		_cleanup_free_ char *safe = insp_escape_str(plan->start->user);

		fprintf(f, "user          %s of the container\n", safe ? safe : "?");
	} else if (plan->start) {
		fprintf(f, "user          %u:%u\n", (unsigned)plan->start->uid,
			(unsigned)plan->start->gid);
	}
	if (plan->ids.set_uid) {
		fprintf(f, "user          %u:%u", (unsigned)plan->ids.uid, (unsigned)plan->ids.gid);
		for (size_t i = 0; i < plan->ids.n_groups; i++)
			fprintf(f, "%s%u", i ? "," : " groups ", (unsigned)plan->ids.groups[i]);
		fprintf(f, "\n");
	}
	if (caps->cut)
		fprintf(f, "capabilities  0x%" PRIx64 ", at most 0x%" PRIx64 "%s\n", who_caps(plan),
			caps->bounding & CAP_ALL, caps->no_new_privs ? ", no new privileges" : "");
	if (plan->workdir) {
		_cleanup_free_ char *safe = insp_escape_str(plan->workdir);

		fprintf(f, "directory     %s\n", safe ? safe : "?");
	}
}
