/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-policy.h"

#include <string.h>

#include "lib/xml.h"

#define AFTER_MAX 256

const char *const host_stop_names[] = {[HOST_STOP_SAVE] = "save", [HOST_STOP_SHUTDOWN] = "shutdown",
                                       [HOST_STOP_OFF] = "off", [HOST_STOP_LEAVE] = "leave", NULL};

static void after_clear(gpointer data)
{
    g_free(((HostAfter *)data)->domain);
}

static gboolean is_ours(const XmlNode *node, const char *name)
{
    return g_strcmp0(xml_namespace(node), HOST_POLICY_URI) == 0 && (!name || g_str_equal(xml_name(node), name));
}

static XmlNode *find(XmlNode *node, const char *name)
{
    while (node && !is_ours(node, name))
        node = xml_next(node);
    return node;
}

static void complain(char **complaint, const XmlNode *node, const char *attribute, const char *value)
{
    if (!*complaint)
        *complaint = g_strdup_printf("in its metadata, namespace " HOST_POLICY_URI ": <%s %s='%.64s'> means nothing",
                                     xml_name(node), attribute, value);
}

static void read_number(const XmlNode *node, const char *name, guint max, guint *ret_number, char **complaint)
{
    g_autofree char *text = xml_attribute(node, name);
    guint64 number;

    if (!text)
        return;
    if (g_ascii_string_to_unsigned(text, 10, 0, max, &number, NULL))
        *ret_number = (guint)number;
    else
        complain(complaint, node, name, text);
}

/* The index in WORDS. */
static void read_word(const XmlNode *node, const char *name, const char *const *words, guint *ret_index, char **complaint)
{
    g_autofree char *text = xml_attribute(node, name);

    if (!text)
        return;
    for (guint i = 0; words[i]; i++) {
        if (g_str_equal(words[i], text)) {
            *ret_index = i;
            return;
        }
    }
    complain(complaint, node, name, text);
}

static void read_after(HostPolicy *policy, const XmlNode *node, char **complaint)
{
    static const char *const answers[] = {"no", "yes", NULL};
    HostAfter after = {xml_attribute(node, "domain"), FALSE};
    guint required = 0;

    read_word(node, "required", answers, &required, complaint);
    after.required = required != 0;
    if (after.domain && policy->after->len < AFTER_MAX) {
        g_array_append_val(policy->after, after);
        return;
    }
    complain(complaint, node, "domain", after.domain ? after.domain : "");
    g_free(after.domain);
}

static void read_start(HostPolicy *policy, const XmlNode *node, char **complaint)
{
    read_number(node, "order", HOST_ORDER_LAST, &policy->order, complaint);
    read_number(node, "delay", HOST_SECONDS_MAX, &policy->delay, complaint);
    for (XmlNode *one = find(xml_first(node), "after"); one; one = find(xml_next(one), "after"))
        read_after(policy, one, complaint);
}

static void read_stop(HostPolicy *policy, const XmlNode *node, char **complaint)
{
    read_word(node, "action", host_stop_names, &policy->stop, complaint);
    read_number(node, "timeout", HOST_SECONDS_MAX, &policy->stop_timeout, complaint);
}

HostPolicy *host_policy_new(const Domain *definition, const HostRules *rules, char **ret_complaint)
{
    HostPolicy *policy = g_new0(HostPolicy, 1);
    gboolean says = definition->metadata && strstr(definition->metadata, HOST_POLICY_URI);
    g_autoptr(XmlDocument) kept = says ? xml_parse(definition->metadata, "metadata", NULL) : NULL;
    XmlNode *host = kept ? find(xml_first(xml_root(kept)), "host") : NULL;
    XmlNode *start = host ? find(xml_first(host), "start") : NULL;
    XmlNode *stop = host ? find(xml_first(host), "stop") : NULL;

    *policy = (HostPolicy){.order = HOST_ORDER_LAST, .delay = rules->delay, .stop = rules->stop};
    policy->after = g_array_new(FALSE, FALSE, sizeof(HostAfter));
    g_array_set_clear_func(policy->after, after_clear);
    *ret_complaint = NULL;
    if (start)
        read_start(policy, start, ret_complaint);
    if (stop)
        read_stop(policy, stop, ret_complaint);
    return policy;
}

void host_policy_free(HostPolicy *policy)
{
    if (!policy)
        return;
    g_array_unref(policy->after);
    g_free(policy);
}
