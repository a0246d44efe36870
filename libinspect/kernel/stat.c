/* /proc/PID/stat. proc_pid_stat(5). */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/span.h"

/*
 * Raw bytes, newlines and parentheses too: stat is written without the escapes that status has
 * (fs/proc/array.c, proc_task_name() with escape false, since Linux 4.18).
 */
static void copy_comm(struct pid_stat *st, const char *p, const char *end)
{
	size_t n = MIN_OF((size_t)(end - p), sizeof(st->comm) - 1);

	memcpy(st->comm, p, n);
	st->comm[n] = '\0';
}

/* Fields 4 to 24, which follow the state. */
static bool parse_numbers(struct span *s, struct pid_stat *st)
{
	return span_int(s, &st->ppid) && span_skip_words(s, 4) && span_u32(s, &st->flags) &&
	       span_skip_words(s, 4) && span_u64(s, &st->utime) && span_u64(s, &st->stime) &&
	       span_skip_words(s, 4) && span_u32(s, &st->threads) && span_skip_words(s, 1) &&
	       span_u64(s, &st->start) && span_skip_words(s, 1) && span_u64(s, &st->rss_pages);
}

int pid_parse_stat(const char *buf, size_t len, struct pid_stat *ret)
{
	struct pid_stat st = { 0 };
	struct span s = span_of(buf, len);
	const char *open, *close;

	if (!span_int(&s, &st.pid) || !span_after(&s, " ("))
		return -EBADMSG;
	open = s.p;
	/* comm may hold ") R 1": what follows it holds no parenthesis, so the last one ends it */
	close = memrchr(open, ')', span_len(&s));
	if (!close || s.end - close < 4 || close[1] != ' ' || close[3] != ' ')
		return -EBADMSG;
	copy_comm(&st, open, close);
	st.state = close[2];
	s.p = close + 3;
	if (!parse_numbers(&s, &st))
		return -EBADMSG;
	*ret = st;
	return 0;
}

/* The kernel gives the whole file to the first read that has room for it (single_open()): no second one for the end. */
static int read_stat(int dirfd, const char *path, struct pid_stat *ret)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char buf[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf));
	return n < 0 ? -errno : pid_parse_stat(buf, (size_t)n, ret);
}

int pid_read_stat_at(int dirfd, struct pid_stat *ret)
{
	return read_stat(dirfd, "stat", ret);
}

int pid_read_stat(int procfd, pid_t pid, struct pid_stat *ret)
{
	char path[32];

	snprintf(path, sizeof(path), "%d/stat", pid);
	return read_stat(procfd, path, ret);
}
