/* Numbers as people read them. All write into the caller's buffer and return it. */
#ifndef SONDE_SHARED_TEXT_H
#define SONDE_SHARED_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX 48 /* enough for each of these */

/* Nanoseconds as docker says them: "Less than a second", "About a minute", "3 hours", "2 weeks". */
char *text_duration(int64_t ns, char buf[TEXT_MAX]);
/* CPU time in seconds as ps(1) has it: "0:07", "12:34", "1:02:03", "2-01:02:03". */
char *text_cpu_time(uint64_t seconds, char buf[TEXT_MAX]);
/* Bytes: "0", "512K", "1.5M", "12M", "3.2G". */
char *text_size(uint64_t bytes, char buf[TEXT_MAX]);
/* ns since the epoch as RFC 3339 in UTC: "2026-11-22T00:48:44.444959366Z". */
char *text_rfc3339(int64_t ns, char buf[TEXT_MAX]);
/* ns since the epoch in the caller's time zone, as ps(1): "14:05" within the last 24 hours, "Nov21", "2024". */
char *text_start(int64_t ns, int64_t now, char buf[TEXT_MAX]);

#endif
