/* CONTAINER:PATH, and paths of the host. */
#include "tools/ccp/ccp.h"

#include <errno.h>
#include <string.h>

void ccp_host_clear(struct ccp_host *host)
{
	while (host->containers) {
		struct ccp_container *c = host->containers;

		host->containers = c->next;
		insp_files_close(c->files);
		insp_container_free(c->container);
		free(c->ref);
		free(c);
	}
	if (host->sys)
		insp_sys_close(host->sys);
	host->sys = NULL;
}

bool ccp_is_tar(const char *operand)
{
	return strcmp(operand, "-") == 0;
}

bool ccp_is_container(const char *operand)
{
	return operand[0] != '/' && operand[0] != '.' && strchr(operand, ':');
}

/*
 * What is before ":/", for a reference may hold a colon itself (docker:web, pid:17); without one, before the first, but
 * behind pid:17. NULL: there is none.
 */
static const char *colon_of(const char *operand)
{
	const char *colon = strstr(operand, ":/");
	size_t digits = strncmp(operand, "pid:", 4) == 0 ? strspn(operand + 4, "0123456789") : 0;

	if (digits > 0 && operand[4 + digits] == ':')
		return operand + 4 + digits;
	if (digits > 0)
		return NULL;
	return colon ? colon : strchr(operand, ':');
}

/* "docker:web:etc" was looked for as a container that is called docker. */
static void hint_slash(const char *operand, const char *colon)
{
	struct insp_err err = { 0 };

	if (colon[1] == '/' || !strchr(colon + 1, ':'))
		return;
	insp_err_say(&err, -EINVAL, "'%s': behind ENGINE:NAME the path begins with a slash",
		     operand);
	tool_say(&ccp_tool, &err);
}

/*
 * Running: what its processes see. Else what its layers make; that, too, where root may not look through a file system of a
 * user's (fuse(4): without allow_other only who mounted it may).
 */
static int open_files(struct ccp_host *host, struct ccp_container *c)
{
	bool live = insp_sys_is_live(host->sys) && insp_state_is_live(c->container->state) &&
		    c->container->pid > 0;
	struct insp_err err = { 0 };
	int r = insp_files_open(host->sys, c->container, live ? INSP_FILES_LIVE : INSP_FILES_LAYERS,
				&c->files, &err);

	if (r == -EACCES && live && geteuid() == 0) {
		c->unseen = true;
		r = insp_files_open(host->sys, c->container, INSP_FILES_LAYERS, &c->files, &err);
	}
	return r < 0 ? tool_fail(&ccp_tool, &err) : 0;
}

static int refuse_write(const struct ccp_container *c)
{
	struct insp_err err = { 0 };

	insp_err_say(&err, -EACCES, "container %s runs on a file system that only its user may use",
		     c->container->name);
	insp_err_hint(&err, "what is in it can be read; it can be written to when it does not run");
	return tool_fail(&ccp_tool, &err);
}

static int open_container(struct ccp_host *host, const char *ref, struct ccp_container **ret)
{
	struct ccp_container *c;
	int r;

	for (c = host->containers; c; c = c->next)
		if (strcmp(c->ref, ref) == 0)
			break;
	if (c) {
		*ret = c;
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (!c || !(c->ref = strdup(ref))) {
		free(c);
		return tool_no_memory(&ccp_tool);
	}
	c->next = host->containers;
	host->containers = c;
	r = tool_resolve(&ccp_tool, host->sys, ref, INSP_WANT_FILES, &c->container);
	if (r == 0)
		r = open_files(host, c);
	*ret = c;
	return r;
}

int ccp_side(struct ccp_host *host, const char *operand, bool write, struct insp_copy_side *ret)
{
	_cleanup_free_ char *ref = NULL;
	const char *colon = colon_of(operand);
	struct ccp_container *c = NULL;
	int r;

	if (!ccp_is_container(operand)) {
		*ret = (struct insp_copy_side){ .path = operand };
		return 0;
	}
	if (!colon || colon == operand || !colon[1])
		return opts_usage_error(&ccp_tool, "'%s' is not CONTAINER:PATH", operand);
	ref = strndup(operand, (size_t)(colon - operand));
	if (!ref)
		return tool_no_memory(&ccp_tool);
	r = open_container(host, ref, &c);
	if (r != 0) {
		hint_slash(operand, colon);
		return r;
	}
	if (write && c->unseen)
		return refuse_write(c);
	*ret = (struct insp_copy_side){ .files = c->files, .path = colon + 1 };
	return 0;
}

/* ---- all of them ---- */

void ccp_sources_clear(struct ccp_sources *sources)
{
	for (size_t i = 0; i < sources->n_globs; i++)
		insp_paths_clear(&sources->globs[i]);
	free(sources->globs);
	free(sources->items);
	*sources = (struct ccp_sources){ 0 };
}

static int add(struct ccp_sources *s, const struct insp_copy_side *side)
{
	struct insp_copy_side *bigger = reallocarray(s->items, s->n + 1, sizeof(*bigger));

	if (!bigger)
		return tool_no_memory(&ccp_tool);
	s->items = bigger;
	s->items[s->n++] = *side;
	return 0;
}

static int add_glob(struct ccp_sources *s, const struct insp_copy_side *side)
{
	struct insp_paths *paths = &s->globs[s->n_globs];
	struct insp_err err = { 0 };
	int r = 0;

	if (insp_copy_glob(side->files, side->path, paths, &err) < 0)
		return tool_fail(&ccp_tool, &err);
	s->n_globs++;
	for (size_t i = 0; i < paths->n && r == 0; i++)
		r = add(s, &(struct insp_copy_side){ side->files, paths->items[i] });
	return r;
}

int ccp_sources(struct ccp_host *host, char *operands[], size_t n, bool glob,
		struct ccp_sources *ret)
{
	int r = 0;

	ret->globs = calloc(n, sizeof(*ret->globs));
	if (!ret->globs)
		return tool_no_memory(&ccp_tool);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct insp_copy_side side;

		r = ccp_side(host, operands[i], false, &side);
		if (r == 0)
			r = glob && side.files ? add_glob(ret, &side) : add(ret, &side);
	}
	return r;
}
