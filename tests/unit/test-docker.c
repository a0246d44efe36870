/* Docker's records, image names, and the flags of daemons. */
#include "tests/unit/docker-store.h"

#include "libinspect/engines/docker/docker.h"

#define WEB "c0ffee"

/* ---- records --------------------------------------------------------------------------------------- */

static void a_record_is_read_field_by_field(void **state)
{
	char id[65];
	_cleanup_free_ char *text = make_record(make_id(WEB, id), "web", STATE_EXITED);
	_cleanup_docker_record_ struct docker_record rec = { 0 };
	struct insp_container *c = container_new("docker", id);

	assert_int_equal(docker_record_parse(text, strlen(text), INSP_WANT_DETAIL, &rec, NULL), 0);
	assert_string_equal(rec.id, id);
	assert_string_equal(rec.name, "web");
	assert_string_equal(rec.driver, "overlay2");
	assert_string_equal(rec.sandbox_key, "/run/own/netns/3efbb6d9bee3");
	assert_int_equal(docker_record_fill(&rec, INSP_WANT_DETAIL, c), 0);
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, 7);
	assert_int_equal(c->restarts, 3);
	assert_true(c->created == 1795308523000000000);
	assert_true(c->started == 1795308524000000000);
	assert_true(c->finished == 1795308525500000000);
	assert_string_equal(c->command, "sh -c 'exit 7'");
	assert_string_equal(c->hostname, "h1");
	assert_string_equal(c->log_path, "/log");
	assert_string_equal(c->project, "shop");
	assert_string_equal(insp_container_label(c, "a.b"), "c d");
	assert_int_equal(c->n_ports, 2);
	for (size_t i = 0; i < 2; i++)
		if (c->ports[i].port == 80) {
			assert_string_equal(c->ports[i].host_ip, "127.0.0.1");
			assert_int_equal(c->ports[i].host_port, 8088);
			assert_string_equal(c->ports[i].proto, "tcp");
		} else {
			assert_null(c->ports[i].host_ip);
			assert_int_equal(c->ports[i].port, 53);
			assert_string_equal(c->ports[i].proto, "udp");
		}
	insp_container_free(c);
}

static void labels_and_ports_are_left_out_when_not_wanted(void **state)
{
	char id[65];
	_cleanup_free_ char *text = make_record(make_id(WEB, id), "web", STATE_EXITED);
	_cleanup_docker_record_ struct docker_record rec = { 0 };
	struct insp_container *c = container_new("docker", id);

	assert_int_equal(docker_record_parse(text, strlen(text), INSP_WANT_DETAIL, &rec, NULL), 0);
	assert_int_equal(docker_record_fill(&rec, 0, c), 0);
	assert_int_equal(c->n_labels + c->n_ports, 0);
	assert_null(c->command);
	insp_container_free(c);
}

static void states_are_dockers_words(void **state)
{
	static const struct {
		const char *json;
		enum insp_state state;
		int exit_code;
	} cases[] = {
		{ "{\"Running\":true,\"Pid\":9,\"ExitCode\":0}", INSP_STATE_RUNNING, -1 },
		{ "{\"Running\":true,\"Paused\":true,\"Pid\":9}", INSP_STATE_PAUSED, -1 },
		{ "{\"Running\":true,\"Restarting\":true,\"ExitCode\":3}", INSP_STATE_RESTARTING,
		  3 },
		{ "{\"Dead\":true,\"ExitCode\":9,\"StartedAt\":\"2026-11-22T00:48:44Z\"}",
		  INSP_STATE_DEAD, 9 },
		{ "{\"RemovalInProgress\":true}", INSP_STATE_DEAD, 0 },
		{ "{\"StartedAt\":\"0001-01-01T00:00:00Z\",\"ExitCode\":0}", INSP_STATE_CREATED,
		  -1 },
		{ "{\"StartedAt\":\"0001-01-01T00:00:00Z\",\"ExitCode\":127}", INSP_STATE_CREATED,
		  127 },
		{ STATE_EXITED, INSP_STATE_EXITED, 7 },
		{ "{\"StartedAt\":\"2026-11-22T00:48:44Z\",\"ExitCode\":-1}", INSP_STATE_EXITED,
		  -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char id[65];
		_cleanup_free_ char *text = make_record(make_id(WEB, id), "x", cases[i].json);
		_cleanup_docker_record_ struct docker_record rec = { 0 };

		assert_int_equal(
			docker_record_parse(text, strlen(text), INSP_WANT_DETAIL, &rec, NULL), 0);
		assert_int_equal(rec.state, cases[i].state);
		assert_int_equal(rec.exit_code, cases[i].exit_code);
	}
}

static void a_record_of_the_wrong_shape_is_refused_by_name(void **state)
{
	static const struct {
		const char *json, *says;
	} cases[] = {
		{ "", "not valid JSON" },
		{ "[]", "not a container's record" },
		{ "null", "not a container's record" },
		{ "{}", "no 'State'" },
		{ "{\"State\":[]}", "no 'State'" },
		{ "{\"State\":{\"Pid\":\"12\"}}", "'State.Pid' is no integer" },
		{ "{\"State\":{\"Pid\":1e3}}", "'State.Pid' is no integer" },
		{ "{\"State\":{\"Pid\":-1}}", "'State.Pid' is no process number" },
		{ "{\"State\":{\"Pid\":2147483648}}", "'State.Pid' is no process number" },
		{ "{\"State\":{\"Running\":1}}", "'State.Running' is no boolean" },
		{ "{\"State\":{},\"Name\":{}}", "'Name' is no string" },
		{ "{\"State\":{},\"Args\":\"x\"}", "'Args' is no array" },
		{ "{\"State\":{},\"Config\":{\"Labels\":[1]}}", "'Config.Labels' is no object" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_docker_record_ struct docker_record rec = { 0 };
		struct insp_err err = { 0 };

		assert_int_equal(docker_record_parse(cases[i].json, strlen(cases[i].json),
						     INSP_WANT_DETAIL, &rec, &err),
				 -EBADMSG);
		assert_non_null(strstr(err.text, cases[i].says));
		assert_null(rec.json);
	}
}

static void a_record_cut_anywhere_is_refused(void **state)
{
	char id[65];
	_cleanup_free_ char *text = make_record(make_id(WEB, id), "web", STATE_EXITED);

	/* the last two bytes are "}\n" */
	for (size_t len = 0; len < strlen(text) - 1; len++) {
		/* a block of its own, so that a sanitizer sees a read behind it */
		_cleanup_free_ char *cut = malloc(len + 1);
		_cleanup_docker_record_ struct docker_record rec = { 0 };

		memcpy(cut, text, len);
		assert_int_equal(docker_record_parse(cut, len, len % 2 ? INSP_WANT_DETAIL : 0, &rec,
						     NULL),
				 -EBADMSG);
	}
}

static void a_record_with_any_byte_changed_is_read_or_refused(void **state)
{
	static const char bytes[] = { '\0', '"', '{', '}', '[', '9', '\\', '\xff' };
	char id[65];
	_cleanup_free_ char *text = make_record(make_id(WEB, id), "web", STATE_EXITED);
	size_t refused = 0;

	for (size_t i = 0; i < strlen(text); i++)
		for (size_t k = 0; k < sizeof(bytes); k++) {
			_cleanup_free_ char *bad = strdup(text);
			_cleanup_docker_record_ struct docker_record rec = { 0 };
			struct insp_container *c = container_new("docker", id);

			bad[i] = bytes[k];
			if (docker_record_parse(bad, strlen(text), INSP_WANT_DETAIL, &rec, NULL) ==
			    0)
				assert_int_equal(docker_record_fill(&rec, INSP_WANT_DETAIL, c), 0);
			else
				refused++;
			insp_container_free(c);
		}
	/* every bracket and quote matters, to say the least */
	assert_true(refused > 2 * strlen(text));
}

/* ---- images ---------------------------------------------------------------------------------------- */

static void image_names_are_shown_as_docker_ps_does(void **state)
{
	static const struct {
		const char *ref, *shown;
	} cases[] = {
		{ "citest:1", "citest:1" },
		{ "docker.io/library/busybox", "busybox" },
		{ "docker.io/me/app:2", "me/app:2" },
		{ "registry:5000/app@sha256:12", "registry:5000/app" },
		{ "app:1@sha256:12", "app:1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *shown = docker_image_familiar(cases[i].ref);

		assert_string_equal(shown, cases[i].shown);
	}
}

static void an_image_reference_that_moved_gives_way_to_the_short_id(void **state)
{
	static const char repos[] =
		"{\"Repositories\":{"
		"\"citest\":{\"citest:1\":\"sha256:1111111111111111\","
		"\"citest:latest\":\"sha256:2222222222222222\","
		"\"citest@sha256:aa\":\"sha256:1111111111111111\"},"
		"\"r:5000/x\":{\"r:5000/x:latest\":\"sha256:1111111111111111\"}}}";
	static const struct {
		const char *ref, *id, *shown;
	} cases[] = {
		{ "citest:1", "1111111111111111", "citest:1" },
		{ "citest:1", "9999999999999999", "999999999999" },
		{ "citest", "2222222222222222", "citest" },
		{ "citest", "1111111111111111", "111111111111" },
		{ "docker.io/library/citest:1", "1111111111111111", "citest:1" },
		{ "citest@sha256:aa", "1111111111111111", "citest" },
		{ "citest:1@sha256:aa", "1111111111111111", "citest:1" },
		{ "r:5000/x", "1111111111111111", "r:5000/x" },
		{ "gone:1", "1111111111111111", "111111111111" },
		{ "1111", "1111111111111111", "1111" },
		{ "1111111111111111", "1111111111111111", "111111111111" },
		{ "sha256:1111111111111111", "1111111111111111", "111111111111" },
		{ NULL, "1111111111111111", "111111111111" },
		{ "citest:1", NULL, "citest:1" },
		{ NULL, NULL, NULL },
	};
	struct host h = host_make();

	host_write(&h, "image/overlay2/repositories.json", repos);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct docker_root root = { .fd = h.fd };
		struct docker_record rec = { .image_ref = cases[i].ref,
					     .image_id = cases[i].id,
					     .driver = "overlay2" };
		_cleanup_free_ char *shown = NULL;

		assert_int_equal(docker_image_name(&root, &rec, &shown), 0);
		if (cases[i].shown)
			assert_string_equal(shown, cases[i].shown);
		else
			assert_null(shown);
		json_decref(root.repositories);
	}
	host_remove(&h);
}

static void without_repositories_the_reference_is_shown(void **state)
{
	struct host h = host_make();
	struct docker_root root = { .fd = h.fd };
	struct docker_record rec = { .image_ref = "citest:1", .image_id = "11", .driver = "../.." };
	_cleanup_free_ char *shown = NULL;

	assert_int_equal(docker_image_name(&root, &rec, &shown), 0);
	assert_string_equal(shown, "citest:1");
	host_remove(&h);
}

/* ---- daemons --------------------------------------------------------------------------------------- */

static void daemon_flags_are_found_in_every_spelling(void **state)
{
	static const struct {
		const char *args;
		size_t len;
		const char *data, *exec, *config;
	} cases[] = {
#define CASE(args, data, exec, config) { args, sizeof(args), data, exec, config }
		CASE("dockerd", NULL, NULL, NULL),
		CASE("dockerd\0--data-root\0/a", "/a", NULL, NULL),
		CASE("dockerd\0--data-root=/a\0--exec-root=/b", "/a", "/b", NULL),
		CASE("dockerd\0-g\0/a\0--config-file\0/c", "/a", NULL, "/c"),
		CASE("dockerd\0--graph=/a\0--data-root=/z", "/z", NULL, NULL),
		CASE("dockerd\0--data-root=/z\0--graph\0/a", "/a", NULL, NULL),
		CASE("dockerd\0--data-root", NULL, NULL, NULL),
		CASE("dockerd\0-H\0unix:///x\0--data-rootless\0/q", NULL, NULL, NULL),
#undef CASE
		{ "x\0--data-root=/no-nul", 22, "/no-nul", NULL, NULL },
		{ "", 0, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct docker_flags f = { 0 };

		assert_int_equal(docker_flags_parse(cases[i].args, cases[i].len, &f), 0);
		assert_true(str_eq(f.data_root, cases[i].data));
		assert_true(str_eq(f.exec_root, cases[i].exec));
		assert_true(str_eq(f.config_file, cases[i].config));
		docker_flags_free(&f);
	}
}

static void this_process_is_no_daemon(void **state)
{
	struct docker_daemon d = { 0 };
	struct engine_scan scan = { 0 };

	assert_int_equal(insp_sys_open(NULL, &scan.sys, NULL), 0);
	assert_int_equal(docker_daemon_read(&scan, getpid(), &d), 0);
	assert_int_equal(docker_daemon_read(&scan, 2147483647, &d), 0);
	insp_sys_close(scan.sys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_field_by_field),
		cmocka_unit_test(labels_and_ports_are_left_out_when_not_wanted),
		cmocka_unit_test(states_are_dockers_words),
		cmocka_unit_test(a_record_of_the_wrong_shape_is_refused_by_name),
		cmocka_unit_test(a_record_cut_anywhere_is_refused),
		cmocka_unit_test(a_record_with_any_byte_changed_is_read_or_refused),
		cmocka_unit_test(image_names_are_shown_as_docker_ps_does),
		cmocka_unit_test(an_image_reference_that_moved_gives_way_to_the_short_id),
		cmocka_unit_test(without_repositories_the_reference_is_shown),
		cmocka_unit_test(daemon_flags_are_found_in_every_spelling),
		cmocka_unit_test(this_process_is_no_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
