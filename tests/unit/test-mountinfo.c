/* /proc/PID/mountinfo and overlay's layers in it. */
#include "tests/unit/torture.h"

#include "libinspect/base/str.h"
#include "libinspect/kernel/mountinfo.h"

struct layers {
	char **lowers, *upper;
	size_t n;
};

static void layers_free(struct layers *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->lowers[i]);
	free(l->lowers);
	free(l->upper);
}
#define _cleanup_layers_ _cleanup_(layers_free)

static void parse(const char *s, struct mount_table *t)
{
	assert_int_equal(mountinfo_parse(s, strlen(s), t), 0);
}

static void fields_are_read_and_octal_is_undone(void **state)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	parse("36 35 98:7 /mnt1 /mnt\\0402\\134x rw,noatime master:1 shared:7 - ext3 "
	      "/dev/root\\011 rw,errors=continue\n",
	      &t);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.items[0].id, 36);
	assert_int_equal(t.items[0].parent, 35);
	assert_int_equal(t.items[0].major, 98);
	assert_int_equal(t.items[0].minor, 7);
	assert_string_equal(t.items[0].root, "/mnt1");
	assert_string_equal(t.items[0].target, "/mnt 2\\x");
	assert_string_equal(t.items[0].options, "rw,noatime");
	assert_string_equal(t.items[0].fstype, "ext3");
	assert_string_equal(t.items[0].source, "/dev/root\t");
	assert_string_equal(t.items[0].super_options, "rw,errors=continue");
}

static void an_empty_source_and_no_optional_field_are_legal(void **state)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	parse("1 2 0:1 / /a rw - tmpfs  rw\n3 2 0:1 / /b rw - tmpfs none\n", &t);
	assert_int_equal(t.n, 2);
	assert_string_equal(t.items[0].source, "");
	assert_string_equal(t.items[0].super_options, "rw");
	assert_string_equal(t.items[1].super_options, "");
}

static void lines_that_make_no_sense_are_left_out(void **state)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	parse("\nx\n1 2 0 / /a rw - t s o\n1 2 0:1 / /a rw t s o\n1 2 0:1 / /ok rw - t s o\n", &t);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.items[0].target, "/ok");
}

static void the_last_mount_on_a_target_is_the_visible_one(void **state)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	parse("1 0 0:1 / /a rw - t one o\n2 0 0:1 / /b rw - t x o\n3 0 0:1 / /a rw - t two o\n",
	      &t);
	assert_string_equal(mountinfo_find(&t, "/a")->source, "two");
	assert_null(mountinfo_find(&t, "/c"));
}

static int layers_of(const char *options, struct layers *l)
{
	struct mount_entry m = { .fstype = (char *)"overlay", .super_options = (char *)options };

	return mountinfo_overlay(&m, &l->lowers, &l->n, &l->upper);
}

/* ":" and "," inside a name, as the mounter escaped them and the kernel escaped that. */
static void both_kinds_of_escapes_are_undone(void **state)
{
	_cleanup_layers_ struct layers l = { 0 };

	assert_int_equal(layers_of("rw,lowerdir=l/A:/b\\134:c:/d\\134\\054e:/f\\040g::/data,"
				   "upperdir=/u\\134\\054p\\134\\134,workdir=/w",
				   &l),
			 0);
	assert_int_equal(l.n, 5);
	assert_string_equal(l.lowers[0], "l/A");
	assert_string_equal(l.lowers[1], "/b:c");
	assert_string_equal(l.lowers[2], "/d,e");
	assert_string_equal(l.lowers[3], "/f g");
	assert_string_equal(l.lowers[4], "/data");
	assert_string_equal(l.upper, "/u,p\\");
}

static void layers_given_one_by_one_have_no_colons_to_split(void **state)
{
	_cleanup_layers_ struct layers l = { 0 };

	assert_int_equal(layers_of("rw,lowerdir+=/x:y,lowerdir+=/z\\054\\134,datadir+=/d", &l), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.lowers[0], "/x:y");
	assert_string_equal(l.lowers[1], "/z,\\");
	assert_string_equal(l.lowers[2], "/d");
	assert_null(l.upper);
}

static void five_hundred_layers_are_read(void **state)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	_cleanup_layers_ struct layers l = { 0 };
	_cleanup_mount_table_ struct mount_table t = { 0 };

	strbuf_puts(&sb, "1 0 0:1 / /m rw - overlay overlay rw,lowerdir=");
	for (int i = 0; i < 500; i++)
		strbuf_printf(&sb, "%sl/LAYER%03d", i ? ":" : "", i);
	strbuf_puts(&sb, ",upperdir=/u,workdir=/w\n");
	parse(sb.buf, &t);
	assert_int_equal(t.n, 1);
	assert_int_equal(mountinfo_overlay(&t.items[0], &l.lowers, &l.n, &l.upper), 0);
	assert_int_equal(l.n, 500);
	assert_string_equal(l.lowers[499], "l/LAYER499");
	assert_string_equal(l.upper, "/u");
}

static void layers_without_end_are_refused(void **state)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	struct layers l = { 0 };

	strbuf_puts(&sb, "rw,lowerdir=a");
	for (int i = 0; i < 5000; i++)
		strbuf_puts(&sb, ":b");
	assert_int_equal(layers_of(sb.buf, &l), -E2BIG);
}

static void what_is_no_overlay_has_no_layers(void **state)
{
	struct mount_entry m = { .fstype = (char *)"ext4",
				 .super_options = (char *)"rw,lowerdir=/a" };
	struct layers l = { 0 };

	assert_int_equal(mountinfo_overlay(&m, &l.lowers, &l.n, &l.upper), -EINVAL);
}

static void try_table(const char *buf, size_t len)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };

	assert_int_equal(mountinfo_parse(buf, len, &t), 0);
	for (size_t i = 0; i < t.n; i++) {
		_cleanup_layers_ struct layers l = { 0 };

		assert_non_null(mountinfo_find(&t, t.items[i].target));
		(void)mountinfo_overlay(&t.items[i], &l.lowers, &l.n, &l.upper);
	}
}

static void mounts_survive_damage(void **state)
{
	torture_str("36 35 98:7 /mnt1 /mnt\\0402\\134x rw,noatime master:1 - overlay /dev/root "
		    "rw,lowerdir=l/A:/b\\134:c:/d\\054e\\134,upperdir=/u\\134\\054,lowerdir+=/q\n",
		    try_table);
}

static void our_own_mounts_hold_a_root_and_proc(void **state)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	struct insp_sys *sys;

	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(mountinfo_read(sys, 0, &t, NULL), 0);
	assert_non_null(mountinfo_find(&t, "/"));
	assert_string_equal(mountinfo_find(&t, "/proc")->fstype, "proc");
	insp_sys_close(sys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_and_octal_is_undone),
		cmocka_unit_test(an_empty_source_and_no_optional_field_are_legal),
		cmocka_unit_test(lines_that_make_no_sense_are_left_out),
		cmocka_unit_test(the_last_mount_on_a_target_is_the_visible_one),
		cmocka_unit_test(both_kinds_of_escapes_are_undone),
		cmocka_unit_test(layers_given_one_by_one_have_no_colons_to_split),
		cmocka_unit_test(five_hundred_layers_are_read),
		cmocka_unit_test(layers_without_end_are_refused),
		cmocka_unit_test(what_is_no_overlay_has_no_layers),
		cmocka_unit_test(mounts_survive_damage),
		cmocka_unit_test(our_own_mounts_hold_a_root_and_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
