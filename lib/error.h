/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Errors: a GError made once, where the fault is known, and passed up unchanged to the one place that encodes it.
 *
 * GError.domain is a quark that stands for a libvirt error domain (error_domain(VIR_FROM_QEMU)), GError.code is a
 * virErrorNumber, GError.message is the whole text a libvirt client shows: the fixed words libvirt puts before the
 * detail for that code ("internal error: ", "Domain not found: ", ...) and the detail.
 *
 * All functions: any thread.
 */
#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/* The GQuark of a libvirt error domain. FROM must be below VIR_ERR_DOMAIN_LAST. */
GQuark error_domain(virErrorDomain from);

/* The libvirt domain behind ERROR; VIR_FROM_NONE for a GError that another library made (GIO, json-glib, ...). */
virErrorDomain error_from(const GError *error);

/* The libvirt code of ERROR; VIR_ERR_INTERNAL_ERROR for a GError that another library made. */
virErrorNumber error_code(const GError *error);

/* True if ERROR carries libvirt code CODE. ERROR may be NULL. */
gboolean error_is(const GError *error, virErrorNumber code);

/* The format libvirt sends as str1 for CODE: its fixed words followed by "%s" (or the words alone when HAS_DETAIL is
 * false). Static string, never NULL. */
const char *error_format(virErrorNumber code, gboolean has_detail);

/* The detail part of ERROR's message, without the fixed words; points into ERROR->message. */
const char *error_detail(const GError *error);

/* The errno behind ERROR, as error_set_errno() was given it; 0: none. Found by its words, since they are all that is left
 * of an error that came from a child process. */
int error_errno(const GError *error);

/* ERROR was made by error_set_plain(). */
gboolean error_is_plain(const GError *error);

/* Sets *ERROR (which may be NULL, as in g_set_error) and returns FALSE, so that `return error_set(...)` reads well.
 * DETAIL may be NULL where the code's fixed words say all. The detail names the object, the operation, the cause and,
 * where there is one, the remedy. */
gboolean error_set(GError **error, virErrorDomain from, virErrorNumber code, const char *detail, ...)
    G_GNUC_PRINTF(4, 5);

/* As error_set, but TEXT is the whole message: libvirt leaves its fixed words out where it names a function's argument. */
gboolean error_set_plain(GError **error, virErrorDomain from, virErrorNumber code, const char *text, ...)
    G_GNUC_PRINTF(4, 5);

/* As error_set, with ": " and the text of ERRNUM (an errno value) after the detail; code VIR_ERR_SYSTEM_ERROR. */
gboolean error_set_errno(GError **error, virErrorDomain from, int errnum, const char *detail, ...)
    G_GNUC_PRINTF(4, 5);

/* Turns *ERROR, where another library made it, into one of libvirt's with FROM and CODE, keeping its text as detail. */
void error_adopt(GError **error, virErrorDomain from, virErrorNumber code);
