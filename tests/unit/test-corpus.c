/* Replays the seed corpus of every fuzz target, with every truncation and some corruptions, without a fuzzer. */
#include "tests/unit/torture.h"

#define LLVMFuzzerTestOneInput fuzz_containerd_values
#include "tests/fuzz/fuzz-containerd-values.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_cri
#include "tests/fuzz/fuzz-cri.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_ccp_tar
#include "tests/fuzz/fuzz-ccp-tar.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_cgroup
#include "tests/fuzz/fuzz-cgroup.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_crio_state
#include "tests/fuzz/fuzz-crio-state.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_openvz_conf
#include "tests/fuzz/fuzz-openvz-conf.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_rkt_pod
#include "tests/fuzz/fuzz-rkt-pod.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_docker_config
#include "tests/fuzz/fuzz-docker-config.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_docker_layers
#include "tests/fuzz/fuzz-docker-layers.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_group
#include "tests/fuzz/fuzz-group.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_idmap
#include "tests/fuzz/fuzz-idmap.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_lxc_config
#include "tests/fuzz/fuzz-lxc-config.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_lxd_record
#include "tests/fuzz/fuzz-lxd-record.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_mountinfo
#include "tests/fuzz/fuzz-mountinfo.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_nettables
#include "tests/fuzz/fuzz-nettables.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_nspawn
#include "tests/fuzz/fuzz-nspawn.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_passwd
#include "tests/fuzz/fuzz-passwd.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_redirect
#include "tests/fuzz/fuzz-redirect.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_subid
#include "tests/fuzz/fuzz-subid.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_toml
#include "tests/fuzz/fuzz-toml.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_bolt
#include "tests/fuzz/fuzz-bolt.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_storage_conf
#include "tests/fuzz/fuzz-storage-conf.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_podman_config
#include "tests/fuzz/fuzz-podman-config.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_podman_state
#include "tests/fuzz/fuzz-podman-state.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_runtime
#include "tests/fuzz/fuzz-runtime.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_sqlite
#include "tests/fuzz/fuzz-sqlite.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_start
#include "tests/fuzz/fuzz-start.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_stat
#include "tests/fuzz/fuzz-stat.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_ctop_recording
#include "tests/fuzz/fuzz-ctop-recording.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_stats
#include "tests/fuzz/fuzz-stats.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_status
#include "tests/fuzz/fuzz-status.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_apptainer
#include "tests/fuzz/fuzz-apptainer.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_gvisor
#include "tests/fuzz/fuzz-gvisor.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_oci_spec
#include "tests/fuzz/fuzz-oci-spec.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_oci_image
#include "tests/fuzz/fuzz-oci-image.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_containerd_image
#include "tests/fuzz/fuzz-containerd-image.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_storage_image
#include "tests/fuzz/fuzz-storage-image.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_youki
#include "tests/fuzz/fuzz-youki.c"
#undef LLVMFuzzerTestOneInput

#include "libinspect/base/io.h"

#define TORTURE_MAX 2048 /* larger inputs are only replayed: the torture is quadratic */

typedef int (*target_fn)(const uint8_t *data, size_t size);

static target_fn current;

static void run_current(const char *buf, size_t len)
{
	assert_int_equal(current((const uint8_t *)buf, len), 0);
}

/* Run from the top of the source tree, as `make unit` does. */
static void replay(const char *name, target_fn fn)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[64];
	int seeds = 0;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", name);
	dir = opendir(path);
	if (!dir)
		fail_msg("%s: %s", path, strerror(errno));
	current = fn;
	for_each_dirent (de, dir) {
		_cleanup_io_buf_ struct io_buf b = { 0 };

		assert_int_equal(io_read_file(dirfd(dir), de->d_name, 1 << 20, &b, NULL), 0);
		run_current(b.data, b.len);
		if (b.len <= TORTURE_MAX)
			torture(b.data, b.len, run_current);
		seeds++;
	}
	assert_true(seeds > 0);
}

static void containerd_values_survive_their_corpus(void **state)
{
	replay("containerd-values", fuzz_containerd_values);
}

static void cri_survives_its_corpus(void **state)
{
	replay("cri", fuzz_cri);
}

static void ccp_tar_survives_its_corpus(void **state)
{
	replay("ccp-tar", fuzz_ccp_tar);
}

static void cgroup_survives_its_corpus(void **state)
{
	replay("cgroup", fuzz_cgroup);
}

static void crio_state_survives_its_corpus(void **state)
{
	replay("crio-state", fuzz_crio_state);
}

static void openvz_conf_survives_its_corpus(void **state)
{
	replay("openvz-conf", fuzz_openvz_conf);
}

static void rkt_pod_survives_its_corpus(void **state)
{
	replay("rkt-pod", fuzz_rkt_pod);
}

static void docker_config_survives_its_corpus(void **state)
{
	replay("docker-config", fuzz_docker_config);
}

static void docker_layers_survive_their_corpus(void **state)
{
	replay("docker-layers", fuzz_docker_layers);
}

static void group_survives_its_corpus(void **state)
{
	replay("group", fuzz_group);
}

static void idmap_survives_its_corpus(void **state)
{
	replay("idmap", fuzz_idmap);
}

static void lxc_config_survives_its_corpus(void **state)
{
	replay("lxc-config", fuzz_lxc_config);
}

static void lxd_record_survives_its_corpus(void **state)
{
	replay("lxd-record", fuzz_lxd_record);
}

static void mountinfo_survives_its_corpus(void **state)
{
	replay("mountinfo", fuzz_mountinfo);
}

static void nettables_survives_its_corpus(void **state)
{
	replay("nettables", fuzz_nettables);
}

static void nspawn_survives_its_corpus(void **state)
{
	replay("nspawn", fuzz_nspawn);
}

static void redirect_survives_its_corpus(void **state)
{
	replay("redirect", fuzz_redirect);
}

static void subid_survives_its_corpus(void **state)
{
	replay("subid", fuzz_subid);
}

static void passwd_survives_its_corpus(void **state)
{
	replay("passwd", fuzz_passwd);
}

static void bolt_survives_its_corpus(void **state)
{
	replay("bolt", fuzz_bolt);
}

static void toml_survives_its_corpus(void **state)
{
	replay("toml", fuzz_toml);
}

static void storage_conf_survives_its_corpus(void **state)
{
	replay("storage-conf", fuzz_storage_conf);
}

static void podman_config_survives_its_corpus(void **state)
{
	replay("podman-config", fuzz_podman_config);
}

static void podman_state_survives_its_corpus(void **state)
{
	replay("podman-state", fuzz_podman_state);
}

static void runtime_survives_its_corpus(void **state)
{
	replay("runtime", fuzz_runtime);
}

static void sqlite_survives_its_corpus(void **state)
{
	replay("sqlite", fuzz_sqlite);
}

static void start_survives_its_corpus(void **state)
{
	replay("start", fuzz_start);
}

static void stat_survives_its_corpus(void **state)
{
	replay("stat", fuzz_stat);
}

static void ctop_recording_survives_its_corpus(void **state)
{
	replay("ctop-recording", fuzz_ctop_recording);
}

static void stats_survive_their_corpus(void **state)
{
	replay("stats", fuzz_stats);
}

static void status_survives_its_corpus(void **state)
{
	replay("status", fuzz_status);
}

static void apptainer_survives_its_corpus(void **state)
{
	replay("apptainer", fuzz_apptainer);
}

static void gvisor_survives_its_corpus(void **state)
{
	replay("gvisor", fuzz_gvisor);
}

static void oci_spec_survives_its_corpus(void **state)
{
	replay("oci-spec", fuzz_oci_spec);
}

static void oci_image_survives_its_corpus(void **state)
{
	replay("oci-image", fuzz_oci_image);
}

static void containerd_image_survives_its_corpus(void **state)
{
	replay("containerd-image", fuzz_containerd_image);
}

static void storage_image_survives_its_corpus(void **state)
{
	replay("storage-image", fuzz_storage_image);
}

static void youki_survives_its_corpus(void **state)
{
	replay("youki", fuzz_youki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containerd_values_survive_their_corpus),
		cmocka_unit_test(cri_survives_its_corpus),
		cmocka_unit_test(ccp_tar_survives_its_corpus),
		cmocka_unit_test(cgroup_survives_its_corpus),
		cmocka_unit_test(crio_state_survives_its_corpus),
		cmocka_unit_test(openvz_conf_survives_its_corpus),
		cmocka_unit_test(rkt_pod_survives_its_corpus),
		cmocka_unit_test(docker_config_survives_its_corpus),
		cmocka_unit_test(docker_layers_survive_their_corpus),
		cmocka_unit_test(group_survives_its_corpus),
		cmocka_unit_test(idmap_survives_its_corpus),
		cmocka_unit_test(lxc_config_survives_its_corpus),
		cmocka_unit_test(lxd_record_survives_its_corpus),
		cmocka_unit_test(mountinfo_survives_its_corpus),
		cmocka_unit_test(nettables_survives_its_corpus),
		cmocka_unit_test(nspawn_survives_its_corpus),
		cmocka_unit_test(passwd_survives_its_corpus),
		cmocka_unit_test(redirect_survives_its_corpus),
		cmocka_unit_test(subid_survives_its_corpus),
		cmocka_unit_test(toml_survives_its_corpus),
		cmocka_unit_test(bolt_survives_its_corpus),
		cmocka_unit_test(storage_conf_survives_its_corpus),
		cmocka_unit_test(podman_config_survives_its_corpus),
		cmocka_unit_test(podman_state_survives_its_corpus),
		cmocka_unit_test(runtime_survives_its_corpus),
		cmocka_unit_test(sqlite_survives_its_corpus),
		cmocka_unit_test(start_survives_its_corpus),
		cmocka_unit_test(stat_survives_its_corpus),
		cmocka_unit_test(ctop_recording_survives_its_corpus),
		cmocka_unit_test(stats_survive_their_corpus),
		cmocka_unit_test(status_survives_its_corpus),
		cmocka_unit_test(apptainer_survives_its_corpus),
		cmocka_unit_test(gvisor_survives_its_corpus),
		cmocka_unit_test(oci_spec_survives_its_corpus),
		cmocka_unit_test(oci_image_survives_its_corpus),
		cmocka_unit_test(containerd_image_survives_its_corpus),
		cmocka_unit_test(storage_image_survives_its_corpus),
		cmocka_unit_test(youki_survives_its_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
