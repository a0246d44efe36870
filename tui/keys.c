/* What keys do. No terminal here. */
#include "tools/shared/util.h"
#include "tui/screen.h"

#include <errno.h>
#include <string.h>

const struct row *screen_row(const struct screen *s)
{
	return s->at < s->model.shown ? s->model.rows[s->at] : NULL;
}

static size_t count_columns(void)
{
	size_t n = 0;

	while (ctop_columns[n].name)
		n++;
	return n;
}

unsigned screen_want(const struct screen *s)
{
	unsigned want = columns_want(&s->columns, false);

	if (s->view == VIEW_ONE)
		for (const struct column *c = ctop_columns; c->name; c++)
			want |= c->want;
	if (s->sort)
		want |= s->sort->want;
	if (s->grouping == GROUP_POD || s->filter[0])
		want |= CTOP_WANT_DETAIL;
	return want | columns_find(ctop_columns, "TROUBLE", 7)->want |
	       columns_find(ctop_columns, "CPU", 3)->want;
}

static void apply_want(struct screen *s)
{
	unsigned want = screen_want(s), bits = INSP_WANT_BARE;

	if (s->all)
		bits |= INSP_WANT_STOPPED;
	if (want & CTOP_WANT_DETAIL)
		bits |= INSP_WANT_DETAIL;
	if (s->feed->set)
		s->feed->set(s->feed, want & INSP_STAT_ALL, bits);
}

static int sort_by(struct screen *s, const char *name, bool down, struct insp_err *err)
{
	char spec[32];

	snprintf(spec, sizeof(spec), "%s%s", down ? "-" : "", name);
	return model_sort(&s->model, spec, err);
}

/* What people read first at the top: words by the alphabet, numbers from the largest. */
static bool from_the_top(const struct column *c)
{
	return c->flags & COL_RIGHT || strcmp(c->name, "TROUBLE") == 0;
}

void screen_sort(struct screen *s, const char *spec)
{
	const char *name = spec + (*spec == '-' || *spec == '+');

	s->sort = columns_find(ctop_columns, name, strlen(name));
	s->reverse = s->sort && from_the_top(s->sort) != (*spec == '-');
}

static int order(struct screen *s, struct insp_err *err)
{
	int r;

	if (s->sort)
		return sort_by(s, s->sort->name, from_the_top(s->sort) != s->reverse, err);
	/* the second keeps the order of the first among equals */
	r = sort_by(s, "CPU", !s->reverse, err);
	return r < 0 ? r : sort_by(s, "TROUBLE", !s->reverse, err);
}

int screen_arrange(struct screen *s, struct insp_err *err)
{
	static const char *const by[GROUP_MAX] = { NULL, "GROUP", "ENGINE" };
	int r = order(s, err);

	if (r >= 0 && by[s->grouping])
		r = sort_by(s, by[s->grouping], false, err);
	if (r >= 0)
		r = model_filter(&s->model, s->filter);
	if (r < 0)
		return r;
	for (size_t i = 0; s->cursor && i < s->model.shown; i++)
		if (strcmp(s->model.rows[i]->key, s->cursor) == 0) {
			s->at = i;
			return 0;
		}
	if (s->at >= s->model.shown)
		s->at = s->model.shown ? s->model.shown - 1 : 0;
	return 0;
}

static void move_to(struct screen *s, size_t at)
{
	size_t last = s->model.shown ? s->model.shown - 1 : 0;

	s->at = at > last ? last : at;
	free(s->cursor);
	s->cursor = screen_row(s) ? strdup(screen_row(s)->key) : NULL;
}

bool move_key(size_t *at, size_t n, int key, size_t page)
{
	size_t last = n ? n - 1 : 0;

	switch (key) {
	case K_UP: *at -= *at > 0; break;
	case 'j':
	case K_DOWN: *at += *at < last; break;
	case K_PAGE_UP: *at -= *at > page ? page : *at; break;
	case K_PAGE_DOWN: *at = last - *at > page ? *at + page : last; break;
	case 'g':
	case K_HOME: *at = 0; break;
	case 'G':
	case K_END: *at = last; break;
	default: return false;
	}
	return true;
}

/* The processes of one container; its last page stays full. */
static bool scroll(struct screen *s, int key, size_t page)
{
	size_t n = s->procs.n > page ? s->procs.n - page + 1 : 1;

	if (s->top >= n)
		s->top = n - 1;
	return move_key(&s->top, n, key, page);
}

static void leave(struct screen *s)
{
	bool one = s->view == VIEW_ONE;

	s->view = VIEW_LIST;
	if (one)
		apply_want(s);
}

static void toggle_column(struct screen *s, const struct column *c)
{
	struct columns *all = &s->columns;

	for (size_t i = 0; i < all->n; i++)
		if (all->chosen[i] == c) {
			memmove(&all->chosen[i], &all->chosen[i + 1],
				(all->n - i - 1) * sizeof(all->chosen[0]));
			all->n--;
			return;
		}
	if (all->n < COLUMNS_MAX)
		all->chosen[all->n++] = c;
}

static int menu_key(struct screen *s, int key, size_t page, struct insp_err *err)
{
	const struct column *c = &ctop_columns[s->menu_at];

	if (move_key(&s->menu_at, count_columns(), key, page))
		return 0;
	if (key == 'q' || key == K_ESCAPE) {
		leave(s);
	} else if (key == K_ENTER && s->view == VIEW_SORT) {
		s->sort = c;
		s->reverse = false;
		leave(s);
		apply_want(s);
		return screen_arrange(s, err);
	} else if ((key == K_ENTER || key == ' ') && s->view == VIEW_COLUMNS) {
		toggle_column(s, c);
		apply_want(s);
	}
	return 0;
}

static int filter_key(struct screen *s, int key, struct insp_err *err)
{
	size_t n = strlen(s->filter);

	if (key == K_ENTER) {
		s->view = VIEW_LIST;
	} else if (key == K_ESCAPE) {
		s->filter[0] = '\0';
		s->view = VIEW_LIST;
	} else if (key == K_BACKSPACE) {
		s->filter[n ? n - 1 : 0] = '\0';
	} else if (key >= ' ' && key < 0x7f && n + 1 < FILTER_MAX) {
		s->filter[n] = (char)key;
		s->filter[n + 1] = '\0';
	}
	return screen_arrange(s, err);
}

static void open_view(struct screen *s, enum view view)
{
	s->view = view;
	s->menu_at = 0;
	if (view == VIEW_ONE) {
		s->top = 0;
		apply_want(s);
		s->resample = true;
	}
}

static int list_key(struct screen *s, int key, struct insp_err *err)
{
	switch (key) {
	case '/': open_view(s, VIEW_FILTER); break;
	case 's': open_view(s, VIEW_SORT); break;
	case 'c': open_view(s, VIEW_COLUMNS); break;
	case 'r': s->reverse = !s->reverse; break;
	case 't': s->grouping = (s->grouping + 1) % GROUP_MAX; break;
	case 'a': s->all = !s->all; break;
	case K_ESCAPE: s->filter[0] = '\0'; break;
	case K_ENTER:
		if (screen_row(s))
			open_view(s, VIEW_ONE);
		break;
	default: return 0;
	}
	if (key == 't' || key == 'a')
		apply_want(s);
	s->resample = s->resample || key == 'a';
	return screen_arrange(s, err);
}

static int any_key(struct screen *s, int key, struct insp_err *err)
{
	switch (key) {
	case 'p': s->paused = !s->paused; return 0;
	case 'h':
	case '?':
		s->before = s->view;
		s->view = VIEW_HELP;
		return 0;
	case 'k': signal_open(s); return 0;
	case 'e':
	case 'd': s->run = screen_row(s) && !s->feed->back ? key : 0; return 0;
	case K_LEFT:
	case K_RIGHT:
		if (s->feed->back) {
			s->paused = true;
			s->step = key == K_LEFT ? -1 : 1;
		}
		return 0;
	default: return s->view == VIEW_LIST ? list_key(s, key, err) : 0;
	}
}

int screen_key(struct screen *s, int key, size_t page, struct insp_err *err)
{
	size_t at = s->at;

	s->said[0] = '\0';
	if (s->view == VIEW_SIGNAL || s->view == VIEW_CONFIRM) {
		signal_key(s, key);
		return 0;
	}
	if (s->view == VIEW_FILTER)
		return filter_key(s, key, err);
	if (s->view == VIEW_SORT || s->view == VIEW_COLUMNS)
		return menu_key(s, key, page, err);
	if (s->view == VIEW_HELP) {
		s->view = s->before;
		return 0;
	}
	if (s->view == VIEW_ONE && (key == 'q' || key == K_ESCAPE || key == K_ENTER)) {
		leave(s);
		return 0;
	}
	if (key == 'q') {
		s->quit = true;
		return 0;
	}
	if (s->view == VIEW_ONE && scroll(s, key, page))
		return 0;
	if (s->view == VIEW_LIST && move_key(&at, s->model.shown, key, page)) {
		move_to(s, at);
		return 0;
	}
	return any_key(s, key, err);
}

void screen_clear(struct screen *s)
{
	model_clear(&s->model);
	insp_procs_clear(&s->procs);
	free(s->cursor);
	s->target = insp_pid_close(s->target);
}
