/*
 * storage.conf: three keys of its [storage] table, by a scan of lines; no TOML reader. containers-storage.conf(5).
 */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/storage/storage.h"

#define CONF_MAX (64 * 1024)

struct text {
	const char *p;
	size_t len;
};

void storage_conf_free(struct storage_conf *conf)
{
	free(conf->graph_root);
	free(conf->run_root);
	free(conf->rootless_path);
	*conf = (struct storage_conf){ 0 };
}

static void skip_blanks(struct text *t)
{
	while (t->len > 0 && (*t->p == ' ' || *t->p == '\t')) {
		t->p++;
		t->len--;
	}
}

static bool skip_word(struct text *t, const char *word)
{
	size_t n = strlen(word);

	if (t->len < n || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	t->len -= n;
	return true;
}

/* The string of a line KEY = "STRING" or 'STRING'. */
static bool line_value(struct text line, const char *key, struct text *ret)
{
	const char *end;
	char quote;

	skip_blanks(&line);
	if (!skip_word(&line, key))
		return false;
	skip_blanks(&line);
	if (!skip_word(&line, "="))
		return false;
	skip_blanks(&line);
	if (line.len < 2 || (*line.p != '"' && *line.p != '\''))
		return false;
	quote = *line.p++;
	end = memchr(line.p, quote, line.len - 1);
	if (!end || end == line.p)
		return false;
	*ret = (struct text){ line.p, (size_t)(end - line.p) };
	return true;
}

/* $HOME, $UID and $USER, as containers-storage expands them for a user. A new string. */
static char *expand(struct text t, const struct storage_user *user)
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

static int set_from_line(struct text line, const struct storage_user *user,
			 struct storage_conf *conf)
{
	const struct {
		const char *key;
		char **field;
	} keys[] = {
		{ "graphroot", &conf->graph_root },
		{ "runroot", &conf->run_root },
		{ "rootless_storage_path", &conf->rootless_path },
	};
	struct text value;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!line_value(line, keys[i].key, &value))
			continue;
		free(*keys[i].field);
		*keys[i].field = expand(value, user);
		return *keys[i].field ? 0 : -ENOMEM;
	}
	return 0;
}

int storage_conf_parse(const char *buf, size_t len, const struct storage_user *user,
		       struct storage_conf *ret)
{
	_cleanup_storage_conf_ struct storage_conf conf = { 0 };
	bool in_storage = false;

	while (len > 0) {
		const char *nl = memchr(buf, '\n', len);
		struct text line = { buf, nl ? (size_t)(nl - buf) : len };
		int r;

		buf += line.len + (nl ? 1 : 0);
		len -= line.len + (nl ? 1 : 0);
		skip_blanks(&line);
		if (line.len > 0 && *line.p == '[')
			in_storage = skip_word(&line, "[storage]");
		r = in_storage ? set_from_line(line, user, &conf) : 0;
		if (r < 0)
			return r;
	}
	*ret = conf;
	conf = (struct storage_conf){ 0 };
	return 0;
}

int storage_conf_take(int conf_fd, const struct storage_user *user, struct storage_conf *ret)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	_cleanup_close_ int fd = conf_fd;
	int r;

	*ret = (struct storage_conf){ 0 };
	if (fd < 0)
		return 0;
	r = io_read_fd(fd, CONF_MAX, &b);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return storage_conf_parse(b.data, b.len, user, ret);
}

int storage_conf_read(const struct insp_sys *sys, const char *path, const struct storage_user *user,
		      struct storage_conf *ret)
{
	/* links are followed (administrators and users link their dotfiles), below the host's root */
	return storage_conf_take(sys_open_file(sys, path), user, ret);
}
