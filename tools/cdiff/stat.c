/* --stat: how large each changed file was and is. */
#include "tools/cdiff/cdiff.h"
#include "tools/shared/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* "-" for what has no data of its own: a directory counts no files below it. */
static const char *size_of(const struct insp_file *file, char buf[TEXT_MAX])
{
	if (!file || !(S_ISREG(file->mode) || S_ISLNK(file->mode)))
		return "-";
	return text_size(file->size, buf);
}

static void begin(struct cdiff *cdiff)
{
	if (!cdiff->opts->null)
		printf("%7s %7s CHANGE\n", "BEFORE", "AFTER");
}

static int each(struct cdiff *cdiff, const struct insp_change *change)
{
	char before[TEXT_MAX], after[TEXT_MAX];

	printf("%7s %7s %c ", size_of(change->file[INSP_BEFORE], before),
	       size_of(change->file[INSP_AFTER], after), change->kind);
	cdiff_put(cdiff, change->path);
	putchar(cdiff->opts->null ? '\0' : '\n');
	return ferror(stdout) ? -EIO : 0;
}

static void end(struct cdiff *cdiff)
{
	int64_t by = cdiff->growth;
	char size[TEXT_MAX];

	if (cdiff->opts->null)
		return;
	text_size((uint64_t)(by < 0 ? -by : by), size);
	printf("%zu added, %zu changed, %zu deleted, %s%s\n", cdiff->n[0], cdiff->n[1], cdiff->n[2],
	       by < 0 ? "-" : "+", size);
}

const struct cdiff_way way_stat = { .begin = begin, .each = each, .end = end };
