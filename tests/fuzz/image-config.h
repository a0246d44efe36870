/* What the fuzz targets of image configurations check: what is given is what an image may have, each of its type. */
#ifndef SONDE_TESTS_FUZZ_IMAGE_CONFIG_H
#define SONDE_TESTS_FUZZ_IMAGE_CONFIG_H

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/oci/image.h"

static inline void check_image_config(const char *text)
{
	static const char *const strings[] = { "User", "WorkingDir", "StopSignal" };
	static const char *const arrays[] = { "Env", "Entrypoint", "Cmd", "Shell", "OnBuild" };
	_cleanup_json_ json_t *config = NULL;
	const char *key;
	json_t *value;

	if (!text || json_parse(text, strlen(text), &config, NULL) < 0 || !json_is_object(config))
		__builtin_trap();
	json_object_foreach (config, key, value) {
		json_type type = JSON_OBJECT;

		for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
			type = str_eq(key, strings[i]) ? JSON_STRING : type;
		for (size_t i = 0; i < ARRAY_SIZE(arrays); i++)
			type = str_eq(key, arrays[i]) ? JSON_ARRAY : type;
		if (json_typeof(value) != type)
			__builtin_trap();
	}
}

#endif
