/* One fetch from Azure: what the parts of this plugin share.
 *
 * The catalog of a region is joined from what two services tell: types, zones and restrictions are
 * the subscription's (Resource Manager), prices are public (Retail Prices). */
#ifndef ISOCOST_AZURE_H
#define ISOCOST_AZURE_H

#include "isocost/plugin.h"
#include "isocost/sdk/dictionary.h"
#include "isocost/sdk/json_document.h"
#include "isocost/sdk/scratch.h"
#include "isocost/sdk/spend.h"
#include "isocost/sdk/text.h"

#define ISO_AZURE_REGION_BYTES 48
#define ISO_AZURE_MAX_REGIONS 80
#define ISO_AZURE_PLACE_BYTES 192
#define ISO_AZURE_NAME_BYTES 128
#define ISO_AZURE_MAX_ZONES 8
#define ISO_AZURE_MAX_TERMS 5 /* years of a commitment */

struct iso_azure_config {
    const char *subscription, *regions, *currency, *usage_interval;
    bool zones, spot, reservations, savings_plans;
};

/* A configured instance. */
struct iso_azure {
    const struct iso_azure_config *config;
    const struct iso_host *host;
    size_t n_regions;
    char regions[ISO_AZURE_MAX_REGIONS][ISO_AZURE_REGION_BYTES];
};

/* A fetch under way. */
struct iso_azure_fetch {
    const struct iso_azure *azure;
    const struct iso_host *host;
    const struct iso_fetch *what;
    struct iso_sink *sink;
    struct iso_failure *failure;
    struct iso_scratch *row;         /* memory of the row under way */
    struct iso_scratch *kept;        /* memory of the region, or of what has none, under way */
    struct iso_dictionary *zone_ids; /* by "region/1": const char *, e.g. "eastus-az3" */
    struct iso_spend *savings;       /* savings plans of all regions */
    int64_t now_ns;
};

/* A size of machine as a region offers it to the subscription; key: its name in lower case. */
struct iso_azure_type {
    const char *name; /* as Azure writes it, e.g. "Standard_D2s_v5" */
    const char *family, *arch;
    struct iso_amount resources[ISO_PLUGIN_N_RESOURCES];
    size_t n_zones;
    struct {
        const char *number; /* the subscription's, e.g. "1" */
        bool restricted;
    } zones[ISO_AZURE_MAX_ZONES];
    bool restricted, spot;
};

/* A price of an hour; which of several meters it is from. */
struct iso_azure_price {
    struct iso_amount hourly;
    char meter[40]; /* a UUID; "": there is no price */
    int64_t effective_ns;
    bool ambiguous; /* several, and nothing to tell which */
};

/* Prices of a type; key: its name in lower case. */
struct iso_azure_prices {
    struct iso_azure_price on_demand, spot;
    struct iso_azure_price reserved[ISO_AZURE_MAX_TERMS + 1]; /* by years */
    struct iso_amount savings[ISO_AZURE_MAX_TERMS + 1];       /* of the on-demand price; by years */
    char currency[4];
};

/* A region under way. */
struct iso_azure_region {
    const char *name;
    struct iso_dictionary *types;  /* struct iso_azure_type */
    struct iso_dictionary *prices; /* struct iso_azure_prices */
};

/* ---- Calls (call.c) ---- */

/* Takes a page. */
typedef enum iso_status (*iso_azure_on_page)(void *context, const struct iso_json *answer,
                                             struct iso_error *reterr);

/* What is asked, page by page: each but the first is asked at the link of the one before, which may
 * not leave the host. `method` is GET, or POST with `body` on every page. */
struct iso_azure_call {
    const char *service;      /* to the operator: "retail" or "management" */
    const char *url, *method; /* method NULL: GET */
    const char *body;         /* JSON, or NULL */
    const char *link;         /* path of the next page's link in an answer; NULL: one page */
    bool is_public;           /* asked without credentials */
};

/* Errors: those of the host and on_page(); ISO_E_INVALID when a link comes twice. */
enum iso_status iso_azure_ask(const struct iso_azure_fetch *fetch,
                              const struct iso_azure_call *call, iso_azure_on_page on_page,
                              void *context, struct iso_error *reterr);

/* Asks Resource Manager of something of the subscription; `path` begins with '/'. */
enum iso_status iso_azure_list(const struct iso_azure_fetch *fetch, const char *path,
                               iso_azure_on_page on_page, void *context, struct iso_error *reterr);

/* ---- Parts of the catalog: each fills dictionaries ---- */

enum iso_status iso_azure_fetch_zones(const struct iso_azure_fetch *fetch,
                                      struct iso_error *reterr);
enum iso_status iso_azure_fetch_types(const struct iso_azure_fetch *fetch,
                                      struct iso_azure_region *region, struct iso_error *reterr);
enum iso_status iso_azure_fetch_prices(const struct iso_azure_fetch *fetch,
                                       struct iso_azure_region *region, struct iso_error *reterr);

/* ---- Rows: each sends them ---- */

enum iso_status iso_azure_send_offerings(const struct iso_azure_fetch *fetch,
                                         const struct iso_azure_region *region,
                                         struct iso_error *reterr);
enum iso_status iso_azure_send_products(const struct iso_azure_fetch *fetch,
                                        const struct iso_azure_region *region,
                                        struct iso_error *reterr);
enum iso_status iso_azure_send_quotas(const struct iso_azure_fetch *fetch, const char *region,
                                      struct iso_error *reterr);
enum iso_status iso_azure_send_costs(const struct iso_azure_fetch *fetch, struct iso_error *reterr);

/* ---- Machines (machines.c) ---- */

/* A virtual machine of the subscription in a configured region; key: its id in lower case. */
struct iso_azure_machine {
    const char *type, *region, *zone, *os, *state; /* kept; type in lower case */
    bool spot;
    int64_t started_ns;
    const struct iso_plugin_label *tags;
    size_t n_tags;
};

enum iso_status iso_azure_fetch_machines(const struct iso_azure_fetch *fetch,
                                         struct iso_dictionary *machines, struct iso_error *reterr);
enum iso_status iso_azure_send_inventory(const struct iso_azure_fetch *fetch,
                                         const struct iso_dictionary *machines,
                                         struct iso_error *reterr);
enum iso_status iso_azure_send_usage(const struct iso_azure_fetch *fetch,
                                     const struct iso_dictionary *machines,
                                     struct iso_error *reterr);

/* ---- Texts ---- */

/* A copy that lives as long as fetch->kept; NULL when memory is short. */
const char *iso_azure_keep(const struct iso_azure_fetch *fetch, const char *text);

/* The same in lower case: Azure takes its names in any case, and writes them in several. */
const char *iso_azure_keep_lower(const struct iso_azure_fetch *fetch, const char *text);
const char *iso_azure_row_lower(const struct iso_azure_fetch *fetch,
                                const char *text); /* of a row */

/* Whether the operator configured a region of that name, e.g. "EastUS" for "eastus". */
const char *iso_azure_known_region(const struct iso_azure *azure, const char *name);

/* The id of a zone by its number in the subscription; the number itself where Azure names none. */
const char *iso_azure_zone_id(const struct iso_azure_fetch *fetch, const char *region,
                              const char *number);

enum iso_status iso_azure_full(struct iso_error *reterr); /* ISO_E_NOMEM, in words */

#endif
