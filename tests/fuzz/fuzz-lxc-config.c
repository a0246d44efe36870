/* An lxc container's config, what is made of it, and what a monitor calls itself. */
#include "libinspect/base/util.h"
#include "libinspect/engines/lxc/config.h"
#include "libinspect/engines/lxc/monitor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_config(const struct lxc_config *config, const char *within)
{
	struct insp_container *c = container_new("lxc", "x");
	struct insp_layers *layers = NULL;

	if (!c || lxc_config_layers(config->rootfs ? config->rootfs : "", within, &layers) < 0 ||
	    lxc_config_add_mounts(&config->mounts, "/x", c) < 0 ||
	    lxc_config_add_ids(&config->idmaps, c) < 0)
		__builtin_trap();
	if (layers && !lxc_path_is_within(layers->upper, within))
		__builtin_trap();
	for (size_t i = 0; layers && i < layers->n_lowers; i++)
		if (!lxc_path_is_within(layers->lowers[i], within))
			__builtin_trap();
	container_layers_free(layers);
	insp_container_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_lxc_config_ struct lxc_config config = { 0 };
	char *path = NULL, *name = NULL;

	if (lxc_config_parse((const char *)data, size, &config) < 0)
		__builtin_trap();
	use_config(&config, NULL);
	use_config(&config, "/home/ann/.local/share/lxc");
	if (lxc_monitor_parse((const char *)data, size, &path, &name) == 0) {
		if (path[0] != '/' || !name[0] || strchr(name, ' '))
			__builtin_trap();
		free(path);
		free(name);
	}
	return 0;
}
