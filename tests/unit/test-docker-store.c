/* Docker's stores: where they are, broken records in them, and what is believed about processes. */
#include "tests/unit/docker-store.h"
#include "tests/unit/prereq.h"

#include "libinspect/engines/docker/docker.h"
#include "libinspect/kernel/pid.h"

#define WEB "c0ffee"

/* ---- stores ---------------------------------------------------------------------------------------- */

static struct insp_list list_of(struct insp_sys *sys, unsigned want, struct insp_diags *diags)
{
	struct insp_list list = { 0 };

	assert_int_equal(insp_list(sys, want, &list, diags, NULL), 0);
	return list;
}

static void a_host_without_docker_has_no_containers_and_no_complaint(void **state)
{
	struct host h = host_make();
	struct insp_sys *sys = host_open(&h);
	struct insp_diags diags = { 0 };
	struct insp_list list = list_of(sys, INSP_WANT_STOPPED, &diags);

	assert_int_equal(list.n, 0);
	assert_int_equal(diags.n, 0);
	insp_list_clear(&list);
	insp_sys_close(sys);
	host_remove(&h);
}

static void stopped_containers_are_listed_when_wanted(void **state)
{
	struct host h = host_make();
	struct insp_sys *sys = host_open(&h);
	struct insp_list list;

	add_container(&h, STORE, WEB, "web");
	list = list_of(sys, 0, NULL);
	assert_int_equal(list.n, 0);
	insp_list_clear(&list);
	list = list_of(sys, INSP_WANT_STOPPED, NULL);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0]->engine, "docker");
	assert_string_equal(list.items[0]->store, "/" STORE);
	assert_string_equal(list.items[0]->image, "citest:1");
	insp_list_clear(&list);
	insp_sys_close(sys);
	host_remove(&h);
}

static void daemon_json_and_remapped_roots_are_found_and_links_followed(void **state)
{
	struct host h = host_make();
	struct insp_sys *sys = host_open(&h);
	struct insp_list list;

	host_write(&h, "etc/docker/daemon.json", "{\"data-root\":\"/data/docker\"}");
	host_mkdirs(&h, "data");
	assert_int_equal(symlinkat("/big/docker", h.fd, "data/docker"), 0);
	add_container(&h, "big/docker", "aa", "moved");
	add_container(&h, "big/docker/500000.500000", "bb", "remapped");
	add_container(&h, "big/docker/x.500000", "cc", "no-remap");
	add_container(&h, STORE, "dd", "left-behind");
	list = list_of(sys, INSP_WANT_STOPPED, NULL);
	assert_int_equal(list.n, 2);
	assert_non_null(find_name(&list, "moved"));
	assert_non_null(find_name(&list, "remapped"));
	assert_string_equal(find_name(&list, "remapped")->store, "/data/docker/500000.500000");
	insp_list_clear(&list);
	insp_sys_close(sys);
	host_remove(&h);
}

static void a_named_store_is_read_once_and_must_be_there(void **state)
{
	struct host h = host_make();
	struct insp_store stores[] = { { "docker", "/x/one" },
				       { "docker", "/x/../x/one/" },
				       { "docker", "/x/none" } };
	struct insp_sys_opts opts = { .root = h.root, .stores = stores, .n_stores = 3 };
	struct insp_diags diags = { 0 };
	struct insp_sys *sys = NULL;
	struct insp_list list;

	add_container(&h, "x/one", WEB, "web");
	assert_int_equal(insp_sys_open(&opts, &sys, NULL), 0);
	list = list_of(sys, INSP_WANT_STOPPED, &diags);
	assert_int_equal(list.n, 1);
	assert_int_equal(diags.n, 1);
	assert_string_equal(diags.items[0].text,
			    "docker: open '/x/none': No such file or directory");
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	insp_sys_close(sys);
	host_remove(&h);
}

/* The directory of a container whose record is to be broken. */
static int broken_dir(const struct host *h, const char *digits)
{
	char id[65];
	_cleanup_free_ char *path = str_format(STORE "/containers/%s", make_id(digits, id));
	int fd;

	host_mkdirs(h, path);
	fd = openat(h->fd, path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void write_at(int dir, const char *text, off_t size)
{
	int fd = openat(dir, "config.v2.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	if (size)
		assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	close(dir);
}

static bool says(const struct insp_diags *diags, const char *text)
{
	for (size_t i = 0; i < diags->n; i++)
		if (strstr(diags->items[i].text, text))
			return true;
	return false;
}

static void broken_records_are_told_one_by_one_and_the_rest_is_listed(void **state)
{
	struct host h = host_make();
	struct insp_sys *sys = host_open(&h);
	struct insp_diags diags = { 0 };
	struct insp_list list;
	char id[65];
	_cleanup_free_ char *other = make_record(make_id("ee", id), "other", STATE_EXITED);
	int dir;

	add_container(&h, STORE, WEB, "web");
	close(broken_dir(&h, "1a"));
	dir = broken_dir(&h, "2a");
	assert_int_equal(mkfifoat(dir, "config.v2.json", 0644), 0);
	close(dir);
	dir = broken_dir(&h, "3a");
	assert_int_equal(symlinkat("/etc/passwd", dir, "config.v2.json"), 0);
	close(dir);
	dir = broken_dir(&h, "4a");
	assert_int_equal(mkdirat(dir, "config.v2.json", 0755), 0);
	close(dir);
	write_at(broken_dir(&h, "5a"), "", (off_t)5 << 30);
	write_at(broken_dir(&h, "6a"), "{\"State\":{\"Running\":true,", 0);
	write_at(broken_dir(&h, "9a"), "{\"State\":{\"Running\":false,", 0);
	write_at(broken_dir(&h, "7a"), "{\"State\":7}", 0);
	write_at(broken_dir(&h, "8a"), other, 0);
	host_write(&h, STORE "/containers/" WEB "/config.v2.json", "not an id: left alone");
	list = list_of(sys, INSP_WANT_STOPPED, &diags);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.items[0]->name, "web");
	assert_int_equal(diags.n, 9);
	assert_true(says(&diags, "docker container 1a0000000000: read 'config.v2.json': No such"));
	assert_true(says(&diags, "2a0000000000: read 'config.v2.json': not a regular file"));
	assert_true(says(&diags, "3a0000000000: read 'config.v2.json': Too many levels"));
	assert_true(says(&diags, "4a0000000000: read 'config.v2.json': Is a directory"));
	assert_true(says(&diags, "5a0000000000: read 'config.v2.json': File too large"));
	assert_true(says(&diags, "6a0000000000: read 'config.v2.json': not valid JSON"));
	assert_true(says(&diags, "7a0000000000: read 'config.v2.json': not a container's"));
	assert_true(says(&diags, "8a0000000000: read 'config.v2.json': it is another"));
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	/* a list of what runs does not pass over a record that is cut */
	list = list_of(sys, 0, &diags);
	assert_true(says(&diags, "6a0000000000"));
	assert_true(says(&diags, "9a0000000000"));
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	insp_sys_close(sys);
	host_remove(&h);
}

static void a_record_that_says_running_on_a_dead_host_is_exited(void **state)
{
	struct host h = host_make();
	struct insp_sys *sys = host_open(&h);
	struct insp_list list;
	char id[65];
	_cleanup_free_ char *record =
		make_record(make_id(WEB, id), "web",
			    "{\"Running\":true,\"Pid\":1,\"StartedAt\":\"2026-11-22T00:48:44Z\"}");

	write_at(broken_dir(&h, WEB), record, 0);
	list = list_of(sys, INSP_WANT_STOPPED, NULL);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0]->state, INSP_STATE_EXITED);
	assert_int_equal(list.items[0]->exit_code, INSP_EXIT_UNSET);
	assert_int_equal(list.items[0]->pid, 0);
	insp_list_clear(&list);
	insp_sys_close(sys);
	host_remove(&h);
}

static void a_thousand_containers_are_listed(void **state)
{
	struct host h = host_make();
	struct insp_sys *sys = host_open(&h);
	struct insp_diags diags = { 0 };
	struct insp_list list;

	for (int i = 0; i < 1000; i++) {
		char digits[16], name[32];

		snprintf(digits, sizeof(digits), "%04x", i);
		snprintf(name, sizeof(name), "load-%d", i);
		add_container(&h, STORE, digits, name);
	}
	list = list_of(sys, INSP_WANT_STOPPED, &diags);
	assert_int_equal(list.n, 1000);
	assert_int_equal(diags.n, 0);
	assert_non_null(find_name(&list, "load-999"));
	insp_list_clear(&list);
	insp_sys_close(sys);
	host_remove(&h);
}

/* ---- processes ------------------------------------------------------------------------------------- */

/* A store on the live host with one container that says it runs as this very process. */
struct claim {
	struct host h;
	struct insp_sys *sys;
	char store[PATH_MAX];
};

static struct claim claim_make(const char *runtime_file, const char *before, uint64_t start)
{
	struct claim c = { .h = host_make() };
	struct insp_store store = { "docker", c.store };
	struct insp_sys_opts opts = { .stores = &store, .n_stores = 1 };
	char id[65];
	_cleanup_free_ char *state = str_format("{\"Running\":true,\"Pid\":%d}", (int)getpid());
	_cleanup_free_ char *record = make_record(make_id(WEB, id), "self", state);
	_cleanup_free_ char *path = str_format("store/containers/%s/config.v2.json", id);
	_cleanup_free_ char *runtime =
		str_format("exec/%s/moby/%s/%s", runtime_file, id,
			   strstr(runtime_file, "crun") ? "status" : "state.json");
	_cleanup_free_ char *text = str_format("%s%" PRIu64 ",\"created\":1}", before, start);
	char *key = strstr(record, "/run/own/netns/");
	_cleanup_free_ char *patched =
		str_format("%.*s%s/exec/netns/%s", (int)(key - record), record, c.h.root,
			   key + strlen("/run/own/netns/"));

	host_write(&c.h, path, patched);
	host_write(&c.h, runtime, text);
	snprintf(c.store, sizeof(c.store), "%s/store", c.h.root);
	assert_int_equal(insp_sys_open(&opts, &c.sys, NULL), 0);
	return c;
}

static void claim_remove(struct claim *c)
{
	insp_sys_close(c->sys);
	host_remove(&c->h);
}

static enum insp_state claim_state(const struct claim *c, pid_t *ret_pid)
{
	struct engine_scan scan = { .sys = c->sys, .want = INSP_WANT_STOPPED | INSP_WANT_NS };
	enum insp_state state = INSP_STATE_UNKNOWN;

	assert_int_equal(engine_scan_run(&scan, &engine_docker), 0);
	for (size_t i = 0; i < scan.found.n; i++)
		if (str_eq(scan.found.items[i]->store, c->store)) {
			state = scan.found.items[i]->state;
			*ret_pid = scan.found.items[i]->pid;
		}
	engine_scan_clear(&scan);
	return state;
}

static uint64_t own_start(void)
{
	struct insp_sys *sys = NULL;
	struct pid_stat st = { 0 };

	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(pid_read_stat(sys->procfd, getpid(), &st), 0);
	insp_sys_close(sys);
	return st.start;
}

#define RUNC_STATE "{\"id\":\"x\",\"init_process_pid\":1,\"init_process_start\":"
#define CRUN_STATE "{\"pid\":1,\"process-start-time\":"

static void a_process_with_the_runtimes_start_time_is_the_container(void **state)
{
	static const struct {
		const char *dir, *before;
	} runtimes[] = { { "runtime-runc", RUNC_STATE }, { "runtime-crun", CRUN_STATE } };

	/* a store of a user says nothing about a process in the host's user namespace */
	NEED_ROOT();
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		struct claim c = claim_make(runtimes[i].dir, runtimes[i].before, own_start());
		pid_t pid = 0;

		assert_int_equal(claim_state(&c, &pid), INSP_STATE_RUNNING);
		assert_int_equal(pid, getpid());
		claim_remove(&c);
	}
}

static void a_pid_that_was_reused_is_not_the_container(void **state)
{
	struct claim c = claim_make("runtime-runc", RUNC_STATE, own_start() + 1);
	pid_t pid = 0;

	assert_int_equal(claim_state(&c, &pid), INSP_STATE_EXITED);
	assert_int_equal(pid, 0);
	claim_remove(&c);
}

static void without_a_start_time_a_foreign_cgroup_is_not_the_container(void **state)
{
	struct claim c = claim_make("runtime-other", "{\"x\":", own_start());
	pid_t pid = 0;

	assert_int_equal(claim_state(&c, &pid), INSP_STATE_EXITED);
	claim_remove(&c);
}

static void a_users_store_says_nothing_about_a_host_process(void **state)
{
	struct claim c = claim_make("runtime-runc", RUNC_STATE, own_start());
	pid_t pid = 0;

	if (geteuid() == 0)
		assert_int_equal(fchownat(c.h.fd, "store", 12345, 12345, 0), 0);
	assert_int_equal(claim_state(&c, &pid), INSP_STATE_EXITED);
	claim_remove(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_without_docker_has_no_containers_and_no_complaint),
		cmocka_unit_test(stopped_containers_are_listed_when_wanted),
		cmocka_unit_test(daemon_json_and_remapped_roots_are_found_and_links_followed),
		cmocka_unit_test(a_named_store_is_read_once_and_must_be_there),
		cmocka_unit_test(broken_records_are_told_one_by_one_and_the_rest_is_listed),
		cmocka_unit_test(a_record_that_says_running_on_a_dead_host_is_exited),
		cmocka_unit_test(a_thousand_containers_are_listed),
		cmocka_unit_test(a_process_with_the_runtimes_start_time_is_the_container),
		cmocka_unit_test(a_pid_that_was_reused_is_not_the_container),
		cmocka_unit_test(without_a_start_time_a_foreign_cgroup_is_not_the_container),
		cmocka_unit_test(a_users_store_says_nothing_about_a_host_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
