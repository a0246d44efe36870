/*
 * A path below /proc/PID -> the container of that process. Nothing is opened: the path is cut off behind the number, and
 * what a process sees as its root is its container's, or the host's.
 */
#include "libinspect/resolve/find.h"
#include "libinspect/resolve/hostpath.h"

#include "libinspect/base/util.h"
#include "libinspect/kernel/span.h"

/* "/proc/4711/root/etc" -> 4711, and "/root/etc" in *ret_rest. */
static bool parse(const char *path, pid_t *ret_pid, const char **ret_rest)
{
	const char *digits = str_after(path, "/proc/");
	size_t n = digits ? strcspn(digits, "/") : 0;
	char number[16] = "";

	if (n == 0 || n >= sizeof(number))
		return false;
	memcpy(number, digits, n);
	*ret_rest = digits + n;
	return str_to_pid(number, ret_pid) == 0;
}

/* The container of the process is all there is in the list. */
static int take(struct finder *f, struct insp_container *c, const char *how, pid_t pid)
{
	f->list.items = calloc(1, sizeof(struct insp_container *));
	f->how = calloc(2, sizeof(*f->how));
	if (!f->list.items || !f->how) {
		insp_container_free(c);
		return insp_err_set(f->err, -ENOMEM, "look for a container");
	}
	f->list.items[f->list.n++] = c;
	return finder_add(f, 0, "%s %d", how, (int)pid);
}

static int ask(struct finder *f, pid_t number, const char *rest)
{
	const char *below = str_after(rest, "/root");
	bool root = below && (*below == '\0' || *below == '/');
	_cleanup_pid_ struct insp_pid *pid = NULL;
	_cleanup_free_ char *shown = finder_shown(f->text);
	struct insp_container *c = NULL;
	int r = insp_pid_open(f->sys, number, 0, &pid, f->err);

	if (r == 0)
		r = insp_resolve_pid(f->sys, pid, f->want, &c, f->err);
	if (r == 0)
		return take(f, c, root ? "in the root directory of its process" : "of its process",
			    number);
	if (r != -ENOENT)
		return r;
	if (!root)
		return finder_nothing(f, "'%s' is of a process that is in no container", shown);
	/* the host's root is not the container's that may have the path all the same */
	f->text = *below ? below : "/";
	return find_by_path(f);
}

int find_by_host_path(struct finder *f)
{
	_cleanup_free_ char *tidy = f->text[0] == '/' ? hostpath_tidy(f->text) : NULL;
	const char *text = f->text, *rest;
	pid_t pid;
	int r;

	if (!tidy || !insp_sys_is_live(f->sys) || !parse(tidy, &pid, &rest))
		return find_by_path(f);
	f->text = tidy;
	r = ask(f, pid, rest);
	f->text = text;
	return r;
}
