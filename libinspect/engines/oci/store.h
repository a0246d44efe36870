/*
 * State roots of runtimes: a directory with one directory per container, root's own, the ones that the caller
 * names, and one below every user's runtime directory.
 */
#ifndef SONDE_ENGINES_STORE_H
#define SONDE_ENGINES_STORE_H

#include "libinspect/base/json.h"
#include "libinspect/engines/engine.h"
#include "libinspect/engines/freezer.h"
#include "libinspect/engines/oci/runtime.h"

/* Users' state files are small; what is larger is refused (root's: IO_STATE_MAX). */
#define STORE_USER_FILE_MAX (1024 * 1024)

struct store_root;

/* A runtime's record: a JSON file in a directory that is called by the container's id. */
struct store_format {
	/* What is called instead of all below, for each name in a root: records that are no directories. -ENOMEM. */
	int (*entry)(const struct store_root *root, const char *name);
	const char *file;
	const char *const *members; /* those that are read; NULL: all */
	/* From the parsed file and the record's directory into a new container. -ENOMEM. */
	int (*fill)(const struct store_root *root, int recordfd, const json_t *record,
		    struct insp_container *c);
};

/* An open state root. owner is the owner of the directory, as the kernel says: whose word its records are. */
struct store_root {
	struct engine_scan *scan;
	const char *engine; /* static: for insp_container.engine and for messages */
	const char *path;
	int fd;
	uid_t owner;
	struct freezer *freezer;
	const struct store_format *format;
};
/*
 * json_read_members() of a state file in a record's directory, keys NULL: all members. Counted against its owner's
 * share of the scan (engine_scan_spend()).
 */
int store_read_json(const struct store_root *root, int recordfd, const char *file,
		    const char *const *keys, json_t **ret, struct insp_err *err);

/*
 * Hands over the containers of every root of a runtime: its own, each that the caller named, and /run/user/UID/DIR of
 * every user. A user's directory only counts when that user owns it: nobody speaks for another. Records that another
 * engine has handed over already are left out: engines drive runtimes, and their record says more. -ENOMEM.
 */
int store_scan(struct engine_scan *scan, const struct runtime *runtime,
	       const struct store_format *format);

/* "NAME container ID: " before err, then engine_scan_fail(). Returns -ENOMEM when r is that, else 0. */
int store_record_fail(const struct store_root *root, const char *id, int r, struct insp_err *err);

/* What every runtime's record gives in the same way: name (the id), owner, store, created (RFC 3339 or NULL), rootfs. */
int store_fill(const struct store_root *root, struct insp_container *c, const char *created,
	       const char *rootfs);
/*
 * State, pid and start time by what lives: running, paused when frozen, created while the runtime's fifo is in
 * recordfd; exited when init is NULL or gone, but on a host that is not live created as long as the fifo is there.
 * -ENOMEM.
 */
int store_set_state(const struct store_root *root, int recordfd, const struct runtime_init *init,
		    struct insp_container *c);

#endif
