/*
 * Running machines: the supervisor is systemd-nspawn itself, a program of root's in the host's namespaces, which says on
 * its command line what it runs; the machine's leader is its child.
 */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/nspawn/scan.h"
#include "libinspect/kernel/mountinfo.h"

#include <limits.h>
#include <sys/stat.h>

#define PROPAGATE  "/systemd/nspawn/propagate/"
#define SUFFIX_LEN 17 /* "-" and 16 hexadecimal digits */

struct supervisor {
	struct nspawn_scan *s;
	struct hostproc proc;
	struct nspawn_options options;
	pid_t leader;
	uint64_t leader_start;
	char *directory; /* as this host has it; NULL: an image, or not known */
	char *name;
};

static void supervisor_free(struct supervisor *v)
{
	hostproc_free(&v->proc);
	nspawn_options_free(&v->options);
	free(v->directory);
	free(v->name);
}

/* image-discover.c: image_search_path[IMAGE_MACHINE] */
static char *search_machine(const struct insp_sys *sys, const char *prefix, const char *name)
{
	static const char *const places[] = { "/etc/machines",		 "/run/machines",
					      "/var/lib/machines",	 "/var/lib/container",
					      "/usr/local/lib/machines", "/usr/lib/machines" };

	if (strchr(name, '/') || name[0] == '.')
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = str_format("%s%s/%s", prefix, places[i], name);
		_cleanup_close_ int fd = path ? sys_open(sys, path, O_PATH | O_DIRECTORY) : -ENOMEM;

		if (fd >= 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

static char *absolute(const struct supervisor *v, const char *path)
{
	_cleanup_free_ char *cwd = NULL;
	char link[32];

	if (path[0] == '/')
		return str_format("%s%s", v->proc.prefix, path);
	snprintf(link, sizeof(link), "%d/cwd", (int)v->proc.pid);
	if (io_readlink(v->s->scan->sys->procfd, link, &cwd) < 0 || cwd[0] != '/')
		return NULL;
	return *path ? str_format("%s/%s", cwd, path) : TAKE_PTR(cwd);
}

/* nspawn.c: determine_names(). NULL as well when memory is out: then it is not known. */
static char *find_directory(const struct supervisor *v)
{
	const struct nspawn_options *o = &v->options;
	char *path = NULL;

	if (o->image)
		return NULL;
	if (o->directory)
		path = absolute(v, o->directory);
	else if (o->machine)
		return search_machine(v->s->scan->sys, v->proc.prefix, o->machine);
	else
		path = absolute(v, "");
	for (size_t n = path ? strlen(path) : 0; n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	return path;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * An ephemeral machine without a name of its own is called "TREE-" and a random number, which only the directory is
 * called by that nspawn binds into it.
 */
static char *ephemeral_name(const struct supervisor *v, const char *tree)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	if (mountinfo_read(v->s->scan->sys, v->leader, &t, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < t.n; i++) {
		const char *at = strstr(t.items[i].root, PROPAGATE);
		const char *name = at ? at + strlen(PROPAGATE) : NULL;
		const char *number = name ? str_after(name, tree) : NULL;

		if (number && strlen(number) == SUFFIX_LEN && *number == '-' &&
		    str_is_hex(number + 1, SUFFIX_LEN - 1))
			return str_dup(name);
	}
	return NULL;
}

static char *find_name(const struct supervisor *v)
{
	const struct nspawn_options *o = &v->options;
	_cleanup_free_ char *tree = NULL;
	const char *file = o->image ? o->image : v->directory ? v->directory : "";
	char *name;
	size_t n;

	if (o->machine)
		return str_dup(o->machine);
	file = file_name(file);
	n = nspawn_name_len(file, !o->image);
	tree = n ? strndup(file, n) : str_format("pid-%d", (int)v->proc.pid);
	if (!tree)
		return NULL;
	name = o->ephemeral ? ephemeral_name(v, tree) : NULL;
	return name ? name : TAKE_PTR(tree);
}

/* 1 when it is a supervisor whose container lives. */
static int read_supervisor(struct nspawn_scan *s, pid_t pid, struct supervisor *v)
{
	_cleanup_io_buf_ struct io_buf args = { 0 };
	struct insp_sys *sys = s->scan->sys;
	char exe[16];
	int r;

	if (engine_proc_exe(sys, pid, exe, sizeof(exe)) < 0 || !str_eq(exe, NSPAWN_PROGRAM))
		return 0;
	/* it needs root (until 256); a user's could only be called so, and by the name of another machine */
	r = hostproc_read_root(sys, pid, &v->proc);
	if (r <= 0)
		return r;
	r = hostproc_args(sys, &v->proc, &args);
	if (r == 0)
		r = nspawn_args_parse(args.data, args.len, &v->options);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return hostproc_container(s->scan, &v->proc, &v->leader, &v->leader_start);
}

/* The tree is the machine's alone: it is none that does not run. */
static int note_used(struct supervisor *v)
{
	struct nspawn_scan *s = v->s;
	_cleanup_close_ int fd = -EBADF;
	struct nspawn_used *used;
	struct stat st;

	if (!v->directory || v->options.ephemeral || v->options.is_volatile > NSPAWN_VOLATILE_NO)
		return 0;
	fd = sys_open(s->scan->sys, v->directory, O_PATH | O_DIRECTORY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	used = reallocarray(s->used, s->n_used + 1, sizeof(*used));
	if (!used)
		return -ENOMEM;
	s->used = used;
	used[s->n_used++] = (struct nspawn_used){ st.st_dev, st.st_ino };
	return 0;
}

static int fill(struct supervisor *v, struct insp_container *c)
{
	const struct nspawn_options *o = &v->options;
	unsigned want = v->s->scan->want;
	int r = 0;

	if (v->directory && !o->ephemeral)
		r = nspawn_set_root(v->s, v->directory, o->is_volatile, c);
	if (r == 0 && (want & INSP_WANT_FILES))
		r = nspawn_add_mounts(o, c);
	if (r == 0 && (want & INSP_WANT_FILES))
		r = engine_layers_from_mounts(v->s->scan, c, NULL);
	if (r == 0 && (want & INSP_WANT_DETAIL))
		r = container_set(&c->hostname, o->hostname ? o->hostname : v->name);
	if (r == 0 && (want & INSP_WANT_DETAIL))
		r = container_set(&c->command, o->command);
	return r;
}

static int add_supervisor(struct supervisor *v)
{
	_cleanup_container_ struct insp_container *c = container_new(NSPAWN_NAME, v->name);
	struct engine_scan *scan = v->s->scan;
	int r;

	if (!c)
		return -ENOMEM;
	c->owner = v->proc.owner;
	r = engine_claim_init(scan, c, v->leader, v->leader_start);
	if (r <= 0)
		return r;
	c->state = freezer_frozen(&v->s->freezer, scan, c->pid) ? INSP_STATE_PAUSED
								: INSP_STATE_RUNNING;
	c->started = insp_sys_ticks_to_time(scan->sys, c->pid_start);
	r = nspawn_settings_read(scan->sys, v->name, &v->options);
	if (r == 0)
		r = note_used(v);
	if (r == 0)
		r = fill(v, c);
	return r < 0 ? r : engine_scan_add(scan, TAKE_PTR(c));
}

int nspawn_add_running(struct nspawn_scan *s, pid_t pid)
{
	_cleanup_(supervisor_free) struct supervisor v = { .s = s };
	int r = read_supervisor(s, pid, &v);

	if (r <= 0)
		return r;
	v.directory = find_directory(&v);
	v.name = find_name(&v);
	return v.name ? add_supervisor(&v) : -ENOMEM;
}

int nspawn_walk(struct nspawn_scan *s)
{
	const struct scan_procs *procs;
	bool may = s->scan->may_walk;
	int r;

	if (s->walked)
		return 0;
	s->scan->may_walk = true;
	r = engine_scan_procs(s->scan, &procs);
	s->scan->may_walk = may;
	for (size_t i = 0; r == 0 && i < procs->n; i++)
		if (str_eq(procs->items[i].exe, NSPAWN_PROGRAM) &&
		    procs->items[i].pid != s->registered)
			r = nspawn_add_running(s, procs->items[i].pid);
	s->walked = true;
	return r;
}
