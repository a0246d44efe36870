/* Names of images. */
#include "tests/unit/prereq.h"

#include "libinspect/base/util.h"
#include "libinspect/engines/oci/reference.h"

#include <string.h>

#define DIGEST "@sha256:38bec7acc815573eb7a3a337476d5c6a0e5a16b81c6a2de72b85e65730f0ff2b"
#define ID     "38bec7acc815573eb7a3a337476d5c6a0e5a16b81c6a2de72b85e65730f0ff2b"

static void a_name_is_shown_without_the_registry_that_need_not_be_said(void **state)
{
	static const char *const cases[][2] = {
		{ "docker.io/library/nginx:1", "nginx:1" },
		{ "docker.io/shop/web", "shop/web" },
		{ "index.docker.io/library/nginx", "nginx" },
		{ "library/nginx", "library/nginx" },
		{ "index.html", "index.html" },
		{ "quay.io/library/nginx", "quay.io/library/nginx" },
		{ "docker.io/", "docker.io/" },
		{ "docker.io/library/", "library/" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(oci_reference_familiar(cases[i][0]), cases[i][1]);
}

static void what_is_meant_is_the_same_repository_and_tag(void **state)
{
	static const struct {
		const char *ref, *name;
		bool means;
	} cases[] = {
		{ "nginx", "nginx:latest", true },
		{ "nginx", "docker.io/library/nginx:latest", true },
		{ "nginx:1", "docker.io/library/nginx:1", true },
		{ "docker.io/library/nginx:1", "nginx:1", true },
		{ "nginx", "nginx:1", false },
		{ "nginx:1", "nginx:10", false },
		{ "web", "shop/web:latest", false },
		{ "shop/web", "docker.io/shop/web:latest", true },
		{ "web:2", "localhost/web:2", true },
		{ "localhost/web:2", "web:2", false },
		{ "localhost/web:2", "localhost/web:2", true },
		{ "host:5000/web", "host:5000/web:latest", true },
		{ "host:5000/web", "host:5000", false },
		{ "nginx" DIGEST, "nginx" DIGEST, true },
		{ "nginx:1" DIGEST, "nginx" DIGEST, true },
		{ "nginx", "nginx" DIGEST, false },
		{ "nginx" DIGEST, "nginx:latest", false },
		{ "nginx@sha256:00", "nginx" DIGEST, false },
		{ "localhost/", "localhost/:latest", true },
		{ "nginx:", "nginx:latest", false },
		{ ":", "x", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (oci_reference_means(cases[i].ref, cases[i].name) != cases[i].means)
			print_error("%s, %s\n", cases[i].ref, cases[i].name);
		assert_int_equal(oci_reference_means(cases[i].ref, cases[i].name), cases[i].means);
	}
}

static void an_id_has_at_least_four_digits(void **state)
{
	assert_true(oci_reference_is_id(ID, ID));
	assert_true(oci_reference_is_id("sha256:" ID, ID));
	assert_true(oci_reference_is_id("38be", ID));
	assert_false(oci_reference_is_id("38b", ID));
	assert_false(oci_reference_is_id("", ID));
	assert_false(oci_reference_is_id("38bf", ID));
	assert_false(oci_reference_is_id(ID "0", ID));
}

static void the_same_name_with_another_tag_is_near(void **state)
{
	struct engine_scan scan = { .match = { .ref = "web" } };

	assert_false(oci_image_wanted(&scan, "other:1"));
	assert_string_equal(scan.near_image, "");
	assert_false(oci_image_wanted(&scan, "localhost/web:2"));
	assert_false(oci_image_wanted(&scan, "localhost/web:3"));
	assert_string_equal(scan.near_image, "localhost/web:2");
	assert_true(oci_image_wanted(&scan, "localhost/web:latest"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_shown_without_the_registry_that_need_not_be_said),
		cmocka_unit_test(what_is_meant_is_the_same_repository_and_tag),
		cmocka_unit_test(an_id_has_at_least_four_digits),
		cmocka_unit_test(the_same_name_with_another_tag_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
