/*
 * resolve [--store ENGINE=DIR]... [REFERENCE]: finds one container and prints ENGINE:ID. Without a reference it only opens
 * the host: what the other call costs more is finding the container, and nothing else. Linked with the library.
 */
#include "libinspect/inspect.h"

#include <stdio.h>
#include <string.h>

#define STORES_MAX 64

static int fail(const struct insp_err *err)
{
	fprintf(stderr, "resolve: %s\n", err->text);
	return 1;
}

static int find(struct insp_sys *sys, const char *ref)
{
	struct insp_container *c;
	struct insp_err err = { 0 };

	if (insp_resolve(sys, ref, 0, &c, NULL, &err) < 0)
		return fail(&err);
	printf("%s:%s\n", c->engine, c->id);
	insp_container_free(c);
	return 0;
}

int main(int argc, char *argv[])
{
	struct insp_store stores[STORES_MAX];
	struct insp_sys_opts opts = { .stores = stores };
	struct insp_sys *sys;
	struct insp_err err = { 0 };
	int i = 1, status;

	for (; i + 1 < argc && strcmp(argv[i], "--store") == 0; i += 2) {
		char *equals = strchr(argv[i + 1], '=');

		if (!equals || opts.n_stores == STORES_MAX)
			return 2;
		*equals = '\0';
		stores[opts.n_stores].engine = argv[i + 1];
		stores[opts.n_stores++].path = equals + 1;
	}
	if (insp_sys_open(&opts, &sys, &err) < 0)
		return fail(&err);
	status = i < argc ? find(sys, argv[i]) : 0;
	insp_sys_close(sys);
	return status;
}
