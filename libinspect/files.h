/*
 * A container's files, running or stopped: what changed, all of it, copies in and out. The second public header of
 * libinspect; its conventions are those of inspect.h.
 *
 * Nothing is mounted that anybody else sees, no namespace is changed, nothing of the container is run, and reading
 * leaves no access time behind where the kernel lets it. Every name below a container is opened below an fd, one component at
 * a time, so that a container which swaps links and directories meanwhile changes which of its own files is found.
 */
#ifndef SONDE_FILES_H
#define SONDE_FILES_H

#include "libinspect/inspect.h"

struct insp_files;

enum insp_files_from {
	/*
	 * Its root filesystem as its layers make it, whether it runs or not: what the engine's own diff, export and
	 * commit mean. Where something is mounted over it (/proc, a volume), what lies below is seen.
	 */
	INSP_FILES_LAYERS,
	/* As its processes see them, with everything that is mounted: of a running container only. */
	INSP_FILES_LIVE,
	/* As they were before it ran: its image, without what the engine put there. */
	INSP_FILES_IMAGE,
};

/*
 * Opens the files of c, which must have been resolved with INSP_WANT_FILES. -ENODATA: where they are is not known, or
 * kept nowhere, and err says why; -ESRCH: INSP_FILES_LIVE of what does not run. c must live as long as the files.
 * Give back with insp_files_close(), which returns NULL.
 */
int insp_files_open(struct insp_sys *sys, const struct insp_container *c, enum insp_files_from from,
		    struct insp_files **ret_files, struct insp_err *err);
struct insp_files *insp_files_close(struct insp_files *files);

#endif
