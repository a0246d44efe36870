/*
 * The IMAGE column as `docker ps` fills it: the reference the container was made from, as long as it still means the
 * same image, else the short id (daemon/list.go, refreshImage()).
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/reference.h"

#define SHORT_ID 12

char *docker_image_familiar(const char *ref)
{
	ref = oci_reference_familiar(ref);
	return strndup(ref, strcspn(ref, "@"));
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
	const char *familiar = oci_reference_familiar(ref), *hex;
	const char *digest = strchr(familiar, '@');
	size_t before = digest ? (size_t)(digest - familiar) : strlen(familiar);
	size_t len = oci_reference_name_length(familiar, before);
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
