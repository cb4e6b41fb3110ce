/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/vm-save.h"

#include <string.h>

#include "lib/error.h"

gboolean vm_save_check_flags(guint flags, GError **error)
{
    return (flags & VM_SAVE_STATE_FLAGS) != VM_SAVE_STATE_FLAGS ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "running and paused flags are mutually exclusive");
}

static gboolean wrong(GError **error, virErrorNumber code, const char *text, const char *field)
{
    return error_set(error, VIR_FROM_DOMAIN, code, "parameter '%s' %s", field, text);
}

/* Where the value of FIELD goes; NULL: nobody knows it. */
static const char **place_of(const char *field, const char **path, const char **xml)
{
    if (strcmp(field, VIR_DOMAIN_SAVE_PARAM_FILE) == 0)
        return path;
    return strcmp(field, VIR_DOMAIN_SAVE_PARAM_DXML) == 0 ? xml : NULL;
}

gboolean vm_save_params(const RemoteTypedParam *params, guint n, const char **ret_path, const char **ret_xml,
                        GError **error)
{
    const char *path = NULL, *xml = NULL;
    for (guint i = 0; i < n; i++) {
        const char **place = place_of(params[i].field, &path, &xml);
        if (!place)
            return wrong(error, VIR_ERR_ARGUMENT_UNSUPPORTED, "not supported", params[i].field);
        if (params[i].value.type != VIR_TYPED_PARAM_STRING)
            return wrong(error, VIR_ERR_INVALID_ARG, "must be a string", params[i].field);
        if (*place)
            return wrong(error, VIR_ERR_INVALID_ARG, "occurs multiple times", params[i].field);
        *place = params[i].value.s;
    }
    if (!path)
        return wrong(error, VIR_ERR_INVALID_ARG, "is missing", VIR_DOMAIN_SAVE_PARAM_FILE);
    *ret_path = path;
    *ret_xml = xml;
    return TRUE;
}
