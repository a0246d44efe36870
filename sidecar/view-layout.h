/*
 * Where things are in the target view, for cdebug, which makes it, and for the launcher, which starts programs in it.
 *
 *   /.sonde/toolbox    the toolbox's own root: its programs as they are
 *   /.sonde/bin        for each of its programs a link to the launcher; $PATH
 *   /.sonde/var/run    programs made ready to run here, VIEW_RUN/KEY/NAME
 *   /.sonde/var/lib    the libraries and the loader they need, made ready likewise
 *   /.sonde/var/tmp, /.sonde/home   $TMPDIR, $HOME
 *   /.sonde/usr, /.sonde/etc        links to what programs may read of the toolbox's /usr and /etc
 *   /.sonde/etc/passwd, group       the container's users by name and number alone
 *
 * All but toolbox are in memory. The paths that a program has built in ("/usr/share/terminfo") would be the container's in
 * here. They are rewritten, byte for byte as long as they were, to links in the view's root that lead into the directories
 * above (relocate.c). What the user names ("cat /etc/profile") stays the container's.
 */
#ifndef SONDE_SIDECAR_VIEW_LAYOUT_H
#define SONDE_SIDECAR_VIEW_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define VIEW_DIR      "/.sonde"
#define VIEW_TOOLBOX  VIEW_DIR "/toolbox"
#define VIEW_BIN      VIEW_DIR "/bin"
#define VIEW_HOME     VIEW_DIR "/home"
#define VIEW_LAUNCHER VIEW_DIR "/launch"
#define VIEW_RUN      VIEW_DIR "/var/run"
#define VIEW_LIB      VIEW_DIR "/var/lib"
#define VIEW_TMP      VIEW_DIR "/var/tmp"

/* The loader of every program, as its ELF header names it: this and the loader's own name. No longer than "/lib/". */
#define VIEW_LOADER_DIR "/.l/"

struct view_path {
	const char *built_in; /* "/usr" */
	const char *here;     /* "/.u/": as long, with slashes where the other is longer */
	const char *link;     /* ".u", in the root; NULL: none */
	const char *to;	      /* what it leads to */
};
/* Longest first. */
extern const struct view_path view_paths[];
extern const size_t view_n_paths;

/* Where a toolbox has its programs, as PATH would name them. Relative to its root; NULL-terminated. */
extern const char *const view_program_dirs[];

/* Rewrites the built-in paths in a program's bytes. Returns how many. */
size_t relocate_paths(uint8_t *data, size_t size);

#endif
