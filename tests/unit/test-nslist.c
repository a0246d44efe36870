/* Every namespace of the host, on the host that runs the test. */
#include "tests/unit/prereq.h"
#include "tests/unit/torture.h"

#include "libinspect/kernel/pid.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static struct insp_sys *sys;

static int setup(void **state)
{
	return insp_sys_open(NULL, &sys, NULL);
}

static int teardown(void **state)
{
	sys = insp_sys_close(sys);
	return 0;
}

static const struct insp_ns_info *find(const struct insp_ns_list *l, enum insp_ns_type type,
				       uint64_t ino)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].type == type && l->items[i].ino == ino)
			return &l->items[i];
	return NULL;
}

static void our_namespaces_are_the_hosts_and_nobodys(void **state)
{
	struct insp_ns_list l;

	assert_int_equal(insp_ns_list(sys, 0, &l, NULL, NULL), 0);
	for (int t = 0; t < INSP_NS_MAX; t++) {
		const struct insp_ns_info *ns = find(&l, t, sys->self_ns.ino[t]);

		assert_non_null(ns);
		assert_true(ns->host);
		assert_null(ns->container);
		assert_true(ns->nprocs > 0 && ns->pid > 0 && ns->pid <= getpid());
	}
	for (size_t i = 1; i < l.n; i++)
		assert_true(l.items[i - 1].type < l.items[i].type ||
			    (l.items[i - 1].type == l.items[i].type &&
			     l.items[i - 1].ino < l.items[i].ino));
	insp_ns_list_clear(&l);
}

static void only_the_types_asked_for_are_listed(void **state)
{
	struct insp_ns_list l;

	assert_int_equal(insp_ns_list(sys, 1U << INSP_NS_UTS, &l, NULL, NULL), 0);
	assert_true(l.n > 0);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(l.items[i].type, INSP_NS_UTS);
	insp_ns_list_clear(&l);
}

static void a_new_namespace_has_its_processes_counted(void **state)
{
	struct insp_ns_list l;
	const struct insp_ns_info *ns;
	pid_t child[3];
	uint64_t ino;
	int ends[2];
	char c = 0;

	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < 3; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			c = unshare(CLONE_NEWUTS) < 0;
			/* the first has a child in its namespace, the others are alone */
			if (!c && i == 0)
				(void)!fork();
			/* none stays when the test fails, or its parent is killed */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)!write(ends[1], &c, 1);
			for (;;)
				pause();
		}
	}
	for (int i = 0; i < 4 && c == 0; i++)
		assert_int_equal(read(ends[0], &c, 1), 1);
	if (c == 0) {
		assert_int_equal(pid_ns_inode(sys->procfd, child[0], INSP_NS_UTS, &ino), 0);
		assert_int_equal(insp_ns_list(sys, 0, &l, NULL, NULL), 0);
		ns = find(&l, INSP_NS_UTS, ino);
		assert_non_null(ns);
		assert_int_equal(ns->nprocs, 2);
		assert_int_equal(ns->pid, child[0]);
		assert_string_equal(ns->comm, "test-nslist");
		assert_int_equal(ns->uid, geteuid());
		assert_false(ns->host);
		insp_ns_list_clear(&l);
	}
	for (int i = 0; i < 3; i++)
		kill(child[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	NEED(c == 0, "the right to make namespaces");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_namespaces_are_the_hosts_and_nobodys),
		cmocka_unit_test(only_the_types_asked_for_are_listed),
		cmocka_unit_test(a_new_namespace_has_its_processes_counted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
