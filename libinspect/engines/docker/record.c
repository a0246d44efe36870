/*
 * config.v2.json -> record. The file is written by the daemon, but it may be truncated, from another version, or made
 * up (docs/formats/docker.md).
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <limits.h>

void docker_record_free(struct docker_record *rec)
{
	if (rec->json)
		json_decref(rec->json);
	*rec = (struct docker_record){ 0 };
}

/* The fields that are used, and what they must be when they are there (null counts as not there). */
static const struct {
	const char *path, *type;
} expected[] = {
	{ "State", "object" },
	{ "State.Running", "boolean" },
	{ "State.Paused", "boolean" },
	{ "State.Restarting", "boolean" },
	{ "State.Dead", "boolean" },
	{ "State.RemovalInProgress", "boolean" },
	{ "State.Pid", "integer" },
	{ "State.ExitCode", "integer" },
	{ "State.StartedAt", "string" },
	{ "State.FinishedAt", "string" },
	{ "ID", "string" },
	{ "Name", "string" },
	{ "Created", "string" },
	{ "Path", "string" },
	{ "Args", "array" },
	{ "Image", "string" },
	{ "Driver", "string" },
	{ "LogPath", "string" },
	{ "RestartCount", "integer" },
	{ "Config", "object" },
	{ "Config.Image", "string" },
	{ "Config.Hostname", "string" },
	{ "Config.Labels", "object" },
	{ "NetworkSettings", "object" },
	{ "NetworkSettings.Ports", "object" },
	{ "NetworkSettings.Networks", "object" },
	{ "NetworkSettings.SandboxKey", "string" },
	{ "MountPoints", "object" },
};

#define WANTED_ALWAYS                                                                           \
	"State.Running", "State.Paused", "State.Restarting", "State.Dead",                      \
		"State.RemovalInProgress", "State.Pid", "State.ExitCode", "State.StartedAt",    \
		"State.FinishedAt", "ID", "Name", "Created", "Image", "Driver", "RestartCount", \
		"Config.Image", "NetworkSettings.SandboxKey"

#define WANTED_DETAIL                                                                           \
	"Path", "Args", "Config.Hostname", "LogPath", "Config.Labels", "NetworkSettings.Ports", \
		"NetworkSettings.Networks"
#define WANTED_FILES "MountPoints"
#define WANTED_CONFIG                                                                             \
	"Config.User", "Config.ExposedPorts", "Config.Env", "Config.Entrypoint", "Config.Cmd",    \
		"Config.Volumes", "Config.WorkingDir", "Config.StopSignal", "Config.Healthcheck", \
		"Config.Shell", "Config.OnBuild", "NoNewPrivileges", "SeccompProfile"

static bool has_type(const json_t *j, const char *type)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT: return str_eq(type, "object");
	case JSON_ARRAY: return str_eq(type, "array");
	case JSON_STRING: return str_eq(type, "string");
	case JSON_INTEGER: return str_eq(type, "integer");
	case JSON_TRUE:
	case JSON_FALSE: return str_eq(type, "boolean");
	default: return false;
	}
}

static int check_types(const json_t *j, struct insp_err *err)
{
	if (!json_is_object(j))
		return insp_err_say(err, -EBADMSG, "not a container's record");
	if (!json_is_object(json_at(j, "State")))
		return insp_err_say(err, -EBADMSG, "not a container's record: no 'State'");
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const json_t *v = json_at(j, expected[i].path);

		if (v && !json_is_null(v) && !has_type(v, expected[i].type))
			return insp_err_say(err, -EBADMSG, "'%s' is no %s", expected[i].path,
					    expected[i].type);
	}
	return 0;
}

/* Unset for what is none, as Go's zero time "0001-01-01T00:00:00Z" */
static int64_t time_at(const json_t *j, const char *path)
{
	int64_t t;

	return str_to_time(json_str_at(j, path), &t) < 0 ? 0 : t;
}

/* container/state.go, StateString(); "removing" is no word of ours: it is dead but for the files. */
static enum insp_state state_of(const json_t *s, int64_t started)
{
	if (json_bool_at(s, "Running")) {
		if (json_bool_at(s, "Paused"))
			return INSP_STATE_PAUSED;
		return json_bool_at(s, "Restarting") ? INSP_STATE_RESTARTING : INSP_STATE_RUNNING;
	}
	if (json_bool_at(s, "Dead") || json_bool_at(s, "RemovalInProgress"))
		return INSP_STATE_DEAD;
	return started == 0 ? INSP_STATE_CREATED : INSP_STATE_EXITED;
}

static int parse_state(const json_t *j, struct docker_record *rec, struct insp_err *err)
{
	const json_t *s = json_at(j, "State");
	int64_t pid = json_int_at(s, "Pid", 0), code = json_int_at(s, "ExitCode", 0);

	if (pid < 0 || pid > INT_MAX)
		return insp_err_say(err, -EBADMSG, "'State.Pid' is no process number");
	rec->started = time_at(s, "StartedAt");
	rec->finished = time_at(s, "FinishedAt");
	rec->state = state_of(s, rec->started);
	rec->pid = (pid_t)pid;
	rec->exit_code = code >= 0 && code <= 255 ? (int)code : INSP_EXIT_UNSET;
	/* it has ended when it has exited; a start that failed leaves "created" and its code */
	if (rec->state == INSP_STATE_RUNNING || rec->state == INSP_STATE_PAUSED ||
	    (rec->state == INSP_STATE_CREATED && code == 0))
		rec->exit_code = INSP_EXIT_UNSET;
	return 0;
}

static void parse_rest(const json_t *j, struct docker_record *rec)
{
	const char *name = json_str_at(j, "Name"), *image = json_str_at(j, "Image");
	int64_t restarts = json_int_at(j, "RestartCount", INSP_COUNT_UNSET);
	const char *hex = image ? str_after(image, "sha256:") : NULL;

	rec->id = json_str_at(j, "ID");
	name = name && name[0] == '/' ? name + 1 : name;
	/* no name at all; its id is shown then */
	rec->name = name && name[0] ? name : NULL;
	rec->image_ref = json_str_at(j, "Config.Image");
	rec->image_id = hex ? hex : image;
	rec->driver = json_str_at(j, "Driver");
	rec->sandbox_key = json_str_at(j, "NetworkSettings.SandboxKey");
	rec->created = time_at(j, "Created");
	rec->restarts = restarts >= 0 && restarts <= INT_MAX ? (int)restarts : INSP_COUNT_UNSET;
}

/* A tree of what is wanted only: most of a record (environment, networks) never is. */
static int parse_wanted(const char *data, size_t len, unsigned want, json_t **ret,
			struct insp_err *err)
{
	static const char *const few[] = { WANTED_ALWAYS, NULL };
	static const char *const files[] = { WANTED_ALWAYS, WANTED_FILES, NULL };
	static const char *const detail[] = { WANTED_ALWAYS, WANTED_DETAIL, NULL };
	static const char *const all[] = { WANTED_ALWAYS, WANTED_FILES, WANTED_DETAIL, NULL };
	static const char *const config[] = { WANTED_ALWAYS, WANTED_FILES, WANTED_DETAIL,
					      WANTED_CONFIG, NULL };
	const char *const *keys = few;

	if (want & INSP_WANT_CONFIG)
		keys = config;
	else if (want & INSP_WANT_DETAIL)
		keys = want & INSP_WANT_FILES ? all : detail;
	else if (want & INSP_WANT_FILES)
		keys = files;
	return json_parse_members(data, len, keys, ret, err);
}

int docker_record_parse(const char *data, size_t len, unsigned want, struct docker_record *ret,
			struct insp_err *err)
{
	_cleanup_docker_record_ struct docker_record rec = { 0 };
	int r = parse_wanted(data, len, want, &rec.json, err);

	if (r < 0)
		return r;
	r = check_types(rec.json, err);
	if (r < 0)
		return r;
	r = parse_state(rec.json, &rec, err);
	if (r < 0)
		return r;
	parse_rest(rec.json, &rec);
	*ret = rec;
	rec.json = NULL;
	return 0;
}
