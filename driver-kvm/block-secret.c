/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/block-secret.h"

#include <string.h>

#include "driver-kvm/block.h"
#include "driver-kvm/guest-secret.h"
#include "lib/error.h"

static const GPtrArray *cookies_of(const DiskImage *image)
{
    const DiskCookies *cookies = image->type == STORAGE_TYPE_NETWORK ? image->source->cookies : NULL;

    return cookies && cookies->cookies->len ? cookies->cookies : NULL;
}

char *block_secret_password(const DiskImage *image)
{
    g_autofree char *node = block_storage_node(image->index);

    return image->type == STORAGE_TYPE_NETWORK && image->auth ? guest_secret_id(node, "auth", 0) : NULL;
}

char *block_secret_cookies(const DiskImage *image)
{
    g_autofree char *node = block_storage_node(image->index);

    return cookies_of(image) ? guest_secret_id(node, "httpcookie", 0) : NULL;
}

char *block_secret_passphrase(const DiskImage *image)
{
    g_autofree char *node = block_image_node(image->index);

    return image->encryption && image->encryption->secrets->len ? guest_secret_id(node, "encryption", 0) : NULL;
}

static SecretWish wish_for(SecretUsageType type, const Uuid *uuid, const char *usage)
{
    return (SecretWish){type, uuid->set ? uuid->bytes : NULL, usage};
}

static gboolean take_password(const DiskImage *image, ArgvContext *context, GError **error)
{
    g_autofree char *id = block_secret_password(image);

    if (!id)
        return TRUE;
    const SecretRef *secret = image->auth->secret;
    SecretWish wish = wish_for(image->source->protocol == STORAGE_PROTOCOL_RBD ? SECRET_USAGE_TYPE_CEPH : SECRET_USAGE_TYPE_ISCSI,
                               &secret->uuid, secret->usage);
    return guest_secret_take(context, id, &wish, error);
}

/* As a browser would send them. Values are not encoded: the document has them as the server gave them. */
static gboolean take_cookies(const DiskImage *image, ArgvContext *context, GError **error)
{
    const GPtrArray *cookies = cookies_of(image);
    g_autofree char *id = block_secret_cookies(image);
    g_autoptr(GString) line = g_string_new(NULL);

    for (guint i = 0; cookies && i < cookies->len; i++) {
        const DiskCookie *cookie = cookies->pdata[i];
        g_string_append_printf(line, "%s%s=%s", i ? "; " : "", cookie->name, cookie->value ? cookie->value : "");
    }
    gboolean taken = !id || guest_secret_take_text(context, id, line->str, error);
    explicit_bzero(line->str, line->len);
    return taken;
}

static gboolean take_passphrase(const DiskImage *image, ArgvContext *context, GError **error)
{
    const StorageEncryption *encryption = image->encryption;
    g_autofree char *id = block_secret_passphrase(image);

    if (!encryption)
        return TRUE;
    if (!id)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "disk '%s': the encryption of an image names no secret",
                         image->disk->target->dev);
    if (encryption->secrets->len > 1)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s': an image with several secrets is not supported by this driver",
                         image->disk->target->dev);
    const EncryptionSecret *secret = encryption->secrets->pdata[0];
    SecretWish wish = wish_for(SECRET_USAGE_TYPE_VOLUME, &secret->uuid, secret->usage);
    return guest_secret_take(context, id, &wish, error);
}

static gboolean take(const DiskImage *image, ArgvContext *context, GError **error)
{
    return take_password(image, context, error) && take_cookies(image, context, error) && take_passphrase(image, context, error);
}

gboolean block_secret_take(const Disk *disk, ArgvContext *context, GError **error)
{
    DiskImage image = disk_image(disk);

    if (!block_has_medium(disk))
        return TRUE;
    gboolean taken = take(&image, context, error);
    for (const DiskBackingStore *store = disk->backing_store; taken && store && store->source; store = store->backing_store) {
        image = disk_image_behind(disk, store);
        taken = take(&image, context, error);
    }
    return taken;
}

void block_secret_build(const DiskImage *image, const ArgvContext *context, GPtrArray *parts)
{
    g_autofree char *password = block_secret_password(image);
    g_autofree char *passphrase = block_secret_passphrase(image);
    g_autofree char *cookies = block_secret_cookies(image);
    const char *const ids[] = {password, passphrase, cookies};

    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++)
        if (ids[i])
            guest_secret_build(context, ids[i], parts);
}
