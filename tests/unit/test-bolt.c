/* The bolt reader: a file that podman wrote, files made here, damage, and a writer at work. */
#include "bolt-build.h"
#include "torture.h"

#include "libinspect/base/bolt.h"
#include "libinspect/base/io.h"
#include "tests/unit/scratch.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FIXTURE "tests/fixtures/podman/bolt_state.db"
#define WEB	"fcac09e2259720f50d366f0e428a44836ec252be87a72226911c77336cec8d99"

static struct bolt *parse(const struct bb *b)
{
	struct bolt *db = NULL;

	assert_int_equal(bolt_parse(b->data, b->pages * BB_PAGE, &db, NULL), 0);
	return db;
}

static void assert_slice(struct bolt_slice s, const char *expect)
{
	assert_int_equal(s.len, strlen(expect));
	assert_memory_equal(s.data, expect, s.len);
}

static int count_entry(void *userdata, struct bolt_slice key, struct bolt_slice value,
		       const struct bolt_bucket *bucket)
{
	(*(size_t *)userdata)++;
	return 0;
}

static void reads_what_podman_wrote(void **state)
{
	_cleanup_close_ int fd = open(FIXTURE, O_RDONLY | O_CLOEXEC);
	_cleanup_bolt_ struct bolt *db = NULL;
	struct bolt_bucket root, all, ctrs, web;
	struct bolt_slice v;
	size_t n = 0;

	assert_true(fd >= 0);
	assert_int_equal(bolt_read(fd, BOLT_FILE_MAX, &db, NULL), 0);
	assert_int_equal(bolt_txid(db), 20);
	root = bolt_root(db);
	assert_int_equal(bolt_bucket(&root, "all-ctrs", &all), 0);
	assert_int_equal(bolt_get(&all, WEB, &v), 0);
	assert_slice(v, "web");
	assert_int_equal(bolt_each(&all, count_entry, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(bolt_bucket(&root, "ctr", &ctrs), 0);
	assert_int_equal(bolt_bucket(&ctrs, WEB, &web), 0);
	assert_int_equal(bolt_get(&web, "config", &v), 0);
	assert_true(v.len > 1000);
	assert_memory_equal(v.data, "{\"spec\":", 8);
}

static void finds_values_in_inline_buckets_and_trees(void **state)
{
	struct bb b = bb_sound();
	_cleanup_bolt_ struct bolt *db = parse(&b);
	struct bolt_bucket root = bolt_root(db), in, tree;
	struct bolt_slice v;
	size_t n = 0;

	assert_int_equal(bolt_txid(db), 8);
	assert_int_equal(bolt_bucket(&root, "in", &in), 0);
	assert_int_equal(bolt_get(&in, "b", &v), 0);
	assert_slice(v, "two");
	assert_int_equal(bolt_bucket(&root, "tree", &tree), 0);
	assert_int_equal(bolt_get(&tree, "k10", &v), 0);
	assert_slice(v, "v1");
	assert_int_equal(bolt_get(&tree, "k20", &v), 0);
	assert_int_equal(v.len, 600);
	assert_int_equal(v.data[599], 'x');
	assert_int_equal(bolt_each(&tree, count_entry, &n), 0);
	assert_int_equal(n, 3);
	bb_free(&b);
}

static void what_is_not_there_is_enoent(void **state)
{
	struct bb b = bb_sound();
	_cleanup_bolt_ struct bolt *db = parse(&b);
	struct bolt_bucket root = bolt_root(db), tree;
	struct bolt_slice v;

	assert_int_equal(bolt_get(&root, "absent", &v), -ENOENT);
	assert_int_equal(bolt_get(&root, "", &v), -ENOENT);
	assert_int_equal(bolt_get(&root, "in", &v), -ENOENT);
	assert_int_equal(bolt_bucket(&root, "plain", &tree), -ENOENT);
	assert_int_equal(bolt_bucket(&root, "tree", &tree), 0);
	assert_int_equal(bolt_get(&tree, "k05", &v), -ENOENT);
	assert_int_equal(bolt_get(&tree, "z", &v), -ENOENT);
	bb_free(&b);
}

static void the_newer_sound_meta_page_counts(void **state)
{
	struct bb b = bb_sound();
	struct bolt *db;

	bb_meta(bb_page(&b, 1), 1, 2, 7, 9);
	db = parse(&b);
	assert_int_equal(bolt_txid(db), 9);
	bolt_free(db);
	/* torn while it was written */
	bb_page(&b, 1)[40] ^= 1;
	db = parse(&b);
	assert_int_equal(bolt_txid(db), 8);
	bolt_free(db);
	/* the first one torn: the second is found without knowing the page size */
	bb_meta(bb_page(&b, 1), 1, 2, 7, 7);
	bb_page(&b, 0)[24] ^= 1;
	db = parse(&b);
	assert_int_equal(bolt_txid(db), 7);
	bolt_free(db);
	bb_page(&b, 1)[24] ^= 1;
	assert_int_equal(bolt_parse(b.data, b.pages * BB_PAGE, &db, NULL), -EBADMSG);
	bb_free(&b);
}

/* Looks at everything; whether it is an error does not matter. */
static int visit(void *userdata, struct bolt_slice key, struct bolt_slice value,
		 const struct bolt_bucket *bucket)
{
	volatile char sink = 0;

	for (size_t i = 0; i < key.len; i++)
		sink ^= key.data[i];
	for (size_t i = 0; i < value.len; i++)
		sink ^= value.data[i];
	(void)sink;
	return bucket && *(int *)userdata < 8
		       ? ((*(int *)userdata)++, bolt_each(bucket, visit, userdata))
		       : 0;
}

static int visit_all(const char *data, size_t len)
{
	_cleanup_bolt_ struct bolt *db = NULL;
	struct bolt_bucket root, tree;
	struct bolt_slice v;
	int buckets = 0;

	if (bolt_parse(data, len, &db, NULL) < 0)
		return -EBADMSG;
	root = bolt_root(db);
	if (bolt_bucket(&root, "tree", &tree) == 0)
		(void)bolt_get(&tree, "k20", &v);
	return bolt_each(&root, visit, &buckets);
}

static void visit_ignored(const char *data, size_t len)
{
	(void)visit_all(data, len);
}

static void damage_anywhere_is_survived(void **state)
{
	struct bb b = bb_sound();

	torture(b.data, b.pages * BB_PAGE, visit_ignored);
	bb_free(&b);
}

static void expect_damaged(const struct bb *b)
{
	assert_int_equal(visit_all(b->data, b->pages * BB_PAGE), -EBADMSG);
}

static void pages_outside_the_file_are_damage(void **state)
{
	struct bb b = bb_sound();
	char *elem = bb_page(&b, 3) + 16;

	assert_int_equal(visit_all(b.data, b.pages * BB_PAGE), 0);
	/* a child: a meta page, behind the end, behind the last used page, another page's number */
	bb_put64(elem + 8, 1);
	expect_damaged(&b);
	bb_put64(elem + 8, 1000);
	expect_damaged(&b);
	bb_put64(elem + 8, UINT64_MAX);
	expect_damaged(&b);
	bb_put64(elem + 8, 4);
	bb_put64(bb_page(&b, 4), 6);
	expect_damaged(&b);
	bb_put64(bb_page(&b, 4), 4);
	bb_put32(bb_page(&b, 5) + 12, 2);
	expect_damaged(&b);
	bb_put32(bb_page(&b, 5) + 12, UINT32_MAX);
	expect_damaged(&b);
	bb_free(&b);
}

static void values_outside_their_page_are_damage(void **state)
{
	static const uint32_t bad[] = { 513, 1u << 30, UINT32_MAX };
	struct bb b = bb_sound();
	char *elem = bb_page(&b, 4) + 16;

	for (size_t field = 4; field <= 12; field += 4)
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			char saved[4];

			memcpy(saved, elem + field, 4);
			bb_put32(elem + field, bad[i]);
			expect_damaged(&b);
			memcpy(elem + field, saved, 4);
		}
	/* more elements than the page has room for */
	memcpy(bb_page(&b, 4) + 10, "\xff\xff", 2);
	expect_damaged(&b);
	bb_free(&b);
}

static void a_tree_that_leads_back_to_itself_ends(void **state)
{
	struct bb b = bb_sound();
	_cleanup_bolt_ struct bolt *db = NULL;
	struct bolt_bucket root, tree;
	struct bolt_slice v;
	size_t n = 0;

	/* 29 children, each the page itself: 29 to the power of the depth without a limit on pages */
	static const char *const keys[29] = { [0 ... 28] = "k" };
	static const uint64_t same[29] = { [0 ... 28] = 3 };

	memset(bb_page(&b, 3), 0, BB_PAGE);
	bb_branch(bb_page(&b, 3), 3, keys, same, 29);
	db = parse(&b);
	root = bolt_root(db);
	assert_int_equal(bolt_bucket(&root, "tree", &tree), 0);
	assert_int_equal(bolt_get(&tree, "k20", &v), -EBADMSG);
	assert_int_equal(bolt_each(&tree, count_entry, &n), -EBADMSG);
	bb_free(&b);
}

/* Every page is sound and no path is deep, but there are 29 to the power of 8 of them. */
static void pages_that_are_shared_do_not_multiply(void **state)
{
	static const char *const keys[29] = { [0 ... 28] = "k" };
	struct bb_entry leaf = { "k", "v", 1, false };
	char tree[16] = { 0 };
	struct bb_entry root = { "tree", tree, sizeof(tree), true };
	struct bb b = bb_new(12);
	uint64_t next[29];

	bb_put64(tree, 3);
	bb_meta(bb_page(&b, 0), 0, 2, 12, 1);
	bb_leaf(bb_page(&b, 2), 2, 0, &root, 1);
	for (uint64_t page = 3; page < 11; page++) {
		for (size_t i = 0; i < ARRAY_SIZE(next); i++)
			next[i] = page + 1;
		bb_branch(bb_page(&b, page), page, keys, next, ARRAY_SIZE(next));
	}
	bb_leaf(bb_page(&b, 11), 11, 0, &leaf, 1);
	expect_damaged(&b);
	bb_free(&b);
}

static void only_regular_files_of_a_bearable_size_are_read(void **state)
{
	char dir[SCRATCH_PATH], path[SCRATCH_PATH + 16];
	struct insp_err err = { 0 };
	struct bolt *db;
	int fd;

	scratch_dir(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bolt_read(fd, BOLT_FILE_MAX, &db, &err), -EINVAL);
	assert_string_equal(err.text, "not a regular file");
	close(fd);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(bolt_read(fd, BOLT_FILE_MAX, &db, NULL), -EINVAL);
	close(fd);
	unlink(path);
	rmdir(dir);
	fd = open(FIXTURE, O_RDONLY | O_CLOEXEC);
	assert_int_equal(bolt_read(fd, 4096, &db, NULL), -EFBIG);
	close(fd);
}

/*
 * Commits as bbolt does: transaction N writes its pages where the last committed one has none, then its meta page.
 * Here two data pages take turns; a page's value is the transaction that wrote it.
 */
static void commit(int fd, uint64_t txid)
{
	char page[BB_PAGE] = { 0 }, meta[80], text[24];
	uint64_t id = 2 + txid % 2;

	snprintf(text, sizeof(text), "%020llu", (unsigned long long)txid);
	struct bb_entry e = { "tx", text, 20, false };

	bb_leaf(page, id, 0, &e, 1);
	(void)!pwrite(fd, page, sizeof(page), (off_t)(id * BB_PAGE));
	bb_meta(meta, txid % 2, id, 4, txid);
	(void)!pwrite(fd, meta, sizeof(meta), (off_t)(txid % 2 * BB_PAGE));
}

static pid_t start_writer(int fd)
{
	pid_t parent = getpid(), writer = fork();

	if (writer != 0)
		return writer;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint64_t txid = 2; getppid() == parent; txid++) {
		commit(fd, txid);
		if (txid % 64 == 0)
			usleep(20);
	}
	_exit(0);
}

/* 1: a copy that is what its transaction wrote; 0: none could be had; -1: a mixed one. */
static int take_copy(int fd)
{
	_cleanup_bolt_ struct bolt *db = NULL;
	struct bolt_bucket root;
	struct bolt_slice v;
	char expect[24];

	if (bolt_read(fd, BOLT_FILE_MAX, &db, NULL) < 0)
		return 0;
	root = bolt_root(db);
	snprintf(expect, sizeof(expect), "%020llu", (unsigned long long)bolt_txid(db));
	if (bolt_get(&root, "tx", &v) < 0 || v.len != 20)
		return -1;
	return memcmp(v.data, expect, 20) == 0 ? 1 : -1;
}

static void a_copy_taken_while_a_writer_commits_is_whole(void **state)
{
	char path[SCRATCH_PATH];
	int fd = scratch_file(path), whole = 0, mixed = 0;
	pid_t writer;

	assert_true(fd >= 0);
	commit(fd, 0);
	commit(fd, 1);
	writer = start_writer(fd);
	for (int i = 0; i < 2000; i++) {
		int r = take_copy(fd);

		whole += r > 0;
		mixed += r < 0;
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	close(fd);
	unlink(path);
	assert_int_equal(mixed, 0);
	assert_true(whole > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_podman_wrote),
		cmocka_unit_test(finds_values_in_inline_buckets_and_trees),
		cmocka_unit_test(what_is_not_there_is_enoent),
		cmocka_unit_test(the_newer_sound_meta_page_counts),
		cmocka_unit_test(damage_anywhere_is_survived),
		cmocka_unit_test(pages_outside_the_file_are_damage),
		cmocka_unit_test(values_outside_their_page_are_damage),
		cmocka_unit_test(a_tree_that_leads_back_to_itself_ends),
		cmocka_unit_test(pages_that_are_shared_do_not_multiply),
		cmocka_unit_test(only_regular_files_of_a_bearable_size_are_read),
		cmocka_unit_test(a_copy_taken_while_a_writer_commits_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
