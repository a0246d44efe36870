/*
 * Rows of a copied database by way of libsqlite3, which is given the bytes in memory (sqlite3_deserialize(), 3.23) and may
 * do nothing but read columns of plain tables. See sqlite.h.
 */
#include "libinspect/base/sqlite.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sqlite3.h>

/* The schema of a whole engine is a page or two. What is larger would be parsed before the first row is read. */
#define SCHEMA_CELLS_MAX 512
#define SCHEMA_PAGES_MAX 64
#define STATEMENT_MAX	 (64 * 1024)
#define VALUE_MAX	 (16 * 1024 * 1024)
#define STEPS_AT_ONCE	 10000
#define STEPS_MAX	 2000 /* times that: a row of three columns takes ten */

/* Pages and texts for which a text cannot be cut in two, behind an id of 64 bytes (sqlite_may_hold()). */
#define PAGE_TELLING 4096
#define TEXT_TELLING 255

#define PAGE_INTERIOR 5
#define PAGE_LEAF     13

struct sqlite {
	sqlite3 *handle;
	char *data; /* what it reads from */
	size_t len;
	unsigned steps; /* STEPS_AT_ONCE each */
};

struct sqlite *sqlite_free(struct sqlite *db)
{
	if (!db)
		return NULL;
	if (db->handle)
		sqlite3_close_v2(db->handle);
	free(db->data);
	free(db);
	return NULL;
}

/* ---- the schema's own tree, before libsqlite3 parses all that it names ---- */

static uint32_t be16(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 8 | u[1];
}

static uint32_t be32(const char *p)
{
	return be16(p) << 16 | be16(p + 2);
}

struct pages {
	const char *data;
	size_t len;
	uint32_t size;
};

/* The b-tree header of page n; on the first page it is behind the file's. NULL: there is no such page. */
static const char *page_at(const struct pages *p, uint32_t n)
{
	if (n == 0 || (uint64_t)n * p->size > p->len)
		return NULL;
	return p->data + (size_t)(n - 1) * p->size + (n == 1 ? SQLITE_HEADER_LEN : 0);
}

static const char *page_begin(const struct pages *p, uint32_t n)
{
	return p->data + (size_t)(n - 1) * p->size;
}

/* The cells of a leaf, UINT32_MAX when it is none. */
static uint32_t leaf_cells(const struct pages *p, uint32_t n)
{
	const char *h = page_at(p, n);

	return h && h[0] == PAGE_LEAF ? be16(h + 3) : UINT32_MAX;
}

/* Table b-tree of at most two levels, with few cells. */
static bool schema_is_small(const struct pages *p)
{
	const char *h = page_at(p, 1);
	uint64_t cells = 0;
	uint32_t n;

	if (!h)
		return false;
	if (h[0] == PAGE_LEAF)
		return be16(h + 3) <= SCHEMA_CELLS_MAX;
	n = be16(h + 3);
	if (h[0] != PAGE_INTERIOR || n > SCHEMA_PAGES_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = be16(h + 12 + 2 * i);

		if (at + 4 > p->size)
			return false;
		cells += leaf_cells(p, be32(page_begin(p, 1) + at));
	}
	return cells + leaf_cells(p, be32(h + 8)) <= SCHEMA_CELLS_MAX;
}

static int check(const struct sqlite *db, struct insp_err *err)
{
	struct sqlite_header h;
	struct pages p = { .data = db->data, .len = db->len };

	if (sqlite_parse_header(db->data, db->len, &h) < 0)
		return insp_err_say(err, -EBADMSG, "no SQLite database");
	if (h.pages > 0 && (uint64_t)h.pages * h.page_size > db->len)
		return insp_err_say(err, -EBADMSG, "the database is cut: %zu bytes of %llu",
				    db->len, (unsigned long long)h.pages * h.page_size);
	p.size = h.page_size;
	if (!schema_is_small(&p))
		return insp_err_say(err, -EBADMSG,
				    "the database's schema is damaged, or too large");
	return 0;
}

/* ---- what libsqlite3 may do ---- */

/*
 * A column of a table, named by the statement itself. Everything else would come from the schema: a view (with a
 * recursive query), a function in a generated column, a virtual table.
 */
static int authorize(void *userdata, int action, const char *a, const char *b, const char *database,
		     const char *through)
{
	if (through)
		return SQLITE_DENY;
	return action == SQLITE_SELECT || action == SQLITE_READ ? SQLITE_OK : SQLITE_DENY;
}

static int count_steps(void *userdata)
{
	struct sqlite *db = userdata;

	return ++db->steps > STEPS_MAX;
}

static void restrict_it(struct sqlite *db)
{
	static const struct {
		int what, value;
	} limits[] = {
		{ SQLITE_LIMIT_SQL_LENGTH, STATEMENT_MAX },
		{ SQLITE_LIMIT_LENGTH, VALUE_MAX },
		{ SQLITE_LIMIT_COLUMN, 100 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 20 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 2 },
		{ SQLITE_LIMIT_VDBE_OP, 1000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 4 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	sqlite3 *h = db->handle;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		sqlite3_limit(h, limits[i].what, limits[i].value);
	sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_VIEW, 0, (int *)NULL);
	sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, (int *)NULL);
	sqlite3_set_authorizer(h, authorize, NULL);
	sqlite3_progress_handler(h, STEPS_AT_ONCE, count_steps, db);
}

static int failed(struct sqlite *db, int code, struct insp_err *err)
{
	_cleanup_free_ char *text = NULL;

	if (code == SQLITE_NOMEM)
		return insp_err_set(err, -ENOMEM, "read the database");
	if (code == SQLITE_INTERRUPT)
		return insp_err_say(err, -EBADMSG, "the database is too costly to read");
	/* it may quote what stands in the file */
	text = insp_escape_str(sqlite3_errmsg(db->handle));
	return insp_err_say(err, -EBADMSG, "the database cannot be read: %.200s",
			    text ? text : "?");
}

/* Takes the bytes. */
static int take_bytes(struct io_buf *bytes, struct sqlite **ret, struct insp_err *err)
{
	_cleanup_sqlite_ struct sqlite *db = calloc(1, sizeof(*db));
	int r;

	if (!db)
		return -ENOMEM;
	db->len = bytes->len;
	db->data = TAKE_PTR(bytes->data);
	r = db->len > 0 ? check(db, err) : 0;
	if (r == 0)
		*ret = TAKE_PTR(db);
	return r;
}

static int open_handle(struct sqlite *db, struct insp_err *err)
{
	int r = sqlite3_open_v2(":memory:", &db->handle,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (r == SQLITE_OK)
		r = sqlite3_deserialize(db->handle, "main", (unsigned char *)db->data,
					(sqlite3_int64)db->len, (sqlite3_int64)db->len,
					SQLITE_DESERIALIZE_READONLY);
	if (r != SQLITE_OK)
		return failed(db, r, err);
	restrict_it(db);
	return 0;
}

/*
 * A row lies in one piece as long as it fits; of one that does not, a quarter of an eighth of the page at least is where
 * it begins ("min local": (usable - 12) * 32 / 255 - 23), and what follows is elsewhere.
 */
bool sqlite_may_hold(const struct sqlite *db, const char *text)
{
	struct sqlite_header h;

	if (db->len == 0)
		return false;
	if (sqlite_parse_header(db->data, db->len, &h) < 0 || !h.utf8 ||
	    h.page_size < PAGE_TELLING || strlen(text) > TEXT_TELLING)
		return true;
	return memmem(db->data, db->len, text, strlen(text)) != NULL;
}

int sqlite_parse(const void *data, size_t len, struct sqlite **ret, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { .data = malloc(len + 1), .len = len };

	if (!b.data)
		return -ENOMEM;
	if (len > 0)
		memcpy(b.data, data, len);
	if (len >= SQLITE_HEADER_LEN && b.data[19] == 2)
		b.data[18] = b.data[19] = 1;
	return take_bytes(&b, ret, err);
}

int sqlite_read(int dirfd, const char *name, size_t max, struct sqlite **ret, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r = sqlite_copy(dirfd, name, max, &b, err);

	if (r == 0)
		r = take_bytes(&b, ret, err);
	/* those of sqlite_copy() name the file already */
	else
		return r;
	return r < 0 ? insp_err_wrap(err, r, "read '%s'", name) : 0;
}

/* ---- rows ---- */

static void statement_done(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}
#define _cleanup_statement_ _cleanup_(statement_done)

static int prepare(struct sqlite *db, const char *sql, sqlite3_stmt **ret, struct insp_err *err)
{
	int r = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_NO_VTAB, ret, NULL);

	return r == SQLITE_OK ? 0 : failed(db, r, err);
}

static void get_value(sqlite3_stmt *stmt, int i, struct sqlite_value *ret)
{
	*ret = (struct sqlite_value){ 0 };
	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		ret->number = sqlite3_column_int64(stmt, i);
		ret->is_number = true;
		break;
	case SQLITE_TEXT:
	case SQLITE_BLOB:
		/* as text: UTF-16 databases exist; this puts a NUL behind it, too */
		ret->data = (const char *)sqlite3_column_text(stmt, i);
		ret->len = ret->data ? (size_t)sqlite3_column_bytes(stmt, i) : 0;
		break;
	default: break;
	}
}

/* Rows may lead to the same pages again and again: no more comes out than is in. UTF-16 counts half as much. */
static bool too_many_bytes(const struct sqlite *db, const struct sqlite_value *values, int n,
			   uint64_t *sum)
{
	for (int i = 0; i < n; i++)
		*sum += values[i].len;
	return *sum > 2 * (uint64_t)db->len;
}

static int step_rows(struct sqlite *db, sqlite3_stmt *stmt, sqlite_row_fn fn, void *userdata,
		     struct insp_err *err)
{
	int n = sqlite3_column_count(stmt), code;
	uint64_t sum = 0;

	db->steps = 0;
	while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct sqlite_value values[SQLITE_COLUMNS_MAX];
		int r;

		for (int i = 0; i < n; i++)
			get_value(stmt, i, &values[i]);
		if (too_many_bytes(db, values, n, &sum))
			return insp_err_say(err, -EBADMSG,
					    "the database is damaged: its rows overlap");
		r = fn(userdata, values);
		if (r < 0)
			return r;
	}
	return code == SQLITE_DONE ? 0 : failed(db, code, err);
}

struct wanted {
	const char *table;
	bool found, other; /* something else has the name */
};

/* A virtual table has no page, a view neither. */
static int see_table(void *userdata, const struct sqlite_value *v)
{
	struct wanted *w = userdata;
	bool named = v[1].data && sqlite3_stricmp(v[1].data, w->table) == 0;

	if (named && str_eq(v[0].data, "table") && v[2].number > 0)
		w->found = true;
	else if (named)
		w->other = true;
	return 0;
}

static int find_table(struct sqlite *db, const char *table, struct insp_err *err)
{
	_cleanup_statement_ sqlite3_stmt *stmt = NULL;
	struct wanted w = { .table = table };
	int r;

	r = prepare(db, "SELECT type, name, rootpage FROM sqlite_master", &stmt, err);
	if (r == 0)
		r = step_rows(db, stmt, see_table, &w, err);
	if (r < 0)
		return r;
	if (w.other)
		return insp_err_say(err, -EBADMSG, "'%s' is no plain table", table);
	return w.found ? 0 : insp_err_say(err, -ENOENT, "the database has no table '%s'", table);
}

static char *select_of(const char *table, const char *const *columns)
{
	struct strbuf sb = { 0 };

	strbuf_puts(&sb, "SELECT ");
	for (size_t i = 0; columns[i] && i < SQLITE_COLUMNS_MAX; i++)
		strbuf_printf(&sb, "%s%s", i ? "," : "", columns[i]);
	/* never by way of an index, which could hold an expression */
	strbuf_printf(&sb, " FROM %s NOT INDEXED", table);
	return strbuf_take(&sb);
}

int sqlite_each(struct sqlite *db, const char *table, const char *const *columns, sqlite_row_fn fn,
		void *userdata, struct insp_err *err)
{
	_cleanup_statement_ sqlite3_stmt *stmt = NULL;
	_cleanup_free_ char *sql = select_of(table, columns);
	int r;

	if (!sql)
		return -ENOMEM;
	if (db->len == 0)
		return insp_err_say(err, -ENOENT, "the database is empty");
	r = db->handle ? 0 : open_handle(db, err);
	if (r == 0)
		r = find_table(db, table, err);
	if (r == 0)
		r = prepare(db, sql, &stmt, err);
	return r < 0 ? r : step_rows(db, stmt, fn, userdata, err);
}
