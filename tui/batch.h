/* Frames as text: a table, CSV, or a JSON object a line. */
#ifndef SONDE_TUI_BATCH_H
#define SONDE_TUI_BATCH_H

#include "tui/model.h"

enum batch_form {
	BATCH_TABLE,
	BATCH_CSV,
	BATCH_JSON,
};

struct batch {
	enum batch_form form;
	const struct columns *columns;
	bool no_headings;
	bool no_trunc;
};

/* The model's rows on stdout; first: nothing was printed before. -ENOMEM. */
int batch_print(const struct batch *batch, const struct model *model, bool first);

#endif
