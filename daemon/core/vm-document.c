/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/vm-document.h"

#include <string.h>

#include "daemon/core/core-config.h"
#include "daemon/core/host.h"
#include "daemon/core/place.h"
#include "lib/log.h"
#include "lib/model/domain-migratable.h"
#include "lib/uuid.h"

#define WARNINGS_MAX 20

static char *text_of(const XmlNode *node, const char *name)
{
    const XmlNode *child = node ? xml_child(node, name) : NULL;
    return child ? xml_content(child) : NULL;
}

static gboolean is_nothing(const char *text)
{
    return !text || text[0] == '\0';
}

/* What libvirt asks before all else, in its order and words; the schema's own would come in another. */
static gboolean check_identity(const XmlNode *root, GError **error)
{
    g_autofree char *name = text_of(root, "name"), *uuid = text_of(root, "uuid");
    g_autofree char *type = xml_attribute(root, "type");
    guint8 bytes[UUID_BYTES];
    if (is_nothing(name))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_NO_NAME, NULL);
    if (uuid && !uuid_parse(uuid, bytes))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "malformed uuid element");
    if (is_nothing(type))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "missing domain type attribute");
    return domain_type_from_string(type) != DOMAIN_TYPE_UNSET ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "invalid domain type %s", type);
}

/* A boot loader finds out for itself. */
static gboolean check_os(const XmlNode *root, GError **error)
{
    g_autofree char *type = text_of(xml_child(root, "os"), "type");
    if (xml_child(root, "bootloader"))
        return TRUE;
    if (is_nothing(type))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "an os <type> must be specified");
    return os_type_from_string(type) != OS_TYPE_UNSET ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "unknown OS type '%s'", type);
}

static gboolean check_text(const Domain *definition, GError **error)
{
    if (strchr(definition->name, '\n'))
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: %s", "\n");
    return !definition->title || !strchr(definition->title, '\n') ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Domain title can't contain newlines");
}

/* What a definition says in vain is no error, but somebody wants to know: who reads the log, or asks for the domain's messages. */
static void note_warnings(Domain *definition, const GPtrArray *warnings)
{
    LogContext context = {.domain = definition->name};
    log_context_enter(&context);
    for (guint i = 0; i < warnings->len && i < WARNINGS_MAX; i++) {
        Ignored *one = ignored_new();
        one->value = g_strdup(warnings->pdata[i]);
        g_ptr_array_add(definition->ignored, one);
        log_line(LOG_NOTICE, "its definition: %s", one->value);
    }
    if (warnings->len > WARNINGS_MAX)
        log_line(LOG_NOTICE, "its definition: %u more", warnings->len - WARNINGS_MAX);
    log_context_leave(&context);
}

static gboolean validates(XmlDocument *document, GError **error)
{
    g_autofree char *schema = place_of("lib/model/domain.rng", SCHEMA_FOLDER "/domain.rng");
    return xml_validate(document, schema, error);
}

static XmlDocument *parse(const char *xml, GError **error)
{
    XmlDocument *document = xml_parse(xml, "domain", error);
    if (!document && error && error_is(*error, VIR_ERR_XML_DETAIL))
        (*error)->domain = error_domain(VIR_FROM_DOMAIN); /* whose document it is, as libvirt has it */
    return document;
}

Domain *vm_document_read(const DriverInstance *instance, const char *xml, gboolean validate, GError **error)
{
    g_autoptr(XmlDocument) document = parse(xml, error);
    if (!document || !xml_check_root(document, "domain", error) || (validate && !validates(document, error)) ||
        !check_identity(xml_root(document), error) || !check_os(xml_root(document), error))
        return NULL;
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Domain) definition = model_parse(&domain_type, xml_root(document), MODEL_PARSE_INACTIVE, warnings, error);
    if (!definition || !check_text(definition, error) ||
        !instance->driver->definition->complete(instance->self, definition, DRIVER_COMPLETE_DEFINE, error))
        return NULL;
    note_warnings(definition, warnings);
    return g_steal_pointer(&definition);
}

static void forget_terminals(GPtrArray *chardevs)
{
    for (guint i = 0; i < chardevs->len; i++) {
        Chardev *device = chardevs->pdata[i];
        if (device->type != CHARDEV_TYPE_PTY)
            continue;
        g_clear_pointer(&device->source, chardev_source_free);
        g_clear_pointer(&device->tty, g_free);
    }
}

static void forget_ports(GPtrArray *graphics)
{
    for (guint i = 0; i < graphics->len; i++) {
        Graphics *display = graphics->pdata[i];
        if (display->autoport == TOGGLE_ON)
            display->port = -1;
    }
}

/* A transient domain has no other definition than the one that runs; libvirt shows that without terminals and ports. */
static char *show_transient(const VmView *view, guint format)
{
    g_autoptr(Domain) definition = domain_copy(view->live);
    definition->id = -1;
    forget_terminals(definition->devices->serials);
    forget_terminals(definition->devices->parallels);
    forget_terminals(definition->devices->consoles);
    forget_terminals(definition->devices->channels);
    forget_ports(definition->devices->graphics);
    return model_format_text(&domain_type, definition, format);
}

char *vm_document_show(const VmView *view, guint flags)
{
    const Domain *kept = view->next ? view->next : view->former;
    guint format = 0;
    if (flags & VIR_DOMAIN_XML_MIGRATABLE)
        return domain_migratable_text(flags & VIR_DOMAIN_XML_INACTIVE && kept ? kept : vm_view_def(view),
                                      host_paths()->run);
    if (flags & VIR_DOMAIN_XML_SECURE)
        format |= MODEL_FORMAT_SECURE;
    if (!(flags & VIR_DOMAIN_XML_INACTIVE))
        return model_format_text(&domain_type, vm_view_def(view), format);
    if (!kept)
        return show_transient(view, format);
    return model_format_text(&domain_type, kept, format | MODEL_FORMAT_INACTIVE);
}
