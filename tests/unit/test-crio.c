/* CRI-O's containers in a graph root that is shared, and references by pod. */
#include "tests/unit/docker-store.h"

#include "libinspect/engines/crio.h"

#define GRAPH "var/lib/containers/storage"
#define WANT  (INSP_WANT_STOPPED | INSP_WANT_DETAIL)

struct record {
	const char *digits, *name, *pod, *ns, *type, *state;
};

static const struct record records[] = {
	{ "aa1", "web", "shop", "prod", "container",
	  "{\"status\":\"stopped\",\"created\":\"2026-01-01T00:00:00Z\","
	  "\"started\":\"2026-01-01T00:00:01Z\",\"finished\":\"2026-01-01T00:00:02Z\",\"exitCode\":7,"
	  "\"initPid\":1,\"initStartTime\":\"1\"}" },
	/* said to run, but no process is looked at: no code */
	{ "aa2", "db", "shop", "prod", "container",
	  "{\"status\":\"running\",\"initPid\":1,\"initStartTime\":\"1\",\"started\":\"2026-01-01T00:00:01Z\"}" },
	{ "aa3", "shop", "shop", "prod", "sandbox", "{\"status\":\"running\"}" },
	{ "aa4", "web", "shop", "test", "container", "{\"status\":\"created\"}" },
	{ "aa5", "solo", "alone", "prod", "container",
	  "{\"status\":\"stopped\",\"exitCode\":300}" },
	{ "aa6", "alone", "alone", "prod", "sandbox", NULL },
};

static void write_record(const struct host *h, const struct record *r)
{
	char id[65];
	_cleanup_free_ char *dir =
		str_format(GRAPH "/overlay-containers/%s/userdata", make_id(r->digits, id));
	_cleanup_free_ char *config = str_format(
		"{\"hostname\":\"h\",\"process\":{\"args\":[\"run\",\"it\"]},\"annotations\":{"
		"\"io.kubernetes.pod.name\":\"%s\",\"io.kubernetes.pod.namespace\":\"%s\","
		"\"io.kubernetes.container.name\":\"%s\","
		"\"io.kubernetes.container.restartCount\":\"2\","
		"\"io.kubernetes.cri-o.ContainerType\":\"%s\","
		"\"io.kubernetes.cri-o.ImageName\":\"example.com/%s:1\","
		"\"io.kubernetes.cri-o.IP.0\":\"10.9.8.7\","
		"\"io.kubernetes.cri-o.LogPath\":\"/var/log/pods/%s.log\","
		"\"io.kubernetes.cri-o.Labels\":\"{\\\"tier\\\":\\\"front\\\"}\"}}",
		r->pod, r->ns, r->name, r->type, r->name, r->name);
	_cleanup_free_ char *config_path = str_format("%s/config.json", dir);
	_cleanup_free_ char *state_path = str_format("%s/state.json", dir);

	host_write(h, config_path, config);
	if (r->state)
		host_write(h, state_path, r->state);
}

static struct host make_store(void)
{
	struct host h = host_make();
	struct strbuf sb = { 0 };
	char id[65];

	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		const struct record *r = &records[i];

		strbuf_printf(
			&sb,
			"%s{\"id\":\"%s\",\"names\":[\"k8s_%s\"],\"image\":\"%s\",\"layer\":\"%s\","
			"\"metadata\":\"{\\\"pod-name\\\":\\\"%s\\\",\\\"pod-id\\\":\\\"x\\\","
			"\\\"metadata-name\\\":\\\"%s\\\",\\\"namespace\\\":\\\"%s\\\"}\","
			"\"created\":\"2026-01-01T00:00:00Z\"}",
			i ? "," : "[", make_id(r->digits, id), r->name, id, id, r->pod, r->name,
			r->ns);
		write_record(&h, r);
	}
	/* another engine's, in the same list */
	strbuf_printf(
		&sb,
		",{\"id\":\"%s\",\"names\":[\"pm\"],\"metadata\":\"{\\\"name\\\":\\\"pm\\\"}\"}]",
		make_id("bb1", id));
	host_write(&h, GRAPH "/overlay-containers/containers.json", sb.buf);
	strbuf_free(&sb);
	return h;
}

static const struct insp_container *find_id(const struct insp_list *list, const char *digits)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_starts(list->items[i]->id, digits))
			return list->items[i];
	fail_msg("no container %s", digits);
	return NULL;
}

static void records_of_pods_are_its_own_and_the_others_are_not(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = make_store();
	struct insp_list list = host_list(&h, WANT, &diags);
	const struct insp_container *c = find_id(&list, "aa1");

	/* the other engine's databases are not there, which is its to say */
	assert_int_equal(diags.n, 1);
	assert_non_null(strstr(diags.items[0].text, "neither of its databases"));
	insp_diags_clear(&diags);
	assert_int_equal(list.n, ARRAY_SIZE(records) + 1);
	assert_string_equal(find_id(&list, "bb1")->engine, "podman");
	assert_string_equal(c->engine, "cri-o");
	assert_string_equal(c->name, "web");
	assert_string_equal(c->pod, "shop");
	assert_string_equal(c->pod_namespace, "prod");
	assert_string_equal(c->image, "example.com/web:1");
	assert_string_equal(c->log_path, "/var/log/pods/web.log");
	assert_string_equal(c->command, "run it");
	assert_string_equal(c->addresses[0], "10.9.8.7");
	assert_string_equal(insp_container_label(c, "tier"), "front");
	assert_int_equal(c->restarts, 2);
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->exit_code, 7);
	assert_int_equal(c->finished - c->started, 1000000000);
	assert_false(c->infra);
	insp_list_clear(&list);
	host_remove(&h);
}

static void states_are_what_can_be_told(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = make_store();
	struct insp_list list = host_list(&h, WANT, &diags);

	assert_int_equal(find_id(&list, "aa2")->state, INSP_STATE_EXITED);
	assert_int_equal(find_id(&list, "aa2")->exit_code, INSP_EXIT_UNSET);
	assert_true(find_id(&list, "aa3")->infra);
	assert_string_equal(find_id(&list, "aa3")->name, "shop");
	assert_int_equal(find_id(&list, "aa4")->state, INSP_STATE_CREATED);
	assert_int_equal(find_id(&list, "aa5")->exit_code, INSP_EXIT_UNSET);
	assert_int_equal(find_id(&list, "aa6")->state, INSP_STATE_CREATED);
	insp_diags_clear(&diags);
	insp_list_clear(&list);
	host_remove(&h);
}

static void damaged_files_are_named_and_the_rest_listed(void **state)
{
	struct insp_diags diags = { 0 };
	struct host h = make_store();
	struct insp_list list;
	char id[65], path[256];

	snprintf(path, sizeof(path), GRAPH "/overlay-containers/%s/userdata/state.json",
		 make_id("aa1", id));
	host_write(&h, path, "{\"status\":\"stop");
	snprintf(path, sizeof(path), GRAPH "/overlay-containers/%s/userdata/config.json",
		 make_id("aa2", id));
	assert_int_equal(unlinkat(h.fd, path, 0), 0);
	assert_int_equal(mkfifoat(h.fd, path, 0600), 0);
	list = host_list(&h, WANT, &diags);
	/* and podman's, that its databases are not there */
	assert_int_equal(diags.n, 3);
	assert_int_equal(list.n, ARRAY_SIZE(records) + 1);
	/* by the storage's own record */
	assert_string_equal(find_id(&list, "aa2")->pod, "shop");
	assert_string_equal(find_id(&list, "aa2")->name, "db");
	assert_int_equal(find_id(&list, "aa1")->state, INSP_STATE_UNKNOWN);
	insp_list_clear(&list);
	insp_diags_clear(&diags);
	host_remove(&h);
}

/* ---- pod/… ---- */

static void expect_ref(struct insp_sys *sys, const char *ref, const char *digits)
{
	struct insp_container *c = NULL;
	struct insp_err err = { 0 };
	int r = insp_resolve(sys, ref, 0, &c, NULL, &err);

	if (r < 0)
		fail_msg("%s: %s", ref, err.text);
	assert_true(str_starts(c->id, digits));
	insp_container_free(c);
}

static size_t expect_error(struct insp_sys *sys, const char *ref, int code)
{
	struct insp_list candidates = { 0 };
	struct insp_container *c = NULL;
	struct insp_err err = { 0 };
	size_t n;

	assert_int_equal(insp_resolve(sys, ref, 0, &c, &candidates, &err), code);
	n = candidates.n;
	insp_list_clear(&candidates);
	return n;
}

static void a_pods_container_is_found_by_pod_namespace_and_name(void **state)
{
	struct host h = make_store();
	struct insp_sys *sys = host_open(&h);

	/* one container besides the one that holds the namespaces */
	expect_ref(sys, "pod/alone", "aa5");
	expect_ref(sys, "pod/alone/solo", "aa5");
	expect_ref(sys, "pod/prod/alone", "aa5");
	expect_ref(sys, "pod/shop/db", "aa2");
	expect_ref(sys, "pod/prod/shop/web", "aa1");
	expect_ref(sys, "pod/test/shop", "aa4");
	assert_int_equal(expect_error(sys, "pod/shop", -ENOTUNIQ), 3);
	assert_int_equal(expect_error(sys, "pod/shop/web", -ENOTUNIQ), 2);
	assert_int_equal(expect_error(sys, "pod/prod/shop", -ENOTUNIQ), 2);
	expect_error(sys, "pod/nope", -ENOENT);
	expect_error(sys, "pod/shop/nope", -ENOENT);
	expect_error(sys, "pod/prod/shop/db/x", -EINVAL);
	expect_error(sys, "pod/", -EINVAL);
	expect_error(sys, "pod//web", -EINVAL);
	expect_error(sys, "pod/shop/", -EINVAL);
	/* a bare name that several pods have */
	assert_int_equal(expect_error(sys, "web", -ENOTUNIQ), 2);
	insp_sys_close(sys);
	host_remove(&h);
}

/* The list of the storage has other names: what is looked for stands nowhere in it. */
static void a_name_that_only_config_json_has_is_found(void **state)
{
	struct host h = host_make();
	struct insp_sys *sys;
	char id[65];
	_cleanup_free_ char *list = str_format(
		"[{\"id\":\"%s\",\"names\":[\"k8s_x\"],\"metadata\":\"{\\\"pod-name\\\":\\\"p\\\"}\"}]",
		make_id("aa1", id));

	host_write(&h, GRAPH "/overlay-containers/containers.json", list);
	write_record(&h, &records[0]);
	sys = host_open(&h);
	expect_ref(sys, "cri-o:web", "aa1");
	insp_sys_close(sys);
	host_remove(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_pods_are_its_own_and_the_others_are_not),
		cmocka_unit_test(states_are_what_can_be_told),
		cmocka_unit_test(damaged_files_are_named_and_the_rest_listed),
		cmocka_unit_test(a_pods_container_is_found_by_pod_namespace_and_name),
		cmocka_unit_test(a_name_that_only_config_json_has_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
