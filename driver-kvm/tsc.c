/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frequency is a property of a virtual processor: a machine with one is made for the question, in a copy of the process, so
 * that a kernel that takes its time costs only the deadline. */
#include "driver-kvm/tsc.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/process.h"

#define PATIENCE (5 * G_USEC_PER_SEC)
#define TOLERANCE_PPM 250
#define MILLION 1000000

/* Runs in the forked copy: system calls only. Its descriptors end with it. */
static int ask_kvm(gpointer data, int out)
{
    Tsc tsc = {0, FALSE};
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int machine = kvm >= 0 ? ioctl(kvm, KVM_CREATE_VM, 0) : -1;
    int cpu = machine >= 0 ? ioctl(machine, KVM_CREATE_VCPU, 0) : -1;
    int khz = cpu >= 0 ? ioctl(cpu, KVM_GET_TSC_KHZ) : -1;

    if (khz <= 0)
        return 1;
    tsc.frequency = (guint64)khz * 1000;
    tsc.scaling = ioctl(machine, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) > 0;
    return write(out, &tsc, sizeof tsc) != sizeof tsc;
}

Tsc tsc_of_host(void)
{
    static GMutex lock;
    static Tsc known;

    g_mutex_lock(&lock);
    if (!known.frequency) {
        g_autoptr(GByteArray) answer = process_call("asking for the frequency of the TSC", ask_kvm, NULL, sizeof known,
                                                    g_get_monotonic_time() + PATIENCE, NULL);
        if (answer && answer->len == sizeof known)
            known = *(const Tsc *)answer->data;
    }
    Tsc tsc = known;
    g_mutex_unlock(&lock);
    return tsc;
}

guint64 tsc_wanted(const Domain *def)
{
    for (guint i = 0; i < def->clock->timers->len; i++) {
        const Timer *timer = def->clock->timers->pdata[i];

        if (timer->name == TIMER_NAME_TSC && timer->frequency != UNSET64)
            return timer->frequency;
    }
    return 0;
}

gboolean tsc_check(const Domain *def, const Tsc *host, GError **error)
{
    guint64 wanted = tsc_wanted(def);
    guint64 tolerance = host->frequency * TOLERANCE_PPM / MILLION;
    guint64 low = host->frequency - tolerance, high = host->frequency + tolerance;

    if (!wanted || !host->frequency || host->scaling || (wanted >= low && wanted <= high))
        return TRUE;
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Requested TSC frequency %" G_GUINT64_FORMAT " Hz is outside tolerance range ([%" G_GUINT64_FORMAT
                     ", %" G_GUINT64_FORMAT "] Hz) around host frequency %" G_GUINT64_FORMAT
                     " Hz and TSC scaling is not supported by the host CPU", wanted, low, high, host->frequency);
}
