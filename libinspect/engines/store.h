/*
 * State roots of runtimes: a directory with one directory per container, root's own, the ones that the caller
 * names, and one below every user's runtime directory.
 */
#ifndef SONDE_ENGINES_STORE_H
#define SONDE_ENGINES_STORE_H

#include "libinspect/base/json.h"
#include "libinspect/engines/engine.h"
#include "libinspect/engines/freezer.h"
#include "libinspect/engines/runtime.h"

/* Users' state files are small; what is larger is refused (root's: IO_STATE_MAX). */
#define STORE_USER_FILE_MAX (1024 * 1024)

/* An open state root. owner is the owner of the directory, as the kernel says: whose word its records are. */
struct store_root {
	struct engine_scan *scan;
	const char *engine; /* static: for insp_container.engine and for messages */
	const char *path;
	int fd;
	uid_t owner;
	struct freezer *freezer;
};
/*
 * json_read_members() of a state file in a record's directory, keys NULL: all members. Counted against its owner's
 * share of the scan (engine_scan_spend()).
 */
int store_read_json(const struct store_root *root, int recordfd, const char *file,
		    const char *const *keys, json_t **ret, struct insp_err *err);

/* Returns -ENOMEM to end the walk, else 0. */
typedef int (*store_root_fn)(const struct store_root *root);
/*
 * Calls fn for path, for each store that the caller named for engine, and for /run/user/UID/user_dir of every user.
 * A user's directory only counts when that user owns it: nobody speaks for another.
 */
int store_each_root(struct engine_scan *scan, const char *engine, const char *path,
		    const char *user_dir, store_root_fn fn);

/* One container's directory of a root. fd is dirfd's. */
typedef int (*store_record_fn)(const struct store_root *root, int fd, const char *id);
/*
 * Calls fn for every directory in root whose name can match, and that no other engine's record has claimed already:
 * engines drive runtimes, and their record says more.
 */
int store_each_record(const struct store_root *root, store_record_fn fn);

/* Whether a record with this id was handed over already. */
bool store_has_id(const struct engine_scan *scan, const char *id);

/* "NAME container ID: " before err, then engine_scan_fail(). Returns -ENOMEM when r is that, else 0. */
int store_record_fail(const struct store_root *root, const char *id, int r, struct insp_err *err);

/* What every runtime's record gives in the same way: name (the id), owner, store, created (RFC 3339 or NULL), rootfs. */
int store_fill(const struct store_root *root, struct insp_container *c, const char *created,
	       const char *rootfs);
/*
 * State, pid and start time by what lives: running, paused when frozen, created while the runtime's fifo is in
 * recordfd; exited when init is NULL or gone. -ENOMEM.
 */
int store_set_state(const struct store_root *root, int recordfd, const struct runtime_init *init,
		    struct insp_container *c);

#endif
