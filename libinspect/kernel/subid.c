#include "libinspect/kernel/subid.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/passwd.h"
#include "libinspect/kernel/span.h"

#define REMAP_COUNT 65536 /* what useradd(8) gives */

struct subid_line {
	struct span who;
	uint32_t first, count;
};

/* "name:100000:65536". false: it makes no sense. */
static bool parse_line(struct span line, struct subid_line *ret)
{
	if (!span_until(&line, ':', &ret->who) || span_len(&ret->who) == 0 ||
	    !span_u32(&line, &ret->first) || !span_after(&line, ":") ||
	    !span_u32(&line, &ret->count))
		return false;
	return line.p == line.end && ret->count > 0 && ret->first <= UINT32_MAX - ret->count;
}

static void append(struct idmap *m, uint32_t first, uint32_t count)
{
	uint32_t inside = m->n > 0 ? m->e[m->n - 1].inside + m->e[m->n - 1].count : 0;

	if (m->n == IDMAP_MAX || inside > UINT32_MAX - count)
		return;
	m->e[m->n].inside = inside;
	m->e[m->n].outside = first;
	m->e[m->n++].count = count;
}

static bool is_whose(const struct subid_line *l, const char *who)
{
	return span_len(&l->who) == strlen(who) && memcmp(l->who.p, who, strlen(who)) == 0;
}

void subid_parse(const char *buf, size_t len, const char *who, struct idmap *ret)
{
	struct span s = span_of(buf, len), line;
	struct subid_line l;

	while (span_line(&s, &line))
		if (parse_line(line, &l) && is_whose(&l, who))
			append(ret, l.first, l.count);
}

static int read_file(const struct insp_sys *sys, const char *file, struct io_buf *ret)
{
	_cleanup_close_ int etc = sys_open_dir(sys, "/etc");

	return etc < 0 ? etc : io_read_file(etc, file, SUBID_FILE_MAX, ret, NULL);
}

/* Whose range begins there; a new string, NULL: nobody's. */
static char *whose(const struct io_buf *b, uint32_t first)
{
	struct span s = span_of(b->data, b->len), line;
	struct subid_line l;

	while (span_line(&s, &line))
		if (parse_line(line, &l) && l.first == first)
			return strndup(l.who.p, span_len(&l.who));
	return NULL;
}

void subid_remapped(const struct insp_sys *sys, const char *file, uint32_t first, struct idmap *ret)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	_cleanup_free_ char *who = NULL;

	ret->n = 0;
	if (read_file(sys, file, &b) == 0)
		who = whose(&b, first);
	if (who)
		subid_parse(b.data, b.len, who, ret);
	/* the first one names the store: others before it are not what it was made with */
	if (ret->n == 0 || ret->e[0].outside != first) {
		ret->n = 0;
		append(ret, first, MIN_OF((uint32_t)REMAP_COUNT, UINT32_MAX - first));
	}
}

static void add_ranges(const struct insp_sys *sys, const char *file, const char *name, uid_t user,
		       struct idmap *ret)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	char number[16];

	if (read_file(sys, file, &b) < 0)
		return;
	if (name)
		subid_parse(b.data, b.len, name, ret);
	snprintf(number, sizeof(number), "%u", user);
	subid_parse(b.data, b.len, number, ret);
}

int subid_rootless(const struct insp_sys *sys, uid_t user, struct idmap *ret_uids,
		   struct idmap *ret_gids)
{
	_cleanup_passwd_ struct passwd_table users = { 0 };
	const struct passwd_entry *entry;
	int r = passwd_read(sys->rootfd, &users, NULL);

	if (r == -ENOMEM)
		return r;
	entry = passwd_by_uid(&users, user);
	ret_uids->n = ret_gids->n = 0;
	append(ret_uids, user, 1);
	append(ret_gids, entry ? entry->gid : user, 1);
	add_ranges(sys, "subuid", entry ? entry->name : NULL, user, ret_uids);
	add_ranges(sys, "subgid", entry ? entry->name : NULL, user, ret_gids);
	return 0;
}
