/* The lines of docker diff. */
#include "tools/cdiff/cdiff.h"

#include <errno.h>
#include <stdio.h>

static const char *role_name(enum insp_layer_role role)
{
	static const char *const names[] = {
		[INSP_LAYER_UPPER] = "upper",
		[INSP_LAYER_ENGINE] = "engine",
		[INSP_LAYER_IMAGE] = "image",
		[INSP_LAYER_TREE] = "tree",
	};

	return names[role];
}

/* Which layer the path came from: of a new one, which it came with. */
static void put_layer(const struct cdiff *cdiff, const struct insp_change *change)
{
	enum insp_side side = change->file[INSP_BEFORE] ? INSP_BEFORE : INSP_AFTER;
	struct insp_layer layer;

	insp_change_layer(change, side, &layer);
	printf("\t%s", role_name(layer.role));
	if (layer.number)
		printf(" %u", layer.number);
	printf("\t");
	cdiff_put(cdiff, layer.path ? layer.path : "-");
}

static int each(struct cdiff *cdiff, const struct insp_change *change)
{
	printf("%c ", change->kind);
	cdiff_put(cdiff, change->path);
	if (cdiff->opts->layers)
		put_layer(cdiff, change);
	putchar(cdiff->opts->null ? '\0' : '\n');
	return ferror(stdout) ? -EIO : 0;
}

const struct cdiff_way way_lines = { .each = each };
