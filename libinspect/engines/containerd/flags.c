/* What a daemon was told about its directories: its command line, then its config.toml. */
#include "libinspect/engines/containerd/containerd.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/goflags.h"

void containerd_flags_free(struct containerd_flags *f)
{
	free(f->root);
	free(f->state);
	free(f->config_file);
	*f = (struct containerd_flags){ 0 };
}

static char **field_of(struct containerd_flags *f, const char *name, size_t len)
{
	static const struct {
		const char *name;
		size_t offset;
	} known[] = {
		{ "root", offsetof(struct containerd_flags, root) },
		{ "state", offsetof(struct containerd_flags, state) },
		{ "config", offsetof(struct containerd_flags, config_file) },
		{ "c", offsetof(struct containerd_flags, config_file) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
			return (char **)((char *)f + known[i].offset);
	return NULL;
}

static int replace(char **field, const char *value, size_t len)
{
	free(*field);
	*field = strndup(value, len);
	return *field ? 0 : -ENOMEM;
}

int containerd_flags_parse(const char *args, size_t len, struct containerd_flags *ret)
{
	_cleanup_containerd_flags_ struct containerd_flags f = { 0 };
	/* one dash or two are the same to it */
	const struct goflag known[] = {
		{ "--root", &f.root },		{ "-root", &f.root },
		{ "--state", &f.state },	{ "-state", &f.state },
		{ "--config", &f.config_file }, { "-config", &f.config_file },
		{ "--c", &f.config_file },	{ "-c", &f.config_file },
	};
	int r = goflags_parse(args, len, known, ARRAY_SIZE(known));

	if (r < 0)
		return r;
	*ret = f;
	f = (struct containerd_flags){ 0 };
	return 0;
}

/* The string between quotes at p: no escapes, which a path has no need of. false: something else. */
static bool quoted(const char *p, const char *end, const char **ret, size_t *ret_len)
{
	const char *close;

	if (p == end || (*p != '"' && *p != '\''))
		return false;
	close = memchr(p + 1, *p, (size_t)(end - p - 1));
	if (!close || (*p == '"' && memchr(p + 1, '\\', (size_t)(close - p - 1))))
		return false;
	*ret = p + 1;
	*ret_len = (size_t)(close - p - 1);
	return true;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* root = "/path" or state = "/path", where they are missing still. */
static int parse_line(const char *p, const char *end, struct containerd_flags *f)
{
	const char *equals = memchr(p, '=', (size_t)(end - p)), *value;
	size_t len, name;
	char **field;

	if (!equals)
		return 0;
	for (name = (size_t)(equals - p); name > 0 && (p[name - 1] == ' ' || p[name - 1] == '\t');
	     name--)
		;
	field = field_of(f, p, name);
	if (!field || field == &f->config_file || *field ||
	    !quoted(skip_blanks(equals + 1, end), end, &value, &len))
		return 0;
	return replace(field, value, len);
}

int containerd_config_parse(const char *text, size_t len, struct containerd_flags *f)
{
	const char *end = text + len;

	for (const char *p = text; p < end;) {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));
		int r;

		line_end = line_end ? line_end : end;
		p = skip_blanks(p, line_end);
		/* the first table's head: what follows is a plugin's */
		if (p < line_end && *p == '[')
			return 0;
		r = parse_line(p, line_end, f);
		if (r < 0)
			return r;
		p = line_end + 1;
	}
	return 0;
}
