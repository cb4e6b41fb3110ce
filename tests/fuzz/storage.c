/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools and volumes, by the first octet: what is accepted comes out as a text that is accepted again and stays as it is. */
#include <string.h>

#include "lib/model/storage-pool.h"
#include "lib/xml.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

static gpointer read_one(const char *text, guint what, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(text, "(fuzz)", error);

    if (!document)
        return NULL;
    if (what == 0)
        return storage_pool_read(document, error);
    return storage_volume_read(document, (StoragePoolType)(what % (STORAGE_POOL_TYPE_LAST + 1)), what >> 5 & 3, error);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    g_autoptr(GError) error = NULL, fault = NULL;
    guint what = length > 0 ? data[0] - '0' : 0;
    const ModelType *type = what == 0 ? &storage_pool_type : &storage_volume_type;
    g_autofree char *text = length > 0 ? g_strndup((const char *)data + 1, length - 1) : g_strdup("");
    gpointer one = read_one(text, what, &error);

    if (!one == !error)
        __builtin_trap();
    if (!one)
        return 0;
    g_autofree char *first = model_format_text(type, one, MODEL_FORMAT_SECURE);
    gpointer again = read_one(first, what, &fault);
    if (!again)
        g_error("%s\n%s", fault->message, first);
    g_autofree char *second = model_format_text(type, again, MODEL_FORMAT_SECURE);
    if (!g_str_equal(first, second))
        g_error("not stable:\n%s\n%s", first, second);
    if (what == 0) {
        g_autofree char *clean = storage_pool_path(one) ? storage_path_clean(storage_pool_path(one)) : NULL;
        storage_pool_unref(one);
        storage_pool_unref(again);
    } else {
        storage_volume_unref(one);
        storage_volume_unref(again);
    }
    return 0;
}
