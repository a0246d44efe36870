#include "tools/cdebug/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

/* Calls each for every word of a comma separated list. */
static int for_each_word(const char *list,
			 int (*each)(const char *word, size_t len, void *value,
				     struct insp_err *err),
			 void *value, struct insp_err *err)
{
	for (const char *p = list;; p++) {
		size_t len = strcspn(p, ",");
		int r = each(p, len, value, err);

		p += len;
		if (r < 0 || !*p)
			return r;
	}
}

static int add_namespace(const char *word, size_t len, void *value, struct insp_err *err)
{
	unsigned *bits = value;
	int type;

	if (len == 4 && memcmp(word, "none", 4) == 0)
		return 0;
	type = insp_ns_from_name(word, len);
	if (type < 0 || !(NS_ALLOWED & (1U << type))) {
		insp_err_say(err, -EINVAL, "'%.*s' is no namespace that cdebug joins", (int)len,
			     word);
		insp_err_hint(err, "pid, net, ipc, uts, user, cgroup, or none");
		return -EINVAL;
	}
	*bits |= 1U << type;
	return 0;
}

int words_namespaces(const char *arg, void *value, struct insp_err *err)
{
	*(unsigned *)value = 0;
	return for_each_word(arg, add_namespace, value, err);
}

static int add_capability(const char *word, size_t len, void *value, struct insp_err *err)
{
	uint64_t *bits = value;
	cap_value_t cap;
	char name[40];

	if (len == 3 && strncasecmp(word, "all", 3) == 0) {
		*bits = UINT64_MAX;
		return 0;
	}
	/* docker's spelling has no prefix */
	snprintf(name, sizeof(name), "%s%.*s", strncasecmp(word, "cap_", 4) == 0 ? "" : "cap_",
		 (int)len, word);
	if (cap_from_name(name, &cap) < 0 || cap < 0 || cap > 63)
		return insp_err_say(err, -EINVAL, "'%.*s' is no capability", (int)len, word);
	*bits |= UINT64_C(1) << cap;
	return 0;
}

int words_capabilities(const char *arg, void *value, struct insp_err *err)
{
	return for_each_word(arg, add_capability, value, err);
}
