/* Inside the toolbox's files: what each kind of one does. */
#ifndef SONDE_SIDECAR_TOOLBOX_KINDS_H
#define SONDE_SIDECAR_TOOLBOX_KINDS_H

#include "sidecar/toolbox.h"

#define TOOLBOX_DENIED                                                                      \
	"this needs CAP_SYS_ADMIN on the host, and no seccomp filter, AppArmor or SELinux " \
	"that denies mounts"

/* toolbox-names.c: root, or who called root by sudo(8). */
bool toolbox_is_trusted_owner(uid_t uid, char *const *envp);

/* The directories that a toolbox is made of, in the builder; the lowest first. */
#define TOOLBOX_LAYERS_MAX 128
struct toolbox_lowers {
	int fd[TOOLBOX_LAYERS_MAX];
	size_t n;
};

/*
 * toolbox-archive.c: unpacks it below scratch, a directory in memory. What is in *ret is the caller's to close, on failure too.
 * -EBADMSG: no archive, or it is damaged, or would reach out of its tree.
 */
int toolbox_unpack(const struct toolbox *t, int scratch, struct toolbox_lowers *ret,
		   struct insp_err *err);

/* toolbox-loop.c: mounts what is in the file on the directory at of dirfd. In the builder. */
int toolbox_attach_image(const struct toolbox *t, int dirfd, const char *at, struct insp_err *err);

#endif
