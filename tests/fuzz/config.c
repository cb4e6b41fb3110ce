/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration's file. */
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    g_autoptr(GError) error = NULL;
    int fd = memfd_create("config", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

    if (write(fd, data, length) != (gssize)length)
        __builtin_trap();
    Config *config = config_load(path, &error);
    close(fd);
    if (!config == !error || (config && (config->socket_mode > 0777 || !config->socket_group)))
        __builtin_trap();
    g_auto(GStrv) drivers = config_drivers();
    for (char **driver = drivers; *driver; driver++) {
        g_auto(GStrv) keys = config_driver_keys(*driver);
        for (char **key = keys; *key; key++)
            config_driver(*driver, *key);
    }
    config_free(config);
    return 0;
}
