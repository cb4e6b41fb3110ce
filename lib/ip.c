/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/ip.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/error.h"

#define MOST_ADDRESSES 65535 /* of a range */

gboolean ip_parse(const char *text, Ip *ret_ip, GError **error)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    int wrong = getaddrinfo(text, NULL, &hints, &found);
    if (wrong)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "Cannot parse socket address '%s': %s", text,
                         gai_strerror(wrong));
    Ip ip = {0};
    if (found->ai_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, found->ai_addr, sizeof(six));
        memcpy(ip.bytes, &six.sin6_addr, ip.n_bytes = 16);
        ip.scope = six.sin6_scope_id;
    } else {
        struct sockaddr_in four;
        memcpy(&four, found->ai_addr, sizeof(four));
        memcpy(ip.bytes, &four.sin_addr, ip.n_bytes = 4);
    }
    freeaddrinfo(found);
    *ret_ip = ip;
    return TRUE;
}

char *ip_format(const Ip *ip)
{
    struct sockaddr_storage storage = {0};
    char text[NI_MAXHOST] = "";
    if (ip->n_bytes == 16) {
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_scope_id = ip->scope};
        memcpy(&six.sin6_addr, ip->bytes, 16);
        memcpy(&storage, &six, sizeof(six));
    } else {
        struct sockaddr_in four = {.sin_family = AF_INET};
        memcpy(&four.sin_addr, ip->bytes, 4);
        memcpy(&storage, &four, sizeof(four));
    }
    socklen_t size = ip->n_bytes == 16 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    getnameinfo((const struct sockaddr *)&storage, size, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
    return g_strdup(text);
}

gboolean ip_equal(const Ip *a, const Ip *b)
{
    return a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

static gboolean bit(const Ip *ip, guint n)
{
    return (ip->bytes[n / 8] >> (7 - n % 8)) & 1;
}

int ip_mask_bits(const Ip *mask)
{
    guint n = 0, all = mask->n_bytes * 8;
    while (n < all && bit(mask, n))
        n++;
    for (guint rest = n; rest < all; rest++)
        if (bit(mask, rest))
            return -1;
    return (int)n;
}

Ip ip_network(const Ip *ip, guint n_bits)
{
    Ip network = {.n_bytes = ip->n_bytes};
    for (guint i = 0; i < ip->n_bytes; i++) {
        guint kept = MIN(n_bits - MIN(n_bits, i * 8), 8);
        network.bytes[i] = (guint8)(ip->bytes[i] & (0xff00 >> kept));
    }
    return network;
}

static gboolean is_any(const Ip *ip)
{
    static const guint8 zeroes[16];
    return memcmp(ip->bytes, zeroes, ip->n_bytes) == 0;
}

int ip_prefix(const Ip *ip, const Ip *mask, guint prefix)
{
    if (prefix > 0)
        return (int)prefix;
    if (mask && mask->n_bytes)
        return ip_mask_bits(mask);
    if (is_any(ip))
        return 0;
    if (ip->n_bytes == 16)
        return 64;
    guint8 first = ip->bytes[0];
    return first < 0x80 ? 8 : first < 0xc0 ? 16 : first < 0xe0 ? 24 : -1;
}

/* The last address of the network. */
static Ip broadcast(const Ip *network, guint n_bits)
{
    Ip last = ip_network(network, n_bits);
    for (guint n = n_bits; n < last.n_bytes * 8; n++)
        last.bytes[n / 8] |= (guint8)(0x80 >> (n % 8));
    return last;
}

typedef struct {
    const Ip *start, *end;
    char *from, *to; /* their text */
} Range;

static gboolean check_inside(const Range *range, const Ip *network, int prefix, GError **error)
{
    g_autofree char *net = ip_format(network);
    if (range->start->n_bytes != network->n_bytes)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "mismatch of address family in range %s - %s for network %s", range->from, range->to, net);
    if (prefix < 0 || (guint)prefix > network->n_bytes * 8)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "bad prefix %d for network %s when  checking range %s - %s", prefix, net, range->from,
                         range->to);
    Ip first = ip_network(network, (guint)prefix), last = broadcast(network, (guint)prefix);
    Ip of_start = ip_network(range->start, (guint)prefix), of_end = ip_network(range->end, (guint)prefix);
    if (!ip_equal(&of_start, &first) || !ip_equal(&of_end, &first))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "range %s - %s is not entirely within network %s/%d", range->from, range->to, net, prefix);
    if (network->n_bytes == 4 && ip_equal(range->start, &first))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "start of range %s - %s in network %s/%d is the network address", range->from, range->to, net,
                         prefix);
    if (network->n_bytes == 4 && ip_equal(range->end, &last))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         "end of range %s - %s in network %s/%d is the broadcast address", range->from, range->to, net,
                         prefix);
    return TRUE;
}

gboolean ip_check_range(const Ip *start, const Ip *end, const Ip *network, int prefix, GError **error)
{
    g_autofree char *from = ip_format(start), *to = ip_format(end);
    const Range range = {start, end, from, to};
    if (start->n_bytes != end->n_bytes)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "mismatch of address family in range %s - %s",
                         from, to);
    if (network && !check_inside(&range, network, prefix, error))
        return FALSE;
    guint n = start->n_bytes;
    if (memcmp(start->bytes, end->bytes, n - 2) != 0)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "range %s - %s is too large (> %d)", from, to,
                         MOST_ADDRESSES);
    if (memcmp(start->bytes + n - 2, end->bytes + n - 2, 2) > 0)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR,
                         n == 16 ? "range %s - %s start larger than end" : "range %s - %s is reversed ", from, to);
    return TRUE;
}
