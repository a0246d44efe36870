#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

static bool grow(struct strbuf *sb, size_t more)
{
	size_t need, cap;
	char *buf;

	if (sb->failed || __builtin_add_overflow(sb->len, more, &need) || need == SIZE_MAX)
		goto failed;
	if (need + 1 <= sb->cap)
		return true;
	cap = MAX_OF(need + 1, sb->cap * 2);
	buf = realloc(sb->buf, cap);
	if (!buf)
		goto failed;
	sb->buf = buf;
	sb->cap = cap;
	return true;
failed:
	sb->failed = true;
	return false;
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t len)
{
	if (!grow(sb, len))
		return;
	memcpy(sb->buf + sb->len, bytes, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void strbuf_puts(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
{
	_cleanup_free_ char *s = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (r < 0) {
		s = NULL;
		sb->failed = true;
		return;
	}
	strbuf_add(sb, s, (size_t)r);
}

char *strbuf_take(struct strbuf *sb)
{
	char *s;

	if (!sb->failed && !sb->buf)
		strbuf_add(sb, "", 0);
	if (sb->failed) {
		strbuf_free(sb);
		return NULL;
	}
	s = TAKE_PTR(sb->buf);
	*sb = (struct strbuf){ 0 };
	return s;
}

void strbuf_free(struct strbuf *sb)
{
	free(sb->buf);
	*sb = (struct strbuf){ 0 };
}
