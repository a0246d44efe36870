/* Whom a container's record means: its own passwd(5) and group(5), as engines read them (moby/sys/user, GetExecUser()). */
#include "libinspect/kernel/group.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/creds.h"
#include "libinspect/kernel/passwd.h"
#include "libinspect/kernel/span.h"

/* ---- group(5) ---- */

static bool is_word(struct span s, const char *word)
{
	return span_len(&s) == strlen(word) && memcmp(s.p, word, strlen(word)) == 0;
}

static bool has_member(struct span members, const char *name)
{
	struct span one;

	while (span_until(&members, ',', &one))
		if (is_word(one, name))
			return true;
	return false;
}

/* "name:password:gid:member,member" */
static bool parse_group(struct span line, struct span *name, uint32_t *gid)
{
	struct span id;

	return span_until(&line, ':', name) && span_until(&line, ':', &id) &&
	       span_until(&line, ':', &id) && span_u32(&id, gid) && id.p == id.end &&
	       *gid != UINT32_MAX;
}

bool group_find(const char *buf, size_t len, const char *wanted, gid_t *ret)
{
	struct span s = span_of(buf, len), line, name;
	uint32_t gid;

	while (span_line(&s, &line)) {
		if (!parse_group(line, &name, &gid) || !is_word(name, wanted))
			continue;
		*ret = gid;
		return true;
	}
	return false;
}

void group_each_of(const char *buf, size_t len, const char *user,
		   void (*each)(gid_t gid, void *arg), void *arg)
{
	struct span s = span_of(buf, len), line, name;
	uint32_t gid;

	while (span_line(&s, &line)) {
		const char *last = memrchr(line.p, ':', span_len(&line));

		if (last && parse_group(line, &name, &gid) &&
		    has_member((struct span){ last + 1, line.end }, user))
			each(gid, arg);
	}
}

/* ---- whom a record means ---- */

struct lookup {
	int rootfd;
	struct io_buf groups;
	int groups_read; /* what reading them gave; 1: they were not wanted yet */
	struct insp_enter_ids *ids;
	struct insp_err *err;
};

static bool is_number(const char *text, uint32_t *ret)
{
	struct span s = span_of(text, strlen(text));

	return *text >= '0' && *text <= '9' && span_u32(&s, ret) && s.p == s.end &&
	       *ret != UINT32_MAX;
}

/* Looks like one, and is none that there is. */
static bool is_bad_number(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0' || *text == '-' || *text == '+';
}

static void add_gid(gid_t gid, void *arg)
{
	struct lookup *l = arg;

	for (size_t i = 0; i < l->ids->n_groups; i++)
		if (l->ids->groups[i] == gid)
			return;
	if (l->ids->n_groups < INSP_GROUPS_MAX)
		l->ids->groups[l->ids->n_groups++] = gid;
}

static int read_groups(struct lookup *l)
{
	if (l->groups_read > 0)
		l->groups_read = io_read_in_root(l->rootfd, "/etc/group", PASSWD_MAX,
						 IO_CONTAINER_DEADLINE_MS, &l->groups);
	return l->groups_read;
}

static int group_id(struct lookup *l, const char *text, uint32_t *ret)
{
	int r;

	if (is_number(text, ret))
		return 0;
	if (!*text || is_bad_number(text))
		return insp_err_say(l->err, -EINVAL, "'%s' is no group", text);
	r = read_groups(l);
	if (r < 0)
		return insp_err_set(l->err, r, "group '%s': read its '/etc/group'", text);
	return group_find(l->groups.data, l->groups.len, text, ret)
		       ? 0
		       : insp_err_say(l->err, -ENOENT, "no group '%s' in its /etc/group", text);
}

/* Its line of passwd, by name or by number. */
static int find_user(struct lookup *l, const char *who, char **ret_home)
{
	_cleanup_passwd_ struct passwd_table table = { 0 };
	struct insp_err why = { 0 };
	const struct passwd_entry *e;
	uint32_t uid = 0;
	bool number = is_number(who, &uid);
	int r;

	if (!number && is_bad_number(who))
		return insp_err_say(l->err, -EINVAL, "'%s' is no user", who);
	r = passwd_read_target(l->rootfd, &table, &why);
	if (r < 0 && !number) {
		if (l->err)
			*l->err = why;
		return insp_err_wrap(l->err, r, "user '%s'", who);
	}
	e = number ? passwd_by_uid(&table, uid) : passwd_by_name(&table, who);
	if (!e && !number)
		return insp_err_say(l->err, -ENOENT, "no user '%s' in its /etc/passwd", who);
	l->ids->uid = e ? e->uid : uid;
	l->ids->gid = e ? e->gid : 0;
	if (e && read_groups(l) == 0)
		group_each_of(l->groups.data, l->groups.len, e->name, add_gid, l);
	*ret_home = e && e->home[0] == '/' ? str_dup(e->home) : NULL;
	return 0;
}

/* "app", "1000", "app:adm", "1000:4": with a group none but that one counts. */
static int take_user(struct lookup *l, const char *user, char **ret_home)
{
	_cleanup_free_ char *who = str_dup(user);
	char *colon = who ? strchr(who, ':') : NULL;
	uint32_t gid;
	int r = who ? 0 : insp_err_set(l->err, -ENOMEM, "look for its user");

	if (colon)
		*colon++ = '\0';
	if (r == 0)
		r = find_user(l, *who ? who : "0", ret_home);
	if (r < 0 || !colon)
		return r;
	r = group_id(l, colon, &gid);
	if (r == 0) {
		l->ids->gid = gid;
		l->ids->n_groups = 0;
	}
	return r;
}

/* Root's home, or of whom the record has a number: that much of passwd counts for numbers, too. */
static char *home_of(const struct lookup *l, uid_t uid)
{
	_cleanup_passwd_ struct passwd_table table = { 0 };
	const struct passwd_entry *e =
		passwd_read_target(l->rootfd, &table, NULL) < 0 ? NULL : passwd_by_uid(&table, uid);

	return e && e->home[0] == '/' ? str_dup(e->home) : NULL;
}

int insp_start_ids(const struct insp_start *start, const char *user, int rootfd,
		   struct insp_enter_ids *ret_ids, char **ret_home, struct insp_err *err)
{
	struct insp_enter_ids ids = { .set_uid = true, .set_gid = true, .set_groups = true };
	_cleanup_io_buf_ struct io_buf none = { 0 };
	struct lookup l = {
		.rootfd = rootfd, .groups = none, .groups_read = 1, .ids = &ids, .err = err
	};
	const char *who = user ? user : start->user;
	char *home = NULL;
	int r = 0;

	if (who) {
		r = take_user(&l, who, &home);
	} else {
		ids.uid = start->uid;
		ids.gid = start->gid;
		home = home_of(&l, ids.uid);
		for (size_t i = 0; i < start->n_gids; i++)
			add_gid(start->gids[i], &l);
	}
	/* so that a process which leaves its groups does not gain by it (CVE-2022-36109) */
	if (r == 0 && who)
		add_gid(ids.gid, &l);
	for (char **g = user ? NULL : start->groups; r == 0 && g && *g; g++) {
		uint32_t gid;

		r = group_id(&l, *g, &gid);
		if (r == 0)
			add_gid(gid, &l);
	}
	io_buf_free(&l.groups);
	if (r < 0) {
		free(home);
		return r;
	}
	*ret_ids = ids;
	*ret_home = home;
	return 0;
}
