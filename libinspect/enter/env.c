/* The command's environment. */
#include "libinspect/base/str.h"
#include "libinspect/enter/plan.h"
#include "libinspect/kernel/passwd.h"

#include <fcntl.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool names(const char *entry, const char *name, size_t len)
{
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

const char *enter_env_get(char *const env[], const char *name)
{
	size_t len = strlen(name);

	for (; env && *env; env++)
		if (names(*env, name, len))
			return *env + len + 1;
	return NULL;
}

/* A growing NULL-terminated list of new strings. */
struct env_list {
	char **items;
	size_t n;
};

static void env_list_free(struct env_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i]);
	free(l->items);
}

/* Takes entry, which NULL means memory is out. One of the same name is replaced. */
static int env_take(struct env_list *l, char *entry)
{
	size_t len = entry ? strcspn(entry, "=") : 0;
	char **items;

	if (!entry)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++) {
		if (names(l->items[i], entry, len)) {
			free(l->items[i]);
			l->items[i] = entry;
			return 0;
		}
	}
	items = realloc(l->items, (l->n + 2) * sizeof(*items));
	if (!items) {
		free(entry);
		return -ENOMEM;
	}
	l->items = items;
	l->items[l->n++] = entry;
	l->items[l->n] = NULL;
	return 0;
}

static int env_add(struct env_list *l, const char *name, const char *value)
{
	return value ? env_take(l, str_format("%s=%s", name, value)) : 0;
}

static int env_add_all(struct env_list *l, const char *const *env)
{
	int r = 0;

	for (; env && *env && r == 0; env++)
		r = env_take(l, str_dup(*env));
	return r;
}

/* Bytes of a hostile process: an entry without '=' would not be found again, and is left out. */
static int env_add_block(struct env_list *l, const char *data, size_t len)
{
	size_t off = 0;
	int r = 0;

	while (off < len && r == 0) {
		const char *entry = data + off;

		if (strchr(entry, '=') > entry)
			r = env_take(l, str_dup(entry));
		off += strlen(entry) + 1;
	}
	return r;
}

/*
 * HOME of the command's user by the passwd file that the command sees. Root's is /root without looking: the container's
 * file is read by a process of its own with a deadline, which the common case shall not pay for.
 */
static int env_add_home(struct env_list *l, const struct insp_enter_plan *plan, int hostroot)
{
	_cleanup_passwd_ struct passwd_table table = { 0 };
	uid_t uid = plan->d.ids.set_uid ? plan->d.ids.uid : geteuid();
	const struct passwd_entry *e = NULL;
	int r;

	if (uid == 0)
		return env_add(l, "HOME", "/root");
	r = plan->d.chroot ? passwd_read_target(plan->rootfd, &table, NULL)
			   : passwd_read(hostroot, &table, NULL);
	if (r == 0)
		e = passwd_by_uid(&table, uid);
	return env_add(l, "HOME", e && e->home && e->home[0] == '/' ? e->home : "/");
}

static int add_clean(struct env_list *l, const struct insp_enter_plan *plan, int hostroot)
{
	int r = env_add(l, "PATH", DEFAULT_PATH);

	return r < 0 ? r : env_add_home(l, plan, hostroot);
}

static int add_target(struct env_list *l, const struct insp_enter_plan *plan, struct insp_sys *sys,
		      struct insp_err *err)
{
	_cleanup_free_ char *data = NULL;
	size_t len;
	int r = insp_pid_environ(sys, plan->target, &data, &len, err);

	if (r < 0)
		return insp_err_wrap(err, r, "%s", plan->who);
	return env_add_block(l, data, len);
}

static int add_base(struct env_list *l, const struct insp_enter_plan *plan, struct insp_sys *sys,
		    const struct insp_enter_opts *opts, struct insp_err *err)
{
	int r;

	if (plan->d.env == ENTER_ENV_KEEP)
		return env_add_all(l, (const char *const *)opts->envp);
	r = plan->d.env == ENTER_ENV_CLEAN ? add_clean(l, plan, sys->rootfd)
					   : add_target(l, plan, sys, err);
	if (r < 0)
		return r;
	/* the terminal is the caller's, whatever the container was started on */
	return env_add(l, "TERM", enter_env_get(opts->envp, "TERM"));
}

int enter_env_make(struct insp_enter_plan *plan, struct insp_sys *sys,
		   const struct insp_enter_opts *opts, struct insp_err *err)
{
	_cleanup_(env_list_free) struct env_list l = { 0 };
	struct insp_err why = { 0 };
	int r = add_base(&l, plan, sys, opts, &why);

	if (r == 0)
		r = env_add_all(&l, opts->env);
	/* an empty environment is a list, too */
	if (r == 0 && !l.items && !(l.items = calloc(1, sizeof(*l.items))))
		r = -ENOMEM;
	if (r < 0) {
		if (!why.code)
			insp_err_set(&why, r, "make the environment");
		if (err)
			*err = why;
		return r;
	}
	plan->env = TAKE_PTR(l.items);
	l.n = 0;
	return 0;
}
