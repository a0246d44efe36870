/* Which files have been exported under another name of theirs: two names of one inode of one layer. */
#include "libinspect/rootfs/export.h"

#include "libinspect/base/util.h"

struct export_link {
	dev_t dev;
	ino_t ino;
	unsigned layer; /* an inode that two layers share is two files of the container */
	char *name;	/* NULL: the place is free */
};

static size_t place(const struct export_links *links, dev_t dev, ino_t ino, unsigned layer)
{
	uint64_t h = ((uint64_t)ino + layer) * UINT64_C(0x9e3779b97f4a7c15) ^ dev;
	size_t i = (size_t)(h ^ h >> 29) & (links->cap - 1);

	for (;; i = (i + 1) & (links->cap - 1)) {
		const struct export_link *l = &links->items[i];

		if (!l->name || (l->ino == ino && l->dev == dev && l->layer == layer))
			return i;
	}
}

const char *export_links_find(const struct export_links *links, const struct view_node *node,
			      unsigned layer)
{
	if (links->cap == 0)
		return NULL;
	return links->items[place(links, node->st.st_dev, node->st.st_ino, layer)].name;
}

static int grow(struct export_links *links)
{
	struct export_links bigger = { .n = links->n, .cap = links->cap ? links->cap * 2 : 256 };

	bigger.items = calloc(bigger.cap, sizeof(*bigger.items));
	if (!bigger.items)
		return -ENOMEM;
	for (size_t i = 0; i < links->cap; i++) {
		const struct export_link *l = &links->items[i];

		if (l->name)
			bigger.items[place(&bigger, l->dev, l->ino, l->layer)] = *l;
	}
	free(links->items);
	*links = bigger;
	return 0;
}

int export_links_add(struct export_links *links, const struct view_node *node, unsigned layer,
		     const char *name)
{
	struct export_link l = {
		.dev = node->st.st_dev, .ino = node->st.st_ino, .layer = layer, .name = strdup(name)
	};

	if (!l.name || (links->n * 2 >= links->cap && grow(links) < 0)) {
		free(l.name);
		return -ENOMEM;
	}
	links->items[place(links, l.dev, l.ino, layer)] = l;
	links->n++;
	return 0;
}

void export_links_clear(struct export_links *links)
{
	for (size_t i = 0; i < links->cap; i++)
		free(links->items[i].name);
	free(links->items);
	*links = (struct export_links){ 0 };
}
