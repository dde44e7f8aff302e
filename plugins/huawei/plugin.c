/* huawei: catalogs, prices, quotas, usage, costs and inventory of Huawei Cloud. README.md lists the
 * calls, what they need and what they cost. */
#include <ctype.h>
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/words.h"

#define ROW_BYTES ((size_t)16 << 20)
#define KEPT_BYTES ((size_t)64 << 20)

static const struct iso_param params[] = {
    {ISO_PARAM_TEXT, "projects", NULL, 1, 8000, "", NULL,
     "Regions and the id of the project that is asked in each, with commas between them, e.g. "
     "cn-north-4:0a1b2c,cn-east-3:3d4e5f.",
     offsetof(struct iso_huawei_config, projects)},
    {ISO_PARAM_TEXT, "site", "china", 1, 16, "", "china|international",
     "Site of the account: where it is billed, and in which currency (CNY or USD) where an answer "
     "does not say.",
     offsetof(struct iso_huawei_config, site)},
    {ISO_PARAM_TEXT, "domain_id", "", 0, 64, "", NULL,
     "Id of the account, which is told with usage, costs and inventory; empty: none.",
     offsetof(struct iso_huawei_config, domain_id)},
    {ISO_PARAM_TEXT, "types", "", 0, 4000, "", NULL,
     "Beginnings of the types to give, with commas between them, e.g. s6.,c7.,kc1.; empty: all.",
     offsetof(struct iso_huawei_config, types)},
    {ISO_PARAM_TEXT, "price", "discounted", 1, 16, "", "discounted|official",
     "Price that is taken: what the account pays, or the one of the public list.",
     offsetof(struct iso_huawei_config, price)},
    {ISO_PARAM_TEXT, "subscriptions", "year", 1, 8, "", "none|month|year|both",
     "Gives subscriptions as products; each term is one more call for a hundred types.",
     offsetof(struct iso_huawei_config, subscriptions)},
    {ISO_PARAM_TEXT, "usage_period_seconds", "3600", 1, 8, "s", "60|300|1200|3600|14400|86400",
     "Length of a sample of usage.", offsetof(struct iso_huawei_config, usage_period_seconds)},
    {.type = ISO_PARAM_END},
};

/* ---- Small things ---- */

enum iso_status iso_huawei_full(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for what Huawei Cloud told");
}

const char *iso_huawei_keep(const struct iso_huawei_fetch *fetch, const char *text)
{
    return iso_scratch_text(fetch->kept, text, strlen(text));
}

bool iso_huawei_is_international(const struct iso_huawei *huawei)
{
    return strcmp(huawei->config->site, "international") == 0;
}

bool iso_huawei_currency(const struct iso_huawei *huawei, const char *said, char ret[4])
{
    return iso_currency_read(said, iso_huawei_is_international(huawei) ? "USD" : "CNY", ret);
}

int64_t iso_huawei_usage_period_s(const struct iso_huawei *huawei)
{
    return strtoll(huawei->config->usage_period_seconds, NULL, 10);
}

const char *iso_huawei_place_of(const struct iso_huawei_fetch *fetch, const char *name,
                                char buffer[ISO_HUAWEI_PLACE_BYTES])
{
    snprintf(buffer, ISO_HUAWEI_PLACE_BYTES, "%s/%.100s", fetch->place->region, name);
    return buffer;
}

/* ---- An instance ---- */

/* Copies letters, digits and '-', so that they can stand in a URL and in a header. */
static bool copy_plain(const char *from, size_t n, char *to, size_t n_to)
{
    if (n == 0 || n >= n_to)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)from[i]) && from[i] != '-')
            return false;
    memcpy(to, from, n);
    to[n] = '\0';
    return true;
}

static enum iso_status read_place(struct iso_huawei *huawei, const char *text, size_t n,
                                  struct iso_error *reterr)
{
    struct iso_huawei_place place = {0};
    const char *colon = memchr(text, ':', n);
    size_t n_region = colon ? (size_t)(colon - text) : 0;

    if (!colon || huawei->n_places == ISO_HUAWEI_MAX_REGIONS ||
        !copy_plain(text, n_region, place.region, sizeof(place.region)) ||
        !copy_plain(colon + 1, n - n_region - 1, place.project, sizeof(place.project)))
        return iso_fail(reterr, ISO_E_INVALID, "projects",
                        "\"%.*s\": up to %d pairs such as cn-north-4:0a1b2c, with commas",
                        n < 64 ? (int)n : 64, text, ISO_HUAWEI_MAX_REGIONS);
    for (size_t i = 0; i < huawei->n_places; i++)
        if (strcmp(huawei->places[i].region, place.region) == 0)
            return iso_fail(reterr, ISO_E_INVALID, "projects",
                            "%s has a project already; another one is a provider of its own",
                            place.region);
    huawei->places[huawei->n_places++] = place;
    return ISO_OK;
}

static enum iso_status read_places(struct iso_huawei *huawei, const char *text,
                                   struct iso_error *reterr)
{
    while (*text) {
        size_t n = strcspn(text, ", ");
        if (n > 0)
            ISO_TRY(read_place(huawei, text, n, reterr));
        text += n + (text[n] != '\0');
    }
    return huawei->n_places > 0
               ? ISO_OK
               : iso_fail(reterr, ISO_E_INVALID, "projects", "there is no region in it");
}

static enum iso_status huawei_create(const void *config, const struct iso_host *host,
                                     void **ret_instance, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_huawei *huawei = iso_calloc(1, sizeof(*huawei));
    char domain[ISO_HUAWEI_PROJECT_BYTES];

    if (!huawei)
        return iso_huawei_full(reterr);
    huawei->config = config;
    huawei->host = host;
    const char *id = huawei->config->domain_id;
    if (id[0] && !copy_plain(id, strlen(id), domain, sizeof(domain)))
        return iso_fail(reterr, ISO_E_INVALID, "domain_id",
                        "\"%.64s\" is not letters, digits and '-'", id);
    ISO_TRY(read_places(huawei, huawei->config->projects, reterr));
    *ret_instance = ISO_STEAL(huawei);
    return ISO_OK;
}

static void huawei_destroy(void *instance)
{
    free(instance);
}

/* ---- A fetch ---- */

static enum iso_status fetch_catalog(const struct iso_huawei_fetch *fetch, struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) types = iso_dictionary_new(sizeof(struct iso_huawei_type));
    struct iso_huawei_region region = {.types = types};
    uint32_t want = fetch->what->want;

    if (!types)
        return iso_huawei_full(reterr);
    ISO_TRY(iso_huawei_fetch_zones(fetch, &region, reterr));
    ISO_TRY(iso_huawei_fetch_types(fetch, &region, reterr));
    ISO_TRY(iso_huawei_fetch_prices(fetch, &region, reterr));
    if (want & ISO_WANT_OFFERINGS)
        ISO_TRY(iso_huawei_send_offerings(fetch, &region, reterr));
    return want & ISO_WANT_PRODUCTS ? iso_huawei_send_products(fetch, &region, reterr) : ISO_OK;
}

/* Each region has memory of its own, and so have the costs of the account, whose place is NULL. */
static enum iso_status fetch_place(const struct iso_huawei_fetch *fetch,
                                   const struct iso_huawei_place *place, struct iso_error *reterr)
{
    ISO_AUTO(iso_scratch) kept = iso_scratch_new(KEPT_BYTES);
    struct iso_huawei_fetch own = *fetch;
    uint32_t want = fetch->what->want;

    if (!kept)
        return iso_huawei_full(reterr);
    own.kept = kept;
    own.place = place;
    if (!place)
        return iso_huawei_send_costs(&own, reterr);
    if (want & (ISO_WANT_OFFERINGS | ISO_WANT_PRODUCTS))
        ISO_TRY(fetch_catalog(&own, reterr));
    if (want & ISO_WANT_QUOTAS)
        ISO_TRY(iso_huawei_send_quotas(&own, reterr));
    if (want & ISO_WANT_INVENTORY)
        ISO_TRY(iso_huawei_send_inventory(&own, reterr));
    return want & ISO_WANT_USAGE ? iso_huawei_send_usage(&own, reterr) : ISO_OK;
}

static enum iso_status huawei_fetch(void *state, const struct iso_fetch *what,
                                    struct iso_sink *sink, struct iso_failure *retfailure,
                                    struct iso_error *reterr)
{
    const struct iso_huawei *huawei = state;
    ISO_AUTO(iso_scratch) row = iso_scratch_new(ROW_BYTES);
    const struct iso_huawei_fetch fetch = {
        .huawei = huawei,
        .host = huawei->host,
        .what = what,
        .sink = sink,
        .failure = retfailure,
        .row = row,
        .now_ns = huawei->host->now_ns(huawei->host),
    };

    if (!row)
        return iso_huawei_full(reterr);
    for (size_t i = 0; i < huawei->n_places; i++)
        ISO_TRY(fetch_place(&fetch, &huawei->places[i], reterr));
    return what->want & ISO_WANT_COSTS ? fetch_place(&fetch, NULL, reterr) : ISO_OK;
}

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG | ISO_CAP_PRICE | ISO_CAP_CAPACITY | ISO_CAP_QUOTA | ISO_CAP_USAGE |
            ISO_CAP_COST | ISO_CAP_INVENTORY,
    .name = "huawei",
    .version = ISO_VERSION,
    .summary = "Huawei Cloud: ECS instances, their prices, quotas, usage and costs.",
    .params = params,
    .config_size = sizeof(struct iso_huawei_config),
    .create = huawei_create,
    .destroy = huawei_destroy,
    .fetch = huawei_fetch,
};
