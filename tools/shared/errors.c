#include "tools/shared/errors.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void say_line(const char *head, const char *text)
{
	_cleanup_free_ char *safe = insp_escape_str(text);

	fprintf(stderr, "%s: %s\n", head, safe ? safe : "out of memory");
}

void tool_say(const struct tool *tool, const struct insp_err *err)
{
	say_line(tool->name, err->text);
	if (err->hint[0])
		say_line("hint", err->hint);
}

int tool_fail(const struct tool *tool, const struct insp_err *err)
{
	tool_say(tool, err);
	return tool->failure;
}

int tool_no_memory(const struct tool *tool)
{
	say_line(tool->name, "out of memory");
	return tool->failure;
}

/* A hint that several in a row share is said once, behind the last. */
size_t tool_say_diags(const struct tool *tool, const struct insp_diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		struct insp_err err = diags->items[i];

		if (i + 1 < diags->n && strcmp(err.hint, diags->items[i + 1].hint) == 0)
			err.hint[0] = '\0';
		tool_say(tool, &err);
	}
	return diags->n;
}

void tool_say_candidates(const struct insp_list *candidates)
{
	for (size_t i = 0; i < candidates->n; i++) {
		const struct insp_container *c = candidates->items[i];
		_cleanup_free_ char *name = insp_escape_str(c->name);
		_cleanup_free_ char *id = insp_escape_str(c->id);

		fprintf(stderr, "  %s:%s  %.12s  %s\n", c->engine, name ? name : "-", id ? id : "-",
			c->is_image ? "image" : insp_state_name(c->state));
	}
}

/* What to do about a name that nothing is near to. */
static void hint_unknown(const char *ref, struct insp_err *err)
{
	if (err->code != -ENOENT)
		return;
	if (*ref && strspn(ref, "0123456789") == strlen(ref))
		insp_err_hint(err, "the container of a process is named pid:%.20s", ref);
	else if (!err->hint[0])
		insp_err_hint(err, "'cps -a' lists all there are");
}

int tool_resolve(const struct tool *tool, struct insp_sys *sys, const char *ref, unsigned want,
		 struct insp_container **ret_container)
{
	_cleanup_list_ struct insp_list candidates = { 0 };
	struct insp_err err = { 0 };

	if (insp_resolve(sys, ref, want, ret_container, &candidates, &err) >= 0)
		return 0;
	hint_unknown(ref, &err);
	tool_say(tool, &err);
	tool_say_candidates(&candidates);
	return tool->failure;
}

int tool_close_stdout(const struct tool *tool, int status)
{
	struct insp_err err = { 0 };
	bool failed = ferror(stdout) != 0;

	errno = 0;
	if (fflush(stdout) == 0 && !failed)
		return status;
	insp_err_set(&err, errno ? -errno : -EIO, "write to stdout");
	return tool_fail(tool, &err);
}
