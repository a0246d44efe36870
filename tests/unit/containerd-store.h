/* containerd's databases made up for tests: trees of buckets, written as bolt writes them. */
#ifndef SONDE_TESTS_CONTAINERD_STORE_H
#define SONDE_TESTS_CONTAINERD_STORE_H

#include "bolt-build.h"
#include "docker-store.h"

#define CROOT	  "var/lib/containerd"
#define META_DB	  CROOT "/io.containerd.metadata.v1.bolt/meta.db"
#define SNAP_DB	  CROOT "/io.containerd.snapshotter.v1.overlayfs/metadata.db"
#define NATIVE_DB CROOT "/io.containerd.snapshotter.v1.native/metadata.db"

/* Never freed, the tests are short; but never lost either, or it would count as a leak. */
static void **node_kept;
static size_t node_n_kept;

static inline void *node_keep(void *p)
{
	node_kept = reallocarray(node_kept, node_n_kept + 1, sizeof(*node_kept));
	assert_non_null(node_kept);
	assert_non_null(p);
	node_kept[node_n_kept++] = p;
	return p;
}

/* A value, or a bucket of the nodes below first. */
struct node {
	const char *key;
	const void *value;
	size_t len;
	struct node *first, *next;
	bool bucket;
};

static inline struct node *node_new(struct node *in, const char *key)
{
	struct node *n = node_keep(calloc(1, sizeof(*n))), **at = &in->first;

	n->key = node_keep(strdup(key));
	/* bolt keeps keys in order */
	while (*at && strcmp((*at)->key, key) < 0)
		at = &(*at)->next;
	n->next = *at;
	*at = n;
	return n;
}

/* The bucket at a path "v1/default/containers", made where missing. */
static inline struct node *node_at(struct node *root, const char *path)
{
	char *copy = strdup(path), *rest = copy;

	for (char *key; (key = strsep(&rest, "/"));) {
		struct node *n = root->first;

		while (n && strcmp(n->key, key) != 0)
			n = n->next;
		root = n ? n : node_new(root, key);
		root->bucket = true;
	}
	free(copy);
	return root;
}

static inline void node_bytes(struct node *in, const char *key, const void *value, size_t len)
{
	struct node *n = node_new(in, key);
	void *copy = node_keep(malloc(len + 1));

	memcpy(copy, value, len);
	n->value = copy;
	n->len = len;
}

static inline void node_text(struct node *in, const char *key, const char *value)
{
	node_bytes(in, key, value, strlen(value));
}

#define NODES_MAX 1024
#define TREE_MAX  (1024 * 1024)

/* The page of n's entries at p, its buckets inline. Returns its length. */
static inline size_t node_page(const struct node *n, char *p)
{
	struct bb_entry *e = calloc(NODES_MAX, sizeof(*e));
	size_t count = 0, len;

	for (const struct node *c = n->first; c; c = c->next) {
		assert_true(count < NODES_MAX);
		e[count] = (struct bb_entry){ c->key, c->value, c->len, c->bucket };
		if (c->bucket) {
			char *inlined = calloc(1, TREE_MAX);

			e[count].len = 16 + node_page(c, inlined + 16);
			e[count].value = inlined;
		}
		count++;
	}
	len = bb_leaf(p, 0, 0, e, count);
	for (size_t i = 0; i < count; i++)
		if (e[i].bucket)
			free((void *)e[i].value);
	free(e);
	return len;
}

static inline void write_tree(const struct host *h, const char *path, const struct node *root)
{
	size_t pages = 3 + TREE_MAX / BB_PAGE;
	struct bb b = bb_new(pages);
	size_t len = node_page(root, bb_page(&b, 2)), used = (len + BB_PAGE - 1) / BB_PAGE;
	int fd;

	assert_true(len < TREE_MAX);
	bb_put64(bb_page(&b, 2), 2);
	bb_put32(bb_page(&b, 2) + 12, (uint32_t)used - 1);
	bb_meta(bb_page(&b, 0), 0, 2, 2 + used, 2);
	bb_meta(bb_page(&b, 1), 1, 2, 2 + used, 1);
	host_write(h, path, "");
	fd = openat(h->fd, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(io_write_all(fd, b.data, (2 + used) * BB_PAGE), 0);
	close(fd);
	bb_free(&b);
}

static inline void node_uvarint(struct node *in, const char *key, uint64_t v)
{
	unsigned char buf[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		buf[n++] = (unsigned char)(v | 0x80);
	buf[n++] = (unsigned char)v;
	node_bytes(in, key, buf, n);
}

/* A snapshot in a snapshotter's tree. kind: 1 view, 2 active, 3 committed. */
static inline struct node *add_snapshot(struct node *root, const char *name, uint64_t id, char kind,
					const char *parent)
{
	struct node *snapshots = node_at(root, "v1/snapshots"), *n = node_new(snapshots, name);

	n->bucket = true;
	node_uvarint(n, "id", id);
	node_bytes(n, "kind", &kind, 1);
	if (parent)
		node_text(n, "parent", parent);
	return n;
}

#endif
