/* Signatures against published vectors and vectors of standards. The files of the former are shared
 * data: where they are absent those tests are skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "crypto.h"
#include "sign.h"
#include "sign_time.h"

static json_t *vectors(const char *name)
{
    const char *folder = getenv("ISO_SHARED_DATA");
    char path[512];
    json_error_t error;

    snprintf(path, sizeof(path), "%s/signing/%s", folder ? folder : "", name);
    json_t *read = folder ? json_load_file(path, 0, &error) : NULL;
    if (!read) {
        print_message("skipped: no shared data (ISO_SHARED_DATA/signing/%s)\n", name);
        skip();
    }
    return read;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static int64_t utc(const char *text, const char *format)
{
    struct tm when = {0};

    assert_non_null(strptime(text, format, &when));
    return (int64_t)timegm(&when);
}

/* ---- What signatures are made of ---- */

static void digests_are_those_of_the_standards(void **state)
{
    /* HMAC: RFC 4231 case 2 and RFC 2202 case 2; SHA-256: FIPS 180-4's "abc"; HKDF: by hand with
     * RFC 5869's construction, HMAC(HMAC("salt", "key"), "info" 01), from Python's hmac. */
    unsigned char mac[ISO_HMAC_MAX_BYTES];
    char hex[2 * ISO_HMAC_MAX_BYTES + 1];
    const char *text = "what do ya want for nothing?";
    size_t n = 0;

    (void)state;
    assert_int_equal(iso_sha256_hex("abc", 3, hex, NULL), ISO_OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(iso_hmac(ISO_HASH_SHA256, "Jefe", 4, text, strlen(text), mac, &n, NULL),
                     ISO_OK);
    iso_hex(mac, n, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_int_equal(iso_hmac(ISO_HASH_SHA1, "Jefe", 4, text, strlen(text), mac, &n, NULL), ISO_OK);
    iso_hex(mac, n, hex);
    assert_string_equal(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_int_equal(iso_hkdf_sha256("key", "salt", "info", mac, NULL), ISO_OK);
    iso_hex(mac, 32, hex);
    assert_string_equal(hex, "9ca0d662557439e3b83365f2da4626d35da195c6d9d1779f09838cf9e408966e");
}

static void base64_pads_for_mime_and_not_for_urls(void **state)
{
    static const struct {
        const char *bytes, *mime, *url;
    } cases[] = {
        /* RFC 4648 section 10, and bytes whose sextets are 62 and 63 */
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff", "+/8=", "-_8"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char *mime = iso_base64(cases[i].bytes, strlen(cases[i].bytes), false);
        char *url = iso_base64(cases[i].bytes, strlen(cases[i].bytes), true);
        assert_string_equal(mime, cases[i].mime);
        assert_string_equal(url, cases[i].url);
        free(mime);
        free(url);
    }
}

static void a_url_is_taken_apart_and_put_together(void **state)
{
    static const struct {
        const char *url, *origin, *host, *path, *again;
    } cases[] = {
        {"https://a.example/x?b=1&a=%20", "https://a.example", "a.example", "/x",
         "https://a.example/x?b=1&a=%20"},
        {"https://a.example:443", "https://a.example", "a.example", "/", "https://a.example/"},
        {"https://a.example/a b/\xe4\xb8\xad%2F?", "https://a.example", "a.example",
         "/a%20b/%E4%B8%AD%2F", "https://a.example/a%20b/%E4%B8%AD%2F"},
        {"http://127.0.0.1:8080/p/q?$filter=a eq 'b'", "http://127.0.0.1:8080", "127.0.0.1:8080",
         "/p/q", "http://127.0.0.1:8080/p/q?%24filter=a%20eq%20%27b%27"},
        {"https://a.example/?flag&x=a+b#part", "https://a.example", "a.example", "/",
         "https://a.example/?flag=&x=a%2Bb"},
        {"https://a.example/a//b/../c", "https://a.example", "a.example", "/a//b/../c",
         "https://a.example/a//b/../c"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_message message = {0};
        assert_int_equal(iso_message_set_url(&message, cases[i].url, NULL), ISO_OK);
        assert_string_equal(message.origin, cases[i].origin);
        assert_string_equal(message.host, cases[i].host);
        assert_string_equal(message.path, cases[i].path);
        char *again = iso_message_url(&message);
        assert_string_equal(again, cases[i].again);
        free(again);
        iso_message_fini(&message);
    }
}

static void what_is_no_url_of_a_cloud_is_refused(void **state)
{
    static const char *const urls[] = {
        "", "/x", "ftp://a.example/", "https://u:p@a.example/", "file:///etc/passwd", "https://"};

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(urls); i++) {
        struct iso_message message = {0};
        struct iso_error error = {0};
        assert_int_equal(iso_message_set_url(&message, urls[i], &error), ISO_E_INVALID);
        assert_string_equal(error.field, "url");
        iso_message_fini(&message);
    }
}

static void paths_lose_their_dots(void **state)
{
    static const struct {
        const char *path, *normal;
    } cases[] = {
        {"/", "/"},      {"//", "/"},          {"/./", "/"},         {"/a/..", "/"},
        {"/../a", "/a"}, {"/a//b/", "/a/b/"},  {"/a/b/../../", "/"}, {"/a/./b/../c", "/a/c"},
        {"/..", "/"},    {"/a/...", "/a/..."},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char *normal = iso_normal_path(cases[i].path);
        assert_string_equal(normal, cases[i].normal);
        free(normal);
    }
}

/* ---- AWS ---- */

/* Reads "GET /path?query HTTP/1.1\nName:value\n more\n\nbody". */
static void read_request(const char *text, char *ret_method, struct iso_message *ret_message)
{
    char *copy = strdup(text), *line = copy, *next;
    char *space = strchr(line, ' '), *last = NULL;
    struct iso_pairs *headers = &ret_message->headers;

    next = strchr(line, '\n');
    *next++ = '\0';
    *space = '\0';
    strcpy(ret_method, line);
    char *end = strstr(space + 1, " HTTP/1.1");
    *end = '\0';
    char *question = strchr(space + 1, '?');
    ret_message->method = ret_method;
    if (question) { /* the query by the code that reads URLs, the path as it stands */
        char url[1024];
        snprintf(url, sizeof(url), "https://h.example/?%s", question + 1);
        assert_int_equal(iso_message_set_url(ret_message, url, NULL), ISO_OK);
        *question = '\0';
        free(ret_message->path);
    }
    ret_message->path = strdup(space + 1);
    for (line = next; *line && *line != '\n'; line = next) {
        next = line + strcspn(line, "\n");
        next += *next == '\n';
        if (next > line && next[-1] == '\n')
            next[-1] = '\0';
        if (*line == ' ') { /* goes on with the last header */
            char more[512];
            last = headers->list[headers->n - 1].value;
            snprintf(more, sizeof(more), "%s\n%s", last, line);
            free(last);
            headers->list[headers->n - 1].value = strdup(more);
            continue;
        }
        char *colon = strchr(line, ':');
        *colon = '\0';
        assert_int_equal(iso_pairs_add(headers, line, colon + 1, NULL), ISO_OK);
    }
    if (*line == '\n' && line[1]) {
        ret_message->body = strdup(line + 1);
        ret_message->n_body_bytes = strlen(line + 1);
    }
    free(copy);
}

static void free_request(struct iso_message *message)
{
    free((void *)message->body);
    iso_message_fini(message);
}

/* The value of "Signature=..." at the end of a text. */
static const char *signature_in(const char *text)
{
    const char *at = strstr(text, "Signature=");

    return at ? at + strlen("Signature=") : "";
}

static void aws_signs_as_its_own_test_suite_does(void **state)
{
    json_t *all = vectors("aws_sigv4.json"), *one;
    size_t i, n_checked = 0;

    (void)state;
    json_array_foreach(json_object_get(all, "cases"), i, one)
    {
        const json_t *context = json_object_get(one, "context");
        const json_t *credentials = json_object_get(context, "credentials");
        bool omit = json_is_true(json_object_get(context, "omit_session_token"));
        struct iso_access_key key = {text_of(credentials, "access_key_id"),
                                     text_of(credentials, "secret_access_key"),
                                     omit ? "" : text_of(credentials, "token")};
        struct iso_aws_scope scope = {
            .region = text_of(context, "region"),
            .service = text_of(context, "service"),
            .normal_path = json_is_true(json_object_get(context, "normalize")),
            .encode_path = true,
            .hash_header = json_is_true(json_object_get(context, "sign_body")),
        };
        int64_t time_s = utc(text_of(context, "timestamp"), "%Y-%m-%dT%H:%M:%SZ");
        struct iso_message message = {0};
        char method[16];

        read_request(text_of(one, "request"), method, &message);
        assert_int_equal(iso_sign_aws(&key, &scope, time_s, &message, NULL), ISO_OK);
        const char *value = iso_pairs_get(&message.headers, "Authorization");
        if (strcmp(signature_in(value), text_of(one, "signature")) != 0)
            fail_msg("%s: %s", text_of(one, "name"), value);
        assert_non_null(strstr(text_of(one, "signed_request"), value));
        free_request(&message);
        n_checked++;
    }
    assert_int_equal(n_checked, 38);
    json_decref(all);
}

static void aws_signs_queries_as_its_own_test_suite_does(void **state)
{
    json_t *all = vectors("aws_sigv4.json"), *one;
    size_t i, n_checked = 0;

    (void)state;
    json_array_foreach(json_object_get(all, "cases"), i, one)
    {
        const json_t *context = json_object_get(one, "context");
        const json_t *credentials = json_object_get(context, "credentials");
        bool omit = json_is_true(json_object_get(context, "omit_session_token"));
        struct iso_access_key key = {text_of(credentials, "access_key_id"),
                                     text_of(credentials, "secret_access_key"),
                                     omit ? "" : text_of(credentials, "token")};
        struct iso_aws_scope scope = {
            .region = text_of(context, "region"),
            .service = text_of(context, "service"),
            .normal_path = json_is_true(json_object_get(context, "normalize")),
            .encode_path = true,
        };
        struct iso_message message = {0};
        char method[16];

        read_request(text_of(one, "request"), method, &message);
        assert_int_equal(iso_sign_aws_query(
                             &key, &scope, utc(text_of(context, "timestamp"), "%Y-%m-%dT%H:%M:%SZ"),
                             json_integer_value(json_object_get(context, "expiration_in_seconds")),
                             &message, NULL),
                         ISO_OK);
        const char *value = iso_pairs_get(&message.query, "X-Amz-Signature");
        if (strcmp(value, text_of(one, "query_signature")) != 0)
            fail_msg("%s: %s", text_of(one, "name"), value);
        free_request(&message);
        n_checked++;
    }
    assert_int_equal(n_checked, 38);
    json_decref(all);
}

/* ---- Alibaba Cloud ---- */

static void alibaba_signs_rpc_calls_as_its_manual_does(void **state)
{
    json_t *all = vectors("alibaba.json"), *one, *params, *value;
    const json_t *rpc = json_object_get(all, "rpc_hmac_sha1");
    const char *name;
    size_t i;

    (void)state;
    json_object_foreach(json_object_get(rpc, "encode_cases"), name, value)
    {
        char *encoded = iso_percent_encode(name, false);
        assert_string_equal(encoded, json_string_value(value));
        free(encoded);
    }
    json_array_foreach(json_object_get(rpc, "cases"), i, one)
    {
        struct iso_message message = {.method = text_of(one, "method"), .host = strdup("h")};
        struct iso_access_key key = {NULL, text_of(one, "secret"), NULL};
        params = json_object_get(one, "params");
        key.id = text_of(params, "AccessKeyId");
        json_object_foreach(params, name, value) assert_int_equal(
            iso_pairs_add(&message.query, name, json_string_value(value), NULL), ISO_OK);
        char *signature = NULL;
        assert_int_equal(iso_alibaba_rpc_signature(&key, &message, &signature, NULL), ISO_OK);
        assert_string_equal(signature, text_of(one, "signature"));
        free(signature);
        if (key.id[0]) { /* a whole call, to which the scheme adds its parameters again */
            int64_t time_s = utc(text_of(params, "Timestamp"), "%Y-%m-%dT%H:%M:%SZ");
            assert_int_equal(iso_sign_alibaba_rpc(&key, time_s, text_of(params, "SignatureNonce"),
                                                  &message, NULL),
                             ISO_OK);
            assert_string_equal(iso_pairs_get(&message.query, "Signature"),
                                text_of(one, "signature"));
        }
        iso_message_fini(&message);
    }
    json_decref(all);
}

static void alibaba_signs_headers_as_its_manual_does(void **state)
{
    json_t *all = vectors("alibaba.json"), *one, *value;
    const json_t *cases = json_object_get(json_object_get(all, "acs3_hmac_sha256"), "cases");
    const char *name;
    size_t i;

    (void)state;
    json_array_foreach(cases, i, one)
    {
        const json_t *headers = json_object_get(one, "headers");
        struct iso_message message = {.method = text_of(one, "method"),
                                      .path = strdup(text_of(one, "uri")),
                                      .host = strdup(text_of(headers, "host"))};
        struct iso_access_key key = {text_of(one, "access_key_id"),
                                     text_of(one, "access_key_secret"), NULL};
        json_object_foreach((json_t *)json_object_get(one, "query"), name, value) assert_int_equal(
            iso_pairs_add(&message.query, name, json_string_value(value), NULL), ISO_OK);
        json_object_foreach((json_t *)headers, name, value) assert_int_equal(
            iso_pairs_add(&message.headers, name, json_string_value(value), NULL), ISO_OK);
        assert_int_equal(
            iso_alibaba_acs3_authorize(&key, text_of(one, "payload_sha256"), &message, NULL),
            ISO_OK);
        assert_string_equal(signature_in(iso_pairs_get(&message.headers, "Authorization")),
                            text_of(one, "signature"));
        if (message.host[0]) { /* a whole call */
            int64_t time_s = utc(text_of(headers, "x-acs-date"), "%Y-%m-%dT%H:%M:%SZ");
            assert_int_equal(iso_sign_alibaba_acs3(&key, time_s,
                                                   text_of(headers, "x-acs-signature-nonce"),
                                                   &message, NULL),
                             ISO_OK);
            assert_string_equal(signature_in(iso_pairs_get(&message.headers, "Authorization")),
                                text_of(one, "signature"));
        }
        iso_message_fini(&message);
    }
    json_decref(all);
}

/* ---- Huawei Cloud ---- */

static void huawei_signs_as_its_libraries_do(void **state)
{
    json_t *all = vectors("huawei_sdk_hmac_sha256.json"), *one, *value, *pair;
    const char *name;
    size_t i, k;

    (void)state;
    json_array_foreach(json_object_get(all, "cases"), i, one)
    {
        const json_t *sent = json_object_get(one, "headers_sent");
        struct iso_access_key key = {text_of(one, "access_key"), text_of(one, "secret_key"), ""};
        struct iso_message message = {.method = text_of(one, "method"),
                                      .path = strdup(text_of(one, "path")),
                                      .body = text_of(one, "body"),
                                      .n_body_bytes = strlen(text_of(one, "body"))};
        json_array_foreach(json_object_get(one, "query"), k, pair) assert_int_equal(
            iso_pairs_add(&message.query, json_string_value(json_array_get(pair, 0)),
                          json_string_value(json_array_get(pair, 1)), NULL),
            ISO_OK);
        json_object_foreach((json_t *)sent, name, value) assert_int_equal(
            iso_pairs_add(&message.headers, name, json_string_value(value), NULL), ISO_OK);
        if (json_array_size(json_object_get(one, "signed_headers")) == 2) /* Python's signs it */
            assert_int_equal(iso_pairs_add(&message.headers, "Host", text_of(one, "host"), NULL),
                             ISO_OK);
        assert_int_equal(iso_sign_huawei(&key, NULL, NULL,
                                         utc(text_of(sent, "X-Sdk-Date"), "%Y%m%dT%H%M%SZ"),
                                         &message, NULL),
                         ISO_OK);
        assert_string_equal(iso_pairs_get(&message.headers, "Authorization"),
                            text_of(one, "authorization"));
        iso_message_fini(&message);
    }
    json_decref(all);
}

static void huawei_derives_a_key_for_a_region_and_a_service(void **state)
{
    json_t *all = vectors("huawei_sdk_hmac_sha256.json");
    const json_t *one = json_array_get(json_object_get(all, "derived_V11"), 0);
    struct iso_access_key key = {"AccessKey", "SecretKey", NULL};
    struct iso_message message = {.method = "GET", .path = strdup("/resources")};

    /* The request is that of the vendor's test beside it, "py-get". */
    (void)state;
    assert_int_equal(iso_pairs_add(&message.query, "size", "1", NULL), ISO_OK);
    assert_int_equal(
        iso_pairs_add(&message.headers, "Host", "service.endpoint.myhuaweicloud.com", NULL),
        ISO_OK);
    assert_int_equal(iso_sign_huawei(&key, text_of(one, "region"), text_of(one, "service"),
                                     utc("20200608T023900Z", "%Y%m%dT%H%M%SZ"), &message, NULL),
                     ISO_OK);
    assert_string_equal(iso_pairs_get(&message.headers, "Authorization"),
                        text_of(one, "authorization"));
    iso_message_fini(&message);
    json_decref(all);
}

static void add_value(struct iso_pairs *pairs, const char *name, const json_t *value)
{
    char number[32];

    if (json_is_boolean(value))
        iso_pairs_add(pairs, name, json_is_true(value) ? "true" : "false", NULL);
    else if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        iso_pairs_add(pairs, name, number, NULL);
    } else
        iso_pairs_add(pairs, name, json_string_value(value), NULL);
}

static void queries_are_sorted_and_encoded_as_huaweis_library_does(void **state)
{
    json_t *all = vectors("huawei_sdk_hmac_sha256.json"), *value, *item;
    const json_t *one = json_object_get(all, "canonical_query_case");
    struct iso_pairs query = {0};
    const char *name;
    size_t i;

    (void)state;
    json_object_foreach((json_t *)json_object_get(one, "query"), name, value)
    {
        if (!json_is_array(value))
            add_value(&query, name, value);
        json_array_foreach(value, i, item) add_value(&query, name, item);
    }
    char *canonical = iso_canonical_query(&query);
    assert_string_equal(canonical, text_of(one, "expected"));
    free(canonical);
    iso_pairs_fini(&query);
    json_decref(all);
}

/* ---- Google Cloud ---- */

static void google_gets_the_same_assertion_to_the_byte(void **state)
{
    json_t *all = vectors("gcp_jwt_rs256.json");
    struct iso_gcp_account account = {"isocost-test@example-project.iam.gserviceaccount.com",
                                      "testkid0001", text_of(all, "private_key_pem")};
    char *assertion = NULL;

    (void)state;
    assert_int_equal(
        iso_sign_gcp_assertion(&account, "https://www.googleapis.com/auth/cloud-platform.read-only",
                               "https://oauth2.googleapis.com/token", 1700000000, &assertion, NULL),
        ISO_OK);
    assert_string_equal(assertion, text_of(all, "assertion"));
    free(assertion);
    json_decref(all);
}

static void a_key_that_is_none_is_refused_without_being_shown(void **state)
{
    static const char *const keys[] = {"", "secret words", "-----BEGIN PRIVATE KEY-----\nAAAA\n"};

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(keys); i++) {
        struct iso_gcp_account account = {"a@example.com", "1", keys[i]};
        struct iso_error error = {0};
        char *assertion = NULL;
        assert_int_equal(
            iso_sign_gcp_assertion(&account, "s", "https://a.example/token", 0, &assertion, &error),
            ISO_E_INVALID);
        assert_string_equal(error.field, "private_key");
        assert_null(strstr(error.text, "secret"));
        assert_null(assertion);
    }
}

static void temporary_keys_send_their_token(void **state)
{
    struct iso_access_key key = {"id", "secret", "a token"};
    struct iso_aws_scope scope = {"r", "s", true, true, false};
    struct iso_message message = {.method = "GET"};

    (void)state;
    assert_int_equal(iso_message_set_url(&message, "https://h.example/", NULL), ISO_OK);
    assert_int_equal(iso_sign_aws(&key, &scope, 0, &message, NULL), ISO_OK);
    assert_string_equal(iso_pairs_get(&message.headers, "X-Amz-Security-Token"), "a token");
    assert_non_null(strstr(iso_pairs_get(&message.headers, "Authorization"),
                           "SignedHeaders=host;x-amz-date;x-amz-security-token,"));
    assert_int_equal(iso_sign_alibaba_rpc(&key, 0, "n", &message, NULL), ISO_OK);
    assert_string_equal(iso_pairs_get(&message.query, "SecurityToken"), "a token");
    assert_int_equal(iso_sign_alibaba_acs3(&key, 0, "n", &message, NULL), ISO_OK);
    assert_string_equal(iso_pairs_get(&message.headers, "x-acs-security-token"), "a token");
    assert_int_equal(iso_sign_huawei(&key, NULL, NULL, 0, &message, NULL), ISO_OK);
    assert_string_equal(iso_pairs_get(&message.headers, "X-Security-Token"), "a token");
    iso_message_fini(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(base64_pads_for_mime_and_not_for_urls),
        cmocka_unit_test(a_url_is_taken_apart_and_put_together),
        cmocka_unit_test(what_is_no_url_of_a_cloud_is_refused),
        cmocka_unit_test(paths_lose_their_dots),
        cmocka_unit_test(aws_signs_as_its_own_test_suite_does),
        cmocka_unit_test(aws_signs_queries_as_its_own_test_suite_does),
        cmocka_unit_test(alibaba_signs_rpc_calls_as_its_manual_does),
        cmocka_unit_test(alibaba_signs_headers_as_its_manual_does),
        cmocka_unit_test(huawei_signs_as_its_libraries_do),
        cmocka_unit_test(huawei_derives_a_key_for_a_region_and_a_service),
        cmocka_unit_test(queries_are_sorted_and_encoded_as_huaweis_library_does),
        cmocka_unit_test(google_gets_the_same_assertion_to_the_byte),
        cmocka_unit_test(a_key_that_is_none_is_refused_without_being_shown),
        cmocka_unit_test(temporary_keys_send_their_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
