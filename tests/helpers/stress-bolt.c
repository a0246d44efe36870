/*
 * stress-bolt podman|containerd FILE READS SECONDS: reads a bolt database over and over while somebody writes to it, and
 * checks of every answer that it is one transaction's: records that a transaction makes together are there together, and
 * each of them is whole. Ends after READS readings, or SECONDS. Prints the counts as JSON; exit status 1 when an answer was wrong.
 *
 * Linked with the library.
 */
#include "libinspect/base/bolt.h"
#include "libinspect/base/io.h"
#include "libinspect/base/json.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/values.h"

#include <stdio.h>
#include <stdlib.h>

struct counts {
	unsigned long reads, answers, unsettled, transactions, records, wrong;
	size_t most;
	uint64_t txid;
};

struct check {
	struct counts *counts;
	struct bolt_bucket names, ids, ctrs;
	size_t n;
	bool bad;
};

static int wrong(struct check *c, const char *what, struct bolt_slice key)
{
	fprintf(stderr, "stress-bolt: transaction %llu: %.*s: %s\n",
		(unsigned long long)c->counts->txid, (int)key.len, key.data, what);
	c->bad = true;
	return 0;
}

static bool equal(struct bolt_slice a, struct bolt_slice b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool text_is(const char *text, struct bolt_slice slice)
{
	return text && strlen(text) == slice.len && memcmp(text, slice.data, slice.len) == 0;
}

/* A key of the database as a string for the reader. */
static const char *text(struct bolt_slice slice, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)slice.len, slice.data);
	return buf;
}

/* ---- podman: all-ctrs/ID = NAME, ctr/ID/{config,state}, name-registry/NAME = ID, id-registry/ID = NAME --------- */

static int podman_container(void *userdata, struct bolt_slice id, struct bolt_slice name,
			    const struct bolt_bucket *bucket)
{
	_cleanup_json_ json_t *config = NULL, *state = NULL;
	struct check *c = userdata;
	struct bolt_bucket ctr;
	struct bolt_slice v;
	char key[512];

	c->n++;
	if (bucket)
		return wrong(c, "a bucket among the names", id);
	if (bolt_bucket(&c->ctrs, text(id, key, sizeof(key)), &ctr) < 0)
		return wrong(c, "no record", id);
	if (bolt_get(&ctr, "config", &v) < 0 || json_parse(v.data, v.len, &config, NULL) < 0)
		return wrong(c, "no whole configuration", id);
	if (!text_is(json_str_at(config, "id"), id) || !text_is(json_str_at(config, "name"), name))
		return wrong(c, "another one's configuration", id);
	if (bolt_get(&ctr, "state", &v) < 0 || json_parse(v.data, v.len, &state, NULL) < 0)
		return wrong(c, "no whole state", id);
	if (bolt_get(&c->ids, key, &v) < 0 || !equal(v, name))
		return wrong(c, "not in the registry of ids", id);
	if (bolt_get(&c->names, text(name, key, sizeof(key)), &v) < 0 || !equal(v, id))
		return wrong(c, "not in the registry of names", id);
	return 0;
}

static int count(void *userdata, struct bolt_slice key, struct bolt_slice value,
		 const struct bolt_bucket *bucket)
{
	++*(size_t *)userdata;
	return 0;
}

static int podman_check(struct check *c, const struct bolt_bucket *root)
{
	struct bolt_bucket all;
	size_t n = 0;
	int r = bolt_bucket(root, "all-ctrs", &all);

	if (r == 0)
		r = bolt_bucket(root, "ctr", &c->ctrs);
	if (r == 0)
		r = bolt_bucket(root, "name-registry", &c->names);
	if (r == 0)
		r = bolt_bucket(root, "id-registry", &c->ids);
	if (r == 0)
		r = bolt_each(&all, podman_container, c);
	if (r == 0)
		r = bolt_each(&c->ctrs, count, &n);
	if (r == 0 && n != c->n)
		return wrong(c, "records without a name",
			     (struct bolt_slice){ "ctr", strlen("ctr") });
	return r;
}

/* ---- containerd: v1/NAMESPACE/containers/ID/{createdat,updatedat,image,labels/me = ID,spec} -------------------- */

static int containerd_container(void *userdata, struct bolt_slice id, struct bolt_slice value,
				const struct bolt_bucket *ctr)
{
	_cleanup_json_ json_t *spec = NULL;
	struct bolt_bucket labels;
	struct check *c = userdata;
	struct bolt_slice v;
	int64_t when;

	c->n++;
	if (!ctr)
		return wrong(c, "a value among the containers", id);
	if (bolt_get(ctr, "createdat", &v) < 0 || containerd_time(v, &when) < 0 ||
	    bolt_get(ctr, "updatedat", &v) < 0 || containerd_time(v, &when) < 0)
		return wrong(c, "no time", id);
	if (bolt_get(ctr, "spec", &v) < 0 || containerd_any_json(v, NULL, &spec, NULL) < 0)
		return wrong(c, "no whole specification", id);
	/* the test gives each its own id as a label, and as the program's argument */
	if (bolt_bucket(ctr, "labels", &labels) < 0 || bolt_get(&labels, "me", &v) < 0 ||
	    !equal(v, id))
		return wrong(c, "another one's labels", id);
	if (!text_is(json_string_value(json_array_get(json_at(spec, "process.args"), 1)), id))
		return wrong(c, "another one's specification", id);
	return 0;
}

static int containerd_namespace(void *userdata, struct bolt_slice key, struct bolt_slice value,
				const struct bolt_bucket *ns)
{
	struct bolt_bucket containers;
	int r = ns ? bolt_bucket(ns, "containers", &containers) : -ENOENT;

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : bolt_each(&containers, containerd_container, userdata);
}

static int containerd_check(struct check *c, const struct bolt_bucket *root)
{
	struct bolt_bucket v1;
	int r = bolt_bucket(root, "v1", &v1);

	return r < 0 ? r : bolt_each(&v1, containerd_namespace, c);
}

/* ---------------------------------------------------------------------------------------------------------------- */

static int walk(void *userdata, struct bolt_slice key, struct bolt_slice value,
		const struct bolt_bucket *bucket)
{
	return bucket ? bolt_each(bucket, walk, userdata) : 0;
}

typedef int (*check_fn)(struct check *c, const struct bolt_bucket *root);

static void look(struct counts *n, const struct bolt *db, check_fn fn)
{
	struct bolt_bucket root = bolt_root(db);
	struct check c = { .counts = n };
	int r;

	n->answers++;
	n->transactions += bolt_txid(db) != n->txid;
	n->txid = bolt_txid(db);
	r = fn(&c, &root);
	if (r == 0)
		r = bolt_each(&root, walk, NULL);
	if (r < 0) {
		fprintf(stderr, "stress-bolt: transaction %llu: %s\n", (unsigned long long)n->txid,
			strerror(-r));
		c.bad = true;
	}
	n->records += c.n;
	n->most = MAX_OF(n->most, c.n);
	n->wrong += c.bad;
}

/* One reading as the engines do it. The file is opened anew each time: a name may lead to another one by now. */
static void read_once(struct counts *n, const char *path, check_fn fn)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_bolt_ struct bolt *db = NULL;
	struct insp_err err = { 0 };
	int r = fd < 0 ? -errno : bolt_read(fd, BOLT_FILE_MAX, &db, &err);

	n->reads++;
	if (r == 0) {
		look(n, db, fn);
	} else if (r == -EAGAIN) {
		n->unsettled++;
	} else {
		fprintf(stderr, "stress-bolt: %s\n", fd < 0 ? strerror(-r) : err.text);
		n->wrong++;
	}
}

int main(int argc, char *argv[])
{
	struct counts n = { 0 };
	check_fn fn;
	unsigned long reads;
	int64_t end;

	if (argc != 5) {
		fprintf(stderr, "usage: stress-bolt podman|containerd FILE READS SECONDS\n");
		return 2;
	}
	fn = strcmp(argv[1], "podman") == 0 ? podman_check : containerd_check;
	reads = strtoul(argv[3], NULL, 10);
	end = io_now_ms() + 1000 * strtol(argv[4], NULL, 10);
	while (io_now_ms() < end && n.reads < reads)
		read_once(&n, argv[2], fn);
	printf("{\"reads\": %lu, \"answers\": %lu, \"unsettled\": %lu, \"transactions\": %lu, \"records\": %lu, \"most\": %zu, \"wrong\": %lu}\n",
	       n.reads, n.answers, n.unsettled, n.transactions, n.records, n.most, n.wrong);
	return n.wrong || n.reads < reads ? 1 : 0;
}
