/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A trusted platform module: one that a process beside QEMU emulates (tpm.h), somebody else's, or the host's. */
#include "driver-kvm/device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "driver-kvm/caps.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

#define DEFAULT_PATH "/dev/tpm0"
#define UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Tpm *tpm = device;
    TpmBackend *backend = tpm->backend;

    if (tpm->model == TPM_MODEL_UNSET)
        tpm->model = machine_is_ppc64(def) ? TPM_MODEL_TPM_SPAPR : TPM_MODEL_TPM_TIS;
    if (backend->type == TPM_BACKEND_TYPE_EMULATOR && backend->version == TPM_VERSION_UNSET)
        backend->version =
            tpm->model == TPM_MODEL_TPM_TIS && !machine_has(def, MACHINE_GIC) ? TPM_VERSION_1_2 : TPM_VERSION_2_0;
    if (backend->type != TPM_BACKEND_TYPE_PASSTHROUGH || (backend->device && backend->device->path))
        return TRUE;
    if (!backend->device)
        backend->device = tpm_device_new();
    backend->device->path = g_strdup(DEFAULT_PATH);
    return TRUE;
}

/* What hands ppc64's secure guests to the host's TPM, beside one of the guest's own. */
static gboolean is_proxy(const Tpm *tpm)
{
    return tpm->model == TPM_MODEL_SPAPR_TPM_PROXY;
}

static guint number(const Domain *def, gboolean proxies)
{
    guint n = 0;

    for (guint i = 0; i < def->devices->tpms->len; i++)
        n += is_proxy(g_ptr_array_index(def->devices->tpms, i)) == proxies;
    return n;
}

static const char *driver_of(const Domain *def, const Tpm *tpm)
{
    return tpm->model == TPM_MODEL_TPM_TIS && !machine_is_x86(def) ? "tpm-tis-device" : tpm_model_to_string(tpm->model);
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Tpm *tpm = device;
    const TpmBackend *backend = tpm->backend;
    const char *model = tpm_model_to_string(tpm->model);

    if (backend->type == TPM_BACKEND_TYPE_EXTERNAL && !(backend->source && backend->source->type == TPM_SOURCE_TYPE_UNIX))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "missing external TPM backend type");
    if (backend->active_pcr_banks && backend->version != TPM_VERSION_2_0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "<active_pcr_banks/> requires TPM version '2.0'");
    if (number(def, is_proxy(tpm)) > 1)
        return error_set(error, UNSUPPORTED,
                         is_proxy(tpm) ? "only a single TPM Proxy device is supported"
                                       : "only a single TPM non-proxy device is supported");
    if (backend->version == TPM_VERSION_1_2 && tpm->model == TPM_MODEL_TPM_SPAPR)
        return error_set(error, UNSUPPORTED, "TPM 1.2 is not supported with the SPAPR device model");
    if (backend->version == TPM_VERSION_1_2 && machine_has(def, MACHINE_GIC))
        return error_set(error, UNSUPPORTED, "TPM 1.2 is not supported on ARM");
    if (backend->version == TPM_VERSION_1_2 && tpm->model != TPM_MODEL_TPM_TIS)
        return error_set(error, UNSUPPORTED, "Unsupported interface '%s' for TPM 1.2", model);
    if (!caps_has_type(caps, backend->type == TPM_BACKEND_TYPE_PASSTHROUGH ? "tpm-passthrough" : "tpm-emulator"))
        return error_set(error, UNSUPPORTED, "The QEMU executable %s does not support TPM backend type %s",
                         def->devices->emulator, tpm_backend_type_to_string(backend->type));
    if (machine_is_ppc64(def) && is_proxy(tpm) && backend->type != TPM_BACKEND_TYPE_PASSTHROUGH)
        return error_set(error, UNSUPPORTED, "TPM Proxy model %s requires 'Passthrough' backend", model);
    return caps_has_type(caps, driver_of(def, tpm)) ||
           error_set(error, UNSUPPORTED, "The QEMU executable %s does not support TPM model %s", def->devices->emulator,
                     model);
}

/* Where the kernel is told to give up a command: beside the device in sysfs. */
static char *cancel_path(const char *path)
{
    const char *name = strrchr(path, '/');

    return g_strdup_printf("/sys/class/tpm/%s/device/cancel", name ? name + 1 : path);
}

static gboolean pass(const char *path, const char *what, const char *name, int flags, ArgvContext *context, GError **error)
{
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "Could not open TPM %s %s", what, path);
    argv_context_pass(context, fd, name);
    return TRUE;
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    const Tpm *tpm = device;
    const TpmBackend *backend = tpm->backend;

    if (backend->encryption) { /* swtpm is told it when it starts; what is wrong with it comes first */
        const SecretWish wish = {SECRET_USAGE_TYPE_VTPM, backend->encryption->secret.bytes, NULL};
        g_autoptr(SecretValue) value = context->find_secret(&wish, error);
        if (!value)
            return FALSE;
    }
    if (backend->type != TPM_BACKEND_TYPE_PASSTHROUGH || !context->touch_host || is_proxy(tpm))
        return TRUE;
    g_autofree char *cancel = cancel_path(backend->device->path);
    return pass(backend->device->path, "device", "tpm", O_RDWR, context, error) &&
           pass(cancel, "device's cancel path", "tpm-cancel", O_WRONLY, context, error);
}

static void add_descriptor(const ArgvContext *context, const char *name, guint set, const char *path, GString *text,
                           GPtrArray *parts)
{
    int number = argv_context_passed(context, name);
    g_autofree char *escaped = part_escape(path);

    if (number < 0) {
        g_string_append(text, escaped);
        return;
    }
    parts_add_option(parts, "-add-fd", g_strdup_printf("set=%u,fd=%d", set, number));
    g_string_append_printf(text, "/dev/fdset/%u", set);
}

static void build_host(const Tpm *tpm, const ArgvContext *context, GPtrArray *parts)
{
    GString *text = g_string_new(NULL);
    g_autofree char *cancel = cancel_path(tpm->backend->device->path);

    g_string_append_printf(text, "passthrough,id=tpm-%s,path=", tpm->alias->name);
    add_descriptor(context, "tpm", 0, tpm->backend->device->path, text, parts);
    g_string_append(text, ",cancel-path=");
    add_descriptor(context, "tpm-cancel", 1, cancel, text, parts);
    parts_add_option(parts, "-tpmdev", g_string_free(text, FALSE));
}

static void build_emulator(const Tpm *tpm, const ArgvContext *context, GPtrArray *parts)
{
    int number = argv_context_passed(context, tpm->alias->name);
    g_autofree char *own = g_strdup_printf("%s/swtpm.sock", context->private_dir);
    g_autofree char *path = part_escape(tpm->backend->type == TPM_BACKEND_TYPE_EXTERNAL ? tpm->backend->source->path : own);

    parts_add_option(parts, "-chardev", number >= 0 ? g_strdup_printf("socket,id=chrtpm,fd=%d", number)
                                                    : g_strdup_printf("socket,id=chrtpm,path=%s", path));
    parts_add_option(parts, "-tpmdev", g_strdup_printf("emulator,id=tpm-%s,chardev=chrtpm", tpm->alias->name));
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Tpm *tpm = device;
    g_autoptr(JsonObject) props = props_new("driver", driver_of(live, tpm));

    if (is_proxy(tpm)) {
        props_string(props, "id", tpm->alias->name);
        props_string(props, "host-path", tpm->backend->device->path);
        parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
        return TRUE;
    }
    if (tpm->backend->type == TPM_BACKEND_TYPE_PASSTHROUGH)
        build_host(tpm, context, parts);
    else
        build_emulator(tpm, context, parts);
    props_format(props, "tpmdev", "tpm-%s", tpm->alias->name);
    props_string(props, "id", tpm->alias->name);
    if (!device_address_props(live, tpm->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_tpm = {
    .name = "tpm", .offset = offsetof(Devices, tpms), .alias = offsetof(Tpm, alias), .address = offsetof(Tpm, address),
    .prefix = "tpm", .complete = complete, .validate = validate, .prepare = prepare, .build = build,
};
