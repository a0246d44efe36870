/* containerd's and Kubernetes' containers from made-up stores, sound and hostile, of a host that is off. */
#include "containerd-store.h"

#include "libinspect/engines/containerd/containerd.h"

#define WANT	(INSP_WANT_STOPPED | INSP_WANT_DETAIL | INSP_WANT_FILES)
#define CREATED "\x01\0\0\0\x0e\xe2\x94\x32\xec\x1a\x85\x8a\x86\xff\xff"
#define SPEC                                                                                            \
	"{\"process\":{\"args\":[\"sleep\",\"9\"]},\"hostname\":\"h1\",\"mounts\":[{\"type\":\"bind\"," \
	"\"source\":\"/srv\",\"destination\":\"/mnt\",\"options\":[\"rbind\",\"ro\"]}]}"
#define HEX64 "38bec7acc815573eb7a3a337476d5c6a0e5a16b81c6a2de72b85e65730f0ff2b"

/* An Any of a JSON text below 16 KiB. */
static void node_any(struct node *in, const char *key, const char *json)
{
	size_t len = strlen(json);
	char buf[4096];
	static const char head[] = "\x0a\x03url\x12";

	assert_true(8 + len <= sizeof(buf));
	memcpy(buf, head, 6);
	/* a length of two bytes, also where one would do */
	buf[6] = (char)(0x80 | (len & 0x7f));
	buf[7] = (char)(len >> 7);
	memcpy(buf + 8, json, len);
	node_bytes(in, key, buf, 8 + len);
}

static struct node *add_record(struct node *meta, const char *ns, const char *id)
{
	_cleanup_free_ char *path = str_format("v1/%s/containers/%s", ns, id);
	struct node *n = node_at(meta, path);

	node_bytes(n, "createdat", CREATED, 15);
	node_text(n, "image", "docker.io/library/citest:1");
	node_text(n, "snapshotter", "overlayfs");
	node_text(n, "snapshotKey", id);
	node_any(n, "spec", SPEC);
	return n;
}

static void add_label(struct node *record, const char *key, const char *value)
{
	node_text(node_at(record, "labels"), key, value);
}

struct result {
	struct insp_list list;
	struct insp_diags diags;
};

static struct result list_host(const struct host *h)
{
	struct insp_sys *sys = host_open(h);
	struct result r = { 0 };

	assert_int_equal(insp_list(sys, WANT, &r.list, &r.diags, NULL), 0);
	insp_sys_close(sys);
	return r;
}

static void result_clear(struct result *r)
{
	insp_list_clear(&r->list);
	insp_diags_clear(&r->diags);
}

static void a_record_tells_what_it_was_made_with(void **state)
{
	struct node meta = { 0 }, snaps = { 0 }, *n = add_record(&meta, "default", "web");
	const struct insp_container *c;
	struct host h = host_make();
	struct result r;

	add_label(n, "nerdctl/name", "pretty");
	add_label(n, "containerd.io/restart.count", "4");
	add_label(n, "com.docker.compose.project", "shop");
	add_label(n, "nerdctl/ports",
		  "[{\"HostPort\":8080,\"ContainerPort\":80,\"Protocol\":\"tcp\",\"HostIP\":"
		  "\"127.0.0.1\"},{\"ContainerPort\":99999,\"Protocol\":\"tcp\"},7]");
	node_text(node_at(&meta, "v1/default/snapshots/overlayfs/web"), "name", "default/2/web");
	add_snapshot(&snaps, "default/2/web", 2, 2, "default/1/base");
	add_snapshot(&snaps, "default/1/base", 1, 3, NULL);
	write_tree(&h, META_DB, &meta);
	write_tree(&h, SNAP_DB, &snaps);
	r = list_host(&h);
	assert_int_equal(r.diags.n, 0);
	c = find_name(&r.list, "pretty");
	assert_non_null(c);
	assert_string_equal(c->engine, "containerd");
	assert_string_equal(c->id, "web");
	assert_string_equal(c->image, "docker.io/library/citest:1");
	assert_string_equal(c->command, "sleep 9");
	assert_string_equal(c->hostname, "h1");
	assert_string_equal(c->project, "shop");
	assert_int_equal(c->restarts, 4);
	assert_int_equal(c->n_ports, 1);
	assert_int_equal(c->ports[0].host_port, 8080);
	assert_true(c->created == 1795308524444959366);
	assert_int_equal(c->exit_code, INSP_EXIT_UNSET);
	assert_int_equal(c->n_mounts, 1);
	assert_true(c->mounts[0].read_only);
	assert_int_equal(c->layers->n_lowers, 1);
	/* no task: created; with one, and no process: exited */
	assert_int_equal(c->state, INSP_STATE_CREATED);
	result_clear(&r);
	host_mkdirs(&h, CROOT "/io.containerd.runtime.v2.task/default/web");
	r = list_host(&h);
	assert_int_equal(r.list.items[0]->state, INSP_STATE_EXITED);
	result_clear(&r);
	host_remove(&h);
}

static void what_is_no_identifier_and_what_is_damaged_does_not_hide_the_rest(void **state)
{
	struct node meta = { 0 }, *n;
	struct host h = host_make();
	struct result r;
	char longest[100];

	memset(longest, 'a', sizeof(longest));
	longest[77] = '\0';
	add_record(&meta, "default", "good");
	add_record(&meta, "default", longest);
	add_record(&meta, "default", "..");
	add_record(&meta, "..", "up");
	n = node_new(node_at(&meta, "v1/default/containers"), "sub/../../x");
	n->bucket = true;
	n = node_at(&meta, "v1/default/containers/broken");
	node_text(n, "spec", "\x12\x7f{");
	node_text(n, "createdat", "yesterday");
	write_tree(&h, META_DB, &meta);
	r = list_host(&h);
	assert_int_equal(r.list.n, 2);
	assert_non_null(find_name(&r.list, "good"));
	assert_true(find_name(&r.list, "broken")->created == 0);
	assert_int_equal(r.diags.n, 1);
	assert_non_null(
		strstr(r.diags.items[0].text, "containerd container broken: its specification"));
	result_clear(&r);
	host_remove(&h);
}

static void the_configuration_names_the_root(void **state)
{
	struct node meta = { 0 };
	struct host h = host_make();
	struct result r;

	add_record(&meta, "default", "web");
	write_tree(&h, "srv/ctd/io.containerd.metadata.v1.bolt/meta.db", &meta);
	host_write(
		&h, "etc/containerd/config.toml",
		"# root = \"/no\"\nversion = 2\n  root = '/srv/ctd' # here\n[plugins]\nroot = \"/not\"\n");
	r = list_host(&h);
	assert_int_equal(r.list.n, 1);
	assert_string_equal(r.list.items[0]->store, "/srv/ctd");
	result_clear(&r);
	host_remove(&h);
}

static void arguments_are_read_as_go_reads_them(void **state)
{
	static const char args[] = "containerd\0--config=/a.toml\0-root\0/r\0--state\0/s\0-c";
	_cleanup_containerd_flags_ struct containerd_flags f = { 0 };

	assert_int_equal(containerd_flags_parse(args, sizeof(args), &f), 0);
	assert_string_equal(f.config_file, "/a.toml");
	assert_string_equal(f.root, "/r");
	assert_string_equal(f.state, "/s");
}

#define CRI CROOT "/io.containerd.grpc.v1.cri/containers/"

static void add_cri(struct node *meta, const char *id, const char *kind, const char *json)
{
	struct node *n = add_record(meta, "k8s.io", id);
	_cleanup_free_ char *extension = str_format("io.cri-containerd.%s.metadata", kind);

	add_label(n, "io.cri-containerd.kind", kind);
	node_any(node_at(n, "extensions"), extension, json);
}

static void kubernetes_containers_have_their_pod_and_their_end(void **state)
{
	struct node meta = { 0 };
	const struct insp_container *c;
	struct host h = host_make();
	struct result r;

	add_cri(&meta, "a1", "container",
		"{\"Metadata\":{\"SandboxID\":\"b2\",\"Config\":{\"metadata\":{\"name\":\"app\","
		"\"attempt\":3}},\"ImageRef\":\"sha256:" HEX64 "\",\"LogPath\":\"/log/0.log\"}}");
	add_cri(&meta, "b2", "sandbox",
		"{\"Metadata\":{\"IP\":\"10.1.0.2\",\"AdditionalIPs\":[\"fd00::2\"],"
		"\"Config\":{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},"
		"\"port_mappings\":[{\"container_port\":80,\"host_port\":8080},{\"protocol\":9}]}}}");
	add_cri(&meta, "c3", "container", "{\"Metadata\":[");
	add_record(&meta, "k8s.io", "by-hand");
	host_write(&h, CRI "a1/status",
		   "{\"CreatedAt\":5,\"StartedAt\":6,\"FinishedAt\":7,\"ExitCode\":7}");
	host_write(&h, CRI "c3/status", "{\"CreatedAt\":5");
	write_tree(&h, META_DB, &meta);
	r = list_host(&h);
	assert_int_equal(r.list.n, 4);
	c = find_name(&r.list, "app");
	assert_string_equal(c->engine, "cri");
	assert_string_equal(c->pod, "web");
	assert_string_equal(c->pod_namespace, "shop");
	assert_string_equal(c->image_id, HEX64);
	assert_string_equal(c->log_path, "/log/0.log");
	assert_int_equal(c->restarts, 3);
	assert_int_equal(c->exit_code, 7);
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_true(c->created == 5 && c->started == 6 && c->finished == 7);
	c = find_name(&r.list, "web");
	assert_true(c->infra && c->unlisted);
	assert_int_equal(c->n_addresses, 2);
	assert_string_equal(c->addresses[1], "fd00::2");
	assert_int_equal(c->state, INSP_STATE_EXITED);
	assert_int_equal(c->n_ports, 1);
	/* its metadata and its status are damaged: two diagnostics, and nothing is guessed */
	assert_int_equal(find_name(&r.list, "c3")->state, INSP_STATE_UNKNOWN);
	assert_int_equal(r.diags.n, 2);
	assert_string_equal(find_name(&r.list, "by-hand")->engine, "containerd");
	result_clear(&r);
	host_remove(&h);
}

static void a_status_counts_when_it_is_one(void **state)
{
	static const char created[] =
		"{\"CreatedAt\":5,\"StartedAt\":0,\"FinishedAt\":0,\"ExitCode\":0}";
	struct cri_status st;

	assert_int_equal(cri_status_parse(created, strlen(created), &st, NULL), 0);
	assert_int_equal(st.exit_code, INSP_EXIT_UNSET);
	assert_int_equal(cri_status_parse("{}", 2, &st, NULL), -EBADMSG);
	assert_int_equal(cri_status_parse("", 0, &st, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_tells_what_it_was_made_with),
		cmocka_unit_test(what_is_no_identifier_and_what_is_damaged_does_not_hide_the_rest),
		cmocka_unit_test(the_configuration_names_the_root),
		cmocka_unit_test(arguments_are_read_as_go_reads_them),
		cmocka_unit_test(kubernetes_containers_have_their_pod_and_their_end),
		cmocka_unit_test(a_status_counts_when_it_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
