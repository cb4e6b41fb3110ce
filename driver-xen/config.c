/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/cpuset.h"
#include "lib/model/domain-threads.h"
#include "lib/uuid.h"

#define UNSUPPORTED VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED
#define DEFAULT_BOOTLOADER "pygrub"
#define VNC_PORT_BASE 5900
#define MEMORY_STEP 1024 /* KiB */

char *config_dup(const char *text)
{
    return text ? strdup(text) : NULL;
}

static gboolean is_hvm(const Domain *live)
{
    return live->os->type->value == OS_TYPE_HVM;
}

static void set_default(libxl_defbool *place, Toggle toggle)
{
    if (toggle != TOGGLE_UNSET)
        libxl_defbool_set(place, toggle == TOGGLE_ON);
}

/* --- what it is --- */

static gboolean build_creation(const Domain *live, libxl_domain_create_info *creation, GError **error)
{
    const Features *features = live->features;
    char text[UUID_TEXT];

    uuid_format(live->uuid.bytes, text);
    creation->type = is_hvm(live)                              ? LIBXL_DOMAIN_TYPE_HVM
                     : live->os->type->value == OS_TYPE_XENPVH ? LIBXL_DOMAIN_TYPE_PVH
                                                               : LIBXL_DOMAIN_TYPE_PV;
    creation->name = config_dup(live->name);
    if (creation->type != LIBXL_DOMAIN_TYPE_PV && features && features->hap)
        set_default(&creation->hap, features->hap->state == TOGGLE_OFF ? TOGGLE_OFF : TOGGLE_ON);
    return libxl_uuid_from_string(&creation->uuid, text) == 0 ||
           error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "libxenlight failed to parse UUID '%s'", text);
}

/* --- processors --- */

static gboolean set_affinity(libxl_ctx *libxl, libxl_bitmap *map, const char *cpus, GError **error)
{
    g_autoptr(CpuSet) set = cpus ? cpuset_parse(cpus, error) : NULL;

    libxl_bitmap_init(map);
    if ((cpus && !set) || libxl_cpu_bitmap_alloc(libxl, map, 0) != 0)
        return set != NULL && error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "libxenlight has no room for a set of processors");
    if (!set)
        libxl_bitmap_set_any(map);
    for (int cpu = set ? cpuset_next(set, -1) : -1; cpu >= 0; cpu = cpuset_next(set, cpu))
        libxl_bitmap_set(map, cpu);
    return TRUE;
}

static gboolean build_affinities(libxl_ctx *libxl, const Domain *live, libxl_domain_build_info *info, GError **error)
{
    guint n = 0;

    for (guint i = 0; i < (guint)info->max_vcpus; i++)
        if (domain_vcpu_cpus(live, i))
            n = i + 1;
    if (n == 0)
        return TRUE;
    info->vcpu_hard_affinity = calloc(n, sizeof *info->vcpu_hard_affinity);
    info->num_vcpu_hard_affinity = (int)n;
    libxl_defbool_set(&info->numa_placement, false);
    for (guint i = 0; i < n; i++)
        if (!set_affinity(libxl, &info->vcpu_hard_affinity[i], domain_vcpu_cpus(live, i), error))
            return FALSE;
    return TRUE;
}

static gboolean build_vcpus(libxl_ctx *libxl, const Domain *live, libxl_domain_build_info *info, GError **error)
{
    info->max_vcpus = (int)domain_max_vcpus(live);
    if (libxl_cpu_bitmap_alloc(libxl, &info->avail_vcpus, info->max_vcpus) != 0)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "libxenlight has no room for a set of processors");
    libxl_bitmap_set_none(&info->avail_vcpus);
    for (guint i = 0; i < domain_vcpus(live); i++)
        libxl_bitmap_set(&info->avail_vcpus, (int)i);
    return build_affinities(libxl, live, info, error);
}

/* --- time --- */

static gboolean build_timer(const Domain *live, const Timer *timer, libxl_domain_build_info *info, GError **error)
{
    static const libxl_tsc_mode modes[] = {
        [TIMER_MODE_NATIVE] = LIBXL_TSC_MODE_NATIVE,
        [TIMER_MODE_PARAVIRT] = LIBXL_TSC_MODE_NATIVE_PARAVIRT,
        [TIMER_MODE_EMULATE] = LIBXL_TSC_MODE_ALWAYS_EMULATE,
    };

    if (timer->name == TIMER_NAME_TSC) {
        info->tsc_mode = timer->mode < G_N_ELEMENTS(modes) ? modes[timer->mode] : LIBXL_TSC_MODE_DEFAULT;
        return TRUE;
    }
    if (timer->name != TIMER_NAME_HPET || !is_hvm(live))
        return error_set(error, UNSUPPORTED, "unsupported timer type (name) '%s'", timer_name_to_string(timer->name));
    if (timer->present == TOGGLE_ON)
        libxl_defbool_set(&info->u.hvm.hpet, true);
    return TRUE;
}

static gboolean build_clock(const Domain *live, libxl_domain_build_info *info, GError **error)
{
    const Clock *clock = live->clock;

    if (!clock)
        return TRUE;
    if (clock->offset != CLOCK_OFFSET_UTC && clock->offset != CLOCK_OFFSET_LOCALTIME && clock->offset != CLOCK_OFFSET_VARIABLE)
        return error_set(error, UNSUPPORTED, "unsupported clock offset '%s'", clock_offset_to_string(clock->offset));
    if (clock->offset == CLOCK_OFFSET_LOCALTIME ||
        (clock->offset == CLOCK_OFFSET_VARIABLE && clock->basis == CLOCK_BASIS_LOCALTIME))
        libxl_defbool_set(&info->localtime, true);
    if (clock->offset == CLOCK_OFFSET_VARIABLE && clock->adjustment)
        info->rtc_timeoffset = (uint32_t)g_ascii_strtoll(clock->adjustment, NULL, 10);
    for (guint i = 0; i < clock->timers->len; i++)
        if (!build_timer(live, clock->timers->pdata[i], info, error))
            return FALSE;
    return TRUE;
}

/* --- memory --- */

static guint64 round_up(guint64 kib)
{
    return (kib + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP;
}

static void build_memory(const Domain *live, libxl_domain_build_info *info)
{
    info->max_memkb = round_up(live->memory);
    info->target_memkb = round_up(live->current_memory);
    info->shadow_memkb = libxl_get_required_shadow_memory(info->max_memkb, (unsigned int)info->max_vcpus);
    if (live->cputune && live->cputune->shares != UNSET64)
        info->sched_params.weight = (int)MIN(live->cputune->shares, G_MAXINT);
    for (guint i = 0; i < live->devices->controllers->len; i++) {
        const Controller *bus = live->devices->controllers->pdata[i];

        if (bus->type != CONTROLLER_TYPE_XENBUS)
            continue;
        if (bus->max_event_channels != UNSET32)
            info->event_channels = bus->max_event_channels;
        if (bus->max_grant_frames != UNSET32)
            info->max_grant_frames = bus->max_grant_frames;
    }
}

/* --- how it boots --- */

static void build_boot_pv(const Domain *live, libxl_domain_build_info *info)
{
    const DomainOs *os = live->os;

    info->kernel = config_dup(os->kernel);
    info->ramdisk = config_dup(os->initrd);
    info->cmdline = config_dup(os->cmdline);
    if (live->bootloader)
        info->bootloader = config_dup(live->bootloader);
    else if (!os->kernel && os->type->value != OS_TYPE_XENPVH)
        info->bootloader = config_dup(DEFAULT_BOOTLOADER);
    if (live->bootloader_args) {
        g_auto(GStrv) words = g_strsplit_set(live->bootloader_args, " \t\n", -1);
        guint n = 0;

        info->bootloader_args = calloc(g_strv_length(words) + 1, sizeof(char *));
        for (guint i = 0; words[i]; i++)
            if (*words[i])
                info->bootloader_args[n++] = config_dup(words[i]);
    }
    if (info->type == LIBXL_DOMAIN_TYPE_PV && live->features && live->features->xen && live->features->xen->e820_host)
        set_default(&info->u.pv.e820_host, live->features->xen->e820_host->state);
}

static gboolean build_info(libxl_ctx *libxl, const Domain *live, libxl_domain_config *config, GError **error)
{
    libxl_domain_build_info *info = &config->b_info;

    libxl_domain_build_info_init_type(info, config->c_info.type);
    if (!build_vcpus(libxl, live, info, error) || !build_clock(live, info, error))
        return FALSE;
    build_memory(live, info);
    if (config->c_info.type == LIBXL_DOMAIN_TYPE_HVM)
        return config_hvm(live, info, error);
    build_boot_pv(live, info);
    return TRUE;
}

/* --- devices --- */

static gboolean build_disks(const Domain *live, libxl_domain_config *config, GError **error)
{
    GPtrArray *disks = live->devices->disks;

    config->disks = calloc(MAX(disks->len, 1), sizeof *config->disks);
    for (guint i = 0; i < disks->len; i++) {
        libxl_device_disk_init(&config->disks[config->num_disks]);
        if (!config_disk(disks->pdata[i], &config->disks[config->num_disks++], error))
            return FALSE;
    }
    return TRUE;
}

static gboolean build_nics(const Domain *live, libxl_domain_config *config, GError **error)
{
    GPtrArray *interfaces = live->devices->interfaces;

    config->nics = calloc(MAX(interfaces->len, 1), sizeof *config->nics);
    for (guint i = 0; i < interfaces->len; i++) {
        libxl_device_nic *nic = &config->nics[config->num_nics++];

        libxl_device_nic_init(nic);
        nic->devid = (int)i;
        if (!config_nic(live, interfaces->pdata[i], FALSE, nic, error))
            return FALSE;
    }
    return TRUE;
}

static void fill_vnc(const Graphics *graphics, libxl_vnc_info *vnc)
{
    const GraphicsListen *listen = graphics->listens->len ? graphics->listens->pdata[0] : NULL;

    libxl_defbool_set(&vnc->enable, true);
    libxl_defbool_set(&vnc->findunused, false);
    vnc->display = graphics->port - VNC_PORT_BASE;
    free(vnc->listen);
    vnc->listen = config_dup(listen && listen->address ? listen->address : "127.0.0.1");
    free(vnc->passwd);
    vnc->passwd = config_dup(graphics->passwd);
}

/* Paravirtual screens and keyboards; an HVM guest's device model shows the first one by itself. */
static gboolean build_screens(const Domain *live, libxl_domain_config *config, GError **error)
{
    GPtrArray *list = live->devices->graphics;

    for (guint i = 0; i < list->len; i++) {
        const Graphics *graphics = list->pdata[i];

        if (graphics->type != GRAPHICS_TYPE_VNC)
            return error_set(error, UNSUPPORTED, "unsupported graphics type %s", graphics_type_to_string(graphics->type));
        if (is_hvm(live)) {
            fill_vnc(graphics, &config->b_info.u.hvm.vnc);
            config->b_info.u.hvm.keymap = config_dup(graphics->keymap);
            return TRUE;
        }
        config->vfbs = realloc(config->vfbs, (guint)(config->num_vfbs + 1) * sizeof *config->vfbs);
        config->vkbs = realloc(config->vkbs, (guint)(config->num_vkbs + 1) * sizeof *config->vkbs);
        libxl_device_vfb_init(&config->vfbs[config->num_vfbs]);
        libxl_device_vkb_init(&config->vkbs[config->num_vkbs++]);
        config->vfbs[config->num_vfbs].keymap = config_dup(graphics->keymap);
        fill_vnc(graphics, &config->vfbs[config->num_vfbs++].vnc);
    }
    return TRUE;
}

static libxl_action_on_shutdown action_of(Lifecycle action)
{
    return action == LIFECYCLE_PRESERVE ? LIBXL_ACTION_ON_SHUTDOWN_PRESERVE : LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
}

gboolean config_build(libxl_ctx *libxl, const Domain *live, libxl_domain_config *config, GError **error)
{
    if (live->devices->hostdevs->len > 0)
        return error_set(error, UNSUPPORTED, "host devices are not supported by this driver");
    config->on_poweroff = action_of(live->on_poweroff);
    config->on_reboot = action_of(live->on_reboot);
    return build_creation(live, &config->c_info, error) && build_info(libxl, live, config, error) &&
           build_disks(live, config, error) && build_nics(live, config, error) && build_screens(live, config, error);
}
