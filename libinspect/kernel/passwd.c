/* passwd(5). */
#include "libinspect/kernel/passwd.h"

#include "libinspect/base/io.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/creds.h"
#include "libinspect/kernel/span.h"
#include "libinspect/kernel/sys.h"

void passwd_table_free(struct passwd_table *t)
{
	free(t->items);
	free(t->buf);
	*t = (struct passwd_table){ 0 };
}

/* The next field of a writable line, NUL-terminated in place: its separator (or the line's end) is overwritten. */
static char *take_field(struct span *line)
{
	struct span f;

	if (!span_until(line, ':', &f))
		return NULL;
	*(char *)f.end = '\0';
	return (char *)f.p;
}

static bool take_id(struct span *line, uint32_t *ret)
{
	struct span f;

	if (!span_until(line, ':', &f) || !span_u32(&f, ret))
		return false;
	/* (uid_t)-1 is no id: setresuid() leaves who we are, and succeeds */
	return f.p == f.end && *ret != UINT32_MAX;
}

/* name:password:uid:gid:comment:home:shell; the last three may be missing. */
static bool parse_line(struct span line, struct passwd_entry *e)
{
	static char none[] = "";

	e->name = take_field(&line);
	if (!e->name || !e->name[0] || e->name[0] == '#' || !take_field(&line))
		return false;
	if (!take_id(&line, &e->uid) || !take_id(&line, &e->gid))
		return false;
	(void)take_field(&line);
	e->home = take_field(&line);
	e->shell = take_field(&line);
	e->home = e->home ? e->home : none;
	e->shell = e->shell ? e->shell : none;
	return true;
}

static size_t count_lines(const char *buf, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += buf[i] == '\n';
	return n;
}

int passwd_parse(const char *buf, size_t len, struct passwd_table *ret)
{
	_cleanup_passwd_ struct passwd_table t = { 0 };
	struct span s, line;

	if (len > PASSWD_MAX)
		return -EFBIG;
	t.buf = malloc(len + 1);
	t.items = calloc(MIN_OF(count_lines(buf, len), PASSWD_ENTRIES_MAX), sizeof(*t.items));
	if (!t.buf || !t.items)
		return -ENOMEM;
	if (len)
		memcpy(t.buf, buf, len);
	t.buf[len] = '\0';
	s = span_of(t.buf, len);
	while (t.n < PASSWD_ENTRIES_MAX && span_line(&s, &line))
		if (parse_line(line, &t.items[t.n]))
			t.n++;
	*ret = t;
	t = (struct passwd_table){ 0 };
	return 0;
}

int passwd_read(int rootfd, struct passwd_table *ret, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	_cleanup_close_ int fd = -EBADF;
	int r;

	*ret = (struct passwd_table){ 0 };
	fd = insp_open_regular_in_root(rootfd, "/etc/passwd");
	if (fd == -EBADF)
		return insp_err_say(err, -EBADF, "read '/etc/passwd': not a regular file");
	if (fd < 0)
		return insp_err_set(err, fd, "open '/etc/passwd'");
	r = io_read_regular(fd, PASSWD_MAX, &b);
	if (r >= 0)
		r = passwd_parse(b.data, b.len, ret);
	if (r < 0)
		return insp_err_set(err, r, "read '/etc/passwd'");
	return 0;
}

int passwd_read_target(int rootfd, struct passwd_table *ret, struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	int r;

	*ret = (struct passwd_table){ 0 };
	r = io_read_in_root(rootfd, "/etc/passwd", PASSWD_MAX, IO_CONTAINER_DEADLINE_MS, &b);
	if (r == -EBADF)
		return insp_err_say(err, -EBADF, "read '/etc/passwd': not a regular file");
	if (r >= 0)
		r = passwd_parse(b.data, b.len, ret);
	return r < 0 ? insp_err_set(err, r, "read '/etc/passwd'") : 0;
}

const struct passwd_entry *passwd_by_uid(const struct passwd_table *t, uid_t uid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->items[i].uid == uid)
			return &t->items[i];
	return NULL;
}

const struct passwd_entry *passwd_by_name(const struct passwd_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->items[i].name, name) == 0)
			return &t->items[i];
	return NULL;
}

void insp_user_clear(struct insp_user *user)
{
	free(user->name);
	free(user->home);
	*user = (struct insp_user){ 0 };
}

int insp_user_find(struct insp_sys *sys, const char *name, uid_t uid, struct insp_user *ret,
		   struct insp_err *err)
{
	_cleanup_passwd_ struct passwd_table table = { 0 };
	struct insp_user user = { 0 };
	const struct passwd_entry *e;
	int r = passwd_read(sys->rootfd, &table, err);

	if (r < 0)
		return r;
	e = name ? passwd_by_name(&table, name) : passwd_by_uid(&table, uid);
	if (!e && name)
		return insp_err_say(err, -ENOENT, "no user '%s' in the host's /etc/passwd", name);
	if (!e)
		return insp_err_say(err, -ENOENT, "no user %u in the host's /etc/passwd",
				    (unsigned)uid);
	user = (struct insp_user){ str_dup(e->name), str_dup(e->home), e->uid, e->gid };
	if (!user.name || !user.home) {
		insp_user_clear(&user);
		return insp_err_set(err, -ENOMEM, "read '/etc/passwd'");
	}
	*ret = user;
	return 0;
}
