/* gcp: catalogs, prices, commitments, quotas, usage and inventory of Google Cloud. README.md lists
 * the calls, what they need and what they cost. */
#include <ctype.h>

#include "gcp.h"

#define ROW_BYTES ((size_t)16 << 20)
#define KEPT_BYTES ((size_t)128 << 20)

static const struct iso_param params[] = {
    {ISO_PARAM_TEXT, "project", NULL, 1, 64, "", NULL, "Id of the project.",
     offsetof(struct iso_gcp_config, project)},
    {ISO_PARAM_TEXT, "regions", NULL, 1, 4000, "", NULL,
     "Regions, with commas between them, e.g. us-central1,europe-west1.",
     offsetof(struct iso_gcp_config, regions)},
    {ISO_PARAM_TEXT, "currency", "USD", 3, 3, "", NULL, "Currency of prices.",
     offsetof(struct iso_gcp_config, currency)},
    {ISO_PARAM_TEXT, "price_auth", "service-account", 1, 16, "", "service-account|api-key",
     "How the public price list is asked for.", offsetof(struct iso_gcp_config, price_auth)},
    {ISO_PARAM_BOOL, "spot", "true", 0, 0, "", NULL, "Gives spot offerings.",
     offsetof(struct iso_gcp_config, spot)},
    {ISO_PARAM_BOOL, "commitments", "true", 0, 0, "", NULL,
     "Gives committed use by resource as products.", offsetof(struct iso_gcp_config, commitments)},
    {ISO_PARAM_INT, "usage_seconds", "3600", 60, 86400, "s", NULL, "Length of a sample of usage.",
     offsetof(struct iso_gcp_config, usage_seconds)},
    {.type = ISO_PARAM_END},
};

enum iso_status iso_gcp_full(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for what Google Cloud told");
}

const char *iso_gcp_keep(const struct iso_gcp_fetch *fetch, const char *text)
{
    return iso_scratch_text(fetch->kept, text, strlen(text));
}

const char *iso_gcp_known_region(const struct iso_gcp *gcp, const char *name)
{
    for (size_t i = 0; i < gcp->n_regions; i++)
        if (strcmp(gcp->regions[i], name) == 0)
            return gcp->regions[i];
    return NULL;
}

const char *iso_gcp_region_of_zone(const struct iso_gcp *gcp, const char *zone)
{
    const char *end = strrchr(zone, '-');

    for (size_t i = 0; end && i < gcp->n_regions; i++)
        if (strlen(gcp->regions[i]) == (size_t)(end - zone) &&
            memcmp(gcp->regions[i], zone, (size_t)(end - zone)) == 0)
            return gcp->regions[i];
    return NULL;
}

const char *iso_gcp_last_name(const char *url)
{
    const char *slash = strrchr(url, '/');

    return slash ? slash + 1 : url;
}

int64_t iso_gcp_integer(const struct iso_gcp_fetch *fetch, const struct iso_json *value,
                        int64_t otherwise)
{
    const char *text = iso_json_scalar(value, fetch->row);
    char *end;

    if (!text || !text[0] || strlen(text) > strlen("-999999999999999999"))
        return otherwise;
    int64_t integer = strtoll(text, &end, 10);
    return *end == '\0' ? integer : otherwise;
}

/* Letters, digits and '-', so that it can stand in a URL. */
static bool is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return false;
    return true;
}

static enum iso_status read_regions(struct iso_gcp *gcp, const char *text, struct iso_error *reterr)
{
    while (*text) {
        size_t n = strcspn(text, ", ");
        if (!is_plain(text, n) || n >= ISO_GCP_REGION_BYTES ||
            gcp->n_regions == ISO_GCP_MAX_REGIONS)
            return iso_fail(reterr, ISO_E_INVALID, "regions",
                            "\"%.64s\": up to %d regions such as us-central1, with commas", text,
                            ISO_GCP_MAX_REGIONS);
        for (size_t i = 0; i < n; i++)
            gcp->regions[gcp->n_regions][i] = (char)tolower((unsigned char)text[i]);
        gcp->n_regions += n > 0;
        text += n + (text[n] != '\0');
    }
    return gcp->n_regions > 0
               ? ISO_OK
               : iso_fail(reterr, ISO_E_INVALID, "regions", "there is no region in it");
}

static enum iso_status gcp_create(const void *config, const struct iso_host *host,
                                  void **ret_instance, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_gcp *gcp = iso_calloc(1, sizeof(*gcp));

    if (!gcp)
        return iso_gcp_full(reterr);
    gcp->config = config;
    gcp->host = host;
    const char *project = gcp->config->project, *currency = gcp->config->currency;
    if (!is_plain(project, strlen(project)))
        return iso_fail(reterr, ISO_E_INVALID, "project",
                        "\"%.64s\" is not letters, digits and '-'", project);
    if (!is_plain(currency, strlen(currency)))
        return iso_fail(reterr, ISO_E_INVALID, "currency", "\"%s\" is not a code such as USD",
                        currency);
    ISO_TRY(read_regions(gcp, gcp->config->regions, reterr));
    *ret_instance = ISO_STEAL(gcp);
    return ISO_OK;
}

static void gcp_destroy(void *instance)
{
    free(instance);
}

static enum iso_status fetch_catalog(const struct iso_gcp_fetch *fetch, struct iso_error *reterr)
{
    bool offerings = fetch->what->want & ISO_WANT_OFFERINGS;
    bool products = (fetch->what->want & ISO_WANT_PRODUCTS) && fetch->gcp->config->commitments;

    if (!offerings && !products)
        return ISO_OK;
    ISO_TRY(iso_gcp_fetch_types(fetch, reterr));
    ISO_TRY(iso_gcp_fetch_prices(fetch, reterr));
    if (offerings)
        ISO_TRY(iso_gcp_send_offerings(fetch, reterr));
    return products ? iso_gcp_send_products(fetch, reterr) : ISO_OK;
}

static enum iso_status fetch_instances(const struct iso_gcp_fetch *fetch, struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) instances = iso_dictionary_new(sizeof(struct iso_gcp_instance));

    if (!instances)
        return iso_gcp_full(reterr);
    ISO_TRY(iso_gcp_fetch_instances(fetch, instances, reterr));
    if (fetch->what->want & ISO_WANT_INVENTORY)
        ISO_TRY(iso_gcp_send_inventory(fetch, instances, reterr));
    return fetch->what->want & ISO_WANT_USAGE ? iso_gcp_send_usage(fetch, instances, reterr)
                                              : ISO_OK;
}

static enum iso_status fetch_all(const struct iso_gcp_fetch *fetch, struct iso_error *reterr)
{
    uint32_t want = fetch->what->want;

    ISO_TRY(fetch_catalog(fetch, reterr));
    if (want & ISO_WANT_QUOTAS)
        ISO_TRY(iso_gcp_send_project_quotas(fetch, reterr));
    for (size_t i = 0; (want & ISO_WANT_QUOTAS) && i < fetch->gcp->n_regions; i++)
        ISO_TRY(iso_gcp_send_quotas(fetch, fetch->gcp->regions[i], reterr));
    return want & (ISO_WANT_INVENTORY | ISO_WANT_USAGE) ? fetch_instances(fetch, reterr) : ISO_OK;
}

static enum iso_status gcp_fetch(void *state, const struct iso_fetch *what, struct iso_sink *sink,
                                 struct iso_failure *retfailure, struct iso_error *reterr)
{
    const struct iso_gcp *gcp = state;
    ISO_AUTO(iso_scratch) row = iso_scratch_new(ROW_BYTES);
    ISO_AUTO(iso_scratch) kept = iso_scratch_new(KEPT_BYTES);
    ISO_AUTO(iso_dictionary) types = iso_dictionary_new(sizeof(struct iso_gcp_type));
    ISO_AUTO(iso_dictionary) parts = iso_dictionary_new(sizeof(struct iso_gcp_price));
    const struct iso_gcp_fetch fetch = {
        .gcp = gcp,
        .host = gcp->host,
        .what = what,
        .sink = sink,
        .failure = retfailure,
        .row = row,
        .kept = kept,
        .types = types,
        .parts = parts,
        .now_ns = gcp->host->now_ns(gcp->host),
    };

    return row && kept && types && parts ? fetch_all(&fetch, reterr) : iso_gcp_full(reterr);
}

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG | ISO_CAP_PRICE | ISO_CAP_QUOTA | ISO_CAP_USAGE | ISO_CAP_INVENTORY,
    .name = "gcp",
    .version = ISO_VERSION,
    .summary = "Google Cloud: virtual machines, their prices, commitments, quotas and usage.",
    .params = params,
    .config_size = sizeof(struct iso_gcp_config),
    .create = gcp_create,
    .destroy = gcp_destroy,
    .fetch = gcp_fetch,
};
