/* Compute Savings Plans as commitment products, from their public price files.
 *
 * A plan commits to money an hour and lowers the price of every covered instance to a rate. What an
 * instance uses of the plan is that rate, so its share of the on-demand price, which a product
 * wants, is rate / price. Types of equal share are one rate of the product. */
#include <ctype.h>
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/table.h"
#include "isocost/sdk/words.h"

#define HOURS_PER_YEAR 8760
#define LOT (ISO_DECIMAL_ONE / 10)         /* money an hour in one lot */
#define MAX_PRODUCT_BYTES ((size_t)900000) /* of a row, which may have 1 MiB; types count twice */

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

/* Types of one region with the same share of their price; key "region/share". */
struct share {
    const char *region;
    iso_decimal ratio;
    const char **types; /* owned */
    size_t n_types, capacity;
};

/* One plan; key "years/payment/currency". */
struct plan {
    int64_t years;
    const char *payment, *currency;
    struct iso_dictionary *shares; /* owned */
    size_t n_bytes;                /* of its row, about */
};

struct savings_file {
    const struct iso_aws_fetch *fetch;
    const struct iso_aws_region *region;
    bool has_header;
    size_t n_columns;
    int32_t places[N_COLUMNS];
};

struct iso_dictionary *iso_aws_savings_new(void)
{
    return iso_dictionary_new(sizeof(struct plan));
}

static struct plan *plan_of(const struct savings_file *file, int64_t years, const char *payment,
                            const char *currency)
{
    char key[ISO_AWS_PLACE_BYTES];

    snprintf(key, sizeof(key), "%lld/%s/%s", (long long)years, payment, currency);
    struct plan *plan = iso_dictionary_add(file->fetch->savings, key);
    if (plan && !plan->shares) {
        plan->years = years;
        plan->payment = iso_aws_keep(file->fetch, payment);
        plan->currency = iso_aws_keep(file->fetch, currency);
        plan->shares = iso_dictionary_new(sizeof(struct share));
    }
    return plan && plan->shares && plan->payment && plan->currency ? plan : NULL;
}

static enum iso_status add_type(const struct savings_file *file, struct plan *plan,
                                const char *type, iso_decimal ratio, struct iso_error *reterr)
{
    char key[ISO_AWS_PLACE_BYTES];

    snprintf(key, sizeof(key), "%s/%lld", file->region->name, (long long)ratio);
    struct share *share = iso_dictionary_add(plan->shares, key);
    if (!share)
        return iso_aws_full(reterr);
    if (share->n_types == share->capacity) {
        size_t capacity = 2 * share->capacity + 8;
        const char **types = iso_realloc(share->types, capacity, sizeof(*types));
        if (!types)
            return iso_aws_full(reterr);
        share->types = types;
        share->capacity = capacity;
    }
    share->region = iso_aws_keep(file->fetch, file->region->name);
    share->ratio = ratio;
    share->types[share->n_types++] = type;
    plan->n_bytes += 2 * (strlen(type) + 2);
    return share->region ? ISO_OK : iso_aws_full(reterr);
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
    iso_decimal ratio;

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
    if (!iso_decimal_divide(rate.value, price->price.value, ISO_ROUND_HALF_EVEN, &ratio) ||
        ratio <= 0 || ratio > ISO_DECIMAL_ONE)
        return iso_report(file->fetch->sink, "rate_above_price", /* quarantined= */ true, place,
                          "the rate of %s is %s, which is not above 0 and at most its price",
                          reterr, *type, text[RATE]);
    struct plan *plan = plan_of(file, years, text[PAYMENT], text[CURRENCY]);
    return plan ? add_type(file, plan, *type, ratio, reterr) : iso_aws_full(reterr);
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

/* The path of the region's file by the index of the newest version; "" when there is none. */
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
    ISO_TRY(iso_ask_json(fetch->host, &request, &index, fetch->failure, reterr));
    const struct iso_json *regions = iso_json_at(index, "regions");
    ret_path[0] = '\0';
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

/* The conditions of a share's offerings. */
static bool term_of(const struct iso_aws_fetch *fetch, const struct share *share,
                    struct iso_plugin_term *ret_term)
{
    size_t n = share->n_types + 4;
    struct iso_plugin_condition *conditions =
        iso_scratch_calloc(fetch->row, n, sizeof(*conditions));

    if (!conditions)
        return false;
    conditions[0] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PROVIDER, NULL, "aws"};
    conditions[1] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_REGION, NULL, share->region};
    conditions[2] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_OS, NULL, "linux"};
    conditions[3] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PURCHASE, NULL, "on-demand"};
    for (size_t i = 0; i < share->n_types; i++)
        conditions[4 + i] =
            (struct iso_plugin_condition){ISO_PLUGIN_FIELD_TYPE, NULL, share->types[i]};
    *ret_term = (struct iso_plugin_term){conditions, n};
    return true;
}

static iso_decimal share_of_upfront(const char *payment)
{
    if (strcmp(payment, "All Upfront") == 0)
        return ISO_DECIMAL_ONE;
    return strcmp(payment, "Partial Upfront") == 0 ? ISO_DECIMAL_ONE / 2 : 0;
}

static enum iso_status send_plan(const struct iso_aws_fetch *fetch, const struct plan *plan,
                                 struct iso_error *reterr)
{
    size_t n = iso_dictionary_count(plan->shares);
    struct iso_plugin_term *terms = iso_scratch_calloc(fetch->row, n, sizeof(*terms));
    struct iso_plugin_rate *rates = iso_scratch_calloc(fetch->row, n, sizeof(*rates));
    int64_t hours = plan->years * HOURS_PER_YEAR;
    iso_decimal paid_once = LOT * share_of_upfront(plan->payment) / ISO_DECIMAL_ONE;
    char id[96], name[128];

    if (!terms || !rates)
        return iso_aws_full(reterr);
    for (size_t i = 0; i < n; i++) {
        const struct share *share = iso_dictionary_record(plan->shares, i);
        if (!term_of(fetch, share, &terms[i]))
            return iso_aws_full(reterr);
        rates[i] = (struct iso_plugin_rate){.offerings = {.include = &terms[i], .n_include = 1},
                                            .price_ratio = {true, share->ratio}};
    }
    snprintf(id, sizeof(id), "aws-compute-sp/%lldy/%.30s/%s", (long long)plan->years, plan->payment,
             plan->currency);
    for (char *c = id; *c; c++)
        *c = *c == ' ' ? '-' : (char)tolower((unsigned char)*c);
    snprintf(name, sizeof(name), "Compute Savings Plan, %lld years, %.40s", (long long)plan->years,
             plan->payment);
    const struct iso_plugin_product row = {
        .id = id,
        .provider = "aws",
        .display_name = name,
        .source = "AWS price list",
        .kind = ISO_PLUGIN_COMMITMENT_SPEND,
        .eligible = {.include = terms, .n_include = n},
        .rates = rates,
        .n_rates = n,
        .rate_bytes = sizeof(*rates),
        .term_hours = {true, hours * ISO_DECIMAL_ONE},
        .hourly_fee = {true, LOT - paid_once},
        .upfront = {true, paid_once * hours},
        .currency = plan->currency,
        .lot = {true, LOT},
    };
    return iso_put_products(fetch->sink, &row, 1, reterr);
}

enum iso_status iso_aws_send_savings(const struct iso_aws_fetch *fetch, struct iso_error *reterr)
{
    for (size_t i = 0; i < iso_dictionary_count(fetch->savings); i++) {
        const struct plan *plan = iso_dictionary_record(fetch->savings, i);
        iso_scratch_reset(fetch->row);
        if (plan->n_bytes > MAX_PRODUCT_BYTES)
            ISO_TRY(iso_report(fetch->sink, "product_too_large", /* quarantined= */ true,
                               iso_dictionary_key(fetch->savings, i),
                               "the plan covers more types and regions than one row can hold; "
                               "configure fewer regions in one instance",
                               reterr));
        else
            ISO_TRY(send_plan(fetch, plan, reterr));
    }
    return ISO_OK;
}

void iso_aws_savings_fini(struct iso_aws_fetch *fetch)
{
    for (size_t i = 0; fetch->savings && i < iso_dictionary_count(fetch->savings); i++) {
        struct plan *plan = iso_dictionary_record(fetch->savings, i);
        for (size_t s = 0; plan->shares && s < iso_dictionary_count(plan->shares); s++)
            free(((struct share *)iso_dictionary_record(plan->shares, s))->types);
        iso_dictionary_free(plan->shares);
    }
    iso_dictionary_free(ISO_STEAL(fetch->savings));
}
