/*
 * An engine: one file, one vtable. It reads one kind of state store and hands container objects to a scan.
 * No other file of the library contains the engine's name.
 */
#ifndef SONDE_ENGINE_H
#define SONDE_ENGINE_H

#include "libinspect/container/container.h"
#include "libinspect/kernel/sys.h"

/*
 * What is looked for, so that an engine can leave out the work for what is not. ref NULL: everything.
 * An engine hands over every container whose name equals ref or whose id starts with it; more is allowed,
 * the resolver looks again.
 */
struct engine_match {
	const char *ref;
	bool by_id_only; /* ref is a full id, from a cgroup path: names need not be read */
};

struct engine_scan {
	struct insp_sys *sys;
	unsigned want; /* INSP_WANT_* */
	struct engine_match match;
	struct insp_list found;
	struct insp_diags diags;
};

struct engine {
	const char *
		name; /* "docker": the ENGINE of a reference ENGINE:NAME, and insp_container.engine */
	/*
	 * Finds the engine's stores and hands over their containers with engine_scan_add(). A store that is not
	 * there is no error. A store or record that cannot be read: engine_scan_fail(), and go on.
	 * Returns only -ENOMEM.
	 */
	int (*scan)(struct engine_scan *scan);
};

/* All engines, NULL-terminated, in the order in which claims are believed. bare comes last. */
extern const struct engine *const engines[];

extern const struct engine engine_docker, engine_podman, engine_runc, engine_crun, engine_bare;

/* Takes ownership of c, also on failure. Leaves out stopped containers that are not wanted and what does not match. */
int engine_scan_add(struct engine_scan *scan, struct insp_container *c);
/* Notes a failure. */
void engine_scan_fail(struct engine_scan *scan, const struct insp_err *err);
/* Whether a record with this id (and name, NULL: not known yet) can match; use it before the costly reads. */
bool engine_scan_wants(const struct engine_scan *scan, const char *id, const char *name);

/*
 * Whether the process that a record names as a container's init is it, and alive.
 *  start: its start time by the record (ticks), 0: the record has none; then the process counts as the container's
 *         when its cgroup path holds id.
 *  owner: uid of the store. A rootless user's record is only believed about processes whose user namespace that
 *         user owns: else any user could claim any process (docs/security.md).
 * Returns 1 and fills c->pid, pid_start (and ns, cgroup where wanted), 0 when not, -ENOMEM.
 */
int engine_claim_init(struct engine_scan *scan, struct insp_container *c, pid_t pid,
		      uint64_t start);

#endif
