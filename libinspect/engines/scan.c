/* What a scan keeps of what the engines hand over, and whether a record's word about a process is believed. */
#include "libinspect/engines/engine.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"
#include "libinspect/kernel/pid.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define USERNS_DEPTH_MAX 32 /* user_namespaces(7): nesting limit */

void engine_scan_clear(struct engine_scan *scan)
{
	engine_scan_again(scan);
	free(scan->procs.items);
	scan->procs = (struct scan_procs){ 0 };
	mount_table_free(&scan->mounts.table);
	scan->mounts = (struct scan_mounts){ 0 };
	engine_scan_users_clear(&scan->users);
}

void engine_scan_again(struct engine_scan *scan)
{
	insp_list_clear(&scan->found);
	insp_diags_clear(&scan->diags);
	free(scan->spent.users);
	scan->spent = (struct scan_spent){ 0 };
	free(scan->claims.pids);
	scan->claims = (struct scan_claims){ 0 };
	for (size_t i = 0; i < SCAN_SHARED_MAX && scan->shared[i].free; i++) {
		if (scan->shared[i].data)
			scan->shared[i].free(scan->shared[i].data);
		scan->shared[i] = (struct scan_shared){ 0 };
	}
}

struct scan_shared *engine_scan_shared(struct engine_scan *scan, void (*free)(void *data))
{
	size_t i = 0;

	while (i < SCAN_SHARED_MAX - 1 && scan->shared[i].free && scan->shared[i].free != free)
		i++;
	scan->shared[i].free = free;
	return &scan->shared[i];
}

void engine_scan_fail(struct engine_scan *scan, const struct insp_err *err)
{
	insp_diags_add(&scan->diags, err);
}

/* NULL when memory is out. */
static size_t *bytes_of(struct scan_spent *spent, uid_t uid)
{
	void *bigger;

	for (size_t i = 0; i < spent->n; i++)
		if (spent->users[i].uid == uid)
			return &spent->users[i].bytes;
	bigger = reallocarray(spent->users, spent->n + 1, sizeof(*spent->users));
	if (!bigger)
		return NULL;
	spent->users = bigger;
	spent->users[spent->n].uid = uid;
	spent->users[spent->n].bytes = 0;
	return &spent->users[spent->n++].bytes;
}

size_t engine_scan_spend(struct engine_scan *scan, uid_t owner, const char *path, size_t bytes)
{
	struct insp_err err = { 0 };
	size_t *spent;

	if (owner == 0)
		return SIZE_MAX;
	spent = bytes_of(&scan->spent, owner);
	if (!spent)
		return 0;
	*spent += bytes + SCAN_RECORD_COST;
	if (*spent < SCAN_USER_BYTES_MAX)
		return SCAN_USER_BYTES_MAX - *spent;
	insp_err_say(&err, -E2BIG, "store '%s': user %u has more than %d MiB of records", path,
		     (unsigned)owner, SCAN_USER_BYTES_MAX >> 20);
	insp_err_hint(&err, "the rest of that user's containers are left out");
	engine_scan_fail(scan, &err);
	return 0;
}

bool engine_scan_wants(const struct engine_scan *scan, const char *id, const char *name)
{
	const struct engine_match *m = &scan->match;

	if (!m->ref)
		return true;
	if (m->by_id_only)
		return str_eq(id, m->ref);
	return !name || str_eq(name, m->ref) || str_starts(id, m->ref);
}

int engine_scan_mounts(struct engine_scan *scan, const struct mount_table **ret)
{
	struct scan_mounts *m = &scan->mounts;

	if (!scan->sys->live)
		return -ENOENT;
	if (!m->done)
		m->result = mountinfo_read(scan->sys, 0, &m->table, NULL);
	m->done = true;
	if (m->result < 0)
		return m->result;
	*ret = &m->table;
	return 0;
}

/*
 * Whether what o's store says may stand for what owner's says: root's for everybody's, a user's for that user's; all for
 * what is not known to be anybody's (engine_scan_unread()).
 */
static bool may_replace(const struct insp_container *o, uid_t owner)
{
	return o->owner == 0 || o->owner == owner || owner == (uid_t)-1;
}

bool engine_scan_has_id(const struct engine_scan *scan, const char *id, uid_t owner)
{
	/* a name that somebody chose may be another container's in another engine */
	if (!str_is_hex(id, 64))
		return false;
	for (size_t i = 0; i < scan->found.n; i++)
		if (str_eq(scan->found.items[i]->id, id) &&
		    may_replace(scan->found.items[i], owner))
			return true;
	return false;
}

bool engine_scan_has_running(const struct engine_scan *scan, const char *id, uid_t owner,
			     const char *engine)
{
	if (!str_is_hex(id, 64))
		return false;
	for (size_t i = 0; i < scan->found.n; i++) {
		const struct insp_container *o = scan->found.items[i];

		if (o->pid > 0 && !str_eq(o->engine, engine) && str_eq(o->id, id) &&
		    may_replace(o, owner))
			return true;
	}
	return false;
}

/*
 * The runtimes below an engine (runc below docker) keep records of the same container. Of two that do not run only an id
 * that nobody chose tells that: a name may be given in every store.
 */
static bool claimed_before(const struct engine_scan *scan, const struct insp_container *c)
{
	bool telling = str_is_hex(c->id, 64);

	for (size_t i = 0; i < scan->found.n; i++) {
		const struct insp_container *o = scan->found.items[i];

		if (o->engine == c->engine || !may_replace(o, c->owner))
			continue;
		if (c->pid > 0 ? o->pid == c->pid && o->pid_start == c->pid_start
			       : telling && str_eq(o->id, c->id))
			return true;
	}
	return false;
}

int engine_scan_add(struct engine_scan *scan, struct insp_container *c)
{
	bool live = insp_state_is_live(c->state);
	int r;

	/* whatever a record's name was: one that is empty is none */
	if (!c->name && container_set(&c->name, c->id) < 0) {
		insp_container_free(c);
		return -ENOMEM;
	}
	if ((!live && !(scan->want & INSP_WANT_STOPPED)) ||
	    !engine_scan_wants(scan, c->id, c->name) || claimed_before(scan, c)) {
		insp_container_free(c);
		return 0;
	}
	r = container_list_add(&scan->found, c);
	if (r < 0)
		insp_container_free(c);
	return r;
}

bool engine_userns_owned_by(const struct insp_sys *sys, pid_t pid, uid_t uid)
{
	_cleanup_close_ int fd = -EBADF;
	char path[64];

	snprintf(path, sizeof(path), "%d/ns/user", (int)pid);
	fd = openat(sys->procfd, path, O_RDONLY | O_CLOEXEC);
	for (int depth = 0; fd >= 0 && depth <= USERNS_DEPTH_MAX; depth++) {
		struct stat st;
		uid_t owner;
		int parent;

		/* the caller's own, which the kernel may report as anybody's */
		if (fstat(fd, &st) < 0 || st.st_ino == sys->self_ns.ino[INSP_NS_USER])
			return false;
		if (ioctl(fd, NS_GET_OWNER_UID, &owner) < 0)
			return false;
		if (owner == uid)
			return true;
		parent = ioctl(fd, NS_GET_PARENT);
		util_close(fd);
		fd = parent;
	}
	return false;
}

static bool is_alive(const struct pid_stat *st)
{
	return st->state != 'Z' && st->state != 'X' && st->state != 'x';
}

/* The process pid as it is now; -ESRCH when it is gone, a zombie, or one that started at another time. */
static int look_at(const struct insp_sys *sys, pid_t pid, uint64_t start, uint64_t *ret_start)
{
	struct pid_stat st;

	if (pid_read_stat(sys->procfd, pid, &st) < 0 || !is_alive(&st))
		return -ESRCH;
	if (start != 0 && st.start != start)
		return -ESRCH;
	*ret_start = st.start;
	return 0;
}

/* Where the first component of path begins that carries id; NULL: none does. */
static const char *find_id(const char *path, const char *id)
{
	for (const char *p = path; *p;) {
		const char *end = strchrnul(p, '/');

		if (cgroup_component_is(p, (size_t)(end - p), id))
			return p;
		p = *end ? end + 1 : end;
	}
	return NULL;
}

enum whose { UNKNOWN, ROOTS, OTHERS };

/* Who could make the cgroup that line's path calls by id: whoever the directory above it belongs to. */
static enum whose whose_cgroup(const struct insp_sys *sys, const struct cgroup_mounts *mounts,
			       const struct cgroup_line *line, const char *id)
{
	const char *at = find_id(line->path, id);
	_cleanup_free_ char *above = at ? strndup(line->path, (size_t)(at - line->path)) : NULL;
	struct cgroup_line parent = *line, top = *line;
	_cleanup_close_ int fd = -EBADF, topfd = -EBADF;
	struct stat st;

	if (!above)
		return UNKNOWN;
	parent.path = *above ? above : "/";
	top.path = "/";
	topfd = cgroup_open(sys, mounts, &top);
	if (topfd < 0)
		return UNKNOWN;
	fd = cgroup_open(sys, mounts, &parent);
	return fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 ? ROOTS : OTHERS;
}

/*
 * Who has a cgroup delegated to him names those below it as he likes, and can try pids until one is that of an old record
 * of root's. false only when such a one is all there is.
 */
static bool may_be_roots(struct engine_scan *scan, const struct cgroup_lines *lines, const char *id)
{
	_cleanup_cgroup_mounts_ struct cgroup_mounts mounts = { 0 };
	const struct mount_table *table;
	bool others = false;

	if (engine_scan_mounts(scan, &table) < 0 || cgroup_mounts_of(table, &mounts) < 0)
		return true;
	for (size_t i = 0; i < lines->n; i++) {
		enum whose whose = whose_cgroup(scan->sys, &mounts, &lines->items[i], id);

		if (whose == ROOTS)
			return true;
		others = others || whose == OTHERS;
	}
	return !others;
}

/* 1 when the cgroup speaks for c, or need not. Fills c->cgroup where wanted. */
static int check_cgroup(struct engine_scan *scan, struct insp_container *c, pid_t pid, bool must)
{
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	const struct cgroup_line *best;
	int r;

	if (!must && !(scan->want & INSP_WANT_CGROUP))
		return 1;
	r = cgroup_read(scan->sys->procfd, pid, &lines);
	if (r < 0)
		return r == -ENOMEM ? r : !must;
	if (must && !cgroup_has_id(&lines, c->id))
		return 0;
	if (must && c->owner == 0 && !may_be_roots(scan, &lines, c->id))
		return 0;
	best = cgroup_best(&lines);
	if (best && (scan->want & INSP_WANT_CGROUP))
		r = container_set(&c->cgroup, best->path);
	return r < 0 ? r : 1;
}

static void fill_namespaces(const struct insp_sys *sys, struct insp_container *c, pid_t pid)
{
	for (int t = 0; t < INSP_NS_MAX; t++)
		if (pid_ns_inode(sys->procfd, pid, (enum insp_ns_type)t, &c->ns.ino[t]) < 0)
			c->ns.ino[t] = 0;
}

static int note_claim(struct scan_claims *claims, pid_t pid)
{
	if (claims->n == claims->cap) {
		size_t cap = MAX_OF(claims->cap * 2, (size_t)64);
		pid_t *pids = reallocarray(claims->pids, cap, sizeof(*pids));

		if (!pids)
			return -ENOMEM;
		claims->pids = pids;
		claims->cap = cap;
	}
	claims->pids[claims->n++] = pid;
	return 0;
}

int engine_claim_helper(struct engine_scan *scan, const struct insp_container *c, pid_t pid)
{
	if (c->owner != 0 && !engine_userns_owned_by(scan->sys, pid, c->owner))
		return 0;
	return note_claim(&scan->claims, pid);
}

int engine_claim_init(struct engine_scan *scan, struct insp_container *c, pid_t pid, uint64_t start)
{
	const struct insp_sys *sys = scan->sys;
	uint64_t seen, again;
	int r;

	if (!sys->live || pid <= 0 || look_at(sys, pid, start, &seen) < 0)
		return 0;
	if (c->owner != 0 && !engine_userns_owned_by(sys, pid, c->owner))
		return 0;
	r = check_cgroup(scan, c, pid, start == 0);
	if (r <= 0)
		return r;
	if (scan->want & INSP_WANT_NS)
		fill_namespaces(sys, c, pid);
	/* what was read by number counts only if the number still means the same process */
	if ((start == 0 || c->owner != 0 || (scan->want & (INSP_WANT_NS | INSP_WANT_CGROUP))) &&
	    look_at(sys, pid, seen, &again) < 0)
		return 0;
	r = note_claim(&scan->claims, pid);
	if (r < 0)
		return r;
	c->pid = pid;
	c->pid_start = seen;
	return 1;
}
