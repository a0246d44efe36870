/* crun's records: real ones, damaged ones, and whether the process they name is believed. */
#include "docker-store.h"
#include "prereq.h"
#include "torture.h"

#include "libinspect/engines/oci/runtime.h"
#include "libinspect/kernel/pid.h"

#include <signal.h>
#include <sys/wait.h>

#define FIXTURE "tests/fixtures/podman/crun-status.json"
#define WANT	(INSP_WANT_STOPPED | INSP_WANT_DETAIL)

static struct insp_list list_sys(struct insp_sys *sys, struct insp_diags *diags)
{
	struct insp_list list = { 0 };

	assert_int_equal(insp_list(sys, WANT, &list, diags, NULL), 0);
	insp_sys_close(sys);
	return list;
}

static char *make_status(pid_t pid, uint64_t start)
{
	return str_format("{\"pid\":%d,\"process-start-time\":%llu,\"rootfs\":\"rootfs\","
			  "\"bundle\":\"\\/srv\\/b\",\"created\":\"2026-11-22T02:49:38.738594Z\"}",
			  (int)pid, (unsigned long long)start);
}

static void a_record_is_read(void **state)
{
	_cleanup_free_ char *status = make_status(4295, 283811);
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	const struct insp_container *c;
	struct insp_list list;

	host_write(&h, "run/crun/app/status", status);
	host_write(&h, "run/crun/app/config.json",
		   "{\"process\":{\"args\":[\"sleep\",\"1\"]},\"hostname\":\"hh\","
		   "\"annotations\":{\"k\":\"v\"}}");
	host_mkdirs(&h, "run/crun/half-made");
	list = list_sys(host_open(&h), &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(list.n, 1);
	c = list.items[0];
	assert_string_equal(c->engine, "crun");
	assert_string_equal(c->id, "app");
	assert_string_equal(c->name, "app");
	assert_string_equal(c->rootfs, "/srv/b/rootfs");
	assert_string_equal(c->command, "sleep 1");
	assert_string_equal(c->hostname, "hh");
	assert_string_equal(insp_container_label(c, "k"), "v");
	assert_int_equal(c->created / 1000000, 1795315778738);
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, INSP_EXIT_UNSET);
	insp_list_clear(&list);
	host_remove(&h);
}

static void the_record_behind_an_engine_tells_its_init(void **state)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct host h = host_make();
	struct runtime_init init;

	assert_int_equal(io_read_file(AT_FDCWD, FIXTURE, IO_STATE_MAX, &b, NULL), 0);
	host_write(&h, "status", b.data);
	assert_int_equal(runtime_crun.read_init(h.fd, IO_STATE_MAX, &init), 0);
	assert_int_equal(init.pid, 4295);
	assert_int_equal(init.start, 283811);
	assert_int_equal(runtime_crun.read_init(h.fd, 16, &init), -EFBIG);
	assert_int_equal(unlinkat(h.fd, "status", 0), 0);
	assert_int_equal(runtime_crun.read_init(h.fd, IO_STATE_MAX, &init), -ENOENT);
	host_remove(&h);
}

static void a_record_without_pid_or_start_names_nobody(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"pid\":1}",
		"{\"process-start-time\":1}",
		"[]",
		"7",
		"\"x\"",
		"{\"pid\":-1,\"process-start-time\":1}",
		"{\"pid\":4294967297,\"process-start-time\":1}",
		"{\"pid\":\"1\",\"process-start-time\":1}",
		"{\"pid\":1,\"process-start-time\":0}",
	};
	struct runtime_init init;
	struct host h = host_make();

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		host_write(&h, "status", bad[i]);
		assert_int_equal(runtime_crun.read_init(h.fd, IO_STATE_MAX, &init), -EBADMSG);
	}
	host_remove(&h);
}

static void what_cannot_be_read_is_named_and_the_rest_listed(void **state)
{
	_cleanup_free_ char *status = make_status(1, 1);
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list;

	host_write(&h, "run/crun/good/status", status);
	host_write(&h, "run/crun/torn/status", "{\"pid\":12");
	host_mkdirs(&h, "run/crun/fifo");
	assert_int_equal(mkfifoat(h.fd, "run/crun/fifo/status", 0600), 0);
	host_mkdirs(&h, "run/crun/link");
	assert_int_equal(symlinkat("../good/status", h.fd, "run/crun/link/status"), 0);
	assert_int_equal(symlinkat("good", h.fd, "run/crun/dirlink"), 0);
	list = list_sys(host_open(&h), &diags);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0]->id, "good");
	assert_int_equal(diags.n, 3);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

static struct host torture_host;

static void try_record(const char *buf, size_t len)
{
	int fd = openat(torture_host.fd, "status", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct runtime_init init;

	assert_int_equal(io_write_all(fd, buf, len), 0);
	close(fd);
	if (runtime_crun.read_init(torture_host.fd, IO_STATE_MAX, &init) == 0)
		assert_true(init.pid > 0 && init.start > 0);
}

static void damage_anywhere_is_survived(void **state)
{
	torture_host = host_make();
	torture_str("{\"pid\":12,\"process-start-time\":34}", try_record);
	host_remove(&torture_host);
}

/* The state that the record of container "app" with this pid and start time comes to, on this host. */
static enum insp_state state_live(const struct host *h, pid_t pid, uint64_t start)
{
	_cleanup_free_ char *status = make_status(pid, start);
	struct insp_store store = { .engine = "crun", .path = h->root };
	struct insp_sys_opts opts = { .stores = &store, .n_stores = 1 };
	enum insp_state s = INSP_STATE_UNKNOWN;
	struct insp_diags diags = { 0 };
	struct insp_sys *sys = NULL;
	struct insp_list list;

	host_write(h, "app/status", status);
	assert_int_equal(insp_sys_open(&opts, &sys, NULL), 0);
	list = list_sys(sys, &diags);
	for (size_t i = 0; i < list.n; i++)
		if (str_eq(list.items[i]->store, h->root))
			s = list.items[i]->state;
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	return s;
}

static void a_pid_that_was_reused_is_not_believed(void **state)
{
	struct host h;
	struct insp_sys *sys = NULL;
	struct pid_stat st;
	siginfo_t info;
	pid_t child;

	/* a user's record is believed inside a user namespace only */
	NEED_ROOT();
	h = host_make();
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(pid_read_stat(sys->procfd, child, &st), 0);
	insp_sys_close(sys);
	assert_int_equal(state_live(&h, child, st.start), INSP_STATE_RUNNING);
	assert_int_equal(state_live(&h, child, st.start - 1), INSP_STATE_EXITED);
	assert_int_equal(state_live(&h, child, st.start + 1), INSP_STATE_EXITED);
	assert_int_equal(mkfifoat(h.fd, "app/exec.fifo", 0600), 0);
	assert_int_equal(state_live(&h, child, st.start), INSP_STATE_CREATED);
	kill(child, SIGKILL);
	/* a zombie is dead; WNOWAIT leaves it one */
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(state_live(&h, child, st.start), INSP_STATE_EXITED);
	waitpid(child, NULL, 0);
	host_remove(&h);
}

static void a_users_record_about_roots_process_is_not_believed(void **state)
{
	struct host h;
	struct insp_sys *sys = NULL;
	struct pid_stat st;

	/* makes another user's files */
	NEED_ROOT();
	h = host_make();
	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(pid_read_stat(sys->procfd, getpid(), &st), 0);
	insp_sys_close(sys);
	assert_int_equal(state_live(&h, getpid(), st.start), INSP_STATE_RUNNING);
	assert_int_equal(chown(h.root, 1234, 1234), 0);
	assert_int_equal(state_live(&h, getpid(), st.start), INSP_STATE_EXITED);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read),
		cmocka_unit_test(the_record_behind_an_engine_tells_its_init),
		cmocka_unit_test(a_record_without_pid_or_start_names_nobody),
		cmocka_unit_test(what_cannot_be_read_is_named_and_the_rest_listed),
		cmocka_unit_test(damage_anywhere_is_survived),
		cmocka_unit_test(a_pid_that_was_reused_is_not_believed),
		cmocka_unit_test(a_users_record_about_roots_process_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
