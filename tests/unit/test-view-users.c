/* The container's users as the target view has them: nothing that a shell, a terminal or a tool obeys. */
#include "sidecar/view-users.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void gives(const char *before, bool passwd, const char *after)
{
	size_t len = 0;
	char *got = view_users(before, strlen(before), passwd, &len);

	assert_non_null(got);
	assert_int_equal(len, strlen(after));
	assert_string_equal(got, after);
	free(got);
}

/* what is there of root where the container has none: a resolver that makes one up has the container's /root */
#define MADE "root:x:0:0::/.sonde/home:/.sonde/bin/sh\n"

static void test_homes_and_shells_are_ours(void **state)
{
	gives("root:x:0:0:Root:/root:/bin/sh\napp.x_1-2:!:12:34\n", true,
	      "root:x:0:0::/.sonde/home:/.sonde/bin/sh\n"
	      "app.x_1-2:x:12:34::/.sonde/home:/.sonde/bin/sh\n");
	gives("", true, MADE);
	gives("app:x:12:34::/:/bin/sh\n", true, "app:x:12:34::/.sonde/home:/.sonde/bin/sh\n" MADE);
	gives("men:x:78:a,b\nall:x:79\n", false, "men:x:78:a,b\nall:x:79:\n");
}

static void test_what_is_obeyed_goes(void **state)
{
	static const char *const lines[] = { "$(id):x:0:0::/:/bin/sh",
					     "`id`:x:0:0::/:/bin/sh",
					     "\033]0;x\007:x:0:0::/:/sh",
					     "a b:x:0:0::/:/bin/sh",
					     "-n:x:0:0::/:/bin/sh",
					     "+:x:0:0::/:/bin/sh",
					     ":x:0:0::/:/bin/sh",
					     "a\\u:x:0:0::/:/bin/sh",
					     "a:x::0::/:/bin/sh",
					     "a:x:-1:0::/:/bin/sh",
					     "a:x:0:0x1::/:/bin/sh",
					     "a:x:12345678901:0::/:/x",
					     "a",
					     "::::::" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		gives(lines[i], true, MADE);
	gives("men:x:78:a,$(id)\n$(id):x:79:a\n", false, "men:x:78:\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_homes_and_shells_are_ours),
		cmocka_unit_test(test_what_is_obeyed_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
