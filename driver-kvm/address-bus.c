/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Places on buses other than PCI and USB. What is virtio has no bus of its own: where the document does not say, it is
 * the machine's. Machines with slots for virtio-mmio had these before they had PCI Express, so that a document which
 * puts one device there wants the others there too.
 */
#include "driver-kvm/address-parts.h"
#include "driver-kvm/address.h"
#include "driver-kvm/machine.h"
#include "lib/error.h"

#define REG_STEP 0x1000
#define CSSID_VIRTIO 0xfe /* the channel subsystem that virtio devices have to themselves */
#define SSID_MAX 3
#define DEVNO_MAX 0xffff
#define UID_FIRST 1
#define ID_MAX 0xffff

typedef gboolean (*PlaceFunc)(const DeviceKind *kind, Address **address, gpointer data, GError **error);

typedef struct {
    PlaceFunc fn;
    gpointer data;
} Places;

static gboolean visit_place(const DeviceKind *kind, gpointer device, gpointer data, GError **error)
{
    const Places *places = data;
    Address **address = device_address(kind, device);

    return !address || places->fn(kind, address, places->data, error);
}

static gboolean each_place(Domain *def, PlaceFunc fn, gpointer data, GError **error)
{
    Places places = {fn, data};

    return address_each(def, visit_place, &places, error);
}

static void set_type(Address **address, AddressType type)
{
    if (*address && (*address)->type != ADDRESS_TYPE_UNSET)
        return;
    address_free(*address);
    *address = address_new();
    (*address)->type = type;
}

/* --- sPAPR's paravirtual devices: a number that nobody else has --- */

typedef struct {
    const Address *except;
    guint64 reg;
} RegSearch;

static gboolean is_other_reg(const DeviceKind *kind, Address **address, gpointer data, GError **error)
{
    const RegSearch *search = data;

    return !*address || *address == search->except || (*address)->type != ADDRESS_TYPE_SPAPR_VIO ||
           (*address)->reg != search->reg;
}

static gboolean assign_reg(Domain *def, Address *address, guint64 usual, GError **error)
{
    gboolean own = address->reg != UNSET64;
    RegSearch search = {address, own ? address->reg : usual};

    while (!each_place(def, is_other_reg, &search, NULL)) {
        if (own)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                             "spapr-vio address 0x%" G_GINT64_MODIFIER "x already in use", search.reg);
        search.reg += REG_STEP;
    }
    address->reg = search.reg;
    return TRUE;
}

static gboolean spapr_interface(const Domain *def, gconstpointer device)
{
    const Interface *interface = device;

    return interface->model && g_strcmp0(interface->model->type, "spapr-vlan") == 0;
}

static gboolean spapr_controller(const Domain *def, gconstpointer device)
{
    const Controller *controller = device;

    return controller->type == CONTROLLER_TYPE_SCSI && controller->model == CONTROLLER_MODEL_IBMVSCSI;
}

static gboolean spapr_serial(const Domain *def, gconstpointer device)
{
    return ((const Chardev *)device)->target->type == CHARDEV_TARGET_TYPE_SPAPR_VIO_SERIAL;
}

static gboolean spapr_nvram(const Domain *def, gconstpointer device)
{
    return machine_has(def, MACHINE_SPAPR_VIO);
}

static gboolean spapr_tpm(const Domain *def, gconstpointer device)
{
    return machine_has(def, MACHINE_SPAPR_VIO) && ((const Tpm *)device)->model != TPM_MODEL_SPAPR_TPM_PROXY;
}

static gboolean assign_spapr(Domain *def, GError **error)
{
    static const struct {
        const DeviceKind *kind;
        gboolean (*is_spapr)(const Domain *def, gconstpointer device);
        guint64 reg; /* where QEMU begins */
    } firsts[] = {{&device_interface, spapr_interface, 0x1000},
                  {&device_controller, spapr_controller, 0x2000},
                  {&device_serial, spapr_serial, 0x30000000},
                  {&device_nvram, spapr_nvram, 0x3000},
                  {&device_tpm, spapr_tpm, 0x4000}};

    for (gsize k = 0; k < G_N_ELEMENTS(firsts); k++)
        for (guint i = 0; i < device_count(firsts[k].kind, def); i++) {
            gpointer device = device_at(firsts[k].kind, def, i);
            Address **address = device_address(firsts[k].kind, device);

            if (firsts[k].is_spapr(def, device) && (!*address || (*address)->type != ADDRESS_TYPE_SPAPR_VIO)) {
                g_clear_pointer(address, address_free);
                set_type(address, ADDRESS_TYPE_SPAPR_VIO);
            }
            if (*address && (*address)->type == ADDRESS_TYPE_SPAPR_VIO &&
                !assign_reg(def, *address, firsts[k].reg, error))
                return FALSE;
        }
    return TRUE;
}

/* --- virtio devices without a place --- */

static gboolean virtio_disk(gconstpointer device)
{
    return ((const Disk *)device)->target->bus == DISK_BUS_VIRTIO;
}

static gboolean virtio_interface(gconstpointer device)
{
    const Interface *interface = device;

    return interface->model && interface->model->type && g_str_has_prefix(interface->model->type, "virtio");
}

static gboolean virtio_video(gconstpointer device)
{
    const Video *video = device;

    return video->model && video->model->type == VIDEO_TYPE_VIRTIO;
}

static gboolean virtio_input(gconstpointer device)
{
    return ((const Input *)device)->bus == INPUT_BUS_VIRTIO;
}

static gboolean virtio_controller(gconstpointer device)
{
    const Controller *controller = device;

    return controller->type == CONTROLLER_TYPE_VIRTIO_SERIAL || controller->type == CONTROLLER_TYPE_SCSI;
}

static gboolean virtio_hostdev(gconstpointer device)
{
    const Hostdev *hostdev = device;

    return hostdev->mode == HOSTDEV_MODE_SUBSYSTEM && hostdev->type == HOSTDEV_TYPE_SCSI_HOST;
}

static gboolean channel_hostdev(gconstpointer device)
{
    const Hostdev *hostdev = device;

    return hostdev->mode == HOSTDEV_MODE_SUBSYSTEM && hostdev->type == HOSTDEV_TYPE_MDEV &&
           hostdev->model == HOSTDEV_MODEL_VFIO_CCW;
}

static gboolean virtio_balloon(gconstpointer device)
{
    return ((const Memballoon *)device)->model != MEMBALLOON_MODEL_NONE;
}

static gboolean virtio_memory(gconstpointer device)
{
    const MemoryDevice *memory = device;

    return memory->model == MEMORY_DEVICE_MODEL_VIRTIO_PMEM || memory->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM;
}

static const struct {
    const DeviceKind *kind;
    gboolean (*is_virtio)(gconstpointer device); /* NULL: each is */
    gboolean channels;                           /* only as a channel device */
} virtio_kinds[] = {
    {&device_disk, virtio_disk},
    {&device_interface, virtio_interface},
    {&device_video, virtio_video},
    {&device_input, virtio_input},
    {&device_controller, virtio_controller},
    {&device_hostdev, virtio_hostdev},
    {&device_memballoon, virtio_balloon},
    {&device_rng, NULL},
    {&device_memory, virtio_memory},
    {&device_hostdev, channel_hostdev, TRUE},
    {&device_filesystem, NULL, TRUE},
    {&device_vsock, NULL, TRUE},
};

static gboolean is_mmio(const DeviceKind *kind, Address **address, gpointer data, GError **error)
{
    return !*address || (*address)->type != ADDRESS_TYPE_VIRTIO_MMIO;
}

/* UNSET: PCI, which needs nobody to say so. */
static AddressType virtio_type(Domain *def, const Caps *caps)
{
    gboolean express =
        machine_has_pcie_root(def) && (caps_has_type(caps, "pcie-root-port") || caps_has_type(caps, "ioh3420"));

    if (machine_has(def, MACHINE_CCW))
        return ADDRESS_TYPE_CCW;
    if (!machine_has(def, MACHINE_FIXED_VIRTIO) || (express && each_place(def, is_mmio, NULL, NULL)))
        return ADDRESS_TYPE_UNSET;
    return caps_has_type(caps, "virtio-mmio") ? ADDRESS_TYPE_VIRTIO_MMIO : ADDRESS_TYPE_UNSET;
}

static void prime_virtio(Domain *def, const Caps *caps)
{
    AddressType type = virtio_type(def, caps);

    for (gsize k = 0; type != ADDRESS_TYPE_UNSET && k < G_N_ELEMENTS(virtio_kinds); k++)
        for (guint i = 0; i < device_count(virtio_kinds[k].kind, def); i++) {
            gpointer device = device_at(virtio_kinds[k].kind, def, i);

            if ((!virtio_kinds[k].channels || type == ADDRESS_TYPE_CCW) &&
                (!virtio_kinds[k].is_virtio || virtio_kinds[k].is_virtio(device)))
                set_type(device_address(virtio_kinds[k].kind, device), type);
        }
}

/* --- channel devices --- */

static gboolean is_ccw(const Address *address, gboolean numbered)
{
    return address && address->type == ADDRESS_TYPE_CCW && (address->devno != UNSET32) == numbered;
}

static gpointer ccw_key(const Address *address)
{
    return GSIZE_TO_POINTER((gsize)address->cssid << 24 | (gsize)address->ssid << 16 | address->devno);
}

static gboolean reserve_ccw(const DeviceKind *kind, Address **address, gpointer data, GError **error)
{
    if (!is_ccw(*address, TRUE) || g_hash_table_add(data, ccw_key(*address)))
        return TRUE;
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "The CCW devno '%x.%x.%04x' is in use already",
                     (*address)->cssid, (*address)->ssid, (*address)->devno);
}

static gboolean assign_ccw(const DeviceKind *kind, Address **address, gpointer data, GError **error)
{
    g_autoptr(Address) next = address_new();

    if (!is_ccw(*address, FALSE))
        return TRUE;
    next->type = ADDRESS_TYPE_CCW;
    next->cssid = CSSID_VIRTIO;
    for (next->ssid = 0; next->ssid <= SSID_MAX; next->ssid++)
        for (next->devno = 0; next->devno <= DEVNO_MAX; next->devno++)
            if (g_hash_table_add(data, ccw_key(next))) {
                address_free(*address);
                *address = g_steal_pointer(&next);
                return TRUE;
            }
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "There are no more free CCW devnos.");
}

static gboolean assign_channels(Domain *def, GError **error)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);

    return !machine_has(def, MACHINE_CCW) ||
           (each_place(def, reserve_ccw, taken, error) && each_place(def, assign_ccw, taken, error));
}

/* What libvirt does not even read. */
static gboolean check_said(const DeviceKind *kind, Address **place, gpointer data, GError **error)
{
    const Address *address = *place;
    guint said;

    if (address && address->type == ADDRESS_TYPE_VIRTIO_S390)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "virtio-s390 bus doesn't have an address");
    if (!address || address->type != ADDRESS_TYPE_CCW)
        return TRUE;
    said = (address->cssid != UNSET32) + (address->ssid != UNSET32) + (address->devno != UNSET32);
    return said == 0 || said == 3 ||
           error_set(error, VIR_FROM_DEVICE, VIR_ERR_INTERNAL_ERROR,
                     "Invalid partial specification for virtio ccw address");
}

gboolean address_buses(Domain *def, const Caps *caps, GError **error)
{
    if (!each_place(def, check_said, NULL, error) || !assign_spapr(def, error))
        return FALSE;
    prime_virtio(def, caps);
    return assign_channels(def, error);
}

/* --- s390's names of PCI devices --- */

typedef struct {
    GHashTable *uids, *fids;
    GPtrArray *bare; /* of Address **: these get no name */
    gboolean named;  /* those that have a name now; then the others */
} Names;

static gboolean is_char(const DeviceKind *kind)
{
    return kind == &device_serial || kind == &device_parallel || kind == &device_channel || kind == &device_console;
}

static gboolean name_zpci(const DeviceKind *kind, Address **address, gpointer data, GError **error)
{
    const Names *names = data;
    Zpci *zpci = *address ? (*address)->zpci : NULL;
    gboolean named = zpci && (zpci->uid != UNSET32 || zpci->fid != UNSET64);

    if (!*address || (*address)->type != ADDRESS_TYPE_PCI || is_char(kind) || named != names->named ||
        g_ptr_array_find(names->bare, address, NULL))
        return TRUE;
    if (!zpci)
        zpci = (*address)->zpci = zpci_new();
    if (zpci->uid == UNSET32)
        for (zpci->uid = UID_FIRST;
             zpci->uid < ID_MAX && g_hash_table_contains(names->uids, GUINT_TO_POINTER(zpci->uid));)
            zpci->uid++;
    if (zpci->fid == UNSET64)
        for (zpci->fid = 0; zpci->fid < G_MAXUINT32 && g_hash_table_contains(names->fids, GSIZE_TO_POINTER(zpci->fid));)
            zpci->fid++;
    if (!g_hash_table_add(names->uids, GUINT_TO_POINTER(zpci->uid)))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "zPCI uid %o is already reserved", zpci->uid);
    if (!g_hash_table_add(names->fids, GSIZE_TO_POINTER(zpci->fid)))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "zPCI fid %o is already reserved",
                         (guint)zpci->fid);
    return TRUE;
}

gboolean address_zpci(Domain *def, const Caps *caps, guint n_controllers, GError **error)
{
    g_autoptr(GHashTable) uids = g_hash_table_new(NULL, NULL), fids = g_hash_table_new(NULL, NULL);
    Names names = {uids, fids, g_ptr_array_new(), TRUE};
    g_autoptr(GPtrArray) bare = names.bare;

    if (!caps_has_type(caps, "zpci"))
        return TRUE;
    for (guint i = n_controllers; i < def->devices->controllers->len; i++)
        g_ptr_array_add(bare, &((Controller *)g_ptr_array_index(def->devices->controllers, i))->address);
    if (!each_place(def, name_zpci, &names, error))
        return FALSE;
    names.named = FALSE;
    return each_place(def, name_zpci, &names, error);
}

/* --- what cannot be --- */

typedef struct {
    const Domain *def;
    const Caps *caps;
} Limits;

static gboolean validate_place(const DeviceKind *kind, Address **place, gpointer data, GError **error)
{
    const Limits *limits = data;
    const Address *address = *place;
    const Zpci *zpci = address && address->type == ADDRESS_TYPE_PCI ? address->zpci : NULL;

    if (!address)
        return TRUE;
    if (zpci && !caps_has_type(limits->caps, "zpci"))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "This QEMU binary doesn't support zPCI");
    if (zpci && zpci->uid != UNSET32 && (zpci->uid == 0 || zpci->uid > ID_MAX))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                         "Invalid PCI address uid='0x%.4x', must be > 0x0000 and <= 0x%.4x", zpci->uid, ID_MAX);
    if (address->type == ADDRESS_TYPE_SPAPR_VIO && address->reg != UNSET64 && address->reg > G_MAXUINT32)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "spapr-vio reg='0x%" G_GINT64_MODIFIER "x' exceeds maximum possible value (0xffffffff)",
                         address->reg);
    if (address->type == ADDRESS_TYPE_CCW && !machine_has(limits->def, MACHINE_CCW))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "cannot use CCW address type for device '%s' using machine type '%s'", "<null>",
                         limits->def->os->type->machine);
    return TRUE;
}

gboolean address_validate(Domain *def, const Caps *caps, GError **error)
{
    Limits limits = {def, caps};

    return each_place(def, validate_place, &limits, error);
}
