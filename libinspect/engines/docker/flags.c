/* What a daemon was told about its directories: its command line, then its daemon.json. */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define CONFIG_MAX (1024 * 1024)

void docker_flags_free(struct docker_flags *f)
{
	free(f->data_root);
	free(f->exec_root);
	free(f->config_file);
	*f = (struct docker_flags){ 0 };
}

static char **field_of(struct docker_flags *f, const char *flag, size_t len)
{
	/* --graph and -g: the words of --data-root before 17.05, taken until 23.0 */
	static const struct {
		const char *flag;
		size_t offset;
	} known[] = {
		{ "--data-root", offsetof(struct docker_flags, data_root) },
		{ "--graph", offsetof(struct docker_flags, data_root) },
		{ "-g", offsetof(struct docker_flags, data_root) },
		{ "--exec-root", offsetof(struct docker_flags, exec_root) },
		{ "--config-file", offsetof(struct docker_flags, config_file) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].flag) == len && memcmp(known[i].flag, flag, len) == 0)
			return (char **)((char *)f + known[i].offset);
	return NULL;
}

int docker_flags_parse(const char *args, size_t len, struct docker_flags *ret)
{
	_cleanup_(docker_flags_free) struct docker_flags f = { 0 };
	const char *end = args + len, *next;

	for (const char *p = args; p < end; p = next) {
		size_t n = strnlen(p, (size_t)(end - p));
		const char *equals = memchr(p, '=', n), *value;
		char **field = field_of(&f, p, equals ? (size_t)(equals - p) : n);

		next = p + n + 1;
		if (!field)
			continue;
		value = equals ? equals + 1 : next;
		if (value >= end)
			break;
		n = strnlen(value, (size_t)(end - value));
		next = value + n + 1;
		free(*field);
		*field = strndup(value, n);
		if (!*field)
			return -ENOMEM;
	}
	*ret = f;
	f = (struct docker_flags){ 0 };
	return 0;
}

/* /etc/docker/daemon.json may be a link of the administrator's. */
static json_t *read_config(const struct insp_sys *sys, const char *path)
{
	_cleanup_close_ int fd = sys_open_file(sys, path);
	_cleanup_io_buf_ struct io_buf b = { 0 };
	json_t *j = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    io_read_fd(fd, CONFIG_MAX, &b) < 0 || json_parse(b.data, b.len, &j, NULL) < 0)
		return NULL;
	return j;
}

static int take_missing(char **field, const char *value)
{
	if (*field || !value)
		return 0;
	*field = str_dup(value);
	return *field ? 0 : -ENOMEM;
}

int docker_flags_add_config(const struct insp_sys *sys, const char *path, struct docker_flags *f)
{
	_cleanup_json_ json_t *j = read_config(sys, path);

	if (take_missing(&f->data_root, json_str_at(j, "data-root")) < 0 ||
	    take_missing(&f->data_root, json_str_at(j, "graph")) < 0 ||
	    take_missing(&f->exec_root, json_str_at(j, "exec-root")) < 0)
		return -ENOMEM;
	return 0;
}
