/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-cpu.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/sysfs.h"

/* Of a key's lines the last counts, as in libvirt. */
guint host_cpu_mhz(const char *root)
{
    static const char *const keys[] = {"cpu MHz dynamic", "cpu MHz", "clock", "CPU MHz"};
    g_autofree char *cpuinfo = sysfs_text(root, "/proc/cpuinfo");
    for (gsize i = 0; cpuinfo && i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *line = g_strconcat("\n", keys[i], NULL);
        const char *last = g_strrstr(cpuinfo, line);
        g_autofree char *value = last ? sysfs_field(last + 1, keys[i]) : NULL;
        if (value)
            return g_ascii_strtoull(value, NULL, 10);
    }
    return 0;
}

gboolean host_cpu_times(const char *root, int cpu, HostCpuTimes *ret_times)
{
    g_autofree char *stat = sysfs_text(root, "/proc/stat");
    g_autofree char *key = cpu < 0 ? g_strdup("cpu") : g_strdup_printf("cpu%d", cpu);
    g_autofree char *line = stat ? sysfs_field(stat, key) : NULL;
    guint64 user, nice, system, idle, iowait = 0, irq = 0, softirq = 0;
    if (!line || sscanf(line, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                        " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                        &user, &nice, &system, &idle, &iowait, &irq, &softirq) < 4)
        return FALSE;
    guint64 tick = 1000000000ull / sysconf(_SC_CLK_TCK);
    *ret_times = (HostCpuTimes){
        .kernel = (system + irq + softirq) * tick,
        .user = (user + nice) * tick,
        .idle = idle * tick,
        .iowait = iowait * tick,
    };
    return TRUE;
}

static guint64 number_field(const char *text, const char *key)
{
    g_autofree char *value = sysfs_field(text, key);
    return value ? g_ascii_strtoull(value, NULL, 0) : 0;
}

gboolean host_cpu_identity(const char *root, HostCpuIdentity *ret_identity)
{
    static const struct {
        const char *kernel, *name;
    } vendors[] = {{"AuthenticAMD", "AMD"}, {"GenuineIntel", "Intel"}, {"HygonGenuine", "Hygon"}};

    g_autofree char *cpuinfo = sysfs_text(root, "/proc/cpuinfo");
    g_autofree char *vendor = cpuinfo ? sysfs_field(cpuinfo, "vendor_id") : NULL;
    g_autofree char *family = cpuinfo ? sysfs_field(cpuinfo, "cpu family") : NULL;
    if (!vendor || !family)
        return FALSE;
    HostCpuIdentity identity = {
        .microcode = number_field(cpuinfo, "microcode"),
        .family = g_ascii_strtoull(family, NULL, 10),
        .model = number_field(cpuinfo, "model"),
        .stepping = number_field(cpuinfo, "stepping"),
        .physical_bits = number_field(cpuinfo, "address sizes"),
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++) {
        if (strcmp(vendor, vendors[i].kernel) == 0)
            g_strlcpy(identity.vendor, vendors[i].name, sizeof(identity.vendor));
    }
    *ret_identity = identity;
    return TRUE;
}

typedef struct {
    gboolean known, scaling;
    guint64 frequency;
} Tsc;

/* A virtual CPU of its own, which never runs, is asked. */
static void ask_kvm(Tsc *tsc)
{
#if defined(__x86_64__) || defined(__i386__)
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0)
        return;
    int vm = -1, vcpu = -1, khz = -1;
    if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_GET_TSC_KHZ) > 0)
        vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm >= 0)
        vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (vcpu >= 0)
        khz = ioctl(vcpu, KVM_GET_TSC_KHZ, 0);
    if (khz > 0) {
        tsc->known = TRUE;
        tsc->frequency = khz * 1000ull;
        tsc->scaling = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) > 0;
    }
    if (vcpu >= 0)
        close(vcpu);
    if (vm >= 0)
        close(vm);
    close(kvm);
#endif
}

static gpointer tsc_once(gpointer data)
{
    static Tsc tsc;
    ask_kvm(&tsc);
    return &tsc;
}

gboolean host_cpu_tsc(guint64 *ret_frequency, gboolean *ret_scaling)
{
    static GOnce once = G_ONCE_INIT;
    const Tsc *tsc = g_once(&once, tsc_once, NULL);
    if (!tsc->known)
        return FALSE;
    *ret_frequency = tsc->frequency;
    *ret_scaling = tsc->scaling;
    return TRUE;
}
