/* The command line of a daemon written in Go: the flags that matter, out of all that were given. */
#ifndef SONDE_ENGINES_GOFLAGS_H
#define SONDE_ENGINES_GOFLAGS_H

#include <stddef.h>

struct goflag {
	const char *flag; /* with its dashes */
	char **value;	  /* a new string; what was there is freed */
};

/*
 * args: len bytes of NUL-separated words. "FLAG=VALUE" or the next word; the last one of a kind counts. -ENOMEM, with
 * what was set so far.
 */
int goflags_parse(const char *args, size_t len, const struct goflag *known, size_t n_known);

#endif
