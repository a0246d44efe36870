/*
 * Names are UTF-8 in a pax archive, and libarchive takes them to be of the locale; bytes that are none are then marked as such
 * (hdrcharset=BINARY). Only this thread's locale, and only between the two calls.
 */
#ifndef SONDE_ROOTFS_UTF8_H
#define SONDE_ROOTFS_UTF8_H

#include <locale.h>

struct utf8 {
	locale_t utf8, old; /* utf8 0: a C library without it */
};

static inline struct utf8 utf8_begin(void)
{
	struct utf8 u = { .utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0) };

	if (u.utf8)
		u.old = uselocale(u.utf8);
	return u;
}

static inline void utf8_end(struct utf8 u)
{
	if (u.utf8) {
		uselocale(u.old);
		freelocale(u.utf8);
	}
}

#endif
