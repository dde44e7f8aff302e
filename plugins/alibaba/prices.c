/* Prices: one call for each type and unit of time, and the market of spot instances.
 *
 * A price is that of a whole configuration: DetailInfos tells the parts, and that of the instance
 * is taken, without the system disk that the service adds. */
#include <stdio.h>

#include "alibaba.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define SPOT_HOURS 24 /* a zone whose last point is older has no market */
#define NS_PER_HOUR (INT64_C(3600) * 1000000000)

struct price_call {
    const struct iso_alibaba_fetch *fetch;
    const char *region, *type;
    struct iso_alibaba_price *price;
};

static enum iso_status report(const struct price_call *call, const char *code, bool quarantined,
                              const char *why, struct iso_error *reterr)
{
    char place[ISO_ALIBABA_PLACE_BYTES];

    snprintf(place, sizeof(place), "%s/%.100s", call->region, call->type);
    return iso_report(call->fetch->sink, code, quarantined, place, "%s", reterr, why);
}

/* Reads a price; false: it was told of instead. */
static bool read_price(const struct price_call *call, const struct iso_json *value,
                       struct iso_amount *ret_amount, enum iso_status *ret_status,
                       struct iso_error *reterr)
{
    struct iso_error error = {0};
    enum iso_number how =
        iso_number_read_rounded(iso_json_scalar(value, call->fetch->row), ret_amount, &error);

    if (how == ISO_NUMBER_READ)
        return true;
    struct iso_price_fault fault = iso_price_fault_of(how, &error);
    *ret_status = report(call, fault.code, /* quarantined= */ true, fault.text, reterr);
    return false;
}

/* The part of a price that is the instance's, or the whole. */
static const struct iso_json *instance_part(const struct iso_json *price)
{
    const struct iso_json *parts = iso_json_at(price, "DetailInfos.DetailInfo");

    for (size_t i = 0; i < iso_json_length(parts); i++)
        if (strcmp(iso_json_text_at(iso_json_item(parts, i), "Resource"), "instanceType") == 0)
            return iso_json_item(parts, i);
    return price;
}

static enum iso_status on_price(void *context, const struct iso_json *answer,
                                struct iso_error *reterr)
{
    const struct price_call *call = context;
    const struct iso_alibaba *alibaba = call->fetch->alibaba;
    const struct iso_json *price = iso_json_at(answer, "PriceInfo.Price");
    const struct iso_json *part = instance_part(price);
    const char *name =
        strcmp(alibaba->config->price, "original") == 0 ? "OriginalPrice" : "TradePrice";
    enum iso_status status = ISO_OK;

    if (!iso_alibaba_currency(alibaba, iso_json_text_at(price, "Currency"), call->price->currency))
        return report(call, "unknown_currency", /* quarantined= */ true,
                      "the currency is no code of three letters", reterr);
    if (!read_price(call, iso_json_at(part, name), &call->price->amount, &status, reterr))
        return status;
    if (part != price)
        return ISO_OK;
    return report(call, "price_with_disk", /* quarantined= */ false,
                  "the price of the instance alone is not told; that of its system disk is in it",
                  reterr);
}

static enum iso_status ask_price(const struct price_call *call, const char *unit, const char *disk,
                                 struct iso_error *reterr)
{
    struct price_call own = *call;
    ISO_AUTO_TEXT parameters = {0};

    iso_text_add(&parameters,
                 "&ResourceType=instance&PriceUnit=%s&Period=1&Amount=1%s&InstanceType=", unit,
                 disk);
    iso_text_add_url(&parameters, call->type);
    ISO_TRY(iso_text_check(&parameters, reterr));
    return iso_alibaba_ask_ecs(call->fetch, call->region, "DescribePrice", parameters.bytes,
                               on_price, &own, reterr);
}

/* Prices a type for a unit of time. New families have no price with the default system disk, and
 * are asked for once more with an ESSD. What the service refuses for this type alone is told. */
static enum iso_status fetch_price(const struct price_call *call, const char *unit,
                                   struct iso_error *reterr)
{
    struct iso_failure *failure = call->fetch->failure;
    struct iso_error error = {0};
    char why[160];
    enum iso_status status = ask_price(call, unit, "", &error);

    if (status == ISO_E_INVALID && strstr(failure->provider_code, "SystemDisk")) {
        *failure = (struct iso_failure){0};
        status = ask_price(call, unit, "&SystemDisk.Category=cloud_essd", &error);
    }
    if (status == ISO_OK)
        return ISO_OK;
    if ((status != ISO_E_INVALID && status != ISO_E_NOT_FOUND) || failure->http_status == 0)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    snprintf(why, sizeof(why), "no price for a%s %s: %.63s", strcmp(unit, "Hour") == 0 ? "n" : "",
             unit, failure->provider_code);
    *failure = (struct iso_failure){0};
    return report(call, "known_unpriced", /* quarantined= */ false, why, reterr);
}

static enum iso_status fetch_of_type(const struct iso_alibaba_fetch *fetch,
                                     const struct iso_alibaba_region *region, const char *name,
                                     struct iso_alibaba_type *type, struct iso_error *reterr)
{
    const char *terms = fetch->alibaba->config->subscriptions;
    bool both = strcmp(terms, "both") == 0;
    struct price_call call = {fetch, region->name, name, &type->hour};

    if (fetch->what->want & ISO_WANT_OFFERINGS)
        ISO_TRY(fetch_price(&call, "Hour", reterr));
    if ((fetch->what->want & ISO_WANT_OFFERINGS) && fetch->alibaba->config->spot)
        ISO_TRY(iso_alibaba_fetch_spot(fetch, region, name, type, reterr));
    if (!(fetch->what->want & ISO_WANT_PRODUCTS))
        return ISO_OK;
    call.price = &type->month;
    if (both || strcmp(terms, "month") == 0)
        ISO_TRY(fetch_price(&call, "Month", reterr));
    call.price = &type->year;
    return both || strcmp(terms, "year") == 0 ? fetch_price(&call, "Year", reterr) : ISO_OK;
}

enum iso_status iso_alibaba_fetch_prices(const struct iso_alibaba_fetch *fetch,
                                         struct iso_alibaba_region *region,
                                         struct iso_error *reterr)
{
    int64_t left = fetch->alibaba->config->max_priced_types, n_without = 0;

    for (size_t i = 0; i < iso_dictionary_count(region->types); i++) {
        struct iso_alibaba_type *type = iso_dictionary_record(region->types, i);
        if (!type->known || type->n_zones == 0)
            continue; /* not offered here */
        if (left == 0)
            n_without++;
        else
            ISO_TRY(
                fetch_of_type(fetch, region, iso_dictionary_key(region->types, i), type, reterr));
        left -= left > 0;
    }
    if (n_without == 0)
        return ISO_OK;
    return iso_report(fetch->sink, "price_limit", /* quarantined= */ false, region->name,
                      "%lld types have no price: max_priced_types is %lld; name fewer types, or "
                      "raise it",
                      reterr, (long long)n_without,
                      (long long)fetch->alibaba->config->max_priced_types);
}

/* ---- Spot ---- */

struct spot_call {
    struct price_call price;
    struct iso_alibaba_type *type;
};

/* The zone of a point; one that no list named is added, with a status that is not known. */
static struct iso_alibaba_zone *zone_of(const struct spot_call *call, const char *id)
{
    struct iso_alibaba_type *type = call->type;

    for (size_t z = 0; z < type->n_zones; z++)
        if (strcmp(type->zones[z].id, id) == 0)
            return &type->zones[z];
    if (type->n_zones == ISO_ALIBABA_MAX_ZONES)
        return NULL;
    id = iso_alibaba_keep(call->price.fetch, id);
    if (!id)
        return NULL;
    type->zones[type->n_zones] = (struct iso_alibaba_zone){.id = id, .stock = ""};
    return &type->zones[type->n_zones++];
}

static enum iso_status take_point(const struct spot_call *call, const struct iso_json *point,
                                  const char *currency, struct iso_error *reterr)
{
    enum iso_status status = ISO_OK;
    struct iso_error error = {0};
    struct iso_amount amount;
    int64_t at_ns;

    if (iso_alibaba_time(iso_json_text_at(point, "Timestamp"), &at_ns, &error) != ISO_OK)
        return report(&call->price, "invalid_value", /* quarantined= */ true, error.text, reterr);
    if (!read_price(&call->price, iso_json_at(point, "SpotPrice"), &amount, &status, reterr))
        return status;
    struct iso_alibaba_zone *zone = zone_of(call, iso_json_text_at(point, "ZoneId"));
    if (!zone)
        return iso_alibaba_full(reterr);
    if (zone->spot_price.amount.present && zone->spot_ns > at_ns)
        return ISO_OK;
    zone->spot_price.amount = amount;
    zone->spot_ns = at_ns;
    memcpy(zone->spot_price.currency, currency, sizeof(zone->spot_price.currency));
    return ISO_OK;
}

static enum iso_status on_spot(void *context, const struct iso_json *answer,
                               struct iso_error *reterr)
{
    const struct spot_call *call = context;
    const struct iso_json *points = iso_json_at(answer, "SpotPrices.SpotPriceType");
    char currency[4];

    if (!iso_alibaba_currency(call->price.fetch->alibaba, iso_json_text_at(answer, "Currency"),
                              currency))
        return report(&call->price, "unknown_currency", /* quarantined= */ true,
                      "the currency of spot prices is no code of three letters", reterr);
    for (size_t i = 0; i < iso_json_length(points); i++)
        ISO_TRY(take_point(call, iso_json_item(points, i), currency, reterr));
    return ISO_OK;
}

enum iso_status iso_alibaba_fetch_spot(const struct iso_alibaba_fetch *fetch,
                                       const struct iso_alibaba_region *region, const char *name,
                                       struct iso_alibaba_type *type, struct iso_error *reterr)
{
    struct spot_call context = {{fetch, region->name, name, NULL}, type};
    char from[ISO_TIME_TEXT_SIZE];
    struct iso_error error = {0};
    ISO_AUTO_TEXT parameters = {0};

    iso_text_add(&parameters, "&NetworkType=vpc&OSType=linux&StartTime=");
    iso_text_add_url(&parameters, iso_time_write(fetch->now_ns - SPOT_HOURS * NS_PER_HOUR, from));
    iso_text_add(&parameters, "&InstanceType=");
    iso_text_add_url(&parameters, name);
    ISO_TRY(iso_text_check(&parameters, reterr));
    const struct iso_alibaba_call call = {
        .service = "ecs",
        .host = "ecs",
        .version = ISO_ALIBABA_ECS_VERSION,
        .action = "DescribeSpotPriceHistory",
        .region = region->name,
        .parameters = parameters.bytes,
        .cursor = "Offset",
        .next = "NextOffset",
    };
    enum iso_status status = iso_alibaba_ask(fetch, &call, on_spot, &context, &error);
    if ((status != ISO_E_INVALID && status != ISO_E_NOT_FOUND) || fetch->failure->http_status < 400)
        return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, error.field, "%s", error.text);
    char why[160];
    snprintf(why, sizeof(why), "no spot prices: %.63s", fetch->failure->provider_code);
    *fetch->failure = (struct iso_failure){0};
    return report(&context.price, "no_spot_market", /* quarantined= */ false, why, reterr);
}
