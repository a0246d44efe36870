/*
 * How docker starts a container: Path and Args, with what Config and hostconfig.json say, into the form of the runtime specification.
 * daemon/oci_linux.go, oci/caps (docker 20.10 to 29).
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

/* Written "CAP_CHOWN", "chown", "ALL". */
static bool is_cap(const char *text, const char *name)
{
	if (strncasecmp(text, "cap_", 4) == 0)
		text += 4;
	return strcasecmp(text, name) == 0;
}

static bool lists(const json_t *list, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (json_is_string(v) && is_cap(json_string_value(v), name))
			return true;
	return false;
}

static int add_given(json_t *caps, const json_t *given)
{
	const json_t *v;
	size_t i;

	json_array_foreach (given, i, v)
		if (json_is_string(v) && json_array_append(caps, (json_t *)(uintptr_t)v) < 0)
			return -ENOMEM;
	return 0;
}

/* oci/caps/utils.go, TweakCapabilities(): "ALL" stays that word, what is dropped goes into a list of its own. */
static json_t *capabilities(const json_t *host)
{
	static const char *const always[] = {
		"chown",   "dac_override", "fsetid",	       "fowner",
		"mknod",   "net_raw",	   "setgid",	       "setuid",
		"setfcap", "setpcap",	   "net_bind_service", "sys_chroot",
		"kill",	   "audit_write"
	};
	const json_t *add = json_at(host, "CapAdd"), *drop = json_at(host, "CapDrop");
	json_t *caps = json_array(), *dropped = json_array(), *all = json_object();
	bool every = json_bool_at(host, "Privileged") || lists(add, "all");
	bool failed = !caps || !dropped || !all;

	for (size_t i = 0; !failed && !every && !lists(drop, "all") && i < ARRAY_SIZE(always); i++)
		failed = json_array_append_new(caps, json_string(always[i])) < 0;
	if (!failed && every)
		failed = json_array_append_new(caps, json_string("all")) < 0;
	failed = failed || add_given(caps, add) < 0;
	if (!failed && !json_bool_at(host, "Privileged") && !lists(drop, "all"))
		failed = add_given(dropped, drop) < 0;
	if (!failed && json_object_set(all, "bounding", caps) == 0 &&
	    json_object_set(all, "dropped", dropped) == 0) {
		json_decref(caps);
		json_decref(dropped);
		return all;
	}
	json_decref(caps);
	json_decref(dropped);
	json_decref(all);
	return NULL;
}

static bool has_option(const json_t *host, const char *name)
{
	const json_t *options = json_at(host, "SecurityOpt"), *v;
	size_t i;

	json_array_foreach (options, i, v) {
		const char *rest = json_is_string(v) ? str_after(json_string_value(v), name) : NULL;

		if (rest && (!*rest || str_eq(rest, ":true") || str_eq(rest, "=true")))
			return true;
	}
	return false;
}

static bool is_unconfined(const json_t *record, const json_t *host)
{
	return json_bool_at(host, "Privileged") || has_option(host, "seccomp=unconfined") ||
	       has_option(host, "seccomp:unconfined") ||
	       str_eq(json_str_at(record, "SeccompProfile"), "unconfined");
}

static int put(json_t *out, const char *key, json_t *value)
{
	return value && json_object_set_new(out, key, value) < 0 ? -ENOMEM : 0;
}

/* Path and Args are what is run, entrypoint and command put together. */
static json_t *words(const json_t *record)
{
	const json_t *path = json_at(record, "Path"), *more = json_at(record, "Args"), *v;
	json_t *args = json_array();
	size_t i;

	if (args && json_is_string(path) && *json_string_value(path))
		json_array_append(args, (json_t *)(uintptr_t)path);
	json_array_foreach (more, i, v)
		if (args && json_is_string(v))
			json_array_append(args, (json_t *)(uintptr_t)v);
	return args;
}

int docker_process(const json_t *record, const json_t *host, char **ret)
{
	const json_t *config = json_at(record, "Config");
	_cleanup_json_ json_t *out = json_object();
	const char *user = json_str_at(config, "User"), *cwd = json_str_at(config, "WorkingDir");
	bool no_new =
		json_bool_at(record, "NoNewPrivileges") || has_option(host, "no-new-privileges");
	int r = out ? put(out, "args", words(record)) : -ENOMEM;

	if (json_is_array(json_at(config, "Env")))
		r = r ?: put(out, "env", json_deep_copy(json_at(config, "Env")));
	if (json_is_array(json_at(host, "GroupAdd")))
		r = r ?: put(out, "groups", json_deep_copy(json_at(host, "GroupAdd")));
	r = r ?: put(out, "cwd", cwd ? json_string(cwd) : NULL);
	/* root with the groups that its passwd and group give it */
	r = r ?: put(out, "userName", json_string(user ? user : "0"));
	/* missing, or damaged: what is not known is not given */
	r = r ?: put(out, "capabilities", host ? capabilities(host) : NULL);
	r = r ?: put(out, "noNewPrivileges", json_boolean(no_new));
	r = r ?: put(out, "readonly", json_boolean(json_bool_at(host, "ReadonlyRootfs")));
	r = r ?: put(out, "seccomp", json_boolean(!is_unconfined(record, host)));
	if (r < 0)
		return r;
	*ret = json_dumps(out, JSON_COMPACT);
	return *ret ? 0 : -ENOMEM;
}
