/* A frame of a recording, decoded twice: the second one stands on the identities of the first. */
#include "libinspect/stats/recfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct insp_moment *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (!m->items[i].c->name || !m->items[i].c->id || !m->items[i].c->engine ||
		    m->items[i].sample.known & ~INSP_STAT_ALL)
			__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rec_identities all = { 0 };
	struct rec_frame frame = { 0 };
	struct insp_moment m;

	for (int i = 0; i < 2; i++)
		if (rec_decode(data, size, &all, &frame, &m) >= 0)
			check(&m);
	rec_frame_clear(&frame);
	rec_identities_clear(&all);
	return 0;
}
