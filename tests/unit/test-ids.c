/* Ids of user namespaces: what records and /etc/subuid say, and views of layers that hold them in two forms. */
#include "tests/unit/layers.h"

#include "libinspect/container/container.h"
#include "libinspect/kernel/subid.h"
#include "libinspect/rootfs/copy.h"

static struct idmap map_of(const char *text)
{
	struct idmap m;

	assert_int_equal(idmap_parse(text, strlen(text), &m), 0);
	return m;
}

static void assert_map(const struct idmap *m, const char *expect)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < m->n; i++)
		strbuf_printf(&sb, "%u %u %u\n", m->e[i].inside, m->e[i].outside, m->e[i].count);
	assert_string_equal(sb.buf ? sb.buf : "", expect);
	strbuf_free(&sb);
}

static void one_map_through_another(void **state)
{
	/* podman's --userns=keep-id in a rootless namespace: user 1000, ids from 100000 on */
	struct idmap keep_id = map_of("0 1 1000\n1000 0 1\n1001 1001 64536\n");
	struct idmap rootless = map_of("0 1000 1\n1 100000 65536\n"), whole;

	idmap_compose(&keep_id, &rootless, &whole);
	assert_map(&whole, "0 100000 1000\n1000 1000 1\n1001 101000 64536\n");
	/* what the outer one has not is left out */
	keep_id = map_of("0 0 4294967295\n");
	idmap_compose(&keep_id, &rootless, &whole);
	assert_map(&whole, "0 1000 1\n1 100000 65536\n");
	assert_true(idmap_is_identity(&keep_id));
	assert_false(idmap_is_identity(&rootless));
}

#define SUBUID                                                                         \
	"# a comment\nann:100000:65536\nbob:200000:10\n1001:300000:5\nann:400000:20\n" \
	"bob:x:1\nbob:1\nbob:500000:0\nbob:4294967290:10\n:1:1\n"

static void a_users_ranges_follow_one_another(void **state)
{
	struct idmap m = { 0 };

	subid_parse(SUBUID, strlen(SUBUID), "ann", &m);
	assert_map(&m, "0 100000 65536\n65536 400000 20\n");
	m.n = 0;
	subid_parse(SUBUID, strlen(SUBUID), "bob", &m);
	assert_map(&m, "0 200000 10\n");
	m.n = 0;
	subid_parse(SUBUID, strlen(SUBUID), "an", &m);
	assert_int_equal(m.n, 0);
}

/* A host in the layers' directory. */
static struct insp_sys *host_up(const struct layers *l)
{
	struct insp_sys_opts opts = { .root = l->base };
	struct insp_sys *sys;

	put_file(l, "etc/subuid", SUBUID);
	put_file(l, "etc/subgid", "ann:700000:65536\n");
	put_file(l, "etc/passwd",
		 "root:x:0:0::/:/bin/sh\nann:x:1000:50::/:/bin/sh\nbob:x:1001:51::/:\n");
	assert_int_equal(insp_sys_open(&opts, &sys, NULL), 0);
	return sys;
}

static void etc_subuid_tells_a_daemons_and_a_users_ids(void **state)
{
	struct insp_sys *sys = host_up(*state);
	struct idmap uids, gids;

	subid_remapped(sys, "subuid", 100000, &uids);
	assert_map(&uids, "0 100000 65536\n65536 400000 20\n");
	subid_remapped(sys, "subuid", 123, &uids);
	assert_map(&uids, "0 123 65536\n");
	/* not the first of its user: the store was made when the file was another */
	subid_remapped(sys, "subuid", 400000, &uids);
	assert_map(&uids, "0 400000 65536\n");
	assert_int_equal(subid_rootless(sys, 1000, &uids, &gids), 0);
	assert_map(&uids, "0 1000 1\n1 100000 65536\n65537 400000 20\n");
	assert_map(&gids, "0 50 1\n1 700000 65536\n");
	/* by name and by number */
	assert_int_equal(subid_rootless(sys, 1001, &uids, &gids), 0);
	assert_map(&uids, "0 1001 1\n1 200000 10\n11 300000 5\n");
	assert_map(&gids, "0 51 1\n");
	insp_sys_close(sys);
}

/* ---- layers ---------------------------------------------------------------------------------------- */

static void put_owned(const struct layers *l, const char *path, uid_t uid, gid_t gid)
{
	if (path[strlen(path) - 1] == '/') {
		char dir[PATH_MAX];

		snprintf(dir, sizeof(dir), "%.*s", (int)strlen(path) - 1, path);
		put_dir(l, dir);
	} else {
		put_file(l, path, "");
	}
	assert_int_equal(fchownat(l->fd, path, uid, gid, 0), 0);
}

static struct insp_container *container_of(const struct layers *l, uid_t owner)
{
	struct insp_container *c = container_new("test", "c");
	char path[PATH_MAX + 8];

	assert_non_null(c);
	c->owner = owner;
	assert_int_equal(container_set(&c->name, "c"), 0);
	c->layers = container_layers_new(INSP_ROOT_OVERLAY);
	snprintf(path, sizeof(path), "/store/0");
	assert_int_equal(container_set(&c->layers->upper, path), 0);
	assert_int_equal(container_layers_add(c->layers, "/store/1"), 0);
	assert_int_equal(container_set(&c->store, "/store"), 0);
	return c;
}

/* "uid:gid" of the file as the view shows it. */
static const char *owner_of(const struct insp_files *f, const char *name)
{
	static char text[32];
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	struct view_node node;

	assert_int_equal(view_root(&f->view, 0, &dir), 0);
	assert_int_equal(view_lookup(&dir, name, &node), 0);
	snprintf(text, sizeof(text), "%u:%u", node.st.st_uid, node.st.st_gid);
	return text;
}

static struct insp_files *files_of(struct insp_sys *sys, const struct insp_container *c)
{
	struct insp_err err = { 0 };
	struct insp_files *f = NULL;

	if (insp_files_open(sys, c, INSP_FILES_LAYERS, &f, &err) < 0)
		fail_msg("%s", err.text);
	return f;
}

/* What a file that is copied into the container is given on disk, to be inside's there. */
static uint32_t written_as(const struct insp_files *f, bool gid, uint32_t inside)
{
	struct copy_ids ids = { 0 };

	copy_ids_of(f, &f->view, &ids);
	return ids.mapped ? idmap_to_outside(gid ? &ids.gids : &ids.uids, inside) : inside;
}

/* As podman as root leaves them: the upper as the host counts, the image's as inside. */
static void each_layer_has_its_form(void **state)
{
	struct layers *l = *state;

	NEED_ROOT();
	struct insp_sys *sys = host_up(l);
	struct insp_container *c = container_of(l, 0);
	struct insp_files *f;

	put_owned(l, "store/0/", 100000, 200000);
	put_owned(l, "store/0/new", 100033, 200044);
	put_owned(l, "store/0/foreign", 5, 5);
	put_owned(l, "store/1/", 0, 0);
	put_owned(l, "store/1/old", 33, 44);
	assert_int_equal(container_add_ids(&c->uids, 0, 100000, 65536), 0);
	assert_int_equal(container_add_ids(&c->gids, 0, 200000, 65536), 0);
	f = files_of(sys, c);
	assert_string_equal(owner_of(f, "."), "0:0");
	assert_string_equal(owner_of(f, "new"), "33:44");
	assert_string_equal(owner_of(f, "old"), "33:44");
	assert_string_equal(owner_of(f, "foreign"), "65534:65534");
	assert_int_equal(written_as(f, false, 33), 100033);
	assert_int_equal(written_as(f, true, 0), 200000);
	assert_true(written_as(f, false, 65536) == UINT32_MAX);
	insp_files_close(f);
	/* and as incus does: all of them as inside */
	put_owned(l, "store/0/", 0, 0);
	f = files_of(sys, c);
	assert_string_equal(owner_of(f, "foreign"), "5:5");
	assert_int_equal(written_as(f, false, 33), 33);
	insp_files_close(f);
	insp_container_free(c);
	insp_sys_close(sys);
}

/* Else root's copy into the container would be root's file on the host, in a directory of the user. */
static void a_users_record_leads_to_no_ids_but_that_users(void **state)
{
	static const uint32_t claims[] = { 0, 99999, 1000000, 165530 };
	struct layers *l = *state;

	NEED_ROOT();
	struct insp_sys *sys = host_up(l);

	put_owned(l, "store/", 1000, 50);
	put_owned(l, "store/0/", 1000, 50);
	put_owned(l, "store/1/", 1000, 50);
	for (size_t i = 0; i <= ARRAY_SIZE(claims); i++) {
		struct insp_container *c = container_of(l, 1000);
		struct insp_files *f;

		if (i < ARRAY_SIZE(claims)) {
			assert_int_equal(container_add_ids(&c->uids, 0, claims[i], 1000), 0);
			assert_int_equal(container_add_ids(&c->gids, 0, claims[i], 1000), 0);
		}
		f = files_of(sys, c);
		assert_int_equal(written_as(f, false, 0), 1000);
		assert_int_equal(written_as(f, true, 0), 50);
		assert_int_equal(written_as(f, false, 1), 100000);
		assert_string_equal(owner_of(f, "."), "0:0");
		insp_files_close(f);
		insp_container_free(c);
	}
	insp_sys_close(sys);
}

int main(void)
{
#define LAYERS_TEST(f) cmocka_unit_test_setup_teardown(f, layers_up, layers_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_map_through_another),
		cmocka_unit_test(a_users_ranges_follow_one_another),
		LAYERS_TEST(etc_subuid_tells_a_daemons_and_a_users_ids),
		LAYERS_TEST(each_layer_has_its_form),
		LAYERS_TEST(a_users_record_leads_to_no_ids_but_that_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
