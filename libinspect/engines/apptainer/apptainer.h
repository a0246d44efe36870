/* What an instance's record says of its configuration. docs/formats/apptainer.md. */
#ifndef SONDE_ENGINES_APPTAINER_H
#define SONDE_ENGINES_APPTAINER_H

#include "libinspect/base/json.h"
#include "libinspect/engines/engine.h"

/* Records and the configuration in them: of root's, and of users'. What is larger is refused. */
#define APPTAINER_FILE_MAX (4 * 1024 * 1024)

/*
 * The configuration: JSON in base64 (RFC 4648, padded) in the record's member config. -ENOENT: none; -EBADMSG.
 * *ret: json_decref().
 */
int apptainer_config_decode(const json_t *record, json_t **ret, struct insp_err *err);

/*
 * Fills what the scan wants and the configuration tells: command, mounts that the user asked for, and the layers, where
 * the image is a directory (what is in an image file is seen by the instance alone). Directories of an owner other than
 * root must be that owner's. -ENOMEM.
 */
int apptainer_config_fill(const struct engine_scan *scan, const json_t *config,
			  struct insp_container *c);

#endif
