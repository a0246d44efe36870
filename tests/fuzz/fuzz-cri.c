/* The CRI plugin's status files and metadata. */
#include "libinspect/base/util.h"
#include "libinspect/engines/containerd/containerd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill_cri(const json_t *j, bool sandbox)
{
	_cleanup_container_ struct insp_container *c = container_new("cri", "c0ffee");

	if (!c || cri_metadata_fill(json_at(j, "Metadata"), sandbox, INSP_WANT_DETAIL, c) < 0)
		return;
	if (!c->name || c->infra != sandbox || c->restarts < INSP_COUNT_UNSET)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *j = NULL;
	struct cri_status st;

	if (cri_status_parse((const char *)data, size, &st, NULL) == 0 &&
	    (st.created < 0 || st.started < 0 || st.finished < 0 || st.exit_code > 255 ||
	     st.exit_code < INSP_EXIT_UNSET))
		__builtin_trap();
	if (json_parse((const char *)data, size, &j, NULL) < 0)
		return 0;
	fill_cri(j, false);
	fill_cri(j, true);
	return 0;
}
