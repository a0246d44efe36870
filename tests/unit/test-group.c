/* Whom a container's record means, by its own passwd and group: as docker's, crun's and podman's start takes them. */
#include "tests/unit/layers.h"

#include "libinspect/creds.h"
#include "libinspect/kernel/group.h"

static const char passwd[] = "root:x:0:0::/root:/bin/sh\n"
			     "app:x:1000:1000::/home/app:\n"
			     "nohome:x:1001:5::rel:\n"
			     "nobody:x:4294967295:65534::/:\n"
			     "12x:x:12:12::/:\n";
static const char groups[] = "root:x:0:root\n"
			     "adm:x:4:syslog,app\n"
			     "application:x:6:ann\n"
			     "app:x:1000:\n"
			     "pap:x:7:pap,ap,appl\n"
			     "none:x:4294967295:app\n"
			     "less:x:8\n"
			     "last:x:9:app";

static void put_etc(const struct layers *l)
{
	put_dir(l, "etc");
	put_file(l, "etc/passwd", passwd);
	put_file(l, "etc/group", groups);
}

/* "1000:1000 groups 4,9,1000 home /home/app", or the error's name. Good until the next call. */
static const char *ids_with(const struct layers *l, const struct insp_start *start,
			    const char *user)
{
	static char text[1024];
	struct insp_enter_ids ids = { 0 };
	_cleanup_free_ char *home = NULL;
	int r = insp_start_ids(start, user, l->fd, &ids, &home, NULL), at;

	if (r < 0)
		return strerrorname_np(-r);
	assert_true(ids.set_uid && ids.set_gid && ids.set_groups);
	at = snprintf(text, sizeof(text), "%u:%u", ids.uid, ids.gid);
	for (size_t i = 0; i < ids.n_groups; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%u", i ? "," : " groups ",
			       ids.groups[i]);
	if (home)
		snprintf(text + at, sizeof(text) - (size_t)at, " home %s", home);
	return text;
}

static const char *ids_of(const struct layers *l, const char *user)
{
	struct insp_start start = { .uid = 77 };

	return ids_with(l, &start, user);
}

static void a_user_is_looked_up_with_his_groups(void **state)
{
	struct layers *l = *state;

	put_etc(l);
	assert_string_equal(ids_of(l, "app"), "1000:1000 groups 4,9,1000 home /home/app");
	assert_string_equal(ids_of(l, "1000"), "1000:1000 groups 4,9,1000 home /home/app");
	assert_string_equal(ids_of(l, "nohome"), "1001:5 groups 5");
	/* a number that nobody has is of group 0, as engines have it */
	assert_string_equal(ids_of(l, "4242"), "4242:0 groups 0");
	assert_string_equal(ids_of(l, ""), "0:0 groups 0 home /root");
}

static void with_a_group_none_but_that_one_counts(void **state)
{
	struct layers *l = *state;

	put_etc(l);
	assert_string_equal(ids_of(l, "app:adm"), "1000:4 groups 4 home /home/app");
	assert_string_equal(ids_of(l, "app:50"), "1000:50 groups 50 home /home/app");
	assert_string_equal(ids_of(l, ":adm"), "0:4 groups 4 home /root");
}

static void who_is_nobody_is_refused_not_root(void **state)
{
	struct layers *l = *state;

	put_etc(l);
	assert_string_equal(ids_of(l, "ann"), "ENOENT");
	assert_string_equal(ids_of(l, "app:wheel"), "ENOENT");
	assert_string_equal(ids_of(l, "-1"), "EINVAL");
	assert_string_equal(ids_of(l, "4294967295"), "EINVAL");
	assert_string_equal(ids_of(l, "99999999999"), "EINVAL");
	assert_string_equal(ids_of(l, "app:"), "EINVAL");
	assert_string_equal(ids_of(l, "app:+4"), "EINVAL");
	/* setresuid(-1) changes nothing, and succeeds */
	assert_string_equal(ids_of(l, "nobody"), "ENOENT");
	assert_string_equal(ids_of(l, "app:none"), "ENOENT");
}

static void the_records_numbers_and_groups_are_taken(void **state)
{
	struct layers *l = *state;
	char adm[] = "adm", five[] = "5", wheel[] = "wheel";
	char *more[] = { adm, five, adm, NULL };
	struct insp_start start = { .uid = 1000, .gid = 3, .gids = { 8, 8 }, .n_gids = 2 };

	put_etc(l);
	assert_string_equal(ids_with(l, &start, NULL), "1000:3 groups 8 home /home/app");
	start.groups = more;
	assert_string_equal(ids_with(l, &start, NULL), "1000:3 groups 8,4,5 home /home/app");
	/* of another user the record's groups are nothing */
	assert_string_equal(ids_with(l, &start, "nohome"), "1001:5 groups 5");
	more[1] = wheel;
	assert_string_equal(ids_with(l, &start, NULL), "ENOENT");
}

static void without_files_there_are_numbers_only(void **state)
{
	struct layers *l = *state;

	assert_string_equal(ids_of(l, "5:6"), "5:6 groups 6");
	assert_string_equal(ids_of(l, "app"), "ENOENT");
	assert_string_equal(ids_of(l, "5:adm"), "ENOENT");
}

static void a_group_that_is_no_file_keeps_nobody_waiting(void **state)
{
	struct layers *l = *state;

	put_etc(l);
	assert_int_equal(unlinkat(l->fd, "etc/group", 0), 0);
	assert_int_equal(mkfifoat(l->fd, "etc/group", 0644), 0);
	alarm(20);
	assert_string_equal(ids_of(l, "app"), "1000:1000 groups 1000 home /home/app");
	assert_string_equal(ids_of(l, "app:adm"), "EBADF");
	alarm(0);
}

/* More groups than are taken: no more than there is room for. */
static void of_many_groups_the_first_are_taken(void **state)
{
	struct layers *l = *state;
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	struct insp_start start = { .uid = 1 };
	struct insp_enter_ids ids = { 0 };
	_cleanup_free_ char *home = NULL;

	put_etc(l);
	for (unsigned i = 0; i < 3 * INSP_GROUPS_MAX; i++)
		strbuf_printf(&sb, "g%u:x:%u:app\n", i, 100 + i);
	assert_int_equal(unlinkat(l->fd, "etc/group", 0), 0);
	put_file(l, "etc/group", sb.buf);
	assert_int_equal(insp_start_ids(&start, "app", l->fd, &ids, &home, NULL), 0);
	assert_int_equal(ids.n_groups, INSP_GROUPS_MAX);
	assert_int_equal(ids.groups[INSP_GROUPS_MAX - 1], 100 + INSP_GROUPS_MAX - 1);
}

int main(void)
{
#define LAYERS_TEST(f) cmocka_unit_test_setup_teardown(f, layers_up, layers_down)
	const struct CMUnitTest tests[] = {
		LAYERS_TEST(a_user_is_looked_up_with_his_groups),
		LAYERS_TEST(with_a_group_none_but_that_one_counts),
		LAYERS_TEST(who_is_nobody_is_refused_not_root),
		LAYERS_TEST(the_records_numbers_and_groups_are_taken),
		LAYERS_TEST(without_files_there_are_numbers_only),
		LAYERS_TEST(a_group_that_is_no_file_keeps_nobody_waiting),
		LAYERS_TEST(of_many_groups_the_first_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
