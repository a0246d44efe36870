/* Cleanup attributes and small macros that every file uses. */
#ifndef SONDE_BASE_UTIL_H
#define SONDE_BASE_UTIL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b)  ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)  ((a) > (b) ? (a) : (b))

/* Hands ownership on: the variable is empty afterwards. */
#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})
#define TAKE_FD(fd)                \
	({                         \
		int taken_ = (fd); \
		(fd) = -EBADF;     \
		taken_;            \
	})

static inline void util_freep(void *p)
{
	free(*(void **)p);
}

/*
 * Makes room behind the n items of size bytes that the pointer at items leads to, of which there is room for *cap: first at the
 * beginning, then twice as many. false: memory is out, and nothing changed.
 */
static inline bool util_grow(void *items, size_t n, size_t *cap, size_t size, size_t first)
{
	size_t more = *cap ? *cap * 2 : first;
	void *bigger;

	if (n < *cap)
		return true;
	bigger = reallocarray(*(void **)items, more, size);
	if (!bigger)
		return false;
	*(void **)items = bigger;
	*cap = more;
	return true;
}

/* Keeps errno, closes only what is open, gives back "empty". */
static inline int util_close(int fd)
{
	if (fd >= 0) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
	return -EBADF;
}

static inline void util_closep(int *fd)
{
	*fd = util_close(*fd);
}

static inline void util_closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static inline void util_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_(f)	   __attribute__((cleanup(f)))
#define _cleanup_free_	   _cleanup_(util_freep)
#define _cleanup_close_	   _cleanup_(util_closep)
#define _cleanup_closedir_ _cleanup_(util_closedirp)
#define _cleanup_fclose_   _cleanup_(util_fclosep)

/* Every entry of an open directory but "." and "..". */
#define for_each_dirent(de, dir)                                                   \
	for (struct dirent *de = readdir(dir); de; de = readdir(dir))              \
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0) \
			continue;                                                  \
		else

#endif
