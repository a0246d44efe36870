/* toml_each(): any bytes; what is handed over lies inside them. */
#include "libinspect/base/toml.h"
#include "libinspect/base/util.h"

struct bounds {
	const char *from, *to;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct bounds *b, const struct toml_text *t)
{
	if (t->p && (t->p < b->from || t->len > (size_t)(b->to - t->p)))
		__builtin_trap();
}

static int look(void *userdata, const struct toml_item *item)
{
	const struct bounds *b = userdata;

	if (item->table.len > 0)
		inside(b, &item->table);
	inside(b, &item->key);
	inside(b, &item->value);
	return toml_is(item->key, "root") ? -EBADMSG : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bounds b = { (const char *)data, (const char *)data + size };
	struct insp_err err = { 0 };

	toml_each((const char *)data, size, look, &b, &err);
	return 0;
}
