/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/xml-limit.h"
#include "lib/xml.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lib/error.h"

static XmlDocument *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    XmlDocument *document = xml_parse(text, "test", &error);

    g_assert_no_error(error);
    return document;
}

static void expect_refused(const char *text, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDocument) document = xml_parse(text, "test", &error);

    g_assert_null(document);
    g_assert_nonnull(error);
    if (!strstr(error->message, words))
        g_error("expected '%s' in '%s'", words, error->message);
}

static void collect(const char *name, const char *value, gpointer data)
{
    g_string_append_printf(data, "%s=%s;", name, value);
}

static void test_tree(void)
{
    g_autoptr(XmlDocument) document =
        parse("<a x='1' y='&lt;&#228;' q:z='no' xmlns:q='urn:q'>\n <!-- c --><b>one <i>two</i></b><q:b/><c/></a>");
    XmlNode *root = xml_root(document);
    g_autoptr(GString) attributes = g_string_new(NULL);
    g_autofree char *y = xml_attribute(root, "y");
    g_autofree char *z = xml_attribute(root, "z");
    XmlNode *b = xml_child(root, "b");
    g_autofree char *text = xml_content(b);
    g_autofree char *none = xml_content(xml_child(root, "c"));

    g_assert_cmpstr(xml_name(root), ==, "a");
    g_assert_cmpstr(y, ==, "<\303\244");
    g_assert_null(z);
    xml_each_attribute(root, collect, attributes);
    g_assert_cmpstr(attributes->str, ==, "x=1;y=<\303\244;");
    g_assert_true(b == xml_first(root));
    g_assert_cmpstr(text, ==, "one two");
    g_assert_cmpstr(none, ==, "");
    g_assert_cmpint(xml_line(b), ==, 2);
    g_assert_cmpstr(xml_namespace(xml_next(b)), ==, "urn:q");
    g_assert_null(xml_namespace(b));
    g_assert_null(xml_next(xml_child(root, "c")));
    g_assert_null(xml_child(root, "d"));
}

static void test_refused(void)
{
    expect_refused("", "(test_definition):1:");
    expect_refused("foo", "Start tag expected, '<' not found\nfoo\n^");
    expect_refused("<a>\n  <b x='1' x='2'/></a>", "(test_definition):2: Attribute x redefined");
    expect_refused("<a/><b/>", "Extra content");
    expect_refused("<a>&foo;</a>", "Entity 'foo' not defined");
    expect_refused("<a>\377\376</a>", "not proper UTF-8");
    expect_refused("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "entities are not allowed");
    expect_refused("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "entities are not allowed");
    expect_refused("<!DOCTYPE a [<!ENTITY % b SYSTEM 'file:///etc/passwd'>%b;]><a/>", "entities are not allowed");
}

static char *repeated(const char *before, const char *format, guint n, const char *after)
{
    GString *text = g_string_new(before);

    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, format, i);
    g_string_append(text, after);
    return g_string_free(text, FALSE);
}

/* What looks like more in a comment, a section, an instruction or a value is none. */
static void test_how_much(void)
{
    g_autofree char *attributes = repeated("<a", " a%u='='", XML_ATTRIBUTES_MAX, "/>");
    g_autofree char *more_attributes = repeated("<a", " a%u=''", XML_ATTRIBUTES_MAX + 1, "/>");
    g_autofree char *elements = repeated("<a>", "<b/>", XML_ELEMENTS_MAX - 1, "</a>");
    g_autofree char *more_elements = repeated("<a>", "<b/>", XML_ELEMENTS_MAX, "</a>");
    g_autofree char *comment = repeated("<a><!--", "<b/>", XML_ELEMENTS_MAX, "--></a>");
    g_autofree char *section = repeated("<a><![CDATA[", "<b/>", XML_ELEMENTS_MAX, "]]></a>");
    g_autofree char *instruction = repeated("<a><?x", " a%u=''", XML_ATTRIBUTES_MAX + 1, "?></a>");
    const char *const good[] = {attributes, elements, comment, section, instruction};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(XmlDocument) document = parse(good[i]);
        g_assert_nonnull(document);
    }
    expect_refused(more_attributes, "an element of the test document has more than 1000 attributes");
    expect_refused(more_elements, "the test document has more than 250000 elements");
    expect_refused("<!--", "(test_definition):1:");
    expect_refused("<a b='", "(test_definition):1:");
}

/* An external subset is named, but nobody fetches it. */
static void test_no_external_subset(void)
{
    g_autofree char *folder = g_dir_make_tmp("xml-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "x.dtd", NULL);
    g_autofree char *text = g_strdup_printf("<!DOCTYPE a SYSTEM 'file://%s'><a/>", path);

    g_assert_true(g_file_set_contents(path, "<!ATTLIST a b CDATA 'default'>", -1, NULL));
    g_autoptr(XmlDocument) document = parse(text);
    g_autofree char *b = xml_attribute(xml_root(document), "b");
    g_assert_null(b);
    g_unlink(path);
    g_rmdir(folder);
}

static char *nested(guint depth)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < depth; i++)
        g_string_append(text, "<a>");
    for (guint i = 0; i < depth; i++)
        g_string_append(text, "</a>");
    return g_string_free(text, FALSE);
}

static void test_limits(void)
{
    g_autofree char *deep = nested(XML_DEPTH_MAX);
    g_autofree char *deeper = nested(XML_DEPTH_MAX + 1);
    g_autofree char *deepest = nested(100000);
    g_autofree char *large = g_malloc(XML_DOCUMENT_MAX + 2);

    g_autoptr(XmlDocument) document = parse(deep);
    expect_refused(deeper, "nested deeper than 128 elements");
    expect_refused(deepest, "(test_definition)");
    memset(large, ' ', XML_DOCUMENT_MAX + 1);
    memcpy(large, "<a/>", 4);
    large[XML_DOCUMENT_MAX + 1] = '\0';
    expect_refused(large, "longer than");
    large[XML_DOCUMENT_MAX] = '\0';
    g_autoptr(XmlDocument) largest = parse(large);
}

static void test_domain_of_error(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDocument) document = xml_parse("x", "domain", &error);

    g_assert_null(document);
    g_assert_cmpint(error_code(error), ==, VIR_ERR_XML_DETAIL);
    g_assert_cmpint(error_from(error), ==, VIR_FROM_DOMAIN);
}

static void test_writer(void)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    xml_writer_open(writer, "a");
    xml_writer_attribute(writer, "q", "<'\"&>\t\n\r\001\303\244");
    xml_writer_attributef(writer, "n", "0x%02x", 10);
    xml_writer_element(writer, "text", "<'\"&>\t\n\r\001");
    xml_writer_element(writer, "empty", NULL);
    xml_writer_open(writer, "b");
    xml_writer_open(writer, "c");
    xml_writer_close(writer);
    xml_writer_close(writer);
    xml_writer_raw(writer, "<m>  <x:n xmlns:x=\"urn:x\"/><o>t</o>\n</m>");
    xml_writer_close(writer);
    g_autofree char *text = xml_writer_finish(writer);
    g_assert_cmpstr(text, ==,
                    "<a q='&lt;&apos;&quot;&amp;&gt;&#9;&#10;&#13;\303\244' n='0x0a'>\n"
                    "  <text>&lt;&apos;&quot;&amp;&gt;\t\n&#13;</text>\n"
                    "  <empty/>\n"
                    "  <b>\n"
                    "    <c/>\n"
                    "  </b>\n"
                    "  <m>\n"
                    "    <x:n xmlns:x=\"urn:x\"/>\n"
                    "    <o>t</o>\n"
                    "  </m>\n"
                    "</a>\n");
    g_autofree char *again = xml_writer_finish(writer);
    g_assert_cmpstr(again, ==, "");
}

static void test_serialize(void)
{
    g_autoptr(XmlDocument) document = parse(
        "<r xmlns:x='urn:x'><m>\n     <x:n/>text<o/><y:p xmlns:y='urn:y'>\n<y:q/></y:p><z:n xmlns:z='urn:x'/></m></r>");
    XmlNode *node = xml_child(xml_root(document), "m");
    g_autofree char *text = xml_serialize(xml_first(node));
    g_autofree char *foreign = xml_serialize_foreign(node);

    g_assert_cmpstr(text, ==, "<x:n xmlns:x=\"urn:x\"/>");
    g_assert_cmpstr(foreign, ==,
                    "<m xmlns:x=\"urn:x\">\n  <x:n/>\n  <y:p xmlns:y=\"urn:y\">\n    <y:q/>\n  </y:p>\n</m>");
}

static void test_validate(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "xml-test.rng", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDocument) good = parse("<a/>");
    g_autoptr(XmlDocument) bad = parse("<a b='c'/>");

    g_assert_true(g_file_set_contents(
        path, "<element name='a' xmlns='http://relaxng.org/ns/structure/1.0'><empty/></element>", -1, NULL));
    g_assert_true(xml_validate(good, path, &error));
    g_assert_no_error(error);
    g_assert_false(xml_validate(bad, path, &error));
    g_assert_true(error_is(error, VIR_ERR_XML_INVALID_SCHEMA));
    g_assert_nonnull(strstr(error->message, "Invalid attribute b for element a"));
    g_clear_error(&error);
    g_unlink(path);
    g_assert_false(xml_validate(good, path, &error));
    g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml/tree", test_tree);
    g_test_add_func("/xml/refused", test_refused);
    g_test_add_func("/xml/how-much", test_how_much);
    g_test_add_func("/xml/no-external-subset", test_no_external_subset);
    g_test_add_func("/xml/limits", test_limits);
    g_test_add_func("/xml/domain-of-error", test_domain_of_error);
    g_test_add_func("/xml/writer", test_writer);
    g_test_add_func("/xml/serialize", test_serialize);
    g_test_add_func("/xml/validate", test_validate);
    return g_test_run();
}
