/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module: its entry point, and which function stands where. */
#include "driver-kvm/kvm.h"

#include "driver-kvm/guest.h"
#include "lib/error.h"

static gpointer kvm_open(const DriverHost *host, GError **error)
{
    User *user;

    if (!user_new(host->config("kvm", "user"), host->config("kvm", "group"), &user, error))
        return NULL;
    Kvm *kvm = g_new0(Kvm, 1);
    g_autofree char *cache = g_build_filename(host->paths->cache, "kvm", NULL);
    g_autofree char *runs = g_build_filename(host->paths->run, "domains", NULL);
    kvm->host = host;
    kvm->user = user;
    kvm->caps = caps_cache_new(cache, host->paths->probe, user_ids(user));
    kvm->dac = dac_new(user_ids(user), runs);
    g_mutex_init(&kvm->lock);
    g_cond_init(&kvm->idle);
    kvm->guests = g_hash_table_new(NULL, NULL);
    return kvm;
}

static void forget_all(Kvm *kvm)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, kvm->guests);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        g_autoptr(Guest) guest = guest_ref(value);
        guest_forget(guest);
        g_hash_table_iter_init(&iter, kvm->guests);
    }
}

static void kvm_close(gpointer self)
{
    Kvm *kvm = self;

    g_mutex_lock(&kvm->lock);
    while (kvm->busy > 0)
        g_cond_wait(&kvm->idle, &kvm->lock);
    g_mutex_unlock(&kvm->lock);
    forget_all(kvm);
    g_hash_table_unref(kvm->guests);
    g_mutex_clear(&kvm->lock);
    g_cond_clear(&kvm->idle);
    dac_free(kvm->dac);
    caps_cache_free(kvm->caps);
    user_free(kvm->user);
    g_free(kvm);
}

static const DriverRunOps run_ops = {
    .start = start_guest,
    .kill = stop_kill,
    .cleanup = stop_cleanup,
    .reconnect = reconnect_guest,
    .status = reconnect_status,
    .suspend = run_suspend,
    .resume = run_resume,
    .shutdown = run_shutdown,
    .reboot = run_reboot,
    .reset = run_reset,
    .wakeup = run_wakeup,
    .set_actions = run_set_actions,
};

static const char *const config_keys[] = {"user", "group", "vnc_listen", "spice_listen", NULL};
static const char *const domain_types[] = {"qemu", "kvm", NULL};

extern const Driver DRIVER_ENTRY;
G_MODULE_EXPORT const Driver DRIVER_ENTRY = {
    .build = DRIVER_BUILD,
    .name = "kvm",
    .scheme = "qemu",
    .type = "QEMU",
    .domain_types = domain_types,
    .config_keys = config_keys,
    .error_domain = VIR_FROM_QEMU,
    .open = kvm_open,
    .close = kvm_close,
    .node = &kvm_node_ops,
    .definition = &kvm_definition_ops,
    .run = &run_ops,
    .save = &kvm_save_ops,
    .stats = &kvm_stats_ops,
    .resize = &kvm_resize_ops,
    .tuning = &kvm_tuning_ops,
    .chardev = &kvm_chardev_ops,
    .display = &kvm_display_ops,
    .device = &kvm_device_ops,
    .monitor = &kvm_monitor_ops,
    .agent = &kvm_agent_ops,
};
