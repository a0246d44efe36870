#include "libinspect/kernel/nettables.h"

#include "libinspect/base/util.h"
#include "libinspect/kernel/span.h"

#include <arpa/inet.h>

/* Values of enum in include/net/tcp_states.h; an unconnected UDP socket is in TCP_CLOSE. */
#define STATE_CLOSE  0x07
#define STATE_LISTEN 0x0a

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* IPv4 in IPv6 becomes IPv4. */
static void unmap(struct net_address *a)
{
	if (!a->v6 || memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
		return;
	memmove(a->bytes, a->bytes + sizeof(mapped), 4);
	memset(a->bytes + 4, 0, 12);
	a->v6 = false;
}

int net_address_parse(const char *text, struct net_address *ret)
{
	struct net_address a = { 0 };

	if (inet_pton(AF_INET, text, a.bytes) != 1) {
		if (inet_pton(AF_INET6, text, a.bytes) != 1)
			return -EINVAL;
		a.v6 = true;
	}
	unmap(&a);
	*ret = a;
	return 0;
}

static bool all_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

bool net_address_is_loopback(const struct net_address *a)
{
	return a->v6 ? all_zero(a->bytes, 15) && a->bytes[15] == 1 : a->bytes[0] == 127;
}

bool net_address_is_nobodys(const struct net_address *a)
{
	if (all_zero(a->bytes, sizeof(a->bytes)))
		return true;
	return a->v6 ? a->bytes[0] == 0xff : a->bytes[0] >= 224;
}

/* "     |-- 10.0.0.2" and below it "        /32 host LOCAL" */
bool nettable_fib_has(const char *buf, size_t len, const struct net_address *a)
{
	struct span s = span_of(buf, len), line;
	char wanted[INET_ADDRSTRLEN] = "";
	bool is_it = false;

	if (a->v6 || !inet_ntop(AF_INET, a->bytes, wanted, sizeof(wanted)))
		return false;
	while (span_line(&s, &line)) {
		span_blanks(&line);
		if (span_after(&line, "|-- "))
			is_it = span_after(&line, wanted) && line.p == line.end;
		else if (is_it && span_after(&line, "/32 host LOCAL"))
			return true;
	}
	return false;
}

/* n bytes of two digits each */
static bool hex_bytes(struct span *s, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high, low;

		if (span_len(s) < 2)
			return false;
		high = span_digit(s->p[0]);
		low = span_digit(s->p[1]);
		/* sockets' tables have capitals */
		high = high > 15 && s->p[0] >= 'A' && s->p[0] <= 'F' ? s->p[0] - 'A' + 10 : high;
		low = low > 15 && s->p[1] >= 'A' && s->p[1] <= 'F' ? s->p[1] - 'A' + 10 : low;
		if (high > 15 || low > 15)
			return false;
		bytes[i] = (uint8_t)(high * 16 + low);
		s->p += 2;
	}
	return true;
}

/* "fe800000000000000042acfffe110002 07 40 20 80 eth0" */
bool nettable_inet6_has(const char *buf, size_t len, const struct net_address *a)
{
	struct span s = span_of(buf, len), line;

	while (span_line(&s, &line)) {
		uint8_t bytes[16];

		if (hex_bytes(&line, bytes, sizeof(bytes)) && a->v6 &&
		    memcmp(bytes, a->bytes, sizeof(bytes)) == 0)
			return true;
	}
	return false;
}

/* "0100007F:1F90", 32 bits at a time in the host's order */
static bool endpoint(struct span *s, struct net_address *a, uint16_t *port)
{
	struct net_address got = { 0 };
	const char *colon;
	uint8_t number[2];
	size_t digits;

	span_blanks(s);
	colon = memchr(s->p, ':', span_len(s));
	digits = colon ? (size_t)(colon - s->p) : 0;
	if (digits != 8 && digits != 32)
		return false;
	if (!hex_bytes(s, got.bytes, digits / 2) || !span_after(s, ":") ||
	    !hex_bytes(s, number, sizeof(number)))
		return false;
	for (size_t i = 0; i < digits / 2; i += 4) {
		const uint8_t *b = got.bytes + i;
		uint32_t word =
			(uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

		memcpy(got.bytes + i, &word, sizeof(word));
	}
	got.v6 = digits == 32;
	unmap(&got);
	*a = got;
	*port = (uint16_t)(number[0] << 8 | number[1]);
	return true;
}

/* "  0: LOCAL REMOTE 0A TX:RX TR:WHEN RETRNSMT UID TIMEOUT INODE …"; false: not a line of a waiting socket. */
static bool parse_socket(struct span line, enum net_proto proto, struct net_socket *ret)
{
	struct net_socket got;
	struct net_address remote;
	uint16_t remote_port;
	uint64_t slot;
	uint8_t state;

	if (!span_u64(&line, &slot) || !span_after(&line, ":") ||
	    !endpoint(&line, &got.local, &got.port) || !endpoint(&line, &remote, &remote_port))
		return false;
	span_blanks(&line);
	if (!hex_bytes(&line, &state, 1) || !span_skip_words(&line, 5) ||
	    !span_u64(&line, &got.inode))
		return false;
	if (state != (proto == NET_TCP ? STATE_LISTEN : STATE_CLOSE))
		return false;
	*ret = got;
	return true;
}

bool nettable_next(const char *buf, size_t len, enum net_proto proto, size_t *at,
		   struct net_socket *ret)
{
	struct span s = span_of(buf + *at, len - *at), line;

	while (span_line(&s, &line)) {
		*at = (size_t)(s.p - buf);
		if (parse_socket(line, proto, ret))
			return true;
	}
	return false;
}
