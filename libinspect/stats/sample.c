/* Samples, and what lies between two of them. */
#include "libinspect/stats.h"

bool insp_sample_has(const struct insp_sample *sample, enum insp_stat stat)
{
	return sample->known & INSP_STAT_BIT(stat);
}

bool insp_sample_growth(const struct insp_sample *before, const struct insp_sample *after,
			enum insp_stat stat, uint64_t *ret_growth)
{
	if (!insp_sample_has(before, stat) || !insp_sample_has(after, stat) ||
	    after->at <= before->at || after->value[stat] < before->value[stat])
		return false;
	*ret_growth = after->value[stat] - before->value[stat];
	return true;
}

bool insp_sample_rate(const struct insp_sample *before, const struct insp_sample *after,
		      enum insp_stat stat, double *ret_rate)
{
	uint64_t growth;

	if (!insp_sample_growth(before, after, stat, &growth))
		return false;
	*ret_rate = (double)growth * 1e9 / (double)(after->at - before->at);
	return true;
}
