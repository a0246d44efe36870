/* struct insp_pid and struct insp_sys on processes of the test's own. */
#include "tests/unit/torture.h"

#include "libinspect/creds.h"
#include "libinspect/kernel/pid.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct insp_sys *sys;

static int setup(void **state)
{
	return insp_sys_open(NULL, &sys, NULL);
}

static int teardown(void **state)
{
	sys = insp_sys_close(sys);
	return 0;
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_process_is_opened_with_its_start_time(void **state)
{
	_cleanup_pid_ struct insp_pid *p = NULL;
	struct insp_ns_set set;
	int64_t age;

	assert_int_equal(insp_pid_open(sys, getpid(), 0, &p, NULL), 0);
	assert_int_equal(insp_pid_number(p), getpid());
	assert_true(insp_pid_alive(p));
	assert_true(insp_pid_fd(p) >= 0);
	age = insp_sys_now(sys) - insp_sys_ticks_to_time(sys, insp_pid_start(p));
	assert_true(age >= 0 && age < INT64_C(600) * 1000000000);
	assert_int_equal(insp_pid_namespaces(p, &set, NULL), 0);
	assert_memory_equal(&set, &sys->self_ns, sizeof(set));
	assert_true(set.ino[INSP_NS_MNT] != 0 && set.ino[INSP_NS_USER] != 0);
}

static void another_start_time_is_another_process(void **state)
{
	struct insp_pid *p = NULL;
	struct insp_err err = { 0 };
	struct pid_stat st;

	assert_int_equal(pid_read_stat(sys->procfd, getpid(), &st), 0);
	assert_int_equal(insp_pid_open(sys, getpid(), st.start + 1, &p, &err), -ESRCH);
	assert_null(p);
	assert_true(err.hint[0]);
	assert_int_equal(insp_pid_open(sys, getpid(), st.start, &p, &err), 0);
	insp_pid_close(p);
}

static void the_dead_and_the_zombies_are_no_processes(void **state)
{
	pid_t pid = start_sleeper();
	struct insp_pid *held = NULL, *p = NULL;
	siginfo_t info;

	assert_int_equal(insp_pid_open(sys, pid, 0, &held, NULL), 0);
	assert_true(insp_pid_alive(held));
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(insp_pid_alive(held));
	assert_int_equal(insp_pid_open(sys, pid, 0, &p, NULL), -ESRCH);
	waitpid(pid, NULL, 0);
	assert_false(insp_pid_alive(held));
	assert_int_equal(insp_pid_open(sys, pid, 0, &p, NULL), -ESRCH);
	assert_int_equal(insp_pid_open(sys, 0, 0, &p, NULL), -ESRCH);
	assert_int_equal(insp_pid_open(sys, -1, 0, &p, NULL), -ESRCH);
	assert_null(p);
	insp_pid_close(held);
}

static int thread_pipe[2];

static void *tell_tid(void *arg)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);
	char c;

	assert_int_equal(write(thread_pipe[1], &tid, sizeof(tid)), sizeof(tid));
	(void)!read(*(int *)arg, &c, 1);
	return NULL;
}

static void a_thread_id_is_no_process(void **state)
{
	struct insp_pid *p = NULL;
	pthread_t thread;
	int hold[2];
	pid_t tid;

	assert_int_equal(pipe(thread_pipe), 0);
	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pthread_create(&thread, NULL, tell_tid, &hold[0]), 0);
	assert_int_equal(read(thread_pipe[0], &tid, sizeof(tid)), sizeof(tid));
	assert_int_equal(insp_pid_open(sys, tid, 0, &p, NULL), -ESRCH);
	close(hold[1]);
	pthread_join(thread, NULL);
	close(hold[0]);
	close(thread_pipe[0]);
	close(thread_pipe[1]);
}

/* As a target that hides behind its pid file would see it: the object stays what it was opened as. */
static void a_closed_process_reads_nothing(void **state)
{
	pid_t pid = start_sleeper();
	struct insp_pid *p = NULL;
	struct pid_status st;
	char *env = NULL;
	size_t len;
	int root;

	assert_int_equal(insp_pid_open(sys, pid, 0, &p, NULL), 0);
	assert_int_equal(pid_read_status(p, &st, NULL), 0);
	assert_int_equal(st.ns_pids[0], pid);
	assert_int_equal(insp_pid_open_root(p, &root, NULL), 0);
	close(root);
	end(pid);
	assert_int_equal(pid_read_status(p, &st, NULL), -ESRCH);
	assert_true(insp_pid_open_root(p, &root, NULL) < 0);
	assert_true(insp_pid_environ(sys, p, &env, &len, NULL) < 0);
	assert_null(env);
	insp_pid_close(p);
}

static void a_dead_host_has_no_processes(void **state)
{
	struct insp_sys_opts opts = { .root = "/etc" };
	struct insp_sys *dead = NULL;
	struct insp_pid *p = NULL;

	assert_int_equal(insp_sys_open(&opts, &dead, NULL), 0);
	assert_false(insp_sys_is_live(dead));
	assert_int_equal(insp_pid_open(dead, getpid(), 0, &p, NULL), -ENOTSUP);
	insp_sys_close(dead);
	opts.root = "/no/such/place";
	assert_int_equal(insp_sys_open(&opts, &dead, NULL), -ENOENT);
}

static void namespace_names_and_flags_agree(void **state)
{
	for (int t = 0; t < INSP_NS_MAX; t++) {
		const char *name = insp_ns_name((enum insp_ns_type)t);

		assert_int_equal(insp_ns_from_name(name, strlen(name)), t);
		assert_true(insp_ns_flag((enum insp_ns_type)t) != 0);
	}
	assert_int_equal(insp_ns_from_name("mount,pid", 5), INSP_NS_MNT);
	assert_int_equal(insp_ns_from_name("network", 7), INSP_NS_NET);
	assert_int_equal(insp_ns_from_name("time_for_children", 17), INSP_NS_TIME);
	assert_int_equal(insp_ns_from_name("mn", 2), -EINVAL);
	assert_int_equal(insp_ns_from_name("", 0), -EINVAL);
}

static void namespace_links_are_read_whole(void **state)
{
	uint64_t ino = 7;

	assert_int_equal(pid_parse_ns_link("mnt:[4026531841]", &ino), 0);
	assert_true(ino == 4026531841);
	assert_int_equal(pid_parse_ns_link("mnt:[]", &ino), -EBADMSG);
	assert_int_equal(pid_parse_ns_link("mnt:[1", &ino), -EBADMSG);
	assert_int_equal(pid_parse_ns_link("mnt:[1]x", &ino), -EBADMSG);
	assert_int_equal(pid_parse_ns_link("[1]", &ino), -EBADMSG);
	assert_int_equal(pid_parse_ns_link("/a:b", &ino), -EBADMSG);
	assert_true(ino == 4026531841);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_opened_with_its_start_time),
		cmocka_unit_test(another_start_time_is_another_process),
		cmocka_unit_test(the_dead_and_the_zombies_are_no_processes),
		cmocka_unit_test(a_thread_id_is_no_process),
		cmocka_unit_test(a_closed_process_reads_nothing),
		cmocka_unit_test(a_dead_host_has_no_processes),
		cmocka_unit_test(namespace_names_and_flags_agree),
		cmocka_unit_test(namespace_links_are_read_whole),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
