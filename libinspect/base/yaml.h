/*
 * State files of engines as YAML, read into the same objects as JSON: a mapping is an object, a sequence an array, every
 * scalar a string as it stands there. Nesting is capped, and an alias is refused: a few lines of them can stand for
 * gigabytes, and no engine writes one.
 */
#ifndef SONDE_BASE_YAML_H
#define SONDE_BASE_YAML_H

#include "libinspect/base/json.h"

#define YAML_DEPTH_MAX 64

/* Parses the first document of bytes. Of a key that is there twice the last one counts. -EBADMSG with the line in err. */
int yaml_parse(const char *data, size_t len, json_t **ret, struct insp_err *err);

#endif
