/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: core dumps. */
#include "daemon/core/save-file.h"
#include "daemon/core/vm-job.h"
#include "daemon/core/vm-ops.h"
#include "lib/log.h"

static gboolean exclusive(guint flags, guint one, guint other, const char *text, GError **error)
{
    return !(flags & one) || !(flags & other) || error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "%s", text);
}

static gboolean check_flags(guint format, guint flags, GError **error)
{
    if (format > VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "unknown dump format %u", format);
    if (format != VIR_DOMAIN_CORE_DUMP_FORMAT_RAW && !(flags & VIR_DUMP_MEMORY_ONLY))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                         "kdump-compressed format is only supported with memory-only dump");
    return exclusive(flags, VIR_DUMP_CRASH, VIR_DUMP_LIVE, "crash and live flags are mutually exclusive", error) &&
           exclusive(flags, VIR_DUMP_CRASH, VIR_DUMP_RESET, "crash and reset flags are mutually exclusive", error) &&
           exclusive(flags, VIR_DUMP_LIVE, VIR_DUMP_RESET, "live and reset flags are mutually exclusive", error);
}

/* A guest that ran goes on when its memory is written, if that was not the end of it. */
static void go_on(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    const Driver *driver = vm->instance->driver;
    if (driver->run->resume && !driver->run->resume(vm->instance->self, vm, &error))
        log_line(LOG_ERR, "the guest stays paused after its dump: %s", error->message);
}

static gboolean write_dump(Vm *vm, const char *path, guint format, guint flags, GError **error)
{
    const DriverInstance *instance = vm->instance;
    const SaveFileHow how = {
        .bypass_cache = (flags & VIR_DUMP_BYPASS_CACHE) != 0,
        .seekable = format != VIR_DOMAIN_CORE_DUMP_FORMAT_RAW, /* these are written here and there */
        .patience = SAVE_FILE_PATIENCE,
    };
    g_autoptr(SaveFile) file = save_file_new(path, &how, error);
    if (!file)
        return FALSE;
    if (!vm_job_enter(vm, error))
        return FALSE;
    if (!instance->driver->save->dump(instance->self, vm, save_file_fd(file), path, format, flags, error)) {
        if (!vm_job_explain(vm, error))
            save_file_explain(file, error);
        return FALSE;
    }
    return vm_job_done(vm, error) && save_file_commit(file, error);
}

static gboolean dump_to_file(Vm *vm, const char *path, guint format, guint flags, GError **error)
{
    vm_job_begin(vm, VIR_DOMAIN_JOB_OPERATION_DUMP, !(flags & VIR_DUMP_MEMORY_ONLY));
    gboolean written = write_dump(vm, path, format, flags, error);
    vm_job_end(vm);
    return written;
}

/* What the flags want of the guest after its memory is in the file. */
static gboolean finish(Vm *vm, guint flags, GError **error)
{
    const Driver *driver = vm->instance->driver;
    if (flags & VIR_DUMP_CRASH)
        return run_kill(vm, FALSE, VIR_DOMAIN_EVENT_STOPPED_CRASHED, VIR_DOMAIN_SHUTOFF_CRASHED, error);
    return !(flags & VIR_DUMP_RESET) || driver->run->reset(vm->instance->self, vm, error);
}

static gboolean dump(Call *call, const char *path, guint format, guint flags, GError **error)
{
    Vm *vm = call->vm;
    const DriverSaveOps *ops = call->instance->driver->save;
    if (!ops || !ops->dump || ((flags & VIR_DUMP_RESET) && !call->instance->driver->run->reset))
        return ops_not_offered(call, error);
    if (!check_flags(format, flags, error) || !vm_check_monitor(vm, error))
        return FALSE;
    g_autoptr(VmView) before = vm_view(vm);
    gboolean ok = dump_to_file(vm, path, format, flags, error) && finish(vm, flags, error);
    g_autoptr(VmView) after = vm_view(vm);
    if (before->state == VIR_DOMAIN_RUNNING && after->id == before->id) {
        vm_publish_went_on(vm, VIR_DOMAIN_RUNNING_UNPAUSED); /* where it failed before the guest was paused */
        if (after->state == VIR_DOMAIN_PAUSED)
            go_on(vm);
    }
    return ok;
}

gboolean remote_domain_core_dump(Call *call, const RemoteDomainCoreDumpArgs *args, GError **error)
{
    return dump(call, args->to, VIR_DOMAIN_CORE_DUMP_FORMAT_RAW, args->flags, error);
}

gboolean remote_domain_core_dump_with_format(Call *call, const RemoteDomainCoreDumpWithFormatArgs *args,
                                             GError **error)
{
    return dump(call, args->to, args->dumpformat, args->flags, error);
}
