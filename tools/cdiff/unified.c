/*
 * -u: content as a unified diff.
 *
 * The host's own diff(1) makes it: one program at two places that only root can have put it. It gets copies of both
 * sides in memory, taken before it starts, so a file that changes meanwhile is none of its business; where we are root it
 * is nobody, and it has bounds for its time and memory, for the two texts are the container's choice.
 */
#include "tools/cdiff/cdiff.h"
#include "tools/cdiff/hostdiff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* execve(2) takes no argument above 128 KiB; a byte may be escaped as four */
#define PATH_LABEL_MAX ((size_t)16 * 1024)

static char *name_of(const char *side, const struct insp_change *change)
{
	_cleanup_free_ char *safe = insp_escape_str(change->path);
	char *name = NULL;

	return safe && asprintf(&name, "%s%s", side, safe) >= 0 ? name : NULL;
}

/* A line of its own for what has no text. */
static int put_line(struct cdiff *cdiff, const struct insp_change *change, const char *what)
{
	_cleanup_free_ char *safe = insp_escape_str(change->path);

	if (!safe)
		return -ENOMEM;
	printf("%s %s: %s\n",
	       change->kind == INSP_CHANGE_ADDED     ? "Added"
	       : change->kind == INSP_CHANGE_DELETED ? "Deleted"
						     : "Changed",
	       safe, what);
	return ferror(stdout) ? -EIO : 0;
}

static const char *type_of(const struct insp_file *file)
{
	switch (file->mode & S_IFMT) {
	case S_IFDIR: return "directory";
	case S_IFLNK: return "link";
	case S_IFREG: return "file";
	case S_IFCHR:
	case S_IFBLK: return "device";
	case S_IFIFO: return "FIFO";
	default: return "socket";
	}
}

/* "mode, owner" */
static void join_what(unsigned what, char *buf, size_t size)
{
	buf[0] = '\0';
	for (unsigned bit = 1; bit <= what; bit <<= 1) {
		size_t used = strlen(buf);

		if (what & bit)
			snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
				 insp_change_what_name(bit));
	}
}

/* Where a link leads is its text. */
static int put_links(struct cdiff *cdiff, const struct insp_change *change)
{
	char *targets[2] = { NULL, NULL };
	_cleanup_free_ char *text = NULL;
	int r = 0;

	for (int side = 0; side < 2 && r == 0; side++)
		if (change->file[side] && S_ISLNK(change->file[side]->mode)) {
			_cleanup_free_ char *raw = NULL;

			r = insp_change_readlink(change, side, &raw);
			targets[side] = r == 0 ? insp_escape_str(raw) : NULL;
		}
	if (r == 0)
		r = asprintf(&text, "link%s%s%s%s", targets[0] ? " from " : "",
			     targets[0] ? targets[0] : "", targets[1] ? " to " : "",
			     targets[1] ? targets[1] : "") < 0
			    ? -ENOMEM
			    : put_line(cdiff, change, text);
	free(targets[0]);
	free(targets[1]);
	return r;
}

/* The same file but for what its inode says. */
static int put_metadata(struct cdiff *cdiff, const struct insp_change *change)
{
	char text[128];

	if (!change->what) /* a directory that is changed only below */
		return 0;
	join_what(change->what, text, sizeof(text));
	return put_line(cdiff, change, text);
}

/* Between -ENOENT (no such file on this side) and an fd. */
static int open_text(const struct insp_change *change, enum insp_side side, int *ret_fd)
{
	const struct insp_file *file = change->file[side];

	if (!file || !S_ISREG(file->mode))
		return 0;
	return insp_change_open(change, side, ret_fd);
}

static int put_text(struct cdiff *cdiff, const struct insp_change *change)
{
	struct hostdiff_side sides[2] = { { .fd = -1 }, { .fd = -1 } };
	int r = 0;

	if (strlen(change->path) > PATH_LABEL_MAX)
		return put_line(cdiff, change, "its path is too long to be compared line by line");

	for (int side = 0; side < 2 && r == 0; side++) {
		r = open_text(change, side, &sides[side].fd);
		sides[side].name = sides[side].fd >= 0
					   ? name_of(side == INSP_BEFORE ? "a" : "b", change)
					   : strdup("/dev/null");
		if (!sides[side].name)
			r = -ENOMEM;
	}
	if (r == 0)
		r = hostdiff(sides, cdiff->tty);
	for (int side = 0; side < 2; side++) {
		if (sides[side].fd >= 0)
			close(sides[side].fd);
		free(sides[side].name);
	}
	if (r == -EFBIG)
		return put_line(cdiff, change, "too large to be compared line by line");
	if (r == -ETIME)
		return put_line(cdiff, change,
				"takes too much time or memory to be compared line by line");
	return r;
}

static bool is_type(const struct insp_change *change, mode_t type)
{
	for (int side = 0; side < 2; side++)
		if (change->file[side] && (change->file[side]->mode & S_IFMT) == type)
			return true;
	return false;
}

static int put_type(struct cdiff *cdiff, const struct insp_change *change)
{
	char text[128];

	if (change->kind == INSP_CHANGE_CHANGED)
		snprintf(text, sizeof(text), "%s is now a %s", type_of(change->file[INSP_BEFORE]),
			 type_of(change->file[INSP_AFTER]));
	else
		snprintf(text, sizeof(text), "%s",
			 type_of(change->file[change->kind == INSP_CHANGE_ADDED ? INSP_AFTER
										: INSP_BEFORE]));
	return put_line(cdiff, change, text);
}

/* diff(1) says nothing of two empty texts. */
static bool is_empty(const struct insp_change *change)
{
	return is_type(change, S_IFREG) && cdiff_size(change->file[INSP_BEFORE]) == 0 &&
	       cdiff_size(change->file[INSP_AFTER]) == 0;
}

static int put(struct cdiff *cdiff, const struct insp_change *change)
{
	unsigned what = change->what;
	int r = 0;

	if (change->kind != INSP_CHANGE_CHANGED && is_empty(change))
		return put_line(cdiff, change, "empty file");

	if (change->kind == INSP_CHANGE_CHANGED && (what & INSP_CHANGED_TYPE))
		r = put_type(cdiff, change);
	else if (change->kind != INSP_CHANGE_CHANGED && !is_type(change, S_IFREG) &&
		 !is_type(change, S_IFLNK))
		return put_type(cdiff, change);
	else if (change->kind == INSP_CHANGE_CHANGED && !(what & INSP_CHANGED_CONTENT))
		return put_metadata(cdiff, change);
	if (r == 0 && is_type(change, S_IFLNK))
		r = put_links(cdiff, change);
	return r == 0 && is_type(change, S_IFREG) ? put_text(cdiff, change) : r;
}

/* What cannot be read is said; the rest goes on. */
static int each(struct cdiff *cdiff, const struct insp_change *change)
{
	int r = put(cdiff, change);

	if (r == -ENOMEM || r == -ENOEXEC || r == -EPIPE || ferror(stdout))
		return r < 0 ? r : -EIO;
	if (r < 0 && r != -ENOENT && r != -ESTALE)
		cdiff_say(cdiff, change, r, "read");
	return 0;
}

const struct cdiff_way way_unified = { .each = each, .flags = INSP_DIFF_DETAIL };
