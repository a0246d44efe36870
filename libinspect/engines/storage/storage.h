/*
 * containers-storage (go.podman.io/storage, formerly github.com/containers/storage; 1.43 to 1.62): graph roots with the
 * layers, images and containers of several engines. Which engine a container is of stands in its metadata only.
 *
 * A user's graph root is the user's to arrange and hostile to whoever reads it as root: it counts as a user's only
 * when that user owns the directory, files in it are opened without following links, sizes are capped, and what its
 * records say of processes is believed of that user's only (engine_claim_init()).
 *
 * docs/formats/podman.md has where graph roots are and what is in one. roots.c finds them, discover.c those that only a
 * running container tells, conf.c reads storage.conf, records.c the lists of containers, layers.c a layer's directories.
 */
#ifndef SONDE_ENGINES_STORAGE_H
#define SONDE_ENGINES_STORAGE_H

#include "libinspect/base/json.h"
#include "libinspect/engines/engine.h"

/* Limits of a user's files; root's own are bounded by IO_STATE_MAX. */
#define STORAGE_USER_JSON_MAX	 (4 * 1024 * 1024)
#define STORAGE_USER_RECORDS_MAX 4096

#define STORAGE_ID_LEN 64

struct storage_driver; /* inside records.c */

/* One graph root. */
struct storage_root {
	struct engine_scan *scan;
	char *path;  /* absolute, on this host */
	int fd;	     /* on it */
	uid_t owner; /* who owns that directory, by the kernel */
	dev_t dev;
	ino_t ino;
	char *run_root; /* by the configuration or the default, absolute; an engine's own files may know better */
	struct storage_driver *drivers; /* read when asked for */
	size_t n_drivers;
	bool drivers_read;
	/* layers.c's: whether overlay is mounted with a program of user space, read when asked for */
	bool with_program, program_read;
};

struct storage_roots {
	struct storage_root **items;
	size_t n;
};
/*
 * Every graph root of this host: root's, the ones that the caller named for an engine with storage in its struct
 * engine, every user's, and those that running containers tell. Looked for once a scan; each is there once, whatever
 * leads to it. What cannot be opened is noted. *ret stays the scan's. -ENOMEM.
 */
int storage_roots(struct engine_scan *scan, const struct storage_roots **ret);

/* A container's record of DRIVER-containers/{containers,volatile-containers}.json. The root's, with all its strings. */
struct storage_record {
	const char *driver;   /* "overlay", "vfs" */
	const char *id;	      /* STORAGE_ID_LEN lower-case hex digits */
	const char *name;     /* the first; NULL: none */
	const char *image;    /* its id; NULL: none (buildah's from scratch) */
	const char *layer;    /* the id of its own, uppermost layer; NULL: none */
	const char *metadata; /* text, JSON by habit; NULL: none */
	int64_t created;      /* ns since the epoch, 0: unknown */
	const json_t *json;   /* the whole record */
};
/*
 * Calls fn for every record, of all drivers. Read once a scan; what cannot be read is noted. A file without the reference
 * that is looked for may be left out: not one with mark in it (NULL: none), for an engine whose names stand elsewhere.
 * Returns what fn did when that was negative, which ends it; -ENOMEM.
 */
typedef int (*storage_record_fn)(void *userdata, struct storage_root *root,
				 const struct storage_record *record);
int storage_each_record(struct storage_root *root, const char *mark, storage_record_fn fn,
			void *userdata);
/*
 * Whether a container that the scan looks for may be in one of the root's lists, by its id or the name that the storage
 * has of it. 1, 0, -ENOMEM.
 */
int storage_may_hold(struct storage_root *root);
/* The record of a container by its full id, NULL in *ret when there is none. -ENOMEM. */
int storage_find(struct storage_root *root, const char *id, const struct storage_record **ret);
/* The metadata as an object: json_decref() it. -ENOENT: none, or none that is one. */
int storage_metadata(const struct storage_record *record, json_t **ret);

/* The container's directory userdata below the graph root, every step without links. fd or -errno. */
int storage_open_userdata(const struct storage_root *root, const struct storage_record *record);
/* Its path, for what is shown; a new string. */
char *storage_userdata_path(const struct storage_root *root, const struct storage_record *record);
/* The same below a run root (pid files; gone after a boot), which must be the owner's. fd or -errno. */
int storage_open_rundata(const struct storage_root *root, const char *run_root,
			 const struct storage_record *record);
/* Opens a directory that the store's files name: only when the store's owner owns it. fd or -errno. */
int storage_open_dir(const struct storage_root *root, const char *path);
/* The limit of a JSON file of this store. */
size_t storage_json_max(const struct storage_root *root);

/*
 * The directories of the container's root, absolute: container_layers_free(). -ENOENT: it has no layer, or a driver of
 * another kind (btrfs, zfs); -EBADMSG, -ELOOP …: some of it cannot be told, described in err.
 */
int storage_layers(struct storage_root *root, const struct storage_record *record,
		   struct insp_layers **ret, struct insp_err *err);
/*
 * The same into c, for INSP_WANT_FILES: c->layers stays NULL when there are none, what went wrong is noted with the
 * container's engine and id before it. -ENOMEM.
 */
int storage_fill_layers(struct storage_root *root, const struct storage_record *record,
			struct insp_container *c);

/* The configuration of the container's image, whole: json_decref() it. -ENOENT: it has none, or that is gone; -EBADMSG … */
int storage_image(const struct storage_root *root, const struct storage_record *record,
		  json_t **ret);

/* Adds the images of all graph roots that the scan looks for, as engine's. -ENOMEM. */
int storage_images(struct engine_scan *scan, const char *engine);

/* ---- storage.conf ---- */

/* What it says, expanded for a user. NULL: nothing. free() each. */
struct storage_conf {
	char *graph_root, *run_root;
	char *rootless_path; /* of the system's file: where users' graph roots are */
	bool broken;	     /* it could not be read, or not all: noted */
};
struct storage_user {
	const char *name, *home;
	uid_t uid;
};
/*
 * Parses (buf, len); user NULL: root. -EBADMSG with the line in err: *ret has what stands before it, to be freed as ever.
 * -ENOMEM, likewise.
 */
int storage_conf_parse(const char *buf, size_t len, const struct storage_user *user,
		       struct storage_conf *ret, struct insp_err *err);
/*
 * The same of the file at path, the user's own or one of the system's; one that is not there, or may not be opened, gives
 * an empty answer. What cannot be read or parsed is noted. -ENOMEM.
 */
int storage_conf_read(struct engine_scan *scan, const char *path, const struct storage_user *user,
		      bool own, struct storage_conf *ret);
void storage_conf_free(struct storage_conf *conf);
#define _cleanup_storage_conf_ _cleanup_(storage_conf_free)

/* ---- inside the folder ---- */

/* A way to a graph root. */
struct storage_place {
	const char *path, *run_root; /* run_root NULL: the default */
	uid_t only;		     /* who must own it; (uid_t)-1: whoever does */
	const char *conf;	     /* the file that names it; NULL: none does */
};
/* Adds the root to those of the scan. 1; 0: it was there already; -errno: it cannot be opened, or is another's. */
int storage_add_root(struct engine_scan *scan, struct storage_roots *roots,
		     const struct storage_place *place);
/* The roots that running containers tell. -ENOMEM. */
int storage_discover(struct engine_scan *scan, struct storage_roots *roots);
void storage_drivers_free(struct storage_root *root);

/* struct engine's store_marks of a graph root. */
extern const char *const storage_marks[];

#endif
