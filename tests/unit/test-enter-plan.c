/* What entering decides, as text: facts about a target and options in, the plan in words out. */
#include "libinspect/enter/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BIT(type) (1U << INSP_NS_##type)
#define ALL	  ((1U << INSP_NS_MAX) - 1)

/* docker's default set */
#define DOCKER_CAPS 0xa80425fbULL

/* A container as docker makes it: no user, time namespace of its own; its init runs as 101. */
static struct enter_facts docker(void)
{
	struct enter_facts f = {
		.differs = ALL & ~(BIT(USER) | BIT(TIME)),
		.uid = 101,
		.gid = 102,
		.groups = { 102, 7 },
		.n_groups = 2,
		.root_mapped = true,
	};

	f.status.cap_bnd = DOCKER_CAPS;
	f.status.cap_prm = f.status.cap_eff = 0x400;
	f.status.cap_amb = f.status.cap_inh = 0x400;
	return f;
}

static void expect_plan(const struct enter_facts *f, const struct insp_enter_opts *o,
			const char *expect)
{
	struct enter_decision d;
	_cleanup_free_ char *text = NULL;

	enter_decide(f, o, &d);
	text = enter_describe(&d, "container web");
	assert_string_equal(text, expect);
}

static void everything_is_joined_and_cut_to_the_container(void **state)
{
	struct enter_facts f = docker();

	expect_plan(&f, &(struct insp_enter_opts){ .namespaces = ALL },
		    "target:       container web\n"
		    "join:         mnt pid net ipc uts cgroup\n"
		    "shared:       user time\n"
		    "root:         changed\n"
		    "directory:    / of the target\n"
		    "environment:  TERM, PATH and HOME only\n"
		    "user:         unchanged, no groups\n"
		    "capabilities: cut to 00000000a80425fb\n"
		    "run:          in a child\n");
}

static void the_network_alone_needs_no_child_and_keeps_all(void **state)
{
	struct enter_facts f = docker();

	expect_plan(
		&f, &(struct insp_enter_opts){ .namespaces = BIT(NET) },
		"target:       container web\n"
		"join:         net\n"
		"mounts:       private mount namespace, fresh /sys, the target's resolv.conf and "
		"hosts\n"
		"root:         unchanged\n"
		"directory:    unchanged\n"
		"environment:  the caller's\n"
		"user:         unchanged\n"
		"capabilities: unchanged\n"
		"run:          in place of this process\n");
}

static void processes_without_files_get_a_fresh_proc(void **state)
{
	struct enter_facts f = docker();

	expect_plan(&f, &(struct insp_enter_opts){ .namespaces = BIT(PID), .pty = true },
		    "target:       container web\n"
		    "join:         pid\n"
		    "mounts:       private mount namespace, fresh /proc\n"
		    "root:         unchanged\n"
		    "directory:    unchanged\n"
		    "environment:  TERM, PATH and HOME only\n"
		    "user:         unchanged\n"
		    "capabilities: unchanged\n"
		    "run:          in a child, on a pty of its own\n");
}

static void without_a_fork_there_is_no_fresh_proc_and_no_pty(void **state)
{
	struct enter_facts f = docker();

	expect_plan(
		&f,
		&(struct insp_enter_opts){ .namespaces = BIT(PID), .pty = true, .no_fork = true },
		"target:       container web\n"
		"join:         pid\n"
		"root:         unchanged\n"
		"directory:    unchanged\n"
		"environment:  TERM, PATH and HOME only\n"
		"user:         unchanged\n"
		"capabilities: unchanged\n"
		"run:          in place of this process\n");
}

static void as_target_takes_everything_from_its_init(void **state)
{
	struct enter_facts f = docker();

	f.status.no_new_privs = true;
	expect_plan(&f, &(struct insp_enter_opts){ .namespaces = BIT(MNT), .as_target = true },
		    "target:       container web\n"
		    "join:         mnt\n"
		    "root:         changed\n"
		    "directory:    the target's own\n"
		    "environment:  the target's\n"
		    "user:         uid 101 gid 102, groups 102 7\n"
		    "capabilities: cut to 00000000a80425fb, effective 0000000000000400, ambient "
		    "0000000000000400, no new privileges\n"
		    "run:          in a child\n");
}

static void a_root_that_dropped_capabilities_does_not_get_them_back(void **state)
{
	struct insp_enter_opts o = { .namespaces = BIT(MNT), .as_target = true };
	struct enter_facts f = docker();
	struct enter_decision d;

	f.uid = 0;
	enter_decide(&f, &o, &d);
	assert_true(d.caps.bounding == 0x400);
	f.uid = 101;
	enter_decide(&f, &o, &d);
	assert_true(d.caps.bounding == DOCKER_CAPS);
}

static void privileged_keeps_the_capabilities(void **state)
{
	struct insp_enter_opts o = { .namespaces = ALL, .keep_caps = true };
	struct enter_facts f = docker();
	struct enter_decision d;

	f.status.no_new_privs = true;
	enter_decide(&f, &o, &d);
	assert_false(d.caps.cut);
	assert_false(d.caps.no_new_privs);
}

static void a_user_namespace_makes_one_its_root(void **state)
{
	struct insp_enter_opts o = { .namespaces = ALL };
	struct enter_facts f = docker();
	struct enter_decision d;

	f.differs = ALL;
	f.user_differs = true;
	enter_decide(&f, &o, &d);
	assert_true(d.caps.bounding == DOCKER_CAPS);
	assert_true(d.ids.set_uid && d.ids.set_gid && d.ids.set_groups);
	assert_int_equal(d.ids.uid, 0);
	assert_int_equal(d.ids.n_groups, 0);

	o.keep_ids = true;
	enter_decide(&f, &o, &d);
	assert_false(d.ids.set_uid || d.ids.set_gid || d.ids.set_groups);
}

static void a_user_namespace_without_root_makes_one_its_target(void **state)
{
	struct insp_enter_opts o = { .namespaces = ALL };
	struct enter_facts f = docker();
	struct enter_decision d;

	f.differs = ALL;
	f.root_mapped = false;
	enter_decide(&f, &o, &d);
	assert_int_equal(d.ids.uid, 101);
	assert_int_equal(d.ids.gid, 102);
}

static void outside_its_user_namespace_its_capabilities_are_none(void **state)
{
	struct insp_enter_opts o = { .namespaces = BIT(MNT) };
	struct enter_facts f = docker();
	struct enter_decision d;

	f.user_differs = true;
	enter_decide(&f, &o, &d);
	assert_true(d.caps.cut);
	assert_true(d.caps.bounding == 0);
}

static void where_setgroups_is_denied_it_is_not_tried(void **state)
{
	struct insp_enter_opts o = { .namespaces = ALL };
	struct enter_facts f = docker();
	struct enter_decision d;

	f.differs = ALL;
	f.setgroups_denied = true;
	enter_decide(&f, &o, &d);
	assert_true(d.ids.set_uid);
	assert_false(d.ids.set_groups);
}

static void inside_the_callers_groups_are_dropped(void **state)
{
	struct insp_enter_opts o = { .namespaces = BIT(MNT) };
	struct enter_facts f = docker();
	struct enter_decision d;

	enter_decide(&f, &o, &d);
	assert_true(d.ids.set_groups);
	o.keep_ids = true;
	enter_decide(&f, &o, &d);
	assert_false(d.ids.set_groups);
}

static void ids_that_are_named_win(void **state)
{
	struct insp_enter_opts o = {
		.namespaces = ALL, .uid_set = true, .uid = 5, .gid_follow = true
	};
	struct enter_facts f = docker();
	struct enter_decision d;

	enter_decide(&f, &o, &d);
	assert_int_equal(d.ids.uid, 5);
	assert_int_equal(d.ids.gid, 102);
	assert_true(d.ids.set_groups);
}

static void a_directory_is_looked_up_where_the_command_is(void **state)
{
	struct insp_enter_opts o = { .namespaces = ALL, .workdir_set = true, .workdir = "/srv" };
	struct enter_facts f = docker();
	struct enter_decision d;

	enter_decide(&f, &o, &d);
	assert_int_equal(d.cwd, ENTER_CWD_INSIDE);
	o.namespaces = BIT(NET);
	enter_decide(&f, &o, &d);
	assert_int_equal(d.cwd, ENTER_CWD_HOST);
	o.workdir = NULL;
	enter_decide(&f, &o, &d);
	assert_int_equal(d.cwd, ENTER_CWD_TARGET);
}

static void a_root_makes_programs_the_containers_without_a_namespace(void **state)
{
	struct insp_enter_opts o = { .namespaces = ALL, .root_set = true };
	struct enter_facts f = docker();
	struct enter_decision d;

	f.differs = 0;
	enter_decide(&f, &o, &d);
	assert_true(d.inside && d.chroot && d.caps.cut);
	assert_int_equal(d.env, ENTER_ENV_CLEAN);
	/* for a session of their own */
	assert_true(d.fork);
}

static void the_environment_is_the_callers_only_when_wanted(void **state)
{
	struct insp_enter_opts o = { .namespaces = ALL, .keep_env = true };
	struct enter_facts f = docker();
	struct enter_decision d;

	enter_decide(&f, &o, &d);
	assert_int_equal(d.env, ENTER_ENV_KEEP);
	o.target_env = true;
	enter_decide(&f, &o, &d);
	assert_int_equal(d.env, ENTER_ENV_TARGET);
}

static void the_hosts_programs_never_get_the_environment_of_the_target(void **state)
{
	struct insp_enter_opts o = { .namespaces = BIT(NET), .as_target = true };
	struct enter_facts f = docker();
	struct enter_decision d;

	enter_decide(&f, &o, &d);
	assert_int_equal(d.env, ENTER_ENV_CLEAN);
}

static void outside_of_its_user_namespace_one_is_who_the_container_is(void **state)
{
	struct insp_enter_opts o = { .namespaces = BIT(MNT) };
	struct enter_facts f = docker();
	struct enter_decision d;

	f.user_differs = true;
	enter_decide(&f, &o, &d);
	assert_true(d.ids.set_uid && d.ids.uid == 101);
	assert_true(d.ids.set_gid && d.ids.gid == 102);
	o.namespaces = BIT(NET);
	enter_decide(&f, &o, &d);
	assert_false(d.ids.set_uid);
}

/* ---- closing ---------------------------------------------------------------------------------------- */

static void fds_that_are_not_kept_are_closed(void **state)
{
	int keep = open("/dev/null", O_RDONLY | O_CLOEXEC), drop = dup(keep),
	    high = dup2(keep, 700);
	int list[] = { -EBADF, high, keep };

	enter_close_fds(-EBADF, list, ARRAY_SIZE(list));
	assert_true(fcntl(keep, F_GETFD) >= 0);
	assert_true(fcntl(high, F_GETFD) >= 0);
	assert_int_equal(fcntl(drop, F_GETFD), -1);
	close(keep);
	close(high);
}

static void the_environment_is_searched_by_whole_names(void **state)
{
	char *env[] = { (char *)"PATHS=no", (char *)"PATH=yes", NULL };

	assert_string_equal(enter_env_get(env, "PATH"), "yes");
	assert_null(enter_env_get(env, "PAT"));
	assert_null(enter_env_get(NULL, "PATH"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_joined_and_cut_to_the_container),
		cmocka_unit_test(the_network_alone_needs_no_child_and_keeps_all),
		cmocka_unit_test(processes_without_files_get_a_fresh_proc),
		cmocka_unit_test(without_a_fork_there_is_no_fresh_proc_and_no_pty),
		cmocka_unit_test(as_target_takes_everything_from_its_init),
		cmocka_unit_test(a_root_that_dropped_capabilities_does_not_get_them_back),
		cmocka_unit_test(privileged_keeps_the_capabilities),
		cmocka_unit_test(a_user_namespace_makes_one_its_root),
		cmocka_unit_test(a_user_namespace_without_root_makes_one_its_target),
		cmocka_unit_test(outside_its_user_namespace_its_capabilities_are_none),
		cmocka_unit_test(where_setgroups_is_denied_it_is_not_tried),
		cmocka_unit_test(inside_the_callers_groups_are_dropped),
		cmocka_unit_test(ids_that_are_named_win),
		cmocka_unit_test(a_directory_is_looked_up_where_the_command_is),
		cmocka_unit_test(a_root_makes_programs_the_containers_without_a_namespace),
		cmocka_unit_test(the_environment_is_the_callers_only_when_wanted),
		cmocka_unit_test(the_hosts_programs_never_get_the_environment_of_the_target),
		cmocka_unit_test(outside_of_its_user_namespace_one_is_who_the_container_is),
		cmocka_unit_test(fds_that_are_not_kept_are_closed),
		cmocka_unit_test(the_environment_is_searched_by_whole_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
