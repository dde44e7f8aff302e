/* XML as clouds send it, and as somebody sends it who means harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "isocost/sdk/text.h"
#include "isocost/sdk/xml.h"

static enum iso_status read_text(const char *text, struct iso_xml **ret, struct iso_error *reterr)
{
    return iso_xml_read(text, strlen(text), ret, reterr);
}

static void elements_are_found_by_their_path(void **state)
{
    static const char text[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<Answer xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
        "  <set>\n"
        "    <item><name> a </name><list/></item>\n"
        "    <other/>\n"
        "    <ec2:item xmlns:ec2=\"urn:x\"><name>b &lt;&#x41;<![CDATA[&]]></name>"
        "</ec2:item>\n"
        "  </set>\n"
        "  <nextToken/>\n"
        "</Answer>";
    ISO_AUTO(iso_xml) document = NULL;

    (void)state;
    assert_int_equal(read_text(text, &document, NULL), ISO_OK);
    const struct iso_xml_element *root = iso_xml_root(document);
    assert_string_equal(iso_xml_name(root), "Answer");
    const struct iso_xml_element *item = iso_xml_at(root, "set.item");
    assert_string_equal(iso_xml_text_at(item, "name"), "a");
    assert_non_null(iso_xml_at(item, "list"));
    assert_null(iso_xml_at(item, "list.item"));
    item = iso_xml_next(item);
    assert_string_equal(iso_xml_text_at(item, "name"), "b <A&");
    assert_null(iso_xml_next(item));
    assert_string_equal(iso_xml_text_at(root, "nextToken"), "");
    assert_string_equal(iso_xml_text_at(root, "set"), "");
    assert_string_equal(iso_xml_text_at(root, "no.such.path"), "");
    assert_string_equal(iso_xml_text_at(NULL, "set"), "");
    assert_null(iso_xml_at(root, "se"));
}

static void what_is_no_xml_is_refused_with_its_line(void **state)
{
    static const char *const cases[] = {
        "",
        "not xml",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a>&undefined;</a>",
        "<a>\xff</a>",
        "{\"json\": true}",
        "<?xml version=\"1.0\" encoding=\"no-such\"?><a/>",
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_xml *document = NULL;
        struct iso_error error = {0};
        assert_int_equal(read_text(cases[i], &document, &error), ISO_E_INVALID);
        assert_null(document);
        assert_non_null(strstr(error.text, "XML at line"));
    }
}

static void document_types_and_their_entities_are_refused(void **state)
{
    static const char *const cases[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM \"http://evil.example/a.dtd\"><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]><a>&y;&y;</a>",
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_xml *document = NULL;
        struct iso_error error = {0};
        assert_int_equal(read_text(cases[i], &document, &error), ISO_E_INVALID);
        assert_non_null(strstr(error.text, "document type"));
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    for (int depth = ISO_XML_DEPTH; depth <= ISO_XML_DEPTH + 1; depth++) {
        ISO_AUTO_TEXT text = {0};
        ISO_AUTO(iso_xml) document = NULL;
        for (int i = 0; i < depth; i++)
            iso_text_add(&text, "<a>");
        for (int i = 0; i < depth; i++)
            iso_text_add(&text, "</a>");
        assert_int_equal(read_text(text.bytes, &document, NULL),
                         depth > ISO_XML_DEPTH ? ISO_E_INVALID : ISO_OK);
    }
}

static void memory_that_is_short_is_told(void **state)
{
    enum iso_status status;
    long n = 0;

    (void)state;
    do {
        ISO_AUTO(iso_xml) document = NULL;
        iso_alloc_fail_at(n++);
        status = read_text("<a><b>text</b></a>", &document, NULL);
        iso_alloc_fail_at(-1);
        assert_true(status == ISO_OK || status == ISO_E_NOMEM || status == ISO_E_LIMIT);
    } while (status != ISO_OK);
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_found_by_their_path),
        cmocka_unit_test(what_is_no_xml_is_refused_with_its_line),
        cmocka_unit_test(document_types_and_their_entities_are_refused),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(memory_that_is_short_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
