/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this host can run, and the meaning of a definition for it. */
#include "driver-kvm/kvm.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

#include "driver-kvm/complete.h"
#include "driver-kvm/cpu-ops.h"
#include "driver-kvm/descriptor.h"
#include "driver-kvm/domcaps.h"
#include "driver-kvm/emulator.h"
#include "driver-kvm/firmware-choose.h"
#include "driver-kvm/native.h"
#include "driver-kvm/nvram.h"
#include "driver-kvm/tpm.h"
#include "lib/error.h"

#define QEMU_MAX_VCPUS 16 /* what libvirt answers for emulated guests, whatever the machine can take */

static gboolean node_version(gpointer self, guint64 *ret_version, GError **error)
{
    Kvm *kvm = self;
    g_autofree char *path = emulator_of_host(error);
    g_autoptr(Caps) caps = path ? caps_cache_get(kvm->caps, path, error) : NULL;

    if (!caps)
        return FALSE;
    *ret_version = caps_version(caps);
    return TRUE;
}

static gboolean kvm_max_vcpus(int *ret_max, GError **error)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "Unable to open /dev/kvm");
    int max = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
    if (max <= 0)
        max = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS);
    close(fd);
    *ret_max = MAX(max, 1);
    return TRUE;
}

static gboolean node_max_vcpus(gpointer self, const char *type, int *ret_max, GError **error)
{
    if (type && g_ascii_strcasecmp(type, "kvm") == 0)
        return kvm_max_vcpus(ret_max, error);
    if (type && g_ascii_strcasecmp(type, "qemu") != 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unknown type '%s'", type);
    *ret_max = QEMU_MAX_VCPUS;
    return TRUE;
}

/* --- the capabilities document --- */

static void write_machine(XmlWriter *writer, const CapsMachine *machine)
{
    xml_writer_open(writer, "machine");
    xml_writer_attributef(writer, "maxCpus", "%u", machine->max_cpus);
    if (machine->deprecated)
        xml_writer_attribute(writer, "deprecated", "yes");
    xml_writer_text(writer, machine->name);
    xml_writer_close(writer);
    if (!machine->alias)
        return;
    xml_writer_open(writer, "machine");
    xml_writer_attribute(writer, "canonical", machine->name);
    xml_writer_attributef(writer, "maxCpus", "%u", machine->max_cpus);
    xml_writer_text(writer, machine->alias);
    xml_writer_close(writer);
}

/* The default machine comes first. */
static void write_machines(XmlWriter *writer, const Caps *caps)
{
    const GPtrArray *machines = caps_machines(caps);
    const CapsMachine *first = caps_machine(caps, NULL);

    if (first)
        write_machine(writer, first);
    for (guint i = 0; i < machines->len; i++)
        if (machines->pdata[i] != first)
            write_machine(writer, machines->pdata[i]);
}

static void write_empty(XmlWriter *writer, const char *name)
{
    xml_writer_open(writer, name);
    xml_writer_close(writer);
}

static void write_toggle(XmlWriter *writer, const char *name, const char *toggle)
{
    xml_writer_open(writer, name);
    xml_writer_attribute(writer, "default", "on");
    xml_writer_attribute(writer, "toggle", toggle);
    xml_writer_close(writer);
}

static void write_domain_type(XmlWriter *writer, const char *type)
{
    xml_writer_open(writer, "domain");
    xml_writer_attribute(writer, "type", type);
    xml_writer_close(writer);
}

static void write_guest(XmlWriter *writer, const Emulator *emulator, const Caps *caps)
{
    gboolean x86 = g_str_equal(emulator->arch, "i686") || g_str_equal(emulator->arch, "x86_64");

    xml_writer_open(writer, "guest");
    xml_writer_element(writer, "os_type", "hvm");
    xml_writer_open(writer, "arch");
    xml_writer_attribute(writer, "name", emulator->arch);
    xml_writer_element(writer, "wordsize", emulator->bits == 64 ? "64" : "32");
    xml_writer_element(writer, "emulator", emulator->path);
    write_machines(writer, caps);
    if (caps_has_accel(caps, CAPS_TCG))
        write_domain_type(writer, "qemu");
    if (caps_has_accel(caps, CAPS_KVM))
        write_domain_type(writer, "kvm");
    xml_writer_close(writer);
    xml_writer_open(writer, "features");
    if (g_str_equal(emulator->arch, "i686")) {
        write_empty(writer, "pae");
        write_empty(writer, "nonpae");
    }
    if (x86) {
        write_toggle(writer, "acpi", "yes");
        write_toggle(writer, "apic", "no");
    }
    write_empty(writer, "cpuselection");
    write_empty(writer, "deviceboot");
    write_toggle(writer, "disksnapshot", "no");
    xml_writer_close(writer);
    xml_writer_close(writer);
}

typedef struct {
    CapsCache *cache;
    const Emulator *emulator;
    Caps *caps;
} Probing;

static gpointer probe_one(gpointer data)
{
    Probing *probing = data;

    probing->caps = caps_cache_get(probing->cache, probing->emulator->path, NULL);
    return NULL;
}

/* Emulators that were never asked before are asked at the same time. One that cannot say what it is is left out. */
static gboolean node_guests(gpointer self, XmlWriter *writer, GError **error)
{
    Kvm *kvm = self;
    g_autoptr(GPtrArray) emulators = emulator_all();
    g_autofree Probing *probings = g_new0(Probing, emulators->len);
    g_autofree GThread **threads = g_new0(GThread *, emulators->len);

    for (guint i = 0; i < emulators->len; i++) {
        probings[i] = (Probing){kvm->caps, emulators->pdata[i], NULL};
        threads[i] = g_thread_new("probe", probe_one, &probings[i]);
    }
    for (guint i = 0; i < emulators->len; i++) {
        g_thread_join(threads[i]);
        if (probings[i].caps)
            write_guest(writer, probings[i].emulator, probings[i].caps);
        caps_unref(probings[i].caps);
    }
    return TRUE;
}

static char *node_domain_capabilities(gpointer self, const char *emulator, const char *arch, const char *machine,
                                      const char *type, GError **error)
{
    Kvm *kvm = self;

    return domcaps_format(kvm->caps, emulator, arch, machine, type, error);
}

static void node_owner(gpointer self, uid_t *ret_uid, gid_t *ret_gid)
{
    const Kvm *kvm = self;
    const ProcessIds *ids = user_ids(kvm->user);

    *ret_uid = ids ? ids->uid : getuid();
    *ret_gid = ids ? ids->gid : getgid();
}

const DriverNodeOps kvm_node_ops = {
    .version = node_version,
    .max_vcpus = node_max_vcpus,
    .guests = node_guests,
    .domain_capabilities = node_domain_capabilities,
    .owner = node_owner,
    .compare_cpu = cpu_ops_compare,
    .baseline_cpu = cpu_ops_baseline,
};

/* --- definitions --- */

static char *nvram_folder(const Kvm *kvm)
{
    return g_build_filename(kvm->host->paths->state, "nvram", NULL);
}

static void log_bad_firmware(const char *path, const char *why, gpointer data)
{
    const Kvm *kvm = data;
    g_autofree char *text = g_strdup_printf("%s is passed over: %s", path, why);

    kvm->host->log(NULL, LOG_WARNING, text);
}

static gboolean choose_firmware(Kvm *kvm, Domain *def, GError **error)
{
    g_autofree char *folder = nvram_folder(kvm);
    g_auto(GStrv) folders = descriptor_folders("firmware");

    if (def->os->firmware == OS_FIRMWARE_UNSET)
        return TRUE;
    g_autoptr(GPtrArray) firmwares = firmware_list((const char *const *)folders, log_bad_firmware, kvm);
    return firmware_choose(def, firmwares, folder, error);
}

static gboolean definition_complete(gpointer self, Domain *def, DriverComplete when, GError **error)
{
    Kvm *kvm = self;
    g_autofree char *folder = nvram_folder(kvm);

    if (!complete_emulator(def, error))
        return FALSE;
    g_autoptr(Caps) caps = caps_cache_get(kvm->caps, def->devices->emulator, error);
    if (!caps || (when == DRIVER_COMPLETE_START && !choose_firmware(kvm, def, error)) ||
        !complete_domain(def, caps, when, error))
        return FALSE;
    if (when == DRIVER_COMPLETE_DEFINE)
        firmware_complete(def, folder);
    return TRUE;
}

static gboolean definition_undefine(gpointer self, Vm *vm, const Domain *def, guint flags, GError **error)
{
    Kvm *kvm = self;
    g_autofree char *folder = nvram_folder(kvm);

    g_autoptr(VmView) view = kvm->host->view(vm);

    if (!nvram_undefine(def, folder, flags, error))
        return FALSE;
    return view->id >= 0 || tpm_undefine(kvm, def, flags, error); /* the TPM of one that runs is in use until its end */
}

static guint definition_judge(gpointer self, const Domain *def, GPtrArray *deprecated)
{
    const Kvm *kvm = self;
    const QemuCommandline *own = def->commandline;
    guint taints = (own && own->args->len + own->envs->len > 0 ? VM_TAINT_ARGUMENTS : 0) |
                   (def->override && def->override->devices->len > 0 ? VM_TAINT_DEVICE : 0);
    g_autoptr(Caps) caps = caps_cache_get(kvm->caps, def->devices->emulator, NULL);
    const CapsMachine *machine = caps ? caps_machine(caps, def->os->type->machine) : NULL;

    if (!machine || !machine->deprecated)
        return taints;
    g_ptr_array_add(deprecated, g_strdup_printf("machine type '%s'", def->os->type->machine));
    return taints | VM_TAINT_DEPRECATED;
}

const DriverDefinitionOps kvm_definition_ops = {
    .judge = definition_judge,
    .complete = definition_complete,
    .undefine = definition_undefine,
    .foretell_cpu = cpu_ops_foretell,
    .native_formats = native_formats,
    .to_native = native_command,
};
