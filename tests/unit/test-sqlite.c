/* The SQLite reader: what libsqlite3 writes, logs of both kinds, damage, hostile schemas, and a writer at work. */
#include "docker-store.h"

#include "libinspect/base/sqlite.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define FILE_NAME "db.sql"
#define MAX	  (8 * 1024 * 1024)

static const char *const both[] = { "ID", "JSON", NULL };

static sqlite3 *create(const struct host *h, const char *sql)
{
	_cleanup_free_ char *path = str_format("%s/" FILE_NAME, h->root);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	/* a disk that is busy with other tests would be waited for at each of them */
	sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	return db;
}

static void make(const struct host *h, const char *sql)
{
	sqlite3_close(create(h, sql));
}

struct rows {
	int n;
	int64_t numbers;
	size_t bytes;
	char last[64];
};

static int add_row(void *userdata, const struct sqlite_value *v)
{
	struct rows *rows = userdata;

	rows->n++;
	rows->numbers += v[1].is_number ? v[1].number : 0;
	rows->bytes += v[0].len + v[1].len;
	snprintf(rows->last, sizeof(rows->last), "%s", v[1].data ? v[1].data : "");
	return 0;
}

/* Of table t; -errno. */
static int read_rows(const struct host *h, struct rows *rows, struct insp_err *err)
{
	_cleanup_sqlite_ struct sqlite *db = NULL;
	int r = sqlite_read(h->fd, FILE_NAME, MAX, &db, err);

	*rows = (struct rows){ 0 };
	return r < 0 ? r : sqlite_each(db, "t", both, add_row, rows, err);
}

static int count_files(const struct host *h)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int n = 0;

	assert_int_equal(io_opendir(h->fd, ".", &dir), 0);
	for_each_entry (de, dir)
		n++;
	return n;
}

#define TABLE "CREATE TABLE t(ID TEXT PRIMARY KEY NOT NULL, State INTEGER, JSON TEXT);"
#define MANY                                                                                        \
	TABLE "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 200) INSERT " \
	      "INTO t SELECT 'id'||i, 1, '{\"pad\":\"'||hex(zeroblob(i*10))||'\"}' FROM c;"

static void rows_are_read_and_no_file_is_made(void **state)
{
	struct host h = host_make();
	struct insp_err err = { 0 };
	struct rows rows;

	make(&h, TABLE "INSERT INTO t VALUES('a',1,'one'),('b',2,NULL),('c',3,'three')");
	assert_int_equal(read_rows(&h, &rows, &err), 0);
	assert_int_equal(rows.n, 3);
	assert_int_equal(rows.bytes, 3 + 3 + 5);
	assert_string_equal(rows.last, "three");
	assert_int_equal(count_files(&h), 1);
	host_remove(&h);
	h = host_make();
	make(&h, MANY);
	assert_int_equal(read_rows(&h, &rows, &err), 0);
	assert_int_equal(rows.n, 200);
	host_remove(&h);
}

/* Whether a database that sql makes may hold text. */
static bool may_hold(const char *sql, const char *text)
{
	struct host h = host_make();
	_cleanup_sqlite_ struct sqlite *db = NULL;
	bool may;

	make(&h, sql);
	assert_int_equal(sqlite_read(h.fd, FILE_NAME, MAX, &db, NULL), 0);
	may = sqlite_may_hold(db, text);
	host_remove(&h);
	return may;
}

#define NAMED                                                                                       \
	"CREATE TABLE t(ID TEXT PRIMARY KEY NOT NULL, Name TEXT, JSON TEXT);"                       \
	"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 99) INSERT INTO t " \
	"SELECT hex(randomblob(32)), 'name-'||hex(zeroblob(i))||'-'||i, hex(randomblob(i*100)) FROM c;"

static void a_name_that_is_nowhere_is_told_without_opening(void **state)
{
	_cleanup_sqlite_ struct sqlite *db = NULL;
	struct host h = host_make();

	make(&h, NAMED);
	assert_int_equal(sqlite_read(h.fd, FILE_NAME, MAX, &db, NULL), 0);
	assert_false(sqlite_may_hold(db, "web"));
	/* names of up to 200 letters, in rows of up to 20 KB, which go on in other pages */
	for (int i = 1; i < 100; i++) {
		_cleanup_free_ char *name = NULL;
		char zeros[256] = "";

		memset(zeros, '0', (size_t)i * 2);
		name = str_format("name-%s-%d", zeros, i);
		assert_true(sqlite_may_hold(db, name));
	}
	/* where it cannot be told, it may be there */
	assert_true(may_hold("PRAGMA encoding='UTF-16';" NAMED, "web"));
	assert_true(may_hold("PRAGMA page_size=512;" NAMED, "web"));
	host_remove(&h);
}

static void a_name_in_the_log_alone_is_held(void **state)
{
	_cleanup_sqlite_ struct sqlite *read = NULL;
	struct host h = host_make();
	sqlite3 *db = create(&h, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;" TABLE
				 "INSERT INTO t VALUES('a',1,'late')");

	assert_int_equal(sqlite_read(h.fd, FILE_NAME, MAX, &read, NULL), 0);
	assert_true(sqlite_may_hold(read, "late"));
	assert_false(sqlite_may_hold(read, "never"));
	sqlite3_close(db);
	host_remove(&h);
}

static void committed_frames_of_a_log_count(void **state)
{
	struct host h = host_make();
	struct insp_err err = { 0 };
	struct rows rows;
	sqlite3 *db = create(&h, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;" TABLE
				 "INSERT INTO t VALUES('a',1,'old');"
				 "UPDATE t SET JSON='new'; INSERT INTO t VALUES('b',1,'new')");

	/* none of it is in the file itself */
	assert_int_equal(count_files(&h), 3);
	assert_int_equal(read_rows(&h, &rows, &err), 0);
	assert_int_equal(rows.n, 2);
	assert_string_equal(rows.last, "new");
	/* a transaction that writes to the log before it commits */
	assert_int_equal(
		sqlite3_exec(db,
			     "PRAGMA cache_size=1; BEGIN; WITH RECURSIVE c(i) AS (SELECT 1 "
			     "UNION ALL SELECT i+1 FROM c WHERE i < 500) INSERT INTO t "
			     "SELECT 'x'||i, 1, hex(zeroblob(500)) FROM c",
			     NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(read_rows(&h, &rows, &err), 0);
	assert_int_equal(rows.n, 2);
	assert_int_equal(sqlite3_exec(db, "COMMIT; PRAGMA wal_checkpoint(PASSIVE)", NULL, NULL,
				      NULL),
			 SQLITE_OK);
	assert_int_equal(read_rows(&h, &rows, &err), 0);
	assert_int_equal(rows.n, 502);
	assert_int_equal(count_files(&h), 3);
	sqlite3_close(db);
	assert_int_equal(read_rows(&h, &rows, &err), 0);
	assert_int_equal(rows.n, 502);
	host_remove(&h);
}

/* An open transaction that has written pages to the file: what was before it is the answer, at once. */
static void an_open_transaction_is_undone(void **state)
{
	struct host h = host_make();
	struct insp_err err = { 0 };
	struct rows rows;
	sqlite3 *db = create(&h, MANY "PRAGMA cache_size=1; BEGIN; UPDATE t SET JSON='changed';"
				      "DELETE FROM t WHERE rowid % 3 = 0");
	int64_t begin = io_now_ms();

	assert_int_equal(faccessat(h.fd, FILE_NAME "-journal", F_OK, 0), 0);
	assert_int_equal(read_rows(&h, &rows, &err), 0);
	assert_int_equal(rows.n, 200);
	assert_null(strstr(rows.last, "changed"));
	assert_true(io_now_ms() - begin < 1000);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(read_rows(&h, &rows, &err), 0);
	assert_int_equal(rows.n, 134);
	assert_string_equal(rows.last, "changed");
	sqlite3_close(db);
	host_remove(&h);
}

/* -errno of what stands there. */
static int read_error(const struct host *h, const char *words)
{
	struct insp_err err = { 0 };
	struct rows rows;
	int r = read_rows(h, &rows, &err);

	if (r < 0 && !strstr(err.text, words))
		fail_msg("'%s' has no '%s'", err.text, words);
	return r;
}

static void what_is_no_database_is_said_once_and_clearly(void **state)
{
	struct host h = host_make();
	_cleanup_free_ char *path = str_format("%s/" FILE_NAME, h.root);

	assert_int_equal(read_error(&h, "No such file"), -ENOENT);
	host_write(&h, FILE_NAME, "");
	assert_int_equal(read_error(&h, "empty"), -ENOENT);
	host_write(&h, FILE_NAME, "no database at all");
	assert_int_equal(read_error(&h, "read 'db.sql': no SQLite database"), -EBADMSG);
	unlinkat(h.fd, FILE_NAME, 0);
	assert_int_equal(mkfifoat(h.fd, FILE_NAME, 0600), 0);
	assert_int_equal(read_error(&h, "not a regular file"), -EINVAL);
	unlinkat(h.fd, FILE_NAME, 0);
	assert_int_equal(symlinkat("/etc/passwd", h.fd, FILE_NAME), 0);
	assert_int_equal(read_error(&h, "symbolic link"), -ELOOP);
	unlinkat(h.fd, FILE_NAME, 0);
	make(&h, "CREATE TABLE other(ID)");
	assert_int_equal(read_error(&h, "no table 't'"), -ENOENT);
	unlinkat(h.fd, FILE_NAME, 0);
	make(&h, "CREATE TABLE t(ID)");
	assert_int_equal(read_error(&h, "no such column"), -EBADMSG);
	unlinkat(h.fd, FILE_NAME, 0);
	make(&h, MANY);
	assert_int_equal(truncate(path, 8192), 0);
	assert_int_equal(read_error(&h, "the database is cut: 8192 bytes of"), -EBADMSG);
	assert_int_equal(truncate(path, MAX + 1), 0);
	assert_int_equal(read_error(&h, "File too large"), -EFBIG);
	host_remove(&h);
}

/* Each would take for ever, or run what the schema says. */
static void a_hostile_schema_runs_nothing(void **state)
{
	static const struct {
		const char *sql;
		int error;
	} cases[] = {
		{ "CREATE VIEW t AS WITH RECURSIVE c(ID,JSON) AS (SELECT 1,2 UNION ALL SELECT "
		  "ID+1,JSON FROM c) SELECT * FROM c",
		  -EBADMSG },
		{ "CREATE TABLE t(ID TEXT, JSON TEXT AS (hex(zeroblob(1000000))) VIRTUAL);"
		  "INSERT INTO t(ID) VALUES('a')",
		  -EBADMSG },
		{ "CREATE TABLE t(ID TEXT, JSON TEXT); INSERT INTO t VALUES('a','b');"
		  "CREATE INDEX i ON t(ID, upper(JSON))",
		  0 },
		{ "CREATE TABLE t(ID TEXT PRIMARY KEY, JSON TEXT) WITHOUT ROWID;"
		  "INSERT INTO t VALUES('a','b')",
		  0 },
		{ "CREATE TABLE u(ID, JSON); CREATE TEMP VIEW t AS SELECT * FROM u", -ENOENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host h = host_make();
		int64_t begin = io_now_ms();

		make(&h, cases[i].sql);
		assert_int_equal(read_error(&h, ""), cases[i].error);
		assert_true(io_now_ms() - begin < 2000);
		host_remove(&h);
	}
}

static void a_virtual_table_is_none(void **state)
{
	struct host h = host_make();
	_cleanup_free_ char *path = str_format("%s/" FILE_NAME, h.root);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	/* not every libsqlite3 has it */
	if (sqlite3_exec(db, "CREATE VIRTUAL TABLE t USING fts4(ID, JSON)", NULL, NULL, NULL) ==
	    SQLITE_OK)
		assert_int_equal(read_error(&h, "'t' is no plain table"), -EBADMSG);
	sqlite3_close(db);
	host_remove(&h);
}

static void a_schema_of_thousands_is_refused_before_it_is_parsed(void **state)
{
	struct host h = host_make();
	sqlite3 *db = create(&h, "BEGIN");

	for (int i = 0; i < 3000; i++) {
		_cleanup_free_ char *sql = str_format("CREATE VIEW v%d AS SELECT 1", i);

		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	}
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(read_error(&h, "schema is damaged, or too large"), -EBADMSG);
	host_remove(&h);
}

static void parse_rows(const char *data, size_t len)
{
	_cleanup_sqlite_ struct sqlite *db = NULL;
	struct rows rows = { 0 };

	if (sqlite_parse(data, len, &db, NULL) == 0)
		(void)sqlite_each(db, "t", both, add_row, &rows, NULL);
}

static void damage_anywhere_is_survived(void **state)
{
	struct host h = host_make();
	_cleanup_io_buf_ struct io_buf b = { 0 };

	make(&h,
	     "PRAGMA page_size=512;" TABLE
	     "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 20) INSERT "
	     "INTO t SELECT 'id'||i, 1, hex(zeroblob(i*20)) FROM c");
	assert_int_equal(io_read_file(h.fd, FILE_NAME, MAX, &b, NULL), 0);
	for (size_t n = 0; n < b.len; n += n < 200 ? 1 : 61)
		parse_rows(b.data, n);
	for (size_t i = 0; i < b.len; i += i < 1600 ? 1 : 17) {
		char was = b.data[i];

		b.data[i] = (char)(was ^ (1 << (i % 8)));
		parse_rows(b.data, b.len);
		b.data[i] = (char)0xff;
		parse_rows(b.data, b.len);
		b.data[i] = was;
	}
	host_remove(&h);
}

/* ---- a writer ---- */

#define SUM 1000

static void churn(const char *path, const char *mode, pid_t parent)
{
	_cleanup_free_ char *pragma = str_format(
		"PRAGMA journal_mode=%s; PRAGMA synchronous=OFF; PRAGMA cache_size=2", mode);
	sqlite3 *db = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		_exit(1);
	sqlite3_exec(db, pragma, NULL, NULL, NULL);
	for (int i = 0; getppid() == parent; i++) {
		char sql[400];

		/* moves a number from one row to another; makes pages come and go; and now and then takes it back */
		snprintf(sql, sizeof(sql),
			 "BEGIN; UPDATE t SET JSON=JSON-1 WHERE ID='id%d';"
			 "INSERT OR REPLACE INTO pad VALUES(%d, hex(zeroblob(%d)));"
			 "UPDATE t SET JSON=JSON+1 WHERE ID='id%d'; %s",
			 i % 40, i % 20, i * 37 % 9000, (i + 7) % 40,
			 i % 11 == 0 ? "ROLLBACK" : "COMMIT");
		sqlite3_exec(db, sql, NULL, NULL, NULL);
		if (i % 16 == 0)
			usleep(50);
	}
	_exit(0);
}

static void read_beside_a_writer(const char *mode, int times)
{
	struct host h = host_make();
	_cleanup_free_ char *path = str_format("%s/" FILE_NAME, h.root);
	int whole = 0, torn = 0;
	pid_t parent = getpid(), writer;

	make(&h, "CREATE TABLE t(ID TEXT PRIMARY KEY, pad TEXT, JSON INTEGER);"
		 "CREATE TABLE pad(i INTEGER PRIMARY KEY, p TEXT);"
		 "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM c WHERE i < 39) "
		 "INSERT INTO t SELECT 'id'||i, hex(zeroblob(1000)), 25 FROM c");
	writer = fork();
	if (writer == 0)
		churn(path, mode, parent);
	for (int i = 0; i < times; i++) {
		struct insp_err err = { 0 };
		struct rows rows;
		int r = read_rows(&h, &rows, &err);

		if (r < 0 && r != -EAGAIN)
			print_error("%s\n", err.text);
		whole += r == 0 && rows.n == 40 && rows.numbers == SUM;
		torn += r == -EBADMSG || (r == 0 && (rows.n != 40 || rows.numbers != SUM));
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	print_message("journal mode %s: %d of %d reads one transaction's, %d torn\n", mode, whole,
		      times, torn);
	assert_int_equal(torn, 0);
	assert_true(whole > times / 2);
	host_remove(&h);
}

/* A read costs ten times as much with the sanitizers. */
#ifdef SONDE_SAN
#define READS 60
#else
#define READS 300
#endif

/* SONDE_SQLITE_READS: another number of them */
static int times(void)
{
	const char *s = getenv("SONDE_SQLITE_READS");
	int64_t n;

	return s && str_to_i64(s, &n) == 0 ? (int)n : READS;
}

static void reads_beside_a_writer_are_one_transactions(void **state)
{
	read_beside_a_writer("DELETE", times());
	read_beside_a_writer("TRUNCATE", times());
	read_beside_a_writer("PERSIST", times());
	read_beside_a_writer("WAL", times());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_and_no_file_is_made),
		cmocka_unit_test(a_name_that_is_nowhere_is_told_without_opening),
		cmocka_unit_test(a_name_in_the_log_alone_is_held),
		cmocka_unit_test(committed_frames_of_a_log_count),
		cmocka_unit_test(an_open_transaction_is_undone),
		cmocka_unit_test(what_is_no_database_is_said_once_and_clearly),
		cmocka_unit_test(a_hostile_schema_runs_nothing),
		cmocka_unit_test(a_virtual_table_is_none),
		cmocka_unit_test(a_schema_of_thousands_is_refused_before_it_is_parsed),
		cmocka_unit_test(damage_anywhere_is_survived),
		cmocka_unit_test(reads_beside_a_writer_are_one_transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
