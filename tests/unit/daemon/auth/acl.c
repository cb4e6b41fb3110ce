/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/auth/acl.h"

#include <sys/socket.h>
#include <unistd.h>

#include "daemon/rpc/remote-gen.h"
#include "lib/error.h"
#include "lib/process.h"

static const Identity viewer = {.read_only = TRUE, .uid = 1000};
static const Identity owner = {.uid = 0};

static gboolean allowed(const Identity *identity, guint32 number, gconstpointer args)
{
    g_autoptr(GError) error = NULL;

    if (acl_check(identity, wire_proc(&remote_program, number), args, &error))
        return TRUE;
    g_assert_cmpint(error->code, ==, VIR_ERR_OPERATION_DENIED);
    return FALSE;
}

static void test_read_only(void)
{
    RemoteDomainGetXmlDescArgs plain = {0}, secure = {.flags = VIR_DOMAIN_XML_SECURE},
                               migratable = {.flags = VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_INACTIVE};
    RemoteDomainCreateArgs create = {0};
    RemoteDomainGetVcpusFlagsArgs vcpus = {0}, guest = {.flags = VIR_DOMAIN_VCPU_GUEST};
    const struct {
        guint32 number;
        gconstpointer args;
        gboolean allowed;
    } cases[] = {
        {REMOTE_PROC_CONNECT_GET_TYPE, NULL, TRUE},
        {REMOTE_PROC_CONNECT_NUM_OF_DOMAINS, NULL, TRUE},
        {REMOTE_PROC_DOMAIN_GET_XML_DESC, &plain, TRUE},
        {REMOTE_PROC_DOMAIN_GET_XML_DESC, &secure, FALSE},
        {REMOTE_PROC_DOMAIN_GET_XML_DESC, &migratable, FALSE},
        {REMOTE_PROC_DOMAIN_GET_VCPUS_FLAGS, &vcpus, TRUE},
        {REMOTE_PROC_DOMAIN_GET_VCPUS_FLAGS, &guest, FALSE},
        {REMOTE_PROC_DOMAIN_CREATE, &create, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(allowed(&viewer, cases[i].number, cases[i].args), ==, cases[i].allowed);
        g_assert_true(allowed(&owner, cases[i].number, cases[i].args));
    }
}

static void test_admission(void)
{
    Identity stranger = {.uid = 4242, .gid = 4242};
    Identity member = {.uid = 4242, .gid = 77};
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    g_assert_true(acl_admits(&owner, fds[0], (gid_t)-1));
    g_assert_false(acl_admits(&stranger, fds[0], (gid_t)-1));
    g_assert_true(acl_admits(&member, fds[0], 77));
    g_assert_false(acl_admits(&stranger, fds[0], 123456)); /* nor is this process in it */
    close(fds[0]);
    close(fds[1]);
}

static void test_identity(void)
{
    g_autoptr(Identity) identity = NULL;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    identity = identity_new_unix(fds[0], TRUE, TRUE, NULL);
    g_assert_cmpint(identity->pid, ==, getpid());
    g_assert_cmpuint(identity->uid, ==, geteuid());
    g_assert_true(identity->read_only);
    g_assert_cmpuint(identity->start_time, ==, process_start_time(getpid()));
    g_assert_null(identity_new_unix(-1, TRUE, FALSE, NULL));
    close(fds[0]);
    close(fds[1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/acl/read-only", test_read_only);
    g_test_add_func("/acl/admission", test_admission);
    g_test_add_func("/acl/identity", test_identity);
    return g_test_run();
}
