/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/firmware-choose.h"

#include <string.h>

#include "driver-kvm/machine.h"
#include "lib/error.h"

#define DETAIL VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL
#define UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED

/* --- the document --- */

static Toggle asked(const DomainOs *os, OsFirmwareFeatureName name)
{
    Toggle wanted = TOGGLE_UNSET;

    for (guint i = 0; os->firmware_features && i < os->firmware_features->features->len; i++) {
        const OsFirmwareFeature *feature = g_ptr_array_index(os->firmware_features->features, i);

        if (feature->name == name)
            wanted = feature->enabled;
    }
    return wanted;
}

static void add_feature(GPtrArray *features, OsFirmwareFeatureName name, Toggle wanted)
{
    OsFirmwareFeature *feature;

    if (wanted == TOGGLE_UNSET)
        return;
    feature = os_firmware_feature_new();
    feature->name = name;
    feature->enabled = wanted;
    g_ptr_array_add(features, feature);
}

/* Keys that are enrolled are enrolled for secure boot. Each feature stands once, in libvirt's order. */
gboolean firmware_normalize(Domain *def, GError **error)
{
    DomainOs *os = def->os;
    Toggle keys = asked(os, OS_FIRMWARE_FEATURE_NAME_ENROLLED_KEYS);
    Toggle secure = asked(os, OS_FIRMWARE_FEATURE_NAME_SECURE_BOOT);

    if (keys == TOGGLE_ON && secure == TOGGLE_OFF)
        return error_set(error, DETAIL, "firmware feature 'enrolled-keys' cannot be enabled when firmware feature "
                                        "'secure-boot' is disabled");
    if (!os->firmware_features)
        return TRUE;
    g_ptr_array_set_size(os->firmware_features->features, 0);
    add_feature(os->firmware_features->features, OS_FIRMWARE_FEATURE_NAME_ENROLLED_KEYS, keys);
    add_feature(os->firmware_features->features, OS_FIRMWARE_FEATURE_NAME_SECURE_BOOT, keys == TOGGLE_ON ? TOGGLE_ON : secure);
    return TRUE;
}

static gboolean refuse_chosen(const OsLoader *loader, const OsNvram *nvram, GError **error)
{
    const char *attribute = !loader                              ? NULL
                            : loader->readonly != TOGGLE_UNSET   ? "readonly"
                            : loader->type != LOADER_TYPE_UNSET  ? "type"
                            : loader->secure == TOGGLE_OFF       ? "secure"
                                                                 : NULL;

    if (attribute)
        return error_set(error, DETAIL, "loader attribute '%s' cannot be specified when firmware autoselection is enabled",
                         attribute);
    if (loader && loader->path && *loader->path)
        return error_set(error, DETAIL, "loader path cannot be specified when firmware autoselection is enabled");
    return !nvram || !nvram->template ||
           error_set(error, DETAIL, "nvram attribute 'template' cannot be specified when firmware autoselection is enabled");
}

static gboolean validate_loader(const DomainOs *os, GError **error)
{
    const OsLoader *loader = os->loader;

    if (os->firmware != OS_FIRMWARE_UNSET) {
        if (!refuse_chosen(loader, os->nvram, error))
            return FALSE;
    } else {
        if (os->firmware_features)
            return error_set(error, DETAIL, "cannot use feature-based firmware autoselection when firmware autoselection is "
                                            "disabled");
        if ((loader || os->nvram) && (!loader || !loader->path || !*loader->path))
            return error_set(error, DETAIL, "no loader path specified and firmware auto selection disabled");
    }
    if (os->firmware == OS_FIRMWARE_BIOS && os->nvram)
        return error_set(error, DETAIL, "firmware type 'bios' does not support nvram");
    if (loader && loader->stateless == TOGGLE_OFF && os->firmware == OS_FIRMWARE_BIOS)
        return error_set(error, DETAIL, "Only EFI firmware permits NVRAM");
    if (loader && loader->stateless == TOGGLE_OFF && os->firmware == OS_FIRMWARE_UNSET && loader->type != LOADER_TYPE_PFLASH)
        return error_set(error, DETAIL, "Only pflash loader type permits NVRAM");
    if (!loader || loader->stateless != TOGGLE_ON || !os->nvram)
        return TRUE;
    return error_set(error, DETAIL, os->nvram->template ? "NVRAM template is not permitted when loader is stateless"
                                                        : "NVRAM is not permitted when loader is stateless");
}

static gboolean is_uefi(const DomainOs *os)
{
    return os->firmware == OS_FIRMWARE_EFI || (os->loader && os->loader->type == LOADER_TYPE_PFLASH);
}

/* What QEMU's machines need for it. */
static gboolean validate_machine(const Domain *def, GError **error)
{
    const OsLoader *loader = def->os->loader;
    const OsNvram *nvram = def->os->nvram;
    const FeatureSmm *smm = def->features ? def->features->smm : NULL;

    if (nvram && nvram->source && nvram->type != STORAGE_TYPE_FILE && nvram->type != STORAGE_TYPE_BLOCK &&
        nvram->type != STORAGE_TYPE_NETWORK)
        return error_set(error, UNSUPPORTED, "unsupported nvram disk type '%s'", storage_type_to_string(nvram->type));
    if (is_uefi(def->os) && machine_is_x86(def) && !(def->features && def->features->acpi))
        return error_set(error, UNSUPPORTED, "UEFI requires ACPI on this architecture");
    if (!is_uefi(def->os) && g_strcmp0(def->os->type->arch, "aarch64") == 0 && def->features && def->features->acpi)
        return error_set(error, UNSUPPORTED, "ACPI requires UEFI on this architecture");
    if (!loader || loader->secure != TOGGLE_ON)
        return TRUE;
    if (!machine_is_q35(def))
        return error_set(error, UNSUPPORTED, "Secure boot is supported with q35 machine types only");
    if (g_strcmp0(def->os->type->arch, "x86_64") != 0)
        return error_set(error, UNSUPPORTED, "Secure boot is supported for x86_64 architecture only");
    return def->os->firmware != OS_FIRMWARE_UNSET || (smm && smm->state == TOGGLE_ON) ||
           error_set(error, UNSUPPORTED, "Secure boot requires SMM feature enabled");
}

gboolean firmware_validate(const Domain *def, GError **error)
{
    return validate_machine(def, error) && validate_loader(def->os, error);
}

/* Firmware in read-only flash that the document names, with variables of its own. */
static gboolean is_named(const DomainOs *os)
{
    const OsLoader *loader = os->loader;

    return os->firmware == OS_FIRMWARE_UNSET && loader && loader->type == LOADER_TYPE_PFLASH &&
           loader->readonly == TOGGLE_ON && loader->stateless != TOGGLE_ON && loader->path;
}

static char *own_path(const Domain *def, const char *folder)
{
    return g_strdup_printf("%s/%s_VARS.fd", folder, def->name);
}

static void want_nvram(Domain *def, const char *folder)
{
    DomainOs *os = def->os;

    if (!os->nvram)
        os->nvram = os_nvram_new();
    if (!os->nvram->source && (!os->nvram->path || !*os->nvram->path)) {
        g_free(os->nvram->path);
        os->nvram->path = own_path(def, folder);
    }
}

void firmware_complete(Domain *def, const char *nvram_folder)
{
    if (is_named(def->os))
        want_nvram(def, nvram_folder);
}

char *firmware_nvram(const Domain *def, const char *nvram_folder)
{
    const OsNvram *nvram = def->os ? def->os->nvram : NULL;

    if (nvram && nvram->source)
        return nvram->type == STORAGE_TYPE_FILE ? g_strdup(nvram->source->file) : NULL;
    if (nvram && nvram->path && *nvram->path)
        return g_strdup(nvram->path);
    return def->os && def->os->firmware == OS_FIRMWARE_EFI ? own_path(def, nvram_folder) : NULL;
}

/* --- the host --- */

static gboolean fits_features(const Firmware *firmware, const Domain *live)
{
    const struct {
        Toggle wanted;
        FirmwareFeature feature;
        gboolean absent_matters; /* "no" means that it must not be there */
    } rules[] = {
        {live->pm && live->pm->suspend_to_mem ? live->pm->suspend_to_mem->enabled : TOGGLE_UNSET, FIRMWARE_ACPI_S3, FALSE},
        {live->pm && live->pm->suspend_to_disk ? live->pm->suspend_to_disk->enabled : TOGGLE_UNSET, FIRMWARE_ACPI_S4, FALSE},
        {asked(live->os, OS_FIRMWARE_FEATURE_NAME_SECURE_BOOT), FIRMWARE_SECURE_BOOT, TRUE},
        {asked(live->os, OS_FIRMWARE_FEATURE_NAME_ENROLLED_KEYS), FIRMWARE_ENROLLED_KEYS, TRUE},
        {live->os->loader ? live->os->loader->secure : TOGGLE_UNSET, FIRMWARE_REQUIRES_SMM, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        gboolean has = (firmware->features & rules[i].feature) != 0;

        if ((rules[i].wanted == TOGGLE_ON && !has) || (rules[i].absent_matters && rules[i].wanted == TOGGLE_OFF && has))
            return FALSE;
    }
    return TRUE;
}

static gboolean fits_flash(const Firmware *firmware, const OsLoader *loader)
{
    gboolean stateless = loader && loader->stateless == TOGGLE_ON;

    if (firmware->device != FIRMWARE_FLASH)
        return TRUE;
    if (strcmp(firmware->format, "raw") != 0 || (firmware->nvram && strcmp(firmware->nvram_format, "raw") != 0))
        return FALSE;
    return firmware->mode == (stateless ? FIRMWARE_STATELESS : FIRMWARE_SPLIT);
}

static gboolean fits(const Firmware *firmware, const Domain *live)
{
    const DomainOs *os = live->os;
    guint wanted = os->firmware == OS_FIRMWARE_BIOS ? FIRMWARE_BIOS : FIRMWARE_UEFI;

    if (is_named(os) && (firmware->device != FIRMWARE_FLASH || strcmp(firmware->path, os->loader->path) != 0))
        return FALSE;
    return (firmware->interfaces & wanted) && firmware_suits(firmware, os->type->arch, os->type->machine) &&
           fits_features(firmware, live) && fits_flash(firmware, os->loader);
}

static void set(char **member, const char *value)
{
    g_free(*member);
    *member = g_strdup(value);
}

static void use_flash(Domain *live, const Firmware *firmware, const char *folder)
{
    DomainOs *os = live->os;

    os->loader->type = LOADER_TYPE_PFLASH;
    os->loader->readonly = TOGGLE_ON;
    set(&os->loader->path, firmware->path);
    if (firmware->mode != FIRMWARE_SPLIT)
        return;
    want_nvram(live, folder);
    set(&os->nvram->template, firmware->nvram);
}

static gboolean use_smm(Domain *live, GError **error)
{
    if (!live->features)
        live->features = features_new();
    if (!live->features->smm)
        live->features->smm = feature_smm_new();
    if (live->features->smm->state == TOGGLE_OFF)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID,
                         "domain has SMM turned off but chosen firmware requires it");
    live->features->smm->state = TOGGLE_ON;
    live->os->loader->secure = TOGGLE_ON;
    return TRUE;
}

static gboolean use(Domain *live, const Firmware *firmware, const char *folder, GError **error)
{
    DomainOs *os = live->os;

    if (!os->loader)
        os->loader = os_loader_new();
    if (firmware->device == FIRMWARE_FLASH)
        use_flash(live, firmware, folder);
    else if (firmware->device == FIRMWARE_KERNEL)
        set(&os->kernel, firmware->path);
    else {
        os->loader->type = LOADER_TYPE_ROM;
        set(&os->loader->path, firmware->path);
    }
    os->firmware = OS_FIRMWARE_UNSET;
    return !(firmware->features & FIRMWARE_REQUIRES_SMM) || use_smm(live, error);
}

gboolean firmware_choose(Domain *live, const GPtrArray *firmwares, const char *nvram_folder, GError **error)
{
    const DomainOs *os = live->os;
    gboolean named = is_named(os) && !(os->nvram && os->nvram->template);

    if (os->firmware == OS_FIRMWARE_UNSET && !named)
        return TRUE;
    for (guint i = 0; i < firmwares->len; i++)
        if (fits(g_ptr_array_index(firmwares, i), live))
            return use(live, g_ptr_array_index(firmwares, i), nvram_folder, error);
    return named || error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "Unable to find any firmware to satisfy '%s'",
                              os_firmware_to_string(os->firmware));
}

const FirmwareKnown firmware_known[] = {
    {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {"/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},
    {"/usr/share/AAVMF/AAVMF32_CODE.fd", "/usr/share/AAVMF/AAVMF32_VARS.fd"},
    {NULL, NULL},
};
