/* Prices, in batches: what an hour costs, and what a month or a year that is paid when it begins.
 *
 * One product that BSS does not know makes it refuse the whole batch, and its name stands in prose
 * alone. It is taken out and the rest is asked for again; where the prose names none of the batch,
 * smaller batches are asked for until the one that is not known is alone. Each call so either moves
 * on, takes a product out or halves the batch. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/findings.h"
#include "isocost/sdk/number.h"

#define MAX_BATCH 100 /* product_infos of a call */

static const struct term {
    const char *path, *unit, *results;
    const char *measure; /* what is asked of each product */
} terms[ISO_HUAWEI_N_TERMS] = {
    [ISO_HUAWEI_HOUR] = {"/v2/bills/ratings/on-demand-resources", "hour", "product_rating_results",
                         "\"usage_factor\":\"Duration\",\"usage_value\":1,\"usage_measure_id\":4"},
    [ISO_HUAWEI_MONTH] = {"/v2/bills/ratings/period-resources/subscribe-rate", "month",
                          "official_website_rating_result.product_rating_results",
                          "\"period_type\":2,\"period_num\":1"},
    [ISO_HUAWEI_YEAR] = {"/v2/bills/ratings/period-resources/subscribe-rate", "year",
                         "official_website_rating_result.product_rating_results",
                         "\"period_type\":3,\"period_num\":1"},
};

struct product {
    const char *name;
    struct iso_huawei_type *type;
};

/* Prices of one term under way. */
struct rating {
    const struct iso_huawei_fetch *fetch;
    enum iso_huawei_term term;
    struct iso_findings findings;
};

/* The products of a call; `id` of a product is its index. */
struct batch {
    struct product *products;
    size_t n;
};

__attribute__((format(printf, 5, 7))) static enum iso_status
tell(struct rating *rating, const char *code, bool quarantined, const char *name,
     const char *format, struct iso_error *reterr, ...);

static enum iso_status tell(struct rating *rating, const char *code, bool quarantined,
                            const char *name, const char *format, struct iso_error *reterr, ...)
{
    char place[ISO_HUAWEI_PLACE_BYTES], text[256];
    va_list arguments;

    va_start(arguments, reterr);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return iso_findings_add(&rating->findings, rating->fetch->sink, code, quarantined,
                            iso_huawei_place_of(rating->fetch, name, place), "%s", reterr, text);
}

/* ---- An answer ---- */

/* Takes a price; amounts are in units of the currency (measure_id 1) and numbers or text. */
static enum iso_status take_price(struct rating *rating, const struct iso_json *result,
                                  const char *amount_name, const char *currency,
                                  const struct product *product, struct iso_error *reterr)
{
    struct iso_scratch *row = rating->fetch->row;
    struct iso_huawei_price *price = &product->type->prices[rating->term];
    const char *measure = iso_json_scalar(iso_json_at(result, "measure_id"), row);
    struct iso_amount amount;
    struct iso_error error = {0};

    if (measure && strcmp(measure, "1") != 0)
        return tell(rating, "invalid_price", /* quarantined= */ true, product->name,
                    "the price is in measure_id %.20s, not in units of the currency", reterr,
                    measure);
    enum iso_number how = iso_number_read_rounded(
        iso_json_scalar(iso_json_at(result, amount_name), row), &amount, &error);
    if (how == ISO_NUMBER_MISSING)
        return ISO_OK; /* told when all is read */
    if (how != ISO_NUMBER_READ)
        return tell(rating, how == ISO_NUMBER_NON_FINITE ? "non_finite_price" : "invalid_price",
                    /* quarantined= */ true, product->name, "%s", reterr, error.text);
    price->amount = amount;
    memcpy(price->currency, currency, sizeof(price->currency));
    return ISO_OK;
}

static enum iso_status take_results(struct rating *rating, const struct iso_json *list,
                                    const char *amount_name, const char *currency,
                                    const struct batch *batch, struct iso_error *reterr)
{
    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *result = iso_json_item(list, i);
        iso_scratch_reset(rating->fetch->row);
        const char *id = iso_json_scalar(iso_json_at(result, "id"), rating->fetch->row);
        char *end = NULL;
        unsigned long at = id ? strtoul(id, &end, 10) : 0;
        if (!id || end == id || *end || at >= batch->n)
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "a price has the id \"%.40s\", which was not asked for", id ? id : "");
        ISO_TRY(take_price(rating, result, amount_name, currency, &batch->products[at], reterr));
    }
    return ISO_OK;
}

/* Discounts of a subscription come beside its official price, each with prices of its own; the best
 * one is marked. */
static enum iso_status take_discount(struct rating *rating, const struct iso_json *answer,
                                     const char *currency, const struct batch *batch,
                                     struct iso_error *reterr)
{
    const struct iso_json *list = iso_json_at(answer, "optional_discount_rating_results");

    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *discount = iso_json_item(list, i);
        iso_scratch_reset(rating->fetch->row);
        if (iso_json_amount_at(discount, "best_offer", rating->fetch->row).value == ISO_DECIMAL_ONE)
            ISO_TRY(take_results(rating, iso_json_at(discount, "product_rating_results"), "amount",
                                 currency, batch, reterr));
    }
    return ISO_OK;
}

static enum iso_status take_answer(struct rating *rating, const struct iso_json *answer,
                                   const struct batch *batch, struct iso_error *reterr)
{
    bool discounted = strcmp(rating->fetch->huawei->config->price, "discounted") == 0;
    bool hour = rating->term == ISO_HUAWEI_HOUR;
    const struct iso_json *list;
    char currency[4];

    ISO_TRY(iso_huawei_list(answer, terms[rating->term].results, &list, reterr));
    if (!iso_huawei_currency(rating->fetch->huawei, iso_json_text_at(answer, "currency"), currency))
        return tell(rating, "unknown_currency", /* quarantined= */ true, batch->products[0].name,
                    "the currency of %zu prices is no code of three letters", reterr, batch->n);
    ISO_TRY(take_results(rating, list, hour && discounted ? "amount" : "official_website_amount",
                         currency, batch, reterr));
    if (!hour && discounted)
        ISO_TRY(take_discount(rating, answer, currency, batch, reterr));
    for (size_t i = 0; i < batch->n; i++)
        if (!batch->products[i].type->prices[rating->term].amount.present)
            ISO_TRY(tell(rating, "missing_price", /* quarantined= */ false, batch->products[i].name,
                         "no price for a %s; that is not a price of 0", reterr,
                         terms[rating->term].unit));
    return ISO_OK;
}

/* ---- A refusal ---- */

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

/* Whether the word is the type, or its product. */
static bool names(const char *word, size_t n, const char *type)
{
    static const char product[] = ".linux";
    size_t n_type = strlen(type);

    return n >= n_type && strncmp(word, type, n_type) == 0 &&
           (n == n_type ||
            (n == n_type + strlen(product) && strncmp(word + n_type, product, n - n_type) == 0));
}

/* Takes out the products whose names follow "Can not find product", and tells of them. */
static enum iso_status take_out_named(struct rating *rating, const struct iso_json *refusal,
                                      struct batch *batch, struct iso_error *reterr)
{
    static const char phrase[] = "find product";
    const char *word = strstr(iso_json_text_at(refusal, "error_msg"), phrase);
    size_t at;

    word = word ? word + strlen(phrase) : "";
    while (batch->n > 0) {
        size_t n = 0;
        for (; *word && !is_of_name(*word); word++)
            continue;
        while (is_of_name(word[n]))
            n++;
        for (at = 0; at < batch->n &&
                     !names(word, n - (n > 0 && word[n - 1] == '.'), batch->products[at].name);)
            at++;
        if (at == batch->n)
            return ISO_OK; /* the prose goes on with something else */
        ISO_TRY(tell(rating, "known_unpriced", /* quarantined= */ false, batch->products[at].name,
                     "no price for a %s: %.63s", reterr, terms[rating->term].unit,
                     rating->fetch->failure->provider_code));
        batch->products[at] = batch->products[--batch->n];
        word += n;
    }
    return ISO_OK;
}

static bool is_unknown_product(enum iso_status status, const struct iso_failure *failure)
{
    return (status == ISO_E_INVALID || status == ISO_E_NOT_FOUND) &&
           (strcmp(failure->provider_code, "CBC.6006") == 0 ||
            strcmp(failure->provider_code, "CBC.99006006") == 0);
}

/* ---- A batch ---- */

static enum iso_status make_body(const struct rating *rating, const struct batch *batch,
                                 struct iso_text *body, struct iso_error *reterr)
{
    iso_text_add(body, "{\"project_id\":\"%s\",%s\"product_infos\":[",
                 rating->fetch->place->project,
                 rating->term == ISO_HUAWEI_HOUR ? "\"inquiry_precision\":1," : "");
    for (size_t i = 0; i < batch->n; i++) {
        iso_text_add(body,
                     "%s{\"id\":\"%zu\",\"cloud_service_type\":\"hws.service.type.ec2\","
                     "\"resource_type\":\"hws.resource.type.vm\",\"region\":\"%s\","
                     "\"subscription_num\":1,%s,\"resource_spec\":",
                     i > 0 ? "," : "", i, rating->fetch->place->region,
                     terms[rating->term].measure);
        ISO_AUTO_TEXT spec = {0};
        iso_text_add(&spec, "%s.linux", batch->products[i].name);
        ISO_TRY(iso_text_check(&spec, reterr));
        iso_text_add_json(body, spec.bytes);
        iso_text_add(body, "}");
    }
    iso_text_add(body, "]}");
    return iso_text_check(body, reterr);
}

/* Asks for a batch once. What is not known is taken out of it; *ret_done: nothing is left to be
 * asked for. When neither, the batch is too large to tell which one is not known. */
static enum iso_status ask(struct rating *rating, struct batch *batch, bool *ret_done,
                           struct iso_error *reterr)
{
    const struct iso_huawei_fetch *fetch = rating->fetch;
    size_t n = batch->n;
    ISO_AUTO_JSON *answer = NULL;
    ISO_AUTO_JSON *refusal = NULL;
    ISO_AUTO_TEXT body = {0};
    struct iso_error error = {0};

    if (fetch->host->cancelled(fetch->host))
        return iso_fail(reterr, ISO_E_CANCELLED, "", "the fetch was cancelled");
    ISO_TRY(make_body(rating, batch, &body, reterr));
    const struct iso_huawei_call call = {"bss", terms[rating->term].path, body.bytes};
    enum iso_status status = iso_huawei_ask(fetch, &call, &answer, &refusal, &error);
    *ret_done = status == ISO_OK;
    if (status == ISO_OK)
        return take_answer(rating, answer, batch, reterr);
    if (!is_unknown_product(status, fetch->failure))
        return iso_fail(reterr, status, error.field, "%s", error.text);
    ISO_TRY(take_out_named(rating, refusal, batch, reterr));
    if (batch->n == n && n == 1) {
        batch->n = 0;
        ISO_TRY(tell(rating, "known_unpriced", /* quarantined= */ false, batch->products[0].name,
                     "no price for a %s: %.63s", reterr, terms[rating->term].unit,
                     fetch->failure->provider_code));
    }
    *fetch->failure = (struct iso_failure){0};
    *ret_done = batch->n == 0;
    return ISO_OK;
}

static enum iso_status rate(struct rating *rating, struct product *products, size_t n,
                            struct iso_error *reterr)
{
    size_t size = n; /* of the next batch */

    while (n > 0) {
        struct batch batch = {products, size < n ? size : n};
        size_t asked = batch.n, before;
        bool done = false;
        do {
            before = batch.n;
            ISO_TRY(ask(rating, &batch, &done, reterr));
        } while (!done && batch.n < before);
        if (done) {
            products += asked;
            n -= asked;
            size = 2 * asked;
        } else {
            /* Those that were taken out lie behind the others: they are not asked for again. */
            memmove(products + batch.n, products + asked, (n - asked) * sizeof(*products));
            n -= asked - batch.n;
            size = batch.n / 2;
        }
    }
    return ISO_OK;
}

static bool is_offered(const struct iso_huawei_region *region, const struct iso_huawei_type *type)
{
    for (size_t z = 0; z < region->n_zones; z++)
        if (type->states[z])
            return true;
    return false;
}

/* Types that no zone offers, or that are sold otherwise, are not priced. */
static enum iso_status fetch_term(const struct iso_huawei_fetch *fetch,
                                  struct iso_huawei_region *region, enum iso_huawei_term term,
                                  struct iso_error *reterr)
{
    struct rating rating = {.fetch = fetch, .term = term};
    struct product products[MAX_BATCH];
    size_t n = 0;

    for (size_t i = 0; i < iso_dictionary_count(region->types); i++) {
        struct iso_huawei_type *type = iso_dictionary_record(region->types, i);
        /* A subscription covers on-demand instances: without them it covers nothing. */
        if (!is_offered(region, type) || !type->on_demand ||
            (term != ISO_HUAWEI_HOUR && !type->subscribed))
            continue;
        products[n++] = (struct product){iso_dictionary_key(region->types, i), type};
        if (n < MAX_BATCH)
            continue;
        ISO_TRY(rate(&rating, products, n, reterr));
        n = 0;
    }
    ISO_TRY(rate(&rating, products, n, reterr));
    return iso_findings_end(&rating.findings, fetch->sink, fetch->place->region, reterr);
}

enum iso_status iso_huawei_fetch_prices(const struct iso_huawei_fetch *fetch,
                                        struct iso_huawei_region *region, struct iso_error *reterr)
{
    const char *subscriptions = fetch->huawei->config->subscriptions;
    bool both = strcmp(subscriptions, "both") == 0;
    uint32_t want = fetch->what->want;

    if (want & ISO_WANT_OFFERINGS)
        ISO_TRY(fetch_term(fetch, region, ISO_HUAWEI_HOUR, reterr));
    if (!(want & ISO_WANT_PRODUCTS))
        return ISO_OK;
    if (both || strcmp(subscriptions, "month") == 0)
        ISO_TRY(fetch_term(fetch, region, ISO_HUAWEI_MONTH, reterr));
    return both || strcmp(subscriptions, "year") == 0
               ? fetch_term(fetch, region, ISO_HUAWEI_YEAR, reterr)
               : ISO_OK;
}
