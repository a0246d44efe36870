/*
 * Cleanup attributes for the tools, which see of libinspect only inspect.h (the layer map in
 * docs/architecture.md). Same names and meanings as in the library.
 */
#ifndef SONDE_SHARED_UTIL_H
#define SONDE_SHARED_UTIL_H

#include "libinspect/inspect.h"

#include <stdlib.h>
#include <unistd.h>

#ifndef SONDE_BASE_UTIL_H /* a unit test may have the library's own */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

static inline void tool_freep(void *p)
{
	free(*(void **)p);
}

static inline void tool_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#define _cleanup_(f)	  _cleanup_attr_(f)
#define _cleanup_attr_(f) __attribute__((cleanup(f)))
#define _cleanup_free_	  _cleanup_(tool_freep)
#define _cleanup_close_	  _cleanup_(tool_closep)
#endif

static inline void tool_sysp(struct insp_sys **sys)
{
	if (*sys)
		insp_sys_close(*sys);
}
static inline void tool_pidp(struct insp_pid **pid)
{
	if (*pid)
		insp_pid_close(*pid);
}
static inline void tool_containerp(struct insp_container **c)
{
	if (*c)
		insp_container_free(*c);
}

#define _cleanup_sys_	    _cleanup_(tool_sysp)
#define _cleanup_pid_	    _cleanup_(tool_pidp)
#define _cleanup_container_ _cleanup_(tool_containerp)
#define _cleanup_list_	    _cleanup_(insp_list_clear)
#define _cleanup_diags_	    _cleanup_(insp_diags_clear)
#define _cleanup_procs_	    _cleanup_(insp_procs_clear)

#endif
