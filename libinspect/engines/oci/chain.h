/*
 * How the layers of an image are named (github.com/opencontainers/image-spec, config.md, "Layer DiffID", "Layer ChainID"): a
 * diff id is the digest of one layer's uncompressed archive, a chain id that of a layer with all that are below it.
 */
#ifndef SONDE_ENGINES_OCI_CHAIN_H
#define SONDE_ENGINES_OCI_CHAIN_H

#include "libinspect/base/json.h"
#include "libinspect/base/sum.h"
#include "libinspect/container/container.h"

#define OCI_DIGEST_SIZE (sizeof("sha256:") - 1 + SUM_HEX)

/* Whether it is "sha256:" and 64 digits; no other kind is in use. */
bool oci_is_digest(const char *s);
/* Puts the layer diff_id on chain, "" where there is none yet. -EBADMSG: it is no digest. */
int oci_chain_add(char chain[OCI_DIGEST_SIZE], const char *diff_id);
/*
 * Fills the diff ids of lowers whose ids are chain ids, from the lowest one up, by an image's "rootfs.diff_ids" (NULL: it is not
 * there). A lower that is another image's gets none, and neither do those above it. The lowest one's chain id is its diff id,
 * whatever is said. -ENOMEM.
 */
int oci_layers_by_chain(struct insp_layers *layers, const json_t *diff_ids);

#endif
