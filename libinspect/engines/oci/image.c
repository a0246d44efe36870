/*
 * The "config" of an image: github.com/opencontainers/image-spec, config.md (1.0 and 1.1), and what docker's has besides.
 * Docker's record of a container has one of the same form, with the container's own settings in it.
 */
#include "libinspect/engines/oci/image.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <sys/utsname.h>

/* runtime.GOARCH and what uname(2) says instead, where they differ */
const char *oci_architecture(char buf[OCI_ARCHITECTURE_MAX])
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "i686", "386" },
		{ "armv7l", "arm" },   { "armv6l", "arm" },    { "loongarch64", "loong64" }
	};
	struct utsname u = { 0 };

	uname(&u);
	snprintf(buf, OCI_ARCHITECTURE_MAX, "%s", u.machine);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(buf, names[i][0]))
			snprintf(buf, OCI_ARCHITECTURE_MAX, "%s", names[i][1]);
	return buf;
}

static const struct {
	const char *key;
	json_type type;
} members[] = {
	{ "User", JSON_STRING },       { "ExposedPorts", JSON_OBJECT },
	{ "Env", JSON_ARRAY },	       { "Entrypoint", JSON_ARRAY },
	{ "Cmd", JSON_ARRAY },	       { "Volumes", JSON_OBJECT },
	{ "WorkingDir", JSON_STRING }, { "Labels", JSON_OBJECT },
	{ "StopSignal", JSON_STRING }, { "Healthcheck", JSON_OBJECT },
	{ "Shell", JSON_ARRAY },       { "OnBuild", JSON_ARRAY },
};

int oci_image_config(const json_t *config, char **ret)
{
	_cleanup_json_ json_t *kept = json_object();

	for (size_t i = 0; kept && i < ARRAY_SIZE(members); i++) {
		json_t *v = json_object_get(config, members[i].key);

		if (v && json_typeof(v) == members[i].type &&
		    json_object_set(kept, members[i].key, v) < 0)
			return -ENOMEM;
	}
	*ret = kept ? json_dumps(kept, JSON_COMPACT) : NULL;
	return *ret ? 0 : -ENOMEM;
}

/* "1000:1000"; NULL: root, which needs not be said */
static json_t *user_of(const json_t *process)
{
	int64_t uid = json_int_at(process, "user.uid", 0),
		gid = json_int_at(process, "user.gid", 0);
	char text[48];

	if (uid == 0 && gid == 0)
		return NULL;
	snprintf(text, sizeof(text), "%lld:%lld", (long long)uid, (long long)gid);
	return json_string(text);
}

int oci_image_config_of_process(const json_t *process, char **ret)
{
	_cleanup_json_ json_t *config = json_object();
	json_t *user = user_of(process);

	if (!config || (user && json_object_set_new(config, "User", user) < 0))
		return -ENOMEM;
	if (json_object_get(process, "args"))
		json_object_set(config, "Cmd", json_object_get(process, "args"));
	if (json_object_get(process, "env"))
		json_object_set(config, "Env", json_object_get(process, "env"));
	if (json_object_get(process, "cwd"))
		json_object_set(config, "WorkingDir", json_object_get(process, "cwd"));
	return oci_image_config(config, ret);
}
