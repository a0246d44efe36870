/* What a tool says on stderr: escaped, for names in it may come from a container. */
#ifndef SONDE_SHARED_ERRORS_H
#define SONDE_SHARED_ERRORS_H

#include "libinspect/inspect.h"
#include "tools/shared/opts.h"

/* Exit statuses of every tool that does not run a command. */
enum {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_INCOMPLETE = 2, /* done, but something could not be read */
};

/* "TOOL: text", then "hint: …" where there is one. */
void tool_say(const struct tool *tool, const struct insp_err *err);
/* The same, and returns tool->failure. */
int tool_fail(const struct tool *tool, const struct insp_err *err);
/* Says that memory is out, and returns tool->failure. */
int tool_no_memory(const struct tool *tool);
/* tool_say() of each, a hint in common only once; how many there were. */
size_t tool_say_diags(const struct tool *tool, const struct insp_diags *diags);
/* The containers that an ambiguous reference may mean, one "  ENGINE:NAME  ID" a line. */
void tool_say_candidates(const struct insp_list *candidates);
/*
 * Resolves a reference; on failure says why, with the candidates, and returns tool->failure. 0: found.
 */
int tool_resolve(const struct tool *tool, struct insp_sys *sys, const char *ref, unsigned want,
		 struct insp_container **ret_container);
/*
 * At the end of main(): flushes stdout. A full disk or a closed pipe is a failure with a line on stderr; else
 * returns status.
 */
int tool_close_stdout(const struct tool *tool, int status);

#endif
