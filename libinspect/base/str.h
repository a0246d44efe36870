/* Strings: building, comparing, parsing numbers. Nothing here allocates without saying so. */
#ifndef SONDE_BASE_STR_H
#define SONDE_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A new string (free()), NULL when memory is out. */
char *str_format(const char *fmt, ...) __attribute__((format(__printf__, 1, 2)));
/* A new copy, NULL for NULL or when memory is out. */
char *str_dup(const char *s);

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* The rest of s behind prefix, NULL when s does not start so. */
const char *str_after(const char *s, const char *prefix);
/* Whether path is dir or below it, both tidy; everything is below "/". */
bool str_path_is_below(const char *path, const char *dir);

/* The whole string as a decimal number. -EINVAL: none, trailing bytes; -ERANGE: too large. */
int str_to_u64(const char *s, uint64_t *ret);
int str_to_i64(const char *s, int64_t *ret);
/* A pid: 1 … INT_MAX. */
int str_to_pid(const char *s, pid_t *ret);
/* Exactly len lower-case hexadecimal digits (an OCI container id: 64). */
bool str_is_hex(const char *s, size_t len);

/* RFC 3339 with fraction and zone ("2026-11-22T00:48:44.444959366Z", "+02:00") -> ns since the epoch. */
int str_to_time(const char *s, int64_t *ret_ns);

/* A growing byte string. Zero-initialise; free with strbuf_free(). Sticks at the first failed allocation. */
struct strbuf {
	char *buf; /* NUL-terminated when not NULL */
	size_t len, cap;
	bool failed;
};
void strbuf_add(struct strbuf *sb, const void *bytes, size_t len);
void strbuf_puts(struct strbuf *sb, const char *s);
void strbuf_printf(struct strbuf *sb, const char *fmt, ...)
	__attribute__((format(__printf__, 2, 3)));
/* The string, now the caller's; NULL when an allocation failed. Never NULL otherwise. */
char *strbuf_take(struct strbuf *sb);
void strbuf_free(struct strbuf *sb);

#endif
