/* alibaba: catalogs, prices, quotas, usage, costs and inventory of Alibaba Cloud. README.md lists
 * the calls, what they need and what they cost. */
#include <ctype.h>
#include <stdio.h>

#include "alibaba.h"
#include "isocost/sdk/words.h"

#define ROW_BYTES ((size_t)16 << 20)
#define KEPT_BYTES ((size_t)64 << 20)

static const struct iso_param params[] = {
    {ISO_PARAM_TEXT, "regions", NULL, 1, 3000, "", NULL,
     "Regions, with commas between them, e.g. cn-hangzhou,cn-beijing.",
     offsetof(struct iso_alibaba_config, regions)},
    {ISO_PARAM_TEXT, "site", "china", 1, 16, "", "china|international",
     "Site of the account: where it is billed, and in which currency (CNY or USD) where an answer "
     "does not say.",
     offsetof(struct iso_alibaba_config, site)},
    {ISO_PARAM_TEXT, "types", "", 0, 4000, "", NULL,
     "Beginnings of the types to give, with commas between them, e.g. ecs.g7.,ecs.c7.; empty: all.",
     offsetof(struct iso_alibaba_config, types)},
    {ISO_PARAM_INT, "max_priced_types", "1000", 1, 5000, "types", NULL,
     "Most types of a region that are priced, each with a call or more of its own.",
     offsetof(struct iso_alibaba_config, max_priced_types)},
    {ISO_PARAM_TEXT, "price", "trade", 1, 16, "", "trade|original",
     "Price that is taken: what the account pays, or the one of the public list.",
     offsetof(struct iso_alibaba_config, price)},
    {ISO_PARAM_TEXT, "subscriptions", "year", 1, 8, "", "none|month|year|both",
     "Gives subscriptions as products; each term is one more call for a type.",
     offsetof(struct iso_alibaba_config, subscriptions)},
    {ISO_PARAM_BOOL, "spot", "true", 0, 0, "", NULL,
     "Gives spot offerings; one more call for a type.", offsetof(struct iso_alibaba_config, spot)},
    {ISO_PARAM_INT, "usage_period_seconds", "3600", 60, 86400, "s", NULL,
     "Length of a sample of usage: 60, or a multiple of it.",
     offsetof(struct iso_alibaba_config, usage_period_seconds)},
    {.type = ISO_PARAM_END},
};

/* ---- Small things ---- */

enum iso_status iso_alibaba_full(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for what Alibaba Cloud told");
}

const char *iso_alibaba_keep(const struct iso_alibaba_fetch *fetch, const char *text)
{
    return iso_scratch_text(fetch->kept, text, strlen(text));
}

bool iso_alibaba_is_wanted(const struct iso_alibaba *alibaba, const char *type)
{
    return iso_begins_with_any(type, alibaba->config->types);
}

bool iso_alibaba_is_international(const struct iso_alibaba *alibaba)
{
    return strcmp(alibaba->config->site, "international") == 0;
}

bool iso_alibaba_currency(const struct iso_alibaba *alibaba, const char *said, char ret[4])
{
    return iso_currency_read(said, iso_alibaba_is_international(alibaba) ? "USD" : "CNY", ret);
}

enum iso_status iso_alibaba_time(const char *text, int64_t *ret_ns, struct iso_error *reterr)
{
    static const char short_form[] = "2026-03-01T00:00Z";
    char whole[ISO_TIME_TEXT_SIZE];

    if (strlen(text) != strlen(short_form) || text[strlen(short_form) - 1] != 'Z')
        return iso_time_read(text, ret_ns, reterr);
    snprintf(whole, sizeof(whole), "%.16s:00Z", text);
    return iso_time_read(whole, ret_ns, reterr);
}

struct iso_amount iso_alibaba_amount(const struct iso_alibaba_fetch *fetch,
                                     const struct iso_json *value, const char *path)
{
    return iso_json_amount_at(value, path, fetch->row);
}

/* ---- An instance ---- */

/* Splits at commas; a region is letters, digits and '-', so that it can stand in a host's name. */
static enum iso_status read_regions(struct iso_alibaba *alibaba, const char *text,
                                    struct iso_error *reterr)
{
    while (*text) {
        size_t n = strcspn(text, ", ");
        bool is_good = n < ISO_ALIBABA_REGION_BYTES && alibaba->n_regions < ISO_ALIBABA_MAX_REGIONS;
        for (size_t i = 0; i < n; i++)
            is_good = is_good && (islower((unsigned char)text[i]) ||
                                  isdigit((unsigned char)text[i]) || text[i] == '-');
        if (!is_good)
            return iso_fail(reterr, ISO_E_INVALID, "regions",
                            "\"%.64s\": up to %d regions such as cn-hangzhou, with commas", text,
                            ISO_ALIBABA_MAX_REGIONS);
        memcpy(alibaba->regions[alibaba->n_regions], text, n);
        alibaba->n_regions += n > 0;
        text += n + (text[n] != '\0');
    }
    return alibaba->n_regions > 0
               ? ISO_OK
               : iso_fail(reterr, ISO_E_INVALID, "regions", "there is no region in it");
}

static enum iso_status alibaba_create(const void *config, const struct iso_host *host,
                                      void **ret_instance, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_alibaba *alibaba = iso_calloc(1, sizeof(*alibaba));

    if (!alibaba)
        return iso_alibaba_full(reterr);
    alibaba->config = config;
    alibaba->host = host;
    if (alibaba->config->usage_period_seconds % 60 != 0)
        return iso_fail(reterr, ISO_E_INVALID, "usage_period_seconds",
                        "%lld is no multiple of 60 seconds",
                        (long long)alibaba->config->usage_period_seconds);
    ISO_TRY(read_regions(alibaba, alibaba->config->regions, reterr));
    *ret_instance = ISO_STEAL(alibaba);
    return ISO_OK;
}

static void alibaba_destroy(void *instance)
{
    free(instance);
}

/* ---- A fetch ---- */

static enum iso_status fetch_catalog(const struct iso_alibaba_fetch *fetch, const char *name,
                                     struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) types = iso_dictionary_new(sizeof(struct iso_alibaba_type));
    struct iso_alibaba_region region = {name, types};
    uint32_t want = fetch->what->want;

    if (!types)
        return iso_alibaba_full(reterr);
    ISO_TRY(iso_alibaba_fetch_types(fetch, &region, reterr));
    ISO_TRY(iso_alibaba_fetch_zones(fetch, &region, reterr));
    ISO_TRY(iso_alibaba_fetch_prices(fetch, &region, reterr));
    if (want & ISO_WANT_OFFERINGS)
        ISO_TRY(iso_alibaba_send_offerings(fetch, &region, reterr));
    return want & ISO_WANT_PRODUCTS ? iso_alibaba_send_products(fetch, &region, reterr) : ISO_OK;
}

/* Each region has memory of its own. */
static enum iso_status fetch_region(const struct iso_alibaba_fetch *fetch, const char *name,
                                    struct iso_error *reterr)
{
    ISO_AUTO(iso_scratch) kept = iso_scratch_new(KEPT_BYTES);
    struct iso_alibaba_fetch own = *fetch;
    uint32_t want = fetch->what->want;

    if (!kept)
        return iso_alibaba_full(reterr);
    own.kept = kept;
    if (want & (ISO_WANT_OFFERINGS | ISO_WANT_PRODUCTS))
        ISO_TRY(fetch_catalog(&own, name, reterr));
    if (want & ISO_WANT_QUOTAS)
        ISO_TRY(iso_alibaba_send_quotas(&own, name, reterr));
    if (want & ISO_WANT_INVENTORY)
        ISO_TRY(iso_alibaba_send_inventory(&own, name, reterr));
    return want & ISO_WANT_USAGE ? iso_alibaba_send_usage(&own, name, reterr) : ISO_OK;
}

static enum iso_status alibaba_fetch(void *state, const struct iso_fetch *what,
                                     struct iso_sink *sink, struct iso_failure *retfailure,
                                     struct iso_error *reterr)
{
    const struct iso_alibaba *alibaba = state;
    ISO_AUTO(iso_scratch) row = iso_scratch_new(ROW_BYTES);
    const struct iso_alibaba_fetch fetch = {
        .alibaba = alibaba,
        .host = alibaba->host,
        .what = what,
        .sink = sink,
        .failure = retfailure,
        .row = row,
        .now_ns = alibaba->host->now_ns(alibaba->host),
    };

    if (!row)
        return iso_alibaba_full(reterr);
    for (size_t i = 0; i < alibaba->n_regions; i++)
        ISO_TRY(fetch_region(&fetch, alibaba->regions[i], reterr));
    return what->want & ISO_WANT_COSTS ? iso_alibaba_send_costs(&fetch, reterr) : ISO_OK;
}

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG | ISO_CAP_PRICE | ISO_CAP_CAPACITY | ISO_CAP_QUOTA | ISO_CAP_USAGE |
            ISO_CAP_COST | ISO_CAP_INVENTORY,
    .name = "alibaba",
    .version = ISO_VERSION,
    .summary = "Alibaba Cloud: ECS instances, their prices, quotas, usage and costs.",
    .params = params,
    .config_size = sizeof(struct iso_alibaba_config),
    .create = alibaba_create,
    .destroy = alibaba_destroy,
    .fetch = alibaba_fetch,
};
