/* Rows of text as rows of the ABI, kind by kind. */
#include "isocost/sdk/selector.h"
#include "isocost/sdk/words.h"
#include "row.h"

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
        iso_row_refuse(row, "invalid_value", "%s: %s", iso_row_column(row, column), error.text);
    else if (iso_terms_read(iso_row_text(row, exclude_column), scratch, &selector->exclude,
                            &selector->n_exclude, &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "exclude: %s", error.text);
    row->has_selector = iso_row_text(row, column) != NULL;
}

static void send_offering(struct iso_row *row)
{
    struct iso_plugin_offering out = {
        .provider = iso_row_provider(row, ISO_OFFERING_PROVIDER),
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
    out.price = iso_row_price(row, ISO_OFFERING_PRICE, /* required= */ true);
    out.currency = iso_row_currency(row, ISO_OFFERING_CURRENCY);
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
        iso_row_refuse(row, "invalid_value", "%s: %s", iso_row_column(row, column), error.text);
}

static void send_product(struct iso_row *row)
{
    struct iso_plugin_product out = {
        .id = iso_row_text(row, ISO_PRODUCT_ID),
        .provider = iso_row_provider(row, ISO_PRODUCT_PROVIDER),
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
    out.hourly_fee = iso_row_price(row, ISO_PRODUCT_HOURLY_FEE, /* required= */ false);
    out.upfront = iso_row_price(row, ISO_PRODUCT_UPFRONT, /* required= */ false);
    if (!out.hourly_fee.present && !out.upfront.present)
        iso_row_refuse(row, "missing_price",
                       "hourly_fee and upfront are both empty; a missing price is not zero");
    out.currency = iso_row_currency(row, ISO_PRODUCT_CURRENCY);
    out.lot = iso_row_amount(row, ISO_PRODUCT_LOT);
    out.purchasable_maximum = iso_row_amount(row, ISO_PRODUCT_PURCHASABLE_MAXIMUM);
    if (!row->refused)
        row->status = iso_put_products(row->reader->sink, &out, 1, row->error);
}

static void send_quota(struct iso_row *row)
{
    struct iso_plugin_quota out = {
        .provider = iso_row_provider(row, ISO_QUOTA_PROVIDER),
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
    out.price = iso_row_price(row, ISO_OVERLAY_PRICE, /* required= */ false);
    out.price_factor = iso_row_amount(row, ISO_OVERLAY_PRICE_FACTOR);
    if (out.price.present && out.price_factor.present)
        iso_row_refuse(row, "invalid_value", "price and price_factor exclude each other");
    out.currency = iso_row_currency(row, ISO_OVERLAY_CURRENCY);
    out.status = iso_row_word(row, ISO_OVERLAY_STATUS, &iso_words_status);
    out.availability = iso_row_amount(row, ISO_OVERLAY_AVAILABILITY);
    out.valid_from = iso_row_day(row, ISO_OVERLAY_VALID_FROM);
    out.valid_until = iso_row_day(row, ISO_OVERLAY_VALID_UNTIL);
    out.note = iso_row_text(row, ISO_OVERLAY_NOTE);
    if (!row->refused)
        row->status = iso_put_overlays(row->reader->sink, &out, 1, row->error);
}

static void send_egress_rate(struct iso_row *row)
{
    struct iso_plugin_egress_rate out = {
        .provider = iso_row_provider(row, ISO_EGRESS_RATE_PROVIDER),
        .region = iso_row_text(row, ISO_EGRESS_RATE_REGION),
        .to = iso_row_text(row, ISO_EGRESS_RATE_TO),
        .source = iso_row_text(row, ISO_EGRESS_RATE_SOURCE),
    };

    iso_row_require(row, ISO_EGRESS_RATE_TO);
    if (!out.provider[0])
        iso_row_require(row, ISO_EGRESS_RATE_PROVIDER);
    if (!out.source)
        out.source = row->reader->file;
    out.from_gb = iso_row_amount(row, ISO_EGRESS_RATE_FROM_GB);
    out.price = iso_row_price(row, ISO_EGRESS_RATE_PRICE_PER_GB, /* required= */ true);
    out.currency = iso_row_currency(row, ISO_EGRESS_RATE_CURRENCY);
    out.valid_from = iso_row_day(row, ISO_EGRESS_RATE_VALID_FROM);
    out.valid_until = iso_row_day(row, ISO_EGRESS_RATE_VALID_UNTIL);
    out.observed_ns = iso_row_time(row, ISO_EGRESS_RATE_OBSERVED_AT);
    if (!row->refused)
        row->status = iso_put_egress_rates(row->reader->sink, &out, 1, row->error);
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
    case ISO_FILE_EGRESS_RATES:
        send_egress_rate(row);
        break;
    default:
        send_overlay(row);
        break;
    }
    return row->status;
}
