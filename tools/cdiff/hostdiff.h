/* The host's diff(1), run on two texts that nobody trusts. */
#ifndef SONDE_CDIFF_HOSTDIFF_H
#define SONDE_CDIFF_HOSTDIFF_H

#include <stdbool.h>

struct hostdiff_side {
	int fd;	    /* a regular file, read from its beginning; -1: an empty text */
	char *name; /* for the heading; already safe to print */
};

/*
 * Writes a unified diff, or that binary files differ, to stdout. tty: what is not printable is escaped. -EFBIG: a text is
 * above 16 MiB; -ETIME: it took too long, or too much memory; -ENOEXEC: the host has no diff(1).
 */
int hostdiff(const struct hostdiff_side sides[2], bool tty);

#endif
