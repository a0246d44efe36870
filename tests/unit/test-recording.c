/* Recordings: what is written is read, also after a crash. */
#include "tests/unit/scratch.h"

#include "libinspect/base/util.h"
#include "libinspect/stats/recfile.h"

#include <sys/stat.h>

#define SECOND INT64_C(1000000000)

static struct insp_container box(const char *id, const char *name)
{
	return (struct insp_container){ .engine = "docker",
					.id = (char *)id,
					.name = (char *)name,
					.pid = 7,
					.state = INSP_STATE_RUNNING,
					.exit_code = INSP_EXIT_UNSET,
					.restarts = INSP_COUNT_UNSET };
}

/* A moment of two containers, one of which began anew; its numbers follow from n. */
static void add(struct insp_recorder *rec, uint64_t n)
{
	struct insp_container a = box("1", "a"), b = box("2", "b\033"), gone = box("3", "c");
	struct insp_container *ended[] = { &gone };
	struct insp_fleet_item items[] = { { .c = &a }, { .c = &b, .summed = true } };
	struct insp_moment m = {
		.time = (int64_t)n * SECOND, .items = items, .n = 2, .ended = ended, .n_ended = 1
	};

	gone.exit_code = (int)n;
	m.host.load[0] = 1.25;
	m.host.mem_total = -1;
	for (size_t i = 0; i < 2; i++) {
		items[i].sample.at = (int64_t)n * SECOND;
		items[i].sample.known =
			INSP_STAT_BIT(INSP_STAT_CPU) | INSP_STAT_BIT(INSP_STAT_MEM_LIMIT);
		items[i].sample.value[INSP_STAT_CPU] = i ? 1000 - n : n * SECOND;
		items[i].sample.value[INSP_STAT_MEM_LIMIT] = n % 2 ? INSP_STAT_NO_LIMIT : 4096;
	}
	assert_int_equal(insp_recorder_add(rec, &m, NULL), 0);
}

static void record(const char *path, uint64_t from, uint64_t to, uint64_t max)
{
	struct insp_recorder *rec = NULL;
	struct insp_err err = { 0 };

	if (insp_recorder_open(path, max, &rec, &err) < 0)
		fail_msg("%s", err.text);
	for (; from < to; from++)
		add(rec, from);
	insp_recorder_close(rec);
}

/* How many moments there are, the first being of number first. */
static uint64_t replay(const char *path, uint64_t first)
{
	struct insp_replay *rep = NULL;
	struct insp_moment m;
	uint64_t n = first;

	assert_int_equal(insp_replay_open(path, &rep, NULL), 0);
	for (; insp_replay_next(rep, &m, NULL) > 0; n++) {
		assert_int_equal(m.time, (int64_t)n * SECOND);
		assert_int_equal(m.n, 2);
		assert_string_equal(m.items[0].c->name, "a");
		assert_string_equal(m.items[1].c->name, "b\033");
		assert_true(m.items[1].summed && !m.items[0].summed);
		assert_int_equal(m.items[0].sample.value[INSP_STAT_CPU], n * SECOND);
		assert_int_equal(m.items[1].sample.value[INSP_STAT_CPU], 1000 - n);
		assert_true(m.items[0].sample.value[INSP_STAT_MEM_LIMIT] ==
			    (n % 2 ? INSP_STAT_NO_LIMIT : 4096));
		assert_int_equal(m.n_ended, 1);
		assert_int_equal(m.ended[0]->exit_code, (int)n);
		assert_true(m.host.load[0] == 1.25 && m.host.mem_total == -1);
	}
	insp_replay_close(rep);
	return n - first;
}

static void what_is_recorded_is_replayed(void **state)
{
	char path[SCRATCH_PATH];

	close(scratch_file(path));
	record(path, 1, 20, 0);
	assert_int_equal(replay(path, 1), 19);
	record(path, 20, 25, 0); /* goes on behind it */
	assert_int_equal(replay(path, 1), 24);
	unlink(path);
}

static void a_torn_end_costs_the_last_sample(void **state)
{
	char path[SCRATCH_PATH];
	struct stat st;
	off_t whole, nine;

	close(scratch_file(path));
	record(path, 1, 10, 0);
	assert_int_equal(stat(path, &st), 0);
	nine = st.st_size;
	record(path, 10, 11, 0);
	assert_int_equal(stat(path, &st), 0);
	whole = st.st_size;
	for (off_t size = whole - 1; size >= nine; size--) {
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(replay(path, 1), 9);
	}
	assert_int_equal(truncate(path, nine + 5), 0);
	record(path, 10, 12, 0); /* what is torn is cut off first */
	assert_int_equal(replay(path, 1), 11);
	unlink(path);
}

static void a_damaged_byte_ends_it(void **state)
{
	char path[SCRATCH_PATH], byte;
	int fd = scratch_file(path);
	struct stat st;

	record(path, 1, 10, 0);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = REC_HEAD_LEN; at < st.st_size; at++) {
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_true(replay(path, 1) < 9);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
	unlink(path);
}

static void another_version_is_refused_and_kept(void **state)
{
	char path[SCRATCH_PATH], head[] = REC_MAGIC "\x02";
	int fd = scratch_file(path);
	struct insp_recorder *rec = NULL;
	struct insp_replay *rep = NULL;

	assert_int_equal(write(fd, head, REC_HEAD_LEN), REC_HEAD_LEN);
	assert_int_equal(insp_replay_open(path, &rep, NULL), -EPROTONOSUPPORT);
	assert_int_equal(insp_recorder_open(path, 0, &rec, NULL), -EPROTONOSUPPORT);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(insp_replay_open(path, &rep, NULL), -EBADMSG);
	assert_int_equal(insp_recorder_open(path, 0, &rec, NULL), -EBADMSG);
	assert_int_equal(lseek(fd, 0, SEEK_END), REC_HEAD_LEN);
	close(fd);
	unlink(path);
}

static void it_keeps_to_its_size(void **state)
{
	char path[SCRATCH_PATH], old[SCRATCH_PATH + 2];
	struct stat st, st_old;

	close(scratch_file(path));
	snprintf(old, sizeof(old), "%s.1", path);
	record(path, 1, 2000, 8192);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(stat(old, &st_old), 0);
	assert_true(st.st_size + st_old.st_size <= 8192 + 1024);
	assert_true(st_old.st_size > 4096);
	unlink(path);
	unlink(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_recorded_is_replayed),
		cmocka_unit_test(a_torn_end_costs_the_last_sample),
		cmocka_unit_test(a_damaged_byte_ends_it),
		cmocka_unit_test(another_version_is_refused_and_kept),
		cmocka_unit_test(it_keeps_to_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
