#include "libinspect/base/toml.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#define DEPTH_MAX 32

struct parser {
	const char *start, *p, *end;
	struct toml_text table;
};

bool toml_is(struct toml_text text, const char *word)
{
	return strlen(word) == text.len && memcmp(text.p, word, text.len) == 0;
}

static bool at(const struct parser *t, char c)
{
	return t->p < t->end && *t->p == c;
}

static bool take(struct parser *t, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	return true;
}

static void skip_blanks(struct parser *t)
{
	while (at(t, ' ') || at(t, '\t'))
		t->p++;
}

static void skip_comment(struct parser *t)
{
	skip_blanks(t);
	if (at(t, '#'))
		while (t->p < t->end && *t->p != '\n')
			t->p++;
}

static bool take_newline(struct parser *t)
{
	return take(t, "\n") || take(t, "\r\n");
}

static void skip_lines(struct parser *t)
{
	do
		skip_comment(t);
	while (take_newline(t));
}

static int string_of_lines(struct parser *t, const char *quotes)
{
	while (t->p < t->end) {
		if (take(t, quotes)) {
			/* up to two quotes more are part of it */
			while (at(t, quotes[0]))
				t->p++;
			return 0;
		}
		t->p += *t->p == '\\' && quotes[0] == '"' && t->p + 1 < t->end ? 2 : 1;
	}
	return -EBADMSG;
}

static int string(struct parser *t, struct toml_text *ret)
{
	char quote = *t->p;
	bool escapes = false;
	const char *start;

	if (take(t, "\"\"\""))
		return string_of_lines(t, "\"\"\"");
	if (take(t, "'''"))
		return string_of_lines(t, "'''");
	start = ++t->p;
	while (t->p < t->end && *t->p != quote && *t->p != '\n') {
		if (*t->p == '\\' && quote == '"') {
			escapes = true;
			t->p++;
		}
		if (t->p < t->end)
			t->p++;
	}
	if (!at(t, quote))
		return -EBADMSG;
	if (!escapes)
		*ret = (struct toml_text){ start, (size_t)(t->p - start) };
	t->p++;
	return 0;
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* A.B."c d": as it is written, without the blanks around. */
static int key(struct parser *t, struct toml_text *ret)
{
	struct toml_text quoted;
	const char *start;

	skip_blanks(t);
	start = t->p;
	for (;;) {
		const char *part = t->p;

		if (at(t, '"') || at(t, '\'')) {
			if (string(t, &quoted) < 0)
				return -EBADMSG;
		} else {
			while (t->p < t->end && is_bare(*t->p))
				t->p++;
			if (t->p == part)
				return -EBADMSG;
		}
		*ret = (struct toml_text){ start, (size_t)(t->p - start) };
		skip_blanks(t);
		if (!take(t, "."))
			return 0;
		skip_blanks(t);
	}
}

static void digits(struct parser *t)
{
	while (t->p < t->end && *t->p && (is_bare(*t->p) || strchr("+.:", *t->p)))
		t->p++;
}

/* A number, a truth value or a time, which may have a blank in the middle. */
static int word(struct parser *t)
{
	static const char *const words[] = { "true", "false", "inf", "nan" };
	const char *start = t->p;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (take(t, words[i]))
			return 0;
	if (!at(t, '+') && !at(t, '-') && !(t->p < t->end && *t->p >= '0' && *t->p <= '9'))
		return -EBADMSG;
	digits(t);
	if (t->p - start == (ssize_t)strlen("1979-05-27") && t->end - t->p > 1 && at(t, ' ') &&
	    t->p[1] >= '0' && t->p[1] <= '9') {
		t->p++;
		digits(t);
	}
	return 0;
}

static int value(struct parser *t, int depth, struct toml_text *ret);

static int array(struct parser *t, int depth)
{
	struct toml_text ignored;

	for (t->p++;;) {
		skip_lines(t);
		if (take(t, "]"))
			return 0;
		if (value(t, depth + 1, &ignored) < 0)
			return -EBADMSG;
		skip_lines(t);
		if (!take(t, ",") && !at(t, ']'))
			return -EBADMSG;
	}
}

static int inline_table(struct parser *t, int depth)
{
	struct toml_text ignored;

	for (t->p++;;) {
		skip_lines(t);
		if (take(t, "}"))
			return 0;
		if (key(t, &ignored) < 0 || !take(t, "="))
			return -EBADMSG;
		skip_blanks(t);
		if (value(t, depth + 1, &ignored) < 0)
			return -EBADMSG;
		skip_lines(t);
		if (!take(t, ",") && !at(t, '}'))
			return -EBADMSG;
	}
}

/* *ret stays as it is for what is no plain string. */
static int value(struct parser *t, int depth, struct toml_text *ret)
{
	if (depth > DEPTH_MAX)
		return -EBADMSG;
	if (at(t, '"') || at(t, '\''))
		return string(t, ret);
	if (at(t, '['))
		return array(t, depth);
	return at(t, '{') ? inline_table(t, depth) : word(t);
}

static int head(struct parser *t)
{
	bool list = t->p[1] == '[';

	t->p += list ? 2 : 1;
	if (key(t, &t->table) < 0)
		return -EBADMSG;
	return take(t, list ? "]]" : "]") ? 0 : -EBADMSG;
}

static int pair(struct parser *t, toml_fn fn, void *userdata)
{
	struct toml_item item = { .table = t->table };

	if (key(t, &item.key) < 0 || !take(t, "="))
		return -EBADMSG;
	skip_blanks(t);
	if (value(t, 0, &item.value) < 0)
		return -EBADMSG;
	return fn(userdata, &item);
}

static int statement(struct parser *t, toml_fn fn, void *userdata)
{
	int r = at(t, '[') && t->end - t->p > 1 ? head(t) : pair(t, fn, userdata);

	if (r < 0)
		return r;
	skip_comment(t);
	return t->p == t->end || at(t, '\n') || take(t, "\r\n") ? 0 : -EBADMSG;
}

int toml_each(const char *text, size_t len, toml_fn fn, void *userdata, struct insp_err *err)
{
	struct parser t = { .start = text, .p = text, .end = text + len, .table = { "", 0 } };

	(void)take(&t, "\xef\xbb\xbf");
	for (;;) {
		const char *line;
		size_t n = 1;
		int r;

		skip_lines(&t);
		if (t.p == t.end)
			return 0;
		line = t.p;
		r = statement(&t, fn, userdata);
		if (r == 0)
			continue;
		for (const char *p = text; p < line; p++)
			n += *p == '\n';
		return r == -EBADMSG ? insp_err_say(err, r, "line %zu cannot be parsed", n) : r;
	}
}
