/* The target view: the sidecar's root is the target's own tree. view.c, view-toolbox.c; run in the builder. */
#ifndef SONDE_SIDECAR_VIEW_H
#define SONDE_SIDECAR_VIEW_H

#include "sidecar/mounts.h"
#include "sidecar/view-layout.h"

/* Instead of mounts_make_root() and mounts_seal_root(). What is missing in it is sent as a warning. */
int view_make_root(const struct sidecar_plan *plan, struct mounts *m, int messages,
		   struct insp_err *err);

/* The toolbox with the launcher, below root's VIEW_DIR, which is there. tree: of toolbox_mount(); -1: this host's. */
int view_add_toolbox(struct mounts *m, int tree, struct insp_err *err);

/* ---- view-users.c ---- */

/*
 * What the target view has of a container's passwd, or group: names of letters, digits and "_.-", numbers, members. Every home is
 * VIEW_HOME, every shell the toolbox's: a tool that looks for its user's files (ssh) or starts his shell finds none of the
 * container's, and a name that bash writes into its prompt is none that it expands. passwd has root in any case. NULL: memory is out. free() it.
 */
char *view_users(const char *text, size_t len, bool passwd, size_t *ret_len);

/* The launcher's program, sidecar/view-launcher.c. */
extern const uint8_t view_launcher[], view_launcher_end[];

#endif
