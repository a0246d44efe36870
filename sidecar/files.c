/* Small files: reading and writing them; the shells' start files, with the prompt. */
#include "sidecar/internal.h"

#include <fcntl.h>
#include <sys/stat.h>

ssize_t files_read_fd(int fd, void *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, (char *)buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

ssize_t files_read(int dirfd, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : files_read_fd(fd, buf, size - 1);

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

int files_write(int dirfd, const char *name, const char *data, size_t len)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	/* the caller's umask may be 077, and the command another user */
	if (fchmod(fd, 0644) < 0)
		return -errno;
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/*
 * What goes into a prompt was chosen by the container: bytes that a shell expands or a terminal obeys must not be
 * among it.
 */
char *files_prompt_word(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *word = strndup(s, len);

	for (size_t i = 0; word && i < len; i++) {
		char c = word[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    !strchr("_.-/:", c))
			word[i] = '?';
	}
	return word;
}

struct rc {
	const char *file, *format;
};

/*
 * %1$s: the container's name; %2$s: the host's name at the start (\h would ask the container again and again); %3$s: the
 * host's own start file, which in the target view would be the container's, as the mail is that bash looks for
 */
static const struct rc rc_files[] = {
	{ ".bashrc", "%3$sPROMPT_COMMAND=\n"
		     "PS1='[%1$s] \\u@%2$s:\\w\\$ '\n" },
	{ ".zshrc", "PROMPT='[%1$s] %%n@%2$s:%%~%%# '\n" },
	{ ".shrc", "PS1='[%1$s] %2$s:$PWD # '\n" },
};

int files_write_rc(const struct sidecar_plan *plan, int homefd, struct insp_err *err)
{
	_cleanup_free_ char *host_word = NULL;
	const char *start = plan->opts->in_target ? "unset MAILCHECK\n"
						  : "[ -r /etc/bashrc ] && . /etc/bashrc\n";
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	host_word = files_prompt_word(host, sizeof(host));
	if (!host_word)
		return insp_err_set(err, -ENOMEM, "write the prompt");
	for (size_t i = 0; i < ARRAY_SIZE(rc_files); i++) {
		char text[1024];
		int r;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), rc_files[i].format, plan->name, host_word, start);
#pragma GCC diagnostic pop
		r = files_write(homefd, rc_files[i].file, text, strlen(text));
		if (r < 0)
			return insp_err_set(err, r, "write '%s'", rc_files[i].file);
	}
	return 0;
}
