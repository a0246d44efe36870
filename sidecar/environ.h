/* The command's words and environment. */
#ifndef SONDE_SIDECAR_ENVIRON_H
#define SONDE_SIDECAR_ENVIRON_H

#include "sidecar/internal.h"

/* Sets plan->argv and plan->envp; needs home, inner_pid. */
int environ_make(struct sidecar_plan *plan, struct insp_err *err);
/* Where the command's home directory shall be: $HOME when that is one, else /tmp. free() it; NULL: no memory. */
char *environ_home(char *const *envp);
/* The value of key, NULL. Borrowed from envp. */
const char *environ_get(char *const *envp, const char *key);
/* A NULL-terminated array and its strings. */
void environ_free(char **strings);

#endif
