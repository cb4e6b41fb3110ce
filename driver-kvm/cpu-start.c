/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU is asked for the words of CPUID that the first virtual CPU has, and by name for the few features that are in model
 * specific registers. (libvirtd asks for each feature by name: 250 questions a start.) A bit that QEMU has no name for
 * counts for nothing there, so it does not here.
 */
#include "driver-kvm/cpu-start.h"

#include <string.h>

#include "driver-kvm/complete.h"
#include "driver-kvm/cpu-model.h"
#include "driver-kvm/emulator.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/qmp-commands.h"
#include "lib/cpu/x86-compare.h"
#include "lib/cpu/x86-update.h"
#include "lib/error.h"
#include "lib/json-peek.h"

static gboolean has_model(const Cpu *cpu)
{
    return cpu && (cpu->mode != CPU_MODE_CUSTOM || (cpu->model && cpu->model->name));
}

static gboolean check_features(const Cpu *cpu, const Caps *caps, GError **error)
{
    g_autoptr(GString) registers = g_string_new(NULL);

    for (guint i = 0; i < cpu->features->len; i++) {
        const char *name = ((const CpuFeature *)cpu->features->pdata[i])->name;
        int feature = x86_feature(name);
        if (feature < 0)
            return error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED, "unknown CPU feature: %s", name);
        if (x86_features[feature].msr)
            g_string_append_printf(registers, "%s%s", registers->len ? ", " : "", name);
    }
    return cpu_model_tells_registers(caps) || !registers->len ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Some features cannot be reliably used with this QEMU: %s", registers->str);
}

static gboolean check_mode(const Domain *def, const Caps *caps, GError **error)
{
    if (cpu_model_has_mode(caps, complete_accel(def), def->cpu->mode))
        return TRUE;
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "CPU mode '%s' for %s %s domain on %s host is not supported by hypervisor",
                     cpu_mode_to_string(def->cpu->mode), def->os->type->arch, domain_type_to_string(def->type),
                     emulator_host_arch());
}

/* What is off anyway need not be said; older QEMUs would not know the word. */
static gboolean is_known(const CpuFeature *feature, gpointer data)
{
    const X86Bits *known = data;
    int number = x86_feature(feature->name);

    if (feature->policy != CPU_POLICY_DISABLE && feature->policy != CPU_POLICY_FORBID)
        return TRUE;
    return number >= 0 && x86_bits_has(known, (guint)number);
}

static gboolean compare(const Domain *live, const Caps *caps, GError **error)
{
    CpuDocument wanted = {.cpu = live->cpu};
    g_autoptr(Cpu) full = cpu_model_host(caps, complete_accel(live), CPU_MODEL_FULL);

    if (live->cpu->check == CPU_CHECK_NONE)
        return TRUE;
    if (full && !x86_check_forbidden(live->cpu, full, error))
        return FALSE;
    return live->cpu->check != CPU_CHECK_PARTIAL || live->cpu->mode == CPU_MODE_HOST_PASSTHROUGH ||
           live->cpu->mode == CPU_MODE_MAXIMUM || x86_compare(full, FALSE, &wanted, TRUE, error) != VIR_CPU_COMPARE_ERROR;
}

static gboolean settle_model(Domain *live, const Caps *caps, GError **error)
{
    CapsAccel accel = complete_accel(live);
    g_autoptr(Cpu) host = cpu_model_host(caps, accel, CPU_MODEL_MIGRATABLE);
    g_autoptr(GArray) offers = cpu_model_offers(caps, accel);

    if (!x86_update(live->cpu, host, error) || !x86_translate(live->cpu, offers, error))
        return FALSE;
    live->cpu->model->fallback = CPU_FALLBACK_FORBID;
    return TRUE;
}

/* QEMU does not mind capitals, but on s390; nor does it always say which models there are. */
static gboolean lists_model(const Caps *caps, CapsAccel accel, const char *name)
{
    const GPtrArray *cpus = caps_cpus(caps, accel);

    for (guint i = 0; i < cpus->len; i++)
        if (g_ascii_strcasecmp(((const CapsCpu *)cpus->pdata[i])->name, name) == 0)
            return TRUE;
    return cpus->len == 0;
}

gboolean cpu_start_settle(Domain *live, const Caps *caps, GError **error)
{
    CapsAccel accel = complete_accel(live);
    X86Bits known;

    if (!has_model(live->cpu))
        return TRUE;
    if ((machine_is_x86(live) && !check_features(live->cpu, caps, error)) || !check_mode(live, caps, error))
        return FALSE;
    if (!machine_is_x86(live))
        return live->cpu->mode != CPU_MODE_CUSTOM || lists_model(caps, accel, live->cpu->model->name) ||
               error_set(error, VIR_FROM_CPU, VIR_ERR_INTERNAL_ERROR, "Unknown CPU model %s", live->cpu->model->name);
    if (!compare(live, caps, error))
        return FALSE;
    if (live->cpu->mode != CPU_MODE_HOST_PASSTHROUGH && live->cpu->mode != CPU_MODE_MAXIMUM &&
        !settle_model(live, caps, error))
        return FALSE;
    x86_list_filter(live->cpu, x86_list_is_for_guests, NULL);
    if (cpu_model_features(caps, accel, FALSE, &known))
        x86_list_filter(live->cpu, is_known, &known);
    return TRUE;
}

gboolean cpu_start_foretell(Domain *def, const Caps *caps, GError **error)
{
    if (!has_model(def->cpu) || !machine_is_x86(def))
        return TRUE;
    g_autoptr(Cpu) host = cpu_model_host(caps, complete_accel(def), CPU_MODEL_MIGRATABLE);
    return x86_update(def->cpu, host, error);
}

/* --- what QEMU made --- */

static char *first_cpu(Qmp *qmp, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-cpus-fast", NULL, QMP_DEADLINE, error);
    const char *path = json_peek_string(json_peek_object_at(json_peek_as_array(answer), 0), "qom-path");

    if (answer && !path)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU does not name its CPUs");
    return g_strdup(path);
}

static gboolean is_of(const X86Feature *feature, JsonObject *word)
{
    static const char *const registers[] = {"EAX", "EBX", "ECX", "EDX"};
    gint64 leaf = -1, subleaf = 0;

    json_peek_int(word, "cpuid-input-eax", &leaf);
    json_peek_int(word, "cpuid-input-ecx", &subleaf);
    return !feature->msr && leaf == feature->leaf && subleaf == feature->subleaf &&
           g_strcmp0(json_peek_string(word, "cpuid-register"), registers[feature->reg]) == 0;
}

static void add_word(JsonObject *word, const X86Bits *known, X86Bits *bits)
{
    gint64 value = 0;

    json_peek_int(word, "features", &value);
    for (guint i = 0; i < X86_N_FEATURES; i++)
        if (x86_bits_has(known, i) && is_of(&x86_features[i], word) && (value >> x86_features[i].bit & 1) != 0)
            x86_bits_add(bits, i);
}

static gboolean ask_words(Qmp *qmp, const char *cpu, const X86Bits *known, X86Bits *bits, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_qom_get(qmp, cpu, "feature-words", QMP_DEADLINE, error);
    JsonArray *words = json_peek_as_array(answer);

    for (guint i = 0; i < json_peek_length(words); i++)
        add_word(json_peek_object_at(words, i), known, bits);
    return answer != NULL;
}

static gboolean ask_registers(Qmp *qmp, const char *cpu, const X86Bits *known, X86Bits *bits, GError **error)
{
    for (guint i = 0; i < X86_N_FEATURES; i++) {
        if (!x86_features[i].msr || !x86_bits_has(known, i))
            continue; /* a word of CPUID has it */
        g_autoptr(JsonNode) answer = qmp_qom_get(qmp, cpu, x86_features[i].qemu, QMP_DEADLINE, error);
        if (!answer)
            return FALSE;
        if (JSON_NODE_HOLDS_VALUE(answer) && json_node_get_boolean(answer))
            x86_bits_add(bits, i);
    }
    return TRUE;
}

static gboolean ask_missing(Qmp *qmp, const char *cpu, X86Bits *bits, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_qom_get(qmp, cpu, "unavailable-features", QMP_DEADLINE, error);
    JsonArray *names = json_peek_as_array(answer);

    for (guint i = 0; i < json_peek_length(names); i++) {
        const char *name = json_peek_string_at(names, i);
        int feature = name ? x86_feature(x86_from_qemu(name)) : -1;
        if (feature >= 0)
            x86_bits_add(bits, (guint)feature);
    }
    return answer != NULL;
}

gboolean cpu_start_ask(Qmp *qmp, const Domain *live, const Caps *caps, CpuMade *ret_made, GError **error)
{
    CpuMade made = {FALSE};
    X86Bits known;

    *ret_made = made;
    if (!has_model(live->cpu) || !machine_is_x86(live) || !cpu_model_features(caps, complete_accel(live), FALSE, &known))
        return TRUE;
    g_autofree char *cpu = first_cpu(qmp, error);
    if (!cpu || !ask_words(qmp, cpu, &known, &made.enabled, error) ||
        (cpu_model_tells_registers(caps) && !ask_registers(qmp, cpu, &known, &made.enabled, error)) || !ask_missing(qmp, cpu, &made.disabled, error))
        return FALSE;
    made.asked = TRUE;
    *ret_made = made;
    return TRUE;
}

/* The counter of a guest that needs it must be there. */
static gboolean check_counter(const Cpu *cpu, const X86Bits *enabled, GError **error)
{
    guint counter = (guint)x86_feature("invtsc");
    X86Bits expected;

    if (!x86_bits_of(cpu, FALSE, X86_ANY_POLICY, &expected, error))
        return FALSE;
    return !x86_bits_has(&expected, counter) || x86_bits_has(enabled, counter) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "host doesn't support invariant TSC");
}

gboolean cpu_start_learn(Domain *live, const CpuMade *made, GError **error)
{
    gboolean looked;

    if (!made->asked)
        return TRUE;
    g_autoptr(Cpu) asked = cpu_copy(live->cpu);
    if (!check_counter(live->cpu, &made->enabled, error) ||
        !x86_update_live(live->cpu, &made->enabled, &made->disabled, &looked, error))
        return FALSE;
    if (!looked)
        return TRUE;
    if (!live->asked_cpu && !cpu_equal(live->cpu, asked))
        live->asked_cpu = g_steal_pointer(&asked);
    live->cpu->check = CPU_CHECK_FULL;
    return TRUE;
}
