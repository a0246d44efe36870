/*
 * What the marks of layers mean, kind by kind, in layers made by hand; tests/live/merged-view.sh compares with the kernel
 * what the kernel wrote.
 */
#include "tests/unit/layers.h"

#include "libinspect/kernel/sealedtree.h"
#include "libinspect/rootfs/marks.h"

#include <sys/inotify.h>

#define OVERLAY (VIEW_DEVICE | VIEW_TRUSTED)
#define USERS	(VIEW_DEVICE | VIEW_USER)
#define FUSE	(VIEW_DEVICE | VIEW_TRUSTED | VIEW_USER | VIEW_FUSE)

/* ---- deleted --------------------------------------------------------------------------------------- */

static void a_device_0_0_deletes(void **state)
{
	struct layers *l = *state;

	put_file(l, "1/d/kept", "");
	put_file(l, "1/d/gone", "");
	put_file(l, "1/d/back", "old");
	put_whiteout(l, "1/d/never");
	put_whiteout(l, "0/d/gone");
	put_file(l, "0/d/back", "new");
	put_file(l, "2/d/back", "oldest");
	put_file(l, "2/d/never", "");
	_cleanup_view_ struct view v = layers_view(l, 3, OVERLAY);

	assert_string_equal(names_at(&v, "/d"), " back kept");
	assert_string_equal(text_at(&v, "/d", "back"), "new");
	assert_string_equal(text_at(&v, "/d", "gone"), "ENOENT");
	assert_string_equal(text_at(&v, "/d", "never"), "ENOENT");
	/* without marks it is a device, and nothing is merged */
	v.marks = 0;
	assert_string_equal(names_at(&v, "/d"), " back gone");
}

static void a_whiteout_ends_what_is_merged(void **state)
{
	struct layers *l = *state;

	put_file(l, "0/d/top", "");
	put_whiteout(l, "1/d");
	put_file(l, "2/d/bottom", "");
	put_file(l, "0/e/top", "");
	put_file(l, "1/e", "a file");
	put_file(l, "2/e/bottom", "");
	put_file(l, "0/f/top", "");
	put_link(l, "1/f", "e");
	put_file(l, "2/f/bottom", "");
	put_file(l, "0/g", "a file");
	put_file(l, "1/g/bottom", "");
	_cleanup_view_ struct view v = layers_view(l, 3, OVERLAY);

	assert_string_equal(names_at(&v, "/d"), " top");
	assert_string_equal(names_at(&v, "/e"), " top");
	assert_string_equal(names_at(&v, "/f"), " top");
	assert_string_equal(names_at(&v, "/g"), "ENOTDIR");
	assert_string_equal(text_at(&v, "/", "g"), "a file");
}

static void files_called_wh_delete_in_a_fuse_store_only(void **state)
{
	struct layers *l = *state;

	put_file(l, "0/d/.wh.gone", "");
	put_file(l, "0/d/.wh.both", "");
	put_file(l, "0/d/both", "deleted by its own layer");
	put_file(l, "0/d/top", "");
	put_file(l, "0/.wh.tree", "");
	put_file(l, "1/d/gone", "");
	put_file(l, "1/d/kept", "");
	put_file(l, "1/tree/x", "");
	put_file(l, "0/m/top", "");
	put_file(l, "1/.wh.m", "");
	put_file(l, "2/m/bottom", "");
	_cleanup_view_ struct view v = layers_view(l, 3, FUSE);

	assert_string_equal(names_at(&v, "/d"), " kept top");
	assert_string_equal(names_at(&v, "/tree"), "ENOENT");
	assert_string_equal(names_at(&v, "/m"), " top");
	assert_string_equal(text_at(&v, "/d", "both"), "ENOENT");
	assert_string_equal(text_at(&v, "/d", ".wh.gone"), "ENOENT");
	v.marks = OVERLAY;
	assert_string_equal(names_at(&v, "/d"), " .wh.both .wh.gone both gone kept top");
	assert_string_equal(names_at(&v, "/m"), " bottom top");
}

static void an_empty_file_with_an_attribute_deletes(void **state)
{
	struct layers *l = *state;

	for (unsigned i = 0; i < 2; i++) {
		put_file(l, i ? "1/d/gone" : "0/d/gone", "");
		put_file(l, i ? "1/d/full" : "0/d/full", "data");
	}
	put_xattr(l, "0/d/gone", "user.overlay.whiteout", "y");
	put_xattr(l, "0/d/full", "user.overlay.whiteout", "y");
	_cleanup_view_ struct view v = layers_view(l, 2, USERS);

	assert_string_equal(names_at(&v, "/d"), " full");
	assert_string_equal(text_at(&v, "/d", "gone"), "ENOENT");
	put_xattr(l, "0/d", "user.overlay.opaque", "x");
	assert_string_equal(names_at(&v, "/d"), " full");
	v.marks = OVERLAY;
	assert_string_equal(names_at(&v, "/d"), " full gone");
}

static void a_list_can_hold_what_is_deleted(void **state)
{
	struct layers *l = *state;
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_view_list_ struct view_list list = { 0 };

	put_whiteout(l, "0/gone");
	put_file(l, "0/new", "");
	put_file(l, "1/gone", "");
	put_file(l, "1/old", "");
	_cleanup_view_ struct view v = layers_view(l, 2, OVERLAY);

	assert_int_equal(view_root(&v, 0, &dir), 0);
	assert_int_equal(view_list(&dir, 1, VIEW_LIST_WHITEOUTS, &list), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.items[0].name, "gone");
	assert_true(list.items[0].whiteout);
	assert_string_equal(list.items[1].name, "new");
	assert_false(list.items[1].whiteout);
}

/* ---- opaque ---------------------------------------------------------------------------------------- */

static void opaque_is_told_by_the_stores_own_attribute(void **state)
{
	static const struct {
		const char *attribute; /* NULL: the file .wh..wh..opq */
		const char *value;
		unsigned marks;
		bool opaque;
	} cases[] = {
		{ "user.overlay.opaque", "y", USERS, true },
		{ "user.overlay.opaque", "y", OVERLAY, false },
		{ "user.overlay.opaque", "n", USERS, false },
		{ "user.overlay.opaque", "yes", USERS, false },
		{ "user.overlay.opaque", "", USERS, false },
		{ "user.fuseoverlayfs.opaque", "y", FUSE, true },
		{ "user.fuseoverlayfs.opaque", "yes", FUSE, true },
		{ "user.fuseoverlayfs.opaque", "n", FUSE, false },
		{ "user.fuseoverlayfs.opaque", "y", USERS, false },
		{ "user.fuseoverlayfs.opaque", "y", OVERLAY, false },
		{ "user.overlay.opaque", "y", FUSE, true },
		{ NULL, NULL, FUSE, true },
		{ NULL, NULL, USERS, false },
		{ NULL, NULL, OVERLAY, false },
		/* last: they need root */
		{ "trusted.overlay.opaque", "y", OVERLAY, true },
		{ "trusted.overlay.opaque", "y", USERS, false },
		{ "trusted.overlay.opaque", "y", FUSE, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct layers *l = *state;

		put_file(l, "0/d/top", "");
		put_file(l, "1/d/bottom", "");
		if (cases[i].attribute)
			put_xattr(l, "0/d", cases[i].attribute, cases[i].value);
		else
			put_file(l, "0/d/.wh..wh..opq", "");
		_cleanup_view_ struct view v = layers_view(l, 2, cases[i].marks);
		bool opaque = strstr(names_at(&v, "/d"), " bottom") == NULL;

		if (opaque != cases[i].opaque)
			print_error("%s=%s, marks %x\n", cases[i].attribute, cases[i].value,
				    cases[i].marks);
		assert_int_equal(opaque, cases[i].opaque);
		assert_string_equal(text_at(&v, "/d", "bottom"), opaque ? "ENOENT" : "");
		layers_remove(l->fd, "0");
	}
}

static void the_root_of_a_layer_is_opaque_to_fuse_overlayfs_only(void **state)
{
	struct layers *l = *state;

	put_file(l, "0/top", "");
	put_file(l, "1/bottom", "");
	put_xattr(l, "0", "user.overlay.opaque", "y");
	_cleanup_view_ struct view v = layers_view(l, 2, USERS);

	assert_string_equal(names_at(&v, "/"), " bottom top");
	v.marks = FUSE;
	assert_string_equal(names_at(&v, "/"), " top");
}

/* ---- redirected ------------------------------------------------------------------------------------ */

static void a_renamed_directory_has_its_lower_part_elsewhere(void **state)
{
	struct layers *l = *state;

	put_file(l, "0/d/new/top", "");
	put_xattr(l, "0/d/new", "trusted.overlay.redirect", "old");
	put_whiteout(l, "0/d/old");
	put_file(l, "1/d/old/middle", "");
	put_file(l, "1/d/new/not-this", "");
	put_xattr(l, "1/d/old", "trusted.overlay.redirect", "older");
	put_file(l, "2/d/older/bottom", "");
	put_file(l, "2/d/old/nor-this", "");
	_cleanup_view_ struct view v = layers_view(l, 3, OVERLAY);

	assert_string_equal(names_at(&v, "/d"), " new older");
	assert_string_equal(names_at(&v, "/d/new"), " bottom middle top");
	/* a user's mount follows none, and neither does fuse-overlayfs */
	v.marks = FUSE;
	assert_string_equal(names_at(&v, "/d/new"), " not-this top");
}

static void an_absolute_redirect_begins_at_the_root_of_the_layers_below(void **state)
{
	struct layers *l = *state;

	put_file(l, "0/far/away/top", "");
	put_xattr(l, "0/far/away", "trusted.overlay.redirect", "/was/here");
	put_file(l, "1/was/here/middle", "");
	/* the way there is merged, and redirected itself */
	put_xattr(l, "1/was", "trusted.overlay.redirect", "/origin");
	put_file(l, "2/origin/here/bottom", "");
	put_file(l, "2/was/here/not-this", "");
	put_dir(l, "0/no/where");
	put_xattr(l, "0/no/where", "trusted.overlay.redirect", "/is/nothing");
	_cleanup_view_ struct view v = layers_view(l, 3, OVERLAY);

	assert_string_equal(names_at(&v, "/far/away"), " bottom middle top");
	assert_string_equal(names_at(&v, "/no/where"), "");
}

static void what_cannot_be_a_redirect_leads_nowhere(void **state)
{
	static const char *const values[] = { "..",	 ".",	  "a/b",   "",	      "/",
					      "//was",	 "/was/", "/..",   "/was/..", "/./was",
					      "/was//x", "a/..",  "../was" };
	static char longest[NAME_MAX + 2];

	memset(longest, 'a', NAME_MAX + 1);
	for (size_t i = 0; i < ARRAY_SIZE(values) + 2; i++) {
		struct layers *l = *state;

		put_file(l, "0/d/e/top", "");
		put_file(l, "1/d/e/bottom", "");
		put_file(l, "1/was/bottom", "");
		put_file(l, "1/a/b/bottom", "");
		if (i < ARRAY_SIZE(values))
			put_xattr(l, "0/d/e", "trusted.overlay.redirect", values[i]);
		else if (i == ARRAY_SIZE(values))
			put_xattr(l, "0/d/e", "trusted.overlay.redirect", longest);
		else
			put_xattr_n(l, "0/d/e", "trusted.overlay.redirect", "was\0x", 5);
		_cleanup_view_ struct view v = layers_view(l, 2, OVERLAY);

		assert_string_equal(names_at(&v, "/d/e"), " top");
	}
}

/* ---- data elsewhere -------------------------------------------------------------------------------- */

/* A file of the size and without the data, as overlay leaves it after a chmod with metacopy=on. */
static void put_metacopy(const struct layers *l, const char *path, off_t size, const char *redirect)
{
	put_file(l, path, "");
	_cleanup_close_ int fd = openat(l->fd, path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(ftruncate(fd, size), 0);
	put_xattr(l, path, "trusted.overlay.metacopy", "");
	if (redirect)
		put_xattr(l, path, "trusted.overlay.redirect", redirect);
}

static void the_data_of_a_metacopy_is_further_down(void **state)
{
	struct layers *l = *state;
	struct view_node node;
	_cleanup_view_dir_ struct view_dir dir = { 0 };

	put_metacopy(l, "0/d/same", 4, NULL);
	put_file(l, "1/d/same", "same");
	put_metacopy(l, "0/d/renamed", 4, "same");
	put_metacopy(l, "0/e/moved", 4, "/d/was");
	put_metacopy(l, "1/d/was", 4, "/x/y/first");
	put_file(l, "2/x/y/first", "deep");
	put_metacopy(l, "1/d/own", 4, "/d/own");
	put_file(l, "2/d/own", "own");
	put_metacopy(l, "0/d/lost", 4, NULL);
	put_metacopy(l, "0/d/through-a-directory", 4, "x");
	put_file(l, "1/d/x/y", "");
	_cleanup_view_ struct view v = layers_view(l, 3, OVERLAY);

	assert_string_equal(text_at(&v, "/d", "same"), "same");
	assert_string_equal(text_at(&v, "/d", "renamed"), "same");
	assert_string_equal(text_at(&v, "/e", "moved"), "deep");
	assert_string_equal(text_at(&v, "/d", "own"), "own");
	assert_string_equal(text_at(&v, "/d", "lost"), "ENOENT");
	assert_string_equal(text_at(&v, "/d", "through-a-directory"), "ESTALE");
	assert_int_equal(enter_at(&v, "/d", &dir), 0);
	assert_int_equal(view_lookup(&dir, "same", &node), 0);
	assert_int_equal(node.st.st_size, 4);
}

static void a_users_word_leads_to_no_data(void **state)
{
	struct layers *l = *state;

	put_file(l, "0/d/f", "own");
	put_file(l, "1/d/f", "other");
	put_xattr(l, "0/d/f", "user.overlay.metacopy", "");
	put_xattr(l, "0/d", "user.overlay.redirect", "/e");
	put_file(l, "1/e/secret", "");
	_cleanup_view_ struct view v = layers_view(l, 2, OVERLAY);

	assert_string_equal(text_at(&v, "/d", "f"), "own");
	assert_string_equal(names_at(&v, "/d"), " f");
	v.marks = USERS;
	assert_string_equal(text_at(&v, "/d", "f"), "own");
	assert_string_equal(names_at(&v, "/d"), " f");
}

/* ---- attributes ------------------------------------------------------------------------------------ */

static void a_containers_attributes_are_those_that_are_no_marks(void **state)
{
	static const struct {
		unsigned marks;
		const char *name, *shown;
	} cases[] = {
		{ OVERLAY, "trusted.overlay.opaque", NULL },
		{ OVERLAY, "trusted.overlay.overlay.opaque", "trusted.overlay.opaque" },
		{ OVERLAY, "trusted.overlay.overlay.overlay.opaque",
		  "trusted.overlay.overlay.opaque" },
		{ OVERLAY, "trusted.overlay", "trusted.overlay" },
		{ OVERLAY, "trusted.overlayx.opaque", "trusted.overlayx.opaque" },
		{ OVERLAY, "trusted.overlay.overlayx", NULL },
		{ OVERLAY, "user.overlay.opaque", "user.overlay.opaque" },
		{ OVERLAY, "user.fuseoverlayfs.opaque", "user.fuseoverlayfs.opaque" },
		{ USERS, "user.overlay.origin", NULL },
		{ USERS, "user.overlay.overlay.origin", "user.overlay.origin" },
		{ USERS, "trusted.overlay.opaque", "trusted.overlay.opaque" },
		{ FUSE, "user.fuseoverlayfs.origin", NULL },
		{ FUSE, "user.overlay.overlay.origin", NULL },
		{ FUSE, "trusted.overlay.x", NULL },
		{ FUSE, "user.containers.x", "user.containers.x" },
		{ 0, "trusted.overlay.opaque", "trusted.overlay.opaque" },
		{ OVERLAY, "security.capability", "security.capability" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char held[XATTR_NAME_MAX + 1];
		const char *shown =
			marks_xattr_name(cases[i].marks, cases[i].name, held, sizeof(held));

		if (!cases[i].shown)
			assert_null(shown);
		else
			assert_string_equal(shown, cases[i].shown);
	}
}

static void attributes_come_by_name_and_whole(void **state)
{
	struct layers *l = *state;
	_cleanup_view_xattrs_ struct view_xattrs x = { 0 };
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	struct view_node node;
	static char big[3000];

	memset(big, 'b', sizeof(big));
	put_file(l, "0/f", "");
	put_xattr_n(l, "0/f", "user.z", "a\0b", 3);
	put_xattr(l, "0/f", "user.empty", "");
	put_xattr_n(l, "0/f", "user.big", big, sizeof(big));
	put_xattr(l, "0/f", "user.overlay.overlay.opaque", "y");
	put_xattr(l, "0/f", "user.overlay.opaque", "y");
	_cleanup_view_ struct view v = layers_view(l, 1, USERS);

	assert_int_equal(view_root(&v, 0, &dir), 0);
	assert_int_equal(view_lookup(&dir, "f", &node), 0);
	assert_int_equal(view_xattrs(&dir, "f", &node, &x), 0);
	assert_int_equal(x.n, 4);
	assert_string_equal(x.items[0].name, "user.big");
	assert_int_equal(x.items[0].len, sizeof(big));
	assert_memory_equal(x.items[0].value, big, sizeof(big));
	assert_string_equal(x.items[1].name, "user.empty");
	assert_int_equal(x.items[1].len, 0);
	assert_string_equal(x.items[2].name, "user.overlay.opaque");
	assert_string_equal(x.items[3].name, "user.z");
	assert_memory_equal(x.items[3].value, "a\0b", 3);
}

/* ---- what changes meanwhile ------------------------------------------------------------------------ */

/* Puts the swap number i in the way; false: there are no more. */
static bool put_swap(const struct layers *l, int i)
{
	layers_remove(l->fd, "0/f");
	switch (i) {
	case 0: assert_int_equal(mkfifoat(l->fd, "0/f", 0644), 0); return true;
	case 1: put_socket(l, "0/f"); return true;
	case 2: put_link(l, "0/f", "/etc/passwd"); return true;
	case 3: put_dir(l, "0/f"); return true;
	case 4:
		if (geteuid() != 0)
			print_message("no device: it needs root\n");
		else
			assert_int_equal(mknodat(l->fd, "0/f", S_IFCHR | 0666, makedev(1, 5)), 0);
		return geteuid() == 0;
	default: return false;
	}
}

/* Nothing that is watched was opened. */
static void assert_unopened(int watch)
{
	char events[4096] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = read(watch, events, sizeof(events))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(events + at);

			assert_false(e->mask & IN_OPEN);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
}

static void what_is_no_file_any_more_is_not_opened(void **state)
{
	struct layers *l = *state;
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_close_ int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), fd = -EBADF;
	struct view_node node;

	put_file(l, "0/f", "data");
	_cleanup_view_ struct view v = layers_view(l, 1, OVERLAY);

	assert_int_equal(view_root(&v, 0, &dir), 0);
	assert_int_equal(view_lookup(&dir, "f", &node), 0);
	for (int i = 0; put_swap(l, i); i++) {
		char path[PATH_MAX * 2];

		snprintf(path, sizeof(path), "%s/0/f", l->base);
		assert_true(inotify_add_watch(watch, path, IN_OPEN | IN_DONT_FOLLOW) >= 0);
		assert_int_equal(view_open(&dir, "f", &node, &fd), -ESTALE);
		assert_unopened(watch);
		inotify_rm_watch(watch, i + 1);
	}
	layers_remove(l->fd, "0/f");
	assert_int_equal(view_open(&dir, "f", &node, &fd), -ENOENT);
}

/* A sealed layer has no devices: there a file is opened first and looked at then. */
static void nor_is_it_in_a_sealed_layer(void **state)
{
	struct layers *l = *state;
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_close_ int fd = -EBADF;
	struct view_node node;
	int sealed;

	put_file(l, "0/f", "data");
	_cleanup_view_ struct view v = layers_view(l, 1, OVERLAY);
	sealed = sealedtree_open(v.layers[0].fd);
	NEED(sealed >= 0, "a sealed tree: root, and Linux 5.12");
	util_close(v.layers[0].fd);
	v.layers[0] = (struct view_layer){ .fd = sealed, .sealed = true };
	assert_int_equal(view_root(&v, 0, &dir), 0);
	assert_int_equal(view_lookup(&dir, "f", &node), 0);
	for (int i = 0; put_swap(l, i); i++)
		assert_int_equal(view_open(&dir, "f", &node, &fd), -ESTALE);
}

static void a_directory_that_became_a_link_is_not_entered(void **state)
{
	struct layers *l = *state;
	_cleanup_view_dir_ struct view_dir dir = { 0 }, in = { 0 };
	struct view_node node;

	put_file(l, "0/d/x", "");
	_cleanup_view_ struct view v = layers_view(l, 1, OVERLAY);

	assert_int_equal(view_root(&v, 0, &dir), 0);
	assert_int_equal(view_lookup(&dir, "d", &node), 0);
	layers_remove(l->fd, "0/d");
	put_link(l, "0/d", "/etc");
	assert_int_equal(view_enter(&dir, "d", &node, &in), -ENOTDIR);
}

/* ---- many ------------------------------------------------------------------------------------------ */

static void names_are_bytes(void **state)
{
	struct layers *l = *state;
	char longest[NAME_MAX + 1], path[PATH_MAX];

	memset(longest, 'n', NAME_MAX);
	longest[NAME_MAX] = '\0';
	put_file(l, "0/d/new\nline", "");
	put_file(l, "1/d/\xff\xfe", "bytes");
	put_file(l, "1/d/new\nline", "");
	put_file(l, "0/d/\x01", "");
	snprintf(path, sizeof(path), "1/d/%s", longest);
	put_file(l, path, "long");
	_cleanup_view_ struct view v = layers_view(l, 2, FUSE);

	snprintf(path, sizeof(path), " \x01 new\nline %s \xff\xfe", longest);
	assert_string_equal(names_at(&v, "/d"), path);
	assert_string_equal(text_at(&v, "/d", "\xff\xfe"), "bytes");
	assert_string_equal(text_at(&v, "/d", longest), "long");
}

#define MANY 500

static void there_may_be_500_layers(void **state)
{
	struct layers *l = *state;
	_cleanup_view_dir_ struct view_dir dir = { 0 };
	_cleanup_view_list_ struct view_list list = { 0 };
	char path[64], text[16];

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "%u", i);
		snprintf(path, sizeof(path), "%u/d/own-%u", i, i);
		put_file(l, path, text);
		snprintf(path, sizeof(path), "%u/d/all", i);
		put_file(l, path, text);
		if (i == 0)
			continue;
		/* what the layer below has is gone */
		snprintf(path, sizeof(path), "%u/d/own-%u", i - 1, i);
		if (i % 2)
			put_whiteout(l, path);
	}
	_cleanup_view_ struct view v = layers_view(l, MANY, OVERLAY);

	assert_int_equal(enter_at(&v, "/d", &dir), 0);
	assert_int_equal(dir.n, MANY);
	assert_int_equal(view_list(&dir, dir.n, 0, &list), 0);
	assert_int_equal(list.n, 1 + MANY / 2);
	assert_string_equal(text_at(&v, "/d", "all"), "0");
	assert_string_equal(text_at(&v, "/d", "own-498"), "498");
	assert_string_equal(text_at(&v, "/d", "own-499"), "ENOENT");
}

int main(void)
{
#define LAYERS_TEST(f) cmocka_unit_test_setup_teardown(f, layers_up, layers_down)
	const struct CMUnitTest tests[] = {
		LAYERS_TEST(a_device_0_0_deletes),
		LAYERS_TEST(a_whiteout_ends_what_is_merged),
		LAYERS_TEST(files_called_wh_delete_in_a_fuse_store_only),
		LAYERS_TEST(an_empty_file_with_an_attribute_deletes),
		LAYERS_TEST(a_list_can_hold_what_is_deleted),
		LAYERS_TEST(opaque_is_told_by_the_stores_own_attribute),
		LAYERS_TEST(the_root_of_a_layer_is_opaque_to_fuse_overlayfs_only),
		LAYERS_TEST(a_renamed_directory_has_its_lower_part_elsewhere),
		LAYERS_TEST(an_absolute_redirect_begins_at_the_root_of_the_layers_below),
		LAYERS_TEST(what_cannot_be_a_redirect_leads_nowhere),
		LAYERS_TEST(the_data_of_a_metacopy_is_further_down),
		LAYERS_TEST(a_users_word_leads_to_no_data),
		LAYERS_TEST(a_containers_attributes_are_those_that_are_no_marks),
		LAYERS_TEST(attributes_come_by_name_and_whole),
		LAYERS_TEST(what_is_no_file_any_more_is_not_opened),
		LAYERS_TEST(nor_is_it_in_a_sealed_layer),
		LAYERS_TEST(a_directory_that_became_a_link_is_not_entered),
		LAYERS_TEST(names_are_bytes),
		LAYERS_TEST(there_may_be_500_layers),
	};

	layers_raise_files();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
