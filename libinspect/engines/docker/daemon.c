/* A running daemon -> its data root and exec root. Which daemon may be believed, and for whom: hostproc.h. */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/hostproc.h"
#include "libinspect/kernel/passwd.h"

#define PROGRAM	       "dockerd"
#define DEFAULT_ROOT   "/var/lib/docker"
#define DEFAULT_EXEC   "/run/docker"
#define DEFAULT_CONFIG "/etc/docker/daemon.json"

void docker_daemon_free(struct docker_daemon *d)
{
	free(d->data_root);
	free(d->exec_root);
	*d = (struct docker_daemon){ 0 };
}

static char *home_of(const struct insp_sys *sys, uid_t uid)
{
	_cleanup_passwd_ struct passwd_table table = { 0 };
	const struct passwd_entry *e = NULL;

	if (passwd_read(sys->rootfd, &table, NULL) == 0)
		e = passwd_by_uid(&table, uid);
	return e ? str_dup(e->home) : NULL;
}

/* pkg/homedir: XDG_DATA_HOME and XDG_RUNTIME_DIR are taken to be at their usual places. */
static int add_user_defaults(struct engine_scan *scan, uid_t uid, struct docker_flags *f)
{
	_cleanup_free_ char *home = home_of(scan->sys, uid);
	_cleanup_free_ char *config = NULL;
	int r;

	if (!home)
		return 0;
	config = f->config_file ? str_dup(f->config_file)
				: str_format("%s/.config/docker/daemon.json", home);
	r = config ? docker_flags_add_config(scan, uid, config, f) : -ENOMEM;
	if (r < 0)
		return r;
	if (!f->data_root)
		f->data_root = str_format("%s/.local/share/docker", home);
	if (!f->exec_root)
		f->exec_root = str_format("/run/user/%u/docker", (unsigned)uid);
	return f->data_root && f->exec_root ? 0 : -ENOMEM;
}

static int add_root_defaults(struct engine_scan *scan, const char *prefix, struct docker_flags *f)
{
	_cleanup_free_ char *config =
		str_format("%s%s", prefix, f->config_file ? f->config_file : DEFAULT_CONFIG);
	int r = config ? docker_flags_add_config(scan, 0, config, f) : -ENOMEM;

	if (r < 0)
		return r;
	if (!f->data_root)
		f->data_root = str_dup(DEFAULT_ROOT);
	if (!f->exec_root)
		f->exec_root = str_dup(DEFAULT_EXEC);
	return f->data_root && f->exec_root ? 0 : -ENOMEM;
}

static int fill(const char *prefix, const struct docker_flags *f, uid_t owner,
		struct docker_daemon *ret)
{
	_cleanup_(docker_daemon_free) struct docker_daemon d = { .owner = owner };

	/* a relative one depends on where the daemon was started: nobody does that */
	if (!f->data_root || f->data_root[0] != '/')
		return 0;
	d.data_root = str_format("%s%s", prefix, f->data_root);
	if (f->exec_root && f->exec_root[0] == '/')
		d.exec_root = str_format("%s%s", prefix, f->exec_root);
	if (!d.data_root)
		return -ENOMEM;
	*ret = d;
	d = (struct docker_daemon){ 0 };
	return 1;
}

static bool is_daemon(const struct insp_sys *sys, pid_t pid)
{
	char name[sizeof(PROGRAM)];

	return engine_proc_exe(sys, pid, name, sizeof(name)) == 0 && strcmp(name, PROGRAM) == 0;
}

int docker_daemon_read(struct engine_scan *scan, pid_t pid, struct docker_daemon *ret)
{
	struct insp_sys *sys = scan->sys;
	_cleanup_(docker_flags_free) struct docker_flags flags = { 0 };
	_cleanup_hostproc_ struct hostproc proc = { 0 };
	_cleanup_io_buf_ struct io_buf args = { 0 };
	const char *prefix;
	int r;

	if (!sys->live || !is_daemon(sys, pid))
		return 0;
	r = hostproc_read(sys, pid, &proc);
	/* a user's is always in a namespace of its own */
	if (r <= 0 || !(proc.owner == 0 ? proc.prefix != NULL : proc.rootless))
		return r < 0 ? r : 0;
	r = hostproc_args(sys, &proc, &args);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = docker_flags_parse(args.data, args.len, &flags);
	if (r < 0)
		return r;
	prefix = proc.prefix ? proc.prefix : "";
	r = proc.owner == 0 ? add_root_defaults(scan, prefix, &flags)
			    : add_user_defaults(scan, proc.owner, &flags);
	return r < 0 ? r : fill(prefix, &flags, proc.owner, ret);
}
