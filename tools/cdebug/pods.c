#include "tools/cdebug/pods.h"
#include "sidecar/pod.h"
#include "tools/shared/errors.h"
#include "tools/shared/util.h"

int pods_resolve(const struct tool *tool, struct insp_sys *sys, const char *name,
		 struct insp_container **ret_container, unsigned *ret_shared)
{
	_cleanup_list_ struct insp_list candidates = { 0 };
	_cleanup_diags_ struct insp_diags diags = { 0 };
	struct insp_err err = { 0 };

	if (pod_find(sys, name, ret_container, ret_shared, &candidates, &diags, &err) == 0)
		return 0;
	/* what could not be read may be where it is */
	tool_say_diags(tool, &diags);
	tool_say(tool, &err);
	tool_say_candidates(&candidates);
	return tool->failure;
}
