/* Strings, errors, bounded reading, JSON, escaping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "libinspect/base/io.h"
#include "libinspect/base/json.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "tests/unit/scratch.h"

#include <sys/stat.h>

static void err_names_what_failed_and_why(void **state)
{
	struct insp_err err = { 0 };

	assert_int_equal(insp_err_set(&err, -EACCES, "read '%s'", "x"), -EACCES);
	assert_string_equal(err.text, "read 'x': Permission denied");
	insp_err_hint(&err, "be root");
	insp_err_wrap(&err, -EACCES, "docker container %.3s", "abcdef");
	assert_string_equal(err.text, "docker container abc: read 'x': Permission denied");
	assert_string_equal(err.hint, "be root");
	assert_int_equal(insp_err_set(NULL, -ENOENT, "x"), -ENOENT);
}

static void err_text_longer_than_its_buffer_is_cut(void **state)
{
	struct insp_err err = { 0 };
	char big[2000];

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	insp_err_set(&err, -EIO, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_non_null(strstr(err.text, "aaa...: Input/output error"));
	insp_err_wrap(&err, -EIO, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void diags_are_kept_once(void **state)
{
	struct insp_diags d = { 0 };
	struct insp_err err = { 0 };

	insp_err_say(&err, -EIO, "one");
	insp_diags_add(&d, &err);
	insp_diags_add(&d, &err);
	insp_err_say(&err, -EIO, "two");
	insp_diags_add(&d, &err);
	assert_int_equal(d.n, 2);
	insp_diags_clear(&d);
	assert_int_equal(d.n, 0);
}

static void numbers_are_whole_strings(void **state)
{
	uint64_t u = 7;
	pid_t pid = 0;
	int64_t i;

	assert_int_equal(str_to_u64("18446744073709551615", &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(str_to_u64("18446744073709551616", &u), -ERANGE);
	assert_int_equal(str_to_u64("", &u), -EINVAL);
	assert_int_equal(str_to_u64("1 ", &u), -EINVAL);
	assert_int_equal(str_to_u64("+1", &u), -EINVAL);
	assert_int_equal(str_to_i64("-5", &i), 0);
	assert_int_equal(i, -5);
	assert_int_equal(str_to_pid("0", &pid), -ERANGE);
	assert_int_equal(str_to_pid("4194304", &pid), 0);
	assert_int_equal(pid, 4194304);
}

static void times_of_engines_are_read(void **state)
{
	int64_t ns = 1;

	assert_int_equal(str_to_time("2026-11-22T00:48:44.444959366Z", &ns), 0);
	assert_true(ns == INT64_C(1795308524444959366));
	assert_int_equal(str_to_time("2026-11-22T02:48:44.5+02:00", &ns), 0);
	assert_true(ns == INT64_C(1795308524500000000));
	/* Go's zero time means "never" and is before 1678 */
	assert_int_equal(str_to_time("0001-01-01T00:00:00Z", &ns), -ERANGE);
	assert_int_equal(str_to_time("2026-11-22T00:48:44", &ns), -EINVAL);
	assert_int_equal(str_to_time("2026-13-22T00:48:44Z", &ns), -EINVAL);
	assert_int_equal(str_to_time("", &ns), -EINVAL);
}

static void strbuf_grows_and_is_taken(void **state)
{
	struct strbuf sb = { 0 };
	char *s;

	for (int i = 0; i < 1000; i++)
		strbuf_printf(&sb, "%d,", i % 10);
	s = strbuf_take(&sb);
	assert_int_equal(strlen(s), 2000);
	free(s);
	s = strbuf_take(&sb);
	assert_string_equal(s, "");
	free(s);
}

static void check_escape(const char *in, size_t len, const char *want)
{
	char *s = insp_escape(in, len);

	assert_string_equal(s, want);
	free(s);
}

static void escaping_leaves_nothing_a_terminal_obeys(void **state)
{
	check_escape("web", 3, "web");
	check_escape("\033]0;x\007", 6, "\\x1b]0;x\\x07");
	check_escape("a\r\nb\0c\x7f", 7, "a\\x0d\\x0ab\\x00c\\x7f");
	check_escape("\xc2\x9b\x31m", 4, "\\u{009b}1m"); /* C1 CSI as UTF-8 */
	check_escape("\x9b", 1, "\\x9b");		 /* C1 CSI as a raw byte */
	check_escape("\xe2\x80\xae"
		     "exe",
		     6, "\\u{202e}exe"); /* right-to-left override */
	check_escape("gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f");
	check_escape("\xc0\xaf", 2, "\\xc0\\xaf");	    /* overlong */
	check_escape("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* surrogate */
	check_escape("\xf0\x9f\x90", 3, "\\xf0\\x9f\\x90"); /* cut off */
	check_escape("\xf0\x9f\x90\xb3", 4, "\xf0\x9f\x90\xb3");
	assert_null(insp_escape_str(NULL));
}

struct dir {
	char path[SCRATCH_PATH];
	int fd;
};

static int make_dir(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));

	scratch_dir(d->path);
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = d;
	return d->fd < 0 ? -1 : 0;
}

static void remove_below(int at, const char *name)
{
	struct io_dir *d;

	if (unlinkat(at, name, 0) == 0)
		return;
	if (io_opendir(at, name, &d) < 0)
		return;
	for_each_entry (de, d)
		remove_below(io_dirfd(d), de->d_name);
	io_closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

static int drop_dir(void **state)
{
	struct dir *d = *state;
	struct io_dir *all;

	if (io_opendir(d->fd, ".", &all) < 0)
		return -1;
	for_each_entry (de, all)
		remove_below(d->fd, de->d_name);
	io_closedir(all);
	close(d->fd);
	rmdir(d->path);
	free(d);
	return 0;
}

static void put(int at, const char *name, const char *text)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

/* So many that they take several calls, and a descriptor that is not ours. */
static void a_directory_gives_each_entry_once(void **state)
{
	const struct dir *d = *state;
	struct io_dir *dir;
	bool seen[2000] = { false };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		_cleanup_free_ char *name = str_format("%zu-a-name-as-long-as-an-id-is", i);

		assert_int_equal(mkdirat(d->fd, name, 0700), 0);
	}
	assert_int_equal(io_dir_of(d->fd, &dir), 0);
	for_each_entry (de, dir) {
		size_t i = strtoul(de->d_name, NULL, 10);

		assert_true(i < ARRAY_SIZE(seen) && de->d_name[0] != '.' && !seen[i]);
		seen[i] = true;
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(seen));
	io_closedir(dir);
	assert_true(fcntl(d->fd, F_GETFD) >= 0);
	assert_int_equal(io_opendir(d->fd, "none", &dir), -ENOENT);
	assert_int_equal(io_opendir(d->fd, "0-a-name-as-long-as-an-id-is", &dir), 0);
	assert_null(io_readdir(dir));
	assert_null(io_readdir(dir));
	io_closedir(dir);
}

static void only_regular_files_of_sane_size_are_read(void **state)
{
	struct dir *d = *state;
	struct io_buf b = { 0 };
	struct insp_err err = { 0 };

	put(d->fd, "f", "hello");
	assert_int_equal(io_read_file(d->fd, "f", 100, &b, &err), 0);
	assert_int_equal(b.len, 5);
	assert_string_equal(b.data, "hello");
	io_buf_free(&b);
	assert_int_equal(io_read_file(d->fd, "f", 5, &b, &err), 0);
	io_buf_free(&b);
	assert_int_equal(io_read_file(d->fd, "f", 4, &b, &err), -EFBIG);

	assert_int_equal(symlinkat("f", d->fd, "link"), 0);
	assert_int_equal(io_read_file(d->fd, "link", 100, &b, &err), -ELOOP);
	assert_int_equal(mkfifoat(d->fd, "fifo", 0600), 0);
	assert_int_equal(io_read_file(d->fd, "fifo", 100, &b, &err), -EINVAL);
	assert_string_equal(err.text, "read 'fifo': not a regular file");
	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	assert_int_equal(io_read_file(d->fd, "dir", 100, &b, &err), -EISDIR);
	assert_int_equal(io_read_file(d->fd, "none", 100, &b, &err), -ENOENT);

	int fd = openat(d->fd, "huge", O_WRONLY | O_CREAT, 0600);

	assert_int_equal(ftruncate(fd, (off_t)10 << 30), 0);
	close(fd);
	assert_int_equal(io_read_file(d->fd, "huge", IO_STATE_MAX, &b, &err), -EFBIG);
}

static void json_says_where_it_is_broken(void **state)
{
	struct dir *d = *state;
	struct insp_err err = { 0 };
	json_t *j = NULL;

	put(d->fd, "ok", "{\"State\":{\"Pid\":7,\"Running\":true},\"Name\":\"/web\",\"E\":\"\"}");
	assert_int_equal(json_read_file(d->fd, "ok", 1000, &j, &err), 0);
	assert_int_equal(json_int_at(j, "State.Pid", -1), 7);
	assert_true(json_bool_at(j, "State.Running"));
	assert_string_equal(json_str_at(j, "Name"), "/web");
	assert_null(json_str_at(j, "E"));
	assert_null(json_str_at(j, "Name.x"));
	assert_int_equal(json_int_at(j, "Name", -1), -1);
	json_decref(j);
	put(d->fd, "cut", "{\"State\":{");
	assert_int_equal(json_read_file(d->fd, "cut", 1000, &j, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "read 'cut': not valid JSON"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_names_what_failed_and_why),
		cmocka_unit_test(err_text_longer_than_its_buffer_is_cut),
		cmocka_unit_test(diags_are_kept_once),
		cmocka_unit_test(numbers_are_whole_strings),
		cmocka_unit_test(times_of_engines_are_read),
		cmocka_unit_test(strbuf_grows_and_is_taken),
		cmocka_unit_test(escaping_leaves_nothing_a_terminal_obeys),
		cmocka_unit_test_setup_teardown(a_directory_gives_each_entry_once, make_dir,
						drop_dir),
		cmocka_unit_test_setup_teardown(only_regular_files_of_sane_size_are_read, make_dir,
						drop_dir),
		cmocka_unit_test_setup_teardown(json_says_where_it_is_broken, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
