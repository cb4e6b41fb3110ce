/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A display that runs gets another password; nothing else of it can change. The refusals are libvirt's, in its order.
 */
#include "daemon/core/vm-ops-update.h"
#include "lib/error.h"

static gboolean refuse(GError **error, const char *text, const Graphics *graphics)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, text,
                     graphics_type_to_string(graphics->type));
}

static const Graphics *find(const Domain *live, const Graphics *wanted, GError **error)
{
    for (guint i = 0; i < live->devices->graphics->len; i++) {
        const Graphics *graphics = live->devices->graphics->pdata[i];

        if (graphics->type == wanted->type)
            return graphics;
    }
    error_set(error, VIR_FROM_QEMU, VIR_ERR_DEVICE_MISSING,
              "cannot find existing graphics device to modify of type '%s'", graphics_type_to_string(wanted->type));
    return NULL;
}

static gboolean check_listens(const Graphics *old, const Graphics *wanted, GError **error)
{
    /* what says nothing listens on an address that is not known yet */
    if (old->listens->len != MAX(wanted->listens->len, 1))
        return refuse(error, "cannot change the number of listen addresses on '%s' graphics", old);
    for (guint i = 0; i < old->listens->len; i++) {
        const GraphicsListen *one = old->listens->pdata[i];
        const GraphicsListen *other = i < wanted->listens->len ? wanted->listens->pdata[i] : NULL;

        if ((other ? other->type : LISTEN_TYPE_ADDRESS) != one->type)
            return refuse(error, "cannot change the type of listen address on '%s' graphics", old);
        if (g_strcmp0(one->address, other ? other->address : wanted->listen) != 0 ||
            g_strcmp0(one->network, other ? other->network : NULL) != 0 ||
            g_strcmp0(one->socket, other ? other->socket : NULL) != 0)
            return refuse(error, "cannot change listen address setting on '%s' graphics", old);
    }
    return TRUE;
}

static gboolean is_auto(const Graphics *graphics)
{
    return graphics->autoport == TOGGLE_ON;
}

static gboolean check(const Graphics *old, const Graphics *wanted, GError **error)
{
    gboolean ports = is_auto(old) != is_auto(wanted) ||
                     (!is_auto(wanted) && (old->port != wanted->port || old->tls_port != wanted->tls_port));

    if (wanted->type != GRAPHICS_TYPE_VNC && wanted->type != GRAPHICS_TYPE_SPICE)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "unable to change config on '%s' graphics type", graphics_type_to_string(wanted->type));
    if (wanted->type == GRAPHICS_TYPE_VNC && wanted->connected != PASSWORD_CONNECTED_UNSET &&
        wanted->connected != PASSWORD_CONNECTED_KEEP)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "VNC supports connected='keep' only");
    if (!check_listens(old, wanted, error))
        return FALSE;
    if (ports)
        return refuse(error, "cannot change port settings on %s graphics", old);
    return g_strcmp0(old->keymap, wanted->keymap) == 0 ||
           refuse(error, "cannot change keymap setting on %s graphics", old);
}

gboolean update_graphics_live(Call *call, const Domain *live, const Graphics *wanted, GError **error)
{
    const DriverInstance *instance = call->vm->instance;
    const DriverDeviceOps *ops = instance->driver->device;
    const Graphics *old = find(live, wanted, error);

    if (!old || !check(old, wanted, error))
        return FALSE;
    if (!ops || !ops->set_password)
        return ops_not_offered(call, error);
    return vm_check_monitor(call->vm, error) && ops->set_password(instance->self, call->vm, wanted, error);
}
