#include "libinspect/base/sum.h"

#include <nettle/version.h>
#include <stdio.h>

void sum_hex(struct sha256_ctx *sum, char hex[SUM_HEX])
{
	uint8_t digest[SHA256_DIGEST_SIZE];

#if NETTLE_VERSION_MAJOR >= 4
	sha256_digest(sum, digest);
#else
	sha256_digest(sum, sizeof(digest), digest);
#endif
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}
