/*
 * OCI runtimes as seen by engines that drive them: who is the init of container ID, by the runtime's own record.
 * It holds the start time, which an engine's record may lack.
 */
#ifndef SONDE_ENGINES_RUNTIME_H
#define SONDE_ENGINES_RUNTIME_H

#include "libinspect/base/json.h"
#include "libinspect/container/container.h"

struct runtime_init {
	pid_t pid;
	uint64_t start; /* clock ticks since boot; never 0 */
};

struct runtime {
	const char *name;
	const char *root;     /* of root's containers */
	const char *user_dir; /* below a user's runtime directory */
	bool small_record; /* under a page: worth reading even where a cgroup would tell as well */
	/* The init of the container whose record is in recordfd. -ENOENT: no record; -EBADMSG: none that makes sense. */
	int (*read_init)(int recordfd, size_t max, struct runtime_init *ret);
};

extern const struct runtime runtime_crun, runtime_runc;
/* NULL-terminated. */
extern const struct runtime *const runtimes[];

/* "K=V" strings or an object of strings, as labels. OCI annotations come in both forms. -ENOMEM. */
int runtime_add_labels(struct insp_container *c, const json_t *labels);
/* A new string of the words of a JSON array; NULL when there are none, or memory is out. */
char *runtime_join_args(const json_t *args);

#endif
