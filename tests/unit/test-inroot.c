/*
 * Opening below a root: what openat2 and the walk that stands in for it answer is the same, and a tree that is
 * rearranged meanwhile leads neither of them out. Joined paths, opened in the same way, are led out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/scratch.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define CANARY	"the host's secret"
#define INSIDE	"a file inside"
#define RACE_MS 1500

/* base/ holds root/ (the container's) and host/secret (what must never be reached). */
struct tree {
	char base[PATH_MAX];
	int basefd, rootfd;
};

static void put(int dirfd, const char *path, const char *text)
{
	_cleanup_close_ int fd =
		openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static void put_dir(int dirfd, const char *path)
{
	assert_int_equal(mkdirat(dirfd, path, 0755), 0);
}

static void put_link(int dirfd, const char *path, const char *target)
{
	assert_int_equal(symlinkat(target, dirfd, path), 0);
}

/* chain-0 -> chain-1 -> … -> etc/file: 40 links from the first, as many as the kernel follows */
static void put_chain(int rootfd)
{
	for (int i = 0; i < 41; i++) {
		char name[32], target[32];

		snprintf(name, sizeof(name), "chain-%d", i);
		snprintf(target, sizeof(target), "chain-%d", i + 1);
		put_link(rootfd, name, i == 40 ? "/etc/file" : target);
	}
}

static void put_links(int rootfd, const char *base)
{
	char host[PATH_MAX + 32];

	put_link(rootfd, "var/run", "/run");
	put_link(rootfd, "abs", "/etc/file");
	put_link(rootfd, "rel", "etc/file");
	put_link(rootfd, "etc/up", "../../../../etc/file");
	put_link(rootfd, "todir", "etc");
	put_link(rootfd, "todir-slash", "/etc/");
	put_link(rootfd, "toroot", "/");
	put_link(rootfd, "tolink", "/todir/../var/run/pid");
	put_link(rootfd, "loop", "loop2");
	put_link(rootfd, "loop2", "loop");
	put_link(rootfd, "dangling", "/etc/new");
	snprintf(host, sizeof(host), "%s/host/secret", base);
	put_link(rootfd, "tohost", host);
	put_link(rootfd, "tohost-rel", "../host/secret");
	put_chain(rootfd);
}

static int make_tree(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	scratch_dir(t->base);
	t->basefd = open(t->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	put_dir(t->basefd, "root");
	put_dir(t->basefd, "host");
	put(t->basefd, "host/secret", CANARY);
	t->rootfd = openat(t->basefd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	put_dir(t->rootfd, "etc");
	put_dir(t->rootfd, "run");
	put_dir(t->rootfd, "var");
	put(t->rootfd, "etc/file", INSIDE);
	put(t->rootfd, "run/pid", INSIDE);
	assert_int_equal(mkfifoat(t->rootfd, "fifo", 0644), 0);
	put_links(t->rootfd, t->base);
	*state = t;
	return 0;
}

static void remove_tree(int at, const char *name)
{
	_cleanup_io_dir_ struct io_dir *d = NULL;

	if (io_opendir(at, name, &d) < 0)
		return;
	for_each_entry (de, d) {
		if (unlinkat(io_dirfd(d), de->d_name, 0) < 0) {
			remove_tree(io_dirfd(d), de->d_name);
			unlinkat(io_dirfd(d), de->d_name, AT_REMOVEDIR);
		}
	}
}

static int drop_tree(void **state)
{
	struct tree *t = *state;

	remove_tree(AT_FDCWD, t->base);
	rmdir(t->base);
	close(t->rootfd);
	close(t->basefd);
	free(t);
	return 0;
}

/* ---- one answer from both ---------------------------------------------------------------------- */

struct question {
	const char *path;
	int flags;
};

static const struct question questions[] = {
	{ "etc/file", O_RDONLY },
	{ "/etc/file", O_RDONLY },
	{ "//etc///file", O_RDONLY },
	{ "./etc/./file", O_RDONLY },
	{ "/../../../etc/file", O_RDONLY },
	{ "etc/../../../../etc/file", O_RDONLY },
	{ "/var/run/pid", O_RDONLY },
	{ "/var/run/../etc/file", O_RDONLY },
	{ "abs", O_RDONLY },
	{ "rel", O_RDONLY },
	{ "etc/up", O_RDONLY },
	{ "todir/file", O_RDONLY },
	{ "todir-slash/file", O_RDONLY },
	{ "toroot/toroot/etc/file", O_RDONLY },
	{ "tolink", O_RDONLY },
	{ "chain-0", O_RDONLY },
	{ "chain-1", O_RDONLY },
	{ "loop", O_RDONLY },
	{ "loop/x", O_RDONLY },
	{ "dangling", O_RDONLY },
	{ "tohost", O_RDONLY },
	{ "tohost-rel", O_RDONLY },
	{ "../host/secret", O_RDONLY },
	{ "/", O_RDONLY | O_DIRECTORY },
	{ ".", O_RDONLY | O_DIRECTORY },
	{ "..", O_RDONLY | O_DIRECTORY },
	{ "etc/..", O_RDONLY | O_DIRECTORY },
	{ "toroot", O_RDONLY | O_DIRECTORY },
	{ "todir", O_RDONLY | O_DIRECTORY },
	{ "todir", O_PATH | O_NOFOLLOW },
	{ "todir/", O_PATH | O_NOFOLLOW },
	{ "etc/", O_RDONLY },
	{ "etc/file/", O_RDONLY },
	{ "etc/file/.", O_RDONLY },
	{ "etc/file/x", O_RDONLY },
	{ "etc/file", O_RDONLY | O_DIRECTORY },
	{ "abs/", O_RDONLY },
	{ "abs", O_RDONLY | O_NOFOLLOW },
	{ "abs", O_PATH | O_NOFOLLOW },
	{ "etc/nothing", O_RDONLY },
	{ "nothing/x", O_RDONLY },
	{ "etc/new/", O_WRONLY | O_CREAT },
	{ "fifo", O_RDONLY | O_NONBLOCK },
	{ "", O_RDONLY },
};

/* What /proc holds is asked below the host's own root. */
static const struct question proc_questions[] = {
	{ "proc/self/root/etc/passwd", O_RDONLY },
	{ "proc/self/cwd", O_PATH | O_DIRECTORY },
	{ "proc/self/exe", O_RDONLY },
	{ "proc/self/fd/0", O_RDONLY },
	{ "proc/self/ns/mnt", O_RDONLY },
	{ "proc/self/status", O_PATH },
	{ "proc/mounts", O_PATH },
	{ "proc/net/dev", O_PATH },
};

#define N_QUESTIONS (ARRAY_SIZE(questions) + ARRAY_SIZE(proc_questions) + 2)

/* The inode that was opened, or -errno. */
static int64_t ask(int rootfd, const char *path, int flags)
{
	_cleanup_close_ int fd = insp_open_in_root(rootfd, path, flags, 0600);
	struct stat st;

	if (fd < 0)
		return fd;
	return fstat(fd, &st) < 0 ? -errno : (int64_t)st.st_ino;
}

static void ask_all(const struct tree *t, int64_t *answers)
{
	_cleanup_close_ int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *longest = calloc(1, NAME_MAX + 2);
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		answers[n++] = ask(t->rootfd, questions[i].path, questions[i].flags);
	for (size_t i = 0; i < ARRAY_SIZE(proc_questions); i++)
		/* inodes there are made on demand, and self is another in each process */
		answers[n++] =
			MIN_OF(ask(host, proc_questions[i].path, proc_questions[i].flags), 0);
	memset(longest, 'a', NAME_MAX + 1);
	answers[n++] = ask(t->rootfd, longest, O_RDONLY);
	/* made through a dangling link, below the root; gone before the other is asked */
	answers[n] = ask(t->rootfd, "dangling", O_WRONLY | O_CREAT | O_EXCL);
	if (answers[n] >= 0)
		unlinkat(t->rootfd, "etc/new", 0);
}

static const char *question_path(size_t i)
{
	if (i < ARRAY_SIZE(questions))
		return questions[i].path;
	i -= ARRAY_SIZE(questions);
	return i < ARRAY_SIZE(proc_questions) ? proc_questions[i].path : "(long name, new file)";
}

/* From here on openat2 answers error in this process. */
static void block_openat2(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0 ||
	    io_openat2_in_root(AT_FDCWD, ".", O_PATH, 0) != -error)
		_exit(77);
}

static void *shared_memory(size_t size)
{
	void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(m != MAP_FAILED);
	return m;
}

static void wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void compare_with_blocked(const struct tree *t, int error)
{
	int64_t *walk = shared_memory(N_QUESTIONS * sizeof(*walk)), kernel[N_QUESTIONS];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		block_openat2(error);
		ask_all(t, walk);
		_exit(0);
	}
	wait_for(pid);
	ask_all(t, kernel);
	for (size_t i = 0; i < N_QUESTIONS; i++)
		if (walk[i] != kernel[i])
			print_error("%zu '%s': openat2 %lld, the walk %lld\n", i, question_path(i),
				    (long long)kernel[i], (long long)walk[i]);
	assert_memory_equal(walk, kernel, sizeof(kernel));
	munmap(walk, N_QUESTIONS * sizeof(*walk));
}

static void the_walk_answers_as_openat2_does(void **state)
{
	compare_with_blocked(*state, ENOSYS);
	compare_with_blocked(*state, EPERM);
}

static void links_stay_inside(void **state)
{
	struct tree *t = *state;
	struct stat st;

	assert_int_equal(fstatat(t->rootfd, "etc/file", &st, 0), 0);
	assert_int_equal(ask(t->rootfd, "abs", O_RDONLY), st.st_ino);
	assert_int_equal(ask(t->rootfd, "etc/up", O_RDONLY), st.st_ino);
	assert_int_equal(ask(t->rootfd, "/../../etc/file", O_RDONLY), st.st_ino);
	assert_int_equal(ask(t->rootfd, "tohost", O_RDONLY), -ENOENT);
	assert_int_equal(ask(t->rootfd, "tohost-rel", O_RDONLY), -ENOENT);
	assert_int_equal(ask(t->rootfd, "loop", O_RDONLY), -ELOOP);
	assert_int_equal(fstatat(t->rootfd, "run/pid", &st, 0), 0);
	assert_int_equal(ask(t->rootfd, "/var/run/pid", O_RDONLY), st.st_ino);
}

/* ---- a tree that is rearranged meanwhile -------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void exchange(int rootfd, const char *a, const char *b)
{
	syscall(SYS_renameat2, rootfd, a, rootfd, b, RENAME_EXCHANGE);
}

/* Swaps a directory with a link to the host's, and moves one about below which a walk may be. */
static pid_t start_swapping(const struct tree *t)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0) {
		exchange(t->rootfd, "swap", "swap-link");
		exchange(t->rootfd, "swap-file", "swap-file-link");
		renameat(t->rootfd, "a/b/c", t->rootfd, "c");
		renameat(t->rootfd, "c", t->rootfd, "a/b/c");
	}
	return pid;
}

static void put_swapped(const struct tree *t)
{
	char host[PATH_MAX + 32];

	put_dir(t->rootfd, "swap");
	put(t->rootfd, "swap/secret", INSIDE);
	put(t->rootfd, "swap-file", INSIDE);
	snprintf(host, sizeof(host), "%s/host", t->base);
	put_link(t->rootfd, "swap-link", host);
	snprintf(host, sizeof(host), "%s/host/secret", t->base);
	put_link(t->rootfd, "swap-file-link", host);
	put_dir(t->rootfd, "a");
	put_dir(t->rootfd, "a/b");
	put_dir(t->rootfd, "a/b/c");
	put_dir(t->rootfd, "a/b/c/d");
	put_dir(t->rootfd, "host");
	put(t->rootfd, "host/secret", INSIDE);
}

/* How often the file opened was the inside's, and how often the host's. */
struct tally {
	unsigned inside, canary;
};

static void tally_fd(struct tally *tally, int fd)
{
	_cleanup_close_ int owned = fd;
	char text[64];
	ssize_t n;

	if (owned < 0)
		return;
	n = read(owned, text, sizeof(text) - 1);
	text[MAX_OF(n, 0)] = '\0';
	if (strcmp(text, CANARY) == 0)
		tally->canary++;
	else if (strcmp(text, INSIDE) == 0)
		tally->inside++;
}

static const char *const raced[] = { "swap/secret", "/swap-file",
				     "a/b/c/d/../../../../host/secret" };

static void race_in_root(const struct tree *t, struct tally *tally)
{
	for (int64_t end = now_ms() + RACE_MS; now_ms() < end;)
		for (size_t i = 0; i < ARRAY_SIZE(raced); i++)
			tally_fd(tally, insp_open_in_root(t->rootfd, raced[i], O_RDONLY, 0));
}

static void race_regular(const struct tree *t, struct tally *tally)
{
	for (int64_t end = now_ms() + RACE_MS; now_ms() < end;)
		for (size_t i = 0; i < ARRAY_SIZE(raced); i++)
			tally_fd(tally, insp_open_regular_in_root(t->rootfd, raced[i]));
}

/* What one writes first: look whether it is a link, then open the joined path. */
static void race_joined(const struct tree *t, struct tally *tally)
{
	for (int64_t end = now_ms() + RACE_MS; now_ms() < end;)
		for (size_t i = 0; i < ARRAY_SIZE(raced); i++) {
			_cleanup_free_ char *path = str_format("%s/root/%s", t->base, raced[i]);
			struct stat st;

			if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
				tally_fd(tally, open(path, O_RDONLY | O_CLOEXEC));
		}
}

static struct tally race(const struct tree *t, void (*run)(const struct tree *, struct tally *),
			 bool blocked)
{
	struct tally *shared = shared_memory(sizeof(*shared)), result;
	pid_t swapper = start_swapping(t), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (blocked)
			block_openat2(ENOSYS);
		run(t, shared);
		_exit(0);
	}
	wait_for(pid);
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	result = *shared;
	munmap(shared, sizeof(*shared));
	return result;
}

static void expect_only_inside(struct tally tally)
{
	assert_int_equal(tally.canary, 0);
	assert_true(tally.inside > 0);
}

static void a_swapped_link_leads_openat2_nowhere(void **state)
{
	put_swapped(*state);
	expect_only_inside(race(*state, race_in_root, false));
	expect_only_inside(race(*state, race_regular, false));
}

static void a_swapped_link_leads_the_walk_nowhere(void **state)
{
	put_swapped(*state);
	expect_only_inside(race(*state, race_in_root, true));
	expect_only_inside(race(*state, race_regular, true));
}

static void a_swapped_link_leads_a_joined_path_to_the_host(void **state)
{
	put_swapped(*state);
	assert_true(race(*state, race_joined, false).canary > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(links_stay_inside, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(the_walk_answers_as_openat2_does, make_tree,
						drop_tree),
		cmocka_unit_test_setup_teardown(a_swapped_link_leads_openat2_nowhere, make_tree,
						drop_tree),
		cmocka_unit_test_setup_teardown(a_swapped_link_leads_the_walk_nowhere, make_tree,
						drop_tree),
		cmocka_unit_test_setup_teardown(a_swapped_link_leads_a_joined_path_to_the_host,
						make_tree, drop_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
