#include "libinspect/engines/oci/runtime.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

const struct runtime *const runtimes[] = { &runtime_crun, &runtime_runc, NULL };

static int add_pair(struct insp_container *c, const char *pair)
{
	const char *eq = pair ? strchr(pair, '=') : NULL;
	_cleanup_free_ char *key = NULL;

	/* runc's own among the user's: where it was created from */
	if (!eq || eq == pair || str_starts(pair, "bundle="))
		return 0;
	key = strndup(pair, (size_t)(eq - pair));
	return key ? container_add_label(c, key, eq + 1) : -ENOMEM;
}

int runtime_add_labels(struct insp_container *c, const json_t *labels)
{
	const char *key;
	json_t *value;
	size_t i;
	int r = 0;

	if (json_is_array(labels)) {
		json_array_foreach (labels, i, value) {
			r = add_pair(c, json_string_value(value));
			if (r < 0)
				return r;
		}
		return 0;
	}
	/* jansson's iteration takes no const, and changes nothing */
	json_object_foreach ((json_t *)labels, key, value) {
		if (json_is_string(value))
			r = container_add_label(c, key, json_string_value(value));
		if (r < 0)
			return r;
	}
	return 0;
}

char *runtime_join_args(const json_t *args)
{
	struct strbuf sb = { 0 };
	json_t *value;
	size_t i;

	if (json_array_size(args) == 0)
		return NULL;
	json_array_foreach (args, i, value) {
		if (i > 0)
			strbuf_puts(&sb, " ");
		if (json_is_string(value))
			strbuf_puts(&sb, json_string_value(value));
	}
	return strbuf_take(&sb);
}
