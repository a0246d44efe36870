/* The configuration of an image that is made of a container. */
#ifndef SONDE_ENGINES_OCI_IMAGE_H
#define SONDE_ENGINES_OCI_IMAGE_H

#include "libinspect/base/json.h"

/* This host's architecture, by Go's name for it, as images have it; buf. */
#define OCI_ARCHITECTURE_MAX 65
const char *oci_architecture(char buf[OCI_ARCHITECTURE_MAX]);

/*
 * Of an image's "config", or docker's of a container, the members that an image has, as JSON text (free()). NULL and what is no
 * object give an empty one; members of the wrong type are left out. -ENOMEM.
 */
int oci_image_config(const json_t *config, char **ret);
/* The same of "process" in the runtime specification: what is run, its environment, directory and user. -ENOMEM. */
int oci_image_config_of_process(const json_t *process, char **ret);

#endif
