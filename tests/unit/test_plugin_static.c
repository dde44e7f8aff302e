/* The static plugin on made-up files: what becomes a row, what a diagnostic, what an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "files.h"
#include "isocost/plugin.h"
#include "row.h"
#include "text_host.h"

/* ---- A sink that remembers ---- */

#define MAX_TEXT 16384

struct record {
    struct iso_sink sink; /* first */
    size_t n[ISO_ROW_EGRESS_RATE + 1], n_quarantined;
    char code[32], place[64], text[512]; /* of the last diagnostic */
    char ids[MAX_TEXT];                  /* "type=price currency", "id", "code", with ';' */
    struct iso_plugin_offering offering; /* the last, without what it points to */
};

static void note(struct record *record, const char *format, ...)
{
    size_t used = strlen(record->ids);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(record->ids + used, sizeof(record->ids) - used, format, arguments);
    va_end(arguments);
}

static enum iso_status remember(struct iso_sink *sink, int32_t kind, const void *rows,
                                size_t n_rows, size_t row_bytes, struct iso_error *reterr)
{
    struct record *record = (struct record *)sink;
    char number[ISO_DECIMAL_TEXT_SIZE];

    (void)reterr;
    assert_int_equal(n_rows, 1);
    record->n[kind]++;
    if (kind == ISO_ROW_OFFERING) {
        const struct iso_plugin_offering *row = rows;
        assert_int_equal(row_bytes, sizeof(*row));
        record->offering = *row;
        note(record, "%s=%s %s;", row->type,
             row->price.present ? iso_decimal_format(row->price.value, number) : "?",
             row->currency);
    } else if (kind == ISO_ROW_PRODUCT) {
        note(record, "%s;", ((const struct iso_plugin_product *)rows)->id);
    } else if (kind == ISO_ROW_QUOTA) {
        note(record, "%s;", ((const struct iso_plugin_quota *)rows)->code);
    } else if (kind == ISO_ROW_DIAGNOSTIC) {
        const struct iso_plugin_diagnostic *row = rows;
        record->n_quarantined += row->quarantined;
        snprintf(record->code, sizeof(record->code), "%s", row->code);
        snprintf(record->place, sizeof(record->place), "%s", row->place);
        snprintf(record->text, sizeof(record->text), "%s", row->text);
    }
    return ISO_OK;
}

static const struct iso_static_config plain = {
    .path = "/c", .kinds = "", .provider = "", .currency = "", .max_file_mib = 1};

static enum iso_status fetch(const struct iso_static_config *config, const struct text_file *files,
                             size_t n_files, uint32_t want, struct record *record,
                             struct iso_error *reterr)
{
    struct text_host world = text_host_of(files, n_files, strchr(config->path, '.') == NULL);
    struct iso_fetch what = {.want = want, .deadline_seconds = 10};
    struct iso_failure failure = {0};
    void *instance = NULL;

    *record = (struct record){.sink = {.put = remember}};
    ISO_TRY(iso_plugin_v1.create(config, &world.host, &instance, reterr));
    enum iso_status status = iso_plugin_v1.fetch(instance, &what, &record->sink, &failure, reterr);
    iso_plugin_v1.destroy(instance);
    return status;
}

#define EVERYTHING (ISO_WANT_OFFERINGS | ISO_WANT_PRODUCTS | ISO_WANT_QUOTAS)

/* ---- Rows ---- */

#define HEADER                                                                                \
    "provider,type,purchase,price,currency,vcpu,availability,labels,observed_at,kind,status," \
    "price_unit,lot\n"

/* One row after HEADER: sent as an offering ("" as code) or quarantined with its reason. */
static void a_dirty_row_is_quarantined_with_its_reason_and_place(void **state)
{
    static const struct {
        const char *row, *code, *text;
    } cases[] = {
        {"aws,m.large,on-demand,0.1,USD,2,,,,,,,", "", ""},
        {"aws,m.large,on-demand,0.1,usd,,,,,,,,", "", ""},
        {"aws,m.large,SPOT,0.1,USD,2,0.95,a=b;c=,2026-03-01T00:00:00Z,vm,sold-out,month,100", "",
         ""},
        {"aws,m.large,on-demand,0,USD,2,,,,,,,", "", ""},     /* the server judges zero */
        {"aws,m.large,on-demand,0.1,,2,,,,,,,", "", ""},      /* and a missing currency */
        {"aws,m.large,on-demand,1E-9,USD,-2,,,,,,,", "", ""}, /* and ranges */
        {"aws,m.large,on-demand,,USD,2,,,,,,,", "missing_price", "price is empty"},
        {"aws,m.large,on-demand,null,USD,2,,,,,,,", "missing_price", "price is empty"},
        {"aws,m.large,on-demand,-0.1,USD,2,,,,,,,", "negative_price", "price is -0.1"},
        {"aws,m.large,on-demand,NaN,USD,2,,,,,,,", "non_finite_price", "NaN is not a finite"},
        {"aws,m.large,on-demand,-Infinity,USD,2,,,,,,,", "non_finite_price", "not a finite"},
        {"aws,m.large,on-demand,abc,USD,2,,,,,,,", "invalid_price", "not a decimal number"},
        {"aws,m.large,on-demand,\"1,5\",USD,2,,,,,,,", "invalid_price", "not a decimal number"},
        {"aws,m.large,on-demand,0.10000000149011612,USD,2,,,,,,,", "invalid_price", "9 places"},
        {"aws,m.large,on-demand,1e300,USD,2,,,,,,,", "invalid_price", "out of range"},
        {",m.large,on-demand,0.1,USD,2,,,,,,,", "missing_value", "provider is empty"},
        {"aws,,on-demand,0.1,USD,2,,,,,,,", "missing_value", "type is empty"},
        {"aws,m.large,,0.1,USD,2,,,,,,,", "missing_value", "purchase is empty"},
        {"aws,m.large,reserved,0.1,USD,2,,,,,,,", "invalid_value", "not one of on-demand|spot"},
        {"aws,m.large,spot,0.1,USD,two,,,,,,,", "invalid_value", "vcpu: "},
        {"aws,m.large,spot,0.1,USD,2,often,,,,,,", "invalid_value", "availability: "},
        {"aws,m.large,spot,0.1,USD,2,,team,,,,,", "invalid_value", "labels: \"team\""},
        {"aws,m.large,spot,0.1,USD,2,,=x,,,,,", "invalid_value", "labels: \"=x\""},
        {"aws,m.large,spot,0.1,USD,2,,,yesterday,,,,", "invalid_value", "observed_at: "},
        {"aws,m.large,spot,0.1,USD,2,,,,boat,,,", "invalid_value", "kind: "},
        {"aws,m.large,spot,0.1,USD,2,,,,,gone,,", "invalid_value", "status: "},
        {"aws,m.large,spot,0.1,USD,2,,,,,,year,", "invalid_value", "price_unit: "},
        {"aws,m.large,spot,0.1,USD,2,,,,,,,inf", "invalid_value", "lot: "},
        {"aws,m.large,spot,0.1,USD", "ragged_row", "5 fields, the header 13"},
        {"aws,m.large,spot,0.1,USD,2,,,,,,,,,", "ragged_row", "15 fields, the header 13"},
        {"aws,m\xff.large,spot,0.1,USD,2,,,,,,,", "invalid_utf8", "field 2 is not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char text[1024];
        struct text_file file = {"offerings.csv", text};
        struct record record;
        struct iso_error error = {0};

        snprintf(text, sizeof(text), "%s%s\naws,good,spot,1,USD,,,,,,,,\n", HEADER, cases[i].row);
        assert_int_equal(fetch(&plain, &file, 1, EVERYTHING, &record, &error), ISO_OK);
        size_t bad = cases[i].code[0] != '\0';
        if (strcmp(record.code, cases[i].code) != 0 || !strstr(record.text, cases[i].text))
            fail_msg("%s: %s (%s)", cases[i].row, record.code, record.text);
        assert_int_equal(record.n[ISO_ROW_DIAGNOSTIC], bad);
        assert_int_equal(record.n_quarantined, bad);
        assert_int_equal(record.n[ISO_ROW_OFFERING], 2 - bad); /* the good one always arrives */
        if (bad)
            assert_string_equal(record.place, "offerings.csv:2");
    }
}

static void an_empty_cell_is_unknown_and_not_zero(void **state)
{
    struct text_file file = {"offerings.csv",
                             "provider,type,purchase,price,currency,vcpu,gpu,lot,availability\n"
                             "aws,m.large,on-demand,0.1,usd,2,0,,\n"};
    struct record record;
    const struct iso_plugin_offering *row = &record.offering;

    (void)state;
    assert_int_equal(fetch(&plain, &file, 1, EVERYTHING, &record, NULL), ISO_OK);
    assert_string_equal(record.ids, "m.large=0.1 USD;");
    assert_true(row->resources[ISO_PLUGIN_RESOURCE_VCPU].present);
    assert_true(row->resources[ISO_PLUGIN_RESOURCE_GPU].present);
    assert_int_equal(row->resources[ISO_PLUGIN_RESOURCE_GPU].value, 0);
    assert_false(row->resources[ISO_PLUGIN_RESOURCE_MEMORY_GIB].present);
    assert_false(row->lot.present);
    assert_false(row->availability.present);
    assert_int_equal(row->observed_ns, 0);
    assert_int_equal(row->purchase, ISO_PLUGIN_PURCHASE_ON_DEMAND);
}

static void rows_of_each_kind_come_from_their_files(void **state)
{
    static const struct text_file files[] = {
        {"README.md", "not read"},
        {"aws.products.csv", "id,provider,kind,eligible,term_hours,hourly_fee,currency\n"
                             "p1,aws,unit,family:m,8760,0.05,USD\n"},
        {"offerings-1.csv", "provider,type,purchase,price,currency\naws,t1,spot,1,USD\n"},
        {"egress_rates.csv", "provider,to,price_per_gb,currency\naws,internet,0.09,USD\n"},
        {"overlays.csv", "offerings,price_factor\nprovider:aws,0.9\n"},
        {"quotas.csv", "provider,code,limit,resource\naws,L-1,,instances\n"},
        {"x.csv", "provider,type,purchase,price,currency\naws,t2,spot,2,USD\n"},
        {"z.json", "{\"offerings\":[{\"provider\":\"aws\",\"type\":\"t3\",\"purchase\":\"spot\","
                   "\"price\":3,\"currency\":\"USD\"}],\"products\":[],\"quotas\":[]}"},
    };
    static const struct {
        uint32_t want;
        const char *ids;
        size_t n_overlays;
    } cases[] = {
        {EVERYTHING, "p1;t1=1 USD;L-1;t2=2 USD;t3=3 USD;", 1},
        {ISO_WANT_OFFERINGS, "t1=1 USD;t2=2 USD;t3=3 USD;", 1},
        {ISO_WANT_PRODUCTS, "p1;", 0},
        {ISO_WANT_QUOTAS, "L-1;", 0},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct record record;
        assert_int_equal(
            fetch(&plain, files, ISO_ARRAY_LENGTH(files), cases[i].want, &record, NULL), ISO_OK);
        assert_string_equal(record.ids, cases[i].ids);
        assert_int_equal(record.n[ISO_ROW_OVERLAY], cases[i].n_overlays);
        assert_int_equal(record.n[ISO_ROW_EGRESS_RATE], cases[i].n_overlays);
        assert_int_equal(record.n[ISO_ROW_DIAGNOSTIC], 0);
    }
}

static void overlays_and_rates_are_sent_with_their_days_or_quarantined(void **state)
{
#define OVERLAY "offerings,price_factor,valid_from,valid_until,status,note\n"
#define RATE "provider,region,to,from_gb,price_per_gb,currency,valid_from,valid_until,observed_at\n"
    static const struct {
        const char *name, *text, *code, *found;
    } cases[] = {
        {"overlays.csv", OVERLAY "*,0.9,2026-07-01,2027-06-30,,contract 4711\n", "", ""},
        {"overlays.csv", OVERLAY "*,0.9,2026-07-01,,,\n", "", ""},
        {"overlays.csv", OVERLAY "*,0.9,2026-02-30,,,\n", "invalid_value",
         "valid_from: \"2026-02-30\" is no day like 2026-01-31"},
        {"overlays.csv", OVERLAY "*,0.9,,1/7/2026,,\n", "invalid_value",
         "valid_until: \"1/7/2026\" is no day"},
        {"overlays.csv", OVERLAY "*,0.9,20260701,,,\n", "invalid_value", "is no day"},
        {"overlays.csv", OVERLAY "*,0.9,2026-07-01T00:00:00Z,,,\n", "invalid_value", "is no day"},
        {"overlays.csv", OVERLAY "*,ten,,,,\n", "invalid_value", "price_factor: "},
        {"overlays.csv", OVERLAY ",0.9,,,,\n", "missing_value", "offerings is empty"},
        {"egress_rates.csv", RATE "aws,us-east-1,internet,,0.09,USD,,,\n", "", ""},
        {"egress_rates.csv", RATE "aws,,aws/us-*,10240,0,USD,2026-01-01,,2026-06-01T00:00:00Z\n",
         "", ""},
        {"egress_rates.csv", RATE ",,internet,,0.09,USD,,,\n", "missing_value",
         "provider is empty"},
        {"egress_rates.csv", RATE "aws,,,,0.09,USD,,,\n", "missing_value", "to is empty"},
        {"egress_rates.csv", RATE "aws,,internet,,,USD,,,\n", "missing_price",
         "price_per_gb is empty; a missing price is not zero"},
        {"egress_rates.csv", RATE "aws,,internet,,-1,USD,,,\n", "negative_price",
         "price_per_gb is -1"},
        {"egress_rates.csv", RATE "aws,,internet,many,0.09,USD,,,\n", "invalid_value", "from_gb: "},
        {"egress_rates.csv", RATE "aws,,internet,,0.09,USD,June,,\n", "invalid_value",
         "valid_from: \"June\" is no day"},
        {"egress_rates.csv", RATE "aws,,internet,,0.09,USD,,,June\n", "invalid_value",
         "observed_at: "},
        {"a.json",
         "{\"egress_rates\":[\n{\"provider\":\"aws\",\"to\":\"internet\",\"from_gb\":100,"
         "\"price_per_gb\":{\"currency_code\":\"USD\",\"nanos\":90000000}}]}",
         "", ""},
        {"a.json", "{\"egress_rates\":[\n{\"provider\":\"aws\",\"price_per_gb\":1}]}",
         "missing_value", "to is empty"},
        {"a.json",
         "{\"overlays\":[\n{\"offerings\":{},\"price_factor\":0.9,\"valid_until\":2026}]}",
         "invalid_value", "valid_until: \"2026\" is no day"},
    };
#undef OVERLAY
#undef RATE

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct text_file file = {cases[i].name, cases[i].text};
        struct record record;
        size_t bad = cases[i].code[0] != '\0';
        char place[64];
        snprintf(place, sizeof(place), "%s:2", cases[i].name);
        assert_int_equal(fetch(&plain, &file, 1, EVERYTHING, &record, NULL), ISO_OK);
        if (strcmp(record.code, cases[i].code) != 0 || !strstr(record.text, cases[i].found))
            fail_msg("%s: %s (%s)", cases[i].text, record.code, record.text);
        assert_int_equal(record.n[ISO_ROW_OVERLAY] + record.n[ISO_ROW_EGRESS_RATE], 1 - bad);
        assert_int_equal(record.n_quarantined, bad);
        if (bad)
            assert_string_equal(record.place, place);
    }
}

static void columns_without_meaning_are_told_once(void **state)
{
    struct text_file file = {"offerings.csv", "provider,type,purchase,price,currency,note,x\n"
                                              "aws,a,spot,1,USD,1,2\naws,b,spot,1,USD,,\n"};
    struct record record;

    (void)state;
    assert_int_equal(fetch(&plain, &file, 1, EVERYTHING, &record, NULL), ISO_OK);
    assert_int_equal(record.n[ISO_ROW_OFFERING], 2);
    assert_int_equal(record.n[ISO_ROW_DIAGNOSTIC], 1);
    assert_int_equal(record.n_quarantined, 0);
    assert_string_equal(record.code, "unknown_column");
    assert_non_null(strstr(record.text, "note, x"));
}

static void parameters_fill_what_rows_do_not_say(void **state)
{
    struct iso_static_config config = plain;
    struct text_file file = {"prices.csv", "type,purchase,price\na,spot,1\n"};
    struct record record;

    (void)state;
    config.provider = "alibaba";
    config.currency = "cny";
    assert_int_equal(fetch(&config, &file, 1, EVERYTHING, &record, NULL), ISO_OK);
    assert_string_equal(record.ids, "a=1 CNY;");
    assert_string_equal(record.offering.provider, "alibaba");
}

static void a_file_that_cannot_be_read_fails_the_whole_fetch(void **state)
{
    static const struct {
        struct text_file file;
        const char *text;
    } cases[] = {
        {{"offerings.csv", "provider,type,purchase,price,currency,type\n"}, "columns 2 and 6"},
        {{"offerings.csv", "provider;type;purchase;price\n"}, "no column \"type\""},
        {{"offerings.csv", "provider,type,purchase\n"}, "no column \"price\""},
        {{"offerings.csv", ""}, "the file is empty"},
        {{"offerings.csv", "type,purchase,price\n\"a,spot,1\n"}, "line 2: a quote"},
        {{"a.json", "[]"}, "line 1: '['"},
        {{"a.json", "{\"offerings\":[{}"}, "ends too early"},
        {{"a.json", "{\"offerings\":{}}"}, "offerings is not a list"},
        {{"a.json", "{\"offerings\":[],\"offerings\":[]}"}, "a second member"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct record record;
        struct iso_error error = {0};
        assert_int_equal(fetch(&plain, &cases[i].file, 1, EVERYTHING, &record, &error),
                         ISO_E_INVALID);
        assert_memory_equal(error.text, cases[i].file.name, strlen(cases[i].file.name));
        if (!strstr(error.text, cases[i].text))
            fail_msg("%s", error.text);
    }
}

static void a_file_of_another_kind_is_left_out_or_refused(void **state)
{
    struct text_file files[] = {{"notes.csv", "a,b\n1,2\n"},
                                {"offerings.csv", "provider,type,purchase,price\n"},
                                {"package.json", "{\"items\":[{\"offerings\":[]}]}"},
                                {"nothing.json", "{}"}};
    struct iso_static_config config = plain;
    struct record record;
    struct iso_error error = {0};

    (void)state;
    assert_int_equal(fetch(&config, files, 2, EVERYTHING, &record, &error), ISO_OK);
    assert_string_equal(record.code, "not_a_catalog");
    assert_string_equal(record.place, "notes.csv");

    assert_int_equal(fetch(&config, files + 2, 2, EVERYTHING, &record, &error), ISO_OK);
    assert_string_equal(record.code, "not_a_catalog");
    assert_string_equal(record.place, "package.json");

    config.path = "/c/package.json"; /* named by the operator */
    assert_int_equal(fetch(&config, files + 2, 2, EVERYTHING, &record, &error), ISO_E_INVALID);
    assert_non_null(strstr(error.text, "none of the lists"));
    error = (struct iso_error){0};
    config.path = "/c/notes.csv"; /* named by the operator */
    assert_int_equal(fetch(&config, files, 2, EVERYTHING, &record, &error), ISO_E_INVALID);
    error = (struct iso_error){0};
    config.path = "/c/notes.txt";
    assert_int_equal(fetch(&config, files, 2, EVERYTHING, &record, &error), ISO_E_INVALID);
    assert_non_null(strstr(error.text, "ends in .csv or .json"));
    error = (struct iso_error){0};
    config.path = "/c";
    assert_int_equal(fetch(&config, files, 0, EVERYTHING, &record, &error), ISO_E_NOT_FOUND);
}

static void the_parameter_kinds_says_what_names_do_not(void **state)
{
    struct text_file files[] = {{"data.txt", "type,purchase,price\na,spot,1\n"},
                                {"offerings-old.csv", "never read \""}};
    struct iso_static_config config = plain;
    struct record record;
    static const char *const wrong[] = {"data.txt", "data.txt=", "=csv", "data.txt=prices", ";"};

    (void)state;
    config.provider = "x";
    config.currency = "EUR";
    config.kinds = "data.txt=offerings;offerings-old.csv=ignore";
    assert_int_equal(fetch(&config, files, 2, EVERYTHING, &record, NULL), ISO_OK);
    assert_string_equal(record.ids, "a=1 EUR;");
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct iso_error error = {0};
        config.kinds = wrong[i];
        assert_int_equal(fetch(&config, files, 2, EVERYTHING, &record, &error), ISO_E_INVALID);
        assert_string_equal(error.field, "kinds");
    }
}

#define OFFERING "\"provider\":\"aws\",\"type\":\"t\",\"purchase\":\"spot\""

static void json_rows_use_the_field_names_of_the_contract(void **state)
{
    static const struct {
        const char *row, *ids, *code; /* of offerings, with what is sent or why not */
    } cases[] = {
        {"{" OFFERING ",\"price\":{\"currency_code\":\"USD\",\"units\":\"2\",\"nanos\":5}}",
         "t=2.000000005 USD;", ""},
        {"{" OFFERING ",\"price\":{\"currency_code\":\"USD\",\"units\":2}}", "t=2 USD;", ""},
        {"{" OFFERING ",\"price\":0.1,\"currency\":\"USD\"}", "t=0.1 USD;", ""},
        {"{" OFFERING ",\"price\":\"0.1\",\"currency\":\"USD\",\"labels\":{\"a\":\"b\"}}",
         "t=0.1 USD;", ""},
        {"{" OFFERING ",\"price\":1,\"resources\":{\"vcpu\":2,\"gpu_model\":\"x\"},\"zone\":null}",
         "t=1 ;", ""},
        {"{" OFFERING "}", "", "missing_price"},
        {"{" OFFERING ",\"price\":null}", "", "missing_price"},
        {"{" OFFERING ",\"price\":\"NaN\"}", "", "non_finite_price"},
        {"{" OFFERING ",\"price\":NaN}", "", "invalid_json"},
        {"{" OFFERING ",\"price\":-1}", "", "negative_price"},
        {"{" OFFERING ",\"price\":[1]}", "", "invalid_value"},
        {"{" OFFERING ",\"price\":{\"units\":1,\"nanos\":-5}}", "", "invalid_price"},
        {"{" OFFERING ",\"price\":{\"units\":\"x\"}}", "", "invalid_price"},
        {"{" OFFERING ",\"price\":{\"units\":\"99999999999\"}}", "", "invalid_price"},
        {"{" OFFERING ",\"price\":1,\"price\":2}", "", "invalid_json"},
        {"{" OFFERING ",\"price\":1,\"labels\":[1]}", "", "invalid_value"},
        {"{" OFFERING ",\"price\":1,\"labels\":{\"a\":{}}}", "", "invalid_value"},
        {"{" OFFERING ",\"price\":1,\"resources\":{\"vcpu\":\"two\"}}", "", "invalid_value"},
        {"[1]", "", "invalid_json"},
        {"\"text\"", "", "invalid_json"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char text[1024];
        struct text_file file = {"a.json", text};
        struct record record;
        struct iso_error error = {0};

        snprintf(text, sizeof(text), "{\"offerings\":[\n%s]}", cases[i].row);
        assert_int_equal(fetch(&plain, &file, 1, EVERYTHING, &record, &error), ISO_OK);
        if (strcmp(record.ids, cases[i].ids) != 0 || strcmp(record.code, cases[i].code) != 0)
            fail_msg("%s: %s %s (%s)", cases[i].row, record.ids, record.code, record.text);
        if (cases[i].code[0])
            assert_string_equal(record.place, "a.json:2");
    }
}

static void json_products_quotas_and_overlays_are_judged_too(void **state)
{
    static const struct {
        const char *text;
        size_t n_sent;
        const char *code, *report;
    } cases[] = {
        {"{\"products\":[{\"id\":\"p\",\"provider\":\"aws\",\"kind\":\"COMMITMENT_KIND_SPEND\","
         "\"eligible\":{\"include\":[{\"family\":[\"m\",\"c\"],\"labels\":{\"a\":\"b\"}}]},"
         "\"rates\":[{\"offerings\":\"family:m\",\"price_ratio\":0.7},{\"price_ratio\":0.8}],"
         "\"term_hours\":8760,\"hourly_fee\":{\"currency_code\":\"USD\",\"units\":1}}]}",
         1, "", ""},
        {"{\"products\":[{\"id\":\"p\",\"provider\":\"aws\",\"kind\":\"unit\",\"eligible\":"
         "{\"include\":[{\"families\":[\"m\"]}]},\"term_hours\":1,\"upfront\":1}]}",
         0, "invalid_value", "\"families\" is not a field"},
        {"{\"products\":[{\"id\":\"p\",\"provider\":\"aws\",\"kind\":\"unit\",\"eligible\":{},"
         "\"term_hours\":1}]}",
         0, "missing_price", "both empty"},
        {"{\"products\":[{\"id\":\"p\",\"provider\":\"aws\",\"kind\":\"unit\",\"term_hours\":1,"
         "\"upfront\":1}]}",
         0, "missing_value", "eligible"},
        {"{\"products\":[{\"id\":\"p\",\"provider\":\"aws\",\"kind\":\"unit\",\"eligible\":\"*\","
         "\"rates\":[{\"units\":1,\"price_ratio\":1}],\"term_hours\":1,\"upfront\":1}]}",
         0, "invalid_value", "either units or price_ratio"},
        {"{\"products\":[{\"id\":\"p\",\"provider\":\"aws\",\"kind\":\"unit\",\"eligible\":\"*\","
         "\"term_hours\":1,\"upfront\":{\"currency_code\":\"USD\",\"units\":1},"
         "\"hourly_fee\":{\"currency_code\":\"EUR\",\"units\":1}}]}",
         0, "invalid_price", "another price of the row in USD"},
        {"{\"quotas\":[{\"provider\":\"aws\",\"code\":\"q\",\"unlimited\":true}]}", 1, "", ""},
        {"{\"quotas\":[{\"provider\":\"aws\",\"code\":\"q\",\"resource\":\"boats\"}]}", 0,
         "invalid_value", "resource: "},
        {"{\"overlays\":[{\"offerings\":{\"exclude\":[{\"type\":\"x\"}]},\"status\":\"sold-out\"}]"
         "}",
         1, "", ""},
        {"{\"overlays\":[{\"offerings\":{},\"price\":1,\"price_factor\":2}]}", 0, "invalid_value",
         "exclude each other"},
        {"{\"overlays\":[{\"price_factor\":2}]}", 0, "missing_value", "offerings"},
        {"{\"overlays\":[{\"offerings\":{\"includes\":[]},\"price_factor\":2}]}", 0,
         "invalid_value", "include and exclude are"},
        {"{\"version\":1,\"offerings\":[]}", 0, "unknown_field", "version"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct text_file file = {"a.json", cases[i].text};
        struct record record;
        struct iso_error error = {0};

        assert_int_equal(fetch(&plain, &file, 1, EVERYTHING, &record, &error), ISO_OK);
        size_t n_sent =
            record.n[ISO_ROW_PRODUCT] + record.n[ISO_ROW_QUOTA] + record.n[ISO_ROW_OVERLAY];
        if (n_sent != cases[i].n_sent || strcmp(record.code, cases[i].code) != 0 ||
            !strstr(record.text, cases[i].report))
            fail_msg("%s: %zu sent, %s (%s)", cases[i].text, n_sent, record.code, record.text);
    }
}

static void a_file_over_its_limit_is_refused(void **state)
{
    ISO_AUTO_MEM char *text = iso_calloc((1 << 20) + 2, 1);
    struct text_file file = {"offerings.csv", text};
    struct record record;

    (void)state;
    assert_non_null(text);
    memset(text, '\n', (1 << 20) + 1);
    assert_int_equal(fetch(&plain, &file, 1, EVERYTHING, &record, NULL), ISO_E_LIMIT);
}

/* Whether the reference has a row "| `name` |" between a heading and the next. */
static bool reference_has(const char *reference, const char *heading, const char *name)
{
    char row[80];
    const char *section = strstr(reference, heading);

    assert_non_null(section);
    const char *end = strstr(section + strlen(heading), "\n#");
    snprintf(row, sizeof(row), "\n| `%s` |", name);
    const char *found = strstr(section, row);
    return found && (!end || found < end);
}

static void the_reference_names_every_column_and_parameter(void **state)
{
    static const char *const headings[] = {"### Offerings", "### Products", "### Quotas",
                                           "### Overlays", "### Egress rates"};
    ISO_AUTO_MEM char *reference = iso_calloc(1 << 20, 1);
    char path[1024];

    (void)state;
    assert_non_null(reference);
    snprintf(path, sizeof(path), "%s/docs/reference/catalog-files.md", getenv("ISO_SOURCE"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(reference, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    for (int t = 0; t < ISO_FILE_N_TABLES; t++)
        for (size_t c = 0; c < iso_tables[t].n_columns; c++)
            if (!reference_has(reference, headings[t], iso_tables[t].columns[c].name))
                fail_msg("%s: no row for %s", headings[t], iso_tables[t].columns[c].name);
    for (const struct iso_param *param = iso_plugin_v1.params; param->type != ISO_PARAM_END;
         param++)
        if (!reference_has(reference, "## Parameters", param->name))
            fail_msg("no row for the parameter %s", param->name);
}

static void every_failed_allocation_is_reported_or_costs_one_row(void **state)
{
    static const struct text_file files[] = {
        {"a.json",
         "{\"offerings\":[{" OFFERING ",\"price\":{\"currency_code\":\"USD\",\"units\":1},"
         "\"labels\":{\"a\":\"b\"}}]}"},
        {"products.csv", "id,provider,kind,eligible,term_hours,upfront,currency,units\n"
                         "p1,aws,unit,family:m,8760,1,USD,type:x=1\n"},
        {"overlays.csv", "offerings,price_factor,note\nfamily:m,0.9,c\n"},
        {"egress_rates.csv", "provider,to,price_per_gb,currency\naws,internet,0.09,usd\n"},
    };
    long nth = 0;

    (void)state;
    for (bool whole = false; !whole && nth < 1000; nth++) {
        struct record record;
        struct iso_error error = {0};
        iso_alloc_fail_at(nth);
        enum iso_status status =
            fetch(&plain, files, ISO_ARRAY_LENGTH(files), EVERYTHING, &record, &error);
        iso_alloc_fail_at(-1);
        assert_int_equal(status, error.status);
        assert_true(status == ISO_OK || status == ISO_E_NOMEM || status == ISO_E_INVALID);
        if (status == ISO_OK && record.n_quarantined == 0) /* nothing is lost without a word */
            assert_int_equal(record.n[ISO_ROW_OFFERING] + record.n[ISO_ROW_PRODUCT] +
                                 record.n[ISO_ROW_OVERLAY] + record.n[ISO_ROW_EGRESS_RATE],
                             4);
        whole = status == ISO_OK && record.n_quarantined == 0;
    }
    assert_true(nth > 5 && nth < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dirty_row_is_quarantined_with_its_reason_and_place),
        cmocka_unit_test(an_empty_cell_is_unknown_and_not_zero),
        cmocka_unit_test(rows_of_each_kind_come_from_their_files),
        cmocka_unit_test(overlays_and_rates_are_sent_with_their_days_or_quarantined),
        cmocka_unit_test(columns_without_meaning_are_told_once),
        cmocka_unit_test(parameters_fill_what_rows_do_not_say),
        cmocka_unit_test(a_file_that_cannot_be_read_fails_the_whole_fetch),
        cmocka_unit_test(a_file_of_another_kind_is_left_out_or_refused),
        cmocka_unit_test(the_parameter_kinds_says_what_names_do_not),
        cmocka_unit_test(json_rows_use_the_field_names_of_the_contract),
        cmocka_unit_test(json_products_quotas_and_overlays_are_judged_too),
        cmocka_unit_test(a_file_over_its_limit_is_refused),
        cmocka_unit_test(the_reference_names_every_column_and_parameter),
        cmocka_unit_test(every_failed_allocation_is_reported_or_costs_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
