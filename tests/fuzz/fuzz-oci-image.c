/* The configuration of an image that is made of a container: of an image's "config", and of a runtime's "process". */
#include "tests/fuzz/image-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *config = NULL, *process = NULL;
	_cleanup_json_ json_t *json = NULL;

	if (json_parse((const char *)data, size, &json, NULL) < 0)
		return 0;
	if (oci_image_config(json, &config) < 0 || oci_image_config_of_process(json, &process) < 0)
		__builtin_trap();
	check_image_config(config);
	check_image_config(process);
	return 0;
}
