/* How a container is started, in one form whatever engine's record it is from: insp_container.process. */
#ifndef SONDE_ENGINES_OCI_PROCESS_H
#define SONDE_ENGINES_OCI_PROCESS_H

#include "libinspect/base/json.h"

/* What an engine keeps beside the specification. */
struct oci_process_more {
	const char *user;     /* "app", "1000:adm": instead of the numbers; NULL: those */
	const json_t *groups; /* names or numbers, besides the user's own */
	size_t skip;	      /* words of the command that the engine put before it */
};

/*
 * "process" of the runtime specification with its args, env, cwd, user, capabilities and noNewPrivileges; and ours: "readonly",
 * of the root; "seccomp", whether there is a filter; "userName" and "groups" of more (may be NULL). Members of the wrong type are
 * left out. JSON text, free(). -ENOMEM.
 */
int oci_process_of_spec(const json_t *spec, const struct oci_process_more *more, char **ret);
/* Of an engine that keeps a command line only: command's words, or otherwise. -ENOMEM. */
int oci_process_of_command(const char *command, const char *otherwise, char **ret);

#endif
