/*
 * Writing JSON: objects and arrays nest, commas come by themselves.
 *
 * Strings carry the exact bytes of what they name. What is no valid UTF-8 cannot stand in JSON: such a byte is
 * written as the four characters \xNN (so "\\xNN" in the file). Controls, and the invisible format characters that
 * could reorder a terminal's line, are written as \uNNNN, so the output may be looked at on a terminal.
 */
#ifndef SONDE_SHARED_JSON_OUT_H
#define SONDE_SHARED_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_out {
	FILE *file;
	unsigned depth;
	bool comma;    /* a value stands before the next one */
	bool one_line; /* no line break between a list's objects: the whole value is one line */
};

/* key is NULL in an array and at the top. */
void json_out_open(struct json_out *out, const char *key, char bracket);       /* '{' or '[' */
void json_out_close(struct json_out *out, char bracket);		       /* '}' or ']' */
void json_out_string(struct json_out *out, const char *key, const char *text); /* NULL: null */
void json_out_int(struct json_out *out, const char *key, int64_t number);
void json_out_real(struct json_out *out, const char *key, double number, int decimals);
void json_out_bool(struct json_out *out, const char *key, bool value);
void json_out_null(struct json_out *out, const char *key);

/* Only the quoted string. */
void json_out_quote(FILE *file, const char *bytes, size_t len);

#endif
