/* Compute Savings Plans as commitment products, from their public price files: a rate for each SKU
 * in the place of its on-demand price. */
#include <ctype.h>
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/table.h"
#include "isocost/sdk/words.h"

#define HOURS_PER_YEAR 8760
#define LOT (ISO_DECIMAL_ONE / 10) /* money an hour in one lot */

#define COLUMNS(X)                            \
    X(RATE, "DiscountedRate")                 \
    X(CURRENCY, "Currency")                   \
    X(SKU, "DiscountedSKU")                   \
    X(SERVICE, "DiscountedServiceCode")       \
    X(PAYMENT, "PurchaseOption")              \
    X(LENGTH, "LeaseContractLength")          \
    X(LENGTH_UNIT, "LeaseContractLengthUnit") \
    X(UNIT, "Unit")                           \
    X(FAMILY, "Product Family")

enum column {
#define X(constant, name) constant,
    COLUMNS(X)
#undef X
        N_COLUMNS
};

static const struct iso_column columns[] = {
#define X(constant, column) {.name = column, .required = true},
    COLUMNS(X)
#undef X
};

struct savings_file {
    const struct iso_aws_fetch *fetch;
    const struct iso_aws_region *region;
    bool has_header;
    size_t n_columns;
    int32_t places[N_COLUMNS];
};

/* All of the plan's money is paid as it runs, at once, or half and half. */
static iso_decimal share_of_upfront(const char *payment)
{
    if (iso_name_equal(payment, "All Upfront"))
        return ISO_DECIMAL_ONE;
    return iso_name_equal(payment, "Partial Upfront") ? ISO_DECIMAL_ONE / 2 : 0;
}

static enum iso_status add_rate(const struct savings_file *file, const char *const *text,
                                const char *type, const struct iso_aws_price *price,
                                iso_decimal rate, const char *place, struct iso_error *reterr)
{
    int64_t years = strtol(text[LENGTH], NULL, 10);
    char id[96], name[128];
    struct iso_error error = {0};
    const struct iso_spend_plan plan = {
        .id = id,
        .provider = "aws",
        .display_name = name,
        .source = "AWS price list",
        .currency = text[CURRENCY],
        .term_hours = years * HOURS_PER_YEAR,
        .lot = LOT,
        .upfront_share = share_of_upfront(text[PAYMENT]),
    };

    snprintf(id, sizeof(id), "aws-compute-sp/%lldy/%.30s/%.3s", (long long)years, text[PAYMENT],
             text[CURRENCY]);
    for (char *c = id; *c; c++)
        *c = (char)(*c == ' ' ? '-' : tolower((unsigned char)*c));
    snprintf(name, sizeof(name), "Compute Savings Plan, %lld years, %.40s", (long long)years,
             text[PAYMENT]);
    enum iso_status status = iso_spend_add(file->fetch->savings, &plan, file->region->name, type,
                                           price->price.value, rate, &error);
    if (status == ISO_E_INVALID)
        return iso_report(file->fetch->sink, "rate_above_price", /* quarantined= */ true, place,
                          "%s", reterr, error.text);
    return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, "", "%s", error.text);
}

static enum iso_status take_rate(const struct savings_file *file, const char *const *text,
                                 const char *place, struct iso_error *reterr)
{
    const char *const *type = iso_dictionary_find(file->region->skus, text[SKU]);
    const struct iso_aws_price *price =
        type ? iso_dictionary_find(file->region->prices, *type) : NULL;
    int64_t years = strtol(text[LENGTH], NULL, 10);
    struct iso_error error = {0};
    struct iso_amount rate;

    if (!price || price->ambiguous || price->price.value <= 0 ||
        strcmp(price->currency, text[CURRENCY]) != 0)
        return ISO_OK; /* of an offering that is not ours: another system, tenancy or licence */
    if (years < 1 || years > 10 || !iso_name_equal(text[LENGTH_UNIT], "year"))
        return iso_report(file->fetch->sink, "invalid_value", /* quarantined= */ true, place,
                          "a Savings Plan of \"%.20s %.20s\"", reterr, text[LENGTH],
                          text[LENGTH_UNIT]);
    enum iso_number how = iso_number_read(text[RATE], &rate, &error);
    if (how != ISO_NUMBER_READ)
        return iso_report(
            file->fetch->sink, how == ISO_NUMBER_MISSING ? "missing_price" : "invalid_price",
            /* quarantined= */ true, place, "the rate of %s: %.150s", reterr, *type, error.text);
    return add_rate(file, text, *type, price, rate.value, place, reterr);
}

static enum iso_status on_row(void *context, int64_t line, const char *const *fields,
                              size_t n_fields, struct iso_error *reterr)
{
    struct savings_file *file = context;
    char unknown[ISO_TABLE_UNKNOWN_BYTES], place[ISO_AWS_PLACE_BYTES];
    const char *text[N_COLUMNS];

    if (!file->has_header) {
        file->has_header = true;
        file->n_columns = n_fields;
        return iso_table_bind(columns, N_COLUMNS, fields, n_fields, file->places, unknown, reterr);
    }
    snprintf(place, sizeof(place), "savings plans of %s:%lld", file->region->name, (long long)line);
    if (n_fields != file->n_columns)
        return iso_report(file->fetch->sink, "ragged_row", /* quarantined= */ true, place,
                          "the row has %zu fields, the header %zu", reterr, n_fields,
                          file->n_columns);
    for (size_t i = 0; i < N_COLUMNS; i++)
        text[i] = fields[file->places[i]];
    if (!iso_name_equal(text[FAMILY], "ComputeSavingsPlans") ||
        !iso_name_equal(text[SERVICE], "AmazonEC2") || !iso_name_equal(text[UNIT], "Hrs"))
        return ISO_OK;
    return take_rate(file, text, place, reterr);
}

/* The path of the region's file by the index of the newest version; "" when there is none: the
 * region is not in the index, or its partition has no index, of which the storage behind the price
 * list says 403 as often as 404. */
static enum iso_status find_file(const struct iso_aws_fetch *fetch, const char *region,
                                 char ret_path[ISO_AWS_PLACE_BYTES], struct iso_error *reterr)
{
    bool china = iso_aws_is_china(region);
    char url[256];
    ISO_AUTO_JSON *index = NULL;

    snprintf(url, sizeof(url),
             "https://pricing.%s/savingsPlan/v1.0/%s/AWSComputeSavingsPlan/"
             "current/region_index.json",
             china ? "cn-north-1.amazonaws.com.cn" : "us-east-1.amazonaws.com",
             china ? "cn" : "aws");
    const struct iso_http_request request = {
        .method = "GET", .service = "price_files", .url = url, .accept = ISO_HTTP_JSON};
    struct iso_error error = {0};
    enum iso_status status = iso_ask_json(fetch->host, &request, &index, fetch->failure, &error);
    ret_path[0] = '\0';
    if (status == ISO_E_NOT_FOUND || status == ISO_E_UNAUTHENTICATED)
        return ISO_OK;
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    const struct iso_json *regions = iso_json_at(index, "regions");
    for (size_t i = 0; i < iso_json_length(regions); i++) {
        const struct iso_json *item = iso_json_item(regions, i);
        const char *path = iso_json_text_at(item, "versionUrl"), *dot = strrchr(path, '.');
        if (strcmp(iso_json_text_at(item, "regionCode"), region) != 0)
            continue;
        if (path[0] != '/' || !dot || strlen(path) >= ISO_AWS_PLACE_BYTES)
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "the index of Savings Plans names no file for %s", region);
        snprintf(ret_path, ISO_AWS_PLACE_BYTES, "%.*s.csv", (int)(dot - path), path);
    }
    return ISO_OK;
}

enum iso_status iso_aws_gather_savings(const struct iso_aws_fetch *fetch,
                                       const struct iso_aws_region *region,
                                       struct iso_error *reterr)
{
    struct savings_file file = {.fetch = fetch, .region = region};
    char path[ISO_AWS_PLACE_BYTES];

    ISO_TRY(find_file(fetch, region->name, path, reterr));
    if (!path[0])
        return iso_report(fetch->sink, "no_savings_plans", /* quarantined= */ false, region->name,
                          "the region has no Compute Savings Plans", reterr);
    return iso_aws_stream_csv(fetch, region->name, path, on_row, &file, reterr);
}
