/* One fetch from Alibaba Cloud: what the parts of this plugin share.
 *
 * All services speak the RPC style: an action and its parameters in the query of a GET, a document
 * of JSON in return, in which lists of ECS have an object of their own around them. */
#ifndef ISOCOST_ALIBABA_H
#define ISOCOST_ALIBABA_H

#include "isocost/plugin.h"
#include "isocost/sdk/dictionary.h"
#include "isocost/sdk/json_document.h"
#include "isocost/sdk/scratch.h"
#include "isocost/sdk/text.h"

#define ISO_ALIBABA_ECS_VERSION "2014-05-26"
#define ISO_ALIBABA_REGION_BYTES 48
#define ISO_ALIBABA_MAX_REGIONS 64
#define ISO_ALIBABA_MAX_ZONES 32
#define ISO_ALIBABA_PLACE_BYTES 192

struct iso_alibaba_config {
    const char *site, *regions, *types, *price, *subscriptions;
    int64_t max_priced_types, usage_period_seconds;
    bool spot;
};

/* A configured instance. */
struct iso_alibaba {
    const struct iso_alibaba_config *config;
    const struct iso_host *host;
    size_t n_regions;
    char regions[ISO_ALIBABA_MAX_REGIONS][ISO_ALIBABA_REGION_BYTES];
};

/* A fetch under way. */
struct iso_alibaba_fetch {
    const struct iso_alibaba *alibaba;
    const struct iso_host *host;
    const struct iso_fetch *what;
    struct iso_sink *sink;
    struct iso_failure *failure;
    struct iso_scratch *row;  /* memory of the row under way */
    struct iso_scratch *kept; /* memory of the region under way */
    int64_t now_ns;
};

/* A price in words of its source. */
struct iso_alibaba_price {
    struct iso_amount amount;
    char currency[4];
};

/* A zone that names a type. */
struct iso_alibaba_zone {
    const char *id, *stock;  /* e.g. "cn-hangzhou-g" and "WithStock" */
    int32_t on_demand, spot; /* enum iso_plugin_status; 0: not offered so */
    struct iso_alibaba_price spot_price;
    int64_t spot_ns; /* when that price was */
};

/* A type of instance as a region offers it; key: its name. */
struct iso_alibaba_type {
    bool known; /* DescribeInstanceTypes told it; else only zones or nothing named it */
    const char *family, *arch, *gpu_model;
    struct iso_amount resources[ISO_PLUGIN_N_RESOURCES];
    size_t n_zones;
    struct iso_alibaba_zone zones[ISO_ALIBABA_MAX_ZONES];
    struct iso_alibaba_price hour, month, year;
};

/* A region under way. */
struct iso_alibaba_region {
    const char *name;
    struct iso_dictionary *types; /* struct iso_alibaba_type */
};

/* ---- Calls (call.c) ---- */

/* Takes a page. */
typedef enum iso_status (*iso_alibaba_on_page)(void *context, const struct iso_json *answer,
                                               struct iso_error *reterr);

/* What is asked, page by page. `host` is a format of a name with the region in it, or a name. */
struct iso_alibaba_call {
    const char *service; /* to the operator: "ecs", "quotas", "metrics" or "business" */
    const char *host, *version, *action;
    const char *region;     /* RegionId; NULL: none */
    const char *parameters; /* "&Name=value..." with encoded values, or NULL */
    const char *cursor;     /* parameter that asks for a next page, and NULL: there is one page */
    const char *next;       /* path of its value in an answer */
};

/* Errors: those of the host and on_page(); an answer of status 200 with Success false is judged by
 * its code. ISO_E_INVALID when a cursor comes twice. */
enum iso_status iso_alibaba_ask(const struct iso_alibaba_fetch *fetch,
                                const struct iso_alibaba_call *call, iso_alibaba_on_page on_page,
                                void *context, struct iso_error *reterr);

/* An action of ECS in a region; `cursor` and `next` as above. */
enum iso_status iso_alibaba_ask_ecs(const struct iso_alibaba_fetch *fetch, const char *region,
                                    const char *action, const char *parameters,
                                    iso_alibaba_on_page on_page, void *context,
                                    struct iso_error *reterr);

/* ---- Parts of the catalog: each fills region->types ---- */

enum iso_status iso_alibaba_fetch_types(const struct iso_alibaba_fetch *fetch,
                                        struct iso_alibaba_region *region,
                                        struct iso_error *reterr);
enum iso_status iso_alibaba_fetch_zones(const struct iso_alibaba_fetch *fetch,
                                        struct iso_alibaba_region *region,
                                        struct iso_error *reterr);
enum iso_status iso_alibaba_fetch_prices(const struct iso_alibaba_fetch *fetch,
                                         struct iso_alibaba_region *region,
                                         struct iso_error *reterr);
enum iso_status iso_alibaba_fetch_spot(const struct iso_alibaba_fetch *fetch,
                                       const struct iso_alibaba_region *region, const char *name,
                                       struct iso_alibaba_type *type, struct iso_error *reterr);

/* ---- Rows: each sends them ---- */

enum iso_status iso_alibaba_send_offerings(const struct iso_alibaba_fetch *fetch,
                                           const struct iso_alibaba_region *region,
                                           struct iso_error *reterr);
enum iso_status iso_alibaba_send_products(const struct iso_alibaba_fetch *fetch,
                                          const struct iso_alibaba_region *region,
                                          struct iso_error *reterr);
enum iso_status iso_alibaba_send_quotas(const struct iso_alibaba_fetch *fetch, const char *region,
                                        struct iso_error *reterr);
enum iso_status iso_alibaba_send_usage(const struct iso_alibaba_fetch *fetch, const char *region,
                                       struct iso_error *reterr);
enum iso_status iso_alibaba_send_inventory(const struct iso_alibaba_fetch *fetch,
                                           const char *region, struct iso_error *reterr);
enum iso_status iso_alibaba_send_costs(const struct iso_alibaba_fetch *fetch,
                                       struct iso_error *reterr);

/* ---- Small things (plugin.c) ---- */

/* A copy that lives as long as fetch->kept; NULL when memory is short. */
const char *iso_alibaba_keep(const struct iso_alibaba_fetch *fetch, const char *text);

/* Whether the operator wants the type: all of them, or those of the prefixes that were named. */
bool iso_alibaba_is_wanted(const struct iso_alibaba *alibaba, const char *type);

bool iso_alibaba_is_international(const struct iso_alibaba *alibaba);

/* The currency of an answer, or that of the site where it names none. False: it is no code. */
bool iso_alibaba_currency(const struct iso_alibaba *alibaba, const char *said, char ret[4]);

/* Times of ECS leave their seconds out at times ("2026-03-01T00:00Z"). Errors: ISO_E_INVALID. */
enum iso_status iso_alibaba_time(const char *text, int64_t *ret_ns, struct iso_error *reterr);

/* A number at a path, rounded to nine places; absent if it is none. */
struct iso_amount iso_alibaba_amount(const struct iso_alibaba_fetch *fetch,
                                     const struct iso_json *value, const char *path);

enum iso_status iso_alibaba_full(struct iso_error *reterr); /* ISO_E_NOMEM, in words */

#endif
