/* The bolt reader: any bytes behind meta pages whose checksums are put right, else nothing would get past them. */
#include "libinspect/base/bolt.h"
#include "libinspect/base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend_sum(char *buf, size_t size, size_t at)
{
	uint64_t h = 0xcbf29ce484222325u;

	if (at > size || size - at < 80)
		return;
	for (size_t i = 0; i < 56; i++)
		h = (h ^ (unsigned char)buf[at + 16 + i]) * 0x100000001b3u;
	memcpy(buf + at + 72, &h, sizeof(h));
}

struct seen {
	size_t entries;
	int depth;
};

static int visit(void *userdata, struct bolt_slice key, struct bolt_slice value,
		 const struct bolt_bucket *bucket)
{
	struct seen *seen = userdata;
	volatile char sink = 0;
	int r = 0;

	for (size_t i = 0; i < key.len; i++)
		sink ^= key.data[i];
	for (size_t i = 0; i < value.len; i++)
		sink ^= value.data[i];
	(void)sink;
	if (++seen->entries > 10000)
		return -E2BIG;
	if (bucket && seen->depth < 4) {
		seen->depth++;
		r = bolt_each(bucket, visit, seen);
		seen->depth--;
	}
	return r == -E2BIG ? r : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *buf = malloc(size + 1);
	_cleanup_bolt_ struct bolt *db = NULL;
	struct bolt_bucket root, b;
	struct seen seen = { 0 };
	struct bolt_slice v;

	memcpy(buf, data, size);
	mend_sum(buf, size, 0);
	mend_sum(buf, size, 512);
	if (bolt_parse(buf, size, &db, NULL) < 0)
		return 0;
	root = bolt_root(db);
	(void)bolt_each(&root, visit, &seen);
	if (bolt_bucket(&root, "tree", &b) == 0)
		(void)bolt_get(&b, "k20", &v);
	return 0;
}
