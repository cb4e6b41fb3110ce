/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/ip.h"

#include <string.h>

#include "lib/error.h"

static Ip ip(const char *text)
{
    g_autoptr(GError) error = NULL;
    Ip result;
    ip_parse(text, &result, &error);
    g_assert_no_error(error);
    return result;
}

static void test_text(void)
{
    static const char *const pairs[][2] = {{"192.168.122.1", "192.168.122.1"},
                                           {"10.1", "10.0.0.1"},
                                           {"FD00:0:0::1", "fd00::1"},
                                           {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                                           {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
                                           {"fe80::1%lo", "fe80::1%lo"}};
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        Ip one = ip(pairs[i][0]);
        g_autofree char *text = ip_format(&one);
        g_assert_cmpstr(text, ==, pairs[i][1]);
    }
    static const char *const wrong[] = {"", "host", "1.2.3.4.5", "1:2", "300.1.1.1", "1.2.3.4/24"};
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        Ip one;
        g_assert_false(ip_parse(wrong[i], &one, &error));
        g_assert_cmpint(error_code(error), ==, VIR_ERR_SYSTEM_ERROR);
        g_assert_nonnull(strstr(error->message, wrong[i]));
    }
}

static void test_masks(void)
{
    static const struct {
        const char *mask;
        int bits;
    } masks[] = {{"255.255.255.0", 24}, {"0.0.0.0", 0},        {"255.255.255.255", 32}, {"255.254.0.0", 15},
                 {"255.0.255.0", -1},   {"0.0.0.1", -1},       {"ffff:ffff::", 32},     {"::", 0},
                 {"ffff::1", -1}};
    for (guint i = 0; i < G_N_ELEMENTS(masks); i++) {
        Ip mask = ip(masks[i].mask);
        g_assert_cmpint(ip_mask_bits(&mask), ==, masks[i].bits);
    }
    Ip address = ip("192.168.123.77"), mask = ip("255.255.254.0"), network = ip_network(&address, 23);
    g_autofree char *text = ip_format(&network);
    g_assert_cmpstr(text, ==, "192.168.122.0");
    g_assert_cmpint(ip_prefix(&address, &mask, 0), ==, 23);
    g_assert_cmpint(ip_prefix(&address, &mask, 16), ==, 16);
    static const struct {
        const char *address;
        int prefix;
    } classes[] = {{"10.1.2.3", 8}, {"172.16.0.1", 16}, {"192.168.1.1", 24}, {"224.0.0.1", -1}, {"0.0.0.0", 0}, {"fd00::1", 64}, {"::", 0}};
    for (guint i = 0; i < G_N_ELEMENTS(classes); i++) {
        Ip one = ip(classes[i].address);
        g_assert_cmpint(ip_prefix(&one, NULL, 0), ==, classes[i].prefix);
    }
}

static void test_ranges(void)
{
    static const struct {
        const char *start, *end, *network;
        int prefix;
        const char *wrong; /* words of the error; NULL: it is right */
    } ranges[] = {{"192.168.122.2", "192.168.122.254", "192.168.122.1", 24, NULL},
                  {"192.168.122.2", "192.168.122.2", NULL, 0, NULL},
                  {"192.168.122.0", "192.168.122.9", "192.168.122.1", 24, "is the network address"},
                  {"192.168.122.2", "192.168.122.255", "192.168.122.1", 24, "is the broadcast address"},
                  {"192.168.122.2", "192.168.123.9", "192.168.122.1", 24, "not entirely within"},
                  {"192.168.123.2", "192.168.122.9", NULL, 0, "is reversed"},
                  {"192.168.0.0", "192.169.0.0", NULL, 0, "is too large"},
                  {"192.168.122.2", "fd00::1", NULL, 0, "mismatch of address family"},
                  {"fd00::2", "fd00::1", NULL, 0, "start larger than end"},
                  {"fd00::1", "fd00::1:0", NULL, 0, "is too large"},
                  {"fd00::", "fd00::ffff", "fd00::1", 64, NULL},
                  {"192.168.122.2", "192.168.122.9", "fd00::1", 64, "for network fd00::1"},
                  {"192.168.122.2", "192.168.122.9", "192.168.122.1", 33, "bad prefix"},
                  {"192.168.122.2", "192.168.122.9", "192.168.122.1", -1, "bad prefix"}};
    for (guint i = 0; i < G_N_ELEMENTS(ranges); i++) {
        g_autoptr(GError) error = NULL;
        Ip start = ip(ranges[i].start), end = ip(ranges[i].end), network = ip(ranges[i].network ? ranges[i].network : "0");
        gboolean right = ip_check_range(&start, &end, ranges[i].network ? &network : NULL, ranges[i].prefix, &error);
        g_assert_cmpint(right, ==, ranges[i].wrong == NULL);
        if (ranges[i].wrong && !strstr(error->message, ranges[i].wrong))
            g_error("%s - %s: %s", ranges[i].start, ranges[i].end, error->message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/text", test_text);
    g_test_add_func("/ip/masks", test_masks);
    g_test_add_func("/ip/ranges", test_ranges);
    return g_test_run();
}
