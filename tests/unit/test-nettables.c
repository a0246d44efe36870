/* Tables of /proc/PID/net as kernels write them, cut and corrupted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "libinspect/kernel/nettables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Linux 6.18, a container on a bridge */
static const char fib_trie[] = "Main:\n"
			       "  +-- 0.0.0.0/0 3 0 5\n"
			       "     |-- 0.0.0.0\n"
			       "        /0 universe UNICAST\n"
			       "     +-- 172.17.0.0/16 2 0 2\n"
			       "        |-- 172.17.0.0\n"
			       "           /16 link UNICAST\n"
			       "Local:\n"
			       "  +-- 0.0.0.0/0 3 0 5\n"
			       "     +-- 127.0.0.0/8 2 0 2\n"
			       "           |-- 127.0.0.1\n"
			       "              /32 host LOCAL\n"
			       "        |-- 127.255.255.255\n"
			       "           /32 link BROADCAST\n"
			       "        |-- 172.17.0.2\n"
			       "           /32 host LOCAL\n"
			       "        |-- 172.17.255.255\n"
			       "           /32 link BROADCAST\n";

static const char if_inet6[] = "00000000000000000000000000000001 01 80 10 80       lo\n"
			       "fe800000000000000042acfffe110002 07 40 20 80     eth0\n";

static const char tcp[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	"   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0\n"
	"   1: 0100007F:0035 0200000A:ABCD 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0\n"
	"   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0000000000000000 100 0 0 10 0\n";

static const char tcp6[] =
	"  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	"   0: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18446744073709551615 1 0000000000000000 100 0 0 10 0\n"
	"   1: 0000000000000000FFFF00000100007F:0278 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5 1 0000000000000000 100 0 0 10 0\n";

static const char udp[] =
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
	"  123: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4720 2 0000000000000000 0\n"
	"  124: 0100007F:0036 0100007F:0037 01 00000000:00000000 00:00000000 00000000     0        0 4721 2 0000000000000000 0\n";

static struct net_address address(const char *text)
{
	struct net_address a;

	assert_int_equal(net_address_parse(text, &a), 0);
	return a;
}

static bool has4(const char *text)
{
	struct net_address a = address(text);

	return nettable_fib_has(fib_trie, sizeof(fib_trie) - 1, &a);
}

static void own_addresses_are_found_and_no_others(void **state)
{
	struct net_address a = address("fe80::42:acff:fe11:2"), b = address("fe80::42:acff:fe11:3");

	assert_true(has4("172.17.0.2"));
	assert_true(has4("::ffff:172.17.0.2"));
	/* a network, a broadcast address, the beginning of one */
	assert_false(has4("172.17.0.0"));
	assert_false(has4("172.17.255.255"));
	assert_false(has4("172.17.0.20"));
	assert_false(has4("72.17.0.2"));
	assert_true(nettable_inet6_has(if_inet6, sizeof(if_inet6) - 1, &a));
	assert_false(nettable_inet6_has(if_inet6, sizeof(if_inet6) - 1, &b));
	assert_false(nettable_fib_has(fib_trie, sizeof(fib_trie) - 1, &a));
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "10.0.0", "10.0.0.0.1", "10.0.0.1/24", "fe80::1%eth0", "localhost", "[::1]"
	};
	struct net_address a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(net_address_parse(bad[i], &a), -EINVAL);
	a = address("127.3.4.5");
	assert_true(net_address_is_loopback(&a));
	a = address("::1");
	assert_true(net_address_is_loopback(&a));
	a = address("::");
	assert_true(net_address_is_nobodys(&a));
	a = address("239.1.1.1");
	assert_true(net_address_is_nobodys(&a));
	a = address("10.0.0.1");
	assert_false(net_address_is_nobodys(&a) || net_address_is_loopback(&a));
}

static void waiting_sockets_are_listed_and_connected_ones_not(void **state)
{
	struct net_socket s;
	size_t at = 0;

	assert_true(nettable_next(tcp, sizeof(tcp) - 1, NET_TCP, &at, &s));
	assert_int_equal(s.port, 80);
	assert_int_equal(s.inode, 4711);
	assert_true(nettable_next(tcp, sizeof(tcp) - 1, NET_TCP, &at, &s));
	assert_int_equal(s.port, 8080);
	assert_memory_equal(s.local.bytes, "\x7f\0\0\1", 4);
	assert_false(nettable_next(tcp, sizeof(tcp) - 1, NET_TCP, &at, &s));
	at = 0;
	assert_true(nettable_next(tcp6, sizeof(tcp6) - 1, NET_TCP, &at, &s));
	assert_true(s.local.v6 && net_address_is_loopback(&s.local));
	assert_int_equal(s.port, 0x277);
	assert_true(nettable_next(tcp6, sizeof(tcp6) - 1, NET_TCP, &at, &s));
	assert_false(s.local.v6);
	at = 0;
	assert_true(nettable_next(udp, sizeof(udp) - 1, NET_UDP, &at, &s));
	assert_int_equal(s.inode, 4720);
	assert_false(nettable_next(udp, sizeof(udp) - 1, NET_UDP, &at, &s));
}

/* Every end and every changed byte: no read behind the buffer, an end is reached. */
static void torn_tables_are_read_to_their_end(void **state)
{
	struct net_address a = address("172.17.0.2");
	const char *const tables[] = { fib_trie, if_inet6, tcp, tcp6, udp };

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (size_t len = 0; len <= strlen(tables[t]); len++) {
			char *copy = malloc(len ? len : 1);
			struct net_socket s;
			size_t at = 0;

			memcpy(copy, tables[t], len);
			if (len)
				copy[len / 2] = (char)len;
			(void)nettable_fib_has(copy, len, &a);
			(void)nettable_inet6_has(copy, len, &a);
			while (nettable_next(copy, len, NET_TCP, &at, &s))
				assert_true(at <= len);
			free(copy);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_addresses_are_found_and_no_others),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(waiting_sockets_are_listed_and_connected_ones_not),
		cmocka_unit_test(torn_tables_are_read_to_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
