#include "libinspect/engines/oci/chain.h"

#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

bool oci_is_digest(const char *s)
{
	const char *hex = s ? str_after(s, "sha256:") : NULL;

	return hex && str_is_hex(hex, SUM_HEX - 1);
}

int oci_chain_add(char chain[OCI_DIGEST_SIZE], const char *diff_id)
{
	struct sha256_ctx sum;
	char hex[SUM_HEX];

	if (!oci_is_digest(diff_id))
		return -EBADMSG;
	if (!chain[0]) {
		snprintf(chain, OCI_DIGEST_SIZE, "%s", diff_id);
		return 0;
	}
	sha256_init(&sum);
	sha256_update(&sum, strlen(chain), (const uint8_t *)chain);
	sha256_update(&sum, 1, (const uint8_t *)" ");
	sha256_update(&sum, strlen(diff_id), (const uint8_t *)diff_id);
	sum_hex(&sum, hex);
	snprintf(chain, OCI_DIGEST_SIZE, "sha256:%s", hex);
	return 0;
}

int oci_layers_by_chain(struct insp_layers *layers, const json_t *diff_ids)
{
	char chain[OCI_DIGEST_SIZE] = "";
	int r = 0;

	/* a whole tree is no layer */
	if (layers->kind == INSP_ROOT_DIR)
		return 0;
	for (size_t i = 0; i < layers->n_lowers && r == 0; i++) {
		struct insp_layer_ids *ids = &layers->ids[layers->n_lowers - 1 - i];
		const char *diff_id = json_string_value(json_array_get(diff_ids, i));

		if (i == 0 && !diff_id && oci_is_digest(ids->id))
			diff_id = ids->id;
		if (oci_chain_add(chain, diff_id) < 0 || !str_eq(ids->id, chain))
			return 0;
		r = container_set(&ids->diff_id, diff_id);
	}
	return r;
}
