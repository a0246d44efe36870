/* The parts of cdiff: what was asked, and one file for each way to show changes. */
#ifndef SONDE_CDIFF_H
#define SONDE_CDIFF_H

#include "libinspect/files.h"
#include "tools/shared/errors.h"
#include "tools/shared/json-out.h"
#include "tools/shared/opts.h"
#include "tools/shared/util.h"

struct cdiff_opts {
	struct common_opts common;
	bool all, verify, unified, stat, layers, json, null, exit_code;
	struct opt_list excludes;
	const char *container, *other; /* other NULL: compared with what it began as */
	const char *const *paths;
	size_t n_paths;
};

/* One run. */
struct cdiff {
	const struct tool *tool;
	const struct cdiff_opts *opts;
	struct insp_sys *sys;
	struct insp_container
		*containers[2]; /* by enum insp_side; the same one where there is no other */
	struct insp_diags diags;
	bool tty;	/* stdout is a terminal: names are escaped */
	size_t n[3];	/* changes by kind: added, changed, deleted */
	int64_t growth; /* bytes of data, after less before */
	bool begun;	/* something was shown */
	struct json_out out;
};

/* What is said of each change, before the first and behind the last. Return 0 or < 0: the run ends with it. */
struct cdiff_way {
	void (*begin)(struct cdiff *cdiff);
	int (*each)(struct cdiff *cdiff, const struct insp_change *change);
	void (*end)(struct cdiff *cdiff);
	unsigned flags; /* of insp_diff() */
};
extern const struct cdiff_way way_lines;   /* docker diff's; --layers, --null */
extern const struct cdiff_way way_stat;	   /* --stat */
extern const struct cdiff_way way_json;	   /* --json */
extern const struct cdiff_way way_unified; /* -u */

/* Puts a name out, escaped where stdout is a terminal. */
void cdiff_put(const struct cdiff *cdiff, const char *text);
/* The bytes of data that the file has by itself: of a regular file or a link. NULL: 0. */
uint64_t cdiff_size(const struct insp_file *file);
/* What a layer is, in one word. */
const char *cdiff_role_name(enum insp_layer_role role);
/* Says that a change cannot be shown whole; the run goes on and is incomplete. */
void cdiff_say(struct cdiff *cdiff, const struct insp_change *change, int error, const char *what);

#endif
