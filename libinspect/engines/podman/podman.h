/*
 * Inside the podman engine: its part of a graph root of containers-storage. podman.c goes through them, sql.c reads the
 * database of podman since 4.8, db.c the one before, record.c their JSON, files.c layers and mounts, json.c the lists
 * that every version keeps, live.c tells which init is alive.
 */
#ifndef SONDE_ENGINES_PODMAN_H
#define SONDE_ENGINES_PODMAN_H

#include "libinspect/base/bolt.h"
#include "libinspect/base/json.h"
#include "libinspect/engines/engine.h"
#include "libinspect/engines/freezer.h"
#include "libinspect/engines/storage/storage.h"

#define PODMAN_NAME "podman"

/* Limits of a rootless user's files; root's own are bounded by BOLT_FILE_MAX. */
#define PODMAN_USER_DB_MAX	(64 * 1024 * 1024)
#define PODMAN_USER_RECORDS_MAX 4096

/* One graph root: containers-storage's and libpod's files of one user. */
struct podman_store {
	struct engine_scan *scan;
	struct storage_root *storage;
	/* of that: */
	const char *path;
	int fd;
	uid_t owner;
	/* absolute paths, NULL: not known */
	char *run_root;	  /* containers-storage's, with the pid files */
	char *run_dir;	  /* with the runtimes' records: /run, /run/user/UID */
	char *tmp_dir;	  /* libpod's, with the exit codes of what died since */
	char *volume_dir; /* has NAME/_data of each volume */
	/*
	 * Before paths that podman wrote down, to have them on this host: "", or what path has before the graph root that
	 * podman knows (podman in a chroot, a store that was moved). Never NULL.
	 */
	char *prefix;
	/* the ids that the SQLite database has, when there is one */
	char (*sql_ids)[STORAGE_ID_LEN + 1];
	size_t n_sql_ids;
	bool has_sql;
	bool no_database; /* there is none at all; one that could not be read was noted */
	struct freezer freezer;
};
/* Opens a directory that the store's files name: only when the store's owner owns it. fd or -errno. */
int podman_open_dir(const struct podman_store *s, const char *path);
/* Prefixes err with the container and notes it. -ENOMEM when r is that, else 0. */
int podman_record_fail(const struct podman_store *s, const char *id, int r, struct insp_err *err);
/* A new container of the store. NULL when memory is out. */
struct insp_container *podman_new(const struct podman_store *s, const char *id, const char *name);

/* What podman's database says of its own paths; NULL: nothing. Borrowed. */
struct podman_paths {
	const char *graph_root, *run_root, *tmp_dir, *volume_dir;
};
/* They win over what they are by default. -ENOMEM. */
int podman_set_paths(struct podman_store *s, const struct podman_paths *paths);
/* A path that podman wrote down as one of this host: a new string; NULL when memory is out. */
char *podman_host_path(const struct podman_store *s, const char *path);

/* db.sql, podman 4.8 and later. 1: read; 0: there is none, or not all of it could be read (noted); -ENOMEM. */
int podman_sql_scan(struct podman_store *s);
/* Whether podman_sql_scan() saw this id. */
bool podman_sql_has(const struct podman_store *s, const char *id);
/* libpod/bolt_state.db. 1: read; 0: there is none, or it could not be read (noted); -ENOMEM. */
int podman_db_scan(struct podman_store *s);
/* Whether there is one. */
bool podman_db_is_there(const struct podman_store *s);
/*
 * DRIVER-containers/containers.json of every driver, for stores whose database is another, or damaged: what
 * podman_sql_scan() saw is left out. -ENOMEM.
 */
int podman_json_scan(struct podman_store *s);

/* What a container's own "state" of the database says of its process. */
struct podman_state {
	int64_t state, exit_code;
	bool exited;
	pid_t pid, conmon;
	int64_t started, finished; /* ns since the epoch, 0: never */
};
/* Fills c from the config and state JSON of the database. */
int podman_fill_config(struct podman_store *s, struct insp_container *c, const char *buf,
		       size_t len, struct insp_err *err);
int podman_fill_state(struct podman_store *s, struct insp_container *c, const char *buf, size_t len,
		      struct insp_err *err);

/* For INSP_WANT_FILES: layers by the storage's record, mounts by the configuration (NULL: none). -ENOMEM. */
int podman_fill_files(struct podman_store *s, struct insp_container *c, const json_t *config);
/* For INSP_WANT_CONFIG: its image's configuration with the container's own command and user. -ENOMEM. */
int podman_fill_image_config(struct podman_store *s, struct insp_container *c,
			     const json_t *config);

/* Whether c lives, by its runtime's record, its cgroup, or its monitor. 1, 0, -ENOMEM; as engine_claim_init(). */
int podman_claim(struct podman_store *s, struct insp_container *c, pid_t pid, pid_t conmon);
/* The exit code that the monitor of a container left behind since it was started. *ret_time: when. */
int podman_read_exit(const struct podman_store *s, const char *id, int64_t started, int *ret_code,
		     int64_t *ret_time);

#endif
