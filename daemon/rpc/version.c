/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/version.h"

/* Migration's features (3 to 7, 12, 13) come with migration. */
static const Feature features[] = {
    FEATURE_FD_PASSING,
    FEATURE_TYPED_PARAM_STRING,
    FEATURE_PROGRAM_KEEPALIVE,
    FEATURE_XML_MIGRATABLE,
    FEATURE_REMOTE_EVENT_CALLBACK,
    FEATURE_REMOTE_CLOSE_CALLBACK,
    FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER,
};

gboolean version_has_feature(int number)
{
    for (gsize i = 0; i < G_N_ELEMENTS(features); i++) {
        if ((int)features[i] == number)
            return TRUE;
    }
    return FALSE;
}
