/* Samples: fixture cgroup trees, rates, sums over processes; and what ctop makes of them. */
#include "tests/unit/scratch.h"
#include "tests/unit/torture.h"

#include "libinspect/base/io.h"
#include "libinspect/stats/watch.h"

#include <sys/stat.h>

#define HAS(sample, stat)     assert_true(insp_sample_has(&(sample), stat))
#define HAS_NOT(sample, stat) assert_false(insp_sample_has(&(sample), stat))
#define IS(sample, stat, number)                                  \
	do {                                                      \
		HAS(sample, stat);                                \
		assert_int_equal((sample).value[stat], (number)); \
	} while (0)

struct tree {
	char path[SCRATCH_PATH];
	int fd;
	char names[16][64];
	size_t n;
};

static void tree_make(struct tree *t)
{
	scratch_dir(t->path);
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	t->n = 0;
	assert_true(t->fd >= 0);
}

static void put(struct tree *t, const char *name, const char *text)
{
	int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool known = false;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	for (size_t i = 0; i < t->n; i++)
		known = known || strcmp(t->names[i], name) == 0;
	if (!known)
		snprintf(t->names[t->n++], sizeof(t->names[0]), "%s", name);
}

static void tree_remove(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		(void)unlinkat(t->fd, t->names[i], 0);
	close(t->fd);
	assert_int_equal(rmdir(t->path), 0);
}

static void put_v2(struct tree *t)
{
	put(t, "cpu.stat", "usage_usec 2000\nuser_usec 1\nnr_periods 10\nnr_throttled 4\n");
	put(t, "cpu.max", "150000 100000\n");
	put(t, "memory.current", "1000000\n");
	put(t, "memory.stat", "anon 500000\nfile 400000\nshmem 4096\ninactive_file 300000\n");
	put(t, "memory.max", "max\n");
	put(t, "memory.events", "low 0\noom 1\noom_kill 2\noom_group_kill 0\n");
	put(t, "memory.swap.current", "4096\n");
	put(t, "io.stat",
	    "8:0 rbytes=10 wbytes=20 rios=1 wios=2\n8:16 rbytes=5 wbytes=5 rios=1 wios=1\n");
	put(t, "pids.current", "7\n");
	put(t, "pids.max", "100\n");
	put(t, "memory.pressure",
	    "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\nfull avg10=0\n");
}

static void v2_is_read(void **state)
{
	struct insp_sample s = { 0 };
	struct cgfiles files = { 0 };
	struct tree t;

	tree_make(&t);
	put_v2(&t);
	assert_int_equal(cgfiles_add(&files, t.fd, NULL, INSP_STAT_ALL), 0);
	assert_int_equal(cgfiles_read(&files, true, &s), 0);
	IS(s, INSP_STAT_CPU, 2000000);
	IS(s, INSP_STAT_PERIODS, 10);
	IS(s, INSP_STAT_THROTTLED, 4);
	IS(s, INSP_STAT_CPU_LIMIT, 1500);
	IS(s, INSP_STAT_MEM, 700000);
	HAS(s, INSP_STAT_MEM_LIMIT);
	assert_true(s.value[INSP_STAT_MEM_LIMIT] == INSP_STAT_NO_LIMIT);
	IS(s, INSP_STAT_ANON, 500000);
	IS(s, INSP_STAT_FILE, 400000);
	IS(s, INSP_STAT_SHMEM, 4096);
	IS(s, INSP_STAT_SWAP, 4096);
	IS(s, INSP_STAT_OOM_KILLS, 2);
	IS(s, INSP_STAT_IO_READ, 15);
	IS(s, INSP_STAT_IO_WRITE, 25);
	IS(s, INSP_STAT_IO_READS, 2);
	IS(s, INSP_STAT_IO_WRITES, 3);
	IS(s, INSP_STAT_PIDS, 7);
	IS(s, INSP_STAT_PIDS_LIMIT, 100);
	IS(s, INSP_STAT_PSI_MEM, 12);
	HAS_NOT(s, INSP_STAT_PSI_CPU);
	HAS_NOT(s, INSP_STAT_FDS);
	cgfiles_clear(&files);
	tree_remove(&t);
}

static void a_kept_file_is_read_again(void **state)
{
	struct insp_sample s = { 0 }, again = { 0 };
	struct cgfiles files = { 0 };
	struct tree t;

	tree_make(&t);
	put(&t, "pids.current", "7\n");
	put(&t, "pids.max", "9\n");
	assert_int_equal(cgfiles_add(&files, t.fd, NULL, INSP_STAT_ALL), 0);
	assert_int_equal(cgfiles_read(&files, true, &s), 0);
	put(&t, "pids.current", "123\n");
	put(&t, "pids.max", "200\n");
	assert_int_equal(cgfiles_read(&files, false, &again), 0);
	IS(again, INSP_STAT_PIDS, 123);
	HAS_NOT(again, INSP_STAT_PIDS_LIMIT); /* only a slow reading has limits */
	cgfiles_clear(&files);
	tree_remove(&t);
}

static void only_what_is_wanted_is_opened(void **state)
{
	struct cgfiles files = { 0 };
	struct tree t;

	tree_make(&t);
	put_v2(&t);
	assert_int_equal(cgfiles_add(&files, t.fd, NULL, INSP_STAT_BIT(INSP_STAT_PIDS)), 0);
	assert_int_equal(files.n, 1);
	assert_string_equal(files.items[0].what->name, "pids.current");
	cgfiles_clear(&files);
	tree_remove(&t);
}

static void v1_is_read_and_goes_before_v2(void **state)
{
	struct insp_sample s = { 0 };
	struct cgfiles files = { 0 };
	struct tree v1, v2;

	tree_make(&v1);
	tree_make(&v2);
	put_v2(&v2);
	put(&v1, "cpuacct.usage", "12345\n");
	put(&v1, "cpu.stat", "nr_periods 3\nnr_throttled 1\nthrottled_time 9\n");
	put(&v1, "cpu.cfs_quota_us", "50000\n");
	put(&v1, "cpu.cfs_period_us", "100000\n");
	put(&v1, "memory.usage_in_bytes", "900\n");
	put(&v1, "memory.stat",
	    "cache 1\nrss 2\nhierarchical_memory_limit 9223372036854771712\n"
	    "total_cache 300\ntotal_rss 500\ntotal_shmem 0\ntotal_inactive_file 200\n");
	put(&v1, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
	put(&v1, "blkio.throttle.io_service_bytes_recursive",
	    "8:0 Read 100\n8:0 Write 50\n8:0 Sync 150\n8:0 Total 150\n8:16 Read 1\nTotal 151\n");
	assert_int_equal(cgfiles_add(&files, v1.fd, "cpu,cpuacct", INSP_STAT_ALL), 0);
	assert_int_equal(cgfiles_add(&files, v1.fd, "memory", INSP_STAT_ALL), 0);
	assert_int_equal(cgfiles_add(&files, v1.fd, "blkio", INSP_STAT_ALL), 0);
	assert_int_equal(cgfiles_add(&files, v2.fd, NULL, INSP_STAT_ALL), 0);
	assert_int_equal(cgfiles_read(&files, true, &s), 0);
	IS(s, INSP_STAT_CPU, 12345);
	IS(s, INSP_STAT_THROTTLED, 1);
	IS(s, INSP_STAT_CPU_LIMIT, 500);
	IS(s, INSP_STAT_MEM, 700);
	IS(s, INSP_STAT_ANON, 500);
	assert_true(s.value[INSP_STAT_MEM_LIMIT] == INSP_STAT_NO_LIMIT);
	IS(s, INSP_STAT_OOM_KILLS, 5);
	IS(s, INSP_STAT_IO_READ, 101);
	IS(s, INSP_STAT_IO_WRITE, 50);
	IS(s, INSP_STAT_PIDS, 7);     /* only v2 has it here */
	IS(s, INSP_STAT_PSI_MEM, 12); /* hybrid: v1 has none */
	cgfiles_clear(&files);
	tree_remove(&v1);
	tree_remove(&v2);
}

static void without_controllers_nothing_is_guessed(void **state)
{
	struct insp_sample s = { 0 };
	struct cgfiles files = { 0 };
	struct tree t;

	tree_make(&t);
	put(&t, "cpu.stat", "usage_usec 5\nuser_usec 5\nsystem_usec 0\n");
	put(&t, "memory.stat", "");
	put(&t, "pids.current", "x\n");
	put(&t, "cpu.max", "150000\n");
	assert_int_equal(cgfiles_add(&files, t.fd, NULL, INSP_STAT_ALL), 0);
	assert_int_equal(cgfiles_read(&files, true, &s), 0);
	assert_int_equal(s.known, INSP_STAT_BIT(INSP_STAT_CPU));
	cgfiles_clear(&files);
	tree_remove(&t);
}

static void no_limit_of_v1_is_none(void **state)
{
	struct insp_sample s = { 0 };
	struct cgfiles files = { 0 };
	struct tree t;

	tree_make(&t);
	put(&t, "cpu.cfs_quota_us", "-1\n");
	put(&t, "cpu.cfs_period_us", "100000\n");
	assert_int_equal(cgfiles_add(&files, t.fd, "cpu", INSP_STAT_ALL), 0);
	assert_int_equal(cgfiles_read(&files, true, &s), 0);
	HAS(s, INSP_STAT_CPU_LIMIT);
	assert_true(s.value[INSP_STAT_CPU_LIMIT] == INSP_STAT_NO_LIMIT);
	cgfiles_clear(&files);
	tree_remove(&t);
}

/* ---- rates ---- */

static struct insp_sample at(int64_t seconds, enum insp_stat stat, uint64_t value)
{
	struct insp_sample s = { .at = seconds * 1000000000, .known = INSP_STAT_BIT(stat) };

	s.value[stat] = value;
	return s;
}

static void a_rate_is_by_the_second(void **state)
{
	struct insp_sample a = at(10, INSP_STAT_NET_RX, 1000), b = at(14, INSP_STAT_NET_RX, 5000);
	double rate = 0;

	assert_true(insp_sample_rate(&a, &b, INSP_STAT_NET_RX, &rate));
	assert_int_equal((int)rate, 1000);
}

static void a_counter_that_went_backwards_has_no_rate(void **state)
{
	struct insp_sample a = at(10, INSP_STAT_CPU, 1000), b = at(14, INSP_STAT_CPU, 999);
	double rate = 7;

	assert_false(insp_sample_rate(&a, &b, INSP_STAT_CPU, &rate));
	assert_false(insp_sample_rate(&b, &a, INSP_STAT_CPU, &rate)); /* nor one back in time */
	assert_false(insp_sample_rate(&a, &a, INSP_STAT_CPU, &rate));
	b.known = 0;
	b.value[INSP_STAT_CPU] = 2000;
	assert_false(insp_sample_rate(&a, &b, INSP_STAT_CPU, &rate));
	assert_true(rate == 7);
}

/* ---- processes ---- */

static void a_sum_does_not_fall_when_a_process_ends(void **state)
{
	struct insp_sys *sys = NULL;
	struct procsum sum = { 0 };
	struct insp_sample s = { 0 };
	uint32_t cpu = INSP_STAT_BIT(INSP_STAT_CPU) | INSP_STAT_BIT(INSP_STAT_PIDS);
	pid_t us = getpid();

	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(procsum_set(&sum, &us, 1), 0);
	procsum_read(sys, &sum, cpu, &s);
	IS(s, INSP_STAT_PIDS, 1);
	sum.cpu += 100;
	assert_int_equal(procsum_set(&sum, NULL, 0), 0);
	procsum_read(sys, &sum, cpu, &s);
	IS(s, INSP_STAT_PIDS, 0);
	assert_true(s.value[INSP_STAT_CPU] >= 100 * 10000000UL);
	procsum_clear(&sum);
	insp_sys_close(sys);
}

static void a_pid_that_is_anothers_now_is_not_added(void **state)
{
	struct insp_sys *sys = NULL;
	struct procsum sum = { 0 };
	struct insp_sample s = { 0 };
	uint32_t pids = INSP_STAT_BIT(INSP_STAT_PIDS);
	pid_t us = getpid();

	assert_int_equal(insp_sys_open(NULL, &sys, NULL), 0);
	assert_int_equal(procsum_set(&sum, &us, 1), 0);
	sum.items[0].start = 1; /* started with the kernel */
	procsum_read(sys, &sum, pids, &s);
	IS(s, INSP_STAT_PIDS, 0);
	procsum_clear(&sum);
	insp_sys_close(sys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v2_is_read),
		cmocka_unit_test(a_kept_file_is_read_again),
		cmocka_unit_test(only_what_is_wanted_is_opened),
		cmocka_unit_test(v1_is_read_and_goes_before_v2),
		cmocka_unit_test(without_controllers_nothing_is_guessed),
		cmocka_unit_test(no_limit_of_v1_is_none),
		cmocka_unit_test(a_rate_is_by_the_second),
		cmocka_unit_test(a_counter_that_went_backwards_has_no_rate),
		cmocka_unit_test(a_sum_does_not_fall_when_a_process_ends),
		cmocka_unit_test(a_pid_that_is_anothers_now_is_not_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
