/* The command of a session in a toolbox: its shell, and what is said when it cannot be run. After the pivot, as its user. */
#include "sidecar/environ.h"
#include "sidecar/toolbox-root.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/utsname.h>

#define SHELL "SHELL="

char *toolbox_shell(char **envp)
{
	static char sh[] = "/bin/sh", bash[] = SHELL "/bin/bash";

	if (access("/bin/bash", X_OK) < 0)
		return sh;
	for (char **e = envp; *e; e++)
		if (strcmp(*e, SHELL "/bin/sh") == 0) {
			free(*e);
			*e = bash;
		}
	return bash + strlen(SHELL);
}

/* ---- another machine's programs ---- */

static const struct {
	unsigned machine;
	const char *name;
} machines[] = {
	{ EM_386, "i386" },	   { EM_X86_64, "x86_64" }, { EM_ARM, "arm" },
	{ EM_AARCH64, "aarch64" }, { EM_PPC64, "ppc64" },   { EM_S390, "s390x" },
	{ EM_RISCV, "riscv64" },   { EM_MIPS, "mips" },
};

/* Opens what execvp() would have run. */
static int open_program(const char *program, const char *path)
{
	char buf[4096];

	if (strchr(program, '/'))
		return open(program, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	while (path && *path) {
		size_t len = strcspn(path, ":");

		snprintf(buf, sizeof(buf), "%.*s/%s", (int)len, path, program);
		if (access(buf, X_OK) == 0)
			return open(buf, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		path += len + (path[len] == ':');
	}
	return -1;
}

/* "aarch64"; NULL: it is no ELF file, or one of a machine that nobody has. */
static const char *machine_of(const char *program)
{
	_cleanup_close_ int fd = open_program(program, environ_get(environ, "PATH"));
	unsigned char h[20];
	unsigned machine;

	if (fd < 0 || pread(fd, h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
	    memcmp(h, ELFMAG, SELFMAG) != 0)
		return NULL;
	machine = h[EI_DATA] == ELFDATA2MSB ? h[18] << 8 | h[19] : h[19] << 8 | h[18];
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	return NULL;
}

void toolbox_cannot_run(const struct toolbox *t, const char *program, int error,
			struct insp_err *err)
{
	const char *file = program ?: "/bin/sh";
	const char *machine = error == -ENOEXEC ? machine_of(file) : NULL;
	struct utsname host;

	if (machine && uname(&host) == 0) {
		insp_err_say(err, error, "toolbox '%s': '%s' is for %s, and this host is %s",
			     t->spec, file, machine, host.machine);
		return;
	}
	if (error == -ENOENT && !program) {
		insp_err_say(err, error, "toolbox '%s' has no shell: neither /bin/bash nor /bin/sh",
			     t->spec);
		insp_err_hint(err, "name a command of it, as in 'cdebug … CONTAINER -- COMMAND'");
		return;
	}
	insp_err_set(err, error, "run '%s'", file);
	/* the kernel says that, too, of a program whose loader is not there */
	if (error == -ENOENT)
		insp_err_hint(err,
			      "it is looked for in the toolbox '%s'; the container's programs "
			      "are below /target",
			      t->spec);
}
