/*
 * Whether a container's init lives: by its start time, which the daemon does not keep but its runtime does. Without it
 * a pid that was reused would pass for the container.
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/engines/gvisor.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define DEFAULT_EXEC_ROOT "/run/docker"
#define EXEC_ROOTS	  3 /* places where an exec root is looked for */

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

/* Where a runtime keeps the records of a root's containers: with each exec root and namespace. */
struct places {
	const struct insp_sys *sys;
	const struct docker_root *root;
	const char *exec_roots[EXEC_ROOTS];
};

/* The n-th of them, of that runtime; *ret NULL: there is none of that number. false: no more. */
static bool place(const struct places *p, size_t n, const char *runtime, char **ret)
{
	const char *exec_root, *ns;

	*ret = NULL;
	if (n >= EXEC_ROOTS * DOCKER_NAMESPACES)
		return false;
	exec_root = p->exec_roots[n / DOCKER_NAMESPACES];
	ns = p->root->namespaces[n % DOCKER_NAMESPACES];
	if (exec_root && ns[0])
		*ret = str_format("%s/%s/%s", exec_root, runtime, ns);
	return true;
}

static uint64_t find_start(const struct places *p, const char *id)
{
	for (size_t n = 0;; n++) {
		for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
			_cleanup_free_ char *dir = NULL, *path = NULL;
			uint64_t start;

			if (!place(p, n, runtimes[i].directory, &dir))
				return 0;
			path = dir ? str_format("%s/%s/%s", dir, id, runtimes[i].file) : NULL;
			start = path ? read_start(p->sys, path, runtimes[i].key) : 0;
			if (start)
				return start;
		}
	}
}

/* A sandbox with a kernel of its own; its record is where the daemon tells every runtime to keep it. -ENOENT. */
static int claim_sandbox(struct engine_scan *scan, const struct places *p, struct insp_container *c)
{
	int r = -ENOENT;

	for (size_t n = 0; r < 0 && r != -ENOMEM; n++) {
		_cleanup_free_ char *dir = NULL;
		_cleanup_close_ int fd = -EBADF;

		if (!place(p, n, runtimes[0].directory, &dir))
			break;
		fd = dir ? sys_open_dir(scan->sys, dir) : -ENOENT;
		if (fd >= 0)
			r = gvisor_claim(scan, fd, c->id, c, NULL);
	}
	return r;
}

/* NetworkSettings.SandboxKey is EXEC/netns/HEX: a daemon that is gone has left its exec root there. */
static char *exec_root_of(const struct docker_record *rec)
{
	const char *key = rec->sandbox_key, *tail = key ? strstr(key, "/netns/") : NULL;

	return tail && key[0] == '/' ? strndup(key, (size_t)(tail - key)) : NULL;
}

int docker_claim_init(struct engine_scan *scan, const struct docker_root *root,
		      const struct docker_record *rec, struct insp_container *c)
{
	_cleanup_free_ char *derived = exec_root_of(rec);
	const struct places p = { .sys = scan->sys,
				  .root = root,
				  .exec_roots = { root->exec_root, derived, DEFAULT_EXEC_ROOT } };
	uint64_t start = find_start(&p, c->id);
	int r;

	if (start == 0) {
		r = claim_sandbox(scan, &p, c);
		if (r >= 0 || r == -ENOMEM)
			return r;
	}
	return engine_claim_init(scan, c, rec->pid, start);
}
