/* Parsing: getopt_long(3) does the syntax, the table says what each option means. */
#include "tools/shared/opts.h"
#include "tools/shared/errors.h"
#include "tools/shared/util.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* An option's getopt value is its place in the table plus this, so that letters stay free. */
#define VALUE_BASE 256
#define OPTS_MAX   80

void opt_list_clear(struct opt_list *list)
{
	free(list->items);
	*list = (struct opt_list){ 0 };
}

void common_opts_clear(struct common_opts *common)
{
	opt_list_clear(&common->stores);
	opt_list_clear(&common->docker_roots);
}

static int list_add(struct opt_list *list, const char *item)
{
	const char **items = reallocarray(list->items, list->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	list->items[list->n++] = item;
	return 0;
}

/* ---- values ------------------------------------------------------------------------------------------ */

static int parse_uint(const char *text, unsigned *ret)
{
	char *end;
	unsigned long v;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || v > UINT32_MAX)
		return -ERANGE;
	*ret = (unsigned)v;
	return 0;
}

static int parse_decimal(const char *text, double *ret)
{
	char *end;
	double v;

	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -EINVAL;
	v = strtod(text, &end);
	if (*end || end == text || strpbrk(text, "xXpPeE"))
		return -EINVAL;
	*ret = v;
	return 0;
}

/* How often to multiply by 1024 for the suffix, -EINVAL for what is none. */
static int size_suffix(const char *s)
{
	static const char letters[] = "KMGT";
	const char *at;

	if (!*s || strcasecmp(s, "B") == 0)
		return 0;
	at = strchr(letters, toupper((unsigned char)*s));
	if (!at || (s[1] && strcasecmp(s + 1, "B") != 0 && strcasecmp(s + 1, "iB") != 0))
		return -EINVAL;
	return (int)(at - letters) + 1;
}

int opts_parse_size(const char *text, uint64_t *ret)
{
	char *end;
	unsigned long long v;
	int steps;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	steps = size_suffix(end);
	if (steps < 0)
		return steps;
	for (; steps > 0; steps--)
		if (__builtin_mul_overflow(v, 1024ULL, &v))
			return -ERANGE;
	*ret = v;
	return 0;
}

static bool word_in(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		if (n == len && memcmp(p, word, n) == 0)
			return true;
		p += n;
	}
	return false;
}

static int set_choice(const struct opt *opt, const char *arg, const char **value,
		      struct insp_err *err)
{
	if (!word_in(opt->words, arg))
		return insp_err_say(err, -EINVAL, "'%s' is none of: %s", arg, opt->words);
	*value = arg;
	return 0;
}

/* Stores one option's value. A failure without words in err is "not a valid …". */
static int set_value(const struct opt *opt, const char *arg, void *value, struct insp_err *err)
{
	switch (opt->kind) {
	case OPT_FLAG: *(bool *)value = true; return 0;
	case OPT_BIT: *(unsigned *)value |= opt->bit; return 0;
	case OPT_STRING: *(const char **)value = arg; return 0;
	case OPT_OPTIONAL: *(const char **)value = arg ? arg : ""; return 0;
	case OPT_UINT: return parse_uint(arg, value);
	case OPT_SIZE: return opts_parse_size(arg, value);
	case OPT_DECIMAL: return parse_decimal(arg, value);
	case OPT_LIST: return list_add(value, arg);
	case OPT_CHOICE: return set_choice(opt, arg, value, err);
	case OPT_CALL: return opt->call(arg, value, err);
	default: return -EINVAL;
	}
}

/* ---- messages ---------------------------------------------------------------------------------------- */

static int usage_failed(const struct tool *tool, const struct insp_err *err)
{
	tool_say(tool, err);
	fprintf(stderr, "Try '%s --help'.\n", tool->name);
	return tool->failure;
}

int opts_usage_error(const struct tool *tool, const char *fmt, ...)
{
	struct insp_err err = { .code = -EINVAL };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	return usage_failed(tool, &err);
}

/* The same for an error that brings its own hint. */
static int usage_failure(const struct tool *tool, const char *name, const struct insp_err *why)
{
	struct insp_err err = { .code = -EINVAL };

	insp_err_say(&err, -EINVAL, "option '%s': %s", name, why->text);
	insp_err_hint(&err, "%s", why->hint);
	return usage_failed(tool, &err);
}

/* "--name", or "-x" for an option that has only a letter. */
static const char *spelled(const struct opt *opt, char *buf, size_t size)
{
	if (opt->name)
		snprintf(buf, size, "--%s", opt->name);
	else
		snprintf(buf, size, "-%c", opt->letter);
	return buf;
}

static int bad_value(const struct tool *tool, const struct opt *opt, const char *arg, int r,
		     const struct insp_err *err)
{
	char name[64];

	spelled(opt, name, sizeof(name));
	if (err->text[0])
		return usage_failure(tool, name, err);
	if (r == -ENOMEM)
		return opts_usage_error(tool, "option '%s': out of memory", name);
	return opts_usage_error(tool, "option '%s': '%s' is %s %s", name, arg,
				r == -ERANGE ? "too large a" : "not a valid", opt->arg);
}

/* How many long names start with the len bytes of text. */
static size_t count_prefix(const struct tool *tool, const char *text, size_t len)
{
	size_t n = 0;

	for (const struct opt *o = tool->opts; o->kind != OPT_LAST; o++)
		n += o->name && strncmp(o->name, text, len) == 0;
	return n;
}

/* The long name nearest to what was typed; NULL: none is near. */
static const char *nearest(const struct tool *tool, const char *typed)
{
	const char *best = NULL;
	unsigned far = (unsigned)-1;

	for (const struct opt *o = tool->opts; o->kind != OPT_LAST; o++) {
		unsigned n = o->name ? insp_near(typed, o->name) : (unsigned)-1;

		if (n < far) {
			best = o->name;
			far = n;
		}
	}
	return best;
}

static int unknown_name(const struct tool *tool, const char *word, size_t len)
{
	_cleanup_free_ char *typed = len > 2 ? strndup(word + 2, len - 2) : NULL;
	const char *near = typed ? nearest(tool, typed) : NULL;
	struct insp_err err = { .code = -EINVAL };

	insp_err_say(&err, -EINVAL, "unknown option '%.*s'", (int)len, word);
	if (near)
		insp_err_hint(&err, "did you mean --%s?", near);
	return usage_failed(tool, &err);
}

/* getopt said '?': it leaves in optopt a letter, the value of an option that takes no argument, or 0. */
static int unknown(const struct tool *tool, char *argv[])
{
	const char *word = argv[optind - 1];
	size_t len;
	char name[64];

	if (optopt >= VALUE_BASE)
		return opts_usage_error(tool, "option '%s' takes no argument",
					spelled(&tool->opts[optopt - VALUE_BASE], name,
						sizeof(name)));
	if (optopt)
		return opts_usage_error(tool, "unknown option '-%c'", optopt);
	len = strcspn(word, "=");
	if (len > 2 && count_prefix(tool, word + 2, len - 2) > 1)
		return opts_usage_error(tool, "option '%.*s' is ambiguous", (int)len, word);
	return unknown_name(tool, word, len);
}

static int missing(const struct tool *tool, const struct opt *opt)
{
	char name[64];

	return opts_usage_error(tool, "option '%s' needs an argument: %s",
				spelled(opt, name, sizeof(name)), opt->arg);
}

/* ---- the table as getopt wants it ---------------------------------------------------------------------- */

struct getopt_table {
	char letters[2 + 3 * OPTS_MAX + 1];
	struct option longs[OPTS_MAX + 1];
	unsigned char by_letter[128];
};

static int arg_mode(const struct opt *opt)
{
	switch (opt->kind) {
	case OPT_OPTIONAL: return optional_argument;
	case OPT_CALL: return opt->arg ? required_argument : no_argument;
	case OPT_FLAG:
	case OPT_BIT:
	case OPT_HELP:
	case OPT_VERSION: return no_argument;
	default: return required_argument;
	}
}

static void add_option(struct getopt_table *t, const struct opt *opt, size_t index, size_t *n_longs)
{
	size_t len = strlen(t->letters);
	int mode = arg_mode(opt);

	if (opt->letter) {
		snprintf(t->letters + len, sizeof(t->letters) - len, "%c%s", opt->letter,
			 mode == no_argument	     ? ""
			 : mode == optional_argument ? "::"
						     : ":");
		t->by_letter[(unsigned char)opt->letter] = (unsigned char)index;
	}
	if (opt->name)
		t->longs[(*n_longs)++] =
			(struct option){ opt->name, mode, NULL, VALUE_BASE + (int)index };
}

static void fill_table(struct getopt_table *t, const struct tool *tool)
{
	size_t n_longs = 0;

	*t = (struct getopt_table){ 0 };
	/* '+': stop at the first operand; ':': tell a missing argument from an unknown option */
	snprintf(t->letters, sizeof(t->letters), "%s:", tool->stop_at_operand ? "+" : "");
	for (size_t i = 0; tool->opts[i].kind != OPT_LAST && i < OPTS_MAX; i++)
		if (tool->opts[i].kind != OPT_GROUP)
			add_option(t, &tool->opts[i], i, &n_longs);
}

static const struct opt *found(const struct tool *tool, const struct getopt_table *t, int c)
{
	return &tool->opts[c >= VALUE_BASE ? c - VALUE_BASE : t->by_letter[c]];
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

/* -1: go on; else the exit status. */
static int apply(const struct tool *tool, const struct opt *opt, void *values)
{
	struct insp_err err = { 0 };
	int r;

	if (opt->kind == OPT_HELP) {
		opts_print_help(tool);
		return 0;
	}
	if (opt->kind == OPT_VERSION) {
		printf("%s (sonde) %s\n", tool->name, SONDE_VERSION);
		return 0;
	}
	r = set_value(opt, optarg, (char *)values + opt->offset, &err);
	return r < 0 ? bad_value(tool, opt, optarg, r, &err) : -1;
}

/* For the build: not in --help, and only as the one argument. */
static bool hidden(const struct tool *tool, int argc, char *argv[])
{
	if (argc != 2)
		return false;
	if (strcmp(argv[1], "--complete-bash") == 0)
		opts_print_bash(tool);
	else if (strcmp(argv[1], "--list-options") == 0)
		opts_print_list(tool);
	else
		return false;
	return true;
}

int opts_parse(const struct tool *tool, int argc, char *argv[], void *values, int *ret_first)
{
	struct getopt_table t;
	int c;

	if (hidden(tool, argc, argv))
		return 0;
	fill_table(&t, tool);
	opterr = 0;
	optind = 0; /* start anew: unit tests parse more than once */
	while ((c = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
		int status;

		if (c == '?')
			return unknown(tool, argv);
		if (c == ':')
			return missing(tool, found(tool, &t, optopt));
		status = apply(tool, found(tool, &t, c), values);
		if (status >= 0)
			return status;
	}
	*ret_first = optind;
	return -1;
}

/* ---- common options -------------------------------------------------------------------------------------- */

/* Splits ENGINE=DIR; *ret_engine is a copy (free()). */
static int split_store(const char *text, char **ret_engine, struct insp_store *ret,
		       struct insp_err *err)
{
	const char *eq = strchr(text, '=');

	if (!eq || eq == text || !eq[1])
		return insp_err_say(err, -EINVAL, "--store '%s': not ENGINE=DIR", text);
	*ret_engine = strndup(text, (size_t)(eq - text));
	if (!*ret_engine)
		return insp_err_set(err, -ENOMEM, "--store '%s'", text);
	if (insp_engine_check(*ret_engine, true, err) < 0)
		return insp_err_wrap(err, -EINVAL, "--store '%s'", text);
	*ret = (struct insp_store){ *ret_engine, eq + 1 };
	return 0;
}

static void free_engines(char **engines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(engines[i]);
	free(engines);
}

/*
 * Finding a container is reading many small databases whole, one after the other. A page of memory that is new to the process
 * costs ten times what reading 4 KiB into it does, so what was given back is kept for the next one.
 */
static void keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
}

int common_opts_open(const struct common_opts *common, struct insp_sys **ret_sys,
		     struct insp_err *err)
{
	size_t n = common->stores.n, n_roots = common->docker_roots.n;
	_cleanup_free_ struct insp_store *stores = calloc(n + n_roots + 1, sizeof(*stores));
	char **engines = calloc(n + 1, sizeof(*engines));
	struct insp_sys_opts opts = { .root = common->sysroot,
				      .stores = stores,
				      .n_stores = n + n_roots };
	int r = stores && engines ? 0 : insp_err_set(err, -ENOMEM, "read the options");

	keep_memory();
	for (size_t i = 0; i < n && r >= 0; i++)
		r = split_store(common->stores.items[i], &engines[i], &stores[i], err);
	for (size_t i = 0; i < n_roots && r >= 0; i++)
		stores[n + i] = (struct insp_store){ "docker", common->docker_roots.items[i] };
	if (r >= 0)
		r = insp_sys_open(&opts, ret_sys, err);
	if (engines)
		free_engines(engines, n);
	return r;
}
