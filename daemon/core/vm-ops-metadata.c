/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: title, description, and what other programs keep with a domain. */
#include <string.h>

#include "daemon/core/event.h"
#include "daemon/core/vm-ops.h"
#include "lib/xml-namespace.h"

#define ELEMENTS_MAX 1024 /* of other programs, in one domain */

static gboolean absent(GError **error)
{
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_NO_DOMAIN_METADATA, "Requested metadata element is not present");
}

static gboolean unknown_type(int type, GError **error)
{
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "unknown metadata type '%d'", type);
}

static XmlDocument *read_kept(const Domain *def)
{
    return def->metadata ? xml_parse(def->metadata, "metadata", NULL) : NULL;
}

static gboolean is_of(const XmlNode *node, const char *uri)
{
    return g_strcmp0(xml_namespace(node), uri) == 0;
}

/* --- get --- */

static char *get_element(const Domain *def, const char *uri, GError **error)
{
    g_autoptr(XmlDocument) kept = read_kept(def);
    XmlNode *node = kept ? xml_first(xml_root(kept)) : NULL;
    while (node && !is_of(node, uri))
        node = xml_next(node);
    if (node)
        return xml_serialize_bare(node, uri);
    absent(error);
    return NULL;
}

static char *get_text(const char *text, GError **error)
{
    if (!text)
        absent(error);
    return g_strdup(text);
}

static char *get(const Domain *def, int type, const char *uri, GError **error)
{
    switch (type) {
    case VIR_DOMAIN_METADATA_DESCRIPTION:
        return get_text(def->description, error);
    case VIR_DOMAIN_METADATA_TITLE:
        return get_text(def->title, error);
    case VIR_DOMAIN_METADATA_ELEMENT:
        return get_element(def, uri ? uri : "", error);
    default:
        unknown_type(type, error);
        return NULL;
    }
}

gboolean remote_domain_get_metadata(Call *call, const RemoteDomainGetMetadataArgs *args, RemoteDomainGetMetadataRet *ret,
                                    GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    const Domain *def = vm ? ops_affected(vm, view, args->flags, error) : NULL;
    if (def && ops_defer(call, view))
        return FALSE;
    ret->metadata = def ? get(def, args->type, args->uri, error) : NULL;
    return ret->metadata != NULL;
}

/* --- set --- */

typedef struct {
    int type;
    const char *text; /* title or description, or an element in its namespace; NULL: take it away */
    const char *uri;
} Change;

static void set_text(char **field, const char *text)
{
    g_free(*field);
    *field = text && text[0] ? g_strdup(text) : NULL;
}

/* The elements that stay, then the new one. White space is left as it is: the writer indents, and who asks gets back what
 * he gave. */
static gboolean set_element(Domain *def, const char *uri, const char *element, GError **error)
{
    g_autoptr(XmlDocument) kept = read_kept(def);
    g_autoptr(GString) all = g_string_new("<metadata>");
    guint n = element != NULL;
    for (XmlNode *node = kept ? xml_first(xml_root(kept)) : NULL; node; node = xml_next(node)) {
        g_autofree char *text = is_of(node, uri) ? NULL : xml_serialize(node);
        if (text)
            n++, g_string_append(all, text);
    }
    g_string_append_printf(all, "%s</metadata>", element ? element : "");
    if (n > ELEMENTS_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "a domain keeps at most %d elements", ELEMENTS_MAX);
    g_autoptr(XmlDocument) document = xml_parse(all->str, "metadata", error);
    if (!document)
        return FALSE;
    if (n || def->metadata) { /* an element that became empty stays, as libvirt has it */
        g_free(def->metadata);
        def->metadata = g_strdup(all->str);
    }
    return TRUE;
}

static gboolean edit(Domain *def, gpointer data, GError **error)
{
    const Change *change = data;
    if (change->type == VIR_DOMAIN_METADATA_ELEMENT)
        return set_element(def, change->uri, change->text, error);
    set_text(change->type == VIR_DOMAIN_METADATA_TITLE ? &def->title : &def->description, change->text);
    return TRUE;
}

/* As libvirt names it. */
static XmlDocument *parse_element(const char *text, GError **error)
{
    g_autoptr(GError) cause = NULL;
    XmlDocument *document = xml_parse(text, "metadata", &cause);
    const char *place = cause && error_is(cause, VIR_ERR_XML_DETAIL) ? strchr(cause->message, ')') : NULL;
    if (place)
        error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL, "(metadata_xml%s", place);
    else if (cause)
        g_propagate_error(error, g_steal_pointer(&cause));
    return document;
}

/* RET_TEXT: what the definition is to hold; NULL for nothing. */
static gboolean check_element(const RemoteDomainSetMetadataArgs *args, char **ret_text, GError **error)
{
    if (!args->uri || !xml_can_say(args->uri))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "an element needs a namespace");
    if (!args->metadata)
        return TRUE;
    if (!args->key)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "an element needs a prefix for its namespace");
    g_autoptr(XmlDocument) document = parse_element(args->metadata, error);
    *ret_text = document ? xml_serialize_named(xml_root(document), args->key, args->uri, error) : NULL;
    return *ret_text != NULL;
}

static gboolean check_text(const RemoteDomainSetMetadataArgs *args, char **ret_text, GError **error)
{
    if (args->metadata && !xml_can_say(args->metadata))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "the text cannot be kept in an XML document");
    if (args->type == VIR_DOMAIN_METADATA_TITLE && args->metadata && strchr(args->metadata, '\n'))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "metadata title can't contain newlines");
    *ret_text = g_strdup(args->metadata);
    return TRUE;
}

static gboolean check(const RemoteDomainSetMetadataArgs *args, char **ret_text, GError **error)
{
    if (args->type < 0 || args->type > VIR_DOMAIN_METADATA_ELEMENT)
        return unknown_type(args->type, error);
    return args->type == VIR_DOMAIN_METADATA_ELEMENT ? check_element(args, ret_text, error)
                                                     : check_text(args, ret_text, error);
}

gboolean remote_domain_set_metadata(Call *call, const RemoteDomainSetMetadataArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autofree char *text = NULL;
    OpsAffect affect;
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, args->flags, &affect, error) || !check(args, &text, error))
        return FALSE;
    Change change = {args->type, text, args->uri};
    if (!ops_edit(vm, affect, edit, &change, error))
        return FALSE;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, .metadata = {args->type, args->uri}};
    event_emit(vm, &event);
    return TRUE;
}
