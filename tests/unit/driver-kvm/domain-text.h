/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A definition from the devices' text alone, and the abilities of a recorded QEMU, for the tests beside this. */
#include "driver-kvm/complete.h"
#include "lib/file.h"

static inline Domain *domain_text_parse(const char *machine, const char *devices)
{
    g_autofree char *text =
        g_strdup_printf("<domain type='qemu'><name>test</name><memory>65536</memory><os><type arch='x86_64' machine='%s'>hvm"
                        "</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>%s</devices></domain>",
                        machine, devices);
    g_autoptr(XmlDocument) document = NULL;
    GError *error = NULL;
    Domain *def;

    document = xml_parse(text, "domain", &error);
    g_assert_no_error(error);
    def = model_parse(&domain_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, &error);
    g_assert_no_error(error);
    return def;
}

static inline Caps *domain_text_caps(void)
{
    g_autofree char *path = g_build_filename(g_getenv("KVM_CAPS"), "qemu-system-x86_64.json", NULL);
    GError *error = NULL;
    g_autofree char *text = file_read(path, 64 << 20, NULL, &error);
    Caps *caps;

    g_assert_no_error(error);
    caps = caps_parse(text, &error);
    g_assert_no_error(error);
    return caps;
}

/* Completed; the fault's words if that fails. */
static inline Domain *domain_text_complete(const char *machine, const char *devices, char **ret_fault)
{
    g_autoptr(Domain) def = domain_text_parse(machine, devices);
    g_autoptr(Caps) caps = domain_text_caps();
    g_autoptr(GError) error = NULL;

    if (complete_domain(def, caps, DRIVER_COMPLETE_DEFINE, &error))
        return g_steal_pointer(&def);
    *ret_fault = g_strdup(error->message);
    return NULL;
}
