/* The JSON reader of the plugin SDK. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "isocost/sdk/json.h"
#include "isocost/sdk/json_document.h"

/* Elements as one text: "member[index]@line=value", with '/' between them; a value that is no
 * scalar is its kind. */
struct log {
    char text[4096];
    struct iso_scratch *scratch;
};

static const char *shown(const struct iso_json_element *element, struct iso_scratch *scratch)
{
    static const char *const kinds[] = {"absent", "object", "array"};
    const char *scalar = iso_json_scalar(element->value, scratch);

    if (!element->value)
        return "broken";
    return scalar ? scalar : kinds[iso_json_kind(element->value)];
}

static enum iso_status log_element(void *context, const struct iso_json_element *element,
                                   struct iso_error *reterr)
{
    struct log *log = context;
    size_t used = strlen(log->text);

    (void)reterr;
    assert_true((element->problem == NULL) == (element->value != NULL));
    snprintf(log->text + used, sizeof(log->text) - used, "%s%s[%lld]@%lld=%s", used ? "/" : "",
             element->member, (long long)element->index, (long long)element->line,
             shown(element, log->scratch));
    return ISO_OK;
}

static enum iso_status read_text(const char *text, size_t step, struct log *log,
                                 struct iso_error *reterr)
{
    ISO_AUTO(iso_json_reader) reader = iso_json_reader_new(log_element, log);
    size_t n_bytes = strlen(text);

    if (!reader)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory");
    for (size_t at = 0; at < n_bytes; at += step)
        ISO_TRY(iso_json_feed(reader, (const unsigned char *)text + at,
                              at + step < n_bytes ? step : n_bytes - at, reterr));
    return iso_json_finish(reader, reterr);
}

static void elements_come_one_at_a_time_with_their_place(void **state)
{
    static const struct {
        const char *text, *elements;
    } cases[] = {
        {"{}", ""},
        {" {\n} \n", ""},
        {"\xef\xbb\xbf{}", ""},
        {"{\"a\":[]}", ""},
        {"{\"a\":[{\"x\":1},\n{\"y\":[2,{}]}\n]}", "a[0]@1=object/a[1]@2=object"},
        {"{\"a\":[1, -2.5 ,\"t]\\\"}\",true,null,[1]],\"b\":[ ]}",
         "a[0]@1=1/a[1]@1=-2.5/a[2]@1=t]\"}/a[3]@1=true/a[4]@1=absent/a[5]@1=array"},
        {"{\"v\":1,\"o\":{\"p\":[1]},\"s\":\"x\"}", "v[-1]@1=1/o[-1]@1=object/s[-1]@1=x"},
        {"{\"a\":[{\"p\":NaN},{\"p\":1}]}", "a[0]@1=broken/a[1]@1=object"},
        {"{\"a\":[{\"p\":1,\"p\":2}]}", "a[0]@1=broken"},
        {"{\"a\":[1e999, tru]}", "a[0]@1=broken/a[1]@1=broken"},
        {"{\"\\u0061\\\"\":[1]}", "a\"[0]@1=1"},
        {"{\"a\":[0.1, 1E-9, 123456789012345678, 0.30000000000000004]}",
         "a[0]@1=0.1/a[1]@1=1e-09/a[2]@1=123456789012345678/a[3]@1=0.30000000000000004"},
    };
    static const size_t steps[] = {1, 2, 7, 65536};
    ISO_AUTO(iso_scratch) scratch = iso_scratch_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        for (size_t s = 0; s < ISO_ARRAY_LENGTH(steps); s++) {
            struct log log = {.scratch = scratch};
            struct iso_error error = {0};
            assert_int_equal(read_text(cases[i].text, steps[s], &log, &error), ISO_OK);
            assert_string_equal(log.text, cases[i].elements);
        }
}

static void broken_structure_is_an_error_with_its_line(void **state)
{
    static const struct {
        const char *text, *report;
    } cases[] = {
        {"", "line 1: the file ends too early"},
        {"[1]", "line 1: '[' where '{' of an object of arrays must stand"},
        {"<html>", "line 1: '<' where '{' of an object of arrays must stand"},
        {"{\"a\":[1,\n2", "line 2: the file ends too early"},
        {"{\"a\":[1,]}", "line 1: ']' where a value must stand"},
        {"{\"a\":[,1]}", "line 1: ',' where a value must stand"},
        {"{\"a\":[1 2]}", "line 1: '2' where ',' or ']' must stand"},
        {"{\"a\":[{} {}]}", "line 1: '{' where ',' or ']' must stand"},
        {"{\"a\" 1}", "line 1: '1' where ':' must stand"},
        {"{\"a\":}", "line 1: '}' where a value must stand"},
        {"{\"a\":1,}", "line 1: '}' where a member's name must stand"},
        {"{a:1}", "line 1: 'a' where a member's name must stand"},
        {"{}\n{}", "line 2: '{' where the end of the file must stand"},
        {"{\"a\":[],\n\"a\":[]}", "line 2: a second member \"a\""},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct log log = {.scratch = NULL};
        struct iso_error error = {0};
        ISO_AUTO(iso_scratch) scratch = iso_scratch_new(1 << 20);
        log.scratch = scratch;
        assert_int_equal(read_text(cases[i].text, 65536, &log, &error), ISO_E_INVALID);
        assert_string_equal(error.text, cases[i].report);
    }
}

static void depth_size_and_members_have_limits(void **state)
{
    ISO_AUTO_MEM char *text = iso_calloc(ISO_JSON_ELEMENT_BYTES + 100, 1);
    ISO_AUTO(iso_scratch) scratch = iso_scratch_new(1 << 20);
    struct log log = {.scratch = scratch};
    struct iso_error error = {0};

    (void)state;
    assert_non_null(text);
    strcpy(text, "{\"a\":[");
    memset(text + 6, '[', ISO_JSON_DEPTH + 1);
    assert_int_equal(read_text(text, 65536, &log, &error), ISO_E_LIMIT);
    assert_string_equal(error.text, "line 1: more than 32 levels");

    strcpy(text, "{\"a\":[\"");
    memset(text + 7, 'x', ISO_JSON_ELEMENT_BYTES);
    error = (struct iso_error){0};
    assert_int_equal(read_text(text, 65536, &log, &error), ISO_E_LIMIT);
    assert_string_equal(error.text, "line 1: an element has more than 1048576 bytes");

    size_t used = 0;
    for (int i = 0; i < 65; i++)
        used += (size_t)sprintf(text + used, "%c\"m%d\":1", i ? ',' : '{', i);
    log.text[0] = '\0';
    error = (struct iso_error){0};
    assert_int_equal(read_text(text, 65536, &log, &error), ISO_E_LIMIT);
    assert_string_equal(error.text, "line 1: more than 64 members");
}

static void every_failed_allocation_is_reported(void **state)
{
    enum iso_status status = ISO_E_NOMEM;
    long nth;

    (void)state;
    for (nth = 0; status != ISO_OK && nth < 100; nth++) {
        ISO_AUTO(iso_scratch) scratch = iso_scratch_new(1 << 20);
        struct log log = {.scratch = scratch};
        struct iso_error error = {0};
        iso_alloc_fail_at(nth);
        status = read_text("{\"a\":[\"x\",\"y\"],\"b\":[\"z\"]}", 3, &log, &error);
        iso_alloc_fail_at(-1);
        assert_int_equal(status, error.status);
    }
    assert_true(status == ISO_OK && nth > 3);
}

static void a_document_is_read_whole(void **state)
{
    static const char text[] = "\xef\xbb\xbf{\"a\": {\"b\": [1E-9, 0.10000000149011612, \"x\"]}}";
    ISO_AUTO(iso_scratch) scratch = iso_scratch_new(1024);
    ISO_AUTO_JSON *document = NULL;

    (void)state;
    assert_int_equal(iso_json_document_read(text, strlen(text), &document, NULL), ISO_OK);
    const struct iso_json *list = iso_json_at(document, "a.b");
    assert_int_equal(iso_json_length(list), 3);
    assert_string_equal(iso_json_scalar(iso_json_item(list, 0), scratch), "1e-09");
    assert_string_equal(iso_json_scalar(iso_json_item(list, 1), scratch), "0.10000000149011612");
    assert_string_equal(iso_json_text_at(document, "a.b"), "");
    assert_null(iso_json_at(document, "a.c.d"));
    assert_ptr_equal(iso_json_at(document, ""), document);
}

static void what_is_no_document_is_refused_with_its_place(void **state)
{
    char deep[2 * ISO_JSON_DOCUMENT_DEPTH + 8] = "";
    const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"a\":1,\"a\":2}", "duplicate"},
        {"{\"a\": \"\xff\"}", "decode byte"},
        {"{\"a\": [1, 2", "line 1"},
        {"<html>", "line 1"},
        {"", "line 1"},
        {deep, "levels"},
        {"{} {}", "line 1"},
        {"[NaN]", "line 1"},
    };

    (void)state;
    memset(deep, '[', ISO_JSON_DOCUMENT_DEPTH + 1);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        ISO_AUTO_JSON *document = NULL;
        struct iso_error error = {0};
        assert_int_equal(
            iso_json_document_read(cases[i].text, strlen(cases[i].text), &document, &error),
            ISO_E_INVALID);
        if (!strstr(error.text, cases[i].says))
            fail_msg("case %zu: %s", i, error.text);
        assert_null(document);
    }
}

static void brackets_inside_texts_are_not_levels(void **state)
{
    char text[400] = "[\"\\\"";
    ISO_AUTO_JSON *document = NULL;

    (void)state;
    memset(text + strlen(text), '[', 200);
    strcat(text, "\"]");
    assert_int_equal(iso_json_document_read(text, strlen(text), &document, NULL), ISO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_one_at_a_time_with_their_place),
        cmocka_unit_test(broken_structure_is_an_error_with_its_line),
        cmocka_unit_test(depth_size_and_members_have_limits),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(a_document_is_read_whole),
        cmocka_unit_test(what_is_no_document_is_refused_with_its_place),
        cmocka_unit_test(brackets_inside_texts_are_not_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
