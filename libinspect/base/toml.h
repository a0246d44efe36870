/*
 * The configuration of engines as TOML (https://toml.io/en/v1.0.0): its lines are looked at one by one, so that a mistake is
 * found, and strings handed over. Values of other types are only passed over: a number may be none. No limits but the
 * nesting of arrays and tables in a line; nothing is allocated.
 */
#ifndef SONDE_BASE_TOML_H
#define SONDE_BASE_TOML_H

#include "libinspect/inspect.h"

struct toml_text {
	const char *p;
	size_t len;
};
struct toml_item {
	struct toml_text
		table; /* "storage.options", as it is written between its brackets; len 0: before the first */
	struct toml_text key;
	struct toml_text
		value; /* what is between the quotes; p NULL: no string, or one with escapes or of several lines */
};
/* Negative: ends the walk with that. -EBADMSG: the value is not what it must be. */
typedef int (*toml_fn)(void *userdata, const struct toml_item *item);

/* Calls fn for every KEY = VALUE. -EBADMSG with the line in err; what was handed over before counts as the caller likes. */
int toml_each(const char *text, size_t len, toml_fn fn, void *userdata, struct insp_err *err);
bool toml_is(struct toml_text text, const char *word);

#endif
