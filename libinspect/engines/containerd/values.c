#include "libinspect/engines/containerd/values.h"
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

/* From the year 1, where Go's times begin, to 1970. */
#define YEAR_1_TO_EPOCH 62135596800

char *containerd_string(struct bolt_slice value)
{
	return strndup(value.data, value.len);
}

/* A varint at the start of *in, which is moved behind it. */
static int take_uvarint(struct bolt_slice *in, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < in->len && i < 10; i++) {
		unsigned char c = (unsigned char)in->data[i];

		/* the tenth byte has room for one bit */
		if (i == 9 && c > 1)
			return -EBADMSG;
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c < 0x80) {
			in->data += i + 1;
			in->len -= i + 1;
			*ret = v;
			return 0;
		}
	}
	return -EBADMSG;
}

int containerd_uvarint(struct bolt_slice value, uint64_t *ret)
{
	uint64_t v;

	if (take_uvarint(&value, &v) < 0 || value.len > 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

static uint64_t big_endian(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

int containerd_time(struct bolt_slice value, int64_t *ret_ns)
{
	int64_t seconds, ns;

	if (!((value.len == 15 && value.data[0] == 1) || (value.len == 16 && value.data[0] == 2)))
		return -EBADMSG;
	ns = (int64_t)big_endian(value.data + 9, 4);
	if (ns >= 1000000000)
		return -EBADMSG;
	if (__builtin_sub_overflow((int64_t)big_endian(value.data + 1, 8), YEAR_1_TO_EPOCH,
				   &seconds) ||
	    seconds < 0 || __builtin_mul_overflow(seconds, 1000000000, &seconds) ||
	    __builtin_add_overflow(seconds, ns, &seconds))
		return -ERANGE;
	*ret_ns = seconds;
	return 0;
}

/* Skips a field's value by its wire type; bytes (2) are put into *ret. */
static int take_field(struct bolt_slice *in, unsigned wire, struct bolt_slice *ret)
{
	uint64_t n = wire == 1 ? 8 : 4;
	int r = 0;

	if (wire == 0)
		return take_uvarint(in, &n);
	if (wire == 2)
		r = take_uvarint(in, &n);
	else if (wire != 1 && wire != 5)
		return -EBADMSG;
	if (r < 0 || n > in->len)
		return -EBADMSG;
	*ret = (struct bolt_slice){ in->data, (size_t)n };
	in->data += n;
	in->len -= (size_t)n;
	return 0;
}

/* The next field of a message. */
static int next_field(struct bolt_slice *in, uint64_t *ret_tag, struct bolt_slice *ret)
{
	*ret = (struct bolt_slice){ "", 0 };
	if (take_uvarint(in, ret_tag) < 0)
		return -EBADMSG;
	return take_field(in, *ret_tag & 7, ret);
}

struct bolt_slice containerd_field(struct bolt_slice message, uint64_t tag)
{
	struct bolt_slice found = { "", 0 }, field;
	uint64_t t;

	while (message.len > 0 && next_field(&message, &t, &field) == 0)
		if (t == tag)
			found = field;
	return found;
}

int containerd_any(struct bolt_slice bytes, struct containerd_any *ret)
{
	struct containerd_any any = { { "", 0 }, { "", 0 } };

	while (bytes.len > 0) {
		struct bolt_slice field;
		uint64_t tag;

		if (next_field(&bytes, &tag, &field) < 0)
			return -EBADMSG;
		/* of a field that is there twice the last one counts */
		if (tag == (1 << 3 | 2))
			any.type_url = field;
		else if (tag == (2 << 3 | 2))
			any.value = field;
	}
	*ret = any;
	return 0;
}

int containerd_any_json(struct bolt_slice bytes, const char *const *keys, json_t **ret,
			struct insp_err *err)
{
	struct containerd_any any;

	if (containerd_any(bytes, &any) < 0)
		return insp_err_say(err, -EBADMSG, "not a protobuf message");
	if (any.value.len > IO_STATE_MAX)
		return insp_err_set(err, -EFBIG, "its JSON");
	return keys ? json_parse_members(any.value.data, any.value.len, keys, ret, err)
		    : json_parse(any.value.data, any.value.len, ret, err);
}
