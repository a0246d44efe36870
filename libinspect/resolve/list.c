/* All containers of a host. */
#include "libinspect/resolve/list.h"

#include "libinspect/base/util.h"

static void hand_over_diags(struct insp_diags *diags, const struct insp_diags *from)
{
	for (size_t i = 0; i < from->n; i++)
		insp_diags_add(diags, &from->items[i]);
}

int list_run(struct engine_scan *scan, struct insp_list *ret_list, struct insp_diags *diags,
	     struct insp_err *err)
{
	int r = engine_scan_run(scan, NULL);

	if (r < 0)
		return insp_err_set(err, r, "list containers");
	hand_over_diags(diags, &scan->diags);
	*ret_list = scan->found;
	scan->found = (struct insp_list){ 0 };
	return 0;
}

int insp_list(struct insp_sys *sys, unsigned want, struct insp_list *ret_list,
	      struct insp_diags *diags, struct insp_err *err)
{
	_cleanup_scan_ struct engine_scan scan = { .sys = sys, .want = want, .may_walk = true };

	return list_run(&scan, ret_list, diags, err);
}
