/* Signals to a container's first process: chosen, asked for once more, sent. */
#include "libinspect/sysc.h"
#include "tools/shared/util.h"
#include "tui/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MENU_PAGE 5

const struct signal_name signal_names[] = {
	{ "TERM", "end, as 'stop' asks for it; ignored by a first process without a handler",
	  SIGTERM },
	{ "INT", "end, as Ctrl-C does", SIGINT },
	{ "HUP", "read the configuration again, for many daemons", SIGHUP },
	{ "QUIT", "end with a dump: a JVM's or Go's stacks, for many", SIGQUIT },
	{ "USR1", "what the program makes of it", SIGUSR1 },
	{ "USR2", "what the program makes of it", SIGUSR2 },
	{ "STOP", "stop that process until CONT", SIGSTOP },
	{ "CONT", "go on", SIGCONT },
	{ "KILL", "end at once, and with it all that is in its pid namespace", SIGKILL },
	{ NULL },
};

static size_t count_signals(void)
{
	size_t n = 0;

	while (signal_names[n].name)
		n++;
	return n;
}

void signal_open(struct screen *s)
{
	const struct row *row = screen_row(s);
	struct insp_err err = { 0 };

	if (!row || s->feed->back)
		return;
	s->target = insp_pid_close(s->target);
	if (insp_container_on_host(row->c, &err) < 0 ||
	    insp_container_init(s->sys, row->c, &s->target, &err) < 0) {
		snprintf(s->said, sizeof(s->said), "%s", err.text);
		return;
	}
	if (insp_pid_fd(s->target) < 0) {
		s->target = insp_pid_close(s->target);
		snprintf(s->said, sizeof(s->said), "signals need Linux 5.3");
		return;
	}
	snprintf(s->target_name, sizeof(s->target_name), "%s %s", row->c->engine, row->c->name);
	s->before = s->view;
	s->view = VIEW_SIGNAL;
	s->menu_at = 0;
}

static void leave_menu(struct screen *s)
{
	s->view = s->before;
	s->target = insp_pid_close(s->target);
}

/* By the pidfd that was opened with the menu: never to another process that has got the pid meanwhile. */
static void send_signal(struct screen *s)
{
	const struct signal_name *sig = &signal_names[s->menu_at];
	int pid = insp_pid_number(s->target);

	if (syscall(SYS_pidfd_send_signal, insp_pid_fd(s->target), sig->number, NULL, 0) == 0)
		snprintf(s->said, sizeof(s->said), "%s was sent to process %d", sig->name, pid);
	else if (errno == ESRCH)
		snprintf(s->said, sizeof(s->said), "%s was not sent: process %d has ended",
			 sig->name, pid);
	else
		snprintf(s->said, sizeof(s->said), "%s was not sent to process %d: %s", sig->name,
			 pid, strerror(errno));
}

void signal_key(struct screen *s, int key)
{
	if (key == K_RESIZE)
		return;
	if (s->view == VIEW_CONFIRM) {
		if (key == 'y')
			send_signal(s);
		else
			snprintf(s->said, sizeof(s->said), "nothing was sent");
		leave_menu(s);
		return;
	}
	if (move_key(&s->menu_at, count_signals(), key, MENU_PAGE))
		return;
	if (key == K_ENTER)
		s->view = VIEW_CONFIRM;
	else if (key == 'q' || key == K_ESCAPE)
		leave_menu(s);
}
