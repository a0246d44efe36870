/*
 * stress-sqlite DIRECTORY FILE READS SECONDS: reads podman's SQLite database over and over while podman writes to it, and
 * checks of every answer that it is one transaction's: libsqlite3 finds every page in order, rows that a transaction makes
 * together are there together, and each of them is whole. Ends after READS readings, or SECONDS. Prints the counts as
 * JSON; exit status 1 when an answer was wrong.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/json.h"
#include "libinspect/base/sqlite.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS_MAX 256
#define ID_LEN	 64

struct counts {
	unsigned long reads, answers, unsettled, transactions, with_journal, records, wrong;
	size_t most;
	uint32_t change; /* the header's counter */
};

/* The ids of a table. */
struct ids {
	char id[ROWS_MAX][ID_LEN + 1];
	size_t n;
};

struct check {
	struct ids *ids;
	const char *table;
	bool bad;
};

static int wrong(struct check *c, const char *id, const char *what)
{
	fprintf(stderr, "stress-sqlite: %s: %.64s: %s\n", c->table, id ? id : "?", what);
	c->bad = true;
	return 0;
}

static int note_id(struct check *c, const char *id)
{
	if (!id || strlen(id) != ID_LEN || c->ids->n == ROWS_MAX)
		return wrong(c, id, "no id, or too many");
	snprintf(c->ids->id[c->ids->n++], ID_LEN + 1, "%s", id);
	return 0;
}

/* ---- AddContainer() and RemoveContainer() of libpod's sqlite_state.go: one transaction for three tables ---- */

static int see_namespace(void *userdata, const struct sqlite_value *v)
{
	return note_id(userdata, v[0].data);
}

static int see_config(void *userdata, const struct sqlite_value *v)
{
	_cleanup_json_ json_t *config = NULL;
	struct check *c = userdata;

	note_id(c, v[0].data);
	if (!v[2].data || json_parse(v[2].data, v[2].len, &config, NULL) < 0)
		return wrong(c, v[0].data, "no whole configuration");
	if (!str_eq(json_str_at(config, "id"), v[0].data) ||
	    !str_eq(json_str_at(config, "name"), v[1].data))
		return wrong(c, v[0].data, "another one's configuration");
	return 0;
}

static int see_state(void *userdata, const struct sqlite_value *v)
{
	_cleanup_json_ json_t *state = NULL;
	struct check *c = userdata;

	note_id(c, v[0].data);
	if (!v[1].data || json_parse(v[1].data, v[1].len, &state, NULL) < 0 ||
	    !json_is_object(state))
		return wrong(c, v[0].data, "no whole state");
	return 0;
}

static const struct {
	const char *name, *columns[4];
	sqlite_row_fn see;
} tables[] = {
	{ "IDNamespace", { "ID" }, see_namespace },
	{ "ContainerConfig", { "ID", "Name", "JSON" }, see_config },
	{ "ContainerState", { "ID", "JSON" }, see_state },
};

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Each table has the same ids. *ret_n: how many. true: something was wrong. */
static bool tables_differ(struct sqlite *db, size_t *ret_n)
{
	static struct ids ids[ARRAY_SIZE(tables)];
	struct insp_err err = { 0 };
	bool bad = false;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct check c = { .ids = &ids[i], .table = tables[i].name };

		ids[i].n = 0;
		if (sqlite_each(db, c.table, tables[i].columns, tables[i].see, &c, &err) < 0)
			wrong(&c, NULL, err.text);
		qsort(ids[i].id, ids[i].n, sizeof(ids[i].id[0]), compare);
		if (ids[i].n != ids[0].n ||
		    memcmp(ids[i].id, ids[0].id, ids[0].n * sizeof(ids[0].id[0])) != 0)
			wrong(&c, NULL, "not the same containers as in the first table");
		bad = bad || c.bad;
	}
	*ret_n = ids[0].n;
	return bad;
}

/* ---- every page of it ---- */

static int first_answer(void *userdata, int n, char **values, char **names)
{
	bool *ok = userdata;

	*ok = n == 1 && str_eq(values[0], "ok");
	if (!*ok)
		fprintf(stderr, "stress-sqlite: %s\n", n > 0 && values[0] ? values[0] : "?");
	return 1;
}

static bool pages_are_sound(const struct io_buf *b)
{
	sqlite3 *db = NULL;
	bool ok = false;

	if (sqlite3_open(":memory:", &db) == SQLITE_OK &&
	    sqlite3_deserialize(db, "main", (unsigned char *)b->data, (sqlite3_int64)b->len,
				(sqlite3_int64)b->len, SQLITE_DESERIALIZE_READONLY) == SQLITE_OK)
		sqlite3_exec(db, "PRAGMA integrity_check(1)", first_answer, &ok, NULL);
	sqlite3_close(db);
	return ok;
}

/* ---------------------------------------------------------------------------------------------------------------- */

static void look(struct counts *n, const struct io_buf *b)
{
	_cleanup_sqlite_ struct sqlite *db = NULL;
	struct insp_err err = { 0 };
	uint32_t change;
	size_t records = 0;
	bool bad = false;

	n->answers++;
	memcpy(&change, b->data + 24, sizeof(change));
	n->transactions += change != n->change;
	n->change = change;
	if (sqlite_parse(b->data, b->len, &db, &err) < 0) {
		fprintf(stderr, "stress-sqlite: %s\n", err.text);
		bad = true;
	} else {
		bad = tables_differ(db, &records);
	}
	n->wrong += !pages_are_sound(b) || bad;
	n->records += records;
	n->most = MAX_OF(n->most, records);
}

/* The journal is looked for here only to count that writers were at work. */
static void read_once(struct counts *n, int dirfd, const char *name, const char *journal)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct insp_err err = { 0 };
	int r;

	n->with_journal += faccessat(dirfd, journal, F_OK, 0) == 0;
	r = sqlite_copy(dirfd, name, SQLITE_FILE_MAX, &b, &err);
	n->reads++;
	if (r == 0 && b.len > SQLITE_HEADER_LEN) {
		look(n, &b);
	} else if (r == -EAGAIN) {
		n->unsettled++;
	} else {
		fprintf(stderr, "stress-sqlite: %s\n", r < 0 ? err.text : "it is empty");
		n->wrong++;
	}
}

int main(int argc, char *argv[])
{
	struct counts n = { 0 };
	char journal[NAME_MAX + 1];
	unsigned long reads;
	const char *name;
	int64_t end;
	int dirfd;

	if (argc != 5) {
		fprintf(stderr, "usage: stress-sqlite DIRECTORY FILE READS SECONDS\n");
		return 2;
	}
	name = argv[2];
	dirfd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return 2;
	snprintf(journal, sizeof(journal), "%s-journal", name);
	reads = strtoul(argv[3], NULL, 10);
	end = io_now_ms() + 1000 * strtol(argv[4], NULL, 10);
	while (io_now_ms() < end && n.reads < reads)
		read_once(&n, dirfd, name, journal);
	close(dirfd);
	printf("{\"reads\": %lu, \"answers\": %lu, \"unsettled\": %lu, \"transactions\": %lu, \"with_journal\": %lu, \"records\": %lu, \"most\": %zu, \"wrong\": %lu}\n",
	       n.reads, n.answers, n.unsettled, n.transactions, n.with_journal, n.records, n.most,
	       n.wrong);
	return n.wrong || n.reads < reads ? 1 : 0;
}
