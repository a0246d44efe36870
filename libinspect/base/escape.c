/*
 * Escaping for terminals. CVE-2021-25743 is the class: bytes of a container's name or command line that move the
 * cursor, set the title or answer for the operator.
 */
#include "libinspect/inspect.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

/*
 * One UTF-8 sequence (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). Returns its length, 0 when
 * the bytes at p are none.
 */
static size_t decode(const unsigned char *p, size_t len, uint32_t *ret_cp)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;
	uint32_t cp;

	if (n == 0 || n > len)
		return 0;
	cp = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < lowest[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return n;
}

/* What changes how other characters are shown, or shows nothing (Unicode 15: Bidi_Control, Cf, Zl, Zp). */
static bool is_format_control(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00ad, 0x00ad },   { 0x0600, 0x0605 },   { 0x061c, 0x061c },
		{ 0x06dd, 0x06dd },   { 0x070f, 0x070f },   { 0x0890, 0x0891 },
		{ 0x08e2, 0x08e2 },   { 0x115f, 0x1160 },   { 0x180b, 0x180f },
		{ 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },   { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (cp >= ranges[i].first && cp <= ranges[i].last)
			return true;
	return false;
}

static void add_escaped(struct strbuf *sb, const unsigned char *p, size_t n, uint32_t cp)
{
	if (n == 0)
		strbuf_printf(sb, "\\x%02x", p[0]);
	else if (cp < 0x20 || cp == 0x7f)
		strbuf_printf(sb, "\\x%02x", (unsigned)cp);
	else if ((cp >= 0x80 && cp < 0xa0) || is_format_control(cp))
		strbuf_printf(sb, "\\u{%04x}", (unsigned)cp);
	else
		strbuf_add(sb, p, n);
}

char *insp_escape(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = decode(p + i, len - i, &cp);

		add_escaped(&sb, p + i, n, cp);
		i += MAX_OF(n, (size_t)1);
	}
	return strbuf_take(&sb);
}

char *insp_escape_str(const char *s)
{
	return s ? insp_escape(s, strlen(s)) : NULL;
}
