/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/link-stats.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX (32 * 1024)

static gboolean ask(int fd, const char *name)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr attribute;
        char name[IFNAMSIZ];
    } request;

    memset(&request, 0, sizeof request);
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_GETLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.attribute.rta_type = IFLA_IFNAME;
    request.attribute.rta_len = RTA_LENGTH(IFNAMSIZ);
    g_strlcpy(request.name, name, IFNAMSIZ);
    return send(fd, &request, sizeof request, 0) == sizeof request;
}

static gboolean find_stats(const void *answer, gsize length, struct rtnl_link_stats64 *stats)
{
    const struct nlmsghdr *header = answer;

    if (!NLMSG_OK(header, length) || header->nlmsg_type != RTM_NEWLINK ||
        header->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
        return FALSE;
    int left = IFLA_PAYLOAD(header);
    for (const struct rtattr *attribute = IFLA_RTA(NLMSG_DATA(header)); RTA_OK(attribute, left);
         attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type != IFLA_STATS64)
            continue;
        memset(stats, 0, sizeof *stats);
        memcpy(stats, RTA_DATA(attribute), MIN(RTA_PAYLOAD(attribute), sizeof *stats));
        return TRUE;
    }
    return FALSE;
}

gboolean link_stats(const char *name, LinkCounters *ret_received, LinkCounters *ret_sent)
{
    struct rtnl_link_stats64 stats;
    g_autofree struct nlmsghdr *answer = g_malloc(ANSWER_MAX);

    if (strlen(name) >= IFNAMSIZ)
        return FALSE;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return FALSE;
    /* the kernel answers within send() */
    ssize_t n = ask(fd, name) ? recv(fd, answer, ANSWER_MAX, MSG_DONTWAIT) : -1;
    close(fd);
    if (n < (ssize_t)sizeof(struct nlmsghdr) || !find_stats(answer, n, &stats))
        return FALSE;
    *ret_received = (LinkCounters){stats.rx_bytes, stats.rx_packets, stats.rx_errors, stats.rx_dropped};
    *ret_sent = (LinkCounters){stats.tx_bytes, stats.tx_packets, stats.tx_errors, stats.tx_dropped};
    return TRUE;
}
