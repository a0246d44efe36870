/*
 * passwd(5) and group(5) files, the host's or a target's, by our own parser: no NSS, nothing loaded
 * (CVE-2019-14271), no blocking on a FIFO, capped (CVE-2024-9676).
 */
#ifndef SONDE_KERNEL_PASSWD_H
#define SONDE_KERNEL_PASSWD_H

#include "libinspect/inspect.h"

#define PASSWD_MAX	   (1024 * 1024)
#define PASSWD_ENTRIES_MAX ((size_t)65536) /* what comes after is left out */

struct passwd_entry {
	char *name, *home, *shell;
	uid_t uid;
	gid_t gid;
};
struct passwd_table {
	struct passwd_entry *items;
	size_t n;
	char *buf; /* strings point into it */
};
void passwd_table_free(struct passwd_table *t);
#define _cleanup_passwd_ _cleanup_(passwd_table_free)

/* Lines that make no sense are left out. -EFBIG above PASSWD_MAX. */
int passwd_parse(const char *buf, size_t len, struct passwd_table *ret);
/*
 * etc/passwd below a root directory. *ret is always set: a file that is missing, no regular file or too large gives
 * an empty table, a negative errno, and err says.
 */
int passwd_read(int rootfd, struct passwd_table *ret, struct insp_err *err);
/* The same of a container, which may hang whoever opens it: within a deadline, then -ETIMEDOUT. */
int passwd_read_target(int rootfd, struct passwd_table *ret, struct insp_err *err);
const struct passwd_entry *passwd_by_uid(const struct passwd_table *t, uid_t uid);
const struct passwd_entry *passwd_by_name(const struct passwd_table *t, const char *name);

#endif
