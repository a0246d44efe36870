/* Drawing the state. */
#include "tools/shared/text.h"
#include "tools/shared/util.h"
#include "tui/screen.h"

#include <curses.h>
#include <string.h>
#include <time.h>

static int lines(void)
{
	return getmaxy(stdscr);
}

static int wide(void)
{
	return getmaxx(stdscr);
}

/* What a terminal of few lines has no room for goes first: events, keys, then the host. */
static bool has_events(void)
{
	return lines() >= 10;
}

static bool has_keys(void)
{
	return lines() >= 6;
}

static bool has_host(void)
{
	return lines() >= 4;
}

#define NUMBER_WIDTH 26

static int numbers_across(void)
{
	return wide() / NUMBER_WIDTH > 0 ? wide() / NUMBER_WIDTH : 1;
}

static int numbers_lines(void)
{
	int n = 0;

	while (ctop_columns[n].name)
		n++;
	return (n + numbers_across() - 1) / numbers_across();
}

size_t draw_page(const struct screen *s)
{
	int n = lines() - has_host() - 1 - has_events() - has_keys();

	if (s->view == VIEW_ONE) /* its name, and the headings of the processes */
		n = lines() - 2 - numbers_lines() - has_keys();
	return n > 0 ? (size_t)n : 1;
}

/* ---- the host ---- */

static void append(char *line, size_t size, const char *text)
{
	size_t n = strlen(line);

	snprintf(line + n, size - n, "%s", text);
}

static void draw_host(const struct screen *s)
{
	const struct insp_host_sample *h = &s->model.host;
	char line[256], part[96], total[TEXT_MAX], used[TEXT_MAX];
	struct tm tm = { 0 };
	time_t t = (time_t)(s->model.time / 1000000000);

	localtime_r(&t, &tm);
	strftime(line, sizeof(line), "ctop %H:%M:%S", &tm);
	if (s->paused)
		append(line, sizeof(line), s->ended ? " END" : " PAUSED");
	if (s->model.shown == s->model.n)
		snprintf(part, sizeof(part), "  %zu container%s", s->model.n,
			 s->model.n == 1 ? "" : "s");
	else
		snprintf(part, sizeof(part), "  %zu of %zu containers", s->model.shown, s->model.n);
	append(line, sizeof(line), part);
	if (h->load[0] >= 0) {
		snprintf(part, sizeof(part), "  load %.2f %.2f %.2f", h->load[0], h->load[1],
			 h->load[2]);
		append(line, sizeof(line), part);
	}
	if (h->mem_total > 0 && h->mem_available >= 0) {
		snprintf(part, sizeof(part), "  mem %s/%s",
			 text_size((uint64_t)(h->mem_total - h->mem_available), used),
			 text_size((uint64_t)h->mem_total, total));
		append(line, sizeof(line), part);
	}
	if (h->psi[0] >= 0) {
		snprintf(part, sizeof(part), "  waits cpu %.0f%% mem %.0f%% io %.0f%%", h->psi[0],
			 h->psi[1], h->psi[2]);
		append(line, sizeof(line), part);
	}
	put_text(s, 0, 0, wide(), line, false);
}

/* ---- the table ---- */

struct layout {
	const struct column *columns[COLUMNS_MAX];
	int widths[COLUMNS_MAX];
	size_t n;
};

static int width_of(const struct column *c)
{
	static const struct {
		const char *name;
		int width;
	} widths[] = { { "TROUBLE", 18 }, { "ENGINE", 10 }, { "ID", 12 },
		       { "GROUP", 16 },	  { "IMAGE", 24 },  { "STATE", 10 },
		       { "SOURCE", 9 },	  { "UPTIME", 11 }, { "PID", 7 } };
	int n = (int)strlen(column_title(c));

	for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
		if (strcmp(widths[i].name, c->name) == 0)
			return widths[i].width;
	return n > 6 ? n : 6;
}

#define NAME_LEAST 14
#define NAME_MOST  40

/* As many of the chosen columns as fit, in their order; the name gets what is left. */
static void make_layout(const struct screen *s, struct layout *l)
{
	int left = wide() - NAME_LEAST, name = -1;

	l->n = 0;
	for (size_t i = 0; i < s->columns.n; i++) {
		const struct column *c = s->columns.chosen[i];
		bool is_name = strcmp(c->name, "NAME") == 0;
		int width = is_name ? 0 : width_of(c) + 1;

		if (width > left)
			break;
		left -= width;
		name = is_name ? (int)l->n : name;
		l->columns[l->n] = c;
		l->widths[l->n++] = is_name ? NAME_LEAST : width - 1;
	}
	if (name >= 0 && left > 0)
		l->widths[name] += left < NAME_MOST - NAME_LEAST ? left : NAME_MOST - NAME_LEAST;
}

static void draw_heads(const struct screen *s, const struct layout *l, int y)
{
	int x = 0;

	look(s, LOOK_HEAD, true);
	put_text(s, y, 0, wide(), "", false);
	for (size_t i = 0; i < l->n; i++) {
		put_text(s, y, x, l->widths[i], column_title(l->columns[i]),
			 l->columns[i]->flags & COL_RIGHT);
		x += l->widths[i] + 1;
	}
	look(s, LOOK_HEAD, false);
}

static char *cell_words(const struct column *c, const struct row *row)
{
	_cleanup_(cell_clear) struct cell cell = { 0 };
	char *text;

	c->fill(row, &cell);
	text = insp_escape_str(cell.text ? cell.text : "-");
	if (text && c->flags & COL_SHORT && strlen(text) == 64)
		text[12] = '\0';
	return text;
}

static enum look look_of(const struct row *row)
{
	unsigned weight = row_weight(row);

	if (!insp_state_is_live(row->c->state))
		return LOOK_DIM;
	return weight >= 90 ? LOOK_BAD : weight > 0 ? LOOK_WARN : LOOK_PLAIN;
}

static void draw_row(const struct screen *s, const struct layout *l, int y, const struct row *row,
		     bool cursor)
{
	enum look how = look_of(row);
	int x = 0;

	look(s, how, true);
	if (cursor)
		attron(A_REVERSE);
	put_text(s, y, 0, wide(), "", false);
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_free_ char *text = cell_words(l->columns[i], row);

		put_text(s, y, x, l->widths[i], text ? text : "", l->columns[i]->flags & COL_RIGHT);
		x += l->widths[i] + 1;
	}
	if (cursor)
		attroff(A_REVERSE);
	look(s, how, false);
}

static const char *group_of(const struct screen *s, const struct row *row)
{
	const char *pod = row->c->pod ? row->c->pod : row->c->project;

	if (s->grouping == GROUP_ENGINE)
		return row->c->engine;
	return s->grouping == GROUP_POD ? (pod ? pod : "-") : "";
}

static bool begins_group(const struct screen *s, size_t i)
{
	return s->grouping != GROUP_NONE &&
	       (i == 0 ||
		strcmp(group_of(s, s->model.rows[i]), group_of(s, s->model.rows[i - 1])) != 0);
}

/* The sum of a group stands in its line: processor and memory, which are what one looks for. */
static void draw_group(const struct screen *s, int y, size_t first)
{
	_cleanup_free_ char *name = insp_escape_str(group_of(s, s->model.rows[first]));
	char line[256], size[TEXT_MAX];
	double cpu = 0, one;
	uint64_t mem = 0;
	size_t n = 0;

	for (size_t i = first; i < s->model.shown && (i == first || !begins_group(s, i)); i++) {
		const struct row *row = s->model.rows[i];

		cpu += row_cpu(row, &one) ? one : 0;
		mem += row->now.value[INSP_STAT_MEM];
		n++;
	}
	snprintf(line, sizeof(line), "%.60s: %zu, cpu %.1f, mem %s", name ? name : "", n, cpu,
		 text_size(mem, size));
	look(s, LOOK_GROUP, true);
	put_text(s, y, 0, wide(), line, false);
	look(s, LOOK_GROUP, false);
}

/* The first row so that the cursor's is in sight; groups' lines count. */
static size_t first_row(const struct screen *s, size_t page)
{
	size_t first = s->at, used = 1 + begins_group(s, s->at);

	while (first > 0 && used + 1 + begins_group(s, first - 1) <= page) {
		first--;
		used += 1 + begins_group(s, first);
	}
	return first;
}

/* Where not all could be read this must not sound as if it had been. */
static const char *none_runs(const struct screen *s)
{
	if (s->diags->n)
		return "no container is seen";
	return s->all ? "there is no container" : "no container runs";
}

static void draw_rows(const struct screen *s, const struct layout *l, int y)
{
	size_t page = draw_page(s), i = s->model.shown ? first_row(s, page) : 0;
	int end = y + (int)page;

	for (; y < end && i < s->model.shown; i++) {
		if (begins_group(s, i) && y + 1 < end)
			draw_group(s, y++, i);
		draw_row(s, l, y++, s->model.rows[i], i == s->at);
	}
	if (s->model.n == 0 && y < end)
		put_text(s, y++, 0, wide(), none_runs(s), false);
	else if (s->model.shown == 0 && y < end)
		put_text(s, y++, 0, wide(), "no container passes the filter", false);
	for (; y < end; y++)
		put_text(s, y, 0, wide(), "", false);
}

/* ---- the lines below ---- */

/* What could not be read, until something happens: what is on the screen may not be all. */
static void draw_unread(const struct screen *s, int y)
{
	_cleanup_free_ char *text = insp_escape_str(s->diags->items[0].text);
	char line[512];

	if (s->diags->n > 1)
		snprintf(line, sizeof(line), "not all is seen (%zu): %s", s->diags->n,
			 text ? text : "");
	else
		snprintf(line, sizeof(line), "not all is seen: %s", text ? text : "");
	look(s, LOOK_WARN, true);
	put_text(s, y, 0, wide(), line, false);
	look(s, LOOK_WARN, false);
}

static void draw_events(const struct screen *s, int y)
{
	const struct model *m = &s->model;
	char line[512] = "";

	if (m->n_events == 0 && s->diags->n) {
		draw_unread(s, y);
		return;
	}
	for (uint64_t i = 0; i < 6 && i < m->n_events; i++) {
		const struct event *e = &m->events[(m->n_events - 1 - i) % EVENTS_KEPT];
		_cleanup_free_ char *raw = event_text(e), *text = insp_escape_str(raw);
		time_t t = (time_t)(e->time / 1000000000);
		char when[32];
		struct tm tm = { 0 };

		localtime_r(&t, &tm);
		strftime(when, sizeof(when), i ? "  %H:%M:%S " : "%H:%M:%S ", &tm);
		append(line, sizeof(line), when);
		append(line, sizeof(line), text ? text : "");
	}
	look(s, LOOK_DIM, true);
	put_text(s, y, 0, wide(), line, false);
	look(s, LOOK_DIM, false);
}

/* As many as fit, whole; those first without which one is lost. */
static void put_keys(const struct screen *s, int y, const char *const *keys)
{
	char line[256] = "";

	for (size_t i = 0; keys[i]; i++) {
		size_t n = strlen(line);

		if (n + 2 + strlen(keys[i]) > (size_t)wide())
			break;
		snprintf(line + n, sizeof(line) - n, "%s%s", i ? "  " : "", keys[i]);
	}
	put_text(s, y, 0, wide(), line, false);
}

/* What became of the last key, where that has to be said. */
static bool put_said(const struct screen *s, int y)
{
	_cleanup_free_ char *text = insp_escape_str(s->said);

	if (!s->said[0])
		return false;
	look(s, LOOK_WARN, true);
	put_text(s, y, 0, wide(), text ? text : "", false);
	look(s, LOOK_WARN, false);
	return true;
}

static void draw_keys(const struct screen *s, int y)
{
	static const char *const live[] = { "q quit",	 "h help",  "/ filter",	 "Enter open",
					    "e shell",	 "d diff",  "k signal",	 "s sort",
					    "a all",	 "t group", "c columns", "p pause",
					    "r reverse", NULL };
	static const char *const replay[] = { "q quit",	   "h help",	 "Left Right step",
					      "/ filter",  "Enter open", "p run",
					      "s sort",	   "t group",	 "c columns",
					      "r reverse", NULL };
	char line[FILTER_MAX + 32];

	if (put_said(s, y))
		return;
	if (s->view == VIEW_FILTER || s->filter[0]) {
		snprintf(line, sizeof(line), "/%s%s", s->filter,
			 s->view == VIEW_FILTER ? "_  Enter keep  Esc all" : "  Esc all");
		put_text(s, y, 0, wide(), line, false);
		return;
	}
	put_keys(s, y, s->feed->back ? replay : live);
}

/* ---- views ---- */

static void draw_list(const struct screen *s)
{
	struct layout l;
	int y = 0;

	make_layout(s, &l);
	if (has_host())
		draw_host(s), y++;
	draw_heads(s, &l, y);
	draw_rows(s, &l, y + 1);
	if (has_events())
		draw_events(s, lines() - 2);
	if (has_keys())
		draw_keys(s, lines() - 1);
}

static void draw_help(const struct screen *s)
{
	static const char *const help[] = {
		"arrows, j, PgUp, PgDn, Home, End, g, G   move; of one container: its processes",
		"Enter   one container, all its numbers and its processes; Esc or q: back",
		"/       filter: name, id, image, pod, project; Esc: none",
		"s       sort by a column; without: what is in trouble, then processor",
		"r       the other way round",
		"t       group by pod or project, by engine, not at all",
		"c       which columns: Space or Enter chooses, Esc: back",
		"a       stopped ones too",
		"p       stop the screen, and go on",
		"Left, Right   of a recording: a sample back, and on",
		"e       a shell beside the container (cdebug), then back",
		"d       what it has changed in its files (cdiff)",
		"k       a signal to its first process, asked once more",
		"q       end",
		"",
		"MEM is the working set: memory usage less inactive file, as docker counts.",
		"TROUBLE is what stands nearest to a limit, or what it waits for.",
		"Any key: back",
	};

	for (int i = 0; i < lines(); i++)
		put_text(s, i, 0, wide(), i < (int)ARRAY_SIZE(help) ? help[i] : "", false);
}

static bool is_chosen(const struct screen *s, const struct column *c)
{
	for (size_t i = 0; i < s->columns.n; i++)
		if (s->columns.chosen[i] == c)
			return true;
	return false;
}

static void draw_menu(const struct screen *s)
{
	int page = lines() - 1, first = (int)s->menu_at >= page ? (int)s->menu_at - page + 1 : 0;
	int y = 1;

	look(s, LOOK_HEAD, true);
	put_text(s, 0, 0, wide(),
		 s->view == VIEW_SORT ? "sort by (Enter, Esc)" : "columns (Space, Esc)", false);
	look(s, LOOK_HEAD, false);
	for (int i = first; ctop_columns[i].name && y < lines(); i++, y++) {
		const struct column *c = &ctop_columns[i];
		bool mark = s->view == VIEW_SORT ? s->sort == c : is_chosen(s, c);
		char line[160];

		snprintf(line, sizeof(line), "%c %-10s %s", mark ? '*' : ' ', c->name, c->help);
		if ((size_t)i == s->menu_at)
			attron(A_REVERSE);
		put_text(s, y, 0, wide(), line, false);
		attroff(A_REVERSE);
	}
	for (; y < lines(); y++)
		put_text(s, y, 0, wide(), "", false);
}

/* Who it is stands there both times: a wrong one is stopped by reading it. */
static void draw_signals(const struct screen *s)
{
	_cleanup_free_ char *name = insp_escape_str(s->target_name);
	bool ask = s->view == VIEW_CONFIRM;
	char line[256];
	int y = 1;

	snprintf(line, sizeof(line),
		 ask ? "send %s to process %d, the first of %s? y: yes, any other: no"
		     : "signal %s(Enter, Esc) to process %d, the first of %s",
		 ask ? signal_names[s->menu_at].name : "", insp_pid_number(s->target),
		 name ? name : "?");
	look(s, ask ? LOOK_BAD : LOOK_HEAD, true);
	put_text(s, 0, 0, wide(), line, false);
	look(s, ask ? LOOK_BAD : LOOK_HEAD, false);
	for (size_t i = 0; signal_names[i].name && y < lines(); i++, y++) {
		snprintf(line, sizeof(line), "  %-10s %s", signal_names[i].name,
			 signal_names[i].help);
		if (i == s->menu_at)
			attron(A_REVERSE);
		put_text(s, y, 0, wide(), line, false);
		attroff(A_REVERSE);
	}
	for (; y < lines(); y++)
		put_text(s, y, 0, wide(), "", false);
}

/* All numbers in as many columns as fit. Returns the line below. */
static int draw_numbers(const struct screen *s, const struct row *row, int y)
{
	int across = numbers_across(), x = 0;

	for (const struct column *c = ctop_columns; c->name; c++) {
		_cleanup_free_ char *text = cell_words(c, row);
		char line[64];

		snprintf(line, sizeof(line), "%-10s %s", c->name, text ? text : "");
		put_text(s, y, x * NUMBER_WIDTH, NUMBER_WIDTH - 1, line, false);
		if (++x == across)
			x = 0, y++;
	}
	return y + (x > 0);
}

static void draw_process(const struct screen *s, int y, const struct insp_proc *p)
{
	_cleanup_free_ char *command = insp_escape_str(p->cmdline ? p->cmdline : p->comm);
	char line[128], rss[TEXT_MAX], cpu[TEXT_MAX];

	snprintf(line, sizeof(line), "%7d %7d %c %4u %9s %6s ", p->pid, p->ns_pid, p->state,
		 p->threads,
		 text_cpu_time(p->cpu / (uint64_t)insp_sys_ticks_per_second(s->sys), cpu),
		 text_size(p->rss, rss));
	put_text(s, y, 0, 40, line, false);
	put_text(s, y, 40, wide() - 40, command ? command : "", false);
}

/* The headings say which of them are shown, where not all have room. */
static void draw_processes(const struct screen *s, int y)
{
	size_t page = draw_page(s), n = s->procs.n, last = n > page ? n - page : 0;
	size_t first = s->top < last ? s->top : last;
	char line[96] = "    PID   NSPID S THRD      TIME    RSS COMMAND", part[48];

	if (last) {
		snprintf(part, sizeof(part), "  (%zu to %zu of %zu)", first + 1, first + page, n);
		append(line, sizeof(line), part);
	}
	look(s, LOOK_HEAD, true);
	put_text(s, y++, 0, wide(), line, false);
	look(s, LOOK_HEAD, false);
	for (size_t i = first; i < n && i < first + page; i++)
		draw_process(s, y++, &s->procs.items[i]);
}

static void draw_one(const struct screen *s)
{
	static const char *const live[] = { "Esc back",	     "e shell", "d diff", "k signal",
					    "arrows scroll", "p pause", "h help", NULL };
	static const char *const replay[] = { "Esc back", "Left Right step", "p run", "h help",
					      NULL };
	const struct row *row = screen_row(s);
	_cleanup_free_ char *name = row ? insp_escape_str(row->c->name) : NULL;

	erase();
	look(s, LOOK_HEAD, true);
	put_text(s, 0, 0, wide(), name ? name : "it is gone (Esc)", false);
	look(s, LOOK_HEAD, false);
	if (!row)
		return;
	draw_processes(s, draw_numbers(s, row, 1));
	if (has_keys() && !put_said(s, lines() - 1))
		put_keys(s, lines() - 1, s->feed->back ? replay : live);
}

void draw_screen(const struct screen *s)
{
	switch (s->view) {
	case VIEW_HELP: draw_help(s); break;
	case VIEW_ONE: draw_one(s); break;
	case VIEW_SORT:
	case VIEW_COLUMNS: draw_menu(s); break;
	case VIEW_SIGNAL:
	case VIEW_CONFIRM: draw_signals(s); break;
	default: draw_list(s);
	}
	move(lines() - 1, wide() - 1);
	refresh();
}
