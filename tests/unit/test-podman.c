/* podman's stores: a database that podman wrote, made-up ones, hostile ones, and whether what they say lives is believed. */
#include "bolt-build.h"
#include "docker-store.h"
#include "prereq.h"

#include "libinspect/engines/podman/podman.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define FIXTURES "tests/fixtures/podman/"
#define GRAPH	 "var/lib/containers/storage"
#define WANT	 (INSP_WANT_STOPPED | INSP_WANT_DETAIL)
#define CONFIG                                                                    \
	"{\"spec\":{\"process\":{\"args\":[\"sleep\",\"9\"]},\"x\":\"}\\\"}\"},"  \
	"\"id\":\"\",\"rootfsImageName\":\"localhost/citest:1\",\"createdTime\":" \
	"\"2026-11-22T02:23:50.622167674Z\"}"
#define STARTED "2026-11-22T02:23:50Z"

static void copy_file(const struct host *h, const char *from, const char *to)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int fd;

	assert_int_equal(io_read_file(AT_FDCWD, from, IO_STATE_MAX, &b, NULL), 0);
	host_write(h, to, "");
	fd = openat(h->fd, to, O_WRONLY | O_CLOEXEC);
	assert_int_equal(io_write_all(fd, b.data, b.len), 0);
	close(fd);
}

struct result {
	struct insp_list list;
	struct insp_diags diags;
};

static struct result list_sys(struct insp_sys *sys, unsigned want)
{
	struct result r = { 0 };

	assert_int_equal(insp_list(sys, want, &r.list, &r.diags, NULL), 0);
	return r;
}

static struct result list_host(const struct host *h)
{
	struct insp_sys *sys = host_open(h);
	struct result r = list_sys(sys, WANT);

	insp_sys_close(sys);
	return r;
}

static void result_clear(struct result *r)
{
	insp_list_clear(&r->list);
	insp_diags_clear(&r->diags);
}

static void what_podman_wrote_is_listed_as_podman_lists_it(void **state)
{
	struct host h = host_make();
	const struct insp_container *c;
	struct result r;

	copy_file(&h, FIXTURES "bolt_state.db", GRAPH "/libpod/bolt_state.db");
	r = list_host(&h);
	assert_int_equal(r.diags.n, 0);
	assert_int_equal(r.list.n, 4);
	c = find_name(&r.list, "stop");
	assert_non_null(c);
	assert_string_equal(c->engine, "podman");
	assert_string_equal(c->image, "localhost/citest:1");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, 7);
	assert_true(c->finished >= c->started && c->started >= c->created);
	assert_string_equal(c->command, "sh -c exit 7");
	c = find_name(&r.list, "ports");
	assert_int_equal(c->state, INSP_STATE_CREATED);
	assert_int_equal(c->exit_code, INSP_EXIT_UNSET);
	assert_string_equal(c->command, "/bin/echo x arg1");
	assert_int_equal(c->n_ports, 4);
	assert_string_equal(find_name(&r.list, "inpod")->pod, "pod1");
	c = find_name(&r.list, "web");
	assert_string_equal(c->hostname, "web-h");
	assert_string_equal(insp_container_label(c, "note"), "a b");
	result_clear(&r);
	host_remove(&h);
}

static void what_ran_on_a_host_that_is_off_is_exited_with_no_code(void **state)
{
	struct host h = host_make();
	const struct insp_container *c;
	struct result r;

	copy_file(&h, FIXTURES "bolt_state.db", GRAPH "/libpod/bolt_state.db");
	r = list_host(&h);
	c = find_name(&r.list, "web");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, INSP_EXIT_UNSET);
	assert_int_equal(c->pid, 0);
	result_clear(&r);
	host_remove(&h);
}

/* An inline bucket with one entry in buf. Returns its length. */
static size_t bucket_of(char *buf, const struct bb_entry *e, size_t n)
{
	memset(buf, 0, 16);
	return 16 + bb_leaf(buf + 16, 0, 0, e, n);
}

/* A database with one container: id of c0ffee, name web. */
static void write_db(const struct host *h, const char *path, const char *config, const char *state)
{
	static char ctr[3000], ctrs[3200], all[256];
	struct bb b = bb_new(12);
	char id[65];
	int fd;

	make_id("c0ffee", id);
	struct bb_entry record[] = { { "config", config, strlen(config), false },
				     { "state", state, strlen(state), false } };
	struct bb_entry in_ctr = { id, ctr, bucket_of(ctr, record, 2), true };
	struct bb_entry in_all = { id, "web", 3, false };
	struct bb_entry root[] = {
		{ "all-ctrs", all, bucket_of(all, &in_all, 1), true },
		{ "ctr", ctrs, bucket_of(ctrs, &in_ctr, 1), true },
	};

	bb_meta(bb_page(&b, 0), 0, 2, 12, 2);
	bb_meta(bb_page(&b, 1), 1, 2, 12, 1);
	bb_leaf(bb_page(&b, 2), 2, 9, root, 2);
	host_write(h, path, "");
	fd = openat(h->fd, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(io_write_all(fd, b.data, b.pages * BB_PAGE), 0);
	close(fd);
	bb_free(&b);
}

static char *make_state(int state, pid_t pid, pid_t conmon)
{
	return str_format("{\"state\":%d,\"pid\":%d,\"conmonPid\":%d,\"startedTime\":\"" STARTED
			  "\",\"finishedTime\":\"0001-01-01T00:00:00Z\"}",
			  state, (int)pid, (int)conmon);
}

static void each_state_has_dockers_word(void **state)
{
	static const enum insp_state expect[] = {
		INSP_STATE_UNKNOWN, INSP_STATE_CREATED, INSP_STATE_CREATED, INSP_STATE_EXITED,
		INSP_STATE_EXITED,  INSP_STATE_EXITED,	INSP_STATE_EXITED,  INSP_STATE_DEAD,
		INSP_STATE_EXITED,  INSP_STATE_UNKNOWN,
	};
	struct host h = host_make();

	for (size_t i = 0; i < ARRAY_SIZE(expect); i++) {
		_cleanup_free_ char *text = make_state((int)i, 0, 0);
		struct result r;

		write_db(&h, GRAPH "/libpod/bolt_state.db", CONFIG, text);
		r = list_host(&h);
		assert_int_equal(r.list.n, 1);
		assert_int_equal(r.list.items[0]->state, expect[i]);
		assert_string_equal(r.list.items[0]->command, "sleep 9");
		result_clear(&r);
	}
	host_remove(&h);
}

static void without_detail_the_config_is_read_without_its_spec(void **state)
{
	_cleanup_free_ char *text = make_state(6, 0, 0);
	struct host h = host_make();
	struct insp_sys *sys;
	struct result r;

	write_db(&h, GRAPH "/libpod/bolt_state.db", CONFIG, text);
	sys = host_open(&h);
	r = list_sys(sys, INSP_WANT_STOPPED);
	assert_int_equal(r.diags.n, 0);
	assert_string_equal(r.list.items[0]->image, "localhost/citest:1");
	assert_null(r.list.items[0]->command);
	assert_int_equal(r.list.items[0]->created / 1000000, 1795314230622);
	result_clear(&r);
	insp_sys_close(sys);
	host_remove(&h);
}

static void addresses_and_the_role_in_a_pod_come_from_state_and_config(void **state)
{
	struct host h = host_make();
	struct result r;

	write_db(
		&h, GRAPH "/libpod/bolt_state.db", "{\"pause\":true}",
		"{\"state\":6,\"networkStatus\":{\"a.b\":{\"interfaces\":{\"eth0\":{\"subnets\":["
		"{\"ipnet\":\"10.88.0.2/16\"},{\"ipnet\":\"fd00::2/64\"},{},7]},\"eth1\":null}},\"x\":[]}}");
	r = list_host(&h);
	assert_int_equal(r.list.n, 1);
	assert_true(r.list.items[0]->infra);
	assert_false(r.list.items[0]->unlisted);
	assert_int_equal(r.list.items[0]->n_addresses, 2);
	assert_string_equal(r.list.items[0]->addresses[0], "10.88.0.2");
	assert_string_equal(r.list.items[0]->addresses[1], "fd00::2");
	result_clear(&r);
	host_remove(&h);
}

static void a_broken_record_is_named_and_the_container_still_listed(void **state)
{
	struct host h = host_make();
	struct result r;

	write_db(&h, GRAPH "/libpod/bolt_state.db", "{\"spec\":{", "{\"state\":");
	r = list_host(&h);
	assert_int_equal(r.list.n, 1);
	assert_string_equal(r.list.items[0]->name, "web");
	assert_int_equal(r.diags.n, 2);
	assert_non_null(strstr(r.diags.items[0].text, "podman container c0ffee000000: its config"));
	assert_non_null(strstr(r.diags.items[1].text, "podman container c0ffee000000: its state"));
	result_clear(&r);
	host_remove(&h);
}

static void a_database_that_is_none_is_one_diagnostic(void **state)
{
	struct host h = host_make();
	struct result r;

	host_write(&h, GRAPH "/libpod/bolt_state.db", "not a database");
	r = list_host(&h);
	assert_int_equal(r.list.n, 0);
	assert_int_equal(r.diags.n, 1);
	result_clear(&r);
	unlinkat(h.fd, GRAPH "/libpod/bolt_state.db", 0);
	assert_int_equal(mkfifoat(h.fd, GRAPH "/libpod/bolt_state.db", 0600), 0);
	r = list_host(&h);
	assert_int_equal(r.diags.n, 1);
	result_clear(&r);
	unlinkat(h.fd, GRAPH "/libpod/bolt_state.db", 0);
	assert_int_equal(symlinkat("/etc/passwd", h.fd, GRAPH "/libpod/bolt_state.db"), 0);
	r = list_host(&h);
	assert_int_equal(r.diags.n, 1);
	assert_non_null(strstr(r.diags.items[0].text, "Too many levels of symbolic links"));
	result_clear(&r);
	host_remove(&h);
}

static void without_a_database_the_storage_list_tells_who_there_is(void **state)
{
	static const char list[] =
		"[{\"id\":\"%s\",\"names\":[\"web\"],\"image\":\"abc\",\"metadata\":"
		"\"{\\\"image-name\\\":\\\"localhost/citest:1\\\",\\\"name\\\":\\\"web\\\"}\","
		"\"created\":\"2026-11-22T02:23:50Z\"},"
		"{\"id\":\"%s\",\"names\":[\"build\"]},"
		"{\"id\":\"%s\",\"names\":[\"k8s\"],\"metadata\":\"{\\\"pod-name\\\":\\\"p\\\"}\"},"
		"{\"id\":\"../../etc\",\"metadata\":\"{\\\"name\\\":\\\"evil\\\"}\"}, 7, null]";
	char a[65], b[65], c[65];
	struct host h = host_make();
	_cleanup_free_ char *config = NULL, *text = NULL;
	struct result r;

	make_id("a", a);
	make_id("b", b);
	make_id("c", c);
	text = str_format(list, a, b, c);
	host_write(&h, GRAPH "/overlay-containers/containers.json", text);
	r = list_host(&h);
	/* the record of a pod is another engine's */
	assert_int_equal(r.list.n, 2);
	assert_string_equal(r.list.items[1]->id, c);
	assert_string_equal(r.list.items[1]->engine, "cri-o");
	assert_string_equal(r.list.items[0]->engine, "podman");
	assert_string_equal(r.list.items[0]->name, "web");
	assert_string_equal(r.list.items[0]->image, "localhost/citest:1");
	assert_int_equal(r.list.items[0]->state, INSP_STATE_CREATED);
	result_clear(&r);
	config = str_format(GRAPH "/overlay-containers/%s/userdata/config.json", a);
	host_write(&h, config, "{\"process\":{\"args\":[\"a\",\"b\"]}}");
	r = list_host(&h);
	assert_int_equal(r.list.items[0]->state, INSP_STATE_EXITED);
	assert_string_equal(r.list.items[0]->command, "a b");
	result_clear(&r);
	host_remove(&h);
}

static int resolve(const struct host *h, const char *ref)
{
	struct insp_sys *sys = host_open(h);
	struct insp_container *c = NULL;
	int r = insp_resolve(sys, ref, 0, &c, NULL, NULL);

	insp_container_free(c);
	insp_sys_close(sys);
	return r;
}

/* By its old name it stands in the older database, which is out of use, and not in the newer one. */
static void a_renamed_container_has_one_name(void **state)
{
	_cleanup_free_ char *list = NULL, *rows = NULL, *path = NULL;
	struct host h = host_make();
	struct result r;
	sqlite3 *db;

	copy_file(&h, FIXTURES "bolt_state.db", GRAPH "/libpod/bolt_state.db");
	assert_int_equal(resolve(&h, "podman:web"), 0);
	r = list_host(&h);
	list = str_format("[{\"id\":\"%s\"}]", find_name(&r.list, "web")->id);
	rows = str_format("CREATE TABLE ContainerConfig(ID, Name, PodID, JSON);"
			  "INSERT INTO ContainerConfig VALUES('%s','renamed',NULL,'{}')",
			  find_name(&r.list, "web")->id);
	path = str_format("%s/" GRAPH "/db.sql", h.root);
	result_clear(&r);
	host_write(&h, GRAPH "/overlay-containers/containers.json", list);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(resolve(&h, "podman:renamed"), 0);
	assert_int_equal(resolve(&h, "podman:web"), -ENOENT);
	host_remove(&h);
}

/* What was lost of the database may be what is looked for: the storage has its name. */
static void a_name_that_damage_took_is_found_in_the_storage(void **state)
{
	char page[4096], id[65];
	_cleanup_free_ char *list = str_format(
		"[{\"id\":\"%s\",\"metadata\":\"{\\\"image-name\\\":\\\"i\\\",\\\"name\\\":\\\"web\\\"}\"}]",
		make_id("a", id));
	struct host h = host_make();
	_cleanup_free_ char *path = str_format("%s/" GRAPH "/db.sql", h.root);
	sqlite3 *db;
	int fd;

	host_write(&h, GRAPH "/overlay-containers/containers.json", list);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "CREATE TABLE ContainerConfig(ID, Name, PodID, JSON);"
				      "INSERT INTO ContainerConfig VALUES('x','y','z','{}')",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	memset(page, 0xff, sizeof(page));
	assert_int_equal(pwrite(fd, page, sizeof(page), sizeof(page)), sizeof(page));
	close(fd);
	assert_int_equal(resolve(&h, "podman:web"), 0);
	assert_int_equal(resolve(&h, "podman:y"), -ENOENT);
	host_remove(&h);
}

static void storage_conf_is_read_by_key_and_table(void **state)
{
	static const char text[] =
		"graphroot = \"/not/in/storage\"\n"
		" [storage]\n# graphroot = \"/comment\"\n"
		"graphroot=\"$HOME/st\" # why\n\trunroot = '/run/u$UID/${USER}'\n"
		"[storage.options]\ngraphroot = \"/not/here\"\n";
	const struct storage_user user = { .name = "ann", .home = "/home/ann", .uid = 1001 };
	_cleanup_storage_conf_ struct storage_conf conf = { 0 };

	assert_int_equal(storage_conf_parse(text, strlen(text), &user, &conf, NULL), 0);
	assert_string_equal(conf.graph_root, "/home/ann/st");
	assert_string_equal(conf.run_root, "/run/u1001/ann");
	assert_null(conf.rootless_path);
	for (size_t n = 0; n < strlen(text); n++) {
		_cleanup_storage_conf_ struct storage_conf cut = { 0 };
		_cleanup_free_ char *copy = malloc(n + 1);
		int r;

		memcpy(copy, text, n);
		r = storage_conf_parse(copy, n, NULL, &cut, NULL);
		assert_true(r == 0 || r == -EBADMSG);
	}
}

static uid_t chown_to; /* nftw() hands nothing on */

static int chown_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return lchown(path, chown_to, chown_to);
}

static void a_users_store_counts_when_the_user_owns_it(void **state)
{
	struct host h;
	_cleanup_free_ char *text = NULL;
	char home[128];
	struct result r;

	/* makes another user's files */
	NEED_ROOT();
	h = host_make();
	text = make_state(6, 0, 0);
	host_write(&h, "etc/passwd",
		   "root:x:0:0::/root:/bin/sh\nann:x:1234:1234::/home/ann:/bin/sh\n");
	host_write(&h, "home/ann/.config/containers/storage.conf",
		   "[storage]\ngraphroot = \"$HOME/graph\"\n");
	write_db(&h, "home/ann/graph/libpod/bolt_state.db", CONFIG, text);
	/* root's directory behind ann's name: ann cannot speak for root */
	r = list_host(&h);
	assert_int_equal(r.list.n, 0);
	result_clear(&r);
	snprintf(home, sizeof(home), "%s/home", h.root);
	chown_to = 1234;
	assert_int_equal(nftw(home, chown_one, 16, FTW_PHYS), 0);
	r = list_host(&h);
	assert_int_equal(r.list.n, 1);
	assert_int_equal(r.list.items[0]->owner, 1234);
	result_clear(&r);
	host_remove(&h);
}

static void a_system_account_has_a_store_when_it_has_subordinate_ids(void **state)
{
	_cleanup_free_ char *text = NULL;
	char home[128];
	struct result r;
	struct host h;

	/* makes another user's files */
	NEED_ROOT();
	h = host_make();
	text = make_state(6, 0, 0);
	host_write(&h, "etc/passwd", "root:x:0:0::/root:/bin/sh\nci:x:234:234::/srv/ci:/bin/sh\n");
	write_db(&h, "srv/ci/.local/share/containers/storage/libpod/bolt_state.db", CONFIG, text);
	snprintf(home, sizeof(home), "%s/srv", h.root);
	chown_to = 234;
	assert_int_equal(nftw(home, chown_one, 16, FTW_PHYS), 0);
	host_write(&h, "etc/subuid", "cid:100000:65536\n2345:100000:65536\nci\n");
	r = list_host(&h);
	assert_int_equal(r.list.n, 0);
	result_clear(&r);
	host_write(&h, "etc/subuid", "x:1:1\nci:100000:65536\n");
	r = list_host(&h);
	assert_int_equal(r.list.n, 1);
	assert_int_equal(r.list.items[0]->owner, 234);
	result_clear(&r);
	host_write(&h, "etc/subuid", "234:100000:65536");
	r = list_host(&h);
	assert_int_equal(r.list.n, 1);
	result_clear(&r);
	host_remove(&h);
}

/* ---- on the live host ---- */

struct family {
	pid_t monitor, child;
};

/* A process that calls itself comm, and a child of it. */
static struct family start_family(const char *comm)
{
	struct family f;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	f.monitor = fork();
	if (f.monitor == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		f.child = fork();
		if (f.child == 0)
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		else
			(void)!write(fds[1], &f.child, sizeof(f.child));
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &f.child, sizeof(f.child)), sizeof(f.child));
	close(fds[0]);
	close(fds[1]);
	return f;
}

static void end_family(struct family f)
{
	kill(f.child, SIGKILL);
	kill(f.monitor, SIGKILL);
	waitpid(f.monitor, NULL, 0);
}

static const struct insp_container *find_store(const struct insp_list *list, const char *store)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->items[i]->store, store))
			return list->items[i];
	return NULL;
}

/* The state of the container of a store whose database says it runs as pid. */
static enum insp_state state_live(const struct host *h, pid_t pid, pid_t conmon, int *exit_code)
{
	_cleanup_free_ char *text = make_state(3, pid, conmon);
	struct insp_store store = { .engine = "podman", .path = h->root };
	struct insp_sys_opts opts = { .stores = &store, .n_stores = 1 };
	const struct insp_container *c;
	struct insp_sys *sys = NULL;
	enum insp_state s;
	struct result r;

	write_db(h, "libpod/bolt_state.db", CONFIG, text);
	assert_int_equal(insp_sys_open(&opts, &sys, NULL), 0);
	r = list_sys(sys, INSP_WANT_STOPPED);
	/* among whatever else this host runs */
	c = find_store(&r.list, h->root);
	assert_non_null(c);
	s = c->state;
	*exit_code = c->exit_code;
	assert_int_equal(c->pid, s == INSP_STATE_RUNNING ? pid : 0);
	result_clear(&r);
	insp_sys_close(sys);
	return s;
}

static void a_pid_counts_only_with_its_monitor(void **state)
{
	struct host h;
	struct family f, other;
	int code;

	/* a user's record is believed inside a user namespace only */
	NEED_ROOT();
	h = host_make();
	f = start_family("conmon");
	other = start_family("not-it");
	assert_int_equal(state_live(&h, f.child, f.monitor, &code), INSP_STATE_RUNNING);
	/* the pid was reused: alive, but a child of another, or of one that is no monitor, or of none */
	assert_int_equal(state_live(&h, other.child, f.monitor, &code), INSP_STATE_EXITED);
	assert_int_equal(state_live(&h, other.child, other.monitor, &code), INSP_STATE_EXITED);
	assert_int_equal(state_live(&h, f.child, 0, &code), INSP_STATE_EXITED);
	assert_int_equal(code, INSP_EXIT_UNSET);
	end_family(f);
	assert_int_equal(state_live(&h, f.child, f.monitor, &code), INSP_STATE_EXITED);
	end_family(other);
	host_remove(&h);
}

static void a_code_left_by_the_monitor_counts_when_it_is_of_this_run(void **state)
{
	struct storage_root root = { .owner = geteuid() };
	struct podman_store s = { .owner = geteuid(), .storage = &root };
	struct engine_scan scan = { 0 };
	struct host h = host_make();
	int code = INSP_EXIT_UNSET;
	int64_t when = 0;

	host_write(&h, "tmp/exits/some-id", "137");
	host_write(&h, "tmp/exits/broken", "13x");
	scan.sys = host_open(&h);
	s.scan = root.scan = &scan;
	s.tmp_dir = (char *)"/tmp";
	assert_int_equal(podman_read_exit(&s, "some-id", INT64_MAX, &code, &when), -ENOENT);
	assert_int_equal(podman_read_exit(&s, "broken", 0, &code, &when), -EBADMSG);
	assert_int_equal(podman_read_exit(&s, "absent", 0, &code, &when), -ENOENT);
	assert_int_equal(code, INSP_EXIT_UNSET);
	assert_int_equal(podman_read_exit(&s, "some-id", 1, &code, &when), 0);
	assert_int_equal(code, 137);
	assert_true(when > 0);
	root.owner = geteuid() + 1;
	assert_int_equal(podman_read_exit(&s, "some-id", 1, &code, &when), -ENOENT);
	insp_sys_close(scan.sys);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_podman_wrote_is_listed_as_podman_lists_it),
		cmocka_unit_test(what_ran_on_a_host_that_is_off_is_exited_with_no_code),
		cmocka_unit_test(each_state_has_dockers_word),
		cmocka_unit_test(without_detail_the_config_is_read_without_its_spec),
		cmocka_unit_test(addresses_and_the_role_in_a_pod_come_from_state_and_config),
		cmocka_unit_test(a_broken_record_is_named_and_the_container_still_listed),
		cmocka_unit_test(a_database_that_is_none_is_one_diagnostic),
		cmocka_unit_test(without_a_database_the_storage_list_tells_who_there_is),
		cmocka_unit_test(a_renamed_container_has_one_name),
		cmocka_unit_test(a_name_that_damage_took_is_found_in_the_storage),
		cmocka_unit_test(storage_conf_is_read_by_key_and_table),
		cmocka_unit_test(a_users_store_counts_when_the_user_owns_it),
		cmocka_unit_test(a_system_account_has_a_store_when_it_has_subordinate_ids),
		cmocka_unit_test(a_pid_counts_only_with_its_monitor),
		cmocka_unit_test(a_code_left_by_the_monitor_counts_when_it_is_of_this_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
