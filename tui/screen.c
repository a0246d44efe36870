/* The terminal: opening it, waiting for keys and samples, giving it back. */
#include "tui/screen.h"

#include "tools/shared/util.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <term.h>
#include <time.h>

#define ROWS_OF_WHEEL 3

/* ---- the terminal ---- */

static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
	stopped = sig;
}

/* SIGTSTP, SIGCONT and SIGWINCH are ncurses' own: it gives the terminal back and takes it again. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int no_terminal(struct insp_err *err, const char *why)
{
	insp_err_say(err, -EOPNOTSUPP, "%s", why);
	insp_err_hint(err, "-b prints tables instead");
	return -EOPNOTSUPP;
}

static int open_terminal(struct screen *s, SCREEN **ret, struct insp_err *err)
{
	const char *cup;
	SCREEN *terminal;

	setlocale(LC_CTYPE, "");
	s->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return no_terminal(err, "TERM names no terminal that is known here");
	set_term(terminal);
	cup = tigetstr("cup");
	if (!cup || cup == (char *)-1) {
		endwin();
		delscreen(terminal);
		return no_terminal(err, "this terminal cannot move its cursor");
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	set_escdelay(25);
	mousemask(BUTTON1_CLICKED | BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0);
	look_init(s);
	*ret = terminal;
	return 0;
}

/* ---- keys ---- */

/* A click is on a row of the list; the wheel moves the cursor. */
static int mouse_key(struct screen *s, struct insp_err *err)
{
	MEVENT e;
	int r = 0;

	if (getmouse(&e) != OK)
		return 0;
	for (int i = 0; i < ROWS_OF_WHEEL && r >= 0; i++)
		if (e.bstate & BUTTON4_PRESSED)
			r = screen_key(s, K_UP, draw_page(s), err);
		else if (e.bstate & BUTTON5_PRESSED)
			r = screen_key(s, K_DOWN, draw_page(s), err);
	return r;
}

static int key_of(int c)
{
	switch (c) {
	case KEY_UP: return K_UP;
	case KEY_DOWN: return K_DOWN;
	case KEY_PPAGE: return K_PAGE_UP;
	case KEY_NPAGE: return K_PAGE_DOWN;
	case KEY_LEFT: return K_LEFT;
	case KEY_RIGHT: return K_RIGHT;
	case KEY_HOME: return K_HOME;
	case KEY_END: return K_END;
	case KEY_ENTER:
	case '\n':
	case '\r': return K_ENTER;
	case 27: return K_ESCAPE;
	case KEY_BACKSPACE:
	case 127:
	case 8: return K_BACKSPACE;
	case KEY_RESIZE: return K_RESIZE;
	default: return c < 256 ? c : 0;
	}
}

/* ---- other programs ---- */

static void run_program(struct screen *s)
{
	int key = s->run;

	s->run = 0;
	def_prog_mode();
	endwin();
	program_run(s, key);
	reset_prog_mode();
	clearok(stdscr, TRUE);
	stopped = stopped == SIGINT ? 0 : stopped; /* that was meant for the program */
}

/* ---- samples ---- */

static void read_processes(struct screen *s)
{
	const struct row *row = screen_row(s);

	insp_procs_clear(&s->procs);
	/* a recorded pid may be anybody's now */
	if (s->view == VIEW_ONE && row && row->c->pid && !s->feed->back)
		(void)insp_container_procs(s->sys, row->c, INSP_PROC_CMDLINE, &s->procs, NULL,
					   NULL);
}

/* 1: there is a frame; 0: no more. */
static int take(struct screen *s, struct insp_err *err)
{
	struct insp_moment frame = { 0 };
	int r = s->feed->next(s->feed, &frame, s->diags, err);

	if (r <= 0)
		return r;
	r = model_take(&s->model, &frame);
	if (r < 0)
		return insp_err_set(err, r, "take a sample");
	r = screen_arrange(s, err);
	return r < 0 ? r : 1;
}

/* A step in a recording. Back: two frames are taken, for the rates are between them. */
static int step(struct screen *s, struct insp_err *err)
{
	int r = 0;

	if (s->step < 0) {
		r = s->feed->back(s->feed, err);
		if (r >= 0)
			r = take(s, err);
	}
	if (r >= 0)
		r = take(s, err);
	s->ended = r == 0;
	s->step = 0;
	return r;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

static int handle_key(struct screen *s, int c, struct insp_err *err)
{
	int r;

	if (c == KEY_MOUSE)
		return mouse_key(s, err);
	r = screen_key(s, key_of(c), draw_page(s), err);
	if (r >= 0 && s->run)
		run_program(s);
	if (s->view == VIEW_ONE && s->resample)
		read_processes(s);
	return r;
}

/* Draws, and handles keys, until it is time for the next sample. */
static int wait_for(struct screen *s, int64_t until, struct insp_err *err)
{
	int r = 0;

	while (r >= 0 && !s->quit && !stopped) {
		int64_t left = until - now_ms();
		int c;

		draw_screen(s);
		if (left <= 0 && !s->paused)
			return 0;
		timeout(s->paused ? 500 : (int)left);
		c = getch();
		if (c != ERR)
			r = handle_key(s, c, err);
		if (r >= 0 && s->step)
			r = step(s, err);
		if (s->view == VIEW_LIST && s->resample) {
			s->resample = false;
			return 0;
		}
		s->resample = false;
	}
	return r;
}

static int loop(struct screen *s, struct insp_err *err)
{
	int64_t next = now_ms();
	int r = take(s, err);

	for (unsigned n = 0; r > 0 && !s->quit && !stopped; n++) {
		if (s->iterations && n == s->iterations)
			break;
		/* the second sample soon: rates are what one wants to see */
		next += n == 0 && s->delay > 0.5 ? 500 : (int64_t)(s->delay * 1000);
		if (next < now_ms())
			next = now_ms();
		r = wait_for(s, next, err);
		if (r < 0 || s->quit || stopped)
			break;
		r = take(s, err);
		read_processes(s);
		/* the last frame stays */
		if (r == 0 && s->feed->back) {
			s->ended = s->paused = true;
			r = 1;
		}
	}
	return r < 0 ? r : 0;
}

int screen_run(struct screen *s, struct insp_err *err)
{
	SCREEN *terminal = NULL;
	int r = open_terminal(s, &terminal, err);

	if (r < 0)
		return r;
	catch_signals();
	r = loop(s, err);
	endwin();
	delscreen(terminal);
	return r;
}
