/*
 * Paths inside a view: in one layer they lead where openat2() inside that root leads, and in several as if they were one.
 * And the walk over a view.
 */
#include "tests/unit/layers.h"

#include "libinspect/rootfs/path.h"
#include "libinspect/rootfs/walk.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define OVERLAY (VIEW_DEVICE | VIEW_TRUSTED)

/* ---- one layer: the kernel knows the answer -------------------------------------------------------- */

static void put_tree(const struct layers *l)
{
	put_file(l, "0/etc/file", "");
	put_file(l, "0/run/pid", "");
	put_dir(l, "0/var");
	put_link(l, "0/var/run", "/run");
	put_link(l, "0/abs", "/etc/file");
	put_link(l, "0/rel", "etc/file");
	put_link(l, "0/etc/up", "../../../../etc/file");
	put_link(l, "0/todir", "etc");
	put_link(l, "0/todir-slash", "/etc/");
	put_link(l, "0/todir-dot", "etc/.");
	put_link(l, "0/toroot", "/");
	put_link(l, "0/tolink", "/todir/../var/run/pid");
	put_link(l, "0/loop", "loop2");
	put_link(l, "0/loop2", "loop");
	put_link(l, "0/self", "self");
	put_link(l, "0/dangling", "/etc/new");
	put_link(l, "0/dangling-far", "/no/where");
	put_link(l, "0/tofile-slash", "etc/file/");
	put_link(l, "0/up", "..");
	for (int i = 0; i < 41; i++) {
		char name[32], target[32];

		snprintf(name, sizeof(name), "0/chain-%d", i);
		snprintf(target, sizeof(target), "chain-%d", i + 1);
		put_link(l, name, i == 40 ? "/etc/file" : target);
	}
}

static const char *const questions[] = {
	"etc/file",
	"/etc/file",
	"//etc///file",
	"./etc/./file",
	"/../../../etc/file",
	"etc/../../../../etc/file",
	"/var/run/pid",
	"/var/run/../etc/file",
	"abs",
	"rel",
	"etc/up",
	"todir/file",
	"todir-slash/file",
	"todir-dot/file",
	"toroot/toroot/etc/file",
	"tolink",
	"chain-0",
	"chain-1",
	"loop",
	"loop/x",
	"self",
	"dangling",
	"dangling/",
	"dangling/x",
	"dangling-far",
	"tofile-slash",
	"up/up/etc",
	"/",
	".",
	"..",
	"/..",
	"etc/..",
	"etc/.",
	"etc/./",
	"etc/././.",
	"etc/file/.",
	"etc/file/./.",
	"etc/file/..",
	"etc/../etc/..",
	"toroot",
	"toroot/",
	"todir",
	"todir/",
	"todir/.",
	"todir/..",
	"etc/",
	"etc//",
	"etc/file/",
	"etc/file/x",
	"abs/",
	"abs/x",
	"etc/nothing",
	"etc/nothing/",
	"nothing/x",
	"nothing/..",
	"nothing/x/..",
};

/* The inode, or -errno: -ENOENT also where only the last component is missing. */
static int64_t ask_view(const struct view *v, const char *path, bool follow)
{
	_cleanup_path_at_ struct path_at at = { 0 };
	int r = path_resolve(v, path, follow ? PATH_FOLLOW : 0, &at);
	struct stat st;

	if (r < 0)
		return r;
	if (!at.exists)
		return -ENOENT;
	if (at.name)
		return (int64_t)at.node.st.st_ino;
	assert_int_equal(fstat(at.dir.parts[0].fd, &st), 0);
	return (int64_t)st.st_ino;
}

static int64_t ask_kernel(int root, const char *path, bool follow)
{
	_cleanup_close_ int fd =
		insp_open_in_root(root, path, O_PATH | (follow ? 0 : O_NOFOLLOW), 0);
	struct stat st;

	if (fd < 0)
		return fd;
	assert_int_equal(fstat(fd, &st), 0);
	return (int64_t)st.st_ino;
}

static void a_path_leads_where_the_kernel_says(void **state)
{
	struct layers *l = *state;
	unsigned wrong = 0;

	put_tree(l);
	_cleanup_view_ struct view v = layers_view(l, 1, 0);

	for (size_t i = 0; i < ARRAY_SIZE(questions) * 2; i++) {
		const char *path = questions[i / 2];
		int64_t ours = ask_view(&v, path, i % 2),
			kernel = ask_kernel(v.layers[0].fd, path, i % 2);

		if (ours != kernel)
			print_error("'%s'%s: %lld, the kernel: %lld\n", path,
				    i % 2 ? "" : " (not followed)", (long long)ours,
				    (long long)kernel);
		wrong += ours != kernel;
	}
	assert_int_equal(wrong, 0);
}

static void a_name_above_255_bytes_is_refused(void **state)
{
	struct layers *l = *state;
	char path[NAME_MAX + 10] = "/d/";
	struct path_at at;

	put_dir(l, "0/d");
	memset(path + 3, 'n', NAME_MAX + 1);
	_cleanup_view_ struct view v = layers_view(l, 1, 0);

	assert_int_equal(path_resolve(&v, path, 0, &at), -ENAMETOOLONG);
	path[3 + NAME_MAX] = '\0';
	assert_int_equal(path_resolve(&v, path, 0, &at), 0);
	assert_false(at.exists);
	path_at_close(&at);
}

/* ---- what an answer holds -------------------------------------------------------------------------- */

static void an_answer_says_where_it_is(void **state)
{
	static const struct {
		const char *asked;
		unsigned flags;
		const char *path, *name;
		bool exists, slash;
	} cases[] = {
		{ "var/run/pid", 0, "/run/pid", "pid", true, false },
		{ "abs", 0, "/abs", "abs", true, false },
		{ "abs", PATH_FOLLOW, "/etc/file", "file", true, false },
		{ "dangling", PATH_FOLLOW, "/etc/new", "new", false, false },
		{ "dangling", 0, "/dangling", "dangling", true, false },
		{ "etc/new", 0, "/etc/new", "new", false, false },
		{ "etc/new/", 0, "/etc/new", "new", false, true },
		{ "todir", 0, "/todir", "todir", true, false },
		{ "todir/", 0, "/etc", "etc", true, true },
		{ "etc", 0, "/etc", "etc", true, false },
		{ "etc/", 0, "/etc", "etc", true, true },
		{ "etc/.", 0, "/etc", "etc", true, true },
		{ "etc/../var/..", 0, "/", NULL, true, true },
		{ "/", 0, "/", NULL, true, true },
		{ "toroot", PATH_FOLLOW, "/", NULL, true, true },
		{ "var/run/..", 0, "/", NULL, true, true },
	};
	struct layers *l = *state;

	put_tree(l);
	_cleanup_view_ struct view v = layers_view(l, 1, 0);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_path_at_ struct path_at at = { 0 };

		assert_int_equal(path_resolve(&v, cases[i].asked, cases[i].flags, &at), 0);
		assert_string_equal(at.path, cases[i].path);
		if (cases[i].name)
			assert_string_equal(at.name, cases[i].name);
		else
			assert_null(at.name);
		if (at.exists != cases[i].exists || at.slash != cases[i].slash)
			print_error("'%s'\n", cases[i].asked);
		assert_int_equal(at.exists, cases[i].exists);
		assert_int_equal(at.slash, cases[i].slash);
	}
}

static void links_go_through_all_layers(void **state)
{
	struct layers *l = *state;
	_cleanup_path_at_ struct path_at at = { 0 };

	put_link(l, "2/var/run", "/run");
	put_file(l, "1/run/app/pid", "old");
	put_file(l, "0/run/app/pid", "new");
	put_file(l, "1/run/app/gone", "");
	put_whiteout(l, "0/run/app/gone");
	put_link(l, "2/app", "var/run/app/../app");
	_cleanup_view_ struct view v = layers_view(l, 3, OVERLAY);

	assert_int_equal(path_resolve(&v, "app/pid", 0, &at), 0);
	assert_string_equal(at.path, "/run/app/pid");
	assert_int_equal(at.node.part, 0);
	assert_int_equal(at.dir.n, 2);
	assert_int_equal(ask_view(&v, "app/gone", true), -ENOENT);
}

/* 60 directories of 200 bytes each: nothing that takes a path as one string could open it */
static void a_path_may_be_longer_than_the_kernel_takes(void **state)
{
	struct layers *l = *state;
	_cleanup_close_ int fd = -EBADF;
	_cleanup_path_at_ struct path_at at = { 0 };
	struct strbuf path = { 0 };
	char name[201];

	put_dir(l, "0");
	fd = openat(l->fd, "0", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(name, 'd', 200);
	name[200] = '\0';
	for (int i = 0; i < 60; i++) {
		int next;

		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
		strbuf_puts(&path, "/");
		strbuf_puts(&path, name);
	}
	assert_int_equal(symlinkat("/", fd, "root"), 0);
	_cleanup_view_ struct view v = layers_view(l, 1, 0);

	assert_int_equal(path_resolve(&v, path.buf, 0, &at), 0);
	assert_true(at.exists);
	assert_string_equal(at.path, path.buf);
	/* there, back to the root and there again */
	strbuf_puts(&path, "/root/");
	strbuf_printf(&path, "./%s", name);
	assert_true(ask_view(&v, path.buf, false) > 0);
	strbuf_free(&path);
}

/* ---- the walk -------------------------------------------------------------------------------------- */

struct log {
	struct strbuf text;
	const char *skip;
};

static int log_enter(const struct walk_file *f, void *arg)
{
	struct log *log = arg;

	strbuf_printf(&log->text, "%s(%u) ", f->path, f->depth);
	return log->skip && strcmp(f->path, log->skip) == 0 ? WALK_SKIP : 0;
}

static int log_leave(const struct walk_file *f, void *arg)
{
	struct log *log = arg;

	strbuf_printf(&log->text, "<%s ", f->name);
	return 0;
}

static int log_failed(const char *path, int error, void *arg)
{
	struct log *log = arg;

	strbuf_printf(&log->text, "%s: %s ", path, strerrorname_np(-error));
	return 0;
}

/* What a walk from path (merged, of one view) comes by. free() it. */
static char *walked(const struct view *v, const char *path, const char *skipped)
{
	struct log log = { .skip = skipped };
	struct walk walk = {
		.enter = log_enter, .leave = log_leave, .failed = log_failed, .arg = &log
	};
	_cleanup_view_dir_ struct view_dir dir = { 0 };

	assert_int_equal(enter_at(v, path, &dir), 0);
	assert_int_equal(walk_tree(&dir, path, &walk), 0);
	return strbuf_take(&log.text);
}

static void a_walk_comes_by_everything_in_order(void **state)
{
	struct layers *l = *state;
	_cleanup_free_ char *all = NULL, *below = NULL;

	put_file(l, "1/b/two", "");
	put_file(l, "0/b/one", "");
	put_file(l, "1/b/gone", "");
	put_whiteout(l, "0/b/gone");
	put_link(l, "1/a", "b");
	put_dir(l, "0/c");
	put_file(l, "1/skip/inside", "");
	_cleanup_view_ struct view v = layers_view(l, 2, OVERLAY);

	all = walked(&v, "/", "/skip");
	assert_string_equal(all, "/(0) /a(1) /b(1) /b/one(2) /b/two(2) <b /c(1) <c /skip(1) <. ");
	below = walked(&v, "/b", NULL);
	assert_string_equal(below, "/b(0) /b/one(1) /b/two(1) <. ");
}

/* In a child, whose mounts go with it. 77: it may not mount. */
static int walk_a_loop(const struct layers *l)
{
	_cleanup_free_ char *text = NULL;
	struct view v = { 0 };

	/* l->fd is of the other namespace, where nothing is mounted */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    chdir(l->base) < 0 || mount("0/d", "0/d/e/loop", NULL, MS_BIND, NULL) < 0)
		return 77;
	assert_int_equal(view_add(&v, open("0", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), 0);
	text = walked(&v, "/", NULL);
	view_close(&v);
	if (strcmp(text, "/(0) /d(1) /d/e(2) /d/e/loop(3) /d/e/loop: ELOOP <e <d <. ") == 0)
		return 0;
	print_error("%s\n", text);
	return 1;
}

static void a_loop_of_mounts_ends_a_walk(void **state)
{
	struct layers *l = *state;
	int status;
	pid_t pid;

	put_dir(l, "0/d/e/loop");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(walk_a_loop(l));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	NEED(!WIFEXITED(status) || WEXITSTATUS(status) != 77, "a mount: root");
	assert_int_equal(status, 0);
}

int main(void)
{
#define LAYERS_TEST(f) cmocka_unit_test_setup_teardown(f, layers_up, layers_down)
	const struct CMUnitTest tests[] = {
		LAYERS_TEST(a_path_leads_where_the_kernel_says),
		LAYERS_TEST(a_name_above_255_bytes_is_refused),
		LAYERS_TEST(an_answer_says_where_it_is),
		LAYERS_TEST(links_go_through_all_layers),
		LAYERS_TEST(a_path_may_be_longer_than_the_kernel_takes),
		LAYERS_TEST(a_walk_comes_by_everything_in_order),
		LAYERS_TEST(a_loop_of_mounts_ends_a_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
