/* ccp: copy files between containers and this host. */
#include "tools/ccp/ccp.h"
#include "tools/shared/limits.h"
#include "tools/shared/progress.h"
#include "tools/shared/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct ccp_opts, member)

static const struct opt options[] = {
	{ OPT_GROUP, .help = "Copying" },
	{ OPT_FLAG, 'a', "archive", AT(archive),
	  .help = "keep user and group ids: the same as --owner keep" },
	{ OPT_FLAG, 'L', "follow-link", AT(follow),
	  .help = "copy what SRC leads to, when it is a link" },
	{ OPT_STRING, 0, "owner", AT(owner), "WHO",
	  "whose the copies are: keep, target (default), or UID:GID", .words = "keep target",
	  .complete = COMPLETE_WORDS },
	{ OPT_FLAG, 0, "glob", AT(glob), .help = "SRC of a container is a pattern: *, ?, [...]" },
	{ OPT_FLAG, 0, "devices", AT(devices), .help = "copy device nodes, too" },
	{ OPT_FLAG, 'q', "quiet", AT(quiet), .help = "neither progress nor summary" },

	{ OPT_GROUP, .help = "Other" },
	OPTS_SYSROOT(struct ccp_opts, common),
	OPTS_COMMON(struct ccp_opts, common),
	OPTS_END,
};

static const char *const usage[] = {
	"[options] CONTAINER:SRC... DST",
	"[options] SRC... CONTAINER:DST",
	"[options] CONTAINER:SRC... CONTAINER:DST",
	"[options] CONTAINER:SRC... -",
	"[options] - CONTAINER:DST",
	NULL,
};

const struct tool ccp_tool = {
	.name = "ccp",
	.summary = "copy files between containers and this host",
	.usage = usage,
	.opts = options,
	.epilog = "Exit status: 0 copied, 1 failed, 2 some of it could not be copied.",
	.operands = COMPLETE_SIDE,
	.failure = TOOL_FAILED,
};

static void opts_clear(struct ccp_opts *o)
{
	common_opts_clear(&o->common);
}

/* "1000:100". 0, or -EINVAL. */
static int parse_ids(const char *text, struct insp_copy_opts *copy)
{
	unsigned long ids[2];
	const char *p = text;

	for (int i = 0; i < 2; i++) {
		char *end;

		errno = 0;
		ids[i] = strtoul(p, &end, 10);
		if (errno || end == p || *p < '0' || *p > '9' || ids[i] >= UINT32_MAX ||
		    *end != (i == 0 ? ':' : '\0'))
			return -EINVAL;
		p = end + 1;
	}
	copy->owner = INSP_COPY_IDS;
	copy->uid = (uid_t)ids[0];
	copy->gid = (gid_t)ids[1];
	return 0;
}

/* 0, or the exit status. */
static int parse_owner(const struct ccp_opts *o, struct insp_copy_opts *copy)
{
	copy->owner = o->archive ? INSP_COPY_KEEP : INSP_COPY_TARGET;
	if (!o->owner)
		return 0;
	if (o->archive)
		return opts_usage_error(&ccp_tool, "--archive and --owner exclude each other");
	if (strcmp(o->owner, "keep") == 0)
		copy->owner = INSP_COPY_KEEP;
	else if (strcmp(o->owner, "target") != 0 && parse_ids(o->owner, copy) < 0)
		return opts_usage_error(&ccp_tool, "--owner: '%s' is not keep, target or UID:GID",
					o->owner);
	return 0;
}

/* ---- a run: what was said, and how far it is ---- */

struct session {
	struct progress progress;
	bool incomplete;      /* of an archive: something is missing in it */
	uint64_t n_said;      /* files that could not be copied */
	struct insp_err last; /* why a source could not be copied */
};

static void say_number(uint64_t n, const char *one, const char *several, const char *hint)
{
	struct insp_err err = { 0 };

	if (n == 0)
		return;
	insp_err_say(&err, 0, "%llu %s", (unsigned long long)n, n == 1 ? one : several);
	if (hint)
		insp_err_hint(&err, "%s", hint);
	tool_say(&ccp_tool, &err);
}

static void say_result(const struct session *s, const struct insp_copy_result *result)
{
	if (result->failed > s->n_said)
		say_number(result->failed - s->n_said, "more file could not be copied",
			   "more files could not be copied", NULL);
	say_number(result->devices, "device node was left out", "device nodes were left out",
		   "--devices copies them");
	say_number(result->sockets, "socket was left out", "sockets were left out", NULL);
	say_number(result->set_ids, "file is not set-user-ID any more",
		   "files are not set-user-ID any more",
		   "their root is that of a user namespace, not the host's");
}

/* What the library answered. What is so for every source is said once. 0, or the exit status. */
static int answer(struct session *s, int r, const struct insp_copy_opts *copy,
		  const struct insp_diags *diags, const struct insp_err *err)
{
	bool again = r < 0 && strcmp(err->text, s->last.text) == 0;

	progress_clear(&s->progress);
	s->n_said += tool_say_diags(&ccp_tool, diags);
	if (r < 0)
		s->last = *err;
	if (again || (r == -EINTR && *copy->stop))
		return TOOL_FAILED;
	return r < 0 ? tool_fail(&ccp_tool, err) : 0;
}

/* Standard input (NULL), or one source. 0, or the exit status. */
static int copy_one(struct session *s, const struct insp_copy_side *src,
		    const struct insp_copy_side *dst, const struct insp_copy_opts *copy,
		    struct insp_copy_result *result)
{
	_cleanup_diags_ struct insp_diags diags = { 0 };
	struct insp_err err = { 0 };
	uint64_t failed = result->failed;
	int r = src ? insp_copy(src, dst, copy, result, &diags, &err)
		    : insp_copy_archive(0, dst, copy, result, &diags, &err);

	/* the file at which it ended is in err */
	s->n_said += r < 0 && result->failed > failed;
	return answer(s, r, copy, &diags, &err);
}

static void on_copied(const struct insp_copy_result *so_far, void *arg)
{
	struct session *s = arg;

	progress_show(&s->progress, so_far->bytes, so_far->files);
}

/* What was done, where somebody looks on. */
static void summary(const struct insp_copy_result *result)
{
	char size[TEXT_MAX];

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "ccp: copied %s in %llu %s\n", text_size(result->bytes, size),
			(unsigned long long)result->files, result->files == 1 ? "file" : "files");
}

/* 0, or the exit status. sources: none: standard input. */
static int copy_all(const struct ccp_opts *o, struct insp_copy_opts copy,
		    const struct ccp_sources *sources, const struct insp_copy_side *dst)
{
	struct insp_copy_result result = { 0 };
	struct session s = { 0 };
	int status = 0;

	copy.into_dir = sources->n > 1;
	copy.progress = on_copied;
	copy.arg = &s;
	ccp_signals(&copy.stop);
	progress_begin(&s.progress, &ccp_tool, !o->quiet);
	if (sources->n == 0)
		status = copy_one(&s, NULL, dst, &copy, &result);
	for (size_t i = 0; i < sources->n && !*copy.stop; i++) {
		int r = copy_one(&s, &sources->items[i], dst, &copy, &result);

		status = r > status ? r : status;
	}
	if (!o->quiet && status == 0)
		summary(&result);
	say_result(&s, &result);
	ccp_die_of_signal();
	return status ? status : result.failed || result.devices ? TOOL_INCOMPLETE : TOOL_OK;
}

static void on_warning(const struct insp_err *err, void *arg)
{
	struct session *s = arg;

	progress_clear(&s->progress);
	tool_say(&ccp_tool, err);
	s->incomplete = s->incomplete || err->code != 0;
}

static void on_exported(const struct insp_export_progress *p, void *arg)
{
	struct session *s = arg;

	progress_show(&s->progress, p->bytes, p->files);
}

/* Into an archive on standard output: sources of one container. 0, or the exit status. */
static int write_archive(const struct ccp_opts *o, const struct ccp_sources *sources)
{
	_cleanup_free_ const char **paths = calloc(sources->n, sizeof(*paths));
	struct session s = { 0 };
	struct insp_export_opts export = { .paths = paths,
					   .n_paths = sources->n,
					   .relative = true,
					   .volumes = true,
					   .follow = o->follow,
					   .warn = on_warning,
					   .progress = on_exported,
					   .arg = &s };
	struct insp_err err = { 0 };
	int r;

	if (!paths)
		return tool_no_memory(&ccp_tool);
	for (size_t i = 0; i < sources->n; i++) {
		if (sources->items[i].files != sources->items[0].files)
			return opts_usage_error(&ccp_tool, "an archive is of one container");
		paths[i] = sources->items[i].path;
	}
	progress_begin(&s.progress, &ccp_tool, !o->quiet);
	r = insp_export(sources->items[0].files, &export, STDOUT_FILENO, &err);
	progress_clear(&s.progress);
	if (r < 0)
		return tool_fail(&ccp_tool, &err);
	return s.incomplete ? TOOL_INCOMPLETE : TOOL_OK;
}

/* ---- the command line ---- */

/* "-" is the only source, or the destination of what is in containers. 0, or the exit status. */
static int check_tar(const struct ccp_opts *o, char *operands[], int n)
{
	bool out = ccp_is_tar(operands[n - 1]);

	for (int i = 0; i < n - 1; i++) {
		if (ccp_is_tar(operands[i]) && (n > 2 || out))
			return opts_usage_error(&ccp_tool, "'-' as a source stands alone");
		if (out && !ccp_is_container(operands[i]))
			return opts_usage_error(&ccp_tool, "'-' takes what is in containers");
	}
	if (out && o->owner)
		return opts_usage_error(&ccp_tool, "--owner does not go with an archive, "
						   "which has the container's ids");
	if (out && isatty(1))
		return opts_usage_error(&ccp_tool, "no archive is written to a terminal");
	if (ccp_is_tar(operands[0]) && isatty(0))
		return opts_usage_error(&ccp_tool, "no archive is read from a terminal");
	return 0;
}

/* 0, or the exit status. */
static int check_operands(const struct ccp_opts *o, char *operands[], int n)
{
	bool from = false;
	int r;

	if (n < 2)
		return opts_usage_error(&ccp_tool, n ? "where to?" : "what is to be copied?");
	for (int i = 0; i < n; i++)
		if (!*operands[i])
			return opts_usage_error(&ccp_tool, "an empty name");
	r = check_tar(o, operands, n);
	if (r != 0)
		return r;
	for (int i = 0; i < n - 1; i++)
		from = from || ccp_is_container(operands[i]);
	if (!from && !ccp_is_container(operands[n - 1]))
		return opts_usage_error(&ccp_tool,
					"neither is CONTAINER:PATH; cp(1) copies on the host");
	return 0;
}

static int copy(const struct ccp_opts *o, char *operands[], int n)
{
	_cleanup_(ccp_sources_clear) struct ccp_sources sources = { 0 };
	_cleanup_(ccp_host_clear) struct ccp_host host = { 0 };
	struct insp_copy_opts opts = { .follow = o->follow, .devices = o->devices };
	struct insp_copy_side dst = { 0 };
	struct insp_err err = { 0 };
	int r = check_operands(o, operands, n);

	if (r == 0)
		r = parse_owner(o, &opts);
	if (r != 0)
		return r;
	limits_raise_files();
	if (common_opts_open(&o->common, &host.sys, &err) < 0)
		return tool_fail(&ccp_tool, &err);
	if (!ccp_is_tar(operands[0]))
		r = ccp_sources(&host, operands, (size_t)n - 1, o->glob, &sources);
	if (r == 0 && ccp_is_tar(operands[n - 1]))
		return write_archive(o, &sources);
	if (r == 0)
		r = ccp_side(&host, operands[n - 1], true, &dst);
	return r != 0 ? r : copy_all(o, opts, &sources, &dst);
}

int main(int argc, char *argv[])
{
	_cleanup_(opts_clear) struct ccp_opts o = { 0 };
	int first, r = opts_parse(&ccp_tool, argc, argv, &o, &first);

	return r >= 0 ? r : copy(&o, argv + first, argc - first);
}
