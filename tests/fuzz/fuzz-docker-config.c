/* config.v2.json: json_pick() and docker_record_parse() on any bytes. */
#include "libinspect/base/util.h"
#include "libinspect/engines/docker/docker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is picked is what is there. A key written with an escape is not found by its bytes: it counts as absent. */
static void check_pick(const char *text, size_t size)
{
	static const char *const keys[] = { "State.Pid", "Name", "Config", NULL };
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	_cleanup_json_ json_t *whole = NULL, *picked = NULL;

	if (json_parse(text, size, &whole, NULL) < 0 || !json_is_object(whole) ||
	    memchr(text, '\\', size))
		return;
	if (json_pick(text, size, keys, &sb) < 0 || json_parse(sb.buf, sb.len, &picked, NULL) < 0)
		__builtin_trap();
	for (size_t i = 0; keys[i]; i++)
		if (json_at(whole, keys[i]) && !json_at(picked, keys[i]))
			__builtin_trap();
}

static void check_mounts(const struct insp_container *c)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (!c->mounts[i].type || !c->mounts[i].destination)
			__builtin_trap();
}

static void try_hostconfig(const char *text, size_t size)
{
	static const char *const keys[] = { "Tmpfs", NULL };
	_cleanup_container_ struct insp_container *c = container_new("docker", "id");
	_cleanup_json_ json_t *j = NULL;

	if (!c || json_parse_members(text, size, keys, &j, NULL) < 0)
		return;
	if (docker_hostconfig_mounts(j, c) == 0)
		check_mounts(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char id[] = "c044eb30e1842cb9e166ee8d71306d9e050e17477b985f9d7142d6be6fdfb721";
	_cleanup_docker_record_ struct docker_record rec = { 0 };
	_cleanup_container_ struct insp_container *c = NULL;

	check_pick((const char *)data, size);
	try_hostconfig((const char *)data, size);
	if (docker_record_parse((const char *)data, size, INSP_WANT_DETAIL | INSP_WANT_FILES, &rec,
				NULL) < 0)
		return 0;
	if (rec.pid < 0 || rec.exit_code < INSP_EXIT_UNSET || rec.exit_code > 255)
		__builtin_trap();
	c = container_new("docker", id);
	if (c && docker_record_fill(&rec, INSP_WANT_DETAIL, c) == 0 && !c->name)
		__builtin_trap();
	if (c && docker_record_mounts(&rec, "/store", c) == 0)
		check_mounts(c);
	return 0;
}
