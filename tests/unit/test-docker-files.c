/* Docker's layers and mounts: what is found, and that nothing outside of the store is ever shown as a layer. */
#include "tests/unit/docker-store.h"

#include "libinspect/container/container.h"
#include "libinspect/engines/docker/docker.h"

#define WEB	  "c0ffee"
#define MOUNT	  "6d6f756e74"		      /* begins the mount id */
#define BUILT	  "wnc6l5n5ll5q7p7ckhy4ubnpp" /* as BuildKit names them */
#define OVERLAY2  STORE "/overlay2"
#define LAYERDB	  STORE "/image/%s/layerdb/mounts/%s/%s"
#define LINK_NAME "6WHLJQL3RU3JHRWJFC7TLRGT%02zu"

/* ---- making stores ----------------------------------------------------------------------------------- */

static void write_mount(const struct host *h, const char *driver, const char *file,
			const char *text)
{
	char id[65];
	_cleanup_free_ char *path = str_format(LAYERDB, driver, make_id(WEB, id), file);

	host_write(h, path, text);
}

static void make_link(const struct host *h, const char *target, const char *path)
{
	unlinkat(h->fd, path, 0);
	assert_int_equal(symlinkat(target, h->fd, path), 0);
}

/* overlay2/ID/diff, and l/NAME to it; n numbers the name. */
static void make_layer(const struct host *h, const char *id, size_t n)
{
	_cleanup_free_ char *dir = str_format(OVERLAY2 "/%s/diff", id);
	_cleanup_free_ char *target = str_format("../%s/diff", id);
	_cleanup_free_ char *name = str_format(OVERLAY2 "/l/" LINK_NAME, n);

	host_mkdirs(h, dir);
	host_mkdirs(h, OVERLAY2 "/l");
	make_link(h, target, name);
}

static char *lower_of(size_t from, size_t to)
{
	struct strbuf sb = { 0 };

	for (size_t i = from; i <= to; i++)
		strbuf_printf(&sb, "%sl/" LINK_NAME, i > from ? ":" : "", i);
	return strbuf_take(&sb);
}

static void write_lower(const struct host *h, const char *text)
{
	char id[65];
	_cleanup_free_ char *path = str_format(OVERLAY2 "/%s/lower", make_id(MOUNT, id));

	host_write(h, path, text);
}

/* A container with the layers MOUNT, MOUNT-init, BUILT and one with 64 digits. */
static struct host make_overlay(void)
{
	struct host h = host_make();
	char mount[65], base[65];
	_cleanup_free_ char *init = str_format("%s-init", make_id(MOUNT, mount));
	_cleanup_free_ char *work = str_format(OVERLAY2 "/%s/work", mount);
	_cleanup_free_ char *lower = lower_of(1, 3);

	add_container(&h, STORE, WEB, "web");
	write_mount(&h, "overlay2", "mount-id", mount);
	write_mount(&h, "overlay2", "init-id", init);
	make_layer(&h, mount, 0);
	make_layer(&h, init, 1);
	make_layer(&h, BUILT, 2);
	make_layer(&h, make_id("ba5e", base), 3);
	host_mkdirs(&h, work);
	write_lower(&h, lower);
	return h;
}

/* ---- reading them ------------------------------------------------------------------------------------ */

struct seen {
	struct insp_sys *sys;
	struct insp_list list;
	struct insp_diags diags;
};

static struct seen look(const struct host *h)
{
	struct seen s = { .sys = host_open(h) };

	assert_int_equal(
		insp_list(s.sys, INSP_WANT_STOPPED | INSP_WANT_FILES, &s.list, &s.diags, NULL), 0);
	assert_int_equal(s.list.n, 1);
	return s;
}

static void forget(struct seen *s)
{
	insp_list_clear(&s->list);
	insp_diags_clear(&s->diags);
	insp_sys_close(s->sys);
}

static const struct insp_container *web_of(const struct seen *s)
{
	return s->list.items[0];
}

/* The container is listed, its layers are unknown, and one line says why. */
static void expect_unknown(const struct host *h, const char *why)
{
	struct seen s = look(h);

	assert_string_equal(web_of(&s)->name, "web");
	assert_null(web_of(&s)->layers);
	assert_int_equal(s.diags.n, 1);
	if (!strstr(s.diags.items[0].text, why))
		fail_msg("'%s' is not in '%s'", why, s.diags.items[0].text);
	forget(&s);
}

/* ---- what is there ----------------------------------------------------------------------------------- */

static void the_layers_of_overlay2_are_told_from_the_uppermost_down(void **state)
{
	struct host h = make_overlay();
	struct seen s = look(&h);
	const struct insp_layers *l = web_of(&s)->layers;
	char id[65];
	_cleanup_free_ char *upper = str_format("/" OVERLAY2 "/%s/diff", make_id(MOUNT, id));
	_cleanup_free_ char *work = str_format("/" OVERLAY2 "/%s/work", id);
	_cleanup_free_ char *init = str_format("/" OVERLAY2 "/%s-init/diff", id);

	assert_int_equal(s.diags.n, 0);
	assert_non_null(l);
	assert_int_equal(l->kind, INSP_ROOT_OVERLAY);
	assert_string_equal(l->upper, upper);
	assert_string_equal(l->work, work);
	assert_int_equal(l->n_lowers, 3);
	assert_string_equal(l->lowers[0], init);
	assert_string_equal(l->lowers[1], "/" OVERLAY2 "/" BUILT "/diff");
	assert_int_equal(l->n_engine, 1);
	forget(&s);
	host_remove(&h);
}

static void layers_that_no_container_owns_do_not_matter(void **state)
{
	struct host h = make_overlay();
	struct seen s;

	make_layer(&h, "nobodys", 7);
	host_mkdirs(&h, OVERLAY2 "/not a layer");
	host_write(&h, OVERLAY2 "/backingFsBlockDev", "");
	make_link(&h, "/etc", OVERLAY2 "/outside");
	make_link(&h, "LOOP", OVERLAY2 "/l/LOOP");
	s = look(&h);
	assert_int_equal(s.diags.n, 0);
	assert_int_equal(web_of(&s)->layers->n_lowers, 3);
	forget(&s);
	host_remove(&h);
}

static void a_vfs_root_is_a_tree_and_the_one_it_began_as(void **state)
{
	struct host h = host_make();
	char id[65], mount[65];
	_cleanup_free_ char *path =
		str_format(STORE "/containers/%s/config.v2.json", make_id(WEB, id));
	_cleanup_free_ char *record = make_record(id, "web", STATE_EXITED);
	_cleanup_free_ char *init = str_format("%s-init", make_id(MOUNT, mount));
	_cleanup_free_ char *tree = str_format(STORE "/vfs/dir/%s", mount);
	_cleanup_free_ char *began = str_format(STORE "/vfs/dir/%s", init);
	char *driver = strstr(record, "\"overlay2\"");
	struct seen s;

	memcpy(driver, "\"vfs\"     ", strlen("\"overlay2\""));
	host_write(&h, path, record);
	write_mount(&h, "vfs", "mount-id", mount);
	write_mount(&h, "vfs", "init-id", init);
	host_mkdirs(&h, tree);
	host_mkdirs(&h, began);
	s = look(&h);
	assert_int_equal(s.diags.n, 0);
	assert_int_equal(web_of(&s)->layers->kind, INSP_ROOT_DIR);
	assert_string_equal(web_of(&s)->layers->upper + 1, tree);
	assert_int_equal(web_of(&s)->layers->n_lowers, 1);
	assert_string_equal(web_of(&s)->layers->lowers[0] + 1, began);
	assert_int_equal(web_of(&s)->layers->n_engine, 1);
	forget(&s);
	host_remove(&h);
}

static void five_hundred_layers_are_read_and_one_more_is_too_many(void **state)
{
	struct host h = make_overlay();
	char id[65];
	_cleanup_free_ char *most = NULL, *more = NULL;
	struct seen s;

	for (size_t i = 4; i <= CONTAINER_LAYERS_MAX + 1; i++) {
		char digits[16];

		snprintf(digits, sizeof(digits), "%zu", i);
		make_layer(&h, make_id(digits, id), i);
	}
	most = lower_of(1, CONTAINER_LAYERS_MAX);
	write_lower(&h, most);
	s = look(&h);
	assert_int_equal(web_of(&s)->layers->n_lowers, CONTAINER_LAYERS_MAX);
	forget(&s);
	more = lower_of(1, CONTAINER_LAYERS_MAX + 1);
	write_lower(&h, more);
	expect_unknown(&h, "more than 500 layers");
	host_remove(&h);
}

/* ---- what would lead outside --------------------------------------------------------------------------- */

static void a_lower_file_that_names_anything_but_links_is_refused(void **state)
{
	static const char *const hostile[] = {
		"/etc",	    "l/../../../../../../etc",
		"../l/A",   "l/A:",
		":l/A",	    "l/",
		"l/A::l/B", "l/A/B",
		"l/.",	    "l/..",
		"l/A\n",    "L/A",
		"l/A:/etc", "l",
		"x",	    "l/a-b",
		"l//A",	    "l/A l/B",
	};
	struct host h = make_overlay();

	make_layer(&h, "a", 0);
	make_link(&h, "../a/diff", OVERLAY2 "/l/A");
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		write_lower(&h, hostile[i]);
		expect_unknown(&h, "is no list of layers");
	}
	host_remove(&h);
}

static void a_link_that_leads_anywhere_but_to_a_layer_is_refused(void **state)
{
	static const char *const hostile[] = {
		"/etc",
		"/etc/diff",
		"../../../../../etc/diff",
		"../diff",
		"..",
		"../" BUILT,
		"../" BUILT "/",
		"../" BUILT "/diff/../../../../etc",
		"../" BUILT "/diff/",
		"../" BUILT "/../" BUILT "/diff",
		"../l/A",
		"A",
		"../.././diff",
		"../.../diff",
		"../-init/diff",
		"./../" BUILT "/diff",
		"../A B/diff",
	};
	struct host h = make_overlay();

	host_mkdirs(&h, "etc/diff");
	write_lower(&h, "l/A");
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		make_link(&h, hostile[i], OVERLAY2 "/l/A");
		expect_unknown(&h, "leads to no layer");
	}
	host_remove(&h);
}

static void links_in_a_circle_are_not_followed(void **state)
{
	struct host h = make_overlay();

	make_link(&h, "B", OVERLAY2 "/l/A");
	make_link(&h, "A", OVERLAY2 "/l/B");
	write_lower(&h, "l/A:l/B");
	expect_unknown(&h, "leads to no layer");
	host_remove(&h);
}

/* Names that are right, with a link in the place of a directory. */
static void a_layer_that_is_a_link_is_refused(void **state)
{
	struct host h = make_overlay();

	host_mkdirs(&h, "etc/diff");
	make_link(&h, "../../../../etc", OVERLAY2 "/linked");
	make_link(&h, "../linked/diff", OVERLAY2 "/l/A");
	write_lower(&h, "l/A");
	expect_unknown(&h, "layer 'overlay2/linked/diff': ");
	host_mkdirs(&h, OVERLAY2 "/inner");
	make_link(&h, "/etc", OVERLAY2 "/inner/diff");
	make_link(&h, "../inner/diff", OVERLAY2 "/l/A");
	expect_unknown(&h, "layer 'overlay2/inner/diff': ");
	make_link(&h, "../gone/diff", OVERLAY2 "/l/A");
	expect_unknown(&h, "layer 'overlay2/gone/diff': No such file");
	host_remove(&h);
}

static void a_store_whose_directories_are_links_is_refused(void **state)
{
	struct host h = make_overlay();

	assert_int_equal(renameat(h.fd, OVERLAY2 "/l", h.fd, "links"), 0);
	make_link(&h, "../../../../links", OVERLAY2 "/l");
	expect_unknown(&h, "open 'overlay2/l'");
	assert_int_equal(renameat(h.fd, OVERLAY2, h.fd, "elsewhere"), 0);
	make_link(&h, "/elsewhere", OVERLAY2);
	expect_unknown(&h, "open '/" OVERLAY2 "'");
	host_remove(&h);
}

static void a_mount_id_that_is_none_is_refused(void **state)
{
	static const char *const hostile[] = {
		"", "../../../../etc", "/etc", "..", ".", "a/b", "l/A", "\n", "-init", "ABC",
	};
	struct host h = make_overlay();
	char longest[128], id[65];
	_cleanup_free_ char *path = NULL;

	host_mkdirs(&h, "etc/diff");
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		write_mount(&h, "overlay2", "mount-id", hostile[i]);
		expect_unknown(&h, "'mount-id' names no layer");
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	write_mount(&h, "overlay2", "mount-id", longest);
	expect_unknown(&h, "'mount-id' names no layer");
	path = str_format(LAYERDB, "overlay2", make_id(WEB, id), "mount-id");
	assert_int_equal(unlinkat(h.fd, path, 0), 0);
	assert_int_equal(mkfifoat(h.fd, path, 0600), 0);
	expect_unknown(&h, "'mount-id' names no layer");
	make_link(&h, "/etc/passwd", path);
	expect_unknown(&h, "'mount-id' names no layer");
	host_remove(&h);
}

static void a_lower_file_that_is_no_file_or_endless_is_refused(void **state)
{
	struct host h = make_overlay();
	char id[65];
	_cleanup_free_ char *path = str_format(OVERLAY2 "/%s/lower", make_id(MOUNT, id));
	int fd;

	fd = openat(h.fd, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	expect_unknown(&h, "lower': File too large");
	assert_int_equal(unlinkat(h.fd, path, 0), 0);
	assert_int_equal(mkfifoat(h.fd, path, 0600), 0);
	expect_unknown(&h, "lower': ");
	make_link(&h, "/etc/passwd", path);
	expect_unknown(&h, "lower': ");
	host_remove(&h);
}

/* ---- containers on their way in or out ------------------------------------------------------------------- */

static void without_a_mount_the_layers_are_unknown_and_nothing_is_said(void **state)
{
	struct host h = host_make();
	struct seen s;

	add_container(&h, STORE, WEB, "web");
	s = look(&h);
	assert_null(web_of(&s)->layers);
	assert_int_equal(s.diags.n, 0);
	forget(&s);
	host_remove(&h);
}

static void a_container_that_is_being_removed_has_lost_its_layers_without_a_word(void **state)
{
	struct host h = host_make();
	char id[65], mount[65];
	_cleanup_free_ char *path =
		str_format(STORE "/containers/%s/config.v2.json", make_id(WEB, id));
	_cleanup_free_ char *record = make_record(
		id, "web", "{\"Running\":false,\"Dead\":true,\"Pid\":0,\"ExitCode\":0}");
	struct seen s;

	host_write(&h, path, record);
	write_mount(&h, "overlay2", "mount-id", make_id(MOUNT, mount));
	s = look(&h);
	assert_null(web_of(&s)->layers);
	assert_int_equal(s.diags.n, 0);
	forget(&s);
	host_remove(&h);
}

/* ---- mounts ------------------------------------------------------------------------------------------------ */

static const char mount_points[] =
	"{\"State\":{},\"MountPoints\":{"
	"\"/a\":{\"Type\":\"volume\",\"Name\":\"v1\",\"Source\":\"\",\"RW\":true,\"Driver\":\"local\"},"
	"\"/b\":{\"Type\":\"bind\",\"Name\":\"\",\"Source\":\"/host\",\"RW\":false},"
	"\"/c\":{\"Name\":\"old\",\"Source\":\"/x/_data\",\"RW\":true},"
	"\"/d\":{\"Type\":\"volume\",\"Name\":\"../../etc\",\"Driver\":\"local\",\"RW\":true},"
	"\"/e\":{\"Type\":\"volume\",\"Name\":\"nfs\",\"Driver\":\"netapp\",\"RW\":true},"
	"\"/f\":7,\"\":{\"Type\":\"bind\"}}}";

static void expect_mount(const struct insp_container *c, size_t i, const struct insp_mount *m)
{
	assert_true(i < c->n_mounts);
	assert_string_equal(c->mounts[i].type, m->type);
	assert_true(str_eq(c->mounts[i].name, m->name));
	assert_true(str_eq(c->mounts[i].source, m->source));
	assert_string_equal(c->mounts[i].destination, m->destination);
	assert_int_equal(c->mounts[i].read_only, m->read_only);
}

static void mounts_of_the_configuration_are_told(void **state)
{
	static const struct insp_mount expect[] = {
		{ (char *)"volume", (char *)"v1", (char *)"/root/volumes/v1/_data", (char *)"/a",
		  false },
		{ (char *)"bind", NULL, (char *)"/host", (char *)"/b", true },
		{ (char *)"volume", (char *)"old", (char *)"/x/_data", (char *)"/c", false },
		{ (char *)"volume", (char *)"../../etc", NULL, (char *)"/d", false },
		{ (char *)"volume", (char *)"nfs", NULL, (char *)"/e", false },
		{ (char *)"tmpfs", NULL, NULL, (char *)"/t", false },
		{ (char *)"tmpfs", NULL, NULL, (char *)"/u", true },
	};
	static const char hostconfig[] = "{\"Tmpfs\":{\"/t\":\"size=1m\",\"/u\":\"rows=2,ro\"}}";
	_cleanup_docker_record_ struct docker_record rec = { 0 };
	_cleanup_container_ struct insp_container *c = container_new("docker", "id");
	_cleanup_json_ json_t *j = NULL;

	assert_int_equal(docker_record_parse(mount_points, strlen(mount_points), INSP_WANT_FILES,
					     &rec, NULL),
			 0);
	assert_int_equal(json_parse(hostconfig, strlen(hostconfig), &j, NULL), 0);
	assert_int_equal(docker_record_mounts(&rec, "/root", c), 0);
	assert_int_equal(docker_hostconfig_mounts(j, c), 0);
	assert_int_equal(c->n_mounts, ARRAY_SIZE(expect));
	for (size_t i = 0; i < ARRAY_SIZE(expect); i++)
		expect_mount(c, i, &expect[i]);
}

static void a_broken_hostconfig_hides_only_what_is_in_it(void **state)
{
	struct host h = make_overlay();
	char id[65];
	_cleanup_free_ char *path =
		str_format(STORE "/containers/%s/hostconfig.json", make_id(WEB, id));
	struct seen s;

	host_write(&h, path, "{\"Tmpfs\":{\"/t\":\"");
	s = look(&h);
	assert_int_equal(s.diags.n, 1);
	assert_non_null(strstr(s.diags.items[0].text, "hostconfig.json"));
	assert_non_null(web_of(&s)->layers);
	forget(&s);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layers_of_overlay2_are_told_from_the_uppermost_down),
		cmocka_unit_test(layers_that_no_container_owns_do_not_matter),
		cmocka_unit_test(a_vfs_root_is_a_tree_and_the_one_it_began_as),
		cmocka_unit_test(five_hundred_layers_are_read_and_one_more_is_too_many),
		cmocka_unit_test(a_lower_file_that_names_anything_but_links_is_refused),
		cmocka_unit_test(a_link_that_leads_anywhere_but_to_a_layer_is_refused),
		cmocka_unit_test(links_in_a_circle_are_not_followed),
		cmocka_unit_test(a_layer_that_is_a_link_is_refused),
		cmocka_unit_test(a_store_whose_directories_are_links_is_refused),
		cmocka_unit_test(a_mount_id_that_is_none_is_refused),
		cmocka_unit_test(a_lower_file_that_is_no_file_or_endless_is_refused),
		cmocka_unit_test(without_a_mount_the_layers_are_unknown_and_nothing_is_said),
		cmocka_unit_test(
			a_container_that_is_being_removed_has_lost_its_layers_without_a_word),
		cmocka_unit_test(mounts_of_the_configuration_are_told),
		cmocka_unit_test(a_broken_hostconfig_hides_only_what_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
