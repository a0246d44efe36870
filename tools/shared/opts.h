/*
 * A tool's command line is one table. Parsing, --help, the bash completion and the check that the man page names
 * every option (tests/lint/options.sh) all come from it.
 *
 *	struct cnsenter_opts {
 *		struct common_opts common;
 *		bool dry_run;
 *		unsigned namespaces;
 *		const char *user;
 *	};
 *	#define AT(member) offsetof(struct cnsenter_opts, member)
 *	static const struct opt table[] = {
 *		{ OPT_GROUP, .help = "Namespaces" },
 *		{ OPT_BIT, 'm', "mount", AT(namespaces), .help = "join the mount namespace", .bit = 1 << INSP_NS_MNT },
 *		{ OPT_STRING, 'S', "setuid", AT(user), "UID", "run as this user, or 'follow'" },
 *		{ OPT_FLAG, 0, "dry-run", AT(dry_run), .help = "print the plan and do nothing" },
 *		OPTS_COMMON(struct cnsenter_opts, common),
 *		OPTS_END,
 *	};
 */
#ifndef SONDE_SHARED_OPTS_H
#define SONDE_SHARED_OPTS_H

#include "libinspect/inspect.h"

#include <stdbool.h>
#include <stddef.h>

enum opt_kind {
	OPT_LAST,   /* ends the table */
	OPT_GROUP,  /* a heading in --help; only .help */
	OPT_FLAG,   /* bool: true */
	OPT_BIT,    /* unsigned: .bit is or'ed in */
	OPT_STRING, /* const char * */
	OPT_UINT,   /* unsigned: decimal */
	OPT_SIZE, /* uint64_t: bytes, with a suffix K M G T (powers of 1024; "iB" and "B" may follow) */
	OPT_DECIMAL,  /* double: positive, "1.5" */
	OPT_CHOICE,   /* const char *: one of the words of .words */
	OPT_LIST,     /* struct opt_list: may be repeated */
	OPT_OPTIONAL, /* const char *: --name[=ARG], -xARG; "" when given without */
	OPT_CALL,     /* .call(arg, values + offset, err); takes an argument when .arg is set */
	OPT_HELP,     /* OPTS_COMMON has these two */
	OPT_VERSION,
};

/* What bash completes an argument with. */
enum opt_complete {
	COMPLETE_NONE,
	COMPLETE_FILE,
	COMPLETE_DIR,
	COMPLETE_CONTAINER, /* names that `cps` lists */
	COMPLETE_RUNNING,   /* the same, without stopped ones */
	COMPLETE_COLUMN,    /* `TOOL --list-columns`, comma separated */
	COMPLETE_PID,
	COMPLETE_USER,
	COMPLETE_WORDS,	  /* those of .words */
	COMPLETE_COMMAND, /* of the host's PATH */
	COMPLETE_SIDE,	  /* a container's name and a colon, or a file */
};

struct opt {
	enum opt_kind kind;
	char letter;	   /* 0: none */
	const char *name;  /* long name; NULL: none */
	size_t offset;	   /* of the value in the tool's struct */
	const char *arg;   /* what the argument is called in --help */
	const char *help;  /* one line, no final period; NULL: hidden */
	const char *words; /* OPT_CHOICE, COMPLETE_WORDS: blank separated */
	enum opt_complete complete;
	unsigned bit;
	/* OPT_CALL: 0, or a negative errno with err said. arg is NULL when it takes none (or none was given). */
	int (*call)(const char *arg, void *value, struct insp_err *err);
};

#define OPTS_END         \
	{                \
		OPT_LAST \
	}

/* Borrowed from argv. Free with opt_list_clear(). */
struct opt_list {
	const char **items;
	size_t n;
};
void opt_list_clear(struct opt_list *list);

struct tool {
	const char *name;
	const char *summary;	    /* one line, for --help */
	const char *const *usage;   /* what follows the name, NULL-terminated */
	const struct opt *opts;	    /* ends with OPTS_END */
	const char *epilog;	    /* NULL, or lines below the options in --help */
	enum opt_complete operands; /* what the first operand is */
	bool stop_at_operand; /* what follows the first operand is a command: its options are its own */
	int failure;	      /* exit status of failures and usage errors: 1, or 125 */
};

/* Options that every tool has, and their struct. --sysroot is OPTS_SYSROOT: only tools that read. */
struct common_opts {
	struct opt_list stores;	      /* ENGINE=DIR */
	struct opt_list docker_roots; /* DIR: docker=DIR */
	const char *sysroot;
};
void common_opts_clear(struct common_opts *common);

#define OPTS_SYSROOT(type, member)                                                             \
	{                                                                                      \
		OPT_STRING, 0, "sysroot", offsetof(type, member.sysroot), "DIR",               \
			"read the host whose root is mounted at DIR", .complete = COMPLETE_DIR \
	}
#define OPTS_COMMON(type, member)                                                 \
	{ OPT_LIST,	0,                                                        \
	  "store",	offsetof(type, member.stores),                            \
	  "ENGINE=DIR", "also read this state directory (repeatable)" },          \
		{ OPT_LIST,                                                       \
		  0,                                                              \
		  "docker-root",                                                  \
		  offsetof(type, member.docker_roots),                            \
		  "DIR",                                                          \
		  "the same as --store docker=DIR (repeatable)",                  \
		  .complete = COMPLETE_DIR },                                     \
		{ OPT_HELP, 'h', "help", 0, NULL, "show this help and exit" },    \
	{                                                                         \
		OPT_VERSION, 'V', "version", 0, NULL, "show the version and exit" \
	}

/*
 * Parses the command line into values (a zeroed or preset struct of the tool). Answers --help, --version and the
 * hidden --complete-bash and --list-options itself. Returns -1: go on, argv[*ret_first] is the first operand
 * (argc: none; a "--" is skipped); else the status to exit with, everything said.
 */
int opts_parse(const struct tool *tool, int argc, char *argv[], void *values, int *ret_first);

/* "TOOL: text" and "Try 'TOOL --help'." on stderr. Returns tool->failure. */
int opts_usage_error(const struct tool *tool, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* insp_sys_open() with --store, --docker-root and --sysroot. -EINVAL: an ENGINE=DIR that is none. */
int common_opts_open(const struct common_opts *common, struct insp_sys **ret_sys,
		     struct insp_err *err);

/* "256M" -> bytes. -EINVAL, -ERANGE. What OPT_SIZE uses. */
int opts_parse_size(const char *text, uint64_t *ret);

/* The parts of opts_parse(), for the tests. Print to stdout. */
void opts_print_help(const struct tool *tool);
void opts_print_bash(const struct tool *tool);
void opts_print_list(const struct tool *tool);

#endif
