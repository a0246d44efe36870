/*
 * Docker's state store (docs/formats/docker.md). Private to docker/; the unit tests and the fuzz
 * target use the parsers.
 */
#ifndef SONDE_ENGINES_DOCKER_H
#define SONDE_ENGINES_DOCKER_H

#include "libinspect/engines/containerd/meta.h"
#include "libinspect/engines/engine.h"
#include "libinspect/base/json.h"

#define DOCKER_ID_LEN 64

/* ---- one record: containers/ID/config.v2.json -------------------------------------------------------- */

/* What is read of it. Strings are borrowed from json, NULL when not there. */
struct docker_record {
	json_t *json;
	const char *id;
	const char *name;		  /* without the leading slash */
	const char *image_ref, *image_id; /* as given to `docker run`; hex, without "sha256:" */
	const char *driver;		  /* graph driver, "overlay2" */
	const char *sandbox_key;	  /* EXEC/netns/HEX */
	enum insp_state state;		  /* as the record says: not checked */
	pid_t pid;			  /* 0: none */
	int exit_code;			  /* INSP_EXIT_UNSET: none yet */
	int restarts;
	int64_t created, started, finished;
};

/*
 * Parses the bytes of a config.v2.json; without INSP_WANT_DETAIL in want only what is above. -EBADMSG when they are no
 * JSON, or a field that is used has the wrong type. Give back with docker_record_free().
 */
int docker_record_parse(const char *data, size_t len, unsigned want, struct docker_record *ret,
			struct insp_err *err);
void docker_record_free(struct docker_record *rec);
#define _cleanup_docker_record_ _cleanup_(docker_record_free)

/*
 * Copies what does not depend on the store: name, times, restarts; with INSP_WANT_DETAIL, which it must have been parsed
 * with, all the rest. -ENOMEM.
 */
int docker_record_fill(const struct docker_record *rec, unsigned want, struct insp_container *c);

/* ---- a store: a data root -------------------------------------------------------------------------------- */

#define DOCKER_NAMESPACES 2

struct docker_root {
	int fd; /* the data root, O_PATH */
	char *path;
	char *exec_root; /* of the daemon that was seen running; NULL: not known */
	/*
	 * containerd's namespaces that the containers may be in, the likelier first: "moby", and of a remapped daemon
	 * since 23.0 "moby-UID.GID". "": no other.
	 */
	char namespaces[DOCKER_NAMESPACES][48];
	uid_t owner;
	dev_t dev;
	ino_t ino;
	json_t *repositories; /* image/DRIVER/repositories.json */
	bool repositories_read;
	struct containerd_meta
		*managed; /* of the containerd that the daemon started; NULL: none, or not read */
	struct containerd_meta *
		*images; /* of the containerds that may have the images; theirs, or managed */
	size_t n_images;
	bool images_read;
};
struct docker_roots {
	struct docker_root *items;
	size_t n;
};
void docker_roots_free(struct docker_roots *roots);

/*
 * The data roots that daemons, configuration and the caller tell of, each once. -ENOMEM; what could not be opened is
 * noted in scan.
 */
int docker_roots_find(struct engine_scan *scan, struct docker_roots *ret);
/* Adds those that the mount table shows in use. */
int docker_roots_add_mounted(struct engine_scan *scan, struct docker_roots *roots);

/* ---- a daemon: whose data root is where ------------------------------------------------------------------ */

struct docker_daemon {
	char *data_root, *exec_root; /* paths on this host */
	uid_t owner;
};
void docker_daemon_free(struct docker_daemon *d);

struct docker_flags {
	char *data_root, *exec_root, *config_file; /* NULL: not given */
};
void docker_flags_free(struct docker_flags *f);
/* The flags that matter, from NUL-separated arguments. The last one of a kind counts. -ENOMEM. */
int docker_flags_parse(const char *args, size_t len, struct docker_flags *ret);
/* Adds from a daemon.json what the command line did not say. A file that is not there changes nothing, nor does one
 * that cannot be parsed, which is noted. uid: whose it is. */
int docker_flags_add_config(struct engine_scan *scan, uid_t uid, const char *path,
			    struct docker_flags *f);

/* 1 when process pid is a daemon of this host, 0 when it is none that may be believed, -ENOMEM. */
int docker_daemon_read(struct engine_scan *scan, pid_t pid, struct docker_daemon *ret);

/* ---- names and times ----------------------------------------------------------------------------------- */

/* insp_container.process; host: hostconfig.json, NULL: not known. -ENOMEM. */
int docker_process(const json_t *record, const json_t *host, char **ret);

/* The IMAGE column of `docker ps`; a new string, NULL when the record has no image. -ENOMEM. */
int docker_image_name(struct docker_root *root, const struct docker_record *rec, char **ret);
/* A reference as `docker ps` shows it: no digest, no "docker.io/library/". A new string. */
char *docker_image_familiar(const char *ref);

/* ---- files: layers and mounts ------------------------------------------------------------------------------ */

#define DOCKER_LAYER_ID_MAX (DOCKER_ID_LEN + 5) /* "-init" */
#define DOCKER_LINK_MAX	    64

/*
 * The next name of a `lower` file, "l/NAME:l/NAME" (overlay2, fuse-overlayfs), of which *p is what is left: 1, 0 at its
 * end, -EBADMSG.
 */
int docker_lower_next(const char **p, const char *end, char name[DOCKER_LINK_MAX + 1]);
/* The layer that a link l/NAME leads to: "../ID/diff" and nothing else. -EBADMSG. */
int docker_layer_link(const char *target, char id[DOCKER_LAYER_ID_MAX + 1]);
/* The graph driver's name for a container's uppermost directory. -ENOENT: there is none; -EBADMSG. */
int docker_mount_id(const struct docker_root *root, const struct docker_record *rec, const char *id,
		    char mount_id[DOCKER_LAYER_ID_MAX + 1]);
/*
 * Sets c->layers; leaves it NULL where nothing tells them (another graph driver). Each directory was seen there, below
 * the store and not behind a link. -ENOENT when one is not: the container may be on its way out. err says what.
 */
int docker_layers(struct engine_scan *scan, struct docker_root *root,
		  const struct docker_record *rec, struct insp_container *c, struct insp_err *err);
/*
 * Fills the diff ids of lowers, called by their directories, by what mount (layerdb/mounts/ID, O_PATH) began as. What is not
 * told stays unknown. -ENOMEM.
 */
int docker_layer_diff_ids(const struct docker_root *root, const char *driver, int mount,
			  struct insp_layers *layers);
/* The directory's name of the layer with that chain id. -ENOENT: it is not kept; -EBADMSG. */
int docker_cache_id(const struct docker_root *root, const char *driver, const char *chain,
		    char id[DOCKER_LAYER_ID_MAX + 1]);
/* 64 hex digits, or 25 letters and digits, with "-init" or without. */
bool docker_is_layer_id(const char *s);
/*
 * An image's layers, all of them lowers, by "rootfs.diff_ids" of its configuration. Each directory was seen there. -ENOENT: one
 * is not; -ENODATA: it has none; -EBADMSG, -ENOMEM. err says what.
 */
int docker_image_layers(struct engine_scan *scan, struct docker_root *root, const char *driver,
			const json_t *diff_ids, struct insp_layers **ret, struct insp_err *err);
/* The name of graph driver number i, NULL: there are no more. */
const char *docker_graph_driver(size_t i);
/* Opens the databases of the containerds that may have the root's images, once: root->images. */
int docker_open_images(struct engine_scan *scan, struct docker_root *root, struct insp_err *err);
/* struct engine's images. */
int docker_images(struct engine_scan *scan);
/* Notes what was met in the databases of snapshotters that were asked: containerd_meta_note_damage(). */
void docker_layers_note_damage(const struct docker_root *root);

/*
 * Appends the record's MountPoints, parsed with INSP_WANT_FILES. store: the data root, for a volume of the local driver
 * that has no path yet. -ENOMEM.
 */
int docker_record_mounts(const struct docker_record *rec, const char *store,
			 struct insp_container *c);
/* Appends what --tmpfs gave. -ENOMEM. */
int docker_hostconfig_mounts(const json_t *hostconfig, struct insp_container *c);
/* The ids of userns-remap, by a store called UID.GID and /etc/subuid; none of any other. -ENOMEM. */
int docker_remapped_ids(const struct insp_sys *sys, const char *store, struct insp_container *c);
/* All three, with ID/hostconfig.json below containers. */
int docker_mounts(const struct insp_sys *sys, int containers, const struct docker_root *root,
		  const struct docker_record *rec, struct insp_container *c, struct insp_err *err);

/* ---- the runtime's state ------------------------------------------------------------------------------------- */

/*
 * engine_claim_init() of the record's pid, or of the sandbox that holds the container, with the start time that its
 * runtime's record has. c->owner is set.
 */
int docker_claim_init(struct engine_scan *scan, const struct docker_root *root,
		      const struct docker_record *rec, struct insp_container *c);

#endif
