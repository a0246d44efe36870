/* /proc/PID/cgroup: paths, and the container ids in them. cgroups(7). */
#include "libinspect/kernel/cgroup.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#define ID_LEN 64 /* hexadecimal digits of an OCI container id */

void cgroup_lines_free(struct cgroup_lines *l)
{
	free(l->items);
	free(l->buf);
	*l = (struct cgroup_lines){ 0 };
}

/* "4:memory:/path" in a writable buffer; the separators are overwritten. A path may hold colons. */
static bool parse_line(struct span line, struct cgroup_line *ret)
{
	struct span controllers;

	if (!span_int(&line, &ret->hierarchy) || !span_after(&line, ":"))
		return false;
	if (!span_until(&line, ':', &controllers) || line.p >= line.end || *line.p != '/')
		return false;
	*(char *)controllers.end = '\0';
	*(char *)line.end = '\0';
	ret->controllers = controllers.p;
	ret->path = line.p;
	return true;
}

int cgroup_parse(const char *buf, size_t len, struct cgroup_lines *ret)
{
	_cleanup_cgroup_lines_ struct cgroup_lines l = { 0 };
	struct span s, line;
	size_t lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += buf[i] == '\n';
	l.buf = malloc(len + 1);
	l.items = calloc(lines, sizeof(*l.items));
	if (!l.buf || !l.items)
		return -ENOMEM;
	if (len)
		memcpy(l.buf, buf, len);
	l.buf[len] = '\0';
	s = span_of(l.buf, len);
	while (span_line(&s, &line))
		if (parse_line(line, &l.items[l.n]))
			l.n++;
	*ret = l;
	l = (struct cgroup_lines){ 0 };
	return 0;
}

int cgroup_read(int procfd, pid_t pid, struct cgroup_lines *ret)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%d/cgroup", pid);
	r = io_read_proc(procfd, path, IO_SMALL_MAX, &b);
	return r < 0 ? r : cgroup_parse(b.data, b.len, ret);
}

bool cgroup_has_controller(const char *controllers, const char *name)
{
	struct span s = span_of(controllers, strlen(controllers)), word;

	while (span_until(&s, ',', &word))
		if (span_after(&word, name) && word.p == word.end)
			return true;
	return false;
}

static bool is_telling_v1(const struct cgroup_line *line)
{
	static const char *const names[] = { "memory", "pids", "devices", "freezer",
					     "name=systemd" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (cgroup_has_controller(line->controllers, names[i]))
			return true;
	return false;
}

const struct cgroup_line *cgroup_best(const struct cgroup_lines *l)
{
	const struct cgroup_line *best = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct cgroup_line *line = &l->items[i];

		if (strcmp(line->path, "/") == 0)
			continue;
		if (line->hierarchy == 0)
			return line;
		if (is_telling_v1(line) && (!best || strlen(line->path) > strlen(best->path)))
			best = line;
	}
	return best;
}

/*
 * A path component without what systemd and the engines put around an id: "docker-ID.scope", "libpod-payload-ID",
 * "cri-containerd-ID.scope". Empty for the cgroup of a container's monitor ("libpod-conmon-ID.scope"), which is
 * not the container's.
 */
static struct span component_core(struct span c)
{
	size_t n = span_len(&c);

	if (n > 6 && memcmp(c.end - 6, ".scope", 6) == 0)
		c.end -= 6;
	if (memmem(c.p, span_len(&c), "conmon-", 7))
		c.end = c.p;
	return c;
}

bool cgroup_component_is(const char *component, size_t len, const char *id)
{
	struct span c = component_core(span_of(component, len));
	size_t n = strlen(id), have = span_len(&c);

	if (n == 0 || have < n || memcmp(c.end - n, id, n) != 0)
		return false;
	return have == n || c.end[-(ptrdiff_t)n - 1] == '-';
}

bool cgroup_has_id(const struct cgroup_lines *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++) {
		struct span s = span_of(l->items[i].path, strlen(l->items[i].path)), c;

		while (span_until(&s, '/', &c))
			if (cgroup_component_is(c.p, span_len(&c), id))
				return true;
	}
	return false;
}

static bool find_in_component(struct span c, char *id)
{
	c = component_core(c);
	if (span_len(&c) < ID_LEN)
		return false;
	if (span_len(&c) > ID_LEN && c.end[-ID_LEN - 1] != '-')
		return false;
	for (const char *p = c.end - ID_LEN; p < c.end; p++)
		if (span_digit(*p) > 15)
			return false;
	memcpy(id, c.end - ID_LEN, ID_LEN);
	id[ID_LEN] = '\0';
	return true;
}

static bool find_in_path(const char *path, char *id)
{
	const char *end = path + strlen(path);

	while (end > path) {
		const char *slash = memrchr(path, '/', (size_t)(end - path));
		const char *first = slash ? slash + 1 : path;

		if (find_in_component((struct span){ first, end }, id))
			return true;
		end = slash ? slash : path;
	}
	return false;
}

bool cgroup_find_id(const struct cgroup_lines *l, char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (find_in_path(l->items[i].path, id))
			return true;
	return false;
}

static bool is_inner_name(struct span c)
{
	static const char *const names[] = { "init.scope", "payload", "container" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_len(&c) == strlen(names[i]) && memcmp(c.p, names[i], span_len(&c)) == 0)
			return true;
	return false;
}

struct span cgroup_telling_name(const char *path)
{
	struct span s = span_of(path, strlen(path)), c, ret = span_of(path, 0);

	while (span_until(&s, '/', &c))
		if (span_len(&c) > 0 && (span_len(&ret) == 0 || !is_inner_name(c)))
			ret = c;
	if (span_len(&ret) == 2 && memcmp(ret.p, "..", 2) == 0)
		ret.end = ret.p;
	return ret;
}
