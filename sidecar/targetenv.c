/*
 * The environment of the container's first process, for programs of the host.
 *
 * It is the container's to write, and a program that obeys a variable does what the container says: loads a library of
 * its (LD_PRELOAD=/target/x.so), runs a line of its (BASH_ENV, PROMPT_COMMAND, TAR_OPTIONS), with the host's
 * directories before its eyes. So a variable is handed over only when its name is none that programs are known to
 * obey, nor looks like one: what an application is configured with stays, what a tool is, does not.
 */
#include "sidecar/environ.h"

#include <ctype.h>

/* The session's own: what the container says there is of no use, and not worth a word. */
static const char *const own[] = { "PATH",    "HOME",	"SHELL", "TERM",   "USER",	"LOGNAME",
				   "PWD",     "OLDPWD", "SHLVL", "_",	   "LANG",	"LANGUAGE",
				   "COLUMNS", "LINES",	"TZ",	 "TARGET", "TARGET_PID" };

/* Families of variables that programs of the host obey: ld.so(8), bash(1), environ(7) and their own manuals. */
static const char *const families[] = {
	"LD_",	   "BASH",   "PERL",	  "PYTHON",  "RUBY",	 "GEM_",   "BUNDLE_", "NODE_",
	"NPM_",	   "LUA_",   "JAVA_",	  "_JAVA",   "JDK_",	 "GIT_",   "SSH_",    "LESS",
	"VIM",	   "NVIM",   "EMACS",	  "GCC_",    "OPENSSL",	 "SSL",	   "CURL_",   "TERM",
	"XDG_",	   "GIO_",   "G_",	  "GTK_",    "QT_",	 "KRB5",   "TAR_",    "RSYNC_",
	"MAKE",	   "PKG_",   "TCL",	  "SYSTEMD", "DBUS_",	 "MALLOC", "GLIBC",   "GCONV",
	"NLS",	   "RES_",   "TMP",	  "TEMP",    "AWK",	 "GAWK",   "PSQL",    "MAIL",
	"GDB",	   "GROFF_", "DEBUGINFO", "TMUX",    "SCREEN",	 "PHP_",   "ERL_",    "GUILE_",
	"CARGO_",  "RUST",   "LLVM_",	  "ASAN_",   "UBSAN_",	 "LSAN_",  "TSAN_",   "MSAN_",
	"GCOV_",   "SUDO_",  "NOTIFY_",	  "LISTEN_", "VALGRIND", "STRACE", "LTRACE",  "TCPDUMP",
	"DOCKER_", "GLOB",   "HIST",	  "GREP_",   "LS_",	 "POSIX",  "LOCAL",
};

static const char *const obeyed[] = { "ENV", "IFS", "VISUAL", "PS0",	    "PS1",
				      "PS2", "PS3", "PS4",    "HOSTALIASES" };

/* A name of which a part ends so says what to run, where to look or what to start with: WGETRC, MY_LIB_PATH. */
static const char *const endings[] = {
	"PATH",	  "OPT",     "OPTS",	"OPTIONS", "HOME",    "DIR",	 "DIRS",
	"RC",	  "CONF",    "CONFIG",	"INIT",	   "STARTUP", "PAGER",	 "EDIT",
	"EDITOR", "SHELL",   "PRELOAD", "LIB",	   "LIBS",    "PLUGIN",	 "PLUGINS",
	"MODULE", "MODULES", "COMMAND", "CMD",	   "EXEC",    "PROMPT",	 "HOOK",
	"LOAD",	  "ARGS",    "FLAGS",	"RSH",	   "BROWSER", "ASKPASS", "PROFILE",
};

static bool is_own(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strlen(own[i]) == len && memcmp(own[i], name, len) == 0)
			return true;
	return len > 3 && memcmp(name, "LC_", 3) == 0;
}

static bool part_ends_so(const char *part, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t n = strlen(endings[i]);

		if (len >= n && strncasecmp(part + len - n, endings[i], n) == 0)
			return true;
	}
	return false;
}

/* Whether the name is an ordinary one, and none of its parts ends so. */
static bool is_harmless(const char *name)
{
	for (const char *p = name; *p;) {
		size_t len = strcspn(p, "_.-");

		if (part_ends_so(p, len))
			return false;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)p[i]))
				return false;
		p += len;
		p += *p != '\0';
	}
	return true;
}

/* Whether a program of the host might do what this variable says. */
static bool is_obeyed(const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(obeyed); i++)
		if (strcasecmp(name, obeyed[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (strncasecmp(name, families[i], strlen(families[i])) == 0)
			return true;
	/* a function for an old bash (CVE-2014-6271) */
	return !is_harmless(name) || strncmp(value, "() {", 4) == 0;
}

/* What was left out, for one line. */
struct withheld {
	char text[200];
	unsigned n;
};

static void withhold(struct withheld *w, const char *name)
{
	size_t used = strlen(w->text);

	w->n++;
	if (used + strlen(name) + 3 < sizeof(w->text))
		snprintf(w->text + used, sizeof(w->text) - used, "%s%s", used ? ", " : "", name);
}

static void say_withheld(struct sidecar_plan *plan, const struct withheld *w)
{
	struct insp_err warning = { 0 };

	if (!w->n)
		return;
	insp_err_say(&warning, -EPERM,
		     "%u of the container's variables are kept from the host's programs, which "
		     "might do what they say: %s",
		     w->n, w->text);
	insp_err_hint(&warning, "--env NAME=VALUE sets one all the same");
	insp_diags_add(&plan->warnings, &warning);
}

/* One string of the block. */
static int take(char **env, const char *entry, struct withheld *w)
{
	_cleanup_free_ char *name = NULL;
	const char *equals = strchr(entry, '=');

	if (!equals || equals == entry || is_own(entry, (size_t)(equals - entry)))
		return 0;
	name = strndup(entry, (size_t)(equals - entry));
	if (!name)
		return -ENOMEM;
	/* execve() takes no string above 32 pages (MAX_ARG_STRLEN) */
	if (is_obeyed(name, equals + 1) || strlen(entry) >= 131072) {
		withhold(w, name);
		return 0;
	}
	return environ_put(env, strdup(entry));
}

int targetenv_add(struct sidecar_plan *plan, char **env, struct insp_err *err)
{
	_cleanup_free_ char *block = NULL;
	struct withheld w = { 0 };
	size_t len = 0;
	int r = plan->start ? 0 : insp_pid_environ(plan->sys, plan->target, &block, &len, err);

	if (r < 0)
		return r;
	for (char **e = plan->start ? plan->start->env : NULL; e && *e && r == 0; e++)
		r = take(env, *e, &w);
	for (size_t off = 0; off < len && r == 0; off += strlen(block + off) + 1)
		r = take(env, block + off, &w);
	if (r == 0)
		say_withheld(plan, &w);
	return r;
}
