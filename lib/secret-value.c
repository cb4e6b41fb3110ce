/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/secret-value.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/error.h"

SecretValue *secret_value_new(gsize length, GError **error)
{
    gsize page = (gsize)sysconf(_SC_PAGESIZE), mapped = (MAX(length, 1) + page - 1) / page * page;
    void *memory = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        error_set_errno(error, VIR_FROM_SECRET, errno, "no memory for the value of a secret");
        return NULL;
    }
    madvise(memory, mapped, MADV_DONTDUMP);
    madvise(memory, mapped, MADV_WIPEONFORK);
    mlock(memory, mapped);
    SecretValue *value = g_new(SecretValue, 1);
    *value = (SecretValue){memory, length, mapped};
    return value;
}

SecretValue *secret_value_copy(const guint8 *octets, gsize length, GError **error)
{
    SecretValue *value = secret_value_new(length, error);

    if (value && length)
        memcpy(value->octets, octets, length);
    return value;
}

void secret_value_free(SecretValue *value)
{
    if (!value)
        return;
    explicit_bzero(value->octets, value->mapped);
    munmap(value->octets, value->mapped);
    g_free(value);
}
