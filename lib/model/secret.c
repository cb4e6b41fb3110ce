/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/secret.h"

#include "lib/uuid.h"

Secret *secret_read(XmlDocument *document, GError **error)
{
    if (!xml_check_root(document, "secret", error))
        return NULL;
    g_autoptr(Secret) secret = model_parse(&secret_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!secret)
        return NULL;
    if (!secret->uuid.set)
        uuid_generate(secret->uuid.bytes);
    secret->uuid.set = TRUE;
    if (secret->usage && secret->usage->type == SECRET_USAGE_TYPE_NONE)
        g_clear_pointer(&secret->usage, secret_usage_free);
    return g_steal_pointer(&secret);
}
