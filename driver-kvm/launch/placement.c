/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "placement.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fail.h"

#define CPUS_MAX 16384
#define NODES_MAX 1024
#define WORD_BITS (8 * sizeof(unsigned long))

/* Sets in BITS, of MAX, what LIST ("0-3,8") names; 0 if that is no list. */
static int read_list(const char *list, unsigned long *bits, unsigned long max)
{
    while (*list) {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;

        if (end == list)
            return 0;
        if (*end == '-') {
            list = end + 1;
            last = strtoul(list, &end, 10);
            if (end == list)
                return 0;
        }
        if (last < first || last >= max || (*end && *end != ','))
            return 0;
        for (unsigned long one = first; one <= last; one++)
            bits[one / WORD_BITS] |= 1ul << one % WORD_BITS;
        list = *end ? end + 1 : end;
    }
    return 1;
}

void placement_cpus(const char *cpus)
{
    static unsigned long bits[CPUS_MAX / WORD_BITS];

    if (cpus && read_list(cpus, bits, CPUS_MAX))
        sched_setaffinity(0, sizeof bits, (const cpu_set_t *)bits);
}

static int policy_of(const char *mode)
{
    return strcmp(mode, "strict") == 0       ? MPOL_BIND
           : strcmp(mode, "preferred") == 0  ? MPOL_PREFERRED
           : strcmp(mode, "interleave") == 0 ? MPOL_INTERLEAVE
                                             : -1;
}

void placement_memory(char *memory)
{
    unsigned long bits[NODES_MAX / WORD_BITS];
    char *nodes = memory ? strchr(memory, ' ') : NULL;

    if (!memory)
        return;
    memset(bits, 0, sizeof bits);
    errno = EINVAL;
    if (!nodes)
        fail("placing memory", memory);
    *nodes++ = '\0';
    if (policy_of(memory) < 0 || !read_list(nodes, bits, NODES_MAX))
        fail("placing memory", nodes);
    /* the kernel takes one bit less than it is told */
    if (syscall(SYS_set_mempolicy, policy_of(memory), bits, NODES_MAX + 1) < 0)
        fail("placing memory on nodes", nodes);
}
