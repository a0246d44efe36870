/* Tables of /proc/PID/net. The first byte is a choice, the rest is the table. */
#include "libinspect/kernel/nettables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *table = (const char *)data + 1;
	struct net_address v4, v6;
	struct net_socket socket;
	size_t at = 0, last = 0;

	if (size < 1 || net_address_parse("10.0.0.2", &v4) < 0 ||
	    net_address_parse("fd00::2", &v6) < 0)
		return 0;
	(void)nettable_fib_has(table, size - 1, &v4);
	(void)nettable_inet6_has(table, size - 1, &v6);
	while (nettable_next(table, size - 1, data[0] & 1 ? NET_UDP : NET_TCP, &at, &socket)) {
		if (at <= last || at > size - 1)
			__builtin_trap();
		last = at;
	}
	return 0;
}
