#include "libinspect/resolve/unseen.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"
#include "libinspect/container/container.h"

#define SHOWN_MAX 280 /* bytes of a failure, so that the rest of a message has its place */
#define ID_SHOWN  12  /* as messages name a container */
#define ID_LEAST  4   /* digits below which any text may have them by chance */

/* The failure to read the very container that is meant, else the first. */
static const struct insp_err *choose(const struct insp_diags *diags, const char *ref)
{
	char id[ID_SHOWN + 1] = "";

	snprintf(id, sizeof(id), "%s", ref);
	if (strlen(id) < ID_LEAST || strspn(id, "0123456789abcdef") != strlen(id))
		return diags->items;
	for (size_t i = 0; i < diags->n; i++)
		if (strstr(diags->items[i].text, id))
			return &diags->items[i];
	return diags->items;
}

/* As many of the words as fit, and a mark when those are not all. */
static void cut_words(const char *text, char *buf, size_t size)
{
	size_t n = strlen(text);

	if (n < size) {
		memcpy(buf, text, n + 1);
		return;
	}
	for (n = size - sizeof(" ..."); n > 0 && text[n] != ' ';)
		n--;
	memcpy(buf, text, n);
	memcpy(buf + n, " ...", sizeof(" ..."));
}

void unseen_note(const struct insp_diags *diags, const char *ref, struct insp_err *err)
{
	char text[sizeof(err->text)], failure[SHOWN_MAX], hint[sizeof(err->hint)], more[64] = "";
	const struct insp_err *why;
	int code;

	if (!err || diags->n == 0)
		return;
	code = err->code;
	why = choose(diags, ref);
	memcpy(text, err->text, sizeof(text));
	snprintf(hint, sizeof(hint), "%s", err->hint[0] ? err->hint : why->hint);
	cut_words(why->text, failure, sizeof(failure));
	if (diags->n > 1)
		snprintf(more, sizeof(more), " (and %zu more, see 'cps -a')", diags->n - 1);
	insp_err_say(err, code, "%s; not all could be read: %s%s", text, failure, more);
	insp_err_hint(err, "%s", hint);
}

/* "ENGINE container ID: WHY" */
int unseen_layers(const struct insp_diags *diags, struct insp_container *c)
{
	char head[96];

	snprintf(head, sizeof(head), "%s container %.12s: ", c->engine, c->id);
	for (size_t i = 0; i < diags->n && !c->layers && !c->no_layers; i++) {
		const char *why = str_after(diags->items[i].text, head);

		if (why && container_set(&c->no_layers, why) < 0)
			return -ENOMEM;
	}
	return 0;
}
