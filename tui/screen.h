/*
 * The screens of ctop: what is shown of the model, and keys. Only screen.c, draw.c and put.c know ncurses; what a key does to
 * the state below is in keys.c.
 */
#ifndef SONDE_TUI_SCREEN_H
#define SONDE_TUI_SCREEN_H

#include "tui/model.h"

struct common_opts;

enum theme {
	THEME_COLOUR,
	THEME_MONO,
	THEME_SAFE, /* blue and yellow, which nobody takes for each other */
};

enum view {
	VIEW_LIST,
	VIEW_ONE, /* one container: all columns, its processes */
	VIEW_HELP,
	VIEW_SORT,    /* a menu of columns */
	VIEW_COLUMNS, /* a menu of columns to show */
	VIEW_FILTER,  /* the list, with the filter being typed */
	VIEW_SIGNAL,  /* a menu of signals */
	VIEW_CONFIRM, /* whether it is to be sent */
};

enum grouping {
	GROUP_NONE,
	GROUP_POD, /* pod or compose project */
	GROUP_ENGINE,
	GROUP_MAX,
};

#define FILTER_MAX 64

struct screen {
	struct insp_sys *sys;
	struct feed *feed;
	const struct common_opts *common; /* where containers are looked for, too */
	struct model model;
	struct columns columns;
	struct insp_diags *diags;
	enum theme theme;
	bool ascii; /* the terminal's characters are no UTF-8 */
	double delay;
	unsigned iterations; /* 0: until q */

	enum view view, before; /* before: where help and signals lead back to */
	enum grouping grouping;
	const struct column *sort; /* NULL: trouble, then cpu */
	bool ended;		   /* the recording is over */
	bool reverse, paused, all, quit, resample;
	char filter[FILTER_MAX];
	char *cursor; /* key of the row it is on; NULL: the first */
	size_t at;    /* its place */
	size_t top;   /* the first process that VIEW_ONE shows */
	size_t menu_at;
	struct insp_pid
		*target; /* who VIEW_SIGNAL is about: whom one saw, whatever has its pid later */
	char target_name[128];	 /* raw, cut */
	char said[512];		 /* what became of it, until the next key; raw */
	int step;		 /* -1, 1: in time, of a recording */
	int run;		 /* a key that runs another program: 'e' or 'd'; 0: none */
	struct insp_procs procs; /* of the one that VIEW_ONE shows */
};

/* The key of the row under the cursor; NULL: there is none. */
const struct row *screen_row(const struct screen *s);
/* The order, the filter and the cursor, after a frame was taken or a key changed them. */
int screen_arrange(struct screen *s, struct insp_err *err);
/* As --sort has it: "COL", "-COL". */
void screen_sort(struct screen *s, const char *spec);
/* What the feed has to read for what is shown. */
unsigned screen_want(const struct screen *s);
/* Does what a key means; page: rows on a page. KEY_* of ncurses have these names. */
enum key {
	K_UP = 0x110000, /* above all of Unicode */
	K_DOWN,
	K_PAGE_UP,
	K_PAGE_DOWN,
	K_HOME,
	K_END,
	K_LEFT,
	K_RIGHT,
	K_ENTER,
	K_ESCAPE,
	K_BACKSPACE,
	K_RESIZE,
};
/* Moves *at, one of n, when key is one that moves; false: it is none. */
bool move_key(size_t *at, size_t n, int key, size_t page);
int screen_key(struct screen *s, int key, size_t page, struct insp_err *err);

/* ---- signals to a container's first process: signal.c ---- */

extern const struct signal_name {
	const char *name, *help;
	int number;
} signal_names[];
/* k: the menu, where there is a process. */
void signal_open(struct screen *s);
/* Keys of the menu, and of the question behind it. */
void signal_key(struct screen *s, int key);

/* Runs until q, or the feed's end. -EOPNOTSUPP: the terminal cannot do it, and err says so. */
int screen_run(struct screen *s, struct insp_err *err);
void screen_clear(struct screen *s);
/* Runs what key means on the cursor's container, in a terminal that is as ctop found it: 'e' a session, 'd' its changes. */
void program_run(const struct screen *s, int key);

/* ---- drawing ---- */

/*
 * The columns of text that fit into width, padded to it; right: at its right end. text is escaped UTF-8; what the terminal
 * cannot show is '?'.
 */
void put_text(const struct screen *s, int y, int x, int width, const char *text, bool right);
void draw_screen(const struct screen *s);
/* How many rows a page has: containers, of VIEW_ONE processes. */
size_t draw_page(const struct screen *s);
enum look {
	LOOK_PLAIN,
	LOOK_HEAD,
	LOOK_WARN,
	LOOK_BAD,
	LOOK_DIM,
	LOOK_GROUP,
};
void look_init(const struct screen *s);
void look(const struct screen *s, enum look look, bool on);

#define CTOP_SCREEN                                                                         \
	"NAME,TROUBLE,CPU,MEM,MEMPCT,THROTTLED,NETIN,NETOUT,READ,WRITE,PIDS,PSICPU,PSIMEM," \
	"PSIIO,ENGINE,STATE,GROUP,UPTIME,IMAGE"

#endif
