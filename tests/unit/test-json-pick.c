/* json_pick(): the members that are asked for and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "libinspect/base/json.h"
#include "libinspect/base/util.h"

static const char *const keys[] = { "A", "B.x", "B.y", "Cc", NULL };

static void only_the_members_that_are_asked_for_are_left(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "{}", "{}" },
		{ " { } \n", "{}" },
		{ "{\"A\":1}", "{\"A\":1}" },
		{ "{\"Z\":1}", "{}" },
		{ "{\"Z\":[{\"A\":2},\"]}\\\"\"],\"A\":[1, 2],\"Q\":null}", "{\"A\":[1, 2]}" },
		{ "{ \"A\" : \"q\\\\\" , \"Cc\" : true }", "{\"A\":\"q\\\\\",\"Cc\":true}" },
		{ "{\"B\":{\"x\":{\"y\":1},\"z\":2,\"y\":3}}",
		  "{\"B\":{\"x\":{\"y\":1},\"y\":3}}" },
		{ "{\"B\":{\"z\":1},\"C\":1,\"Ccc\":1}", "{\"B\":{}}" },
		{ "{\"B\":7,\"x\":1}", "{\"B\":7}" },
		{ "{\"B\":{\"z\":{\"x\":1}}}", "{\"B\":{}}" },
		{ "{\"A\":1,\"A\":2}", "{\"A\":1,\"A\":2}" },
		{ "{\"\":1,\"A\":2}", "{\"A\":2}" },
	};
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(json_pick(cases[i].in, strlen(cases[i].in), keys, &sb), 0);
		assert_string_equal(sb.buf, cases[i].out);
	}
	strbuf_free(&sb);
}

static void what_is_no_object_or_not_whole_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"7",
		"{",
		"{\"A\"}",
		"{\"A\":}",
		"{\"A\":1",
		"{\"A\":1,}",
		"{\"A\":1}}",
		"{\"A\":\"x}",
		"{\"Z\":[1}",
		"{\"Z\":{\"q\":1}",
		"{A:1}",
		"{\"A\":1 2}",
		"{\"B\":{\"x\":1}",
		"{\"A\":\"\\\"}",
	};
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		/* a block of its own, so that a sanitizer sees a read behind it */
		size_t len = strlen(bad[i]);
		char *copy = malloc(len + (len == 0));

		memcpy(copy, bad[i], len);
		assert_int_equal(json_pick(copy, len, keys, &sb), -EBADMSG);
		free(copy);
	}
	strbuf_free(&sb);
}

static void a_key_of_any_length_is_passed_over(void **state)
{
	struct strbuf in = { 0 }, out = { 0 };

	strbuf_puts(&in, "{\"B\":{\"");
	for (int i = 0; i < 300; i++)
		strbuf_puts(&in, "k");
	strbuf_puts(&in, "\":1,\"x\":2}}");
	assert_int_equal(json_pick(in.buf, in.len, keys, &out), 0);
	assert_string_equal(out.buf, "{\"B\":{\"x\":2}}");
	strbuf_free(&in);
	strbuf_free(&out);
}

static void a_key_with_a_nul_is_none_of_ours(void **state)
{
	static const char text[] = "{\"A\0bcdefghijklmnopqrstuvwxyz\":1,\"B\":{\"x\0\":2}}";
	struct strbuf out = { 0 };

	assert_int_equal(json_pick(text, sizeof(text) - 1, keys, &out), 0);
	assert_string_equal(out.buf, "{\"B\":{}}");
	strbuf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_members_that_are_asked_for_are_left),
		cmocka_unit_test(what_is_no_object_or_not_whole_is_refused),
		cmocka_unit_test(a_key_with_a_nul_is_none_of_ours),
		cmocka_unit_test(a_key_of_any_length_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
