/* References: which container is meant, and what is said when none or several are. */
#include "tests/unit/docker-store.h"

#include "libinspect/engines/engine.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/resolve/near.h"
#include "libinspect/resolve/pod.h"

#include <signal.h>
#include <sys/wait.h>

struct fixture {
	struct host h;
	struct insp_sys *sys;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->h = host_make();
	f->sys = host_open(&f->h);
	add_container(&f->h, STORE, "c0ffee1", "web");
	add_container(&f->h, STORE, "c0ffee2", "db");
	/* a name that is the beginning of another's id, and one that is another's whole id */
	add_container(&f->h, STORE, "aa11", "c0ff");
	add_container(&f->h, STORE, "bb22", "shop-web-1");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	insp_sys_close(f->sys);
	host_remove(&f->h);
	free(f);
	return 0;
}

static void expect_name(struct fixture *f, const char *ref, const char *name)
{
	struct insp_container *c = NULL;
	struct insp_err err = { 0 };

	assert_int_equal(insp_resolve(f->sys, ref, 0, &c, NULL, &err), 0);
	assert_string_equal(c->name, name);
	insp_container_free(c);
}

static void expect_error(struct fixture *f, const char *ref, int code, const char *text,
			 const char *hint)
{
	struct insp_container *c = NULL;
	struct insp_err err = { 0 };

	assert_int_equal(insp_resolve(f->sys, ref, 0, &c, NULL, &err), code);
	assert_null(c);
	assert_string_equal(err.text, text);
	assert_string_equal(err.hint, hint);
}

static void a_name_an_id_and_a_prefix_are_found(void **state)
{
	char id[65];

	expect_name(*state, "web", "web");
	expect_name(*state, make_id("c0ffee2", id), "db");
	expect_name(*state, "c0ffee2", "db");
	expect_name(*state, "a", "c0ff");
	expect_name(*state, "shop-web-1", "shop-web-1");
}

static void an_exact_name_wins_over_an_id_prefix(void **state)
{
	expect_name(*state, "c0ff", "c0ff");
}

static void a_container_is_found_below_its_engine(void **state)
{
	expect_name(*state, "docker:web", "web");
	expect_name(*state, "docker:bb", "shop-web-1");
	expect_error(*state, "runc:web", -ENOENT, "no container 'runc:web'",
		     "similar names: 'docker:web'");
}

static void an_ambiguous_prefix_gives_the_candidates(void **state)
{
	struct fixture *f = *state;
	struct insp_list candidates = { 0 };
	struct insp_container *c = NULL;
	struct insp_err err = { 0 };

	assert_int_equal(insp_resolve(f->sys, "c0ffee", 0, &c, &candidates, &err), -ENOTUNIQ);
	assert_null(c);
	assert_int_equal(candidates.n, 2);
	assert_non_null(find_name(&candidates, "web"));
	assert_non_null(find_name(&candidates, "db"));
	assert_string_equal(err.text, "'c0ffee' is ambiguous: 2 containers match");
	assert_string_equal(err.hint, "give more of the id");
	insp_list_clear(&candidates);
}

static void the_same_name_in_two_stores_is_ambiguous(void **state)
{
	struct fixture *f = *state;
	struct insp_list candidates = { 0 };
	struct insp_container *c = NULL;
	struct insp_err err = { 0 };

	add_container(&f->h, STORE "/500000.500000", "dd", "web");
	assert_int_equal(insp_resolve(f->sys, "web", 0, &c, &candidates, &err), -ENOTUNIQ);
	assert_int_equal(candidates.n, 2);
	assert_string_equal(err.hint, "name it by its id");
	insp_list_clear(&candidates);
}

static void nonsense_is_refused_with_a_hint(void **state)
{
	const char *engines_hint = "engines: ";
	struct fixture *f = *state;
	struct insp_container *c = NULL;
	struct insp_err err = { 0 };

	expect_error(f, "", -EINVAL, "empty container name",
		     "name a container: NAME, ID, ENGINE:NAME, pod/POD/NAME or pid:N");
	expect_error(f, "docker:", -EINVAL, "empty container name",
		     "name a container: NAME, ID, ENGINE:NAME, pod/POD/NAME or pid:N");
	expect_error(f, "pid:x", -EINVAL, "'x' is not a process number", "as in pid:4711");
	expect_error(f, "pid:0", -EINVAL, "'0' is not a process number", "as in pid:4711");
	assert_int_equal(insp_resolve(f->sys, "moby:web", 0, &c, NULL, &err), -EINVAL);
	assert_string_equal(err.text, "unknown engine 'moby'");
	assert_memory_equal(err.hint, engines_hint, strlen(engines_hint));
	assert_non_null(strstr(err.hint, "docker"));
}

static void a_name_that_is_nearly_right_is_hinted_at(void **state)
{
	expect_error(*state, "wbe", -ENOENT, "no container 'wbe'", "similar names: 'web'");
	expect_error(*state, "docker:WEB", -ENOENT, "no container 'docker:WEB'",
		     "similar names: 'web'");
	expect_error(*state, "sho", -ENOENT, "no container 'sho'", "similar names: 'shop-web-1'");
	expect_error(*state, "zzzzzz", -ENOENT, "no container 'zzzzzz'", "");
}

static void a_reference_is_escaped_before_it_is_repeated(void **state)
{
	expect_error(*state, "a\033[2Jb", -ENOENT, "no container 'a\\x1b[2Jb'", "");
	expect_error(*state, "pid:\r1", -EINVAL, "'\\x0d1' is not a process number",
		     "as in pid:4711");
}

static void what_could_not_be_read_is_told_when_a_name_is_not_found(void **state)
{
	struct fixture *f = *state;

	host_write(&f->h,
		   STORE "/containers/" /* 64 digits */
			 "ee00000000000000000000000000000000000000000000000000000000000000"
			 "/config.v2.json",
		   "{\"Name\":\"/lost\"");
	expect_error(f, "lost", -ENOENT,
		     "no container 'lost'; not all could be read: docker container ee0000000000: "
		     "read 'config.v2.json': not valid JSON: '}' expected near end of file (line "
		     "1, column 15)",
		     "");
	expect_name(f, "web", "web");
}

static void one_of_a_thousand_is_found(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1000; i++) {
		char digits[16], name[32];

		snprintf(digits, sizeof(digits), "e%04x", i);
		snprintf(name, sizeof(name), "load-%d", i);
		add_container(&f->h, STORE, digits, name);
	}
	expect_name(f, "load-777", "load-777");
	expect_name(f, "e03e7", "load-999");
}

static void a_stopped_container_has_no_init(void **state)
{
	struct fixture *f = *state;
	struct insp_container *c = NULL;
	struct insp_pid *pid = NULL;
	struct insp_err err = { 0 };

	assert_int_equal(insp_resolve(f->sys, "web", 0, &c, NULL, NULL), 0);
	assert_int_equal(insp_container_init(f->sys, c, &pid, &err), -ESRCH);
	assert_non_null(strstr(err.text, "container 'web' is not running: exited"));
	assert_string_equal(err.hint, "the host that is looked at does not run; its log is /log");
	insp_container_free(c);
}

static void a_process_that_ended_is_told_from_one_outside_of_containers(void **state)
{
	struct insp_container *c = NULL;
	struct insp_sys *sys = NULL;
	struct insp_pid *pid = NULL;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(insp_pid_open(sys, child, 0, &pid, NULL), 0);
	assert_int_equal(insp_resolve_pid(sys, pid, 0, &c, NULL), -ENOENT);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(insp_resolve_pid(sys, pid, 0, &c, NULL), -ESRCH);
	assert_null(c);
	insp_pid_close(pid);
	insp_sys_close(sys);
}

static void distance_counts_letters_and_swaps(void **state)
{
	assert_int_equal(insp_near("web", "web"), 0);
	assert_int_equal(insp_near("WEB", "web"), 0);
	assert_int_equal(insp_near("wbe", "web"), 1);
	assert_int_equal(insp_near("webb", "web"), 1);
	assert_int_equal(insp_near("shop-wab-1", "shop-web-1"), 1);
	assert_true(insp_near("web", "xyz") == (unsigned)-1);
	assert_true(insp_near("", "web") == (unsigned)-1);
	assert_true(insp_near("w", "web") == (unsigned)-1);
	assert_int_equal(insp_near("we", "web-server"), 8);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static struct insp_container *add_of_pod(struct insp_list *list, uid_t owner, const char *ns,
					 const char *pod, const char *name, enum insp_state state)
{
	struct insp_container *c = container_new("podman", name);

	assert_non_null(c);
	c->owner = owner;
	c->state = state;
	assert_int_equal(container_set(&c->name, name), 0);
	assert_int_equal(container_set(&c->pod, pod), 0);
	assert_int_equal(container_set(&c->pod_namespace, ns), 0);
	assert_int_equal(container_list_add(list, c), 0);
	return c;
}

static size_t keep_pod(struct insp_list *list, const char *text)
{
	struct pod_reference ref = { 0 };
	struct insp_err err;

	assert_int_equal(pod_reference_parse(text, &ref, &err), 0);
	pod_reference_keep(&ref, list);
	pod_reference_clear(&ref);
	return list->n;
}

/* Each of the two leaves the operator with another container than the one that is meant. */
static void a_users_pod_takes_no_place_of_another(void **state)
{
	struct insp_list list = { 0 };

	/* one that has ended is replaced by its successor, not by a user's of the same names */
	add_of_pod(&list, 0, NULL, "shop", "app", INSP_STATE_EXITED);
	add_of_pod(&list, 1000, NULL, "shop", "app", INSP_STATE_RUNNING);
	assert_int_equal(keep_pod(&list, "shop/app"), 2);
	add_of_pod(&list, 0, NULL, "shop", "app", INSP_STATE_RUNNING);
	assert_int_equal(keep_pod(&list, "shop/app"), 2);
	insp_list_clear(&list);
	/* "default/web" is a pod in a namespace, whatever a user calls his pod and its container */
	add_of_pod(&list, 0, "default", "web", "nginx", INSP_STATE_RUNNING);
	add_of_pod(&list, 1000, NULL, "default", "web", INSP_STATE_RUNNING);
	assert_int_equal(keep_pod(&list, "default/web"), 2);
	/* root's pod of that name comes first, as ever */
	add_of_pod(&list, 0, NULL, "default", "web", INSP_STATE_RUNNING);
	assert_int_equal(keep_pod(&list, "default/web"), 2);
	for (size_t i = 0; i < list.n; i++)
		assert_string_equal(list.items[i]->pod, "default");
	insp_list_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_name_an_id_and_a_prefix_are_found),
		WITH_STORE(an_exact_name_wins_over_an_id_prefix),
		WITH_STORE(a_container_is_found_below_its_engine),
		WITH_STORE(an_ambiguous_prefix_gives_the_candidates),
		WITH_STORE(the_same_name_in_two_stores_is_ambiguous),
		WITH_STORE(nonsense_is_refused_with_a_hint),
		WITH_STORE(a_name_that_is_nearly_right_is_hinted_at),
		WITH_STORE(a_reference_is_escaped_before_it_is_repeated),
		WITH_STORE(what_could_not_be_read_is_told_when_a_name_is_not_found),
		WITH_STORE(one_of_a_thousand_is_found),
		WITH_STORE(a_stopped_container_has_no_init),
		cmocka_unit_test(a_process_that_ended_is_told_from_one_outside_of_containers),
		cmocka_unit_test(a_users_pod_takes_no_place_of_another),
		cmocka_unit_test(distance_counts_letters_and_swaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
