/*
 * How the target resolves names: its etc/resolv.conf and etc/hosts, over the host's in the sidecar.
 *
 * They are the container's files: they may be links, FIFOs, endless, or on a file system that a container's process
 * serves and never answers (FUSE). So a process of its own reads them, while the mounts are made; who is late is
 * killed, and the files are gone without.
 *
 * In the target's own view those two are where they belong. There it is etc/passwd and etc/group of which programs get a version of
 * ours.
 */
#include "sidecar/internal.h"
#include "sidecar/view.h"
#include "libinspect/sysc.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define DEADLINE_MS 1000

static const char *const conf_files[] = { "etc/resolv.conf", "etc/hosts" };
static const char *const user_files[] = { "etc/passwd", "etc/group" };
#define CONF_N 2

/* Before each file's bytes. len: negative errno when it could not be read. */
struct conf_head {
	int len;
};

static int read_conf(int tree, const char *path, char *buf)
{
	_cleanup_close_ int fd = insp_open_regular_in_root(tree, path);
	ssize_t n = fd < 0 ? fd : files_read_fd(fd, buf, NAMECONF_MAX + 1);

	return n > NAMECONF_MAX ? -EFBIG : (int)n;
}

static void write_bytes(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			_exit(1);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

_Noreturn static void reader_main(const char *const *files, int tree, int out)
{
	char *buf = malloc(NAMECONF_MAX + 1);
	int keep[] = { tree, out };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* who is left behind must not hold what anybody waits for, such as the end of our standard output */
	proc_close_others(keep, 2);
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(out, fd);
	for (int i = 0; buf && i < CONF_N; i++) {
		struct conf_head head = { read_conf(tree, files[i], buf) };

		write_bytes(out, &head, sizeof(head));
		if (head.len > 0)
			write_bytes(out, buf, (size_t)head.len);
	}
	_exit(0);
}

int nameconf_start(const struct sidecar_plan *plan, int tree, struct nameconf *ret)
{
	int fds[2];

	*ret = (struct nameconf){ .fd = -1,
				  .files = plan->opts->in_target ? user_files : conf_files };
	if (!plan->opts->in_target && !(plan->join & (1U << INSP_NS_NET)))
		return 0;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	ret->reader = fork();
	if (ret->reader == 0) {
		fcntl(fds[1], F_SETFL, 0);
		reader_main(ret->files, tree, fds[1]);
	}
	close(fds[1]);
	ret->fd = fds[0];
	return ret->reader < 0 ? -errno : 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Exactly len bytes before the deadline. */
static int read_in_time(int fd, void *buf, size_t len, int64_t deadline)
{
	char *p = buf;

	while (len > 0) {
		struct pollfd pfd = { fd, POLLIN, 0 };
		int64_t left = deadline - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
			return -ETIMEDOUT;
		n = read(fd, p, len);
		if (n == 0)
			return -EIO;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int receive(const struct nameconf *n, char *buf, int64_t deadline)
{
	struct conf_head head;
	int r = read_in_time(n->fd, &head, sizeof(head), deadline);

	if (r < 0)
		return r;
	if (head.len < 0)
		return head.len;
	if (head.len > NAMECONF_MAX)
		return -EFBIG;
	r = read_in_time(n->fd, buf, (size_t)head.len, deadline);
	return r < 0 ? r : head.len;
}

static void warn_conf(int messages, int r, const char *file)
{
	struct insp_err err = { 0 };

	if (r == -EBADF)
		insp_err_say(&err, r, "the container's '/%s' is no regular file", file);
	else
		insp_err_set(&err, r, "use the container's '/%s'", file);
	insp_err_hint(&err, strcmp(file, conf_files[0]) == 0 || strcmp(file, conf_files[1]) == 0
				    ? "the host's is used instead"
				    : "its users and groups have numbers only");
	message_warn(messages, &err);
}

static int write_conf(const struct nameconf *n, int i, const char *text, size_t len, int dirfd)
{
	_cleanup_free_ char *users = NULL;
	const char *name = strrchr(n->files[i], '/') + 1;

	if (n->files == conf_files)
		return files_write(dirfd, name, text, len);
	users = view_users(text, len, i == 0, &len);
	return users ? files_write(dirfd, name, users, len) : -ENOMEM;
}

void nameconf_finish(struct nameconf *n, int dirfd, int messages)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	_cleanup_free_ char *buf = NULL;
	int r = 0;

	if (n->fd < 0)
		return;
	buf = malloc(NAMECONF_MAX);
	for (int i = 0; buf && i < CONF_N && r != -ETIMEDOUT; i++) {
		r = receive(n, buf, deadline);
		if (r >= 0)
			r = write_conf(n, i, buf, (size_t)r, dirfd);
		else if (n->files == user_files)
			write_conf(n, i, "", 0, dirfd);
		/* an image from scratch has neither, and resolves nothing: nor is there anything to say */
		if (r < 0 && r != -ENOENT)
			warn_conf(messages, r, n->files[i]);
	}
	if (n->files == conf_files)
		files_write(dirfd, "empty", "", 0);
	kill(n->reader, SIGKILL);
	waitpid(n->reader, NULL, r == -ETIMEDOUT ? WNOHANG : 0);
	close(n->fd);
	n->fd = -1;
}

/* Over what path leads to: resolv.conf is a link on many hosts. */
static int mount_over(const char *from, const char *path)
{
	_cleanup_close_ int fd =
		sysc_open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return -errno;
	return sysc_move_mount_to(fd, AT_FDCWD, path, MOVE_MOUNT_T_SYMLINKS) < 0 ? -errno : 0;
}

void nameconf_mount(int messages)
{
	/* through these the host's own resolver would answer, whatever resolv.conf says */
	static const char *const resolvers[] = { "/run/systemd/resolve/io.systemd.Resolve",
						 "/run/nscd/socket", "/var/run/nscd/socket" };

	for (int i = 0; i < CONF_N; i++) {
		char from[64], to[64];
		int r;

		snprintf(from, sizeof(from), "/" SIDECAR_DIR "%s", strrchr(conf_files[i], '/'));
		snprintf(to, sizeof(to), "/%s", conf_files[i]);
		if (access(from, F_OK) < 0)
			continue;
		r = mount_over(from, to);
		if (r < 0)
			warn_conf(messages, r, conf_files[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(resolvers); i++)
		mount_over("/" SIDECAR_DIR "/empty", resolvers[i]);
}
