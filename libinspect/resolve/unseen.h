/* What a message says when not all could be looked at. */
#ifndef SONDE_RESOLVE_UNSEEN_H
#define SONDE_RESOLVE_UNSEEN_H

#include "libinspect/inspect.h"

/*
 * Adds to err's text that not all could be read: the failure that ref, the beginning of an id, is named in, else the
 * first, cut between words, and how many more there are. Where err has no hint it gets that failure's. Nothing when
 * there was no failure.
 */
void unseen_note(const struct insp_diags *diags, const char *ref, struct insp_err *err);

/* c->no_layers: what was noted when c's layers were looked for. Nothing when they are known. -ENOMEM. */
int unseen_layers(const struct insp_diags *diags, struct insp_container *c);

#endif
