/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A rule may have several matches, of one protocol: the first that it has. libvirt keeps for each of their values whether it
 * is to be so or not, and writes them as elements again, a new one wherever that changes. A mask or the end of a range is not
 * to be so exactly where what it belongs to is not.
 */
#include "lib/model/nwfilter.h"

#include <string.h>

#include "lib/error.h"
#include "lib/model/table.h"
#include "lib/uuid.h"

#define FIELDS_MAX 128
#define CHAIN_NAME_MAX 12
#define CHAIN_NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-"
#define PARAMETER_NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define PARAMETER_VALUE PARAMETER_NAME ".:"
#define REFUSE(error, code, ...) error_set(error, VIR_FROM_NWFILTER, code, __VA_ARGS__)

/* --- chains --- */

static const struct {
    const char *name; /* alone, or (but for root) as the beginning of one's own */
    int priority;
} chains[] = {{"root", 0}, {"mac", -800}, {"vlan", -750}, {"stp", 0}, {"arp", -500}, {"rarp", -400}, {"ipv4", -700}, {"ipv6", -600}};

static gboolean complete_chain(Nwfilter *filter, GError **error)
{
    if (filter->priority != (gint32)UNSET32 && ABS(filter->priority) > 1000)
        return REFUSE(error, VIR_ERR_INVALID_ARG, "Priority '%d' is outside valid range of [%d,%d]", filter->priority, -1000,
                      1000);
    if (!filter->chain) {
        filter->chain = g_strdup("root");
        filter->priority = (gint32)UNSET32;
        return TRUE;
    }
    if (strlen(filter->chain) > CHAIN_NAME_MAX)
        return REFUSE(error, VIR_ERR_INVALID_ARG, "Name of chain is longer than %u characters", CHAIN_NAME_MAX);
    if (filter->chain[strspn(filter->chain, CHAIN_NAME)])
        return REFUSE(error, VIR_ERR_INVALID_ARG, "Chain name contains invalid characters");
    for (guint i = 0; i < G_N_ELEMENTS(chains); i++) {
        if (!g_str_has_prefix(filter->chain, chains[i].name) || (i == 0 && !g_str_equal(filter->chain, "root")))
            continue;
        if (filter->priority == (gint32)UNSET32)
            filter->priority = chains[i].priority;
        if (filter->priority == 0 && chains[i].priority == 0)
            filter->priority = (gint32)UNSET32;
        return TRUE;
    }
    return REFUSE(error, VIR_ERR_INVALID_ARG,
                  "Invalid chain name '%s'. Please use a chain name called 'root' or any of the following prefixes: mac, vlan, "
                  "stp, arp, rarp, ipv4, ipv6",
                  filter->chain);
}

/* --- matches --- */

/* Values that go with another. */
static const char *const companions[][2] = {{"srcmacmask", "srcmacaddr"},
                                            {"dstmacmask", "dstmacaddr"},
                                            {"root-priority-hi", "root-priority"},
                                            {"root-address-mask", "root-address"},
                                            {"root-cost-hi", "root-cost"},
                                            {"sender-priority-hi", "sender-priority"},
                                            {"sender-address-mask", "sender-address"},
                                            {"port-hi", "port"},
                                            {"age-hi", "age"},
                                            {"max-age-hi", "max-age"},
                                            {"hello-time-hi", "hello-time"},
                                            {"forward-delay-hi", "forward-delay"},
                                            {"srcipmask", "srcipaddr"},
                                            {"dstipmask", "dstipaddr"},
                                            {"srcipto", "srcipfrom"},
                                            {"dstipto", "dstipfrom"},
                                            {"srcportend", "srcportstart"},
                                            {"dstportend", "dstportstart"},
                                            {"typeend", "type"},
                                            {"code", "type"},
                                            {"codeend", "type"}};

/* The matches of a rule as one: for each value whether it is to be so. */
typedef struct {
    NwfilterMatch *match;
    gboolean negated[FIELDS_MAX];
} Merged;

/* A value of MATCH; NULL for what is none, or not of its protocol. */
static char **value_of(const ModelField *field, NwfilterMatch *match)
{
    const ModelFrame frame = {&nwfilter_match_type, match, NULL};
    return field->kind == MODEL_STRING && model_applies(field, &frame) ? &MODEL_MEMBER(match, field, char *) : NULL;
}

static int field_index(const char *name, NwfilterMatch *match)
{
    for (guint i = 0; i < nwfilter_match_type.n_fields; i++)
        if (g_str_equal(nwfilter_match_type.fields[i].xml, name) && value_of(&nwfilter_match_type.fields[i], match))
            return (int)i;
    return -1;
}

static void merge(Merged *merged, NwfilterMatch *other)
{
    for (guint i = 0; i < nwfilter_match_type.n_fields; i++) {
        char **from = value_of(&nwfilter_match_type.fields[i], other);
        char **to = from ? value_of(&nwfilter_match_type.fields[i], merged->match) : NULL;
        if (!to || !*from)
            continue;
        if (to != from) {
            g_free(*to);
            *to = g_steal_pointer(from);
        }
        merged->negated[i] = other->match == TOGGLE_OFF;
    }
}

static void follow(Merged *merged)
{
    for (guint i = 0; i < G_N_ELEMENTS(companions); i++) {
        int one = field_index(companions[i][0], merged->match), other = field_index(companions[i][1], merged->match);
        if (one >= 0 && other >= 0 && *value_of(&nwfilter_match_type.fields[other], merged->match))
            merged->negated[one] = merged->negated[other];
    }
}

/* A set without flags is of senders; but for libvirt's "all", where nothing says so. */
static void complete_ipset(NwfilterMatch *match)
{
    if (match->element == NWFILTER_PROTOCOL_ALL || match->element == NWFILTER_PROTOCOL_ALL_IPV6)
        return;
    if (match->ipset && !match->ipsetflags)
        match->ipsetflags = g_strdup("src");
    if (!match->ipset)
        g_clear_pointer(&match->ipsetflags, g_free);
}

/* MERGED as elements: a new one wherever what is to be so changes to what is not. */
static void split(Merged *merged, GPtrArray *matches)
{
    NwfilterMatch *last = NULL;
    gboolean last_negated = FALSE;
    for (guint i = 0; i < nwfilter_match_type.n_fields; i++) {
        char **from = value_of(&nwfilter_match_type.fields[i], merged->match);
        if (!from || !*from)
            continue;
        if (!last || last_negated != merged->negated[i]) {
            last = nwfilter_match_new();
            last->element = merged->match->element;
            last->match = (last_negated = merged->negated[i]) ? TOGGLE_OFF : TOGGLE_UNSET;
            g_ptr_array_add(matches, last);
        }
        *value_of(&nwfilter_match_type.fields[i], last) = g_steal_pointer(from);
    }
    if (!last) {
        last = nwfilter_match_new();
        last->element = merged->match->element;
        g_ptr_array_add(matches, last);
    }
}

static gboolean check_ports(const NwfilterMatch *match, GError **error)
{
    static const char *const with_ports[] = {"tcp", "udp", "sctp", "33", "0x21", NULL};
    gboolean v4 = match->element == NWFILTER_PROTOCOL_IP;
    if (!v4 && match->element != NWFILTER_PROTOCOL_IPV6)
        return TRUE;
    if (!match->srcportstart && !match->srcportend && !match->dstportstart && !match->dstportend)
        return TRUE;
    return (match->protocol && g_strv_contains(with_ports, match->protocol)) ||
           REFUSE(error, VIR_ERR_INTERNAL_ERROR,
                  "%s rule with port specification requires protocol specification with protocol to be either one of tcp(6), "
                  "udp(17), dccp(33), or sctp(132)",
                  v4 ? "IP" : "IPv6");
}

static gboolean complete_rule(NwfilterEntry *rule, GError **error)
{
    Merged merged = {0};
    G_STATIC_ASSERT(FIELDS_MAX >= 100);
    g_assert(nwfilter_match_type.n_fields <= FIELDS_MAX);
    if (rule->statematch && !g_str_equal(rule->statematch, "0") && g_ascii_strcasecmp(rule->statematch, "false") != 0)
        g_clear_pointer(&rule->statematch, g_free);
    if (rule->statematch) {
        g_free(rule->statematch);
        rule->statematch = g_strdup("false");
    }
    g_autoptr(GPtrArray) given = g_ptr_array_new();
    for (guint i = 0; i < rule->matches->len; i++) {
        NwfilterMatch *match = rule->matches->pdata[i];
        g_ptr_array_add(given, match);
        if (!merged.match)
            merged.match = match;
        if (match->element == merged.match->element)
            merge(&merged, match);
    }
    g_ptr_array_set_size(rule->matches, 0);
    gboolean right = !merged.match || check_ports(merged.match, error);
    if (merged.match) {
        complete_ipset(merged.match);
        follow(&merged);
        split(&merged, rule->matches);
    }
    for (guint i = 0; i < given->len; i++)
        nwfilter_match_free(given->pdata[i]);
    return right;
}

/* --- parameters --- */

static gboolean is_parameter(const FilterParameter *parameter)
{
    return parameter->name && parameter->name[strspn(parameter->name, PARAMETER_NAME)] == '\0' && parameter->value &&
           parameter->value[strspn(parameter->value, PARAMETER_VALUE)] == '\0';
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    const FilterParameter *const *one = a, *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

static void complete_parameters(GPtrArray *parameters)
{
    for (guint i = parameters->len; i-- > 0;)
        if (!is_parameter(parameters->pdata[i]))
            filter_parameter_free(g_ptr_array_steal_index(parameters, i));
    g_ptr_array_sort(parameters, by_name);
}

void filter_ref_complete(FilterRef *ref)
{
    if (ref)
        complete_parameters(ref->parameters);
}

/* --- documents --- */

Nwfilter *nwfilter_read(XmlDocument *document, GError **error)
{
    if (!xml_check_root(document, "filter", error))
        return NULL;
    g_autoptr(Nwfilter) filter = model_parse(&nwfilter_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!filter)
        return NULL;
    if (strchr(filter->name, '/')) {
        error_set(error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: %c", '/');
        return NULL;
    }
    if (!complete_chain(filter, error))
        return NULL;
    if (!filter->uuid.set)
        uuid_generate(filter->uuid.bytes);
    filter->uuid.set = TRUE;
    for (guint i = 0; i < filter->entries->len; i++) {
        NwfilterEntry *entry = filter->entries->pdata[i];
        if (entry->element == NWFILTER_ELEMENT_FILTERREF)
            complete_parameters(entry->parameters);
        else if (!complete_rule(entry, error))
            return NULL;
    }
    return g_steal_pointer(&filter);
}

NwfilterBinding *nwfilter_binding_read(XmlDocument *document, GError **error)
{
    if (!xml_check_root(document, "filterbinding", error))
        return NULL;
    g_autoptr(NwfilterBinding) binding =
        model_parse(&nwfilter_binding_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!binding)
        return NULL;
    if (!binding->filterref->filter) {
        REFUSE(error, VIR_ERR_INTERNAL_ERROR, "filter binding has no filter reference");
        return NULL;
    }
    filter_ref_complete(binding->filterref);
    return g_steal_pointer(&binding);
}
