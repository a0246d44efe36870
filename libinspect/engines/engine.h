/*
 * An engine: one file, one vtable. It reads one kind of state store and hands container objects to a scan.
 * No other file of the library contains the engine's name.
 */
#ifndef SONDE_ENGINE_H
#define SONDE_ENGINE_H

#include "libinspect/container/container.h"
#include "libinspect/kernel/cgroup.h"
#include "libinspect/kernel/mountinfo.h"
#include "libinspect/kernel/passwd.h"
#include "libinspect/kernel/sys.h"

/*
 * What is looked for, so that an engine can leave out the work for what is not. ref NULL: everything.
 * An engine hands over every container whose name equals ref or whose id starts with it; more is allowed,
 * the scan looks again.
 */
struct engine_match {
	const char *ref;
	bool by_id_only; /* ref is a full id, from a cgroup path: names need not be read */
};

/* A process of this host as the walk over /proc saw it. Kernel threads and zombies are left out. */
struct scan_proc {
	pid_t pid;
	/*
	 * Its program's file name, cut; comm where the link may not be read. "" inside a pid namespace other than the
	 * host's: no engine's daemon of this host is there, and it is one look less at each process of a container.
	 */
	char exe[16];
	uint64_t pid_ns, mnt_ns; /* inodes; 0: not read (engine_proc_ns() does) */
};
struct scan_procs {
	struct scan_proc *items; /* by pid */
	size_t n;
	bool done;
	bool programs_only; /* no namespaces were read, and exe of all */
};

/*
 * The init processes that engines' records were believed about, whether their containers were kept or left out: a
 * container that is created and not started has a process already.
 */
struct scan_claims {
	pid_t *pids;
	size_t n, cap;
};

/* The caller's mount table. */
struct scan_mounts {
	struct mount_table table;
	int result; /* of reading it */
	bool done;
};

/* The users of the host, and those that have a runtime directory /run/user/UID. */
struct scan_users {
	struct passwd_table table;
	int result; /* of reading it */
	bool done;
	int runfd;   /* /run/user, while run_done; -EBADF: there is none */
	uid_t *runs; /* each has a directory there */
	size_t n_runs;
	bool run_done;
};

/*
 * What one user's records may make a scan read. Without a limit any user could have root's list take minutes and all
 * memory. A record is some 10 KiB: the limit is far beyond what anybody runs.
 */
#define SCAN_USER_BYTES_MAX (32 * 1024 * 1024)
#define SCAN_RECORD_COST    4096 /* of a record, however small: opening and parsing it */
struct scan_spent {
	struct {
		uid_t uid;
		size_t bytes;
	} * users;
	size_t n;
};

/* What several engines use that read the same stores, found once a scan. */
#define SCAN_SHARED_MAX 4
struct scan_shared {
	void *data;
	void (*free)(void *data);
};

/* Zero-initialise, set sys, want, match and may_walk; give back with engine_scan_clear(). */
struct engine_scan {
	struct insp_sys *sys;
	unsigned want; /* INSP_WANT_* */
	struct engine_match match;
	bool may_walk; /* over /proc, once: stores that only running daemons and monitors tell */
	/*
	 * That is all the walk is for, a name is looked for: one system call a process. What nobody claims, and what other
	 * users' cgroups tell (engine_scan_unread()), is left out.
	 */
	bool programs_only;
	char near_image[256]; /* of the images, one that has the name but not the tag; "": none */
	struct scan_procs procs;       /* through engine_scan_procs() only */
	const struct scan_proc *known; /* by pid; replaces the walk. The caller's, may be NULL */
	size_t n_known;
	struct scan_claims claims;
	struct scan_spent spent;
	struct scan_mounts mounts; /* through engine_scan_mounts() only */
	struct scan_users users; /* through engine_scan_users() and engine_scan_run_users() only */
	struct scan_shared shared[SCAN_SHARED_MAX]; /* through engine_scan_shared() only */
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
	/*
	 * Adds the images that scan->match.ref means, by name or id, with their layers (oci/reference.h); what cannot be read is
	 * noted. NULL: it has none of its own. -ENOMEM.
	 */
	int (*images)(struct engine_scan *scan);
	/*
	 * It lists what the others have not claimed: it runs after them and sees their containers in scan->found,
	 * and never runs alone.
	 */
	bool leftovers;
	/*
	 * Other engines run their containers by it: its record of a container may be that of a runtime, and the engine's,
	 * which stands for it, be in a store that only a running process tells.
	 */
	bool below;
	/*
	 * Its containers are in graph roots of containers-storage (storage/storage.h), as those of others: a store that the
	 * caller names for one of them is looked at by all.
	 */
	bool storage;
	/*
	 * What stands before the id in the cgroup path of a container of this engine, from a slash on; NULL-terminated,
	 * NULL: nothing that tells. For engine_by_cgroup().
	 */
	const char *const *cgroup_marks;
	/*
	 * What there is in its store's directory, patterns of fnmatch(3), one is enough; NULL-terminated, NULL: nothing
	 * that every store has.
	 */
	const char *const *store_marks;
};

/* All engines, NULL-terminated, in the order in which claims are believed. bare comes last. */
extern const struct engine *const engines[];

extern const struct engine engine_docker, engine_cri, engine_containerd, engine_podman, engine_crio,
	engine_buildah, engine_lxd, engine_incus, engine_lxc, engine_nspawn, engine_apptainer,
	engine_gvisor, engine_rkt, engine_openvz, engine_runc, engine_crun, engine_youki,
	engine_bare;

/* The engine of that name (len bytes), NULL: none. */
const struct engine *engine_by_name(const char *name, size_t len);
/* The engine that makes cgroups of this form for container id; bare where none is known for it. Only a hint. */
const struct engine *engine_by_cgroup(const struct cgroup_lines *l, const char *id);
/*
 * Runs one engine, NULL: all (those of leftovers only when INSP_WANT_BARE is in scan->want), and then
 * engine_scan_unread(). -ENOMEM.
 */
int engine_scan_run(struct engine_scan *scan, const struct engine *only);
/*
 * Adds what the cgroups of other users' processes tell of containers that no engine has found: id, state, pid, start
 * time, cgroup; owner is unknown. Nothing for root, and where the scan may not walk. -ENOMEM.
 */
int engine_scan_unread(struct engine_scan *scan);
void engine_scan_clear(struct engine_scan *scan);
/* Forgets what was found and noted, for another run; what was read of the host itself (processes, mounts, users) stays. */
void engine_scan_again(struct engine_scan *scan);
#define _cleanup_scan_ _cleanup_(engine_scan_clear)

/*
 * Takes ownership of c, also on failure. Leaves out stopped containers that are not wanted, what does not match, and
 * what an engine before this one has claimed: a container with the same id, or the same living init process (the
 * runtime below an engine has a record of its own).
 */
int engine_scan_add(struct engine_scan *scan, struct insp_container *c);
/*
 * Whether a container with this id, one that nobody chose (64 hexadecimal digits), was found whose store's word stands for
 * that of owner's store, too: root's, or owner's own.
 */
bool engine_scan_has_id(const struct engine_scan *scan, const char *id, uid_t owner);
/*
 * Whether engine_scan_add() would leave out a record of engine's with this id, since another engine has found the container
 * and its process. Use it before the costly reads.
 */
bool engine_scan_has_running(const struct engine_scan *scan, const char *id, uid_t owner,
			     const char *engine);
/* Notes a failure. */
void engine_scan_fail(struct engine_scan *scan, const struct insp_err *err);
/*
 * Notes that bytes of a record in owner's store at path were read. Returns how many more may be: SIZE_MAX for root's
 * store; 0: leave out what is left of this store (a diagnostic says so, once).
 */
size_t engine_scan_spend(struct engine_scan *scan, uid_t owner, const char *path, size_t bytes);
/* Whether a record with this id (and name, NULL: not known yet) can match; use it before the costly reads. */
bool engine_scan_wants(const struct engine_scan *scan, const char *id, const char *name);

/*
 * The host's processes, walked once a scan (two or three system calls a process), shared by all engines. Empty when
 * the scan may not walk, or the host is not the live one. *ret stays the scan's. -ENOMEM.
 */
int engine_scan_procs(struct engine_scan *scan, const struct scan_procs **ret);
/* The inode of a process's pid or mount namespace: from known, else read. -errno. */
int engine_proc_ns(const struct engine_scan *scan, pid_t pid, enum insp_ns_type type,
		   uint64_t *ret);
/*
 * The mount table, read once a scan: with many containers it is long, and costs as much as all their records. *ret stays
 * the scan's. -errno when it cannot be read, or the host is not the live one.
 */
int engine_scan_mounts(struct engine_scan *scan, const struct mount_table **ret);
/* The host's /etc/passwd, read once a scan. *ret stays the scan's. -errno when it cannot be read. */
int engine_scan_users(struct engine_scan *scan, const struct passwd_table **ret);
/*
 * The users *ret_uids that have a runtime directory, called by the number, below the directory *ret_fd (/run/user). Listed
 * once a scan; both stay the scan's. -ENOMEM; *ret_n 0 where there is no such directory.
 */
int engine_scan_run_users(struct engine_scan *scan, int *ret_fd, const uid_t **ret_uids,
			  size_t *ret_n);
void engine_scan_users_clear(struct scan_users *users);
/*
 * The place for what engines share that give this function, which frees it at the end of the scan; its data is NULL until
 * the first of them sets it. One for each of SCAN_SHARED_MAX functions.
 */
struct scan_shared *engine_scan_shared(struct engine_scan *scan, void (*free)(void *data));
/* Notes the stores that the caller names and that are none. only: of that engine, NULL: of all. */
void engine_scan_named(struct engine_scan *scan, const struct engine *only);
/* The file name of one process's program, or its comm. -ENOENT: a kernel thread or a zombie; -ESRCH. */
int engine_proc_exe(const struct insp_sys *sys, pid_t pid, char *buf, size_t size);
/*
 * Fills exe of p, whose pid_ns is known. false: it belongs into no walk, a kernel thread, a zombie, or gone.
 */
bool engine_proc_look(const struct insp_sys *sys, struct scan_proc *p);

/*
 * Whether the process that a record names as a container's init is it, and alive.
 *  start: its start time by the record (ticks), 0: the record has none; then the process counts as the container's
 *         when its cgroup path holds c->id, for root's store below a cgroup that is root's.
 *  c->owner: uid of the store. A rootless user's record is only believed about processes whose user namespace that
 *         user owns: else any user could claim any process (docs/security.md).
 * Returns 1 and fills c->pid, pid_start (and ns, cgroup where wanted) and notes the claim, 0 when not, -ENOMEM.
 */
int engine_claim_init(struct engine_scan *scan, struct insp_container *c, pid_t pid,
		      uint64_t start);
/*
 * Notes a process that is part of a container and not its init (a sandbox's file server): what is in its namespaces is
 * in that container, and not bare. Of a user's container only when that user owns its user namespace: else any user could
 * take other containers out of the list. -ENOMEM.
 */
int engine_claim_helper(struct engine_scan *scan, const struct insp_container *c, pid_t pid);
/*
 * For INSP_WANT_FILES, where no store tells the layers: c->layers of a running container by the "/" line of its own
 * mount table, an overlay or a directory of a file system of the host. Paths in overlay options may be relative to where
 * the mounter stood: bases (NULL-terminated, may be NULL) are the directories that are tried. Leaves c->layers NULL when
 * that does not tell, or c has layers already. -ENOMEM.
 */
int engine_layers_from_mounts(struct engine_scan *scan, struct insp_container *c,
			      const char *const *bases);
/*
 * The same for a container's root directory at path on the host, running or not, by root's word only: the layers of the
 * overlay that is mounted on it, or the directory itself when there is anything in it (an empty one is where something
 * was mounted). -ENOMEM.
 */
int engine_layers_of_dir(struct engine_scan *scan, const char *path, struct insp_container *c);

/*
 * Whether uid owns the process's user namespace, or one around it below the caller's. false when that cannot be told
 * (NS_GET_OWNER_UID, Linux 4.11).
 */
bool engine_userns_owned_by(const struct insp_sys *sys, pid_t pid, uid_t uid);

#endif
