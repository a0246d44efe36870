#include "libinspect/stats/parse.h"

#include "libinspect/base/util.h"
#include "libinspect/kernel/span.h"

/*
 * What v1 writes for "no limit": PAGE_COUNTER_MAX pages, which depends on the word and page size. Nothing has a quarter
 * of it.
 */
#define V1_NO_LIMIT (UINT64_C(1) << 60)

/* The first that tells it: v1's files are read before v2's. */
static void set(struct stat_parts *parts, enum insp_stat stat, uint64_t value)
{
	if (insp_sample_has(parts->sample, stat))
		return;
	parts->sample->value[stat] = value;
	parts->sample->known |= INSP_STAT_BIT(stat);
}

/* Adds, and stays at the top rather than begin anew. */
static uint64_t plus(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static bool whole_number(const char *buf, size_t len, uint64_t *ret)
{
	struct span s = span_of(buf, len);

	return span_u64(&s, ret) && (s.p == s.end || *s.p == '\n');
}

/* "KEY NUMBER" lines: the number of key. */
static bool keyed(const char *buf, size_t len, const char *key, uint64_t *ret)
{
	struct span s = span_of(buf, len), line;

	while (span_line(&s, &line))
		if (span_after(&line, key) && span_after(&line, " ") && span_u64(&line, ret) &&
		    line.p == line.end)
			return true;
	return false;
}

static void set_keyed(const char *buf, size_t len, const char *key, struct stat_parts *parts,
		      enum insp_stat stat)
{
	uint64_t v;

	if (keyed(buf, len, key, &v))
		set(parts, stat, v);
}

static void set_whole(const char *buf, size_t len, struct stat_parts *parts, enum insp_stat stat)
{
	uint64_t v;

	if (whole_number(buf, len, &v))
		set(parts, stat, v);
}

/* A number, or "max". */
static void set_limit(const char *buf, size_t len, struct stat_parts *parts, enum insp_stat stat)
{
	struct span s = span_of(buf, len);

	if (span_after(&s, "max"))
		set(parts, stat, INSP_STAT_NO_LIMIT);
	else
		set_whole(buf, len, parts, stat);
}

/* ---- both ---- */

static void parse_pids(const char *buf, size_t len, struct stat_parts *parts)
{
	set_whole(buf, len, parts, INSP_STAT_PIDS);
}

static void parse_pids_max(const char *buf, size_t len, struct stat_parts *parts)
{
	set_limit(buf, len, parts, INSP_STAT_PIDS_LIMIT);
}

static void parse_usage(const char *buf, size_t len, struct stat_parts *parts)
{
	if (!parts->has_usage)
		parts->has_usage = whole_number(buf, len, &parts->mem_usage);
}

static void parse_oom(const char *buf, size_t len, struct stat_parts *parts)
{
	set_keyed(buf, len, "oom_kill", parts, INSP_STAT_OOM_KILLS);
}

static void parse_throttling(const char *buf, size_t len, struct stat_parts *parts)
{
	set_keyed(buf, len, "nr_periods", parts, INSP_STAT_PERIODS);
	set_keyed(buf, len, "nr_throttled", parts, INSP_STAT_THROTTLED);
}

void stat_parts_join(struct stat_parts *p)
{
	if (p->has_usage && p->has_inactive)
		set(p, INSP_STAT_MEM,
		    p->mem_usage > p->inactive_file ? p->mem_usage - p->inactive_file : 0);
	if (p->has_quota && p->quota < 0)
		set(p, INSP_STAT_CPU_LIMIT, INSP_STAT_NO_LIMIT);
	else if (p->has_quota && p->has_period && p->period > 0 && p->quota <= INT64_MAX / 1000)
		set(p, INSP_STAT_CPU_LIMIT, (uint64_t)(p->quota * 1000 / p->period));
}

/* ---- v1 ---- */

static void parse_v1_cpu(const char *buf, size_t len, struct stat_parts *parts)
{
	set_whole(buf, len, parts, INSP_STAT_CPU);
}

static void parse_v1_quota(const char *buf, size_t len, struct stat_parts *parts)
{
	uint64_t v;

	parts->has_quota = true;
	if (len > 0 && buf[0] == '-')
		parts->quota = -1;
	else if (whole_number(buf, len, &v) && v <= INT64_MAX)
		parts->quota = (int64_t)v;
	else
		parts->has_quota = false;
}

static void parse_v1_period(const char *buf, size_t len, struct stat_parts *parts)
{
	uint64_t v;

	parts->has_period = whole_number(buf, len, &v) && v > 0 && v <= INT64_MAX;
	parts->period = parts->has_period ? (int64_t)v : 0;
}

static void parse_v1_memory(const char *buf, size_t len, struct stat_parts *parts)
{
	uint64_t limit;

	if (!parts->has_inactive)
		parts->has_inactive = keyed(buf, len, "total_inactive_file", &parts->inactive_file);
	set_keyed(buf, len, "total_rss", parts, INSP_STAT_ANON);
	set_keyed(buf, len, "total_cache", parts, INSP_STAT_FILE);
	set_keyed(buf, len, "total_shmem", parts, INSP_STAT_SHMEM);
	set_keyed(buf, len, "total_swap", parts, INSP_STAT_SWAP);
	if (keyed(buf, len, "hierarchical_memory_limit", &limit))
		set(parts, INSP_STAT_MEM_LIMIT, limit >= V1_NO_LIMIT ? INSP_STAT_NO_LIMIT : limit);
}

/* "8:0 Read 4096" of each device; the line "Total N" has no device. */
static void parse_v1_blkio(const char *buf, size_t len, struct stat_parts *parts,
			   enum insp_stat reads, enum insp_stat writes)
{
	struct span s = span_of(buf, len), line;
	uint64_t in = 0, out = 0, v;

	while (span_line(&s, &line)) {
		if (!span_skip_words(&line, 1))
			continue;
		if (span_after(&line, " Read ") && span_u64(&line, &v))
			in = plus(in, v);
		else if (span_after(&line, " Write ") && span_u64(&line, &v))
			out = plus(out, v);
	}
	set(parts, reads, in);
	set(parts, writes, out);
}

static void parse_v1_bytes(const char *buf, size_t len, struct stat_parts *parts)
{
	parse_v1_blkio(buf, len, parts, INSP_STAT_IO_READ, INSP_STAT_IO_WRITE);
}

static void parse_v1_serviced(const char *buf, size_t len, struct stat_parts *parts)
{
	parse_v1_blkio(buf, len, parts, INSP_STAT_IO_READS, INSP_STAT_IO_WRITES);
}

#define BIT INSP_STAT_BIT

#define MEMORY_STAT \
	(BIT(INSP_STAT_MEM) | BIT(INSP_STAT_ANON) | BIT(INSP_STAT_FILE) | BIT(INSP_STAT_SHMEM))
#define THROTTLING (BIT(INSP_STAT_PERIODS) | BIT(INSP_STAT_THROTTLED))
#define IO_BYTES   (BIT(INSP_STAT_IO_READ) | BIT(INSP_STAT_IO_WRITE))
#define IO_OPS	   (BIT(INSP_STAT_IO_READS) | BIT(INSP_STAT_IO_WRITES))

const struct stat_file stat_files_v1[] = {
	{ "cpuacct", "cpuacct.usage", BIT(INSP_STAT_CPU), parse_v1_cpu },
	{ "cpu", "cpu.stat", THROTTLING, parse_throttling },
	{ "cpu", "cpu.cfs_quota_us", BIT(INSP_STAT_CPU_LIMIT), parse_v1_quota },
	{ "cpu", "cpu.cfs_period_us", BIT(INSP_STAT_CPU_LIMIT), parse_v1_period },
	{ "memory", "memory.usage_in_bytes", BIT(INSP_STAT_MEM), parse_usage },
	{ "memory", "memory.stat", MEMORY_STAT | BIT(INSP_STAT_SWAP) | BIT(INSP_STAT_MEM_LIMIT),
	  parse_v1_memory },
	{ "memory", "memory.oom_control", BIT(INSP_STAT_OOM_KILLS), parse_oom },
	{ "blkio", "blkio.throttle.io_service_bytes_recursive", IO_BYTES, parse_v1_bytes },
	{ "blkio", "blkio.throttle.io_serviced_recursive", IO_OPS, parse_v1_serviced },
	{ "pids", "pids.current", BIT(INSP_STAT_PIDS), parse_pids },
	{ "pids", "pids.max", BIT(INSP_STAT_PIDS_LIMIT), parse_pids_max },
	{ NULL },
};

/* ---- v2 ---- */

static void parse_v2_cpu(const char *buf, size_t len, struct stat_parts *parts)
{
	uint64_t us;

	if (keyed(buf, len, "usage_usec", &us) && us <= UINT64_MAX / 1000)
		set(parts, INSP_STAT_CPU, us * 1000);
	parse_throttling(buf, len, parts);
}

/* "50000 100000", "max 100000" */
static void parse_v2_cpu_max(const char *buf, size_t len, struct stat_parts *parts)
{
	struct span s = span_of(buf, len);
	uint64_t quota = 0, period;
	bool none = span_after(&s, "max");

	if (!none && !span_number(&s, 10, INT64_MAX, &quota))
		return;
	parts->has_quota = true;
	parts->quota = none ? -1 : (int64_t)quota;
	parts->has_period = span_number(&s, 10, INT64_MAX, &period) && period > 0;
	parts->period = parts->has_period ? (int64_t)period : 0;
}

static void parse_v2_memory(const char *buf, size_t len, struct stat_parts *parts)
{
	if (!parts->has_inactive)
		parts->has_inactive = keyed(buf, len, "inactive_file", &parts->inactive_file);
	set_keyed(buf, len, "anon", parts, INSP_STAT_ANON);
	set_keyed(buf, len, "file", parts, INSP_STAT_FILE);
	set_keyed(buf, len, "shmem", parts, INSP_STAT_SHMEM);
}

static void parse_v2_memory_max(const char *buf, size_t len, struct stat_parts *parts)
{
	set_limit(buf, len, parts, INSP_STAT_MEM_LIMIT);
}

static void parse_v2_swap(const char *buf, size_t len, struct stat_parts *parts)
{
	set_whole(buf, len, parts, INSP_STAT_SWAP);
}

static void add_io_word(struct span word, uint64_t sums[4])
{
	static const char *const keys[4] = { "rbytes=", "wbytes=", "rios=", "wios=" };
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct span s = word;

		if (span_after(&s, keys[i]) && span_u64(&s, &v))
			sums[i] = plus(sums[i], v);
	}
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" of each device; empty: nothing yet. */
static void parse_v2_io(const char *buf, size_t len, struct stat_parts *parts)
{
	struct span s = span_of(buf, len), line, word;
	uint64_t sums[4] = { 0 };

	while (span_line(&s, &line))
		while (span_until(&line, ' ', &word))
			add_io_word(word, sums);
	set(parts, INSP_STAT_IO_READ, sums[0]);
	set(parts, INSP_STAT_IO_WRITE, sums[1]);
	set(parts, INSP_STAT_IO_READS, sums[2]);
	set(parts, INSP_STAT_IO_WRITES, sums[3]);
}

static void parse_v2_psi(const char *buf, size_t len, struct stat_parts *parts, enum insp_stat stat)
{
	uint64_t total, avg10;

	if (stat_parse_psi(buf, len, &total, &avg10))
		set(parts, stat, total);
}

static void parse_v2_psi_cpu(const char *buf, size_t len, struct stat_parts *parts)
{
	parse_v2_psi(buf, len, parts, INSP_STAT_PSI_CPU);
}

static void parse_v2_psi_memory(const char *buf, size_t len, struct stat_parts *parts)
{
	parse_v2_psi(buf, len, parts, INSP_STAT_PSI_MEM);
}

static void parse_v2_psi_io(const char *buf, size_t len, struct stat_parts *parts)
{
	parse_v2_psi(buf, len, parts, INSP_STAT_PSI_IO);
}

const struct stat_file stat_files_v2[] = {
	{ NULL, "cpu.stat", BIT(INSP_STAT_CPU) | THROTTLING, parse_v2_cpu },
	{ NULL, "cpu.max", BIT(INSP_STAT_CPU_LIMIT), parse_v2_cpu_max },
	{ NULL, "memory.current", BIT(INSP_STAT_MEM), parse_usage },
	{ NULL, "memory.stat", MEMORY_STAT, parse_v2_memory },
	{ NULL, "memory.max", BIT(INSP_STAT_MEM_LIMIT), parse_v2_memory_max },
	{ NULL, "memory.swap.current", BIT(INSP_STAT_SWAP), parse_v2_swap },
	{ NULL, "memory.events", BIT(INSP_STAT_OOM_KILLS), parse_oom },
	{ NULL, "io.stat", IO_BYTES | IO_OPS, parse_v2_io },
	{ NULL, "pids.current", BIT(INSP_STAT_PIDS), parse_pids },
	{ NULL, "pids.max", BIT(INSP_STAT_PIDS_LIMIT), parse_pids_max },
	{ NULL, "cpu.pressure", BIT(INSP_STAT_PSI_CPU), parse_v2_psi_cpu },
	{ NULL, "memory.pressure", BIT(INSP_STAT_PSI_MEM), parse_v2_psi_memory },
	{ NULL, "io.pressure", BIT(INSP_STAT_PSI_IO), parse_v2_psi_io },
	{ NULL },
};

/* ---- proc ---- */

/* An interface's name may hold a colon (an alias): the numbers stand behind the last one. */
static bool netdev_line(struct span line, uint64_t *rx, uint64_t *tx)
{
	const char *colon = memrchr(line.p, ':', span_len(&line));
	struct span name, numbers;

	if (!colon)
		return false;
	name = (struct span){ line.p, colon };
	numbers = (struct span){ colon + 1, line.end };
	span_blanks(&name);
	if (span_len(&name) == 2 && memcmp(name.p, "lo", 2) == 0)
		return false;
	return span_u64(&numbers, rx) && span_skip_words(&numbers, 7) && span_u64(&numbers, tx);
}

bool stat_parse_netdev(const char *buf, size_t len, uint64_t *ret_rx, uint64_t *ret_tx)
{
	struct span s = span_of(buf, len), line;
	uint64_t rx = 0, tx = 0, in, out;

	if (!memmem(buf, len, "|bytes", 6))
		return false;
	while (span_line(&s, &line)) {
		if (!netdev_line(line, &in, &out))
			continue;
		rx = plus(rx, in);
		tx = plus(tx, out);
	}
	*ret_rx = rx;
	*ret_tx = tx;
	return true;
}

bool stat_parse_procio(const char *buf, size_t len, uint64_t *ret_read, uint64_t *ret_write)
{
	uint64_t in, out;

	if (!keyed(buf, len, "read_bytes:", &in) || !keyed(buf, len, "write_bytes:", &out))
		return false;
	*ret_read = in;
	*ret_write = out;
	return true;
}

bool stat_parse_psi(const char *buf, size_t len, uint64_t *ret_total, uint64_t *ret_avg10)
{
	struct span s = span_of(buf, len), line;
	uint64_t whole, part, total;
	const char *at;

	if (!span_line(&s, &line) || !span_after(&line, "some avg10=") ||
	    !span_number(&line, 10, 100, &whole) || !span_after(&line, ".") ||
	    !span_number(&line, 10, 99, &part))
		return false;
	at = memmem(line.p, span_len(&line), " total=", 7);
	if (!at)
		return false;
	line.p = at + 7;
	if (!span_u64(&line, &total))
		return false;
	*ret_total = total;
	*ret_avg10 = whole * 100 + part;
	return true;
}

bool stat_parse_meminfo(const char *buf, size_t len, const char *key, uint64_t *ret)
{
	struct span s = span_of(buf, len), line;
	uint64_t kib;

	while (span_line(&s, &line))
		if (span_after(&line, key) && span_after(&line, ":") &&
		    span_number(&line, 10, UINT64_MAX / 1024, &kib)) {
			*ret = kib * 1024;
			return true;
		}
	return false;
}
