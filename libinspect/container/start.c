/* insp_container.process, or of an image its image_config, as numbers and words. */
#include "libinspect/creds.h"

#include "libinspect/base/json.h"
#include "libinspect/base/util.h"

#include <sys/capability.h>

#define WORDS_MAX 4096
#define ALL_CAPS  ((UINT64_C(1) << (CAP_LAST_CAP + 1)) - 1)

static void free_words(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

struct insp_start *insp_start_free(struct insp_start *s)
{
	if (s) {
		free_words(s->argv);
		free_words(s->env);
		free_words(s->groups);
		free(s->user);
		free(s->workdir);
		free(s);
	}
	return NULL;
}

static void start_freep(struct insp_start **s)
{
	insp_start_free(*s);
}

/* Appends the list's strings. -ENOMEM, -E2BIG. */
static int add_words(char ***words, const json_t *list)
{
	size_t n = 0, i;
	const json_t *v;
	char **grown;

	while (*words && (*words)[n])
		n++;
	if (n + json_array_size(list) > WORDS_MAX)
		return -E2BIG;
	grown = reallocarray(*words, n + json_array_size(list) + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*words = grown;
	grown[n] = NULL;
	json_array_foreach (list, i, v) {
		if (!json_is_string(v))
			continue;
		grown[n] = str_dup(json_string_value(v));
		if (!grown[n])
			return -ENOMEM;
		grown[++n] = NULL;
	}
	return 0;
}

/* What is no "NAME=VALUE" is nothing that a program finds. */
static void drop_nameless(char **env)
{
	char **to = env;

	for (char **e = env; e && *e; e++)
		if (**e && **e != '=' && strchr(*e, '='))
			*to++ = *e;
		else
			free(*e);
	if (to)
		*to = NULL;
}

static int set_text(char **field, const json_t *j, const char *key)
{
	const char *text = json_str_at(j, key);

	*field = text ? str_dup(text) : NULL;
	return text && !*field ? -ENOMEM : 0;
}

/* ---- capabilities ---- */

static uint64_t cap_bits(const json_t *list)
{
	uint64_t bits = 0;
	const json_t *v;
	size_t i;

	json_array_foreach (list, i, v) {
		const char *text = json_is_string(v) ? json_string_value(v) : "";
		char name[40];
		cap_value_t cap;

		snprintf(name, sizeof(name), "%s%s",
			 strncasecmp(text, "cap_", 4) == 0 ? "" : "cap_", text);
		if (strcasecmp(name, "cap_all") == 0)
			bits |= ALL_CAPS;
		else if (cap_from_name(name, &cap) == 0 && cap >= 0 && cap < 64)
			bits |= UINT64_C(1) << cap;
	}
	return bits;
}

static void set_caps(struct insp_start *s, const json_t *caps)
{
	uint64_t dropped = cap_bits(json_at(caps, "dropped"));

	if (!json_is_object(caps))
		return;
	s->caps_known = true;
	s->caps.cut = true;
	s->caps.bounding = cap_bits(json_at(caps, "bounding")) & ~dropped;
	s->caps.permitted = cap_bits(json_at(caps, "permitted"));
	s->caps.effective = cap_bits(json_at(caps, "effective"));
	s->caps.inheritable = cap_bits(json_at(caps, "inheritable"));
	s->caps.ambient = cap_bits(json_at(caps, "ambient")) & s->caps.bounding;
}

/* ---- the two forms ---- */

/* An id of the record; -EINVAL: it is none. */
static int set_id(const json_t *user, const char *key, uint32_t *ret)
{
	int64_t id = json_int_at(user, key, 0);

	if (id < 0 || id >= UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)id;
	return 0;
}

static int set_gids(struct insp_start *s, const json_t *gids)
{
	const json_t *v;
	size_t i;

	json_array_foreach (gids, i, v) {
		int64_t gid = json_is_integer(v) ? json_integer_value(v) : -1;

		if (gid >= 0 && gid < UINT32_MAX && s->n_gids < INSP_GROUPS_MAX)
			s->gids[s->n_gids++] = (gid_t)gid;
	}
	return 0;
}

static int read_process(const json_t *j, struct insp_start *s)
{
	const json_t *user = json_at(j, "user");
	int r = add_words(&s->argv, json_at(j, "args"));

	r = r ?: add_words(&s->env, json_at(j, "env"));
	r = r ?: add_words(&s->groups, json_at(j, "groups"));
	r = r ?: set_text(&s->workdir, j, "cwd");
	r = r ?: set_text(&s->user, j, "userName");
	r = r ?: set_id(user, "uid", &s->uid);
	r = r ?: set_id(user, "gid", &s->gid);
	r = r ?: set_gids(s, json_at(user, "additionalGids"));
	set_caps(s, json_at(j, "capabilities"));
	s->caps.no_new_privs = json_bool_at(j, "noNewPrivileges");
	s->read_only = json_bool_at(j, "readonly");
	if (json_is_boolean(json_at(j, "seccomp")))
		s->seccomp = json_bool_at(j, "seccomp") ? INSP_SECCOMP_FILTER : INSP_SECCOMP_NONE;
	return r;
}

/* An image: what an engine would give a container of it is not in there. */
static int read_image(const json_t *j, struct insp_start *s)
{
	int r = add_words(&s->argv, json_at(j, "Entrypoint"));

	r = r ?: add_words(&s->argv, json_at(j, "Cmd"));
	r = r ?: add_words(&s->env, json_at(j, "Env"));
	r = r ?: set_text(&s->workdir, j, "WorkingDir");
	r = r ?: set_text(&s->user, j, "User");
	if (r == 0 && !s->user)
		s->user = str_dup("0");
	return r || s->user ? r : -ENOMEM;
}

static int read_text(const char *text, int (*read)(const json_t *, struct insp_start *),
		     struct insp_start *s, struct insp_err *err)
{
	_cleanup_json_ json_t *j = NULL;
	int r = json_parse(text, strlen(text), &j, err);

	if (r < 0)
		return r;
	r = read(j, s);
	drop_nameless(s->env);
	return r < 0 ? insp_err_set(err, r, "how it is started") : 0;
}

int insp_start_read(const struct insp_container *c, struct insp_start **ret, struct insp_err *err)
{
	_cleanup_(start_freep) struct insp_start *s = calloc(1, sizeof(*s));
	const char *kind = c->is_image ? "image" : "container";
	const char *name = c->name ? c->name : c->id;
	int r = s ? 0 : insp_err_set(err, -ENOMEM, "how it is started");

	if (r == 0 && c->process)
		r = read_text(c->process, read_process, s, err);
	else if (r == 0 && c->image_config)
		r = read_text(c->image_config, read_image, s, err);
	else if (r == 0)
		r = insp_err_say(err, -ENODATA,
				 "no record on this host's disk tells how it is started");
	if (r < 0)
		return insp_err_wrap(err, r, "%s %s %s", c->engine, kind, name);
	*ret = TAKE_PTR(s);
	return 0;
}
