/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU runs on the machine "none" with a socket as its standard input and output, on which it speaks QMP. Where KVM works, it
 * runs a second time without, since the CPU models differ. It may open whatever we may: that its user may not open /dev/kvm
 * is no reason to know of no KVM guests, and is said when one starts. A loop of its own per probe: its answers are large, and
 * the event loop has guests to serve.
 */
#include "driver-kvm/caps-probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-kvm/emulator.h"
#include "driver-kvm/qmp.h"
#include "lib/error.h"
#include "lib/json-peek.h"
#include "lib/loop.h"

#define SAID_MAX 1024
#define DEATHS_MAX 5

typedef struct {
    const char *binary, *accel;
    const ProcessIds *ids;
    gint64 deadline;
    Loop *loop;
    Qmp *qmp;
    Process process;
    int said; /* file that takes what it prints on its standard error */
} Probe;

static void probe_end(Probe *probe)
{
    if (probe->qmp)
        qmp_close(probe->qmp);
    g_clear_pointer(&probe->qmp, qmp_unref);
    process_end(&probe->process);
    g_clear_pointer(&probe->loop, loop_free);
    if (probe->said >= 0)
        close(probe->said);
    probe->said = -1;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Probe, probe_end)

static gboolean probe_start(Probe *probe, GError **error)
{
    static const QmpHandler handler = {NULL};
    g_autofree char *machine = g_strdup_printf("none,accel=%s", probe->accel);
    const char *argv[] = {probe->binary, "-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", machine,
                          "-qmp", "stdio", NULL};
    const char *environment[] = {"LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    int pair[2];

    probe->said = memfd_create("stderr", MFD_CLOEXEC);
    probe->loop = loop_new("probe", error);
    if (!probe->loop || !loop_start(probe->loop, error))
        return FALSE;
    if (probe->said < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot probe %s", probe->binary);
    ProcessFd fds[] = {{pair[1], 0}, {pair[1], 1}, {probe->said, 2}};
    ProcessSpec spec = {.argv = argv, .environment = environment, .fds = fds, .n_fds = G_N_ELEMENTS(fds), .ids = probe->ids,
                        .opens_all = TRUE, .dies_with_us = TRUE};
    gboolean started = process_spawn(&spec, &probe->process, error);
    close(pair[1]);
    if (!started) {
        close(pair[0]);
        return FALSE;
    }
    probe->qmp = qmp_new(probe->loop, pair[0], CAPS_PROBE_DEADLINE, &handler, NULL);
    return TRUE;
}

static JsonNode *ask(Probe *probe, const char *command, JsonObject *arguments, GError **error)
{
    gint64 left = probe->deadline - g_get_monotonic_time();

    return qmp_call(probe->qmp, command, arguments, MAX(left, 1), error);
}

/* Moves the answer to COMMAND into OBJECT as MEMBER. */
static gboolean ask_into(Probe *probe, const char *command, JsonObject *object, const char *member, GError **error)
{
    JsonNode *answer = ask(probe, command, NULL, error);

    if (!answer)
        return FALSE;
    json_object_set_member(object, member, answer);
    return TRUE;
}

/* Adds the binary's own last words to *ERROR. */
static void explain(Probe *probe, GError **error)
{
    char said[SAID_MAX + 1] = "";
    g_autoptr(GError) cause = g_steal_pointer(error);
    off_t size = probe->said >= 0 ? lseek(probe->said, 0, SEEK_END) : 0;
    ssize_t n = size > 0 ? pread(probe->said, said, SAID_MAX, MAX(size - SAID_MAX, 0)) : 0;

    said[MAX(n, 0)] = '\0';
    g_autofree char *words = g_utf8_make_valid(g_strstrip(said), -1);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Failed to start QEMU binary %s for probing: %s", probe->binary,
              words[0] ? words : error_detail(cause));
}

/* What answers to COMMAND list under KEY, as an array of strings. */
static JsonArray *names_of(JsonArray *objects, const char *key)
{
    JsonArray *names = json_array_new();

    for (guint i = 0; i < json_peek_length(objects); i++) {
        const char *name = json_peek_string(json_peek_object_at(objects, i), key);
        if (name)
            json_array_add_string_element(names, name);
    }
    return names;
}

static gboolean ask_types(Probe *probe, JsonObject *out, GError **error)
{
    g_autoptr(JsonNode) answer = ask(probe, "qom-list-types", NULL, error);

    if (!answer)
        return FALSE;
    json_object_set_array_member(out, "types", names_of(json_peek_as_array(answer), "name"));

    JsonObject *properties = json_object_new();
    json_object_set_object_member(out, "properties", properties);
    for (guint i = 0, deaths = 0; caps_types[i]; i++) {
        JsonObject *arguments = json_object_new();
        json_object_set_string_member(arguments, "typename", caps_types[i]);
        g_autoptr(GError) refusal = NULL;
        g_autoptr(JsonNode) list = ask(probe, "qom-list-properties", arguments, &refusal);
        if (list) {
            json_object_set_array_member(properties, caps_types[i], names_of(json_peek_as_array(list), "name"));
            continue;
        }
        /* it does not know the type; or it died of the question, then it goes on without */
        if (error_is(refusal, VIR_ERR_OPERATION_FAILED)) {
            if (deaths++ == DEATHS_MAX) {
                g_propagate_error(error, g_steal_pointer(&refusal));
                return FALSE;
            }
            probe_end(probe);
            if (!probe_start(probe, error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean ask_options(Probe *probe, JsonObject *out, GError **error)
{
    g_autoptr(JsonNode) answer = ask(probe, "query-command-line-options", NULL, error);
    JsonArray *groups = json_peek_as_array(answer);
    JsonObject *options = json_object_new();

    json_object_set_object_member(out, "options", options);
    for (guint i = 0; i < json_peek_length(groups); i++) {
        JsonObject *group = json_peek_object_at(groups, i);
        const char *name = json_peek_string(group, "option");
        if (name)
            json_object_set_array_member(options, name, names_of(json_peek_array(group, "parameters"), "name"));
    }
    return answer != NULL;
}

/* What CPU model NAME is here, in the names that QEMU prefers. Some QEMUs refuse to say. */
static gboolean ask_best(Probe *probe, const char *name, gboolean migratable, JsonObject *object, const char *member,
                         GError **error)
{
    JsonObject *model = json_object_new(), *arguments = json_object_new();
    g_autoptr(GError) refusal = NULL;

    json_object_set_string_member(model, "name", name);
    if (!migratable) {
        JsonObject *props = json_object_new();
        json_object_set_boolean_member(props, "migratable", FALSE);
        json_object_set_object_member(model, "props", props);
    }
    json_object_set_string_member(arguments, "type", "static");
    json_object_set_object_member(arguments, "model", model);
    JsonNode *answer = ask(probe, "query-cpu-model-expansion", arguments, &refusal);
    if (answer)
        json_object_set_member(object, member, answer);
    if (answer || error_is(refusal, VIR_ERR_OPERATION_FAILED))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&refusal));
    return FALSE;
}

/* Not every architecture lists its CPUs. */
static gboolean ask_cpus(Probe *probe, JsonObject *about, GError **error)
{
    g_autoptr(GError) refusal = NULL;

    if (ask_into(probe, "query-cpu-definitions", about, "cpus", &refusal))
        return TRUE;
    if (error_is(refusal, VIR_ERR_INTERNAL_ERROR)) {
        json_object_set_array_member(about, "cpus", json_array_new());
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&refusal));
    return FALSE;
}

/* What depends on the accelerator it runs with. */
static gboolean ask_accel(Probe *probe, const char *accel, JsonObject *out, GError **error)
{
    JsonObject *about = json_object_new();

    json_object_set_object_member(out, accel, about);
    if (!ask_cpus(probe, about, error))
        return FALSE;
    const char *arch = json_peek_string(out, "arch");
    if (g_strcmp0(arch, "x86_64") != 0 && g_strcmp0(arch, "i686") != 0)
        return TRUE;
    return ask_best(probe, strcmp(accel, "kvm") == 0 ? "host" : "max", TRUE, about, "best", error) &&
           (!json_object_has_member(about, "best") ||
            ask_best(probe, strcmp(accel, "kvm") == 0 ? "host" : "max", FALSE, about, "best-all", error));
}

static gboolean ask_target(Probe *probe, JsonObject *out, GError **error)
{
    g_autoptr(JsonNode) target = ask(probe, "query-target", NULL, error);
    const char *arch = json_peek_string(json_peek_as_object(target), "arch");
    gint64 major = 0, minor = 0, micro = 0;

    if (!target)
        return FALSE;
    json_object_set_string_member(out, "arch", emulator_arch_name(arch ? arch : "unknown"));

    g_autoptr(JsonNode) about = ask(probe, "query-version", NULL, error);
    JsonObject *version = json_peek_object(json_peek_as_object(about), "qemu");
    if (!about)
        return FALSE;
    json_peek_int(version, "major", &major);
    json_peek_int(version, "minor", &minor);
    json_peek_int(version, "micro", &micro);
    json_object_set_int_member(out, "version", major * 1000000 + minor * 1000 + micro);
    const char *package = json_peek_string(json_peek_as_object(about), "package");
    json_object_set_string_member(out, "package", package ? package : "");
    return TRUE;
}

static gboolean ask_everything(Probe *probe, JsonObject *out, gboolean *ret_kvm, GError **error)
{
    g_autoptr(JsonNode) kvm = ask(probe, "query-kvm", NULL, error);

    if (!kvm)
        return FALSE;
    *ret_kvm = json_peek_true(json_peek_as_object(kvm), "enabled");
    return ask_target(probe, out, error) && ask_into(probe, "query-machines", out, "machines", error) &&
           ask_accel(probe, *ret_kvm ? "kvm" : "tcg", out, error) && ask_options(probe, out, error) &&
           ask_into(probe, "query-qmp-schema", out, "schema", error) && ask_types(probe, out, error);
}

char *caps_probe(const char *binary, const ProcessIds *ids, gboolean try_kvm, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + CAPS_PROBE_DEADLINE;
    g_auto(Probe) probe = {
        .binary = binary, .accel = try_kvm ? "kvm:tcg" : "tcg", .ids = ids, .deadline = deadline, .said = -1};
    g_autoptr(JsonObject) out = json_object_new();
    gboolean kvm = FALSE;

    json_object_set_string_member(out, "binary", binary);
    if (!probe_start(&probe, error))
        return NULL;
    if (!ask_everything(&probe, out, &kvm, error)) {
        explain(&probe, error);
        return NULL;
    }
    if (kvm) {
        g_auto(Probe) second = {.binary = binary, .accel = "tcg", .ids = ids, .deadline = deadline, .said = -1};
        /* a binary that was built without TCG refuses to start */
        if (probe_start(&second, NULL) && !ask_accel(&second, "tcg", out, NULL))
            json_object_remove_member(out, "tcg");
    }

    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(root, out);
    return json_to_string(root, FALSE);
}
