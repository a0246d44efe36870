/*
 * What counts as a change, kind by kind, in layers made by hand; tests/live/cdiff-*.sh compare with what engines say of
 * layers that the kernel wrote.
 */
#include "tests/unit/changes.h"

#define OVERLAY (VIEW_DEVICE | VIEW_TRUSTED)
#define USERS	(VIEW_DEVICE | VIEW_USER)
#define FUSE	(VIEW_DEVICE | VIEW_TRUSTED | VIEW_USER | VIEW_FUSE)

static const struct insp_diff_opts plain;

/* A file as a copy has it: the same time each. */
static void put_old(const struct layers *l, const char *path, const char *text)
{
	put_file(l, path, text);
	put_time(l, path, 1000, 5);
}

/* ---- deleted, and replaced ------------------------------------------------------------------------- */

static void a_whiteout_deletes_what_is_below_it_and_nothing_else(void **state)
{
	struct layers *l = *state;

	put_file(l, "1/d/gone", "");
	put_file(l, "1/d/kept", "");
	put_file(l, "1/tree/a/b", "");
	put_whiteout(l, "1/d/before");
	put_file(l, "2/d/before", "");
	put_whiteout(l, "0/d/gone");
	put_whiteout(l, "0/d/before"); /* the image deleted it already */
	put_whiteout(l, "0/d/never");
	put_whiteout(l, "0/tree");
	assert_string_equal(changes(l, 3, OVERLAY, 0), "C /d; D /d/gone; D /tree");
}

static void a_file_called_wh_deletes_in_a_fuse_store_only(void **state)
{
	struct layers *l = *state;

	put_file(l, "1/d/gone", "");
	put_file(l, "1/d/kept", "");
	put_file(l, "1/tree/x", "");
	put_file(l, "0/d/.wh.gone", "");
	put_file(l, "0/.wh.tree", "");
	put_file(l, "0/.wh.never", "");
	assert_string_equal(changes(l, 2, FUSE, 0), "C /d; D /d/gone; D /tree");
	assert_string_equal(changes(l, 2, OVERLAY, 0),
			    "A /.wh.never; A /.wh.tree; C /d; A /d/.wh.gone");
}

static void what_an_opaque_directory_hides_is_deleted(void **state)
{
	static const struct {
		const char *attribute; /* NULL: the file .wh..wh..opq */
		unsigned marks;
		bool opaque;
	} cases[] = {
		{ "user.overlay.opaque", USERS, true },
		{ "user.overlay.opaque", OVERLAY, false },
		{ "user.fuseoverlayfs.opaque", FUSE, true },
		{ "user.fuseoverlayfs.opaque", USERS, false },
		{ "user.fuseoverlayfs.opaque", OVERLAY, false },
		{ NULL, FUSE, true },
		/* last: they need root */
		{ "trusted.overlay.opaque", OVERLAY, true },
		{ "trusted.overlay.opaque", USERS, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct layers *l = *state;

		put_old(l, "1/d/again", "x");
		put_file(l, "1/d/hidden/x", "");
		put_old(l, "0/d/again", "x");
		put_file(l, "0/d/new", "");
		if (cases[i].attribute)
			put_xattr(l, "0/d", cases[i].attribute, "y");
		else
			put_file(l, "0/d/.wh..wh..opq", "");
		print_message("%s, marks %x\n", cases[i].attribute, cases[i].marks);
		assert_string_equal(changes(l, 2, cases[i].marks, 0),
				    cases[i].opaque ? "C /d; D /d/hidden; A /d/new"
						    : "C /d; A /d/new");
		layers_remove(l->fd, "0");
	}
}

static void a_renamed_directory_is_deleted_there_and_added_here(void **state)
{
	struct layers *l = *state;

	put_file(l, "1/old/sub/file", "");
	put_file(l, "1/old/gone", "");
	put_whiteout(l, "0/old");
	put_file(l, "0/new/extra", "");
	put_whiteout(l, "0/new/gone");
	put_xattr(l, "0/new", "trusted.overlay.redirect", "/old");
	assert_string_equal(changes(l, 2, OVERLAY, 0),
			    "A /new; A /new/extra; A /new/sub; A /new/sub/file; D /old");
	/* a user's mount follows none */
	assert_string_equal(changes(l, 2, USERS, 0), "A /new; A /new/extra; D /old");
}

/* ---- changed, or not ------------------------------------------------------------------------------- */

static void a_metacopy_has_the_size_and_the_content_of_its_data(void **state)
{
	struct layers *l = *state;

	for (int i = 0; i < 2; i++) {
		const char *path = i ? "0/g" : "0/f";
		_cleanup_close_ int fd = -EBADF;

		put_old(l, i ? "1/g" : "1/f", "data");
		put_file(l, path, "");
		put_xattr_n(l, path, "trusted.overlay.metacopy", "", 0);
		put_mode(l, path, i ? 0644 : 0600);
		fd = openat(l->fd, path, O_WRONLY | O_CLOEXEC);
		assert_int_equal(ftruncate(fd, 4), 0);
		put_time(l, path, 1000, 5);
	}
	assert_string_equal(changes(l, 2, OVERLAY, 0), "C /f mode");
	assert_string_equal(changes(l, 2, OVERLAY, INSP_DIFF_VERIFY), "C /f mode");
	/* in a user's store the attribute is the container's own: the data is zeros */
	assert_string_equal(changes(l, 2, USERS, INSP_DIFF_VERIFY | INSP_DIFF_DETAIL),
			    "C /f mode,content,xattr; C /g content,xattr");
}

static void a_file_that_was_copied_up_and_is_as_it_was_is_none(void **state)
{
	struct layers *l = *state;

	put_old(l, "1/d/equal", "same");
	put_old(l, "0/d/equal", "same");
	put_link(l, "1/d/link", "to");
	put_link(l, "0/d/link", "to");
	put_time(l, "1/d/link", 7, 0);
	put_time(l, "0/d/link", 7, 0);
	put_time(l, "0/d", 9, 9); /* a directory's time says nothing */
	assert_string_equal(changes(l, 2, OVERLAY, 0), "");
	assert_string_equal(changes(l, 2, OVERLAY, INSP_DIFF_VERIFY | INSP_DIFF_DETAIL), "");
}

static void times_are_compared_as_exactly_as_both_have_them(void **state)
{
	static const struct {
		long before, after;
		bool changed;
	} cases[] = { { 5, 5, false }, { 5, 6, true }, { 0, 6, false }, { 5, 0, false } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct layers *l = *state;

		put_file(l, "1/f", "x");
		put_file(l, "0/f", "x");
		put_time(l, "1/f", 1000, cases[i].before);
		put_time(l, "0/f", 1000, cases[i].after);
		assert_string_equal(changes(l, 2, OVERLAY, 0),
				    cases[i].changed ? "C /f mtime" : "");
		put_time(l, "0/f", 1001, cases[i].after);
		assert_string_equal(changes(l, 2, OVERLAY, 0), "C /f mtime");
	}
}

static void a_change_behind_an_equal_time_is_seen_when_asked_for(void **state)
{
	struct layers *l = *state;

	put_old(l, "1/data", "one");
	put_old(l, "0/data", "two");
	put_old(l, "1/attribute", "");
	put_old(l, "0/attribute", "");
	put_xattr(l, "0/attribute", "user.note", "1");
	put_link(l, "1/link", "one");
	put_link(l, "0/link", "two");
	put_time(l, "1/link", 7, 0);
	put_time(l, "0/link", 7, 0);
	assert_string_equal(changes(l, 2, OVERLAY, 0), "");
	assert_string_equal(changes(l, 2, OVERLAY, INSP_DIFF_VERIFY),
			    "C /attribute xattr; C /data content; C /link content");
}

static void what_has_changed_is_told(void **state)
{
	struct layers *l = *state;

	put_old(l, "1/mode", "x");
	put_old(l, "0/mode", "x");
	put_mode(l, "0/mode", 04755);
	put_old(l, "1/size", "x");
	put_old(l, "0/size", "xy");
	put_dir(l, "1/dir");
	put_dir(l, "0/dir");
	put_mode(l, "0/dir", 01777);
	put_old(l, "1/same", "one");
	put_file(l, "0/same", "one");
	put_old(l, "1/other", "one");
	put_file(l, "0/other", "two");
	assert_string_equal(
		changes(l, 2, OVERLAY, 0),
		"C /dir mode; C /mode mode; C /other mtime; C /same mtime; C /size size,content");
	assert_string_equal(changes(l, 2, OVERLAY, INSP_DIFF_DETAIL),
			    "C /dir mode; C /mode mode; C /other mtime,content; C /same mtime; "
			    "C /size size,content");
}

static void an_owner_a_capability_and_a_device_number_count(void **state)
{
	/* VFS_CAP_REVISION_2, effective; CAP_NET_RAW */
	static const unsigned char raw[20] = { 1, 0, 0, 2, 0, 0x20 };
	struct layers *l = *state;

	NEED_ROOT();
	put_old(l, "1/owner", "");
	put_old(l, "0/owner", "");
	assert_int_equal(fchownat(l->fd, "0/owner", 7, 8, 0), 0);
	put_old(l, "1/ping", "");
	put_old(l, "0/ping", "");
	put_xattr_n(l, "0/ping", "security.capability", raw, sizeof(raw));
	put_dir(l, "1/dir");
	put_dir(l, "0/dir");
	assert_int_equal(fchownat(l->fd, "0/dir", 7, 0, 0), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			mknodat(l->fd, i ? "1/tty" : "0/tty", S_IFCHR | 0600, makedev(4, i)), 0);
		put_time(l, i ? "1/tty" : "0/tty", 5, 5);
		/* docker compares neither time nor size of a block device */
		assert_int_equal(
			mknodat(l->fd, i ? "1/blk" : "0/blk", S_IFBLK | 0600, makedev(7, 0)), 0);
		put_time(l, i ? "1/blk" : "0/blk", 5 + i, 5);
	}
	assert_string_equal(changes(l, 2, OVERLAY, 0),
			    "C /dir owner; C /owner owner; C /ping capability; C /tty device");
}

static void another_type_is_one_change_of_the_name(void **state)
{
	struct layers *l = *state;

	put_file(l, "1/dir-file/x", "");
	put_file(l, "0/dir-file", "");
	put_file(l, "1/dir-link/x", "");
	put_link(l, "0/dir-link", "dir-dir");
	put_file(l, "1/dir-socket/x", "");
	put_socket(l, "0/dir-socket");
	put_file(l, "1/file-dir", "");
	put_file(l, "0/file-dir/x", "");
	put_file(l, "1/file-fifo", "");
	assert_int_equal(mkfifoat(l->fd, "0/file-fifo", 0644), 0);
	put_link(l, "1/link-dir", "file-dir");
	put_file(l, "0/link-dir/x", "");
	put_link(l, "1/link-file", "x");
	put_file(l, "0/link-file", "");
	put_mode(l, "0/dir-file", 0755);
	put_mode(l, "1/file-dir", 0755);
	/* the permissions of links and directories are others */
	assert_string_equal(changes(l, 2, OVERLAY, 0),
			    "C /dir-file type; C /dir-link type,mode; C /dir-socket type; "
			    "C /file-dir type; A /file-dir/x; C /file-fifo type; "
			    "C /link-dir type,mode; A /link-dir/x; C /link-file type,mode");
}

static void of_hard_links_only_the_name_that_was_touched_is_changed(void **state)
{
	struct layers *l = *state;

	put_old(l, "1/a", "x");
	assert_int_equal(linkat(l->fd, "1/a", l->fd, "1/b", 0), 0);
	put_old(l, "0/a", "x");
	/* a second name of what was copied up makes no change of the first */
	assert_int_equal(linkat(l->fd, "0/a", l->fd, "0/c", 0), 0);
	assert_string_equal(changes(l, 2, OVERLAY, 0), "A /c");
	put_file(l, "0/a", "other");
	assert_string_equal(changes(l, 2, OVERLAY, 0), "C /a size,mtime,content; A /c");
}

static void names_are_bytes_and_in_their_order(void **state)
{
	struct layers *l = *state;

	put_file(l, "1/d/\xff\xfe", "");
	put_whiteout(l, "0/d/\xff\xfe");
	put_file(l, "0/d/new\nline", "");
	put_file(l, "0/d/\xc3\x28", "");
	put_file(l, "0/d/\x01", "");
	put_file(l, "0/d.x", "");
	put_file(l, "0/d-x", "");
	assert_string_equal(
		changes(l, 2, OVERLAY, 0),
		"C /d; A /d/\x01; A /d/new\nline; A /d/\xc3\x28; D /d/\xff\xfe; A /d-x; A /d.x");
}

/* ---- the engine's ---------------------------------------------------------------------------------- */

static void mount_points_of_an_engine_without_a_layer_are_left_out(void **state)
{
	struct layers *l = *state;

	put_dir(l, "1/etc");
	put_dir(l, "0/dev");
	put_dir(l, "0/proc");
	put_file(l, "0/run/.containerenv", "");
	put_dir(l, "0/run/secrets");
	put_file(l, "0/etc/hosts", "");
	put_link(l, "0/etc/mtab", "/proc/mounts");
	assert_string_equal(changes(l, 2, OVERLAY, 0), "");
	assert_string_equal(changes(l, 2, OVERLAY, INSP_DIFF_ALL),
			    "A /dev; C /etc; A /etc/hosts; A /etc/mtab; A /proc; A /run; "
			    "A /run/.containerenv; A /run/secrets");
	/* what only is called so is the container's */
	put_file(l, "0/etc/hosts", "10.0.0.1 evil");
	put_file(l, "0/dev/shm/x", "");
	put_file(l, "0/sys", "a file");
	layers_remove(l->fd, "0/etc/mtab");
	put_link(l, "0/etc/mtab", "/etc/shadow");
	assert_string_equal(
		changes(l, 2, OVERLAY, 0),
		"A /dev; A /dev/shm; A /dev/shm/x; C /etc; A /etc/hosts; A /etc/mtab; A /sys");
}

static void what_the_image_had_of_those_is_a_change_when_it_goes(void **state)
{
	struct layers *l = *state;

	put_old(l, "1/etc/hosts", "");
	put_old(l, "1/etc/hostname", "x");
	put_whiteout(l, "0/etc/hosts");
	put_old(l, "0/etc/hostname", "");
	assert_string_equal(changes(l, 2, OVERLAY, 0),
			    "C /etc; C /etc/hostname size,content; D /etc/hosts");
}

/* docker's: "1" is ID-init. */
static void the_layer_of_an_engine_is_no_change_and_all_shows_it(void **state)
{
	const struct insp_diff_opts all = { INSP_DIFF_ALL };
	struct layers *l = *state;

	put_file(l, "1/etc/hosts", "");
	put_file(l, "1/.dockerenv", "");
	put_dir(l, "1/proc");
	put_file(l, "2/etc/passwd", "");
	_cleanup_box_ struct box b = box_of(l, 3, OVERLAY, 1);

	assert_string_equal(changes_with(&b.files, NULL, plain), "");
	assert_string_equal(changes_with(&b.files, NULL, all),
			    "A /.dockerenv; C /etc; A /etc/hosts; A /proc");
	/* what the container does to it is its doing, and an empty file of such a name in its own layer, too */
	put_whiteout(l, "0/etc/hosts");
	put_file(l, "0/run/notify", "");
	assert_string_equal(changes_with(&b.files, NULL, plain),
			    "C /etc; D /etc/hosts; A /run; A /run/notify");
}

/* ---- what with what -------------------------------------------------------------------------------- */

static void two_containers_of_one_image_differ_in_their_own_layers(void **state)
{
	struct layers *l = *state;

	put_file(l, "0/d/first", "");
	put_whiteout(l, "0/d/gone");
	put_file(l, "1/etc/hosts", "a's, which its engine has written");
	put_file(l, "2/d/gone", "");
	put_file(l, "b0/d/second", "");
	put_file(l, "b1/etc/hosts", "b's");
	_cleanup_box_ struct box a = box_of(l, 3, OVERLAY, 1), b = box_of(l, 3, OVERLAY, 1);

	for (int i = 0; i < 2; i++) {
		util_close(b.files.view.layers[i].fd);
		b.files.view.layers[i].fd = openat(l->fd, i ? "b1" : "b0", O_RDONLY | O_CLOEXEC);
	}
	assert_string_equal(changes_with(&a.files, &b.files, plain),
			    "C /d; A /d/first; D /d/gone; D /d/second");
	assert_string_equal(changes_with(&b.files, &a.files, plain),
			    "C /d; D /d/first; A /d/gone; A /d/second");
	assert_string_equal(changes_with(&a.files, &a.files, plain), "");
}

static void a_whole_tree_is_compared_with_what_it_was_copied_from(void **state)
{
	struct layers *l = *state;

	put_old(l, "0/same", "x");
	put_old(l, "1/same", "x");
	put_file(l, "0/new", "");
	put_file(l, "1/gone/x", "");
	_cleanup_box_ struct box b = box_of(l, 1, 0, 0);

	b.files.n_upper = 0;
	b.container->layers->kind = INSP_ROOT_DIR;
	assert_string_equal(changes_with(&b.files, NULL, plain), "ENODATA");
	assert_int_equal(
		view_add(&b.files.base, openat(l->fd, "1", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), 0);
	assert_string_equal(changes_with(&b.files, NULL, plain), "D /gone; A /new");
}

static void paths_and_patterns_choose(void **state)
{
	const char *const paths[] = { "/var/log" }, *const none[] = { "/nowhere" };
	const char *const globs[] = { "*.pid", "/etc/*/old", "tmp" };
	const struct insp_diff_opts below = { .paths = paths, .n_paths = 1 };
	const struct insp_diff_opts nowhere = { .paths = none, .n_paths = 1 };
	const struct insp_diff_opts without = { .excludes = globs, .n_excludes = 3 };
	struct layers *l = *state;

	put_link(l, "1/var", "data");
	put_file(l, "0/data/log/x", "");
	put_file(l, "0/data/logs", "");
	put_file(l, "0/run/a.pid", "");
	put_file(l, "0/run/a.pid.d/x", "");
	put_file(l, "0/etc/a/old", "");
	put_file(l, "0/etc/a/b/old", "");
	put_file(l, "0/tmp/x", "");
	_cleanup_box_ struct box b = box_of(l, 2, OVERLAY, 0);

	assert_string_equal(changes_with(&b.files, NULL, below), "A /data/log; A /data/log/x");
	assert_string_equal(changes_with(&b.files, NULL, nowhere), "ENOENT");
	assert_string_equal(changes_with(&b.files, NULL, without),
			    "A /data; A /data/log; A /data/log/x; A /data/logs; A /etc; A /etc/a; "
			    "A /etc/a/b; A /etc/a/b/old; A /run; A /run/a.pid.d; A /run/a.pid.d/x");
}

static int stop(const struct insp_change *change, void *arg)
{
	(void)change;
	return ++*(int *)arg == 2 ? -ECANCELED : 0;
}

static void what_the_caller_returns_ends_it(void **state)
{
	struct layers *l = *state;
	int calls = 0;
	const struct insp_diff_opts opts = { .each = stop, .arg = &calls };

	put_file(l, "0/a", "");
	put_file(l, "0/b", "");
	put_file(l, "0/c", "");
	_cleanup_box_ struct box b = box_of(l, 2, OVERLAY, 0);

	assert_int_equal(insp_diff(&b.files, NULL, &opts, NULL, NULL), -ECANCELED);
	assert_int_equal(calls, 2);
}

/* "upper", "image 2", … of each side. */
static int note_layers(const struct insp_change *change, void *arg)
{
	static const char *const roles[] = { "upper", "engine", "image", "tree" };
	struct strbuf *sb = arg;

	strbuf_printf(sb, "%s%s", sb->len ? "; " : "", change->path);
	for (int side = INSP_BEFORE; side <= INSP_AFTER; side++) {
		struct insp_layer layer;

		insp_change_layer(change, side, &layer);
		if (change->file[side])
			strbuf_printf(sb, " %s %u %s", roles[layer.role], layer.number,
				      strrchr(layer.path, '/') + 1);
	}
	return 0;
}

static void the_layer_of_each_side_is_known(void **state)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	const struct insp_diff_opts opts = { INSP_DIFF_ALL, .each = note_layers, .arg = &sb };
	struct layers *l = *state;

	put_file(l, "0/new", "");
	put_file(l, "0/both", "x");
	put_file(l, "2/both", "");
	put_file(l, "1/env", "");
	put_whiteout(l, "0/low");
	put_file(l, "3/low", "");
	_cleanup_box_ struct box b = box_of(l, 4, OVERLAY, 1);

	assert_int_equal(insp_diff(&b.files, NULL, &opts, NULL, NULL), 0);
	assert_string_equal(
		sb.buf,
		"/both image 2 2 upper 0 0; /env engine 0 1; /low image 1 3; /new upper 0 0");
}

int main(void)
{
#define LAYERS_TEST(f) cmocka_unit_test_setup_teardown(f, layers_up, layers_down)
	const struct CMUnitTest tests[] = {
		LAYERS_TEST(a_whiteout_deletes_what_is_below_it_and_nothing_else),
		LAYERS_TEST(a_file_called_wh_deletes_in_a_fuse_store_only),
		LAYERS_TEST(what_an_opaque_directory_hides_is_deleted),
		LAYERS_TEST(a_renamed_directory_is_deleted_there_and_added_here),
		LAYERS_TEST(a_metacopy_has_the_size_and_the_content_of_its_data),
		LAYERS_TEST(a_file_that_was_copied_up_and_is_as_it_was_is_none),
		LAYERS_TEST(times_are_compared_as_exactly_as_both_have_them),
		LAYERS_TEST(a_change_behind_an_equal_time_is_seen_when_asked_for),
		LAYERS_TEST(what_has_changed_is_told),
		LAYERS_TEST(an_owner_a_capability_and_a_device_number_count),
		LAYERS_TEST(another_type_is_one_change_of_the_name),
		LAYERS_TEST(of_hard_links_only_the_name_that_was_touched_is_changed),
		LAYERS_TEST(names_are_bytes_and_in_their_order),
		LAYERS_TEST(mount_points_of_an_engine_without_a_layer_are_left_out),
		LAYERS_TEST(what_the_image_had_of_those_is_a_change_when_it_goes),
		LAYERS_TEST(the_layer_of_an_engine_is_no_change_and_all_shows_it),
		LAYERS_TEST(two_containers_of_one_image_differ_in_their_own_layers),
		LAYERS_TEST(a_whole_tree_is_compared_with_what_it_was_copied_from),
		LAYERS_TEST(paths_and_patterns_choose),
		LAYERS_TEST(what_the_caller_returns_ends_it),
		LAYERS_TEST(the_layer_of_each_side_is_known),
	};

	layers_raise_files();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
