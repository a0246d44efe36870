/* Inside ccp: its options, and its operands. */
#ifndef SONDE_CCP_H
#define SONDE_CCP_H

#include "libinspect/files.h"
#include "tools/shared/errors.h"
#include "tools/shared/opts.h"
#include "tools/shared/util.h"

struct ccp_opts {
	struct common_opts common;
	const char *owner;
	bool archive, follow, glob, quiet, devices;
};

extern const struct tool ccp_tool;

/* ---- operands.c ---- */

/* A container that operands name; its files are opened once. */
struct ccp_container {
	struct ccp_container *next;
	char *ref;
	struct insp_container *container;
	struct insp_files *files;
	bool unseen; /* it runs, and only what its layers have can be read */
};
struct ccp_host {
	struct insp_sys *sys;
	struct ccp_container *containers;
};
void ccp_host_clear(struct ccp_host *host);

/* "-": a tar on standard input or output. */
bool ccp_is_tar(const char *operand);
/* Whether the operand is CONTAINER:PATH, as docker cp tells it. */
bool ccp_is_container(const char *operand);
/* The side that an operand names, to be read or to write to; its path points into the operand. 0, or the exit status, everything said. */
int ccp_side(struct ccp_host *host, const char *operand, bool write, struct insp_copy_side *ret);

/* What is copied, each opened and, with --glob, expanded. */
struct ccp_sources {
	struct insp_copy_side *items;
	size_t n;
	struct insp_paths *globs; /* one for each operand */
	size_t n_globs;
};
void ccp_sources_clear(struct ccp_sources *sources);
/* n operands, none of them "-". 0, or the exit status, everything said. */
int ccp_sources(struct ccp_host *host, char *operands[], size_t n, bool glob,
		struct ccp_sources *ret);

/* ---- signals.c ---- */

/* Starts to catch signals that end the copy; *ret_stop is not 0 once one came. */
void ccp_signals(const volatile int **ret_stop);
/* Ends this process by the signal that came, if one did. */
void ccp_die_of_signal(void);

#endif
