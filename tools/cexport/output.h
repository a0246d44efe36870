/* Where the archive goes: a pipe, or a file that is there whole or not at all. */
#ifndef SONDE_CEXPORT_OUTPUT_H
#define SONDE_CEXPORT_OUTPUT_H

#include "libinspect/inspect.h"

/* Free with output_close(). */
struct output {
	int fd;
	bool is_stdout;
	bool direct; /* what was there is no regular file, and is written to */
	int dirfd;   /* of the file */
	char *name;  /* the file's, in dirfd */
	char *temp;  /* what it is called until it is whole; NULL: nothing */
};

/*
 * path: a file, NULL or "-" for stdout. -ENOTTY: stdout is a terminal. The file is readable by its owner only: it has
 * what is in the container's /etc/shadow. A file that is there stays until output_commit().
 */
int output_open(struct output *out, const char *path, struct insp_err *err);
/* Puts the file in its place. */
int output_commit(struct output *out, struct insp_err *err);
/* Without output_commit() nothing is left of it. */
void output_close(struct output *out);

#endif
