/*
 * An lxc container's config file: lines "key = value", lxc.container.conf(5), of lxc 5.0; also the keys of before 2.1.
 */
#ifndef SONDE_ENGINES_LXC_CONFIG_H
#define SONDE_ENGINES_LXC_CONFIG_H

#include "libinspect/container/container.h"
#include "libinspect/kernel/sys.h"

#define LXC_CONFIG_MAX	    (256 * 1024) /* of one file */
#define LXC_CONFIG_LIST_MAX 256		 /* mount entries, includes; what comes after is left out */
#define LXC_INCLUDES_MAX    64		 /* files in all */
#define LXC_INCLUDE_DEPTH   4

struct lxc_strings {
	char **items;
	size_t n;
};

/* NULL: not said. */
struct lxc_config {
	char *rootfs;	   /* lxc.rootfs.path: [TYPE:]PATH… */
	char *hostname;	   /* lxc.uts.name */
	char *command;	   /* lxc.init.cmd */
	char *console_log; /* lxc.console.logfile */
	bool own_cgroup; /* lxc.cgroup.relative or .dir: its cgroup is not called by its name alone */
	struct lxc_strings mounts; /* lxc.mount.entry, each as in fstab(5) */
	struct lxc_strings includes;
	struct lxc_strings idmaps; /* lxc.idmap: "u 0 100000 65536" */
};
void lxc_config_free(struct lxc_config *c);
#define _cleanup_lxc_config_ _cleanup_(lxc_config_free)

/*
 * Adds what (buf, len) says to *c: a key that is there again replaces, mounts and includes add up. Lines that make no
 * sense are left out. -ENOMEM.
 */
int lxc_config_parse(const char *buf, size_t len, struct lxc_config *c);
/*
 * Reads the files, and those of the directories, that c->includes names, and what they include. Only root's, which
 * nobody else may write: an include is looked at as root and may lead anywhere. -ENOMEM.
 */
int lxc_config_include(const struct insp_sys *sys, struct lxc_config *c);

/*
 * The layers that value of lxc.rootfs.path stands for; NULL in *ret: it does not tell (a block device, a volume that is
 * not mounted). within: NULL, or a directory that every path must lie in. -ENOMEM.
 */
int lxc_config_layers(const char *value, const char *within, struct insp_layers **ret);
/* Adds mount entries to c's mounts, but for those of proc, sysfs and the like. rootfs may be NULL. -ENOMEM. */
int lxc_config_add_mounts(const struct lxc_strings *entries, const char *rootfs,
			  struct insp_container *c);
/* Adds lxc.idmap's ranges to c's. -ENOMEM. */
int lxc_config_add_ids(const struct lxc_strings *idmaps, struct insp_container *c);
/* Whether path is absolute, without "..", and below within (NULL: anywhere). */
bool lxc_path_is_within(const char *path, const char *within);

#endif
