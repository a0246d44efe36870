/* uid_map, gid_map; passwd. */
#include "tests/unit/torture.h"
#include "tests/unit/scratch.h"

#include "libinspect/base/io.h"
#include "libinspect/kernel/idmap.h"
#include "libinspect/kernel/passwd.h"

#include <sys/stat.h>

#define ROOTLESS "         0       1000          1\n         1     100000      65536\n"

static struct idmap map;

static int parse(const char *s)
{
	return idmap_parse(s, strlen(s), &map);
}

static void ids_map_both_ways(void **state)
{
	assert_int_equal(parse(ROOTLESS), 0);
	assert_int_equal(map.n, 2);
	assert_int_equal(idmap_to_inside(&map, 1000), 0);
	assert_int_equal(idmap_to_inside(&map, 100000), 1);
	assert_int_equal(idmap_to_inside(&map, 165535), 65536);
	assert_true(idmap_to_inside(&map, 165536) == UINT32_MAX);
	assert_true(idmap_to_inside(&map, 0) == UINT32_MAX);
	assert_int_equal(idmap_to_outside(&map, 0), 1000);
	assert_int_equal(idmap_to_outside(&map, 33), 100032);
	assert_true(idmap_to_outside(&map, 65537) == UINT32_MAX);
}

static void the_full_range_is_a_map(void **state)
{
	assert_int_equal(parse("         0          0 4294967295\n"), 0);
	assert_true(idmap_to_inside(&map, UINT32_MAX - 1) == UINT32_MAX - 1);
	assert_true(idmap_to_inside(&map, UINT32_MAX) == UINT32_MAX);
}

static void no_map_maps_nothing(void **state)
{
	assert_int_equal(parse(""), 0);
	assert_true(idmap_to_inside(&map, 0) == UINT32_MAX);
}

static void lines_that_are_no_map_are_refused(void **state)
{
	assert_int_equal(parse("0 0\n"), -EBADMSG);
	assert_int_equal(parse("0 0 0\n"), -EBADMSG);
	assert_int_equal(parse("0 0 1 2\n"), -EBADMSG);
	assert_int_equal(parse("a 0 1\n"), -EBADMSG);
	assert_int_equal(parse("0 0 4294967296\n"), -EBADMSG);
	assert_int_equal(parse("1 0 4294967295\n"), -EBADMSG);
	assert_int_equal(parse("0 4294967295 1\n"), -EBADMSG);
}

static size_t print_lines(char *text, size_t size, int lines)
{
	size_t n = 0;

	for (int i = 0; i < lines; i++)
		n += (size_t)snprintf(text + n, size - n, "%10d %10d %10d\n", i, 100000 + 2 * i, 1);
	return n;
}

static void a_map_has_at_most_340_lines(void **state)
{
	static char text[16384];
	size_t n = print_lines(text, sizeof(text), 340);

	assert_int_equal(idmap_parse(text, n, &map), 0);
	assert_int_equal(map.n, 340);
	assert_int_equal(idmap_to_inside(&map, 100000 + 2 * 339), 339);
	n = print_lines(text, sizeof(text), 341);
	assert_int_equal(idmap_parse(text, n, &map), -E2BIG);
}

static void try_map(const char *buf, size_t len)
{
	if (idmap_parse(buf, len, &map) == 0)
		(void)idmap_to_inside(&map, 100000);
}

static void a_map_survives_damage(void **state)
{
	torture_str(ROOTLESS, try_map);
}

#define PASSWD                                                                              \
	"root:x:0:0:root:/root:/bin/bash\nwww:x:33:34::/var/www:/sbin/nologin\n"            \
	"#c:x:1:1:::\n+::::::\n\nbad:x:a:1:::\nnegative:x:-1:1:::\nshort:x:5:6\n::7:7:::\n" \
	"big:x:4294967296:1:::\nroot2:x:0:0::/:/bin/sh"

static void passwd_lines_are_read(void **state)
{
	_cleanup_passwd_ struct passwd_table t = { 0 };
	const struct passwd_entry *e;

	assert_int_equal(passwd_parse(PASSWD, strlen(PASSWD), &t), 0);
	assert_int_equal(t.n, 4);
	e = passwd_by_uid(&t, 33);
	assert_non_null(e);
	assert_string_equal(e->name, "www");
	assert_string_equal(e->home, "/var/www");
	assert_string_equal(e->shell, "/sbin/nologin");
	assert_int_equal(e->gid, 34);
	assert_string_equal(passwd_by_uid(&t, 0)->name, "root");
	e = passwd_by_name(&t, "root2");
	assert_non_null(e);
	assert_string_equal(e->shell, "/bin/sh");
	e = passwd_by_name(&t, "short");
	assert_non_null(e);
	assert_string_equal(e->home, "");
	assert_null(passwd_by_name(&t, "bad"));
	assert_null(passwd_by_uid(&t, 7));
}

static void a_huge_passwd_is_refused(void **state)
{
	struct passwd_table t;
	char *big = calloc(1, PASSWD_MAX + 1);

	assert_non_null(big);
	assert_int_equal(passwd_parse(big, PASSWD_MAX + 1, &t), -EFBIG);
	free(big);
}

static void try_passwd(const char *buf, size_t len)
{
	_cleanup_passwd_ struct passwd_table t = { 0 };

	assert_int_equal(passwd_parse(buf, len, &t), 0);
	for (size_t i = 0; i < t.n; i++)
		assert_true(strlen(t.items[i].name) + strlen(t.items[i].shell) <= len);
}

static void passwd_survives_damage(void **state)
{
	torture_str(PASSWD, try_passwd);
}

/* A root directory with etc/ and what make() puts there as passwd. Returns passwd_read()'s result. */
static int read_made(int (*make)(int etc), struct passwd_table *t, struct insp_err *err)
{
	char dir[SCRATCH_PATH];
	int root, etc, r;

	scratch_dir(dir);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root, "etc", 0755), 0);
	etc = openat(root, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(make(etc), 0);
	r = passwd_read(root, t, err);
	unlinkat(etc, "passwd", 0);
	unlinkat(root, "etc", AT_REMOVEDIR);
	close(etc);
	close(root);
	rmdir(dir);
	return r;
}

static int make_fifo(int etc)
{
	return mkfifoat(etc, "passwd", 0600);
}

static int make_endless(int etc)
{
	int fd = openat(etc, "passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int r = ftruncate(fd, 10LL << 30);

	close(fd);
	return r;
}

static int make_outward_link(int etc)
{
	return symlinkat("../../../../../../etc/passwd", etc, "passwd");
}

static int make_nothing(int etc)
{
	return 0;
}

static void a_hostile_passwd_gives_an_empty_table_and_says_why(void **state)
{
	struct passwd_table t = { .n = 7 };
	struct insp_err err = { 0 };

	assert_int_equal(read_made(make_fifo, &t, &err), -EBADF);
	assert_int_equal(t.n, 0);
	assert_string_equal(err.text, "read '/etc/passwd': not a regular file");
	t.n = 7;
	assert_int_equal(read_made(make_endless, &t, &err), -EFBIG);
	assert_int_equal(t.n, 0);
	t.n = 7;
	/* inside the root the link is a link to itself */
	assert_true(read_made(make_outward_link, &t, &err) < 0);
	assert_int_equal(t.n, 0);
	assert_int_equal(read_made(make_nothing, &t, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_map_both_ways),
		cmocka_unit_test(the_full_range_is_a_map),
		cmocka_unit_test(no_map_maps_nothing),
		cmocka_unit_test(lines_that_are_no_map_are_refused),
		cmocka_unit_test(a_map_has_at_most_340_lines),
		cmocka_unit_test(a_map_survives_damage),
		cmocka_unit_test(passwd_lines_are_read),
		cmocka_unit_test(a_huge_passwd_is_refused),
		cmocka_unit_test(passwd_survives_damage),
		cmocka_unit_test(a_hostile_passwd_gives_an_empty_table_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
