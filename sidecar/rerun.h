/*
 * --rerun: what a container that does not run would start, started once more, under a program of the host's.
 *
 * That program is the session's command, as ever: at the session's root, with the host's files before its eyes. In its words {}
 * stands for the launcher, a copy of this program at SIDECAR_LAUNCHER, which goes into the container's root for good and becomes
 * the entrypoint. What it is to do is beside it in SIDECAR_ORDERS, so that {} is one word in whatever command line or script.
 */
#ifndef SONDE_SIDECAR_RERUN_H
#define SONDE_SIDECAR_RERUN_H

#include "sidecar/internal.h"

#define SIDECAR_LAUNCHER "/" SIDECAR_DIR "/entrypoint"
#define SIDECAR_ORDERS	 "/" SIDECAR_DIR "/orders"

/* ---- rerun.c ---- */

struct rerun;
/* Sets plan->rerun and the command; after environ_make(). What is not as it was in the container is a warning of the plan. */
int rerun_plan(struct sidecar_plan *plan, struct insp_err *err);
struct rerun *rerun_free(struct rerun *r);
/* Its lines of the plan in words. */
void rerun_describe(const struct sidecar_plan *plan, FILE *f);
/* In the builder: the launcher and its orders into dirfd. tree: the container's files, for its passwd. */
int rerun_put(const struct sidecar_plan *plan, int tree, int dirfd, struct insp_err *err);

/* ---- own-files.c: in the front ---- */

/* Files that are standard input, output and error, and who copies between them and the pipes that are in their place. */
struct own_files {
	int saved[3]; /* -1: it is what it was */
	pid_t copier[3];
};
#define OWN_FILES_NONE          \
	{                       \
		{ -1, -1, -1 }, \
		{               \
			0       \
		}               \
	}
/*
 * Puts a pipe in the place of each of 0, 1, 2 that is a file of the host's: the entrypoint, root of the host's user namespace, could
 * give it another owner and set-user-ID bits, or open it again to read what is in it.
 */
int own_files_keep(struct own_files *own, struct insp_err *err);
/* After the session: all that was written is in the files, and 0, 1, 2 are those again. */
void own_files_back(struct own_files *own);

/* ---- the launcher ---- */

/* What the launcher is told; a copy of it begins SIDECAR_ORDERS, the strings follow, each with its NUL, in this order. */
struct orders {
	struct insp_enter_ids ids;
	struct insp_enter_caps caps;
	bool read_only; /* its root */
	bool scratch; /* what is changed is lost, or kept elsewhere: what an engine adds may be added */
	bool filter;  /* the engine would have set one */
	bool network; /* one of its own */
	size_t n_argv, n_env, n_tmpfs;
	size_t len; /* of all strings */
};
struct order_strings {
	char *workdir, *hostname, *uid_map, *gid_map; /* the maps "": no user namespace */
	char **argv, **env, **tmpfs;		      /* NULL-terminated */
};

/* Whether this process was started as the launcher. */
bool launch_wanted(char *const argv[]);
/* Becomes the entrypoint, or waits for it: its exit status, or one of our own. */
int launch_main(void);

/* launch-mounts.c: in a mount namespace of the launcher's own: the container's root becomes the only one. */
int launch_enter_root(const struct orders *o, const struct order_strings *s, struct insp_err *err);
/* launch-filter.c: system calls that lead out, or that an engine's filter would not let through. Needs CAP_SYS_ADMIN. */
int launch_filter(bool as_engine, struct insp_err *err);

#endif
