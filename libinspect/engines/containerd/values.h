/*
 * The values in containerd's databases: text, varints, Go's times, protobuf's Any. Bytes of any length and kind; what they
 * hold (labels, specifications) is whoever's who made the container.
 */
#ifndef SONDE_ENGINES_CONTAINERD_VALUES_H
#define SONDE_ENGINES_CONTAINERD_VALUES_H

#include "libinspect/base/bolt.h"
#include "libinspect/base/json.h"

/* A new string, up to the first NUL byte. NULL: out of memory. */
char *containerd_string(struct bolt_slice value);
/* encoding/binary.PutUvarint, the whole value. -EBADMSG. */
int containerd_uvarint(struct bolt_slice value, uint64_t *ret);
/*
 * time.Time's MarshalBinary, version 1 (15 bytes) or 2 (16, with seconds in the zone) -> ns since the epoch. -EBADMSG;
 * -ERANGE: not in the years 1970 to 2261, the zero time among them.
 */
int containerd_time(struct bolt_slice value, int64_t *ret_ns);
/* google.protobuf.Any: type_url (1) and value (2), which stay inside the given bytes. -EBADMSG. */
struct containerd_any {
	struct bolt_slice type_url, value;
};
int containerd_any(struct bolt_slice bytes, struct containerd_any *ret);
/* The last field with that tag (number << 3 | 2) of a message; empty: none. */
struct bolt_slice containerd_field(struct bolt_slice message, uint64_t tag);
/* The value of an Any as JSON, only those members that keys names (NULL: all). -EBADMSG; json_decref() it. */
int containerd_any_json(struct bolt_slice bytes, const char *const *keys, json_t **ret,
			struct insp_err *err);

#endif
