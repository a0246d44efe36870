/* The sum over a container's processes, where no cgroup is its own. */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/stats/watch.h"

#define IO_FIELDS (INSP_STAT_BIT(INSP_STAT_IO_READ) | INSP_STAT_BIT(INSP_STAT_IO_WRITE))

void procsum_clear(struct procsum *sum)
{
	free(sum->items);
	*sum = (struct procsum){ 0 };
}

/* What was counted of a process stays with it. */
int procsum_set(struct procsum *sum, const pid_t *pids, size_t n)
{
	struct procsum_item *items = calloc(n + 1, sizeof(*items));
	size_t old = 0;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		while (old < sum->n && sum->items[old].pid < pids[i])
			old++;
		if (old < sum->n && sum->items[old].pid == pids[i])
			items[i] = sum->items[old];
		items[i].pid = pids[i];
	}
	free(sum->items);
	sum->items = items;
	sum->n = n;
	return 0;
}

/* How much a counter of one process grew. */
static uint64_t grown(uint64_t *last, uint64_t now)
{
	uint64_t more = now > *last ? now - *last : 0;

	*last = now;
	return more;
}

static void read_io(int dirfd, struct procsum *sum, struct procsum_item *p)
{
	char buf[512];
	ssize_t n = io_read_small(dirfd, "io", buf, sizeof(buf));
	uint64_t in, out;

	if (n < 0 || !stat_parse_procio(buf, (size_t)n, &in, &out))
		return;
	sum->read += grown(&p->read, in);
	sum->write += grown(&p->write, out);
}

/* false: it is gone, or its pid is another's now */
static bool read_one(const struct insp_sys *sys, struct procsum *sum, struct procsum_item *p,
		     uint32_t wanted, struct pid_stat *ret)
{
	_cleanup_close_ int dirfd = -EBADF;
	char name[16];

	snprintf(name, sizeof(name), "%d", p->pid);
	dirfd = openat(sys->procfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 || pid_read_stat_at(dirfd, ret) < 0)
		return false;
	if (p->start == 0)
		p->start = ret->start;
	if (p->start != ret->start)
		return false;
	sum->cpu += grown(&p->cpu, ret->utime + ret->stime);
	if (wanted & IO_FIELDS)
		read_io(dirfd, sum, p);
	return true;
}

void procsum_read(const struct insp_sys *sys, struct procsum *sum, uint32_t wanted,
		  struct insp_sample *sample)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), rss = 0, tasks = 0;
	uint64_t tick = 1000000000 / (uint64_t)sys->ticks_per_second;

	for (size_t i = 0; i < sum->n; i++) {
		struct pid_stat st;

		if (!read_one(sys, sum, &sum->items[i], wanted, &st))
			continue;
		rss += st.rss_pages * page;
		tasks += st.threads;
	}
	if (wanted & INSP_STAT_BIT(INSP_STAT_CPU))
		sample->value[INSP_STAT_CPU] = sum->cpu * tick;
	if (wanted & INSP_STAT_BIT(INSP_STAT_MEM))
		sample->value[INSP_STAT_MEM] = rss;
	if (wanted & INSP_STAT_BIT(INSP_STAT_PIDS))
		sample->value[INSP_STAT_PIDS] = tasks;
	if (wanted & INSP_STAT_BIT(INSP_STAT_IO_READ))
		sample->value[INSP_STAT_IO_READ] = sum->read;
	if (wanted & INSP_STAT_BIT(INSP_STAT_IO_WRITE))
		sample->value[INSP_STAT_IO_WRITE] = sum->write;
	sample->known |= wanted & STAT_SUMMABLE;
}
