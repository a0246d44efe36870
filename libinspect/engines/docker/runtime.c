/*
 * The start time of a container's init, which the daemon does not keep but its runtime does: without it a pid that was
 * reused would pass for the container.
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define DEFAULT_EXEC_ROOT "/run/docker"

/*
 * Both files are written once, by the runtime, with this number near their beginning (state.json is 30 KB, nearly all
 * of it the OCI configuration, and there is one for each container): it is looked for, not parsed.
 */
static const struct {
	const char *directory, *file, *key;
} runtimes[] = {
	{ "runtime-runc", "state.json", "\"init_process_start\":" },
	{ "runtime-crun", "status", "\"process-start-time\":" },
};
#define PREFIX 2048

static uint64_t number_after(const char *buf, size_t len, const char *key)
{
	const char *p = memmem(buf, len, key, strlen(key));
	uint64_t v = 0;

	if (!p)
		return 0;
	for (p += strlen(key); *p == ' '; p++)
		;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return 0;
	/* cut off by the end of what was read: not the whole number */
	return *p ? v : 0;
}

static uint64_t read_start(const struct insp_sys *sys, const char *path, const char *key)
{
	_cleanup_close_ int fd = sys_open(sys, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	char buf[PREFIX + 1];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	n = pread(fd, buf, PREFIX, 0);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	return number_after(buf, (size_t)n, key);
}

static uint64_t start_below(const struct insp_sys *sys, const char *exec_root, const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		_cleanup_free_ char *path = str_format("%s/%s/moby/%s/%s", exec_root,
						       runtimes[i].directory, id, runtimes[i].file);
		uint64_t start = path ? read_start(sys, path, runtimes[i].key) : 0;
		if (start)
			return start;
	}
	return 0;
}

/* NetworkSettings.SandboxKey is EXEC/netns/HEX: a daemon that is gone has left its exec root there. */
static char *exec_root_of(const struct docker_record *rec)
{
	const char *key = rec->sandbox_key, *tail = key ? strstr(key, "/netns/") : NULL;

	return tail && key[0] == '/' ? strndup(key, (size_t)(tail - key)) : NULL;
}

uint64_t docker_init_start(const struct insp_sys *sys, const struct docker_root *root,
			   const struct docker_record *rec, const char *id)
{
	_cleanup_free_ char *derived = exec_root_of(rec);
	const char *tries[] = { root->exec_root, derived, DEFAULT_EXEC_ROOT };

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		uint64_t start = tries[i] ? start_below(sys, tries[i], id) : 0;

		if (start)
			return start;
	}
	return 0;
}
