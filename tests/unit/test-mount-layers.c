/* Layers by the kernel's mount tables: real mounts in namespaces made here, and those that lie. Needs root. */
#include "docker-store.h"
#include "prereq.h"

#include "libinspect/engines/engine.h"
#include "libinspect/kernel/pid.h"
#include "tests/unit/scratch.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum how {
	HOST_ROOT,   /* a mount namespace and no more */
	CHROOT,	     /* into tree, nothing mounted */
	BIND,	     /* tree is the root */
	BIND_HIDDEN, /* the same, and the host has mounted something else over the directory above */
	OVERLAY,     /* low and up */
	OVERLAY_RO,  /* low and tree, no upper */
	OVERLAY_RELATIVE,  /* mounted from the directory above */
	OVERLAY_ELSEWHERE, /* what the mount names is another directory on the host */
	OVERLAY_USERNS,	   /* made in a user namespace */
};

struct target {
	enum how how;
	const char *dir; /* has low, up, work, tree, root */
	pid_t pid;
	int ready;
};

static bool mount_overlay(const struct target *t)
{
	const char *options = "lowerdir=low,upperdir=up,workdir=work";
	char absolute[512];

	snprintf(absolute, sizeof(absolute), "lowerdir=%s/low,upperdir=%s/up,workdir=%s/work%s",
		 t->dir, t->dir, t->dir, t->how == OVERLAY_USERNS ? ",userxattr" : "");
	if (t->how == OVERLAY_RO)
		snprintf(absolute, sizeof(absolute), "lowerdir=%s/low:%s/tree", t->dir, t->dir);
	if (t->how != OVERLAY_RELATIVE)
		options = absolute;
	if (t->how == OVERLAY_ELSEWHERE &&
	    (mount("none", t->dir, "tmpfs", 0, NULL) < 0 || chdir(t->dir) < 0 ||
	     mkdir("low", 0755) < 0 || mkdir("up", 0755) < 0 || mkdir("work", 0755) < 0 ||
	     mkdir("root", 0755) < 0))
		return false;
	return mount("overlay", "root", "overlay", 0, options) == 0;
}

static bool write_self(const char *file, const char *text)
{
	_cleanup_close_ int fd = open(file, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Root inside is root outside: without a map it could not make overlay's working directory. */
static bool map_root(void)
{
	return write_self("/proc/self/setgroups", "deny") &&
	       write_self("/proc/self/uid_map", "0 0 1") &&
	       write_self("/proc/self/gid_map", "0 0 1");
}

static bool make_root(const struct target *t)
{
	int flags = CLONE_NEWNS | (t->how == OVERLAY_USERNS ? CLONE_NEWUSER : 0);

	if (chdir(t->dir) < 0)
		return false;
	if (t->how == CHROOT)
		return chroot("tree") == 0;
	if (unshare(flags) < 0 || (t->how == OVERLAY_USERNS && !map_root()))
		return false;
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	if (t->how == HOST_ROOT)
		return true;
	if (t->how == BIND || t->how == BIND_HIDDEN) {
		if (mount("tree", "root", NULL, MS_BIND, NULL) < 0)
			return false;
	} else if (!mount_overlay(t)) {
		return false;
	}
	return chdir("root") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
	       umount2(".", MNT_DETACH) == 0;
}

static void start(struct target *t)
{
	int fds[2];
	char c = 0;

	assert_int_equal(pipe(fds), 0);
	t->pid = fork();
	if (t->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!make_root(t))
			_exit(1);
		(void)!write(fds[1], &c, 1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
}

static void stop(const struct target *t)
{
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
}

/* The directories of a target, not on a tmpfs whose overlay some kernels refuse. */
static struct host dirs_make(void)
{
	static const char *const names[] = { "low", "up", "work", "tree", "root" };
	struct host h;

	scratch_dir(h.root);
	h.fd = open(h.root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(h.fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		host_mkdirs(&h, names[i]);
	return h;
}

static struct insp_container *look(const struct target *t, uint64_t start_off,
				   const char *const *bases)
{
	struct insp_container *c = container_new("test", "x");
	_cleanup_scan_ struct engine_scan scan = { .want = INSP_WANT_FILES };
	struct pid_stat st;

	assert_int_equal(insp_sys_open(NULL, &scan.sys, NULL), 0);
	assert_int_equal(pid_read_stat(scan.sys->procfd, t->pid, &st), 0);
	c->pid = t->pid;
	c->pid_start = st.start + start_off;
	assert_int_equal(engine_layers_from_mounts(&scan, c, bases), 0);
	insp_sys_close(scan.sys);
	return c;
}

static void expect_path(const struct host *h, const char *name, const char *path)
{
	char expect[128];

	snprintf(expect, sizeof(expect), "%s/%s", h->root, name);
	assert_non_null(path);
	assert_string_equal(path, expect);
}

static void a_directory_is_found_where_the_host_has_it(void **state)
{
	static const enum how hows[] = { CHROOT, BIND };

	NEED_ROOT();
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		struct host h = dirs_make();
		struct target t = { .how = hows[i], .dir = h.root };
		struct insp_container *c;

		start(&t);
		c = look(&t, 0, NULL);
		assert_non_null(c->layers);
		assert_int_equal(c->layers->kind, INSP_ROOT_DIR);
		expect_path(&h, "tree", c->layers->upper);
		assert_int_equal(c->layers->n_lowers, 0);
		insp_container_free(c);
		stop(&t);
		host_remove(&h);
	}
}

static void expect_unknown(enum how how, uint64_t start_off)
{
	struct host h = dirs_make();
	struct target t = { .how = how, .dir = h.root };
	struct insp_container *c;

	start(&t);
	if (how == BIND_HIDDEN)
		assert_int_equal(mount("none", h.root, "tmpfs", 0, NULL), 0);
	c = look(&t, start_off, NULL);
	assert_null(c->layers);
	insp_container_free(c);
	stop(&t);
	if (how == BIND_HIDDEN)
		umount2(h.root, MNT_DETACH);
	host_remove(&h);
}

static void overlays_layers_are_found(void **state)
{
	struct host h;
	struct target t = { .how = OVERLAY };
	struct insp_container *c;

	NEED_ROOT();
	h = dirs_make();
	t.dir = h.root;
	start(&t);
	c = look(&t, 0, NULL);
	assert_non_null(c->layers);
	assert_int_equal(c->layers->kind, INSP_ROOT_OVERLAY);
	expect_path(&h, "up", c->layers->upper);
	assert_int_equal(c->layers->n_lowers, 1);
	expect_path(&h, "low", c->layers->lowers[0]);
	insp_container_free(c);
	stop(&t);
	host_remove(&h);
}

static void an_overlay_without_upper_has_lowers(void **state)
{
	struct host h;
	struct target t = { .how = OVERLAY_RO };
	struct insp_container *c;

	NEED_ROOT();
	h = dirs_make();
	t.dir = h.root;
	start(&t);
	c = look(&t, 0, NULL);
	assert_non_null(c->layers);
	assert_null(c->layers->upper);
	assert_int_equal(c->layers->n_lowers, 2);
	expect_path(&h, "low", c->layers->lowers[0]);
	expect_path(&h, "tree", c->layers->lowers[1]);
	insp_container_free(c);
	stop(&t);
	host_remove(&h);
}

static void relative_layers_are_found_below_a_base(void **state)
{
	const char *bases[] = { "/nowhere", NULL, NULL };
	struct host h;
	struct target t = { .how = OVERLAY_RELATIVE };
	struct insp_container *c;

	NEED_ROOT();
	h = dirs_make();
	t.dir = h.root;
	start(&t);
	c = look(&t, 0, bases);
	assert_null(c->layers);
	insp_container_free(c);
	bases[1] = h.root;
	c = look(&t, 0, bases);
	assert_non_null(c->layers);
	expect_path(&h, "up", c->layers->upper);
	expect_path(&h, "low", c->layers->lowers[0]);
	insp_container_free(c);
	stop(&t);
	host_remove(&h);
}

static void what_does_not_prove_itself_is_unknown(void **state)
{
	NEED_ROOT();
	expect_unknown(HOST_ROOT, 0);
	expect_unknown(BIND_HIDDEN, 0);
	expect_unknown(OVERLAY_ELSEWHERE, 0);
	expect_unknown(OVERLAY_USERNS, 0);
	/* another process got the pid */
	expect_unknown(OVERLAY, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_is_found_where_the_host_has_it),
		cmocka_unit_test(overlays_layers_are_found),
		cmocka_unit_test(an_overlay_without_upper_has_lowers),
		cmocka_unit_test(relative_layers_are_found_below_a_base),
		cmocka_unit_test(what_does_not_prove_itself_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
