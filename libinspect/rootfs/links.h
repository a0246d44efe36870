/* Inside rootfs/: files with several names, by where they came from; what was made of the first name is remembered. */
#ifndef SONDE_ROOTFS_LINKS_H
#define SONDE_ROOTFS_LINKS_H

#include <sys/stat.h>

/* Free with links_clear(). */
struct links {
	void *tree; /* of tsearch() */
};

struct link {
	dev_t dev; /* of the source */
	ino_t ino;
	unsigned layer; /* an inode that two layers share is two files of the container */
	dev_t made_dev; /* of what was made; 0 where that is not looked at */
	ino_t made_ino;
	char name[];
};

/* NULL: no name of it was remembered. The table's. */
const struct link *links_find(const struct links *links, const struct stat *st, unsigned layer);
/* Remembers its first name; a later one changes nothing. made may be NULL. -ENOMEM. */
int links_add(struct links *links, const struct stat *st, unsigned layer, const char *name,
	      const struct stat *made);
void links_clear(struct links *links);

#endif
