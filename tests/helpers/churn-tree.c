/*
 * churn-tree [-clov] SEED OPS [DIR]: does OPS random changes below DIR (the current directory), as programs in a container
 * do them over time: what one does to a name the next finds. The same seed on the same tree does the same; nothing depends on
 * inodes, the clock or the order of a directory. What a file system refuses (EXDEV for a directory that overlay
 * cannot rename, ENOSPC, EPERM for a device in a user namespace) is passed over. No link is followed, no mount entered.
 *
 *   -c  only things that make the tree larger: for what a test begins with
 *   -l  nothing of which fuse-overlayfs shows this or that: no hard links, no mark of overlay with an empty value
 *   -o  a name is used once only, and nothing becomes of another type; no links
 *   -v  each change on standard output: what, path, and the error if it failed
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NAMES_MAX 100000
#define DEEP_MAX  40

static uint64_t random_state;
static dev_t top_dev;
static const char *seed;
static bool verbose, growing, once, for_fuse; /* -v, -c, -o, -l */

/* splitmix64 */
static uint64_t random_u64(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
	return (unsigned)(random_u64() % n);
}

/* ---- where ---------------------------------------------------------------------------------------- */

/* A name in an open directory. */
struct spot {
	int fd;
	char name[256];
	char path[8192];    /* for -v */
	unsigned char type; /* DT_* */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* The names of the directory, sorted. */
static size_t list(int fd, char ***ret)
{
	char **names = calloc(NAMES_MAX, sizeof(*names));
	DIR *d = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t n = 0;

	for (struct dirent *e = d ? readdir(d) : NULL; e && n < NAMES_MAX; e = readdir(d))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			names[n++] = strdup(e->d_name);
	if (d)
		closedir(d);
	qsort(names, n, sizeof(*names), by_name);
	*ret = names;
	return n;
}

static unsigned char type_of(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? DT_UNKNOWN : IFTODT(st.st_mode);
}

/* A directory to go down into: not one that something is mounted on (/proc of a container). */
static int open_below(int fd, const char *name)
{
	int dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (dir >= 0 && (fstat(dir, &st) < 0 || st.st_dev != top_dev)) {
		close(dir);
		return -1;
	}
	return dir;
}

/* Makes a random name of the directory the spot, of the type if three attempts find one (DT_UNKNOWN: any). */
static bool pick_name(struct spot *s, unsigned char type)
{
	char **names;
	size_t n = list(s->fd, &names);

	s->type = DT_UNKNOWN;
	for (int i = 0; i < 3 && n > 0 && (i == 0 || (s->type != type && type != DT_UNKNOWN));
	     i++) {
		snprintf(s->name, sizeof(s->name), "%s", names[below((unsigned)n)]);
		s->type = type_of(s->fd, s->name);
	}
	free_names(names, n);
	return s->type != DT_UNKNOWN && (s->type == type || type == DT_UNKNOWN);
}

static void go_down(struct spot *s, int next)
{
	size_t used = strlen(s->path);

	snprintf(s->path + used, sizeof(s->path) - used, "%s/", s->name);
	close(s->fd);
	s->fd = next;
}

/* A random directory at or below top; the spot's fd is it. */
static void pick_dir(int top, struct spot *s)
{
	*s = (struct spot){ .fd = dup(top) };
	for (int deep = 0; deep < DEEP_MAX && below(4) > 0; deep++) {
		int next = pick_name(s, DT_DIR) ? open_below(s->fd, s->name) : -1;

		if (next < 0)
			return;
		go_down(s, next);
	}
}

/* A random file that is there, of the type (DT_UNKNOWN: any). false: none was come by. */
static bool pick(int top, unsigned char type, struct spot *s)
{
	for (int i = 0; i < 12; i++) {
		pick_dir(top, s);
		if (pick_name(s, type))
			return true;
		close(s->fd);
	}
	return false;
}

/* Names that are there already come up again: what was deleted is made anew, sometimes as another type. */
static void make_name(char *name, size_t size)
{
	static unsigned serial;
	static const char *const odd[] = {
		"new\nline", "sp ace",	"\xff\xfe-bytes",    "-dash", "back\\slash",
		".hidden",   "quo\"te", "\xc3\xa9t\xc3\xa9", "%s",    "*"
	};
	unsigned kind = below(20);

	if (kind == 0) {
		snprintf(name, size, "%s", odd[below(sizeof(odd) / sizeof(*odd))]);
	} else if (kind == 1) {
		memset(name, 'l', 200);
		snprintf(name + 200, size - 200, "%u", below(5));
	} else {
		snprintf(name, size, "%c%u", "fdlxabc"[below(7)], below(40));
	}
	if (once)
		snprintf(name + strlen(name), size - strlen(name), ".%s.%u", seed, serial++);
}

static void pick_new(int top, struct spot *s)
{
	pick_dir(top, s);
	make_name(s->name, sizeof(s->name));
	s->type = type_of(s->fd, s->name);
}

/* ---- what ----------------------------------------------------------------------------------------- */

static int write_some(int fd, size_t n)
{
	static char buf[4096];

	for (size_t done = 0; done < n;) {
		size_t part = n - done < sizeof(buf) ? n - done : sizeof(buf);
		uint64_t value = random_u64();

		for (size_t i = 0; i < part; i++)
			buf[i] = (char)(value >> (i % 8 * 8)) ^ (char)(i / 8);
		if (write(fd, buf, part) != (ssize_t)part)
			return -1;
		done += part;
	}
	return 0;
}

static size_t make_size(void)
{
	unsigned kind = below(10);

	return kind == 0 ? 0 : kind < 8 ? below(300) : kind == 8 ? below(9000) : below(150000);
}

/* Opens for writing without waiting for a FIFO's reader, and nothing that is no file. */
static int open_file(const struct spot *s, int flags)
{
	return openat(s->fd, s->name, flags | O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
}

static int fill(const struct spot *s, int flags, off_t at)
{
	int fd = open_file(s, flags), r;

	if (fd < 0)
		return -1;
	r = at > 0 ? (int)lseek(fd, at, SEEK_SET) : 0;
	if (r >= 0)
		r = write_some(fd, make_size());
	close(fd);
	return r;
}

static int remove_tree(int fd, const char *name)
{
	char **names;
	size_t n;
	int dir;

	if (unlinkat(fd, name, 0) == 0)
		return 0;
	dir = open_below(fd, name);
	if (dir < 0)
		return -1;
	n = list(dir, &names);
	for (size_t i = 0; i < n; i++)
		remove_tree(dir, names[i]);
	free_names(names, n);
	close(dir);
	return unlinkat(fd, name, AT_REMOVEDIR);
}

static int make_dir_with_files(const struct spot *s)
{
	struct spot in = { .fd = -1 };
	int r = mkdirat(s->fd, s->name, 0755);

	if (r < 0 && errno != EEXIST)
		return r;
	in.fd = open_below(s->fd, s->name);
	if (in.fd < 0)
		return -1;
	for (unsigned i = below(4); i > 0; i--) {
		make_name(in.name, sizeof(in.name));
		if (below(4) == 0)
			mkdirat(in.fd, in.name, 0755);
		else
			fill(&in, O_CREAT, 0);
	}
	close(in.fd);
	return r;
}

static int make_link(const struct spot *s)
{
	static const char *const targets[] = { "f1", "../f2", "/etc/passwd",	"d3",
					       ".",  "..",    "nowhere/at/all", "new\nline" };
	unsigned kind = below(sizeof(targets) / sizeof(*targets) + 1);
	char target[1000];

	memset(target, 't', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	return symlinkat(kind < sizeof(targets) / sizeof(*targets) ? targets[kind] : target, s->fd,
			 s->name);
}

static int make_node(const struct spot *s)
{
	switch (below(4)) {
	case 0: return mknodat(s->fd, s->name, S_IFSOCK | 0600, 0);
	case 1: return mknodat(s->fd, s->name, S_IFCHR | 0600, makedev(1, 3));
	case 2: return mknodat(s->fd, s->name, S_IFBLK | 0600, makedev(7, 200));
	default: return mkfifoat(s->fd, s->name, 0622);
	}
}

/* As something else: a file where a directory was, a link where a file was. */
static int make_other(const struct spot *s)
{
	unsigned char was = s->type;

	if (remove_tree(s->fd, s->name) < 0)
		return -1;
	switch (below(4)) {
	case 0: return was == DT_DIR ? fill(s, O_CREAT | O_EXCL, 0) : make_dir_with_files(s);
	case 1: return was == DT_LNK ? make_dir_with_files(s) : make_link(s);
	case 2: return make_node(s);
	default: return was == DT_REG ? make_dir_with_files(s) : fill(s, O_CREAT | O_EXCL, 0);
	}
}

static const char *fd_path(const struct spot *s, char *buf, size_t size)
{
	snprintf(buf, size, "/proc/self/fd/%d/%s", s->fd, s->name);
	return buf;
}

/* A file capability (cap_net_raw, effective), as setcap(8) writes it: struct vfs_cap_data, revision 2. */
static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 0x20 };

static int set_xattr(const struct spot *s)
{
	/* the last ones mean something to overlay only where it wrote them itself */
	static const char *const names[] = { "user.a",
					     "user.b",
					     "trusted.c",
					     "user.long",
					     "user.overlay.opaque",
					     "trusted.overlay.redirect" };
	unsigned name = below(growing ? 4 : 6);
	char path[400], value[300] = "";
	size_t n = name > 3 ? below(16) : name == 3 ? sizeof(value) : below(40);

	if (s->type == DT_REG && below(6) == 0)
		return lsetxattr(fd_path(s, path, sizeof(path)), "security.capability", capability,
				 sizeof(capability), 0);
	for (size_t i = 0; i < n; i++)
		value[i] = (char)random_u64();
	n += for_fuse && name > 3 && n == 0;
	return lsetxattr(fd_path(s, path, sizeof(path)), names[name], value, n, 0);
}

static int remove_xattr(const struct spot *s)
{
	static const char *const names[] = { "user.a", "user.b", "trusted.c",
					     "security.capability" };
	char path[400];

	return lremovexattr(fd_path(s, path, sizeof(path)), names[below(4)]);
}

static int set_owner(const struct spot *s)
{
	static const unsigned ids[] = { 0, 1, 33, 100, 1000, 65534 };
	unsigned uid = ids[below(6)], gid = ids[below(6)];

	return fchownat(s->fd, s->name, below(4) ? uid : (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW);
}

static int set_mode(const struct spot *s)
{
	static const unsigned modes[] = {
		0600, 0640, 0644, 0700, 0755, 01777, 04755, 02755, 0444, 0
	};
	unsigned mode = modes[below(10)];

	/* one that is not root must come back into its directories */
	return fchmodat(s->fd, s->name, s->type == DT_DIR ? mode | 0700 : mode, 0);
}

static int set_times(const struct spot *s)
{
	struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT },
				  { .tv_sec = 1000000000 + below(700000000),
				    .tv_nsec = below(1000000000) } };

	return utimensat(s->fd, s->name, ts, AT_SYMLINK_NOFOLLOW);
}

static int set_size(const struct spot *s)
{
	int fd = open_file(s, 0), r;

	if (fd < 0)
		return -1;
	r = ftruncate(fd, below(3) ? below(400) : below(1000000));
	close(fd);
	return r;
}

/* ---- one change ------------------------------------------------------------------------------------ */

enum op {
	CREATE,
	OVERWRITE,
	APPEND,
	WRITE_INSIDE,
	TRUNCATE,
	CHMOD,
	CHOWN,
	TIMES,
	RENAME,
	RENAME_DIR,
	EXCHANGE,
	DELETE,
	REMOVE_TREE,
	REPLACE_DIR,
	CHANGE_TYPE,
	MAKE_DIR,
	SYMLINK,
	HARDLINK,
	NODE,
	SETXATTR,
	REMOVEXATTR,
	N_OPS
};
static struct {
	const char *name;
	unsigned weight, weight_c; /* weight_c: with -c */
} ops[N_OPS] = {
	[CREATE] = { "create", 16, 50 },
	[OVERWRITE] = { "overwrite", 6, 0 },
	[APPEND] = { "append", 6, 0 },
	[WRITE_INSIDE] = { "write-inside", 3, 2 },
	[TRUNCATE] = { "truncate", 3, 2 },
	[CHMOD] = { "chmod", 6, 4 },
	[CHOWN] = { "chown", 5, 4 },
	[TIMES] = { "times", 3, 2 },
	[RENAME] = { "rename", 8, 0 },
	[RENAME_DIR] = { "rename-dir", 6, 0 },
	[EXCHANGE] = { "exchange", 2, 0 },
	[DELETE] = { "delete", 10, 0 },
	[REMOVE_TREE] = { "remove-tree", 2, 0 },
	[REPLACE_DIR] = { "replace-dir", 3, 0 },
	[CHANGE_TYPE] = { "change-type", 3, 0 },
	[MAKE_DIR] = { "mkdir", 8, 20 },
	[SYMLINK] = { "symlink", 4, 6 },
	[HARDLINK] = { "hardlink", 4, 4 },
	[NODE] = { "node", 2, 2 },
	[SETXATTR] = { "setxattr", 5, 5 },
	[REMOVEXATTR] = { "removexattr", 2, 0 },
};

static enum op pick_op(void)
{
	unsigned sum = 0, at;

	for (int i = 0; i < N_OPS; i++)
		sum += growing ? ops[i].weight_c : ops[i].weight;
	at = below(sum);
	for (int i = 0; i < N_OPS; i++) {
		unsigned weight = growing ? ops[i].weight_c : ops[i].weight;

		if (at < weight)
			return (enum op)i;
		at -= weight;
	}
	return CREATE;
}

static void print_path(const struct spot *s)
{
	char both[sizeof(s->path) + sizeof(s->name)];

	snprintf(both, sizeof(both), "%s%s", s->path, s->name);
	for (const unsigned char *p = (const unsigned char *)both; *p; p++)
		printf(*p < ' ' || *p > '~' || *p == '\\' ? "\\%03o" : "%c", *p);
}

static void tell(enum op op, const struct spot *s, const struct spot *to, int r)
{
	int error = errno;

	if (!verbose)
		return;
	printf("%s ", ops[op].name);
	print_path(s);
	if (to) {
		printf(" -> ");
		print_path(to);
	}
	printf(r < 0 ? ": %s\n" : "\n", strerror(error));
}

/* Changes that have two names. */
static void change_two(int top, enum op op)
{
	struct spot s, to;
	int r;

	if (!pick(top, op == RENAME_DIR ? DT_DIR : op == HARDLINK ? DT_REG : DT_UNKNOWN, &s))
		return;
	if (op == EXCHANGE ? !pick(top, DT_UNKNOWN, &to) : (pick_new(top, &to), false)) {
		close(s.fd);
		return;
	}
	if (op == HARDLINK)
		r = linkat(s.fd, s.name, to.fd, to.name, 0);
	else
		r = (int)syscall(SYS_renameat2, s.fd, s.name, to.fd, to.name,
				 op == EXCHANGE ? RENAME_EXCHANGE : 0);
	tell(op, &s, &to, r);
	close(s.fd);
	close(to.fd);
}

static int change_file(enum op op, const struct spot *s)
{
	switch (op) {
	case OVERWRITE: return fill(s, O_TRUNC, 0);
	case APPEND: return fill(s, O_APPEND, 0);
	case WRITE_INSIDE: return fill(s, 0, below(1000));
	default: return set_size(s);
	}
}

/* Changes of what is there already. */
static int change_any(enum op op, const struct spot *s)
{
	switch (op) {
	case CHMOD: return s->type == DT_LNK ? 0 : set_mode(s);
	case CHOWN: return set_owner(s);
	case TIMES: return set_times(s);
	case SETXATTR: return set_xattr(s);
	case REMOVEXATTR: return remove_xattr(s);
	case DELETE: return unlinkat(s->fd, s->name, s->type == DT_DIR ? AT_REMOVEDIR : 0);
	case REMOVE_TREE: return remove_tree(s->fd, s->name);
	case REPLACE_DIR: return remove_tree(s->fd, s->name) < 0 ? -1 : make_dir_with_files(s);
	default: return make_other(s);
	}
}

static int make_new(enum op op, const struct spot *s)
{
	switch (op) {
	case CREATE: return fill(s, O_CREAT | O_EXCL, 0);
	case MAKE_DIR: return make_dir_with_files(s);
	case SYMLINK: return make_link(s);
	default: return make_node(s);
	}
}

static void change(int top, enum op op)
{
	struct spot s;
	bool there = true;
	int r;

	switch (op) {
	case RENAME ... EXCHANGE:
	case HARDLINK: change_two(top, op); return;
	case CREATE:
	case MAKE_DIR:
	case SYMLINK:
	case NODE:
		pick_new(top, &s);
		r = make_new(op, &s);
		break;
	case OVERWRITE ... TRUNCATE:
		there = pick(top, DT_REG, &s);
		r = there ? change_file(op, &s) : 0;
		break;
	default:
		there = pick(top, op == REMOVE_TREE || op == REPLACE_DIR ? DT_DIR : DT_UNKNOWN, &s);
		r = there ? change_any(op, &s) : 0;
		break;
	}
	if (there) {
		tell(op, &s, NULL, r);
		close(s.fd);
	}
}

int main(int argc, char **argv)
{
	struct stat st;
	int c, top;

	while ((c = getopt(argc, argv, "+clov")) != -1) {
		growing |= c == 'c';
		verbose |= c == 'v';
		once |= c == 'o';
		if ((for_fuse |= c == 'l'))
			ops[HARDLINK].weight = ops[HARDLINK].weight_c = 0;
	}
	argv += optind, argc -= optind;
	if (argc < 2 || argc > 3)
		errx(2, "usage: churn-tree [-clov] SEED OPS [DIR]");
	if (once)
		ops[EXCHANGE].weight = ops[REPLACE_DIR].weight = ops[CHANGE_TYPE].weight =
			ops[SYMLINK].weight = ops[SYMLINK].weight_c = 0;
	umask(022);
	random_state = strtoull(seed = argv[0], NULL, 10);
	top = open(argc == 3 ? argv[2] : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0 || fstat(top, &st) < 0)
		err(1, "the top directory");
	top_dev = st.st_dev;
	for (unsigned long n = strtoul(argv[1], NULL, 10); n > 0; n--)
		change(top, pick_op());
	return 0;
}
