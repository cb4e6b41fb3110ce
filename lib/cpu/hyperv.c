/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/cpu/hyperv.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ENTRIES_MAX 64
#define FEATURES 0x40000003u
#define ADVICE 0x40000004u

/* Bits of Hyper-V's CPUID leaves (the specification calls them HYPERV_CPUID_FEATURES and ..._ENLIGHTMENT_INFO). */
static const struct {
    const char *name;
    guint32 leaf;
    guint32 bits;
} rules[] = {
    {"relaxed", FEATURES, 0x20},   {"vapic", FEATURES, 0x30},         {"vpindex", FEATURES, 0x40},
    {"runtime", FEATURES, 0x1},    {"synic", FEATURES, 0x4},          {"stimer", FEATURES, 0x8},
    {"reset", FEATURES, 0x80},     {"frequencies", FEATURES, 0x800},  {"reenlightenment", FEATURES, 0x2000},
    {"tlbflush", ADVICE, 0x4},     {"ipi", ADVICE, 0x400},            {"evmcs", ADVICE, 0x4000},
};

typedef struct {
    guint32 eax[2]; /* of FEATURES and ADVICE */
} Leaves;

static gpointer read_once(gpointer unused)
{
    static Leaves leaves;
    g_autofree struct kvm_cpuid2 *answer = g_malloc0(sizeof *answer + ENTRIES_MAX * sizeof answer->entries[0]);
    int kvm = open("/dev/kvm", O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    answer->nent = ENTRIES_MAX;
    if (kvm >= 0 && ioctl(kvm, KVM_GET_SUPPORTED_HV_CPUID, answer) == 0)
        for (guint i = 0; i < MIN(answer->nent, ENTRIES_MAX); i++) {
            guint32 leaf = answer->entries[i].function;

            if (leaf == FEATURES || leaf == ADVICE)
                leaves.eax[leaf - FEATURES] = answer->entries[i].eax;
        }
    if (kvm >= 0)
        close(kvm);
    return &leaves;
}

gboolean hyperv_has(const char *feature)
{
    static GOnce once = G_ONCE_INIT;
    const Leaves *leaves = g_once(&once, read_once, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        if (g_str_equal(rules[i].name, feature))
            return (leaves->eax[rules[i].leaf - FEATURES] & rules[i].bits) == rules[i].bits;
    return TRUE;
}
