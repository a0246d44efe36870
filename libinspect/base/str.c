#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <limits.h>
#include <time.h>

char *str_format(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&s, fmt, ap);
	va_end(ap);
	return r < 0 ? NULL : s;
}

char *str_dup(const char *s)
{
	return s ? strdup(s) : NULL;
}

bool str_eq(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_path_is_below(const char *path, const char *dir)
{
	const char *rest = str_after(path, dir);

	return rest && (*rest == '\0' || *rest == '/' || strcmp(dir, "/") == 0);
}

bool str_starts(const char *s, const char *prefix)
{
	return str_after(s, prefix) != NULL;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

int str_to_u64(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!s || !*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

int str_to_i64(const char *s, int64_t *ret)
{
	bool negative = s && *s == '-';
	uint64_t v;
	int r = str_to_u64(negative ? s + 1 : s, &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX)
		return -ERANGE;
	*ret = negative ? -(int64_t)v : (int64_t)v;
	return 0;
}

int str_to_pid(const char *s, pid_t *ret)
{
	uint64_t v;
	int r = str_to_u64(s, &v);

	if (r < 0)
		return r;
	if (v < 1 || v > INT_MAX)
		return -ERANGE;
	*ret = (pid_t)v;
	return 0;
}

bool str_is_hex(const char *s, size_t len)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n == len && s[n] == '\0';
}

/* Exactly n digits at *p as a number; moves *p behind them. */
static int take_digits(const char **p, int n, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -EINVAL;
		v = v * 10 + (**p - '0');
	}
	*ret = v;
	return 0;
}

static int take_fraction(const char **p, int64_t *ret_ns)
{
	int64_t ns = 0, scale = 100000000;

	if (**p == '.')
		for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
			ns += (**p - '0') * scale;
	*ret_ns = ns;
	return 0;
}

static int take_zone(const char **p, int *ret_seconds)
{
	int h, m, sign;

	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		*ret_seconds = 0;
		return 0;
	}
	if (**p != '+' && **p != '-')
		return -EINVAL;
	sign = *(*p)++ == '-' ? -1 : 1;
	if (take_digits(p, 2, &h) < 0 || *(*p)++ != ':' || take_digits(p, 2, &m) < 0)
		return -EINVAL;
	*ret_seconds = sign * (h * 3600 + m * 60);
	return 0;
}

/*
 * Days from 1970-01-01 to a day of the Gregorian calendar, years counted from March so that a leap day comes last.
 * Not timegm(): that loads the local time zone, and for it reads the environment.
 */
static int64_t days_since_epoch(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int str_to_time(const char *s, int64_t *ret_ns)
{
	struct tm tm = { 0 };
	int64_t ns, seconds;
	int zone;

	if (!s || take_digits(&s, 4, &tm.tm_year) < 0 || *s++ != '-' ||
	    take_digits(&s, 2, &tm.tm_mon) < 0 || *s++ != '-' ||
	    take_digits(&s, 2, &tm.tm_mday) < 0)
		return -EINVAL;
	if ((*s != 'T' && *s != 't' && *s != ' ') || (s++, take_digits(&s, 2, &tm.tm_hour) < 0) ||
	    *s++ != ':' || take_digits(&s, 2, &tm.tm_min) < 0 || *s++ != ':' ||
	    take_digits(&s, 2, &tm.tm_sec) < 0)
		return -EINVAL;
	if (take_fraction(&s, &ns) < 0 || take_zone(&s, &zone) < 0 || *s)
		return -EINVAL;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour > 24 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -EINVAL;
	seconds = days_since_epoch(tm.tm_year, tm.tm_mon, tm.tm_mday) * 86400 + tm.tm_hour * 3600 +
		  tm.tm_min * 60 + tm.tm_sec - zone;
	/* 64-bit nanoseconds reach from 1678 to 2262; Go's zero time is the year 1: unset */
	if (__builtin_mul_overflow(seconds, INT64_C(1000000000), &seconds) ||
	    __builtin_add_overflow(seconds, ns, &ns))
		return -ERANGE;
	*ret_ns = ns;
	return 0;
}
