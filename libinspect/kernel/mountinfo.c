/* /proc/PID/mountinfo. proc_pid_mountinfo(5). */
#include "libinspect/kernel/mountinfo.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/span.h"

void mount_table_free(struct mount_table *t)
{
	free(t->items);
	free(t->buf);
	*t = (struct mount_table){ 0 };
}

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' &&
	       p[2] <= '7';
}

size_t mountinfo_unescape(char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		/* \000 is no byte of a path; left as it stands */
		if (c == '\\' && len - i > 3 && is_octal(s + i + 1) &&
		    memcmp(s + i + 1, "000", 3) != 0) {
			c = (char)((s[i + 1] - '0') << 6 | (s[i + 2] - '0') << 3 |
				   (s[i + 3] - '0'));
			i += 3;
		}
		s[n++] = c;
	}
	return n;
}

/*
 * The next field, NUL-terminated in place. Fields are separated by exactly one blank: one may be empty (a source
 * of "" is legal), so blanks are not run together.
 */
static char *take_field(struct span *line, bool unescape)
{
	struct span f;
	char *s;

	if (line->p == line->end || !span_until(line, ' ', &f))
		return NULL;
	s = (char *)f.p;
	s[unescape ? mountinfo_unescape(s, span_len(&f)) : span_len(&f)] = '\0';
	return s;
}

static bool skip_optional_fields(struct span *line)
{
	const char *f;

	while ((f = take_field(line, false)))
		if (strcmp(f, "-") == 0)
			return true;
	return false;
}

/* 36 35 98:0 /root /target rw,noatime master:1 - ext3 /dev/root rw,errors=continue */
static bool parse_line(struct span line, struct mount_entry *e)
{
	static char none[] = "";

	if (!span_int(&line, &e->id) || !span_int(&line, &e->parent) ||
	    !span_u32(&line, &e->major) || !span_after(&line, ":") || !span_u32(&line, &e->minor) ||
	    !span_after(&line, " "))
		return false;
	e->root = take_field(&line, true);
	e->target = take_field(&line, true);
	e->options = take_field(&line, true);
	if (!e->root || !e->target || !e->options || !skip_optional_fields(&line))
		return false;
	e->fstype = take_field(&line, true);
	e->source = take_field(&line, true);
	/* kept escaped: a comma inside a value is \054, one between two options is a comma */
	e->super_options = take_field(&line, false);
	if (!e->super_options)
		e->super_options = none;
	return e->fstype && e->source;
}

int mountinfo_parse(const char *buf, size_t len, struct mount_table *ret)
{
	_cleanup_mount_table_ struct mount_table t = { 0 };
	struct span s, line;
	size_t lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += buf[i] == '\n';
	t.buf = malloc(len + 1);
	t.items = calloc(lines, sizeof(*t.items));
	if (!t.buf || !t.items)
		return -ENOMEM;
	if (len)
		memcpy(t.buf, buf, len);
	t.buf[len] = '\0';
	s = span_of(t.buf, len);
	while (span_line(&s, &line))
		if (parse_line(line, &t.items[t.n]))
			t.n++;
	*ret = t;
	t = (struct mount_table){ 0 };
	return 0;
}

int mountinfo_read(const struct insp_sys *sys, pid_t pid, struct mount_table *ret,
		   struct insp_err *err)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	char path[32] = "self/mountinfo";
	int r;

	if (!sys->live)
		return insp_err_say(err, -ENOTSUP, "read mounts: not the running host");
	if (pid > 0)
		snprintf(path, sizeof(path), "%d/mountinfo", pid);
	r = io_read_proc(sys->procfd, path, IO_PROC_MAX, &b);
	if (r >= 0)
		r = mountinfo_parse(b.data, b.len, ret);
	if (r < 0)
		return insp_err_set(err, r, "read '/proc/%s'", path);
	return 0;
}

const struct mount_entry *mountinfo_find(const struct mount_table *t, const char *target)
{
	for (size_t i = t->n; i > 0; i--)
		if (strcmp(t->items[i - 1].target, target) == 0)
			return &t->items[i - 1];
	return NULL;
}
