/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* IP addresses: as numbers, and as text in the one form that libvirt writes. Nothing here asks a name server. Any thread. */
#include <glib.h>

typedef struct {
    guint8 bytes[16]; /* IPv4: the first four */
    guint n_bytes;    /* 4, 16; 0: none */
    guint32 scope;    /* the link of an IPv6 address of a link; 0: none */
} Ip;

/* An IPv4 address (in any form of inet_aton(3)) or an IPv6 one. On failure the error is libvirt's. */
gboolean ip_parse(const char *text, Ip *ret_ip, GError **error);

/* To free. */
char *ip_format(const Ip *ip);

gboolean ip_equal(const Ip *a, const Ip *b);

/* The leading ones of a netmask; -1 if there are others after a zero. */
int ip_mask_bits(const Ip *mask);

/* IP without what comes after its first N_BITS. */
Ip ip_network(const Ip *ip, guint n_bits);

/* The bits of the network part of IP: PREFIX where it is above zero, else as MASK (may be NULL) says, else by the class of an
 * IPv4 address, as before 1993, and 64 of an IPv6 one. 0 for "any address"; -1 where nothing tells. */
int ip_prefix(const Ip *ip, const Ip *mask, guint prefix);

/* Whether from START to END is a range that a server may hand out: one family, not reversed, at most 65535 addresses, and
 * inside NETWORK/PREFIX (NETWORK may be NULL), whose own and whose broadcast address are left out. Errors are libvirt's. */
gboolean ip_check_range(const Ip *start, const Ip *end, const Ip *network, int prefix, GError **error);
