#include "row.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/selector.h"
#include "isocost/sdk/words.h"

#define COLUMN(constant, column, is_required) {.name = column, .required = is_required},
static const struct iso_column offering_columns[] = {ISO_OFFERING_COLUMNS(COLUMN)};
static const struct iso_column product_columns[] = {ISO_PRODUCT_COLUMNS(COLUMN)};
static const struct iso_column quota_columns[] = {ISO_QUOTA_COLUMNS(COLUMN)};
static const struct iso_column overlay_columns[] = {ISO_OVERLAY_COLUMNS(COLUMN)};
#undef COLUMN

const struct iso_table iso_tables[ISO_FILE_N_TABLES] = {
    [ISO_FILE_OFFERINGS] = {offering_columns, ISO_OFFERING_N_COLUMNS, "offerings"},
    [ISO_FILE_PRODUCTS] = {product_columns, ISO_PRODUCT_N_COLUMNS, "products"},
    [ISO_FILE_QUOTAS] = {quota_columns, ISO_QUOTA_N_COLUMNS, "quotas"},
    [ISO_FILE_OVERLAYS] = {overlay_columns, ISO_OVERLAY_N_COLUMNS, "overlays"},
};

_Static_assert((int)ISO_ROW_MAX_COLUMNS >= (int)ISO_PRODUCT_N_COLUMNS,
               "offerings are the widest table");

void iso_row_refuse(struct iso_row *row, const char *code, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (row->refused)
        return;
    row->refused = true;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    row->status = iso_report(row->reader->sink, code, /* quarantined= */ true, row->place, "%s",
                             row->error, text);
}

static const char *column_name(const struct iso_row *row, int column)
{
    return iso_tables[row->kind].columns[column].name;
}

const char *iso_row_text(const struct iso_row *row, int column)
{
    return row->text[column] && row->text[column][0] ? row->text[column] : NULL;
}

void iso_row_require(struct iso_row *row, int column)
{
    if (!iso_row_text(row, column))
        iso_row_refuse(row, "missing_value", "%s is empty; it is required",
                       column_name(row, column));
}

struct iso_amount iso_row_amount(struct iso_row *row, int column)
{
    struct iso_amount amount = {0};
    struct iso_error error = {0};

    switch (iso_number_read(row->text[column], &amount, &error)) {
    case ISO_NUMBER_NON_FINITE:
    case ISO_NUMBER_INVALID:
        iso_row_refuse(row, "invalid_value", "%s: %s", column_name(row, column), error.text);
        break;
    default:
        break;
    }
    return amount;
}

/* As iso_row_amount(), but a price has reasons of its own. Zero is sent: the server judges it. */
static struct iso_amount price_of(struct iso_row *row, int column, bool required)
{
    struct iso_amount amount = {0};
    struct iso_error error = {0};
    const char *name = column_name(row, column);

    switch (iso_number_read(row->text[column], &amount, &error)) {
    case ISO_NUMBER_MISSING:
        if (required)
            iso_row_refuse(row, "missing_price", "%s is empty; a missing price is not zero", name);
        break;
    case ISO_NUMBER_NON_FINITE:
        iso_row_refuse(row, "non_finite_price", "%s: %s", name, error.text);
        break;
    case ISO_NUMBER_INVALID:
        iso_row_refuse(row, "invalid_price", "%s: %s", name, error.text);
        break;
    case ISO_NUMBER_READ:
        if (amount.value < 0)
            iso_row_refuse(row, "negative_price", "%s is %s; it must not be below 0", name,
                           row->text[column]);
        break;
    }
    return amount;
}

int32_t iso_row_word(struct iso_row *row, int column, const void *words)
{
    struct iso_error error = {0};
    int32_t value = 0;

    if (iso_word_read(words, row->text[column], &value, &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "%s: %s", column_name(row, column), error.text);
    return value;
}

int64_t iso_row_time(struct iso_row *row, int column)
{
    struct iso_error error = {0};
    int64_t ns = 0;

    if (iso_time_read(row->text[column], &ns, &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "%s: %s", column_name(row, column), error.text);
    return ns;
}

/* Columns may be named by these two; their defaults are parameters. */
static const char *provider_of(const struct iso_row *row, int column)
{
    const char *said = iso_row_text(row, column);

    return said ? said : row->reader->config->provider;
}

/* In upper case: "usd" cannot mean anything but USD. */
static const char *currency_of(struct iso_row *row, int column)
{
    const char *said = iso_row_text(row, column);
    char *copy;

    if (!said)
        said = row->reader->config->currency;
    copy = iso_scratch_text(row->reader->scratch, said, strlen(said));
    for (char *c = copy; c && *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return copy;
}

/* Labels as text: key=value with ';' between them. */
static void read_labels(struct iso_row *row, int column)
{
    const char *text = iso_row_text(row, column);
    struct iso_plugin_label *labels;
    size_t n_most = 1;

    if (!text)
        return;
    for (const char *c = text; *c; c++)
        n_most += *c == ';';
    labels = iso_scratch_calloc(row->reader->scratch, n_most, sizeof(*labels));
    for (const char *next = text; labels && *next;) {
        size_t n = strcspn(next, ";"), n_key = strcspn(next, "=");
        if (n > 0 && (n_key == 0 || n_key >= n)) {
            iso_row_refuse(row, "invalid_value",
                           "labels: \"%.*s\" is not key=value; labels are separated by ';'",
                           (int)(n < 64 ? n : 64), next);
            return;
        }
        if (n > 0)
            labels[row->n_labels++] = (struct iso_plugin_label){
                .key = iso_scratch_text(row->reader->scratch, next, n_key),
                .value = iso_scratch_text(row->reader->scratch, next + n_key + 1, n - n_key - 1)};
        next += n + (next[n] == ';');
    }
    row->labels = labels;
}

/* The selector as text, unless the file gave it as an object. */
static void read_selector(struct iso_row *row, int column, int exclude_column)
{
    struct iso_scratch *scratch = row->reader->scratch;
    struct iso_plugin_selector *selector = &row->selector;
    struct iso_error error = {0};

    if (row->has_selector)
        return;
    if (iso_terms_read(iso_row_text(row, column), scratch, &selector->include, &selector->n_include,
                       &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "%s: %s", column_name(row, column), error.text);
    else if (iso_terms_read(iso_row_text(row, exclude_column), scratch, &selector->exclude,
                            &selector->n_exclude, &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "exclude: %s", error.text);
    row->has_selector = iso_row_text(row, column) != NULL;
}

static void send_offering(struct iso_row *row)
{
    struct iso_plugin_offering out = {
        .provider = provider_of(row, ISO_OFFERING_PROVIDER),
        .region = iso_row_text(row, ISO_OFFERING_REGION),
        .zone = iso_row_text(row, ISO_OFFERING_ZONE),
        .type = iso_row_text(row, ISO_OFFERING_TYPE),
        .os = iso_row_text(row, ISO_OFFERING_OS),
        .native_id = iso_row_text(row, ISO_OFFERING_NATIVE_ID),
        .family = iso_row_text(row, ISO_OFFERING_FAMILY),
        .arch = iso_row_text(row, ISO_OFFERING_ARCH),
        .tenancy = iso_row_text(row, ISO_OFFERING_TENANCY),
        .gpu_model = iso_row_text(row, ISO_OFFERING_GPU_MODEL),
        .source = iso_row_text(row, ISO_OFFERING_SOURCE),
    };

    iso_row_require(row, ISO_OFFERING_TYPE);
    iso_row_require(row, ISO_OFFERING_PURCHASE);
    if (!out.provider[0])
        iso_row_require(row, ISO_OFFERING_PROVIDER);
    if (!out.source)
        out.source = row->reader->file;
    out.purchase = iso_row_word(row, ISO_OFFERING_PURCHASE, &iso_words_purchase);
    out.kind = iso_row_word(row, ISO_OFFERING_KIND, &iso_words_kind);
    out.status = iso_row_word(row, ISO_OFFERING_STATUS, &iso_words_status);
    out.price_unit = iso_row_word(row, ISO_OFFERING_PRICE_UNIT, &iso_words_price_unit);
    for (int r = ISO_PLUGIN_RESOURCE_VCPU; r <= ISO_PLUGIN_RESOURCE_IOPS; r++)
        out.resources[r] = iso_row_amount(row, ISO_OFFERING_VCPU + (r - 1));
    out.lot = iso_row_amount(row, ISO_OFFERING_LOT);
    out.availability = iso_row_amount(row, ISO_OFFERING_AVAILABILITY);
    out.observed_ns = iso_row_time(row, ISO_OFFERING_OBSERVED_AT);
    read_labels(row, ISO_OFFERING_LABELS);
    out.labels = row->labels;
    out.n_labels = row->n_labels;
    out.price = price_of(row, ISO_OFFERING_PRICE, /* required= */ true);
    out.currency = currency_of(row, ISO_OFFERING_CURRENCY);
    if (!row->refused)
        row->status = iso_put_offerings(row->reader->sink, &out, 1, row->error);
}

_Static_assert((int)ISO_OFFERING_IOPS - (int)ISO_OFFERING_VCPU ==
                   (int)ISO_PLUGIN_RESOURCE_IOPS - (int)ISO_PLUGIN_RESOURCE_VCPU,
               "the columns of resources are in the order of the resources");

static void read_rates(struct iso_row *row)
{
    bool ratio = iso_row_text(row, ISO_PRODUCT_PRICE_RATIO) != NULL;
    struct iso_error error = {0};

    if (row->rates)
        return;
    if (ratio && iso_row_text(row, ISO_PRODUCT_UNITS)) {
        iso_row_refuse(row, "invalid_value", "units and price_ratio exclude each other");
        return;
    }
    int column = ratio ? ISO_PRODUCT_PRICE_RATIO : ISO_PRODUCT_UNITS;
    if (iso_rates_read(iso_row_text(row, column), ratio, row->reader->scratch, &row->rates,
                       &row->n_rates, &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "%s: %s", column_name(row, column), error.text);
}

static void send_product(struct iso_row *row)
{
    struct iso_plugin_product out = {
        .id = iso_row_text(row, ISO_PRODUCT_ID),
        .provider = provider_of(row, ISO_PRODUCT_PROVIDER),
        .display_name = iso_row_text(row, ISO_PRODUCT_DISPLAY_NAME),
        .source = iso_row_text(row, ISO_PRODUCT_SOURCE),
    };

    iso_row_require(row, ISO_PRODUCT_ID);
    iso_row_require(row, ISO_PRODUCT_KIND);
    iso_row_require(row, ISO_PRODUCT_TERM_HOURS);
    if (!out.provider[0])
        iso_row_require(row, ISO_PRODUCT_PROVIDER);
    if (!out.source)
        out.source = row->reader->file;
    out.kind = iso_row_word(row, ISO_PRODUCT_KIND, &iso_words_commitment);
    read_selector(row, ISO_PRODUCT_ELIGIBLE, ISO_PRODUCT_EXCLUDE);
    if (!row->has_selector)
        iso_row_require(row, ISO_PRODUCT_ELIGIBLE);
    out.eligible = row->selector;
    read_rates(row);
    out.rates = row->rates;
    out.n_rates = row->n_rates;
    out.rate_bytes = sizeof(*out.rates);
    out.term_hours = iso_row_amount(row, ISO_PRODUCT_TERM_HOURS);
    out.hourly_fee = price_of(row, ISO_PRODUCT_HOURLY_FEE, /* required= */ false);
    out.upfront = price_of(row, ISO_PRODUCT_UPFRONT, /* required= */ false);
    if (!out.hourly_fee.present && !out.upfront.present)
        iso_row_refuse(row, "missing_price",
                       "hourly_fee and upfront are both empty; a missing price is not zero");
    out.currency = currency_of(row, ISO_PRODUCT_CURRENCY);
    out.lot = iso_row_amount(row, ISO_PRODUCT_LOT);
    out.purchasable_maximum = iso_row_amount(row, ISO_PRODUCT_PURCHASABLE_MAXIMUM);
    if (!row->refused)
        row->status = iso_put_products(row->reader->sink, &out, 1, row->error);
}

static void send_quota(struct iso_row *row)
{
    struct iso_plugin_quota out = {
        .provider = provider_of(row, ISO_QUOTA_PROVIDER),
        .region = iso_row_text(row, ISO_QUOTA_REGION),
        .code = iso_row_text(row, ISO_QUOTA_CODE),
    };
    struct iso_error error = {0};
    const char *resource = iso_row_text(row, ISO_QUOTA_RESOURCE);

    iso_row_require(row, ISO_QUOTA_CODE);
    if (!out.provider[0])
        iso_row_require(row, ISO_QUOTA_PROVIDER);
    read_selector(row, ISO_QUOTA_SCOPE, ISO_QUOTA_EXCLUDE);
    out.scope = row->selector;
    if (resource && !iso_name_equal(resource, "instances"))
        out.resource = iso_row_word(row, ISO_QUOTA_RESOURCE, &iso_words_resource);
    out.limit = iso_row_amount(row, ISO_QUOTA_LIMIT);
    out.used = iso_row_amount(row, ISO_QUOTA_USED);
    if (iso_bool_read(row->text[ISO_QUOTA_UNLIMITED], &out.unlimited, &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "unlimited: %s", error.text);
    out.observed_ns = iso_row_time(row, ISO_QUOTA_OBSERVED_AT);
    if (!row->refused)
        row->status = iso_put_quotas(row->reader->sink, &out, 1, row->error);
}

static void send_overlay(struct iso_row *row)
{
    struct iso_plugin_overlay out = {0};

    read_selector(row, ISO_OVERLAY_OFFERINGS, ISO_OVERLAY_EXCLUDE);
    if (!row->has_selector)
        iso_row_require(row, ISO_OVERLAY_OFFERINGS);
    out.offerings = row->selector;
    out.price = price_of(row, ISO_OVERLAY_PRICE, /* required= */ false);
    out.price_factor = iso_row_amount(row, ISO_OVERLAY_PRICE_FACTOR);
    if (out.price.present && out.price_factor.present)
        iso_row_refuse(row, "invalid_value", "price and price_factor exclude each other");
    out.currency = currency_of(row, ISO_OVERLAY_CURRENCY);
    out.status = iso_row_word(row, ISO_OVERLAY_STATUS, &iso_words_status);
    out.availability = iso_row_amount(row, ISO_OVERLAY_AVAILABILITY);
    if (!row->refused)
        row->status = iso_put_overlays(row->reader->sink, &out, 1, row->error);
}

enum iso_status iso_row_send(struct iso_row *row, struct iso_error *reterr)
{
    row->error = reterr;
    switch (row->kind) {
    case ISO_FILE_OFFERINGS:
        send_offering(row);
        break;
    case ISO_FILE_PRODUCTS:
        send_product(row);
        break;
    case ISO_FILE_QUOTAS:
        send_quota(row);
        break;
    default:
        send_overlay(row);
        break;
    }
    return row->status;
}
