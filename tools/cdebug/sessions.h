/* Detached sessions: listed, attached to, stopped. */
#ifndef SONDE_TOOLS_CDEBUG_SESSIONS_H
#define SONDE_TOOLS_CDEBUG_SESSIONS_H

#include "tools/shared/opts.h"

/* --list, --attach, --stop. Each returns the status to exit with, everything said. */
int sessions_print(const struct tool *tool, bool json);
int sessions_attach(const struct tool *tool, const char *id);
int sessions_stop(const struct tool *tool, const struct opt_list *ids);

#endif
