/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-migratable.h"

#include <string.h>

#include "lib/model/domain-address.h"

/* What a run made up: the next one makes its own. */

static void forget_sockets(GPtrArray *chardevs, const char *run_folder)
{
    for (guint i = 0; i < chardevs->len; i++) {
        Chardev *device = chardevs->pdata[i];
        const char *path = device->type == CHARDEV_TYPE_UNIX && device->source ? device->source->path : NULL;
        if (path && g_str_has_prefix(path, run_folder))
            g_clear_pointer(&device->source, chardev_source_free);
    }
}

static gboolean is_numbered(const char *name, const char *prefix)
{
    gsize length = strlen(prefix);
    return g_str_has_prefix(name, prefix) && name[length] && name[length + strspn(name + length, "0123456789")] == '\0';
}

static void forget_names(GPtrArray *interfaces)
{
    for (guint i = 0; i < interfaces->len; i++) {
        InterfaceTarget *target = ((Interface *)interfaces->pdata[i])->target;
        if (target && target->dev && (is_numbered(target->dev, "vnet") || is_numbered(target->dev, "macvtap")))
            g_clear_pointer(&target->dev, g_free);
    }
}

/* What each machine of the kind has, or what some libvirt did not know. */

static gboolean is_default_usb(const Controller *controller)
{
    return controller->type == CONTROLLER_TYPE_USB && controller->index == 0 &&
           (controller->model == CONTROLLER_MODEL_UNSET || controller->model == CONTROLLER_MODEL_PIIX3_UHCI);
}

static gboolean is_pci_root(const Controller *controller)
{
    return controller->type == CONTROLLER_TYPE_PCI && controller->model == CONTROLLER_MODEL_PCI_ROOT;
}

/* The only controller of TYPE, if it IS what everybody expects. */
static void forget_controller(GPtrArray *controllers, ControllerType type, gboolean (*is)(const Controller *))
{
    Controller *only = NULL;
    guint n = 0;

    for (guint i = 0; i < controllers->len; i++) {
        Controller *controller = controllers->pdata[i];
        if (controller->type == type)
            only = controller, n++;
    }
    if (n == 1 && is(only) && g_ptr_array_remove(controllers, only))
        controller_free(only);
}

static void forget_keyboards(GPtrArray *inputs)
{
    for (guint i = inputs->len; i-- > 0;) {
        const Input *input = inputs->pdata[i];
        if (input->type == INPUT_TYPE_KEYBOARD && (input->bus == INPUT_BUS_PS2 || input->bus == INPUT_BUS_XEN))
            input_free(g_ptr_array_steal_index(inputs, i));
    }
}

static void forget_silence(GPtrArray *audios)
{
    const Audio *only = audios->len == 1 ? audios->pdata[0] : NULL;
    if (only && only->type == AUDIO_TYPE_NONE && only->id == 1)
        audio_free(g_ptr_array_steal_index(audios, 0));
}

/* A drive that runs empty shows no format; its definition has one. */
static void name_formats(GPtrArray *disks)
{
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];
        if (disk->driver && disk->driver->type == STORAGE_FORMAT_UNSET && disk->type != STORAGE_TYPE_VOLUME)
            disk->driver->type = STORAGE_FORMAT_RAW;
    }
}

/* By their places, as whoever reads the document will. */
static void number_consoles(GPtrArray *consoles)
{
    for (guint i = 0; i < consoles->len; i++) {
        ChardevTarget *target = ((Chardev *)consoles->pdata[i])->target;
        if (!target)
            continue;
        g_free(target->port);
        target->port = g_strdup_printf("%u", i);
    }
}

void domain_read_again(Domain *def)
{
    number_consoles(def->devices->consoles);
    domain_sort_controllers(def);
}

/* Some libvirt believed that this model has it; no QEMU ever gave it to a guest. */
static void tell_lost_feature(Cpu *cpu)
{
    static const char lost[] = "pconfig";

    if (cpu->mode != CPU_MODE_CUSTOM || !cpu->model || g_strcmp0(cpu->model->name, "Icelake-Server") != 0)
        return;
    for (guint i = 0; i < cpu->features->len; i++) {
        CpuFeature *feature = cpu->features->pdata[i];
        if (g_strcmp0(feature->name, lost) == 0) {
            feature->policy = CPU_POLICY_DISABLE;
            return;
        }
    }
    CpuFeature *feature = cpu_feature_new();
    feature->name = g_strdup(lost);
    feature->policy = CPU_POLICY_DISABLE;
    g_ptr_array_add(cpu->features, feature);
}

Domain *domain_migratable(const Domain *def, const char *run_folder)
{
    Domain *copy = domain_copy(def);
    Devices *devices = copy->devices;

    copy->id = -1;
    if (copy->asked_cpu) {
        cpu_free(copy->cpu);
        copy->cpu = g_steal_pointer(&copy->asked_cpu);
    }
    if (copy->cpu)
        tell_lost_feature(copy->cpu);
    if (!devices)
        return copy;
    forget_sockets(devices->channels, run_folder);
    forget_sockets(devices->serials, run_folder);
    forget_sockets(devices->consoles, run_folder);
    forget_names(devices->interfaces);
    forget_controller(devices->controllers, CONTROLLER_TYPE_USB, is_default_usb);
    forget_controller(devices->controllers, CONTROLLER_TYPE_PCI, is_pci_root);
    domain_read_again(copy);
    forget_keyboards(devices->inputs);
    forget_silence(devices->audios);
    name_formats(devices->disks);
    return copy;
}

char *domain_migratable_text(const Domain *def, const char *run_folder)
{
    g_autoptr(Domain) copy = domain_migratable(def, run_folder);
    return model_format_text(&domain_type, copy, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE | MODEL_FORMAT_MIGRATABLE);
}
