/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: a domain's share of the host's disks, in all and by device. */
#include <string.h>

#include "daemon/core/vm-ops-tune.h"
#include "daemon/core/wire-params.h"
#include "lib/error.h"
#include "lib/params-check.h"

/* A value of each device, written as "PATH,VALUE,PATH,VALUE". */
static const struct {
    const char *field;
    gsize offset; /* in BlkioDevice */
    gboolean wide;
} columns[] = {
    {VIR_DOMAIN_BLKIO_DEVICE_WEIGHT, offsetof(BlkioDevice, weight), FALSE},
    {VIR_DOMAIN_BLKIO_DEVICE_READ_IOPS, offsetof(BlkioDevice, read_iops_sec), FALSE},
    {VIR_DOMAIN_BLKIO_DEVICE_WRITE_IOPS, offsetof(BlkioDevice, write_iops_sec), FALSE},
    {VIR_DOMAIN_BLKIO_DEVICE_READ_BPS, offsetof(BlkioDevice, read_bytes_sec), TRUE},
    {VIR_DOMAIN_BLKIO_DEVICE_WRITE_BPS, offsetof(BlkioDevice, write_bytes_sec), TRUE},
};
#define COLUMNS G_N_ELEMENTS(columns)

static gboolean no_group(GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "%s", "blkio cgroup isn't mounted");
}

static guint64 get_cell(const BlkioDevice *device, guint column)
{
    const char *place = (const char *)device + columns[column].offset;
    guint64 wide = columns[column].wide ? *(const guint64 *)(gconstpointer)place : 0;
    guint32 narrow = columns[column].wide ? 0 : *(const guint32 *)(gconstpointer)place;
    return columns[column].wide ? wide == UNSET64 ? 0 : wide : narrow == UNSET32 ? 0 : narrow;
}

static void set_cell(BlkioDevice *device, guint column, guint64 value)
{
    char *place = (char *)device + columns[column].offset;
    if (columns[column].wide)
        *(guint64 *)(gpointer)place = value ? value : UNSET64;
    else
        *(guint32 *)(gpointer)place = value ? (guint32)value : UNSET32;
}

/* --- asking --- */

static char *format_column(const Blkiotune *tune, guint column)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; tune && i < tune->devices->len; i++) {
        const BlkioDevice *device = tune->devices->pdata[i];
        guint64 value = get_cell(device, column);
        if (value)
            g_string_append_printf(text, "%s%s,%" G_GUINT64_FORMAT, text->len ? "," : "", device->path, value);
    }
    return g_string_free(text, FALSE);
}

gboolean remote_domain_get_blkio_parameters(Call *call, const RemoteDomainGetBlkioParametersArgs *args,
                                            RemoteDomainGetBlkioParametersRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autoptr(VmView) view = vm ? vm_view(vm) : NULL;
    g_autoptr(Params) params = params_new();
    ret->nparams = COLUMNS + 1;
    if (vm && args->nparams == 0)
        return TRUE;
    const Domain *def = view ? ops_affected(vm, view, args->flags, error) : NULL;
    if (!def || (def == view->live && !no_group(error)))
        return FALSE;
    const Blkiotune *tune = def->blkiotune;
    params_uint(params, tune && tune->weight != UNSET32 ? tune->weight : 0, "%s", VIR_DOMAIN_BLKIO_WEIGHT);
    for (guint i = 0; i < COLUMNS && (args->flags & VIR_TYPED_PARAM_STRING_OKAY); i++) {
        g_autofree char *text = format_column(tune, i);
        params_string(params, text, "%s", columns[i].field);
    }
    ret->params = ops_some_params(params, args->nparams, &ret->n_params);
    ret->nparams = ret->n_params;
    return TRUE;
}

/* --- setting --- */

static gboolean malformed(const Param *param, GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unable to parse blkio device '%s' '%s'", param->field,
                     param->value.s);
}

/* The device of PATH; made if there is none. */
static BlkioDevice *device_of(Blkiotune *tune, const char *path)
{
    for (guint i = 0; i < tune->devices->len; i++) {
        BlkioDevice *device = tune->devices->pdata[i];
        if (g_strcmp0(device->path, path) == 0)
            return device;
    }
    BlkioDevice *device = blkio_device_new();
    device->path = g_strdup(path);
    g_ptr_array_add(tune->devices, device);
    return device;
}

static gboolean set_column(Blkiotune *tune, guint column, const Param *param, GError **error)
{
    g_auto(GStrv) words = g_strsplit(param->value.s, ",", -1);
    guint n = g_strv_length(words);
    if (n % 2)
        return malformed(param, error);
    for (guint i = 0; i < n; i += 2) {
        guint64 value;
        if (!*words[i] ||
            !g_ascii_string_to_unsigned(words[i + 1], 10, 0, columns[column].wide ? G_MAXUINT64 - 1 : G_MAXUINT32 - 1, &value, NULL))
            return malformed(param, error);
        set_cell(device_of(tune, words[i]), column, value);
    }
    return TRUE;
}

static void drop_empty(GPtrArray *devices)
{
    for (guint i = devices->len; i > 0; i--) {
        const BlkioDevice *device = devices->pdata[i - 1];
        guint64 any = 0;
        for (guint column = 0; column < COLUMNS; column++)
            any |= get_cell(device, column);
        if (!any)
            blkio_device_free(g_ptr_array_steal_index(devices, i - 1));
    }
}

static gboolean edit_values(Domain *def, gpointer data, GError **error)
{
    const Params *params = data;
    const Param *weight = params_find(params, VIR_DOMAIN_BLKIO_WEIGHT);
    if (!def->blkiotune)
        def->blkiotune = blkiotune_new();
    if (weight)
        def->blkiotune->weight = weight->value.ui ? weight->value.ui : UNSET32;
    for (guint i = 0; i < COLUMNS; i++) {
        const Param *column = params_find(params, columns[i].field);
        if (column && !set_column(def->blkiotune, i, column, error))
            return FALSE;
    }
    drop_empty(def->blkiotune->devices);
    return TRUE;
}

gboolean remote_domain_set_blkio_parameters(Call *call, const RemoteDomainSetBlkioParametersArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Params) params = wire_params_read(args->params, args->n_params);
    ParamKnown known[COLUMNS + 1] = {{VIR_DOMAIN_BLKIO_WEIGHT, VIR_TYPED_PARAM_UINT}};
    OpsAffect affect;
    for (guint i = 0; i < COLUMNS; i++)
        known[i + 1] = (ParamKnown){columns[i].field, VIR_TYPED_PARAM_STRING};
    if (!params_check(params, known, COLUMNS + 1, error) || !vm_check_present(vm, error) ||
        !ops_affect(vm, view, args->flags, &affect, error))
        return FALSE;
    return affect.live ? no_group(error) : ops_edit(vm, affect, edit_values, params, error);
}
