/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The installed QEMU is asked what it can do; without one only the stored form is tested. */
#include "driver-kvm/caps-cache.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "driver-kvm/caps-probe.h"
#include "lib/error.h"
#include "lib/file.h"

#define QEMU "/usr/bin/qemu-system-x86_64"

static const char stored[] =
    "{'binary':'/bin/q','arch':'x86_64','version':7002001,'package':'p','types':['a','b'],"
    "'machines':[{'name':'none'},{'name':'pc-1','alias':'pc','cpu-max':4,'is-default':true,'default-ram-id':'pc.ram'},"
    "{'name':'big','cpu-max':99999999999}],"
    "'tcg':{'cpus':[{'name':'one','unavailable-features':['x'],'migration-safe':true},{'name':'two'}]},"
    "'properties':{'a':['p1','p2']},'options':{'smp-opts':['cpus']},"
    "'schema':[{'name':'do','meta-type':'command','arg-type':'1','ret-type':'5','features':['new']},"
    "{'name':'EV','meta-type':'event','arg-type':'1'},"
    "{'name':'1','meta-type':'object','members':[{'name':'m','type':'2'},{'name':'self','type':'3','features':['odd']}],"
    "'tag':'m','variants':[{'case':'v','type':'4'}]},"
    "{'name':'2','meta-type':'enum','values':['v','w']},{'name':'3','meta-type':'array','element-type':'1'},"
    "{'name':'4','meta-type':'object','members':[{'name':'deep','type':'str'}]},"
    "{'name':'5','meta-type':'alternate','members':[{'type':'str'},{'type':'5'},{'type':'4'}]},7,{'name':8}]}";

static Caps *parse(const char *text, GError **error)
{
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
    return caps_parse(json, error);
}

static void test_stored(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Caps) caps = parse(stored, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(caps_version(caps), ==, 7002001);
    g_assert_true(caps_has_accel(caps, CAPS_TCG));
    g_assert_false(caps_has_accel(caps, CAPS_KVM));
    g_assert_cmpuint(caps_machines(caps)->len, ==, 2);
    g_assert_cmpstr(caps_machine(caps, NULL)->name, ==, "pc-1");
    g_assert_true(caps_machine(caps, "pc") == caps_machine(caps, "pc-1"));
    g_assert_cmpuint(caps_machine(caps, "big")->max_cpus, ==, G_MAXINT);
    g_assert_null(caps_machine(caps, "none"));
    g_assert_cmpuint(caps_cpus(caps, CAPS_KVM)->len, ==, 0);
    g_assert_cmpstr(caps_cpu(caps, CAPS_TCG, "one")->blockers[0], ==, "x");
    g_assert_null(caps_cpu(caps, CAPS_TCG, "two")->blockers);
    g_assert_true(caps_has_type(caps, "b"));
    g_assert_true(caps_device_has_property(caps, "a", "p2"));
    g_assert_false(caps_device_has_property(caps, "b", "p2"));
    g_assert_true(caps_has_option(caps, "smp-opts", "cpus"));
    g_assert_false(caps_has_option(caps, "smp-opts", "dies"));

    g_assert_true(caps_has_command(caps, "do") && !caps_has_command(caps, "EV"));
    g_assert_true(caps_has_event(caps, "EV") && !caps_has_event(caps, "do"));
    const struct { const char *path; gboolean has; } paths[] = {
        {"m", TRUE}, {"n", FALSE}, {"m/=v", TRUE}, {"m/=x", FALSE}, {"+v/deep", TRUE}, {"+w", FALSE}, {"@new", TRUE},
        {"self/@odd", TRUE}, {"self/@new", FALSE}, {"self/self/self/+v/deep", TRUE}, {"+v/deep/more", FALSE}, {"", FALSE},
        {"m/m", FALSE}, {"/", FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_test_message("%s", paths[i].path);
        g_assert_cmpint(caps_has_argument(caps, "do", paths[i].path), ==, paths[i].has);
    }
    g_assert_true(caps_has_answer(caps, "do", "deep")); /* though the alternative leads to itself */
    g_assert_false(caps_has_answer(caps, "do", "m"));
}

static void test_foreign(void)
{
    static const char *const texts[] = {"", "[]", "{}", "{'binary':1,'arch':'x','version':1,'types':[]}", "{'binary':'b'"};

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(parse(texts[i], &error));
        g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
    }
    g_autoptr(Caps) odd = parse("{'binary':'b','arch':'x','version':1,'types':[1,{}],'machines':{},'tcg':{'cpus':[1,'x',{}]},"
                                "'properties':{'a':7},'options':[],'schema':{}}", NULL);
    g_assert_nonnull(odd);
    g_assert_null(caps_machine(odd, NULL));
}

static gpointer get(gpointer cache)
{
    return caps_cache_get(cache, QEMU, NULL);
}

static void test_cache(void)
{
    g_autofree char *folder = g_dir_make_tmp("caps-XXXXXX", NULL);
    g_autofree char *kept = g_build_filename(folder, "usr_bin_qemu-system-x86_64.caps", NULL);
    g_autoptr(CapsCache) cache = caps_cache_new(folder, g_getenv("PROBE"), NULL);
    g_autoptr(GError) error = NULL;
    GThread *threads[4];

    g_assert_null(caps_cache_get(cache, "/does/not/exist", &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    g_clear_error(&error);
    g_assert_null(caps_cache_get(cache, "/bin/false", &error));
    g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
    g_test_message("%s", error->message);
    g_clear_error(&error);

    if (access(QEMU, X_OK) == 0) {
        for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
            threads[i] = g_thread_new("get", get, cache);
        Caps *first = NULL;
        for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
            g_autoptr(Caps) caps = g_thread_join(threads[i]);
            g_assert_nonnull(caps);
            g_assert_true(!first || first == caps); /* probed once */
            first = caps;
        }
        g_assert_true(caps_has_device(first, "virtio-blk-pci"));
        g_assert_true(caps_device_has_property(first, "virtio-blk-pci", "write-cache"));
        g_assert_true(caps_device_has_property(first, "generic-pc-machine", "smm"));
        g_assert_true(caps_has_argument(first, "blockdev-add", "+qcow2/file/+file/filename"));
        g_assert_true(caps_has_accel(first, CAPS_TCG));
        g_assert_nonnull(caps_machine(first, "q35"));
        g_assert_nonnull(caps_cpu(first, CAPS_TCG, "qemu64"));
        for (guint i = 0; caps_types[i]; i++)
            if (!caps_has_type(first, caps_types[i]))
                g_test_message("this QEMU has no %s", caps_types[i]);

        /* from the disk, and a file that was cut short is made anew */
        gint64 before = g_get_monotonic_time();
        g_autoptr(CapsCache) again = caps_cache_new(folder, g_getenv("PROBE"), NULL);
        g_autoptr(Caps) loaded = caps_cache_get(again, QEMU, NULL);
        g_test_message("from the disk: %" G_GINT64_FORMAT " us", g_get_monotonic_time() - before);
        g_assert_true(caps_has_device(loaded, "virtio-blk-pci"));
        g_assert_cmpint(truncate(kept, 5000), ==, 0);
        g_autoptr(CapsCache) third = caps_cache_new(folder, g_getenv("PROBE"), NULL);
        g_autoptr(Caps) anew = caps_cache_get(third, QEMU, NULL);
        g_assert_nonnull(anew);
    }
    g_assert_true(file_remove_tree(folder, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/driver-kvm/caps/stored", test_stored);
    g_test_add_func("/driver-kvm/caps/foreign", test_foreign);
    g_test_add_func("/driver-kvm/caps/cache", test_cache);
    return g_test_run();
}
