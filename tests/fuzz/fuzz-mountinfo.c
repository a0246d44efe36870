/* mountinfo_parse(), the cgroup mounts and the overlay layers in it. */
#include "libinspect/base/util.h"
#include "libinspect/kernel/cgroup.h"
#include "libinspect/kernel/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_overlay(const struct mount_entry *m)
{
	_cleanup_free_ char *upper = NULL;
	char **lowers;
	size_t n;

	if (mountinfo_overlay(m, &lowers, &n, &upper) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		free(lowers[i]);
	free(lowers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	_cleanup_cgroup_mounts_ struct cgroup_mounts m = { 0 };

	if (mountinfo_parse((const char *)data, size, &t) < 0)
		return 0;
	for (size_t i = 0; i < t.n; i++) {
		if (!mountinfo_find(&t, t.items[i].target))
			__builtin_trap();
		try_overlay(&t.items[i]);
	}
	(void)cgroup_mounts_of(&t, &m);
	return 0;
}
