/*
 * storage.conf: three keys of its [storage] table. containers-storage.conf(5).
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/toml.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/homes.h"
#include "libinspect/engines/storage/storage.h"

#define CONF_MAX (64 * 1024)

void storage_conf_free(struct storage_conf *conf)
{
	free(conf->graph_root);
	free(conf->run_root);
	free(conf->rootless_path);
	*conf = (struct storage_conf){ 0 };
}

static bool skip_word(struct toml_text *t, const char *word)
{
	size_t n = strlen(word);

	if (t->len < n || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	t->len -= n;
	return true;
}

/* $HOME, $UID and $USER, as containers-storage expands them for a user. A new string. */
static char *expand(struct toml_text t, const struct storage_user *user)
{
	struct strbuf sb = { 0 };

	while (t.len > 0) {
		if (user && (skip_word(&t, "$HOME") || skip_word(&t, "${HOME}"))) {
			strbuf_puts(&sb, user->home);
		} else if (user && (skip_word(&t, "$UID") || skip_word(&t, "${UID}"))) {
			strbuf_printf(&sb, "%u", (unsigned)user->uid);
		} else if (user && (skip_word(&t, "$USER") || skip_word(&t, "${USER}"))) {
			strbuf_puts(&sb, user->name);
		} else {
			strbuf_add(&sb, t.p++, 1);
			t.len--;
		}
	}
	return strbuf_take(&sb);
}

struct target {
	const struct storage_user *user;
	struct storage_conf *conf;
};

static int set(void *userdata, const struct toml_item *item)
{
	const struct target *t = userdata;
	const struct {
		const char *key;
		char **field;
	} keys[] = {
		{ "graphroot", &t->conf->graph_root },
		{ "runroot", &t->conf->run_root },
		{ "rootless_storage_path", &t->conf->rootless_path },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys) && toml_is(item->table, "storage"); i++) {
		if (!toml_is(item->key, keys[i].key))
			continue;
		if (!item->value.p)
			return -EBADMSG;
		free(*keys[i].field);
		*keys[i].field = item->value.len > 0 ? expand(item->value, t->user) : NULL;
		return *keys[i].field || item->value.len == 0 ? 0 : -ENOMEM;
	}
	return 0;
}

int storage_conf_parse(const char *buf, size_t len, const struct storage_user *user,
		       struct storage_conf *ret, struct insp_err *err)
{
	struct target target = { .user = user, .conf = ret };

	*ret = (struct storage_conf){ 0 };
	return toml_each(buf, len, set, &target, err);
}

/* fd is closed. */
static int take(struct engine_scan *scan, int conf_fd, const char *path,
		const struct storage_user *user, struct storage_conf *ret)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	_cleanup_close_ int fd = conf_fd;
	struct insp_err err = { 0 };
	int r;

	*ret = (struct storage_conf){ 0 };
	/* there is none, or it is for others to know */
	if (fd < 0)
		return 0;
	r = io_read_fd(fd, CONF_MAX, &b);
	if (r < 0)
		insp_err_set(&err, r, "read '%s'", path);
	else
		r = storage_conf_parse(b.data, b.len, user, ret, &err);
	if (r == 0 || r == -ENOMEM)
		return r;
	ret->broken = true;
	if (err.code == -EBADMSG)
		insp_err_wrap(&err, r, "read '%s'", path);
	insp_err_hint(&err, "the default graph root is looked at");
	engine_scan_fail(scan, &err);
	return 0;
}

int storage_conf_read(struct engine_scan *scan, const char *path, const struct storage_user *user,
		      bool own, struct storage_conf *ret)
{
	/* links are followed (administrators and users link their dotfiles), below the host's root */
	int fd = user && own ? homes_open_file(scan, user->uid, path)
			     : sys_open_file(scan->sys, path);

	return take(scan, fd, path, user, ret);
}
