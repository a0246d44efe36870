/* What a daemon was told about its directories: its command line, then its config.toml. */
#include "libinspect/engines/containerd/containerd.h"
#include "libinspect/base/str.h"
#include "libinspect/base/toml.h"
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

/* root = "/path" or state = "/path", where they are missing still, before the first table: what follows is a plugin's. */
static int set(void *userdata, const struct toml_item *item)
{
	struct containerd_flags *f = userdata;
	char **field = item->table.len == 0 ? field_of(f, item->key.p, item->key.len) : NULL;

	if (!field || field == &f->config_file || *field)
		return 0;
	return item->value.p ? replace(field, item->value.p, item->value.len) : -EBADMSG;
}

int containerd_config_parse(const char *text, size_t len, struct containerd_flags *f,
			    struct insp_err *err)
{
	return toml_each(text, len, set, f, err);
}
