/* The lines of docker diff. */
#include "tools/cdiff/cdiff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHORT_ID "12" /* digits, as everybody's lists have them */

/*
 * The digest of the image's layer, which begins with "sha256:", or what the engine calls it, which never does: an id of
 * containerd is of that form, too, and means a layer with all below it.
 */
static void put_layer_id(const struct cdiff *cdiff, const struct insp_layer *layer)
{
	const char *id = layer->diff_id ? layer->diff_id : layer->id;
	const char *colon = id ? strchr(id, ':') : NULL;
	char text[32];

	snprintf(text, sizeof(text), "%s%." SHORT_ID "s", layer->diff_id ? "sha256:" : "",
		 !id	 ? "unknown"
		 : colon ? colon + 1
			 : id);
	cdiff_put(cdiff, text);
}

/* Which layer the path came from: of a new one, which it came with. */
static void put_layer(const struct cdiff *cdiff, const struct insp_change *change)
{
	enum insp_side side = change->file[INSP_BEFORE] ? INSP_BEFORE : INSP_AFTER;
	struct insp_layer layer;

	insp_change_layer(change, side, &layer);
	printf("\t%s", cdiff_role_name(layer.role));
	if (layer.number)
		printf(" %u", layer.number);
	putchar('\t');
	put_layer_id(cdiff, &layer);
	putchar('\t');
	cdiff_put(cdiff, layer.path ? layer.path : "unknown");
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
