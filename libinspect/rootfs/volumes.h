/*
 * Inside rootfs/: what a container's configuration mounts over its layers: volumes, directories and files of the host. While
 * it runs they are seen through /proc/PID/root; of a stopped one this finds them again by c->mounts.
 *
 * A source in root's record is root's word: links of the administrator are followed, but not below what another mount of
 * the container lets it write to. One in a user's record is believed only where that user (or an id of that user's,
 * /etc/subuid) owns the file or directory that it is, and no link is followed to it: else a record that says "/etc" would
 * have root read, or write, what its user may not.
 */
#ifndef SONDE_ROOTFS_VOLUMES_H
#define SONDE_ROOTFS_VOLUMES_H

#include "libinspect/rootfs/path.h"
#include "libinspect/rootfs/rootfs.h"

struct volume {
	const struct insp_mount *mount; /* the container's */
	char *path;			/* where it is inside: absolute, without links */
	/*
	 * Why it cannot be looked into: -ENODATA: a tmpfs, whose files went with the container, or a source that is not known;
	 * -EPERM: a user's record names what is not that user's; -ESTALE: the container runs, and it is not mounted there (any
	 * more); -ENOENT … of its source. 0: it can.
	 */
	int error;
	/* Its directory on the host; of a single file the one that it is in. Ids inside, as in any view. */
	struct view view;
	char *name; /* of a single file: in that directory; NULL: it is a directory */
};
/* Free with volumes_close(). */
struct volumes {
	struct volume *items; /* by path: one that is in another comes after it */
	size_t n;
};
/*
 * Those of files, which is of INSP_FILES_LAYERS and must live as long; of INSP_FILES_LIVE there are none: they are seen.
 * to_write: as they are, and not sealed. Only -ENOMEM: what is wrong with one is in its error.
 */
int volumes_open(const struct insp_files *files, bool to_write, struct volumes *ret);
/*
 * The same of a container that runs, as they are mounted in it: live is its INSP_FILES_LIVE. What is mounted further down in
 * one is not part of it (-EXDEV), as it is not where a stopped one's is sealed; so a user's container shows root nothing but
 * what is that user's.
 */
int volumes_open_live(const struct insp_files *files, const struct insp_files *live,
		      struct volumes *ret);
void volumes_close(struct volumes *v);
#define _cleanup_volumes_ _cleanup_(volumes_close)

/*
 * What it is, checked once more: its directory, or the single file, which could be another one by now. For a mount; O_PATH
 * or as opened. Of volumes_open() with to_write only. The caller's fd; -ESTALE: it is another kind of file now.
 */
int volume_open(const struct insp_files *files, const struct volume *v);
/* Why it could not be done (verb: "export") with one: error, which may be the volume's. Code 0: a tmpfs, a remark. */
void volume_say(const struct volume *v, int error, const char *verb, struct insp_err *err);

/* The one that is mounted on exactly this path (absolute, without links); NULL: none. For a walk that goes on in its view. */
const struct volume *volumes_at(const struct volumes *v, const char *path);
/* The one that a directory belongs to; NULL: the layers. */
const struct volume *volumes_of(const struct volumes *v, const struct view_dir *dir);

/*
 * path_resolve() in the layers with the volumes mounted: what lies in one ends in its view. The directory that a volume is
 * has no name there (as "/" has none), a single file that of its source; path is the container's. And the error of a volume
 * that the path leads into.
 */
int volumes_resolve(const struct view *layers, const struct volumes *v, const char *path,
		    unsigned flags, struct path_at *ret);

#endif
