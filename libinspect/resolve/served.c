#include "libinspect/resolve/served.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/base/io.h"

#define SHOWN 3 /* containers of a pod that are named */

static bool is_parent(const struct insp_sys *sys, pid_t pid, const struct insp_container *c)
{
	struct pid_stat st;

	return c->pid > 0 && pid_read_stat(sys->procfd, c->pid, &st) == 0 &&
	       st.start == c->pid_start && st.ppid == pid;
}

static bool is_apart(const struct insp_sys *sys, pid_t pid)
{
	static const enum insp_ns_type types[] = { INSP_NS_MNT, INSP_NS_PID };
	uint64_t ino;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (pid_ns_inode(sys->procfd, pid, types[i], &ino) == 0 &&
		    ino != sys->self_ns.ino[types[i]])
			return true;
	return false;
}

static bool any_apart(const struct insp_sys *sys, const char *pids)
{
	for (const char *p = pids; *p; p += strspn(p, " ")) {
		char number[16];
		size_t n = strcspn(p, " ");
		pid_t pid;

		snprintf(number, sizeof(number), "%.*s", (int)n, p);
		if (str_to_pid(number, &pid) == 0 && is_apart(sys, pid))
			return true;
		p += n;
	}
	return false;
}

/*
 * Whether it has a child in other namespaces. Most processes have none, and then nothing is listed for them.
 * compat: a kernel without CONFIG_PROC_CHILDREN tells nothing here.
 */
static bool has_child_apart(const struct insp_sys *sys, const struct insp_pid *pid)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;

	if (io_opendir(insp_pid_procfd(pid), "task", &dir) < 0)
		return false;
	for_each_entry (de, dir) {
		_cleanup_io_buf_ struct io_buf b = { 0 };
		_cleanup_free_ char *pids = NULL, *path = str_format("%s/children", de->d_name);

		if (!path || io_read_proc(io_dirfd(dir), path, IO_PROC_MAX, &b) < 0)
			continue;
		pids = strndup(b.data, b.len);
		if (pids && any_apart(sys, pids))
			return true;
	}
	return false;
}

/* Of init everything is the child that has lost its parent. */
static size_t served(struct insp_sys *sys, pid_t pid, struct strbuf *sb)
{
	struct insp_list list = { 0 };
	size_t n = 0;

	if (pid == 1 || insp_list(sys, 0, &list, NULL, NULL) < 0)
		return 0;
	for (size_t i = 0; i < list.n; i++) {
		_cleanup_free_ char *name = NULL;

		if (!is_parent(sys, pid, list.items[i]) || n++ >= SHOWN)
			continue;
		name = insp_escape_str(list.items[i]->name);
		strbuf_printf(sb, "%s%s:%.50s", n > 1 ? ", " : "", list.items[i]->engine,
			      name ? name : "?");
	}
	insp_list_clear(&list);
	return n;
}

void served_hint(struct insp_sys *sys, const struct insp_pid *pid, struct insp_err *err)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	size_t n = has_child_apart(sys, pid) ? served(sys, insp_pid_number(pid), &sb) : 0;

	if (n == 0 || !sb.buf)
		insp_err_hint(err, "it is a process of the host itself");
	else
		insp_err_hint(err, "it is a process of the host itself, and the parent of %s%s",
			      sb.buf, n > SHOWN ? " and others" : "");
}
