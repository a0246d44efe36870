/* gVisor's records, of plain runsc and for engines that use it. */
#include "docker-store.h"
#include "prereq.h"

#include "libinspect/engines/gvisor.h"
#include "libinspect/kernel/pid.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ROOT "var/run/runsc/"

static char *make_state(const char *id, const char *sandbox, const char *status, pid_t pid,
			const char *started)
{
	return str_format(
		"{\"id\":\"%s\",\"createdAt\":\"2026-11-22T05:35:53Z\",\"status\":\"%s\","
		"\"goferPid\":0,\"sandbox\":{\"id\":\"%s\",\"pid\":%d,\"startTime\":\"%s\","
		"\"metricMetadata\":{\"overlay\":\"root:self\"}},"
		"\"spec\":{\"root\":{\"path\":\"/srv/r\"},\"hostname\":\"hh\","
		"\"annotations\":{\"k\":\"v\"},\"process\":{\"args\":[\"sleep\",\"1\"]}}}",
		id, status, sandbox, (int)pid, started);
}

static void write_state(const struct host *h, const char *dir, const char *id, const char *status,
			pid_t pid, const char *started)
{
	_cleanup_free_ char *state = make_state(id, id, status, pid, started);
	_cleanup_free_ char *path = str_format("%s%s_sandbox:%s.state", dir, id, id);

	host_write(h, path, state);
}

static void records_are_read(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = host_make();
	struct insp_list list = { 0 };
	struct insp_sys *sys;
	const struct insp_container *c;

	write_state(&h, ROOT, "ran", "running", 12, "2026-11-22T05:35:53Z");
	write_state(&h, ROOT, "made", "created", 12, "2026-11-22T05:35:53Z");
	host_write(&h, ROOT "ran_sandbox:ran.lock", "");
	host_write(&h, ROOT "torn_sandbox:torn.state", "{");
	host_write(&h, ROOT "liar_sandbox:liar.state",
		   "{\"id\":\"ran\",\"sandbox\":{\"id\":\"ran\"}}");
	assert_int_equal(mkfifoat(h.fd, ROOT "fifo_sandbox:fifo.state", 0600), 0);
	assert_int_equal(symlinkat("ran_sandbox:ran.state", h.fd, ROOT "a_sandbox:a.state"), 0);
	host_write(&h, "srv/r/file", "");
	sys = host_open(&h);
	assert_int_equal(insp_list(sys, INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES,
				   &list, &diags, NULL),
			 0);
	insp_sys_close(sys);
	assert_int_equal(list.n, 2);
	assert_int_equal(diags.n, 4);
	c = find_name(&list, "ran");
	assert_non_null(c);
	assert_string_equal(c->engine, "gvisor");
	assert_string_equal(c->guest, "gVisor");
	assert_string_equal(c->command, "sleep 1");
	assert_string_equal(c->hostname, "hh");
	assert_string_equal(insp_container_label(c, "k"), "v");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_non_null(c->layers);
	assert_null(c->layers->upper);
	assert_string_equal(c->layers->lowers[0], "/srv/r");
	assert_int_equal(find_name(&list, "made")->state, INSP_STATE_CREATED);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

/* A process with mounts of its own, as a sandbox has them. */
static pid_t start_process(void)
{
	int fds[2];
	pid_t child;
	char c = 0;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0)
			_exit(1);
		(void)!write(fds[1], &c, 1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return child;
}

static int claim(const struct host *h, const char *id, pid_t *ret_pid)
{
	_cleanup_container_ struct insp_container *c = container_new("docker", id);
	_cleanup_scan_ struct engine_scan scan = { 0 };
	int r;

	c->owner = 0;
	assert_int_equal(insp_sys_open(NULL, &scan.sys, NULL), 0);
	r = gvisor_claim(&scan, h->fd, id, c, NULL);
	if (r >= 0)
		assert_string_equal(c->guest, "gVisor");
	*ret_pid = c->pid;
	insp_sys_close(scan.sys);
	return r;
}

static void format_time(int64_t at, char buf[32])
{
	time_t t = (time_t)(at / 1000000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void a_sandbox_is_believed_when_it_was_started_then(void **state)
{
	int64_t now = (int64_t)time(NULL) * 1000000000;
	char then[32], before[32], after[32];
	struct host h;
	pid_t child, pid;

	NEED_ROOT();
	h = host_make();
	child = start_process();
	format_time(now, then);
	format_time(now - 60 * 1000000000LL, before);
	format_time(now + 60 * 1000000000LL, after);
	assert_int_equal(claim(&h, "x", &pid), -ENOENT);
	write_state(&h, "", "x", "running", child, then);
	assert_int_equal(claim(&h, "x", &pid), 1);
	assert_int_equal(pid, child);
	write_state(&h, "", "x", "running", child, before);
	assert_int_equal(claim(&h, "x", &pid), 0);
	assert_int_equal(pid, 0);
	write_state(&h, "", "x", "running", child, after);
	assert_int_equal(claim(&h, "x", &pid), 0);
	/* in the host's mounts: no sandbox */
	write_state(&h, "", "x", "running", getpid(), then);
	assert_int_equal(claim(&h, "x", &pid), 0);
	write_state(&h, "", "x", "running", child, then);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(claim(&h, "x", &pid), 0);
	host_remove(&h);
}

static void a_later_container_of_a_sandbox_needs_its_file_server(void **state)
{
	char then[32];
	struct host h;
	pid_t child, pid;
	_cleanup_free_ char *record = NULL;

	NEED_ROOT();
	h = host_make();
	child = start_process();
	format_time((int64_t)time(NULL) * 1000000000, then);
	record = make_state("y", "x", "running", child, then);
	host_write(&h, "y_sandbox:x.state", record);
	assert_int_equal(claim(&h, "y", &pid), 0);
	assert_int_equal(pid, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(a_sandbox_is_believed_when_it_was_started_then),
		cmocka_unit_test(a_later_container_of_a_sandbox_needs_its_file_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
