/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hypervisor is what knows which domains there are. We know ours by their UUID, so that nothing is lost of a start that was
 * cut off by a kill of the daemon: the next one looks for it.
 */
#include "driver-xen/run.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "driver-xen/config.h"
#include "driver-xen/device-model.h"
#include "driver-xen/guest.h"
#include "driver-xen/host-domain.h"
#include "driver-xen/plug.h"
#include "driver-xen/screen.h"
#include "driver-xen/xen.h"
#include "lib/error.h"

#define CREATE_DEADLINE (180 * G_USEC_PER_SEC) /* builds memory, runs scripts, may ask a boot loader */

static void say(Xen *xen, Vm *vm, int event, int detail)
{
    VmEvent one = {.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .lifecycle = {event, detail}};

    xen->host->emit(vm, &one);
}

/* Where the daemon ends, nobody has cleaned up: the guest goes on. */
static void drop(gpointer data)
{
    device_model_unwatch(data);
    guest_unref(data);
}

/* GUEST is given away; NULL: there is none any more. */
static void keep(Xen *xen, Vm *vm, Guest *guest)
{
    g_mutex_lock(&xen->lock);
    xen->host->set_private(vm, guest, guest ? drop : NULL);
    g_mutex_unlock(&xen->lock);
}

/* --- what only the run has --- */

typedef struct {
    Context *context;
    guint32 domid;
} Lesson;

static void learn_terminal(const Lesson *lesson, Chardev *console, int number, libxl_console_type type)
{
    char *path = NULL;

    if (console->type != CHARDEV_TYPE_PTY || libxl_console_get_tty(lesson->context->libxl, lesson->domid, number, type, &path) != 0)
        return;
    if (!console->source)
        console->source = chardev_source_new();
    g_free(console->source->path);
    console->source->path = g_strdup(path);
    g_free(console->tty);
    console->tty = g_strdup(path);
    free(path);
}

static gboolean edit_learn(Domain *live, gpointer data, GError **error)
{
    const Lesson *lesson = data;
    gboolean hvm = live->os->type->value == OS_TYPE_HVM;

    for (guint i = 0; i < live->devices->interfaces->len; i++) {
        Interface *interface = live->devices->interfaces->pdata[i];

        if (!interface->target)
            interface->target = interface_target_new();
        if (!interface->target->dev)
            interface->target->dev = g_strdup_printf("vif%u.%u", lesson->domid, i);
    }
    for (guint i = 0; i < live->devices->serials->len; i++)
        learn_terminal(lesson, live->devices->serials->pdata[i], (int)i, LIBXL_CONSOLE_TYPE_SERIAL);
    for (guint i = 0; i < live->devices->consoles->len && !hvm; i++)
        learn_terminal(lesson, live->devices->consoles->pdata[i], (int)i, LIBXL_CONSOLE_TYPE_PV);
    return TRUE;
}

/* --- beginning --- */

#define STREAM_VERSION 2

/* Anew, or as it was saved. */
static int make(Context *context, libxl_domain_config *config, uint32_t *domid, int restore_fd)
{
    libxl_domain_restore_params params;

    if (restore_fd < 0)
        return libxl_domain_create_new(context->libxl, config, domid, context_how(context), NULL);
    libxl_domain_restore_params_init(&params);
    params.stream_version = STREAM_VERSION;
    int rc = libxl_domain_create_restore(context->libxl, config, domid, restore_fd, -1, &params, context_how(context), NULL);
    libxl_domain_restore_params_dispose(&params);
    return rc;
}

static gboolean create(Context *context, Vm *vm, const Domain *live, int restore_fd, guint32 *ret_domid, GError **error)
{
    libxl_domain_config config;
    uint32_t domid = 0;

    libxl_domain_config_init(&config);
    gboolean built = config_build(context->libxl, live, &config, error);
    if (built) {
        int rc = make(context, &config, &domid, restore_fd);
        rc = context_wait(context, rc, g_get_monotonic_time() + CREATE_DEADLINE);
        if (rc == ERROR_TIMEDOUT)
            built = context_failed(context, VIR_ERR_OPERATION_TIMEOUT, error, "libxenlight took too long to create domain '%s'", live->name);
        else if (rc != 0)
            built = context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "libxenlight failed to create new domain '%s'", live->name);
    }
    libxl_domain_config_dispose(&config);
    *ret_domid = domid;
    return built;
}

/* Ports are kept for the displays until these listen. */
static gboolean create_held(Xen *xen, Context *context, Vm *vm, int restore_fd, guint32 *ret_domid, GError **error)
{
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(int));
    gboolean done = screen_take_ports(xen, vm, held, error);
    g_autoptr(VmView) view = xen->host->view(vm);

    done = done && create(context, vm, view->live, restore_fd, ret_domid, error);
    for (guint i = 0; i < held->len; i++)
        close(g_array_index(held, int, i));
    return done;
}

/* The run is known from here on, and its end will be seen. */
static gboolean settle(Xen *xen, Context *context, Vm *vm, guint32 domid, GError **error)
{
    Guest *guest = guest_new(xen, vm, domid);
    Lesson lesson = {context, domid};

    keep(xen, vm, guest);
    if (!xen->host->set_id(vm, (int)domid, error) || !watch_add(xen->watch, guest, error) ||
        !xen->host->edit_live(vm, edit_learn, &lesson, error) || !xen->host->save_status(vm, error))
        return FALSE;
    g_autoptr(VmView) view = xen->host->view(vm);
    if (view->live->os->type->value == OS_TYPE_HVM) /* others go on without one, but for what it serves them */
        device_model_watch(guest);
    return TRUE;
}

static gboolean run_start(gpointer self, Vm *vm, const DriverStart *options, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = context_new(xen->host, error);
    gboolean restored = options->restore_fd >= 0;
    guint32 domid;

    if (!context || !create_held(xen, context, vm, options->restore_fd, &domid, error) || !settle(xen, context, vm, domid, error))
        return FALSE;
    if (options->paused) {
        xen->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
        return TRUE;
    }
    if (!guest_unpause(context, domid, error))
        return FALSE;
    xen->host->set_state(vm, VIR_DOMAIN_RUNNING, restored ? VIR_DOMAIN_RUNNING_RESTORED : VIR_DOMAIN_RUNNING_BOOTED);
    return TRUE;
}

/* --- end --- */

static gboolean run_kill(gpointer self, Vm *vm, gboolean graceful, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = context_new(xen->host, error);
    g_autoptr(Guest) guest = guest_of(xen, vm);
    g_autoptr(GError) cause = NULL;
    guint32 domid;

    if (!context)
        return FALSE;
    if (!guest_find(context, vm, &domid, &cause)) {
        if (!cause)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    if (domid == 0)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_INVALID, "the host's own domain cannot be destroyed");
    if (!guest_destroy(context, domid, error))
        return FALSE;
    if (guest)
        xen->host->stopped(vm, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED);
    return TRUE;
}

static void run_cleanup(gpointer self, Vm *vm)
{
    Xen *xen = self;
    g_autoptr(Guest) guest = guest_of(xen, vm);
    g_autoptr(GError) error = NULL;

    if (guest) {
        device_model_unwatch(guest);
        watch_drop(xen->watch, guest);
    }
    if (!run_kill(xen, vm, FALSE, &error))
        xen->host->log(vm, LOG_ERR, error->message);
    keep(xen, vm, NULL);
}

/* --- the next daemon --- */

static void run_status(gpointer self, Vm *vm, GHashTable *out)
{
    g_autoptr(Guest) guest = guest_of(self, vm);

    if (guest)
        g_hash_table_insert(out, g_strdup("domid"), g_strdup_printf("%u", guest->domid));
}

static void publish_state(Xen *xen, Vm *vm, const libxl_dominfo *info)
{
    g_autoptr(VmView) view = xen->host->view(vm);
    gboolean starting = view->state == VIR_DOMAIN_PAUSED && view->reason == VIR_DOMAIN_PAUSED_STARTING_UP;

    if (info->paused && (starting || view->state != VIR_DOMAIN_PAUSED))
        xen->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN);
    else if (!info->paused && view->state != VIR_DOMAIN_RUNNING)
        xen->host->set_state(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNKNOWN);
}

static gboolean run_reconnect(gpointer self, Vm *vm, GHashTable *status, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = context_new(xen->host, error);
    const char *known = g_hash_table_lookup(status, "domid"); /* the host's own domain needs none */
    guint64 expected = known ? g_ascii_strtoull(known, NULL, 10) : 0;
    libxl_dominfo info;
    guint32 domid;

    if (!context)
        return FALSE;
    if (!guest_find(context, vm, &domid, error) || domid != expected) {
        if (!*error)
            error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_FAILED, "the hypervisor has no domain %s of that UUID", known ? known : "0");
        return FALSE;
    }
    libxl_dominfo_init(&info);
    gboolean there = libxl_domain_info(context->libxl, &info, domid) == 0 && plug_learn(xen, context, vm, domid, error) &&
                     settle(xen, context, vm, domid, error);
    if (there)
        publish_state(xen, vm, &info);
    libxl_dominfo_dispose(&info);
    return there;
}

/* --- while it runs --- */

static gboolean run_suspend(gpointer self, Vm *vm, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);

    if (!guest)
        return FALSE;
    int rc = libxl_domain_pause(context->libxl, guest->domid, context_how(context));
    if (context_wait(context, rc, g_get_monotonic_time() + XEN_DEADLINE) != 0)
        return context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to suspend domain '%u' with libxenlight", guest->domid);
    xen->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    say(xen, vm, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    return TRUE;
}

static gboolean run_resume(gpointer self, Vm *vm, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);

    if (!guest || !guest_unpause(context, guest->domid, error))
        return FALSE;
    xen->host->set_state(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    say(xen, vm, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    return TRUE;
}

/* A wish goes to the guest's own drivers; where it has none, buttons do. */
static gboolean wish(Guest *guest, Context *context, gboolean reboot, gboolean pv, gboolean button, GError **error)
{
    int rc = ERROR_NOPARAVIRT;
    libxl_trigger trigger = reboot ? LIBXL_TRIGGER_RESET : LIBXL_TRIGGER_POWER;

    if (pv) {
        rc = reboot ? libxl_domain_reboot(context->libxl, guest->domid, context_how(context))
                    : libxl_domain_shutdown(context->libxl, guest->domid, context_how(context));
        rc = context_wait(context, rc, g_get_monotonic_time() + XEN_DEADLINE);
    }
    if (rc == ERROR_NOPARAVIRT && button) {
        rc = libxl_send_trigger(context->libxl, guest->domid, trigger, 0, context_how(context));
        rc = context_wait(context, rc, g_get_monotonic_time() + XEN_DEADLINE);
    }
    return rc == 0 || context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to %s domain '%u' with libxenlight",
                                     reboot ? "reboot" : "shutdown", guest->domid);
}

static gboolean run_shutdown(gpointer self, Vm *vm, guint flags, GError **error)
{
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(self, vm, &context, error);
    gboolean any = flags == 0;

    return guest && wish(guest, context, FALSE, any || flags & VIR_DOMAIN_SHUTDOWN_PARAVIRT,
                         any || flags & VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, error);
}

static gboolean run_reboot(gpointer self, Vm *vm, guint flags, GError **error)
{
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(self, vm, &context, error);

    return guest && wish(guest, context, TRUE, TRUE, FALSE, error);
}

static gboolean run_reset(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(self, vm, &context, error);

    return guest && wish(guest, context, TRUE, FALSE, TRUE, error);
}

/* --- the host itself --- */

static Domain *run_host_domain(gpointer self, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = context_new(xen->host, error);

    return context ? host_domain_new(context, error) : NULL;
}

const DriverRunOps run_ops = {
    .host_domain = run_host_domain,
    .start = run_start,
    .kill = run_kill,
    .cleanup = run_cleanup,
    .reconnect = run_reconnect,
    .status = run_status,
    .suspend = run_suspend,
    .resume = run_resume,
    .shutdown = run_shutdown,
    .reboot = run_reboot,
    .reset = run_reset,
};
