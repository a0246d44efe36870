#include "libinspect/resolve/ended.h"
#include "libinspect/base/str.h"
#include "libinspect/base/util.h"

#include <time.h>

#define NS_PER_S 1000000000

/* "exited (3) on 2026-01-01 00:01:02 UTC" */
static void describe(const struct insp_container *c, struct strbuf *sb)
{
	time_t seconds = (time_t)(c->finished / NS_PER_S);
	char when[32];
	struct tm tm;

	strbuf_puts(sb, insp_state_name(c->state));
	if (c->exit_code != INSP_EXIT_UNSET)
		strbuf_printf(sb, " (%d)", c->exit_code);
	if (c->finished > 0 && c->state != INSP_STATE_CREATED && gmtime_r(&seconds, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm))
		strbuf_printf(sb, " on %s UTC", when);
}

/* The same container once more, with its log; NULL: not to be had. */
static struct insp_container *with_detail(struct insp_sys *sys, const struct insp_container *c)
{
	_cleanup_free_ char *ref = str_format("%s:%s", c->engine, c->id);
	struct insp_container *again = NULL;

	if (!ref || insp_resolve(sys, ref, INSP_WANT_DETAIL, &again, NULL, NULL) < 0)
		return NULL;
	return again;
}

static void hint(struct insp_sys *sys, const struct insp_container *c, const char *log,
		 struct insp_err *err)
{
	_cleanup_free_ char *shown = log ? insp_escape_str(log) : NULL;
	const char *what = "start it first";

	if (!insp_sys_is_live(sys))
		what = "the host that is looked at does not run";
	else if (c->state == INSP_STATE_RESTARTING)
		what = "its engine starts it again and again: try once more";
	/* a path that would be cut is of no use */
	if (shown && *shown && strlen(what) + strlen(shown) + 16 < sizeof(err->hint))
		insp_err_hint(err, "%s; its log is %s", what, shown);
	else
		insp_err_hint(err, "%s", what);
}

int ended_say(struct insp_sys *sys, const struct insp_container *c, struct insp_err *err)
{
	struct insp_container *again = c->log_path ? NULL : with_detail(sys, c);
	_cleanup_free_ char *shown = insp_escape_str(c->name);
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	describe(c, &sb);
	insp_err_say(err, -ESRCH, "container '%s' is not running: %s", shown ? shown : "?",
		     sb.buf ? sb.buf : insp_state_name(c->state));
	hint(sys, c, again ? again->log_path : c->log_path, err);
	insp_container_free(again);
	return -ESRCH;
}
