/* What a container can make large for nothing: directories of many names, files of many holes. */
#include "tests/unit/changes.h"

#include "libinspect/rootfs/walk.h"

#define OVERLAY	 (VIEW_DEVICE | VIEW_TRUSTED)
#define NAMES	 12000
#define TERABYTE ((off_t)1 << 40)

/* 245 bytes: more than 1 MiB of them is not held */
static const char *long_name(const char *dir, unsigned number)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%06u-%0238u", dir, number, 0);
	return path;
}

static void put_names(const struct layers *l, const char *dir)
{
	put_dir(l, dir);
	for (unsigned i = 0; i < NAMES; i++)
		assert_int_equal(mknodat(l->fd, long_name(dir, i), S_IFREG | 0644, 0), 0);
}

/* ---- names ------------------------------------------------------------------------------------------ */

static void names_come_in_parts_in_order_and_none_twice(void **state)
{
	struct layers *l = *state;
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_view_list_ struct view_list list = { 0 };
	char before[NAME_MAX + 1] = "";
	unsigned n = 0, parts = 0;
	int r = 1;

	put_names(l, "1/d");
	for (unsigned i = 0; i < NAMES; i += 100)
		put_whiteout(l, long_name("0/d", i));
	put_file(l, long_name("0/d", 7), "");
	put_file(l, "0/d/new", "");
	_cleanup_view_ struct view v = layers_view(l, 2, OVERLAY);

	assert_int_equal(enter_at(&v, "/d", &dir), 0);
	for (assert_int_equal(view_list(&dir, dir.n, 0, &list), 0); r == 1;
	     r = view_list_more(&dir, dir.n, 0, &list)) {
		for (size_t i = 0; i < list.n; i++) {
			assert_true(strcmp(before, list.items[i].name) < 0);
			snprintf(before, sizeof(before), "%s", list.items[i].name);
			assert_false(list.items[i].whiteout);
			assert_int_equal(list.items[i].part,
					 n == 6 || !strcmp(before, "new") ? 0 : 1);
			n++;
		}
		parts++;
	}
	assert_int_equal(r, 0);
	assert_int_equal(n, NAMES - NAMES / 100 + 1);
	assert_true(parts > 1);
}

static void who_goes_on_making_names_does_not_keep_us(void **state)
{
	struct layers *l = *state;
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_view_list_ struct view_list list = { 0 };
	unsigned next = NAMES;
	int r = 1;

	put_names(l, "0/d");
	_cleanup_view_ struct view v = layers_view(l, 1, 0);

	assert_int_equal(enter_at(&v, "/d", &dir), 0);
	assert_int_equal(view_list(&dir, dir.n, 0, &list), 0);
	while (r == 1) {
		assert_true(next < 20 * NAMES);
		for (size_t i = 0; i < 2 * list.n; i++)
			assert_int_equal(mknodat(l->fd, long_name("0/d", next++), S_IFREG, 0), 0);
		r = view_list_more(&dir, dir.n, 0, &list);
	}
	assert_int_equal(r, 0);
}

static int count(const struct walk_file *f, void *arg)
{
	++*(unsigned *)arg;
	return 0;
}

static int never(const char *path, int error, void *arg)
{
	fail_msg("%s: %s", path, strerror(-error));
	return error;
}

static void a_walk_sees_them_all(void **state)
{
	struct layers *l = *state;
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	unsigned n = 0;
	struct walk walk = { .enter = count, .failed = never, .arg = &n };

	put_names(l, "0/d");
	put_file(l, "0/e", "");
	_cleanup_view_ struct view v = layers_view(l, 1, 0);

	assert_int_equal(view_root(&v, 0, &dir), 0);
	assert_int_equal(walk_tree(&dir, "/", &walk), 0);
	assert_int_equal(n, NAMES + 3);
}

static void changes_among_many_names_are_told(void **state)
{
	struct layers *l = *state;
	const unsigned last = NAMES - 1;
	char expect[PATH_MAX];
	int at;

	put_names(l, "0/d");
	put_names(l, "1/d");
	for (unsigned i = 0; i < NAMES; i++) {
		put_time(l, long_name("0/d", i), 1000, 5);
		put_time(l, long_name("1/d", i), 1000, 5);
	}
	assert_int_equal(unlinkat(l->fd, long_name("0/d", 3), 0), 0);
	assert_int_equal(unlinkat(l->fd, long_name("1/d", last), 0), 0);
	put_mode(l, long_name("0/d", NAMES / 2), 0600);
	_cleanup_box_ struct box is = box_of(l, 1, 0, 0);
	_cleanup_box_ struct box was = { .container = container_new("test", "1") };

	was.files = (struct insp_files){ .container = was.container, .from = INSP_FILES_LAYERS };
	assert_int_equal(view_add(&was.files.view, openat(l->fd, "1", O_RDONLY | O_DIRECTORY)), 0);
	at = snprintf(expect, sizeof(expect), "C /d; D %s", long_name("/d", 3));
	at += snprintf(expect + at, sizeof(expect) - (size_t)at, "; C %s mode",
		       long_name("/d", NAMES / 2));
	snprintf(expect + at, sizeof(expect) - (size_t)at, "; A %s", long_name("/d", last));
	assert_string_equal(changes_with(&is.files, &was.files, (struct insp_diff_opts){ 0 }),
			    expect);
}

/* ---- holes ------------------------------------------------------------------------------------------ */

/* A file of 8 TiB with text at its end. */
static void put_sparse(const struct layers *l, const char *path, const char *text)
{
	_cleanup_close_ int fd = -EBADF;

	put_file(l, path, "begin");
	fd = openat(l->fd, path, O_WRONLY | O_CLOEXEC);
	NEED(ftruncate(fd, 8 * TERABYTE) == 0, "a file system with files of 8 TiB");
	assert_int_equal(pwrite(fd, text, strlen(text), 8 * TERABYTE - 10), strlen(text));
	put_time(l, path, 1000, 5);
}

static void where_both_have_a_hole_nothing_is_read(void **state)
{
	struct layers *l = *state;

	put_sparse(l, "0/same", "end");
	put_sparse(l, "1/same", "end");
	put_sparse(l, "0/other", "end");
	put_sparse(l, "1/other", "END");
	alarm(60); /* a terabyte of zeros takes minutes to compare */
	assert_string_equal(changes(l, 2, OVERLAY, INSP_DIFF_VERIFY), "C /other content");
	alarm(0);
}

static void a_hole_is_what_zeros_are(void **state)
{
	static const char zeros[300000];
	struct layers *l = *state;
	_cleanup_close_ int fd = -EBADF, other = -EBADF;

	put_file(l, "0/f", "");
	put_file(l, "1/f", "");
	fd = openat(l->fd, "0/f", O_WRONLY | O_CLOEXEC);
	assert_int_equal(io_write_all(fd, zeros, sizeof(zeros)), 0);
	other = openat(l->fd, "1/f", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(other, sizeof(zeros)), 0);
	put_time(l, "0/f", 1000, 5);
	put_time(l, "1/f", 1000, 5);
	assert_string_equal(changes(l, 2, OVERLAY, INSP_DIFF_VERIFY), "");
	assert_int_equal(pwrite(fd, "x", 1, 200000), 1);
	put_time(l, "0/f", 1000, 5);
	assert_string_equal(changes(l, 2, OVERLAY, INSP_DIFF_VERIFY), "C /f content");
}

int main(void)
{
#define LAYERS_TEST(f) cmocka_unit_test_setup_teardown(f, layers_up, layers_down)
	const struct CMUnitTest tests[] = {
		LAYERS_TEST(names_come_in_parts_in_order_and_none_twice),
		LAYERS_TEST(who_goes_on_making_names_does_not_keep_us),
		LAYERS_TEST(a_walk_sees_them_all),
		LAYERS_TEST(changes_among_many_names_are_told),
		LAYERS_TEST(where_both_have_a_hole_nothing_is_read),
		LAYERS_TEST(a_hole_is_what_zeros_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
