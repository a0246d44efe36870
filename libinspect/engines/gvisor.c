/*
 * gVisor without an engine: ROOT/ID_sandbox:SANDBOX.state. The record says "running" for ever; what lives is what the
 * kernel says of the sandbox's process. The container's own processes are known to the sandbox alone.
 */
#include "libinspect/engines/gvisor.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/spec.h"
#include "libinspect/engines/oci/store.h"
#include "libinspect/kernel/pid.h"

#define NAME  "gvisor"
#define GUEST "gVisor"

#define STATE_SUFFIX  ".state"
#define SANDBOX_INFIX "_sandbox:"
#define NAME_MAX_LEN  255

/*
 * sandbox.startTime is when the runsc command was started that made the sandbox; the sandbox's process comes some
 * hundredths of a second later. The clock may have been set a little since then.
 */
#define BEFORE_NS (2LL * 1000000000)
#define AFTER_NS  (20LL * 1000000000)

/* Kept out: the environment, and what the sandbox keeps for its own. */
static const char *const state_members[] = {
	"id",
	"createdAt",
	"status",
	"goferPid",
	"sandbox.id",
	"sandbox.pid",
	"sandbox.startTime",
	"spec.process",
	"spec.hostname",
	"spec.mounts",
	"spec.root",
	"spec.annotations",
	"sandbox.metricMetadata",
	NULL,
};

struct gvisor_record {
	const char *id, *sandbox, *status;
	pid_t pid, gofer;		  /* 0: none */
	int64_t created, sandbox_started; /* 0: not known */
	bool overlay;			  /* changes are in a file of the sandbox's own form */
};

static pid_t pid_at(const json_t *state, const char *path)
{
	int64_t pid = json_int_at(state, path, 0);

	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static int64_t time_at(const json_t *state, const char *path)
{
	const char *text = json_str_at(state, path);
	int64_t t = 0;

	return text && str_to_time(text, &t) == 0 ? t : 0;
}

static int parse_record(const json_t *state, struct gvisor_record *ret)
{
	*ret = (struct gvisor_record){
		.id = json_str_at(state, "id"),
		.sandbox = json_str_at(state, "sandbox.id"),
		.status = json_str_at(state, "status"),
		.pid = pid_at(state, "sandbox.pid"),
		.gofer = pid_at(state, "goferPid"),
		.created = time_at(state, "createdAt"),
		.sandbox_started = time_at(state, "sandbox.startTime"),
		.overlay = !str_eq(json_str_at(state, "sandbox.metricMetadata.overlay"), "none"),
	};
	return ret->id ? 0 : -EBADMSG;
}

/*
 * The start time in ticks of process pid when it was started soon after from and has mounts of its own, as sandbox and
 * file server have; 0: it was not, or is gone.
 */
static uint64_t started_soon_after(const struct insp_sys *sys, pid_t pid, int64_t from)
{
	struct pid_stat st;
	int64_t start;
	uint64_t mnt;

	if (!sys->live || from == 0 || pid_read_stat(sys->procfd, pid, &st) < 0 ||
	    pid_ns_inode(sys->procfd, pid, INSP_NS_MNT, &mnt) < 0 ||
	    mnt == sys->self_ns.ino[INSP_NS_MNT])
		return 0;
	start = insp_sys_ticks_to_time(sys, st.start);
	return start >= from - BEFORE_NS && start <= from + AFTER_NS ? st.start : 0;
}

/*
 * The file server beside the sandbox, with a root of its own and nothing else: no container either. One for each
 * container, so it also tells which of a sandbox's containers live.
 */
static int claim_gofer(struct engine_scan *scan, const struct gvisor_record *rec,
		       const struct insp_container *c)
{
	int64_t made = rec->created ? rec->created : rec->sandbox_started;
	int r;

	if (!rec->gofer || !started_soon_after(scan->sys, rec->gofer, made))
		return 0;
	r = engine_claim_helper(scan, c, rec->gofer);
	return r < 0 ? r : 1;
}

/* 1 when the sandbox lives and has this container in it, 0, -ENOMEM. */
static int claim(struct engine_scan *scan, const struct gvisor_record *rec,
		 struct insp_container *c)
{
	uint64_t start;
	int gofer, r;

	c->guest = GUEST;
	c->guest_overlay = rec->overlay;
	if (!rec->pid)
		return 0;
	start = started_soon_after(scan->sys, rec->pid, rec->sandbox_started);
	/* without a start time that fits: by its cgroup, for a host whose clock was set since */
	r = engine_claim_init(scan, c, rec->pid, start);
	if (r <= 0)
		return r;
	gofer = claim_gofer(scan, rec, c);
	if (gofer < 0)
		return gofer;
	/* the sandbox outlives all containers in it but the first */
	if (!gofer && !str_eq(rec->id, rec->sandbox)) {
		c->pid = 0;
		c->pid_start = 0;
		return 0;
	}
	return 1;
}

/* "ID_sandbox:SANDBOX.state": where the id ends; 0: no state file. */
static size_t id_length(const char *name)
{
	const char *infix = strstr(name, SANDBOX_INFIX);

	return infix && infix > name && str_ends(name, STATE_SUFFIX) ? (size_t)(infix - name) : 0;
}

/* A record speaks for the container that its file is called after, and no other. */
static bool is_named(const struct gvisor_record *rec, const char *name)
{
	_cleanup_free_ char *own = str_format("%s" SANDBOX_INFIX "%s" STATE_SUFFIX, rec->id,
					      rec->sandbox ? rec->sandbox : rec->id);

	return own && str_eq(own, name);
}

/* The state file of container id in rootfd, whatever sandbox it is in. A new string; -ENOENT. */
static int find_file(int rootfd, const char *id, char **ret)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	_cleanup_free_ char *usual = str_format("%s" SANDBOX_INFIX "%s" STATE_SUFFIX, id, id);
	int r;

	if (!usual)
		return -ENOMEM;
	if (strlen(usual) <= NAME_MAX_LEN && !strchr(id, '/') &&
	    faccessat(rootfd, usual, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		*ret = TAKE_PTR(usual);
		return 0;
	}
	r = io_opendir(rootfd, ".", &dir);
	if (r < 0)
		return r;
	for_each_entry (de, dir) {
		size_t len = id_length(de->d_name);

		if (len == 0 || strlen(id) != len || memcmp(de->d_name, id, len) != 0)
			continue;
		*ret = str_dup(de->d_name);
		return *ret ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

int gvisor_claim(struct engine_scan *scan, int rootfd, const char *id, struct insp_container *c,
		 struct insp_err *err)
{
	size_t max = c->owner == 0 ? IO_STATE_MAX : STORE_USER_FILE_MAX;
	_cleanup_free_ char *file = NULL;
	_cleanup_json_ json_t *state = NULL;
	struct gvisor_record rec;
	int r = find_file(rootfd, id, &file);

	if (r < 0)
		return r;
	r = json_read_members(rootfd, file, max, state_members, &state, err);
	if (r < 0)
		return r;
	if (parse_record(state, &rec) < 0 || !is_named(&rec, file))
		return insp_err_say(err, -EBADMSG, "'%s': not the record of that container", file);
	return claim(scan, &rec, c);
}

/* ---- its own roots ------------------------------------------------------------------------------------- */

static void set_state(const struct store_root *root, const struct gvisor_record *rec, bool lives,
		      struct insp_container *c)
{
	bool created = str_eq(rec->status, "created") || str_eq(rec->status, "creating");

	c->state = INSP_STATE_EXITED;
	if (!lives && !(created && !root->scan->sys->live))
		return;
	c->state = created ? INSP_STATE_CREATED : INSP_STATE_RUNNING;
	/* pausing stops the guest's tasks; the sandbox's process goes on, so only the record tells */
	if (str_eq(rec->status, "paused"))
		c->state = INSP_STATE_PAUSED;
	if (!created)
		c->started = insp_sys_ticks_to_time(root->scan->sys, c->pid_start);
}

/* What was all of the root is below an upper that nobody else can read. */
static int cover(struct insp_container *c)
{
	_cleanup_layers_ struct insp_layers *covered = container_layers_new(INSP_ROOT_OVERLAY);
	const struct insp_layers *l = c->layers;
	int r = !covered ? -ENOMEM : l->upper ? container_layers_add(covered, l->upper) : 0;

	for (size_t i = 0; i < l->n_lowers && r == 0; i++)
		r = container_layers_add(covered, l->lowers[i]);
	if (r == -ENOMEM)
		return r;
	container_layers_free(c->layers);
	/* one layer too many for any overlay: no more is known than before */
	c->layers = r == 0 ? TAKE_PTR(covered) : NULL;
	return 0;
}

/*
 * With its own overlay over the root (the default since 2023), changes are in a file of the sandbox's own form: all that
 * other programs see is below it.
 */
static int set_layers(const struct store_root *root, const struct gvisor_record *rec,
		      struct insp_container *c)
{
	int r;

	if (!(root->scan->want & INSP_WANT_FILES) || root->owner != 0 || !c->rootfs)
		return 0;
	r = engine_layers_of_dir(root->scan, c->rootfs, c);
	if (r < 0 || !c->layers || !rec->overlay)
		return r;
	return cover(c);
}

static int fill(const struct store_root *root, const json_t *state, const struct gvisor_record *rec,
		struct insp_container *c)
{
	int lives, r = store_fill(root, c, json_str_at(state, "createdAt"),
				  json_str_at(state, "spec.root.path"));

	if (r == 0)
		r = oci_spec_fill(json_at(state, "spec"), root->scan->want, c);
	if (r == 0 && (root->scan->want & INSP_WANT_DETAIL))
		r = runtime_add_labels(c, json_at(state, "spec.annotations"));
	if (r == 0)
		r = set_layers(root, rec, c);
	if (r < 0)
		return r;
	lives = claim(root->scan, rec, c);
	if (lives < 0)
		return lives;
	set_state(root, rec, lives, c);
	return 0;
}

static int add_record(const struct store_root *root, const char *file, const char *id)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_json_ json_t *state = NULL;
	struct insp_err err = { 0 };
	struct gvisor_record rec;
	int r = store_read_json(root, root->fd, file, state_members, &state, &err);

	/* removed meanwhile */
	if (r == -ENOENT)
		return 0;
	if (r == 0 && (parse_record(state, &rec) < 0 || !is_named(&rec, file)))
		r = insp_err_say(&err, -EBADMSG, "read '%s': not the record of that container",
				 file);
	if (r < 0)
		return store_record_fail(root, id, r, &err);
	c = container_new(NAME, id);
	if (!c)
		return -ENOMEM;
	r = fill(root, state, &rec, c);
	return r < 0 ? r : engine_scan_add(root->scan, TAKE_PTR(c));
}

static int list_root(const struct store_root *root, const char *file)
{
	_cleanup_free_ char *id = NULL;
	size_t len = id_length(file);

	if (len == 0)
		return 0;
	id = strndup(file, len);
	if (!id)
		return -ENOMEM;
	if (!engine_scan_wants(root->scan, id, id) ||
	    engine_scan_has_id(root->scan, id, root->owner) ||
	    engine_scan_spend(root->scan, root->owner, root->path, 0) == 0)
		return 0;
	return add_record(root, file, id);
}

static const struct store_format format = { .entry = list_root };

/* config.go: the root's default, and below a user's runtime directory. */
static const struct runtime runtime_gvisor = {
	.name = NAME,
	.root = "/var/run/runsc",
	.user_dir = "runsc",
};

static int scan_gvisor(struct engine_scan *scan)
{
	return store_scan(scan, &runtime_gvisor, &format);
}

const struct engine engine_gvisor = { .name = NAME, .scan = scan_gvisor, .below = true };
