/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define VIR_ENUM_SENTINELS /* for VIR_ERR_NUMBER_LAST */
#include "lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* A detail is cut here, as libvirt does: it may quote what a client sent. */
#define DETAIL_MAX 1024

typedef struct {
    const char *alone;  /* the message when there is no detail */
    const char *detail; /* format of the message with one */
} Words;

#define PLAIN(words) { words, words ": %s" }
#define OTHER(words, words_detail) { words, words_detail }

/* The words that clients of libvirt 9.0.0 see (and match on). */
static const Words table[VIR_ERR_NUMBER_LAST] = {
    [VIR_ERR_INTERNAL_ERROR] = PLAIN("internal error"),
    [VIR_ERR_NO_MEMORY] = PLAIN("out of memory"),
    [VIR_ERR_NO_SUPPORT] = PLAIN("this function is not supported by the connection driver"),
    [VIR_ERR_UNKNOWN_HOST] = OTHER("unknown host", "unknown host %s"),
    [VIR_ERR_NO_CONNECT] = OTHER("no connection driver available", "no connection driver available for %s"),
    [VIR_ERR_INVALID_CONN] = OTHER("invalid connection pointer in", "invalid connection pointer in %s"),
    [VIR_ERR_INVALID_DOMAIN] = OTHER("invalid domain pointer in", "invalid domain pointer in %s"),
    [VIR_ERR_INVALID_ARG] = PLAIN("invalid argument"),
    [VIR_ERR_OPERATION_FAILED] = PLAIN("operation failed"),
    [VIR_ERR_GET_FAILED] = PLAIN("GET operation failed"),
    [VIR_ERR_POST_FAILED] = PLAIN("POST operation failed"),
    [VIR_ERR_HTTP_ERROR] = OTHER("got unknown HTTP error code", "got unknown HTTP error code %s"),
    [VIR_ERR_SEXPR_SERIAL] = PLAIN("failed to serialize S-Expr"),
    [VIR_ERR_NO_XEN] = OTHER("could not use Xen hypervisor entry", "could not use Xen hypervisor entry %s"),
    [VIR_ERR_XEN_CALL] = OTHER("failed Xen syscall", "failed Xen syscall %s"),
    [VIR_ERR_OS_TYPE] = OTHER("unknown OS type", "unknown OS type %s"),
    [VIR_ERR_NO_KERNEL] = PLAIN("missing kernel information"),
    [VIR_ERR_NO_ROOT] = OTHER("missing root device information", "missing root device information in %s"),
    [VIR_ERR_NO_SOURCE] = OTHER("missing source information for device", "missing source information for device %s"),
    [VIR_ERR_NO_TARGET] = OTHER("missing target information for device", "missing target information for device %s"),
    [VIR_ERR_NO_NAME] = OTHER("missing name information", "missing name information in %s"),
    [VIR_ERR_NO_OS] = OTHER("missing operating system information", "missing operating system information for %s"),
    [VIR_ERR_NO_DEVICE] = OTHER("missing devices information", "missing devices information for %s"),
    [VIR_ERR_NO_XENSTORE] = OTHER("could not connect to Xen Store", "could not connect to Xen Store %s"),
    [VIR_ERR_DRIVER_FULL] = OTHER("too many drivers registered", "too many drivers registered in %s"),
    [VIR_ERR_CALL_FAILED] = PLAIN("library call failed"),
    [VIR_ERR_XML_ERROR] = OTHER("XML description is invalid or not well formed", "XML error: %s"),
    [VIR_ERR_DOM_EXIST] = OTHER("this domain exists already", "domain %s exists already"),
    [VIR_ERR_OPERATION_DENIED] = OTHER("operation forbidden for read only access", "operation forbidden: %s"),
    [VIR_ERR_OPEN_FAILED] = OTHER("failed to open configuration file", "failed to open configuration file %s"),
    [VIR_ERR_READ_FAILED] = OTHER("failed to read configuration file", "failed to read configuration file %s"),
    [VIR_ERR_PARSE_FAILED] = OTHER("failed to parse configuration file", "failed to parse configuration file %s"),
    [VIR_ERR_CONF_SYNTAX] = PLAIN("configuration file syntax error"),
    [VIR_ERR_WRITE_FAILED] = PLAIN("failed to write configuration file"),
    [VIR_ERR_XML_DETAIL] = OTHER("parser error", "%s"),
    [VIR_ERR_INVALID_NETWORK] = OTHER("invalid network pointer in", "invalid network pointer in %s"),
    [VIR_ERR_NETWORK_EXIST] = OTHER("this network exists already", "network %s exists already"),
    [VIR_ERR_SYSTEM_ERROR] = OTHER("system call error", "%s"),
    [VIR_ERR_RPC] = OTHER("RPC error", "%s"),
    [VIR_ERR_GNUTLS_ERROR] = OTHER("GNUTLS call error", "%s"),
    [VIR_WAR_NO_NETWORK] = PLAIN("Failed to find the network"),
    [VIR_ERR_NO_DOMAIN] = PLAIN("Domain not found"),
    [VIR_ERR_NO_NETWORK] = PLAIN("Network not found"),
    [VIR_ERR_INVALID_MAC] = PLAIN("invalid MAC address"),
    [VIR_ERR_AUTH_FAILED] = PLAIN("authentication failed"),
    [VIR_ERR_INVALID_STORAGE_POOL] = OTHER("invalid storage pool pointer in", "invalid storage pool pointer in %s"),
    [VIR_ERR_INVALID_STORAGE_VOL] = OTHER("invalid storage volume pointer in", "invalid storage volume pointer in %s"),
    [VIR_WAR_NO_STORAGE] = PLAIN("Failed to find a storage driver"),
    [VIR_ERR_NO_STORAGE_POOL] = PLAIN("Storage pool not found"),
    [VIR_ERR_NO_STORAGE_VOL] = PLAIN("Storage volume not found"),
    [VIR_WAR_NO_NODE] = PLAIN("Failed to find a node driver"),
    [VIR_ERR_INVALID_NODE_DEVICE] = OTHER("invalid node device pointer", "invalid node device pointer in %s"),
    [VIR_ERR_NO_NODE_DEVICE] = PLAIN("Node device not found"),
    [VIR_ERR_NO_SECURITY_MODEL] = PLAIN("Security model not found"),
    [VIR_ERR_OPERATION_INVALID] = PLAIN("Requested operation is not valid"),
    [VIR_WAR_NO_INTERFACE] = PLAIN("Failed to find the interface"),
    [VIR_ERR_NO_INTERFACE] = PLAIN("Interface not found"),
    [VIR_ERR_INVALID_INTERFACE] = OTHER("invalid interface pointer in", "invalid interface pointer in %s"),
    [VIR_ERR_MULTIPLE_INTERFACES] = PLAIN("multiple matching interfaces found"),
    [VIR_WAR_NO_NWFILTER] = PLAIN("Failed to start the nwfilter driver"),
    [VIR_ERR_INVALID_NWFILTER] = PLAIN("Invalid network filter"),
    [VIR_ERR_NO_NWFILTER] = PLAIN("Network filter not found"),
    [VIR_ERR_BUILD_FIREWALL] = PLAIN("Error while building firewall"),
    [VIR_WAR_NO_SECRET] = PLAIN("Failed to find a secret storage driver"),
    [VIR_ERR_INVALID_SECRET] = PLAIN("Invalid secret"),
    [VIR_ERR_NO_SECRET] = PLAIN("Secret not found"),
    [VIR_ERR_CONFIG_UNSUPPORTED] = PLAIN("unsupported configuration"),
    [VIR_ERR_OPERATION_TIMEOUT] = PLAIN("Timed out during operation"),
    [VIR_ERR_MIGRATE_PERSIST_FAILED] = PLAIN("Failed to make domain persistent after migration"),
    [VIR_ERR_HOOK_SCRIPT_FAILED] = PLAIN("Hook script execution failed"),
    [VIR_ERR_INVALID_DOMAIN_SNAPSHOT] = PLAIN("Invalid domain snapshot"),
    [VIR_ERR_NO_DOMAIN_SNAPSHOT] = PLAIN("Domain snapshot not found"),
    [VIR_ERR_INVALID_STREAM] = OTHER("invalid stream pointer", "invalid stream pointer in %s"),
    [VIR_ERR_ARGUMENT_UNSUPPORTED] = PLAIN("argument unsupported"),
    [VIR_ERR_STORAGE_PROBE_FAILED] = PLAIN("Storage pool probe failed"),
    [VIR_ERR_STORAGE_POOL_BUILT] = PLAIN("Storage pool already built"),
    [VIR_ERR_SNAPSHOT_REVERT_RISKY] = PLAIN("revert requires force"),
    [VIR_ERR_OPERATION_ABORTED] = PLAIN("operation aborted"),
    [VIR_ERR_AUTH_CANCELLED] = PLAIN("authentication cancelled"),
    [VIR_ERR_NO_DOMAIN_METADATA] = PLAIN("metadata not found"),
    [VIR_ERR_MIGRATE_UNSAFE] = PLAIN("Unsafe migration"),
    [VIR_ERR_OVERFLOW] = PLAIN("numerical overflow"),
    [VIR_ERR_BLOCK_COPY_ACTIVE] = PLAIN("block copy still active"),
    [VIR_ERR_OPERATION_UNSUPPORTED] = PLAIN("Operation not supported"),
    [VIR_ERR_SSH] = PLAIN("SSH transport error"),
    [VIR_ERR_AGENT_UNRESPONSIVE] = PLAIN("Guest agent is not responding"),
    [VIR_ERR_RESOURCE_BUSY] = PLAIN("resource busy"),
    [VIR_ERR_ACCESS_DENIED] = PLAIN("access denied"),
    [VIR_ERR_DBUS_SERVICE] = PLAIN("error from service"),
    [VIR_ERR_STORAGE_VOL_EXIST] = OTHER("this storage volume exists already", "storage volume %s exists already"),
    [VIR_ERR_CPU_INCOMPATIBLE] = PLAIN("the CPU is incompatible with host CPU"),
    [VIR_ERR_XML_INVALID_SCHEMA] = PLAIN("XML document failed to validate against schema"),
    [VIR_ERR_MIGRATE_FINISH_OK] = PLAIN("migration successfully aborted"),
    [VIR_ERR_AUTH_UNAVAILABLE] = PLAIN("authentication unavailable"),
    [VIR_ERR_NO_SERVER] = PLAIN("Server not found"),
    [VIR_ERR_NO_CLIENT] = PLAIN("Client not found"),
    [VIR_ERR_AGENT_UNSYNCED] = PLAIN("guest agent replied with wrong id to guest-sync command"),
    [VIR_ERR_LIBSSH] = PLAIN("libssh transport error"),
    [VIR_ERR_DEVICE_MISSING] = PLAIN("device not found"),
    [VIR_ERR_INVALID_NWFILTER_BINDING] = PLAIN("Invalid network filter binding"),
    [VIR_ERR_NO_NWFILTER_BINDING] = PLAIN("Network filter binding not found"),
    [VIR_ERR_INVALID_DOMAIN_CHECKPOINT] = PLAIN("Invalid domain checkpoint"),
    [VIR_ERR_NO_DOMAIN_CHECKPOINT] = PLAIN("Domain checkpoint not found"),
    [VIR_ERR_NO_DOMAIN_BACKUP] = PLAIN("Domain backup job id not found"),
    [VIR_ERR_INVALID_NETWORK_PORT] = PLAIN("Invalid network port pointer"),
    [VIR_ERR_NETWORK_PORT_EXIST] = OTHER("this network port exists already", "network port %s exists already"),
    [VIR_ERR_NO_NETWORK_PORT] = PLAIN("network port not found"),
    [VIR_ERR_NO_HOSTNAME] = PLAIN("no hostname found"),
    [VIR_ERR_CHECKPOINT_INCONSISTENT] = PLAIN("checkpoint inconsistent"),
    [VIR_ERR_MULTIPLE_DOMAINS] = PLAIN("multiple matching domains found"),
};

static const Words *words_of(virErrorNumber code)
{
    if ((guint)code < G_N_ELEMENTS(table) && table[code].alone)
        return &table[code];
    return &table[VIR_ERR_INTERNAL_ERROR];
}

static GQuark quarks[VIR_ERR_DOMAIN_LAST];

static void quarks_init(void)
{
    static gsize done;
    if (!g_once_init_enter(&done))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(quarks); i++) {
        char name[32];
        g_snprintf(name, sizeof(name), "libvirt-error-domain-%u", i);
        quarks[i] = g_quark_from_string(name);
    }
    g_once_init_leave(&done, 1);
}

GQuark error_domain(virErrorDomain from)
{
    g_return_val_if_fail((guint)from < G_N_ELEMENTS(quarks), 0);
    quarks_init();
    return quarks[from];
}

static int find_domain(const GError *error)
{
    quarks_init();
    for (guint i = 0; i < G_N_ELEMENTS(quarks); i++)
        if (quarks[i] == error->domain)
            return (int)i;
    return -1;
}

virErrorDomain error_from(const GError *error)
{
    int from = find_domain(error);
    return from < 0 ? VIR_FROM_NONE : (virErrorDomain)from;
}

virErrorNumber error_code(const GError *error)
{
    return find_domain(error) < 0 ? VIR_ERR_INTERNAL_ERROR : (virErrorNumber)error->code;
}

gboolean error_is(const GError *error, virErrorNumber code)
{
    return error && find_domain(error) >= 0 && error->code == (int)code;
}

const char *error_format(virErrorNumber code, gboolean has_detail)
{
    const Words *words = words_of(code);
    return has_detail ? words->detail : words->alone;
}

/* The words after the detail, of the few codes that have some ("domain %s exists already"), stay with it. */
const char *error_detail(const GError *error)
{
    if (find_domain(error) < 0)
        return error->message;
    const Words *words = words_of((virErrorNumber)error->code);
    if (g_str_equal(error->message, words->alone))
        return error->message + strlen(error->message);
    gsize before = (gsize)(strstr(words->detail, "%s") - words->detail);
    return strncmp(error->message, words->detail, before) == 0 ? error->message + before : error->message;
}

int error_errno(const GError *error)
{
    const int last = EHWPOISON;
    for (int errnum = 1; error_is(error, VIR_ERR_SYSTEM_ERROR) && errnum <= last; errnum++) {
        g_autofree char *words = g_strdup_printf(": %s", g_strerror(errnum));
        const char *at = strstr(error->message, words);
        const char *after = at ? at + strlen(words) : NULL;
        if (after && (after[0] == '\0' || g_str_has_prefix(after, " ("))) /* a remedy may follow */
            return errnum;
    }
    return 0;
}

gboolean error_is_plain(const GError *error)
{
    const Words *words = words_of(error_code(error));
    return find_domain(error) >= 0 && error_detail(error) == error->message && !g_str_has_prefix(words->detail, "%s");
}

static void set_text(GError **error, virErrorDomain from, virErrorNumber code, const char *detail)
{
    if (!error)
        return;
    if (!detail) {
        g_set_error_literal(error, error_domain(from), code, error_format(code, FALSE));
        return;
    }
    g_autofree char *valid = g_utf8_make_valid(detail, (gssize)strnlen(detail, DETAIL_MAX - 1));
    g_set_error(error, error_domain(from), code, error_format(code, TRUE), valid);
}

gboolean error_set(GError **error, virErrorDomain from, virErrorNumber code, const char *detail, ...)
{
    g_autofree char *text = NULL;
    if (detail) {
        va_list args;
        va_start(args, detail);
        text = g_strdup_vprintf(detail, args);
        va_end(args);
    }
    set_text(error, from, code, text);
    return FALSE;
}

gboolean error_set_plain(GError **error, virErrorDomain from, virErrorNumber code, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    g_autofree char *whole = g_strdup_vprintf(text, args);
    va_end(args);
    g_autofree char *valid = g_utf8_make_valid(whole, (gssize)strnlen(whole, DETAIL_MAX - 1));
    g_set_error_literal(error, error_domain(from), code, valid);
    return FALSE;
}

gboolean error_set_errno(GError **error, virErrorDomain from, int errnum, const char *detail, ...)
{
    va_list args;
    va_start(args, detail);
    g_autofree char *what = g_strdup_vprintf(detail, args);
    va_end(args);
    g_autofree char *text = g_strdup_printf("%s: %s", what, g_strerror(errnum));
    set_text(error, from, VIR_ERR_SYSTEM_ERROR, text);
    return FALSE;
}

void error_adopt(GError **error, virErrorDomain from, virErrorNumber code)
{
    if (!error || !*error || find_domain(*error) >= 0)
        return;
    GError *foreign = g_steal_pointer(error);
    set_text(error, from, code, foreign->message);
    g_error_free(foreign);
}
