/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: the documents in saved files. */
#include <fcntl.h>

#include "daemon/core/document-limit.h"
#include "daemon/core/host.h"
#include "daemon/core/saved-run.h"
#include "daemon/core/store.h"
#include "daemon/core/vm-document.h"
#include "daemon/core/vm-ops.h"
#include "daemon/core/vm-save.h"
#include "lib/model/domain-abi.h"
#include "lib/model/domain-migratable.h"
#include "lib/patient.h"

static SaveHeader *read_head(const char *path, int flags, int *ret_fd, GError **error)
{
    int fd = saved_run_open_file(path, flags, error);
    if (fd < 0)
        return NULL;
    SaveHeader *header = save_header_read(fd, path, error);
    if (header)
        *ret_fd = fd;
    else
        patient_close(fd);
    return header;
}

/* The document in the file PATH, as clients are shown documents. To free. */
static char *show_document(const DriverInstance *instance, const char *path, guint flags, GError **error)
{
    int fd;
    g_autoptr(SaveHeader) header = read_head(path, O_RDONLY, &fd, error);
    if (!header)
        return NULL;
    patient_close(fd);
    g_autoptr(Domain) definition = vm_document_read(instance, header->xml, FALSE, error);
    guint format = MODEL_FORMAT_INACTIVE | (flags & VIR_DOMAIN_SAVE_IMAGE_XML_SECURE ? MODEL_FORMAT_SECURE : 0);
    return definition ? model_format_text(&domain_type, definition, format) : NULL;
}

gboolean remote_domain_save_image_get_xml_desc(Call *call, const RemoteDomainSaveImageGetXmlDescArgs *args,
                                               RemoteDomainSaveImageGetXmlDescRet *ret, GError **error)
{
    ret->xml = show_document(call->instance, args->file, args->flags, error);
    return ret->xml != NULL;
}

/* HEADER's document as NEW_XML has it, if the guest would not notice. */
static gboolean replace_document(const DriverInstance *instance, SaveHeader *header, const char *new_xml,
                                 GError **error)
{
    g_autoptr(Domain) old = vm_document_read(instance, header->xml, FALSE, error);
    g_autoptr(Domain) new = old ? vm_document_read(instance, new_xml, FALSE, error) : NULL;
    if (!new || !domain_abi_check(old, new, error))
        return FALSE;
    g_autofree char *text = domain_migratable_text(new, host_paths()->run);
    return document_limit_check(text, new->name, 0, error) && save_header_set_xml(header, text, error);
}

static gboolean change_document(const DriverInstance *instance, const char *path, const char *new_xml, guint flags,
                                GError **error)
{
    int fd;
    if (!vm_save_check_flags(flags, error))
        return FALSE;
    g_autoptr(SaveHeader) header = read_head(path, O_RDWR, &fd, error);
    if (!header)
        return FALSE;
    if (flags & VM_SAVE_STATE_FLAGS)
        header->was_running = (flags & VIR_DOMAIN_SAVE_RUNNING) != 0;
    gboolean ok = replace_document(instance, header, new_xml, error) && save_header_write(header, fd, path, error);
    patient_close(fd);
    return ok;
}

gboolean remote_domain_save_image_define_xml(Call *call, const RemoteDomainSaveImageDefineXmlArgs *args,
                                             GError **error)
{
    return change_document(call->instance, args->file, args->dxml, args->flags, error);
}

/* Where VM's managed save is. To free; NULL with ERROR if it has none. */
static char *path_of_managed(Vm *vm, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    if (view->managed_save)
        return store_managed_save_path(vm);
    error_set(error, vm->instance->from, VIR_ERR_OPERATION_INVALID, "domain does not have managed save image");
    return NULL;
}

gboolean remote_domain_managed_save_get_xml_desc(Call *call, const RemoteDomainManagedSaveGetXmlDescArgs *args,
                                                 RemoteDomainManagedSaveGetXmlDescRet *ret, GError **error)
{
    g_autoptr(Vm) vm = call_lookup(call, &args->dom, error);
    g_autofree char *path = vm ? path_of_managed(vm, error) : NULL;
    ret->xml = path ? show_document(call->instance, path, args->flags, error) : NULL;
    return ret->xml != NULL;
}

gboolean remote_domain_managed_save_define_xml(Call *call, const RemoteDomainManagedSaveDefineXmlArgs *args,
                                               GError **error)
{
    g_autofree char *path = path_of_managed(call->vm, error);
    if (!args->dxml)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "dxml in virDomainManagedSaveDefineXML must not be NULL");
    return path && change_document(call->instance, path, args->dxml, args->flags, error);
}
