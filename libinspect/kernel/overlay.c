/*
 * Overlay's layers from a mount's super options. Documentation/filesystems/overlayfs.rst, fs/overlayfs/params.c.
 *
 * Two escapes lie on top of each other: the kernel writes blanks, commas and backslashes of a value in octal
 * (seq_show_option()), and the value is what the mounter gave, in which overlay takes "\" away from before any
 * character (":", ","). The layers of "lowerdir+" (Linux 6.8) are given one by one and have only the first kind.
 */
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/kernel/mountinfo.h"
#include "libinspect/kernel/span.h"

#define LAYERS_MAX 4096 /* OVL_MAX_STACK is 500; data-only layers may come on top */

struct layers {
	char **lowers;
	size_t n, cap;
	char *upper;
};

static void layers_free(struct layers *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->lowers[i]);
	free(l->lowers);
	free(l->upper);
	*l = (struct layers){ 0 };
}

/* Overlay's own escapes: a backslash goes, what follows it stays, whatever it is (ovl_unescape()). */
static void drop_backslashes(char *s)
{
	size_t n = 0;

	for (size_t i = 0; s[i]; i++) {
		if (s[i] == '\\' && s[i + 1])
			i++;
		s[n++] = s[i];
	}
	s[n] = '\0';
}

/* A copy with octal escapes undone. */
static char *copy_value(struct span s)
{
	char *copy = strndup(s.p, span_len(&s));

	if (copy)
		copy[mountinfo_unescape(copy, strlen(copy))] = '\0';
	return copy;
}

/* Takes ownership of layer, which may be NULL (out of memory). */
static int add_lower(struct layers *l, char *layer)
{
	if (!layer)
		return -ENOMEM;
	if (l->n >= LAYERS_MAX || !util_grow(&l->lowers, l->n, &l->cap, sizeof(*l->lowers), 16)) {
		free(layer);
		return l->n < LAYERS_MAX ? -ENOMEM : -E2BIG;
	}
	l->lowers[l->n++] = layer;
	return 0;
}

/* The length of the layer at s: up to a colon that has no backslash before it. */
static size_t layer_len(const char *s)
{
	size_t i;

	for (i = 0; s[i] && s[i] != ':'; i++)
		if (s[i] == '\\' && s[i + 1])
			i++;
	return i;
}

/* "a:b\:c::data": colons separate, "::" comes before data-only layers (6.5). */
static int add_lowers(struct layers *l, struct span value)
{
	_cleanup_free_ char *all = copy_value(value);
	int r = 0;

	if (!all)
		return -ENOMEM;
	for (const char *s = all; *s && r >= 0;) {
		size_t n = layer_len(s);

		if (n > 0) {
			char *one = strndup(s, n);

			if (one)
				drop_backslashes(one);
			r = add_lower(l, one);
		}
		s += n;
		s += *s == ':';
	}
	return r;
}

static int add_option(struct layers *l, struct span word)
{
	if (span_after(&word, "lowerdir="))
		return add_lowers(l, word);
	if (span_after(&word, "lowerdir+=") || span_after(&word, "datadir+="))
		return add_lower(l, copy_value(word));
	if (!l->upper && span_after(&word, "upperdir=")) {
		l->upper = copy_value(word);
		if (!l->upper)
			return -ENOMEM;
		drop_backslashes(l->upper);
		return 0;
	}
	return 0;
}

int mountinfo_overlay(const struct mount_entry *m, char ***ret_lowers, size_t *ret_n,
		      char **ret_upper)
{
	_cleanup_(layers_free) struct layers l = { 0 };
	struct span s = span_of(m->super_options, strlen(m->super_options)), word;

	if (strcmp(m->fstype, "overlay") != 0)
		return -EINVAL;
	while (span_until(&s, ',', &word)) {
		int r = add_option(&l, word);

		if (r < 0)
			return r;
	}
	*ret_lowers = l.lowers;
	*ret_n = l.n;
	*ret_upper = l.upper;
	l = (struct layers){ 0 };
	return 0;
}
