/* Digests: the golden vectors, and canonical texts written out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec.h"
#include "isocost/base/sha256.h"
#include "isocost/internal/v1/solver.pb-c.h"
#include "isocost/proto/digest.h"
#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/offering.pb-c.h"
#include "isocost/v1/plan_service.pb-c.h"

#define MODEL &isocost__v1__model__descriptor

/* The digest is that of this canonical text. */
static void assert_canonical(const ProtobufCMessage *message, const char *canonical)
{
    struct iso_sha256 sha;
    unsigned char bytes[ISO_SHA256_BYTES];
    char expected[ISO_DIGEST_TEXT_SIZE], found[ISO_DIGEST_TEXT_SIZE];

    iso_sha256_init(&sha);
    iso_sha256_update(&sha, canonical, strlen(canonical));
    iso_sha256_final(&sha, bytes);
    assert_int_equal(iso_message_digest(message, NULL, found, NULL), ISO_OK);
    assert_string_equal(found, iso_digest_text(bytes, expected));
}

static void the_canonical_text_is_as_documented(void **state)
{
    (void)state;
    struct codec_read read = {0};

    codec_read(&read, iso_yaml_read, MODEL,
               "{displayName: shop, periods: [{id: p, hours: 0.5}], labels: {a: \"1\"}}");
    assert_canonical(read.message, "isocost.v1.Model\n1\n"
                                   "{1=4:shop,3=[{1=1:p,2=5e-1,},],13=<1:a=1:1,>,}");
    codec_done(&read);
}

static void infinities_between_processes_have_a_text(void **state)
{
    (void)state;
    Isocost__Internal__V1__Progress progress = ISOCOST__INTERNAL__V1__PROGRESS__INIT;

    progress.value = NAN;
    progress.bound = -INFINITY;
    assert_canonical(&progress.base, "isocost.internal.v1.Progress\n1\n{4=nan,5=-inf,}");
    progress.value = -0.0;
    progress.bound = INFINITY;
    assert_canonical(&progress.base, "isocost.internal.v1.Progress\n1\n{5=inf,}");
}

static void the_order_of_map_entries_and_the_encoding_do_not_matter(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"labels\": {\"b\": \"2\", \"a\": \"1\"}, \"options\": {\"seed\": \"5\"}}",
        "{\"options\": {\"seed\": 5}, \"labels\": {\"a\": \"1\", \"b\": \"2\"}, \"displayName\": "
        "\"\"}",
    };
    char first[ISO_DIGEST_TEXT_SIZE] = "", found[ISO_DIGEST_TEXT_SIZE];

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        struct codec_read read = {0};
        codec_read(&read, iso_json_read, MODEL, texts[i]);
        assert_int_equal(iso_message_digest(read.message, NULL, found, NULL), ISO_OK);
        if (i == 0)
            strcpy(first, found);
        assert_string_equal(found, first);
        codec_done(&read);
    }
}

static const ProtobufCMessageDescriptor *find_type(const char *name)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        MODEL,
        &isocost__v1__offering__descriptor,
        &isocost__v1__throughput_demand__descriptor,
        &isocost__v1__upload_model_request__descriptor,
        &isocost__v1__line_table__descriptor,
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(types); i++)
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    fail_msg("the test does not know the type %s", name);
    return NULL;
}

static void read_file(const char *name, char *buffer, size_t size)
{
    const char *source = getenv("ISO_SOURCE");
    char path[512];

    snprintf(path, sizeof(path), "%s/tests/unit/digest_vectors/%s", source ? source : ".", name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot open %s; set ISO_SOURCE", path);
    size_t n = fread(buffer, 1, size - 1, file);
    buffer[n] = '\0';
    fclose(file);
}

static void the_golden_vectors_hold(void **state)
{
    (void)state;
    char lines[8192], json[8192], *rest = lines;
    int n_vectors = 0;

    read_file("digests.txt", lines, sizeof(lines));
    for (char *line; (line = strsep(&rest, "\n")) && *line; n_vectors++) {
        char file[64], type[64], expected[ISO_DIGEST_TEXT_SIZE], omitted[128] = "";
        char found[ISO_DIGEST_TEXT_SIZE];
        const char *omit[] = {omitted, NULL};
        struct codec_read read = {0};

        assert_true(sscanf(line, "%63s %63s %71s %127s", file, type, expected, omitted) >= 3);
        read_file(file, json, sizeof(json));
        if (!codec_read(&read, iso_json_read, find_type(type), json))
            fail_msg("%s: %s %s", file, read.error.field, read.error.text);
        assert_int_equal(iso_message_digest(read.message, *omitted ? omit : NULL, found, NULL),
                         ISO_OK);
        if (strcmp(found, expected) != 0)
            fail_msg("%s: %s instead of %s", file, found, expected);
        codec_done(&read);
    }
    assert_true(n_vectors >= 11);
}

static void a_failed_allocation_is_reported(void **state)
{
    (void)state;
    struct codec_read read = {0};
    char text[ISO_DIGEST_TEXT_SIZE];

    codec_read(&read, iso_json_read, MODEL, "{\"labels\": {\"a\": \"1\"}}");
    for (long n = 0; n < 2; n++) {
        struct iso_error error = {0};
        iso_alloc_fail_at(n);
        assert_int_equal(iso_message_digest(read.message, NULL, text, &error), ISO_E_NOMEM);
        iso_alloc_fail_at(-1);
        assert_string_equal(error.field, "labels");
    }
    codec_done(&read);
}

/* FIPS 180-2, appendix B.3: the digest of a million letters a. */
static void the_digest_of_many_bytes_does_not_depend_on_their_pieces(void **state)
{
    static const size_t pieces[] = {1, 63, 64, 65, 129, 1000, 4096, 5000, 1000000};
    char letters[5000], text[ISO_DIGEST_TEXT_SIZE];
    unsigned char digest[ISO_SHA256_BYTES];
    struct iso_sha256 sha;

    (void)state;
    memset(letters, 'a', sizeof(letters));
    for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
        iso_sha256_init(&sha);
        for (size_t left = 1000000; left > 0;) {
            size_t n = pieces[p] < left ? pieces[p] : left;
            n = n < sizeof(letters) ? n : sizeof(letters);
            iso_sha256_update(&sha, letters, n);
            left -= n;
        }
        iso_sha256_final(&sha, digest);
        assert_string_equal(
            iso_digest_text(digest, text),
            "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_of_many_bytes_does_not_depend_on_their_pieces),
        cmocka_unit_test(the_canonical_text_is_as_documented),
        cmocka_unit_test(infinities_between_processes_have_a_text),
        cmocka_unit_test(the_order_of_map_entries_and_the_encoding_do_not_matter),
        cmocka_unit_test(the_golden_vectors_hold),
        cmocka_unit_test(a_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
