/*
 * rtnetlink(7): a network interface of this process's namespace, and the number by which that namespace knows another
 * one (network namespace ids, Linux 4.0; net/core/net_namespace.c).
 */
#ifndef SONDE_KERNEL_NETLINK_H
#define SONDE_KERNEL_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#define NETLINK_NAME_MAX 128 /* ALTIFNAMSIZ; a plain name has at most 15 bytes */

struct netlink_link {
	int index;
	char kind[16];	/* "veth", "bridge"; "" of a device of hardware, and lo */
	int peer;	/* index of the other end, of a veth or macvlan; 0: none */
	bool elsewhere; /* the other end is in another namespace, nsid */
	int32_t nsid;
};

/* A socket for the calls below. The caller's fd, or -errno. */
int netlink_open(void);
/* -ENODEV: there is no interface of that name. */
int netlink_link(int fd, const char *name, struct netlink_link *ret);
/* The id of the network namespace that nsfd is open on. -ENOENT: it has none, so no interface leads there. */
int netlink_nsid(int fd, int nsfd, int32_t *ret);

#endif
