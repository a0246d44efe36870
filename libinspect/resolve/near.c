#include "libinspect/resolve/near.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <ctype.h>

#define LENGTH_MAX 64 /* longer names are not compared */
#define FAR	   ((unsigned)-1)
#define SHOWN	   3

static char lower(char c)
{
	return (char)tolower((unsigned char)c);
}

/* Optimal string alignment: Levenshtein's distance with swaps of neighbours. */
static unsigned edits(const char *a, size_t n, const char *b, size_t m)
{
	unsigned d[LENGTH_MAX + 1][LENGTH_MAX + 1];

	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);
			unsigned best = MIN_OF(d[i - 1][j], d[i][j - 1]) + 1;

			best = MIN_OF(best, d[i - 1][j - 1] + (same ? 0 : 1));
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				best = MIN_OF(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	return d[n][m];
}

unsigned insp_near(const char *asked, const char *name)
{
	size_t n = strlen(asked), m = strlen(name);
	unsigned e;

	if (n == 0 || m == 0 || n > LENGTH_MAX || m > LENGTH_MAX)
		return FAR;
	e = edits(asked, n, name, m);
	if (e * 3 <= MAX_OF(n, m))
		return e;
	return strncasecmp(asked, name, MIN_OF(n, m)) == 0 && MIN_OF(n, m) >= 2 ? e : FAR;
}

/* Puts c among the nearest ones, by distance; a name only once. */
static void keep_nearest(const struct insp_container **nearest, unsigned *far,
			 const struct insp_container *c, unsigned distance)
{
	size_t i = SHOWN;

	for (size_t k = 0; k < SHOWN; k++)
		if (nearest[k] && strcmp(nearest[k]->name, c->name) == 0)
			return;
	while (i > 0 && (!nearest[i - 1] || far[i - 1] > distance))
		i--;
	if (i == SHOWN)
		return;
	for (size_t k = SHOWN - 1; k > i; k--) {
		nearest[k] = nearest[k - 1];
		far[k] = far[k - 1];
	}
	nearest[i] = c;
	far[i] = distance;
}

static void add_shown(struct strbuf *sb, const struct insp_container *c, const char *engine)
{
	_cleanup_free_ char *name = insp_escape_str(c->name);
	bool other = engine && strcmp(engine, c->engine) != 0;

	strbuf_printf(sb, "%s'%s%s%s'", sb->len ? ", " : "", other ? c->engine : "",
		      other ? ":" : "", name ? name : "?");
}

void near_hint(const struct insp_list *list, const char *asked, const char *engine,
	       struct insp_err *err)
{
	const struct insp_container *nearest[SHOWN] = { NULL };
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	unsigned far[SHOWN] = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		unsigned distance = insp_near(asked, list->items[i]->name);

		if (distance != FAR)
			keep_nearest(nearest, far, list->items[i], distance);
	}
	for (size_t i = 0; i < SHOWN && nearest[i]; i++)
		add_shown(&sb, nearest[i], engine);
	if (sb.len)
		insp_err_hint(err, "similar names: %s", sb.buf);
}
