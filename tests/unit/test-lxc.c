/* lxc's configs, LXD's and incus' records, and what a monitor is believed of. No engine runs. */
#include "docker-store.h"
#include "prereq.h"

#include "libinspect/base/yaml.h"
#include "libinspect/engines/lxc/config.h"
#include "libinspect/engines/lxc/monitor.h"
#include "libinspect/engines/lxc/record.h"

#include <sys/stat.h>

#define WANT (INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES)

static void a_config_is_read(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	const struct insp_container *c;
	struct insp_list list;

	host_write(&h, "var/lib/lxc/web/config",
		   "# a comment\n\n"
		   "lxc.uts.name = inside\n"
		   "lxc.rootfs.path = dir:/var/lib/lxc/web/rootfs\n"
		   "lxc.console.logfile=/var/lib/lxc/web/log\n"
		   "lxc.init.cmd = \"/bin/sh /x\"\n"
		   "lxc.mount.entry = /srv/a\\040b mnt/data none bind,ro 0 0\n"
		   "lxc.mount.entry = proc proc proc nosuid 0 0\n"
		   "lxc.mount.entry = /y /var/lib/lxc/web/rootfs/z none rbind 0 0\n"
		   "lxc.mount.entry = /y /elsewhere none rbind 0 0\n"
		   "lxc.mount.entry = short\n"
		   "nonsense\n = \nlxc.uts.name\n");
	host_write(&h, "var/lib/lxc/lxc-cache/other", "x");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 1);
	c = list.items[0];
	assert_string_equal(c->engine, "lxc");
	assert_string_equal(c->id, "web");
	assert_string_equal(c->name, "web");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, INSP_EXIT_UNSET);
	assert_int_equal(c->created, 0);
	assert_null(c->image);
	assert_string_equal(c->hostname, "inside");
	assert_string_equal(c->command, "/bin/sh /x");
	assert_string_equal(c->log_path, "/var/lib/lxc/web/log");
	assert_int_equal(c->layers->kind, INSP_ROOT_DIR);
	assert_string_equal(c->layers->upper, "/var/lib/lxc/web/rootfs");
	assert_int_equal(c->n_mounts, 2);
	assert_string_equal(c->mounts[0].type, "bind");
	assert_string_equal(c->mounts[0].source, "/srv/a b");
	assert_string_equal(c->mounts[0].destination, "/mnt/data");
	assert_true(c->mounts[0].read_only);
	assert_string_equal(c->mounts[1].destination, "/z");
	insp_list_clear(&list);
	host_remove(&h);
}

static void roots_of_every_kind_are_told_apart(void **state)
{
	struct insp_layers *l;

	assert_int_equal(lxc_config_layers("overlay:/b/rootfs:/m/delta:/s/overlay/delta", NULL, &l),
			 0);
	assert_int_equal(l->kind, INSP_ROOT_OVERLAY);
	assert_int_equal(l->n_lowers, 2);
	assert_string_equal(l->lowers[0], "/b/rootfs");
	assert_string_equal(l->lowers[1], "/m/delta");
	assert_string_equal(l->upper, "/s/overlay/delta");
	assert_string_equal(l->work, "/s/overlay/work");
	container_layers_free(l);
	assert_int_equal(lxc_config_layers("/plain", NULL, &l), 0);
	assert_string_equal(l->upper, "/plain");
	container_layers_free(l);
	assert_int_equal(lxc_config_layers("btrfs:/vol/r", NULL, &l), 0);
	assert_string_equal(l->upper, "/vol/r");
	container_layers_free(l);
	static const char *const unknown[] = {
		"zfs:tank/lxc/x", "lvm:/dev/vg/x",    "/",
		"overlay:",	  "overlay:/only",    "overlay:rel:/abs",
		"dir:rel",	  "dir:/a/../../etc", ""
	};
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		assert_int_equal(lxc_config_layers(unknown[i], NULL, &l), 0);
		if (strcmp(unknown[i], "/") != 0)
			assert_null(l);
		container_layers_free(l);
	}
}

/* A user's config names files of root's. */
static void a_users_config_leads_nowhere_else(void **state)
{
	struct insp_diags diags = { 0 };
	const struct insp_container *c;
	char path[PATH_MAX], passwd[64];
	struct insp_list list;
	struct host h;

	NEED_ROOT();
	h = host_make();
	snprintf(passwd, sizeof(passwd), "ann:x:4321:4321::/home/ann:/bin/sh\n");
	host_write(&h, "etc/passwd", passwd);
	host_write(&h, "etc/secret", "lxc.uts.name = stolen\n");
	host_write(&h, "home/ann/.local/share/lxc/mine/config",
		   "lxc.include = /etc/secret\n"
		   "lxc.rootfs.path = dir:/root\n"
		   "lxc.console.logfile = /etc/shadow\n");
	host_write(&h, "home/ann/.local/share/lxc/over/config",
		   "lxc.rootfs.path = overlay:/root:/home/ann/.local/share/lxc/over/delta\n");
	host_write(&h, "home/ann/.local/share/lxc/good/config",
		   "lxc.rootfs.path = dir:/home/ann/.local/share/lxc/good/rootfs\n");
	host_mkdirs(&h, "home/ann/.local/share/lxc/link");
	host_mkdirs(&h, "home/ann/.local/share/lxc/fifo");
	assert_int_equal(symlinkat("/etc/secret", h.fd, "home/ann/.local/share/lxc/link/config"),
			 0);
	assert_int_equal(mkfifoat(h.fd, "home/ann/.local/share/lxc/fifo/config", 0600), 0);
	snprintf(path, sizeof(path), "%s/home/ann/.local/share/lxc", h.root);
	assert_int_equal(chown(path, 4321, 4321), 0);
	list = host_list(&h, WANT, &diags);
	assert_int_equal(diags.n, 2);
	assert_int_equal(list.n, 3);
	c = find_name(&list, "mine");
	assert_int_equal(c->owner, 4321);
	assert_null(c->hostname);
	assert_null(c->layers);
	assert_null(c->rootfs);
	assert_null(c->log_path);
	assert_null(find_name(&list, "over")->layers);
	assert_non_null(find_name(&list, "good")->layers);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

static void an_lxcpath_of_somebody_else_is_not_the_users(void **state)
{
	struct insp_diags diags = { 0 };
	struct insp_list list;
	struct host h;

	NEED_ROOT();
	h = host_make();
	host_write(&h, "etc/passwd", "ann:x:4321:4321::/home/ann:/bin/sh\n");
	host_write(&h, "home/ann/.config/lxc/lxc.conf", "lxc.lxcpath = /srv/roots\n");
	host_write(&h, "srv/roots/web/config", "lxc.uts.name = w\n");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 0);
	insp_list_clear(&list);
	/* the same as root's own */
	host_write(&h, "etc/lxc/lxc.conf", "# x\n lxc.lxcpath=/srv/roots\n");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0]->store, "/srv/roots");
	assert_int_equal(diags.n, 0);
	insp_list_clear(&list);
	host_remove(&h);
}

static void includes_are_roots_and_bounded(void **state)
{
	struct insp_diags diags = { 0 };
	const struct insp_container *c;
	struct insp_list list;
	char path[PATH_MAX];
	struct host h;

	NEED_ROOT();
	h = host_make();
	host_write(&h, "usr/share/common.conf",
		   "lxc.uts.name = common\nlxc.init.cmd = /sbin/init\n"
		   "lxc.include = /usr/share/common.conf\nlxc.include = /usr/share/conf.d\n");
	host_write(&h, "usr/share/conf.d/a.conf", "lxc.mount.entry = /a a none bind 0 0\n");
	host_write(&h, "usr/share/conf.d/b.txt", "lxc.mount.entry = /b b none bind 0 0\n");
	host_write(&h, "srv/anybodys.conf", "lxc.console.logfile = /stolen\n");
	snprintf(path, sizeof(path), "%s/srv/anybodys.conf", h.root);
	assert_int_equal(chmod(path, 0666), 0);
	host_write(&h, "var/lib/lxc/web/config",
		   "lxc.include = /usr/share/common.conf\nlxc.uts.name = own\n"
		   "lxc.include = /srv/anybodys.conf\nlxc.include = /usr/../srv/x\n");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 1);
	c = list.items[0];
	assert_string_equal(c->hostname, "own");
	assert_string_equal(c->command, "/sbin/init");
	assert_null(c->log_path);
	assert_in_range(c->n_mounts, 1, LXC_INCLUDE_DEPTH);
	assert_string_equal(c->mounts[0].source, "/a");
	insp_list_clear(&list);
	host_remove(&h);
}

static void names_may_be_given_in_every_store(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	host_write(&h, "var/lib/lxc/web/config", "lxc.uts.name = w\n");
	host_mkdirs(&h, "var/lib/lxd/containers/web");
	host_mkdirs(&h, "var/lib/incus/containers/web");
	host_write(&h, "run/runc/web/state.json", "{\"id\":\"web\",\"config\":{}}");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 4);
	insp_list_clear(&list);
	host_remove(&h);
}

/* ---- LXD ---- */

#define POOL "var/lib/lxd/storage-pools/default/containers/"

static void add_link(const struct host *h, const char *name, const char *target)
{
	char path[PATH_MAX];

	host_mkdirs(h, "var/lib/lxd/containers");
	snprintf(path, sizeof(path), "var/lib/lxd/containers/%s", name);
	assert_int_equal(symlinkat(target, h->fd, path), 0);
}

static void a_record_of_lxd_is_read(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	const struct insp_container *c;
	struct insp_list list;

	/* where the daemon saw its directory need not be where this host has it */
	add_link(&h, "p2_web", "/elsewhere/lxd/storage-pools/default/containers/p2_web");
	host_mkdirs(&h, POOL "p2_web/rootfs");
	host_write(&h, POOL "p2_web/backup.yaml",
		   "container:\n  created_at: 2026-11-22T05:42:01.012963631Z\n  project: p2\n"
		   "  status: Running\n"
		   "  config: {user.tier: own}\n"
		   "  expanded_config:\n    image.description: Debian 12\n    user.tier: front\n"
		   "    volatile.base_image: f2944f\n"
		   "  expanded_devices:\n    root: {path: /, pool: default, type: disk}\n"
		   "    d: {path: /mnt, source: /srv, type: disk, readonly: \"true\"}\n"
		   "    v: {path: /vol, source: v1, pool: default, type: disk}\n"
		   "    e: {type: nic, path: /x, source: /y}\n");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 1);
	c = list.items[0];
	assert_string_equal(c->engine, "lxd");
	assert_string_equal(c->id, "p2_web");
	assert_string_equal(c->name, "web");
	assert_string_equal(c->project, "p2");
	assert_string_equal(c->image, "Debian 12");
	assert_string_equal(c->image_id, "f2944f");
	assert_int_equal(c->created / 1000000000, 1795326121);
	/* the record's own word on its state is never true */
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_string_equal(insp_container_label(c, "user.tier"), "front");
	assert_int_equal(c->n_labels, 1);
	assert_int_equal(c->layers->kind, INSP_ROOT_DIR);
	assert_string_equal(c->layers->upper, "/" POOL "p2_web/rootfs");
	assert_int_equal(c->n_mounts, 2);
	assert_true(c->mounts[0].read_only);
	assert_string_equal(c->mounts[1].source, "/var/lib/lxd/storage-pools/default/custom/p2_v1");
	insp_list_clear(&list);
	host_remove(&h);
}

static void a_pool_that_is_not_mounted_leaves_the_name(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	add_link(&h, "web", "/var/lib/lxd/storage-pools/zpool/containers/web");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0]->name, "web");
	assert_string_equal(list.items[0]->project, "default");
	assert_null(list.items[0]->layers);
	assert_null(list.items[0]->image);
	insp_list_clear(&list);
	host_remove(&h);
}

static void links_that_lead_out_of_the_pools_are_not_followed(void **state)
{
	static const char *const targets[] = { "/etc",
					       "/etc/containers/a",
					       "storage-pools/..",
					       "/x/storage-pools/../containers/a",
					       "/x/storage-pools//containers/a",
					       "/x/storage-pools/a/b/containers/a",
					       "/x/storage-pools/default/containers/other" };
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	host_write(&h, "etc/containers/a/backup.yaml", "container: {project: stolen}\n");
	host_write(&h, POOL "other/backup.yaml", "container: {project: stolen}\n");
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		char name[16] = { 0 };

		snprintf(name, sizeof(name), "%c", 'a' + (int)i);
		add_link(&h, name, targets[i]);
	}
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, ARRAY_SIZE(targets));
	for (size_t i = 0; i < list.n; i++) {
		assert_string_equal(list.items[i]->project, "default");
		assert_null(list.items[i]->layers);
	}
	insp_list_clear(&list);
	host_remove(&h);
}

static void damaged_records_are_named_and_listed(void **state)
{
	static const char *const texts[] = {
		"",
		"container: [",
		"container: 7\n",
		"- a\n",
		"other: {}\n",
		"container: {a: \"\\0\"}\n",
		"a: &a [x]\ncontainer: {b: *a}\n",
	};
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char name[8], path[PATH_MAX];

		snprintf(name, sizeof(name), "c%zu", i);
		snprintf(path, sizeof(path), "/x/storage-pools/default/containers/%s", name);
		add_link(&h, name, path);
		snprintf(path, sizeof(path), POOL "%s/backup.yaml", name);
		host_write(&h, path, texts[i]);
	}
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, ARRAY_SIZE(texts));
	assert_int_equal(diags.n, ARRAY_SIZE(texts));
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

/* Nine lines that would be a thousand million strings. */
static void an_alias_bomb_is_refused(void **state)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	struct insp_err err = { 0 };
	json_t *j = NULL;

	strbuf_puts(&sb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 9; i++)
		strbuf_printf(&sb,
			      "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i,
			      i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
			      i - 1);
	assert_int_equal(yaml_parse(sb.buf, sb.len, &j, &err), -EBADMSG);
	assert_string_equal(err.text, "not YAML: line 2: an alias");
	assert_null(j);
}

static void nesting_has_an_end(void **state)
{
	char text[4096];
	struct insp_err err = { 0 };
	json_t *j = NULL;

	memset(text, '[', sizeof(text));
	assert_int_equal(yaml_parse(text, sizeof(text), &j, &err), -EBADMSG);
	assert_string_equal(err.text, "not YAML: line 1: nested too deep");
	assert_int_equal(yaml_parse("a: [1, {b: c}]\nd: ~\n", 20, &j, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(j, "d")), "~");
	assert_int_equal(json_array_size(json_object_get(j, "a")), 2);
	json_decref(j);
}

/* ---- monitors ---- */

static void a_monitors_title_is_parsed(void **state)
{
	char *path = NULL, *name = NULL;
	static const char *const bad[] = { "[lxc monitor] ",	  "[lxc monitor] /a",
					   "[lxc monitor] a b",	  "[lxc monitor] /a ",
					   "[lxc monitors] /a b", "lxc-start" };
	const char *text = "[lxc monitor] /a b//  c1\0x";

	assert_int_equal(lxc_monitor_parse(text, 26, &path, &name), 0);
	assert_string_equal(name, "c1");
	assert_string_equal(path, "/a b// ");
	free(path);
	free(name);
	assert_int_equal(lxc_monitor_parse("[lxc monitor] /a/ c", 19, &path, &name), 0);
	assert_string_equal(path, "/a");
	free(path);
	free(name);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(lxc_monitor_parse(bad[i], strlen(bad[i]), &path, &name), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_config_is_read),
		cmocka_unit_test(roots_of_every_kind_are_told_apart),
		cmocka_unit_test(a_users_config_leads_nowhere_else),
		cmocka_unit_test(an_lxcpath_of_somebody_else_is_not_the_users),
		cmocka_unit_test(includes_are_roots_and_bounded),
		cmocka_unit_test(names_may_be_given_in_every_store),
		cmocka_unit_test(a_record_of_lxd_is_read),
		cmocka_unit_test(a_pool_that_is_not_mounted_leaves_the_name),
		cmocka_unit_test(links_that_lead_out_of_the_pools_are_not_followed),
		cmocka_unit_test(damaged_records_are_named_and_listed),
		cmocka_unit_test(an_alias_bomb_is_refused),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(a_monitors_title_is_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
