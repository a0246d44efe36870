/*
 * The IMAGE column as `docker ps` fills it: the reference the container was made from, as long as it still means the
 * same image, else the short id (daemon/list.go, refreshImage()).
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#define SHORT_ID 12

static const char *skip_default_registry(const char *ref)
{
	static const char *const prefixes[] = { "docker.io/library/", "docker.io/",
						"index.docker.io/library/", "index.docker.io/" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *rest = str_after(ref, prefixes[i]);

		if (rest && *rest)
			return rest;
	}
	return ref;
}

char *docker_image_familiar(const char *ref)
{
	ref = skip_default_registry(ref);
	return strndup(ref, strcspn(ref, "@"));
}

/* Where the tag's colon is ("host:5000/name" has none); the length of ref when there is no tag. */
static size_t name_length(const char *ref, size_t len)
{
	size_t i = len;

	while (i > 0 && ref[i - 1] != '/' && ref[i - 1] != ':')
		i--;
	return i > 0 && ref[i - 1] == ':' ? i - 1 : len;
}

/* image/DRIVER/repositories.json, read once a store. NULL: a store without one (containerd's image store). */
static const json_t *repositories(struct docker_root *root, const char *driver)
{
	char path[128];

	if (root->repositories_read)
		return json_object_get(root->repositories, "Repositories");
	root->repositories_read = true;
	if (!driver || strchr(driver, '/') || driver[0] == '.' || strlen(driver) > 64)
		return NULL;
	snprintf(path, sizeof(path), "image/%s/repositories.json", driver);
	if (json_read_file(root->fd, path, IO_STATE_MAX, &root->repositories, NULL) < 0)
		return NULL;
	return json_object_get(root->repositories, "Repositories");
}

/* {"citest": {"citest:1": "sha256:HEX", "citest@sha256:HEX": "sha256:HEX"}} */
static bool still_means(const json_t *repos, const char *ref, const char *image_id)
{
	const char *familiar = skip_default_registry(ref), *hex;
	const char *digest = strchr(familiar, '@');
	size_t before = digest ? (size_t)(digest - familiar) : strlen(familiar);
	size_t len = name_length(familiar, before);
	const char *tag = digest ? digest : familiar[len] == ':' ? familiar + len : ":latest";
	_cleanup_free_ char *name = strndup(familiar, len);
	_cleanup_free_ char *key = str_format("%.*s%s", (int)len, familiar, tag);
	const json_t *id = name && key ? json_object_get(json_object_get(repos, name), key) : NULL;

	if (!json_is_string(id))
		return false;
	hex = str_after(json_string_value(id), "sha256:");
	return hex && strcmp(hex, image_id) == 0;
}

int docker_image_name(struct docker_root *root, const struct docker_record *rec, char **ret)
{
	const char *ref = rec->image_ref, *id = rec->image_id, *hex;
	const json_t *repos;
	char *shown;

	*ret = NULL;
	if (!ref && !id)
		return 0;
	hex = ref && str_after(ref, "sha256:") ? str_after(ref, "sha256:") : ref;
	repos = ref && id ? repositories(root, rec->driver) : NULL;
	if (!ref || (id && str_starts(id, hex) && hex != ref) ||
	    (id && str_starts(id, hex) && strlen(hex) > SHORT_ID))
		shown = strndup(id, SHORT_ID);
	else if (id && repos && !str_starts(id, ref) && !still_means(repos, ref, id))
		shown = strndup(id, SHORT_ID);
	else
		shown = docker_image_familiar(ref);
	*ret = shown;
	return shown ? 0 : -ENOMEM;
}
