/* What a program of a container's may do to the files that are its standard input, output and error. */
#include "sidecar/own-files.c"
#include "sidecar/proc.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TEXT_MAX 64

/* As sh has it: a file on 0, one on 1 and 2. */
struct caller {
	int was[3], file;
};

static int new_file(const char *text)
{
	char path[] = "/tmp/sonde-own-files-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0 && unlink(path) == 0 && fchmod(fd, 0640) == 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void redirect(struct caller *c)
{
	int in = new_file("typed");

	c->file = new_file("");
	for (int fd = 0; fd < 3; fd++) {
		c->was[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		assert_int_equal(dup2(fd ? c->file : in, fd), fd);
	}
	close(in);
}

static void back(struct caller *c)
{
	for (int fd = 0; fd < 3; fd++) {
		dup2(c->was[fd], fd);
		close(c->was[fd]);
	}
}

/* Reads, writes, and makes all three its own, as root of a container would. */
static _Noreturn void entrypoint(void)
{
	char buf[TEXT_MAX];
	ssize_t n = read(0, buf, sizeof(buf));

	for (int fd = 0; fd < 3; fd++)
		if (fchmod(fd, 04777) < 0)
			_exit(1);
	if (n < 0 || write(1, "one ", 4) != 4 || write(2, "two ", 4) != 4 ||
	    write(1, buf, (size_t)n) != n)
		_exit(1);
	_exit(0);
}

static int run(bool kept)
{
	struct own_files own = OWN_FILES_NONE;
	struct insp_err err = { 0 };
	int status = -1;
	pid_t pid;

	if (kept && own_files_keep(&own, &err) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		entrypoint();
	waitpid(pid, &status, 0);
	own_files_back(&own);
	return status;
}

static void check(bool kept, mode_t mode)
{
	struct caller c;
	struct stat st;
	char buf[TEXT_MAX] = "";
	int status;

	redirect(&c);
	status = run(kept);
	back(&c);
	assert_int_equal(status, 0);
	assert_int_equal(fstat(c.file, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_true(pread(c.file, buf, sizeof(buf) - 1, 0) > 0);
	assert_string_equal(buf, "one two typed");
	close(c.file);
}

static void test_handed_on_they_are_its_to_change(void **state)
{
	check(false, 04777);
}

static void test_kept_they_have_what_was_written_and_their_mode(void **state)
{
	check(true, 0640);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_handed_on_they_are_its_to_change),
		cmocka_unit_test(test_kept_they_have_what_was_written_and_their_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
