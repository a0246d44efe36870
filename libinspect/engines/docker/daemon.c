/*
 * A running daemon -> its data root and exec root.
 *
 * Any process can call itself what it likes, so before a command line is believed: a root daemon must be in this host's
 * pid and user namespaces and see this host's files; a rootless one must be in a user namespace of its own user, and
 * all that its store says is held against that user (engine_claim_init()).
 */
#include "libinspect/engines/docker/docker.h"
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/passwd.h"
#include "libinspect/kernel/pid.h"
#include "libinspect/kernel/slowread.h"

#include <sys/stat.h>

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

static bool shares(const struct insp_sys *sys, pid_t pid, enum insp_ns_type type)
{
	uint64_t ino;

	return pid_ns_inode(sys->procfd, pid, type, &ino) == 0 && ino == sys->self_ns.ino[type];
}

static bool same_root(const struct insp_sys *sys, pid_t pid)
{
	struct stat theirs, ours;
	char path[32];

	snprintf(path, sizeof(path), "%d/root", (int)pid);
	return fstatat(sys->procfd, path, &theirs, 0) == 0 && fstat(sys->rootfd, &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/*
 * What to put before the daemon's paths to have them on this host: "" or, for a daemon in a chroot, that directory.
 * -EPERM: its files are not this host's.
 */
static int find_prefix(const struct insp_sys *sys, pid_t pid, char **ret)
{
	char path[32];
	int r;

	if (same_root(sys, pid)) {
		*ret = strdup("");
		return *ret ? 0 : -ENOMEM;
	}
	if (!shares(sys, pid, INSP_NS_MNT))
		return -EPERM;
	snprintf(path, sizeof(path), "%d/root", (int)pid);
	r = io_readlink(sys->procfd, path, ret);
	return r == -ENOMEM ? r : r < 0 ? -EPERM : 0;
}

/* A user's process may stall whoever reads its arguments; root's is trusted. */
static int read_args(struct insp_sys *sys, pid_t pid, uid_t owner, struct io_buf *ret)
{
	struct slowread *reader;
	char path[32];
	int r;

	if (owner == 0) {
		snprintf(path, sizeof(path), "%d/cmdline", (int)pid);
		return io_read_proc(sys->procfd, path, IO_SMALL_MAX, ret);
	}
	r = slowread_new(sys, &reader);
	if (r < 0)
		return r;
	r = slowread_read(reader, pid, "cmdline", IO_SMALL_MAX, &ret->data, &ret->len);
	slowread_free(reader);
	return r;
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
static int add_user_defaults(const struct insp_sys *sys, uid_t uid, struct docker_flags *f)
{
	_cleanup_free_ char *home = home_of(sys, uid);
	_cleanup_free_ char *config = NULL;
	int r;

	if (!home)
		return 0;
	config = f->config_file ? str_dup(f->config_file)
				: str_format("%s/.config/docker/daemon.json", home);
	r = config ? docker_flags_add_config(sys, config, f) : -ENOMEM;
	if (r < 0)
		return r;
	if (!f->data_root)
		f->data_root = str_format("%s/.local/share/docker", home);
	if (!f->exec_root)
		f->exec_root = str_format("/run/user/%u/docker", (unsigned)uid);
	return f->data_root && f->exec_root ? 0 : -ENOMEM;
}

static int add_root_defaults(const struct insp_sys *sys, const char *prefix, struct docker_flags *f)
{
	_cleanup_free_ char *config =
		str_format("%s%s", prefix, f->config_file ? f->config_file : DEFAULT_CONFIG);
	int r = config ? docker_flags_add_config(sys, config, f) : -ENOMEM;

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

/* Whose daemon it is, and what to put before its paths. -EPERM: not one of this host. */
static int verify(const struct insp_sys *sys, pid_t pid, uid_t *ret_owner, char **ret_prefix)
{
	char name[sizeof(PROGRAM)], path[32];
	struct stat st;

	snprintf(path, sizeof(path), "%d", (int)pid);
	if (engine_proc_exe(sys, pid, name, sizeof(name)) < 0 || strcmp(name, PROGRAM) != 0 ||
	    fstatat(sys->procfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -EPERM;
	*ret_owner = st.st_uid;
	if (st.st_uid == 0) {
		if (!shares(sys, pid, INSP_NS_PID) || !shares(sys, pid, INSP_NS_USER))
			return -EPERM;
		return find_prefix(sys, pid, ret_prefix);
	}
	if (!engine_userns_owned_by(sys, pid, st.st_uid))
		return -EPERM;
	*ret_prefix = strdup("");
	return *ret_prefix ? 0 : -ENOMEM;
}

int docker_daemon_read(struct insp_sys *sys, pid_t pid, struct docker_daemon *ret)
{
	_cleanup_(docker_flags_free) struct docker_flags flags = { 0 };
	_cleanup_io_buf_ struct io_buf args = { 0 };
	_cleanup_free_ char *prefix = NULL;
	uid_t owner;
	int r;

	if (!sys->live)
		return 0;
	r = verify(sys, pid, &owner, &prefix);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = read_args(sys, pid, owner, &args);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = docker_flags_parse(args.data, args.len, &flags);
	if (r < 0)
		return r;
	r = owner == 0 ? add_root_defaults(sys, prefix, &flags)
		       : add_user_defaults(sys, owner, &flags);
	return r < 0 ? r : fill(prefix, &flags, owner, ret);
}
