#include "libinspect/engines/lxc/config.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/mountinfo.h"
#include "libinspect/kernel/span.h"

#include <sys/stat.h>

static void strings_free(struct lxc_strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
}

void lxc_config_free(struct lxc_config *c)
{
	free(c->rootfs);
	free(c->hostname);
	free(c->command);
	free(c->console_log);
	strings_free(&c->mounts);
	strings_free(&c->includes);
	strings_free(&c->idmaps);
	*c = (struct lxc_config){ 0 };
}

static int add_string(struct lxc_strings *s, struct span value)
{
	char **items;

	if (s->n >= LXC_CONFIG_LIST_MAX || span_len(&value) == 0)
		return 0;
	items = reallocarray(s->items, s->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	s->items = items;
	items[s->n] = strndup(value.p, span_len(&value));
	return items[s->n] ? (s->n++, 0) : -ENOMEM;
}

/* An empty value takes back what was said. */
static int set_string(char **field, struct span value)
{
	char *copy = NULL;

	if (span_len(&value) > 0) {
		copy = strndup(value.p, span_len(&value));
		if (!copy)
			return -ENOMEM;
	}
	free(*field);
	*field = copy;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span s)
{
	while (s.p < s.end && is_blank(*s.p))
		s.p++;
	while (s.p < s.end && is_blank(s.end[-1]))
		s.end--;
	return s;
}

/* confile.c: parse_line(): one pair of quotes around a value is taken away */
static struct span unquote(struct span s)
{
	if (span_len(&s) >= 2 && (*s.p == '"' || *s.p == '\'') && s.end[-1] == *s.p) {
		s.p++;
		s.end--;
	}
	return s;
}

static bool key_is(struct span key, const char *name)
{
	return span_len(&key) == strlen(name) && memcmp(key.p, name, strlen(name)) == 0;
}

static int set_value(struct lxc_config *c, struct span key, struct span value)
{
	const struct {
		const char *key, *old;
		char **field;
	} keys[] = {
		{ "lxc.rootfs.path", "lxc.rootfs", &c->rootfs },
		{ "lxc.uts.name", "lxc.utsname", &c->hostname },
		{ "lxc.init.cmd", "lxc.init_cmd", &c->command },
		{ "lxc.console.logfile", "lxc.console.logfile", &c->console_log },
	};
	struct span rest = key;

	if (key_is(key, "lxc.mount.entry"))
		return add_string(&c->mounts, value);
	if (key_is(key, "lxc.idmap") || key_is(key, "lxc.id_map"))
		return add_string(&c->idmaps, value);
	if (key_is(key, "lxc.include"))
		return add_string(&c->includes, value);
	if (key_is(key, "lxc.cgroup.relative"))
		c->own_cgroup = c->own_cgroup || key_is(value, "1");
	else if (span_after(&rest, "lxc.cgroup.dir"))
		c->own_cgroup = true;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (key_is(key, keys[i].key) || key_is(key, keys[i].old))
			return set_string(keys[i].field, value);
	return 0;
}

int lxc_config_parse(const char *buf, size_t len, struct lxc_config *c)
{
	struct span s = span_of(buf, len), line, key;
	int r = 0;

	while (r == 0 && span_line(&s, &line)) {
		line = trim(line);
		if (span_len(&line) == 0 || *line.p == '#' ||
		    !memchr(line.p, '=', span_len(&line)) || memchr(line.p, '\0', span_len(&line)))
			continue;
		(void)span_until(&line, '=', &key);
		r = set_value(c, trim(key), unquote(trim(line)));
	}
	return r;
}

/* ---- includes ---- */

struct including {
	const struct insp_sys *sys;
	struct lxc_config *config;
	unsigned files;
};

static bool is_roots_alone(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static void take_missing(char **field, char **from)
{
	if (!*field)
		*field = TAKE_PTR(*from);
}

static int append(struct lxc_strings *s, const struct lxc_strings *more)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < more->n; i++)
		r = add_string(s, span_of(more->items[i], strlen(more->items[i])));
	return r;
}

/* An include stands at the top of a file, as a rule: what the file itself says goes before. */
static int merge(struct lxc_config *c, struct lxc_config *included)
{
	int r = append(&c->mounts, &included->mounts);

	if (r == 0)
		r = append(&c->idmaps, &included->idmaps);
	take_missing(&c->rootfs, &included->rootfs);
	take_missing(&c->hostname, &included->hostname);
	take_missing(&c->command, &included->command);
	take_missing(&c->console_log, &included->console_log);
	c->own_cgroup = c->own_cgroup || included->own_cgroup;
	return r < 0 ? r : append(&c->includes, &included->includes);
}

static int include_file(struct including *in, int fd)
{
	_cleanup_lxc_config_ struct lxc_config included = { 0 };
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r;

	if (++in->files > LXC_INCLUDES_MAX || !is_roots_alone(fd))
		return 0;
	r = io_read_fd(fd, LXC_CONFIG_MAX, &b);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = lxc_config_parse(b.data, b.len, &included);
	return r < 0 ? r : merge(in->config, &included);
}

/* Every *.conf, as confile.c's do_includedir() */
static int include_dir(struct including *in, int fd)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r = is_roots_alone(fd) ? io_dir_of(fd, &dir) : -EPERM;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for_each_entry (de, dir) {
		_cleanup_close_ int file = -EBADF;
		struct stat st;

		if (!str_ends(de->d_name, ".conf") || in->files >= LXC_INCLUDES_MAX)
			continue;
		file = io_open_regular(io_dirfd(dir), de->d_name);
		if (file < 0 || fstat(file, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		r = include_file(in, file);
		if (r < 0)
			return r;
	}
	return 0;
}

static int include_path(struct including *in, const char *path)
{
	_cleanup_close_ int fd = -EBADF;

	if (!lxc_path_is_within(path, NULL))
		return 0;
	fd = sys_open_dir(in->sys, path);
	if (fd >= 0)
		return include_dir(in, fd);
	fd = insp_open_regular_in_root(in->sys->rootfd, path);
	return fd < 0 ? (fd == -ENOMEM ? fd : 0) : include_file(in, fd);
}

int lxc_config_include(const struct insp_sys *sys, struct lxc_config *c)
{
	struct including in = { .sys = sys, .config = c };
	int r = 0;

	for (int depth = 0; r == 0 && depth < LXC_INCLUDE_DEPTH && c->includes.n > 0; depth++) {
		struct lxc_strings now = c->includes;

		c->includes = (struct lxc_strings){ 0 };
		for (size_t i = 0; r == 0 && i < now.n; i++)
			r = include_path(&in, now.items[i]);
		strings_free(&now);
	}
	return r;
}

/* ---- the root ---- */

bool lxc_path_is_within(const char *path, const char *within)
{
	size_t n = within ? strlen(within) : 0;
	struct span s = span_of(path, strlen(path)), part;

	if (path[0] != '/' || (n && (strncmp(path, within, n) != 0 || path[n] != '/')))
		return false;
	while (span_until(&s, '/', &part))
		if (span_len(&part) == 2 && memcmp(part.p, "..", 2) == 0)
			return false;
	return true;
}

static int dir_layers(const char *path, const char *within, struct insp_layers **ret)
{
	_cleanup_layers_ struct insp_layers *layers = NULL;

	if (!lxc_path_is_within(path, within))
		return 0;
	layers = container_layers_new(INSP_ROOT_DIR);
	if (!layers || container_set(&layers->upper, path) < 0)
		return -ENOMEM;
	*ret = TAKE_PTR(layers);
	return 0;
}

/* storage/overlay.c: work lies beside the upper directory. */
static int set_work(struct insp_layers *layers)
{
	const char *slash = strrchr(layers->upper, '/');

	layers->work = str_format("%.*s/work", (int)(slash - layers->upper), layers->upper);
	return layers->work ? 0 : -ENOMEM;
}

/* "LOWER[:LOWER…]:UPPER" */
static int overlay_layers(const char *paths, const char *within, struct insp_layers **ret)
{
	_cleanup_layers_ struct insp_layers *layers = container_layers_new(INSP_ROOT_OVERLAY);
	const char *upper = strrchr(paths, ':');
	struct span lowers = span_of(paths, upper ? (size_t)(upper - paths) : 0), lower;

	if (!layers)
		return -ENOMEM;
	if (!upper || !lxc_path_is_within(upper + 1, within))
		return 0;
	while (span_until(&lowers, ':', &lower)) {
		_cleanup_free_ char *path = strndup(lower.p, span_len(&lower));
		int r = path ? 0 : -ENOMEM;

		if (r == 0 && !lxc_path_is_within(path, within))
			return 0;
		if (r == 0)
			r = container_layers_add(layers, path);
		if (r < 0)
			return r == -E2BIG ? 0 : r;
	}
	if (layers->n_lowers == 0)
		return 0;
	if (container_set(&layers->upper, upper + 1) < 0 || set_work(layers) < 0)
		return -ENOMEM;
	*ret = TAKE_PTR(layers);
	return 0;
}

int lxc_config_layers(const char *value, const char *within, struct insp_layers **ret)
{
	/* a subvolume of btrfs is there like a directory as long as its file system is mounted */
	static const char *const dirs[] = { "", "dir:", "btrfs:" };
	static const char *const overlays[] = { "overlay:", "overlayfs:" };
	const char *rest;

	*ret = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(overlays); i++)
		if ((rest = str_after(value, overlays[i])))
			return overlay_layers(rest, within, ret);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if ((rest = str_after(value, dirs[i])) && rest[0] == '/')
			return dir_layers(rest, within, ret);
	return 0;
}

/* ---- mounts ---- */

/* The next blank-separated field, its octal escapes undone. A new string; NULL: none is left, or memory is out. */
static char *next_field(struct span *s)
{
	const char *first;
	char *field;

	span_blanks(s);
	first = s->p;
	while (s->p < s->end && *s->p != ' ' && *s->p != '\t')
		s->p++;
	if (s->p == first)
		return NULL;
	field = strndup(first, (size_t)(s->p - first));
	if (field)
		field[mountinfo_unescape(field, strlen(field))] = '\0';
	return field;
}

static bool has_option(const char *options, const char *name)
{
	struct span s = span_of(options, strlen(options)), word;

	while (span_until(&s, ',', &word))
		if (key_is(word, name))
			return true;
	return false;
}

/* What every container has. */
static bool is_usual(const char *type, const char *destination)
{
	static const char *const types[] = { "proc",	"sysfs",      "devpts",
					     "mqueue",	"securityfs", "debugfs",
					     "tracefs", "pstore",     "efivarfs" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_eq(type, types[i]))
			return true;
	return str_starts(destination, "/proc/") || str_starts(destination, "/sys/");
}

/* mount_file_entries(): a relative target is below the root; an absolute one counts when the root's path is before it. */
static char *inner_path(const char *target, const char *rootfs)
{
	const char *rest;

	if (target[0] != '/')
		return str_format("/%s", target);
	rest = rootfs ? str_after(target, rootfs) : NULL;
	return rest && *rest == '/' ? str_dup(rest) : NULL;
}

static int add_mount(const char *entry, const char *rootfs, struct insp_container *c)
{
	struct span s = span_of(entry, strlen(entry));
	_cleanup_free_ char *source = next_field(&s), *target = source ? next_field(&s) : NULL;
	_cleanup_free_ char *type = target ? next_field(&s) : NULL;
	_cleanup_free_ char *options = type ? next_field(&s) : NULL;
	_cleanup_free_ char *inside = target ? inner_path(target, rootfs) : NULL;
	struct insp_mount m = { .type = type, .source = source, .destination = inside };
	const char *flags = options ? options : "";

	if (!inside || !type)
		return 0;
	if (has_option(flags, "bind") || has_option(flags, "rbind"))
		m.type = (char *)"bind";
	if (str_eq(m.type, "tmpfs"))
		m.source = NULL;
	m.read_only = has_option(flags, "ro");
	return is_usual(m.type, inside) ? 0 : container_add_mount(c, &m);
}

int lxc_config_add_mounts(const struct lxc_strings *entries, const char *rootfs,
			  struct insp_container *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < entries->n; i++)
		r = add_mount(entries->items[i], rootfs, c);
	return r;
}

/* ---- ids ---- */

int lxc_config_add_ids(const struct lxc_strings *idmaps, struct insp_container *c)
{
	int r = 0;

	for (size_t i = 0; i < idmaps->n && r == 0; i++) {
		struct span s = span_of(idmaps->items[i], strlen(idmaps->items[i]));
		char type = *s.p++;
		uint32_t inside, outside, count;

		if (!strchr("ugb", type) || !span_u32(&s, &inside) || !span_u32(&s, &outside) ||
		    !span_u32(&s, &count))
			continue;
		if (type != 'g')
			r = container_add_ids(&c->uids, inside, outside, count);
		if (r == 0 && type != 'u')
			r = container_add_ids(&c->gids, inside, outside, count);
	}
	return r;
}
