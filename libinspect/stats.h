/*
 * What containers use: samples of counters and gauges from their cgroups (v1, v2, hybrid), their network namespace and,
 * where they have no cgroup of their own, from their processes; and rates between two samples. Public, beside inspect.h,
 * whose conventions hold.
 */
#ifndef SONDE_STATS_H
#define SONDE_STATS_H

#include "libinspect/inspect.h"

/* ---- samples ------------------------------------------------------------------------------------------- */

/* One number of a container. "counter": since it started, so what one wants is its rate; the others are as of now. */
enum insp_stat {
	INSP_STAT_CPU,	     /* counter: processor time, ns */
	INSP_STAT_PERIODS,   /* counter: periods of its cpu limit that it ran in */
	INSP_STAT_THROTTLED, /* counter: those in which it was throttled */
	INSP_STAT_CPU_LIMIT, /* thousandths of a core */
	INSP_STAT_MEM,	     /* working set, bytes: usage less inactive file, as docker counts */
	INSP_STAT_MEM_LIMIT, /* bytes */
	INSP_STAT_ANON,	     /* bytes */
	INSP_STAT_FILE,	     /* page cache with shmem, bytes */
	INSP_STAT_SHMEM,     /* bytes */
	INSP_STAT_SWAP,	     /* bytes */
	INSP_STAT_OOM_KILLS, /* counter */
	INSP_STAT_NET_RX,    /* counter: bytes, of its network namespace without lo */
	INSP_STAT_NET_TX,
	INSP_STAT_IO_READ, /* counter: bytes, of block devices */
	INSP_STAT_IO_WRITE,
	INSP_STAT_IO_READS, /* counter: operations */
	INSP_STAT_IO_WRITES,
	INSP_STAT_PIDS, /* tasks (threads), as the pids controller counts */
	INSP_STAT_PIDS_LIMIT,
	INSP_STAT_PSI_CPU, /* counter: µs in which some task waited for it (PSI "some") */
	INSP_STAT_PSI_MEM,
	INSP_STAT_PSI_IO,
	INSP_STAT_FDS, /* open file descriptors of its processes */
	INSP_STAT_MAX,
};
#define INSP_STAT_BIT(stat) (1u << (stat))
#define INSP_STAT_ALL	    ((1u << INSP_STAT_MAX) - 1)
/* The value of a limit that is not set. */
#define INSP_STAT_NO_LIMIT UINT64_MAX

/* What was known of a container at one moment. */
struct insp_sample {
	int64_t at; /* ns of CLOCK_BOOTTIME; 0: nothing was read */
	uint32_t
		known; /* INSP_STAT_BIT()s: what is not set could not be told, and its value is 0 */
	uint64_t value[INSP_STAT_MAX];
};
/* Whether stat is known; a limit that is not set is. */
bool insp_sample_has(const struct insp_sample *sample, enum insp_stat stat);
/*
 * How much a counter grew a second between two samples. false, and *ret_rate untouched: one of them does not know it, no
 * time went by, or it went backwards (another cgroup of the same name, a counter that was reset).
 */
bool insp_sample_rate(const struct insp_sample *before, const struct insp_sample *after,
		      enum insp_stat stat, double *ret_rate);
/* By how much it grew; false as above. */
bool insp_sample_growth(const struct insp_sample *before, const struct insp_sample *after,
			enum insp_stat stat, uint64_t *ret_growth);

/* ---- the containers of a host, watched ----------------------------------------------------------------- */

/*
 * The running containers of a host, with what is needed to sample them kept open. New ones come by inotify of the cgroup
 * directories, and are resolved by one of their processes; one that ends is known by its pidfd. What neither tells (state,
 * restarts, a container without a cgroup of its own) comes by a list of all every ten seconds, or seldomer where a list
 * takes long: at most one fiftieth of a processor goes into it.
 */
struct insp_fleet;

struct insp_fleet_opts {
	uint32_t fields; /* INSP_STAT_BIT()s; nothing else is read */
	unsigned
		want; /* INSP_WANT_* of inspect.h, for the containers' fields; with INSP_WANT_STOPPED all */
	unsigned rescan_ms; /* at least so long between two lists; 0: 10 s */
};

struct insp_fleet_item {
	struct insp_container *c;  /* the fleet's */
	struct insp_sample sample; /* at 0: it does not run, or could not be read */
	bool summed;		   /* it has no cgroup of its own: the sum of its processes */
};

/* Lists the containers; reads no sample yet. Only of the live host (-ENOTSUP). Close with insp_fleet_close(). */
int insp_fleet_open(struct insp_sys *sys, const struct insp_fleet_opts *opts,
		    struct insp_fleet **ret_fleet, struct insp_diags *diags, struct insp_err *err);
struct insp_fleet *insp_fleet_close(struct insp_fleet *fleet); /* returns NULL */
/* From the next sample on other fields or containers. */
void insp_fleet_set(struct insp_fleet *fleet, const struct insp_fleet_opts *opts);
/* Takes up who came and who went, then samples all. diags: what a list could not read; may be NULL. */
int insp_fleet_sample(struct insp_fleet *fleet, struct insp_diags *diags, struct insp_err *err);
/* All items, in no order; valid until the next sample. Returns how many. */
size_t insp_fleet_items(const struct insp_fleet *fleet, const struct insp_fleet_item **ret_items);
/* Who ended since the sample before, with the exit code where a record has it; valid until the next sample. */
size_t insp_fleet_ended(const struct insp_fleet *fleet, struct insp_container *const **ret_ended);

/* ---- the host ------------------------------------------------------------------------------------------ */

/* Its own numbers, for one line. What is not known is negative. */
struct insp_host_sample {
	double load[3];	       /* 1, 5, 15 minutes */
	int64_t mem_total;     /* bytes */
	int64_t mem_available; /* bytes */
	int64_t swap_total, swap_free;
	double psi[3]; /* cpu, memory, io: "some" of the last 10 s, percent */
	int cpus;
};
void insp_host_sample(const struct insp_sys *sys, struct insp_host_sample *ret);

/* ---- moments, recorded and replayed -------------------------------------------------------------------- */

/* All containers at one time. Points to what others own. */
struct insp_moment {
	int64_t time; /* ns since the epoch */
	struct insp_host_sample host;
	const struct insp_fleet_item *items;
	size_t n;
	struct insp_container *const *ended; /* since the moment before */
	size_t n_ended;
};

/*
 * Writes moments to a file: docs/formats/ctop-recording.md. A crash costs the last one. A recording that is there is gone on with,
 * another file is not touched (-EBADMSG, -EPROTONOSUPPORT), nor one that is recorded to (-EBUSY). max_size: bytes at most in
 * path and in path.1, which gets the older half; 0: no limit.
 */
struct insp_recorder;
int insp_recorder_open(const char *path, uint64_t max_size, struct insp_recorder **ret,
		       struct insp_err *err);
struct insp_recorder *insp_recorder_close(struct insp_recorder *recorder); /* returns NULL */
/* On failure (a full disk) the file is as it was before, and the next may succeed. */
int insp_recorder_add(struct insp_recorder *recorder, const struct insp_moment *moment,
		      struct insp_err *err);

/* Reads them again. Of the containers only what the page above names is set. */
struct insp_replay;
int insp_replay_open(const char *path, struct insp_replay **ret, struct insp_err *err);
struct insp_replay *insp_replay_close(struct insp_replay *replay); /* returns NULL */
/*
 * 1: the next moment, valid until the next call; 0: there are no more, or only a torn one; -EBADMSG: whole, and yet without
 * sense.
 */
int insp_replay_next(struct insp_replay *replay, struct insp_moment *ret, struct insp_err *err);

#endif
