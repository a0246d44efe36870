/* pid_parse_status(): any bytes; counts stay within their arrays. */
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pid_status st;

	if (pid_parse_status((const char *)data, size, &st) < 0)
		return 0;
	if (st.n_ns_pids > ARRAY_SIZE(st.ns_pids) || st.n_groups > ARRAY_SIZE(st.groups))
		__builtin_trap();
	return 0;
}
