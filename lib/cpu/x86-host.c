/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/cpu/x86-host.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/error.h"

#define EXTENDED 0x80000000u
#define SIGNATURE_BITS 0x0fff3fffu
#define ARCH_CAPABILITIES 0x10au
#define EAX 0
#define EBX 1
#define ECX 2
#define EDX 3

typedef struct {
    const X86Source *source;
    guint32 highest, highest_extended;
    guint32 subleaves; /* highest of leaf 7 */
} Reading;

static void ask(const Reading *reading, guint32 leaf, guint32 subleaf, guint32 regs[4])
{
    regs[EAX] = leaf;
    regs[EBX] = regs[EDX] = 0;
    regs[ECX] = subleaf;
    reading->source->cpuid(regs, reading->source->data);
}

/* Beyond its highest leaf a processor answers something; and what a subleaf says counts only where it is there. */
static gboolean has_leaf(const Reading *reading, const X86Feature *feature)
{
    guint32 regs[4];

    if (feature->leaf > (feature->leaf >= EXTENDED ? reading->highest_extended : reading->highest))
        return FALSE;
    switch (feature->leaf) {
    case 0x7:
        return feature->subleaf <= reading->subleaves;
    case 0xf: /* a bit of the first says which others there are */
        ask(reading, 0xf, 0, regs);
        return feature->subleaf == 0 || (regs[EDX] >> feature->subleaf & 1) != 0;
    case 0x12: /* not without SGX */
        ask(reading, 0x7, 0, regs);
        return (regs[EBX] >> 2 & 1) != 0;
    default:
        return TRUE;
    }
}

static gboolean is_set(const Reading *reading, const X86Feature *feature)
{
    guint64 value;
    guint32 regs[4];

    if (feature->msr)
        return feature->leaf == ARCH_CAPABILITIES && reading->source->msr(feature->leaf, &value, reading->source->data) &&
               (value >> (feature->reg == EDX ? 32 : 0) >> feature->bit & 1) != 0;
    if (!has_leaf(reading, feature))
        return FALSE;
    ask(reading, feature->leaf, feature->subleaf, regs);
    return (regs[feature->reg] >> feature->bit & 1) != 0;
}

static Reading begin(const X86Source *source, X86Data *data)
{
    Reading reading = {.source = source};
    guint32 regs[4], text[4] = {0};

    ask(&reading, EXTENDED, 0, regs);
    reading.highest_extended = regs[EAX];
    ask(&reading, 0, 0, regs);
    reading.highest = regs[EAX];
    text[0] = regs[EBX], text[1] = regs[EDX], text[2] = regs[ECX];
    data->vendor = x86_vendor_of_string((const char *)text);
    ask(&reading, 1, 0, regs);
    data->signature = regs[EAX] & SIGNATURE_BITS;
    ask(&reading, 7, 0, regs);
    reading.subleaves = regs[EAX];
    return reading;
}

void x86_host_read(const X86Source *source, X86Data *ret_data)
{
    X86Data data = {{{0}}, NULL, 0};
    Reading reading = begin(source, &data);
    int capabilities = x86_feature("arch-capabilities");

    for (guint i = 0; i < X86_N_FEATURES; i++)
        if ((!x86_features[i].msr || x86_bits_has(&data.bits, (guint)capabilities)) && is_set(&reading, &x86_features[i]))
            x86_bits_add(&data.bits, i);
    *ret_data = data;
}

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* Each question costs a virtual machine's host a switch: the last answer is kept. */
typedef struct {
    guint32 leaf, subleaf, regs[4];
    gboolean known;
    gboolean msr_known, msr_there;
    guint64 msr;
} Kept;

static void cpuid(guint32 regs[4], gpointer data)
{
    Kept *kept = data;

    if (!kept->known || kept->leaf != regs[EAX] || kept->subleaf != regs[ECX]) {
        kept->leaf = regs[EAX];
        kept->subleaf = regs[ECX];
        __cpuid_count(kept->leaf, kept->subleaf, kept->regs[EAX], kept->regs[EBX], kept->regs[ECX], kept->regs[EDX]);
        kept->known = TRUE;
    }
    memcpy(regs, kept->regs, sizeof kept->regs);
}

static gboolean msr_of_kvm(guint32 index, guint64 *ret_value)
{
    g_autofree struct kvm_msrs *asked = g_malloc0(sizeof *asked + sizeof asked->entries[0]);
    int kvm = open("/dev/kvm", O_RDONLY | O_CLOEXEC);

    asked->nmsrs = 1;
    asked->entries[0].index = index;
    gboolean there = kvm >= 0 && ioctl(kvm, KVM_GET_MSRS, asked) == 1;
    if (kvm >= 0)
        close(kvm);
    if (there)
        *ret_value = asked->entries[0].data;
    return there;
}

static gboolean msr(guint32 index, guint64 *ret_value, gpointer data)
{
    Kept *kept = data;

    if (!kept->msr_known) {
        int device = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
        kept->msr_known = TRUE;
        kept->msr_there = device >= 0 && pread(device, &kept->msr, sizeof kept->msr, index) == sizeof kept->msr;
        if (device >= 0)
            close(device);
        if (!kept->msr_there)
            kept->msr_there = msr_of_kvm(index, &kept->msr);
    }
    *ret_value = kept->msr;
    return kept->msr_there;
}

static gpointer read_once(gpointer unused)
{
    static X86Data data;
    Kept kept = {0};
    X86Source source = {cpuid, msr, &kept};

    x86_host_read(&source, &data);
    return &data;
}

gboolean x86_host(X86Data *ret_data)
{
    static GOnce once = G_ONCE_INIT;

    *ret_data = *(const X86Data *)g_once(&once, read_once, NULL);
    return TRUE;
}
#else
gboolean x86_host(X86Data *ret_data)
{
    return FALSE;
}
#endif

Cpu *x86_host_cpu(gboolean host, GError **error)
{
    X86Decode how = {.host = host};
    g_autoptr(Cpu) cpu = cpu_new();
    X86Data data;

    if (!x86_host(&data)) {
        error_set(error, VIR_FROM_CPU, VIR_ERR_NO_SUPPORT, "cannot detect host CPU model for this architecture");
        return NULL;
    }
    return x86_decode(&data, &how, cpu, error) ? g_steal_pointer(&cpu) : NULL;
}
