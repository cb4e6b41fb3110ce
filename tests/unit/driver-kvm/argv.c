/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts, ports and what argv_prepare() opens; whole command lines are compared in tests/golden/kvm. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "driver-kvm/argv.h"
#include "driver-kvm/chardev.h"
#include "driver-kvm/part.h"
#include "lib/port.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "tests/unit/driver-kvm/domain-text.h"

static void test_parts(void)
{
    g_autoptr(GPtrArray) parts = parts_new();
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    JsonObject *node = props_new("driver", "file");
    JsonObject *arguments;
    const char *command;

    props_string(node, "node-name", "n1");
    parts_add(parts, PART_BLOCKDEV, node);
    parts_add_option(parts, "-S", NULL);
    parts_to_argv(parts, argv);
    g_assert_cmpuint(argv->len, ==, 3);
    g_assert_cmpstr(g_ptr_array_index(argv, 0), ==, "-blockdev");
    g_assert_cmpstr(g_ptr_array_index(argv, 1), ==, "{\"driver\":\"file\",\"node-name\":\"n1\"}");

    g_assert_true(part_to_command(g_ptr_array_index(parts, 0), &command, &arguments));
    g_assert_cmpstr(command, ==, "blockdev-add");
    json_object_unref(arguments);
    g_assert_true(part_to_undo(g_ptr_array_index(parts, 0), &command, &arguments));
    g_assert_cmpstr(command, ==, "blockdev-del");
    g_assert_cmpstr(json_object_get_string_member(arguments, "node-name"), ==, "n1");
    json_object_unref(arguments);
    g_assert_false(part_to_command(g_ptr_array_index(parts, 1), &command, &arguments));
}

static void test_escape(void)
{
    g_autofree char *escaped = part_escape("a,b,,c");

    g_assert_cmpstr(escaped, ==, "a,,b,,,,c");
}

static GArray *descriptors(void)
{
    return g_array_new(FALSE, FALSE, sizeof(int));
}

static void close_all(GArray *fds)
{
    for (guint i = 0; i < fds->len; i++)
        close(g_array_index(fds, int, i));
    g_array_unref(fds);
}

/* Two who ask get different ports; who reuses addresses, as QEMU does, can listen on a port that is held. */
static void test_ports(void)
{
    GArray *first = descriptors(), *second = descriptors();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    guint one = 0, two = 0;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    GError *error = NULL;

    g_assert_true(port_reserve("VNC", 15900, 15999, first, &one, &error));
    g_assert_true(port_reserve("VNC", 15900, 15999, second, &two, &error));
    g_assert_cmpuint(one, !=, two);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    address.sin_port = htons((guint16)one);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    close_all(first);

    first = descriptors();
    g_assert_false(port_reserve("VNC", one, one, first, &two, &error));
    g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
    g_error_free(error);
    close(fd);
    close_all(first);
    close_all(second);
}

/* A socket is made and inherited; a file that stands in its place is not harmed. */
static void test_sockets(void)
{
    g_autofree char *folder = g_dir_make_tmp("argv-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "s", NULL);
    g_autoptr(ArgvContext) context = argv_context_new(folder);
    g_autoptr(ChardevSource) source = chardev_source_new();
    ChardevView view = {.type = CHARDEV_TYPE_UNIX, .source = source};
    struct stat info;
    GError *error = NULL;

    context->touch_host = TRUE;
    source->mode = CHARDEV_MODE_BIND;
    source->path = g_strdup(path);
    g_assert_true(chardev_prepare(&view, "serial0", context, &error));
    g_assert_cmpint(argv_context_passed(context, "serial0"), ==, context->first_fd);
    g_assert_true(chardev_prepare(&view, "serial1", context, &error)); /* as after a daemon that died */
    chardev_release(&view);
    g_assert_cmpint(lstat(path, &info), ==, -1);

    g_assert_true(g_file_set_contents(path, "mine", -1, NULL));
    g_assert_false(chardev_prepare(&view, "serial2", context, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_error_free(error);
    chardev_release(&view);
    g_assert_cmpint(lstat(path, &info), ==, 0);
    unlink(path);
    rmdir(folder);
}

static JsonNode *json(const char *text)
{
    JsonNode *node = json_from_string(text, NULL);

    g_assert_nonnull(node);
    return node;
}

static void test_learn(void)
{
    char *fault = NULL;
    g_autoptr(Domain) def = domain_text_complete("pc", "<serial type='pty'/>", &fault);
    g_autoptr(Caps) caps = domain_text_caps();
    g_autoptr(JsonNode) answer = json("[{\"label\":\"charserial0\",\"filename\":\"pty:/dev/pts/7\"},5,{\"label\":3}]");
    g_autoptr(JsonNode) nonsense = json("{\"a\":1}");
    const Chardev *console;
    GError *error = NULL;

    g_assert_true(complete_domain(def, caps, DRIVER_COMPLETE_START, &error));
    g_assert_true(argv_learn(def, argv_questions[0], answer, &error));
    console = g_ptr_array_index(def->devices->consoles, 0);
    g_assert_cmpstr(((Chardev *)g_ptr_array_index(def->devices->serials, 0))->source->path, ==, "/dev/pts/7");
    g_assert_cmpstr(console->tty, ==, "/dev/pts/7");
    g_assert_false(argv_learn(def, argv_questions[0], nonsense, &error));
    g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
    g_error_free(error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/argv/parts", test_parts);
    g_test_add_func("/argv/escape", test_escape);
    g_test_add_func("/argv/ports", test_ports);
    g_test_add_func("/argv/sockets", test_sockets);
    g_test_add_func("/argv/learn", test_learn);
    return g_test_run();
}
