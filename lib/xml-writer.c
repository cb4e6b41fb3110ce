/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/xml.h"

struct XmlWriter {
    GString *out;
    GPtrArray *open;   /* names of the open elements */
    gboolean in_tag;   /* "<name ..." is not closed yet */
    gboolean had_text; /* the innermost element holds text: its end tag follows on the same line */
};

XmlWriter *xml_writer_new(void)
{
    XmlWriter *writer = g_new0(XmlWriter, 1);

    writer->out = g_string_new(NULL);
    writer->open = g_ptr_array_new_with_free_func(g_free);
    return writer;
}

void xml_writer_free(XmlWriter *writer)
{
    if (!writer)
        return;
    g_string_free(writer->out, TRUE);
    g_ptr_array_free(writer->open, TRUE);
    g_free(writer);
}

static void indent(XmlWriter *writer)
{
    for (guint i = 0; i < writer->open->len; i++)
        g_string_append(writer->out, "  ");
}

static void end_tag(XmlWriter *writer)
{
    if (writer->in_tag)
        g_string_append(writer->out, ">\n");
    writer->in_tag = FALSE;
}

/* libvirt escapes both quotes everywhere and drops what XML cannot carry. White space that an XML parser would turn
 * into a blank is kept as a character reference. */
static void escape(GString *out, const char *text, gboolean attribute)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '<': g_string_append(out, "&lt;"); break;
        case '>': g_string_append(out, "&gt;"); break;
        case '&': g_string_append(out, "&amp;"); break;
        case '"': g_string_append(out, "&quot;"); break;
        case '\'': g_string_append(out, "&apos;"); break;
        case '\r': g_string_append(out, "&#13;"); break;
        case '\n':
        case '\t':
            if (attribute)
                g_string_append_printf(out, "&#%d;", *p);
            else
                g_string_append_c(out, *p);
            break;
        default:
            if ((guchar)*p >= 0x20)
                g_string_append_c(out, *p);
        }
    }
}

void xml_writer_open(XmlWriter *writer, const char *name)
{
    end_tag(writer);
    indent(writer);
    g_string_append_printf(writer->out, "<%s", name);
    g_ptr_array_add(writer->open, g_strdup(name));
    writer->in_tag = TRUE;
    writer->had_text = FALSE;
}

void xml_writer_attribute(XmlWriter *writer, const char *name, const char *value)
{
    g_assert(writer->in_tag);
    g_string_append_printf(writer->out, " %s='", name);
    escape(writer->out, value, TRUE);
    g_string_append_c(writer->out, '\'');
}

void xml_writer_attributef(XmlWriter *writer, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *value = g_strdup_vprintf(format, args);
    va_end(args);
    xml_writer_attribute(writer, name, value);
}

void xml_writer_text(XmlWriter *writer, const char *text)
{
    if (writer->in_tag)
        g_string_append_c(writer->out, '>');
    writer->in_tag = FALSE;
    writer->had_text = TRUE;
    escape(writer->out, text, FALSE);
}

void xml_writer_close(XmlWriter *writer)
{
    g_assert(writer->open->len > 0);
    g_autofree char *name = g_ptr_array_steal_index(writer->open, writer->open->len - 1);

    if (writer->in_tag) {
        g_string_append(writer->out, "/>\n");
    } else {
        if (!writer->had_text)
            indent(writer);
        g_string_append_printf(writer->out, "</%s>\n", name);
    }
    writer->in_tag = FALSE;
    writer->had_text = FALSE;
}

void xml_writer_element(XmlWriter *writer, const char *name, const char *text)
{
    xml_writer_open(writer, name);
    if (text)
        xml_writer_text(writer, text);
    xml_writer_close(writer);
}

void xml_writer_wide(XmlWriter *writer)
{
    end_tag(writer);
}

void xml_writer_raw(XmlWriter *writer, const char *xml)
{
    g_autofree char *text = xml_reindent(xml, writer->open->len);

    end_tag(writer);
    indent(writer);
    g_string_append_printf(writer->out, "%s\n", text ? text : xml);
}

char *xml_writer_finish(XmlWriter *writer)
{
    g_assert(writer->open->len == 0);
    char *text = g_string_free(writer->out, FALSE);

    writer->out = g_string_new(NULL);
    return text;
}
