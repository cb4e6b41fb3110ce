/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/document.h"

#include "lib/error.h"
#include "lib/model/host-interface.h"
#include "lib/model/moment.h"
#include "lib/model/network.h"
#include "lib/model/node-device.h"
#include "lib/model/nwfilter.h"
#include "lib/model/secret.h"
#include "lib/model/storage-pool.h"
#include "lib/model/table.h"

static gpointer read_backup(XmlDocument *document, GError **error)
{
    return backup_read(document, error);
}

static gpointer read_checkpoint(XmlDocument *document, GError **error)
{
    return checkpoint_read(document, xml_child(xml_root(document), "creationTime") != NULL, error);
}

/* One that says when it was taken is one that comes back. */
static gpointer read_snapshot(XmlDocument *document, GError **error)
{
    return snapshot_read(document, xml_child(xml_root(document), "creationTime") != NULL, error);
}

static gpointer read_interface(XmlDocument *document, GError **error)
{
    return host_interface_read(document, error);
}

static gpointer read_network(XmlDocument *document, GError **error)
{
    g_autoptr(Network) network = network_read(document, error);
    return network && network_validate(network, error) ? g_steal_pointer(&network) : NULL;
}

static gpointer read_device(XmlDocument *document, GError **error)
{
    return node_device_read(document, error);
}

static gpointer read_filter(XmlDocument *document, GError **error)
{
    return nwfilter_read(document, error);
}

static gpointer read_binding(XmlDocument *document, GError **error)
{
    return nwfilter_binding_read(document, error);
}

static gpointer read_pool(XmlDocument *document, GError **error)
{
    return storage_pool_read(document, error);
}

static gpointer read_secret(XmlDocument *document, GError **error)
{
    return secret_read(document, error);
}

/* Its pool's type decides; here it is one of files. */
static gpointer read_volume(XmlDocument *document, GError **error)
{
    return storage_volume_read(document, STORAGE_POOL_TYPE_DIR, STORAGE_VOLUME_NO_CAPACITY, error);
}

static const DocumentKind kinds[] = {
    {"capabilities", "capabilities.rng", &capabilities_type, NULL},
    {"cpu", "cpu.rng", &cpu_type, NULL},
    {"device", "nodedev.rng", &node_device_type, read_device},
    {"domain", "domain.rng", &domain_type, NULL},
    {"domainCapabilities", "domain-capabilities.rng", &domain_capabilities_type, NULL},
    {"domainbackup", "backup.rng", &backup_type, read_backup},
    {"domaincheckpoint", "checkpoint.rng", &checkpoint_type, read_checkpoint},
    {"domainsnapshot", "snapshot.rng", &snapshot_type, read_snapshot},
    {"filter", "nwfilter.rng", &nwfilter_type, read_filter},
    {"filterbinding", "nwfilterbinding.rng", &nwfilter_binding_type, read_binding},
    {"interface", "interface.rng", &host_interface_type, read_interface},
    {"network", "network.rng", &network_type, read_network},
    {"networkport", "network-port.rng", &network_port_type, NULL},
    {"pool", "storage-pool.rng", &storage_pool_type, read_pool},
    {"secret", "secret.rng", &secret_type, read_secret},
    {"storagepoolCapabilities", "storage-pool-capabilities.rng", &pool_capabilities_type, NULL},
    {"volume", "storage-volume.rng", &storage_volume_type, read_volume},
};

const DocumentKind *document_kinds(guint *ret_n)
{
    *ret_n = G_N_ELEMENTS(kinds);
    return kinds;
}

const DocumentKind *document_kind(XmlDocument *document, GError **error)
{
    const char *root = xml_name(xml_root(document));
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(kinds[i].root, root))
            return &kinds[i];
    error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "unexpected root element <%s>: no document begins so", root);
    return NULL;
}

gpointer document_read(const DocumentKind *kind, XmlDocument *document, GPtrArray *warnings, GError **error)
{
    gpointer plain = NULL;
    if (!kind->read || warnings)
        plain = model_parse(kind->type, xml_root(document), MODEL_PARSE_INACTIVE, warnings, kind->read ? NULL : error);
    if (!kind->read)
        return plain;
    document_free(kind, plain);
    return kind->read(document, error);
}

void document_free(const DocumentKind *kind, gpointer object)
{
    if (kind->type->root)
        model_unref(kind->type, object);
    else
        model_free(kind->type, object);
}
