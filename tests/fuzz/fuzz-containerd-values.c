/* containerd: values of its databases, its command line and its configuration file, from any bytes. */
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/containerd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bolt_slice all = { (const char *)data, size };
	_cleanup_containerd_flags_ struct containerd_flags args = { 0 }, config = { 0 };
	_cleanup_json_ json_t *j = NULL;
	struct containerd_any any;
	struct bolt_slice field;
	uint64_t u;
	int64_t ns = 0;

	(void)containerd_uvarint(all, &u);
	if (containerd_time(all, &ns) == 0 && ns < 0)
		__builtin_trap();
	field = containerd_field(all, 2 << 3 | 2);
	if (containerd_any(all, &any) == 0 &&
	    (any.value.len > size || field.len != any.value.len ||
	     (any.value.len > 0 &&
	      (any.value.data < all.data || any.value.data > all.data + size))))
		__builtin_trap();
	(void)containerd_any_json(all, NULL, &j, NULL);
	(void)containerd_flags_parse(all.data, all.len, &args);
	(void)containerd_config_parse(all.data, all.len, &config, NULL);
	return 0;
}
