/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents of processors, divided by NUL octets: compared, joined, listed in full; what comes out is one that is read again. */
#include <libvirt/libvirt.h>
#include <string.h>

#include "lib/cpu/x86-compare.h"
#include "lib/cpu/x86-update.h"

#define DOCUMENTS_MAX 4

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

static void check_again(const Cpu *cpu)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = model_format_text(&cpu_type, cpu, 0);
    g_autoptr(CpuDocument) again = cpu_document_parse(text, CPU_DOCUMENT_EITHER, NULL, &error);

    if (!again)
        g_error("%s\n%s", error->message, text);
}

static void check_join(const GPtrArray *documents, gboolean migratable)
{
    g_autoptr(GError) error = NULL, fault = NULL;
    g_autoptr(Cpu) cpu = x86_baseline(documents, NULL, NULL, migratable, &error);

    if (!cpu == !error)
        __builtin_trap();
    if (!cpu)
        return;
    check_again(cpu);
    if (x86_expand(cpu, &fault))
        check_again(cpu);
}

static void check_pair(const CpuDocument *one, const CpuDocument *other)
{
    g_autoptr(GError) error = NULL, fault = NULL;
    g_autoptr(Cpu) guest = cpu_copy(other->cpu);
    X86Bits bits;

    if ((x86_compare(one->cpu, one->host, other, TRUE, &error) == VIR_CPU_COMPARE_ERROR) != (error != NULL))
        __builtin_trap();
    x86_compare(NULL, TRUE, other, FALSE, NULL);
    x86_bits_of(one->cpu, one->host, X86_ANY_POLICY, &bits, NULL);
    x86_update_is_relative(guest);
    if (!x86_update(guest, one->cpu, &fault) != !!fault)
        __builtin_trap();
    x86_check_forbidden(guest, one->cpu, NULL);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    g_autoptr(GPtrArray) documents = g_ptr_array_new_with_free_func((GDestroyNotify)cpu_document_free);
    CpuDocumentKind kind = length > 0 && data[0] % 2 ? CPU_DOCUMENT_HOST : CPU_DOCUMENT_EITHER;
    g_autofree char *text = g_malloc0(length + 1);

    memcpy(text, data, length);
    for (gsize at = 1; at < length && documents->len < DOCUMENTS_MAX; at += strlen(text + at) + 1) {
        CpuDocument *document = cpu_document_parse(text + at, kind, NULL, NULL);
        if (document)
            g_ptr_array_add(documents, document);
    }
    if (documents->len == 0)
        return 0;
    check_pair(documents->pdata[0], documents->pdata[documents->len - 1]);
    check_join(documents, data[0] & 2);
    return 0;
}
