/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties that hold for every model and feature, and processors recorded as the few registers that matter. */
#include "lib/cpu/x86-compare.h"

#include <string.h>

#include "lib/cpu/x86-host.h"
#include "lib/cpu/x86-update.h"
#include "lib/error.h"

/* --- recorded processors --- */

typedef struct {
    guint32 leaf, subleaf, regs[4];
} Leaf;

typedef struct {
    const char *what;
    Leaf leaves[14];
    guint64 capabilities; /* what the register 0x10a has */
    const char *host_model, *guest_model;
    const char *has; /* in the host's list beside the model */
} Recorded;

#define AMD 0x68747541, 0x444d4163, 0x69746e65
#define INTEL 0x756e6547, 0x6c65746e, 0x49656e69

static const Recorded recorded[] = {
    {"a virtual machine on a Zen 3",
     {{0x0, 0, {0xd, AMD}}, {0x1, 0, {0xa00f11, 0x1020800, 0xfffa3203, 0x178bfbff}}, {0x6, 0, {0x4, 0, 0, 0}},
      {0x7, 0, {0, 0x219c07ab, 0x400684, 0x10}}, {0xd, 1, {0xf, 0x368, 0x1800, 0}}, {0x80000000, 0, {0x80000021, AMD}},
      {0x80000001, 0, {0xa00f11, 0x40000000, 0x4003f3, 0x2fd3fbff}}, {0x80000007, 0, {0, 0, 0, 0x100}},
      {0x80000008, 0, {0x303030, 0x10000005, 0x7001, 0}}},
     0, "kvm64", "EPYC-Milan", " avx2 xsaves invtsc "},
    {"a Haswell whose transactions do not work",
     {{0, 0, {0xd, INTEL}}, {1, 0, {0x306c3, 0x100800, 0x7ffafbff, 0xbfebfbff}}, {6, 0, {0x77, 0, 0, 0}},
      {7, 0, {0, 0x2fbb, 0, 0}}, {0xd, 1, {1, 0, 0, 0}}, {0x80000000, 0, {0x80000008, 0, 0, 0}},
      {0x80000001, 0, {0, 0, 0x21, 0x2c100800}}, {0x80000007, 0, {0, 0, 0, 0x100}}},
     0, "Haswell-noTSX", "Haswell-noTSX", " vmx invtsc xsaveopt abm pdpe1gb "},
    {"a Core 2",
     {{0, 0, {0xa, INTEL}}, {1, 0, {0x6fb, 0x20800, 0xe3fd, 0xbfebfbff}}, {0x80000000, 0, {0x80000008, 0, 0, 0}},
      {0x80000001, 0, {0, 0, 1, 0x20100800}}},
     0, "Conroe", "Conroe", " vmx cx16 dtes64 "},
    {"an old one that says nothing of itself", {{0, 0, {1, INTEL}}, {1, 0, {0x543, 0, 0, 0x8001bf}}}, 0, "pentium", "pentium", ""},
};

static void fake_cpuid(guint32 regs[4], gpointer data)
{
    const Recorded *one = data;
    guint32 leaf = regs[0], subleaf = regs[2];

    memset(regs, 0, 4 * sizeof regs[0]);
    for (guint i = 0; i < G_N_ELEMENTS(one->leaves); i++)
        if (one->leaves[i].leaf == leaf && one->leaves[i].subleaf == subleaf && (leaf || one->leaves[i].regs[0])) {
            memcpy(regs, one->leaves[i].regs, sizeof one->leaves[i].regs);
            return;
        }
}

static gboolean fake_msr(guint32 index, guint64 *ret_value, gpointer data)
{
    *ret_value = ((const Recorded *)data)->capabilities;
    return TRUE;
}

static X86Data read_recorded(const Recorded *one)
{
    X86Source source = {fake_cpuid, fake_msr, (gpointer)one};
    X86Data data;

    x86_host_read(&source, &data);
    return data;
}

static void check_decode(const Recorded *one, gboolean host, const char *model)
{
    X86Data data = read_recorded(one);
    X86Decode how = {.host = host};
    g_autoptr(Cpu) cpu = cpu_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(x86_decode(&data, &how, cpu, &error));
    g_assert_no_error(error);
    g_test_message("%s: %s", one->what, cpu->model->name);
    g_assert_cmpstr(cpu->model->name, ==, model);
    X86Bits bits;
    g_assert_true(x86_bits_of(cpu, host, X86_ANY_POLICY, &bits, NULL));
    X86Bits lost = x86_bits_without(data.bits, bits), more = x86_bits_without(bits, data.bits);
    x86_bits_drop(&lost, (guint)x86_feature("hle"));
    x86_bits_drop(&lost, (guint)x86_feature("rtm"));
    g_assert_cmpuint(x86_bits_count(&lost), ==, 0);
    g_assert_cmpuint(x86_bits_count(&more), ==, 0);
    g_auto(GStrv) names = g_strsplit(one->has, " ", -1);
    for (guint i = 0; host && names[i]; i++)
        if (*names[i])
            g_assert_nonnull(x86_list_find(cpu, names[i]));
}

static void test_recorded(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(recorded); i++) {
        check_decode(&recorded[i], TRUE, recorded[i].host_model);
        check_decode(&recorded[i], FALSE, recorded[i].guest_model);
    }
}

/* What lies beyond the highest leaf, or is in a subleaf that is not there, does not count. */
static void test_bounds(void)
{
    Recorded one = recorded[1];
    one.leaves[0].regs[0] = 6;
    X86Data data = read_recorded(&one);
    g_assert_false(x86_bits_has(&data.bits, (guint)x86_feature("avx2")));
    g_assert_true(x86_bits_has(&data.bits, (guint)x86_feature("arat")));
    g_assert_false(x86_bits_has(&data.bits, (guint)x86_feature("rdctl-no")));

    one = recorded[1];
    one.leaves[3].regs[3] = 1u << 29; /* it has the register of its faults */
    one.capabilities = 1;
    data = read_recorded(&one);
    g_assert_true(x86_bits_has(&data.bits, (guint)x86_feature("rdctl-no")));
    g_assert_false(x86_bits_has(&data.bits, (guint)x86_feature("mds-no")));
}

/* --- every model --- */

static CpuDocument *document_of(const char *model, const char *feature, CpuPolicy policy, gboolean host)
{
    CpuDocument *document = g_new0(CpuDocument, 1);

    document->cpu = cpu_new();
    document->cpu->mode = CPU_MODE_CUSTOM;
    document->cpu->match = CPU_MATCH_EXACT;
    document->cpu->model = cpu_model_new();
    document->cpu->model->name = g_strdup(model);
    document->host = host;
    if (feature)
        x86_list_add(document->cpu, feature, host ? CPU_POLICY_UNSET : policy);
    return document;
}

static void test_models(void)
{
    for (guint i = 0; i < X86_N_MODELS; i++) {
        const X86Model *model = &x86_models[i];
        g_autoptr(CpuDocument) one = document_of(model->name, NULL, CPU_POLICY_UNSET, TRUE);
        g_autoptr(GPtrArray) cpus = g_ptr_array_new();
        g_autoptr(GError) error = NULL;
        g_ptr_array_add(cpus, one);
        g_ptr_array_add(cpus, one);

        g_assert_cmpint(x86_compare(one->cpu, TRUE, one, TRUE, &error), ==, VIR_CPU_COMPARE_IDENTICAL);
        g_autoptr(Cpu) base = x86_baseline(cpus, NULL, NULL, FALSE, &error);
        g_assert_no_error(error);
        if (model->for_guest) {
            g_assert_cmpstr(base->model->name, ==, model->name);
            g_assert_cmpint(base->model->fallback, ==, CPU_FALLBACK_FORBID);
        }
        X86Bits before, after;
        g_assert_true(x86_bits_of(base, FALSE, X86_ANY_POLICY, &before, NULL));
        g_assert_cmpmem(&before, sizeof before, &model->has, sizeof model->has);

        g_assert_true(x86_expand(base, NULL));
        for (guint j = 0; j < base->features->len; j++) {
            const CpuFeature *feature = base->features->pdata[j];
            if (j)
                g_assert_cmpstr(((const CpuFeature *)base->features->pdata[j - 1])->name, <, feature->name);
        }
        g_assert_true(x86_bits_of(base, FALSE, X86_ANY_POLICY, &after, NULL));
        g_assert_cmpmem(&after, sizeof after, &model->has, sizeof model->has);
        CpuDocument expanded = {.cpu = base};
        g_assert_cmpint(x86_compare(one->cpu, TRUE, &expanded, TRUE, &error), ==, VIR_CPU_COMPARE_IDENTICAL);
    }
}

/* A feature more than the host has is in the way, by its name; one less is not, unless nothing may be more. */
static void test_features(void)
{
    const char *model = "qemu64";

    for (guint i = 0; i < X86_N_FEATURES; i++) {
        const char *name = x86_features[i].name;
        gboolean in_model = x86_bits_has(&x86_model(model)->has, i);
        g_autoptr(CpuDocument) plain = document_of(model, NULL, CPU_POLICY_UNSET, TRUE);
        g_autoptr(CpuDocument) more = document_of(model, name, CPU_POLICY_UNSET, TRUE);
        g_autoptr(CpuDocument) wants = document_of(model, name, CPU_POLICY_REQUIRE, FALSE);
        g_autoptr(CpuDocument) strict = document_of(model, NULL, CPU_POLICY_UNSET, FALSE);
        g_autoptr(CpuDocument) forbids = document_of(model, name, CPU_POLICY_FORBID, FALSE);
        g_autoptr(GError) missing = NULL, extra = NULL, forbidden = NULL;

        strict->cpu->match = CPU_MATCH_STRICT;
        g_assert_cmpint(x86_compare(more->cpu, TRUE, wants, TRUE, NULL), ==, VIR_CPU_COMPARE_IDENTICAL);
        g_assert_cmpint(x86_compare(more->cpu, TRUE, forbids, TRUE, &forbidden), ==, VIR_CPU_COMPARE_ERROR);
        g_assert_true(error_is(forbidden, VIR_ERR_CPU_INCOMPATIBLE));
        g_assert_true(g_str_has_suffix(forbidden->message, name));
        if (in_model)
            continue;
        g_assert_cmpint(x86_compare(plain->cpu, TRUE, wants, FALSE, NULL), ==, VIR_CPU_COMPARE_INCOMPATIBLE);
        g_assert_cmpint(x86_compare(plain->cpu, TRUE, wants, TRUE, &missing), ==, VIR_CPU_COMPARE_ERROR);
        g_assert_true(g_str_has_suffix(missing->message, name));
        g_assert_cmpint(x86_compare(more->cpu, TRUE, plain, TRUE, NULL), ==, VIR_CPU_COMPARE_SUPERSET);
        g_assert_cmpint(x86_compare(more->cpu, TRUE, strict, TRUE, &extra), ==, VIR_CPU_COMPARE_ERROR);
        g_assert_true(g_str_has_suffix(extra->message, name));
    }
}

/* --- a guest's CPU --- */

static void test_update(void)
{
    g_autoptr(CpuDocument) host = document_of("Haswell", "vmx", CPU_POLICY_REQUIRE, FALSE);
    g_autoptr(CpuDocument) guest = document_of(NULL, "svm", CPU_POLICY_OPTIONAL, FALSE);
    g_autoptr(CpuDocument) icelake = document_of("Icelake-Client", NULL, CPU_POLICY_UNSET, FALSE);
    g_autoptr(GError) error = NULL;

    guest->cpu->mode = CPU_MODE_HOST_MODEL;
    x86_list_add(guest->cpu, "avx2", CPU_POLICY_OPTIONAL);
    g_assert_true(x86_update_is_relative(guest->cpu));
    g_assert_true(x86_update(guest->cpu, host->cpu, &error));
    g_assert_cmpint(guest->cpu->mode, ==, CPU_MODE_CUSTOM);
    g_assert_cmpstr(guest->cpu->model->name, ==, "Haswell");
    g_assert_cmpint(x86_list_find(guest->cpu, "vmx")->policy, ==, CPU_POLICY_REQUIRE);
    g_assert_cmpint(x86_list_find(guest->cpu, "svm")->policy, ==, CPU_POLICY_DISABLE);
    g_assert_cmpint(x86_list_find(guest->cpu, "avx2")->policy, ==, CPU_POLICY_REQUIRE);

    g_assert_true(x86_update(icelake->cpu, NULL, &error)); /* nothing depends, but it had one feature once */
    g_assert_cmpint(x86_list_find(icelake->cpu, "intel-pt")->policy, ==, CPU_POLICY_DISABLE);

    guest->cpu->match = CPU_MATCH_MINIMUM;
    g_assert_false(x86_update(guest->cpu, NULL, &error));
    g_assert_true(error_is(error, VIR_ERR_CONFIG_UNSUPPORTED));
}

static void test_live(void)
{
    g_autoptr(CpuDocument) guest = document_of("qemu64", "aes", CPU_POLICY_REQUIRE, FALSE);
    X86Bits made = x86_model("qemu64")->has, missing = {{0}};
    g_autoptr(GError) error = NULL;
    gboolean looked;

    x86_bits_drop(&made, (guint)x86_feature("svm"));
    x86_bits_add(&made, (guint)x86_feature("x2apic"));
    x86_bits_add(&missing, (guint)x86_feature("aes"));
    guest->cpu->check = CPU_CHECK_FULL;
    g_assert_false(x86_update_live(guest->cpu, &made, &missing, &looked, &error));
    g_assert_cmpstr(error_detail(error), ==,
                    "guest CPU doesn't match specification: extra features: x2apic, missing features: aes,svm");
    guest->cpu->check = CPU_CHECK_PARTIAL;
    g_assert_true(x86_update_live(guest->cpu, &made, &missing, &looked, NULL));
    g_assert_true(looked);
    g_assert_cmpint(x86_list_find(guest->cpu, "aes")->policy, ==, CPU_POLICY_DISABLE);
    g_assert_cmpint(x86_list_find(guest->cpu, "svm")->policy, ==, CPU_POLICY_DISABLE);
    g_assert_cmpint(x86_list_find(guest->cpu, "x2apic")->policy, ==, CPU_POLICY_REQUIRE);
    guest->cpu->check = CPU_CHECK_FULL; /* it is now what was made */
    x86_bits_drop(&missing, (guint)x86_feature("aes"));
    g_assert_true(x86_update_live(guest->cpu, &made, &missing, &looked, NULL));
}

static void test_translate(void)
{
    g_autoptr(GArray) offers = g_array_new(FALSE, FALSE, sizeof(X86Offer));
    g_autoptr(CpuDocument) guest = document_of("Westmere", NULL, CPU_POLICY_UNSET, FALSE);
    g_autoptr(GError) error = NULL;
    X86Offer penryn = {"Penryn", NULL}, qemu = {"qemu64", NULL};

    g_array_append_val(offers, penryn);
    g_array_append_val(offers, qemu);
    guest->cpu->model->fallback = CPU_FALLBACK_FORBID;
    g_assert_false(x86_translate(guest->cpu, offers, &error));
    g_assert_true(error_is(error, VIR_ERR_CONFIG_UNSUPPORTED));
    guest->cpu->model->fallback = CPU_FALLBACK_ALLOW;
    g_assert_true(x86_translate(guest->cpu, offers, NULL));
    g_assert_cmpstr(guest->cpu->model->name, ==, "Penryn");
    X86Bits bits;
    g_assert_true(x86_bits_of(guest->cpu, FALSE, X86_ANY_POLICY, &bits, NULL));
    g_assert_cmpmem(&bits, sizeof bits, &x86_model("Westmere")->has, sizeof bits);
}

/* --- documents --- */

static void test_documents(void)
{
    static const struct {
        const char *xml;
        CpuDocumentKind kind;
        virErrorNumber code; /* VIR_ERR_OK: it is read */
    } cases[] = {
        {"<cpu><arch>x86_64</arch><model>qemu64</model><feature name='aes'/></cpu>", CPU_DOCUMENT_EITHER, VIR_ERR_OK},
        {"<cpu match='exact'><model>qemu64</model><feature policy='force' name='aes'/></cpu>", CPU_DOCUMENT_EITHER, VIR_ERR_OK},
        {"<cpu><topology sockets='1' cores='1' threads='1'/></cpu>", CPU_DOCUMENT_EITHER, VIR_ERR_OK},
        {"", CPU_DOCUMENT_EITHER, VIR_ERR_XML_DETAIL},
        {"<host/>", CPU_DOCUMENT_EITHER, VIR_ERR_XML_ERROR},
        {"<cpu match='exact'><model>qemu64</model></cpu>", CPU_DOCUMENT_HOST, VIR_ERR_XML_ERROR},
        {"<cpu><arch>x86_64</arch></cpu>", CPU_DOCUMENT_HOST, VIR_ERR_XML_ERROR},
        {"<cpu><arch>pdp11</arch><model>qemu64</model></cpu>", CPU_DOCUMENT_EITHER, VIR_ERR_CONFIG_UNSUPPORTED},
        {"<cpu match='exact'><arch>x86_64</arch><model>qemu64</model></cpu>", CPU_DOCUMENT_EITHER, VIR_ERR_XML_ERROR},
        {"<cpu mode='custom'><arch>x86_64</arch><model>qemu64</model></cpu>", CPU_DOCUMENT_EITHER, VIR_ERR_CONFIG_UNSUPPORTED},
        {"<cpu><arch>x86_64</arch><model>qemu64</model><feature name='a'/><feature name='a'/></cpu>", CPU_DOCUMENT_HOST,
         VIR_ERR_XML_ERROR},
        {"<cpu><model vendor_id='short'>qemu64</model></cpu>", CPU_DOCUMENT_EITHER, VIR_ERR_XML_ERROR},
        {"<cpu><feature name='aes'/></cpu>", CPU_DOCUMENT_EITHER, VIR_ERR_XML_ERROR},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CpuDocument) document = cpu_document_parse(cases[i].xml, cases[i].kind, NULL, &error);
        g_test_message("%s", cases[i].xml);
        g_assert_cmpint(document ? VIR_ERR_OK : error_code(error), ==, cases[i].code);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpu/recorded", test_recorded);
    g_test_add_func("/cpu/bounds", test_bounds);
    g_test_add_func("/cpu/models", test_models);
    g_test_add_func("/cpu/features", test_features);
    g_test_add_func("/cpu/update", test_update);
    g_test_add_func("/cpu/live", test_live);
    g_test_add_func("/cpu/translate", test_translate);
    g_test_add_func("/cpu/documents", test_documents);
    return g_test_run();
}
