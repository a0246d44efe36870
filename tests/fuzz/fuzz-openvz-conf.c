/* A container's configuration file, /proc/vz/veinfo, a process's status. */
#include "libinspect/base/util.h"
#include "libinspect/engines/openvz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *buf = (const char *)data;
	struct openvz_conf conf;
	char ctid[64];
	bool init;

	if (openvz_conf_parse(buf, size, &conf) == 0) {
		free(openvz_expand(conf.private ? conf.private : "", "101"));
		openvz_conf_free(&conf);
	}
	(void)openvz_is_listed(buf, size, "101");
	if (openvz_parse_status(buf, size, ctid, sizeof(ctid), &init) &&
	    strnlen(ctid, sizeof(ctid)) == sizeof(ctid))
		__builtin_trap();
	return 0;
}
