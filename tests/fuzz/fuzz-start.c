/*
 * How a container is started: any bytes as what engines keep (docker's record, which is its hostconfig.json here too, a runtime's
 * specification, a command line), and as the "process" and image configuration that insp_start_read() reads.
 */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/container/container.h"
#include "libinspect/creds.h"
#include "libinspect/engines/docker/docker.h"
#include "libinspect/engines/oci/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_start(const struct insp_start *s)
{
	for (char **e = s->env; e && *e; e++)
		if (**e == '=' || !strchr(*e, '='))
			__builtin_trap();
	if (s->n_gids > INSP_GROUPS_MAX || s->uid == UINT32_MAX || s->gid == UINT32_MAX ||
	    (s->caps.ambient & ~s->caps.bounding))
		__builtin_trap();
}

static void read_start(const char *process, const char *image)
{
	_cleanup_container_ struct insp_container *c = container_new("fuzz", "x");
	struct insp_start *s = NULL;

	if (!c)
		return;
	c->process = str_dup(process);
	c->image_config = str_dup(image);
	if (insp_start_read(c, &s, NULL) < 0)
		return;
	check_start(s);
	insp_start_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	_cleanup_free_ char *docker = NULL, *spec = NULL, *command = NULL;
	_cleanup_json_ json_t *j = NULL;
	struct oci_process_more more = { .user = "app", .skip = 1 };

	if (!text || oci_process_of_command(text, "/sbin/init", &command) < 0)
		return 0;
	read_start(command, NULL);
	read_start(text, NULL);
	read_start(NULL, text);
	if (json_parse((const char *)data, size, &j, NULL) < 0)
		return 0;
	more.groups = json_at(j, "groups");
	if (docker_process(j, j, &docker) < 0 || oci_process_of_spec(j, &more, &spec) < 0)
		__builtin_trap();
	read_start(docker, NULL);
	read_start(spec, NULL);
	return 0;
}
