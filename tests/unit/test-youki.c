/* Records in youki's documented form, and which process they are believed about. */
#include "docker-store.h"
#include "prereq.h"

#include "libinspect/container/container.h"
#include "libinspect/kernel/pid.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define WANT (INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES)

static char *make_state(const char *status, pid_t pid, int64_t created)
{
	time_t t = (time_t)created;
	char when[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S.123456789Z", &tm);
	return str_format(
		"{\"ociVersion\":\"v1.0.2\",\"id\":\"app\",\"status\":\"%s\",\"pid\":%d,"
		"\"bundle\":\"/srv/b\",\"annotations\":{\"k\":\"v\"},\"created\":\"%s\","
		"\"creator\":0,\"useSystemd\":false,\"cleanUpIntelRdtSubdirectory\":null}",
		status, (int)pid, when);
}

static void a_record_is_read(void **state)
{
	_cleanup_free_ char *ran = make_state("running", 12, 1795315778);
	_cleanup_free_ char *made = make_state("created", 12, 1795315778);
	struct insp_diags diags = { 0 };
	struct insp_list list = { 0 };
	struct host h = host_make();
	struct insp_sys *sys = host_open(&h);
	const struct insp_container *c;

	host_write(&h, "run/youki/app/state.json", ran);
	host_write(&h, "run/youki/app/youki_config.json", "{\"cgroup_path\":\"/youki/app\"}");
	host_write(&h, "run/youki/made/state.json", made);
	host_write(&h, "run/youki/torn/state.json", "{\"status\":");
	host_mkdirs(&h, "run/youki/link");
	assert_int_equal(symlinkat("../app/state.json", h.fd, "run/youki/link/state.json"), 0);
	host_write(
		&h, "srv/b/config.json",
		"{\"process\":{\"args\":[\"sleep\",\"1\"]},\"hostname\":\"hh\",\"root\":{\"path\":"
		"\"rootfs\"},\"mounts\":[{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"/s\"}]}");
	host_write(&h, "srv/b/rootfs/file", "");
	assert_int_equal(insp_list(sys, WANT, &list, &diags, NULL), 0);
	insp_sys_close(sys);
	assert_int_equal(list.n, 2);
	assert_int_equal(diags.n, 2);
	c = find_name(&list, "app");
	assert_non_null(c);
	assert_string_equal(c->engine, "youki");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, INSP_EXIT_UNSET);
	assert_int_equal(c->created / 1000000000, 1795315778);
	assert_string_equal(insp_container_label(c, "k"), "v");
	assert_string_equal(c->command, "sleep 1");
	assert_string_equal(c->hostname, "hh");
	assert_string_equal(c->rootfs, "/srv/b/rootfs");
	assert_int_equal(c->n_mounts, 1);
	assert_non_null(c->layers);
	assert_string_equal(c->layers->upper, "/srv/b/rootfs");
	assert_int_equal(find_name(&list, "made")->state, INSP_STATE_CREATED);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

/* The state that such a record comes to on this host. */
static enum insp_state state_live(const struct host *h, const char *status, pid_t pid,
				  int64_t created)
{
	_cleanup_free_ char *record = make_state(status, pid, created);
	struct insp_store store = { .engine = "youki", .path = h->root };
	struct insp_sys_opts opts = { .stores = &store, .n_stores = 1 };
	enum insp_state s = INSP_STATE_UNKNOWN;
	struct insp_list list = { 0 };
	struct insp_sys *sys = NULL;

	host_write(h, "app/state.json", record);
	assert_int_equal(insp_sys_open(&opts, &sys, NULL), 0);
	assert_int_equal(insp_list(sys, WANT, &list, NULL, NULL), 0);
	insp_sys_close(sys);
	for (size_t i = 0; i < list.n; i++)
		if (str_eq(list.items[i]->store, h->root))
			s = list.items[i]->state;
	insp_list_clear(&list);
	return s;
}

static void an_init_that_started_later_is_not_believed(void **state)
{
	int64_t now = (int64_t)time(NULL);
	struct host h;
	pid_t child;

	NEED_ROOT();
	h = host_make();
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	assert_int_equal(state_live(&h, "running", child, now), INSP_STATE_RUNNING);
	assert_int_equal(state_live(&h, "created", child, now), INSP_STATE_CREATED);
	assert_int_equal(state_live(&h, "running", child, now - 60), INSP_STATE_EXITED);
	assert_int_equal(state_live(&h, "running", child, now + 600), INSP_STATE_EXITED);
	assert_int_equal(state_live(&h, "running", 0, now), INSP_STATE_EXITED);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(state_live(&h, "created", child, now), INSP_STATE_EXITED);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read),
		cmocka_unit_test(an_init_that_started_later_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
