/* runc's records, and which of several stores' records of one container is kept. */
#include "docker-store.h"
#include "prereq.h"

#include "libinspect/engines/oci/runtime.h"

#define WANT (INSP_WANT_STOPPED | INSP_WANT_DETAIL)

#define STATE                                                                                \
	"{\"id\":\"app\",\"init_process_pid\":12,\"init_process_start\":34,"                 \
	"\"created\":\"2026-11-22T02:23:50.69310038Z\",\"config\":{\"rootfs\":\"/srv/b/r\"," \
	"\"hostname\":\"hh\",\"labels\":[\"bundle=/srv/b\",\"k=v=w\",\"nonsense\",\"=x\",7]}}"

static void a_record_is_read_with_its_bundle(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	const struct insp_container *c;
	struct insp_list list;

	host_write(&h, "run/runc/app/state.json", STATE);
	host_write(&h, "srv/b/config.json", "{\"process\":{\"args\":[\"sleep\",\"1\"]}}");
	host_mkdirs(&h, "run/runc/half-made");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 1);
	c = list.items[0];
	assert_string_equal(c->engine, "runc");
	assert_string_equal(c->name, "app");
	assert_string_equal(c->rootfs, "/srv/b/r");
	assert_string_equal(c->hostname, "hh");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, INSP_EXIT_UNSET);
	assert_int_equal(c->created / 1000000, 1795314230693);
	/* of the annotations only those that are the user's */
	assert_int_equal(c->n_labels, 1);
	assert_string_equal(insp_container_label(c, "k"), "v=w");
	/* a bundle is believed of root's store only; a test need not run as root */
	if (geteuid() == 0)
		assert_string_equal(c->command, "sleep 1");
	insp_list_clear(&list);
	host_remove(&h);
}

static void stopped_ones_are_left_out_when_not_asked_for(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	host_write(&h, "run/runc/app/state.json", STATE);
	list = host_list(&h, 0, &diags);
	assert_int_equal(list.n, 0);
	insp_list_clear(&list);
	host_remove(&h);
}

static void damaged_records_are_named_and_the_rest_listed(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	host_write(&h, "run/runc/app/state.json", STATE);
	host_write(&h, "run/runc/empty/state.json", "");
	host_write(&h, "run/runc/torn/state.json", "{\"id\":\"torn\",\"config\":{\"roo");
	host_mkdirs(&h, "run/runc/fifo");
	assert_int_equal(mkfifoat(h.fd, "run/runc/fifo/state.json", 0600), 0);
	host_write(&h, "run/runc/no-directory", "");
	/* another id inside than outside: the directory's counts; no object at all: nothing is known */
	host_write(&h, "run/runc/odd/state.json", "[1,2]");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(diags.n, 3);
	assert_int_equal(list.n, 2);
	assert_non_null(find_name(&list, "app"));
	assert_non_null(find_name(&list, "odd"));
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

static void the_engine_above_a_runtime_has_the_word(void **state)
{
	_cleanup_free_ char *path = NULL, *list_json = NULL;
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;
	char id[65];

	make_id("ab", id);
	path = str_format("run/runc/%s/state.json", id);
	host_write(&h, path, STATE);
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0]->engine, "runc");
	insp_list_clear(&list);
	list_json = str_format("[{\"id\":\"%s\",\"metadata\":\"{\\\"name\\\":\\\"web\\\"}\"}]", id);
	host_write(&h, "var/lib/containers/storage/overlay-containers/containers.json", list_json);
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0]->engine, "podman");
	insp_diags_clear(&diags);
	insp_list_clear(&list);
	host_remove(&h);
}

static void the_record_behind_an_engine_tells_its_init(void **state)
{
	struct host h = host_make();
	struct runtime_init init;

	host_write(&h, "state.json", STATE);
	assert_int_equal(runtime_runc.read_init(h.fd, IO_STATE_MAX, &init), 0);
	assert_int_equal(init.pid, 12);
	assert_int_equal(init.start, 34);
	host_write(&h, "state.json", "{\"init_process_pid\":12}");
	assert_int_equal(runtime_runc.read_init(h.fd, IO_STATE_MAX, &init), -EBADMSG);
	host_remove(&h);
}

static void a_users_records_count_below_the_users_own_directory(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;
	char path[64];

	/* the files are the test's user's: the directory of another uid is not theirs */
	snprintf(path, sizeof(path), "run/user/%u/runc/mine/state.json", (unsigned)geteuid());
	host_write(&h, path, STATE);
	snprintf(path, sizeof(path), "run/user/%u/runc/theirs/state.json", (unsigned)geteuid() + 1);
	host_write(&h, path, STATE);
	host_write(&h, "run/user/name/runc/nobodys/state.json", STATE);
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0]->id, "mine");
	assert_int_equal(list.items[0]->owner, geteuid());
	insp_list_clear(&list);
	host_remove(&h);
}

/* Another user's uid needs root to be given to a directory. */
static void a_users_share_of_a_list_is_bounded(void **state)
{
	struct insp_diags diags = { 0 };
	struct insp_list list;
	char *record = NULL, path[PATH_MAX];
	int pad = 900 * 1024;
	struct host h;

	NEED_ROOT();
	h = host_make();
	assert_true(asprintf(&record, "{\"id\":\"x\",\"config\":{\"hostname\":\"%0*d\"}}", pad, 0) >
		    0);
	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof(path), "run/user/1234/runc/c%d/state.json", i);
		host_write(&h, path, record);
		snprintf(path, sizeof(path), "run/runc/c%d-of-root/state.json", i);
		host_write(&h, path, STATE);
	}
	snprintf(path, sizeof(path), "%s/run/user/1234/runc", h.root);
	assert_int_equal(chown(path, 1234, 1234), 0);
	list = host_list(&h, WANT, &diags);
	assert_in_range(list.n, 60 + 30, 60 + 37);
	assert_int_equal(diags.n, 1);
	assert_string_equal(diags.items[0].text, "store '/run/user/1234/runc': user 1234 has more "
						 "than 32 MiB of records");
	free(record);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_with_its_bundle),
		cmocka_unit_test(stopped_ones_are_left_out_when_not_asked_for),
		cmocka_unit_test(damaged_records_are_named_and_the_rest_listed),
		cmocka_unit_test(the_engine_above_a_runtime_has_the_word),
		cmocka_unit_test(the_record_behind_an_engine_tells_its_init),
		cmocka_unit_test(a_users_records_count_below_the_users_own_directory),
		cmocka_unit_test(a_users_share_of_a_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
