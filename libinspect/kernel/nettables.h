/*
 * The tables of a network namespace in /proc/PID/net: addresses (fib_trie, if_inet6) and sockets (tcp, tcp6, udp,
 * udp6). proc_net(5); net/ipv4/fib_trie.c, net/ipv6/addrconf.c, net/ipv4/tcp_ipv4.c (Linux 2.6.39 to 6.18).
 */
#ifndef SONDE_KERNEL_NETTABLES_H
#define SONDE_KERNEL_NETTABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_address {
	bool v6;
	uint8_t bytes[16]; /* network order; 4 of them without v6 */
};
/* "10.0.0.2", "fe80::1". -EINVAL. An IPv4 address written as IPv6 ("::ffff:10.0.0.2") is the IPv4 one. */
int net_address_parse(const char *text, struct net_address *ret);
/* 127.0.0.0/8, ::1: of every network namespace; 0.0.0.0, ::, multicast: of nobody. */
bool net_address_is_loopback(const struct net_address *a);
bool net_address_is_nobodys(const struct net_address *a);

/* Whether the table lists the address as the namespace's own. */
bool nettable_fib_has(const char *buf, size_t len, const struct net_address *a);
bool nettable_inet6_has(const char *buf, size_t len, const struct net_address *a);

struct net_socket {
	struct net_address local;
	uint16_t port;
	uint64_t inode; /* "socket:[INODE]" in /proc/PID/fd */
};
enum net_proto { NET_TCP, NET_UDP };
/*
 * The next socket of a tcp, tcp6, udp or udp6 table that waits for others: a listening one, or an unconnected one of
 * UDP. *at: where to go on in buf, 0 first. false: no more.
 */
bool nettable_next(const char *buf, size_t len, enum net_proto proto, size_t *at,
		   struct net_socket *ret);

#endif
