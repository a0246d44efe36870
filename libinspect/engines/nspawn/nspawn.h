/*
 * systemd-nspawn: what its command line, its settings files and the directories of machines say
 * (docs/formats/nspawn.md).
 */
#ifndef SONDE_ENGINES_NSPAWN_H
#define SONDE_ENGINES_NSPAWN_H

#include "libinspect/container/container.h"
#include "libinspect/kernel/sys.h"

#define NSPAWN_MOUNTS_MAX 256 /* of one machine; what comes after is left out */

enum nspawn_volatile {
	NSPAWN_VOLATILE_UNSET,
	NSPAWN_VOLATILE_NO,
	NSPAWN_VOLATILE_YES,   /* the root is a tmpfs, /usr the tree's */
	NSPAWN_VOLATILE_STATE, /* the tree read-only, /var a tmpfs */
	NSPAWN_VOLATILE_OVERLAY,
};

/* An option that mounts something: --bind=, --bind-ro=, --tmpfs=; Bind= … of a settings file. */
struct nspawn_mount {
	const char *type; /* "bind", "tmpfs" */
	bool read_only;
	char *value;
};

/* NULL: not said. */
struct nspawn_options {
	char *machine, *directory, *image, *template, *hostname, *command;
	bool ephemeral;
	enum nspawn_volatile is_volatile;
	struct nspawn_mount *mounts;
	size_t n_mounts;
};
void nspawn_options_free(struct nspawn_options *o);
#define _cleanup_nspawn_options_ _cleanup_(nspawn_options_free)

/*
 * Parses the arguments (buf, len), NUL-separated, the program's name first, as getopt_long() takes them for
 * systemd-nspawn 252 to 257: long options may be cut, the first argument that is no option begins the command. -ENOMEM;
 * -EBADMSG: options that it would refuse.
 */
int nspawn_args_parse(const char *buf, size_t len, struct nspawn_options *ret);
/* Adds what the settings file (buf, len) says and *o does not, as systemd.nspawn(5). -ENOMEM. */
int nspawn_settings_parse(const char *buf, size_t len, struct nspawn_options *o);
/* Adds one mount. value is copied. -ENOMEM. */
int nspawn_options_add_mount(struct nspawn_options *o, const char *type, bool read_only,
			     const char *value, size_t len);
enum nspawn_volatile nspawn_volatile_parse(const char *value, size_t len);
/* Adds the options' mounts to c's: "SOURCE[:DESTINATION[:OPTIONS]]", a backslash before a colon that is part of a path. */
int nspawn_add_mounts(const struct nspawn_options *o, struct insp_container *c);

#endif
