/*
 * libinspect: which containers are on this host, which processes and files are theirs, and how to enter them,
 * told from /proc and from the engines' state on disk. No daemon is asked, nothing of an image is run.
 *
 * With files.h the only libinspect headers that tools/ and sidecar/ include.
 *
 * Conventions
 *   - Functions return 0 (or a count, where said) or a negative errno, and then describe the failure in the
 *     caller's struct insp_err (which may be NULL). Parameters named ret_x are written on success only.
 *   - What a ret_x receives is the caller's, to be given back with the function named there.
 *   - Unknown is a value: a string is NULL, a number has the documented "unset" value. Nothing is guessed.
 *   - Everything that came from a container or an engine's state is hostile bytes: escape before printing
 *     (insp_escape()).
 *   - No function prints, exits or reads the environment. There is no file-scope state: any number of
 *     struct insp_sys may be used at once, each by one thread at a time.
 */
#ifndef SONDE_INSPECT_H
#define SONDE_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- errors ------------------------------------------------------------------------------------------ */

/*
 * One failure: what was tried on which object, and what to do about it. Owned by the caller, on its stack;
 * initialise with { 0 }. text reads like "docker container 3f1c9ab22d01: read 'config.v2.json': Permission
 * denied"; hint is empty or one sentence without a final period.
 */
struct insp_err {
	int code; /* negative errno, 0: no error */
	char text[512];
	char hint[256];
};

/* Sets text to the formatted words plus ": " and strerror(-code), clears the hint. Returns code. */
int insp_err_set(struct insp_err *err, int code, const char *fmt, ...)
	__attribute__((format(__printf__, 3, 4)));
/* The same without strerror(), for failures that no errno describes. Returns code. */
int insp_err_say(struct insp_err *err, int code, const char *fmt, ...)
	__attribute__((format(__printf__, 3, 4)));
/* Puts the formatted words and ": " before the text that is there. Returns code. */
int insp_err_wrap(struct insp_err *err, int code, const char *fmt, ...)
	__attribute__((format(__printf__, 3, 4)));
/* Sets the hint. */
void insp_err_hint(struct insp_err *err, const char *fmt, ...)
	__attribute__((format(__printf__, 2, 3)));

/* Things that could not be read while the rest went on. Free with insp_diags_clear(). */
struct insp_diags {
	struct insp_err *items;
	size_t n;
};
/* Appends a copy of *err (dropped silently when memory is out, or when it is there already). */
void insp_diags_add(struct insp_diags *diags, const struct insp_err *err);
void insp_diags_clear(struct insp_diags *diags);

/* ---- text -------------------------------------------------------------------------------------------- */

/*
 * Makes bytes from a container safe for a terminal: C0 and C1 controls, DEL, backslash-free invalid UTF-8 and
 * bidirectional and other invisible format controls become \xNN or \u{NNNN}; printable UTF-8 stays.
 * Returns a new NUL-terminated string (free()), NULL when memory is out.
 */
char *insp_escape(const char *bytes, size_t len);
/* insp_escape() of a NUL-terminated string; NULL gives NULL. */
char *insp_escape_str(const char *s);
/*
 * How far name is from what was asked for: 0 the same but for case, else the number of letters to add, drop, change or
 * swap; (unsigned)-1 when that is more than a third of the longer one, and neither begins with the other.
 */
unsigned insp_near(const char *asked, const char *name);

/* ---- one host ---------------------------------------------------------------------------------------- */

struct insp_sys;

/*
 * A store that the caller names because its engine does not run and it is not at the default place. path is the
 * directory that the engine's own option names (--root, --data-root, --lxcpath, LXD_DIR): docs/formats has it for each.
 */
struct insp_store {
	const char *engine; /* "docker", "podman", "runc", … */
	const char *path;
};

/*
 * 0 when an engine is called name; with_store: one that insp_store may name. -EINVAL, and err's hint has the names. The
 * object err is about is the caller's to say: insp_err_wrap().
 */
int insp_engine_check(const char *name, bool with_store, struct insp_err *err);

struct insp_sys_opts {
	const char
		*root; /* NULL or "/": the live host; else a directory that holds a host's root */
	const struct insp_store *stores;
	size_t n_stores;
	unsigned deadline_ms; /* for a read that a target can stall; 0: 200 ms */
};

/* opts may be NULL. The strings of opts are copied. Give back with insp_sys_close(), which returns NULL. */
int insp_sys_open(const struct insp_sys_opts *opts, struct insp_sys **ret_sys,
		  struct insp_err *err);
struct insp_sys *insp_sys_close(struct insp_sys *sys);
/* Whether this is the running host, so that processes can be looked at. */
bool insp_sys_is_live(const struct insp_sys *sys);

/* ---- namespaces -------------------------------------------------------------------------------------- */

enum insp_ns_type {
	INSP_NS_MNT,
	INSP_NS_PID,
	INSP_NS_NET,
	INSP_NS_IPC,
	INSP_NS_UTS,
	INSP_NS_USER,
	INSP_NS_CGROUP,
	INSP_NS_TIME,
	INSP_NS_MAX,
};

/* "mnt", "pid", … as in /proc/PID/ns. */
const char *insp_ns_name(enum insp_ns_type type);
/* CLONE_NEWNS, CLONE_NEWPID, … as setns(2) takes them. */
int insp_ns_flag(enum insp_ns_type type);
/* The type of a name, or -EINVAL. Also takes "mount", "network" and "time_for_children"'s base names. */
int insp_ns_from_name(const char *name, size_t len);

/* Inode numbers by type; 0: not known (the kernel lacks the type, or may not be read). */
struct insp_ns_set {
	uint64_t ino[INSP_NS_MAX];
};

/* ---- a process --------------------------------------------------------------------------------------- */

/*
 * A process that cannot be confused with another that got its pid later: a pidfd (where the kernel has it), the
 * directory /proc/PID, and the start time, taken once and compared. Never hand out a bare pid_t.
 */
struct insp_pid;

/*
 * Opens process pid. start: its start time in clock ticks since boot (field 22 of /proc/PID/stat), 0: whichever.
 * -ESRCH when there is no such process, or it started at another time (the pid was reused), or it is a zombie.
 */
int insp_pid_open(struct insp_sys *sys, pid_t pid, uint64_t start, struct insp_pid **ret_pid,
		  struct insp_err *err);
struct insp_pid *insp_pid_close(struct insp_pid *pid);
pid_t insp_pid_number(const struct insp_pid *pid);
/* Clock ticks since boot. */
uint64_t insp_pid_start(const struct insp_pid *pid);
/* The pidfd, -1 on a kernel without pidfd_open (< 5.3). Stays the object's. */
int insp_pid_fd(const struct insp_pid *pid);
/* The directory /proc/PID. Reads through it fail with ESRCH once the process is gone. Stays the object's. */
int insp_pid_procfd(const struct insp_pid *pid);
/* Whether it still runs (a zombie does not). */
bool insp_pid_alive(const struct insp_pid *pid);
/* Its namespaces' inodes. A type that may not be read is left 0; fails only when none can be. */
int insp_pid_namespaces(const struct insp_pid *pid, struct insp_ns_set *ret_set,
			struct insp_err *err);

/* What `cps CONTAINER` shows of a process. Strings are raw bytes from the target, NUL-terminated. */
struct insp_proc {
	pid_t pid; /* on this host */
	pid_t ppid;
	pid_t ns_pid; /* in its innermost pid namespace */
	uid_t uid;    /* effective, as this host sees it */
	uid_t ns_uid; /* the same inside its user namespace; (uid_t)-1: not mapped */
	gid_t gid;
	char state; /* R S D T t Z I … */
	uint32_t threads;
	uint64_t start; /* clock ticks since boot */
	uint64_t cpu;	/* user + system, clock ticks */
	uint64_t rss;	/* bytes */
	char comm[64];	/* at most 15 bytes today (TASK_COMM_LEN); kernel threads have more */
	char *cmdline; /* arguments, NUL bytes turned to spaces; NULL: not known (stalled, gone, kernel thread) */
	char *user;    /* name by this host's passwd; NULL: none */
	char *ns_user; /* name by the target's passwd; NULL: none */
};

struct insp_procs {
	struct insp_proc *items; /* by pid */
	size_t n;
};
void insp_procs_clear(struct insp_procs *procs);

/* Clock ticks since boot -> nanoseconds since the epoch. */
int64_t insp_sys_ticks_to_time(const struct insp_sys *sys, uint64_t ticks);
/* Ticks a second (sysconf(_SC_CLK_TCK)), for insp_proc.cpu. */
long insp_sys_ticks_per_second(const struct insp_sys *sys);
/* Nanoseconds since the epoch. */
int64_t insp_sys_now(const struct insp_sys *sys);

/* ---- a container ------------------------------------------------------------------------------------- */

/* docker's words; insp_state_name() gives them. */
enum insp_state {
	INSP_STATE_UNKNOWN,
	INSP_STATE_CREATED,
	INSP_STATE_RUNNING,
	INSP_STATE_PAUSED,
	INSP_STATE_RESTARTING,
	INSP_STATE_EXITED,
	INSP_STATE_DEAD,
};
const char *
insp_state_name(enum insp_state state); /* "running"; "unknown" for INSP_STATE_UNKNOWN */
/* Running, paused, restarting: it has, or will soon have, processes. */
bool insp_state_is_live(enum insp_state state);

struct insp_label {
	char *key;
	char *value;
};

/* A published port. host_ip is NULL for a port that is only exposed. */
struct insp_port {
	char *host_ip;
	uint16_t host_port;
	uint16_t port;
	char proto[8]; /* "tcp", "udp", "sctp" */
};

/* How a container's root is put together. */
enum insp_root_kind {
	INSP_ROOT_UNKNOWN,
	INSP_ROOT_OVERLAY, /* overlayfs: upper over lowers; what is deleted is a character device 0:0 */
	INSP_ROOT_FUSE_OVERLAY, /* fuse-overlayfs: also .wh. files and user.fuseoverlayfs.* attributes */
	INSP_ROOT_DIR, /* one whole tree, upper; lowers: the tree that it began as, if that is kept */
};
struct insp_layer_ids {
	char *id; /* its engine's: docker's cache or mount id, containers-storage's layer, containerd's snapshot */
	char *diff_id; /* an image's layer, "sha256:HEX" (OCI image specification); for INSP_WANT_LAYER_IDS */
};
/*
 * The directories that a container's root is made of, as absolute paths of this host (below the root of a host that is
 * not the live one). Those of a user's store lead through that user's directories: open them without following links.
 */
struct insp_layers {
	enum insp_root_kind kind;
	char *upper; /* where changes are; NULL: not known (on a file system that nobody else sees) */
	char *work;		    /* overlay's workdir; NULL: none, not known */
	char **lowers;		    /* from the uppermost one down */
	struct insp_layer_ids *ids; /* as many; NULL in them: not known */
	size_t n_lowers;
	char *upper_id; /* its engine's; NULL: not known */
	/*
	 * How many of them, from the first on, the engine itself put there for this container (docker's ID-init):
	 * neither the image's nor a change.
	 */
	size_t n_engine;
};

/* A directory or file of the host, or a volume, that is mounted into a container by its configuration. */
struct insp_mount {
	char *type;	   /* "bind", "volume", "tmpfs" */
	char *name;	   /* the volume's; NULL: none */
	char *source;	   /* path on this host; NULL: none (tmpfs), or not known */
	char *destination; /* path inside */
	bool read_only;
};

/*
 * How ids inside a container's user namespace are the host's: uid_map, user_namespaces(7). n 0: not known, or the host's
 * own ids.
 */
struct insp_id_range {
	uint32_t inside, outside, count;
};
struct insp_id_map {
	struct insp_id_range *items;
	size_t n;
};

#define INSP_EXIT_UNSET	 (-1)
#define INSP_COUNT_UNSET (-1)

/*
 * One container, whoever runs it. Strings are NULL when unknown. Times are nanoseconds since the epoch, 0 when
 * unknown. A record says running only when its init process was seen alive.
 */
struct insp_container {
	const char *engine; /* static: the engine's name, "docker" */
	char *id;	    /* as the engine names it; always set */
	char *name;	    /* always set; the id where an engine has no names */
	char *image;	    /* as the engine's own `ps` shows it */
	char *image_id;	    /* without "sha256:" */
	char *command;	    /* entrypoint and arguments, blank separated */
	enum insp_state state;
	int exit_code; /* 0…255, INSP_EXIT_UNSET */
	int restarts;  /* INSP_COUNT_UNSET */
	int64_t created, started, finished;
	pid_t pid;	    /* init's pid on this host, 0: none, not running */
	uint64_t pid_start; /* its start time, clock ticks since boot; set when pid is */
	uid_t owner;	    /* whose store it is in: 0, or a rootless user; (uid_t)-1: unknown */
	char *pod, *project, *pod_namespace; /* the last is Kubernetes' */
	bool infra;    /* holds a pod's namespaces (pause) and is nobody's program */
	bool is_image; /* no container at all: insp_image_find() of files.h */
	bool unlisted; /* the engine's own list leaves it out: listed with the stopped ones */
	/*
	 * Static: whose kernel its processes run on, when that is not the host's ("gVisor"). They are not among the
	 * host's processes then: pid is the sandbox's, and its namespaces but the network one tell nothing of them.
	 */
	const char *guest;
	bool guest_overlay; /* while it runs its changes are with that kernel, and in none of its layers */
	char *cgroup; /* path below the hierarchy's root: v2's, else the v1 one of pids or memory */
	char *log_path, *hostname;
	char *store; /* the engine's root directory, where the record was read */
	char *rootfs; /* the merged root as the engine mounted it; NULL when not mounted or unknown */
	struct insp_label *labels;
	size_t n_labels;
	struct insp_port *ports;
	size_t n_ports;
	char **addresses; /* IP addresses that the engine gave it, without prefix length; for INSP_WANT_DETAIL */
	size_t n_addresses;
	struct insp_ns_set ns; /* filled for INSP_WANT_NS, and when running */
	/* for INSP_WANT_FILES */
	struct insp_layers *layers; /* NULL: not known */
	char *no_layers; /* why, of one that insp_resolve() found by its name; NULL: not known either */
	struct insp_mount
		*mounts; /* without those that every container has (/proc, /dev, /etc/hosts …) */
	size_t n_mounts;
	/*
	 * What its record says of its user namespace; while it runs the kernel tells (/proc/PID/uid_map). A user's record is
	 * that user's word.
	 */
	struct insp_id_map uids, gids;
	/*
	 * For INSP_WANT_CONFIG, JSON text, objects: what it runs, environment, user, labels …, as the "config" of an image made of
	 * it (OCI image specification, config.md); process: how it is started, which insp_start_read() of creds.h reads.
	 */
	char *image_config, *process;
};
struct insp_container *insp_container_free(struct insp_container *c); /* returns NULL */
/* The value of label key, NULL when there is none. Stays the container's. */
const char *insp_container_label(const struct insp_container *c, const char *key);

struct insp_list {
	struct insp_container **items;
	size_t n;
};
void insp_list_clear(struct insp_list *list);

/* What costs extra reads is only done when asked for. */
enum insp_want {
	INSP_WANT_STOPPED = 1 << 0, /* containers that do not run, too */
	INSP_WANT_NS = 1 << 1,	    /* namespace inodes */
	INSP_WANT_CGROUP = 1 << 2,
	INSP_WANT_BARE = 1 << 3,      /* namespaces that no store claims */
	INSP_WANT_DETAIL = 1 << 4,    /* labels, ports, restarts, log path, hostname, command */
	INSP_WANT_FILES = 1 << 5,     /* layers and mounts */
	INSP_WANT_CONFIG = 1 << 6,    /* with INSP_WANT_DETAIL: image_config, process */
	INSP_WANT_LAYER_IDS = 1 << 7, /* with INSP_WANT_FILES: the diff ids of layers */
};

/*
 * All containers of the host, in no particular order. What could not be read goes to diags (which may be NULL)
 * and does not end the list. want: INSP_WANT_* or'ed. Clear with insp_list_clear().
 * Not for root: what runs in stores that may not be read is listed by its cgroup's name, a claim that nothing proves;
 * little more than id, pid and state is set then, and owner is unknown.
 */
int insp_list(struct insp_sys *sys, unsigned want, struct insp_list *ret_list,
	      struct insp_diags *diags, struct insp_err *err);

/*
 * The container that a reference names: exact name; full id or unique prefix of at least 1 character;
 * ENGINE:NAME; pod/POD/NAME, pod/NAMESPACE/POD/NAME, without NAME where the pod has one container besides the one that
 * holds its namespaces; pid:N, the container that process N is in. An exact name wins over an id prefix.
 * -ENOENT: none (the hint names near misses); -ENOTUNIQ: several: candidates (may be NULL) then has them.
 */
int insp_resolve(struct insp_sys *sys, const char *ref, unsigned want,
		 struct insp_container **ret_container, struct insp_list *candidates,
		 struct insp_err *err);

/* The container that a process is in. -ENOENT: it is in none (a host process). */
int insp_resolve_pid(struct insp_sys *sys, const struct insp_pid *pid, unsigned want,
		     struct insp_container **ret_container, struct insp_err *err);

/* Opens a running container's init process, checked by its start time. -ESRCH with a hint when it does not run. */
int insp_container_init(struct insp_sys *sys, const struct insp_container *c,
			struct insp_pid **ret_pid, struct insp_err *err);

/* 0 when the container's processes are on this host; -EOPNOTSUPP, and err says why, when c->guest is set. */
int insp_container_on_host(const struct insp_container *c, struct insp_err *err);

enum insp_proc_want {
	INSP_PROC_CMDLINE = 1 << 0, /* may stall; bounded by the deadline of sys */
	INSP_PROC_USERS = 1 << 1,   /* user names, inside and outside */
};
/*
 * The processes of a running container. Clear with insp_procs_clear(). With c->guest those of its sandbox, and a
 * diagnostic that they are not the container's.
 */
int insp_container_procs(struct insp_sys *sys, const struct insp_container *c, unsigned want,
			 struct insp_procs *ret_procs, struct insp_diags *diags,
			 struct insp_err *err);

/* ---- whose is it? -------------------------------------------------------------------------------------- */

/* What insp_find() is asked, and the form of its text. */
enum insp_question {
	INSP_ASK_PATH, /* an absolute path of the host: a layer, a volume, a log, an engine's own directory */
	INSP_ASK_VETH, /* an interface of the host; "NAME@if5" is NAME */
	INSP_ASK_IP,   /* an IPv4 or IPv6 address */
	INSP_ASK_PORT, /* "80", "53/udp": listened on inside, or published on the host */
	INSP_ASK_CGROUP, /* a directory below where a hierarchy is mounted, or a path or line as in /proc/PID/cgroup */
	INSP_ASK_NS, /* an inode, "4026532211" or "net:[4026532211]" */
};
struct insp_finding {
	struct insp_container *container;
	char *how; /* what makes it the answer, for people; may hold bytes of a record */
};
struct insp_findings {
	struct insp_finding *items;
	size_t n;
};
void insp_findings_clear(struct insp_findings *findings);
/*
 * The containers that answer a question; several where they share what is asked for (an image's layer, a network
 * namespace). want: INSP_WANT_* or'ed, for their fields. What could not be read goes to diags (may be NULL),
 * on failure too. -ENOENT: nothing claims it; err says so, and what it is instead where that can be told. -EINVAL: text is
 * none of what the question is about. Looks at all containers; nothing of a container is opened but its tables in /proc,
 * and no link inside a layer is followed. Clear with insp_findings_clear().
 */
int insp_find(struct insp_sys *sys, enum insp_question question, const char *text, unsigned want,
	      struct insp_findings *ret_findings, struct insp_diags *diags, struct insp_err *err);

/* ---- every namespace of the host (lsns with names) ------------------------------------------------------ */

struct insp_ns_info {
	enum insp_ns_type type;
	uint64_t ino;
	uint32_t nprocs;
	pid_t pid;     /* the lowest */
	char comm[64]; /* of that process */
	uid_t uid;     /* effective uid of that process */
	const struct insp_container
		*container; /* one of containers' items; NULL: none, or the host itself */
	bool host;	    /* the namespace that the caller is in */
};
struct insp_ns_list {
	struct insp_ns_info *items; /* by type, then inode */
	size_t n;
	size_t unreadable; /* processes whose namespaces may not be read by this user */
	struct insp_list containers;
};
void insp_ns_list_clear(struct insp_ns_list *list);
/* Costs about ten system calls a process. types: bits 1 << INSP_NS_x, 0: all. */
int insp_ns_list(struct insp_sys *sys, unsigned types, struct insp_ns_list *ret_list,
		 struct insp_diags *diags, struct insp_err *err);

/* ---- cgroups ------------------------------------------------------------------------------------------- */

/* The directory of one cgroup that a process is in. */
struct insp_cgroup {
	char *controllers; /* v1: "cpu,cpuacct", "name=systemd"; v2: "" (cgroup.controllers has them) */
	bool v2;
	int dirfd; /* the list's */
};
struct insp_cgroups {
	struct insp_cgroup *items;
	size_t n;
};
void insp_cgroups_clear(struct insp_cgroups *cgroups);
/* One for each mounted hierarchy, as /proc/PID/cgroup has them. Clear with insp_cgroups_clear(). */
int insp_cgroups_open(struct insp_sys *sys, pid_t pid, struct insp_cgroups *ret,
		      struct insp_err *err);

/* ---- a container's files ------------------------------------------------------------------------------- */

/*
 * Opens path (absolute, or relative to the root) below the root directory rootfd as a process chrooted there would
 * see it: absolute links and ".." stay inside. openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), and a walk
 * component by component where that call is missing (compat: kernel < 5.6). flags as for open(2); O_CLOEXEC is
 * added. Returns the fd (the caller's) or -errno.
 */
int insp_open_in_root(int rootfd, const char *path, int flags, mode_t mode);
/* The same for a regular file to be read: never blocks on a FIFO; -EFTYPE-like -EBADF when it is none. */
int insp_open_regular_in_root(int rootfd, const char *path);
/* An O_PATH fd on the root directory that the process sees (/proc/PID/root). The caller's. */
int insp_pid_open_root(const struct insp_pid *pid, int *ret_fd, struct insp_err *err);

/* ---- entering ------------------------------------------------------------------------------------------ */

/* Exit statuses of docker exec and env(1). */
#define INSP_EXIT_OWN_FAILURE	 125
#define INSP_EXIT_NOT_EXECUTABLE 126
#define INSP_EXIT_NOT_FOUND	 127

/*
 * Runs this program again from a sealed copy in memory, so that nobody who sees one of its processes can write to
 * the host's binary through /proc/PID/exe (CVE-2019-5736); where memory files may not be executed, from a detached
 * read-only mount of itself. To be called by every tool that enters containers, after its options and before it opens
 * anything of a container. Returns only when this already is the copy (0), or with an error. File descriptors 0, 1
 * and 2 are open afterwards.
 */
int insp_enter_seal(char *const argv[], char *const envp[], struct insp_err *err);

struct insp_enter_opts {
	/* bits 1 << INSP_NS_x to join; those shared with the target already are skipped */
	unsigned namespaces;
	bool uid_set, gid_set;	     /* run as uid, gid as the target's user namespace counts */
	bool uid_follow, gid_follow; /* run as the target's own */
	bool keep_ids; /* stay who one is, also in a user namespace, whose root is the default */
	uid_t uid;
	gid_t gid;
	bool root_set;		    /* change the root even without the mount namespace */
	const char *root;	    /* a directory of the host; NULL: the target's root */
	bool workdir_set;	    /* without workdir: the target's working directory */
	const char *workdir;	    /* inside when the target's files are seen, else on the host */
	const char *workdir_inside; /* looked up after entering */
	bool target_env;	    /* the target's environment */
	bool keep_env;		    /* the caller's, also inside */
	bool as_target; /* ids, groups, capabilities, environment and directory of the target */
	bool keep_caps; /* do not cut the capabilities to the target's */
	bool no_fork;	/* become the command; with a pid namespace only its children are in it */
	bool follow_context; /* SELinux context of the target */
	bool pty; /* a pty of our own between the caller's terminal (of 0, 1, 2) and the command */
	const char *const *env; /* K=V to set, NULL-terminated; may be NULL */
	char *const *envp;	/* the caller's environment */
};

struct insp_enter_plan;
/*
 * Looks at the target and decides every step; changes nothing. c: what the target is the init of, for messages; may
 * be NULL. target must live as long as the plan. The strings of opts are copied.
 *   - With the mount namespace joined, or root_set, the command is "inside": its programs are the container's. Its
 *     root is the target's, its directory "/", its capabilities are cut to the target's bounding set.
 *   - Inside, or with the pid or user namespace joined, the environment is TERM, PATH and HOME only.
 *   - A container with a guest kernel of its own has nothing to join but its network: -EOPNOTSUPP for mnt, pid, and
 *     its root.
 *   - With pid but not mnt, a fresh /proc; with net but not mnt, a fresh /sys and the target's resolv.conf and hosts:
 *     both in a private mount namespace.
 */
int insp_enter_plan_make(struct insp_sys *sys, const struct insp_pid *target,
			 const struct insp_container *c, const struct insp_enter_opts *opts,
			 struct insp_enter_plan **ret_plan, struct insp_err *err);
struct insp_enter_plan *insp_enter_plan_free(struct insp_enter_plan *plan);
/* The plan in words, one step a line, for --dry-run. free() it. */
char *insp_enter_plan_describe(const struct insp_enter_plan *plan);
/* What the plan goes without (a resolv.conf that is a FIFO). Stays the plan's. */
const struct insp_diags *insp_enter_plan_warnings(const struct insp_enter_plan *plan);
/* Whether the command's programs are the container's. */
bool insp_enter_plan_is_inside(const struct insp_enter_plan *plan);
/*
 * Carries the plan out: joins, runs argv (its first word looked up in the command's PATH when it has no slash), waits.
 * ret_status: exit status as docker exec gives it (the command's own, 126, 127, 128+N); with 126 and 127 because the
 * command could not be run err says why. The caller's fds above 2 do not get to the command. SIGTERM, INT, HUP, QUIT,
 * USR1, USR2 and WINCH are passed on to it; it dies when this process is killed. With no_fork, or when nothing needs a
 * parent, this process becomes the command: then it returns only with a failure, and its fds above 2 are closed.
 */
int insp_enter_run(const struct insp_enter_plan *plan, char *const argv[], int *ret_status,
		   struct insp_err *err);

/* Opens ns type of the target for setns(2). The caller's fd. */
int insp_enter_open_ns(const struct insp_pid *target, enum insp_ns_type type, int *ret_fd,
		       struct insp_err *err);
/*
 * Joins namespaces (bits 1 << INSP_NS_x) of the target that are not the caller's already: all at once by pidfd, one by
 * one in the right order where the kernel has no such call (< 5.8). The process is not dumpable afterwards.
 */
int insp_enter_join(const struct insp_pid *target, unsigned namespaces, struct insp_err *err);
/*
 * A detached copy of the target's whole mount tree from the target's root on, taken inside its mount namespace; the
 * caller comes back to its own, to its root and directory (on failure it may be left inside: exit then). Needs a
 * single-threaded caller and Linux 5.2. The copy's mounts are private where mount_setattr() exists (5.12): else make
 * them so at once after attaching it, or mounts of yours below it appear in the target. The caller's fd.
 */
int insp_enter_clone_tree(const struct insp_pid *target, int *ret_treefd, struct insp_err *err);

#endif
