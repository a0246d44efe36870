/*
 * One committed state of a SQLite database, without a lock.
 *
 * Why two looks suffice. A writer with a rollback journal makes the journal before the first page of the database is
 * written and ends it (deletes, cuts, or clears it) after the last one, and each commit changes the change counter in the
 * header, which is among those pages. So let the header be read, the journal, the whole file, the journal and the header
 * again: a transaction that wrote to the file between the looks at the journal either shows in one of these, or began
 * and ended between them; then the header was read before it and after it, and differs. When the journal is there and
 * is the same both times, every page that was written meanwhile is in it as it was before, and is put back.
 *
 * With a write-ahead log a commit only adds to the log, and checkpoints copy frames of it into the file: a log that is the
 * same before and after has every page that may have been written to the file meanwhile.
 *
 * A transaction that is rolled back after it had to write pages (more than fit into the writer's cache) leaves the counter as
 * it was; size and time of the file show it, to a tick of the kernel's clock.
 */
#include "libinspect/base/sqlite.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>
#include <time.h>

#define SETTLE_TRIES 100
#define PAUSE_NS     100000  /* more with each try */
#define PAUSE_NS_MAX 5000000 /* half a second in all */

static const char magic[16] = "SQLite format 3";

struct source {
	int dirfd;
	const char *name;
	char *journal, *log; /* names */
	size_t max;
};

/* What every transaction changes. */
struct look {
	struct stat st;
	char header[SQLITE_HEADER_LEN];
	ssize_t header_len;
};

static uint32_t be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

int sqlite_parse_header(const char *data, size_t len, struct sqlite_header *ret)
{
	uint32_t size;

	if (len < SQLITE_HEADER_LEN || memcmp(data, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	size = (uint32_t)(unsigned char)data[16] << 8 | (unsigned char)data[17];
	if (size == 1)
		size = 65536;
	if (size < 512 || (size & (size - 1)) != 0)
		return -EBADMSG;
	ret->page_size = size;
	/* the number counts when its writer knew about it: version-valid-for equals the change counter */
	ret->pages = be32(data + 24) == be32(data + 92) ? be32(data + 28) : 0;
	ret->wal = data[19] == 2;
	ret->utf8 = be32(data + 56) == 1;
	return 0;
}

static int look_at(int fd, struct look *ret)
{
	if (fstat(fd, &ret->st) < 0)
		return -errno;
	if (!S_ISREG(ret->st.st_mode))
		return -EINVAL;
	ret->header_len = pread(fd, ret->header, sizeof(ret->header), 0);
	return ret->header_len < 0 ? -errno : 0;
}

static bool same_look(const struct look *a, const struct look *b)
{
	return a->header_len == b->header_len &&
	       memcmp(a->header, b->header, (size_t)a->header_len) == 0 &&
	       a->st.st_size == b->st.st_size && a->st.st_ino == b->st.st_ino &&
	       a->st.st_mtim.tv_sec == b->st.st_mtim.tv_sec &&
	       a->st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec;
}

/* A file beside the database; empty bytes when there is none. */
static int read_beside(const struct source *s, const char *name, struct io_buf *ret)
{
	int r = io_read_file(s->dirfd, name, s->max, ret, NULL);

	if (r != -ENOENT)
		return r;
	*ret = (struct io_buf){ 0 };
	return 0;
}

static bool same_bytes(const struct io_buf *a, const struct io_buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* The whole file, between two readings of the log beside it. -EAGAIN: the log is another one afterwards. */
static int read_between(const struct source *s, int fd, bool wal, struct io_buf *image)
{
	_cleanup_io_buf_ struct io_buf before = { 0 }, after = { 0 }, copy = { 0 };
	const char *name = wal ? s->log : s->journal;
	int r = read_beside(s, name, &before);

	if (r == 0)
		r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_regular(fd, s->max, &copy);
	if (r == 0)
		r = read_beside(s, name, &after);
	if (r < 0)
		return r;
	if (!same_bytes(&before, &after))
		return -EAGAIN;
	if (after.len > 0)
		r = wal ? sqlite_redo(&copy, &after, s->max) : sqlite_undo(&copy, &after, s->max);
	if (r < 0)
		return r;
	*image = copy;
	copy = (struct io_buf){ 0 };
	return 0;
}

/* A copy has no log: its header says that it needs none. */
static void mark_plain(struct io_buf *image)
{
	if (image->len >= SQLITE_HEADER_LEN && image->data[19] == 2)
		image->data[18] = image->data[19] = 1;
}

static int read_once(const struct source *s, struct io_buf *ret)
{
	_cleanup_close_ int fd = io_open_regular(s->dirfd, s->name);
	_cleanup_io_buf_ struct io_buf image = { 0 };
	struct sqlite_header header = { 0 };
	struct look before, after;
	int r = fd < 0 ? fd : look_at(fd, &before);

	if (r < 0)
		return r;
	if (before.st.st_size > 0 && (uint64_t)before.st.st_size > s->max)
		return -EFBIG;
	if (before.header_len > 0) {
		r = sqlite_parse_header(before.header, (size_t)before.header_len, &header);
		if (r < 0)
			return r;
	}
	r = read_between(s, fd, header.wal, &image);
	if (r == 0)
		r = look_at(fd, &after);
	if (r < 0)
		return r;
	if (!same_look(&before, &after))
		return -EAGAIN;
	mark_plain(&image);
	*ret = image;
	image = (struct io_buf){ 0 };
	return 0;
}

static void pause_before(int n)
{
	struct timespec t = { .tv_nsec = MIN_OF(PAUSE_NS * (long)n, PAUSE_NS_MAX) };

	if (n > 0)
		nanosleep(&t, NULL);
}

static int describe(const char *name, int r, struct insp_err *err)
{
	switch (r) {
	case -EAGAIN:
		return insp_err_say(err, r, "read '%s': its writers never settled, %d tries", name,
				    SETTLE_TRIES);
	case -EBADMSG: return insp_err_say(err, r, "read '%s': no SQLite database", name);
	case -EINVAL: return insp_err_say(err, r, "read '%s': not a regular file", name);
	default: return insp_err_set(err, r, "read '%s'", name);
	}
}

int sqlite_copy(int dirfd, const char *name, size_t max, struct io_buf *ret, struct insp_err *err)
{
	_cleanup_free_ char *journal = str_format("%s-journal", name);
	_cleanup_free_ char *log = str_format("%s-wal", name);
	struct source s = {
		.dirfd = dirfd, .name = name, .journal = journal, .log = log, .max = max
	};
	int r = journal && log ? -EAGAIN : -ENOMEM;

	for (int i = 0; i < SETTLE_TRIES && r == -EAGAIN; i++) {
		pause_before(i);
		r = read_once(&s, ret);
	}
	return r < 0 ? describe(name, r, err) : 0;
}
