/*
 * Walking over the bytes of a kernel file: (buf, len), never a NUL-terminated string. Each call eats what it
 * read; one that finds something else returns false and leaves the span anywhere inside its bytes.
 */
#ifndef SONDE_KERNEL_SPAN_H
#define SONDE_KERNEL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *p, *end;
};

static inline struct span span_of(const char *buf, size_t len)
{
	return (struct span){ buf, buf + len };
}

static inline size_t span_len(const struct span *s)
{
	return (size_t)(s->end - s->p);
}

/* What stands before the next sep (or the end); eats sep too. false: nothing is left. */
static inline bool span_until(struct span *s, char sep, struct span *ret)
{
	const char *hit;

	if (s->p >= s->end)
		return false;
	hit = memchr(s->p, sep, span_len(s));
	*ret = (struct span){ s->p, hit ? hit : s->end };
	s->p = hit ? hit + 1 : s->end;
	return true;
}

static inline bool span_line(struct span *s, struct span *ret)
{
	return span_until(s, '\n', ret);
}

static inline void span_blanks(struct span *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
}

/* Eats prefix. */
static inline bool span_after(struct span *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (span_len(s) < n || memcmp(s->p, prefix, n) != 0)
		return false;
	s->p += n;
	return true;
}

static inline int span_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 99;
}

/* Blanks, then an unsigned number. false: no digit, or more than max. */
static inline bool span_number(struct span *s, int base, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	const char *first;

	span_blanks(s);
	for (first = s->p; s->p < s->end && span_digit(*s->p) < base; s->p++) {
		uint64_t d = (uint64_t)span_digit(*s->p);

		if (v > (max - d) / (uint64_t)base)
			return false;
		v = v * (uint64_t)base + d;
	}
	if (s->p == first)
		return false;
	*ret = v;
	return true;
}

static inline bool span_u64(struct span *s, uint64_t *ret)
{
	return span_number(s, 10, UINT64_MAX, ret);
}

static inline bool span_u32(struct span *s, uint32_t *ret)
{
	uint64_t v;

	if (!span_number(s, 10, UINT32_MAX, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* 0 … INT_MAX: ids of mounts, pids. */
static inline bool span_int(struct span *s, int *ret)
{
	uint64_t v;

	if (!span_number(s, 10, INT32_MAX, &v))
		return false;
	*ret = (int)v;
	return true;
}

/* Eats blanks and the next n words. */
static inline bool span_skip_words(struct span *s, int n)
{
	for (; n > 0; n--) {
		span_blanks(s);
		if (s->p >= s->end)
			return false;
		while (s->p < s->end && *s->p != ' ' && *s->p != '\t')
			s->p++;
	}
	return true;
}

#endif
