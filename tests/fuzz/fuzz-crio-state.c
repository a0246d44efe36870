/* state.json and config.json of one container: the same bytes for both. */
#include "libinspect/base/util.h"
#include "libinspect/engines/crio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct insp_container *c = container_new("pod", "id");
	struct crio_state st;
	json_t *config = NULL;

	if (!c)
		return 0;
	if (crio_parse_state((const char *)data, size, &st, NULL) == 0 &&
	    (st.pid < 0 || st.exit_code < INSP_EXIT_UNSET || st.exit_code > 255))
		__builtin_trap();
	if (json_parse((const char *)data, size, &config, NULL) == 0)
		(void)crio_fill_annotations(config, ~0U, c);
	json_decref(config);
	insp_container_free(c);
	return 0;
}
