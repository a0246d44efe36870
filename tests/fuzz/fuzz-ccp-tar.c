/*
 * What an archive makes of the directory that it is copied to. The first byte says how (enum how), then comes a tar whose
 * headers get the right sums, or a line for each entry: its type (as tar(5) has it), its name, and behind a tab where a link
 * leads. The scratch directory holds the container's root (one layer, or two with the upper one empty), in which are links that
 * lead out of it, and `outside` beside it, where nothing may ever change.
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/rootfs/copy-end.h"

#include <archive.h>
#include <archive_entry.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum how {
	HOW_LINES = 1 << 0,  /* else a tar */
	HOW_LAYERS = 1 << 1, /* a stopped container's two */
	HOW_KEEP = 1 << 2,   /* the archive's owners */
	HOW_DEEP = 1 << 3,   /* into /dst/dir, not /dst */
};

#define FILE_MAX (16 << 20) /* a few bytes of zstd are gigabytes */

struct scene {
	char base[64];
	int fd; /* its */
	int outside, secret;
	struct stat was; /* of secret */
};
static struct scene untar_scene = { .fd = -EBADF };

#define LINES_MAX 2500 /* deeper only takes longer */

#define CHECK(what)                       \
	do {                              \
		if (!(what))              \
			__builtin_trap(); \
	} while (0)

/* ---- the scratch directory ---- */

/* Names of dir, at the top of which what is in its directories is moved: no depth of them takes more than two descriptors. */
static void untar_remove(int dirfd, const char *name, unsigned *number)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool again = fd >= 0;

	while (again) {
		_cleanup_io_dir_ struct io_dir *d = NULL;

		again = false;
		CHECK(io_opendir(fd, ".", &d) == 0);
		for_each_entry (top, d) {
			_cleanup_io_dir_ struct io_dir *below = NULL;

			again = true;
			if (unlinkat(fd, top->d_name, 0) == 0 ||
			    unlinkat(fd, top->d_name, AT_REMOVEDIR) == 0)
				continue;
			CHECK(io_opendir(fd, top->d_name, &below) == 0);
			for_each_entry (de, below) {
				char moved[32];

				snprintf(moved, sizeof(moved), "moved-%u", (*number)++);
				if (unlinkat(io_dirfd(below), de->d_name, 0) < 0)
					CHECK(renameat(io_dirfd(below), de->d_name, fd, moved) ==
					      0);
			}
		}
	}
	util_close(fd);
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

static void untar_end(void)
{
	unsigned number = 0;

	untar_remove(AT_FDCWD, untar_scene.base, &number);
}

static int untar_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && io_write_all(fd, text, strlen(text)) == 0);
	return fd;
}

static void untar_make_scene(struct scene *s)
{
	const struct rlimit files = { FILE_MAX, FILE_MAX };

	snprintf(s->base, sizeof(s->base), "%s/fuzz-ccp-tar.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(s->base));
	s->fd = open(s->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(s->fd >= 0 && mkdirat(s->fd, "outside", 0755) == 0);
	s->outside = openat(s->fd, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(s->outside >= 0 && mkdirat(s->outside, "dir", 0755) == 0);
	s->secret = untar_file(s->outside, "file", "secret");
	CHECK(fstat(s->secret, &s->was) == 0);
	atexit(untar_end);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &files);
}

/* The container's files: they are in its only layer, or in the lower one. Its /etc/file, opened. */
static int untar_make_root(const struct scene *s)
{
	static const char *const dirs[] = { "root",	"upper",    "root/etc",
					    "root/dst", "root/srv", "root/dst/dir" };
	static const char *const links[][2] = {
		{ "../../outside", "root/dst/out" }, { "/dst/dir", "root/dst/in" },
		{ "../srv", "root/dst/up" },	     { "/outside/file", "root/dst/abs" },
		{ "loop", "root/dst/loop" },
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		CHECK(mkdirat(s->fd, dirs[i], 0755) == 0);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		CHECK(symlinkat(links[i][0], s->fd, links[i][1]) == 0);
	close(untar_file(s->fd, "root/dst/file", "there"));
	return untar_file(s->fd, "root/etc/file", "there");
}

/* ---- the archive ---- */

static void untar_entry(struct archive *a, struct archive_entry *e, char *line)
{
	char *target = strchr(line + 1, '\t');

	if (target)
		*target++ = '\0';
	archive_entry_clear(e);
	archive_entry_set_pathname(e, line + 1);
	archive_entry_set_perm(e, *line == '7' ? 06755 : 0644);
	archive_entry_set_uid(e, *line == '7' ? 1000 : 0);
	archive_entry_set_mtime(e, 1700000000, 5);
	archive_entry_set_size(e, 0);
	switch (*line) {
	case '1': archive_entry_set_hardlink(e, target ? target : ""); break;
	case '2':
		archive_entry_set_filetype(e, AE_IFLNK);
		archive_entry_set_symlink(e, target ? target : "");
		break;
	case '3': archive_entry_set_filetype(e, AE_IFCHR); break;
	case '4': archive_entry_set_filetype(e, AE_IFBLK); break;
	case '5': archive_entry_set_filetype(e, AE_IFDIR); break;
	case '6': archive_entry_set_filetype(e, AE_IFIFO); break;
	default:
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_size(e, (la_int64_t)strlen(line));
		if (target)
			archive_entry_xattr_add_entry(e, target, "value", 5);
	}
	if (archive_write_header(a, e) >= ARCHIVE_WARN && archive_entry_size(e) > 0)
		archive_write_data(a, line, strlen(line));
}

static void untar_write_lines(int fd, char *text)
{
	struct archive *a = archive_write_new();
	struct archive_entry *e = archive_entry_new();
	char *save = NULL;

	CHECK(a && e && archive_write_set_format_gnutar(a) == ARCHIVE_OK);
	/* attributes are pax' */
	if (strchr(text, '\t'))
		archive_write_set_format_pax_restricted(a);
	archive_write_open_fd(a, fd);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (line[1])
			untar_entry(a, e, line);
	archive_entry_free(e);
	archive_write_free(a);
}

static void untar_write_tar(int fd, unsigned char *tar, size_t size)
{
	for (size_t at = 0; at + 512 <= size; at += 512) {
		char text[8];
		unsigned sum = 0;

		/* what looks like a header */
		if (memcmp(tar + at + 257, "ustar", 5) != 0)
			continue;
		memset(tar + at + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += tar[at + i];
		snprintf(text, sizeof(text), "%06o", sum & 0777777);
		memcpy(tar + at + 148, text, 7);
	}
	CHECK(io_write_all(fd, tar, size) == 0);
}

static int untar_archive(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size);
	int fd = memfd_create("archive", MFD_CLOEXEC);

	CHECK(fd >= 0 && text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] & HOW_LINES)
		untar_write_lines(fd, text);
	else
		untar_write_tar(fd, (unsigned char *)text, size - 1);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* ---- what has become of it ---- */

static size_t untar_names(int dirfd, const char *name)
{
	_cleanup_io_dir_ struct io_dir *d = NULL;
	size_t n = 0;

	CHECK(io_opendir(dirfd, name, &d) == 0);
	for_each_entry (de, d)
		n++;
	return n;
}

/* Neither on the host nor in the container, but where its own links lead. */
static void untar_check_outside(const struct scene *s, int etc_file)
{
	struct stat st;

	CHECK(fstat(s->secret, &st) == 0 && st.st_nlink == 1 && st.st_size == 6 &&
	      st.st_mode == s->was.st_mode && st.st_ctim.tv_nsec == s->was.st_ctim.tv_nsec &&
	      st.st_ctim.tv_sec == s->was.st_ctim.tv_sec);
	/* no other name: it is not below the destination */
	CHECK(fstat(etc_file, &st) == 0 && st.st_nlink <= 1 && st.st_size == 5);
	CHECK(untar_names(s->fd, ".") == 3 && untar_names(s->fd, "outside") == 2 &&
	      untar_names(s->fd, "outside/dir") == 0);
	CHECK(untar_names(s->fd, "root") == 3 && untar_names(s->fd, "root/etc") == 1 &&
	      faccessat(s->fd, "upper/etc", F_OK, AT_SYMLINK_NOFOLLOW) < 0);
}

/* Down to where it matters: nothing half written, no devices. */
static void untar_check_tree(int dirfd, const char *name, unsigned level)
{
	_cleanup_io_dir_ struct io_dir *d = NULL;

	CHECK(io_opendir(dirfd, name, &d) == 0);
	for_each_entry (de, d) {
		struct stat st;

		CHECK(fstatat(io_dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0);
		CHECK(!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode));
		CHECK(strncmp(de->d_name, ".ccp-", 5) != 0 || strlen(de->d_name) != 21);
		if (S_ISDIR(st.st_mode) && level < 100)
			untar_check_tree(io_dirfd(d), de->d_name, level + 1);
	}
}

static void untar_add_layer(struct view *v, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0 && view_add(v, fd) == 0);
}

static void untar_run(const struct scene *s, unsigned how, int archive)
{
	const struct insp_copy_opts opts = { .owner = how & HOW_KEEP ? INSP_COPY_KEEP
								     : INSP_COPY_TARGET };
	struct insp_copy_result result = { 0 };
	_cleanup_copy_ struct copy c = { .opts = &opts,
					 .result = &result,
					 .keep_ids = how & HOW_KEEP };
	_cleanup_copy_end_ struct copy_end end = { 0 };
	struct insp_diags diags = { 0 };
	struct insp_err err = { 0 };

	if (how & HOW_LAYERS) {
		untar_add_layer(&end.own, s->fd, "upper");
		end.own.marks = VIEW_DEVICE | VIEW_USER;
		c.to_marks = end.own.marks;
	}
	untar_add_layer(&end.own, s->fd, "root");
	c.owner_uid = geteuid();
	c.owner_gid = getegid();
	end.label = strdup("c:/dst");
	CHECK(volumes_resolve(&end.own, &end.volumes, how & HOW_DEEP ? "/dst/dir" : "/dst",
			      PATH_FOLLOW, &end.at) == 0);
	end.view = end.at.dir.view;
	if (copy_untar(&c, archive, &end, &diags, &err) < 0)
		CHECK(err.code < 0 || !err.code);
	CHECK(result.failed >= diags.n);
	insp_diags_clear(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene *s = &untar_scene;
	unsigned number = 0;
	int etc_file, archive;

	if (size < 2 || (size > LINES_MAX && (data[0] & HOW_LINES)))
		return 0;
	if (s->fd < 0)
		untar_make_scene(s);
	etc_file = untar_make_root(s);
	archive = untar_archive(data, size);
	untar_run(s, data[0], archive);
	CHECK(close(archive) == 0);
	untar_check_outside(s, etc_file);
	close(etc_file);
	if (data[0] & HOW_LAYERS)
		untar_check_tree(s->fd, "upper", 0);
	else
		untar_check_tree(s->fd, "root", 0);
	untar_remove(s->fd, "root", &number);
	untar_remove(s->fd, "upper", &number);
	return 0;
}
