/* LXD and its fork keep their containers in one form; what differs is where, and what their programs are called. */
#ifndef SONDE_ENGINES_LXC_FORM_H
#define SONDE_ENGINES_LXC_FORM_H

#include "libinspect/engines/engine.h"

struct lxd_form {
	const char *name;	 /* the engine's */
	const char *const *dirs; /* the defaults, NULL-terminated */
	const char *const *
		programs; /* the daemon's file name, which its monitors have too; NULL-terminated */
	const char *variable; /* of the daemon's environment: its directory */
	const char *logs;     /* where its logs are, when its directory is the first default */
};

/* engine.scan of such an engine. */
int lxd_scan(struct engine_scan *scan, const struct lxd_form *form);

#endif
