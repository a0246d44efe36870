/* The columns of ctop. */
#include "tools/shared/text.h"
#include "tools/shared/util.h"
#include "tui/model.h"

#include <inttypes.h>
#include <string.h>

#define BIT INSP_STAT_BIT

/* ---- numbers of a row ---------------------------------------------------------------------------------- */

bool row_cpu(const struct row *row, double *ret)
{
	double ns;

	if (!insp_sample_rate(&row->before, &row->now, INSP_STAT_CPU, &ns))
		return false;
	*ret = ns / 1e7;
	return true;
}

/* now as percent of a limit that is set. */
static bool of_limit(const struct row *row, double now, enum insp_stat limit, double *ret)
{
	uint64_t most = row->now.value[limit];

	if (!insp_sample_has(&row->now, limit) || most == INSP_STAT_NO_LIMIT || most == 0)
		return false;
	*ret = now * 100 / (double)most;
	return true;
}

static bool row_cpu_of_limit(const struct row *row, double *ret)
{
	double cpu;

	return row_cpu(row, &cpu) && of_limit(row, cpu * 10, INSP_STAT_CPU_LIMIT, ret);
}

static bool row_mem_of_limit(const struct row *row, double *ret)
{
	return insp_sample_has(&row->now, INSP_STAT_MEM) &&
	       of_limit(row, (double)row->now.value[INSP_STAT_MEM], INSP_STAT_MEM_LIMIT, ret);
}

static bool row_pids_of_limit(const struct row *row, double *ret)
{
	return insp_sample_has(&row->now, INSP_STAT_PIDS) &&
	       of_limit(row, (double)row->now.value[INSP_STAT_PIDS], INSP_STAT_PIDS_LIMIT, ret);
}

bool row_throttled(const struct row *row, double *ret)
{
	uint64_t periods, throttled;

	if (!insp_sample_growth(&row->before, &row->now, INSP_STAT_PERIODS, &periods) ||
	    !insp_sample_growth(&row->before, &row->now, INSP_STAT_THROTTLED, &throttled))
		return false;
	*ret = periods ? (double)throttled * 100 / (double)periods : 0;
	return true;
}

/* Percent of the time in which some task waited. */
static bool row_psi(const struct row *row, enum insp_stat stat, double *ret)
{
	double us;

	if (!insp_sample_rate(&row->before, &row->now, stat, &us))
		return false;
	*ret = us / 1e4;
	return true;
}

/* ---- trouble ------------------------------------------------------------------------------------------- */

struct trouble {
	char text[64];
	unsigned weight;
};

static void blame(struct trouble *t, const char *what, double percent)
{
	unsigned weight = percent > 100 ? 100 : (unsigned)percent;

	if (weight <= t->weight)
		return;
	t->weight = weight;
	snprintf(t->text, sizeof(t->text), "%s %.0f%%", what, percent);
}

/* What stands nearest to its end; below these thresholds nothing is said. */
static void find_trouble(const struct row *row, struct trouble *t)
{
	double percent;
	uint64_t kills;

	if (insp_sample_growth(&row->before, &row->now, INSP_STAT_OOM_KILLS, &kills) && kills) {
		*t = (struct trouble){ "oom-killed", 100 };
		return;
	}
	if (row_mem_of_limit(row, &percent) && percent >= 90)
		blame(t, "memory", percent);
	if (row_pids_of_limit(row, &percent) && percent >= 90)
		blame(t, "pids", percent);
	if (row_throttled(row, &percent) && percent >= 25)
		blame(t, "throttled", percent);
	if (row_psi(row, INSP_STAT_PSI_MEM, &percent) && percent >= 10)
		blame(t, "waits for memory", percent);
	if (row_psi(row, INSP_STAT_PSI_IO, &percent) && percent >= 25)
		blame(t, "waits for io", percent);
	if (row_psi(row, INSP_STAT_PSI_CPU, &percent) && percent >= 50)
		blame(t, "waits for cpu", percent);
	if (t->weight == 0 && row->c->state == INSP_STATE_RESTARTING)
		*t = (struct trouble){ "restarting", 20 };
	if (t->weight == 0 && row->c->state == INSP_STATE_PAUSED)
		*t = (struct trouble){ "paused", 10 };
}

char *row_trouble(const struct row *row, unsigned *ret_weight)
{
	struct trouble t = { .weight = 0 };

	find_trouble(row, &t);
	*ret_weight = t.weight;
	return t.weight ? strdup(t.text) : NULL;
}

unsigned row_weight(const struct row *row)
{
	unsigned weight;

	free(row_trouble(row, &weight));
	return weight;
}

/* ---- cells --------------------------------------------------------------------------------------------- */

static void percent_cell(bool known, double percent, struct cell *cell)
{
	if (!known)
		return;
	cell_printf(cell, "%.1f", percent);
	cell_number(cell, (int64_t)(percent * 100 + 0.5));
}

/* A percentage in JSON is a number with two decimals. */
static void json_percent(bool known, double percent, const char *key, struct json_out *out)
{
	if (known)
		json_out_real(out, key, percent, 2);
	else
		json_out_null(out, key);
}

#define PERCENT(name, expression)                                                     \
	static void fill_##name(const void *p, struct cell *cell)                     \
	{                                                                             \
		const struct row *row = p;                                            \
		double v = 0;                                                         \
		bool known = (expression);                                            \
                                                                                      \
		percent_cell(known, v, cell);                                         \
	}                                                                             \
	static void json_##name(const void *p, const char *key, struct json_out *out) \
	{                                                                             \
		const struct row *row = p;                                            \
		double v = 0;                                                         \
		bool known = (expression);                                            \
                                                                                      \
		json_percent(known, v, key, out);                                     \
	}

PERCENT(cpu, row_cpu(row, &v))
PERCENT(cpu_of_limit, row_cpu_of_limit(row, &v))
PERCENT(throttled, row_throttled(row, &v))
PERCENT(mem_of_limit, row_mem_of_limit(row, &v))
PERCENT(psi_cpu, row_psi(row, INSP_STAT_PSI_CPU, &v))
PERCENT(psi_mem, row_psi(row, INSP_STAT_PSI_MEM, &v))
PERCENT(psi_io, row_psi(row, INSP_STAT_PSI_IO, &v))

static int64_t whole(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static void value_cell(const struct row *row, enum insp_stat stat, bool bytes, struct cell *cell)
{
	char buf[TEXT_MAX];
	uint64_t v = row->now.value[stat];

	if (!insp_sample_has(&row->now, stat))
		return;
	if (v == INSP_STAT_NO_LIMIT) {
		cell_text(cell, "none");
		return;
	}
	if (bytes)
		cell_printf(cell, "%s", text_size(v, buf));
	else
		cell_printf(cell, "%" PRIu64, v);
	cell_number(cell, whole(v));
}

static void rate_cell(const struct row *row, enum insp_stat stat, bool bytes, struct cell *cell)
{
	char buf[TEXT_MAX];
	double rate;

	if (!insp_sample_rate(&row->before, &row->now, stat, &rate))
		return;
	if (bytes)
		cell_printf(cell, "%s", text_size((uint64_t)(rate + 0.5), buf));
	else
		cell_printf(cell, "%.0f", rate);
	cell_number(cell, (int64_t)(rate + 0.5));
}

#define CELL(name, call)                                          \
	static void fill_##name(const void *p, struct cell *cell) \
	{                                                         \
		const struct row *row = p;                        \
                                                                  \
		call;                                             \
	}

CELL(mem, value_cell(row, INSP_STAT_MEM, true, cell))
CELL(mem_limit, value_cell(row, INSP_STAT_MEM_LIMIT, true, cell))
CELL(anon, value_cell(row, INSP_STAT_ANON, true, cell))
CELL(file, value_cell(row, INSP_STAT_FILE, true, cell))
CELL(shmem, value_cell(row, INSP_STAT_SHMEM, true, cell))
CELL(swap, value_cell(row, INSP_STAT_SWAP, true, cell))
CELL(oom, value_cell(row, INSP_STAT_OOM_KILLS, false, cell))
CELL(net_in, rate_cell(row, INSP_STAT_NET_RX, true, cell))
CELL(net_out, rate_cell(row, INSP_STAT_NET_TX, true, cell))
CELL(io_read, rate_cell(row, INSP_STAT_IO_READ, true, cell))
CELL(io_write, rate_cell(row, INSP_STAT_IO_WRITE, true, cell))
CELL(io_reads, rate_cell(row, INSP_STAT_IO_READS, false, cell))
CELL(io_writes, rate_cell(row, INSP_STAT_IO_WRITES, false, cell))
CELL(pids, value_cell(row, INSP_STAT_PIDS, false, cell))
CELL(pids_limit, value_cell(row, INSP_STAT_PIDS_LIMIT, false, cell))
CELL(fds, value_cell(row, INSP_STAT_FDS, false, cell))
CELL(name, cell_text(cell, row->c->name))
CELL(engine, cell_text(cell, row->c->engine))
CELL(id, cell_text(cell, row->c->id))
CELL(image, cell_text(cell, row->c->image))
CELL(group, cell_text(cell, row->c->pod ? row->c->pod : row->c->project))
CELL(state, cell_text(cell, insp_state_name(row->c->state)))

static void fill_cpu_limit(const void *p, struct cell *cell)
{
	const struct row *row = p;
	uint64_t v = row->now.value[INSP_STAT_CPU_LIMIT];

	if (!insp_sample_has(&row->now, INSP_STAT_CPU_LIMIT))
		return;
	if (v == INSP_STAT_NO_LIMIT) {
		cell_text(cell, "none");
		return;
	}
	cell_printf(cell, "%.2f", (double)v / 1000);
	cell_number(cell, whole(v));
}

static void json_cpu_limit(const void *p, const char *key, struct json_out *out)
{
	const struct row *row = p;
	uint64_t v = row->now.value[INSP_STAT_CPU_LIMIT];
	bool known = insp_sample_has(&row->now, INSP_STAT_CPU_LIMIT) && v != INSP_STAT_NO_LIMIT;

	if (known)
		json_out_real(out, key, (double)v / 1000, 3);
	else
		json_out_null(out, key);
}

/* A limit that is not set is null, as one that is not known. */
static void json_limit(const struct row *row, enum insp_stat stat, const char *key,
		       struct json_out *out)
{
	uint64_t v = row->now.value[stat];

	if (insp_sample_has(&row->now, stat) && v != INSP_STAT_NO_LIMIT)
		json_out_int(out, key, whole(v));
	else
		json_out_null(out, key);
}

static void json_mem_limit(const void *p, const char *key, struct json_out *out)
{
	json_limit(p, INSP_STAT_MEM_LIMIT, key, out);
}

static void json_pids_limit(const void *p, const char *key, struct json_out *out)
{
	json_limit(p, INSP_STAT_PIDS_LIMIT, key, out);
}

static void fill_restarts(const void *p, struct cell *cell)
{
	const struct row *row = p;

	if (row->c->restarts == INSP_COUNT_UNSET)
		return;
	cell_printf(cell, "%d", row->c->restarts);
	cell_number(cell, row->c->restarts);
}

static void fill_uptime(const void *p, struct cell *cell)
{
	const struct row *row = p;
	int64_t seconds = (row->time - row->c->started) / 1000000000;
	char buf[TEXT_MAX];

	if (!row->c->started || !insp_state_is_live(row->c->state) || seconds < 0)
		return;
	cell_printf(cell, "%s", text_cpu_time((uint64_t)seconds, buf));
	cell_number(cell, seconds);
}

static void fill_pid(const void *p, struct cell *cell)
{
	const struct row *row = p;

	if (!row->c->pid)
		return;
	cell_printf(cell, "%d", row->c->pid);
	cell_number(cell, row->c->pid);
}

static void fill_trouble(const void *p, struct cell *cell)
{
	unsigned weight;

	cell->text = cell->own = row_trouble(p, &weight);
	if (weight)
		cell_number(cell, weight);
}

static void json_trouble(const void *p, const char *key, struct json_out *out)
{
	unsigned weight;
	_cleanup_free_ char *text = row_trouble(p, &weight);

	json_out_string(out, key, text);
}

static void json_summed(const void *p, const char *key, struct json_out *out)
{
	json_out_bool(out, key, ((const struct row *)p)->summed);
}

static void fill_source(const void *p, struct cell *cell)
{
	const struct row *row = p;

	if (row->now.at)
		cell_text(cell, row->summed ? "processes" : "cgroup");
}

#define IO_STATS(a) BIT(INSP_STAT_IO_##a)
#define CPU_LIMITED (BIT(INSP_STAT_CPU) | BIT(INSP_STAT_CPU_LIMIT))
#define THROTTLING  (BIT(INSP_STAT_PERIODS) | BIT(INSP_STAT_THROTTLED))
#define MEM_LIMITED (BIT(INSP_STAT_MEM) | BIT(INSP_STAT_MEM_LIMIT))
#define PSI	    (BIT(INSP_STAT_PSI_CPU) | BIT(INSP_STAT_PSI_MEM) | BIT(INSP_STAT_PSI_IO))
#define TROUBLES                                                                           \
	(MEM_LIMITED | THROTTLING | PSI | BIT(INSP_STAT_OOM_KILLS) | BIT(INSP_STAT_PIDS) | \
	 BIT(INSP_STAT_PIDS_LIMIT))

const struct column ctop_columns[] = {
	{ "NAME", COL_TRUNC, "name", "name", fill_name },
	{ "ENGINE", 0, "whose container it is", "engine", fill_engine },
	{ "ID", COL_SHORT, "id", "id", fill_id },
	{ "GROUP", COL_TRUNC, "its pod, or its compose project", "group", fill_group, NULL,
	  CTOP_WANT_DETAIL },
	{ "IMAGE", COL_TRUNC, "image", "image", fill_image },
	{ "STATE", 0, "state", "state", fill_state },
	{ "PID", COL_RIGHT, "pid of its init on this host", "pid", fill_pid },
	{ "UPTIME", COL_RIGHT, "since it was started", "uptime", fill_uptime },
	{ "RESTARTS", COL_RIGHT, "how often its engine restarted it", "restarts", fill_restarts,
	  NULL, CTOP_WANT_DETAIL },
	{ "TROUBLE", COL_TRUNC, "what is wrong with it: what stands nearest to its limit",
	  "trouble", fill_trouble, json_trouble, TROUBLES },
	{ "CPU", COL_RIGHT, "processor time, percent of one core", "cpu", fill_cpu, json_cpu,
	  BIT(INSP_STAT_CPU) },
	{ "CPUPCT", COL_RIGHT, "the same, percent of its limit", "cpu_of_limit", fill_cpu_of_limit,
	  json_cpu_of_limit, CPU_LIMITED },
	{ "CPUMAX", COL_RIGHT, "its limit, cores", "cpu_limit", fill_cpu_limit, json_cpu_limit,
	  BIT(INSP_STAT_CPU_LIMIT) },
	{ "THROTTLED", COL_RIGHT, "percent of its limit's periods in which it was stopped",
	  "throttled", fill_throttled, json_throttled, THROTTLING },
	{ "MEM", COL_RIGHT, "working set: memory usage less inactive file, as docker counts", "mem",
	  fill_mem, NULL, BIT(INSP_STAT_MEM) },
	{ "MEMMAX", COL_RIGHT, "its memory limit", "mem_limit", fill_mem_limit, json_mem_limit,
	  BIT(INSP_STAT_MEM_LIMIT) },
	{ "MEMPCT", COL_RIGHT, "MEM, percent of its limit", "mem_of_limit", fill_mem_of_limit,
	  json_mem_of_limit, MEM_LIMITED },
	{ "ANON", COL_RIGHT, "anonymous memory", "anon", fill_anon, NULL, BIT(INSP_STAT_ANON) },
	{ "FILE", COL_RIGHT, "page cache, with shared memory", "file", fill_file, NULL,
	  BIT(INSP_STAT_FILE) },
	{ "SHMEM", COL_RIGHT, "shared memory and tmpfs", "shmem", fill_shmem, NULL,
	  BIT(INSP_STAT_SHMEM) },
	{ "SWAP", COL_RIGHT, "swapped out", "swap", fill_swap, NULL, BIT(INSP_STAT_SWAP) },
	{ "OOM", COL_RIGHT, "processes killed because memory was out", "oom_kills", fill_oom, NULL,
	  BIT(INSP_STAT_OOM_KILLS) },
	{ "NETIN", COL_RIGHT, "bytes received a second, without lo", "net_in", fill_net_in, NULL,
	  BIT(INSP_STAT_NET_RX) },
	{ "NETOUT", COL_RIGHT, "bytes sent a second, without lo", "net_out", fill_net_out, NULL,
	  BIT(INSP_STAT_NET_TX) },
	{ "READ", COL_RIGHT, "bytes read from block devices a second", "io_read", fill_io_read,
	  NULL, IO_STATS(READ) },
	{ "WRITE", COL_RIGHT, "bytes written to block devices a second", "io_write", fill_io_write,
	  NULL, IO_STATS(WRITE) },
	{ "READS", COL_RIGHT, "reads of block devices a second", "io_reads", fill_io_reads, NULL,
	  IO_STATS(READS) },
	{ "WRITES", COL_RIGHT, "writes to block devices a second", "io_writes", fill_io_writes,
	  NULL, IO_STATS(WRITES) },
	{ "PIDS", COL_RIGHT, "its tasks: processes and threads", "pids", fill_pids, NULL,
	  BIT(INSP_STAT_PIDS) },
	{ "PIDMAX", COL_RIGHT, "their limit", "pids_limit", fill_pids_limit, json_pids_limit,
	  BIT(INSP_STAT_PIDS_LIMIT) },
	{ "PSICPU", COL_RIGHT, "percent of the time in which a task waited for a processor",
	  "psi_cpu", fill_psi_cpu, json_psi_cpu, BIT(INSP_STAT_PSI_CPU) },
	{ "PSIMEM", COL_RIGHT, "percent of the time in which a task waited for memory", "psi_mem",
	  fill_psi_mem, json_psi_mem, BIT(INSP_STAT_PSI_MEM) },
	{ "PSIIO", COL_RIGHT, "percent of the time in which a task waited for a block device",
	  "psi_io", fill_psi_io, json_psi_io, BIT(INSP_STAT_PSI_IO) },
	{ "FDS", COL_RIGHT | COL_EXTRA, "open file descriptors of its processes", "fds", fill_fds,
	  NULL, BIT(INSP_STAT_FDS) },
	{ "SOURCE", 0, "where the numbers come from: its cgroup, or its processes added up",
	  "summed", fill_source, json_summed },
	{ NULL },
};

const char *column_title(const struct column *column)
{
	return strcmp(column->name, "MEM") == 0 ? "MEM(ws)" : column->name;
}
