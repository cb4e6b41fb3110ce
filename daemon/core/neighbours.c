/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/neighbours.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/error.h"

#define BUFFER 32768
#define MAC_LENGTH 6
#define KNOWN (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

static gboolean failed(const char *what, GError **error)
{
    return error_set_errno(error, VIR_FROM_NONE, errno, "%s", what);
}

static gboolean request(int fd, GError **error)
{
    struct {
        struct nlmsghdr header;
        struct ndmsg message;
    } dump = {
        .header = {sizeof dump, RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .message = {.ndm_family = AF_UNSPEC},
    };
    return send(fd, &dump, sizeof dump, 0) == sizeof dump || failed("cannot ask for the neighbour table", error);
}

static void add(const struct nlmsghdr *header, GPtrArray *list)
{
    const struct ndmsg *message = NLMSG_DATA(header);
    const guint8 *mac = NULL;
    const void *address = NULL;
    int left = header->nlmsg_len - NLMSG_LENGTH(sizeof *message);
    gsize size = message->ndm_family == AF_INET ? 4 : 16;
    if (left < 0 || !(message->ndm_state & KNOWN) || (message->ndm_family != AF_INET && message->ndm_family != AF_INET6))
        return;
    for (const struct rtattr *one = (gconstpointer)((const char *)message + NLMSG_ALIGN(sizeof *message)); RTA_OK(one, left);
         one = RTA_NEXT(one, left)) {
        if (one->rta_type == NDA_LLADDR && RTA_PAYLOAD(one) == MAC_LENGTH)
            mac = RTA_DATA(one);
        if (one->rta_type == NDA_DST && RTA_PAYLOAD(one) == size)
            address = RTA_DATA(one);
    }
    if (!mac || !address)
        return;
    Neighbour *neighbour = g_new0(Neighbour, 1);
    g_snprintf(neighbour->mac, sizeof neighbour->mac, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    inet_ntop(message->ndm_family, address, neighbour->address, sizeof neighbour->address);
    neighbour->family = message->ndm_family == AF_INET ? VIR_IP_ADDR_TYPE_IPV4 : VIR_IP_ADDR_TYPE_IPV6;
    g_ptr_array_add(list, neighbour);
}

/* FALSE: that was the last, or it failed; then with ERROR. */
static gboolean take(int fd, char *buffer, GPtrArray *list, GError **error)
{
    ssize_t n = recv(fd, buffer, BUFFER, 0);
    if (n < 0)
        return failed("cannot read the neighbour table", error);
    for (struct nlmsghdr *header = (gpointer)buffer; NLMSG_OK(header, n); header = NLMSG_NEXT(header, n)) {
        if (header->nlmsg_type == NLMSG_DONE)
            return FALSE;
        if (header->nlmsg_type == NLMSG_ERROR) {
            errno = EIO;
            return failed("cannot read the neighbour table", error);
        }
        if (header->nlmsg_type == RTM_NEWNEIGH)
            add(header, list);
    }
    return TRUE;
}

GPtrArray *neighbours_list(GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *buffer = g_malloc(BUFFER);
    g_autoptr(GError) cause = NULL;
    const struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) {
        failed("cannot open a netlink socket", error);
        return NULL;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (request(fd, &cause)) {
        while (take(fd, buffer, list, &cause)) {
        }
    }
    close(fd);
    if (!cause)
        return g_steal_pointer(&list);
    g_propagate_error(error, g_steal_pointer(&cause));
    return NULL;
}
