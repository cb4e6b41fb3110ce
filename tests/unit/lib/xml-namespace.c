/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/xml-namespace.h"

#include "lib/error.h"

#define URI "http://example.com/x"

static char *named(const char *xml, const char *prefix, const char *uri, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(xml, "test", NULL);
    return xml_serialize_named(xml_root(document), prefix, uri, error);
}

static char *bare(const char *xml, const char *uri)
{
    g_autoptr(XmlDocument) document = xml_parse(xml, "test", NULL);
    return xml_serialize_bare(xml_root(document), uri);
}

static void test_there_and_back(void)
{
    const char *given = "<a x=\"1\"><b>text</b><c/></a>";
    g_autofree char *kept = named(given, "k", URI, NULL);
    g_assert_cmpstr(kept, ==, "<k:a xmlns:k=\"" URI "\" x=\"1\">\n  <k:b>text</k:b>\n  <k:c/>\n</k:a>");
    g_autofree char *back = bare(kept, URI);
    g_assert_cmpstr(back, ==, "<a x=\"1\">\n  <b>text</b>\n  <c/>\n</a>");
}

static void test_attributes(void)
{
    g_autofree char *text = bare("<k:a xmlns:k='" URI "' k:x='1' y='2'><k:b k:z='3'/></k:a>", URI);
    g_assert_cmpstr(text, ==, "<a x=\"1\" y=\"2\">\n  <b z=\"3\"/>\n</a>");
}

static void test_others_stay(void)
{
    g_autofree char *text = bare("<k:a xmlns:k='" URI "'><o:b xmlns:o='urn:o'/></k:a>", URI);
    g_assert_cmpstr(text, ==, "<a>\n  <o:b xmlns:o=\"urn:o\"/>\n</a>");
    g_autofree char *same = bare("<o:b xmlns:o='urn:o'/>", URI);
    g_assert_cmpstr(same, ==, "<o:b xmlns:o=\"urn:o\"/>");
}

static void test_bad_prefix(void)
{
    const char *const bad[] = {"", "a b", "1", "a:b", "<"};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(named("<a/>", bad[i], URI, &error));
        g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
        g_assert_cmpint(error_from(error), ==, VIR_FROM_XML);
    }
    g_assert_null(named("<a/>", "k", "", NULL));
}

static void test_can_say(void)
{
    g_assert_true(xml_can_say("text <&> \303\244"));
    g_assert_false(xml_can_say("\377"));
    g_assert_false(xml_can_say("\355\240\200")); /* half a surrogate pair */
    g_assert_false(xml_can_say("\357\277\277")); /* U+FFFF */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml-namespace/there-and-back", test_there_and_back);
    g_test_add_func("/xml-namespace/attributes", test_attributes);
    g_test_add_func("/xml-namespace/others-stay", test_others_stay);
    g_test_add_func("/xml-namespace/bad-prefix", test_bad_prefix);
    g_test_add_func("/xml-namespace/can-say", test_can_say);
    return g_test_run();
}
