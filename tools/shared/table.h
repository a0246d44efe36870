/* Drawing rows with libsmartcols. Linked only into the tools that draw: libsmartcols comes as a shared library. */
#ifndef SONDE_SHARED_TABLE_H
#define SONDE_SHARED_TABLE_H

#include "tools/shared/columns.h"

struct table_opts {
	bool no_headings;
	bool no_trunc;
	/* --tree: the place of a row's parent among rows, or -1; NULL: no tree */
	ssize_t (*parent)(const void *const *rows, size_t n, size_t row);
};

/* Prints to stdout. -ENOMEM. */
int table_print(const struct columns *columns, const void *const *rows, size_t n,
		const struct table_opts *opts, struct insp_err *err);

#endif
