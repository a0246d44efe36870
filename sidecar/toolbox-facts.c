/*
 * What a toolbox's programs are started with: its shell, the loader that this names, the directories of its libraries. All of it
 * is read below the tree's root; a hostile image decides what it says, not where it is looked for.
 */
#include "sidecar/internal.h"
#include "sidecar/toolbox.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define CONF_MAX  16384
#define CONFS_MAX 64 /* files in ld.so.conf.d */

static const char *const shells[] = { "/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh" };
/* where loaders look without being told, and where what links to them is on hosts without multiarch */
static const char *const usual[] = { "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib" };

void toolbox_facts_clear(struct toolbox_facts *facts)
{
	free(facts->shell);
	free(facts->loader);
	free(facts->library_path);
	*facts = (struct toolbox_facts){ 0 };
}

/* ---- the loader ---- */

static ssize_t read_at(int fd, void *buf, size_t len, uint64_t at)
{
	return at > INT64_MAX - len ? -1 : pread(fd, buf, len, (off_t)at);
}

/* The text of PT_INTERP. */
static char *read_interp(int fd, uint64_t at, uint64_t len)
{
	char buf[PATH_MAX];

	if (len < 2 || len > sizeof(buf) || read_at(fd, buf, len, at) != (ssize_t)len ||
	    buf[len - 1] != '\0' || buf[0] != '/')
		return NULL;
	return strdup(buf);
}

#define INTERP_OF(bits)                                                                  \
	static char *interp_of_##bits(int fd)                                            \
	{                                                                                \
		Elf##bits##_Ehdr eh;                                                     \
		Elf##bits##_Phdr ph;                                                     \
                                                                                         \
		if (read_at(fd, &eh, sizeof(eh), 0) != (ssize_t)sizeof(eh) ||            \
		    eh.e_phentsize != sizeof(ph))                                        \
			return NULL;                                                     \
		for (unsigned i = 0; i < eh.e_phnum; i++) {                              \
			if (read_at(fd, &ph, sizeof(ph), eh.e_phoff + i * sizeof(ph)) != \
			    (ssize_t)sizeof(ph))                                         \
				return NULL;                                             \
			if (ph.p_type == PT_INTERP)                                      \
				return read_interp(fd, ph.p_offset, ph.p_filesz);        \
		}                                                                        \
		return NULL;                                                             \
	}
INTERP_OF(32)
INTERP_OF(64)

/* NULL: none, or it is of another byte order and so another machine's. */
static char *interp_of(int fd)
{
	unsigned char id[EI_NIDENT];
	const uint16_t one = 1;
	bool little = *(const unsigned char *)&one == 1;

	if (read_at(fd, id, sizeof(id), 0) != (ssize_t)sizeof(id) ||
	    memcmp(id, ELFMAG, SELFMAG) != 0 || id[EI_DATA] != (little ? ELFDATA2LSB : ELFDATA2MSB))
		return NULL;
	return id[EI_CLASS] == ELFCLASS64 ? interp_of_64(fd) : interp_of_32(fd);
}

static int look_at_shell(int tree, struct toolbox_facts *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		_cleanup_close_ int fd = insp_open_regular_in_root(tree, shells[i]);

		if (fd < 0)
			continue;
		f->shell = strdup(shells[i]);
		f->loader = interp_of(fd);
		return f->shell ? 0 : -ENOMEM;
	}
	return 0;
}

/* ---- its libraries ---- */

struct dirs {
	int tree;
	char *text; /* "/lib:/usr/lib" */
	size_t len;
	bool failed;
};

static bool has(const struct dirs *d, const char *dir)
{
	size_t len = strlen(dir);

	for (const char *p = d->text; p && *p; p += strcspn(p, ":"), p += *p == ':')
		if (strncmp(p, dir, len) == 0 && (p[len] == ':' || p[len] == '\0'))
			return true;
	return false;
}

/* One that is there, once. */
static void add_dir(struct dirs *d, const char *dir)
{
	_cleanup_close_ int fd = -1;
	char *text = NULL;
	int n;

	if (dir[0] != '/' || strchr(dir, ':') || has(d, dir))
		return;
	fd = insp_open_in_root(d->tree, dir, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return;
	n = asprintf(&text, "%s%s%s", d->text ? d->text : "", d->text ? ":" : "", dir);
	if (n < 0) {
		d->failed = true;
		return;
	}
	free(d->text);
	d->text = text;
}

/* Lines that are a directory; "include" is followed by who calls: Debian's and Fedora's mean ld.so.conf.d. */
static void add_conf(struct dirs *d, const char *path)
{
	_cleanup_close_ int fd = insp_open_regular_in_root(d->tree, path);
	char buf[CONF_MAX + 1], *save = NULL;
	ssize_t n = fd < 0 ? -1 : files_read_fd(fd, buf, CONF_MAX);

	if (n < 0)
		return;
	buf[n] = '\0';
	for (char *line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, "# \t\r")] = '\0';
		add_dir(d, line);
	}
}

static int conf_filter(const struct dirent *de)
{
	size_t len = strlen(de->d_name);

	return len > 5 && strcmp(de->d_name + len - 5, ".conf") == 0;
}

static void add_confs(struct dirs *d, const char *in)
{
	_cleanup_close_ int fd = insp_open_in_root(d->tree, in, O_RDONLY | O_DIRECTORY, 0);
	struct dirent **found = NULL;
	int n = fd < 0 ? 0 : scandirat(fd, ".", &found, conf_filter, alphasort);

	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", in, found[i]->d_name);
		if (i < CONFS_MAX)
			add_conf(d, path);
		free(found[i]);
	}
	free(found);
}

int toolbox_look(int tree, struct toolbox_facts *ret, struct insp_err *err)
{
	struct toolbox_facts f = { 0 };
	struct dirs d = { .tree = tree };
	int r = look_at_shell(tree, &f);

	add_confs(&d, "/etc/ld.so.conf.d");
	add_conf(&d, "/etc/ld.so.conf");
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		add_dir(&d, usual[i]);
	f.library_path = d.text;
	if (r < 0 || d.failed) {
		toolbox_facts_clear(&f);
		return insp_err_set(err, -ENOMEM, "look at the toolbox");
	}
	*ret = f;
	return 0;
}
