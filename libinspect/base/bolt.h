/*
 * A read-only reader of bolt (bbolt) databases: one file, two meta pages, B+ trees of pages, nested buckets.
 *
 * No lock is taken: the lock belongs to the engine. The file is read into memory as far as it is used (a map of a file that
 * is cut meanwhile would be a SIGBUS), between two looks at the meta pages. bbolt never writes to a page that the last
 * committed transaction uses, so a copy is whole when no commit happened while it was taken; else it is taken again.
 *
 * The bytes may be hostile (a rootless user's file): every page number, offset and length is checked, tree depth
 * and the number of visited pages are limited. Format: docs/formats/bolt.md.
 */
#ifndef SONDE_BASE_BOLT_H
#define SONDE_BASE_BOLT_H

#include "libinspect/inspect.h"

#define BOLT_FILE_MAX (256 * 1024 * 1024)

struct bolt;

/* Bytes inside the database's copy: borrowed, valid until bolt_free(), not NUL-terminated. */
struct bolt_slice {
	const char *data;
	size_t len;
};

/* A place in the database; plain data, copy it freely. Valid until bolt_free(). */
struct bolt_bucket {
	const struct bolt *db;
	uint64_t root;		       /* page number of its tree, 0: inline */
	struct bolt_slice inline_page; /* when inline */
};

/*
 * Reads the database in fd, a regular file of at most max bytes. -EFBIG above max, -EBADMSG when neither meta page
 * is valid, -EAGAIN when a writer committed during each of several readings. bolt_free() it.
 */
int bolt_read(int fd, size_t max, struct bolt **ret, struct insp_err *err);
/* The same from bytes that are there (copied). */
int bolt_parse(const void *data, size_t len, struct bolt **ret, struct insp_err *err);
struct bolt *bolt_free(struct bolt *db); /* returns NULL */

static inline void bolt_freep(struct bolt **db)
{
	bolt_free(*db);
}
#define _cleanup_bolt_ _cleanup_(bolt_freep)

/*
 * Whether anything below gave -EBADMSG so far, by whomever it was asked, or a meta page is not valid, so that what the other
 * one shows may be older; *ret_page: the first such page, 0 for a meta page. For a reader to say once, at its end: what is
 * missing because of it looks as if it had never been there.
 */
bool bolt_damage(const struct bolt *db, uint64_t *ret_page);
/* The transaction that the copy shows. */
uint64_t bolt_txid(const struct bolt *db);
struct bolt_bucket bolt_root(const struct bolt *db);

/* The bucket key in b. -ENOENT: no such key, or it is a value; -EBADMSG: a damaged page on the way. */
int bolt_bucket(const struct bolt_bucket *b, const char *key, struct bolt_bucket *ret);
/* The value of key in b. Errors as above. */
int bolt_get(const struct bolt_bucket *b, const char *key, struct bolt_slice *ret);

/*
 * Every entry of b in key order. bucket is not NULL when the entry is a nested bucket; value is empty then.
 * A negative result of fn ends the walk and is returned.
 */
typedef int (*bolt_fn)(void *userdata, struct bolt_slice key, struct bolt_slice value,
		       const struct bolt_bucket *bucket);
int bolt_each(const struct bolt_bucket *b, bolt_fn fn, void *userdata);

#endif
