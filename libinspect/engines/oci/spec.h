/*
 * config.json of the OCI runtime specification (github.com/opencontainers/runtime-spec, config.md, 1.0 to 1.2), which
 * containerd, podman, runc and crun keep a copy of.
 */
#ifndef SONDE_ENGINES_OCI_SPEC_H
#define SONDE_ENGINES_OCI_SPEC_H

#include "libinspect/base/json.h"
#include "libinspect/container/container.h"

/*
 * Fills what want asks for and the specification tells: with INSP_WANT_DETAIL command and hostname, where unset; with
 * INSP_WANT_FILES the mounts that are somebody's choice: binds and tmpfs, without those that every engine makes (/dev/shm,
 * /sys/fs/cgroup, /etc/hosts, /etc/resolv.conf, /run/.containerenv …). Mounts are added to those that are there; a source
 * that is relative to the bundle is left unset, and so is a volume's name: the specification has none; with INSP_WANT_CONFIG
 * image_config and process, where unset. -ENOMEM.
 */
int oci_spec_fill(const json_t *spec, unsigned want, struct insp_container *c);

/* The path of the root directory on the host: text to be shown. *ret stays as it is when there is none. -ENOMEM. */
int oci_spec_rootfs(const json_t *spec, const char *bundle, char **ret);

#endif
