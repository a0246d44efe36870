/* uid_map and gid_map. user_namespaces(7), "User and group ID mappings". */
#include "libinspect/kernel/idmap.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/span.h"

#define IDMAP_FILE_MAX (16 * 1024) /* 340 lines of 33 bytes */

int idmap_parse(const char *buf, size_t len, struct idmap *ret)
{
	struct span s = span_of(buf, len), line;
	size_t n = 0;

	while (span_line(&s, &line)) {
		uint32_t in, out, count;

		if (n == IDMAP_MAX)
			return -E2BIG;
		if (!span_u32(&line, &in) || !span_u32(&line, &out) || !span_u32(&line, &count))
			return -EBADMSG;
		span_blanks(&line);
		if (line.p != line.end || count == 0 || in > UINT32_MAX - count ||
		    out > UINT32_MAX - count)
			return -EBADMSG;
		ret->e[n].inside = in;
		ret->e[n].outside = out;
		ret->e[n].count = count;
		n++;
	}
	ret->n = n;
	return 0;
}

int idmap_read(int pid_procfd, const char *file, struct idmap *ret)
{
	char buf[IDMAP_FILE_MAX];
	ssize_t n = io_read_small(pid_procfd, file, buf, sizeof(buf));

	return n < 0 ? (int)n : idmap_parse(buf, (size_t)n, ret);
}

uint32_t idmap_to_inside(const struct idmap *m, uint32_t outside)
{
	for (size_t i = 0; i < m->n; i++)
		if (outside >= m->e[i].outside && outside - m->e[i].outside < m->e[i].count)
			return m->e[i].inside + (outside - m->e[i].outside);
	return UINT32_MAX;
}

uint32_t idmap_to_outside(const struct idmap *m, uint32_t inside)
{
	for (size_t i = 0; i < m->n; i++)
		if (inside >= m->e[i].inside && inside - m->e[i].inside < m->e[i].count)
			return m->e[i].outside + (inside - m->e[i].inside);
	return UINT32_MAX;
}

/* The part of the range (inside, outside in the middle, count) that one line of the outer map has. */
static void add_common(struct idmap *ret, uint32_t inside, uint32_t middle, uint32_t count,
		       const struct idmap *outer, size_t line)
{
	uint64_t first = MAX_OF(middle, outer->e[line].inside);
	uint64_t end = MIN_OF((uint64_t)middle + count,
			      (uint64_t)outer->e[line].inside + outer->e[line].count);

	if (first >= end || ret->n == IDMAP_MAX)
		return;
	ret->e[ret->n].inside = (uint32_t)(inside + (first - middle));
	ret->e[ret->n].outside =
		(uint32_t)(outer->e[line].outside + (first - outer->e[line].inside));
	ret->e[ret->n++].count = (uint32_t)(end - first);
}

void idmap_compose(const struct idmap *inner, const struct idmap *outer, struct idmap *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < inner->n; i++)
		for (size_t k = 0; k < outer->n; k++)
			add_common(ret, inner->e[i].inside, inner->e[i].outside, inner->e[i].count,
				   outer, k);
}

bool idmap_is_identity(const struct idmap *m)
{
	return m->n == 1 && m->e[0].inside == 0 && m->e[0].outside == 0 &&
	       m->e[0].count == UINT32_MAX;
}
