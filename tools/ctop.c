/* ctop: every container of this host, what it uses and what it waits for, live. */
#include "tools/shared/errors.h"
#include "tools/shared/util.h"
#include "tui/batch.h"
#include "tui/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct ctop_opts {
	struct common_opts common;
	bool all, batch, csv, json, list_columns, no_headings, no_trunc;
	const char *filter, *output, *sort, *theme, *record, *replay;
	uint64_t max_size;
	int64_t at;
	unsigned iterations;
	double delay;
};

/* RFC 3339 in UTC, or a time of the day where one is, today. */
static int parse_at(const char *arg, void *value, struct insp_err *err)
{
	time_t now = time(NULL), t;
	struct tm tm = { 0 };
	const char *end;

	localtime_r(&now, &tm);
	tm.tm_sec = 0;
	if ((end = strptime(arg, "%Y-%m-%dT%H:%M:%SZ", &tm)) && !*end) {
		t = timegm(&tm);
	} else {
		localtime_r(&now, &tm);
		tm.tm_sec = 0;
		end = strptime(arg, "%H:%M", &tm);
		if (end && *end == ':')
			end = strptime(end, ":%S", &tm);
		if (!end || *end)
			return -EINVAL;
		t = mktime(&tm);
	}
	*(int64_t *)value = (int64_t)t * 1000000000;
	return 0;
}

#define AT(member) offsetof(struct ctop_opts, member)

static const struct opt options[] = {
	{ OPT_GROUP, .help = "Which containers" },
	{ OPT_FLAG, 'a', "all", AT(all), .help = "stopped containers too" },
	{ OPT_STRING, 'f', "filter", AT(filter), "TEXT",
	  "only those with this in their name, id, image, pod or project" },
	{ OPT_GROUP, .help = "How often" },
	{ OPT_DECIMAL, 'd', "delay", AT(delay), "SEC",
	  "seconds between two samples, 0.1 to 3600 (default: 1)" },
	{ OPT_UINT, 'n', "iterations", AT(iterations), "N", "end after N samples" },
	{ OPT_GROUP, .help = "Output" },
	{ OPT_FLAG, 'b', "batch", AT(batch), .help = "a table for each sample" },
	{ OPT_FLAG, 0, "csv", AT(csv), .help = "a line of CSV for each container and sample" },
	{ OPT_FLAG, 'J', "json", AT(json), .help = "a line of JSON for each sample" },
	{ OPT_STRING, 'o', "output", AT(output), "COL,...",
	  "these columns; +COL,... adds to the default ones", .complete = COMPLETE_COLUMN },
	{ OPT_FLAG, 0, "list-columns", AT(list_columns), .help = "the columns" },
	{ OPT_STRING, 's', "sort", AT(sort), "COL",
	  "sort by a column; -COL: descending (default: -CPU; on the screen what is in trouble, first)",
	  .complete = COMPLETE_COLUMN },
	{ OPT_FLAG, 0, "no-trunc", AT(no_trunc), .help = "do not shorten ids" },
	{ OPT_CHOICE, 0, "theme", AT(theme), "THEME",
	  "colours of the screen: colour, mono, safe (without red and green)",
	  .words = "colour mono safe", .complete = COMPLETE_WORDS },
	{ OPT_FLAG, 'H', "no-headings", AT(no_headings), .help = "no line of headings" },
	{ OPT_GROUP, .help = "Recording" },
	{ OPT_STRING, 0, "record", AT(record), "FILE",
	  "record to FILE, or go on there; nothing is shown but with -b, --csv or --json",
	  .complete = COMPLETE_FILE },
	{ OPT_SIZE, 0, "max-size", AT(max_size), "SIZE",
	  "with --record: at most so many bytes, the older half in FILE.1" },
	{ OPT_STRING, 0, "replay", AT(replay), "FILE", "show what was recorded",
	  .complete = COMPLETE_FILE },
	{ OPT_CALL, 0, "at", AT(at), "TIME",
	  "with --replay: from that time on, as 2026-11-22T08:30:00Z or 08:30 of today",
	  .call = parse_at },
	{ OPT_GROUP, .help = "General" },
	OPTS_COMMON(struct ctop_opts, common),
	OPTS_END,
};

static const char *const usage[] = { "[OPTION...]", "-b|--csv|--json [OPTION...]", NULL };

static const struct tool ctop_tool = {
	.name = "ctop",
	.summary = "Show what every container uses and what it waits for.",
	.usage = usage,
	.opts = options,
	.epilog = "The first sample is compared with one that is taken before and not printed.\n"
		  "Exit status: 0 done, 1 failed, 2 something could not be read.",
	.failure = TOOL_FAILED,
};

struct ctop {
	const struct ctop_opts *opts;
	struct columns columns;
	struct insp_diags diags;
	struct feed *feed;
	struct model model;
};

static bool is_batch(const struct ctop_opts *o)
{
	return o->batch || o->csv || o->json;
}

/* -1: fine; else the exit status. */
static int check(const struct ctop_opts *o)
{
	if (o->csv && o->json)
		return opts_usage_error(&ctop_tool, "--csv and --json exclude each other");
	if (o->delay != 0 && (o->delay < 0.1 || o->delay > 3600))
		return opts_usage_error(&ctop_tool, "--delay is 0.1 to 3600 seconds");
	if (o->record && o->replay)
		return opts_usage_error(&ctop_tool, "--record and --replay exclude each other");
	if ((o->max_size && !o->record) || (o->at && !o->replay))
		return opts_usage_error(&ctop_tool,
					"--max-size goes with --record, --at with --replay");
	if (!is_batch(o) && !o->record && (!isatty(0) || !isatty(1)))
		return opts_usage_error(&ctop_tool, "no terminal: -b prints tables instead");
	return -1;
}

static uint32_t fields_of(uint32_t want)
{
	return want & INSP_STAT_ALL;
}

static unsigned list_want(const struct ctop_opts *o, unsigned want)
{
	unsigned bits = INSP_WANT_BARE;

	if (o->all)
		bits |= INSP_WANT_STOPPED;
	if (want & CTOP_WANT_DETAIL || o->filter)
		bits |= INSP_WANT_DETAIL;
	return bits;
}

/* What the chosen columns, the order and the events cost. */
static unsigned want_of(const struct ctop *ctop)
{
	const struct ctop_opts *o = ctop->opts;
	unsigned want = columns_want(&ctop->columns, o->json);
	const char *sort = o->sort ? o->sort + (*o->sort == '-' || *o->sort == '+') : "CPU";
	const struct column *column = columns_find(ctop_columns, sort, strlen(sort));

	return want | (column ? column->want : 0);
}

/* SIGINT and SIGTERM end the waiting, and so the run, with what was printed whole. */
static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
	stopped = sig;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Until the next multiple of the delay, so that samples do not drift. */
static void wait_until(struct timespec *next, double delay)
{
	long ns = (long)((delay - (double)(long)delay) * 1e9);

	next->tv_sec += (time_t)delay;
	next->tv_nsec += ns;
	if (next->tv_nsec >= 1000000000) {
		next->tv_nsec -= 1000000000;
		next->tv_sec++;
	}
	while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL) == EINTR)
		;
}

static int take(struct ctop *ctop, struct insp_err *err)
{
	struct insp_moment frame = { 0 };
	int r = ctop->feed->next(ctop->feed, &frame, &ctop->diags, err);

	if (r <= 0)
		return r;
	r = model_take(&ctop->model, &frame);
	if (r < 0)
		return insp_err_set(err, r, "take a sample");
	r = model_sort(&ctop->model, ctop->opts->sort ? ctop->opts->sort : "-CPU", err);
	if (r < 0)
		return r;
	r = model_filter(&ctop->model, ctop->opts->filter);
	return r < 0 ? insp_err_set(err, r, "filter") : 1;
}

static int print(const struct ctop *ctop, bool first, struct insp_err *err)
{
	const struct ctop_opts *o = ctop->opts;
	struct batch batch = {
		.form = o->json	 ? BATCH_JSON
			: o->csv ? BATCH_CSV
				 : BATCH_TABLE,
		.columns = &ctop->columns,
		.no_headings = o->no_headings,
		.no_trunc = o->no_trunc,
	};
	int r = batch_print(&batch, &ctop->model, first);

	if (r < 0)
		return insp_err_set(err, r, "print");
	if (fflush(stdout) == 0)
		return 0;
	insp_err_set(err, -errno, "write to stdout");
	clearerr(stdout); /* it is said */
	return err->code;
}

static int run_batch(struct ctop *ctop, struct insp_err *err)
{
	double delay = ctop->opts->delay != 0 ? ctop->opts->delay : 1;
	struct timespec next;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &next);
	r = take(ctop, err); /* what the first rates are from */
	for (unsigned i = 0; r > 0 && !stopped; i++) {
		if (ctop->opts->iterations && i == ctop->opts->iterations)
			break;
		if (!ctop->opts->replay)
			wait_until(&next, delay);
		if (stopped)
			break;
		r = take(ctop, err);
		if (r > 0 && is_batch(ctop->opts) && print(ctop, i == 0, err) < 0)
			r = err->code;
	}
	return r;
}

/* What is recorded may be asked for any column later, but for open files, which cost a call a process. */
static int open_feed(struct ctop *ctop, struct insp_sys *sys, unsigned want, struct insp_err *err)
{
	const struct ctop_opts *o = ctop->opts;
	int r;

	if (o->replay)
		return feed_replay(o->replay, o->at, &ctop->feed, err);
	if (o->record)
		want |= (INSP_STAT_ALL & ~INSP_STAT_BIT(INSP_STAT_FDS)) | CTOP_WANT_DETAIL;
	r = feed_live(sys, fields_of(want), list_want(o, want), &ctop->feed, &ctop->diags, err);
	return r < 0 || !o->record ? r : feed_record(o->record, o->max_size, &ctop->feed, err);
}

static int run(struct ctop *ctop, struct insp_sys *sys)
{
	unsigned want = want_of(ctop);
	struct insp_err err = { 0 };
	int r;

	r = open_feed(ctop, sys, want, &err);
	catch_signals();
	if (r >= 0)
		r = run_batch(ctop, &err);
	if (r < 0)
		return tool_fail(&ctop_tool, &err);
	tool_say_diags(&ctop_tool, &ctop->diags);
	return ctop->diags.n ? TOOL_INCOMPLETE : TOOL_OK;
}

/* https://no-color.org: any value that is not empty. */
static enum theme theme_of(const struct ctop_opts *o)
{
	const char *none = getenv("NO_COLOR");

	if (!o->theme)
		return none && *none ? THEME_MONO : THEME_COLOUR;
	return *o->theme == 'm' ? THEME_MONO : *o->theme == 's' ? THEME_SAFE : THEME_COLOUR;
}

static int run_screen(struct ctop *ctop, struct insp_sys *sys)
{
	const struct ctop_opts *o = ctop->opts;
	struct screen s = {
		.sys = sys,
		.common = &o->common,
		.columns = ctop->columns,
		.diags = &ctop->diags,
		.theme = theme_of(o),
		.delay = o->delay != 0 ? o->delay : 1,
		.iterations = o->iterations,
		.all = o->all,
	};
	struct insp_err err = { 0 };
	unsigned want;
	int r;

	snprintf(s.filter, sizeof(s.filter), "%s", o->filter ? o->filter : "");
	if (o->sort)
		screen_sort(&s, o->sort);
	want = screen_want(&s);
	r = open_feed(ctop, sys, want, &err);
	s.feed = ctop->feed;
	if (r >= 0)
		r = screen_run(&s, &err);
	screen_clear(&s);
	if (r < 0)
		return tool_fail(&ctop_tool, &err);
	tool_say_diags(&ctop_tool, &ctop->diags);
	return ctop->diags.n ? TOOL_INCOMPLETE : TOOL_OK;
}

static int start(const struct ctop_opts *o)
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	struct ctop ctop = { .opts = o };
	struct insp_err err = { 0 };
	int status;

	if (o->list_columns) {
		columns_print_list(ctop_columns);
		return TOOL_OK;
	}
	status = check(o);
	if (status >= 0)
		return status;
	if (columns_choose(ctop_columns, is_batch(o) ? CTOP_DEFAULT : CTOP_SCREEN, o->output,
			   &ctop.columns, &err) < 0 ||
	    (o->sort && model_sort(&ctop.model, o->sort, &err) < 0) ||
	    common_opts_open(&o->common, &sys, &err) < 0)
		return tool_fail(&ctop_tool, &err);
	status = is_batch(o) || o->record ? run(&ctop, sys) : run_screen(&ctop, sys);
	feed_closep(&ctop.feed);
	model_clear(&ctop.model);
	insp_diags_clear(&ctop.diags);
	return status;
}

int main(int argc, char *argv[])
{
	struct ctop_opts o = { 0 };
	int first = 0, status;

	status = opts_parse(&ctop_tool, argc, argv, &o, &first);
	if (status < 0)
		status = first < argc ? opts_usage_error(&ctop_tool,
							 "'%s' is not wanted: --filter chooses "
							 "containers",
							 argv[first])
				      : start(&o);
	common_opts_clear(&o.common);
	return tool_close_stdout(&ctop_tool, status);
}
