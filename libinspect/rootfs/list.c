/* The names of a merged directory. */
#include "libinspect/rootfs/view.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/marks.h"

#include <dirent.h>

#define DENTS_SIZE (64 * 1024)

/* A list that grows: names are offsets until it is whole. */
struct collect {
	const struct view_dir *dir;
	struct strbuf names;
	struct view_name *items;
	size_t n, cap;
};

void view_list_clear(struct view_list *list)
{
	free(list->items);
	free(list->names);
	*list = (struct view_list){ 0 };
}

static int add(struct collect *c, const char *name, unsigned part, unsigned char type,
	       bool whiteout)
{
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
		return add(c, deleted, part, DT_UNKNOWN, true);
	if (marks_is_own(marks, name))
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

/* By name, then from the uppermost part down; in one part the name that deletes comes before the file that it deletes. */
static int by_name(const void *a, const void *b)
{
	const struct view_name *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = (x->part > y->part) - (x->part < y->part);
	return order ? order : y->whiteout - x->whiteout;
}

/* The uppermost of each name stays, unless it is a whiteout and those are not asked for. */
static void keep_uppermost(struct view_list *list, unsigned flags)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		const char *name = list->items[i].name;

		if (!list->items[i].whiteout || (flags & VIEW_LIST_WHITEOUTS))
			list->items[n++] = list->items[i];
		while (i + 1 < list->n && strcmp(list->items[i + 1].name, name) == 0)
			i++;
	}
	list->n = n;
}

int view_list(const struct view_dir *dir, size_t n_parts, unsigned flags, struct view_list *ret)
{
	struct collect c = { .dir = dir };
	_cleanup_free_ char *buf = malloc(DENTS_SIZE);
	struct view_list list;
	int r = buf ? 0 : -ENOMEM;

	for (size_t p = 0; p < MIN_OF(n_parts, dir->n) && r == 0; p++)
		r = read_part(&c, (unsigned)p, buf);
	if (r < 0) {
		free(c.items);
		strbuf_free(&c.names);
		return r;
	}
	list = (struct view_list){ .items = c.items, .n = c.n, .names = c.names.buf };
	for (size_t i = 0; i < list.n; i++)
		list.items[i].name = list.names + (uintptr_t)list.items[i].name;
	if (list.n > 1)
		qsort(list.items, list.n, sizeof(*list.items), by_name);
	keep_uppermost(&list, flags);
	*ret = list;
	return 0;
}
