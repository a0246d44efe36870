#include "libinspect/kernel/netlink.h"

#include "libinspect/base/util.h"

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_MAX \
	32768 /* NLMSG_GOODSIZE is at most that; a link with many virtual functions is long */

/* A request of one attribute: the headers and the attribute follow each other without holes. */
struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct rtgenmsg gen;
	} body;
	char attribute[RTA_SPACE(NETLINK_NAME_MAX)];
};

struct answer {
	struct nlmsghdr *head;
	char buf[ANSWER_MAX] __attribute__((aligned(8)));
};

int netlink_open(void)
{
	struct timeval patience = { .tv_sec = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void set_head(struct request *rq, uint16_t type, size_t body)
{
	rq->head = (struct nlmsghdr){
		.nlmsg_len = NLMSG_LENGTH(body),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST,
		.nlmsg_seq = 1,
	};
}

static void add_attribute(struct request *rq, uint16_t type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)rq + NLMSG_ALIGN(rq->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	rq->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(rq->head.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

static int ask(int fd, struct request *rq, struct answer *answer)
{
	struct nlmsghdr *head = (struct nlmsghdr *)answer->buf;
	ssize_t n;

	if (send(fd, rq, rq->head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, answer->buf, sizeof(answer->buf), 0);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(head, (size_t)n))
		return -EBADMSG;
	if (head->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = NLMSG_DATA(head);

		if (head->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
			return -EBADMSG;
		return e->error < 0 ? e->error : -EBADMSG;
	}
	answer->head = head;
	return 0;
}

/* The attribute's data of at least size bytes; NULL: not there. */
static const void *attribute(const struct rtattr *a, int len, unsigned type, size_t size)
{
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if ((a->rta_type & NLA_TYPE_MASK) == type && RTA_PAYLOAD(a) >= size)
			return RTA_DATA(a);
	return NULL;
}

static const struct rtattr *nested(const struct rtattr *a, int len, unsigned type, int *ret_len)
{
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if ((a->rta_type & NLA_TYPE_MASK) == type) {
			*ret_len = (int)RTA_PAYLOAD(a);
			return RTA_DATA(a);
		}
	return NULL;
}

static void read_kind(const struct rtattr *a, int len, struct netlink_link *link)
{
	int inner_len = 0, kind_len = 0;
	const struct rtattr *inner = nested(a, len, IFLA_LINKINFO, &inner_len);
	const char *kind =
		inner ? (const char *)nested(inner, inner_len, IFLA_INFO_KIND, &kind_len) : NULL;

	if (kind)
		snprintf(link->kind, sizeof(link->kind), "%.*s", kind_len, kind);
}

int netlink_link(int fd, const char *name, struct netlink_link *ret)
{
	struct netlink_link link = { 0 };
	struct request rq = { 0 };
	struct answer answer;
	const struct ifinfomsg *info;
	const struct rtattr *a;
	const uint32_t *peer;
	const int32_t *nsid;
	size_t n = strlen(name);
	int r, len;

	if (n >= NETLINK_NAME_MAX)
		return -ENODEV;
	set_head(&rq, RTM_GETLINK, sizeof(rq.body.link));
	add_attribute(&rq, n < IF_NAMESIZE ? IFLA_IFNAME : IFLA_ALT_IFNAME, name, n + 1);
	r = ask(fd, &rq, &answer);
	if (r < 0)
		return r;
	if (answer.head->nlmsg_type != RTM_NEWLINK ||
	    answer.head->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	info = NLMSG_DATA(answer.head);
	a = IFLA_RTA(info);
	len = (int)IFLA_PAYLOAD(answer.head);
	link.index = info->ifi_index;
	peer = attribute(a, len, IFLA_LINK, sizeof(*peer));
	link.peer = peer ? (int)*peer : 0;
	nsid = attribute(a, len, IFLA_LINK_NETNSID, sizeof(*nsid));
	link.elsewhere = nsid != NULL;
	link.nsid = nsid ? *nsid : -1;
	read_kind(a, len, &link);
	*ret = link;
	return 0;
}

int netlink_nsid(int fd, int nsfd, int32_t *ret)
{
	uint32_t number = (uint32_t)nsfd;
	struct request rq = { 0 };
	struct answer answer;
	const int32_t *nsid;
	size_t body = NLMSG_ALIGN(sizeof(struct rtgenmsg));
	int r;

	set_head(&rq, RTM_GETNSID, sizeof(struct rtgenmsg));
	add_attribute(&rq, NETNSA_FD, &number, sizeof(number));
	r = ask(fd, &rq, &answer);
	if (r < 0)
		return r;
	if (answer.head->nlmsg_type != RTM_NEWNSID || answer.head->nlmsg_len < NLMSG_LENGTH(body))
		return -EBADMSG;
	nsid = attribute((const struct rtattr *)((const char *)NLMSG_DATA(answer.head) + body),
			 (int)(answer.head->nlmsg_len - NLMSG_LENGTH(body)), NETNSA_NSID,
			 sizeof(*nsid));
	if (!nsid || *nsid < 0)
		return -ENOENT;
	*ret = *nsid;
	return 0;
}
