/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/node-device.h"

#include "lib/error.h"

#define BIT(value) (1u << (value))
#define PART(name) BIT(NODE_DEVICE_PART_KIND_##name)

/* What else a device of a kind can be; words for another are libvirt's, NULL: it is passed over. */
static const struct {
    NodeDeviceKind kind;
    guint parts;
    const char *words;
} allowed[] = {
    {NODE_DEVICE_KIND_PCI,
     PART(PHYS_FUNCTION) | PART(VIRT_FUNCTIONS) | PART(PCI_BRIDGE) | PART(CARDBUS_BRIDGE) | PART(MDEV_TYPES) | PART(VPD), NULL},
    {NODE_DEVICE_KIND_NET, PART(80203) | PART(80211), "invalid network type supplied"},
    {NODE_DEVICE_KIND_SCSI_HOST, PART(FC_HOST) | PART(VPORT_OPS), "unknown SCSI host capability type"},
    {NODE_DEVICE_KIND_SCSI_TARGET, PART(FC_REMOTE_PORT), "unknown SCSI target capability type"},
    {NODE_DEVICE_KIND_STORAGE, PART(REMOVABLE) | PART(HOTPLUGGABLE), "unknown storage capability type"},
    {NODE_DEVICE_KIND_CSS, PART(MDEV_TYPES), NULL},
    {NODE_DEVICE_KIND_AP_MATRIX, PART(MDEV_TYPES), NULL},
};

static gboolean check_part(const NodeDevice *device, gsize row, const NodeDevicePart *part, GError **error)
{
    if (part->type == NODE_DEVICE_PART_KIND_PHYS_FUNCTION && part->addresses->len == 0)
        return error_set(error, VIR_FROM_NODEDEV, VIR_ERR_XML_ERROR, "Missing address in 'phys_function' capability");
    if (allowed[row].parts & BIT(part->type))
        return TRUE;
    if (allowed[row].kind == NODE_DEVICE_KIND_NET)
        return error_set(error, VIR_FROM_NODEDEV, VIR_ERR_CONFIG_UNSUPPORTED, "%s for '%s'", allowed[row].words, device->name);
    return error_set(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR, "%s '%s' for '%s'", allowed[row].words,
                     node_device_part_kind_to_string(part->type), device->name);
}

static gboolean complete_parts(const NodeDevice *device, NodeDeviceCapability *capability, gsize row, GError **error)
{
    for (guint i = 0; i < capability->parts->len;) {
        NodeDevicePart *part = capability->parts->pdata[i];

        if (!allowed[row].words && !(allowed[row].parts & BIT(part->type))) {
            node_device_part_free(g_ptr_array_remove_index(capability->parts, i));
            continue;
        }
        if (!check_part(device, row, part, error))
            return FALSE;
        i++;
    }
    return TRUE;
}

static gboolean is_removable(const NodeDeviceCapability *capability)
{
    for (guint i = 0; i < capability->parts->len; i++)
        if (((const NodeDevicePart *)capability->parts->pdata[i])->type == NODE_DEVICE_PART_KIND_REMOVABLE)
            return TRUE;
    return FALSE;
}

static gboolean complete_capability(const NodeDevice *device, NodeDeviceCapability *capability, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(allowed); i++)
        if (allowed[i].kind == capability->type && !complete_parts(device, capability, i, error))
            return FALSE;
    if (capability->type == NODE_DEVICE_KIND_SYSTEM && !capability->hardware)
        return error_set(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR, "no system UUID supplied for '%s'", device->name);
    if (capability->type == NODE_DEVICE_KIND_SCSI_HOST && capability->host == UNSET32)
        return error_set(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR, "no SCSI host ID supplied for '%s'", device->name);
    return capability->type != NODE_DEVICE_KIND_STORAGE || capability->size != UNSET64 || is_removable(capability) ||
           error_set(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR, "no size supplied for '%s'", device->name);
}

static gboolean check_parent(const NodeDeviceParent *parent, GError **error)
{
    if (!parent || !parent->wwnn == !parent->wwpn)
        return TRUE;
    return error_set(error, VIR_FROM_NODEDEV, VIR_ERR_XML_ERROR, "when providing parent %s='%s', the %s must also be provided",
                     parent->wwnn ? "wwnn" : "wwpn", parent->wwnn ? parent->wwnn : parent->wwpn, parent->wwnn ? "wwpn" : "wwnn");
}

NodeDevice *node_device_read(XmlDocument *document, GError **error)
{
    if (!xml_check_root(document, "device", error))
        return NULL;
    g_autoptr(NodeDevice) device = model_parse(&node_device_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error);
    if (!device || !check_parent(device->parent, error))
        return NULL;
    if (device->capabilities->len == 0) {
        error_set(error, VIR_FROM_NODEDEV, VIR_ERR_INTERNAL_ERROR, "no device capabilities for '%s'", device->name);
        return NULL;
    }
    for (guint i = 0; i < device->capabilities->len; i++)
        if (!complete_capability(device, device->capabilities->pdata[i], error))
            return NULL;
    return g_steal_pointer(&device);
}
