/*
 * Only in the static tools (linked with --wrap): libsqlite3 can load extensions, which needs dlopen(). Nothing may be
 * loaded by a program that enters containers, and a static one could not do it reliably: here it always fails. SQLite's
 * function is never called, base/sqlite.c allows no extensions.
 */
#include <stddef.h>

void *__wrap_dlopen(const char *file, int mode);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dlclose(void *handle);
char *__wrap_dlerror(void);

void *__wrap_dlopen(const char *file, int mode)
{
	return NULL;
}

void *__wrap_dlsym(void *handle, const char *name)
{
	return NULL;
}

int __wrap_dlclose(void *handle)
{
	return -1;
}

char *__wrap_dlerror(void)
{
	static char text[] = "nothing is loaded into this program";

	return text;
}
