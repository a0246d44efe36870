/* The launcher: what /.sonde/bin/NAME is in the target view. Static, and alone: nothing of libinspect is in it. */
#ifndef SONDE_SIDECAR_VIEW_LAUNCH_H
#define SONDE_SIDECAR_VIEW_LAUNCH_H

#include "sidecar/view-layout.h"

#include <stdbool.h>
#include <sys/stat.h>

/* A file of the toolbox in memory, to be changed there. */
struct image {
	uint8_t *data;
	size_t size;
	struct stat st;
};
/* fd is closed. -errno; -ENOEXEC: empty, or too large. */
int image_read(int fd, struct image *ret);
void image_clear(struct image *img);

/* ---- view-elf.c: both machines' byte order and word size are ours, or it is none ---- */

struct elf_needs {
	const char
		*loader; /* "/lib64/ld-linux-x86-64.so.2"; NULL: a static program, or a library */
	const char *runpath; /* NULL: none */
	const char *names[256];
	size_t n;
};
/* The strings are the image's. -ENOEXEC: no ELF file for this machine. */
int elf_look(const struct image *img, struct elf_needs *ret);
/*
 * Makes it one of the target view: its loader is that in VIEW_LOADER_DIR, its libraries are looked for where the loader does
 * of itself, its built-in paths are the toolbox's. -ENAMETOOLONG: the loader's name does not fit.
 */
int elf_adapt(struct image *img);

/* ---- view-cache.c ---- */

/*
 * The program behind fd (closed), which is path in the toolbox, made ready: what to execve(). -errno. box: the toolbox's root.
 */
int cache_program(int box, int fd, const char *path, const char *name, char *ret, size_t size);
/* A file of the toolbox, links resolved below its root. fd or -errno. */
int box_open(int box, const char *path);

#endif
