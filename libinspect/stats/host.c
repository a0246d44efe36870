/* The host's own numbers: /proc/loadavg, meminfo, pressure. */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/span.h"
#include "libinspect/stats/parse.h"
#include "libinspect/kernel/sys.h"

static void read_load(const struct insp_sys *sys, double load[3])
{
	char buf[128];
	ssize_t n = io_read_small(sys->procfd, "loadavg", buf, sizeof(buf));
	struct span s = span_of(buf, n > 0 ? (size_t)n : 0);
	uint32_t whole, part;

	for (size_t i = 0; i < 3; i++) {
		if (!span_u32(&s, &whole) || !span_after(&s, ".") || !span_u32(&s, &part))
			return;
		load[i] = whole + part / 100.0;
	}
}

static void read_memory(const struct insp_sys *sys, struct insp_host_sample *h)
{
	struct {
		const char *key;
		int64_t *to;
	} const lines[] = { { "MemTotal", &h->mem_total },
			    { "MemAvailable", &h->mem_available },
			    { "SwapTotal", &h->swap_total },
			    { "SwapFree", &h->swap_free } };
	char buf[4096];
	ssize_t n = io_read_small(sys->procfd, "meminfo", buf, sizeof(buf));
	uint64_t v;

	for (size_t i = 0; n > 0 && i < ARRAY_SIZE(lines); i++)
		if (stat_parse_meminfo(buf, (size_t)n, lines[i].key, &v) && v <= INT64_MAX)
			*lines[i].to = (int64_t)v;
}

static void read_pressure(const struct insp_sys *sys, double psi[3])
{
	static const char *const names[] = { "pressure/cpu", "pressure/memory", "pressure/io" };
	uint64_t total, avg10;
	char buf[512];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ssize_t n = io_read_small(sys->procfd, names[i], buf, sizeof(buf));

		if (n > 0 && stat_parse_psi(buf, (size_t)n, &total, &avg10))
			psi[i] = (double)avg10 / 100;
	}
}

void insp_host_sample(const struct insp_sys *sys, struct insp_host_sample *ret)
{
	*ret = (struct insp_host_sample){ { -1, -1, -1 }, -1, -1, -1, -1, { -1, -1, -1 }, -1 };
	if (!sys->live)
		return;
	read_load(sys, ret->load);
	read_memory(sys, ret);
	read_pressure(sys, ret->psi);
	ret->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
}
