/* The processes of a container, as `cps CONTAINER` shows them. */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/idmap.h"
#include "libinspect/kernel/passwd.h"
#include "libinspect/kernel/slowread.h"
#include "libinspect/resolve/members.h"

#define CMDLINE_MAX (16 * 1024) /* what comes after is left out */
#define KTHREAD	    0x00200000	/* PF_KTHREAD, include/linux/sched.h */

struct gather {
	struct insp_sys *sys;
	unsigned want;
	struct slowread *reader; /* NULL: no command lines */
	struct passwd_table host, target;
	struct idmap map; /* of the process at hand; 4 KiB, so not on every frame */
	struct insp_diags *diags;
	struct insp_procs procs;
};

static void proc_clear(struct insp_proc *p)
{
	free(p->cmdline);
	free(p->user);
	free(p->ns_user);
}

void insp_procs_clear(struct insp_procs *procs)
{
	for (size_t i = 0; i < procs->n; i++)
		proc_clear(&procs->items[i]);
	free(procs->items);
	*procs = (struct insp_procs){ 0 };
}

static void gather_clear(struct gather *g)
{
	slowread_free(g->reader);
	passwd_table_free(&g->host);
	passwd_table_free(&g->target);
	insp_procs_clear(&g->procs);
}

static void note(struct gather *g, const struct insp_err *err)
{
	if (g->diags)
		insp_diags_add(g->diags, err);
}

/* Names of users are a convenience: without them the numbers stand. An image without a passwd is no failure. */
static void load_users(struct gather *g, const struct insp_pid *init)
{
	_cleanup_close_ int rootfd = -EBADF;
	struct insp_err err = { 0 };
	int r;

	(void)passwd_read(g->sys->rootfd, &g->host, NULL);
	r = insp_pid_open_root(init, &rootfd, &err);
	if (r >= 0)
		r = passwd_read_target(rootfd, &g->target, &err);
	if (r < 0 && r != -ENOENT && r != -ESRCH) {
		insp_err_wrap(&err, r, "users of pid %d", insp_pid_number(init));
		note(g, &err);
	}
}

static int set_users(struct gather *g, int dirfd, struct insp_proc *p)
{
	const struct passwd_entry *e;

	p->ns_uid = (uid_t)-1;
	if (idmap_read(dirfd, "uid_map", &g->map) >= 0)
		p->ns_uid = idmap_to_inside(&g->map, p->uid);
	if (!(g->want & INSP_PROC_USERS))
		return 0;
	e = passwd_by_uid(&g->host, p->uid);
	if (e && !(p->user = str_dup(e->name)))
		return -ENOMEM;
	e = p->ns_uid == (uid_t)-1 ? NULL : passwd_by_uid(&g->target, p->ns_uid);
	if (e && !(p->ns_user = str_dup(e->name)))
		return -ENOMEM;
	return 0;
}

/* "a\0b\0" -> "a b"; empty: nothing to show. */
static char *words_of(char *data, size_t len)
{
	while (len > 0 && (data[len - 1] == '\0' || data[len - 1] == ' '))
		len--;
	if (len == 0)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (data[i] == '\0')
			data[i] = ' ';
	data[len] = '\0';
	return data;
}

static void set_cmdline(struct gather *g, int dirfd, struct insp_proc *p)
{
	_cleanup_free_ char *data = NULL;
	struct insp_err err = { 0 };
	struct pid_stat st;
	size_t len;
	int r = slowread_read(g->reader, p->pid, "cmdline", CMDLINE_MAX, &data, &len);

	if (r == -ETIMEDOUT) {
		insp_err_set(&err, r, "pid %d: read '/proc/%d/cmdline'", p->pid, p->pid);
		insp_err_hint(&err,
			      "the process keeps its command line in memory that does not answer");
		note(g, &err);
	}
	/* it was opened by number: only while the process lives is it its own */
	if (r < 0 || pid_read_stat_at(dirfd, &st) < 0 || !words_of(data, len))
		return;
	p->cmdline = TAKE_PTR(data);
}

static void set_stat(struct insp_proc *p, const struct pid_stat *st)
{
	p->pid = st->pid;
	p->ppid = st->ppid;
	p->state = st->state;
	p->threads = st->threads;
	p->start = st->start;
	p->cpu = st->utime + st->stime;
	p->rss = st->rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	memcpy(p->comm, st->comm, sizeof(p->comm));
}

/* Reads one process through its directory, so that all of it is of the same process. -ESRCH: gone. */
static int read_proc(struct gather *g, pid_t pid, struct insp_proc *p)
{
	_cleanup_close_ int dirfd = -EBADF;
	struct pid_stat st;
	struct pid_status status;
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	dirfd = openat(g->sys->procfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || pid_read_stat_at(dirfd, &st) < 0 || pid_read_status_at(dirfd, &status) < 0)
		return -ESRCH;
	set_stat(p, &st);
	p->uid = status.euid;
	p->gid = status.egid;
	p->ns_pid = status.n_ns_pids ? status.ns_pids[status.n_ns_pids - 1] : pid;
	if (g->reader && !(st.flags & KTHREAD) && st.state != 'Z')
		set_cmdline(g, dirfd, p);
	return set_users(g, dirfd, p);
}

static int gather_all(struct gather *g, const pid_t *pids, size_t n)
{
	g->procs.items = calloc(n, sizeof(*g->procs.items));
	if (!g->procs.items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct insp_proc *p = &g->procs.items[g->procs.n];
		int r = read_proc(g, pids[i], p);

		if (r == -ESRCH)
			continue;
		g->procs.n++; /* from here insp_procs_clear() frees its strings */
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct insp_proc *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

int insp_container_procs(struct insp_sys *sys, const struct insp_container *c, unsigned want,
			 struct insp_procs *ret_procs, struct insp_diags *diags,
			 struct insp_err *err)
{
	_cleanup_(gather_clear) struct gather g = { .sys = sys, .want = want, .diags = diags };
	_cleanup_pid_ struct insp_pid *init = NULL;
	_cleanup_free_ pid_t *pids = NULL;
	struct insp_err not_here = { 0 };
	ssize_t n;
	int r;

	r = insp_container_init(sys, c, &init, err);
	if (r < 0)
		return r;
	if (diags && insp_container_on_host(c, &not_here) < 0)
		insp_diags_add(diags, &not_here);
	n = members_of(sys, c->id, init, &pids);
	if (n < 0)
		return insp_err_set(err, (int)n, "find the processes of %s container %.64s",
				    c->engine, c->name);
	if (want & INSP_PROC_USERS)
		load_users(&g, init);
	r = want & INSP_PROC_CMDLINE ? slowread_new(sys, &g.reader) : 0;
	if (r >= 0)
		r = gather_all(&g, pids, (size_t)n);
	if (r < 0)
		return insp_err_set(err, r, "read the processes of %s container %.64s", c->engine,
				    c->name);
	if (g.procs.n)
		qsort(g.procs.items, g.procs.n, sizeof(*g.procs.items), by_pid);
	*ret_procs = g.procs;
	g.procs = (struct insp_procs){ 0 };
	return 0;
}
