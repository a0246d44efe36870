/*
 * The command's words and environment. /proc/PID/environ of the command can be read by processes of the target that
 * may trace it, so only what is harmless is handed on; the rest needs --env.
 */
#include "sidecar/environ.h"
#include "sidecar/view-layout.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static const char *const handed_on[] = { "TERM",  "COLORTERM", "LANG",	   "LANGUAGE",
					 "USER",  "LOGNAME",   "EDITOR",   "VISUAL",
					 "PAGER", "LESS",      "NO_COLOR", "TZ" };

void environ_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

const char *environ_get(char *const *envp, const char *key)
{
	size_t len = strlen(key);

	for (; envp && *envp; envp++)
		if (strncmp(*envp, key, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

static bool is_own_home(const char *home)
{
	static const char *const others[] = { "/tmp", "/proc", "/sys", "/dev", "/target" };
	struct stat st;

	if (!home || home[0] != '/' || home[1] == '\0' || strstr(home, "/."))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		size_t len = strlen(others[i]);

		if (strncmp(home, others[i], len) == 0 && (home[len] == '/' || home[len] == '\0'))
			return false;
	}
	return stat(home, &st) == 0 && S_ISDIR(st.st_mode);
}

char *environ_home(const char *home)
{
	return strdup(is_own_home(home) ? home : "/tmp");
}

/* A line of /etc/shells, so a shell and not a program that ends at once (/usr/sbin/nologin). */
static bool is_listed_shell(const char *shell)
{
	FILE *f = fopen("/etc/shells", "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = strcmp(line, shell) == 0;
	}
	if (f)
		fclose(f);
	return found;
}

static const char *choose_shell(char *const *envp)
{
	const char *shell = environ_get(envp, "SHELL");

	if (shell && shell[0] == '/' && access(shell, X_OK) == 0 && is_listed_shell(shell))
		return shell;
	return access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh";
}

int environ_put(char **env, char *pair)
{
	size_t key = pair ? strcspn(pair, "=") + 1 : 0, i;

	if (!pair)
		return -ENOMEM;
	for (i = 0; env[i]; i++)
		if (strncmp(env[i], pair, key) == 0)
			break;
	if (i == ENVIRON_MAX) {
		free(pair);
		return -E2BIG;
	}
	free(env[i]);
	env[i] = pair;
	return 0;
}

static int env_set(char **env, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int env_set(char **env, const char *format, ...)
{
	char *pair = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&pair, format, ap);
	va_end(ap);
	return environ_put(env, n < 0 ? NULL : pair);
}

/* Another user than the caller is not called as he is. */
static bool is_of_user(const char *key)
{
	return strcmp(key, "USER") == 0 || strcmp(key, "LOGNAME") == 0;
}

static int env_hand_on(const struct sidecar_plan *plan, char **env, char *const *envp)
{
	bool other = plan->ids.set_uid && plan->ids.uid != 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(handed_on) && r == 0; i++) {
		const char *value = environ_get(envp, handed_on[i]);

		if (other && is_of_user(handed_on[i]))
			value = plan->user.name;
		if (value)
			r = env_set(env, "%s=%s", handed_on[i], value);
	}
	for (; envp && *envp && r == 0; envp++)
		if (strncmp(*envp, "LC_", 3) == 0)
			r = env_set(env, "%s", *envp);
	return r;
}

/* "K=V", or K alone: the caller's, as with docker; one that he has not is not set. */
static int env_add_given(char **env, const char *given, char *const *envp)
{
	const char *value = strchr(given, '=') ? NULL : environ_get(envp, given);

	if (value)
		return env_set(env, "%s=%s", given, value);
	return strchr(given, '=') ? env_set(env, "%s", given) : 0;
}

/* In the target view the toolbox's programs are in one directory; the target's own come after, where they may be started. */
static int env_set_path(const struct sidecar_plan *plan, char **env)
{
	const char *path = plan->opts->toolbox ? NULL : environ_get(plan->opts->envp, "PATH");
	struct utsname u;
	int r;

	if (!plan->opts->in_target)
		return env_set(env, "PATH=%s", path && *path ? path : SIDECAR_PATH);
	r = env_set(env, "PATH=%s%s", VIEW_BIN, plan->opts->exec ? ":" SIDECAR_PATH : "");
	r = r ?: env_set(env, "TMPDIR=%s", VIEW_TMP);
	/* the working directory is the container's: no modules out of it */
	r = r ?: env_set(env, "PYTHONSAFEPATH=1");
	/* or the C library goes by gconv-modules.cache, in which converters have their absolute path */
	uname(&u);
	return r
		       ?: env_set(env,
				  "GCONV_PATH=" VIEW_TOOLBOX
				  "/usr/lib/%s-linux-gnu/gconv:" VIEW_TOOLBOX "/usr/lib64/gconv",
				  u.machine);
}

static int env_fill(const struct sidecar_plan *plan, const char *shell, char **env)
{
	const struct sidecar_opts *o = plan->opts;
	int r = env_hand_on(plan, env, o->envp);

	r = r ?: env_set_path(plan, env);
	r = r ?: env_set(env, "HOME=%s", plan->home);
	r = r ?: env_set(env, "SHELL=%s", shell);
	/* where sh finds its prompt */
	r = r ?: env_set(env, "ENV=%s/.shrc", plan->home);
	r = r ?: env_set(env, "TARGET=%s", o->name);
	if (plan->inner_pid > 0)
		r = r ?: env_set(env, "TARGET_PID=%d", (int)plan->inner_pid);
	for (size_t i = 0; i < o->n_env && r == 0; i++)
		r = env_add_given(env, o->env[i], o->envp);
	return r;
}

static char **copy_words(char *const *words, const char *alone)
{
	size_t n = 0;
	char **copy;

	while (words && words[n])
		n++;
	copy = calloc(n + 2, sizeof(*copy));
	if (!copy)
		return NULL;
	if (!words)
		copy[0] = strdup(alone);
	for (size_t i = 0; i < n; i++)
		copy[i] = strdup(words[i]);
	for (size_t i = 0; i < (words ? n : 1); i++)
		if (!copy[i]) {
			environ_free(copy);
			return NULL;
		}
	return copy;
}

int environ_make(struct sidecar_plan *plan, struct insp_err *err)
{
	/* of a toolbox it is chosen when it is there: toolbox_shell(), and words() of command.c */
	const char *host_shell = !plan->opts->toolbox	 ? choose_shell(plan->opts->envp)
				 : plan->opts->in_target ? "/bin/bash"
							 : "/bin/sh";
	_cleanup_free_ char *shell = NULL;
	int r;

	/* "/bin/bash" is the container's there */
	if (plan->opts->in_target &&
	    asprintf(&shell, "%s%s", VIEW_BIN, strrchr(host_shell, '/')) < 0)
		shell = NULL;
	else if (!plan->opts->in_target)
		shell = strdup(host_shell);
	if (!shell)
		return insp_err_set(err, -ENOMEM, "plan the command");

	plan->argv = copy_words(plan->opts->command, shell);
	plan->envp = calloc(ENVIRON_MAX + 1, sizeof(*plan->envp));
	if (!plan->argv || !plan->envp)
		return insp_err_set(err, -ENOMEM, "plan the command");
	r = plan->opts->as_target ? targetenv_add(plan, plan->envp, err) : 0;
	if (r < 0 && r != -E2BIG && r != -ENOMEM)
		return r;
	r = r ?: env_fill(plan, shell, plan->envp);
	if (r == -E2BIG)
		return insp_err_say(err, r, "more than %d environment variables", ENVIRON_MAX);
	return r < 0 ? insp_err_set(err, r, "plan the command's environment") : 0;
}
