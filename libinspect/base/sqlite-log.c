/* The two kinds of log beside a SQLite database. sqlite.org/fileformat2.html, "The Rollback Journal" and "The Write-Ahead Log". */
#include "libinspect/base/sqlite.h"
#include "libinspect/base/util.h"

#include <endian.h>

#define JOURNAL_HEADER 28
#define SECTOR_MAX     65536
#define WAL_HEADER     32
#define WAL_FRAME      24
#define WAL_MAGIC      0x377f0682u /* the lowest bit: checksums are of big-endian words */
#define WAL_VERSION    3007000u

static const unsigned char journal_magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };

static uint32_t be32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

/* Makes image exactly that many pages long. */
static int resize(struct io_buf *image, uint64_t pages, uint32_t page_size, size_t max)
{
	uint64_t size = pages * page_size;
	char *data;

	if (size > max)
		return -EFBIG;
	data = realloc(image->data, size + 1);
	if (!data)
		return -ENOMEM;
	if (size > image->len)
		memset(data + image->len, 0, size - image->len);
	data[size] = '\0';
	image->data = data;
	image->len = size;
	return 0;
}

static bool is_page_size(uint32_t n)
{
	return n >= 512 && n <= 65536 && (n & (n - 1)) == 0;
}

/* ---- rollback journal ---- */

struct journal {
	const struct io_buf *file;
	uint32_t page_size, sector, pages, nonce, records;
	size_t at; /* behind the header */
};

/* The header of a segment at offset j->at. false: no (further) one. */
static bool read_segment(struct journal *j)
{
	const char *p = j->file->data + j->at;
	uint32_t sector, page_size;

	if (j->at > j->file->len || j->file->len - j->at < JOURNAL_HEADER ||
	    memcmp(p, journal_magic, sizeof(journal_magic)) != 0)
		return false;
	sector = be32(p + 20);
	page_size = be32(p + 24);
	if (sector < 32 || sector > SECTOR_MAX || (sector & (sector - 1)) != 0 ||
	    !is_page_size(page_size) || j->file->len - j->at < sector)
		return false;
	/* it is the first segment that counts for these */
	if (j->at == 0) {
		j->sector = sector;
		j->page_size = page_size;
		j->pages = be32(p + 16);
	}
	j->nonce = be32(p + 12);
	j->records = be32(p + 8);
	j->at += j->sector;
	/* a writer that does not sync does not count */
	if (j->records == UINT32_MAX)
		j->records = (uint32_t)((j->file->len - MIN_OF(j->at, j->file->len)) /
					(j->page_size + 8));
	return true;
}

static uint32_t journal_sum(const char *page, uint32_t page_size, uint32_t nonce)
{
	uint32_t sum = nonce;

	for (int64_t i = (int64_t)page_size - 200; i > 0; i -= 200)
		sum += (unsigned char)page[i];
	return sum;
}

/* The next record back into image. false: there is no whole one. */
static bool undo_record(struct journal *j, struct io_buf *image, unsigned char *done)
{
	const char *p = j->file->data + j->at;
	uint32_t page;

	if (j->at > j->file->len || j->file->len - j->at < (size_t)j->page_size + 8)
		return false;
	page = be32(p);
	if (page == 0 || journal_sum(p + 4, j->page_size, j->nonce) != be32(p + 4 + j->page_size))
		return false;
	j->at += (size_t)j->page_size + 8;
	/* the first copy of a page is what it was; what was not there before goes */
	if (page <= j->pages && !(done[page / 8] & (1 << page % 8))) {
		memcpy(image->data + (size_t)(page - 1) * j->page_size, p + 4, j->page_size);
		done[page / 8] |= (unsigned char)(1 << page % 8);
	}
	return true;
}

static void undo_segments(struct journal *j, struct io_buf *image, unsigned char *done)
{
	do {
		for (uint32_t i = 0; i < j->records; i++)
			if (!undo_record(j, image, done))
				return;
		/* the next one begins on a sector */
		j->at = (j->at + j->sector - 1) / j->sector * j->sector;
	} while (read_segment(j));
}

int sqlite_undo(struct io_buf *image, const struct io_buf *journal, size_t max)
{
	_cleanup_free_ unsigned char *done = NULL;
	struct journal j = { .file = journal };
	int r;

	if (!read_segment(&j))
		return 0;
	/* begun, but not yet safe on disk: nothing of the database was written since */
	if (j.records == 0)
		return 0;
	r = resize(image, j.pages, j.page_size, max);
	if (r < 0)
		return r;
	done = calloc((size_t)j.pages / 8 + 1, 1);
	if (!done)
		return -ENOMEM;
	undo_segments(&j, image, done);
	return 0;
}

/* ---- write-ahead log ---- */

struct wal {
	const struct io_buf *file;
	uint32_t page_size;
	bool big_endian;
	uint32_t sum[2];
};

static uint32_t wal_word(const struct wal *w, const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return w->big_endian ? be32toh(v) : le32toh(v);
}

static void wal_sum(struct wal *w, const char *p, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		w->sum[0] += wal_word(w, p + i) + w->sum[1];
		w->sum[1] += wal_word(w, p + i + 4) + w->sum[0];
	}
}

static bool wal_begin(struct wal *w)
{
	const char *p = w->file->data;

	if (w->file->len < WAL_HEADER || (be32(p) & ~1u) != WAL_MAGIC || be32(p + 4) != WAL_VERSION)
		return false;
	w->big_endian = be32(p) & 1;
	w->page_size = be32(p + 8);
	if (!is_page_size(w->page_size))
		return false;
	wal_sum(w, p, 24);
	return w->sum[0] == be32(p + 24) && w->sum[1] == be32(p + 28);
}

static const char *wal_frame(const struct wal *w, size_t i)
{
	size_t size = WAL_FRAME + (size_t)w->page_size;

	if (i >= (w->file->len - WAL_HEADER) / size)
		return NULL;
	return w->file->data + WAL_HEADER + i * size;
}

static bool wal_frame_ok(struct wal *w, const char *frame)
{
	/* salts: of this round of the log, not of one before */
	if (memcmp(frame + 8, w->file->data + 16, 8) != 0 || be32(frame) == 0)
		return false;
	wal_sum(w, frame, 8);
	wal_sum(w, frame + WAL_FRAME, w->page_size);
	return w->sum[0] == be32(frame + 16) && w->sum[1] == be32(frame + 20);
}

int sqlite_redo(struct io_buf *image, const struct io_buf *log, size_t max)
{
	struct wal w = { .file = log };
	size_t committed = 0;
	uint32_t pages = 0;
	const char *frame;
	int r;

	if (!wal_begin(&w))
		return 0;
	for (size_t i = 0; (frame = wal_frame(&w, i)) && wal_frame_ok(&w, frame); i++) {
		if (be32(frame + 4) == 0)
			continue;
		pages = be32(frame + 4);
		committed = i + 1;
	}
	if (committed == 0)
		return 0;
	r = resize(image, pages, w.page_size, max);
	if (r < 0)
		return r;
	for (size_t i = 0; i < committed; i++) {
		frame = wal_frame(&w, i);
		if (be32(frame) <= pages)
			memcpy(image->data + (size_t)(be32(frame) - 1) * w.page_size,
			       frame + WAL_FRAME, w.page_size);
	}
	return 0;
}
