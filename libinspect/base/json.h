/*
 * State files of engines as JSON: size and depth capped, duplicate keys tolerated as jansson does, embedded NUL
 * refused. All getters take NULL and the wrong type and then say "unknown".
 */
#ifndef SONDE_BASE_JSON_H
#define SONDE_BASE_JSON_H

#include "libinspect/inspect.h"
#include "libinspect/base/str.h"

#include <jansson.h>

/* json_decrefp: jansson's own cleanup function */
#define _cleanup_json_ _cleanup_(json_decrefp)

/* Parses bytes. -EBADMSG with line and column in err. ret: json_decref(). */
int json_parse(const char *data, size_t len, json_t **ret, struct insp_err *err);
/* io_read_file() and json_parse(): err names the file. */
int json_read_file(int dirfd, const char *path, size_t max, json_t **ret, struct insp_err *err);

/*
 * Puts into out (emptied first) the text of an object that has only those members of the one in (data, len) that keys
 * names, NULL-terminated, "State" or at most two levels "Config.Image". What is left out is not looked at but for its
 * quotes and brackets. -EBADMSG when even those are wrong, or it is no object: json_parse() of the whole says where.
 */
int json_pick(const char *data, size_t len, const char *const *keys, struct strbuf *out);

/* json_parse() of what json_pick() leaves: a fraction of the time where little of much is asked for. */
int json_parse_members(const char *data, size_t len, const char *const *keys, json_t **ret,
		       struct insp_err *err);
/* json_read_file() likewise. */
int json_read_members(int dirfd, const char *path, size_t max, const char *const *keys,
		      json_t **ret, struct insp_err *err);

/* Walks a path of keys "State.Pid"; NULL when any is missing. Borrowed. */
const json_t *json_at(const json_t *j, const char *path);
/* Whether list is an array with that string in it. */
bool json_has_str(const json_t *list, const char *value);
/* Borrowed string, NULL when missing, not a string, or empty. */
const char *json_str_at(const json_t *j, const char *path);
int64_t json_int_at(const json_t *j, const char *path, int64_t unset);
bool json_bool_at(const json_t *j, const char *path);

#endif
