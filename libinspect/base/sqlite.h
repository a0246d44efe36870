/*
 * Reading SQLite databases (file format 3, sqlite.org/fileformat2.html) that somebody else writes to.
 *
 * Neither a lock is taken nor a file made: the library never sees the file, only a copy in memory. The copy shows one
 * committed state. It is taken between two looks at what every transaction changes: the file's header (change counter),
 * its size and time, the rollback journal, the write-ahead log. When a transaction is open, or was cut off, the copy
 * is brought back to the state before it by the journal; committed frames of a write-ahead log are put into it.
 *
 * The bytes may be hostile (a rootless user's file): size limits, a small schema, plain tables only (no view, virtual
 * table, function, trigger), a budget of steps, and no more bytes in rows than the file has. docs/formats/sqlite.md.
 */
#ifndef SONDE_BASE_SQLITE_H
#define SONDE_BASE_SQLITE_H

#include "libinspect/base/io.h"

#define SQLITE_FILE_MAX	   (256 * 1024 * 1024)
#define SQLITE_COLUMNS_MAX 8

struct sqlite;

/* Text or blob: borrowed during the call, NUL-terminated behind len; NULL for NULL. A number: data NULL, is_number. */
struct sqlite_value {
	const char *data;
	size_t len;
	int64_t number;
	bool is_number;
};

/*
 * Reads the database name below dirfd, a regular file (no link) of at most max bytes. -ENOENT: there is none; -EFBIG;
 * -EBADMSG: it is no database, or a cut one; -EAGAIN: writers changed it during each of several readings; -EINVAL, -ELOOP:
 * no regular file. sqlite_free() it.
 */
int sqlite_read(int dirfd, const char *name, size_t max, struct sqlite **ret, struct insp_err *err);
/* The same from bytes that are there (copied). */
int sqlite_parse(const void *data, size_t len, struct sqlite **ret, struct insp_err *err);
struct sqlite *sqlite_free(struct sqlite *db); /* returns NULL */

static inline void sqlite_freep(struct sqlite **db)
{
	sqlite_free(*db);
}
#define _cleanup_sqlite_ _cleanup_(sqlite_freep)

/*
 * Whether text, a value near the beginning of its row or of an entry of an index, may be in the database. false: it is
 * not; that is found out without opening it, which costs more than all else that is done with a small one.
 */
bool sqlite_may_hold(const struct sqlite *db, const char *text);
/*
 * Calls fn for every row of a table with the values of columns (NULL-terminated, at most SQLITE_COLUMNS_MAX; constants, they
 * become part of a statement), in no particular order. A negative result of fn ends it and is returned. -ENOENT: there is
 * no such table; -EBADMSG: the name is a view's or a virtual table's, it lacks a column, is damaged, or too costly to read.
 */
typedef int (*sqlite_row_fn)(void *userdata, const struct sqlite_value *values);
int sqlite_each(struct sqlite *db, const char *table, const char *const *columns, sqlite_row_fn fn,
		void *userdata, struct insp_err *err);

/* ---- inside the reader ---- */

#define SQLITE_HEADER_LEN 100

struct sqlite_header {
	uint32_t page_size;
	uint32_t pages; /* 0: by the file's length */
	bool wal;	/* written by way of a write-ahead log */
	bool utf8;	/* its text */
};
/* -EBADMSG: no database. */
int sqlite_parse_header(const char *data, size_t len, struct sqlite_header *ret);
/*
 * One committed state of the file into *ret, its journal undone or its log redone, and marked as a database that has
 * none. An empty file gives empty bytes. Errors as sqlite_read().
 */
int sqlite_copy(int dirfd, const char *name, size_t max, struct io_buf *ret, struct insp_err *err);
/*
 * Puts the pages of a rollback journal back into image; one that was not begun, or is finished, changes nothing. max:
 * what image may grow to. -EBADMSG: it makes no sense.
 */
int sqlite_undo(struct io_buf *image, const struct io_buf *journal, size_t max);
/* Puts the committed frames of a write-ahead log into image; what follows the last commit is left out. */
int sqlite_redo(struct io_buf *image, const struct io_buf *log, size_t max);

#endif
