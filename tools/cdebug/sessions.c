/* Detached sessions: listed, attached to, stopped. Nothing of a container is looked at. */
#include "tools/cdebug/sessions.h"
#include "sidecar/session.h"
#include "tools/shared/errors.h"
#include "tools/shared/json-out.h"
#include "tools/shared/util.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA 1

static void print_json(const struct session_list *list)
{
	struct json_out out = { .file = stdout };

	json_out_open(&out, NULL, '{');
	json_out_int(&out, "schema", SCHEMA);
	json_out_open(&out, "sessions", '[');
	for (size_t i = 0; i < list->n; i++) {
		const struct session_info *s = &list->items[i];

		json_out_open(&out, NULL, '{');
		json_out_string(&out, "id", s->id);
		json_out_string(&out, "container", s->container);
		json_out_string(&out, "command", s->command);
		json_out_int(&out, "created", s->created);
		json_out_int(&out, "holder", s->holder);
		json_out_string(&out, "state", s->killed ? "killed" : "running");
		json_out_int(&out, "attached", s->attached);
		if (s->killed)
			json_out_int(&out, "processes", s->processes);
		else
			json_out_null(&out, "processes");
		json_out_close(&out, '}');
	}
	json_out_close(&out, ']');
	json_out_close(&out, '}');
}

static void print_age(int64_t ns, char *buf, size_t size)
{
	int64_t s = ns > 0 ? ns / 1000000000 : 0;

	if (s < 60)
		snprintf(buf, size, "%" PRId64 "s", s);
	else if (s < 3600)
		snprintf(buf, size, "%" PRId64 "m", s / 60);
	else if (s < 2 * 86400)
		snprintf(buf, size, "%" PRId64 "h", s / 3600);
	else
		snprintf(buf, size, "%" PRId64 "d", s / 86400);
}

static void print_state(const struct session_info *s, char *buf, size_t size)
{
	if (s->killed)
		snprintf(buf, size, "killed, %u left", s->processes);
	else if (s->attached)
		snprintf(buf, size, "attached %u", s->attached);
	else
		snprintf(buf, size, "running");
}

static int print_table(const struct session_list *list, int64_t now)
{
	int width = (int)strlen("CONTAINER");

	for (size_t i = 0; i < list->n; i++) {
		_cleanup_free_ char *name = insp_escape_str(list->items[i].container);

		if (!name)
			return -ENOMEM;
		if ((int)strlen(name) > width)
			width = (int)strlen(name);
	}
	printf("%-12s  %-*s  %-4s  %-16s  %s\n", "ID", width, "CONTAINER", "AGE", "STATE",
	       "COMMAND");
	for (size_t i = 0; i < list->n; i++) {
		const struct session_info *s = &list->items[i];
		_cleanup_free_ char *name = insp_escape_str(s->container);
		_cleanup_free_ char *command = insp_escape_str(s->command);
		char age[24], state[32];

		if (!name || !command)
			return -ENOMEM;
		print_age(now - s->created, age, sizeof(age));
		print_state(s, state, sizeof(state));
		printf("%-12s  %-*s  %-4s  %-16s  %s\n", s->id, width, name, age, state, command);
	}
	return 0;
}

int sessions_print(const struct tool *tool, bool json)
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	_cleanup_(session_list_clear) struct session_list list = { 0 };
	_cleanup_diags_ struct insp_diags diags = { 0 };
	struct insp_err err = { 0 };
	bool incomplete;

	if (insp_sys_open(NULL, &sys, &err) < 0 || session_list(sys, &list, &diags, &err) < 0)
		return tool_fail(tool, &err);
	if (json)
		print_json(&list);
	else if (print_table(&list, insp_sys_now(sys)) < 0)
		return tool_no_memory(tool);
	incomplete = tool_say_diags(tool, &diags) > 0;
	return tool_close_stdout(tool, incomplete ? TOOL_INCOMPLETE : TOOL_OK);
}

int sessions_attach(const struct tool *tool, const char *id)
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	struct insp_err err = { 0 };
	bool detached = false;
	int status = tool->failure;

	if (insp_sys_open(NULL, &sys, &err) < 0 ||
	    session_attach(sys, id, &status, &detached, &err) < 0) {
		tool_say(tool, &err);
		return status;
	}
	if (detached && status == 0)
		fprintf(stderr, "\ndetached: the session goes on\n");
	return status;
}

int sessions_stop(const struct tool *tool, const struct opt_list *ids)
{
	_cleanup_sys_ struct insp_sys *sys = NULL;
	struct insp_err err = { 0 };
	int status = 0;

	if (insp_sys_open(NULL, &sys, &err) < 0)
		return tool_fail(tool, &err);
	for (size_t i = 0; i < ids->n; i++)
		if (session_stop(sys, ids->items[i], &err) < 0)
			status = tool_fail(tool, &err);
	return status;
}
