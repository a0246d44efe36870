/* Toolboxes that need no path: those below the places where they are installed, or put by a person. */
#include "sidecar/environ.h"
#include "sidecar/toolbox-kinds.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

/* In this order: one's own comes before the host's. */
#define PLACES	  3
#define OWN_PLACE "%s/.local/share/sonde"
static const char *const host_places[] = { "/usr/local/lib/sonde/toolbox",
					   "/usr/lib/sonde/toolbox" };

static const char *const suffixes[] = { ".squashfs", ".sqfs",	".erofs",   ".tar",    ".tar.gz",
					".tgz",	     ".tar.xz", ".tar.zst", ".tar.bz2" };

static int place(size_t i, char *const *envp, char path[PATH_MAX])
{
	const char *home = environ_get(envp, "HOME");

	if (i > 0)
		return snprintf(path, PATH_MAX, "%s", host_places[i - 1]) < PATH_MAX ? 0 : -ENOENT;
	if (!home || home[0] != '/' || snprintf(path, PATH_MAX, OWN_PLACE, home) >= PATH_MAX)
		return -ENOENT;
	return 0;
}

/* "debian.squashfs" is called "debian", too. */
static bool is_called(const char *file, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(file, name, len) != 0)
		return false;
	if (file[len] == '\0')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (strcmp(file + len, suffixes[i]) == 0)
			return true;
	return false;
}

bool toolbox_is_trusted_owner(uid_t uid, char *const *envp)
{
	const char *sudo = environ_get(envp, "SUDO_UID");
	char owner[16];

	snprintf(owner, sizeof(owner), "%u", (unsigned)uid);
	return uid == 0 || (sudo && strcmp(sudo, owner) == 0);
}

/* Who else could put something there would have root run it: for that a person has to write a path. */
static bool is_trusted(const struct stat *st, char *const *envp)
{
	return toolbox_is_trusted_owner(st->st_uid, envp) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int each_in(const char *dir, char *const *envp,
		   int (*each)(const char *path, const char *name, bool trusted, void *arg),
		   void *arg)
{
	struct dirent **found = NULL;
	int n = scandir(dir, &found, NULL, alphasort), r = 0;

	for (int i = 0; i < n; i++) {
		const char *name = found[i]->d_name;
		char path[PATH_MAX];
		struct stat st, at;

		if (r == 0 && name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", dir, name) < PATH_MAX &&
		    stat(path, &st) == 0 && stat(dir, &at) == 0)
			r = each(path, name, is_trusted(&st, envp) && is_trusted(&at, envp), arg);
		free(found[i]);
	}
	free(found);
	return r;
}

struct search {
	const char *name;
	char *found;
	bool trusted;
};

static int take(const char *path, const char *name, bool trusted, void *arg)
{
	struct search *s = arg;

	if (!is_called(name, s->name))
		return 0;
	s->found = strdup(path);
	s->trusted = trusted;
	return s->found ? 1 : -ENOMEM;
}

int toolbox_named(const char *name, char *const *envp, char **ret_path)
{
	struct search s = { .name = name };
	char dir[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < PLACES && r == 0; i++)
		if (place(i, envp, dir) == 0)
			r = each_in(dir, envp, take, &s);
	if (r < 0)
		return r;
	if (s.found && !s.trusted) {
		free(s.found);
		return -EPERM;
	}
	*ret_path = s.found;
	return s.found ? 0 : -ENOENT;
}

struct listing {
	int (*each)(const struct toolbox *t, uint64_t size, void *arg);
	void *arg;
};

static int show(const char *path, const char *name, bool trusted, void *arg)
{
	const struct listing *l = arg;
	struct toolbox t = { .spec = (char *)(uintptr_t)name, .path = (char *)(uintptr_t)path };
	struct insp_err err = { 0 };
	struct stat st;

	/* what is none is not listed */
	if (!trusted || toolbox_look_at(&t, &err) < 0 || stat(path, &st) < 0)
		return 0;
	return l->each(&t, t.kind == TOOLBOX_DIR ? 0 : (uint64_t)st.st_size, l->arg);
}

int toolbox_list(char *const *envp, int (*each)(const struct toolbox *t, uint64_t size, void *arg),
		 void *arg)
{
	struct listing l = { each, arg };
	char dir[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < PLACES && r == 0; i++)
		if (place(i, envp, dir) == 0)
			r = each_in(dir, envp, show, &l);
	return r;
}
