/* insp_find(): a thing of the host -> the containers it belongs to. */
#include "libinspect/resolve/find.h"

#include "libinspect/base/io.h"
#include "libinspect/base/util.h"

#include <sys/stat.h>

#define SHOWN_MAX 200 /* of a text in a message */

char *finder_shown(const char *s)
{
	char *shown = insp_escape(s, strnlen(s, SHOWN_MAX));

	return shown ? shown : strdup("?");
}

int finder_list(struct finder *f, unsigned want)
{
	int r = insp_list(f->sys, f->want | want, &f->list, &f->diags, f->err);

	if (r < 0)
		return r;
	f->how = calloc(f->list.n + 1, sizeof(*f->how));
	return f->how ? 0 : insp_err_set(f->err, -ENOMEM, "look for a container");
}

int finder_add(struct finder *f, size_t i, const char *fmt, ...)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	char *words;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&words, fmt, ap);
	va_end(ap);
	if (n < 0)
		return insp_err_set(f->err, -ENOMEM, "look for a container");
	if (f->how[i])
		strbuf_printf(&sb, "%s; ", f->how[i]);
	strbuf_puts(&sb, words);
	free(words);
	if (!f->how[i])
		f->n_found++;
	free(f->how[i]);
	f->how[i] = strbuf_take(&sb);
	return f->how[i] ? 0 : insp_err_set(f->err, -ENOMEM, "look for a container");
}

int finder_nothing(struct finder *f, const char *fmt, ...)
{
	char words[sizeof(f->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	/* what could not be looked at may be whose it is */
	return insp_err_say(f->err, -ENOENT, "%s%s", words,
			    f->diags.n > 0 ? "; not all could be read" : "");
}

int finder_bad(struct finder *f, const char *what)
{
	_cleanup_free_ char *shown = finder_shown(f->text);

	return insp_err_say(f->err, -EINVAL, "'%s' %s", shown, what);
}

/* ---- processes and their network ---- */

int finder_open_init(const struct finder *f, size_t i, struct insp_pid **ret)
{
	const struct insp_container *c = f->list.items[i];

	return c->pid > 0 ? insp_pid_open(f->sys, c->pid, c->pid_start, ret, NULL) : -ESRCH;
}

bool finder_same_net(const struct finder *f, size_t i, size_t j)
{
	uint64_t ino = f->list.items[i]->ns.ino[INSP_NS_NET];

	return ino != 0 && f->list.items[j]->ns.ino[INSP_NS_NET] == ino;
}

bool finder_host_net(const struct finder *f, size_t i)
{
	uint64_t ino = f->list.items[i]->ns.ino[INSP_NS_NET];

	return ino != 0 && ino == f->sys->self_ns.ino[INSP_NS_NET];
}

static bool seen_before(const struct finder *f, size_t i, const bool *visited)
{
	for (size_t j = 0; j < i; j++)
		if (visited[j] && finder_same_net(f, i, j))
			return true;
	return false;
}

static void note_unseen(struct finder *f, size_t n)
{
	struct insp_err err = { 0 };

	if (n == 0)
		return;
	insp_err_say(&err, -EACCES, "the network of %zu container%s may not be looked at", n,
		     n == 1 ? "" : "s");
	insp_err_hint(&err, "run as root");
	insp_diags_add(&f->diags, &err);
}

int finder_each_net(struct finder *f,
		    int (*visit)(struct finder *f, size_t i, const struct insp_pid *init,
				 void *userdata),
		    void *userdata)
{
	_cleanup_free_ bool *visited = calloc(f->list.n + 1, sizeof(*visited));
	size_t unseen = 0;

	if (!visited)
		return insp_err_set(f->err, -ENOMEM, "look for a container");
	for (size_t i = 0; i < f->list.n; i++) {
		_cleanup_pid_ struct insp_pid *init = NULL;
		int r;

		if (f->list.items[i]->pid <= 0 || finder_host_net(f, i) ||
		    seen_before(f, i, visited))
			continue;
		if (f->list.items[i]->ns.ino[INSP_NS_NET] == 0) {
			unseen++;
			continue;
		}
		/* it ended meanwhile: another of its namespace may live */
		if (finder_open_init(f, i, &init) < 0)
			continue;
		visited[i] = true;
		r = visit(f, i, init, userdata);
		if (r < 0)
			return r;
	}
	note_unseen(f, unseen);
	return 0;
}

static bool is_in_net(const struct insp_pid *pid, uint64_t ino)
{
	struct stat st;

	return fstatat(insp_pid_procfd(pid), "ns/net", &st, 0) == 0 && st.st_ino == ino;
}

int finder_read_net(const struct insp_pid *pid, const char *name, uint64_t ino, struct io_buf *ret)
{
	_cleanup_io_buf_ struct io_buf b = { 0 };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "net/%s", name);
	if (!is_in_net(pid, ino))
		return -ESRCH;
	r = io_read_proc(insp_pid_procfd(pid), path, IO_PROC_MAX, &b);
	if (r < 0)
		return r;
	/* a process that may join namespaces could have been in another one just then */
	if (!is_in_net(pid, ino) || !insp_pid_alive(pid))
		return -ESRCH;
	*ret = b;
	b = (struct io_buf){ 0 };
	return 0;
}

/* ---- the question ---- */

static void finder_clear(struct finder *f)
{
	for (size_t i = 0; f->how && i < f->list.n; i++)
		free(f->how[i]);
	free(f->how);
	insp_list_clear(&f->list);
	insp_diags_clear(&f->diags);
}

void insp_findings_clear(struct insp_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		insp_container_free(findings->items[i].container);
		free(findings->items[i].how);
	}
	free(findings->items);
	*findings = (struct insp_findings){ 0 };
}

/* Moves what was found out of the list. */
static int take_findings(struct finder *f, struct insp_findings *ret)
{
	struct insp_finding *items = calloc(f->n_found + 1, sizeof(*items));
	size_t n = 0, kept = 0;

	if (!items)
		return insp_err_set(f->err, -ENOMEM, "look for a container");
	for (size_t i = 0; i < f->list.n; i++) {
		if (f->how[i])
			items[n++] = (struct insp_finding){ f->list.items[i], f->how[i] };
		else
			f->list.items[kept++] = f->list.items[i];
		f->how[i] = NULL;
	}
	f->list.n = kept;
	*ret = (struct insp_findings){ items, n };
	return 0;
}

int insp_find(struct insp_sys *sys, enum insp_question question, const char *text, unsigned want,
	      struct insp_findings *ret_findings, struct insp_diags *diags, struct insp_err *err)
{
	static int (*const questions[])(struct finder * f) = {
		[INSP_ASK_PATH] = find_by_host_path, [INSP_ASK_VETH] = find_by_veth,
		[INSP_ASK_IP] = find_by_ip,	     [INSP_ASK_PORT] = find_by_port,
		[INSP_ASK_CGROUP] = find_by_cgroup,  [INSP_ASK_NS] = find_by_ns,
	};
	_cleanup_(finder_clear) struct finder f = {
		.sys = sys, .text = text, .want = want, .err = err
	};
	int r;

	if ((size_t)question >= ARRAY_SIZE(questions))
		return insp_err_say(err, -EINVAL, "unknown question");
	r = questions[question](&f);
	/* also of a question without an answer: what was not read could have been it */
	for (size_t i = 0; i < f.diags.n; i++)
		insp_diags_add(diags, &f.diags.items[i]);
	return r < 0 ? r : take_findings(&f, ret_findings);
}
