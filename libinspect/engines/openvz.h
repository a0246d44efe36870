/* Files of OpenVZ (docs/formats/openvz.md). */
#ifndef SONDE_ENGINES_OPENVZ_H
#define SONDE_ENGINES_OPENVZ_H

#include "libinspect/container/container.h"

/* ctid.conf(5): what of it is used. Strings: free() each; NULL: not there. $VEID stands in them as it is written. */
struct openvz_conf {
	char *name, *hostname, *template, *private, *root, *addresses, *layout;
};
void openvz_conf_free(struct openvz_conf *conf);
/* Lines KEY="VALUE"; what makes no sense is left out, the last of a key counts. -ENOMEM. */
int openvz_conf_parse(const char *buf, size_t len, struct openvz_conf *ret);
/* text with $VEID and ${VEID} replaced. A new string, NULL when memory is out. */
char *openvz_expand(const char *text, const char *ctid);
/* Whether /proc/vz/veinfo, whose lines begin with the id of a container that runs, has ctid. */
bool openvz_is_listed(const char *buf, size_t len, const char *ctid);
/* The envID of a /proc/PID/status, copied to ctid; whether the process is its container's init (VPid 1). */
bool openvz_parse_status(const char *buf, size_t len, char *ctid, size_t size, bool *ret_init);

#endif
