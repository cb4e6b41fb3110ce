/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/chardev.h"
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

#define CERTIFICATES 3
#define DATABASE "/etc/pki/nssdb" /* where NSS keeps certificates */

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Smartcard *card = device;

    CHARDEV_COMPLETE(card);
    return TRUE;
}

static ChardevView view_of(const Smartcard *card)
{
    ChardevView view = CHARDEV_VIEW(card);

    view.spice = "smartcard";
    return view;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Smartcard *card = device;
    ChardevView view = view_of(card);

    if (card->mode == SMARTCARD_MODE_HOST_CERTIFICATES && card->certificates->len != CERTIFICATES)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "host-certificates mode needs exactly three certificates");
    if (card->database && !g_path_is_absolute(card->database))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "expecting absolute path: %s", card->database);
    if (def->devices->smartcards->len > 1 ||
        (card->address && card->address->type == ADDRESS_TYPE_CCID && (card->address->controller || card->address->slot)))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "this QEMU binary lacks multiple smartcard support");
    return card->mode != SMARTCARD_MODE_PASSTHROUGH || chardev_validate(def, &view, error);
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    const Smartcard *card = device;
    ChardevView view = view_of(card);

    return card->mode != SMARTCARD_MODE_PASSTHROUGH || ((!context->touch_host || chardev_check_host(&view, error)) &&
                                                        chardev_prepare(&view, card->alias->name, context, error));
}

static void release(const Domain *live, gconstpointer device)
{
    const Smartcard *card = device;
    ChardevView view = view_of(card);

    if (card->mode == SMARTCARD_MODE_PASSTHROUGH)
        chardev_release(&view);
}

static void add_certificates(const Smartcard *card, JsonObject *props)
{
    props_string(props, "backend", "certificates");
    for (guint i = 0; i < card->certificates->len; i++) {
        g_autofree char *key = g_strdup_printf("cert%u", i + 1);

        props_string(props, key, ((const SmartcardCertificate *)g_ptr_array_index(card->certificates, i))->value);
    }
    props_string(props, "db", card->database ? card->database : DATABASE);
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Smartcard *card = device;
    gboolean through = card->mode == SMARTCARD_MODE_PASSTHROUGH;
    ChardevView view = view_of(card);
    JsonObject *props;

    if (through && !chardev_build(&view, card->alias->name, context, parts, error))
        return FALSE;
    props = props_new("driver", through ? "ccid-card-passthru" : "ccid-card-emulated");
    if (through)
        props_format(props, "chardev", "char%s", card->alias->name);
    else if (card->mode == SMARTCARD_MODE_HOST_CERTIFICATES)
        add_certificates(card, props);
    else
        props_string(props, "backend", "nss-emulated");
    props_string(props, "id", card->alias->name);
    props_string(props, "bus", "ccid0.0");
    parts_add(parts, PART_DEVICE, props);
    return TRUE;
}

const DeviceKind device_smartcard = {
    .name = "smartcard", .offset = offsetof(Devices, smartcards), .alias = offsetof(Smartcard, alias),
    .address = offsetof(Smartcard, address), .prefix = "smartcard", .complete = complete, .validate = validate,
    .prepare = prepare, .release = release, .build = build,
};
