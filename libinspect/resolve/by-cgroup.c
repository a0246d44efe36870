/*
 * A cgroup -> the containers whose it is. A container's own cgroup is what its init's path has up to and with the first
 * component that carries its id: deeper ones are the container's to name, and may be called like another container.
 */
#include "libinspect/resolve/find.h"

#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"

static bool is_below(const char *path, const char *dir)
{
	const char *rest = str_after(path, dir);

	return rest && (*rest == '\0' || *rest == '/');
}

/* What path is in a hierarchy that is mounted at mount and shows its part root. NULL: not below mount. */
static char *inside(const char *path, const char *mount, const char *root)
{
	const char *rest = mount && is_below(path, mount) ? path + strlen(mount) : NULL;
	bool whole = !root || strcmp(root, "/") == 0;

	return rest ? str_format("%s%s", whole ? "" : root, *rest ? rest : whole ? "/" : "") : NULL;
}

/* "/sys/fs/cgroup/memory/docker/ID" -> "/docker/ID". The deepest mount counts: v2's may lie around v1's. */
static char *below_hierarchy(const struct cgroup_mounts *m, const char *path)
{
	char *best = inside(path, m->v2, m->v2_root);

	for (size_t i = 0; i < m->n_v1; i++) {
		char *other = inside(path, m->v1[i].path, m->v1[i].root);

		if (other && best && strlen(best) <= strlen(other)) {
			free(other);
			continue;
		}
		if (other) {
			free(best);
			best = other;
		}
	}
	return best;
}

/* Takes away doubled and final slashes. */
static void tidy(char *path)
{
	char *to = path;

	for (const char *p = path; *p; p++)
		if (*p != '/' || (p[1] != '/' && p[1] != '\0'))
			*to++ = *p;
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

/* A line of /proc/PID/cgroup, "8:pids:/docker/ID" or "0::/docker/ID", is its path; anything else stays what it is. */
static const char *path_in_line(const char *text)
{
	size_t n = strspn(text, "0123456789");
	const char *colon = n > 0 && text[n] == ':' ? strchr(text + n + 1, ':') : NULL;

	return colon && colon[1] == '/' && !memchr(text, '/', (size_t)(colon - text)) ? colon + 1
										      : text;
}

/* The cgroup that is asked for, as /proc/PID/cgroup has it. */
static int parse(struct finder *f, char **ret)
{
	_cleanup_cgroup_mounts_ struct cgroup_mounts mounts = { 0 };
	_cleanup_free_ char *path = str_dup(path_in_line(f->text));
	char *below = NULL;

	if (!path)
		return insp_err_set(f->err, -ENOMEM, "look for a container");
	if (path[0] != '/' || strstr(path, "/../") || str_ends(path, "/.."))
		return finder_bad(f, "is not a cgroup, as in /sys/fs/cgroup/system.slice or "
				     "/system.slice");
	tidy(path);
	if (insp_sys_is_live(f->sys) && cgroup_mounts_read(f->sys, &mounts, NULL) == 0)
		below = below_hierarchy(&mounts, path);
	/* /sys/fs/cgroup itself, where each hierarchy of v1 has a directory of its own */
	if (!below && insp_sys_is_live(f->sys) && is_below(path, "/sys/fs/cgroup"))
		return finder_bad(f, "is in no cgroup hierarchy that is mounted here");
	*ret = below ? below : TAKE_PTR(path);
	return 0;
}

/* The length of path up to and with its first component that carries id; 0: none does. */
static size_t own_length(const char *path, const char *id)
{
	for (const char *p = path; *p;) {
		const char *end = strchrnul(p, '/');

		if (cgroup_component_is(p, (size_t)(end - p), id))
			return (size_t)(end - path);
		p = *end ? end + 1 : end;
	}
	return 0;
}

enum relation { APART, ABOVE, BELOW, SAME };

struct hit {
	enum relation relation;
	char *own;
	bool named; /* own carries the container's id: nothing else is in it */
};

/* How the cgroup that is asked for stands to a container's own of one hierarchy. */
static void relate(const char *asked, const char *line, const char *id, struct hit *ret)
{
	size_t n = own_length(line, id);
	_cleanup_free_ char *own = NULL;
	enum relation relation = APART;

	/* of the root's members nothing is the container's own */
	if (strcmp(line, "/") == 0 || strcmp(asked, "/") == 0)
		return;
	own = strndup(line, n ? n : strlen(line));
	if (!own)
		return;
	if (strcmp(asked, own) == 0)
		relation = SAME;
	else if (is_below(asked, own))
		relation = BELOW;
	else if (is_below(own, asked))
		relation = ABOVE;
	if (relation > ret->relation) {
		free(ret->own);
		*ret = (struct hit){ relation, TAKE_PTR(own), n > 0 };
	}
}

/* The closest relation over all hierarchies of container i. */
static void look_at(const struct finder *f, size_t i, const char *asked, struct hit *hit)
{
	_cleanup_cgroup_lines_ struct cgroup_lines lines = { 0 };
	_cleanup_pid_ struct insp_pid *init = NULL;

	if (finder_open_init(f, i, &init) < 0 ||
	    cgroup_read(f->sys->procfd, init->pid, &lines) < 0 || !insp_pid_alive(init))
		return;
	for (size_t k = 0; k < lines.n; k++)
		relate(asked, lines.items[k].path, f->list.items[i]->id, hit);
}

static int add_hit(struct finder *f, size_t i, const struct hit *hit)
{
	const char *what = hit->named ? "its cgroup" : "the cgroup of its init,";

	switch (hit->relation) {
	case SAME: return finder_add(f, i, hit->named ? "its cgroup" : "the cgroup of its init");
	case BELOW: return finder_add(f, i, "below %s %s", what, hit->own);
	case ABOVE: return finder_add(f, i, "holds %s %s", what, hit->own);
	case APART: break;
	}
	return 0;
}

/* The deepest of those above or at the cgroup win: an engine inside a container has its containers' below it. */
static bool is_shadowed(const struct hit *hits, size_t n, size_t i)
{
	for (size_t j = 0; j < n; j++) {
		if (hits[j].relation < BELOW || j == i)
			continue;
		if (hits[i].relation == ABOVE || strlen(hits[j].own) > strlen(hits[i].own))
			return true;
	}
	return false;
}

static int add_live(struct finder *f, const char *asked)
{
	struct hit *hits = calloc(f->list.n + 1, sizeof(*hits));
	int r = hits ? 0 : insp_err_set(f->err, -ENOMEM, "look for a container");

	for (size_t i = 0; r == 0 && i < f->list.n; i++)
		look_at(f, i, asked, &hits[i]);
	for (size_t i = 0; r == 0 && i < f->list.n; i++)
		if (hits[i].relation != APART && !is_shadowed(hits, f->list.n, i))
			r = add_hit(f, i, &hits[i]);
	for (size_t i = 0; hits && i < f->list.n; i++)
		free(hits[i].own);
	free(hits);
	return r;
}

/* A cgroup that stayed, or of a host that is looked at from outside: only its name tells. */
static int add_by_name(struct finder *f, const char *asked)
{
	for (size_t i = 0; i < f->list.n; i++) {
		const struct insp_container *c = f->list.items[i];
		size_t n = own_length(asked, c->id);
		int r = 0;

		if (c->pid > 0 || !str_is_hex(c->id, 64))
			continue;
		if (n > 0)
			r = finder_add(f, i, "named after it, which does not run");
		if (r < 0)
			return r;
	}
	return 0;
}

int find_by_cgroup(struct finder *f)
{
	_cleanup_free_ char *asked = NULL, *shown = NULL;
	int r = parse(f, &asked);

	if (r < 0)
		return r;
	shown = finder_shown(asked);
	if (strcmp(asked, "/") == 0)
		return finder_nothing(f, "cgroup '/' is the host's root, above all of them");
	r = finder_list(f, INSP_WANT_CGROUP | INSP_WANT_STOPPED | INSP_WANT_BARE);
	if (r == 0)
		r = add_live(f, asked);
	if (r == 0 && f->n_found == 0)
		r = add_by_name(f, asked);
	if (r < 0 || f->n_found)
		return r;
	return finder_nothing(f, "no container is in cgroup '%s', above or below it", shown);
}
