/* The command line of systemd-nspawn. Source: nspawn.c (parse_argv()) of systemd 252; options of 253 to 257 added. */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/engines/nspawn/nspawn.h"

#define WORDS_MAX 4096

void nspawn_options_free(struct nspawn_options *o)
{
	free(o->machine);
	free(o->directory);
	free(o->image);
	free(o->template);
	free(o->hostname);
	free(o->command);
	for (size_t i = 0; i < o->n_mounts; i++)
		free(o->mounts[i].value);
	free(o->mounts);
	*o = (struct nspawn_options){ 0 };
}

/* Does an option take an argument? */
enum takes { NONE, MUST, MAY };

struct option {
	const char *name;
	char letter; /* '\0': none */
	enum takes takes;
};

static const struct option options[] = {
	{ "help", 'h', NONE },
	{ "version", 0, NONE },
	{ "quiet", 'q', NONE },
	{ "no-pager", 0, NONE },
	{ "settings", 0, MUST },
	{ "directory", 'D', MUST },
	{ "template", 0, MUST },
	{ "ephemeral", 'x', NONE },
	{ "image", 'i', MUST },
	{ "image-policy", 0, MUST },
	{ "mstack", 0, MUST },
	{ "oci-bundle", 0, MUST },
	{ "read-only", 0, NONE },
	{ "volatile", 0, MAY },
	{ "root-hash", 0, MUST },
	{ "root-hash-sig", 0, MUST },
	{ "verity-data", 0, MUST },
	{ "pivot-root", 0, MUST },
	{ "as-pid2", 'a', NONE },
	{ "boot", 'b', NONE },
	{ "chdir", 0, MUST },
	{ "setenv", 'E', MUST },
	{ "user", 'u', MUST },
	{ "uid", 0, MUST },
	{ "kill-signal", 0, MUST },
	{ "notify-ready", 0, MUST },
	{ "suppress-sync", 0, MUST },
	{ "machine", 'M', MUST },
	{ "hostname", 0, MUST },
	{ "uuid", 0, MUST },
	{ "slice", 'S', MUST },
	{ "property", 0, MUST },
	{ "register", 0, MUST },
	{ "keep-unit", 0, NONE },
	{ "private-users", 0, MAY },
	{ "private-users-chown", 0, NONE },
	{ "private-users-ownership", 0, MUST },
	{ "private-users-delegate", 0, MUST },
	{ "private-network", 0, NONE },
	{ "network-interface", 0, MUST },
	{ "network-macvlan", 0, MUST },
	{ "network-ipvlan", 0, MUST },
	{ "network-veth", 'n', NONE },
	{ "network-veth-extra", 0, MUST },
	{ "network-bridge", 0, MUST },
	{ "network-zone", 0, MUST },
	{ "network-namespace-path", 0, MUST },
	{ "port", 'p', MUST },
	{ "capability", 0, MUST },
	{ "drop-capability", 0, MUST },
	{ "ambient-capability", 0, MUST },
	{ "no-new-privileges", 0, MUST },
	{ "system-call-filter", 0, MUST },
	{ "restrict-address-families", 0, MUST },
	{ "selinux-context", 'Z', MUST },
	{ "selinux-apifs-context", 'L', MUST },
	{ "rlimit", 0, MUST },
	{ "oom-score-adjust", 0, MUST },
	{ "cpu-affinity", 0, MUST },
	{ "personality", 0, MUST },
	{ "resolv-conf", 0, MUST },
	{ "timezone", 0, MUST },
	{ "link-journal", 0, MUST },
	{ "share-system", 0, NONE },
	{ "bind", 0, MUST },
	{ "bind-ro", 0, MUST },
	{ "inaccessible", 0, MUST },
	{ "tmpfs", 0, MUST },
	{ "overlay", 0, MUST },
	{ "overlay-ro", 0, MUST },
	{ "bind-user", 0, MUST },
	{ "bind-user-shell", 0, MUST },
	{ "bind-user-group", 0, MUST },
	{ "console", 0, MUST },
	{ "pipe", 'P', NONE },
	{ "set-credential", 0, MUST },
	{ "load-credential", 0, MUST },
	{ "load-credential-encrypted", 0, MUST },
	{ "background", 0, MUST },
	{ "cleanup", 0, NONE },
	{ "user-scope", 0, NONE },
	{ "system", 0, NONE },
	{ NULL, 'j', NONE },
	{ NULL, 'U', NONE },
};

/* The option of that name, or the only one that begins so. NULL: none, or several. */
static const struct option *by_name(const char *name, size_t len)
{
	const struct option *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];

		if (!o->name || strncmp(o->name, name, len) != 0)
			continue;
		if (strlen(o->name) == len)
			return o;
		if (found)
			return NULL;
		found = o;
	}
	return found;
}

static const struct option *by_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

enum nspawn_volatile nspawn_volatile_parse(const char *value, size_t len)
{
	static const struct {
		const char *word;
		enum nspawn_volatile is;
	} words[] = {
		{ "yes", NSPAWN_VOLATILE_YES },	    { "true", NSPAWN_VOLATILE_YES },
		{ "1", NSPAWN_VOLATILE_YES },	    { "on", NSPAWN_VOLATILE_YES },
		{ "state", NSPAWN_VOLATILE_STATE }, { "overlay", NSPAWN_VOLATILE_OVERLAY },
		{ "no", NSPAWN_VOLATILE_NO },	    { "false", NSPAWN_VOLATILE_NO },
		{ "0", NSPAWN_VOLATILE_NO },	    { "off", NSPAWN_VOLATILE_NO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i].word) == len && memcmp(words[i].word, value, len) == 0)
			return words[i].is;
	return NSPAWN_VOLATILE_UNSET;
}

int nspawn_options_add_mount(struct nspawn_options *o, const char *type, bool read_only,
			     const char *value, size_t len)
{
	struct nspawn_mount *mounts;

	if (o->n_mounts >= NSPAWN_MOUNTS_MAX)
		return 0;
	mounts = reallocarray(o->mounts, o->n_mounts + 1, sizeof(*mounts));
	if (!mounts)
		return -ENOMEM;
	o->mounts = mounts;
	mounts[o->n_mounts] = (struct nspawn_mount){ type, read_only, strndup(value, len) };
	return mounts[o->n_mounts].value ? (o->n_mounts++, 0) : -ENOMEM;
}

static char **field_of(struct nspawn_options *o, const char *name)
{
	const struct {
		const char *name;
		char **field;
	} fields[] = {
		{ "machine", &o->machine },   { "directory", &o->directory },
		{ "image", &o->image },	      { "template", &o->template },
		{ "hostname", &o->hostname },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (str_eq(name, fields[i].name))
			return fields[i].field;
	return NULL;
}

/* value: NULL without one. */
static int take(struct nspawn_options *o, const struct option *option, const char *value)
{
	char **field = field_of(o, option->name);

	if (field)
		return container_set(field, value);
	if (str_eq(option->name, "ephemeral"))
		o->ephemeral = true;
	else if (str_eq(option->name, "volatile"))
		o->is_volatile =
			value ? nspawn_volatile_parse(value, strlen(value)) : NSPAWN_VOLATILE_YES;
	else if (str_eq(option->name, "bind") || str_eq(option->name, "bind-ro"))
		return nspawn_options_add_mount(o, "bind", strlen(option->name) > 4, value,
						strlen(value));
	else if (str_eq(option->name, "tmpfs"))
		return nspawn_options_add_mount(o, "tmpfs", false, value, strlen(value));
	return 0;
}

/* words[*at] is "--NAME", "--NAME=VALUE"; *at moves on to the last word that belongs to it. */
static int take_long(struct nspawn_options *o, const char *const *words, size_t n, size_t *at)
{
	const char *name = words[*at] + 2, *equals = strchr(name, '=');
	const struct option *option =
		by_name(name, equals ? (size_t)(equals - name) : strlen(name));
	const char *value = equals ? equals + 1 : NULL;

	if (!option || (value && option->takes == NONE))
		return -EBADMSG;
	if (option->takes == MUST && !value) {
		if (*at + 1 >= n)
			return -EBADMSG;
		value = words[++*at];
	}
	return take(o, option, value);
}

/* "-qxD", DIRECTORY or "-qxDDIRECTORY" */
static int take_short(struct nspawn_options *o, const char *const *words, size_t n, size_t *at)
{
	for (const char *p = words[*at] + 1; *p; p++) {
		const struct option *option = by_letter(*p);
		int r;

		if (!option)
			return -EBADMSG;
		if (option->takes == MUST) {
			if (p[1])
				return take(o, option, p + 1);
			if (*at + 1 >= n)
				return -EBADMSG;
			return take(o, option, words[++*at]);
		}
		r = take(o, option, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_words(const char *const *words, size_t n, struct nspawn_options *o)
{
	size_t i;
	int r = 0;

	for (i = 1; r == 0 && i < n && words[i][0] == '-' && words[i][1]; i++) {
		if (strcmp(words[i], "--") == 0) {
			i++;
			break;
		}
		r = words[i][1] == '-' ? take_long(o, words, n, &i) : take_short(o, words, n, &i);
	}
	if (r < 0 || i >= n)
		return r;
	o->command = container_join_words(words + i, n - i);
	return o->command ? 0 : -ENOMEM;
}

int nspawn_args_parse(const char *buf, size_t len, struct nspawn_options *ret)
{
	_cleanup_nspawn_options_ struct nspawn_options o = { 0 };
	_cleanup_free_ char *copy = malloc(len + 1);
	_cleanup_free_ const char **words = calloc(WORDS_MAX, sizeof(*words));
	size_t n = 0;
	int r;

	if (!copy || !words)
		return -ENOMEM;
	if (len)
		memcpy(copy, buf, len);
	copy[len] = '\0';
	for (const char *p = copy; p < copy + len && n < WORDS_MAX; p += strlen(p) + 1)
		words[n++] = p;
	r = parse_words(words, n, &o);
	if (r < 0)
		return r;
	*ret = o;
	o = (struct nspawn_options){ 0 };
	return 0;
}
