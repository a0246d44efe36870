/*
 * bolt (bbolt) databases, read-only. Limits: file size by the caller, pages of 512 to 65536 bytes, trees of
 * TREE_DEPTH_MAX levels, and in one walk no more pages than the file has.
 *
 * Numbers are in the writer's byte order (bbolt maps Go structs): a file from a machine of the other byte order
 * fails at the magic number.
 */
#include "libinspect/base/bolt.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define MAGIC		0xED0CDAEDu
#define VERSION		2
#define PAGE_HEADER	16
#define ELEM_SIZE	16 /* branch and leaf elements alike */
#define META_SIZE	64
#define META_SUMMED	56 /* bytes that the checksum covers */
#define BUCKET_HEADER	16
#define PAGE_SIZE_MIN	512
#define PAGE_SIZE_MAX	65536
#define PAGE_SIZE_USUAL 4096 /* the machine's that made it */
#define TREE_DEPTH_MAX	32
#define SETTLE_TRIES	8

#define FLAG_BRANCH 0x01
#define FLAG_LEAF   0x02
#define ELEM_BUCKET 0x01

struct meta {
	uint32_t page_size;
	uint64_t root, high, txid;
	bool alone; /* the other meta page is not valid */
};

/* What was met that cannot be. */
struct damage {
	bool met;
	uint64_t page;
};

struct bolt {
	char *data;
	size_t len;
	struct meta meta;
	struct damage *damage; /* noted by whoever reads */
};

/* A page that lies wholly inside the copy: len counts its overflow pages. */
struct page {
	const struct bolt *db;
	const char *data;
	size_t len;
	uint16_t flags, count;
};

static uint16_t get16(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t get32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t fnv64a(const char *p, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	return h;
}

/* The meta page at buf (behind its page header are META_SIZE bytes). */
static int meta_parse(const char *buf, struct meta *ret)
{
	const char *m = buf + PAGE_HEADER;
	uint32_t page_size = get32(m + 8);

	if (get32(m) != MAGIC || get32(m + 4) != VERSION)
		return -EBADMSG;
	if (get64(m + META_SUMMED) != fnv64a(m, META_SUMMED))
		return -EBADMSG;
	if (page_size < PAGE_SIZE_MIN || page_size > PAGE_SIZE_MAX || (page_size & (page_size - 1)))
		return -EBADMSG;
	*ret = (struct meta){
		.page_size = page_size,
		.root = get64(m + 16),
		.high = get64(m + 40),
		.txid = get64(m + 48),
	};
	return 0;
}

/* Whatever can hand out META_SIZE + PAGE_HEADER bytes at an offset: a file or a copy. */
struct source {
	int fd; /* -EBADF: the bytes */
	const char *data;
	size_t len;
};

static int source_meta(const struct source *src, size_t at, struct meta *ret)
{
	char buf[PAGE_HEADER + META_SIZE];

	if (src->fd >= 0) {
		ssize_t n = pread(src->fd, buf, sizeof(buf), (off_t)at);

		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof(buf))
			return -EBADMSG;
	} else {
		if (at > src->len || src->len - at < sizeof(buf))
			return -EBADMSG;
		memcpy(buf, src->data + at, sizeof(buf));
	}
	return meta_parse(buf, ret);
}

/*
 * The valid meta page with the higher transaction id. The second lies one page behind the first; when the first is
 * torn its page size is not known, so every possible one is tried.
 */
static int newest_meta(const struct source *src, struct meta *ret)
{
	struct meta first, second;
	int r = source_meta(src, 0, &first);

	if (r < 0 && r != -EBADMSG)
		return r;
	if (r == 0) {
		r = source_meta(src, first.page_size, &second);
		if (r == 0 && second.txid > first.txid)
			first = second;
		*ret = first;
		ret->alone = r == -EBADMSG;
		return 0;
	}
	for (size_t size = PAGE_SIZE_MIN; size <= PAGE_SIZE_MAX; size *= 2)
		if (source_meta(src, size, &second) == 0 && second.page_size == size) {
			*ret = second;
			ret->alone = true;
			return 0;
		}
	return -EBADMSG;
}

/* With pages of the usual size one look at the file has both. */
static int source_newest_meta(const struct source *src, struct meta *ret)
{
	char head[PAGE_SIZE_USUAL + PAGE_HEADER + META_SIZE];
	struct source both = { .fd = -EBADF, .data = head };
	ssize_t n = src->fd < 0 ? 0 : pread(src->fd, head, sizeof(head), 0);
	struct meta first;

	if (n < 0)
		return -errno;
	both.len = (size_t)n;
	if (source_meta(&both, 0, &first) == 0 && first.page_size == PAGE_SIZE_USUAL)
		return newest_meta(&both, ret);
	return newest_meta(src, ret);
}

static struct bolt *new_bolt(void)
{
	struct bolt *db = calloc(1, sizeof(*db));

	if (db)
		db->damage = calloc(1, sizeof(*db->damage));
	return db && db->damage ? db : bolt_free(db);
}

struct bolt *bolt_free(struct bolt *db)
{
	if (db) {
		free(db->damage);
		free(db->data);
		free(db);
	}
	return NULL;
}

int bolt_parse(const void *data, size_t len, struct bolt **ret, struct insp_err *err)
{
	struct source src = { .fd = -EBADF, .data = data, .len = len };
	_cleanup_bolt_ struct bolt *db = new_bolt();
	int r;

	if (!db)
		return insp_err_set(err, -ENOMEM, "bolt database");
	r = source_newest_meta(&src, &db->meta);
	if (r < 0)
		return insp_err_say(err, r, "no bolt database: neither meta page is valid");
	db->data = malloc(len + 1);
	if (!db->data)
		return insp_err_set(err, -ENOMEM, "bolt database");
	memcpy(db->data, data, len);
	db->len = len;
	*ret = TAKE_PTR(db);
	return 0;
}

/* The file is made larger than it need be, by up to 16 MiB (AllocSize): what was never used is not read. */
static size_t used_len(const struct meta *meta, size_t size)
{
	return meta->high < size / meta->page_size ? (size_t)meta->high * meta->page_size : size;
}

/* One copy. -EAGAIN: a commit came in between. */
static int read_once(int fd, size_t max, struct bolt *db)
{
	struct source src = { .fd = fd };
	struct meta after;
	struct stat st;
	size_t len;
	ssize_t n;
	int r = source_newest_meta(&src, &db->meta);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	free(db->data);
	db->len = 0;
	len = used_len(&db->meta, (size_t)st.st_size);
	db->data = malloc(len + 1);
	if (!db->data)
		return -ENOMEM;
	n = io_pread_full(fd, db->data, len, 0); /* a file that got shorter gives fewer */
	if (n < 0)
		return (int)n;
	db->len = (size_t)n;
	r = source_newest_meta(&src, &after);
	if (r < 0)
		return r;
	/*
	 * A transaction reuses pages that the one before the last committed still used. Even one commit in between
	 * may therefore be followed by writes, not committed yet, to pages of our copy.
	 */
	return after.txid == db->meta.txid ? 0 : -EAGAIN;
}

int bolt_read(int fd, size_t max, struct bolt **ret, struct insp_err *err)
{
	_cleanup_bolt_ struct bolt *db = new_bolt();
	struct stat st;
	int r = -EAGAIN;

	if (!db)
		return insp_err_set(err, -ENOMEM, "bolt database");
	if (fstat(fd, &st) < 0)
		return insp_err_set(err, -errno, "stat");
	if (!S_ISREG(st.st_mode))
		return insp_err_say(err, -EINVAL, "not a regular file");
	/* a meta page that is being written may be seen half */
	for (int i = 0;
	     i < SETTLE_TRIES && (r == -EAGAIN || r == -EBADMSG || (r == 0 && db->meta.alone)); i++)
		r = read_once(fd, max, db);
	if (r == -EAGAIN)
		return insp_err_say(err, r, "its writer never settled, %d tries", SETTLE_TRIES);
	if (r == -EBADMSG)
		return insp_err_say(err, r, "no bolt database: neither meta page is valid");
	if (r < 0)
		return insp_err_set(err, r, "read");
	*ret = TAKE_PTR(db);
	return 0;
}

uint64_t bolt_txid(const struct bolt *db)
{
	return db->meta.txid;
}

struct bolt_bucket bolt_root(const struct bolt *db)
{
	return (struct bolt_bucket){ .db = db, .root = db->meta.root };
}

bool bolt_damage(const struct bolt *db, uint64_t *ret_page)
{
	*ret_page = db->damage->met ? db->damage->page : 0;
	return db->damage->met || db->meta.alone;
}

static int note(const struct bolt *db, uint64_t page)
{
	if (!db->damage->met)
		*db->damage = (struct damage){ .met = true, .page = page };
	return -EBADMSG;
}

/* The page is that which data lies in. */
static int note_at(const struct bolt *db, const char *data)
{
	return note(db, (uint64_t)(data - db->data) / db->meta.page_size);
}

static int page_check(const struct bolt *db, const char *data, size_t len, struct page *ret)
{
	struct page p = { .db = db, .data = data, .len = len };

	p.flags = get16(data + 8);
	p.count = get16(data + 10);
	if (p.flags != FLAG_BRANCH && p.flags != FLAG_LEAF)
		return -EBADMSG;
	if ((size_t)p.count * ELEM_SIZE > len - PAGE_HEADER)
		return -EBADMSG;
	*ret = p;
	return 0;
}

static int find_page(const struct bolt *db, uint64_t id, struct page *ret)
{
	size_t size = db->meta.page_size;
	uint64_t n_pages = db->len / size, overflow;
	const char *data;

	/* pages 0 and 1 are the metas; high is the first that was never used */
	if (id < 2 || id >= n_pages || id >= db->meta.high)
		return -EBADMSG;
	data = db->data + id * size;
	overflow = get32(data + 12);
	if (get64(data) != id || overflow >= n_pages - id)
		return -EBADMSG;
	return page_check(db, data, (overflow + 1) * size, ret);
}

static int page_get(const struct bolt *db, uint64_t id, struct page *ret)
{
	return find_page(db, id, ret) < 0 ? note(db, id) : 0;
}

/* The root page of a bucket's tree. */
static int bucket_page(const struct bolt_bucket *b, struct page *ret)
{
	if (b->root)
		return page_get(b->db, b->root, ret);
	if (b->inline_page.len < PAGE_HEADER ||
	    page_check(b->db, b->inline_page.data, b->inline_page.len, ret) < 0)
		return note_at(b->db, b->inline_page.data);
	return 0;
}

/* len bytes at elem + pos, when they lie in the page. */
static int page_slice(const struct page *p, size_t elem, uint64_t pos, uint64_t len,
		      struct bolt_slice *ret)
{
	if (pos > p->len - elem || len > p->len - elem - pos)
		return note_at(p->db, p->data);
	*ret = (struct bolt_slice){ p->data + elem + pos, (size_t)len };
	return 0;
}

struct elem {
	struct bolt_slice key, value; /* value: of a leaf */
	uint64_t child;		      /* page: of a branch */
	bool is_bucket;
};

static int page_elem(const struct page *p, size_t i, struct elem *ret)
{
	size_t at = PAGE_HEADER + i * ELEM_SIZE;
	const char *e = p->data + at;
	struct elem el = { 0 };
	bool branch = p->flags == FLAG_BRANCH;
	uint64_t pos = get32(branch ? e : e + 4), ksize = get32(branch ? e + 4 : e + 8);
	int r;

	/* keys and values lie behind the last element */
	if (pos < (size_t)(p->count - i) * ELEM_SIZE)
		return note_at(p->db, p->data);
	if (branch) {
		el.child = get64(e + 8);
		r = page_slice(p, at, pos, ksize, &el.key);
		if (r == 0)
			*ret = el;
		return r;
	}
	el.is_bucket = get32(e) & ELEM_BUCKET;
	r = page_slice(p, at, pos, ksize, &el.key);
	if (r == 0)
		r = page_slice(p, at, pos + ksize, get32(e + 12), &el.value);
	if (r == 0)
		*ret = el;
	return r;
}

/* The bucket that a leaf element holds: a header, then an inline page when its root is 0. */
static int elem_bucket(const struct bolt *db, const struct elem *el, struct bolt_bucket *ret)
{
	struct bolt_bucket b = { .db = db };

	if (el->value.len < BUCKET_HEADER)
		return note_at(db, el->key.data);
	b.root = get64(el->value.data);
	if (!b.root)
		b.inline_page = (struct bolt_slice){ el->value.data + BUCKET_HEADER,
						     el->value.len - BUCKET_HEADER };
	*ret = b;
	return 0;
}

static int slice_compare(struct bolt_slice a, struct bolt_slice b)
{
	size_t n = MIN_OF(a.len, b.len);
	int r = n ? memcmp(a.data, b.data, n) : 0;

	return r ? r : (a.len > b.len) - (a.len < b.len);
}

/* The last element whose key is not above key; *ret_exact: it is key. -ENOENT: all are above. */
static int page_search(const struct page *p, struct bolt_slice key, struct elem *ret,
		       bool *ret_exact)
{
	size_t low = 0, high = p->count;
	bool found = false;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct elem el;
		int r = page_elem(p, mid, &el), c;

		if (r < 0)
			return r;
		c = slice_compare(el.key, key);
		if (c > 0) {
			high = mid;
			continue;
		}
		*ret = el;
		*ret_exact = c == 0;
		found = true;
		if (c == 0)
			break;
		low = mid + 1;
	}
	return found ? 0 : -ENOENT;
}

static int bucket_find(const struct bolt_bucket *b, const char *key, struct elem *ret)
{
	struct bolt_slice k = { key, strlen(key) };
	struct page p;
	bool exact;
	int r = bucket_page(b, &p);

	for (int depth = 0; r == 0 && depth < TREE_DEPTH_MAX; depth++) {
		r = page_search(&p, k, ret, &exact);
		if (r < 0)
			return r;
		if (p.flags == FLAG_LEAF)
			return exact ? 0 : -ENOENT;
		r = page_get(b->db, ret->child, &p);
	}
	return r < 0 ? r : note(b->db, b->root);
}

int bolt_bucket(const struct bolt_bucket *b, const char *key, struct bolt_bucket *ret)
{
	struct elem el;
	int r = bucket_find(b, key, &el);

	if (r < 0)
		return r;
	if (!el.is_bucket)
		return -ENOENT;
	return elem_bucket(b->db, &el, ret);
}

int bolt_get(const struct bolt_bucket *b, const char *key, struct bolt_slice *ret)
{
	struct elem el;
	int r = bucket_find(b, key, &el);

	if (r < 0)
		return r;
	if (el.is_bucket)
		return -ENOENT;
	*ret = el.value;
	return 0;
}

struct walk {
	const struct bolt *db;
	bolt_fn fn;
	void *userdata;
	size_t pages_left; /* a sound tree meets each page once: more is a cycle or a shared page */
};

static int walk_leaf(const struct walk *w, const struct elem *el)
{
	struct bolt_slice none = { "", 0 };
	struct bolt_bucket b;
	int r;

	if (!el->is_bucket)
		return w->fn(w->userdata, el->key, el->value, NULL);
	r = elem_bucket(w->db, el, &b);
	return r < 0 ? r : w->fn(w->userdata, el->key, none, &b);
}

static int walk_page(struct walk *w, const struct page *p, int depth)
{
	if (depth >= TREE_DEPTH_MAX || w->pages_left == 0)
		return note_at(w->db, p->data);
	w->pages_left--;
	for (size_t i = 0; i < p->count; i++) {
		struct page child;
		struct elem el;
		int r = page_elem(p, i, &el);

		if (r == 0 && p->flags == FLAG_LEAF) {
			r = walk_leaf(w, &el);
		} else if (r == 0) {
			r = page_get(w->db, el.child, &child);
			if (r == 0)
				r = walk_page(w, &child, depth + 1);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int bolt_each(const struct bolt_bucket *b, bolt_fn fn, void *userdata)
{
	struct walk w = {
		.db = b->db,
		.fn = fn,
		.userdata = userdata,
		.pages_left = b->db->len / b->db->meta.page_size + 1,
	};
	struct page p;
	int r = bucket_page(b, &p);

	return r < 0 ? r : walk_page(&w, &p, 0);
}
