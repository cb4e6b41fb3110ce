/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/form.h"

#include <string.h>

#include "lib/ip.h"
#include "lib/mac.h"

#define VARIABLE_NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define ITERATOR_MAX 1000
#define IPSET_NAME VARIABLE_NAME ".:-+ "
#define IPSET_NAME_MAX 31
#define IPSET_FLAGS_MAX 6
#define COMMENT_MAX 256

/* --- variables --- */

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t\r\n\v\f");
}

/* What follows the "[" of TEXT's variable: a number, or after an @ that of an iterator. */
static char *index_form(const char *name, gsize length, const char *text)
{
    text = skip_blanks(text);
    gboolean iterator = *text == '@';
    char *end = NULL;
    if (!g_ascii_isdigit(*(text += iterator)))
        return NULL;
    guint64 number = g_ascii_strtoull(text, &end, 10);
    if (number > (iterator ? ITERATOR_MAX : G_MAXUINT32) || *skip_blanks(end) != ']')
        return NULL;
    if (iterator && number == 0)
        return g_strdup_printf("$%.*s", (int)length, name);
    return g_strdup_printf("$%.*s[%s%" G_GUINT64_FORMAT "]", (int)length, name, iterator ? "@" : "", number);
}

static char *variable_form(const char *text)
{
    const char *name = text + 1;
    gsize length = strspn(name, VARIABLE_NAME);
    if (name[length] == '\0')
        return g_strdup(text);
    return name[length] == '[' ? index_form(name, length, name + length + 1) : NULL;
}

/* --- words --- */

char *form_loadparm(const char *text)
{
    return g_ascii_strup(text, -1);
}

/* --- numbers --- */

typedef struct {
    guint64 value;
    gboolean hex;
} Number;

static gboolean read_number(const char *text, guint64 max, gboolean hex_allowed, Number *ret_number)
{
    static const guint bases[] = {10, 16};
    text = skip_blanks(text);
    text += *text == '+';
    for (guint i = 0; i < 1u + hex_allowed; i++) {
        char *end = NULL;
        guint64 value = g_ascii_isxdigit(*text) ? g_ascii_strtoull(text, &end, bases[i]) : 0;
        if (!end || end == text || *end || value > max)
            continue;
        *ret_number = (Number){value, i == 1};
        return TRUE;
    }
    return FALSE;
}

static char *show(const Number *number)
{
    return g_strdup_printf(number->hex ? "0x%" G_GINT64_MODIFIER "x" : "%" G_GUINT64_FORMAT, number->value);
}

static char *number_form(const char *text, guint64 max, gboolean hex_allowed)
{
    Number number;
    if (*text == '$')
        return variable_form(text);
    return read_number(text, max, hex_allowed, &number) ? show(&number) : NULL;
}

char *form_nw_u8(const char *text)
{
    return number_form(text, G_MAXUINT8, TRUE);
}

char *form_nw_u16(const char *text)
{
    return number_form(text, G_MAXUINT16, TRUE);
}

char *form_nw_u32(const char *text)
{
    return number_form(text, G_MAXUINT32, TRUE);
}

char *form_nw_d16(const char *text)
{
    return number_form(text, G_MAXUINT16, FALSE);
}

char *form_nw_dscp(const char *text)
{
    return number_form(text, 63, TRUE);
}

char *form_nw_vlan(const char *text)
{
    return number_form(text, 4095, TRUE);
}

/* --- numbers that have names --- */

typedef struct {
    const char *name;
    guint number;
} Name;

static const Name ethertypes[] = {{"arp", 0x806}, {"rarp", 0x8035}, {"ipv4", 0x800}, {"ipv6", 0x86dd}, {"vlan", 0x8100}, {NULL, 0}};
static const Name opcodes[] = {{"Request", 1},       {"Reply", 2},         {"Request_Reverse", 3}, {"Reply_Reverse", 4},
                               {"DRARP_Request", 5}, {"DRARP_Reply", 6},   {"DRARP_Error", 7},     {"InARP_Request", 8},
                               {"ARP_NAK", 9},       {NULL, 0}};
static const Name protocols[] = {{"tcp", 6},   {"udp", 17},  {"udplite", 136}, {"esp", 50},     {"ah", 51},
                                 {"icmp", 1},  {"igmp", 2},  {"sctp", 132},    {"icmpv6", 58}, {NULL, 0}};

/* Numbers below MIN are wrong, and so are names that are not in NAMES. */
static char *named_form(const Name *names, const char *text, guint64 min, guint64 max, gboolean shows_hex)
{
    Number number;
    if (*text == '$')
        return variable_form(text);
    gboolean is_number = read_number(text, max, TRUE, &number);
    for (const Name *name = names; name->name; name++)
        if (is_number ? name->number == number.value : g_ascii_strcasecmp(name->name, text) == 0)
            return is_number && number.value < min ? NULL : g_strdup(name->name);
    if (!is_number || number.value < min)
        return NULL;
    number.hex = number.hex && shows_hex;
    return show(&number);
}

char *form_nw_ethertype(const char *text)
{
    return named_form(ethertypes, text, 0x600, G_MAXUINT16, TRUE);
}

char *form_nw_encapsulated(const char *text)
{
    return named_form(ethertypes, text, 0x3c, G_MAXUINT16, TRUE);
}

char *form_nw_opcode(const char *text)
{
    return named_form(opcodes, text, 0, G_MAXUINT16, FALSE);
}

char *form_nw_ipprotocol(const char *text)
{
    return named_form(protocols, text, 0, G_MAXUINT8, TRUE);
}

/* --- addresses --- */

char *form_nw_mac(const char *text)
{
    guint8 mac[MAC_BYTES];
    char out[MAC_TEXT];
    if (*text == '$')
        return variable_form(text);
    if (!mac_parse(text, mac))
        return NULL;
    mac_format(mac, out);
    return g_strdup(out);
}

char *form_nw_macmask(const char *text)
{
    guint8 mac[MAC_BYTES];
    gboolean ended = FALSE;
    if (*text != '$' && !mac_parse(text, mac))
        return NULL;
    for (guint n = 0; *text != '$' && n < MAC_BYTES * 8; n++) {
        gboolean one = (mac[n / 8] >> (7 - n % 8)) & 1;
        if (one && ended)
            return NULL;
        ended = ended || !one;
    }
    return form_nw_mac(text);
}

static char *ip_form(const char *text, guint n_bytes)
{
    Ip ip;
    if (*text == '$')
        return variable_form(text);
    return ip_parse(text, &ip, NULL) && ip.n_bytes == n_bytes ? ip_format(&ip) : NULL;
}

static char *mask_form(const char *text, guint n_bytes)
{
    Ip ip;
    Number number;
    if (*text == '$')
        return variable_form(text);
    if (read_number(text, G_MAXUINT32, FALSE, &number))
        return number.value <= n_bytes * 8 ? show(&number) : NULL;
    int bits = ip_parse(text, &ip, NULL) && ip.n_bytes == n_bytes ? ip_mask_bits(&ip) : -1;
    return bits >= 0 ? g_strdup_printf("%d", bits) : NULL;
}

char *form_nw_ip4(const char *text)
{
    return ip_form(text, 4);
}

char *form_nw_ip6(const char *text)
{
    return ip_form(text, 16);
}

char *form_nw_mask4(const char *text)
{
    return mask_form(text, 4);
}

char *form_nw_mask6(const char *text)
{
    return mask_form(text, 16);
}

/* --- sets --- */

static const Name states[] = {{"NEW", 1}, {"ESTABLISHED", 2}, {"RELATED", 4}, {"INVALID", 8}, {"NONE", 16}, {NULL, 0}};
static const Name tcp_flags[] = {{"FIN", 1}, {"SYN", 2}, {"RST", 4}, {"PSH", 8}, {"ACK", 16}, {"URG", 32}, {"ALL", 63}, {"NONE", 0}, {NULL, 0}};

/* Words of NAMES with commas or blanks between, up to END. */
static gboolean read_set(const Name *names, const char *text, const char *end, guint *ret_set)
{
    guint set = 0;
    while (text < end) {
        const Name *name = names;
        if (g_ascii_isspace(*text) || *text == ',') {
            text++;
            continue;
        }
        while (name->name && g_ascii_strncasecmp(text, name->name, strlen(name->name)) != 0)
            name++;
        if (!name->name)
            return FALSE;
        set |= name->number;
        text += strlen(name->name);
    }
    *ret_set = set;
    return text == end;
}

static void add_set(GString *out, const Name *names, guint set)
{
    gsize begin = out->len;
    for (const Name *name = names; name->name; name++)
        if ((set & name->number) && (name->number & (name->number - 1)) == 0)
            g_string_append_printf(out, "%s%s", out->len > begin ? "," : "", name->name);
}

char *form_nw_state(const char *text)
{
    guint set;
    if (*text == '$')
        return variable_form(text);
    if (!read_set(states, text, text + strlen(text), &set))
        return NULL;
    GString *out = g_string_new(NULL);
    add_set(out, states, set & 16 ? 16 : set);
    return g_string_free(out, FALSE);
}

static void add_tcp_flags(GString *out, guint set)
{
    if (set == 0 || set == 63)
        g_string_append(out, set ? "ALL" : "NONE");
    else
        add_set(out, tcp_flags, set);
}

char *form_nw_tcpflags(const char *text)
{
    guint looked_at, wanted;
    if (*text == '$')
        return variable_form(text);
    const char *slash = strchr(text, '/');
    if (!slash || !read_set(tcp_flags, text, slash, &looked_at) ||
        !read_set(tcp_flags, slash + 1, slash + strlen(slash), &wanted))
        return NULL;
    GString *out = g_string_new(NULL);
    add_tcp_flags(out, looked_at);
    g_string_append_c(out, '/');
    add_tcp_flags(out, wanted);
    return g_string_free(out, FALSE);
}

char *form_nw_ipset(const char *text)
{
    if (*text == '$')
        return variable_form(text);
    return strlen(text) <= IPSET_NAME_MAX && text[strspn(text, IPSET_NAME)] == '\0' ? g_strdup(text) : NULL;
}

char *form_nw_ipsetflags(const char *text)
{
    if (*text == '$')
        return variable_form(text);
    g_autofree char *out = g_ascii_strdown(text, -1);
    g_auto(GStrv) flags = g_strsplit(out, ",", -1);
    guint n = g_strv_length(flags);
    for (guint i = 0; i < n; i++)
        if (!g_str_equal(flags[i], "src") && !g_str_equal(flags[i], "dst"))
            return NULL;
    return n > 0 && n <= IPSET_FLAGS_MAX ? g_steal_pointer(&out) : NULL;
}

char *form_nw_boolean(const char *text)
{
    if (*text == '$')
        return variable_form(text);
    return g_strdup(g_str_equal(text, "true") || g_str_equal(text, "1") || g_str_equal(text, "yes") ? "true" : "false");
}

char *form_nw_comment(const char *text)
{
    if (*text == '$')
        return variable_form(text);
    return strlen(text) > COMMENT_MAX ? g_utf8_substring(text, 0, g_utf8_pointer_to_offset(text, g_utf8_find_prev_char(text, text + COMMENT_MAX + 1)))
                                      : g_strdup(text);
}
