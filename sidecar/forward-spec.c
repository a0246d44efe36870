/* The words of --forward. Addresses are numbers only: no name is resolved, on neither side. */
#include "sidecar/forward.h"
#include "tools/shared/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 4
#define FIELD_LEN  64

/* One field of text up to a ':' or the end, brackets kept. Returns what follows it; NULL: too long, or no "]". */
static const char *take_field(const char *text, char *ret)
{
	size_t len = strcspn(text, ":");

	if (*text == '[') {
		len = strcspn(text, "]");
		if (text[len++] != ']' || (text[len] && text[len] != ':'))
			return NULL;
	}
	if (len == 0 || len >= FIELD_LEN)
		return NULL;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return text + len;
}

/* How many; 0: it is none of ours. */
static size_t split(const char *text, char fields[FIELDS_MAX][FIELD_LEN])
{
	for (size_t n = 0; n < FIELDS_MAX; text++) {
		text = take_field(text, fields[n++]);
		if (!text)
			return 0;
		if (!*text)
			return n;
	}
	return 0;
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

static int parse_port(const char *text, bool zero, uint16_t *ret)
{
	unsigned long v = is_number(text) && strlen(text) <= 5 ? strtoul(text, NULL, 10) : 65536;

	if (v > UINT16_MAX || (v == 0 && !zero))
		return -EINVAL;
	*ret = htons((uint16_t)v);
	return 0;
}

static int parse_v6(const char *text, struct in6_addr *ret)
{
	size_t len = strlen(text);
	char bare[FIELD_LEN];

	if (text[0] != '[' || len < 2)
		return -EINVAL;
	memcpy(bare, text + 1, len - 2);
	bare[len - 2] = '\0';
	return inet_pton(AF_INET6, bare, ret) == 1 ? 0 : -EINVAL;
}

/* addr NULL: 127.0.0.1. */
static int parse_addr(const char *addr, const char *port, bool zero, struct forward_addr *ret)
{
	struct forward_addr a = { .len = sizeof(a.sa.in) };
	uint16_t number;
	int r = parse_port(port, zero, &number);

	if (r < 0)
		return r;
	if (addr && addr[0] == '[') {
		a.len = sizeof(a.sa.in6);
		a.sa.in6.sin6_family = AF_INET6;
		a.sa.in6.sin6_port = number;
		r = parse_v6(addr, &a.sa.in6.sin6_addr);
	} else {
		a.sa.in.sin_family = AF_INET;
		a.sa.in.sin_port = number;
		if (!addr || strcmp(addr, "localhost") == 0)
			a.sa.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		else
			r = inet_pton(AF_INET, addr, &a.sa.in.sin_addr) == 1 ? 0 : -EINVAL;
	}
	if (r == 0)
		*ret = a;
	return r;
}

int forward_parse(const char *text, struct forward *ret, struct insp_err *err)
{
	char f[FIELDS_MAX][FIELD_LEN];
	size_t n = split(text, f), port = 0;
	struct forward out = { 0 };
	int r = n < 2 ? -EINVAL : 0;

	/* with three fields the address is the host's, unless a port comes first */
	if (n == 4 || (n == 3 && !is_number(f[0])))
		port = 1;
	r = r ?: parse_addr(port ? f[0] : NULL, f[port], true, &out.host);
	r = r ?: parse_addr(n - port == 3 ? f[port + 1] : NULL, f[n - 1], false, &out.target);
	if (r < 0) {
		insp_err_say(err, r, "--forward: '%s' is not [ADDR:]PORT:[ADDR:]PORT", text);
		insp_err_hint(err, "as in 8080:80, 0.0.0.0:8080:127.0.0.1:80 or [::1]:0:[::1]:80; "
				   "addresses are numbers");
		return r;
	}
	*ret = out;
	return 0;
}

void forward_text(const struct forward_addr *addr, char *ret)
{
	char ip[INET6_ADDRSTRLEN] = "?";
	bool v6 = addr->sa.any.sa_family == AF_INET6;
	const void *number = v6 ? (const void *)&addr->sa.in6.sin6_addr : &addr->sa.in.sin_addr;

	inet_ntop(addr->sa.any.sa_family, number, ip, sizeof(ip));
	snprintf(ret, FORWARD_TEXT_MAX, "%s%s%s:%u", v6 ? "[" : "", ip, v6 ? "]" : "",
		 (unsigned)ntohs(v6 ? addr->sa.in6.sin6_port : addr->sa.in.sin_port));
}
