/* apptainer's instances in homes, on a host that is not the live one: good records, damaged and misplaced ones. */
#include "docker-store.h"
#include "torture.h"

#include "libinspect/engines/apptainer/apptainer.h"

#define INSTANCES "root/.apptainer/instances/app/h1/root/"

/* {"engineConfig":{"jsonConfig":{"image":"/srv/image","overlayImage":["/srv/ro:ro","/srv/rw"],
    "bindpath":[{"source":"/srv/v"}]}}} */
#define CONFIG                                                                                 \
	"eyJlbmdpbmVDb25maWciOnsianNvbkNvbmZpZyI6eyJpbWFnZSI6Ii9zcnYvaW1hZ2UiLCJvdmVybGF5SW1h" \
	"Z2UiOlsiL3Nydi9ybzpybyIsIi9zcnYvcnciXSwiYmluZHBhdGgiOlt7InNvdXJjZSI6Ii9zcnYvdiJ9XX19" \
	"fQ=="
#define RECORD(name)                                                                        \
	"{\"pid\":12,\"ppid\":11,\"name\":\"" name                                          \
	"\",\"image\":\"/srv/image\",\"config\":\"" CONFIG "\",\"logOutPath\":\"/log/" name \
	".out\"}"

static struct host make_host(void)
{
	struct host h = host_make();

	host_write(&h, "etc/passwd",
		   "root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n"
		   "daemon:x:2:2::/srv/daemon:/bin/false\n");
	return h;
}

static struct insp_list list_all(const struct host *h, struct insp_diags *diags)
{
	struct insp_sys *sys = host_open(h);
	struct insp_list list = { 0 };

	assert_int_equal(insp_list(sys, INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES,
				   &list, diags, NULL),
			 0);
	insp_sys_close(sys);
	return list;
}

static void instances_of_root_and_users_are_read(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = make_host();
	const struct insp_container *c;
	struct insp_list list;

	host_write(&h, INSTANCES "one/one.json", RECORD("one"));
	host_write(&h, "home/u/.singularity/instances/sing/h1/u/two/two.json", RECORD("two"));
	host_write(&h, "srv/daemon/.apptainer/instances/app/h1/d/no/no.json", RECORD("no"));
	host_mkdirs(&h, INSTANCES "made");
	host_mkdirs(&h, "srv/image");
	host_mkdirs(&h, "srv/ro/upper");
	host_mkdirs(&h, "srv/rw/upper");
	list = list_all(&h, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 2);
	c = find_name(&list, "one");
	assert_non_null(c);
	assert_string_equal(c->engine, "apptainer");
	assert_string_equal(c->image, "/srv/image");
	assert_string_equal(c->log_path, "/log/one.out");
	assert_string_equal(c->store, "/root/.apptainer");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, INSP_EXIT_UNSET);
	assert_int_equal(c->n_mounts, 1);
	assert_string_equal(c->mounts[0].destination, "/srv/v");
	assert_non_null(c->layers);
	assert_string_equal(c->layers->upper, "/srv/rw/upper");
	assert_int_equal(c->layers->n_lowers, 2);
	assert_string_equal(c->layers->lowers[0], "/srv/ro/upper");
	assert_string_equal(c->layers->lowers[1], "/srv/image");
	assert_string_equal(find_name(&list, "two")->store, "/home/u/.singularity");
	insp_list_clear(&list);
	host_remove(&h);
}

static void an_image_file_gives_no_layers(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = make_host();
	struct insp_list list;

	host_write(&h, INSTANCES "one/one.json", RECORD("one"));
	host_write(&h, "srv/image", "SIF");
	list = list_all(&h, &diags);
	assert_int_equal(list.n, 1);
	assert_null(list.items[0]->layers);
	insp_list_clear(&list);
	host_remove(&h);
}

static void what_cannot_be_read_is_named_and_the_rest_listed(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = make_host();
	struct insp_list list;

	host_write(&h, INSTANCES "good/good.json", RECORD("good"));
	host_write(&h, INSTANCES "torn/torn.json", "{\"pid\":1");
	host_write(&h, INSTANCES "liar/liar.json", RECORD("good"));
	host_write(&h, INSTANCES "code/code.json", "{\"name\":\"code\",\"config\":\"*\"}");
	host_mkdirs(&h, INSTANCES "fifo");
	assert_int_equal(mkfifoat(h.fd, INSTANCES "fifo/fifo.json", 0600), 0);
	host_mkdirs(&h, INSTANCES "link");
	assert_int_equal(symlinkat("../good/good.json", h.fd, INSTANCES "link/link.json"), 0);
	assert_int_equal(symlinkat("good", h.fd, INSTANCES "dirlink"), 0);
	list = list_all(&h, &diags);
	assert_int_equal(list.n, 2);
	assert_non_null(find_name(&list, "good"));
	assert_non_null(find_name(&list, "code"));
	assert_int_equal(diags.n, 5);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

static void try_config(const char *buf, size_t len)
{
	_cleanup_json_ json_t *record = json_object(), *config = NULL;
	struct insp_err err = { 0 };

	json_object_set_new(record, "config", json_stringn_nocheck(buf, len));
	(void)apptainer_config_decode(record, &config, &err);
}

static void damage_anywhere_is_survived(void **state)
{
	torture_str(CONFIG, try_config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_of_root_and_users_are_read),
		cmocka_unit_test(an_image_file_gives_no_layers),
		cmocka_unit_test(what_cannot_be_read_is_named_and_the_rest_listed),
		cmocka_unit_test(damage_anywhere_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
