/* aws: catalogs, prices, quotas, usage, costs and inventory of Amazon Web Services. README.md lists
 * the calls, what they need and what they cost. */
#include <ctype.h>

#include "aws.h"

#define ROW_BYTES ((size_t)16 << 20)
#define KEPT_BYTES ((size_t)64 << 20)

static const struct iso_param params[] = {
    {ISO_PARAM_TEXT, "regions", NULL, 1, 2000, "", NULL,
     "Regions, with commas between them, e.g. us-east-1,eu-west-1.",
     offsetof(struct iso_aws_config, regions)},
    {ISO_PARAM_TEXT, "catalog", "account", 1, 16, "", "account|public",
     "Whether types and zones are the account's, or the public price list's without zones and "
     "spot; public needs no credentials.",
     offsetof(struct iso_aws_config, catalog)},
    {ISO_PARAM_TEXT, "prices", "file", 1, 16, "", "file|query",
     "Whether prices are read from the bulk files or asked of the query API.",
     offsetof(struct iso_aws_config, prices)},
    {ISO_PARAM_BOOL, "zones", "true", 0, 0, "", NULL,
     "Gives on-demand offerings for each zone that has them; false: for the region.",
     offsetof(struct iso_aws_config, zones)},
    {ISO_PARAM_BOOL, "spot", "true", 0, 0, "", NULL, "Gives spot offerings.",
     offsetof(struct iso_aws_config, spot)},
    {ISO_PARAM_BOOL, "reserved", "true", 0, 0, "", NULL, "Gives reserved instances as products.",
     offsetof(struct iso_aws_config, reserved)},
    {ISO_PARAM_BOOL, "savings_plans", "true", 0, 0, "", NULL,
     "Gives Compute Savings Plans as products.", offsetof(struct iso_aws_config, savings_plans)},
    {ISO_PARAM_INT, "max_price_file_mib", "2048", 1, 65536, "MiB", NULL,
     "Most MiB of one price file, decoded.", offsetof(struct iso_aws_config, max_price_file_mib)},
    {ISO_PARAM_INT, "usage_period_seconds", "3600", 60, 86400, "s", NULL,
     "Length of a sample of usage; a multiple of 60.",
     offsetof(struct iso_aws_config, usage_period_seconds)},
    {ISO_PARAM_BOOL, "cost_explorer", "false", 0, 0, "", NULL,
     "Allows Cost Explorer, of which each page costs USD 0.01.",
     offsetof(struct iso_aws_config, cost_explorer)},
    {ISO_PARAM_INT, "cost_cache_hours", "24", 1, 8760, "h", NULL,
     "Age up to which answers of Cost Explorer are used again.",
     offsetof(struct iso_aws_config, cost_cache_hours)},
    {.type = ISO_PARAM_END},
};

enum iso_status iso_aws_full(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for what AWS told");
}

const char *iso_aws_keep(const struct iso_aws_fetch *fetch, const char *text)
{
    return iso_scratch_text(fetch->kept, text, strlen(text));
}

const char *iso_aws_family(const struct iso_aws_fetch *fetch, const char *type)
{
    return iso_scratch_text(fetch->kept, type, strcspn(type, "."));
}

/* Splits at commas; a region is letters, digits and '-', so that it can stand in a host's name. */
static enum iso_status read_regions(struct iso_aws *aws, const char *text, struct iso_error *reterr)
{
    while (*text) {
        size_t n = strcspn(text, ", "), i = 0;
        for (; i < n && (islower((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
                         text[i] == '-');)
            i++;
        if (i < n || n >= ISO_AWS_REGION_BYTES || aws->n_regions == ISO_AWS_MAX_REGIONS)
            return iso_fail(reterr, ISO_E_INVALID, "regions",
                            "\"%.64s\": up to %d regions such as us-east-1, with commas", text,
                            ISO_AWS_MAX_REGIONS);
        if (n > 0)
            memcpy(aws->regions[aws->n_regions++], text, n);
        text += n + (text[n] != '\0');
    }
    return aws->n_regions > 0
               ? ISO_OK
               : iso_fail(reterr, ISO_E_INVALID, "regions", "there is no region in it");
}

static enum iso_status aws_create(const void *config, const struct iso_host *host,
                                  void **ret_instance, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_aws *aws = iso_calloc(1, sizeof(*aws));

    if (!aws)
        return iso_aws_full(reterr);
    aws->config = config;
    aws->host = host;
    ISO_TRY(read_regions(aws, aws->config->regions, reterr));
    if (aws->config->usage_period_seconds % 60 != 0)
        return iso_fail(reterr, ISO_E_INVALID, "usage_period_seconds", "%lld is no multiple of 60",
                        (long long)aws->config->usage_period_seconds);
    *ret_instance = ISO_STEAL(aws);
    return ISO_OK;
}

static void aws_destroy(void *instance)
{
    free(instance);
}

static void region_fini(struct iso_aws_region *region)
{
    iso_dictionary_free(region->zones);
    iso_dictionary_free(region->types);
    iso_dictionary_free(region->offered);
    iso_dictionary_free(region->prices);
    iso_dictionary_free(region->reserved);
    iso_dictionary_free(region->skus);
}

static bool region_init(struct iso_aws_region *region, const char *name)
{
    *region = (struct iso_aws_region){
        .name = name,
        .zones = iso_dictionary_new(sizeof(struct iso_aws_zone)),
        .types = iso_dictionary_new(sizeof(struct iso_aws_type)),
        .offered = iso_dictionary_new(0),
        .prices = iso_dictionary_new(sizeof(struct iso_aws_price)),
        .reserved = iso_dictionary_new(sizeof(struct iso_aws_reserved)),
        .skus = iso_dictionary_new(sizeof(const char *)),
    };
    return region->zones && region->types && region->offered && region->prices &&
           region->reserved && region->skus;
}

/* Offerings and products; the order is that of what needs what. */
static enum iso_status fetch_catalog(const struct iso_aws_fetch *fetch,
                                     struct iso_aws_region *region, struct iso_error *reterr)
{
    const struct iso_aws_config *config = fetch->aws->config;
    bool account = strcmp(config->catalog, "account") == 0;
    bool offerings = fetch->what->want & ISO_WANT_OFFERINGS;
    bool products = fetch->what->want & ISO_WANT_PRODUCTS;

    if (!offerings && !(products && (config->reserved || config->savings_plans)))
        return ISO_OK;
    if (account && offerings)
        ISO_TRY(iso_aws_fetch_types(fetch, region, reterr));
    ISO_TRY(iso_aws_fetch_prices(fetch, region, reterr));
    if (offerings)
        ISO_TRY(iso_aws_send_offerings(fetch, region, reterr));
    if (account && offerings && config->spot)
        ISO_TRY(iso_aws_send_spot(fetch, region, reterr));
    if (products && config->reserved)
        ISO_TRY(iso_aws_send_reserved(fetch, region, reterr));
    if (products && config->savings_plans)
        ISO_TRY(iso_aws_gather_savings(fetch, region, reterr));
    return ISO_OK;
}

static enum iso_status fetch_region(const struct iso_aws_fetch *fetch, const char *name,
                                    struct iso_error *reterr)
{
    uint32_t want = fetch->what->want;
    bool account = strcmp(fetch->aws->config->catalog, "account") == 0;
    struct iso_aws_region region;
    enum iso_status status = ISO_OK;

    if (!region_init(&region, name))
        status = iso_aws_full(reterr);
    if (status == ISO_OK && account && (want & (ISO_WANT_OFFERINGS | ISO_WANT_INVENTORY)))
        status = iso_aws_fetch_zones(fetch, &region, reterr);
    if (status == ISO_OK)
        status = fetch_catalog(fetch, &region, reterr);
    if (status == ISO_OK && account && (want & ISO_WANT_QUOTAS))
        status = iso_aws_send_quotas(fetch, name, reterr);
    if (status == ISO_OK && (want & ISO_WANT_INVENTORY))
        status = iso_aws_send_inventory(fetch, &region, reterr);
    if (status == ISO_OK && (want & ISO_WANT_USAGE))
        status = iso_aws_send_usage(fetch, name, reterr);
    region_fini(&region);
    iso_scratch_reset(fetch->kept); /* nothing of a region is needed after it */
    return status;
}

static enum iso_status fetch_all(const struct iso_aws_fetch *fetch, struct iso_error *reterr)
{
    for (size_t i = 0; i < fetch->aws->n_regions; i++)
        ISO_TRY(fetch_region(fetch, fetch->aws->regions[i], reterr));
    ISO_TRY(iso_spend_send(fetch->savings, fetch->sink, reterr));
    return fetch->what->want & ISO_WANT_COSTS ? iso_aws_send_costs(fetch, reterr) : ISO_OK;
}

static enum iso_status aws_fetch(void *state, const struct iso_fetch *what, struct iso_sink *sink,
                                 struct iso_failure *retfailure, struct iso_error *reterr)
{
    const struct iso_aws *aws = state;
    ISO_AUTO(iso_scratch) row = iso_scratch_new(ROW_BYTES);
    ISO_AUTO(iso_scratch) kept = iso_scratch_new(KEPT_BYTES);
    ISO_AUTO(iso_spend) savings = iso_spend_new();
    const struct iso_aws_fetch fetch = {
        .aws = aws,
        .host = aws->host,
        .what = what,
        .sink = sink,
        .failure = retfailure,
        .row = row,
        .kept = kept,
        .now_ns = aws->host->now_ns(aws->host),
        .savings = savings,
    };

    return row && kept && savings ? fetch_all(&fetch, reterr) : iso_aws_full(reterr);
}

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG | ISO_CAP_PRICE | ISO_CAP_CAPACITY | ISO_CAP_QUOTA | ISO_CAP_USAGE |
            ISO_CAP_COST | ISO_CAP_INVENTORY,
    .name = "aws",
    .version = ISO_VERSION,
    .summary = "Amazon Web Services: EC2, its prices, quotas, usage and costs.",
    .params = params,
    .config_size = sizeof(struct iso_aws_config),
    .create = aws_create,
    .destroy = aws_destroy,
    .fetch = aws_fetch,
};
