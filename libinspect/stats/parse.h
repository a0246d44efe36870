/*
 * The files that numbers come from: cgroup v1 (Documentation/admin-guide/cgroup-v1/), v2 (admin-guide/cgroup-v2.rst),
 * /proc/PID/net/dev, /proc/PID/io, PSI (accounting/psi.rst). Every parser takes (buf, len), keeps what it understands and
 * leaves the rest unknown.
 */
#ifndef SONDE_STATS_PARSE_H
#define SONDE_STATS_PARSE_H

#include "libinspect/stats.h"

/* Numbers that are no field by themselves: two files make one. */
struct stat_parts {
	struct insp_sample *sample;
	uint64_t mem_usage, inactive_file;
	int64_t quota, period; /* µs; quota -1: none */
	bool has_usage, has_inactive, has_quota, has_period;
};

typedef void (*stat_parser)(const char *buf, size_t len, struct stat_parts *parts);

/* A file of a cgroup directory. */
struct stat_file {
	const char *controller; /* v1: the hierarchy that it is in; v2: NULL */
	const char *name;
	uint32_t fields; /* what needs it */
	stat_parser parse;
};
extern const struct stat_file stat_files_v1[], stat_files_v2[]; /* end with a NULL name */

/* Joins the parts: working set, cpu limit. */
void stat_parts_join(struct stat_parts *parts);

/* /proc/PID/net/dev: bytes in and out of all interfaces but lo. false: it makes no sense. */
bool stat_parse_netdev(const char *buf, size_t len, uint64_t *ret_rx, uint64_t *ret_tx);
/* /proc/PID/io: read_bytes, write_bytes. */
bool stat_parse_procio(const char *buf, size_t len, uint64_t *ret_read, uint64_t *ret_write);
/* A PSI file: µs of "some" in total, and hundredths of a percent of its last 10 s. */
bool stat_parse_psi(const char *buf, size_t len, uint64_t *ret_total, uint64_t *ret_avg10);
/* The bytes of a line of /proc/meminfo ("MemTotal"). */
bool stat_parse_meminfo(const char *buf, size_t len, const char *key, uint64_t *ret);

#endif
