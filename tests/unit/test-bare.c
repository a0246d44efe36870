/* Containers without a store: real namespaces, made here, seen through the list. Needs root. */
#include "docker-store.h"
#include "prereq.h"

#include "libinspect/kernel/pid.h"
#include "tests/unit/scratch.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What a child makes of itself before it waits to be killed. */
struct target {
	int flags;     /* CLONE_NEW* */
	bool own_root; /* chroot into root */
	bool alone;    /* chroot, too, and do not fork */
	unsigned long
		tmpfs; /* with alone: not 0: the root is a tmpfs of these MS_*, all there is */
	bool both;     /* chroot before the fork: both processes are in it, as after pivot_root */
	const char *comm;     /* what it calls itself */
	const char *root;     /* an empty directory */
	pid_t waiting, child; /* filled: who forked, and the process itself (host pids) */
};

static void wait_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static bool shut_in(const struct target *t)
{
	return mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("", t->root, "tmpfs", t->tmpfs, NULL) == 0 && chdir(t->root) == 0 &&
	       syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0;
}

/*
 * As unshare --fork does it: one process unshares and waits, its child is in the new namespaces. The pipe carries the
 * child's pid, known when it is ready.
 */
static void run_waiting(const struct target *t, int fd)
{
	int ready[2];
	pid_t child;
	char c = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(t->flags) < 0 || pipe(ready) < 0)
		_exit(1);
	if (t->tmpfs && !shut_in(t))
		_exit(1);
	if (!t->tmpfs && (t->alone || t->both) && (chroot(t->root) < 0 || chdir("/") < 0))
		_exit(1);
	child = t->alone ? getpid() : fork();
	if (t->alone) {
		(void)!write(fd, &child, sizeof(child));
		wait_for_ever();
	}
	if (child == 0) {
		if (t->own_root && (chroot(t->root) < 0 || chdir("/") < 0))
			_exit(1);
		prctl(PR_SET_NAME, t->comm ? t->comm : "inner");
		(void)!write(ready[1], &c, 1);
		wait_for_ever();
	}
	if (read(ready[0], &c, 1) != 1)
		_exit(1);
	(void)!write(fd, &child, sizeof(child));
	wait_for_ever();
}

static void start(struct target *t)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	t->waiting = fork();
	if (t->waiting == 0)
		run_waiting(t, fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &t->child, sizeof(t->child)), sizeof(t->child));
	close(fds[0]);
}

static void stop(const struct target *t)
{
	kill(t->child, SIGKILL);
	kill(t->waiting, SIGKILL);
	waitpid(t->waiting, NULL, 0);
}

static struct insp_list list_bare(void)
{
	struct insp_sys *sys = NULL;
	struct insp_diags diags = { 0 };
	struct insp_list list = { 0 };

	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(insp_list(sys, INSP_WANT_BARE | INSP_WANT_NS | INSP_WANT_DETAIL, &list,
				   &diags, NULL),
			 0);
	insp_sys_close(sys);
	insp_diags_clear(&diags);
	return list;
}

static const struct insp_container *find_pid(const struct insp_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->pid == pid && strcmp(list->items[i]->engine, "bare") == 0)
			return list->items[i];
	return NULL;
}

static void a_pid_namespace_is_a_container_and_its_waiting_parent_is_not(void **state)
{
	char root[SCRATCH_PATH];
	struct target t = { .flags = CLONE_NEWPID | CLONE_NEWNS, .both = true, .root = root };
	const struct insp_container *c;
	struct insp_list list;
	char expect[32], name[32];

	NEED_ROOT();
	scratch_dir(root);
	start(&t);
	list = list_bare();
	c = find_pid(&list, t.child);
	assert_non_null(c);
	snprintf(expect, sizeof(expect), "%llu", (unsigned long long)c->ns.ino[INSP_NS_PID]);
	snprintf(name, sizeof(name), "inner-%d", (int)t.child);
	assert_string_equal(c->id, expect);
	assert_string_equal(c->name, name);
	assert_int_equal(c->state, INSP_STATE_RUNNING);
	assert_int_equal(c->owner, 0);
	assert_true(c->started > 0);
	assert_int_equal(c->created, 0);
	assert_null(c->image);
	assert_null(find_pid(&list, t.waiting));
	insp_list_clear(&list);
	stop(&t);
	rmdir(root);
}

static void a_mount_namespace_counts_with_a_root_of_its_own_only(void **state)
{
	char root[SCRATCH_PATH];
	struct target private_tmp = { .flags = CLONE_NEWNS };
	struct target own = { .flags = CLONE_NEWNS, .alone = true, .root = root };
	struct target worker = { .flags = CLONE_NEWNS, .own_root = true, .root = root };
	struct target chrooted = { .own_root = true, .root = root };
	const struct insp_container *c;
	struct insp_list list;

	NEED_ROOT();
	scratch_dir(root);
	start(&private_tmp);
	start(&own);
	start(&worker);
	start(&chrooted);
	list = list_bare();
	assert_null(find_pid(&list, private_tmp.child));
	assert_null(find_pid(&list, chrooted.child));
	/* a service with a mount namespace of its own and the host's root, whose worker is in a chroot */
	assert_null(find_pid(&list, worker.child));
	c = find_pid(&list, own.child);
	assert_non_null(c);
	assert_string_equal(c->rootfs, root);
	insp_list_clear(&list);
	stop(&private_tmp);
	stop(&own);
	stop(&worker);
	stop(&chrooted);
	rmdir(root);
}

static void a_daemon_shut_into_an_empty_noexec_root_is_no_container(void **state)
{
	char root[SCRATCH_PATH];
	struct target daemon = {
		.flags = CLONE_NEWNS, .alone = true, .root = root, .tmpfs = MS_NODEV | MS_NOEXEC
	};
	struct target other = {
		.flags = CLONE_NEWNS, .alone = true, .root = root, .tmpfs = MS_NODEV
	};
	struct insp_list list;

	NEED_ROOT();
	scratch_dir(root);
	start(&daemon);
	start(&other);
	list = list_bare();
	assert_null(find_pid(&list, daemon.child));
	assert_non_null(find_pid(&list, other.child));
	insp_list_clear(&list);
	stop(&daemon);
	stop(&other);
	rmdir(root);
}

static void a_hostile_comm_makes_a_harmless_name(void **state)
{
	struct target t = { .flags = CLONE_NEWPID, .comm = "\033[2Ja b/../$\xff" };
	const struct insp_container *c;
	struct insp_list list;
	char name[48];

	NEED_ROOT();
	start(&t);
	list = list_bare();
	c = find_pid(&list, t.child);
	assert_non_null(c);
	snprintf(name, sizeof(name), "__2Ja_b_..___-%d", (int)t.child);
	assert_string_equal(c->name, name);
	insp_list_clear(&list);
	stop(&t);
}

static void what_an_engine_claims_and_what_is_inside_it_is_not_bare(void **state)
{
	struct target t = { .flags = CLONE_NEWPID };
	_cleanup_free_ char *status = NULL;
	struct host h = host_make();
	struct insp_store store = { .engine = "crun", .path = h.root };
	struct insp_sys_opts opts = { .stores = &store, .n_stores = 1 };
	struct insp_diags diags = { 0 };
	struct insp_list list = { 0 };
	struct insp_sys *sys = NULL;
	struct pid_stat st;
	bool created;

	NEED_ROOT();
	start(&t);
	assert_int_equal(insp_sys_open(&opts, &sys, NULL), 0);
	assert_int_equal(pid_read_stat(sys->procfd, t.child, &st), 0);
	status = str_format("{\"pid\":%d,\"process-start-time\":%llu}", (int)t.child,
			    (unsigned long long)st.start);
	host_write(&h, "claimed/status", status);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(insp_list(sys, INSP_WANT_BARE, &list, &diags, NULL), 0);
		assert_null(find_pid(&list, t.child));
		insp_list_clear(&list);
		/* created, not started: left out of this list, and no less claimed */
		created = i == 0 && mkfifoat(h.fd, "claimed/exec.fifo", 0600) == 0;
		assert_true(created || i == 1);
	}
	insp_diags_clear(&diags);
	insp_sys_close(sys);
	stop(&t);
	host_remove(&h);
}

static void a_group_inside_a_group_is_the_outer_ones_business(void **state)
{
	struct target outer = { .flags = CLONE_NEWPID };
	const struct insp_container *c;
	struct insp_list list;
	char comm[16], c1 = 0;
	int pids[2], ready[2];
	pid_t holder;

	NEED_ROOT();
	/* of this run: another may be on at the same time */
	snprintf(comm, sizeof(comm), "in%d.", (int)getpid());
	assert_int_equal(pipe(pids), 0);
	assert_int_equal(pipe(ready), 0);
	holder = fork();
	if (holder == 0) {
		struct target inner = { .flags = CLONE_NEWPID, .comm = comm };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWPID) < 0)
			_exit(1);
		outer.child = fork();
		if (outer.child == 0) {
			start(&inner);
			(void)!write(ready[1], &c1, 1);
			wait_for_ever();
		}
		(void)!write(pids[1], &outer.child, sizeof(outer.child));
		wait_for_ever();
	}
	assert_int_equal(read(pids[0], &outer.child, sizeof(outer.child)), sizeof(outer.child));
	assert_int_equal(read(ready[0], &c1, 1), 1);
	list = list_bare();
	c = find_pid(&list, outer.child);
	assert_non_null(c);
	for (size_t i = 0; i < list.n; i++)
		assert_null(str_after(list.items[i]->name, comm));
	insp_list_clear(&list);
	kill(outer.child, SIGKILL);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	close(pids[0]);
	close(ready[0]);
	close(pids[1]);
	close(ready[1]);
}

static void a_host_that_is_off_has_none(void **state)
{
	struct host h = host_make();
	struct insp_sys *sys = host_open(&h);
	struct insp_list list = { 0 };

	assert_int_equal(insp_list(sys, INSP_WANT_BARE | INSP_WANT_STOPPED, &list, NULL, NULL), 0);
	assert_int_equal(list.n, 0);
	insp_sys_close(sys);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pid_namespace_is_a_container_and_its_waiting_parent_is_not),
		cmocka_unit_test(a_mount_namespace_counts_with_a_root_of_its_own_only),
		cmocka_unit_test(a_daemon_shut_into_an_empty_noexec_root_is_no_container),
		cmocka_unit_test(a_hostile_comm_makes_a_harmless_name),
		cmocka_unit_test(what_an_engine_claims_and_what_is_inside_it_is_not_bare),
		cmocka_unit_test(a_group_inside_a_group_is_the_outer_ones_business),
		cmocka_unit_test(a_host_that_is_off_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
