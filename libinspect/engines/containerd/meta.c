/* meta.db and the snapshotters' metadata.db (docs/formats/containerd.md). */
#include "libinspect/engines/containerd/meta.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/values.h"

#include <inttypes.h>
#include <sys/stat.h>

#define META_DIR    "io.containerd.metadata.v1.bolt"
#define META_FILE   "meta.db"
#define SNAP_PREFIX "io.containerd.snapshotter.v1."
#define SNAP_FILE   "metadata.db"
#define VIEW	    1 /* kind of a snapshot: 1 view, 2 active, 3 committed */
#define ACTIVE	    2

/* Snapshotters whose snapshots are directories of this host. */
static const struct kind {
	const char *name;
	enum insp_root_kind kind;
} kinds[] = {
	{ "overlayfs", INSP_ROOT_OVERLAY },
	{ "native", INSP_ROOT_DIR },
};

struct snapshotter {
	struct bolt *db;
	struct bolt_bucket snapshots;
	int result; /* of reading it; its words in err */
	struct insp_err err;
	bool done;
};

struct containerd_meta {
	struct engine_scan *scan;
	int fd;
	char *path;
	uid_t owner;
	struct bolt *db;
	struct snapshotter snapshotters[ARRAY_SIZE(kinds)];
};

struct containerd_meta *containerd_meta_close(struct containerd_meta *m)
{
	if (!m)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		bolt_free(m->snapshotters[i].db);
	bolt_free(m->db);
	free(m->path);
	util_close(m->fd);
	free(m);
	return NULL;
}

/* The database file in directory dir below the root. */
static int read_database(const struct containerd_meta *m, const char *dir, const char *file,
			 struct bolt **ret, struct insp_err *err)
{
	size_t max = m->owner == 0 ? BOLT_FILE_MAX : SCAN_USER_BYTES_MAX;
	_cleanup_close_ int dirfd = io_open_dir(m->fd, dir);
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	if (dirfd < 0)
		return insp_err_set(err, dirfd, "open '%s/%s'", m->path, dir);
	fd = io_open_regular(dirfd, file);
	if (fd < 0)
		return insp_err_set(err, fd, "open '%s/%s/%s'", m->path, dir, file);
	if (fstat(fd, &st) < 0)
		return insp_err_set(err, -errno, "look at '%s/%s/%s'", m->path, dir, file);
	if (engine_scan_spend(m->scan, m->owner, m->path, (size_t)st.st_size) == 0)
		return insp_err_say(err, -E2BIG, "'%s/%s/%s' is left out", m->path, dir, file);
	r = bolt_read(fd, max, ret, err);
	return r < 0 ? insp_err_wrap(err, r, "'%s/%s/%s'", m->path, dir, file) : 0;
}

int containerd_meta_open(struct engine_scan *scan, int fd, const char *path, uid_t owner,
			 struct containerd_meta **ret, struct insp_err *err)
{
	_cleanup_containerd_meta_ struct containerd_meta *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return insp_err_set(err, -ENOMEM, "containerd store");
	m->scan = scan;
	m->owner = owner;
	m->path = str_dup(path);
	m->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (!m->path || m->fd < 0)
		return insp_err_set(err, m->path ? -errno : -ENOMEM, "containerd store");
	r = read_database(m, META_DIR, META_FILE, &m->db, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(m);
	return 0;
}

static bool note_damage(const struct containerd_meta *m, const struct bolt *db, const char *dir,
			const char *name, const char *file)
{
	struct insp_err err = { 0 };
	uint64_t page;

	if (!db || !bolt_damage(db, &page))
		return false;
	insp_err_say(&err, -EBADMSG, "containerd store '%s': '%s%s/%s' is damaged: page %" PRIu64,
		     m->path, dir, name, file, page);
	insp_err_hint(&err, "containers, or what is known of them, may be missing");
	engine_scan_fail(m->scan, &err);
	return true;
}

bool containerd_meta_note_damage(const struct containerd_meta *m)
{
	bool damaged = note_damage(m, m->db, META_DIR, "", META_FILE);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		damaged |= note_damage(m, m->snapshotters[i].db, SNAP_PREFIX, kinds[i].name,
				       SNAP_FILE);
	return damaged;
}

int containerd_meta_fd(const struct containerd_meta *m)
{
	return m->fd;
}

int containerd_meta_namespaces(const struct containerd_meta *m, struct bolt_bucket *ret)
{
	struct bolt_bucket root = bolt_root(m->db);

	return bolt_bucket(&root, "v1", ret);
}

/* Goes from b down a path of buckets. */
static int descend(struct bolt_bucket *b, const char *const *keys)
{
	int r = 0;

	for (; r == 0 && *keys; keys++)
		r = bolt_bucket(b, *keys, b);
	return r;
}

static int read_snapshotter(struct containerd_meta *m, size_t kind, struct snapshotter *s)
{
	_cleanup_free_ char *dir = str_format(SNAP_PREFIX "%s", kinds[kind].name);
	int r = dir ? read_database(m, dir, SNAP_FILE, &s->db, &s->err) : -ENOMEM;

	if (r < 0)
		return r;
	s->snapshots = bolt_root(s->db);
	r = descend(&s->snapshots, (const char *[]){ "v1", "snapshots", NULL });
	return r < 0 ? insp_err_set(&s->err, r, "'%s/%s/%s'", m->path, dir, SNAP_FILE) : 0;
}

/* The snapshotter's database, after meta.db: a snapshot is noted there before meta.db has its name. */
static int get_snapshotter(struct containerd_meta *m, const char *name, struct snapshotter **ret,
			   enum insp_root_kind *ret_kind, struct insp_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct snapshotter *s = &m->snapshotters[i];

		if (strcmp(kinds[i].name, name) != 0)
			continue;
		if (!s->done)
			s->result = read_snapshotter(m, i, s);
		s->done = true;
		if (s->result < 0) {
			if (err)
				*err = s->err;
			return s->result;
		}
		*ret = s;
		*ret_kind = kinds[i].kind;
		return 0;
	}
	return insp_err_say(err, -EOPNOTSUPP, "its files are kept by snapshotter '%s'", name);
}

/* The snapshotter's own name of what a namespace calls key. */
static int find_name(const struct containerd_meta *m, const char *ns, const char *snapshotter,
		     const char *key, char **ret)
{
	struct bolt_bucket b;
	struct bolt_slice v;
	int r = containerd_meta_namespaces(m, &b);

	if (r == 0)
		r = descend(&b, (const char *[]){ ns, "snapshots", snapshotter, key, NULL });
	if (r == 0)
		r = bolt_get(&b, "name", &v);
	if (r < 0)
		return r;
	*ret = containerd_string(v);
	return *ret ? 0 : -ENOMEM;
}

struct snapshot {
	uint64_t id;
	int kind;
	char *parent; /* NULL: none */
};

static void snapshot_free(struct snapshot *s)
{
	free(s->parent);
}

static int read_snapshot(const struct snapshotter *s, const char *name, struct snapshot *ret)
{
	struct snapshot snap = { 0 };
	struct bolt_bucket b;
	struct bolt_slice v;
	int r = bolt_bucket(&s->snapshots, name, &b);

	if (r < 0)
		return r;
	r = bolt_get(&b, "id", &v);
	if (r < 0 || containerd_uvarint(v, &snap.id) < 0)
		return r == -ENOENT ? -EBADMSG : r < 0 ? r : -EBADMSG;
	if (bolt_get(&b, "kind", &v) == 0 && v.len == 1)
		snap.kind = (unsigned char)v.data[0];
	r = bolt_get(&b, "parent", &v);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && v.len > 0) {
		snap.parent = containerd_string(v);
		if (!snap.parent)
			return -ENOMEM;
	}
	*ret = snap;
	return 0;
}

/* ROOT/io.containerd.snapshotter.v1.NAME/snapshots/ID/BELOW */
static char *snapshot_path(const struct containerd_meta *m, const char *snapshotter, uint64_t id,
			   const char *below)
{
	return str_format("%s/" SNAP_PREFIX "%s/snapshots/%" PRIu64 "%s", m->path, snapshotter, id,
			  below);
}

/* What is being followed: from a snapshot to its parents. */
struct chain {
	const struct containerd_meta *m;
	const struct snapshotter *s;
	const char *snapshotter;
	struct insp_layers *layers;
};

/* What a namespace calls a snapshot: the databases say "NAMESPACE/NUMBER/KEY" (core/metadata/snapshot.go, createKey()). */
static const char *key_of(const char *name)
{
	const char *slash = strchr(name, '/');

	slash = slash ? strchr(slash + 1, '/') : NULL;
	return slash ? slash + 1 : name;
}

static int add_lower(const struct chain *ch, const char *name, const struct snapshot *snap,
		     const char *below)
{
	_cleanup_free_ char *path = snapshot_path(ch->m, ch->snapshotter, snap->id, below);
	int r = path ? container_layers_add(ch->layers, path) : -ENOMEM;

	return r < 0 ? r : container_layers_name(ch->layers, key_of(name), NULL);
}

/* Every snapshot is one layer, in fs/; one that is written to has work/ beside it. */
static int add_overlay(const struct chain *ch, const char *name, const struct snapshot *snap)
{
	if (ch->layers->upper)
		return add_lower(ch, name, snap, "/fs");
	if (container_set(&ch->layers->upper_id, key_of(name)) < 0)
		return -ENOMEM;
	ch->layers->upper = snapshot_path(ch->m, ch->snapshotter, snap->id, "/fs");
	if (snap->kind == ACTIVE)
		ch->layers->work = snapshot_path(ch->m, ch->snapshotter, snap->id, "/work");
	return ch->layers->upper && (ch->layers->work || snap->kind != ACTIVE) ? 0 : -ENOMEM;
}

static int follow_overlay(const struct chain *ch, const char *name)
{
	_cleanup_free_ char *current = strdup(name);
	size_t steps = 0;
	int r = current ? 0 : -ENOMEM;

	while (r == 0 && current) {
		_cleanup_(snapshot_free) struct snapshot snap = { 0 };

		/* the one that is written to, and what overlayfs takes below it; a chain that bites its tail is longer */
		if (steps++ > CONTAINER_LAYERS_MAX)
			return -E2BIG;
		r = read_snapshot(ch->s, current, &snap);
		/* what was there a moment ago has a parent that is there: another state is damage */
		if (r == -ENOENT && steps > 1)
			r = -EBADMSG;
		if (r == 0)
			r = add_overlay(ch, current, &snap);
		free(current);
		current = TAKE_PTR(snap.parent);
	}
	return r;
}

/* Every snapshot is a whole tree, a copy of its parent's; a view of a parent is that parent's tree. */
static int read_native(const struct chain *ch, const char *name)
{
	_cleanup_(snapshot_free) struct snapshot snap = { 0 }, parent = { 0 };
	int r = read_snapshot(ch->s, name, &snap);

	if (r == 0 && snap.parent) {
		r = read_snapshot(ch->s, snap.parent, &parent);
		r = r == -ENOENT ? -EBADMSG : r < 0 ? r : add_lower(ch, snap.parent, &parent, "");
	}
	if (r < 0 || container_set(&ch->layers->upper_id, key_of(name)) < 0)
		return r < 0 ? r : -ENOMEM;
	if (snap.kind == VIEW && snap.parent)
		snap.id = parent.id;
	ch->layers->upper = snapshot_path(ch->m, ch->snapshotter, snap.id, "");
	return ch->layers->upper ? 0 : -ENOMEM;
}

int containerd_snapshot_layers(struct containerd_meta *m, const char *ns, const char *snapshotter,
			       const char *key, struct insp_layers **ret, struct insp_err *err)
{
	_cleanup_layers_ struct insp_layers *layers = NULL;
	struct chain ch = { .m = m, .snapshotter = snapshotter };
	_cleanup_free_ char *name = NULL;
	enum insp_root_kind kind = INSP_ROOT_UNKNOWN;
	struct snapshotter *s = NULL;
	int r = get_snapshotter(m, snapshotter, &s, &kind, err);

	if (r < 0)
		return r;
	r = find_name(m, ns, snapshotter, key, &name);
	if (r < 0)
		return insp_err_set(err, r, "snapshot '%s' of namespace '%s'", key, ns);
	layers = container_layers_new(kind);
	if (!layers)
		return insp_err_set(err, -ENOMEM, "layers");
	ch.s = s;
	ch.layers = layers;
	r = kind == INSP_ROOT_DIR ? read_native(&ch, name) : follow_overlay(&ch, name);
	if (r == -E2BIG)
		return insp_err_say(err, r, "snapshot '%s': more than %d layers", name,
				    CONTAINER_LAYERS_MAX);
	if (r < 0)
		return insp_err_set(err, r, "snapshot '%s'", name);
	*ret = TAKE_PTR(layers);
	return 0;
}
