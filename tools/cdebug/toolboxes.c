/* cdebug --toolbox list: the toolboxes that a name finds. */
#include "tools/cdebug/toolboxes.h"

#include "sidecar/toolbox.h"
#include "tools/shared/text.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>

/* arg: size_t *, how many were printed */
static int print_one(const struct toolbox *t, uint64_t size, void *arg)
{
	_cleanup_free_ char *name = insp_escape_str(t->spec), *path = insp_escape_str(t->path);
	char text[TEXT_MAX] = "-";

	if (!name || !path)
		return -ENOMEM;
	if (size)
		text_size(size, text);
	printf("%-23s %-9s %6s  %s\n", name, toolbox_kind_name(t->kind), text, path);
	++*(size_t *)arg;
	return 0;
}

static int print_kept(const char *name, const char *path, void *arg)
{
	printf("%-23s %-9s %6s  %s\n", name, "kept", "-", path);
	return 0;
}

int toolboxes_print(char *const *envp)
{
	size_t n = 0;

	printf("%-23s %-9s %6s  %s\n", "NAME", "KIND", "SIZE", "PATH");
	if (toolbox_list(envp, print_one, &n) < 0 || toolbox_list_kept(print_kept, NULL) < 0 ||
	    fflush(stdout) < 0 || ferror(stdout))
		return -EIO;
	if (n == 0)
		fputs("hint: none is installed; this host's programs, a path and image:NAME need none, "
		      "'make toolbox' builds one\n",
		      stderr);
	return 0;
}
