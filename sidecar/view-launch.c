/*
 * /.sonde/bin/NAME: starts the toolbox's NAME in the target view, where neither its loader nor its libraries are where they
 * ought to be. See view-layout.h. What it executes is a copy that was made ready for here, with the arguments unchanged;
 * of a script, its interpreter.
 *
 * NAME is what the kernel was asked to execute (AT_EXECFN), not argv[0], which callers choose ("-bash").
 */
#include "sidecar/view-launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define SCRIPTS_MAX 4
#define LINE_MAX_   256 /* BINPRM_BUF_SIZE of the kernel */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static _Noreturn void die(const char *name, int error)
{
	fprintf(stderr, "%s: not started: %s\n", name,
		error == ENOENT ? "the toolbox has no such program" : strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

/* NAME in the toolbox's directories; path is where. */
static int find_program(int box, const char *name, char *path, size_t size)
{
	int error = -ENOENT;

	for (size_t i = 0; view_program_dirs[i]; i++) {
		struct stat st;
		int fd;

		snprintf(path, size, "%s/%s", view_program_dirs[i], name);
		fd = box_open(box, path);
		if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0111))
			return fd;
		if (fd >= 0)
			close(fd);
		else if (fd != -ENOENT)
			error = fd;
	}
	return error;
}

/* "#!/bin/sh -e" of the file into line, of LINE_MAX_ bytes; false: it is none. */
static bool read_script_line(int fd, char *line)
{
	ssize_t n = pread(fd, line, LINE_MAX_ - 1, 0);

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/*
 * Where the file is, links resolved. Not the name it was found by: followed by the interpreter, an absolute link of the
 * toolbox (/etc/alternatives) would lead into the container.
 */
static char *resolved(int fd, const char *name)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		die(name, errno);
	path[n] = '\0';
	if (strncmp(path, VIEW_TOOLBOX "/", sizeof(VIEW_TOOLBOX)) != 0)
		die(name, EXDEV);
	return strdup(path);
}

/* Ends the interpreter's word, and gives what comes behind it, without blanks around. */
static char *split_line(char *interpreter)
{
	char *arg = interpreter + strcspn(interpreter, " \t"), *end;

	if (!*arg)
		return arg;
	*arg++ = '\0';
	arg += strspn(arg, " \t");
	end = arg + strlen(arg);
	while (end > arg && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return arg;
}

/* argv with the words before it that a script's first line asks for; argv[0] is replaced. */
static char **script_arguments(char *line, char *script, char **argv)
{
	char *interpreter = line + 2 + strspn(line + 2, " \t");
	char *arg = split_line(interpreter), **words;
	size_t n = 0, at = 0;

	while (argv[n])
		n++;
	words = calloc(n + 4, sizeof(*words));
	if (!words || !script)
		die("launch", ENOMEM);
	words[at++] = strdup(interpreter);
	if (*arg)
		words[at++] = strdup(arg);
	words[at++] = script;
	for (size_t i = 1; i < n; i++)
		words[at++] = argv[i];
	return words;
}

static _Noreturn void start(int box, const char *name, char **argv)
{
	char path[PATH_MAX], line[LINE_MAX_], ready[PATH_MAX];
	int fd = find_program(box, name, path, sizeof(path)), r;

	for (int i = 0; fd >= 0 && i < SCRIPTS_MAX && read_script_line(fd, line); i++) {
		argv = script_arguments(line, resolved(fd, name), argv);
		close(fd);
		snprintf(path, sizeof(path), "%s", argv[0]);
		fd = box_open(box, path);
	}
	if (fd < 0)
		die(name, -fd);
	r = cache_program(box, fd, path, strcmp(argv[0], path) == 0 ? last_part(path) : name, ready,
			  sizeof(ready));
	if (r < 0)
		die(name, -r);
	execv(ready, argv);
	die(name, errno);
}

int main(int argc, char *argv[])
{
	const char *asked = (const char *)getauxval(AT_EXECFN);
	const char *name = last_part(asked && *asked ? asked : "");
	int box = open(VIEW_TOOLBOX, O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* fexecve() names a descriptor */
	if (argc > 0 && asked && strncmp(asked, "/dev/fd/", 8) == 0)
		name = last_part(argv[0]);
	if (argc < 1 || !*name)
		die("launch", EINVAL);
	if (box < 0)
		die(name, errno);
	start(box, name, argv);
}
