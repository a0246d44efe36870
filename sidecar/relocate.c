/*
 * A program's built-in paths, made to lead into the toolbox.
 *
 * Where a program is started below another's root, the paths in its own code are the other's to lay out: loader and
 * libraries, converters, start files, "/bin/sh" for system(3). All would be read, and run, from the container. So the first
 * part of each is replaced in the program's bytes by another of the same length, as package managers do that install into a
 * directory of the user's choice: no offset changes. A few files that are data alone and say what the container's names
 * mean stay the container's. Of its users names and numbers do (view-users.c).
 */
#include "sidecar/view-layout.h"

#include <stdbool.h>
#include <string.h>

const struct view_path view_paths[] = {
	/* the C library asks who listens there before it reads a file: nobody */
	{ "/var/run/nscd", "/.sonde/nscd/", NULL, NULL },
	{ "/var/lib", "/.v/////", ".v", ".sonde/toolbox/var/lib" },
	{ "/lib64", "/.l64/", ".l64", ".sonde/var/lib" },
	{ "/sbin", "/.sb/", ".sb", ".sonde/bin" },
	{ "/usr", "/.u/", ".u", ".sonde/usr" },
	{ "/etc", "/.e/", ".e", ".sonde/etc" },
	{ "/lib", "/.l/", ".l", ".sonde/var/lib" },
	{ "/bin", "/.b/", ".b", ".sonde/bin" },
	{ "/opt", "/.o/", ".o", ".sonde/toolbox/opt" },
};
const size_t view_n_paths = sizeof(view_paths) / sizeof(view_paths[0]);

const char *const view_program_dirs[] = { "usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin",
					  "sbin",	    "bin",	     NULL };

static const char *const containers_own[] = {
	"/etc/hosts",	       "/etc/resolv.conf", "/etc/hostname", "/etc/fstab",
	"/etc/mtab",	       "/etc/subuid",	   "/etc/subgid",   "/etc/os-release",
	"/usr/lib/os-release", "/var/lib/dpkg",	   "/var/lib/rpm",
};

static bool is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == '+';
}

/* Whether the path begins at p, which has n bytes, and its last name ends there, too. */
static bool begins_with(const uint8_t *p, size_t n, const char *path)
{
	size_t len = strlen(path);

	return n >= len && memcmp(p, path, len) == 0 && (n == len || !is_name_char(p[len]));
}

static bool stays(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(containers_own) / sizeof(containers_own[0]); i++)
		if (begins_with(p, n, containers_own[i]))
			return true;
	return false;
}

static bool rewrite(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < view_n_paths; i++)
		if (begins_with(p, n, view_paths[i].built_in)) {
			if (stays(p, n))
				return false;
			memcpy(p, view_paths[i].here, strlen(view_paths[i].here));
			return true;
		}
	return false;
}

/* "x/usr", "%s/usr", "../usr", "//usr", "}/usr" go on from something else */
static bool goes_on(uint8_t before)
{
	return is_name_char(before) || before == '/' || before == '}' || before == ')';
}

size_t relocate_paths(uint8_t *data, size_t size)
{
	uint8_t *p = data, *end = data + size;
	size_t n = 0;

	while ((p = memchr(p, '/', (size_t)(end - p)))) {
		if ((p == data || !goes_on(p[-1])) && rewrite(p, (size_t)(end - p)))
			n++;
		p++;
	}
	return n;
}
