/* containerd's databases: the values in them, and the way from a container's key to its layers. */
#include "containerd-store.h"

#include "libinspect/engines/containerd/meta.h"
#include "libinspect/engines/containerd/values.h"

static struct bolt_slice slice(const char *bytes, size_t len)
{
	return (struct bolt_slice){ bytes, len };
}
#define SLICE(literal) slice(literal, sizeof(literal) - 1)

static void varints_are_read_whole(void **state)
{
	uint64_t v = 0;

	assert_int_equal(containerd_uvarint(SLICE("\x08"), &v), 0);
	assert_int_equal(v, 8);
	assert_int_equal(containerd_uvarint(SLICE("\xbc\x03"), &v), 0);
	assert_int_equal(v, 444);
	assert_int_equal(containerd_uvarint(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &v),
			 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(containerd_uvarint(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), &v),
			 -EBADMSG);
	assert_int_equal(containerd_uvarint(SLICE("\x80"), &v), -EBADMSG);
	assert_int_equal(containerd_uvarint(SLICE("\x08\x00"), &v), -EBADMSG);
	assert_int_equal(containerd_uvarint(SLICE(""), &v), -EBADMSG);
}

static void gos_times_are_read(void **state)
{
	int64_t ns = 5;

	assert_int_equal(
		containerd_time(SLICE("\x01\0\0\0\x0e\xe2\x94\x32\xec\x1a\x85\x8a\x86\xff\xff"),
				&ns),
		0);
	assert_true(ns == 1795308524444959366);
	assert_int_equal(
		containerd_time(SLICE("\x02\0\0\0\x0e\xe2\x94\x32\xec\0\0\0\x01\0\x3c\x1e"), &ns),
		0);
	assert_true(ns == 1795308524000000001);
	/* the zero time, and one after 2262 */
	assert_int_equal(containerd_time(SLICE("\x01\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff"), &ns),
			 -ERANGE);
	assert_int_equal(containerd_time(SLICE("\x01\x7f\0\0\0\0\0\0\0\0\0\0\0\xff\xff"), &ns),
			 -ERANGE);
	assert_int_equal(containerd_time(SLICE("\x01\0\0\0\x0e\xe2\x94\x32\xec\xff\0\0\0\xff\xff"),
					 &ns),
			 -EBADMSG);
	assert_int_equal(containerd_time(SLICE("\x03\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff"), &ns),
			 -EBADMSG);
	assert_int_equal(containerd_time(SLICE("\x01"), &ns), -EBADMSG);
}

static void an_any_is_read_with_fields_that_nobody_knows(void **state)
{
	struct containerd_any any;
	json_t *j = NULL;

	assert_int_equal(containerd_any(SLICE("\x0a\x03url\x18\x07\x12\x07{\"a\":1}\x21"
					      "01234567\x2d"
					      "0123"),
					&any),
			 0);
	assert_int_equal(any.type_url.len, 3);
	assert_memory_equal(any.value.data, "{\"a\":1}", any.value.len);
	assert_int_equal(containerd_any_json(SLICE("\x12\x07{\"a\":1}"), NULL, &j, NULL), 0);
	assert_int_equal(json_int_at(j, "a", 0), 1);
	json_decref(j);
	assert_int_equal(containerd_any(SLICE("\x12\x08{\"a\":1}"), &any), -EBADMSG);
	assert_int_equal(containerd_any(SLICE("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
					&any),
			 -EBADMSG);
	assert_int_equal(containerd_any(SLICE("\x13"), &any), -EBADMSG);
	assert_int_equal(containerd_any_json(SLICE(""), NULL, &j, NULL), -EBADMSG);
}

/* A store of a made-up host, open. */
struct store {
	struct host host;
	struct node meta, overlay, native;
	struct insp_sys *sys;
	struct engine_scan scan;
	struct containerd_meta *m;
};

static void add_key(struct store *s, const char *snapshotter, const char *key, const char *name)
{
	_cleanup_free_ char *path = str_format("v1/moby/snapshots/%s/%s", snapshotter, key);

	node_text(node_at(&s->meta, path), "name", name);
}

static void make_store(struct store *s)
{
	*s = (struct store){ .host = host_make() };
	add_key(s, "overlayfs", "web", "moby/14/web");
	add_snapshot(&s->overlay, "moby/14/web", 8, 2, "moby/13/web-init");
	add_snapshot(&s->overlay, "moby/13/web-init", 7, 3, "moby/2/sha256:ab");
	add_snapshot(&s->overlay, "moby/2/sha256:ab", 300, 3, NULL);
}

static void open_store(struct store *s)
{
	int fd;

	write_tree(&s->host, META_DB, &s->meta);
	write_tree(&s->host, SNAP_DB, &s->overlay);
	if (s->native.first)
		write_tree(&s->host, NATIVE_DB, &s->native);
	s->sys = host_open(&s->host);
	s->scan.sys = s->sys;
	fd = openat(s->host.fd, CROOT, O_PATH | O_CLOEXEC);
	assert_int_equal(containerd_meta_open(&s->scan, fd, "/" CROOT, 0, &s->m, NULL), 0);
	close(fd);
}

static void close_store(struct store *s)
{
	containerd_meta_close(s->m);
	engine_scan_clear(&s->scan);
	insp_sys_close(s->sys);
	host_remove(&s->host);
}

#define OVERLAY "/" CROOT "/io.containerd.snapshotter.v1.overlayfs/snapshots/"
#define NATIVE	"/" CROOT "/io.containerd.snapshotter.v1.native/snapshots/"

static void a_containers_layers_follow_the_parents(void **state)
{
	struct insp_layers *l = NULL;
	struct store s;

	make_store(&s);
	add_key(&s, "overlayfs", "look", "moby/15/look");
	add_snapshot(&s.overlay, "moby/15/look", 9, 1, "moby/2/sha256:ab");
	open_store(&s);
	assert_int_equal(containerd_snapshot_layers(s.m, "moby", "overlayfs", "web", &l, NULL), 0);
	assert_int_equal(l->kind, INSP_ROOT_OVERLAY);
	assert_string_equal(l->upper, OVERLAY "8/fs");
	assert_string_equal(l->work, OVERLAY "8/work");
	assert_int_equal(l->n_lowers, 2);
	assert_string_equal(l->lowers[0], OVERLAY "7/fs");
	assert_string_equal(l->lowers[1], OVERLAY "300/fs");
	container_layers_free(l);
	assert_int_equal(containerd_snapshot_layers(s.m, "moby", "overlayfs", "look", &l, NULL), 0);
	assert_string_equal(l->upper, OVERLAY "9/fs");
	assert_null(l->work);
	assert_int_equal(l->n_lowers, 1);
	container_layers_free(l);
	close_store(&s);
}

static void native_snapshots_are_whole_trees(void **state)
{
	struct insp_layers *l = NULL;
	struct store s;

	make_store(&s);
	add_key(&s, "native", "web", "moby/3/web");
	add_key(&s, "native", "look", "moby/4/look");
	add_snapshot(&s.native, "moby/3/web", 3, 2, "moby/2/sha256:ab");
	add_snapshot(&s.native, "moby/4/look", 4, 1, "moby/2/sha256:ab");
	add_snapshot(&s.native, "moby/2/sha256:ab", 2, 3, "moby/1/sha256:cd");
	add_snapshot(&s.native, "moby/1/sha256:cd", 1, 3, NULL);
	open_store(&s);
	assert_int_equal(containerd_snapshot_layers(s.m, "moby", "native", "web", &l, NULL), 0);
	assert_int_equal(l->kind, INSP_ROOT_DIR);
	assert_string_equal(l->upper, NATIVE "3");
	assert_int_equal(l->n_lowers, 1);
	assert_string_equal(l->lowers[0], NATIVE "2");
	container_layers_free(l);
	assert_int_equal(containerd_snapshot_layers(s.m, "moby", "native", "look", &l, NULL), 0);
	assert_string_equal(l->upper, NATIVE "2");
	assert_string_equal(l->lowers[0], NATIVE "2");
	container_layers_free(l);
	close_store(&s);
}

static int ask(struct store *s, const char *snapshotter, const char *key, struct insp_err *err)
{
	struct insp_layers *l = NULL;
	int r = containerd_snapshot_layers(s->m, "moby", snapshotter, key, &l, err);

	container_layers_free(l);
	return r;
}

static void a_chain_without_end_is_refused(void **state)
{
	struct insp_err err = { 0 };
	struct store s;
	char name[16] = "", parent[16];

	make_store(&s);
	add_key(&s, "overlayfs", "round", "a");
	add_snapshot(&s.overlay, "a", 1, 2, "b");
	add_snapshot(&s.overlay, "b", 2, 3, "a");
	add_key(&s, "overlayfs", "long", "n501");
	add_key(&s, "overlayfs", "fits", "n500");
	for (int i = 0; i <= 501; i++) {
		snprintf(name, sizeof(name), "n%03d", i);
		snprintf(parent, sizeof(parent), "n%03d", i - 1);
		add_snapshot(&s.overlay, name, (uint64_t)i + 10, 3, i > 0 ? parent : NULL);
	}
	open_store(&s);
	assert_int_equal(ask(&s, "overlayfs", "round", &err), -E2BIG);
	assert_non_null(strstr(err.text, "more than 500 layers"));
	assert_int_equal(ask(&s, "overlayfs", "long", NULL), -E2BIG);
	assert_int_equal(ask(&s, "overlayfs", "fits", NULL), 0);
	close_store(&s);
}

static void what_is_not_there_or_makes_no_sense_is_an_error(void **state)
{
	struct insp_err err = { 0 };
	struct store s;

	make_store(&s);
	add_key(&s, "overlayfs", "dangling", "x");
	add_snapshot(&s.overlay, "x", 1, 2, "gone");
	add_key(&s, "overlayfs", "unnoted", "y");
	add_key(&s, "overlayfs", "noid", "z");
	node_at(&s.overlay, "v1/snapshots/z");
	add_key(&s, "overlayfs", "badid", "w");
	node_bytes(node_at(&s.overlay, "v1/snapshots/w"), "id", "../../etc", 9);
	add_key(&s, "zfs", "web", "v");
	open_store(&s);
	assert_int_equal(ask(&s, "overlayfs", "dangling", &err), -EBADMSG);
	assert_int_equal(ask(&s, "overlayfs", "unnoted", NULL), -ENOENT);
	assert_int_equal(ask(&s, "overlayfs", "none", NULL), -ENOENT);
	assert_int_equal(ask(&s, "overlayfs", "noid", NULL), -EBADMSG);
	assert_int_equal(ask(&s, "overlayfs", "badid", NULL), -EBADMSG);
	assert_int_equal(ask(&s, "zfs", "web", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "'zfs'"));
	/* without a database of that snapshotter, each time again */
	assert_int_equal(ask(&s, "native", "web", NULL), -ENOENT);
	assert_int_equal(ask(&s, "native", "web", &err), -ENOENT);
	assert_non_null(strstr(err.text, "snapshotter.v1.native"));
	close_store(&s);
}

static void a_store_that_is_none_is_told_from_one_that_is_broken(void **state)
{
	struct engine_scan scan = { 0 };
	struct host h = host_make();
	struct containerd_meta *m = NULL;

	assert_int_equal(containerd_meta_open(&scan, h.fd, "/x", 0, &m, NULL), -ENOENT);
	host_write(&h, "io.containerd.metadata.v1.bolt/meta.db", "no database");
	assert_int_equal(containerd_meta_open(&scan, h.fd, "/x", 0, &m, NULL), -EBADMSG);
	assert_int_equal(unlinkat(h.fd, "io.containerd.metadata.v1.bolt/meta.db", 0), 0);
	assert_int_equal(mkfifoat(h.fd, "io.containerd.metadata.v1.bolt/meta.db", 0600), 0);
	assert_int_equal(containerd_meta_open(&scan, h.fd, "/x", 0, &m, NULL), -EINVAL);
	assert_int_equal(unlinkat(h.fd, "io.containerd.metadata.v1.bolt/meta.db", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", h.fd, "io.containerd.metadata.v1.bolt/meta.db"),
			 0);
	assert_int_equal(containerd_meta_open(&scan, h.fd, "/x", 0, &m, NULL), -ELOOP);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varints_are_read_whole),
		cmocka_unit_test(gos_times_are_read),
		cmocka_unit_test(an_any_is_read_with_fields_that_nobody_knows),
		cmocka_unit_test(a_containers_layers_follow_the_parents),
		cmocka_unit_test(native_snapshots_are_whole_trees),
		cmocka_unit_test(a_chain_without_end_is_refused),
		cmocka_unit_test(what_is_not_there_or_makes_no_sense_is_an_error),
		cmocka_unit_test(a_store_that_is_none_is_told_from_one_that_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
