/* Docker stores made up in a temporary directory that serves as a host's root. */
#ifndef SONDE_TESTS_DOCKER_STORE_H
#define SONDE_TESTS_DOCKER_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "tests/unit/scratch.h"

#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#define STORE "var/lib/docker"

struct host {
	char root[SCRATCH_PATH];
	int fd;
};

static inline void host_mkdirs(const struct host *h, const char *path)
{
	char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%s", path);
	for (char *p = buf; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (*buf)
			mkdirat(h->fd, buf, 0755);
	}
	assert_true(mkdirat(h->fd, buf, 0755) == 0 || errno == EEXIST);
}

static inline void host_write(const struct host *h, const char *path, const char *text)
{
	_cleanup_free_ char *dir = strdup(path);
	char *slash = strrchr(dir, '/');
	int fd;

	if (slash) {
		*slash = '\0';
		host_mkdirs(h, dir);
	}
	fd = openat(h->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static inline struct host host_make(void)
{
	struct host h;

	scratch_dir(h.root);
	h.fd = open(h.root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(h.fd >= 0);
	return h;
}

static int host_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void host_remove(struct host *h)
{
	close(h->fd);
	nftw(h->root, host_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct insp_sys *host_open(const struct host *h)
{
	struct insp_sys_opts opts = { .root = h->root };
	struct insp_sys *sys = NULL;

	assert_int_equal(insp_sys_open(&opts, &sys, NULL), 0);
	return sys;
}

/* The id of 64 digits that begins with the ones given. */
static inline const char *make_id(const char *digits, char id[65])
{
	memset(id, '0', 64);
	id[64] = '\0';
	memcpy(id, digits, strlen(digits));
	return id;
}

#define STATE_EXITED                                                                         \
	"{\"Running\":false,\"Paused\":false,\"Restarting\":false,\"Dead\":false,\"Pid\":0," \
	"\"ExitCode\":7,\"StartedAt\":\"2026-11-22T00:48:44Z\","                             \
	"\"FinishedAt\":\"2026-11-22T00:48:45.5Z\"}"

/* The record of a container that differs only in these. */
static inline char *make_record(const char *id, const char *name, const char *state)
{
	return str_format(
		"{\"StreamConfig\":{},\"State\":%s,\"ID\":\"%s\","
		"\"Created\":\"2026-11-22T00:48:43Z\",\"Path\":\"sh\","
		"\"Args\":[\"-c\",\"exit 7\"],\"Config\":{\"Hostname\":\"h1\","
		"\"Image\":\"citest:1\",\"Labels\":{\"a.b\":\"c d\","
		"\"com.docker.compose.project\":\"shop\"}},"
		"\"Image\":\"sha256:db2b1b22ede12e2ad052f631adb05fc12b63481ad32dbadc0f7466"
		"c3a5d096e3\",\"NetworkSettings\":{\"Ports\":{\"80/tcp\":[{\"HostIp\":"
		"\"127.0.0.1\",\"HostPort\":\"8088\"}],\"53/udp\":null},"
		"\"SandboxKey\":\"/run/own/netns/3efbb6d9bee3\"},"
		"\"LogPath\":\"/log\",\"Name\":\"/%s\",\"Driver\":\"overlay2\","
		"\"RestartCount\":3}\n",
		state, id, name);
}

/* Puts a record into the store below the host's root; digits begin the id. */
static inline void add_container(const struct host *h, const char *store, const char *digits,
				 const char *name)
{
	char id[65];
	_cleanup_free_ char *record = make_record(make_id(digits, id), name, STATE_EXITED);
	_cleanup_free_ char *path = str_format("%s/containers/%s/config.v2.json", store, id);

	host_write(h, path, record);
}

static inline const struct insp_container *find_name(const struct insp_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i]->name, name) == 0)
			return list->items[i];
	return NULL;
}

/* Its containers; what could not be read goes to diags. */
static inline struct insp_list host_list(const struct host *h, unsigned want,
					 struct insp_diags *diags)
{
	struct insp_sys *sys = host_open(h);
	struct insp_list list = { 0 };

	assert_int_equal(insp_list(sys, want, &list, diags, NULL), 0);
	insp_sys_close(sys);
	return list;
}

#endif
