/*
 * The names of a merged directory. A container may make a directory as large as it likes: so many names are held, the first ones
 * by their bytes, and for the next ones it is read once more.
 */
#include "libinspect/rootfs/view.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/marks.h"

#include <dirent.h>

#define DENTS_SIZE (64 * 1024)

/* What is kept, at the most; twice as much is held before it is sorted and the rest dropped. */
#define KEPT_MAX  32768
#define BYTES_MAX ((size_t)512 * 1024)

/* A list that grows: names are offsets until it is whole. */
struct collect {
	const struct view_dir *dir;
	struct strbuf names;
	struct view_name *items;
	size_t n, cap;
	const char *after;	   /* only names behind this one; NULL: all */
	char *bound;		   /* and none behind this one: there was no room for them */
	uint64_t seen, seen_bytes; /* behind after */
};

void view_list_clear(struct view_list *list)
{
	free(list->items);
	free(list->names);
	free(list->last);
	*list = (struct view_list){ 0 };
}

/* By name, then from the uppermost part down; in one part the name that deletes comes before the file that it deletes. */
static int by_name(const void *a, const void *b)
{
	const struct view_name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = (x->part > y->part) - (x->part < y->part);
	return order ? order : y->whiteout - x->whiteout;
}

/* Names become pointers; the uppermost of each stays. */
static void sort(struct collect *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		c->items[i].name = c->names.buf + (uintptr_t)c->items[i].name;
	if (c->n > 1)
		qsort(c->items, c->n, sizeof(*c->items), by_name);
	for (size_t i = 0; i < c->n; i++)
		if (n == 0 || strcmp(c->items[n - 1].name, c->items[i].name) != 0)
			c->items[n++] = c->items[i];
	c->n = n;
}

/* Of sorted names those that there is room for, in a new buffer; they are offsets again. */
static int pack(struct collect *c)
{
	struct strbuf names = { 0 };
	size_t i;

	for (i = 0; i < c->n && i < KEPT_MAX && names.len < BYTES_MAX; i++) {
		const char *name = c->items[i].name;

		c->items[i].name = (const char *)(uintptr_t)names.len;
		strbuf_add(&names, name, strlen(name) + 1);
	}
	if (i < c->n && !names.failed) {
		free(c->bound);
		c->bound = strdup(names.buf + (uintptr_t)c->items[i - 1].name);
		names.failed = !c->bound;
	}
	c->n = i;
	strbuf_free(&c->names);
	c->names = names;
	return names.failed ? -ENOMEM : 0;
}

static bool is_full(const struct collect *c)
{
	return c->n >= 2 * KEPT_MAX || c->names.len >= 2 * BYTES_MAX;
}

static int add(struct collect *c, const char *name, unsigned part, unsigned char type,
	       bool whiteout)
{
	if (is_full(c)) {
		int r;

		sort(c);
		r = pack(c);
		if (r < 0)
			return r;
	}
	if (c->bound && strcmp(name, c->bound) > 0)
		return 0;
	if (!util_grow(&c->items, c->n, &c->cap, sizeof(*c->items), 64))
		return -ENOMEM;
	c->items[c->n++] = (struct view_name){
		.name = (const char *)(uintptr_t)c->names.len,
		.part = part,
		.type = type,
		.whiteout = whiteout,
	};
	strbuf_add(&c->names, name, strlen(name) + 1);
	return c->names.failed ? -ENOMEM : 0;
}

/* Whether the name is one of those that are looked for; counted before it is known which have room. */
static bool is_wanted(struct collect *c, const char *name)
{
	if (c->after && strcmp(name, c->after) <= 0)
		return false;
	c->seen++;
	c->seen_bytes += strlen(name) + 1;
	return !c->bound || strcmp(name, c->bound) <= 0;
}

/* Whether the file is a whiteout; what may be one by its type is looked at. */
static bool is_whiteout(const struct collect *c, int fd, const char *name, unsigned char *type)
{
	unsigned marks = c->dir->view->marks;
	struct stat st;

	if (*type != DT_CHR && *type != DT_UNKNOWN && !(c->dir->xwhiteouts && *type == DT_REG))
		return false;
	if (!(marks & VIEW_DEVICE) && *type != DT_UNKNOWN)
		return false;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*type = IFTODT(st.st_mode);
	return marks_is_whiteout(marks, &st) ||
	       (c->dir->xwhiteouts && marks_is_xwhiteout(marks, fd, name, &st));
}

static int add_entry(struct collect *c, unsigned part, const char *name, unsigned char type)
{
	unsigned marks = c->dir->view->marks;
	const char *deleted = marks_deletes(marks, name);

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (deleted)
		return is_wanted(c, deleted) ? add(c, deleted, part, DT_UNKNOWN, true) : 0;
	if (marks_is_own(marks, name) || !is_wanted(c, name))
		return 0;
	return add(c, name, part, type, is_whiteout(c, c->dir->parts[part].fd, name, &type));
}

static int read_part(struct collect *c, unsigned part, char *buf)
{
	const struct view_part *p = &c->dir->parts[part];
	int fd = p->fd, r = rights_fd(c->dir->view->layers[p->layer].rights, fd, RIGHTS_READ);

	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while (true) {
		ssize_t n = getdents64(fd, buf, DENTS_SIZE);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *de = (const struct dirent64 *)(buf + at);

			r = add_entry(c, part, de->d_name, de->d_type);

			if (r < 0)
				return r;
			at += de->d_reclen;
		}
	}
}

static void drop_whiteouts(struct collect *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (!c->items[i].whiteout)
			c->items[n++] = c->items[i];
	c->n = n;
}

static void collect_clear(struct collect *c)
{
	free(c->items);
	strbuf_free(&c->names);
	free(c->bound);
}

/* The names behind after. again: how often others may be looked for; 0: by how many were seen. */
static int collect(const struct view_dir *dir, size_t n_parts, unsigned flags, const char *after,
		   uint64_t again, struct view_list *ret)
{
	struct collect c = { .dir = dir, .after = after };
	_cleanup_free_ char *buf = malloc(DENTS_SIZE);
	int r = buf ? 0 : -ENOMEM;

	for (size_t p = 0; p < MIN_OF(n_parts, dir->n) && r == 0; p++)
		r = read_part(&c, (unsigned)p, buf);
	if (r < 0) {
		collect_clear(&c);
		return r;
	}
	sort(&c);
	if (!(flags & VIEW_LIST_WHITEOUTS))
		drop_whiteouts(&c);
	*ret = (struct view_list){
		.items = c.items,
		.n = c.n,
		.names = c.names.buf,
		.last = c.bound,
		.again = again ? again : c.seen / KEPT_MAX + c.seen_bytes / BYTES_MAX + 2,
	};
	return 0;
}

int view_list(const struct view_dir *dir, size_t n_parts, unsigned flags, struct view_list *ret)
{
	struct view_list list;
	int r = collect(dir, n_parts, flags, NULL, 0, &list);

	if (r < 0)
		return r;
	*ret = list;
	r = list.n == 0 ? view_list_more(dir, n_parts, flags, ret) : 0;
	return r < 0 ? r : 0;
}

int view_list_more(const struct view_dir *dir, size_t n_parts, unsigned flags,
		   struct view_list *list)
{
	while (list->last && list->again > 1) {
		struct view_list next;
		int r = collect(dir, n_parts, flags, list->last, list->again - 1, &next);

		view_list_clear(list);
		if (r < 0)
			return r;
		*list = next;
		if (list->n > 0)
			return 1;
	}
	return 0;
}
