/* Names of images: "nginx", "shop/web:2", "host:5000/shop/web@sha256:…" (github.com/distribution/reference). */
#ifndef SONDE_ENGINES_OCI_REFERENCE_H
#define SONDE_ENGINES_OCI_REFERENCE_H

#include "libinspect/engines/engine.h"

/* As docker shows it: without "docker.io/library/" or "docker.io/" in front. Inside ref. */
const char *oci_reference_familiar(const char *ref);
/* How much of ref, len bytes without a digest, is the name: the rest is the tag with its colon ("host:5000/name" has none). */
size_t oci_reference_name_length(const char *ref, size_t len);
/*
 * Whether what a store calls an image is what somebody means by ref: the same repository, "localhost/" (as podman calls what was
 * built here) need not be said, and ":latest" need not; by a digest only with that.
 */
bool oci_reference_means(const char *ref, const char *name);
/* Whether the scan looks for an image of that name; one that has only another tag is remembered in scan->near_image. */
bool oci_image_wanted(struct engine_scan *scan, const char *name);
/* Whether ref is the image's id (hex), with or without "sha256:", or the beginning of it, 4 digits at least. */
bool oci_reference_is_id(const char *ref, const char *id);

/*
 * Hands an image to a scan for one: engine whose store at path it is in, id without "sha256:", name NULL: it has none. layers are
 * taken over, NULL: they cannot be told (engine_scan_fail() has said why). -ENOMEM.
 */
struct oci_image {
	const char *engine, *id, *name, *store;
	uid_t owner;
	const char *config; /* insp_container.image_config; NULL: not known */
};
int oci_image_found(struct engine_scan *scan, const struct oci_image *image,
		    struct insp_layers *layers);

#endif
