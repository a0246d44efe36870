/* Text on the terminal: never wider than its place, nothing that moves the cursor. */
#include "tui/screen.h"

#include <curses.h>
#include <string.h>
#include <wchar.h>

/*
 * The next character of escaped UTF-8 (which is valid), and how many cells it takes. A wide one takes two; one that takes
 * none, and one that this terminal has not, is '?'.
 */
static wchar_t next_char(const struct screen *s, const char **text, int *ret_cells)
{
	mbstate_t state = { 0 };
	wchar_t c = L'?';
	size_t n = 1;

	if ((unsigned char)**text >= 0x80) {
		n = s->ascii ? (size_t)-1 : mbrtowc(&c, *text, 8, &state);
		if (n == 0 || n > 8) { /* all bytes of it */
			for (n = 1; ((*text)[n] & 0xc0) == 0x80;)
				n++;
			c = L'?';
		}
	} else {
		c = (wchar_t) * *text;
	}
	*text += n;
	*ret_cells = wcwidth(c);
	if (*ret_cells <= 0) {
		c = L'?';
		*ret_cells = 1;
	}
	return c;
}

static int cells_of(const struct screen *s, const char *text)
{
	int all = 0, cells;

	while (*text) {
		(void)next_char(s, &text, &cells);
		all += cells;
	}
	return all;
}

void put_text(const struct screen *s, int y, int x, int width, const char *text, bool right)
{
	int lines, wide, at = 0, cells;

	getmaxyx(stdscr, lines, wide);
	if (y < 0 || y >= lines || x >= wide)
		return;
	if (x + width > wide)
		width = wide - x;
	cells = cells_of(s, text);
	if (move(y, x) == ERR)
		return;
	for (; right && at < width - cells; at++)
		addch(' ');
	while (*text) {
		wchar_t c[2] = { next_char(s, &text, &cells), 0 };

		if (at + cells > width)
			break;
		addwstr(c);
		at += cells;
	}
	for (; at < width; at++)
		addch(' ');
}

/* ---- looks ---- */

void look_init(const struct screen *s)
{
	if (s->theme == THEME_MONO || !has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(1, COLOR_CYAN, -1);
	init_pair(2, COLOR_YELLOW, -1);
	init_pair(3, s->theme == THEME_SAFE ? COLOR_BLUE : COLOR_RED, -1);
	init_pair(4, s->theme == THEME_SAFE ? COLOR_CYAN : COLOR_GREEN, -1);
}

/* Never by colour alone: what is bad is bold too, and its row says why in words. */
void look(const struct screen *s, enum look l, bool on)
{
	static const attr_t mono[] = { 0, A_REVERSE, A_UNDERLINE, A_BOLD, A_DIM, A_BOLD };
	bool colours = s->theme != THEME_MONO && has_colors();
	const attr_t colour[] = {
		0,     A_REVERSE | COLOR_PAIR(1), COLOR_PAIR(2), A_BOLD | COLOR_PAIR(3),
		A_DIM, A_BOLD | COLOR_PAIR(4)
	};
	attr_t attr = colours ? colour[l] : mono[l];

	if (on)
		attron(attr);
	else
		attroff(attr);
}
