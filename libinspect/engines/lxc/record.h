/* backup.yaml: what LXD 5.0 and incus 6.0 keep beside each container's root (docs/formats/lxd.md). */
#ifndef SONDE_ENGINES_LXC_RECORD_H
#define SONDE_ENGINES_LXC_RECORD_H

#include "libinspect/base/json.h"
#include "libinspect/container/container.h"

/* With its snapshots, each with a whole configuration. */
#define LXD_RECORD_MAX (4 * 1024 * 1024)

/*
 * Parses (buf, len). *ret: the member "container" or "instance", an object; json_decref(). -EBADMSG: there is none, and
 * what yaml_parse() refuses.
 */
int lxd_record_parse(const char *buf, size_t len, json_t **ret, struct insp_err *err);
/*
 * From such an object: created, image, image_id, project; with INSP_WANT_DETAIL hostname and labels, with INSP_WANT_FILES
 * mounts. dir: the daemon's directory. -ENOMEM.
 */
int lxd_record_fill(const json_t *record, unsigned want, const char *dir, struct insp_container *c);

#endif
