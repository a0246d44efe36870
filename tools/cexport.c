/* cexport: a container's files as a tar archive, running or stopped, without its engine. */
#include "libinspect/files.h"
#include "tools/cexport/output.h"
#include "tools/shared/errors.h"
#include "tools/shared/limits.h"
#include "tools/shared/opts.h"
#include "tools/shared/progress.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct cexport_opts {
	struct common_opts common;
	const char *output;
	struct opt_list excludes;
	const char *format, *tag;
	char *full_tag;
	bool gzip, zstd, sorted, quiet, upper, volumes;
};
/* distribution/reference; a digest has no place here */
#define TAG_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:-"

#define AT(member) offsetof(struct cexport_opts, member)

static const struct opt options[] = {
	{ OPT_GROUP, .help = "What is exported" },
	{ OPT_LIST, 'x', "exclude", AT(excludes), "GLOB",
	  "without these files and directories (repeatable)" },
	{ OPT_FLAG, 0, "upper", AT(upper),
	  .help = "only what the container changed, as an image's layer has it" },
	{ OPT_FLAG, 0, "volumes", AT(volumes),
	  .help = "its volumes and binds, too, where they are mounted" },
	{ OPT_FLAG, 0, "sorted", AT(sorted), .help = "the same bytes for equal trees" },
	{ OPT_GROUP, .help = "Output" },
	{ OPT_STRING, 'o', "output", AT(output), "FILE",
	  "into FILE, which is there whole or not at all", .complete = COMPLETE_FILE },
	{ OPT_CHOICE, 0, "format", AT(format), "FORMAT",
	  "tar; or an image of all of it: oci, docker", "tar oci docker", COMPLETE_WORDS },
	{ OPT_STRING, 't', "tag", AT(tag), "NAME[:TAG]", "what the image is called" },
	{ OPT_FLAG, 0, "gzip", AT(gzip), .help = "compressed with gzip" },
	{ OPT_FLAG, 0, "zstd", AT(zstd), .help = "compressed with zstd" },
	{ OPT_FLAG, 'q', "quiet", AT(quiet), .help = "no progress, no remarks" },
	{ OPT_GROUP, .help = "General" },
	OPTS_SYSROOT(struct cexport_opts, common),
	OPTS_COMMON(struct cexport_opts, common),
	OPTS_END,
};

static const char *const usage[] = { "[OPTION...] CONTAINER [PATH...]", NULL };

static const struct tool cexport_tool = {
	.name = "cexport",
	.summary = "Write a container's files as a tar archive.",
	.usage = usage,
	.opts = options,
	.epilog =
		"Exit status: 0 done, 1 failed, 2 something could not be exported, or not as it was.",
	.operands = COMPLETE_CONTAINER,
	.failure = TOOL_FAILED,
};

/* What the callbacks of an export share. */
struct session {
	const struct cexport_opts *opts;
	struct progress progress;
	size_t n_failed;
};

static void on_warn(const struct insp_err *err, void *arg)
{
	struct session *s = arg;

	s->n_failed += err->code != 0;
	if (s->opts->quiet && err->code == 0)
		return;
	progress_clear(&s->progress);
	tool_say(&cexport_tool, err);
}

static void on_progress(const struct insp_export_progress *p, void *arg)
{
	struct session *s = arg;

	progress_show(&s->progress, p->bytes, p->files);
}

static void files_freep(struct insp_files **files)
{
	insp_files_close(*files);
}

static enum insp_export_format format_of(const struct cexport_opts *o)
{
	if (!o->format || strcmp(o->format, "tar") == 0)
		return INSP_EXPORT_TAR;
	return strcmp(o->format, "oci") == 0 ? INSP_EXPORT_OCI : INSP_EXPORT_DOCKER;
}

static void say_which_disk(const struct cexport_opts *o, const struct output *out,
			   struct insp_err *err)
{
	if (out->name)
		insp_err_wrap(err, err->code, "'%s'", o->output);
	else if (format_of(o) != INSP_EXPORT_TAR)
		insp_err_hint(err, "TMPDIR=DIR names a place for the file without a name");
}

static int export_to(struct insp_files *files, const struct cexport_opts *o, char **paths,
		     struct output *out)
{
	struct session s = { .opts = o };
	struct insp_export_opts eo = { .excludes = o->excludes.items,
				       .n_excludes = o->excludes.n,
				       .paths = (const char *const *)paths,
				       .filter = o->gzip   ? INSP_EXPORT_GZIP
						 : o->zstd ? INSP_EXPORT_ZSTD
							   : INSP_EXPORT_PLAIN,
				       .format = format_of(o),
				       .tag = o->tag,
				       .full_tag = o->full_tag,
				       .spool = getenv("TMPDIR"),
				       .upper = o->upper,
				       .volumes = o->volumes,
				       .sorted = o->sorted,
				       .warn = on_warn,
				       .progress = on_progress,
				       .arg = &s };
	struct insp_err err = { 0 };
	int r;

	while (paths[eo.n_paths])
		eo.n_paths++;
	progress_begin(&s.progress, &cexport_tool, !o->quiet);
	r = insp_export(files, &eo, out->fd, &err);
	progress_clear(&s.progress);
	if (r == 0)
		r = output_commit(out, &err);
	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG)
		say_which_disk(o, out, &err);
	if (r < 0)
		return tool_fail(&cexport_tool, &err);
	return s.n_failed ? TOOL_INCOMPLETE : TOOL_OK;
}

static int export_container(struct insp_sys *sys, const struct cexport_opts *o, char **operands)
{
	_cleanup_container_ struct insp_container *c = NULL;
	_cleanup_(files_freep) struct insp_files *files = NULL;
	_cleanup_(output_close) struct output out = { .fd = -1, .dirfd = -1 };
	unsigned want = INSP_WANT_STOPPED | INSP_WANT_BARE | INSP_WANT_FILES;
	struct insp_err err = { 0 };
	int r;

	if (format_of(o) != INSP_EXPORT_TAR)
		want |= INSP_WANT_CONFIG | INSP_WANT_DETAIL;
	r = tool_resolve(&cexport_tool, sys, operands[0], want, &c);
	if (r)
		return r;
	if (insp_files_open(sys, c, INSP_FILES_LAYERS, &files, &err) < 0 ||
	    output_open(&out, o->output, &err) < 0)
		return tool_fail(&cexport_tool, &err);
	return export_to(files, o, operands + 1, &out);
}

/* "web" -> "web:latest" and "docker.io/library/web:latest", as engines read it (distribution/reference, normalize.go). */
static int complete_tag(struct cexport_opts *o)
{
	const char *tag = o->tag, *slash = tag ? strrchr(tag, '/') : NULL, *registry;
	size_t first = tag ? strcspn(tag, "/") : 0;

	if (!tag)
		return 0;
	if (!slash)
		registry = "docker.io/library/";
	else if (memchr(tag, '.', first) || memchr(tag, ':', first) ||
		 strncmp(tag, "localhost/", 10) == 0)
		registry = "";
	else
		registry = "docker.io/";
	if (asprintf(&o->full_tag, "%s%s%s", registry, tag,
		     strchr(slash ? slash : tag, ':') ? "" : ":latest") < 0) {
		o->full_tag = NULL;
		return tool_no_memory(&cexport_tool);
	}
	o->tag = o->full_tag + strlen(registry);
	return 0;
}

/* 0: fine; else the exit status. */
static int check(struct cexport_opts *o, int n_operands)
{
	bool image = format_of(o) != INSP_EXPORT_TAR;

	if (o->gzip && o->zstd)
		return opts_usage_error(&cexport_tool, "--gzip and --zstd exclude each other");
	if (image && (o->upper || n_operands > 1))
		return opts_usage_error(&cexport_tool,
					"an image is of the whole container: --format "
					"excludes --upper and PATH");
	if (o->volumes && (image || o->upper))
		return opts_usage_error(&cexport_tool,
					"images and layers have no volumes, as docker commit's "
					"have none: --volumes excludes --format and --upper");
	if (o->output && !*o->output)
		return opts_usage_error(&cexport_tool, "--output: an empty name");
	if (o->tag && !image)
		return opts_usage_error(&cexport_tool, "--tag goes with --format oci or docker");
	if (o->tag && (!*o->tag || strspn(o->tag, TAG_CHARS) != strlen(o->tag)))
		return opts_usage_error(&cexport_tool, "--tag '%s' is no name of an image", o->tag);
	return complete_tag(o);
}

static int cexport(int argc, char *argv[], struct cexport_opts *o)
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	struct insp_err err = { 0 };
	int first, r = opts_parse(&cexport_tool, argc, argv, o, &first);

	if (r >= 0)
		return r;
	if (first == argc)
		return opts_usage_error(&cexport_tool, "which container? 'cps -a' lists them");
	r = check(o, argc - first);
	if (r)
		return r;
	if (common_opts_open(&o->common, &sys, &err) < 0)
		return tool_fail(&cexport_tool, &err);
	limits_raise_files();
	return export_container(sys, o, argv + first);
}

int main(int argc, char *argv[])
{
	struct cexport_opts o = { 0 };
	int r = cexport(argc, argv, &o);

	free(o.full_tag);
	opt_list_clear(&o.excludes);
	common_opts_clear(&o.common);
	return r;
}
