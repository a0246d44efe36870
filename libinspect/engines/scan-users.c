/* Whose stores there may be: /etc/passwd and /run/user, each read once a scan, whatever number of engines ask. */
#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/engine.h"

#define RUN_USER "/run/user" /* of systemd-logind and elogind: file-hierarchy(7) */

void engine_scan_users_clear(struct scan_users *users)
{
	passwd_table_free(&users->table);
	if (users->run_done)
		util_close(users->runfd);
	free(users->runs);
	*users = (struct scan_users){ 0 };
}

int engine_scan_users(struct engine_scan *scan, const struct passwd_table **ret)
{
	struct scan_users *u = &scan->users;

	if (!u->done)
		u->result = passwd_read(scan->sys->rootfd, &u->table, NULL);
	u->done = true;
	*ret = &u->table;
	return u->result;
}

static int add_run(struct scan_users *u, const char *name)
{
	uint64_t uid;
	uid_t *more;

	/* root makes them, each called by the number as it is written: nothing else is one */
	if (str_to_u64(name, &uid) < 0 || uid >= (uid_t)-1 || (name[0] == '0' && name[1]))
		return 0;
	more = reallocarray(u->runs, u->n_runs + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	u->runs = more;
	u->runs[u->n_runs++] = (uid_t)uid;
	return 0;
}

static int list_runs(const struct insp_sys *sys, struct scan_users *u)
{
	_cleanup_io_dir_ struct io_dir *dir = NULL;
	int r;

	u->runfd = sys_open_dir(sys, RUN_USER);
	if (u->runfd < 0)
		return u->runfd == -ENOMEM ? -ENOMEM : 0;
	r = io_dir_of(u->runfd, &dir);
	if (r < 0)
		return r;
	for_each_entry (de, dir) {
		r = add_run(u, de->d_name);
		if (r < 0)
			return r;
	}
	return 0;
}

int engine_scan_run_users(struct engine_scan *scan, int *ret_fd, const uid_t **ret_uids,
			  size_t *ret_n)
{
	struct scan_users *u = &scan->users;
	int r = 0;

	if (!u->run_done) {
		u->run_done = true;
		r = list_runs(scan->sys, u);
	}
	*ret_fd = u->runfd;
	*ret_uids = u->runs;
	*ret_n = u->n_runs;
	return r;
}
