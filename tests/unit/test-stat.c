/* /proc/PID/stat and status. */
#include "tests/unit/torture.h"

#include "libinspect/kernel/pid.h"

#include <sys/prctl.h>

#define INIT                                                                                    \
	"1 (systemd) S 0 1 1 0 -1 4194560 1 2 3 4 100 200 5 6 20 0 7 0 12 170000000 3000 18446" \
	"744073709551615 1 1 0 0 0 0\n"

static int parse(const char *s, struct pid_stat *st)
{
	return pid_parse_stat(s, strlen(s), st);
}

static void stat_gives_the_fields(void **state)
{
	struct pid_stat st;

	assert_int_equal(parse(INIT, &st), 0);
	assert_int_equal(st.pid, 1);
	assert_int_equal(st.ppid, 0);
	assert_string_equal(st.comm, "systemd");
	assert_int_equal(st.state, 'S');
	assert_int_equal(st.flags, 4194560);
	assert_int_equal(st.utime, 100);
	assert_int_equal(st.stime, 200);
	assert_int_equal(st.threads, 7);
	assert_int_equal(st.start, 12);
	assert_int_equal(st.rss_pages, 3000);
}

static void a_comm_cannot_forge_fields(void **state)
{
	struct pid_stat st;

	assert_int_equal(parse("7 (x) R 1 2 (y) S 3 4 5 0 -1 6 1 2 3 4 8 9 5 6 20 0 1 0 99 1 2 3\n",
			       &st),
			 0);
	assert_string_equal(st.comm, "x) R 1 2 (y");
	assert_int_equal(st.state, 'S');
	assert_int_equal(st.ppid, 3);
	assert_int_equal(st.start, 99);
}

static void bytes_of_comm_stay_as_they_are(void **state)
{
	struct pid_stat st;

	assert_int_equal(
		parse("7 (a\nb\\n\\) Z 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n", &st), 0);
	assert_string_equal(st.comm, "a\nb\\n\\");
}

static void a_long_comm_is_cut(void **state)
{
	struct pid_stat st;
	char line[400], comm[200];

	memset(comm, 'k', sizeof(comm) - 1);
	comm[sizeof(comm) - 1] = '\0';
	snprintf(line, sizeof(line), "7 (%s) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n",
		 comm);
	assert_int_equal(parse(line, &st), 0);
	assert_int_equal(strlen(st.comm), sizeof(st.comm) - 1);
}

static void a_cut_stat_is_refused(void **state)
{
	struct pid_stat st;
	const char *rss = strstr(INIT, " 3000");

	for (size_t n = 0; n <= (size_t)(rss - INIT); n++)
		assert_int_equal(pid_parse_stat(INIT, n, &st), -EBADMSG);
	assert_int_equal(parse("1 (a) S 0 1 1 0 -1 99999999999 1 2 3 4 1 2 5 6 20 0 7 0 12 1 1\n",
			       &st),
			 -EBADMSG);
}

static void try_stat(const char *buf, size_t len)
{
	struct pid_stat st;

	if (pid_parse_stat(buf, len, &st) == 0)
		assert_true(strnlen(st.comm, sizeof(st.comm)) < sizeof(st.comm));
}

static void stat_survives_damage(void **state)
{
	torture_str(INIT, try_stat);
	torture_str("7 (x) R 1 (y\\n) S 3 4 5 0 -1 6 1 2 3 4 8 9 5 6 20 0 1 0 99 1 2\n", try_stat);
}

/* The kernel's own text: a process that calls itself so. */
static void a_hostile_comm_of_a_real_process_is_read(void **state)
{
	struct insp_sys *sys;
	struct pid_stat st;
	char old[17] = "";

	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	prctl(PR_GET_NAME, old);
	prctl(PR_SET_NAME, ") R 1\n\\n(\x1b[2J");
	assert_int_equal(pid_read_stat(sys->procfd, getpid(), &st), 0);
	prctl(PR_SET_NAME, old);
	assert_string_equal(st.comm, ") R 1\n\\n(\x1b[2J");
	assert_int_equal(st.pid, getpid());
	assert_int_equal(st.ppid, getppid());
	assert_int_equal(st.state, 'R');
	insp_sys_close(sys);
}

#define STATUS                                                                                       \
	"Name:\tx\\nUid:\t1\n"                                                                       \
	"Tgid:\t4242\nUid:\t10\t1000\t0\t0\nGid:\t5\t6\t7\t8\nGroups:\t4 24 27 \nNStgid:\t4242\t1\n" \
	"NSpid:\t4242\t17\t1\nCapInh:\t0000000000000001\nCapPrm:\t000001ffffffffff\n"                \
	"CapEff:\t00000000a80425fb\nCapBnd:\t0000000000000003\nCapAmb:\t0000000000000004\n"          \
	"NoNewPrivs:\t1\nSeccomp:\t2\n"

static void status_gives_the_fields(void **state)
{
	struct pid_status st;

	assert_int_equal(pid_parse_status(STATUS, strlen(STATUS), &st), 0);
	assert_int_equal(st.tgid, 4242);
	assert_int_equal(st.ruid, 10);
	assert_int_equal(st.euid, 1000);
	assert_int_equal(st.rgid, 5);
	assert_int_equal(st.egid, 6);
	assert_int_equal(st.n_groups, 3);
	assert_int_equal(st.groups[2], 27);
	assert_int_equal(st.n_ns_pids, 3);
	assert_int_equal(st.ns_pids[2], 1);
	assert_true(st.cap_inh == 1 && st.cap_prm == 0x1ffffffffff && st.cap_eff == 0xa80425fb);
	assert_true(st.cap_bnd == 3 && st.cap_amb == 4);
	assert_true(st.no_new_privs);
	assert_int_equal(st.seccomp, 2);
}

static void status_without_ids_is_refused(void **state)
{
	struct pid_status st;

	assert_int_equal(pid_parse_status("Name:\tx\n", 8, &st), -EBADMSG);
	assert_int_equal(pid_parse_status("Uid:\t1\t2\nGid:\t1\n", 16, &st), -EBADMSG);
	assert_int_equal(pid_parse_status("Uid:\t1\t2\nGid:\t1\t3\n", 18, &st), 0);
	assert_int_equal(st.seccomp, -1);
}

static void many_groups_and_levels_are_cut(void **state)
{
	char text[2048] = "Uid:\t0\t0\nGid:\t0\t0\nGroups:\t";
	struct pid_status st;
	size_t n = strlen(text);

	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d ", i);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "\nNSpid:");
	for (int i = 1; i <= 40; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\t%d", i);
	assert_int_equal(pid_parse_status(text, n, &st), 0);
	assert_int_equal(st.n_groups, 64);
	assert_int_equal(st.n_ns_pids, 33);
}

static void try_status(const char *buf, size_t len)
{
	struct pid_status st;

	if (pid_parse_status(buf, len, &st) == 0)
		assert_true(st.n_groups <= 64 && st.n_ns_pids <= 33);
}

static void status_survives_damage(void **state)
{
	torture_str(STATUS, try_status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_gives_the_fields),
		cmocka_unit_test(a_comm_cannot_forge_fields),
		cmocka_unit_test(bytes_of_comm_stay_as_they_are),
		cmocka_unit_test(a_long_comm_is_cut),
		cmocka_unit_test(a_cut_stat_is_refused),
		cmocka_unit_test(stat_survives_damage),
		cmocka_unit_test(a_hostile_comm_of_a_real_process_is_read),
		cmocka_unit_test(status_gives_the_fields),
		cmocka_unit_test(status_without_ids_is_refused),
		cmocka_unit_test(many_groups_and_levels_are_cut),
		cmocka_unit_test(status_survives_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
