/*
 * Every namespace of the host. One directory and one link per type and process are what it costs: ten system calls
 * a process. The links' texts hold the inode, so nothing is followed. What is shown of a process (comm, uid) is
 * read for the lowest pid of each namespace only, at the end.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/span.h"
#include "libinspect/resolve/list.h"

#include <pthread.h>

#define SPLIT_MIN 512 /* processes from which a second thread is worth its start */

/* A hash table by (type, inode), open addressing. ino 0: an empty slot. */
struct table {
	struct insp_ns_info *slots;
	size_t n, cap; /* cap: a power of two */
};

struct procs {
	struct scan_proc *items;
	size_t n, cap;
};

/* A part of the processes, one thread's work. */
struct part {
	const struct insp_sys *sys;
	unsigned types;
	struct scan_proc
		*procs; /* pids; their namespaces are filled in, for the search for containers */
	size_t n;
	struct table table;
	size_t unreadable;
	int r;
};

static size_t slot_of(const struct table *t, enum insp_ns_type type, uint64_t ino)
{
	uint64_t h = (ino * INSP_NS_MAX + type) * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h >> 32) & (t->cap - 1);

	while (t->slots[i].ino && (t->slots[i].ino != ino || t->slots[i].type != type))
		i = (i + 1) & (t->cap - 1);
	return i;
}

static int table_grow(struct table *t)
{
	struct table bigger = { .cap = t->cap ? t->cap * 2 : 256, .n = t->n };

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].ino)
			bigger.slots[slot_of(&bigger, t->slots[i].type, t->slots[i].ino)] =
				t->slots[i];
	free(t->slots);
	*t = bigger;
	return 0;
}

/* Counts n processes of a namespace, pid the lowest of them. */
static int table_count(struct table *t, enum insp_ns_type type, uint64_t ino, pid_t pid, uint32_t n)
{
	struct insp_ns_info *s;

	if (t->n * 2 >= t->cap && table_grow(t) < 0)
		return -ENOMEM;
	s = &t->slots[slot_of(t, type, ino)];
	if (!s->ino) {
		*s = (struct insp_ns_info){ .type = type, .ino = ino, .pid = pid };
		t->n++;
	}
	s->nprocs += n;
	s->pid = MIN_OF(s->pid, pid);
	return 0;
}

static int table_merge(struct table *t, const struct table *other)
{
	for (size_t i = 0; i < other->cap; i++) {
		const struct insp_ns_info *s = &other->slots[i];

		if (s->ino && table_count(t, s->type, s->ino, s->pid, s->nprocs) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* "mnt:[4026531841]": the digits behind the bracket. 0: not that. */
static uint64_t link_ino(const char *link, ssize_t n)
{
	struct span s = span_of(link, (size_t)n), name;
	uint64_t ino;

	return span_until(&s, '[', &name) && span_u64(&s, &ino) ? ino : 0;
}

/* -EACCES: not ours to read. */
static int count_process(struct part *p, struct scan_proc *proc)
{
	_cleanup_close_ int dirfd = -EBADF;
	char path[16], link[48];
	int denied = 0, n = 0;

	snprintf(path, sizeof(path), "%d/ns", proc->pid);
	dirfd = openat(p->sys->procfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return errno == ENOENT ? 0 : -EACCES;
	for (int type = 0; type < INSP_NS_MAX; type++) {
		ssize_t len;
		uint64_t ino;

		if (!(p->types & 1U << type))
			continue;
		len = readlinkat(dirfd, insp_ns_name(type), link, sizeof(link));
		if (len < 0 && (errno == EACCES || errno == EPERM)) {
			denied++;
			break; /* one answer holds for all of them */
		}
		ino = len > 0 ? link_ino(link, len) : 0;
		if (ino && table_count(&p->table, type, ino, proc->pid, 1) < 0)
			return -ENOMEM;
		proc->pid_ns = type == INSP_NS_PID ? ino : proc->pid_ns;
		proc->mnt_ns = type == INSP_NS_MNT ? ino : proc->mnt_ns;
		n += ino != 0;
	}
	return denied && n == 0 ? -EACCES : 0;
}

/* Here and not in the search for containers, where one thread would do it alone. */
static void note_exe(const struct part *p, struct scan_proc *proc)
{
	(void)engine_proc_look(p->sys, proc);
}

static void *count_part(void *arg)
{
	struct part *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		int r = count_process(p, &p->procs[i]);

		if (r == -ENOMEM) {
			p->r = r;
			break;
		}
		p->unreadable += r == -EACCES;
		note_exe(p, &p->procs[i]);
	}
	return NULL;
}

static int add_proc(struct procs *procs, pid_t pid)
{
	if (!util_grow(&procs->items, procs->n, &procs->cap, sizeof(*procs->items), 1024))
		return -ENOMEM;
	procs->items[procs->n++] = (struct scan_proc){ .pid = pid };
	return 0;
}

static int list_procs(const struct insp_sys *sys, struct procs *procs)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = io_opendir(sys->procfd, ".", &dir);

	if (r < 0)
		return r;
	for_each_pid (pid, dir) {
		r = add_proc(procs, pid);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Counts all processes, the second half in a thread of its own when there are many. part[0] has the sum. */
static int count_all(struct part part[2])
{
	pthread_t thread;
	bool split = part[0].n >= SPLIT_MIN;
	size_t half = part[0].n / 2;

	if (split) {
		part[1] = part[0];
		part[1].procs += half;
		part[1].n -= half;
		split = pthread_create(&thread, NULL, count_part, &part[1]) == 0;
		part[0].n = split ? half : part[0].n;
	}
	(void)count_part(&part[0]);
	if (!split)
		return part[0].r;
	(void)pthread_join(thread, NULL);
	part[0].unreadable += part[1].unreadable;
	if (part[0].r < 0 || part[1].r < 0)
		return -ENOMEM;
	return table_merge(&part[0].table, &part[1].table);
}

static int by_type_and_ino(const void *a, const void *b)
{
	const struct insp_ns_info *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

static int by_lowest_pid(const void *a, const void *b)
{
	const struct insp_ns_info *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Moves the used slots to the front; the table's memory becomes the list's. */
static void take_items(struct table *t, struct insp_ns_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].ino)
			t->slots[n++] = t->slots[i];
	list->items = TAKE_PTR(t->slots);
	list->n = n;
}

/* The process may be gone: then comm stays empty and uid is -1. */
static void describe(const struct insp_sys *sys, struct insp_ns_info *ns)
{
	_cleanup_close_ int dirfd = -EBADF;
	struct pid_status status;
	struct pid_stat st;
	char path[16];

	ns->uid = (uid_t)-1;
	snprintf(path, sizeof(path), "%d", ns->pid);
	dirfd = openat(sys->procfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return;
	if (pid_read_stat_at(dirfd, &st) >= 0)
		memcpy(ns->comm, st.comm, sizeof(ns->comm));
	if (pid_read_status_at(dirfd, &status) >= 0)
		ns->uid = status.euid;
}

/* A process is the lowest of several namespaces as a rule: it is looked at once. */
static void describe_all(const struct insp_sys *sys, struct insp_ns_list *list)
{
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), by_lowest_pid);
	for (size_t i = 0; i < list->n; i++) {
		struct insp_ns_info *ns = &list->items[i];

		ns->host = ns->ino == sys->self_ns.ino[ns->type];
		if (i > 0 && ns[-1].pid == ns->pid) {
			memcpy(ns->comm, ns[-1].comm, sizeof(ns->comm));
			ns->uid = ns[-1].uid;
		} else {
			describe(sys, ns);
		}
	}
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), by_type_and_ino);
}

/*
 * The container whose init is in the namespace. Several may share it (a pod, --network container:X): the one whose
 * init is the namespace's lowest process, else the first.
 */
static const struct insp_container *owner_of(const struct insp_ns_list *list,
					     const struct insp_ns_info *ns)
{
	const struct insp_container *first = NULL;

	for (size_t i = 0; i < list->containers.n; i++) {
		const struct insp_container *c = list->containers.items[i];

		if (c->pid == 0 || c->ns.ino[ns->type] != ns->ino)
			continue;
		if (c->pid == ns->pid)
			return c;
		first = first ? first : c;
	}
	return first;
}

void insp_ns_list_clear(struct insp_ns_list *list)
{
	free(list->items);
	insp_list_clear(&list->containers);
	*list = (struct insp_ns_list){ 0 };
}

static int count_host(struct insp_sys *sys, unsigned types, struct procs *procs,
		      struct insp_ns_list *list)
{
	struct part part[2] = { { .sys = sys, .types = types }, { 0 } };
	int r;

	r = list_procs(sys, procs);
	part[0].procs = procs->items;
	part[0].n = procs->n;
	if (r >= 0)
		r = count_all(part);
	if (r >= 0) {
		take_items(&part[0].table, list);
		list->unreadable = part[0].unreadable;
	}
	free(part[0].table.slots);
	free(part[1].table.slots);
	return r;
}

/* Every process's program, pid and mount namespace are known by now: /proc is not walked again. */
static int find_containers(struct insp_sys *sys, const struct procs *procs,
			   struct insp_ns_list *list, struct insp_diags *diags,
			   struct insp_err *err)
{
	_cleanup_scan_ struct engine_scan scan = {
		.sys = sys,
		.want = INSP_WANT_NS | INSP_WANT_BARE,
		.may_walk = true,
		.known = procs->items,
		.n_known = procs->n,
	};

	return list_run(&scan, &list->containers, diags, err);
}

static void procs_free(struct procs *procs)
{
	free(procs->items);
}

int insp_ns_list(struct insp_sys *sys, unsigned types, struct insp_ns_list *ret_list,
		 struct insp_diags *diags, struct insp_err *err)
{
	_cleanup_(insp_ns_list_clear) struct insp_ns_list list = { 0 };
	_cleanup_(procs_free) struct procs procs = { 0 };
	int r;

	if (!sys->live)
		return insp_err_say(err, -ENOTSUP, "list namespaces: not the running host");
	r = count_host(sys, types ? types : ~0U, &procs, &list);
	if (r < 0)
		return insp_err_set(err, r, "list namespaces");
	r = find_containers(sys, &procs, &list, diags, err);
	if (r < 0)
		return r;
	describe_all(sys, &list);
	for (size_t i = 0; i < list.n; i++)
		if (!list.items[i].host)
			list.items[i].container = owner_of(&list, &list.items[i]);
	*ret_list = list;
	list = (struct insp_ns_list){ 0 };
	return 0;
}
