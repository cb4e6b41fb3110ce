/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A <cpu> document of its own: a guest's, or (with <arch>) a host's. */
#include "lib/model/model.h"

typedef struct {
    Cpu *cpu; /* never NULL */
    gboolean host;
    char *arch; /* NULL: a guest's */
} CpuDocument;

typedef enum {
    CPU_DOCUMENT_EITHER,
    CPU_DOCUMENT_HOST, /* taken for a host's whatever it is */
} CpuDocumentKind;

/* XML need not be trusted. SCHEMA: path of a schema it must match, or NULL. */
CpuDocument *cpu_document_parse(const char *xml, CpuDocumentKind kind, const char *schema, GError **error);
void cpu_document_free(CpuDocument *document); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuDocument, cpu_document_free)

/* XMLS, a document each, for a host's processors or of either KIND. */
GPtrArray *cpu_document_parse_all(const char *const *xmls, guint n, CpuDocumentKind kind, GError **error);

/* An architecture by libvirt's name. */
gboolean cpu_document_is_arch(const char *name);
