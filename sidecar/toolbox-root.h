/* A session whose root is a toolbox: what of the sidecar is another then. See toolbox-root.c, toolbox-run.c. */
#ifndef SONDE_SIDECAR_TOOLBOX_ROOT_H
#define SONDE_SIDECAR_TOOLBOX_ROOT_H

#include "sidecar/mounts.h"
#include "sidecar/toolbox.h"

/* ---- in the builder ---- */

/* m->root: the toolbox, attached over the old root, with the host's devices and all mount points that are needed. */
int toolbox_root(const struct sidecar_plan *plan, struct mounts *m, struct insp_err *err);
/* The host's resolv.conf and hosts below dirfd (".sonde" of the root): for a session in its network. */
void toolbox_host_names(int dirfd);

/* ---- in the plan ---- */

/* The command's home directory, one component; free() it. NULL: memory is out. */
char *toolbox_home(const struct sidecar_plan *plan);

/* ---- in the command, which is in the toolbox and is who it will be ---- */

/* The shell that it has, by path: /bin/sh where there is none. It becomes SHELL in envp, a plan's. */
char *toolbox_shell(char **envp);
/* Why execvp() of program failed with error; NULL: of the shell. */
void toolbox_cannot_run(const struct toolbox *t, const char *program, int error,
			struct insp_err *err);

#endif
