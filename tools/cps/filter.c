/* --filter key=value, with docker's keys and meanings where docker has them. */
#include "tools/cps/cps.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

struct filter {
	const struct filter_key *key;
	const char *value;
	regex_t regex; /* name= */
	bool has_regex;
};

struct filters {
	struct filter *items;
	size_t n;
};

struct filter_key {
	const char *name;
	bool (*match)(const struct filter *f, const struct insp_container *c);
	unsigned want;
};

static bool equal(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* A regular expression, found anywhere in the name, as with docker and podman. */
static bool match_name(const struct filter *f, const struct insp_container *c)
{
	return regexec(&f->regex, c->name, 0, NULL, 0) == 0;
}

static bool match_id(const struct filter *f, const struct insp_container *c)
{
	return strncmp(c->id, f->value, strlen(f->value)) == 0;
}

static bool match_engine(const struct filter *f, const struct insp_container *c)
{
	return equal(c->engine, f->value);
}

static bool match_status(const struct filter *f, const struct insp_container *c)
{
	return equal(insp_state_name(c->state), f->value);
}

/* The exit code of those that have ended. */
static bool match_exited(const struct filter *f, const struct insp_container *c)
{
	if (c->state != INSP_STATE_EXITED || c->exit_code == INSP_EXIT_UNSET)
		return false;
	return (unsigned long)c->exit_code == strtoul(f->value, NULL, 10);
}

/* Whether one of the reference's parts behind a '/' is the value, with or without tag and digest. */
static bool match_image(const struct filter *f, const struct insp_container *c)
{
	size_t len = strlen(f->value);

	for (const char *p = c->image; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, f->value, len) == 0 && strchr(":@", p[len]))
			return true;
	}
	return len >= 12 && c->image_id && strncmp(c->image_id, f->value, len) == 0;
}

/* label=KEY or label=KEY=VALUE;. */
static bool match_label(const struct filter *f, const struct insp_container *c)
{
	size_t len = strcspn(f->value, "=");

	for (size_t i = 0; i < c->n_labels; i++) {
		const struct insp_label *l = &c->labels[i];

		if (strncmp(l->key, f->value, len) != 0 || l->key[len])
			continue;
		return !f->value[len] || equal(l->value, f->value + len + 1);
	}
	return false;
}

static bool match_pod(const struct filter *f, const struct insp_container *c)
{
	return equal(c->pod, f->value);
}

static bool match_project(const struct filter *f, const struct insp_container *c)
{
	return equal(c->project, f->value);
}

static const struct filter_key keys[] = {
	{ "name", match_name, 0 },
	{ "id", match_id, 0 },
	{ "engine", match_engine, 0 },
	{ "status", match_status, INSP_WANT_STOPPED },
	{ "exited", match_exited, INSP_WANT_STOPPED },
	{ "image", match_image, 0 },
	{ "ancestor", match_image, 0 }, /* docker's word */
	{ "label", match_label, INSP_WANT_DETAIL },
	{ "pod", match_pod, INSP_WANT_DETAIL },
	{ "project", match_project, INSP_WANT_DETAIL },
};

static const struct filter_key *find_key(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len && strncmp(keys[i].name, text, len) == 0)
			return &keys[i];
	return NULL;
}

static bool is_state(const char *word)
{
	for (int s = INSP_STATE_UNKNOWN; s <= INSP_STATE_DEAD; s++)
		if (equal(insp_state_name((enum insp_state)s), word))
			return true;
	return false;
}

/* The codes that a process can end with. */
static bool is_exit_code(const char *word)
{
	size_t n = strlen(word);

	return n > 0 && n <= 3 && strspn(word, "0123456789") == n && strtoul(word, NULL, 10) <= 255;
}

static int check_value(const struct filter *f, const char *text, struct insp_err *err)
{
	if (f->key->match == match_engine && insp_engine_check(f->value, false, err) < 0)
		return insp_err_wrap(err, -EINVAL, "--filter '%s'", text);
	if (f->key->match == match_status && !is_state(f->value)) {
		insp_err_say(err, -EINVAL, "--filter '%s': unknown status", text);
		insp_err_hint(err, "one of created, running, paused, restarting, exited, dead");
		return -EINVAL;
	}
	if (f->key->match == match_exited && !is_exit_code(f->value))
		return insp_err_say(err, -EINVAL, "--filter '%s': no exit code, 0 to 255", text);
	return 0;
}

static int compile(struct filter *f, struct insp_err *err)
{
	char why[96];
	int r = regcomp(&f->regex, f->value, REG_EXTENDED | REG_NOSUB);

	if (r) {
		regerror(r, &f->regex, why, sizeof(why));
		return insp_err_say(err, -EINVAL, "--filter name='%s': %s", f->value, why);
	}
	f->has_regex = true;
	return 0;
}

static int parse_one(const char *text, struct filter *f, struct insp_err *err)
{
	size_t len = strcspn(text, "=");

	f->key = find_key(text, len);
	f->value = text + len + 1;
	if (!text[len] || !f->key) {
		insp_err_say(err, -EINVAL, "--filter '%s': %s", text,
			     f->key ? "not KEY=VALUE" : "unknown key");
		insp_err_hint(
			err,
			"keys are name, id, engine, status, exited, image, label, pod, project");
		return -EINVAL;
	}
	return f->key->match == match_name ? compile(f, err) : check_value(f, text, err);
}

struct filters *filters_free(struct filters *filters)
{
	if (!filters)
		return NULL;
	for (size_t i = 0; i < filters->n; i++)
		if (filters->items[i].has_regex)
			regfree(&filters->items[i].regex);
	free(filters->items);
	free(filters);
	return NULL;
}

int filters_parse(const struct opt_list *texts, struct filters **ret, struct insp_err *err)
{
	_cleanup_(filters_freep) struct filters *filters = calloc(1, sizeof(*filters));

	if (!filters)
		return insp_err_set(err, -ENOMEM, "read the filters");
	filters->items = calloc(texts->n + 1, sizeof(*filters->items));
	if (!filters->items)
		return insp_err_set(err, -ENOMEM, "read the filters");
	for (size_t i = 0; i < texts->n; i++) {
		int r = parse_one(texts->items[i], &filters->items[filters->n], err);

		if (r < 0)
			return r;
		filters->n++;
	}
	*ret = TAKE_PTR(filters);
	return 0;
}

bool filters_match(const struct filters *filters, const struct insp_container *c)
{
	for (size_t i = 0; i < filters->n; i++) {
		const struct filter_key *key = filters->items[i].key;
		bool hit = false;

		for (size_t j = 0; j < filters->n && !hit; j++)
			hit = filters->items[j].key->match == key->match &&
			      key->match(&filters->items[j], c);
		if (!hit)
			return false;
	}
	return true;
}

unsigned filters_want(const struct filters *filters)
{
	unsigned want = 0;

	for (size_t i = 0; i < filters->n; i++)
		want |= filters->items[i].key->want;
	return want;
}

bool filters_pass_bare(const struct filters *filters)
{
	bool asked = false, bare = false;

	for (size_t i = 0; i < filters->n; i++) {
		if (filters->items[i].key->match != match_engine)
			continue;
		asked = true;
		bare = bare || equal(filters->items[i].value, "bare");
	}
	return bare || !asked;
}
