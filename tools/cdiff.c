/* cdiff: what a container changed in its files, without asking its engine. */
#include "tools/cdiff/cdiff.h"
#include "tools/shared/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(struct cdiff_opts, member)

static const struct opt options[] = {
	{ OPT_GROUP, .help = "Which changes" },
	{ OPT_FLAG, 'a', "all", AT(all), .help = "with what the engine itself put there" },
	{ OPT_LIST, 'x', "exclude", AT(excludes), "GLOB",
	  "not files of this name or path, nor what is below (repeatable)" },
	{ OPT_FLAG, 0, "verify", AT(verify),
	  .help = "compare the content and all attributes of touched files, whatever their times say" },
	{ OPT_GROUP, .help = "Output" },
	{ OPT_FLAG, 'u', "unified", AT(unified), .help = "the content, as a unified diff" },
	{ OPT_FLAG, 0, "stat", AT(stat), .help = "sizes before and after" },
	{ OPT_FLAG, 0, "layers", AT(layers), .help = "which layer each path came from" },
	{ OPT_FLAG, 'J', "json", AT(json), .help = "JSON with every field" },
	{ OPT_FLAG, 'z', "null", AT(null), .help = "end each line with a NUL, names as they are" },
	{ OPT_FLAG, 'e', "exit-code", AT(exit_code),
	  .help = "exit status 1 when there are changes, 2 on any failure" },
	{ OPT_GROUP, .help = "General" },
	OPTS_SYSROOT(struct cdiff_opts, common),
	OPTS_COMMON(struct cdiff_opts, common),
	OPTS_END,
};

static const char *const usage[] = {
	"[OPTION...] CONTAINER [PATH...]",
	"[OPTION...] CONTAINER BEFORE [PATH...]",
	NULL,
};

static struct tool cdiff_tool = {
	.name = "cdiff",
	.summary = "Show what a container, running or not, has changed in its files.",
	.usage = usage,
	.opts = options,
	.epilog =
		"A CONTAINER is a name, an id or its prefix, ENGINE:NAME, pod/POD[/NAME], or pid:N.\n"
		"BEFORE is a container too, or image:NAME, an image or that of a container. A PATH begins with a slash.\n"
		"A is added, C is changed, D is deleted.\n"
		"Exit status: 0 done, 1 failed, 2 something could not be read; with --exit-code\n"
		"0 no changes, 1 changes, 2 failed or something could not be read.",
	.operands = COMPLETE_CONTAINER,
	.failure = TOOL_FAILED,
};

void cdiff_put(const struct cdiff *cdiff, const char *text)
{
	_cleanup_free_ char *safe = cdiff->tty && !cdiff->opts->null ? insp_escape_str(text) : NULL;

	fputs(safe ? safe : text, stdout);
}

uint64_t cdiff_size(const struct insp_file *file)
{
	return file && (S_ISREG(file->mode) || S_ISLNK(file->mode)) ? file->size : 0;
}

const char *cdiff_role_name(enum insp_layer_role role)
{
	static const char *const names[] = {
		[INSP_LAYER_UPPER] = "upper",
		[INSP_LAYER_ENGINE] = "engine",
		[INSP_LAYER_IMAGE] = "image",
		[INSP_LAYER_TREE] = "tree",
	};

	return names[role];
}

void cdiff_say(struct cdiff *cdiff, const struct insp_change *change, int error, const char *what)
{
	const struct insp_container *c = cdiff->containers[INSP_AFTER];
	struct insp_err err = { 0 };

	insp_err_set(&err, error, "%s container %s: %s '%s'", c->engine, c->name, what,
		     change->path);
	insp_diags_add(&cdiff->diags, &err);
}

static const struct cdiff_way *way_of(const struct cdiff_opts *o)
{
	return o->json ? &way_json : o->unified ? &way_unified : o->stat ? &way_stat : &way_lines;
}

/* Not before it is known that there is something to compare: half of a JSON document is none. */
static void begin(struct cdiff *cdiff)
{
	const struct cdiff_way *way = way_of(cdiff->opts);

	if (way->begin && !cdiff->begun)
		way->begin(cdiff);
	cdiff->begun = true;
}

/* Counts it, and has it shown. */
static int each(const struct insp_change *change, void *arg)
{
	struct cdiff *cdiff = arg;

	begin(cdiff);
	cdiff->n[change->kind == INSP_CHANGE_ADDED     ? 0
		 : change->kind == INSP_CHANGE_CHANGED ? 1
						       : 2]++;
	cdiff->growth += (int64_t)cdiff_size(change->file[INSP_AFTER]) -
			 (int64_t)cdiff_size(change->file[INSP_BEFORE]);
	return way_of(cdiff->opts)->each(cdiff, change);
}

static int compare(struct cdiff *cdiff, const struct insp_files *files[2], struct insp_err *err)
{
	const struct cdiff_opts *o = cdiff->opts;
	const struct cdiff_way *way = way_of(o);
	struct insp_diff_opts opts = {
		.flags = way->flags | (o->all ? INSP_DIFF_ALL : 0) |
			 (o->verify ? INSP_DIFF_VERIFY : 0),
		.paths = o->paths,
		.n_paths = o->n_paths,
		.excludes = o->excludes.items,
		.n_excludes = o->excludes.n,
		.each = each,
		.arg = cdiff,
	};
	int r;

	r = insp_diff(files[INSP_AFTER], files[INSP_BEFORE], &opts, &cdiff->diags, err);
	if (r < 0)
		return r;
	begin(cdiff);
	if (way->end)
		way->end(cdiff);
	return 0;
}

/* "image:NGINX": an image. */
static const char *image_of(const char *ref)
{
	return strncmp(ref, "image:", 6) == 0 ? ref + 6 : NULL;
}

/* What a container is called, or that of one, when there is no image of that name. */
static int resolve_image_of(struct cdiff *cdiff, const char *ref, unsigned want,
			    const struct insp_err *no_image, struct insp_container **ret)
{
	_cleanup_list_ struct insp_list candidates = { 0 };
	struct insp_err err = { 0 };
	int r = insp_resolve(cdiff->sys, ref, want, ret, &candidates, &err);

	if (r == -ENOTUNIQ) {
		tool_say(cdiff->tool, &err);
		tool_say_candidates(&candidates);
	} else if (r < 0) {
		err = *no_image;
		if (!err.hint[0])
			insp_err_hint(&err, "nor is there a container of that name");
		tool_say(cdiff->tool, &err);
	}
	return r;
}

static int resolve_image(struct cdiff *cdiff, const char *ref, unsigned want,
			 struct insp_container **ret)
{
	_cleanup_list_ struct insp_list candidates = { 0 };
	struct insp_err err = { 0 };
	int r = insp_image_find(cdiff->sys, ref, cdiff->containers[INSP_AFTER], ret, &candidates,
				&err);

	if (r == -ENOENT)
		return resolve_image_of(cdiff, ref, want, &err, ret);
	if (r < 0) {
		tool_say(cdiff->tool, &err);
		tool_say_candidates(&candidates);
	}
	return r;
}

/* Opens the files of one operand. */
static int open_side(struct cdiff *cdiff, enum insp_side side, const char *ref,
		     struct insp_files **ret)
{
	const struct cdiff_opts *o = cdiff->opts;
	const char *image = image_of(ref);
	unsigned want = INSP_WANT_STOPPED | INSP_WANT_FILES |
			(o->layers || o->json ? INSP_WANT_LAYER_IDS : 0);
	struct insp_err err = { 0 };

	if (image ? resolve_image(cdiff, image, want, &cdiff->containers[side]) < 0
		  : tool_resolve(cdiff->tool, cdiff->sys, ref, want, &cdiff->containers[side]) != 0)
		return -ENOENT;
	if (insp_files_open(cdiff->sys, cdiff->containers[side],
			    image ? INSP_FILES_IMAGE : INSP_FILES_LAYERS, ret, &err) < 0) {
		tool_say(cdiff->tool, &err);
		return err.code;
	}
	return 0;
}

/* "cdiff web etc": a container was looked for. */
static void say_no_path(const struct cdiff *cdiff)
{
	struct insp_err err = { 0 };

	insp_err_say(&err, -ENOENT, "if '%s' is a PATH, it begins with a slash",
		     cdiff->opts->other);
	tool_say(cdiff->tool, &err);
}

static int open_and_compare(struct cdiff *cdiff)
{
	struct insp_files *files[2] = { NULL, NULL };
	struct insp_err err = { 0 };
	int r = open_side(cdiff, INSP_AFTER, cdiff->opts->container, &files[INSP_AFTER]);

	if (r == 0 && cdiff->opts->other) {
		r = open_side(cdiff, INSP_BEFORE, cdiff->opts->other, &files[INSP_BEFORE]);
		if (r == -ENOENT && !image_of(cdiff->opts->other))
			say_no_path(cdiff);
	}
	if (r == 0) {
		r = compare(cdiff, (const struct insp_files **)files, &err);
		if (r < 0 && !ferror(stdout)) /* that is said at the end */
			tool_say(cdiff->tool, &err);
	}
	insp_files_close(files[INSP_AFTER]);
	insp_files_close(files[INSP_BEFORE]);
	return r;
}

static int status_of(const struct cdiff *cdiff, int r)
{
	bool changes = cdiff->n[0] + cdiff->n[1] + cdiff->n[2] > 0;

	if (r < 0)
		return cdiff->tool->failure;
	if (cdiff->diags.n)
		return TOOL_INCOMPLETE;
	return cdiff->opts->exit_code && changes ? 1 : TOOL_OK;
}

static int start(const struct cdiff_opts *o)
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	struct cdiff cdiff = { .tool = &cdiff_tool, .opts = o, .tty = isatty(STDOUT_FILENO) };
	struct insp_err err = { 0 };
	int status;

	if (common_opts_open(&o->common, &sys, &err) < 0)
		return tool_fail(&cdiff_tool, &err);
	cdiff.sys = sys;
	limits_raise_files();
	status = status_of(&cdiff, open_and_compare(&cdiff));
	tool_say_diags(&cdiff_tool, &cdiff.diags);
	insp_diags_clear(&cdiff.diags);
	insp_container_free(cdiff.containers[INSP_AFTER]);
	insp_container_free(cdiff.containers[INSP_BEFORE]);
	return status;
}

/* -1: fine; else the exit status. */
static int check(struct cdiff_opts *o, char *operands[], size_t n)
{
	size_t first;

	if (n == 0)
		return opts_usage_error(&cdiff_tool, "which container?");
	o->container = operands[0];
	o->other = n > 1 && operands[1][0] != '/' ? operands[1] : NULL;
	if (image_of(o->container) && !o->other)
		return opts_usage_error(&cdiff_tool,
					"what was before the image? '%s' is all there is",
					o->container);
	first = o->other ? 2 : 1;
	o->paths = (const char *const *)operands + first;
	o->n_paths = n - first;
	for (size_t i = 0; i < o->n_paths; i++)
		if (o->paths[i][0] != '/')
			return opts_usage_error(&cdiff_tool, "a PATH begins with a slash: '%s'",
						o->paths[i]);
	if (o->json + o->unified + o->stat + (o->layers && !o->json) > 1)
		return opts_usage_error(&cdiff_tool,
					"one of --unified, --stat, --layers and --json");
	if (o->null && (o->json || o->unified))
		return opts_usage_error(&cdiff_tool, "--null goes with names only");
	return -1;
}

static bool asks_for_exit_code(char *argv[])
{
	for (char **arg = argv + 1; *arg && strcmp(*arg, "--") != 0; arg++)
		if (strcmp(*arg, "-e") == 0 || strcmp(*arg, "--exit-code") == 0)
			return true;
	return false;
}

int main(int argc, char *argv[])
{
	struct cdiff_opts o = { 0 };
	int first = 0, status;

	/* 1 would mean changes, also of a command line that has a mistake before it */
	if (asks_for_exit_code(argv))
		cdiff_tool.failure = TOOL_INCOMPLETE;
	status = opts_parse(&cdiff_tool, argc, argv, &o, &first);
	if (status < 0) {
		if (o.exit_code)
			cdiff_tool.failure = TOOL_INCOMPLETE;
		status = check(&o, argv + first, (size_t)(argc - first));
		if (status < 0)
			status = start(&o);
	}
	opt_list_clear(&o.excludes);
	common_opts_clear(&o.common);
	return tool_close_stdout(&cdiff_tool, status);
}
