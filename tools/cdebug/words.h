/* What cdebug's options take as lists of words. */
#ifndef SONDE_CDEBUG_WORDS_H
#define SONDE_CDEBUG_WORDS_H

#include "libinspect/inspect.h"

#define NS_BIT(type) (1U << INSP_NS_##type)
#define NS_ALLOWED \
	(NS_BIT(PID) | NS_BIT(NET) | NS_BIT(IPC) | NS_BIT(UTS) | NS_BIT(USER) | NS_BIT(CGROUP))
#define NS_DEFAULT (NS_ALLOWED & ~NS_BIT(CGROUP))

/* OPT_CALL: --ns, an unsigned of bits 1 << INSP_NS_x; --cap-drop, a uint64_t of bits 1 << CAP_x. */
int words_namespaces(const char *arg, void *value, struct insp_err *err);
int words_capabilities(const char *arg, void *value, struct insp_err *err);

#endif
