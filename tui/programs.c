/* Other programs in ctop's terminal: cdebug, cdiff. */
#include "tools/shared/opts.h"
#include "tools/shared/util.h"
#include "tui/screen.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* docker's: the tool itself failed, or its command could not be started */
#define OWN_FAILURE   125
#define NOT_FOUND     127
#define PROGRAM_WORDS 3

/* That of the same build: beside ctop, where sudo's PATH does not lead. Else by PATH. free(). */
static char *path_of(const char *name)
{
	char self[PATH_MAX], *path = NULL;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash && asprintf(&path, "%.*s/%s", (int)(slash - self), self, name) < 0)
		return NULL;
	if (path && access(path, X_OK) == 0)
		return path;
	free(path);
	return strdup(name);
}

/* Its exit status; 128 and more: a signal ended it. */
static int run_child(const char *const argv[])
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		execvp(argv[0], (char *const *)argv);
		fprintf(stderr, "ctop: %s: %s\n", argv[0], strerror(errno));
		_exit(NOT_FOUND);
	}
	if (pid < 0) {
		fprintf(stderr, "ctop: start %s: %s\n", argv[0], strerror(errno));
		return OWN_FAILURE;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A signal ends the waiting, too. */
static void wait_for_enter(void)
{
	int c;

	fputs("-- Enter: back to ctop", stdout);
	fflush(stdout);
	while ((c = getchar()) != '\n' && c != EOF)
		;
	clearerr(stdin);
}

/* The container is found where ctop found it; by its whole id: a name may mean another one, or begin like an option. */
static int run_on(const struct screen *s, const char *program, const char *ref)
{
	const struct opt_list *stores = &s->common->stores, *roots = &s->common->docker_roots;
	const char **argv = calloc(PROGRAM_WORDS + 1 + 2 * (stores->n + roots->n), sizeof(*argv));
	size_t n = 0;
	int status;

	if (!argv)
		return OWN_FAILURE;
	argv[n++] = program;
	for (size_t i = 0; i < stores->n; i++) {
		argv[n++] = "--store";
		argv[n++] = stores->items[i];
	}
	for (size_t i = 0; i < roots->n; i++) {
		argv[n++] = "--docker-root";
		argv[n++] = roots->items[i];
	}
	argv[n++] = "--";
	argv[n++] = ref;
	status = run_child(argv);
	free(argv);
	return status;
}

void program_run(const struct screen *s, int key)
{
	const struct row *row = screen_row(s);
	_cleanup_free_ char *path = path_of(key == 'e' ? "cdebug" : "cdiff"), *ref = NULL;
	int status;

	if (!row || !path || asprintf(&ref, "%s:%s", row->c->engine, row->c->id) < 0) {
		ref = NULL;
		return;
	}
	status = run_on(s, path, ref);
	/* of a session nothing is left to be read; why there was none would be gone with the next frame */
	if (key == 'd' || (status >= OWN_FAILURE && status <= NOT_FOUND))
		wait_for_enter();
}
