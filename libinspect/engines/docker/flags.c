/* What a daemon was told about its directories: its command line, then its daemon.json. */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/goflags.h"
#include "libinspect/engines/homes.h"

#include <sys/stat.h>

#define CONFIG_MAX (1024 * 1024)

void docker_flags_free(struct docker_flags *f)
{
	free(f->data_root);
	free(f->exec_root);
	free(f->config_file);
	*f = (struct docker_flags){ 0 };
}

int docker_flags_parse(const char *args, size_t len, struct docker_flags *ret)
{
	_cleanup_(docker_flags_free) struct docker_flags f = { 0 };
	/* --graph and -g: the words of --data-root before 17.05, taken until 23.0 */
	const struct goflag known[] = {
		{ "--data-root", &f.data_root },
		{ "--graph", &f.data_root },
		{ "-g", &f.data_root },
		{ "--exec-root", &f.exec_root },
		{ "--config-file", &f.config_file },
	};
	int r = goflags_parse(args, len, known, ARRAY_SIZE(known));

	if (r < 0)
		return r;
	*ret = f;
	f = (struct docker_flags){ 0 };
	return 0;
}

/* /etc/docker/daemon.json may be a link of the administrator's. */
static json_t *read_config(struct engine_scan *scan, uid_t uid, const char *path)
{
	_cleanup_close_ int fd = homes_open_file(scan, uid, path);
	_cleanup_io_buf_ struct io_buf b = { 0 };
	struct insp_err err = { 0 };
	json_t *j = NULL;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	r = io_read_fd(fd, CONFIG_MAX, &b);
	/* an empty one is none, says dockerd */
	if (r == 0 && b.data[strspn(b.data, " \t\r\n")])
		r = json_parse(b.data, b.len, &j, &err);
	if (r < 0) {
		if (err.code == 0)
			insp_err_set(&err, r, "cannot be read");
		insp_err_wrap(&err, r, "docker: read '%s'", path);
		insp_err_hint(&err, "the default data root is looked at");
		engine_scan_fail(scan, &err);
	}
	return j;
}

static int take_missing(char **field, const char *value)
{
	if (*field || !value)
		return 0;
	*field = str_dup(value);
	return *field ? 0 : -ENOMEM;
}

int docker_flags_add_config(struct engine_scan *scan, uid_t uid, const char *path,
			    struct docker_flags *f)
{
	_cleanup_json_ json_t *j = read_config(scan, uid, path);

	if (take_missing(&f->data_root, json_str_at(j, "data-root")) < 0 ||
	    take_missing(&f->data_root, json_str_at(j, "graph")) < 0 ||
	    take_missing(&f->exec_root, json_str_at(j, "exec-root")) < 0)
		return -ENOMEM;
	return 0;
}
