#include "libinspect/rootfs/links.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static int by_inode(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->layer > y->layer) - (x->layer < y->layer);
}

const struct link *links_find(const struct links *links, const struct stat *st, unsigned layer)
{
	struct link key = { .dev = st->st_dev, .ino = st->st_ino, .layer = layer };
	void *const *found = tfind(&key, &links->tree, by_inode);

	return found ? *found : NULL;
}

int links_add(struct links *links, const struct stat *st, unsigned layer, const char *name,
	      const struct stat *made)
{
	size_t len = strlen(name) + 1;
	struct link *link = malloc(sizeof(*link) + len);
	struct link *const *found;

	if (!link)
		return -ENOMEM;
	*link = (struct link){ .dev = st->st_dev,
			       .ino = st->st_ino,
			       .layer = layer,
			       .made_dev = made ? made->st_dev : 0,
			       .made_ino = made ? made->st_ino : 0 };
	memcpy(link->name, name, len);
	found = tsearch(link, &links->tree, by_inode);
	if (!found || *found != link) /* another of its names is there already */
		free(link);
	return found ? 0 : -ENOMEM;
}

void links_clear(struct links *links)
{
	while (links->tree) {
		struct link *link = *(struct link **)links->tree;

		tdelete(link, &links->tree, by_inode);
		free(link);
	}
}
