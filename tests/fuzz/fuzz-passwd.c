/* passwd_parse(): any bytes; every string is inside the table's buffer. */
#include "libinspect/base/util.h"
#include "libinspect/kernel/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_passwd_ struct passwd_table t = { 0 };

	if (passwd_parse((const char *)data, size, &t) < 0)
		return 0;
	for (size_t i = 0; i < t.n; i++) {
		const struct passwd_entry *e = &t.items[i];

		if (strlen(e->name) == 0 || strlen(e->home) + strlen(e->shell) > size)
			__builtin_trap();
		if (!passwd_by_uid(&t, e->uid) || !passwd_by_name(&t, e->name))
			__builtin_trap();
	}
	return 0;
}
