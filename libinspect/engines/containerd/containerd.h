/*
 * containerd's containers (docs/formats/containerd.md), and those that Kubernetes runs in it (docs/formats/cri.md).
 * Private to containerd/; the unit tests and the fuzz targets use the parsers.
 */
#ifndef SONDE_ENGINES_CONTAINERD_H
#define SONDE_ENGINES_CONTAINERD_H

#include "libinspect/base/json.h"
#include "libinspect/engines/containerd/meta.h"
#include "libinspect/engines/containerd/values.h"
#include "libinspect/engines/engine.h"
#include "libinspect/engines/freezer.h"

/* ---- a daemon: which directories it was told --------------------------------------------------------------- */

struct containerd_flags {
	char *root, *state, *config_file; /* as the daemon sees them; NULL: not given */
};
void containerd_flags_free(struct containerd_flags *f);
#define _cleanup_containerd_flags_ _cleanup_(containerd_flags_free)
/* From NUL-separated arguments; the last of a kind counts. -ENOMEM. */
int containerd_flags_parse(const char *args, size_t len, struct containerd_flags *ret);
/*
 * Adds from a config.toml (its first, nameless table) what is missing. -EBADMSG with the line in err: what stands before it
 * was added. -ENOMEM.
 */
int containerd_config_parse(const char *text, size_t len, struct containerd_flags *f,
			    struct insp_err *err);

/* ---- stores -------------------------------------------------------------------------------------------------- */

struct containerd_root {
	int fd; /* O_PATH */
	char *path;
	char *state; /* the daemon's state directory; NULL: not known */
	char *prefix; /* what stands before the daemon's paths on this host: "", or the chroot that it is in */
	uid_t owner;
	dev_t dev;
	ino_t ino;
	struct containerd_meta *meta; /* through containerd_root_open() only */
};
struct containerd_roots {
	struct containerd_root *items;
	size_t n;
};
/*
 * The root directories that the caller named (for either of the engines), that the default daemon's configuration,
 * running daemons and running shims tell of, each once, found once a scan. *ret stays the scan's. -ENOMEM; what could not
 * be opened is noted in scan.
 */
int containerd_roots(struct engine_scan *scan, struct containerd_roots **ret);
/* Its database, read once a scan: one transaction's. *ret stays the root's. As containerd_meta_open(). */
int containerd_root_open(struct engine_scan *scan, struct containerd_root *root,
			 struct containerd_meta **ret, struct insp_err *err);
/* Gives its database back; containerd_root_open() would read it anew. */
void containerd_root_close(struct containerd_root *root);

/* ---- one container: v1/NS/containers/ID ----------------------------------------------------------------------- */

struct containerd_record {
	const char *ns, *id;
	struct bolt_bucket bucket;
	char *image, *snapshotter, *snapshot_key;
	char *runtime_root; /* where the runtime keeps its records, when another place than its own */
	char *name;	    /* what a client calls it; NULL: it has only its id */
	bool cri;	    /* it is the CRI plugin's */
	bool sandbox;	    /* and holds a pod's namespaces */
};
void containerd_record_free(struct containerd_record *rec);
#define _cleanup_containerd_record_ _cleanup_(containerd_record_free)
/* Reads what is above; ns and id are kept as they are. -ENOMEM, -EBADMSG. */
int containerd_record_read(const char *ns, const char *id, const struct bolt_bucket *bucket,
			   struct containerd_record *ret);
/* Whether it may be a container's id or a namespace: it becomes part of paths. pkg/identifiers/validate.go. */
bool containerd_is_identifier(const char *s);

/* One root being scanned. */
struct containerd_scan {
	struct engine_scan *scan;
	const struct engine *engine;
	struct containerd_root *root;
	struct containerd_meta *meta; /* the root's */
	struct freezer freezer;
};

/*
 * Fills what the record says: image, created where unset, labels, restarts, what the specification and with INSP_WANT_FILES the
 * snapshot tell. What cannot be read is noted. -ENOMEM.
 */
int containerd_record_fill(struct containerd_scan *cs, const struct containerd_record *rec,
			   struct insp_container *c);
/*
 * The configuration of the image with that digest ("sha256:HEX", of an index, a manifest, or itself), in the root directory
 * rootfd: json_decref(). -ENOENT: its content is not kept; -EBADMSG, -ENOMEM.
 */
int containerd_image_json(int rootfd, const char *digest, json_t **ret);
/* Its "config", as insp_container.image_config has it: free(). */
int containerd_image_config(int rootfd, const char *digest, char **ret);
/* Where images are looked for, by scan->match.ref. */
struct containerd_images {
	struct engine_scan *scan;
	const char *engine, *store; /* what they are said to be of */
	uid_t owner;
	struct containerd_meta *meta;
	bool (*wants)(const void *userdata,
		      const char *ns); /* whether those of this namespace count */
	const void *userdata;
};
/* Adds those of one database to the scan. -ENOMEM. */
int containerd_images(const struct containerd_images *of);
/* struct engine's images. */
int containerd_all_images(struct engine_scan *scan);
/* Notes what was wrong with a record. Returns -ENOMEM when r is that, else 0. */
int containerd_record_fail(struct containerd_scan *cs, const char *id, int r, struct insp_err *err);

/*
 * State, pid and start time by what lives: running, paused, or created while the runtime has not started it. When no
 * process lives: exited when there is a task of it still, created when there is none (a container is one without a task
 * first; a task that was deleted leaves no trace). -EACCES: the runtime's records may not be read, so nobody can tell;
 * -ENOMEM.
 */
int containerd_task_state(struct containerd_scan *cs, const struct containerd_record *rec,
			  struct insp_container *c);

/* Returns -ENOMEM, -EACCES (the rest of this root is left out, which is said) or 0. */
typedef int (*containerd_record_fn)(struct containerd_scan *cs,
				    const struct containerd_record *rec);
struct containerd_walk {
	const struct engine *engine;
	const char *ns;	   /* only records of this namespace; NULL: of all */
	const char *needs; /* only of roots that have this directory; NULL: of all */
	containerd_record_fn fn;
	bool last; /* nobody needs a root's database afterwards: its memory is the next one's */
};
/* Calls fn for each record of each root. -ENOMEM. */
int containerd_each_record(struct engine_scan *scan, const struct containerd_walk *walk);

/* ---- CRI ---------------------------------------------------------------------------------------------------- */

/* containers/ID/status below io.containerd.grpc.v1.cri, and what it says. Nothing is checked against processes. */
struct cri_status {
	int64_t created, started, finished; /* ns since the epoch, 0: not yet */
	int exit_code;			    /* INSP_EXIT_UNSET until it has finished */
};
/* -EBADMSG: no JSON, or none of the kind. */
int cri_status_parse(const char *data, size_t len, struct cri_status *ret, struct insp_err *err);
/* Fills c from "Metadata" in extension io.cri-containerd.container.metadata or …sandbox.metadata; NULL: nothing known. -ENOMEM. */
int cri_metadata_fill(const json_t *metadata, bool sandbox, unsigned want,
		      struct insp_container *c);

/* struct engine's store_marks of its root directory. */
extern const char *const containerd_store_marks[];

#endif
