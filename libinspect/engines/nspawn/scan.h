/* What the parts of one scan for systemd-nspawn's machines share. */
#ifndef SONDE_ENGINES_NSPAWN_SCAN_H
#define SONDE_ENGINES_NSPAWN_SCAN_H

#include "libinspect/engines/freezer.h"
#include "libinspect/engines/hostproc.h"
#include "libinspect/engines/nspawn/nspawn.h"

#define NSPAWN_NAME    "nspawn"
#define NSPAWN_PROGRAM "systemd-nspawn"

/* A directory that a running machine has for its root, so that it is no machine besides. */
struct nspawn_used {
	dev_t dev;
	ino_t ino;
};
struct nspawn_scan {
	struct engine_scan *scan;
	struct freezer freezer;
	struct nspawn_used *used;
	size_t n_used;
	bool walked;	  /* every supervisor was seen */
	pid_t registered; /* the one that was looked at before, by the registry's word */
};

/* Hands over the container that a supervisor of this host holds; nothing when it is none. -ENOMEM. */
int nspawn_add_running(struct nspawn_scan *s, pid_t pid);
/* The supervisors of all containers; also when the scan may not walk. -ENOMEM. */
int nspawn_walk(struct nspawn_scan *s);
/* Hands over the machines of directory path that do not run. must_be: it was named by the caller. -ENOMEM. */
int nspawn_add_machines(struct nspawn_scan *s, const char *path, bool must_be);

/* Reads the settings of machine name, those that the host's administrator made, into *o. -ENOMEM. */
int nspawn_settings_read(const struct insp_sys *sys, const char *name, struct nspawn_options *o);
/* Layers and rootfs of a tree at directory, NULL: not known. -ENOMEM. */
int nspawn_set_root(struct nspawn_scan *s, const char *directory, enum nspawn_volatile is_volatile,
		    struct insp_container *c);
/* "NAME.raw" or "NAME" of a tree; 0: no name of a machine (hostname_is_valid()). Returns its length. */
size_t nspawn_name_len(const char *file, bool is_dir);

#endif
