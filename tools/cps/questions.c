/* cps --path, --veth, --ip, --port, --cgroup, --ns-inode: which containers a thing of this host belongs to. */
#include "tools/cps/cps.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asked {
	enum insp_question question;
	const char *text; /* NULL: not asked */
};
#define N_QUESTIONS 6

static void all_questions(const struct cps_opts *o, struct asked asked[N_QUESTIONS])
{
	const struct asked all[N_QUESTIONS] = {
		{ INSP_ASK_PATH, o->path },	{ INSP_ASK_VETH, o->veth },
		{ INSP_ASK_IP, o->ip },		{ INSP_ASK_PORT, o->port },
		{ INSP_ASK_CGROUP, o->cgroup }, { INSP_ASK_NS, o->ns_inode },
	};

	memcpy(asked, all, sizeof(all));
}

size_t questions_asked(const struct cps_opts *o)
{
	struct asked asked[N_QUESTIONS];
	size_t n = 0;

	all_questions(o, asked);
	for (size_t i = 0; i < N_QUESTIONS; i++)
		n += asked[i].text != NULL;
	return n;
}

/* A relative path is meant from the working directory of whoever asks. A new string, or NULL. */
static char *absolute(const char *path)
{
	char cwd[PATH_MAX];
	char *whole = NULL;

	if (path[0] == '/' || !path[0] || !getcwd(cwd, sizeof(cwd)))
		return strdup(path);
	return asprintf(&whole, "%s/%s", cwd, path) < 0 ? NULL : whole;
}

/* What of path is below dir, from the slash on; NULL: nothing. */
static const char *below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 0 && dir[n - 1] == '/')
		n--;
	return n > 0 && strncmp(path, dir, n) == 0 && path[n] == '/' ? path + n : NULL;
}

static bool exists_in(const char *root, const char *path)
{
	_cleanup_free_ char *whole = NULL;

	return asprintf(&whole, "%s/%s", root, path) >= 0 && access(whole, F_OK) == 0;
}

/*
 * Of a host whose root is at root the path is meant as it was on that host. As it is here, below root, it is what du
 * and df print: then root is taken off, unless that host has such a path itself. A new string, or NULL.
 */
static char *as_on_host(const char *root, const char *path)
{
	_cleanup_free_ char *here = absolute(path), *whole = absolute(root),
			    *real = realpath(root, NULL);
	const char *rest = NULL;

	if (!here || (path[0] == '/' && exists_in(root, path)))
		return strdup(path);
	rest = whole ? below(here, whole) : NULL;
	if (!rest && real)
		rest = below(here, real);
	return strdup(rest ? rest : path);
}

static char *path_asked(const struct cps *cps, const char *path)
{
	return insp_sys_is_live(cps->sys) ? absolute(path)
					  : as_on_host(cps->opts->common.sysroot, path);
}

static int ask(struct cps *cps, unsigned want, struct insp_findings *findings, struct insp_err *err)
{
	struct asked asked[N_QUESTIONS];
	size_t i = 0;

	all_questions(cps->opts, asked);
	while (!asked[i].text)
		i++;
	_cleanup_free_ char *text = asked[i].question == INSP_ASK_PATH
					    ? path_asked(cps, asked[i].text)
					    : strdup(asked[i].text);

	if (!text)
		return insp_err_set(err, -ENOMEM, "look for a container");
	return insp_find(cps->sys, asked[i].question, text, want, findings, &cps->diags, err);
}

static int show(struct cps *cps, const struct columns *columns, unsigned want,
		const struct insp_findings *findings)
{
	size_t n = findings->n;
	_cleanup_free_ struct container_row *rows = calloc(n + 1, sizeof(*rows));
	_cleanup_free_ const void **pointers = calloc(n + 1, sizeof(*pointers));
	struct insp_err err = { 0 };

	if (!rows || !pointers) {
		insp_err_set(&err, -ENOMEM, "look for a container");
		return tool_fail(cps->tool, &err);
	}
	for (size_t i = 0; i < n; i++) {
		rows[i] = (struct container_row){
			.c = findings->items[i].container,
			.how = findings->items[i].how,
			.nprocs = -1,
			.now = insp_sys_now(cps->sys),
		};
		pointers[i] = &rows[i];
	}
	if (want & CPS_WANT_NPROCS)
		container_rows_count(cps, rows, n);
	return cps_print(cps, "containers", columns, pointers, n, NULL);
}

int cps_questions(struct cps *cps)
{
	_cleanup_(insp_findings_clear) struct insp_findings findings = { 0 };
	const struct cps_opts *o = cps->opts;
	struct insp_err err = { 0 };
	struct columns columns;
	unsigned want;

	if (columns_choose(container_columns, o->quiet ? "ID" : QUESTION_DEFAULT, o->output,
			   &columns, &err) < 0)
		return tool_fail(cps->tool, &err);
	want = columns_want(&columns, o->json);
	if (ask(cps, want & ~CPS_WANT_NPROCS, &findings, &err) < 0) {
		cps->failed = true;
		tool_say(cps->tool, &err);
		if (o->json)
			return show(cps, &columns, want, &findings);
		tool_say_diags(cps->tool, &cps->diags);
		return cps_status(cps);
	}
	return show(cps, &columns, want, &findings);
}
