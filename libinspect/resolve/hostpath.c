#include "libinspect/resolve/hostpath.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define LINKS_MAX 20

void hostpaths_clear(struct hostpaths *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->known[i].from);
		free(p->known[i].to);
	}
	free(p->known);
	p->known = NULL;
	p->n = 0;
}

/* Puts component (len bytes) behind path; ".." takes the last one away. */
static void push(char *path, const char *component, size_t len)
{
	size_t n = strlen(path);

	if (len == 0 || (len == 1 && component[0] == '.'))
		return;
	if (len == 2 && memcmp(component, "..", 2) == 0) {
		while (n > 0 && path[--n] != '/')
			;
		path[n] = '\0';
		return;
	}
	path[n] = '/';
	memcpy(path + n + 1, component, len);
	path[n + 1 + len] = '\0';
}

/* path: empty, or tidy without a slash alone. more: anything. In place: never longer than both and a slash. */
static void push_all(char *path, const char *more)
{
	while (*more) {
		size_t len = strcspn(more, "/");

		push(path, more, len);
		more += len + (more[len] == '/');
	}
}

char *hostpath_tidy(const char *path)
{
	char *tidy = calloc(1, strlen(path) + 2);

	if (!tidy)
		return NULL;
	push_all(tidy, path);
	if (!*tidy)
		tidy[0] = '/';
	return tidy;
}

static size_t depth_of(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* Whose link is believed: the administrator's; on a host that is only looked at, also the looking user's. */
static bool is_trusted(const struct insp_sys *sys, const struct stat *st)
{
	return st->st_uid == 0 || (!sys->live && st->st_uid == geteuid());
}

/* Where the link path leads, when it is one that is followed; NULL: it is none. */
static char *follow(const struct insp_sys *sys, const char *path)
{
	_cleanup_free_ char *target = NULL, *whole = NULL;
	const char *name = strrchr(path, '/') + 1;
	_cleanup_free_ char *parent = strndup(path, (size_t)(name - path));
	_cleanup_close_ int dirfd = -EBADF;
	struct stat st;

	if (!parent)
		return NULL;
	/* the components before are known to be no links */
	dirfd = sys_open(sys, parent, O_PATH | O_DIRECTORY);
	if (dirfd < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISLNK(st.st_mode) || !is_trusted(sys, &st) || io_readlink(dirfd, name, &target) < 0)
		return NULL;
	whole = target[0] == '/' ? str_dup(target) : str_format("%s%s", parent, target);
	return whole ? hostpath_tidy(whole) : NULL;
}

/* The first components of path, resolved; they are all of path. */
static char *resolve(const struct insp_sys *sys, const char *path)
{
	char *done = calloc(1, PATH_MAX), *rest = strdup(path);
	int links = 0;

	while (done && rest && *rest) {
		size_t len = 1 + strcspn(rest + 1, "/");
		_cleanup_free_ char *target = NULL;
		size_t n = strlen(done);
		char *next;

		if (n + strlen(rest) + 2 > PATH_MAX)
			break;
		push(done, rest + 1, len - 1);
		target = depth_of(done) <= HOSTPATH_DEPTH && links < LINKS_MAX ? follow(sys, done)
									       : NULL;
		next = target ? str_format("%s%s", strcmp(target, "/") == 0 ? "" : target,
					   rest + len)
			      : strdup(rest + len);
		if (target) {
			links++;
			done[0] = '\0';
		}
		free(rest);
		rest = next;
	}
	if (done && rest && *rest && strlen(done) + strlen(rest) < PATH_MAX)
		push_all(done, rest);
	if (!rest) {
		free(done);
		done = NULL;
	}
	free(rest);
	if (done && !*done)
		done[0] = '/';
	return done;
}

static int remember(struct hostpaths *p, char *from, char *to)
{
	void *bigger = reallocarray(p->known, p->n + 1, sizeof(*p->known));

	if (!bigger)
		return -ENOMEM;
	p->known = bigger;
	p->known[p->n].from = from;
	p->known[p->n++].to = to;
	return 0;
}

/* Where the first HOSTPATH_DEPTH components of a path end. */
static size_t head_length(const char *path)
{
	const char *p = path;

	for (int i = 0; i < HOSTPATH_DEPTH && *p; i++)
		p += 1 + strcspn(p + 1, "/");
	return (size_t)(p - path);
}

char *hostpath_canonical(struct hostpaths *p, const char *tidy)
{
	size_t n = head_length(tidy);
	char *head, *to;

	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->known[i].from) == n && memcmp(p->known[i].from, tidy, n) == 0)
			return str_format("%s%s", p->known[i].to, tidy + n);
	head = strndup(tidy, n);
	to = head ? resolve(p->sys, head) : NULL;
	if (!to || remember(p, head, to) < 0) {
		free(head);
		free(to);
		return NULL;
	}
	return str_format("%s%s", to, tidy + n);
}
