/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/machine-options.h"
#include "driver-kvm/boot-order.h"
#include "driver-kvm/machine.h"
#include "lib/error.h"

/* What a document says of a feature; NULL: nothing. TEXT has room for words that have to be made. */
typedef const char *(*SaidFunc)(const Features *features, char text[32]);

static const char *state(Toggle value)
{
    return value == TOGGLE_OFF ? "off" : "on";
}

static const char *said_gic(const Features *features, char text[32])
{
    return features->gic ? gic_version_to_string(features->gic->version) : NULL;
}

static const char *said_hpt(const Features *features, char text[32])
{
    return features->hpt && features->hpt->resizing != HPT_RESIZING_UNSET
               ? hpt_resizing_to_string(features->hpt->resizing)
               : NULL;
}

static const char *said_hpt_page(const Features *features, char text[32])
{
    if (!features->hpt || features->hpt->maxpagesize == UNSET64 || features->hpt->maxpagesize == 0)
        return NULL;
    g_snprintf(text, 32, "%" G_GUINT64_FORMAT "k", features->hpt->maxpagesize);
    return text;
}

static const char *said_htm(const Features *features, char text[32])
{
    return features->htm ? state(features->htm->state) : NULL;
}

static const char *said_nested(const Features *features, char text[32])
{
    return features->nested_hv ? state(features->nested_hv->state) : NULL;
}

static const char *said_ccf(const Features *features, char text[32])
{
    return features->ccf_assist ? state(features->ccf_assist->state) : NULL;
}

static const char *said_cfpc(const Features *features, char text[32])
{
    return features->cfpc ? pseries_cfpc_to_string(features->cfpc->value) : NULL;
}

static const char *said_sbbc(const Features *features, char text[32])
{
    return features->sbbc ? pseries_sbbc_to_string(features->sbbc->value) : NULL;
}

static const char *said_ibs(const Features *features, char text[32])
{
    return features->ibs ? pseries_ibs_to_string(features->ibs->value) : NULL;
}

/* In the order in which QEMU gets them. */
static const struct {
    const char *name; /* of the feature */
    guint home;       /* what a machine has that knows it */
    SaidFunc said;
    const char *option;
} options[] = {
    {"gic", MACHINE_GIC, said_gic, "gic-version"},
    {"hpt", MACHINE_SPAPR_VIO, said_hpt, "resize-hpt"},
    {"hpt", MACHINE_SPAPR_VIO, said_hpt_page, "cap-hpt-max-page-size"},
    {"htm", MACHINE_SPAPR_VIO, said_htm, "cap-htm"},
    {"nested-hv", MACHINE_SPAPR_VIO, said_nested, "cap-nested-hv"},
    {"ccf-assist", MACHINE_SPAPR_VIO, said_ccf, "cap-ccf-assist"},
    {"cfpc", MACHINE_SPAPR_VIO, said_cfpc, "cap-cfpc"},
    {"sbbc", MACHINE_SPAPR_VIO, said_sbbc, "cap-sbbc"},
    {"ibs", MACHINE_SPAPR_VIO, said_ibs, "cap-ibs"},
};

static gboolean refuse(const Domain *def, const char *name, GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "The '%s' feature is not supported for architecture '%s' or machine type '%s'", name,
                     def->os->type->arch, def->os->type->machine);
}

gboolean machine_options_validate(const Domain *def, const Caps *caps, GError **error)
{
    const Features *features = def->features;
    gboolean x86 = machine_is_x86(def);
    char text[32];

    if (!features)
        return TRUE;
    if (features->ioapic && features->ioapic->driver != IOAPIC_DRIVER_UNSET && !x86)
        return refuse(def, "ioapic", error);
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
        if (options[i].said(features, text) && !machine_has(def, options[i].home))
            return refuse(def, options[i].name, error);
    if (features->hpt && !machine_has(def, MACHINE_SPAPR_VIO))
        return refuse(def, "hpt", error);
    if (features->vmport && features->vmport->state != TOGGLE_UNSET && !x86)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "vmport is not available with this QEMU binary");
    if (features->vmcoreinfo && features->vmcoreinfo->state != TOGGLE_OFF && !caps_has_type(caps, "vmcoreinfo"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "vmcoreinfo is not available with this QEMU binary");
    if (features->apic && features->apic->eoi != TOGGLE_UNSET && !x86)
        return error_set(
            error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
            "The 'eoi' attribute of the 'apic' feature is not supported for architecture '%s' or machine type '%s'",
            def->os->type->arch, def->os->type->machine);
    if (features->pvspinlock && !x86)
        return refuse(def, "pvspinlock", error);
    if (features->hyperv && !x86 && !machine_has(def, MACHINE_GIC))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Hyperv features are not supported for architecture '%s' or machine type '%s'",
                         def->os->type->arch, def->os->type->machine);
    if (features->pmu && features->pmu->state == TOGGLE_OFF && machine_is_ppc64(def))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "PMU is always enabled for architecture '%s'", def->os->type->arch);
    return TRUE;
}

void machine_options_keys(const Domain *live, GString *text)
{
    static const KeywrapName names[] = {KEYWRAP_NAME_AES, KEYWRAP_NAME_DEA};

    for (gsize n = 0; n < G_N_ELEMENTS(names); n++)
        for (guint i = 0; live->keywrap && i < live->keywrap->ciphers->len; i++) {
            const KeywrapCipher *cipher = g_ptr_array_index(live->keywrap->ciphers, i);

            if (cipher->name == names[n])
                g_string_append_printf(text, ",%s-key-wrap=%s", keywrap_name_to_string(cipher->name),
                                       state(cipher->state));
        }
}

void machine_options_features(const Domain *live, GString *text)
{
    char made[32];

    for (gsize i = 0; live->features && i < G_N_ELEMENTS(options); i++) {
        const char *said = options[i].said(live->features, made);

        if (said)
            g_string_append_printf(text, ",%s=%s", options[i].option, said);
    }
}

static gboolean add_load(const Boot *boot, guint order, GString *text)
{
    if (order != 1 || !boot || !boot->loadparm)
        return FALSE;
    g_string_append_printf(text, ",loadparm=%s", boot->loadparm);
    return TRUE;
}

void machine_options_load(const Domain *live, GString *text)
{
    for (guint i = 0; i < live->devices->disks->len; i++) {
        const Disk *disk = g_ptr_array_index(live->devices->disks, i);

        if (add_load(disk->boot, boot_order_of_disk(live, disk), text))
            return;
    }
    for (guint i = 0; i < live->devices->interfaces->len; i++) {
        const Interface *interface = g_ptr_array_index(live->devices->interfaces, i);

        if (add_load(interface->boot, boot_order_of_interface(live, interface), text))
            return;
    }
}
