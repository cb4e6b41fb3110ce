/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables have the order in which libvirt looks, its nouns, and where the value is (as a path in the document). The marks
 * in the description (what counts for the guest) are not asked: libvirt lets pass some of it, and has its own words for the
 * rest.
 */
#include "lib/model/domain-abi.h"

#include <stddef.h>
#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/table.h"

typedef enum {
    VALUE_PLAIN,
    VALUE_QUOTED,
    VALUE_PRESENCE, /* of an element; `text` is the whole message */
    VALUE_SILENT,   /* a value; `text` is the whole message */
    VALUE_MODEL,    /* a controller's, which libvirt tells by its number */
} ValueKind;

typedef struct {
    const char *path;
    const char *text;
    const char *blank; /* how libvirt calls it where it is unset */
    ValueKind kind;
} Row;

#define ROWS_END {0}
#define NONE "<null>"
#define VIRTIO_OPTIONS                                                                                               \
    {"driver", "Target device virtio options don't match the source", NULL, VALUE_PRESENCE},                         \
    {"driver/@iommu", "Target device iommu option", "default", VALUE_QUOTED},                                        \
    {"driver/@ats", "Target device ats option", "default", VALUE_QUOTED},                                            \
    {"driver/@packed", "Target device packed option", "default", VALUE_QUOTED}

static const Row head_rows[] = {
    {"@type", "Target domain virt type", NONE, VALUE_PLAIN},
    {"uuid", "Target domain uuid", NONE, VALUE_PLAIN},
    {"genid", "Target domain requested genid does not match source", NULL, VALUE_PRESENCE},
    {"genid/text()", "Target domain genid", NONE, VALUE_PLAIN},
    {"name", "Target domain name", NONE, VALUE_QUOTED},
    ROWS_END,
};
static const Row os_rows[] = {
    {"os/type/text()", "Target domain OS type", NONE, VALUE_PLAIN},
    {"os/type/@arch", "Target domain architecture", NONE, VALUE_PLAIN},
    {"os/type/@machine", "Target domain machine type", NONE, VALUE_PLAIN},
    {"os/smbios/@mode", "Target domain SMBIOS mode", "none", VALUE_PLAIN},
    ROWS_END,
};
static const Row timer_rows[] = {
    {"@name", "Target timer", NONE, VALUE_PLAIN},
    {"@present", "Target timer presence", "default", VALUE_QUOTED},
    {"@frequency", "Target TSC frequency", "0", VALUE_PLAIN},
    {"@mode", "Target TSC mode", "auto", VALUE_PLAIN},
    ROWS_END,
};
static const Row cpu_rows[] = {
    {"@mode", "Target CPU mode", "custom", VALUE_PLAIN},
    {"model/text()", "Target CPU model", NONE, VALUE_PLAIN},
    {"vendor", "Target CPU vendor", NONE, VALUE_PLAIN},
    {"model/@vendor_id", "Target CPU vendor id", NONE, VALUE_PLAIN},
    {"topology/@sockets", "Target CPU sockets", "0", VALUE_PLAIN},
    {"topology/@dies", "Target CPU dies", "0", VALUE_PLAIN},
    {"topology/@cores", "Target CPU cores", "0", VALUE_PLAIN},
    {"topology/@threads", "Target CPU threads", "0", VALUE_PLAIN},
    ROWS_END,
};
static const Row cpu_feature_rows[] = {
    {"@name", "Target CPU feature", NONE, VALUE_PLAIN},
    {"@policy", "Target CPU feature policy", "require", VALUE_PLAIN},
    ROWS_END,
};
static const Row disk_rows[] = {
    {"@device", "Target disk device", "disk", VALUE_PLAIN},
    {"target/@bus", "Target disk bus", NONE, VALUE_PLAIN},
    {"target/@dev", "Target disk", NONE, VALUE_PLAIN},
    {"serial", "Target disk serial", NONE, VALUE_PLAIN},
    {"wwn", "Target disk wwn", NONE, VALUE_QUOTED},
    {"readonly", "Target disk access mode does not match source", NULL, VALUE_PRESENCE},
    {"@model", "Target disk model", "default", VALUE_PLAIN},
    {"driver/@queues", "Target disk queue count", "0", VALUE_PLAIN},
    {"driver/@queue_size", "Target disk queue size", "0", VALUE_PLAIN},
    VIRTIO_OPTIONS,
    ROWS_END,
};
static const Row controller_rows[] = {
    {"@type", "Target controller type", NONE, VALUE_PLAIN},
    {"@index", "Target controller index", "-1", VALUE_PLAIN},
    {"@model", "Target controller model", "-1", VALUE_MODEL},
    {"@ports", "Target controller ports", "-1", VALUE_PLAIN},
    {"@vectors", "Target controller vectors", "-1", VALUE_PLAIN},
    VIRTIO_OPTIONS,
    ROWS_END,
};
static const Row filesystem_rows[] = {
    {"target/@dir", "Target filesystem guest target", NONE, VALUE_PLAIN},
    VIRTIO_OPTIONS,
    ROWS_END,
};
static const Row interface_rows[] = {
    {"mac/@address", "Target network card mac", NONE, VALUE_PLAIN},
    {"model/@type", "Target network card model", NONE, VALUE_PLAIN},
    {"mtu/@size", "Target network card MTU", "0", VALUE_PLAIN},
    VIRTIO_OPTIONS,
    ROWS_END,
};
static const Row input_rows[] = {
    {"@type", "Target input device type", NONE, VALUE_PLAIN},
    {"@bus", "Target input device bus", NONE, VALUE_PLAIN},
    {"@model", "Target input model", "default", VALUE_PLAIN},
    VIRTIO_OPTIONS,
    ROWS_END,
};
static const Row sound_rows[] = {{"@model", "Target sound card model", NONE, VALUE_PLAIN}, ROWS_END};
static const Row video_rows[] = {
    {"model/@type", "Target video card model", NONE, VALUE_PLAIN},
    {"model/@ram", "Target video card ram", "0", VALUE_PLAIN},
    {"model/@vram", "Target video card vram", "0", VALUE_PLAIN},
    {"model/@vgamem", "Target video card vgamem", "0", VALUE_PLAIN},
    {"model/@heads", "Target video card heads", "0", VALUE_PLAIN},
    {"model/acceleration", "Target video card acceleration does not match source", NULL, VALUE_PRESENCE},
    ROWS_END,
};
static const Row hostdev_rows[] = {
    {"@mode", "Target host device mode", NONE, VALUE_PLAIN},
    {"@type", "Target host device subsystem", NONE, VALUE_PLAIN},
    ROWS_END,
};
static const Row smartcard_rows[] = {{"@mode", "Target smartcard mode", NONE, VALUE_PLAIN}, ROWS_END};
static const Row serial_rows[] = {
    {"target/@type", "Target serial type", NONE, VALUE_QUOTED},
    {"target/@port", "Target serial port", "0", VALUE_PLAIN},
    ROWS_END,
};
static const Row parallel_rows[] = {{"target/@port", "Target parallel port", "0", VALUE_PLAIN}, ROWS_END};
static const Row channel_rows[] = {
    {"target/@type", "Target channel type", NONE, VALUE_PLAIN},
    {"target/@name", "Target channel name", NONE, VALUE_PLAIN},
    ROWS_END,
};
static const Row console_rows[] = {{"target/@type", "Target console type", NONE, VALUE_PLAIN}, ROWS_END};
static const Row hub_rows[] = {{"@type", "Target hub device type", NONE, VALUE_PLAIN}, ROWS_END};
static const Row redirdev_rows[] = {
    {"@bus", "Target redirected device bus", NONE, VALUE_PLAIN},
    {"@type", "Target redirected device source type", NONE, VALUE_PLAIN},
    ROWS_END,
};
static const Row watchdog_rows[] = {{"@model", "Target watchdog model", NONE, VALUE_PLAIN}, ROWS_END};
static const Row memballoon_rows[] = {
    {"@model", "Target balloon model", "none", VALUE_PLAIN},
    {"@autodeflate", "Target balloon autodeflate attribute value", "default", VALUE_QUOTED},
    {"@freePageReporting", "Target balloon freePageReporting attribute value", "default", VALUE_QUOTED},
    VIRTIO_OPTIONS,
    ROWS_END,
};
static const Row rng_rows[] = {{"@model", "Target RNG model", NONE, VALUE_QUOTED}, VIRTIO_OPTIONS, ROWS_END};
static const Row panic_rows[] = {{"@model", "Target panic model", "default", VALUE_QUOTED}, ROWS_END};
static const Row shmem_rows[] = {
    {"@name", "Target shared memory name", NONE, VALUE_QUOTED},
    {"model/@type", "Target shared memory model", NONE, VALUE_QUOTED},
    {"size", "Target shared memory size does not match source", NULL, VALUE_SILENT},
    ROWS_END,
};
static const Row memory_rows[] = {
    {"@model", "Target memory device model", NONE, VALUE_QUOTED},
    {"target/size", "Target memory device size does not match source", NULL, VALUE_SILENT},
    ROWS_END,
};
static const Row tpm_rows[] = {
    {"@model", "Target TPM device model doesn't match source", NULL, VALUE_SILENT},
    {"backend/@type", "Target TPM device type doesn't match source", NULL, VALUE_SILENT},
    {"backend/@version", "Target TPM version doesn't match source", NULL, VALUE_SILENT},
    ROWS_END,
};
static const Row iommu_rows[] = {{"@model", "Target domain IOMMU device model", NONE, VALUE_QUOTED}, ROWS_END};
static const Row vsock_rows[] = {{"@model", "Target domain vsock device model", NONE, VALUE_QUOTED}, VIRTIO_OPTIONS, ROWS_END};

typedef struct {
    gsize offset; /* in Devices, of the list or of the device */
    const ModelType *type;
    const char *counted; /* what libvirt calls them when it counts; where there can be one only, the whole message */
    const Row *rows;
    gsize address; /* in the device */
    gboolean single;
} Kind;

static const Kind kinds[] = {
    {offsetof(Devices, disks), &disk_type, "disk", disk_rows, offsetof(Disk, address), FALSE},
    {offsetof(Devices, controllers), &controller_type, "controller", controller_rows, offsetof(Controller, address), FALSE},
    {offsetof(Devices, filesystems), &filesystem_type, "filesystem", filesystem_rows, offsetof(Filesystem, address), FALSE},
    {offsetof(Devices, interfaces), &interface_type, "net card", interface_rows, offsetof(Interface, address), FALSE},
    {offsetof(Devices, inputs), &input_type, "input device", input_rows, offsetof(Input, address), FALSE},
    {offsetof(Devices, sounds), &sound_type, "sound card", sound_rows, offsetof(Sound, address), FALSE},
    {offsetof(Devices, videos), &video_type, "video card", video_rows, offsetof(Video, address), FALSE},
    {offsetof(Devices, hostdevs), &hostdev_type, "host device", hostdev_rows, offsetof(Hostdev, address), FALSE},
    {offsetof(Devices, smartcards), &smartcard_type, "smartcard", smartcard_rows, offsetof(Smartcard, address), FALSE},
    {offsetof(Devices, serials), &chardev_type, "serial port", serial_rows, offsetof(Chardev, address), FALSE},
    {offsetof(Devices, parallels), &chardev_type, "parallel port", parallel_rows, offsetof(Chardev, address), FALSE},
    {offsetof(Devices, channels), &chardev_type, "channel", channel_rows, offsetof(Chardev, address), FALSE},
    {offsetof(Devices, consoles), &chardev_type, "console", console_rows, offsetof(Chardev, address), FALSE},
    {offsetof(Devices, hubs), &hub_type, "hub device", hub_rows, offsetof(Hub, address), FALSE},
    {offsetof(Devices, redirdevs), &redirdev_type, "redirected devices", redirdev_rows, offsetof(Redirdev, address), FALSE},
    {offsetof(Devices, watchdogs), &watchdog_type, "watchdog", watchdog_rows, offsetof(Watchdog, address), FALSE},
    {offsetof(Devices, memballoon), &memballoon_type, "Target domain memory balloon does not match source", memballoon_rows,
     offsetof(Memballoon, address), TRUE},
    {offsetof(Devices, rngs), &rng_type, "RNG device", rng_rows, offsetof(Rng, address), FALSE},
    {offsetof(Devices, panics), &panic_type, "panic device", panic_rows, offsetof(Panic, address), FALSE},
    {offsetof(Devices, shmems), &shmem_type, "shared memory device", shmem_rows, offsetof(Shmem, address), FALSE},
    {offsetof(Devices, memories), &memory_device_type, "memory device", memory_rows, offsetof(MemoryDevice, address), FALSE},
    {offsetof(Devices, tpms), &tpm_type, "TPM device", tpm_rows, offsetof(Tpm, address), FALSE},
    {offsetof(Devices, iommu), &iommu_type, "Target domain IOMMU device count does not match source", iommu_rows,
     offsetof(Iommu, address), TRUE},
    {offsetof(Devices, vsock), &vsock_type, "Target domain vsock device count does not match source", vsock_rows,
     offsetof(Vsock, address), TRUE},
};

static gboolean differ(GError **error, const char *text)
{
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

/* --- values by their path --- */

/* Where REST of a path begins behind FIELD: "" at its end; NULL if it does not lead there. */
static const char *behind(const ModelField *field, const char *rest)
{
    g_autofree char *name = g_strdup_printf("%s%s%s%s", field->parent ? field->parent : "", field->parent ? "/" : "",
                                            field->place == MODEL_ATTRIBUTE ? "@" : "", field->xml ? field->xml : "text()");
    gsize length = strlen(name);

    if (!g_str_has_prefix(rest, name))
        return NULL;
    return rest[length] == '/' ? rest + length + 1 : rest[length] == '\0' ? rest + length : NULL;
}

/* The field at the end of PATH and the object that has it; NULL where something on the way is absent. */
static const ModelField *find(const ModelType *type, gconstpointer object, const char *path, gconstpointer *ret_object)
{
    for (guint i = 0; object && i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        const char *rest = behind(field, path);
        if (rest && *rest == '\0') {
            *ret_object = object;
            return field;
        }
        if (rest && field->kind == MODEL_STRUCT)
            return find(field->type, MODEL_MEMBER_CONST(object, field, gpointer), rest, ret_object);
    }
    return NULL;
}

/* To free; NULL: unset. A thing that has no value of its own is "" where it is there. */
static char *value_of(const ModelType *type, gconstpointer object, const char *path)
{
    const ModelField *field = find(type, object, path, &object);
    const char *unit;

    if (!field || model_is_unset(field, object))
        return NULL;
    if (field->kind == MODEL_STRUCT || field->kind == MODEL_FLAG)
        return g_strdup("");
    return model_scalar_format(field, object, &unit);
}

/* Models have one enumeration, and numbers by the kind of controller. */
static int model_number(const Controller *controller)
{
    static const ControllerModel firsts[] = {CONTROLLER_MODEL_PCI_ROOT, CONTROLLER_MODEL_PIIX3_UHCI, CONTROLLER_MODEL_PIIX3,
                                             CONTROLLER_MODEL_AUTO};

    for (guint i = 0; controller->model != CONTROLLER_MODEL_UNSET && i < G_N_ELEMENTS(firsts); i++)
        if (controller->model >= firsts[i])
            return (int)controller->model - (int)firsts[i];
    return -1;
}

static gboolean same_row(const Row *row, const ModelType *type, gconstpointer source, gconstpointer target, GError **error)
{
    g_autofree char *one = value_of(type, source, row->path), *other = value_of(type, target, row->path);
    const char *quote = row->kind == VALUE_QUOTED ? "'" : "";

    if (row->blank && !one)
        one = g_strdup(row->blank);
    if (row->blank && !other)
        other = g_strdup(row->blank);
    if (row->kind == VALUE_PRESENCE ? !one == !other : g_strcmp0(one, other) == 0)
        return TRUE;
    if (row->kind == VALUE_PRESENCE || row->kind == VALUE_SILENT)
        return differ(error, row->text);
    if (row->kind == VALUE_MODEL)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "%s %d does not match source %d", row->text,
                         model_number(target), model_number(source));
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "%s %s%s%s does not match source %s%s%s", row->text,
                     quote, other, quote, quote, one, quote);
}

static gboolean same_rows(const Row *rows, const ModelType *type, gconstpointer source, gconstpointer target, GError **error)
{
    for (; rows->path; rows++)
        if (!same_row(rows, type, source, target, error))
            return FALSE;
    return TRUE;
}

/* --- the machine --- */

static gboolean same_number(guint64 source, guint64 target, const char *text, GError **error)
{
    return source == target || error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, text, target, source);
}

static guint64 or_nothing(guint64 value, guint64 unset)
{
    return value == unset ? 0 : value;
}

static gboolean same_memory(const Domain *source, const Domain *target, GError **error)
{
    return same_number(source->memory, target->memory,
                       "Target domain max memory %" G_GUINT64_FORMAT " does not match source %" G_GUINT64_FORMAT, error) &&
           same_number(or_nothing(source->max_memory_slots, UNSET32), or_nothing(target->max_memory_slots, UNSET32),
                       "Target domain memory slots count '%" G_GUINT64_FORMAT "' doesn't match source '%" G_GUINT64_FORMAT "'",
                       error) &&
           same_number(or_nothing(source->max_memory, UNSET64), or_nothing(target->max_memory, UNSET64),
                       "Target maximum memory size '%" G_GUINT64_FORMAT "' doesn't match source '%" G_GUINT64_FORMAT "'",
                       error);
}

static gboolean same_vcpus(const Domain *source, const Domain *target, GError **error)
{
    guint one = domain_vcpus(source), other = domain_vcpus(target);

    if (!same_number(domain_max_vcpus(source), domain_max_vcpus(target),
                     "Target domain vCPU max %" G_GUINT64_FORMAT " does not match source %" G_GUINT64_FORMAT, error))
        return FALSE;
    return one == other || error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                                     "State of vCPU '%u' differs between source and destination definitions", MIN(one, other));
}

/* Features in libvirt's order. Their state is an attribute, or that they are there. */
static const char *const features[] = {
    "acpi", "apic", "pae", "hap", "viridian", "privnet", "hyperv", "kvm", "pvspinlock", "capabilities", "pmu", "vmport",
    "gic", "smm", "ioapic", "hpt", "vmcoreinfo", "htm", "nested-hv", "msrs", "ccf-assist", "xen", "cfpc", "sbbc", "ibs",
    "tcg", "async-teardown",
};

/* As libvirt tells it; to free. */
static char *feature_state(const Domain *def, const char *name)
{
    g_autofree char *path = g_strdup_printf("features/%s", name), *attribute = g_strdup_printf("features/%s/@state", name);
    g_autofree char *present = value_of(&domain_type, def, path), *state = value_of(&domain_type, def, attribute);
    const char *is = state ? state : present ? "on" : "default";

    if (g_str_equal(name, "apic")) {
        g_autofree char *eoi = value_of(&domain_type, def, "features/apic/@eoi");
        return g_strdup_printf("%s,eoi=%s", is, eoi ? eoi : "default");
    }
    if (g_str_equal(name, "ioapic")) {
        g_autofree char *driver = value_of(&domain_type, def, "features/ioapic/@driver");
        return g_strdup_printf("driver=%s", driver ? driver : "none");
    }
    return g_strdup(is);
}

static gboolean same_feature(const Domain *source, const Domain *target, const char *name, const char *what, GError **error)
{
    g_autofree char *one = feature_state(source, name), *other = feature_state(target, name);
    const char *last = strrchr(name, '/');

    return g_str_equal(one, other) ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "State of %s '%s' differs: source: '%s', destination: '%s'",
                     what, last ? last + 1 : name, one, other);
}

/* What a group of features has in it. */
static gboolean same_group(const Domain *source, const Domain *target, const char *group, const char *what, GError **error)
{
    g_autofree char *path = g_strdup_printf("features/%s", group);
    gconstpointer object = NULL;
    const ModelField *field = find(&domain_type, source, path, &object);

    for (guint i = 0; field && i < field->type->n_fields; i++) {
        const ModelField *member = &field->type->fields[i];
        g_autofree char *name = g_strdup_printf("%s/%s", group, member->xml);
        if (member->place != MODEL_ATTRIBUTE && !same_feature(source, target, name, what, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean same_features(const Domain *source, const Domain *target, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(features); i++)
        if (!same_feature(source, target, features[i], "feature", error))
            return FALSE;
    return same_group(source, target, "hyperv", "HyperV enlightenment feature", error) &&
           same_group(source, target, "kvm", "KVM feature", error);
}

static gboolean same_timers(const Domain *source, const Domain *target, GError **error)
{
    const GPtrArray *one = source->clock ? source->clock->timers : NULL, *other = target->clock ? target->clock->timers : NULL;

    if ((one ? one->len : 0) != (other ? other->len : 0))
        return differ(error, "Target domain timers do not match source");
    for (guint i = 0; one && i < one->len; i++)
        if (!same_rows(timer_rows, &timer_type, one->pdata[i], other->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean same_cpu_features(const Cpu *source, const Cpu *target, GError **error)
{
    guint one = source->features->len, other = target->features->len;

    if (one != other)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Target CPU feature count %u does not match source %u", other, one);
    for (guint i = 0; i < one; i++)
        if (!same_rows(cpu_feature_rows, &cpu_feature_type, source->features->pdata[i], target->features->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean same_cpu(const Domain *source, const Domain *target, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (!source->cpu && !target->cpu)
        return TRUE;
    if (!source->cpu || !target->cpu)
        differ(&cause, "Target CPU does not match source");
    else if (same_rows(cpu_rows, &cpu_type, source->cpu, target->cpu, &cause) &&
             same_cpu_features(source->cpu, target->cpu, &cause))
        return TRUE;
    return error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", error_detail(cause));
}

static gboolean same_sysinfo(const Domain *source, const Domain *target, GError **error)
{
    if (source->sysinfo->len != target->sysinfo->len)
        return differ(error, "Target domain count of sysinfo does not match source");
    for (guint i = 0; i < source->sysinfo->len; i++)
        if (!model_equal(&sysinfo_type, source->sysinfo->pdata[i], target->sysinfo->pdata[i]))
            return differ(error, "Target sysinfo does not match source");
    return TRUE;
}

/* --- devices --- */

static char *address_text(const Address *address)
{
    switch (address->type) {
    case ADDRESS_TYPE_PCI:
        return g_strdup_printf("%04x:%02x:%02x.%x", address->domain, address->bus, address->slot, address->function);
    case ADDRESS_TYPE_DRIVE:
        return g_strdup_printf("%u:%u:%u", address->controller, address->bus, address->unit);
    case ADDRESS_TYPE_VIRTIO_SERIAL:
        return g_strdup_printf("%u:%u:%s", address->controller, address->bus, address->port ? address->port : "0");
    case ADDRESS_TYPE_ISA:
        return g_strdup_printf("%u:%u", address->iobase, address->irq);
    default:
        return g_strdup("");
    }
}

static const char *address_noun(AddressType type)
{
    static const char *const nouns[] = {
        [ADDRESS_TYPE_PCI] = "PCI",
        [ADDRESS_TYPE_DRIVE] = "drive",
        [ADDRESS_TYPE_VIRTIO_SERIAL] = "virtio serial",
        [ADDRESS_TYPE_ISA] = "isa",
    };

    return type < G_N_ELEMENTS(nouns) && nouns[type] ? nouns[type] : "";
}

static gboolean same_address(const Address *source, const Address *target, GError **error)
{
    AddressType one = source ? source->type : ADDRESS_TYPE_UNSET, other = target ? target->type : ADDRESS_TYPE_UNSET;

    if (one != other)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Target device address type %s does not match source %s",
                         other ? address_type_to_string(other) : "none", one ? address_type_to_string(one) : "none");
    if (!source || !target)
        return TRUE;
    g_autofree char *from = address_text(source), *to = address_text(target);
    return g_str_equal(from, to) ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "Target device %s address %s%sdoes not match source %s",
                     address_noun(one), to, one == ADDRESS_TYPE_PCI ? "" : " ", from); /* libvirt's own slip */
}

static gboolean same_device(const Kind *kind, gconstpointer source, gconstpointer target, GError **error)
{
    return same_rows(kind->rows, kind->type, source, target, error) &&
           same_address(*(Address *const *)((const char *)source + kind->address),
                        *(Address *const *)((const char *)target + kind->address), error);
}

static gboolean same_list(const Kind *kind, const GPtrArray *source, const GPtrArray *target, GError **error)
{
    if (source->len != target->len)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "Target domain %s count %u does not match source %u",
                         kind->counted, target->len, source->len);
    for (guint i = 0; i < source->len; i++)
        if (!same_device(kind, source->pdata[i], target->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean same_kind(const Kind *kind, const Devices *source, const Devices *target, GError **error)
{
    gconstpointer one = *(gconstpointer const *)((const char *)source + kind->offset);
    gconstpointer other = *(gconstpointer const *)((const char *)target + kind->offset);

    if (!kind->single)
        return same_list(kind, one, other, error);
    if (!one || !other)
        return one == other || differ(error, kind->counted);
    return same_device(kind, one, other, error);
}

gboolean domain_abi_check(const Domain *source, const Domain *target, GError **error)
{
    if (!same_rows(head_rows, &domain_type, source, target, error) || !same_memory(source, target, error) ||
        !same_vcpus(source, target, error) || !same_rows(os_rows, &domain_type, source, target, error) ||
        !same_features(source, target, error) || !same_timers(source, target, error) || !same_cpu(source, target, error) ||
        !same_sysinfo(source, target, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (!same_kind(&kinds[i], source->devices, target->devices, error))
            return FALSE;
    return TRUE;
}
