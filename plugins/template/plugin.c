/* template: a plugin to copy. It gives as many made-up offerings as it is asked for.
 *
 * Read from the bottom up: the descriptor, the parameters, then what the plugin does. Copy the
 * folder, rename it, add one line to plugins/CMakeLists.txt; docs/howto/add-a-provider.md makes a
 * plugin that asks a cloud step by step. */
#include <stdio.h>

#include "isocost/plugin.h"

/* What the parameter table fills; the host has checked every value. */
struct config {
    int64_t offerings;
    double price;
    const char *region;
};

static const struct iso_param params[] = {
    {ISO_PARAM_INT, "offerings", "3", 0, 1000000, "", NULL, "How many offerings there are.",
     offsetof(struct config, offerings)},
    {ISO_PARAM_REAL, "price", "0.1", 0.000001, 1000, "USD", NULL,
     "Price of an hour of the smallest offering.", offsetof(struct config, price)},
    {ISO_PARAM_TEXT, "region", "nowhere-1", 1, 64, "", NULL, "Region of all offerings.",
     offsetof(struct config, region)},
    {.type = ISO_PARAM_END},
};

/* The state of one configured instance. There is no other: no global variables. */
struct instance {
    const struct config *config;
    const struct iso_host *host;
};

static enum iso_status template_create(const void *config, const struct iso_host *host,
                                       void **ret_instance, struct iso_error *reterr)
{
    struct instance *instance = iso_calloc(1, sizeof(*instance));

    if (!instance)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an instance");
    instance->config = config;
    instance->host = host;
    *ret_instance = instance;
    return ISO_OK;
}

static void template_destroy(void *instance)
{
    free(instance);
}

/* Offering `i` has i + 1 processors and twice as many GiB, at as many times the price. Decimals
 * count billionths, so a whole number of anything is that number times ISO_DECIMAL_ONE. */
static enum iso_status send_offering(const struct instance *instance, int64_t i,
                                     struct iso_sink *sink, struct iso_error *reterr)
{
    char type[32];
    iso_decimal size = (i + 1) * ISO_DECIMAL_ONE, price;
    struct iso_plugin_offering offering = {
        .provider = "template",
        .region = instance->config->region,
        .type = type,
        .purchase = ISO_PLUGIN_PURCHASE_ON_DEMAND,
        .currency = "USD",
        .observed_ns = instance->host->now_ns(instance->host),
    };

    snprintf(type, sizeof(type), "made-up-%lld", (long long)i + 1);
    ISO_TRY(iso_decimal_from_double(instance->config->price, &price, reterr));
    offering.price.present =
        iso_decimal_multiply(price, size, ISO_ROUND_HALF_EVEN, &offering.price.value);
    offering.resources[ISO_PLUGIN_RESOURCE_VCPU] = (struct iso_amount){true, size};
    offering.resources[ISO_PLUGIN_RESOURCE_MEMORY_GIB] = (struct iso_amount){true, 2 * size};
    return iso_put_offerings(sink, &offering, 1, reterr);
}

/* An error here loses the whole fetch, and the server keeps the catalog that it has: never end well
 * with half of the rows. A single bad row is not an error; iso_put_diagnostics() tells of it. */
static enum iso_status template_fetch(void *state, const struct iso_fetch *what,
                                      struct iso_sink *sink, struct iso_failure *retfailure,
                                      struct iso_error *reterr)
{
    const struct instance *instance = state;

    (void)retfailure; /* for what a provider's answer says more: its code, how long to wait */
    if (!(what->want & ISO_WANT_OFFERINGS))
        return ISO_OK;
    for (int64_t i = 0; i < instance->config->offerings; i++)
        ISO_TRY(send_offering(instance, i, sink, reterr));
    instance->host->log(instance->host, ISO_LOG_DEBUG, "sent all offerings");
    return ISO_OK;
}

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG | ISO_CAP_PRICE,
    .name = "template",
    .version = "1.0.0",
    .summary = "Gives made-up offerings; a plugin to copy.",
    .params = params,
    .config_size = sizeof(struct config),
    .create = template_create,
    .destroy = template_destroy,
    .fetch = template_fetch,
};
