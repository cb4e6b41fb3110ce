/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A QEMU binary's abilities: by the first octet what the probe answered, or what a cache's file has. */
#include <string.h>

#include "driver-kvm/caps-form.h"
#include "driver-kvm/caps.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

static void ask(const Caps *caps)
{
    const GPtrArray *machines = caps_machines(caps);

    caps_binary(caps);
    caps_arch(caps);
    caps_package(caps);
    caps_machine(caps, "q35");
    for (guint i = 0; i < machines->len; i++)
        caps_machine(caps, ((const CapsMachine *)machines->pdata[i])->name);
    for (guint i = 0; i < CAPS_N_ACCELS; i++) {
        caps_cpus(caps, i);
        caps_cpu(caps, i, "qemu64");
        caps_best(caps, i);
        caps_has_accel(caps, i);
    }
    caps_has_type(caps, "virtio-blk-pci");
    caps_device_has_property(caps, "virtio-blk-pci", "drive");
    caps_has_command(caps, "blockdev-add");
    caps_has_event(caps, "STOP");
    caps_has_argument(caps, "blockdev-add", "+qcow2/lazy-refcounts");
    caps_has_argument(caps, "screendump", "format/=png");
    caps_has_argument(caps, "blockdev-add", "@unstable");
    caps_has_answer(caps, "query-cpus-fast", "thread-id");
    caps_has_option(caps, "smp-opts", "dies");
}

static Caps *load(const guint8 *data, gsize length)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, length);
    g_autoptr(GVariant) form = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(CAPS_FORM), bytes, FALSE));

    return g_variant_is_normal_form(form) ? caps_new(form) : NULL;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    g_autofree char *text = g_strndup((const char *)data, length);
    g_autoptr(Caps) caps = length > 0 && data[0] == '{' ? caps_parse(text, NULL) : length > 1 ? load(data + 1, length - 1) : NULL;

    if (caps)
        ask(caps);
    return 0;
}
