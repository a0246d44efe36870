/* The command's words and environment. */
#ifndef SONDE_SIDECAR_ENVIRON_H
#define SONDE_SIDECAR_ENVIRON_H

#include "sidecar/internal.h"

/* Sets plan->argv and plan->envp; needs home, inner_pid. */
int environ_make(struct sidecar_plan *plan, struct insp_err *err);
/* Where the command's home directory shall be: home when the host has that, else /tmp. free() it; NULL: no memory. */
char *environ_home(const char *home);
/* The value of key, NULL. Borrowed from envp. */
const char *environ_get(char *const *envp, const char *key);
/*
 * Takes "K=V", which may be NULL for memory that is out, and adds it or replaces what has the same K. -E2BIG: env, of
 * ENVIRON_MAX strings and a NULL, is full.
 */
#define ENVIRON_MAX 4096
int environ_put(char **env, char *pair);
/* A NULL-terminated array and its strings. */
void environ_free(char **strings);

/* ---- targetenv.c ---- */

/*
 * Adds the environment of the container's first process, or the recorded one, to env, without what programs of the host obey, of which one
 * warning of the plan tells. -ETIMEDOUT: its memory does not answer; -E2BIG.
 */
int targetenv_add(struct sidecar_plan *plan, char **env, struct insp_err *err);

#endif
