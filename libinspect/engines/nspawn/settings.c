/* Settings files (systemd.nspawn(5), systemd 252), and what mount options stand for (nspawn-mount.c). */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/nspawn/nspawn.h"
#include "libinspect/kernel/span.h"

static struct span trim(struct span s)
{
	while (s.p < s.end && strchr(" \t\r", *s.p) && *s.p)
		s.p++;
	while (s.p < s.end && strchr(" \t\r", s.end[-1]) && s.end[-1])
		s.end--;
	return s;
}

static bool is(struct span s, const char *word)
{
	return span_len(&s) == strlen(word) && memcmp(s.p, word, strlen(word)) == 0;
}

static int set_missing(char **field, struct span value)
{
	if (*field || span_len(&value) == 0)
		return 0;
	*field = strndup(value.p, span_len(&value));
	return *field ? 0 : -ENOMEM;
}

static int take_key(struct nspawn_options *o, bool in_exec, struct span key, struct span value)
{
	bool read_only = is(key, "BindReadOnly");

	if (in_exec)
		return is(key, "Hostname")     ? set_missing(&o->hostname, value)
		       : is(key, "Parameters") ? set_missing(&o->command, value)
					       : 0;
	if (is(key, "Volatile") && o->is_volatile == NSPAWN_VOLATILE_UNSET)
		o->is_volatile = nspawn_volatile_parse(value.p, span_len(&value));
	if (read_only || is(key, "Bind"))
		return nspawn_options_add_mount(o, "bind", read_only, value.p, span_len(&value));
	if (is(key, "TemporaryFileSystem"))
		return nspawn_options_add_mount(o, "tmpfs", false, value.p, span_len(&value));
	return 0;
}

int nspawn_settings_parse(const char *buf, size_t len, struct nspawn_options *o)
{
	struct span s = span_of(buf, len), line, key;
	bool in_exec = false, in_files = false;
	int r = 0;

	while (r == 0 && span_line(&s, &line)) {
		line = trim(line);
		if (span_len(&line) == 0 || *line.p == '#' || *line.p == ';' ||
		    memchr(line.p, '\0', span_len(&line)))
			continue;
		if (*line.p == '[') {
			in_exec = is(line, "[Exec]");
			in_files = is(line, "[Files]");
			continue;
		}
		if ((!in_exec && !in_files) || !memchr(line.p, '=', span_len(&line)))
			continue;
		(void)span_until(&line, '=', &key);
		r = take_key(o, in_exec, trim(key), trim(line));
	}
	return r;
}

/* Up to the next colon that has no backslash before it; a new string without the backslashes. NULL: out of memory. */
static char *next_part(const char **at)
{
	char *part = strdup(*at);
	size_t n = 0;
	const char *p = *at;

	if (!part)
		return NULL;
	for (; *p && *p != ':'; p++) {
		if (*p == '\\' && p[1])
			p++;
		part[n++] = *p;
	}
	part[n] = '\0';
	*at = *p ? p + 1 : p;
	return part;
}

/*
 * The source may have a "-" (need not be there) and a "+" (in the container's own tree) before it; an empty one is a
 * directory that nspawn makes.
 */
static int add_bind(const struct nspawn_mount *m, struct insp_container *c)
{
	const char *at = m->value;
	_cleanup_free_ char *source = next_part(&at);
	_cleanup_free_ char *destination = source && *at ? next_part(&at) : NULL;
	const char *from = source ? source : "", *to = destination;
	struct insp_mount mount = { .type = (char *)m->type, .read_only = m->read_only };

	if (!source)
		return -ENOMEM;
	from += *from == '-';
	if (*from == '+')
		from++;
	else
		mount.source = *from == '/' ? (char *)from : NULL;
	if (!to || !*to)
		to = from;
	if (*to != '/')
		return 0;
	mount.destination = (char *)to;
	return container_add_mount(c, &mount);
}

/* "PATH[:OPTIONS]" */
static int add_tmpfs(const struct nspawn_mount *m, struct insp_container *c)
{
	const char *at = m->value;
	_cleanup_free_ char *path = next_part(&at);
	struct insp_mount mount = { .type = (char *)m->type, .destination = path };

	if (!path)
		return -ENOMEM;
	return *path == '/' ? container_add_mount(c, &mount) : 0;
}

int nspawn_add_mounts(const struct nspawn_options *o, struct insp_container *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->n_mounts; i++)
		r = str_eq(o->mounts[i].type, "tmpfs") ? add_tmpfs(&o->mounts[i], c)
						       : add_bind(&o->mounts[i], c);
	return r;
}
