/*
 * Cutting an object's text down to the members that are asked for. A tree of a whole record costs an allocation for
 * every value in it; looking for the end of a value costs next to nothing.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/json.h"
#include "libinspect/base/util.h"

#define KEY_MAX	  64 /* bytes of a key path; longer members are never asked for */
#define DEPTH_MAX 2  /* "Config.Image" */

struct pick {
	const char *p, *end;
	const char *const *keys;
	struct strbuf *out;
};

static void skip_space(struct pick *k)
{
	while (k->p < k->end && (*k->p == ' ' || *k->p == '\n' || *k->p == '\t' || *k->p == '\r'))
		k->p++;
}

static bool take(struct pick *k, char c)
{
	skip_space(k);
	if (k->p == k->end || *k->p != c)
		return false;
	k->p++;
	return true;
}

/* Behind the closing quote; k->p is at the opening one. */
static bool skip_string(struct pick *k)
{
	const char *from = k->p + 1, *quote = from;

	while ((quote = memchr(quote, '"', (size_t)(k->end - quote)))) {
		const char *b = quote;

		while (b > from && b[-1] == '\\')
			b--;
		quote++;
		/* an even number of backslashes escape each other, not the quote */
		if ((quote - 1 - b) % 2 == 0) {
			k->p = quote;
			return true;
		}
	}
	return false;
}

/* Behind the bracket that closes the one at k->p; that the kinds match is the parser's concern. */
static bool skip_nested(struct pick *k)
{
	size_t depth = 0;

	while (k->p < k->end) {
		char c = *k->p;

		if (c == '"') {
			if (!skip_string(k))
				return false;
			continue;
		}
		k->p++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return true;
	}
	return false;
}

static bool skip_value(struct pick *k)
{
	const char *start = k->p;

	if (k->p == k->end)
		return false;
	if (*k->p == '"')
		return skip_string(k);
	if (*k->p == '{' || *k->p == '[')
		return skip_nested(k);
	while (k->p < k->end && !memchr(",}] \n\t\r", *k->p, 7))
		k->p++;
	return k->p > start;
}

enum wanted { NOT_WANTED, WANTED, WANTED_BELOW };

/* path: n bytes, "Config" or "Config.Image"; they may be anything, NUL too. */
static enum wanted is_wanted(const struct pick *k, const char *path, size_t n)
{
	for (const char *const *key = k->keys; *key; key++) {
		if ((*key)[0] != path[0] || strnlen(*key, n) != n || memcmp(*key, path, n) != 0)
			continue;
		if ((*key)[n] == '\0' || (*key)[n] == '.')
			return (*key)[n] == '\0' ? WANTED : WANTED_BELOW;
	}
	return NOT_WANTED;
}

static bool pick_object(struct pick *k, char *path, size_t n, int depth);

/* The value at k->p of the member whose key is quoted (len bytes with its quotes). */
static bool pick_member(struct pick *k, char *path, size_t n, int depth, const char *quoted,
			size_t len)
{
	enum wanted w = NOT_WANTED;
	const char *value;

	if (n + len - 2 < KEY_MAX) {
		memcpy(path + n, quoted + 1, len - 2);
		n += len - 2;
		path[n] = '\0';
		w = is_wanted(k, path, n);
	}
	if (w == NOT_WANTED)
		return skip_value(k);
	if (k->out->len > 0 && k->out->buf[k->out->len - 1] != '{')
		strbuf_add(k->out, ",", 1);
	strbuf_add(k->out, quoted, len);
	strbuf_add(k->out, ":", 1);
	if (w == WANTED_BELOW && k->p < k->end && *k->p == '{' && depth < DEPTH_MAX) {
		path[n++] = '.';
		return pick_object(k, path, n, depth + 1);
	}
	value = k->p;
	if (!skip_value(k))
		return false;
	strbuf_add(k->out, value, (size_t)(k->p - value));
	return true;
}

/* path: KEY_MAX + 2 bytes, n of them the path so far with its dot. */
static bool pick_object(struct pick *k, char *path, size_t n, int depth)
{
	if (!take(k, '{'))
		return false;
	strbuf_add(k->out, "{", 1);
	if (take(k, '}')) {
		strbuf_add(k->out, "}", 1);
		return true;
	}
	do {
		const char *quoted;
		size_t len;

		skip_space(k);
		quoted = k->p;
		if (k->p == k->end || *k->p != '"' || !skip_string(k))
			return false;
		len = (size_t)(k->p - quoted);
		if (!take(k, ':'))
			return false;
		skip_space(k);
		if (!pick_member(k, path, n, depth, quoted, len))
			return false;
	} while (take(k, ','));
	strbuf_add(k->out, "}", 1);
	return take(k, '}');
}

int json_pick(const char *data, size_t len, const char *const *keys, struct strbuf *out)
{
	struct pick k = { .p = data, .end = data + len, .keys = keys, .out = out };
	char path[KEY_MAX + 2];

	out->len = 0;
	if (!pick_object(&k, path, 0, 1))
		return -EBADMSG;
	skip_space(&k);
	if (k.p < k.end)
		return -EBADMSG;
	return out->failed ? -ENOMEM : 0;
}

int json_parse_members(const char *data, size_t len, const char *const *keys, json_t **ret,
		       struct insp_err *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	int r = json_pick(data, len, keys, &sb);

	if (r == 0 && json_parse(sb.buf, sb.len, ret, NULL) == 0)
		return 0;
	if (r == -ENOMEM)
		return insp_err_set(err, r, "parse JSON");
	/* once more, for a message that says where it is wrong */
	return json_parse(data, len, ret, err);
}

int json_read_members(int dirfd, const char *path, size_t max, const char *const *keys,
		      json_t **ret, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r = io_read_file(dirfd, path, max, &b, err);

	if (r < 0)
		return r;
	r = json_parse_members(b.data, b.len, keys, ret, err);
	return r < 0 ? insp_err_wrap(err, r, "read '%s'", path) : 0;
}
