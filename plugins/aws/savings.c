/* Compute Savings Plans as commitment products, from their public price files: a rate for each SKU
 * in the place of its on-demand price. */
#include <ctype.h>
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
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

static enum iso_status take_rate(void *context, const char *const *text, const char *place,
                                 struct iso_error *reterr)
{
    const struct savings_file *file = context;
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

static bool is_wanted(const char *const *text)
{
    return iso_name_equal(text[FAMILY], "ComputeSavingsPlans") &&
           iso_name_equal(text[SERVICE], "AmazonEC2") && iso_name_equal(text[UNIT], "Hrs");
}

enum iso_status iso_aws_gather_savings(const struct iso_aws_fetch *fetch,
                                       const struct iso_aws_region *region,
                                       struct iso_error *reterr)
{
    struct savings_file file = {fetch, region};
    const struct iso_aws_table table = {
        .what = "savings plans",
        .columns = columns,
        .n_columns = N_COLUMNS,
        .is_wanted = is_wanted,
        .take = take_rate,
        .context = &file,
    };
    char path[ISO_AWS_PLACE_BYTES];

    ISO_TRY(iso_aws_find_version(fetch, region->name, "AWSComputeSavingsPlan", "versionUrl", path,
                                 reterr));
    if (!path[0])
        return iso_report(fetch->sink, "no_savings_plans", /* quarantined= */ false, region->name,
                          "the region has no Compute Savings Plans", reterr);
    return iso_aws_read_table(fetch, region->name, path, /* is_version= */ true, &table, reterr);
}
