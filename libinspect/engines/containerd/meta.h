/*
 * containerd's databases, for the engines that keep their containers in it: meta.db (what there is in each namespace) and
 * the snapshotters' metadata.db (which directory is which snapshot). docs/formats/containerd.md; seen with containerd
 * 1.6.20, 1.7.24 and 2.1.9. Nothing is locked; a copy is taken when no transaction came in between (base/bolt.h).
 */
#ifndef SONDE_ENGINES_CONTAINERD_META_H
#define SONDE_ENGINES_CONTAINERD_META_H

#include "libinspect/base/bolt.h"
#include "libinspect/engines/engine.h"

/* A root directory (containerd's --root) with its databases, each read once. */
struct containerd_meta;

/*
 * Reads io.containerd.metadata.v1.bolt/meta.db below fd (the root directory, O_PATH is enough; kept as a duplicate). path
 * is where fd leads to: what is put before the layers' paths, and named in messages; owner: whose store it is; what is
 * read counts against that user's share of the scan. No link is followed below fd.
 * -ENOENT: no such file, so no store. Anything else is described in err. containerd_meta_close() it.
 */
int containerd_meta_open(struct engine_scan *scan, int fd, const char *path, uid_t owner,
			 struct containerd_meta **ret, struct insp_err *err);
/*
 * Notes, once, whether a page of one of the databases, as far as they were read until now, is damaged; then what hangs from
 * it was left out.
 */
bool containerd_meta_note_damage(const struct containerd_meta *m);
struct containerd_meta *containerd_meta_close(struct containerd_meta *m); /* returns NULL */
static inline void containerd_meta_closep(struct containerd_meta **m)
{
	containerd_meta_close(*m);
}
#define _cleanup_containerd_meta_ _cleanup_(containerd_meta_closep)

/* The root directory; stays m's. */
int containerd_meta_fd(const struct containerd_meta *m);
/* The bucket of all namespaces, "v1". Valid as long as m. -ENOENT: an empty database; -EBADMSG: damaged. */
int containerd_meta_namespaces(const struct containerd_meta *m, struct bolt_bucket *ret);

/*
 * The directories of the snapshot that namespace ns calls key, of a snapshotter that keeps directories:
 *  "overlayfs"  kind OVERLAY: upper ID/fs (of a view: an empty directory), work, lowers from the uppermost down
 *  "native"     kind DIR: upper the whole tree, lowers the tree that it was copied from
 * Layers' ids are the keys of their snapshots: of an image's layer its chain id. n_engine stays 0. -ENOENT: no such snapshot (removed meanwhile); -EOPNOTSUPP: another snapshotter; -E2BIG: a chain of
 * more than CONTAINER_LAYERS_MAX, or one that bites its tail; -EBADMSG: damaged; -ENOMEM. err says which snapshot.
 */
int containerd_snapshot_layers(struct containerd_meta *m, const char *ns, const char *snapshotter,
			       const char *key, struct insp_layers **ret, struct insp_err *err);

/*
 * Fills the diff ids of layers by the configuration of the image with that digest (hex, NULL: not known), which is found for each
 * layer to be of that image. What is not told stays unknown. -ENOMEM.
 */
int containerd_layer_diff_ids(const struct containerd_meta *m, const char *image_id,
			      struct insp_layers *layers);

#endif
