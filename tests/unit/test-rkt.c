/* rkt's pods by their documented layout. */
#include "tests/unit/docker-store.h"

#include "libinspect/engines/rkt.h"

#include <sys/sysmacros.h>

#define PODS "var/lib/rkt/pods"
#define WANT (INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES)
#define ONE  "076292e6-54c4-4cc8-9fa7-679c5f7dcfd3"
#define TWO  "176292e6-54c4-4cc8-9fa7-679c5f7dcfd3"
#define RUN  "276292e6-54c4-4cc8-9fa7-679c5f7dcfd3"
#define APP(name)                                                        \
	"{\"name\":\"" name "\",\"image\":{\"name\":\"example.com/" name \
	"\",\"id\":\"sha512-ab\"},"                                      \
	"\"app\":{\"exec\":[\"/" name "\",\"-x\"]}}"

static void the_phase_is_the_state(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	const struct insp_container *c;
	struct insp_list list;

	host_write(
		&h, PODS "/exited-garbage/" ONE "/pod",
		"{\"apps\":[" APP("redis") "],\"annotations\":[{\"name\":\"k\",\"value\":\"v\"}]}");
	host_write(&h, PODS "/exited-garbage/" ONE "/stage1/rootfs/rkt/status/redis", "7\n");
	host_write(&h, PODS "/prepared/" TWO "/pod", "{\"apps\":[" APP("a") "," APP("b") "]}");
	host_write(&h, PODS "/run/" RUN "/pod", "{\"apps\":[" APP("web") "]}");
	host_write(&h, PODS "/run/" RUN "/overlay/abc/upper/rkt/status/web", "3");
	host_write(&h, PODS "/run/" RUN "/ppid", "1");
	host_mkdirs(&h, PODS "/prepare/376292e6-54c4-4cc8-9fa7-679c5f7dcfd3");
	host_mkdirs(&h, PODS "/run/not-a-pod");
	host_mkdirs(&h, PODS "/run/476292e6-54c4-4cc8-9fa7-679c5f7dcfd3");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 3);
	c = find_name(&list, "redis");
	assert_string_equal(c->engine, "rkt");
	assert_string_equal(c->id, ONE);
	assert_string_equal(c->image, "example.com/redis");
	assert_string_equal(c->command, "/redis -x");
	assert_string_equal(insp_container_label(c, "k"), "v");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, 7);
	assert_string_equal(c->layers->upper, "/" PODS "/exited-garbage/" ONE "/stage1/rootfs");
	c = find_name(&list, TWO);
	assert_int_equal(c->state, INSP_STATE_CREATED);
	assert_null(c->image);
	c = find_name(&list, "web");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, 3);
	assert_null(c->layers);
	insp_list_clear(&list);
	host_remove(&h);
}

static void a_pods_files_do_not_lead_outside(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	host_write(&h, "etc/redis", "9");
	host_write(&h, PODS "/run/" ONE "/pod", "{\"apps\":[" APP("redis") "]}");
	host_mkdirs(&h, PODS "/run/" ONE "/stage1/rootfs/rkt");
	assert_int_equal(symlinkat("../../../../../../../../../etc", h.fd,
				   PODS "/run/" ONE "/stage1/rootfs/rkt/status"),
			 0);
	host_write(&h, PODS "/run/" TWO "/pod", "{\"apps\":[" APP("../../pod") "]}");
	host_mkdirs(&h, PODS "/run/" TWO "/stage1/rootfs/rkt/status");
	host_write(&h, PODS "/run/" RUN "/pod", "{\"apps\":[{\"na");
	list = host_list(&h, WANT, &diags);
	assert_int_equal(list.n, 2);
	assert_int_equal(diags.n, 1);
	for (size_t i = 0; i < list.n; i++)
		assert_int_equal(list.items[i]->exit_code, INSP_EXIT_UNSET);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

static void the_lock_of_the_pods_directory_is_told_from_others(void **state)
{
	static const char locks[] = "1: POSIX  ADVISORY  WRITE 11 08:01:131075 0 EOF\n"
				    "2: FLOCK  ADVISORY  READ  12 08:01:131075 0 EOF\n"
				    "3: FLOCK  ADVISORY  WRITE 13 08:11:131075 0 EOF\n"
				    "4: FLOCK  ADVISORY  WRITE 14 08:01:13107 0 EOF\n"
				    "5: -> FLOCK  ADVISORY  WRITE 15 08:01:131075 0 EOF\n"
				    "6: FLOCK  ADVISORY  WRITE 16 08:01:131075 0 EOF\n";

	assert_int_equal(rkt_lock_holder(locks, strlen(locks), makedev(8, 1), 131075), 16);
	assert_int_equal(rkt_lock_holder(locks, strlen(locks), makedev(8, 0x11), 131075), 13);
	assert_int_equal(rkt_lock_holder(locks, strlen(locks), makedev(8, 1), 1), 0);
	for (size_t n = 0; n < strlen(locks); n++)
		(void)rkt_lock_holder(locks, n, makedev(8, 1), 131075);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_phase_is_the_state),
		cmocka_unit_test(a_pods_files_do_not_lead_outside),
		cmocka_unit_test(the_lock_of_the_pods_directory_is_told_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
