/* CRI-O's own files of one container (docs/formats/cri-o.md). */
#ifndef SONDE_ENGINES_CRIO_H
#define SONDE_ENGINES_CRIO_H

#include "libinspect/base/json.h"
#include "libinspect/container/container.h"

/* What state.json says: the specification's state, and CRI-O's own members. */
struct crio_state {
	bool created_only; /* never started */
	bool ended;
	int exit_code; /* INSP_EXIT_UNSET */
	int64_t created, started, finished;
	pid_t pid;	/* 0: none */
	uint64_t start; /* its start time in ticks; 0: not known (before 1.19) */
};
/* -EBADMSG: no JSON object. */
int crio_parse_state(const char *buf, size_t len, struct crio_state *ret, struct insp_err *err);
/* The annotations of config.json into c: pod, namespace, name, image, log, restarts, infra; labels with want's DETAIL. */
int crio_fill_annotations(const json_t *config, unsigned want, struct insp_container *c);

#endif
