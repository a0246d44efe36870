/*
 * As whom a command runs: ids, capabilities, and what the kernel tells of a container's first process. The third public
 * header of libinspect; its conventions are those of inspect.h.
 */
#ifndef SONDE_CREDS_H
#define SONDE_CREDS_H

#include "libinspect/inspect.h"

#define INSP_GROUPS_MAX 64 /* of more supplementary groups the first are taken */

struct insp_enter_ids {
	bool set_uid, set_gid, set_groups;
	uid_t uid;
	gid_t gid;
	gid_t groups[INSP_GROUPS_MAX];
	size_t n_groups;
};

/* Sets of capabilities are bits 1 << CAP_x. */
struct insp_enter_caps {
	bool cut;   /* to what is in bounding */
	bool exact; /* to just these sets */
	bool no_new_privs;
	uint64_t bounding, permitted, effective, inheritable, ambient;
};

/*
 * What insp_enter_opts.as_target gives one who joins these namespaces (bits 1 << INSP_NS_x) of the target: the ids as
 * they are called there, capabilities worth nothing outside the target's own user namespace. Both are filled from
 * /proc/PID/status, which root of the container decides on. -EINVAL: its ids have no number there.
 */
int insp_enter_target_creds(const struct insp_pid *target, unsigned namespaces,
			    struct insp_enter_ids *ret_ids, struct insp_enter_caps *ret_caps,
			    struct insp_err *err);
/*
 * The calling process becomes that: bounding set, groups, ids, capabilities, no_new_privs, in the order that lets each
 * of them be set. It is not dumpable afterwards. On failure it may be half of both: end it.
 */
int insp_enter_creds_apply(const struct insp_enter_ids *ids, const struct insp_enter_caps *caps,
			   struct insp_err *err);

/* ---- how a container that does not run is started ---- */

enum insp_seccomp {
	INSP_SECCOMP_UNKNOWN,
	INSP_SECCOMP_NONE,
	INSP_SECCOMP_FILTER, /* one of the engine's */
};

/* By its engine's record, or by its image's configuration. Strings are hostile bytes. */
struct insp_start {
	char **argv, **env; /* NULL-terminated; NULL, or nothing in argv: none is recorded */
	char *user; /* "app", "1000:adm" by its own passwd and group; NULL: uid, gid, gids */
	uid_t uid;
	gid_t gid, gids[INSP_GROUPS_MAX];
	size_t n_gids;
	char **groups;	 /* more of them, names or numbers; NULL: none */
	char *workdir;	 /* NULL: / */
	bool caps_known; /* else caps has nothing but no_new_privs */
	struct insp_enter_caps caps;
	bool read_only; /* its root */
	enum insp_seccomp seccomp;
};
/*
 * Of a container resolved with INSP_WANT_CONFIG, or an image of insp_image_find(). -ENODATA: no file tells. Give back with
 * insp_start_free(), which returns NULL.
 */
int insp_start_read(const struct insp_container *c, struct insp_start **ret, struct insp_err *err);
struct insp_start *insp_start_free(struct insp_start *start);
/*
 * Whom start means, by etc/passwd and etc/group below rootfd, read by our own parser within a deadline. user (may be NULL) is
 * taken instead of start's, as "NAME|UID[:NAME|GID]". *ret_home: that of passwd, free() it; NULL: not known. -ENOENT: nobody is
 * called so; -EINVAL: it is no user.
 */
int insp_start_ids(const struct insp_start *start, const char *user, int rootfd,
		   struct insp_enter_ids *ret_ids, char **ret_home, struct insp_err *err);

/*
 * /proc/PID/environ: NUL-terminated strings, cut at 1 MiB; hostile bytes. A memory that never answers costs a
 * deadline: -ETIMEDOUT. free() *ret.
 */
int insp_pid_environ(struct insp_sys *sys, const struct insp_pid *pid, char **ret, size_t *ret_len,
		     struct insp_err *err);

/* passwd(5) of the host. */
struct insp_user {
	char *name, *home;
	uid_t uid;
	gid_t gid;
};
void insp_user_clear(struct insp_user *user);
/*
 * The host's /etc/passwd by our own parser, never NSS: by name, or with NULL by uid. -ENOENT: nobody is called so;
 * -errno: it cannot be read. Give back with insp_user_clear().
 */
int insp_user_find(struct insp_sys *sys, const char *name, uid_t uid, struct insp_user *ret,
		   struct insp_err *err);

#endif
