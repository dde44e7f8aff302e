/* azure: catalogs, prices, quotas, usage, costs and inventory of Microsoft Azure. README.md lists
 * the calls, what they need and what they cost. */
#include <ctype.h>
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/words.h"

#define ROW_BYTES ((size_t)16 << 20)
#define KEPT_BYTES ((size_t)128 << 20)

static const struct iso_param params[] = {
    {ISO_PARAM_TEXT, "subscription", NULL, 1, 64, "", NULL, "Id of the subscription.",
     offsetof(struct iso_azure_config, subscription)},
    {ISO_PARAM_TEXT, "regions", NULL, 1, 4000, "", NULL,
     "Regions, with commas between them, e.g. eastus,westeurope.",
     offsetof(struct iso_azure_config, regions)},
    {ISO_PARAM_TEXT, "currency", "USD", 3, 3, "", NULL,
     "Currency of prices; those in other currencies than USD are estimates of Microsoft's.",
     offsetof(struct iso_azure_config, currency)},
    {ISO_PARAM_BOOL, "zones", "true", 0, 0, "", NULL,
     "Gives offerings for each zone that has them; false: for the region.",
     offsetof(struct iso_azure_config, zones)},
    {ISO_PARAM_BOOL, "spot", "true", 0, 0, "", NULL, "Gives spot offerings.",
     offsetof(struct iso_azure_config, spot)},
    {ISO_PARAM_BOOL, "reservations", "true", 0, 0, "", NULL, "Gives reservations as products.",
     offsetof(struct iso_azure_config, reservations)},
    {ISO_PARAM_BOOL, "savings_plans", "true", 0, 0, "", NULL,
     "Gives savings plans for compute as products.",
     offsetof(struct iso_azure_config, savings_plans)},
    {ISO_PARAM_TEXT, "usage_interval", "PT1H", 1, 8, "",
     "PT1M|PT5M|PT15M|PT30M|PT1H|PT6H|PT12H|P1D", "Length of a sample of usage.",
     offsetof(struct iso_azure_config, usage_interval)},
    {.type = ISO_PARAM_END},
};

enum iso_status iso_azure_full(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for what Azure told");
}

const char *iso_azure_keep(const struct iso_azure_fetch *fetch, const char *text)
{
    return iso_scratch_text(fetch->kept, text, strlen(text));
}

static const char *lower(struct iso_scratch *memory, const char *text)
{
    char *copy = iso_scratch_text(memory, text, strlen(text));

    for (char *c = copy; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

const char *iso_azure_keep_lower(const struct iso_azure_fetch *fetch, const char *text)
{
    return lower(fetch->kept, text);
}

const char *iso_azure_row_lower(const struct iso_azure_fetch *fetch, const char *text)
{
    return lower(fetch->row, text);
}

const char *iso_azure_known_region(const struct iso_azure *azure, const char *name)
{
    for (size_t i = 0; i < azure->n_regions; i++)
        if (iso_name_equal(azure->regions[i], name))
            return azure->regions[i];
    return NULL;
}

const char *iso_azure_zone_id(const struct iso_azure_fetch *fetch, const char *region,
                              const char *number)
{
    char key[ISO_AZURE_PLACE_BYTES];

    if (!number)
        return NULL;
    snprintf(key, sizeof(key), "%s/%s", region, number);
    const char *const *id = iso_dictionary_find(fetch->zone_ids, key);
    return id ? *id : number;
}

static bool is_plain(const char *text, size_t n, bool dash)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && !(dash && text[i] == '-'))
            return false;
    return true;
}

/* Splits at commas; a region is letters and digits, so that it can stand in a path. */
static enum iso_status read_regions(struct iso_azure *azure, const char *text,
                                    struct iso_error *reterr)
{
    while (*text) {
        size_t n = strcspn(text, ", ");
        if (!is_plain(text, n, /* dash= */ false) || n >= ISO_AZURE_REGION_BYTES ||
            azure->n_regions == ISO_AZURE_MAX_REGIONS)
            return iso_fail(reterr, ISO_E_INVALID, "regions",
                            "\"%.64s\": up to %d regions such as eastus, with commas", text,
                            ISO_AZURE_MAX_REGIONS);
        for (size_t i = 0; i < n; i++)
            azure->regions[azure->n_regions][i] = (char)tolower((unsigned char)text[i]);
        azure->n_regions += n > 0;
        text += n + (text[n] != '\0');
    }
    return azure->n_regions > 0
               ? ISO_OK
               : iso_fail(reterr, ISO_E_INVALID, "regions", "there is no region in it");
}

static enum iso_status azure_create(const void *config, const struct iso_host *host,
                                    void **ret_instance, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_azure *azure = iso_calloc(1, sizeof(*azure));

    if (!azure)
        return iso_azure_full(reterr);
    azure->config = config;
    azure->host = host;
    const char *subscription = azure->config->subscription, *currency = azure->config->currency;
    if (!is_plain(subscription, strlen(subscription), /* dash= */ true))
        return iso_fail(reterr, ISO_E_INVALID, "subscription",
                        "\"%.64s\" is not letters, digits and '-'", subscription);
    if (!is_plain(currency, strlen(currency), /* dash= */ false))
        return iso_fail(reterr, ISO_E_INVALID, "currency", "\"%s\" is not a code such as USD",
                        currency);
    ISO_TRY(read_regions(azure, azure->config->regions, reterr));
    *ret_instance = ISO_STEAL(azure);
    return ISO_OK;
}

static void azure_destroy(void *instance)
{
    free(instance);
}

static enum iso_status fetch_catalog(const struct iso_azure_fetch *fetch,
                                     struct iso_azure_region *region, struct iso_error *reterr)
{
    bool offerings = fetch->what->want & ISO_WANT_OFFERINGS;
    bool products = fetch->what->want & ISO_WANT_PRODUCTS;

    if (offerings)
        ISO_TRY(iso_azure_fetch_types(fetch, region, reterr));
    if (offerings || products)
        ISO_TRY(iso_azure_fetch_prices(fetch, region, reterr));
    if (offerings)
        ISO_TRY(iso_azure_send_offerings(fetch, region, reterr));
    if (products)
        ISO_TRY(iso_azure_send_products(fetch, region, reterr));
    return fetch->what->want & ISO_WANT_QUOTAS ? iso_azure_send_quotas(fetch, region->name, reterr)
                                               : ISO_OK;
}

/* Each region has memory of its own: prices of all regions at once would be too much. */
static enum iso_status fetch_region(const struct iso_azure_fetch *fetch, const char *name,
                                    struct iso_error *reterr)
{
    ISO_AUTO(iso_scratch) kept = iso_scratch_new(KEPT_BYTES);
    ISO_AUTO(iso_dictionary) types = iso_dictionary_new(sizeof(struct iso_azure_type));
    ISO_AUTO(iso_dictionary) prices = iso_dictionary_new(sizeof(struct iso_azure_prices));
    struct iso_azure_region region = {name, types, prices};
    struct iso_azure_fetch own = *fetch;

    own.kept = kept;
    return kept && types && prices ? fetch_catalog(&own, &region, reterr) : iso_azure_full(reterr);
}

static enum iso_status fetch_regions(const struct iso_azure_fetch *fetch, struct iso_error *reterr)
{
    for (size_t i = 0; i < fetch->azure->n_regions; i++)
        ISO_TRY(fetch_region(fetch, fetch->azure->regions[i], reterr));
    return iso_spend_send(fetch->savings, fetch->sink, reterr);
}

static enum iso_status fetch_machines(const struct iso_azure_fetch *fetch, struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) machines = iso_dictionary_new(sizeof(struct iso_azure_machine));

    if (!machines)
        return iso_azure_full(reterr);
    ISO_TRY(iso_azure_fetch_machines(fetch, machines, reterr));
    if (fetch->what->want & ISO_WANT_INVENTORY)
        ISO_TRY(iso_azure_send_inventory(fetch, machines, reterr));
    return fetch->what->want & ISO_WANT_USAGE ? iso_azure_send_usage(fetch, machines, reterr)
                                              : ISO_OK;
}

static enum iso_status fetch_all(const struct iso_azure_fetch *fetch, struct iso_error *reterr)
{
    uint32_t want = fetch->what->want;

    if (want & (ISO_WANT_OFFERINGS | ISO_WANT_INVENTORY))
        ISO_TRY(iso_azure_fetch_zones(fetch, reterr));
    if (want & (ISO_WANT_OFFERINGS | ISO_WANT_PRODUCTS | ISO_WANT_QUOTAS))
        ISO_TRY(fetch_regions(fetch, reterr));
    if (want & (ISO_WANT_INVENTORY | ISO_WANT_USAGE))
        ISO_TRY(fetch_machines(fetch, reterr));
    return want & ISO_WANT_COSTS ? iso_azure_send_costs(fetch, reterr) : ISO_OK;
}

static enum iso_status azure_fetch(void *state, const struct iso_fetch *what, struct iso_sink *sink,
                                   struct iso_failure *retfailure, struct iso_error *reterr)
{
    const struct iso_azure *azure = state;
    ISO_AUTO(iso_scratch) row = iso_scratch_new(ROW_BYTES);
    ISO_AUTO(iso_scratch) kept = iso_scratch_new(KEPT_BYTES);
    ISO_AUTO(iso_dictionary) zone_ids = iso_dictionary_new(sizeof(const char *));
    ISO_AUTO(iso_spend) savings = iso_spend_new();
    const struct iso_azure_fetch fetch = {
        .azure = azure,
        .host = azure->host,
        .what = what,
        .sink = sink,
        .failure = retfailure,
        .row = row,
        .kept = kept,
        .zone_ids = zone_ids,
        .savings = savings,
        .now_ns = azure->host->now_ns(azure->host),
    };

    return row && kept && zone_ids && savings ? fetch_all(&fetch, reterr) : iso_azure_full(reterr);
}

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG | ISO_CAP_PRICE | ISO_CAP_CAPACITY | ISO_CAP_QUOTA | ISO_CAP_USAGE |
            ISO_CAP_COST | ISO_CAP_INVENTORY,
    .name = "azure",
    .version = ISO_VERSION,
    .summary = "Microsoft Azure: virtual machines, their prices, quotas, usage and costs.",
    .params = params,
    .config_size = sizeof(struct iso_azure_config),
    .create = azure_create,
    .destroy = azure_destroy,
    .fetch = azure_fetch,
};
