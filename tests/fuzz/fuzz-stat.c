/* pid_parse_stat(): any bytes; comm stays a string. */
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pid_stat st;

	if (pid_parse_stat((const char *)data, size, &st) < 0)
		return 0;
	if (strnlen(st.comm, sizeof(st.comm)) == sizeof(st.comm) || st.pid < 0 || st.ppid < 0)
		__builtin_trap();
	return 0;
}
