/* rkt's files of one pod (docs/formats/rkt.md). */
#ifndef SONDE_ENGINES_RKT_H
#define SONDE_ENGINES_RKT_H

#include "libinspect/container/container.h"

/*
 * The pod manifest (app container specification 0.8, "Pod Manifest Schema") into c: name and image of its only app, labels
 * by its annotations, command. *ret_app: the only app's name, NULL: several; free() it. -EBADMSG: no JSON object.
 */
int rkt_fill_manifest(const char *buf, size_t len, unsigned want, struct insp_container *c,
		      char **ret_app, struct insp_err *err);
/* The pid of a process that holds an exclusive flock(2) on device and inode, by /proc/locks; 0: none does. */
pid_t rkt_lock_holder(const char *buf, size_t len, dev_t dev, ino_t ino);

#endif
