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

/* The launcher's program, sidecar/view-launcher.c. */
extern const uint8_t view_launcher[], view_launcher_end[];

#endif
