#include "tools/shared/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

/* The steps and words of docker's units.HumanDuration, so that one reads the same on both screens. */
char *text_duration(int64_t ns, char buf[TEXT_MAX])
{
	int64_t seconds = ns / SECOND, minutes = seconds / 60, hours = (seconds + 1800) / 3600;

	if (seconds < 1)
		snprintf(buf, TEXT_MAX, "Less than a second");
	else if (seconds == 1)
		snprintf(buf, TEXT_MAX, "1 second");
	else if (seconds < 60)
		snprintf(buf, TEXT_MAX, "%" PRId64 " seconds", seconds);
	else if (minutes == 1)
		snprintf(buf, TEXT_MAX, "About a minute");
	else if (minutes < 60)
		snprintf(buf, TEXT_MAX, "%" PRId64 " minutes", minutes);
	else if (hours == 1)
		snprintf(buf, TEXT_MAX, "About an hour");
	else if (hours < 48)
		snprintf(buf, TEXT_MAX, "%" PRId64 " hours", hours);
	else if (hours < 24 * 7 * 2)
		snprintf(buf, TEXT_MAX, "%" PRId64 " days", hours / 24);
	else if (hours < 24 * 30 * 2)
		snprintf(buf, TEXT_MAX, "%" PRId64 " weeks", hours / 24 / 7);
	else if (hours < 24 * 365 * 2)
		snprintf(buf, TEXT_MAX, "%" PRId64 " months", hours / 24 / 30);
	else
		snprintf(buf, TEXT_MAX, "%" PRId64 " years", hours / 24 / 365);
	return buf;
}

char *text_cpu_time(uint64_t seconds, char buf[TEXT_MAX])
{
	unsigned s = seconds % 60, m = seconds / 60 % 60, h = seconds / 3600 % 24;
	uint64_t days = seconds / 86400;

	if (days)
		snprintf(buf, TEXT_MAX, "%" PRIu64 "-%02u:%02u:%02u", days, h, m, s);
	else if (h)
		snprintf(buf, TEXT_MAX, "%u:%02u:%02u", h, m, s);
	else
		snprintf(buf, TEXT_MAX, "%u:%02u", m, s);
	return buf;
}

char *text_size(uint64_t bytes, char buf[TEXT_MAX])
{
	static const char letters[] = "KMGTPE";
	uint64_t tenths;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buf, TEXT_MAX, "%" PRIu64, bytes);
		return buf;
	}
	while (bytes >= 1024 * 1024 && letters[i + 1]) {
		bytes /= 1024;
		i++;
	}
	tenths = bytes * 10 / 1024;
	if (tenths >= 100 || tenths % 10 == 0)
		snprintf(buf, TEXT_MAX, "%" PRIu64 "%c", tenths / 10, letters[i]);
	else
		snprintf(buf, TEXT_MAX, "%" PRIu64 ".%u%c", tenths / 10, (unsigned)(tenths % 10),
			 letters[i]);
	return buf;
}

char *text_rfc3339(int64_t ns, char buf[TEXT_MAX])
{
	int64_t part = (ns % SECOND + SECOND) % SECOND; /* also before 1970 */
	time_t t = (time_t)(ns / SECOND - (ns % SECOND < 0));
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	snprintf(buf, TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, part);
	return buf;
}

char *text_start(int64_t ns, int64_t now, char buf[TEXT_MAX])
{
	time_t t = (time_t)(ns / SECOND);
	int64_t age = now / SECOND - ns / SECOND;
	struct tm tm = { 0 };

	localtime_r(&t, &tm);
	buf[0] = '\0';
	strftime(buf, TEXT_MAX,
		 age < 24 * 3600	 ? "%H:%M"
		 : age < 330 * 24 * 3600 ? "%b%d"
					 : "%Y",
		 &tm);
	return buf;
}
