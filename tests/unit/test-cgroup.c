/* /proc/PID/cgroup, ids in its paths, the mounts of the hierarchies. */
#include "tests/unit/torture.h"

#include "libinspect/engines/engine.h"
#include "libinspect/kernel/cgroup.h"
#include "libinspect/kernel/mountinfo.h"

#define ID    "3f1c9ab22d010123456789abcdef0123456789abcdef0123456789abcdef0123"
#define OTHER "ffffffffffff0123456789abcdef0123456789abcdef0123456789abcdef0123"

static void parse(const char *s, struct cgroup_lines *l)
{
	assert_int_equal(cgroup_parse(s, strlen(s), l), 0);
}

static void lines_give_hierarchy_controllers_and_path(void **state)
{
	_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };

	parse("4:cpu,cpuacct:/docker/x:y\n1:name=systemd:/\n0::/../a\nnonsense\n:::\n5:x\n", &l);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.items[0].hierarchy, 4);
	assert_string_equal(l.items[0].controllers, "cpu,cpuacct");
	assert_string_equal(l.items[0].path, "/docker/x:y");
	assert_string_equal(l.items[1].controllers, "name=systemd");
	assert_int_equal(l.items[2].hierarchy, 0);
	assert_string_equal(l.items[2].controllers, "");
	assert_string_equal(l.items[2].path, "/../a");
}

static void the_best_line_is_v2s_else_the_longest_of_v1(void **state)
{
	_cleanup_cgroup_lines_ struct cgroup_lines v2 = { 0 }, v1 = { 0 }, none = { 0 };

	parse("4:memory:/very/long/path/of/v1\n0::/a\n", &v2);
	assert_string_equal(cgroup_best(&v2)->path, "/a");
	parse("7:cpu:/the/longest/of/them/all\n4:memory:/a/b\n3:pids:/a/b/c\n0::/\n", &v1);
	assert_string_equal(cgroup_best(&v1)->path, "/a/b/c");
	parse("4:memory:/\n0::/\n", &none);
	assert_null(cgroup_best(&none));
}

/* Where engines put containers, on a host with systemd and on one without. */
static const char *const places[] = {
	"0::/system.slice/docker-" ID ".scope\n",
	"0::/system.slice/docker-" ID ".scope/container\n",
	"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1234.slice/docker-" ID
	".scope\n",
	"0::/kubepods.slice/kubepods-pod12_3.slice/cri-containerd-" ID ".scope\n",
	"0::/kubepods.slice/kubepods-pod12_3.slice/crio-" ID ".scope/container\n",
	"0::/kubepods/burstable/pod1234/" ID "\n",
	"0::/docker/" ID "\n",
	"0::/foo/bar/" ID "\n",
	"0::/machine.slice/libpod-" ID ".scope/container\n",
	"0::/machine.slice/machine-libpod_pod_" OTHER ".slice/libpod-" ID ".scope/container\n",
	"0::/system.slice/pq.service/libpod-payload-" ID "\n",
	"0::/libpod_parent/libpod-" ID "\n",
	"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
	".scope/container\n",
	"0::/../../system.slice/docker-" ID ".scope\n",
	"9:name=systemd:/\n8:pids:/docker/" ID "\n0::/\n",
	"0::/docker/" OTHER "/docker/" ID "/init.scope\n",
};

static void ids_are_found_wherever_engines_put_them(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };
		char id[65] = "";

		parse(places[i], &l);
		if (!cgroup_has_id(&l, ID) || !cgroup_find_id(&l, id))
			fail_msg("no id found in %s", places[i]);
		assert_string_equal(id, ID);
	}
}

static const char *const not_places[] = {
	"0::/machine.slice/libpod-conmon-" ID ".scope\n",
	"0::/system.slice/crio-conmon-" ID ".scope\n",
	"0::/system.slice/x" ID ".scope\n",
	"0::/system.slice/docker-" ID "0.scope\n",
	"0::/machine.slice/machine-libpod_pod_" ID ".slice\n",
	"0::/system.slice/containerd.service\n",
	"0::/\n",
};

static void monitors_pods_and_longer_names_are_no_containers(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_places); i++) {
		_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };
		char id[65] = "";

		parse(not_places[i], &l);
		if (cgroup_has_id(&l, ID) || cgroup_find_id(&l, id))
			fail_msg("an id was found in %s", not_places[i]);
	}
}

static void short_names_match_whole_components_only(void **state)
{
	_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };

	parse("0::/system.slice/crun-r4.scope/container\n", &l);
	assert_true(cgroup_has_id(&l, "r4"));
	assert_false(cgroup_has_id(&l, "4"));
	assert_false(cgroup_has_id(&l, "crun"));
	assert_false(cgroup_has_id(&l, ""));
	assert_true(cgroup_has_id(&l, "container"));
}

static void try_lines(const char *buf, size_t len)
{
	_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };
	char id[65];

	assert_int_equal(cgroup_parse(buf, len, &l), 0);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(l.items[i].path[0], '/');
	(void)cgroup_best(&l);
	(void)cgroup_has_id(&l, ID);
	if (cgroup_find_id(&l, id))
		assert_int_equal(strlen(id), 64);
}

static void lines_survive_damage(void **state)
{
	torture_str("4:cpu,cpuacct:/docker/" ID "\n0::/system.slice/docker-" ID
		    ".scope/container\n",
		    try_lines);
}

static void mounts_of_a_hybrid_host_are_found(void **state)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	_cleanup_cgroup_mounts_ struct cgroup_mounts m = { 0 };
	static const char text[] =
		"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
		"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		"33 31 0:30 /docker/x /mnt/part rw - cgroup cgroup rw,memory\n"
		"34 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		"35 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
		"rw,xattr,release_agent=/lib/x,name=systemd\n"
		"36 31 0:38 /../.. /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";

	assert_int_equal(mountinfo_parse(text, strlen(text), &t), 0);
	assert_int_equal(cgroup_mounts_of(&t, &m), 0);
	assert_string_equal(m.v2, "/sys/fs/cgroup/unified");
	assert_string_equal(m.v2_root, "/../..");
	assert_int_equal(m.n_v1, 4);
	assert_string_equal(m.v1[0].controller, "cpu");
	assert_string_equal(m.v1[1].controller, "cpuacct");
	assert_string_equal(m.v1[1].path, "/sys/fs/cgroup/cpu,cpuacct");
	assert_string_equal(m.v1[2].path, "/sys/fs/cgroup/memory");
	assert_string_equal(m.v1[2].root, "/");
	assert_string_equal(m.v1[3].controller, "name=systemd");
}

/* The host that runs the test: our own cgroup is found, and we are in it. */
static void our_own_cgroup_lists_us(void **state)
{
	_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };
	_cleanup_cgroup_mounts_ struct cgroup_mounts m = { 0 };
	struct insp_sys *sys;
	bool found = false;
	int opened = 0;

	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(cgroup_read(sys->procfd, getpid(), &l), 0);
	assert_int_equal(cgroup_mounts_read(sys, &m, NULL), 0);
	for (size_t i = 0; i < l.n && !found; i++) {
		_cleanup_close_ int fd = cgroup_open(sys, &m, &l.items[i]);
		_cleanup_free_ pid_t *pids = NULL;
		ssize_t n = fd < 0 ? 0 : cgroup_procs(fd, &pids);

		opened += fd >= 0;
		for (ssize_t p = 0; p < n; p++) {
			assert_true(p == 0 || pids[p - 1] < pids[p]);
			found |= pids[p] == getpid();
		}
	}
	insp_sys_close(sys);
	if (!opened) {
		print_message("no cgroup file system is mounted on this host\n");
		skip();
	}
	assert_true(found);
}

static void a_path_above_our_cgroup_namespace_is_not_opened(void **state)
{
	struct cgroup_mounts m = { .v2 = (char *)"/sys/fs/cgroup", .v2_root = (char *)"/" };
	struct cgroup_line line = { 0, "", "/../x" };
	struct insp_sys *sys;

	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(cgroup_open(sys, &m, &line), -ENOENT);
	line.path = "/a/../../../etc";
	assert_int_equal(cgroup_open(sys, &m, &line), -ENOENT);
	/* a directory that is there, and no cgroup */
	m.v2 = (char *)"/etc";
	line.path = "/";
	assert_int_equal(cgroup_open(sys, &m, &line), -ENOENT);
	insp_sys_close(sys);
}

static void the_telling_name_is_not_that_of_an_inner_cgroup(void **state)
{
	static const struct {
		const char *path, *expect;
	} cases[] = {
		{ "/system.slice/uns.service", "uns.service" },
		{ "/machine.slice/m1.scope/payload", "m1.scope" },
		{ "/machine.slice/machine-boot.scope/payload/init.scope", "machine-boot.scope" },
		{ "/system.slice/crun-r4.scope/container", "crun-r4.scope" },
		{ "/container", "container" },
		{ "/a/payloads", "payloads" },
		{ "/", "" },
		{ "/..", "" },
		{ "/x/../..", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span name = cgroup_telling_name(cases[i].path);

		assert_int_equal(span_len(&name), strlen(cases[i].expect));
		assert_memory_equal(name.p, cases[i].expect, span_len(&name));
	}
}

static const struct {
	const char *path, *engine;
} made_by[] = {
	{ "0::/system.slice/docker-" ID ".scope\n", "docker" },
	{ "0::/system.slice/docker-" ID ".scope/container\n", "docker" },
	{ "9:name=systemd:/\n8:pids:/docker/" ID "\n0::/\n", "docker" },
	{ "0::/docker/" OTHER "/kubepods/pod1/" ID "\n", "bare" },
	{ "0::/docker/" ID "/docker/" ID "/init.scope\n", "docker" },
	{ "0::/machine.slice/libpod-" ID ".scope/container\n", "podman" },
	{ "0::/libpod_parent/libpod-" ID "\n", "podman" },
	{ "0::/system.slice/pq.service/libpod-payload-" ID "\n", "podman" },
	{ "0::/kubepods.slice/crio-" ID ".scope/container\n", "cri-o" },
	{ "0::/kubepods.slice/crio-conmon-" ID ".scope\n", "bare" },
	{ "0::/kubepods.slice/cri-containerd-" ID ".scope\n", "cri" },
	{ "0::/foo/notdocker-" ID ".scope\n", "bare" },
	{ "0::/foo/" ID "\n", "bare" },
};

static void the_form_of_the_cgroup_tells_the_engine(void **state)
{
	for (size_t i = 0; i < sizeof(made_by) / sizeof(*made_by); i++) {
		_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };

		parse(made_by[i].path, &l);
		assert_string_equal(engine_by_cgroup(&l, ID)->name, made_by[i].engine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_give_hierarchy_controllers_and_path),
		cmocka_unit_test(the_best_line_is_v2s_else_the_longest_of_v1),
		cmocka_unit_test(ids_are_found_wherever_engines_put_them),
		cmocka_unit_test(monitors_pods_and_longer_names_are_no_containers),
		cmocka_unit_test(short_names_match_whole_components_only),
		cmocka_unit_test(the_telling_name_is_not_that_of_an_inner_cgroup),
		cmocka_unit_test(lines_survive_damage),
		cmocka_unit_test(mounts_of_a_hybrid_host_are_found),
		cmocka_unit_test(the_form_of_the_cgroup_tells_the_engine),
		cmocka_unit_test(our_own_cgroup_lists_us),
		cmocka_unit_test(a_path_above_our_cgroup_namespace_is_not_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
