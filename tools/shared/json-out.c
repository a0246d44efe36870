#include "tools/shared/json-out.h"

#include <inttypes.h>
#include <string.h>

/*
 * The code point at p, of *ret_len bytes; -1 when the bytes there are no UTF-8 (overlong, surrogate, cut off,
 * above U+10FFFF).
 */
static int32_t decode(const unsigned char *p, size_t left, size_t *ret_len)
{
	static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80	       ? 1
		   : p[0] >> 5 == 0x6  ? 2
		   : p[0] >> 4 == 0xe  ? 3
		   : p[0] >> 3 == 0x1e ? 4
				       : 0;
	int32_t c = n == 1 ? p[0] : p[0] & (0xff >> (n + 1));

	if (n == 0 || n > left)
		return -1;
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 0x2)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*ret_len = n;
	return c;
}

/* Invisible, and able to change what a terminal or an editor shows of the text around it. */
static bool must_hide(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

static void hide(FILE *file, int32_t c)
{
	if (c >= 0x10000) {
		c -= 0x10000;
		fprintf(file, "\\u%04x", (unsigned)(0xd800 + (c >> 10)));
		c = 0xdc00 + (c & 0x3ff);
	}
	fprintf(file, "\\u%04x", (unsigned)c);
}

void json_out_quote(FILE *file, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;

	fputc('"', file);
	for (size_t i = 0, n = 1; i < len; i += n, n = 1) {
		int32_t c = decode(p + i, len - i, &n);

		if (c < 0)
			fprintf(file, "\\\\x%02x", p[i]);
		else if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (must_hide(c))
			hide(file, c);
		else
			fwrite(p + i, 1, n, file);
	}
	fputc('"', file);
}

/* The comma, the line break between a list's objects, and the key. */
static void begin(struct json_out *out, const char *key)
{
	if (out->comma)
		fputc(',', out->file);
	if (!key && out->depth == 2 && !out->one_line)
		fputc('\n', out->file);
	if (key) {
		json_out_quote(out->file, key, strlen(key));
		fputc(':', out->file);
	}
	out->comma = true;
}

void json_out_open(struct json_out *out, const char *key, char bracket)
{
	begin(out, key);
	fputc(bracket, out->file);
	out->depth++;
	out->comma = false;
}

void json_out_close(struct json_out *out, char bracket)
{
	out->depth--;
	fputc(bracket, out->file);
	out->comma = true;
	if (out->depth == 0)
		fputc('\n', out->file);
}

void json_out_string(struct json_out *out, const char *key, const char *text)
{
	if (!text) {
		json_out_null(out, key);
		return;
	}
	begin(out, key);
	json_out_quote(out->file, text, strlen(text));
}

void json_out_int(struct json_out *out, const char *key, int64_t number)
{
	begin(out, key);
	fprintf(out->file, "%" PRId64, number);
}

/* The tools set no locale for numbers: the decimal sign is a point. */
void json_out_real(struct json_out *out, const char *key, double number, int decimals)
{
	begin(out, key);
	fprintf(out->file, "%.*f", decimals, number);
}

void json_out_bool(struct json_out *out, const char *key, bool value)
{
	begin(out, key);
	fputs(value ? "true" : "false", out->file);
}

void json_out_null(struct json_out *out, const char *key)
{
	begin(out, key);
	fputs("null", out->file);
}
