/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Forms of text in documents: `form=F` in the description keeps what form_F() makes of a value.
 *
 * Each returns TEXT as libvirt writes it, to free, or NULL where it is wrong. Any thread.
 *
 * Those of packet filters take a variable ("$IP", "$IP[2]", "$IP[@1]") for any value; numbers are decimal or hexadecimal (with or
 * without 0x), and stay what they are; masks of addresses become their number of bits.
 */
#include <glib.h>

char *form_loadparm(const char *text); /* of s390's boot loader: capitals; what they may be is domain_imply()'s */
char *form_nw_u8(const char *text);
char *form_nw_u16(const char *text);
char *form_nw_u32(const char *text);
char *form_nw_d16(const char *text);         /* decimal only */
char *form_nw_dscp(const char *text);        /* up to 63 */
char *form_nw_vlan(const char *text);        /* up to 4095 */
char *form_nw_mac(const char *text);
char *form_nw_macmask(const char *text);     /* its ones stand together */
char *form_nw_ip4(const char *text);
char *form_nw_ip6(const char *text);
char *form_nw_mask4(const char *text);
char *form_nw_mask6(const char *text);
char *form_nw_ethertype(const char *text);   /* a name where there is one, else a number from 0x600 */
char *form_nw_encapsulated(const char *text); /* the same, from 0x3c */
char *form_nw_opcode(const char *text);      /* of ARP; a name where there is one */
char *form_nw_ipprotocol(const char *text);  /* a name where there is one */
char *form_nw_state(const char *text);       /* states of a connection, in one order */
char *form_nw_tcpflags(const char *text);    /* looked at/set */
char *form_nw_ipset(const char *text);
char *form_nw_ipsetflags(const char *text);
char *form_nw_boolean(const char *text);
char *form_nw_comment(const char *text);     /* what is too long is cut */
