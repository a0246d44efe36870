/* /proc/PID/status. proc_pid_status(5). */
#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/span.h"

static bool parse_ids(struct span *s, uint32_t *ret_real, uint32_t *ret_effective)
{
	return span_u32(s, ret_real) && span_u32(s, ret_effective);
}

static void parse_groups(struct span *s, struct pid_status *st)
{
	uint32_t gid;

	while (st->n_groups < ARRAY_SIZE(st->groups) && span_u32(s, &gid))
		st->groups[st->n_groups++] = gid;
}

static void parse_ns_pids(struct span *s, struct pid_status *st)
{
	int pid;

	while (st->n_ns_pids < ARRAY_SIZE(st->ns_pids) && span_int(s, &pid))
		st->ns_pids[st->n_ns_pids++] = pid;
}

static void parse_cap(struct span *s, uint64_t *ret)
{
	(void)span_number(s, 16, UINT64_MAX, ret);
}

/* One "Key:\tvalue" line. Lines of keys that sonde does not use, or that make no sense, are left out. */
static void parse_line(struct span *s, struct pid_status *st, bool *uids, bool *gids)
{
	int v;

	if (span_after(s, "Uid:"))
		*uids = parse_ids(s, &st->ruid, &st->euid);
	else if (span_after(s, "Gid:"))
		*gids = parse_ids(s, &st->rgid, &st->egid);
	else if (span_after(s, "Tgid:"))
		(void)span_int(s, &st->tgid);
	else if (span_after(s, "Groups:"))
		parse_groups(s, st);
	else if (span_after(s, "NSpid:"))
		parse_ns_pids(s, st);
	else if (span_after(s, "CapInh:"))
		parse_cap(s, &st->cap_inh);
	else if (span_after(s, "CapPrm:"))
		parse_cap(s, &st->cap_prm);
	else if (span_after(s, "CapEff:"))
		parse_cap(s, &st->cap_eff);
	else if (span_after(s, "CapBnd:"))
		parse_cap(s, &st->cap_bnd);
	else if (span_after(s, "CapAmb:"))
		parse_cap(s, &st->cap_amb);
	else if (span_after(s, "NoNewPrivs:") && span_int(s, &v))
		st->no_new_privs = v != 0;
	else if (span_after(s, "Seccomp:") && span_int(s, &v))
		st->seccomp = v;
}

int pid_parse_status(const char *buf, size_t len, struct pid_status *ret)
{
	struct pid_status st = { .seccomp = -1 };
	struct span s = span_of(buf, len), line;
	bool uids = false, gids = false;

	/* Name: is the only line the process writes; the kernel escapes newlines in it, so it stays one line */
	while (span_line(&s, &line))
		parse_line(&line, &st, &uids, &gids);
	if (!uids || !gids)
		return -EBADMSG;
	*ret = st;
	return 0;
}

int pid_read_status_at(int dirfd, struct pid_status *ret)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r = io_read_proc(dirfd, "status", PID_STATUS_MAX, &b);

	return r < 0 ? r : pid_parse_status(b.data, b.len, ret);
}

int pid_read_status(const struct insp_pid *pid, struct pid_status *ret, struct insp_err *err)
{
	int r = pid_read_status_at(pid->procfd, ret);

	if (r < 0)
		return insp_err_set(err, r, "pid %d: read '/proc/%d/status'", pid->pid, pid->pid);
	return 0;
}
