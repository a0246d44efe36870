/*
 * Reads that a target stalls. A FIFO without a writer below a directory that stands for /proc stalls as a cmdline
 * backed by the target's own file system does; the attack tests have the real thing.
 */
#include "tests/unit/torture.h"
#include "tests/unit/scratch.h"

#include "libinspect/creds.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/slowread.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define DEADLINE_MS 60
#define FIFOS	    40

static char dir[SCRATCH_PATH];
static struct insp_sys fake = { .live = true, .deadline_ms = DEADLINE_MS };

static void make_file(const char *name, const char *text, size_t len)
{
	int fd;

	assert_int_equal(mkdirat(fake.procfd, name, 0755), 0);
	_cleanup_close_ int sub = openat(fake.procfd, name, O_RDONLY | O_DIRECTORY);
	if (!text) {
		assert_int_equal(mkfifoat(sub, "cmdline", 0600), 0);
		return;
	}
	fd = openat(sub, "cmdline", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static int setup(void **state)
{
	static char big[100000];
	char name[16];

	scratch_dir(dir);
	fake.procfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(big, 'x', sizeof(big));
	make_file("1", "a\0b", 4);
	make_file("2", big, sizeof(big));
	make_file("3", "", 0);
	for (int i = 100; i < 100 + FIFOS; i++) {
		snprintf(name, sizeof(name), "%d", i);
		make_file(name, NULL, 0);
	}
	return 0;
}

static int teardown(void **state)
{
	_cleanup_closedir_ DIR *d = fdopendir(fake.procfd);

	for_each_dirent (de, d) {
		char path[300];

		snprintf(path, sizeof(path), "%s/cmdline", de->d_name);
		unlinkat(dirfd(d), path, 0);
		unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR);
	}
	return rmdir(dir);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int ask(struct slowread *r, pid_t pid, size_t max, size_t *len)
{
	_cleanup_free_ char *data = NULL;
	int e = slowread_read(r, pid, "cmdline", max, &data, len);

	if (e >= 0)
		assert_int_equal(data[*len], '\0');
	return e;
}

static struct slowread *start(void)
{
	struct slowread *r;

	assert_int_equal(slowread_new(&fake, &r), 0);
	return r;
}

static void files_are_read_whole_and_cut_at_max(void **state)
{
	struct slowread *r = start();
	_cleanup_free_ char *data = NULL;
	size_t len;

	assert_int_equal(slowread_read(r, 1, "cmdline", 100, &data, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(data, "a\0b", 4);
	assert_int_equal(ask(r, 2, 1 << 20, &len), 0);
	assert_int_equal(len, 100000);
	assert_int_equal(ask(r, 2, 50000, &len), 0);
	assert_int_equal(len, 50000);
	assert_int_equal(ask(r, 3, 100, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(ask(r, 4, 100, &len), -ENOENT);
	assert_int_equal(ask(r, 1, 100, &len), 0);
	slowread_free(r);
}

static void a_stall_costs_one_deadline_and_the_next_reads_go_on(void **state)
{
	struct slowread *r = start();
	int64_t begin = now_ms();
	size_t len;

	assert_int_equal(ask(r, 100, 100, &len), -ETIMEDOUT);
	assert_true(now_ms() - begin >= DEADLINE_MS - 1);
	assert_true(now_ms() - begin < DEADLINE_MS * 10);
	begin = now_ms();
	assert_int_equal(ask(r, 100, 100, &len), -ETIMEDOUT);
	assert_true(now_ms() - begin < DEADLINE_MS / 2);
	assert_int_equal(ask(r, 1, 100, &len), 0);
	assert_int_equal(len, 4);
	slowread_free(r);
}

static void many_stalls_cost_a_few_deadlines(void **state)
{
	struct slowread *r = start();
	int64_t begin = now_ms();
	size_t len;

	for (pid_t pid = 100; pid < 100 + FIFOS; pid++)
		assert_int_equal(ask(r, pid, 100, &len), -ETIMEDOUT);
	/* 5 whole deadlines, the others a twentieth of it each; a sanitizer's fork is slow */
	assert_true(now_ms() - begin < DEADLINE_MS * FIFOS / 2);
	slowread_free(r);
}

/* A reader that hangs must keep nobody waiting for the end of our output. */
static void a_reader_holds_none_of_our_files(void **state)
{
	struct slowread *r = start();
	struct pollfd p;
	int ends[2];
	size_t len;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(ask(r, 1, 100, &len), 0);
	close(ends[1]);
	p = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	assert_int_equal(poll(&p, 1, 1000), 1);
	assert_true(p.revents & POLLHUP);
	close(ends[0]);
	slowread_free(r);
}

static void no_child_is_left_or_seen(void **state)
{
	struct slowread *r = start();
	size_t len;

	/* those that stalled in the tests before are killed, but on a busy host not dead yet */
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	assert_int_equal(ask(r, 1, 100, &len), 0);
	/* without __WALL, as programs wait: the reader is not theirs */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	slowread_free(r);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
}

static void the_environment_of_a_process_is_read(void **state)
{
	_cleanup_pid_ struct insp_pid *p = NULL;
	_cleanup_free_ char *env = NULL;
	struct insp_sys *sys;
	pid_t child;
	size_t len;
	int ends[2];
	char c;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		char *argv[] = { (char *)"sleep", (char *)"100", NULL };
		char *envp[] = { (char *)"SONDE_A=1", (char *)"B=x y", NULL };

		close(ends[0]);
		fcntl(ends[1], F_SETFD, FD_CLOEXEC);
		execve("/bin/sleep", argv, envp);
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 0); /* it runs the new program */
	close(ends[0]);
	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(insp_pid_open(sys, child, 0, &p, NULL), 0);
	assert_int_equal(insp_pid_environ(sys, p, &env, &len, NULL), 0);
	assert_int_equal(len, sizeof("SONDE_A=1\0B=x y"));
	assert_memory_equal(env, "SONDE_A=1\0B=x y", len);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	insp_sys_close(sys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_whole_and_cut_at_max),
		cmocka_unit_test(a_stall_costs_one_deadline_and_the_next_reads_go_on),
		cmocka_unit_test(many_stalls_cost_a_few_deadlines),
		cmocka_unit_test(a_reader_holds_none_of_our_files),
		cmocka_unit_test(no_child_is_left_or_seen),
		cmocka_unit_test(the_environment_of_a_process_is_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
