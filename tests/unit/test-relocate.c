/* The built-in paths of a program, made to lead into the toolbox: no byte more or less. */
#include "sidecar/relocate.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void gives(const char *before, const char *after)
{
	uint8_t data[256];
	size_t len = strlen(before);

	assert_int_equal(len, strlen(after));
	memcpy(data, before, len);
	relocate_paths(data, len);
	assert_memory_equal(data, after, len);
}

static void test_every_row_is_as_long_as_what_it_replaces(void **state)
{
	for (size_t i = 0; i < view_n_paths; i++)
		assert_int_equal(strlen(view_paths[i].built_in), strlen(view_paths[i].here));
}

static void test_paths_are_rewritten(void **state)
{
	gives("/usr/share/terminfo", "/.u//share/terminfo");
	gives("/etc/ld.so.preload", "/.e//ld.so.preload");
	gives("/lib/x86_64-linux-gnu/", "/.l//x86_64-linux-gnu/");
	gives("/lib64/ld-linux-x86-64.so.2", "/.l64//ld-linux-x86-64.so.2");
	gives("/bin/sh", "/.b//sh");
	gives("/sbin", "/.sb/");
	gives("/usr", "/.u/");
	gives("/etc/passwd", "/.e//passwd");
	gives("/etc/group", "/.e//group");
	gives("/var/run/nscd/socket", "/.sonde/nscd//socket");
	gives("/var/lib/vim/addons", "/.v//////vim/addons");
	gives("/usr/bin:/bin:/usr/sbin", "/.u//bin:/.b/:/.u//sbin");
	gives("--prefix=/usr --sysconfdir=/etc", "--prefix=/.u/ --sysconfdir=/.e/");
	gives("H\xb8/usr/sha", "H\xb8/.u//sha");
}

static void test_others_stay(void **state)
{
	static const char *const same[] = {
		"/usrlocal",	 "/etcetera/x", "/library",
		"/binary/x",	 "%s/usr/bin",	"./usr",
		"../etc/passwd", "//usr/bin",	"x/lib/y",
		"${prefix}/lib", "/proc",	"/dev/null",
		"/var/log/usr",	 "/tmp",	"/home/usr",
		"/us",		 "/",		"",
		"/etc-x/y",	 "/lib64x",	"/var/run/nscdx",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		gives(same[i], same[i]);
}

static void test_what_names_mean_stays_the_containers(void **state)
{
	gives("/etc/hosts", "/etc/hosts");
	gives("/etc/resolv.conf", "/etc/resolv.conf");
	gives("/var/lib/dpkg/status", "/var/lib/dpkg/status");
	gives("/etc/hosts.allow", "/.e//hosts.allow");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_as_long_as_what_it_replaces),
		cmocka_unit_test(test_paths_are_rewritten),
		cmocka_unit_test(test_others_stay),
		cmocka_unit_test(test_what_names_mean_stays_the_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
