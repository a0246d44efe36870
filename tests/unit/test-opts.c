/* The option table: parsing, help, completion. And what tools write with it: JSON strings, columns, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tools/shared/columns.h"
#include "tools/shared/json-out.h"
#include "tools/shared/opts.h"
#include "tools/shared/text.h"
#include "tools/shared/util.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct values {
	struct common_opts common;
	bool all;
	unsigned count, bits;
	const char *out, *user, *word;
	uint64_t memory;
	double cpus;
	struct opt_list list;
	int called;
};

static int call(const char *arg, void *value, struct insp_err *err)
{
	if (strcmp(arg, "bad") == 0)
		return insp_err_say(err, -EINVAL, "bad is bad");
	*(int *)value += 1;
	return 0;
}

#define AT(member) offsetof(struct values, member)
static const struct opt table[] = {
	{ OPT_GROUP, .help = "Group" },
	{ OPT_FLAG, 'a', "all", AT(all), .help = "everything" },
	{ OPT_FLAG, 0, "allow", AT(all), .help = "a name with the same beginning" },
	{ OPT_BIT, 'm', "mount", AT(bits), .help = "one bit", .bit = 1 },
	{ OPT_BIT, 'p', NULL, AT(bits), .help = "another bit", .bit = 4 },
	{ OPT_UINT, 'n', "last", AT(count), "N", "a number" },
	{ OPT_STRING, 'o', "output", AT(out), "FILE", "a string", .complete = COMPLETE_FILE },
	{ OPT_OPTIONAL, 'u', "user", AT(user), "USER", "an optional argument" },
	{ OPT_CHOICE, 0, "word", AT(word), "WORD", "one of two", "red blue" },
	{ OPT_SIZE, 0, "memory", AT(memory), "SIZE", "bytes" },
	{ OPT_DECIMAL, 0, "cpus", AT(cpus), "N", "a decimal" },
	{ OPT_LIST, 'f', "filter", AT(list), "K=V", "a list" },
	{ OPT_CALL, 0, "call", AT(called), "ARG", "a function", .call = call },
	{ OPT_FLAG, 0, "secret", AT(all) },
	OPTS_SYSROOT(struct values, common),
	OPTS_COMMON(struct values, common),
	OPTS_END,
};
static const char *const usage[] = { "[OPTION...] THING", NULL };
static const struct tool tool = { "probe", "Tries options.", usage,
				  table,   .failure = 1,     .operands = COMPLETE_CONTAINER };

/* ---- what a function prints ------------------------------------------------------------------------------ */

/* stdout and stderr as they were go back in place at the end of capture(). */
struct captured {
	char text[8192];
};

static void capture_fd(FILE *stream, int fd, int saved, char *buf, size_t size)
{
	ssize_t n;

	fflush(stream);
	dup2(saved, fileno(stream));
	close(saved);
	n = pread(fd, buf, size - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* Runs opts_parse() on a NULL-terminated list of words; *out has stdout, *err stderr. */
static int parse(struct values *v, struct captured *out, struct captured *err, int *ret_first,
		 const struct tool *t, ...)
{
	char *argv[32] = { (char *)"probe" };
	int argc = 1, first = 0, r, files[2], saved[2];
	va_list ap;

	va_start(ap, t);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	for (int i = 0; i < 2; i++) {
		FILE *stream = i ? stderr : stdout;
		char name[SCRATCH_PATH];

		fflush(stream);
		saved[i] = dup(fileno(stream));
		files[i] = scratch_file(name);
		unlink(name);
		dup2(files[i], fileno(stream));
	}
	r = opts_parse(t, argc, argv, v, &first);
	capture_fd(stdout, files[0], saved[0], out->text, sizeof(out->text));
	capture_fd(stderr, files[1], saved[1], err->text, sizeof(err->text));
	if (ret_first)
		*ret_first = first;
	return r;
}

static void values_clear(struct values *v)
{
	opt_list_clear(&v->list);
	common_opts_clear(&v->common);
}
#define _cleanup_values_ _cleanup_(values_clear)

/* ---- parsing ------------------------------------------------------------------------------------------- */

static void every_kind_reaches_its_target(void **state)
{
	_cleanup_values_ struct values v = { 0 };
	struct captured out, err;
	int first;

	assert_int_equal(parse(&v, &out, &err, &first, &tool, "-amp", "--last=12", "-o", "x",
			       "--word", "blue", "--memory", "3M", "--cpus", "1.5", "-fa=b",
			       "--filter", "c=d", "--call", "y", "operand", "-u7", NULL),
			 -1);
	assert_true(v.all);
	assert_int_equal(v.bits, 5);
	assert_int_equal(v.count, 12);
	assert_string_equal(v.out, "x");
	assert_string_equal(v.word, "blue");
	assert_int_equal(v.memory, 3 << 20);
	assert_true(v.cpus > 1.49 && v.cpus < 1.51);
	assert_int_equal(v.list.n, 2);
	assert_string_equal(v.list.items[1], "c=d");
	assert_int_equal(v.called, 1);
	assert_string_equal(v.user, "7");
	assert_int_equal(first, 17); /* operands are moved behind the options */
	assert_string_equal(out.text, "");
	assert_string_equal(err.text, "");
}

static void an_optional_argument_is_empty_when_missing(void **state)
{
	struct values v = { 0 };
	struct captured out, err;

	assert_int_equal(parse(&v, &out, &err, NULL, &tool, "-u", "word", NULL), -1);
	assert_string_equal(v.user, "");
}

static void a_command_keeps_its_own_options(void **state)
{
	struct tool stop = tool;
	struct values v = { 0 };
	struct captured out, err;
	int first;

	stop.stop_at_operand = true;
	assert_int_equal(parse(&v, &out, &err, &first, &stop, "web", "-a", NULL), -1);
	assert_false(v.all);
	assert_int_equal(first, 1);
	assert_int_equal(parse(&v, &out, &err, &first, &stop, "-m", "--", "-a", NULL), -1);
	assert_int_equal(first, 3);
}

/* One line that names the option, one that leads to --help, nothing on stdout, the tool's own status. */
static void rejects(const char *word, const char *more, const char *message)
{
	_cleanup_values_ struct values v = { 0 };
	struct tool t = tool;
	struct captured out, err;
	char expect[256];

	t.failure = 125;
	assert_int_equal(parse(&v, &out, &err, NULL, &t, word, more, NULL), 125);
	snprintf(expect, sizeof(expect), "probe: %s\nTry 'probe --help'.\n", message);
	assert_string_equal(err.text, expect);
	assert_string_equal(out.text, "");
}

static void each_usage_error_is_one_line_and_the_hint(void **state)
{
	rejects("--foo", NULL, "unknown option '--foo'");
	rejects("--foo=bar", NULL, "unknown option '--foo'");
	rejects("-x", NULL, "unknown option '-x'");
	rejects("-ax", NULL, "unknown option '-x'");
	rejects("--al", NULL, "option '--al' is ambiguous");
	rejects("--all=3", NULL, "option '--all' takes no argument");
	rejects("-o", NULL, "option '--output' needs an argument: FILE");
	rejects("--output", NULL, "option '--output' needs an argument: FILE");
	rejects("-n", "-1", "option '--last': '-1' is not a valid N");
	rejects("-n", "1x", "option '--last': '1x' is not a valid N");
	rejects("-n", "4294967296", "option '--last': '4294967296' is too large a N");
	rejects("--word", "green", "option '--word': 'green' is none of: red blue");
	rejects("--word", "red blue", "option '--word': 'red blue' is none of: red blue");
	rejects("--memory", "1Q", "option '--memory': '1Q' is not a valid SIZE");
	rejects("--cpus", "-1", "option '--cpus': '-1' is not a valid N");
	rejects("--cpus", "nan", "option '--cpus': 'nan' is not a valid N");
	rejects("--call", "bad", "option '--call': bad is bad");
	rejects("--\033[31m", NULL, "unknown option '--\\x1b[31m'");
}

static void sizes_have_suffixes_of_1024(void **state)
{
	uint64_t n = 0;

	assert_int_equal(opts_parse_size("0", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(opts_parse_size("7k", &n), 0);
	assert_int_equal(n, 7 * 1024);
	assert_int_equal(opts_parse_size("256MiB", &n), 0);
	assert_int_equal(n, 256 << 20);
	assert_int_equal(opts_parse_size("2GB", &n), 0);
	assert_int_equal(n, UINT64_C(2) << 30);
	assert_int_equal(opts_parse_size("12b", &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(opts_parse_size("", &n), -EINVAL);
	assert_int_equal(opts_parse_size("-1", &n), -EINVAL);
	assert_int_equal(opts_parse_size("1Mx", &n), -EINVAL);
	assert_int_equal(opts_parse_size("16777216T", &n), -ERANGE);
	assert_int_equal(opts_parse_size("99999999999999999999", &n), -ERANGE);
	assert_int_equal(n, 12);
}

/* ---- help, version, completion --------------------------------------------------------------------------- */

static void help_and_version_go_to_stdout(void **state)
{
	struct values v = { 0 };
	struct captured out, err;

	assert_int_equal(parse(&v, &out, &err, NULL, &tool, "--help", NULL), 0);
	assert_string_equal(err.text, "");
	assert_non_null(strstr(out.text, "Usage: probe [OPTION...] THING\n\nTries options.\n"));
	assert_non_null(strstr(out.text, "\nGroup:\n  -a, --all                 everything\n"));
	assert_non_null(strstr(out.text, "\n  -p                        another bit\n"));
	assert_non_null(strstr(out.text, "\n  -u, --user[=USER]         an optional argument\n"));
	assert_null(strstr(out.text, "secret"));
	assert_int_equal(parse(&v, &out, &err, NULL, &tool, "-V", NULL), 0);
	assert_string_equal(out.text, "probe (sonde) " SONDE_VERSION "\n");
}

static void the_list_names_every_visible_option(void **state)
{
	struct values v = { 0 };
	struct captured out, err;

	assert_int_equal(parse(&v, &out, &err, NULL, &tool, "--list-options", NULL), 0);
	assert_non_null(strstr(out.text, "-a --all -\n"));
	assert_non_null(strstr(out.text, "-p - -\n"));
	assert_non_null(strstr(out.text, "-- --sysroot DIR\n"));
	assert_null(strstr(out.text, "secret"));
}

static void completion_knows_options_and_arguments(void **state)
{
	struct values v = { 0 };
	struct captured out, err;

	assert_int_equal(parse(&v, &out, &err, NULL, &tool, "--complete-bash", NULL), 0);
	assert_non_null(strstr(out.text, "complete -F _probe probe\n"));
	assert_non_null(strstr(out.text, "--word) _probe_words 'red blue'"));
	assert_non_null(strstr(out.text, "-o|--output) compopt -o filenames"));
	assert_null(strstr(out.text, "secret"));
	assert_null(strstr(out.text, "compgen -W")); /* expands what it is given */
}

static void a_store_is_engine_and_directory(void **state)
{
	const char *bad[] = { "docker", "=x", "docker=", "" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct common_opts common = { .stores = { &bad[i], 1 } };
		struct insp_sys *sys = NULL;
		struct insp_err err = { 0 };
		char expect[64];

		assert_int_equal(common_opts_open(&common, &sys, &err), -EINVAL);
		snprintf(expect, sizeof(expect), "--store '%s': not ENGINE=DIR", bad[i]);
		assert_string_equal(err.text, expect);
		assert_null(sys);
	}
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void quotes_as(const char *bytes, size_t len, const char *expect)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	json_out_quote(file, bytes, len);
	fclose(file);
	assert_string_equal(text, expect);
	free(text);
}

static void json_strings_are_valid_and_harmless(void **state)
{
#define QUOTES(bytes, expect) quotes_as(bytes, sizeof(bytes) - 1, expect)
	QUOTES("", "\"\"");
	QUOTES("a\"b\\c", "\"a\\\"b\\\\c\"");
	QUOTES("\033[31m\n\0x", "\"\\u001b[31m\\u000a\\u0000x\"");
	QUOTES("\x7f\xc2\x9b", "\"\\u007f\\u009b\"");
	QUOTES("h\xc3\xa9 \xf0\x9f\x90\x8b", "\"h\xc3\xa9 \xf0\x9f\x90\x8b\"");
	QUOTES("\xe2\x80\xae", "\"\\u202e\"");		     /* right-to-left override */
	QUOTES("\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"");    /* a tag character */
	QUOTES("\xff\xc3", "\"\\\\xff\\\\xc3\"");	     /* no UTF-8 */
	QUOTES("\xc0\xaf", "\"\\\\xc0\\\\xaf\"");	     /* overlong */
	QUOTES("\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\""); /* a surrogate */
	QUOTES("\xf4\x90\x80\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"");
	QUOTES("\xe2\x82", "\"\\\\xe2\\\\x82\""); /* cut off */
}

static void json_commas_come_by_themselves(void **state)
{
	char *text = NULL;
	size_t size = 0;
	struct json_out out = { .file = open_memstream(&text, &size) };

	json_out_open(&out, NULL, '{');
	json_out_int(&out, "schema", 1);
	json_out_open(&out, "list", '[');
	json_out_open(&out, NULL, '{');
	json_out_string(&out, "a", NULL);
	json_out_bool(&out, "b", true);
	json_out_close(&out, '}');
	json_out_open(&out, NULL, '{');
	json_out_close(&out, '}');
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	fclose(out.file);
	assert_string_equal(text, "{\"schema\":1,\"list\":[\n{\"a\":null,\"b\":true},\n{}]}\n");
	free(text);
}

/* ---- columns ------------------------------------------------------------------------------------------- */

struct row {
	const char *name;
	int number; /* -1: not known */
};

static void fill_name(const void *row, struct cell *cell)
{
	cell_text(cell, ((const struct row *)row)->name);
}

static void fill_number(const void *row, struct cell *cell)
{
	if (((const struct row *)row)->number >= 0)
		cell_number(cell, ((const struct row *)row)->number);
}

static const struct column cols[] = {
	{ "NAME", 0, "a name", "name", fill_name, .want = 1 },
	{ "NUM", COL_RIGHT, "a number", "num", fill_number, .want = 2 },
	{ "MORE", COL_EXTRA, "on request", "more", fill_number, .want = 4 },
	{ NULL },
};

static void columns_are_replaced_or_added(void **state)
{
	struct columns c;
	struct insp_err err = { 0 };

	assert_int_equal(columns_choose(cols, "NAME", NULL, &c, &err), 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(columns_want(&c, false), 1);
	assert_int_equal(columns_want(&c, true), 3);
	assert_int_equal(columns_choose(cols, "NAME", "+num,More", &c, &err), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(columns_choose(cols, "NAME", "num", &c, &err), 0);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.chosen[0]->name, "NUM");
	assert_int_equal(columns_want(&c, true), 2);
	assert_int_equal(columns_choose(cols, "NAME", "nope", &c, &err), -EINVAL);
	assert_string_equal(err.text, "unknown column 'nope'");
	assert_int_equal(columns_choose(cols, "NAME", "", &c, &err), -EINVAL);
	assert_int_equal(columns_choose(cols, "NAME", "NAME,,NUM", &c, &err), -EINVAL);
}

static void sorts_as(const char *spec, const char *expect)
{
	static const struct row rows[] = { { "b", 10 }, { "c", -1 }, { "a", 9 }, { "d", 9 } };
	const void *sorted[] = { &rows[0], &rows[1], &rows[2], &rows[3] };
	struct insp_err err = { 0 };
	char got[5] = "";

	assert_int_equal(columns_sort(cols, spec, sorted, 4, &err), 0);
	for (size_t i = 0; i < 4; i++)
		got[i] = ((const struct row *)sorted[i])->name[0];
	assert_string_equal(got, expect);
}

static void sorting_is_by_value_and_unknown_is_last(void **state)
{
	struct insp_err err = { 0 };

	sorts_as("NAME", "abcd");
	sorts_as("-name", "dcba");
	sorts_as("NUM", "adbc");
	sorts_as("-NUM", "badc");
	assert_int_equal(columns_sort(cols, "nope", NULL, 0, &err), -EINVAL);
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

static void durations_read_like_dockers(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "Less than a second" }, { 1, "1 second" },		{ 59, "59 seconds" },
		{ 60, "About a minute" },    { 119, "About a minute" }, { 120, "2 minutes" },
		{ 3600, "About an hour" },   { 7200, "2 hours" },	{ 47 * 3600, "47 hours" },
		{ 48 * 3600, "2 days" },     { 14 * 86400, "2 weeks" }, { 60 * 86400, "2 months" },
		{ 730 * 86400, "2 years" },
	};
	char buf[TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(text_duration(cases[i].seconds * INT64_C(1000000000), buf),
				    cases[i].text);
}

static void sizes_and_times_are_short(void **state)
{
	char buf[TEXT_MAX];

	assert_string_equal(text_size(0, buf), "0");
	assert_string_equal(text_size(1023, buf), "1023");
	assert_string_equal(text_size(1536, buf), "1.5K");
	assert_string_equal(text_size(12 << 20, buf), "12M");
	assert_string_equal(text_size(1023 << 20, buf), "1023M");
	assert_string_equal(text_size(UINT64_C(3) << 30, buf), "3G");
	assert_string_equal(text_size(UINT64_MAX, buf), "15E");
	assert_string_equal(text_cpu_time(7, buf), "0:07");
	assert_string_equal(text_cpu_time(3661, buf), "1:01:01");
	assert_string_equal(text_cpu_time(90061, buf), "1-01:01:01");
	assert_string_equal(text_rfc3339(INT64_C(1763771324444959366), buf),
			    "2025-11-22T00:28:44.444959366Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_reaches_its_target),
		cmocka_unit_test(an_optional_argument_is_empty_when_missing),
		cmocka_unit_test(a_command_keeps_its_own_options),
		cmocka_unit_test(each_usage_error_is_one_line_and_the_hint),
		cmocka_unit_test(sizes_have_suffixes_of_1024),
		cmocka_unit_test(help_and_version_go_to_stdout),
		cmocka_unit_test(the_list_names_every_visible_option),
		cmocka_unit_test(completion_knows_options_and_arguments),
		cmocka_unit_test(a_store_is_engine_and_directory),
		cmocka_unit_test(json_strings_are_valid_and_harmless),
		cmocka_unit_test(json_commas_come_by_themselves),
		cmocka_unit_test(columns_are_replaced_or_added),
		cmocka_unit_test(sorting_is_by_value_and_unknown_is_last),
		cmocka_unit_test(durations_read_like_dockers),
		cmocka_unit_test(sizes_and_times_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
