/* The parts of cps: what was asked, and one file for each kind of list. */
#ifndef SONDE_CPS_H
#define SONDE_CPS_H

#include "libinspect/inspect.h"
#include "tools/shared/columns.h"
#include "tools/shared/errors.h"
#include "tools/shared/opts.h"
#include "tools/shared/table.h"
#include "tools/shared/util.h"

struct cps_opts {
	struct common_opts common;
	bool all, quiet, latest, no_trunc, no_headings, json, tree, list_columns;
	bool by_pid, namespaces;
	const char *path, *veth, *ip, *port, *cgroup, *ns_inode; /* questions: at most one */
	unsigned last;						 /* 0: all */
	const char *output, *sort, *types;
	struct opt_list filters;
	const char *const *operands;
	size_t n_operands;
};

/* One run: the options, the host, and what could not be read so far. */
struct cps {
	const struct tool *tool;
	const struct cps_opts *opts;
	struct insp_sys *sys;
	struct insp_diags diags;
	bool failed; /* one of several operands could not be shown */
};

/* Each prints its list and returns the exit status. */
int cps_list(struct cps *cps);	     /* cps */
int cps_owners(struct cps *cps);     /* cps -p PID... */
int cps_questions(struct cps *cps);  /* cps --path, --veth, … */
int cps_processes(struct cps *cps);  /* cps CONTAINER... */
int cps_namespaces(struct cps *cps); /* cps --ns */

/* ---- containers ---------------------------------------------------------------------------------------- */

struct container_row {
	const struct insp_container *c;
	pid_t process;	 /* the process that was asked for with -p; 0: none */
	const char *how; /* why it answers a question; NULL: none was asked */
	ssize_t nprocs;	 /* -1: not known */
	int64_t now;
};
extern const struct column container_columns[];
#define CONTAINER_DEFAULT "ID,NAME,ENGINE,IMAGE,STATUS,PID,UPTIME"
/* HOW is the answer and is never cut: what else is shown leaves it room on a narrow terminal. */
#define QUESTION_DEFAULT "ID,NAME,ENGINE,STATUS,PID,HOW"
/* A want bit of our own: count the processes of each container. */
#define CPS_WANT_NPROCS (1U << 30)

/* Fills nprocs of each row that runs; a container that went away meanwhile stays unknown. */
void container_rows_count(struct cps *cps, struct container_row *rows, size_t n);

/* How many of the questions are asked. */
size_t questions_asked(const struct cps_opts *o);

/* ---- filters ------------------------------------------------------------------------------------------- */

struct filters;
/* Parses "key=value" texts. -EINVAL. Free with filters_free(). */
int filters_parse(const struct opt_list *texts, struct filters **ret, struct insp_err *err);
struct filters *filters_free(struct filters *filters);
/* Several filters of one key are alternatives; of different keys all must hold. */
bool filters_match(const struct filters *filters, const struct insp_container *c);
/* INSP_WANT_* bits that the filters look at. */
unsigned filters_want(const struct filters *filters);
/* Whether a container that no store claims can pass. */
bool filters_pass_bare(const struct filters *filters);

static inline void filters_freep(struct filters **filters)
{
	filters_free(*filters);
}

/* ---- processes and namespaces ---------------------------------------------------------------------------- */

struct process_row {
	const struct insp_container *c;
	const struct insp_proc *p;
	int64_t start, now; /* ns since the epoch */
	long hz;
};
extern const struct column process_columns[];
#define PROCESS_DEFAULT "PID,NSPID,USER,HOSTUSER,STATE,START,TIME,RSS,THREADS,COMMAND"

extern const struct column namespace_columns[]; /* rows are struct insp_ns_info */
#define NAMESPACE_DEFAULT "NS,TYPE,NPROCS,PID,UID,COMMAND,CONTAINER"

/* ---- output -------------------------------------------------------------------------------------------- */

/*
 * Sorts and prints rows, as a table or as {"schema":1,"<list>":[...],"diagnostics":[...]}, says the diagnostics on
 * stderr, and returns the exit status. parent: for --tree.
 */
int cps_print(struct cps *cps, const char *list, const struct columns *columns, const void **rows,
	      size_t n, ssize_t (*parent)(const void *const *rows, size_t n, size_t row));
/* The status of a run that printed: 0, 1, 2. */
int cps_status(const struct cps *cps);

#endif
