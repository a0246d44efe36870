/* Chain ids and diff ids, those of the fixture docker-20.10-overlay2. */
#include "tests/unit/prereq.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/chain.h"

#define LAYERS 3
static const char *const diff_ids[LAYERS] = {
	"sha256:00115461c5a0a1deb859b3e8656b6a3dbc104c7817d891ddc99ddc63bd2391f0",
	"sha256:8e5e3820893aa3d9940760102c624d9ddf12b6033a06ff1540ff5f43f3e9de05",
	"sha256:5083fbf3703bd94757d79dd1a3fc899f37df0a5646c7ce102c64d9b677837271",
};
static const char *const chain_ids[LAYERS] = {
	"sha256:00115461c5a0a1deb859b3e8656b6a3dbc104c7817d891ddc99ddc63bd2391f0",
	"sha256:3300fa0e4e0f69802263b52c8b510079029fc3f662153f10e3762412761cbcb5",
	"sha256:4733e4ee1d349917aa83485bfba460a54f2670cdb909a59c88673ef6cfdcaee8",
};

static void a_chain_id_is_of_all_layers_below(void **state)
{
	char chain[OCI_DIGEST_SIZE] = "";

	for (size_t i = 0; i < LAYERS; i++) {
		assert_int_equal(oci_chain_add(chain, diff_ids[i]), 0);
		assert_string_equal(chain, chain_ids[i]);
	}
	assert_int_equal(oci_chain_add(chain, "sha512:00"), -EBADMSG);
	assert_int_equal(oci_chain_add(chain, NULL), -EBADMSG);
	assert_string_equal(chain, chain_ids[LAYERS - 1]);
}

static void a_digest_is_sha256_and_64_digits(void **state)
{
	char text[OCI_DIGEST_SIZE + 2];

	snprintf(text, sizeof(text), "%s", diff_ids[0]);
	assert_true(oci_is_digest(text));
	text[OCI_DIGEST_SIZE - 1] = '0';
	text[OCI_DIGEST_SIZE] = '\0';
	assert_false(oci_is_digest(text));
	text[OCI_DIGEST_SIZE - 2] = '\0';
	assert_false(oci_is_digest(text));
	assert_false(oci_is_digest(diff_ids[0] + strlen("sha256:")));
	assert_false(oci_is_digest(NULL));
}

/* From the uppermost one down: an engine's own, and those of an image. */
static struct insp_layers *layers_of(enum insp_root_kind kind)
{
	struct insp_layers *l = container_layers_new(kind);

	assert_non_null(l);
	assert_int_equal(container_layers_add(l, "/init"), 0);
	assert_int_equal(container_layers_name(l, "web-init", NULL), 0);
	for (size_t i = LAYERS; i-- > 0;) {
		assert_int_equal(container_layers_add(l, "/layer"), 0);
		assert_int_equal(container_layers_name(l, chain_ids[i], NULL), 0);
	}
	return l;
}

/* How many layers, from the lowest one up, have the diff id that they should have; none of the others has one. */
static size_t known_with(enum insp_root_kind kind, const char *const *ids, size_t n)
{
	_cleanup_layers_ struct insp_layers *l = layers_of(kind);
	_cleanup_json_ json_t *list = json_array();
	size_t known = 0;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(ids[i]));
	assert_int_equal(oci_layers_by_chain(l, n ? list : NULL), 0);
	while (known < LAYERS && str_eq(l->ids[LAYERS - known].diff_id, diff_ids[known]))
		known++;
	for (size_t i = 0; i < l->n_lowers - known; i++)
		assert_null(l->ids[i].diff_id);
	return known;
}

static void layers_are_those_of_the_image_as_far_as_their_chain_ids_say_so(void **state)
{
	const char *const retagged[] = { diff_ids[0], diff_ids[2], diff_ids[1] };
	const char *const strange[] = { diff_ids[0], "nothing", diff_ids[2] };

	assert_int_equal(known_with(INSP_ROOT_OVERLAY, diff_ids, LAYERS), LAYERS);
	assert_int_equal(known_with(INSP_ROOT_OVERLAY, diff_ids, 2), 2);
	assert_int_equal(known_with(INSP_ROOT_OVERLAY, retagged, LAYERS), 1);
	assert_int_equal(known_with(INSP_ROOT_OVERLAY, strange, LAYERS), 1);
	assert_int_equal(known_with(INSP_ROOT_OVERLAY, diff_ids + 1, 1), 0);
	/* the lowest one's says all by itself */
	assert_int_equal(known_with(INSP_ROOT_OVERLAY, NULL, 0), 1);
	assert_int_equal(known_with(INSP_ROOT_DIR, diff_ids, LAYERS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_id_is_of_all_layers_below),
		cmocka_unit_test(a_digest_is_sha256_and_64_digits),
		cmocka_unit_test(layers_are_those_of_the_image_as_far_as_their_chain_ids_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
