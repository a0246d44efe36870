/* See process.h. */
#include "libinspect/engines/oci/process.h"

#include "libinspect/base/util.h"

static const struct {
	const char *key;
	json_type type;
} members[] = {
	{ "args", JSON_ARRAY },	 { "env", JSON_ARRAY },		  { "cwd", JSON_STRING },
	{ "user", JSON_OBJECT }, { "capabilities", JSON_OBJECT },
};

static int put(json_t *out, const char *key, json_t *value)
{
	return json_object_set_new(out, key, value) < 0 ? -ENOMEM : 0;
}

static int put_args(json_t *out, const json_t *args, size_t skip)
{
	json_t *kept = json_array();

	for (size_t i = skip; kept && i < json_array_size(args); i++)
		json_array_append(kept, json_array_get(args, i));
	return put(out, "args", kept);
}

static int put_more(json_t *out, const struct oci_process_more *more)
{
	int r = 0;

	if (more->user)
		r = put(out, "userName", json_string(more->user));
	if (r == 0 && json_is_array(more->groups))
		r = put(out, "groups", json_deep_copy(more->groups));
	if (r == 0 && more->skip)
		r = put_args(out, json_object_get(out, "args"), more->skip);
	return r;
}

static int dump(const json_t *out, char **ret)
{
	*ret = json_dumps(out, JSON_COMPACT);
	return *ret ? 0 : -ENOMEM;
}

int oci_process_of_spec(const json_t *spec, const struct oci_process_more *more, char **ret)
{
	const json_t *process = json_at(spec, "process");
	_cleanup_json_ json_t *out = json_object();
	int r = out ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(members); i++) {
		json_t *v = json_object_get(process, members[i].key);

		if (v && json_typeof(v) == members[i].type)
			r = json_object_set(out, members[i].key, v) < 0 ? -ENOMEM : 0;
	}
	r = r
		    ?: put(out, "noNewPrivileges",
			   json_boolean(json_bool_at(process, "noNewPrivileges")));
	r = r ?: put(out, "readonly", json_boolean(json_bool_at(spec, "root.readonly")));
	r = r ?: put(out, "seccomp", json_boolean(json_is_object(json_at(spec, "linux.seccomp"))));
	if (r == 0 && more)
		r = put_more(out, more);
	return r < 0 ? r : dump(out, ret);
}

int oci_process_of_command(const char *command, const char *otherwise, char **ret)
{
	_cleanup_free_ char *words = str_dup(command ? command : otherwise);
	_cleanup_json_ json_t *out = json_object();
	json_t *args = json_array();
	char *save = NULL;

	if (!words || !out || !args || json_object_set_new(out, "args", args) < 0)
		return -ENOMEM;
	for (char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
		json_array_append_new(args,
				      json_string(w)); /* bytes that are no UTF-8 are left out */
	return dump(out, ret);
}
