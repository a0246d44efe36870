/* ctop's model: frames in, rows and events out. */
#include "tests/unit/scratch.h"

#include "libinspect/base/util.h"
#include "tui/model.h"

#define SECOND INT64_C(1000000000)

static struct insp_container box(const char *id, const char *name)
{
	return (struct insp_container){ .engine = "docker",
					.id = (char *)id,
					.name = (char *)name,
					.state = INSP_STATE_RUNNING,
					.exit_code = INSP_EXIT_UNSET,
					.restarts = INSP_COUNT_UNSET };
}

static struct insp_fleet_item item(struct insp_container *c, int64_t at, uint64_t cpu_ns)
{
	struct insp_fleet_item i = { .c = c, .sample.at = at * SECOND };

	i.sample.known = INSP_STAT_BIT(INSP_STAT_CPU);
	i.sample.value[INSP_STAT_CPU] = cpu_ns;
	return i;
}

static void take(struct model *m, int64_t at, const struct insp_fleet_item *items, size_t n)
{
	struct insp_moment f = { .time = at * SECOND, .items = items, .n = n };

	assert_int_equal(model_take(m, &f), 0);
}

static void a_row_keeps_the_sample_before(void **state)
{
	struct insp_container a = box("1", "a"), b = box("2", "b");
	struct insp_fleet_item one[] = { item(&a, 10, 0), item(&b, 10, 0) };
	struct insp_fleet_item two[] = { item(&b, 12, SECOND), item(&a, 12, 2 * SECOND) };
	struct model m = { 0 };
	double cpu = -1;

	take(&m, 10, one, 2);
	assert_false(row_cpu(m.rows[0], &cpu));
	take(&m, 12, two, 2);
	assert_int_equal(model_sort(&m, "-CPU", NULL), 0);
	assert_string_equal(m.rows[0]->c->name, "a");
	assert_true(row_cpu(m.rows[0], &cpu));
	assert_int_equal((int)cpu, 100);
	assert_true(row_cpu(m.rows[1], &cpu));
	assert_int_equal((int)cpu, 50);
	model_clear(&m);
}

static void one_that_comes_and_goes_is_an_event(void **state)
{
	struct insp_container a = box("1", "a"), b = box("2", "b"), dead = box("1", "a");
	struct insp_container *ended[] = { &dead };
	struct insp_fleet_item one[] = { item(&a, 1, 0) }, two[] = { item(&b, 2, 0) };
	struct insp_moment f = {
		.time = 2 * SECOND, .items = two, .n = 1, .ended = ended, .n_ended = 1
	};
	struct model m = { 0 };

	dead.state = INSP_STATE_EXITED;
	dead.exit_code = 137;
	take(&m, 1, one, 1);
	assert_int_equal(m.new_events, 0); /* those that were there did not start now */
	assert_int_equal(model_take(&m, &f), 0);
	assert_int_equal(m.new_events, 2);
	assert_int_equal(model_new_event(&m, 0)->kind, EVENT_STARTED);
	assert_string_equal(model_new_event(&m, 0)->name, "b");
	assert_int_equal(model_new_event(&m, 1)->kind, EVENT_EXITED);
	assert_int_equal(model_new_event(&m, 1)->number, 137);
	take(&m, 3, two, 1);
	assert_int_equal(m.new_events, 0);
	model_clear(&m);
}

static void three_starts_are_a_loop(void **state)
{
	struct model m = { 0 };
	unsigned loops = 0;
	char id[16];

	take(&m, 1, NULL, 0);
	for (int i = 0; i < 6; i++) {
		struct insp_container a = box(id, "a");
		struct insp_fleet_item one[] = { item(&a, 10 + i, 0) };

		snprintf(id, sizeof(id), "%d", i);
		take(&m, 10 + i, one, 1);
		for (uint64_t e = 0; e < m.new_events; e++)
			loops += model_new_event(&m, e)->kind == EVENT_LOOP;
		assert_int_equal(loops, i >= 2); /* said once */
		take(&m, 10 + i, NULL, 0);
	}
	model_clear(&m);
}

static void throttling_is_said_when_it_begins(void **state)
{
	struct insp_container a = box("1", "a");
	struct insp_fleet_item i = item(&a, 1, 0);
	static const unsigned throttled[] = { 0, 1, 9, 17, 17, 25 };
	unsigned said = 0;
	struct model m = { 0 };

	i.sample.known |= INSP_STAT_BIT(INSP_STAT_PERIODS) | INSP_STAT_BIT(INSP_STAT_THROTTLED);
	for (unsigned n = 0; n < ARRAY_SIZE(throttled); n++) {
		i.sample.at = (n + 1) * SECOND;
		i.sample.value[INSP_STAT_PERIODS] = n * 10;
		i.sample.value[INSP_STAT_THROTTLED] = throttled[n];
		take(&m, n + 1, &i, 1);
		said += (unsigned)m.new_events;
	}
	assert_int_equal(said, 2); /* 10 %, 80, 80, 0, 80 */
	model_clear(&m);
}

static void a_filter_hides_and_keeps_the_order(void **state)
{
	struct insp_container a = box("1", "web-b"), b = box("2", "db"), c = box("3", "WEB-a");
	struct insp_fleet_item all[] = { item(&a, 1, 0), item(&b, 1, 0), item(&c, 1, 0) };
	struct model m = { 0 };

	take(&m, 1, all, 3);
	assert_int_equal(model_filter(&m, "web"), 0);
	assert_int_equal(m.shown, 2);
	assert_string_equal(m.rows[0]->c->name, "web-b");
	assert_string_equal(m.rows[1]->c->name, "WEB-a");
	assert_int_equal(model_filter(&m, ""), 0);
	assert_int_equal(m.shown, 3);
	model_clear(&m);
}

static void what_stands_nearest_to_its_limit_is_the_trouble(void **state)
{
	struct insp_container a = box("1", "a");
	struct insp_fleet_item i = item(&a, 1, 0);
	struct model m = { 0 };
	unsigned weight = 7;
	char *text;

	take(&m, 1, &i, 1);
	assert_null(row_trouble(m.rows[0], &weight));
	assert_int_equal(weight, 0);
	i.sample.known |= INSP_STAT_BIT(INSP_STAT_MEM) | INSP_STAT_BIT(INSP_STAT_MEM_LIMIT) |
			  INSP_STAT_BIT(INSP_STAT_PIDS) | INSP_STAT_BIT(INSP_STAT_PIDS_LIMIT);
	i.sample.value[INSP_STAT_MEM] = 92;
	i.sample.value[INSP_STAT_MEM_LIMIT] = 100;
	i.sample.value[INSP_STAT_PIDS] = 97;
	i.sample.value[INSP_STAT_PIDS_LIMIT] = 100;
	take(&m, 2, &i, 1);
	text = row_trouble(m.rows[0], &weight);
	assert_string_equal(text, "pids 97%");
	free(text);
	i.sample.value[INSP_STAT_PIDS_LIMIT] = INSP_STAT_NO_LIMIT;
	take(&m, 3, &i, 1);
	text = row_trouble(m.rows[0], &weight);
	assert_string_equal(text, "memory 92%");
	free(text);
	model_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_keeps_the_sample_before),
		cmocka_unit_test(one_that_comes_and_goes_is_an_event),
		cmocka_unit_test(three_starts_are_a_loop),
		cmocka_unit_test(throttling_is_said_when_it_begins),
		cmocka_unit_test(a_filter_hides_and_keeps_the_order),
		cmocka_unit_test(what_stands_nearest_to_its_limit_is_the_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
