/* config.json of the OCI runtime specification: what of it makes a container's fields. */
#include "torture.h"

#include "libinspect/engines/oci/spec.h"

static const char config[] =
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"sh\",\"-c\",\"sleep 1\"]},\"hostname\":\"hh\","
	"\"mounts\":["
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\"]},"
	"{\"destination\":\"/dev/shm/\",\"type\":\"bind\",\"source\":\"/run/shm1\",\"options\":[\"bind\"]},"
	"{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/s/hosts\"},"
	"{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"/srv/d\",\"options\":[\"rbind\",\"ro\"]},"
	"{\"destination\":\"/opt\",\"type\":\"none\",\"source\":\"/srv/o\",\"options\":[\"rbind\",\"rw\"]},"
	"{\"destination\":\"/rel\",\"type\":\"bind\",\"source\":\"in-bundle\"},"
	"{\"destination\":\"/dev/snd\",\"type\":\"bind\",\"source\":\"/dev/snd\"},"
	"{\"destination\":\"/cache\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}"
	"]}";

static struct insp_container *fill(const char *text, size_t len, unsigned want)
{
	struct insp_container *c = container_new("test", "x");
	_cleanup_json_ json_t *spec = NULL;

	assert_non_null(c);
	if (json_parse(text, len, &spec, NULL) == 0)
		assert_int_equal(oci_spec_fill(spec, want, c), 0);
	return c;
}

static void is_mount(const struct insp_mount *m, const char *type, const char *source,
		     const char *destination)
{
	assert_string_equal(m->type, type);
	assert_string_equal(m->destination, destination);
	assert_null(m->name);
	if (source)
		assert_string_equal(m->source, source);
	else
		assert_null(m->source);
}

static void mounts_that_somebody_chose_are_kept(void **state)
{
	_cleanup_container_ struct insp_container *c =
		fill(config, strlen(config), INSP_WANT_FILES);

	assert_int_equal(c->n_mounts, 5);
	is_mount(&c->mounts[0], "bind", "/srv/d", "/data");
	assert_true(c->mounts[0].read_only);
	is_mount(&c->mounts[1], "bind", "/srv/o", "/opt");
	assert_false(c->mounts[1].read_only);
	is_mount(&c->mounts[2], "bind", NULL, "/rel");
	is_mount(&c->mounts[3], "bind", "/dev/snd", "/dev/snd");
	is_mount(&c->mounts[4], "tmpfs", NULL, "/cache");
	assert_null(c->command);
}

static void details_fill_what_is_unset(void **state)
{
	_cleanup_container_ struct insp_container *c =
		fill(config, strlen(config), INSP_WANT_DETAIL);
	_cleanup_json_ json_t *other = NULL;

	assert_string_equal(c->command, "sh -c sleep 1");
	assert_string_equal(c->hostname, "hh");
	assert_int_equal(c->n_mounts, 0);
	assert_int_equal(json_parse("{\"hostname\":\"no\"}", 17, &other, NULL), 0);
	assert_int_equal(oci_spec_fill(other, INSP_WANT_DETAIL, c), 0);
	assert_string_equal(c->hostname, "hh");
}

static void other_types_than_expected_are_unknown(void **state)
{
	static const char *const odd[] = {
		"[]",
		"7",
		"{\"mounts\":{},\"process\":[],\"hostname\":7}",
		"{\"mounts\":[1,null,[],{},\"x\"],\"process\":{\"args\":{}}}",
		("{\"mounts\":[{\"destination\":\"/a\"},{\"type\":\"bind\"},{\"destination\":[],\"type\":\"bind\"},"
		 "{\"destination\":\"/b\",\"type\":\"none\",\"options\":\"bind\"}]}"),
		"{\"mounts\":[{\"destination\":\"/a\",\"options\":[1,null,{}]}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		_cleanup_container_ struct insp_container *c =
			fill(odd[i], strlen(odd[i]), INSP_WANT_FILES | INSP_WANT_DETAIL);

		assert_int_equal(c->n_mounts, 0);
		assert_null(c->hostname);
	}
}

static void the_runtimes_own_run_is_left_out_and_anybodys_kept(void **state)
{
	static const char own[] =
		"{\"mounts\":[{\"destination\":\"/run\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
		"\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]}]}";
	static const char chosen[] =
		"{\"mounts\":[{\"destination\":\"/run\",\"type\":\"tmpfs\",\"options\":[\"mode=755\"]}]}";
	_cleanup_container_ struct insp_container *c = fill(own, strlen(own), INSP_WANT_FILES);
	_cleanup_container_ struct insp_container *d =
		fill(chosen, strlen(chosen), INSP_WANT_FILES);

	assert_int_equal(c->n_mounts, 0);
	assert_int_equal(d->n_mounts, 1);
}

static void try_config(const char *buf, size_t len)
{
	insp_container_free(fill(buf, len, INSP_WANT_FILES | INSP_WANT_DETAIL));
}

static void damage_anywhere_is_survived(void **state)
{
	torture_str(config, try_config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_that_somebody_chose_are_kept),
		cmocka_unit_test(details_fill_what_is_unset),
		cmocka_unit_test(other_types_than_expected_are_unknown),
		cmocka_unit_test(the_runtimes_own_run_is_left_out_and_anybodys_kept),
		cmocka_unit_test(damage_anywhere_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
