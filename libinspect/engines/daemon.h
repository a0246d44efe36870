/*
 * A process that may be an engine's daemon (or helper) of this host. Any process can call itself what it likes: before
 * what it was told is believed, it must be root's, in this host's pid and user namespaces, and see this host's files.
 */
#ifndef SONDE_ENGINES_DAEMON_H
#define SONDE_ENGINES_DAEMON_H

#include "libinspect/engines/engine.h"

/*
 * What to put before the paths of root's process pid to have them on this host: "" or, for one in a chroot, that
 * directory. -EPERM: not root's, or not of this host; -ENOMEM. A new string.
 */
int daemon_prefix(const struct insp_sys *sys, pid_t pid, char **ret);

#endif
