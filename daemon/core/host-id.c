/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-id.h"

#include <string.h>

#include "daemon/core/host-sysinfo.h"
#include "daemon/core/host.h"
#include "lib/file.h"
#include "lib/uuid.h"

/* What the file holds, if that is a UUID; else a new one, which it holds then. To free. */
static char *kept(GError **error)
{
    guint8 bytes[UUID_BYTES];
    char text[UUID_TEXT];
    g_autofree char *path = g_build_filename(host_paths()->state, "host-uuid", NULL);
    g_autofree char *old = file_read(path, 256, NULL, NULL);
    gboolean usable = old && uuid_parse(old, bytes);
    if (!usable)
        uuid_generate(bytes);
    uuid_format(bytes, text);
    if (!usable && !file_replace(path, text, -1, 0644, error))
        return NULL;
    return g_strdup(text);
}

const char *host_id(GError **error)
{
    static GMutex lock;
    static char *id;
    g_mutex_lock(&lock);
    if (!id)
        id = host_sysinfo_uuid("");
    if (!id)
        id = kept(error);
    g_mutex_unlock(&lock);
    return id;
}
