#include "libinspect/inspect.h"
#include "libinspect/base/util.h"

#include <stdarg.h>

/* Of a text that is too long the end is cut, and not why it failed. */
static void append_errno(struct insp_err *err, int code)
{
	static const char cut[] = "...";
	char buf[128];
	/* GNU strerror_r: returns the text, which may or may not be in buf */
	const char *why = strerror_r(-code, buf, sizeof(buf));
	size_t used = strlen(err->text), room = sizeof(err->text) - strlen(why) - sizeof(": ");

	if (used > room) {
		memcpy(err->text + room - (sizeof(cut) - 1), cut, sizeof(cut));
		used = room;
	}
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", why);
}

__attribute__((format(__printf__, 3, 0))) static void say(struct insp_err *err, int code,
							  const char *fmt, va_list ap)
{
	err->code = code;
	err->hint[0] = '\0';
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

int insp_err_set(struct insp_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	say(err, code, fmt, ap);
	va_end(ap);
	append_errno(err, code);
	return code;
}

int insp_err_say(struct insp_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	say(err, code, fmt, ap);
	va_end(ap);
	return code;
}

int insp_err_wrap(struct insp_err *err, int code, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	size_t used;
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	if (inner[0])
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	else
		append_errno(err, code);
	return code;
}

void insp_err_hint(struct insp_err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

void insp_diags_add(struct insp_diags *diags, const struct insp_err *err)
{
	struct insp_err *items;

	if (!diags || !err)
		return;
	for (size_t i = 0; i < diags->n; i++)
		if (strcmp(diags->items[i].text, err->text) == 0)
			return;
	items = reallocarray(diags->items, diags->n + 1, sizeof(*items));
	if (!items)
		return;
	diags->items = items;
	diags->items[diags->n++] = *err;
}

void insp_diags_clear(struct insp_diags *diags)
{
	free(diags->items);
	*diags = (struct insp_diags){ 0 };
}
