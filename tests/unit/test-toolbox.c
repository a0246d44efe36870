/*
 * A toolbox out of an image's archive: which layers it names, and what of a layer becomes overlayfs's marks. Who made the archive
 * is not who runs cdebug.
 */
#include "tests/unit/layers.h"

#include "sidecar/files.c"
#include "sidecar/proc.c"
#include "sidecar/toolbox-archive.c"

#include <sys/utsname.h>

#define HEX_A		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B		 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C		 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define MANIFEST_OF(hex) "{\"manifests\":[{\"digest\":\"sha256:" hex "\"}]}"

/* What the first line of layer i is; the error's name. Good until the next call. */
static const char *layer(const struct layers *l, size_t i)
{
	static char text[256];
	json_t *oci = oci_manifest(l->fd), *docker = read_json(l->fd, "manifest.json");
	int fd = open_layer(l->fd, oci, json_object_get(json_array_get(docker, 0), "Layers"), i);
	ssize_t n = fd < 0 ? 0 : files_read_fd(fd, text, sizeof(text) - 1);

	json_decref(oci);
	json_decref(docker);
	if (fd < 0)
		return strerrorname_np(-fd);
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void layers_of_an_oci_layout_are_its_blobs_in_order(void **state)
{
	struct layers *l = *state;

	put_file(l, "oci-layout", "{}");
	put_file(l, "index.json", MANIFEST_OF(HEX_A));
	put_file(l, "blobs/sha256/" HEX_A,
		 "{\"layers\":[{\"digest\":\"sha256:" HEX_B "\"},{\"digest\":\"sha256:" HEX_C
		 "\"}]}");
	put_file(l, "blobs/sha256/" HEX_B, "low");
	put_file(l, "blobs/sha256/" HEX_C, "high");
	assert_true(is_image(l->fd));
	assert_string_equal(layer(l, 0), "low");
	assert_string_equal(layer(l, 1), "high");
	assert_string_equal(layer(l, 2), "ENOENT");
}

static void of_several_machines_the_image_for_this_one_is_taken(void **state)
{
	struct layers *l = *state;
	struct utsname u;

	uname(&u);
	NEED(!strcmp(u.machine, "x86_64") || !strcmp(u.machine, "aarch64"), "a usual machine");
	put_file(l, "index.json",
		 "{\"manifests\":[{\"digest\":\"sha256:" HEX_A
		 "\",\"platform\":{\"architecture\":\"s390x\"}},"
		 "{\"digest\":\"sha256:" HEX_B "\",\"platform\":{\"architecture\":\"amd64\"}},"
		 "{\"digest\":\"sha256:" HEX_C "\",\"platform\":{\"architecture\":\"arm64\"}}]}");
	put_file(l, "blobs/sha256/" HEX_A, "{\"layers\":[]}");
	put_file(l, "blobs/sha256/" HEX_B, "{\"layers\":[{\"digest\":\"sha256:" HEX_B "\"}]}");
	put_file(l, "blobs/sha256/" HEX_C, "{\"layers\":[{\"digest\":\"sha256:" HEX_C "\"}]}");
	assert_true(strstr(layer(l, 0), u.machine[0] == 'x' ? HEX_B : HEX_C) != NULL);
}

static void indexes_that_lead_to_one_another_end(void **state)
{
	struct layers *l = *state;
	json_t *j;

	put_file(l, "index.json", MANIFEST_OF(HEX_A));
	put_file(l, "blobs/sha256/" HEX_A, MANIFEST_OF(HEX_B));
	put_file(l, "blobs/sha256/" HEX_B, MANIFEST_OF(HEX_A));
	alarm(20);
	j = oci_manifest(l->fd);
	alarm(0);
	assert_null(json_object_get(j, "layers"));
	json_decref(j);
}

static void a_digest_is_no_path(void **state)
{
	static const char *const odd[] = {
		"\"sha256:../../../etc/shadow\"",
		"\"sha256:" HEX_A "a\"",
		"\"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
		"\"sha512:" HEX_A "\"",
		"\"sha256\"",
		"\"\"",
		"7",
		"{}",
		"null",
	};
	char path[96];

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		json_t *j = json_loads(odd[i], JSON_DECODE_ANY, NULL);

		assert_non_null(j);
		assert_false(blob_path(j, path));
		json_decref(j);
	}
	assert_false(blob_path(NULL, path));
}

static void layers_of_docker_save_stay_in_the_archive(void **state)
{
	struct layers *l = *state;

	put_file(
		l, "manifest.json",
		"[{\"Layers\":[\"a/layer.tar\",\"../../../../../../../../etc/passwd\",\"out\",\"dir\",7]}]");
	put_file(l, "a/layer.tar", "one");
	put_link(l, "out", "/etc/passwd");
	put_dir(l, "dir");
	assert_true(is_image(l->fd));
	assert_string_equal(layer(l, 0), "one");
	for (size_t i = 1; i < 5; i++)
		assert_string_equal(layer(l, i), "EBADMSG");
	assert_string_equal(layer(l, 5), "ENOENT");
}

static void other_types_than_expected_name_no_layer(void **state)
{
	static const char *const odd[] = {
		"",
		"[",
		"7",
		"[]",
		"{}",
		"[7]",
		"[{}]",
		"[{\"Layers\":7}]",
		"{\"manifests\":{}}",
		"{\"manifests\":[]}",
		"{\"manifests\":[7]}",
		"{\"manifests\":[{\"digest\":7}]}",
		"{\"manifests\":[{\"platform\":[],\"digest\":\"sha256:" HEX_A "\"}]}",
	};
	struct layers *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		put_file(l, "index.json", odd[i]);
		put_file(l, "manifest.json", odd[i]);
		assert_string_equal(layer(l, 0), "ENOENT");
	}
}

/* A file that is no image's, but named like it: what it says is too much to be read. */
static void a_huge_manifest_is_none(void **state)
{
	struct layers *l = *state;
	_cleanup_close_ int fd = -1;

	put_file(l, "manifest.json", "[{\"Layers\":[\"manifest.json\"]}]");
	assert_string_equal(layer(l, 0), "[{\"Layers\":[\"manifest.json\"]}]");
	fd = openat(l->fd, "manifest.json", O_WRONLY | O_APPEND | O_CLOEXEC);
	for (int i = 0; i < JSON_MAX / 1024; i++) {
		char blanks[1024];

		memset(blanks, ' ', sizeof(blanks));
		assert_int_equal(io_write_all(fd, blanks, sizeof(blanks)), 0);
	}
	assert_string_equal(layer(l, 0), "ENOENT");
}

/* ---- whiteouts ---- */

static bool is_whiteout(const struct layers *l, const char *path)
{
	struct stat st;

	return fstatat(l->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == 0;
}

static bool is_there(const struct layers *l, const char *path)
{
	struct stat st;

	return fstatat(l->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void marks_of_a_layer_become_overlayfs_own(void **state)
{
	struct layers *l = *state;
	_cleanup_close_ int dir = -1;
	char value[4] = "";

	NEED_ROOT();
	put_file(l, "d/.wh.gone", "");
	put_file(l, "d/.wh..wh..opq", "");
	put_file(l, "d/.wh..wh.plnk", "");
	put_file(l, "d/.wh.", "");
	put_file(l, "d/.wh.both", "");
	put_file(l, "d/both", "kept");
	put_file(l, "d/file.wh.", "kept");
	put_dir(l, "d/.wh.dir");
	put_link(l, "d/out", "..");
	assert_int_equal(convert(openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0), 0);
	assert_true(is_whiteout(l, "d/gone"));
	assert_false(is_there(l, "d/.wh.gone"));
	assert_false(is_there(l, "d/.wh..wh.plnk"));
	assert_false(is_there(l, "d/.wh."));
	assert_false(is_whiteout(l, "d/both"));
	assert_true(is_there(l, "d/file.wh."));
	assert_true(is_there(l, "d/.wh.dir"));
	dir = openat(l->fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fgetxattr(dir, "trusted.overlay.opaque", value, sizeof(value)), 1);
	assert_int_equal(value[0], 'y');
}

static void a_layer_that_is_too_deep_is_refused(void **state)
{
	struct layers *l = *state;
	char path[2 * DEPTH_MAX + 8] = "";

	for (int i = 0; i < DEPTH_MAX + 2; i++)
		memcpy(path + 2 * i, "d/", 3);
	put_dir(l, path);
	layers_raise_files();
	assert_int_equal(convert(openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0),
			 -ELOOP);
}

int main(void)
{
#define LAYERS_TEST(f) cmocka_unit_test_setup_teardown(f, layers_up, layers_down)
	const struct CMUnitTest tests[] = {
		LAYERS_TEST(layers_of_an_oci_layout_are_its_blobs_in_order),
		LAYERS_TEST(of_several_machines_the_image_for_this_one_is_taken),
		LAYERS_TEST(indexes_that_lead_to_one_another_end),
		LAYERS_TEST(a_digest_is_no_path),
		LAYERS_TEST(layers_of_docker_save_stay_in_the_archive),
		LAYERS_TEST(other_types_than_expected_name_no_layer),
		LAYERS_TEST(a_huge_manifest_is_none),
		LAYERS_TEST(marks_of_a_layer_become_overlayfs_own),
		LAYERS_TEST(a_layer_that_is_too_deep_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
