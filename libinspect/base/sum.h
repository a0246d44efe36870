/* SHA-256 sums as they are written in names. */
#ifndef SONDE_SUM_H
#define SONDE_SUM_H

#include <nettle/sha2.h>

#define SUM_HEX 65
/* The sum of what it was updated with, as hexadecimal digits; it begins anew. */
void sum_hex(struct sha256_ctx *sum, char hex[SUM_HEX]);

#endif
