/* See rerun.h. What the record says becomes the launcher's orders; what cannot be as it was is said. */
#include "sidecar/rerun.h"
#include "sidecar/environ.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/capability.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define CAP_BIT(c)  (UINT64_C(1) << (c))
#define PLACEHOLDER "{}"
#define NET_CAPS    (CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_NET_BROADCAST))
#define DEFAULT_CAPS                                                                             \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FSETID) |                  \
	 CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_SETGID) | \
	 CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETFCAP) | CAP_BIT(CAP_SETPCAP) |                     \
	 CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_KILL) |           \
	 CAP_BIT(CAP_AUDIT_WRITE))
/*
 * What is good for the session's own namespaces and files only. With any other capability root of the host's user namespace
 * reaches the host: mounts and devices (SYS_ADMIN), the programs that watch (SYS_PTRACE), files by handle (DAC_READ_SEARCH) …
 */
#define HARMLESS_CAPS                                                               \
	(DEFAULT_CAPS | NET_CAPS | CAP_BIT(CAP_IPC_LOCK) | CAP_BIT(CAP_IPC_OWNER) | \
	 CAP_BIT(CAP_SYS_NICE) | CAP_BIT(CAP_LEASE))

struct rerun {
	struct insp_start *start;
	uint64_t withheld;
	struct orders o;
	char **env; /* of ENVIRON_MAX strings and a NULL */
};

struct rerun *rerun_free(struct rerun *r)
{
	if (r) {
		insp_start_free(r->start);
		environ_free(r->env);
		free(r);
	}
	return NULL;
}

/* ---- warnings ---- */

static void warn_caps(struct sidecar_plan *plan, uint64_t withheld)
{
	struct insp_err w = { 0 };
	char names[300] = "";
	size_t used = 0;

	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		char *name = withheld & CAP_BIT(cap) ? cap_to_name(cap) : NULL;

		if (name && used + strlen(name) + 3 < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 used ? ", " : "", name);
		cap_free(name);
	}
	if (!used)
		return;
	insp_err_say(&w, -EPERM,
		     "capabilities that reach the host are kept from the entrypoint: %s", names);
	insp_diags_add(&plan->warnings, &w);
}

static void warn(struct sidecar_plan *plan, const char *text)
{
	struct insp_err w = { 0 };

	insp_err_say(&w, -EOPNOTSUPP, "%s", text);
	insp_diags_add(&plan->warnings, &w);
}

static void warn_unknown(struct sidecar_plan *plan, const struct insp_start *s)
{
	if (s->seccomp == INSP_SECCOMP_FILTER)
		warn(plan, "its seccomp filter is not its own: one like docker's default is set");
	if (s->caps_known)
		return;
	if (plan->opts->stopped->is_image)
		return;
	warn(plan,
	     "no record tells its capabilities and filter: it has a container's default ones");
}

/* ---- what the orders say ---- */

static void decide_caps(struct sidecar_plan *plan, struct rerun *r)
{
	uint64_t all = (CAP_BIT(CAP_LAST_CAP) << 1) - 1;
	uint64_t had = r->start->caps_known ? r->start->caps.bounding & all : DEFAULT_CAPS;
	uint64_t may = HARMLESS_CAPS;

	if (!(plan->join & (1U << INSP_NS_NET)))
		may &= ~NET_CAPS;
	r->withheld = had & ~may;
	r->o.caps = (struct insp_enter_caps){ .cut = true,
					      .bounding = had & may & ~plan->opts->rerun.cap_drop,
					      .no_new_privs = r->start->caps.no_new_privs };
	r->o.caps.ambient = r->start->caps.ambient & r->o.caps.bounding;
	warn_caps(plan, r->withheld);
}

/* Only ambient ones are left to who is not root. */
static void finish_caps(struct insp_enter_caps *caps, const struct insp_enter_ids *ids)
{
	if (ids->uid == 0 || !caps->ambient) {
		caps->ambient = 0;
		return;
	}
	caps->exact = true;
	caps->permitted = caps->effective = caps->inheritable = caps->ambient;
}

static int put_env(char **env, const char *name, const char *value)
{
	char *pair = NULL;

	if (!value || environ_get(env, name))
		return 0;
	return environ_put(env, asprintf(&pair, "%s=%s", name, value) < 0 ? NULL : pair);
}

static bool has_terminal(void)
{
	return isatty(0) || isatty(1) || isatty(2);
}

/* "K=V", or K alone: the caller's. */
static int put_given(char **env, const char *given, char *const *envp)
{
	const char *value = strchr(given, '=') ? NULL : environ_get(envp, given);
	char *pair = NULL;

	if (strchr(given, '='))
		return environ_put(env, strdup(given));
	if (!value)
		return 0;
	return environ_put(env, asprintf(&pair, "%s=%s", given, value) < 0 ? NULL : pair);
}

/* The container's, what engines add, and what the caller gives. HOME comes with its passwd. */
static int fill_env(const struct sidecar_plan *plan, struct rerun *r)
{
	const struct sidecar_opts *o = plan->opts;
	int e = 0;

	r->env = calloc(ENVIRON_MAX + 1, sizeof(*r->env));
	if (!r->env)
		return -ENOMEM;
	for (char **v = r->start->env; v && *v && e == 0; v++)
		e = environ_put(r->env, strdup(*v));
	e = e ?: put_env(r->env, "PATH", SIDECAR_PATH);
	e = e ?: put_env(r->env, "HOSTNAME", o->stopped->hostname);
	if (has_terminal())
		e = e ?: put_env(r->env, "TERM", environ_get(o->envp, "TERM") ?: "xterm");
	for (size_t i = 0; i < o->rerun.n_env && e == 0; i++)
		e = put_given(r->env, o->rerun.env[i], o->envp);
	return e;
}

/* ---- the command line ---- */

static size_t count(const char *word)
{
	size_t n = 0;

	for (const char *p = word; (p = strstr(p, PLACEHOLDER)); p += strlen(PLACEHOLDER))
		n++;
	return n;
}

/* A new word with the launcher for each {}. */
static char *expand(const char *word)
{
	char *out = malloc(strlen(word) + count(word) * strlen(SIDECAR_LAUNCHER) + 1), *to = out;

	while (out && *word) {
		if (strncmp(word, PLACEHOLDER, strlen(PLACEHOLDER)) == 0) {
			to = stpcpy(to, SIDECAR_LAUNCHER);
			word += strlen(PLACEHOLDER);
		} else {
			*to++ = *word++;
		}
	}
	if (out)
		*to = '\0';
	return out;
}

/* {} in any word; without one it comes last, as with xargs; without a command it is the command. */
static char **command_line(char *const *given)
{
	size_t n = 0, places = 0;
	char **argv;

	for (; given && given[n]; n++)
		places += count(given[n]);
	argv = calloc(n + 2, sizeof(*argv));
	for (size_t i = 0; argv && i < n; i++) {
		argv[i] = expand(given[i]);
		if (!argv[i]) {
			environ_free(argv);
			return NULL;
		}
	}
	if (argv && !places) {
		argv[n] = strdup(SIDECAR_LAUNCHER);
		if (!argv[n]) {
			environ_free(argv);
			return NULL;
		}
	}
	return argv;
}

/* ---- ---- */

static void rerun_freep(struct rerun **r)
{
	rerun_free(*r);
}

int rerun_plan(struct sidecar_plan *plan, struct insp_err *err)
{
	_cleanup_(rerun_freep) struct rerun *r = calloc(1, sizeof(*r));
	const struct sidecar_opts *opts = plan->opts;
	char **argv;
	int e = r ? insp_start_read(opts->stopped, &r->start, err)
		  : insp_err_set(err, -ENOMEM, "plan");

	if (e < 0)
		return e;
	if (!r->start->argv || !r->start->argv[0] || !r->start->argv[0][0])
		return insp_err_say(err, -ENODATA, "%s %s %s: it names no program to start",
				    opts->stopped->engine,
				    opts->stopped->is_image ? "image" : "container", opts->name);
	decide_caps(plan, r);
	warn_unknown(plan, r->start);
	r->o.read_only = r->start->read_only;
	r->o.scratch = !opts->write;
	r->o.filter = r->start->seccomp != INSP_SECCOMP_NONE;
	r->o.network = plan->join & (1U << INSP_NS_NET);
	e = fill_env(plan, r);
	if (e < 0)
		return insp_err_set(err, e, "plan the entrypoint's environment");
	argv = command_line(opts->command);
	if (!argv)
		return insp_err_set(err, -ENOMEM, "plan");
	environ_free(plan->argv);
	plan->argv = argv;
	plan->rerun = TAKE_PTR(r);
	return 0;
}

static void print_words(char *const *words, FILE *f)
{
	for (; *words; words++) {
		_cleanup_free_ char *safe = insp_escape_str(*words);

		fprintf(f, " %s", safe ? safe : "?");
	}
	fprintf(f, "\n");
}

void rerun_describe(const struct sidecar_plan *plan, FILE *f)
{
	const struct rerun *r = plan->rerun;
	const struct sidecar_opts *o = plan->opts;
	const char *user = o->rerun.user ? o->rerun.user : r->start->user;
	_cleanup_free_ char *safe = insp_escape_str(user);

	fprintf(f, "entrypoint   ");
	print_words(r->start->argv, f);
	fprintf(f, "      at      " SIDECAR_LAUNCHER
		   ", in the container's root, the first process of its own pid namespace\n");
	if (safe)
		fprintf(f, "      as      user %s of the container\n", safe);
	else
		fprintf(f, "      as      %u:%u\n", (unsigned)r->start->uid,
			(unsigned)r->start->gid);
	fprintf(f, "      with    capabilities 0x%" PRIx64 "%s%s%s\n", r->o.caps.bounding,
		r->o.caps.no_new_privs ? ", no new privileges" : "",
		r->o.filter ? ", a filter of system calls" : "",
		r->o.read_only ? ", its root read-only" : "");
}

/* ---- in the builder ---- */

#if UINTPTR_MAX > UINT32_MAX
typedef Elf64_Ehdr elf_head;
#else
typedef Elf32_Ehdr elf_head;
#endif

/* What we run from has no section headers any more, but says where they were: a debugger would take it for damaged. */
static int drop_sections(int fd, off_t size)
{
	elf_head head;

	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return -EIO;
	if (head.e_shoff < (uint64_t)size)
		return 0;
	head.e_shoff = 0;
	head.e_shnum = head.e_shstrndx = 0;
	return pwrite(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) ? 0 : -EIO;
}

static int copy_self(int dirfd)
{
	_cleanup_close_ int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int to = openat(dirfd, strrchr(SIDECAR_LAUNCHER, '/') + 1,
					O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	struct stat st;
	ssize_t n = 1;

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return -errno;
	for (off_t done = 0; done < st.st_size && n > 0; done += n)
		n = sendfile(to, from, NULL, (size_t)(st.st_size - done));
	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	return drop_sections(to, st.st_size);
}

static void write_strings(FILE *f, char *const *strings, size_t *ret_n)
{
	size_t n = 0;

	for (; strings && strings[n]; n++)
		fwrite(strings[n], 1, strlen(strings[n]) + 1, f);
	*ret_n = n;
}

static void write_string(FILE *f, const char *s)
{
	fwrite(s, 1, strlen(s) + 1, f);
}

/* "0 100000 65536\n": as uid_map takes it. */
static void write_map(FILE *f, const struct insp_id_map *map)
{
	for (size_t i = 0; i < map->n; i++)
		fprintf(f, "%u %u %u\n", map->items[i].inside, map->items[i].outside,
			map->items[i].count);
	fputc('\0', f);
}

static void write_tmpfs(FILE *f, const struct insp_container *c, size_t *ret_n)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (c->mounts[i].type && strcmp(c->mounts[i].type, "tmpfs") == 0) {
			fprintf(f, "/%s", c->mounts[i].destination);
			fputc('\0', f);
			++*ret_n;
		}
}

/* All of the strings; NULL: memory is out. */
static char *strings_of(const struct sidecar_plan *plan, struct orders *o)
{
	const struct insp_container *c = plan->opts->stopped;
	const struct rerun *r = plan->rerun;
	const char *dir = plan->opts->rerun.workdir ? plan->opts->rerun.workdir : r->start->workdir;
	char *text = NULL;
	FILE *f = open_memstream(&text, &o->len);

	if (!f)
		return NULL;
	/* a relative one is from the root on, as with engines */
	fprintf(f, "%s%s", dir && dir[0] == '/' ? "" : "/", dir ? dir : "");
	fputc('\0', f);
	write_string(f, c->hostname ? c->hostname : "localhost");
	write_map(f, &c->uids);
	write_map(f, &c->gids);
	write_strings(f, r->start->argv, &o->n_argv);
	write_strings(f, r->env, &o->n_env);
	write_tmpfs(f, c, &o->n_tmpfs);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int put_orders(const struct sidecar_plan *plan, const struct orders *o, const char *strings,
		      int dirfd)
{
	size_t len = sizeof(*o) + o->len;
	_cleanup_free_ char *whole = malloc(len);
	int r;

	if (!whole)
		return -ENOMEM;
	memcpy(whole, o, sizeof(*o));
	memcpy(whole + sizeof(*o), strings, o->len);
	r = files_write(dirfd, strrchr(SIDECAR_ORDERS, '/') + 1, whole, len);
	if (r == 0 && fchmodat(dirfd, strrchr(SIDECAR_ORDERS, '/') + 1, 0400, 0) < 0)
		r = -errno;
	return r;
}

int rerun_put(const struct sidecar_plan *plan, int tree, int dirfd, struct insp_err *err)
{
	struct orders o = plan->rerun->o;
	_cleanup_free_ char *strings = NULL, *home = NULL;
	int r = insp_start_ids(plan->rerun->start, plan->opts->rerun.user, tree, &o.ids, &home,
			       err);

	if (r < 0)
		return r;
	finish_caps(&o.caps, &o.ids);
	r = put_env(plan->rerun->env, "HOME", home ? home : "/");
	strings = r < 0 ? NULL : strings_of(plan, &o);
	if (!strings)
		return insp_err_set(err, r < 0 ? r : -ENOMEM, "tell the launcher what to start");
	r = copy_self(dirfd);
	r = r ?: put_orders(plan, &o, strings, dirfd);
	return r < 0 ? insp_err_set(err, r, "make the launcher") : 0;
}
