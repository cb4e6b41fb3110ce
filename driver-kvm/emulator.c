/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/emulator.h"

#include <string.h>
#include <sys/utsname.h>

#include "lib/error.h"

/* libvirt's architectures that QEMU emulates, in libvirt's order, and QEMU's name where it is another. */
static const struct {
    const char *name, *binary;
    guint bits;
} archs[] = {
    {"alpha", "alpha", 64},        {"armv6l", "arm", 32},           {"armv7l", "arm", 32},
    {"aarch64", "aarch64", 64},    {"cris", "cris", 32},            {"i686", "i386", 32},
    {"m68k", "m68k", 32},          {"microblaze", "microblaze", 32}, {"microblazeel", "microblazeel", 32},
    {"mips", "mips", 32},          {"mipsel", "mipsel", 32},        {"mips64", "mips64", 64},
    {"mips64el", "mips64el", 64},  {"ppc", "ppc", 32},              {"ppc64", "ppc64", 64},
    {"ppc64le", "ppc64", 64},      {"riscv32", "riscv32", 32},      {"riscv64", "riscv64", 64},
    {"s390x", "s390x", 64},        {"sh4", "sh4", 64},              {"sh4eb", "sh4eb", 64},
    {"sparc", "sparc", 32},        {"sparc64", "sparc64", 64},      {"x86_64", "x86_64", 64},
    {"xtensa", "xtensa", 32},      {"xtensaeb", "xtensaeb", 32},
};

static void emulator_free(gpointer data)
{
    Emulator *emulator = data;

    g_free(emulator->path);
    g_free(emulator);
}

static char *find_binary(guint i)
{
    g_autofree char *name = g_strconcat("qemu-system-", archs[i].binary, NULL);

    return g_find_program_in_path(name);
}

GPtrArray *emulator_all(void)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(emulator_free);

    for (guint i = 0; i < G_N_ELEMENTS(archs); i++) {
        char *path = find_binary(i);
        if (!path)
            continue;
        Emulator *emulator = g_new(Emulator, 1);
        *emulator = (Emulator){archs[i].name, archs[i].bits, path};
        g_ptr_array_add(all, emulator);
    }
    return all;
}

char *emulator_of_arch(const char *arch, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(archs); i++) {
        if (!g_str_equal(archs[i].name, arch))
            continue;
        char *path = find_binary(i);
        if (!path)
            error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                      "unable to find any emulator to serve '%s' architecture", arch);
        return path;
    }
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unknown architecture: %s", arch);
    return NULL;
}

const char *emulator_arch_name(const char *target)
{
    return strcmp(target, "i386") == 0 ? "i686" : strcmp(target, "arm") == 0 ? "armv7l" : target;
}

gboolean emulator_serves(const char *binary, const char *arch)
{
    static const char *const also[][2] = {{"x86_64", "i686"}, {"armv7l", "armv6l"}, {"ppc64", "ppc64le"}};
    gboolean serves = g_strcmp0(binary, arch) == 0;

    for (gsize i = 0; i < G_N_ELEMENTS(also); i++)
        serves = serves || (g_strcmp0(binary, also[i][0]) == 0 && g_strcmp0(arch, also[i][1]) == 0);
    return serves;
}

const char *emulator_host_arch(void)
{
    struct utsname system;

    if (uname(&system) < 0)
        return "unknown";
    /* i386 to i686 are one */
    if (strlen(system.machine) == 4 && system.machine[0] == 'i' && g_str_has_suffix(system.machine, "86"))
        return "i686";
    for (guint i = 0; i < G_N_ELEMENTS(archs); i++)
        if (g_str_equal(archs[i].name, system.machine))
            return archs[i].name;
    return "unknown";
}

char *emulator_of_host(GError **error)
{
    return emulator_of_arch(emulator_host_arch(), error);
}
