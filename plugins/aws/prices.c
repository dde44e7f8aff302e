/* Which prices of the price list are taken, and what is kept of them. */
#include <stdio.h>

#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"
#include "prices.h"

static const char *text_of(const struct iso_aws_price_row *row, enum iso_aws_price_field field)
{
    return row->text[field];
}

static bool is(const struct iso_aws_price_row *row, enum iso_aws_price_field field,
               const char *wanted)
{
    return iso_name_equal(row->text[field], wanted);
}

/* Linux without licences or software, shared, used, for one instance of its own in the region. A
 * capacity block has a twin of every price at 0, a capacity reservation one for when it is not
 * used. */
bool iso_aws_is_wanted_price(const struct iso_aws_price_row *row)
{
    const char *family = text_of(row, ISO_AWS_PRICE_PRODUCT_FAMILY);
    const char *market = text_of(row, ISO_AWS_PRICE_MARKET);
    const char *place = text_of(row, ISO_AWS_PRICE_PLACE);

    return strncmp(family, "Compute Instance", strlen("Compute Instance")) == 0 &&
           is(row, ISO_AWS_PRICE_SYSTEM, "Linux") && is(row, ISO_AWS_PRICE_TENANCY, "Shared") &&
           is(row, ISO_AWS_PRICE_SOFTWARE, "NA") && is(row, ISO_AWS_PRICE_CAPACITY, "Used") &&
           is(row, ISO_AWS_PRICE_LICENSE, "No License required") &&
           is(row, ISO_AWS_PRICE_OPERATION, "RunInstances") &&
           (!place[0] || iso_name_equal(place, "AWS Region")) &&
           (!market[0] || iso_name_equal(market, "OnDemand")) && /* older files have no market */
           text_of(row, ISO_AWS_PRICE_TYPE)[0];
}

static enum iso_status refuse(const struct iso_aws_fetch *fetch,
                              const struct iso_aws_price_row *row, const char *code,
                              const char *why, struct iso_error *reterr)
{
    return iso_report(fetch->sink, code, /* quarantined= */ true, row->place, "%s (SKU %.40s): %s",
                      reterr, text_of(row, ISO_AWS_PRICE_TYPE), text_of(row, ISO_AWS_PRICE_SKU),
                      why);
}

/* Reads price, currency and the time from which they hold. *ret_taken is false when the row is told
 * of instead, or is of the future. */
static enum iso_status read_money(const struct iso_aws_fetch *fetch,
                                  const struct iso_aws_price_row *row, struct iso_amount *ret_price,
                                  int64_t *ret_effective_ns, bool *ret_taken,
                                  struct iso_error *reterr)
{
    struct iso_error error = {0};
    enum iso_number how = iso_number_read(text_of(row, ISO_AWS_PRICE_PRICE), ret_price, &error);

    *ret_taken = false;
    if (how != ISO_NUMBER_READ) {
        struct iso_price_fault fault = iso_price_fault_of(how, &error);
        return refuse(fetch, row, fault.code, fault.text, reterr);
    }
    if (strlen(text_of(row, ISO_AWS_PRICE_CURRENCY)) != 3)
        return refuse(fetch, row, "unknown_currency", "no currency", reterr);
    const char *effective = text_of(row, ISO_AWS_PRICE_EFFECTIVE);
    char whole[32];
    if (strlen(effective) == strlen("2026-03-01")) { /* files have days, GetProducts has times */
        snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", effective);
        effective = whole;
    }
    if (iso_time_read(effective, ret_effective_ns, &error) != ISO_OK)
        return refuse(fetch, row, "invalid_value", error.text, reterr);
    *ret_taken = *ret_effective_ns <= fetch->now_ns;
    return ISO_OK;
}

static enum iso_status take_on_demand(const struct iso_aws_fetch *fetch,
                                      struct iso_aws_region *region,
                                      const struct iso_aws_price_row *row, struct iso_error *reterr)
{
    const char *sku = text_of(row, ISO_AWS_PRICE_SKU), *type = text_of(row, ISO_AWS_PRICE_TYPE);
    struct iso_amount amount;
    int64_t effective_ns;
    bool taken;

    if (!is(row, ISO_AWS_PRICE_UNIT, "Hrs"))
        return refuse(fetch, row, "unknown_unit", "the unit is not Hrs", reterr);
    ISO_TRY(read_money(fetch, row, &amount, &effective_ns, &taken, reterr));
    if (!taken)
        return ISO_OK;
    struct iso_aws_price *price = iso_dictionary_add(region->prices, type);
    const char **of_sku = iso_dictionary_add(region->skus, sku);
    if (!price || !of_sku || !(*of_sku = iso_aws_keep(fetch, type)))
        return iso_aws_full(reterr);
    if (price->sku[0] && strcmp(price->sku, sku) != 0) {
        price->ambiguous = true;
        return refuse(fetch, row, "ambiguous_price",
                      "a second price of the same type, and nothing to choose by", reterr);
    }
    if (price->sku[0] && price->effective_ns > effective_ns)
        return ISO_OK;
    snprintf(price->sku, sizeof(price->sku), "%s", sku);
    snprintf(price->currency, sizeof(price->currency), "%s", text_of(row, ISO_AWS_PRICE_CURRENCY));
    price->price = amount;
    price->effective_ns = effective_ns;
    return ISO_OK;
}

/* "Quantity" is what is paid once, "Hrs" what is paid each hour of the term. Of terms that began
 * at several times the last one that holds now is kept. */
static enum iso_status take_reserved(const struct iso_aws_fetch *fetch,
                                     struct iso_aws_region *region,
                                     const struct iso_aws_price_row *row, struct iso_error *reterr)
{
    bool once = is(row, ISO_AWS_PRICE_UNIT, "Quantity"), taken;
    const char *class = text_of(row, ISO_AWS_PRICE_CLASS);
    const char *payment = text_of(row, ISO_AWS_PRICE_PAYMENT);
    int64_t years = strtol(text_of(row, ISO_AWS_PRICE_LEASE), NULL, 10), effective_ns;
    char key[ISO_AWS_PLACE_BYTES];
    struct iso_amount amount;

    if (!once && !is(row, ISO_AWS_PRICE_UNIT, "Hrs"))
        return refuse(fetch, row, "unknown_unit", "the unit is neither Hrs nor Quantity", reterr);
    if (years < 1 || years > 10)
        return refuse(fetch, row, "invalid_value", "the length of the lease is no years", reterr);
    ISO_TRY(read_money(fetch, row, &amount, &effective_ns, &taken, reterr));
    if (!taken)
        return ISO_OK;
    snprintf(key, sizeof(key), "%s/%lldy/%s/%s", text_of(row, ISO_AWS_PRICE_TYPE), (long long)years,
             class, payment);
    struct iso_aws_reserved *reserved = iso_dictionary_add(region->reserved, key);
    if (!reserved)
        return iso_aws_full(reterr);
    if (reserved->type && reserved->effective_ns > effective_ns)
        return ISO_OK;
    if (!reserved->type || reserved->effective_ns < effective_ns)
        *reserved = (struct iso_aws_reserved){
            .type = iso_aws_keep(fetch, text_of(row, ISO_AWS_PRICE_TYPE)),
            .offering_class = iso_aws_keep(fetch, class),
            .payment = iso_aws_keep(fetch, payment),
            .years = years,
            .effective_ns = effective_ns,
        };
    if (!reserved->type || !reserved->offering_class || !reserved->payment)
        return iso_aws_full(reterr);
    snprintf(reserved->currency, sizeof(reserved->currency), "%s",
             text_of(row, ISO_AWS_PRICE_CURRENCY));
    *(once ? &reserved->upfront : &reserved->hourly) = amount;
    return ISO_OK;
}

enum iso_status iso_aws_take_price(const struct iso_aws_fetch *fetch, struct iso_aws_region *region,
                                   const struct iso_aws_price_row *row, struct iso_error *reterr)
{
    if (!iso_aws_is_wanted_price(row))
        return ISO_OK;
    if (is(row, ISO_AWS_PRICE_TERM_TYPE, "Reserved"))
        return fetch->aws->config->reserved && (fetch->what->want & ISO_WANT_PRODUCTS)
                   ? take_reserved(fetch, region, row, reterr)
                   : ISO_OK;
    if (!is(row, ISO_AWS_PRICE_TERM_TYPE, "OnDemand"))
        return ISO_OK;
    const char *tier = text_of(row, ISO_AWS_PRICE_TIER_FROM);
    if (tier[0] && strcmp(tier, "0") != 0)
        return ISO_OK; /* the price of a quantity that one instance does not have */
    if (strcmp(fetch->aws->config->catalog, "public") == 0)
        ISO_TRY(iso_aws_take_shape(fetch, region, row, reterr));
    return take_on_demand(fetch, region, row, reterr);
}

enum iso_status iso_aws_fetch_prices(const struct iso_aws_fetch *fetch,
                                     struct iso_aws_region *region, struct iso_error *reterr)
{
    return strcmp(fetch->aws->config->prices, "query") == 0
               ? iso_aws_query_prices(fetch, region, reterr)
               : iso_aws_read_price_file(fetch, region, reterr);
}
