/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names made from procedures are those that libvirt's client library exports. */
#include "daemon/rpc/api.h"

#include <dlfcn.h>

#include "daemon/rpc/qemu-gen.h"
#include "daemon/rpc/remote-gen.h"

/* Procedures that stand for no public function of that name. */
static const char *const private_ones[] = {
    "auth_list",       "auth_sasl_init", "auth_sasl_start", "auth_sasl_step",
    "auth_polkit",     "connect_domain_event_callback_register_any",
    "connect_domain_event_callback_deregister_any", NULL,
};

static void check_program(const WireProgram *program, const char *library)
{
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);

    if (!handle) {
        g_test_skip(dlerror());
        return;
    }
    for (guint i = 0; i < program->n_procs; i++) {
        const WireProc *proc = &program->procs[i];
        g_autofree char *name = api_name(proc);
        if (!proc->is_event && !g_strv_contains(private_ones, proc->name) && !dlsym(handle, name))
            g_error("%s: libvirt has no %s", proc->name, name);
    }
    dlclose(handle);
}

static void test_remote(void)
{
    check_program(&remote_program, "libvirt.so.0");
}

static void test_qemu(void)
{
    check_program(&qemu_program, "libvirt-qemu.so.0");
}

static void test_domains(void)
{
    const struct {
        guint32 number;
        virErrorDomain domain;
    } cases[] = {
        {REMOTE_PROC_DOMAIN_CREATE, VIR_FROM_DOMAIN},
        {REMOTE_PROC_DOMAIN_INTERFACE_STATS, VIR_FROM_DOMAIN},
        {REMOTE_PROC_DOMAIN_SNAPSHOT_DELETE, VIR_FROM_DOMAIN_SNAPSHOT},
        {REMOTE_PROC_DOMAIN_CHECKPOINT_DELETE, VIR_FROM_DOMAIN_CHECKPOINT},
        {REMOTE_PROC_NETWORK_CREATE, VIR_FROM_NETWORK},
        {REMOTE_PROC_CONNECT_NUM_OF_NETWORKS, VIR_FROM_NETWORK},
        {REMOTE_PROC_CONNECT_FIND_STORAGE_POOL_SOURCES, VIR_FROM_STORAGE},
        {REMOTE_PROC_NODE_DEVICE_RESET, VIR_FROM_NODEDEV},
        {REMOTE_PROC_NODE_NUM_OF_DEVICES, VIR_FROM_NODEDEV},
        {REMOTE_PROC_NODE_SUSPEND_FOR_DURATION, VIR_FROM_DOMAIN},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(api_domain(wire_proc(&remote_program, cases[i].number)), ==, cases[i].domain);
    g_assert_cmpint(api_domain(wire_proc(&qemu_program, QEMU_PROC_DOMAIN_ATTACH)), ==, VIR_FROM_NONE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/api/remote", test_remote);
    g_test_add_func("/api/qemu", test_qemu);
    g_test_add_func("/api/domains", test_domains);
    return g_test_run();
}
