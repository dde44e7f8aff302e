/* One fetch from AWS: what the parts of this plugin share.
 *
 * The catalog of a region is joined from what three answers tell: types and zones are the account's
 * (EC2), prices are public (the price list), spot prices are the account's again. */
#ifndef ISOCOST_AWS_H
#define ISOCOST_AWS_H

#include "isocost/plugin.h"
#include "isocost/sdk/dictionary.h"
#include "isocost/sdk/json_document.h"
#include "isocost/sdk/scratch.h"
#include "isocost/sdk/spend.h"
#include "isocost/sdk/table.h"
#include "isocost/sdk/text.h"
#include "isocost/sdk/xml.h"

#define ISO_AWS_REGION_BYTES 32
#define ISO_AWS_MAX_REGIONS 64
#define ISO_AWS_PLACE_BYTES 192

struct iso_aws_config {
    const char *regions, *catalog, *prices;
    bool zones, spot, reserved, savings_plans, cost_explorer;
    int64_t max_price_file_mib, usage_period_seconds, cost_cache_hours;
};

/* A configured instance. */
struct iso_aws {
    const struct iso_aws_config *config;
    const struct iso_host *host;
    size_t n_regions;
    char regions[ISO_AWS_MAX_REGIONS][ISO_AWS_REGION_BYTES];
};

/* A fetch under way. */
struct iso_aws_fetch {
    const struct iso_aws *aws;
    const struct iso_host *host;
    const struct iso_fetch *what;
    struct iso_sink *sink;
    struct iso_failure *failure;
    struct iso_scratch *row;  /* memory of the row under way */
    struct iso_scratch *kept; /* memory of the region under way */
    int64_t now_ns;
    struct iso_spend *savings; /* Savings Plans of all regions */
};

/* A zone of the account. */
struct iso_aws_zone {
    const char *id; /* the same for all accounts, e.g. "use1-az1" */
    bool apart;     /* a local or Wavelength zone: its on-demand prices are not the region's */
};

/* One type as a region offers it. */
struct iso_aws_type {
    struct iso_amount resources[ISO_PLUGIN_N_RESOURCES];
    const char *arch, *gpu_model, *family;
    bool on_demand, spot; /* the ways in which it is sold */
    bool deprecated;      /* of an earlier generation */
    bool mac;             /* runs macOS, on hosts of its own */
};

/* The on-demand price of a type: Linux, shared, without licences. */
struct iso_aws_price {
    char sku[40];
    struct iso_amount price;
    char currency[4];
    int64_t effective_ns;
    bool ambiguous; /* several, and nothing to tell which */
};

/* A reserved price; its key is "type/years/class/payment". */
struct iso_aws_reserved {
    const char *type, *offering_class, *payment;
    int64_t years;
    struct iso_amount hourly, upfront;
    char currency[4];
    int64_t effective_ns;
    bool refused; /* a diagnostic was sent */
};

/* A region under way. */
struct iso_aws_region {
    const char *name;
    struct iso_dictionary *zones;    /* by name: struct iso_aws_zone */
    struct iso_dictionary *types;    /* struct iso_aws_type */
    struct iso_dictionary *offered;  /* by "type/zone name": nothing */
    struct iso_dictionary *prices;   /* by type: struct iso_aws_price */
    struct iso_dictionary *reserved; /* struct iso_aws_reserved */
    struct iso_dictionary *skus;     /* by SKU of `prices`: const char *, the type */
};

/* ---- Calls (call.c) ---- */

/* Whether the region is in China, which has hosts, accounts and a currency of its own. */
bool iso_aws_is_china(const char *region);

/* Asks EC2, page by page. `parameters` are those beside Action and Version, form-encoded, each with
 * a '&' before it. on_page() gets the root of each answer. Errors: those of the host and on_page();
 * ISO_E_INVALID when a page's token comes twice. */
typedef enum iso_status (*iso_aws_on_xml)(void *context, const struct iso_xml_element *root,
                                          struct iso_error *reterr);
enum iso_status iso_aws_ask_ec2(const struct iso_aws_fetch *fetch, const char *region,
                                const char *action, const char *parameters, iso_aws_on_xml on_page,
                                void *context, struct iso_error *reterr);

/* One of the services that speak JSON. */
struct iso_aws_service {
    const char *name;         /* to the operator, and of the host: NAME.REGION.amazonaws.com */
    const char *host;         /* NULL: `name` */
    const char *signed_as;    /* service in signatures */
    const char *target;       /* before the '.' of X-Amz-Target */
    const char *version;      /* of the protocol: "1.0" or "1.1" */
    const char *fixed_region; /* the only one that has it, or NULL */
    const char *token_in, *token_out; /* name of the page's token in a request and an answer */
};
extern const struct iso_aws_service iso_aws_pricing, iso_aws_quotas, iso_aws_monitoring,
    iso_aws_cost_explorer;

/* Asks one of them, page by page. `body` is a JSON object without its last brace. Errors: as
 * iso_aws_ask_ec2(); ISO_E_UNAVAILABLE when a page's token expired, so that all is asked anew. */
typedef enum iso_status (*iso_aws_on_json)(void *context, const struct iso_json *answer,
                                           struct iso_error *reterr);
enum iso_status iso_aws_ask_json(const struct iso_aws_fetch *fetch,
                                 const struct iso_aws_service *service, const char *region,
                                 const char *operation, const char *body, iso_aws_on_json on_page,
                                 void *context, struct iso_error *reterr);

/* Streams a CSV file of the price list to on_row(), the names of its columns first; what stands
 * before them is left out. `path` begins with '/'. Errors: those of the host and on_row();
 * ISO_E_UNAVAILABLE when it is no such file. */
typedef enum iso_status (*iso_aws_on_row)(void *context, int64_t line, const char *const *fields,
                                          size_t n_fields, struct iso_error *reterr);
enum iso_status iso_aws_stream_csv(const struct iso_aws_fetch *fetch, const char *region,
                                   const char *path, iso_aws_on_row on_row, void *context,
                                   struct iso_error *reterr);

/* ---- Tables of the price list (table.c) ---- */

#define ISO_AWS_MAX_COLUMNS 32

/* What is read of a CSV file. */
struct iso_aws_table {
    const char *what;                 /* e.g. "prices": in places, and in names of kept files */
    const struct iso_column *columns; /* a file without the required ones is none */
    size_t n_columns;                 /* at most ISO_AWS_MAX_COLUMNS */
    /* Whether a row is of interest, by what it says and nothing else. `text` is by column, "" where
     * the file has none. */
    bool (*is_wanted)(const char *const *text);
    enum iso_status (*take)(void *context, const char *const *text, const char *place,
                            struct iso_error *reterr);
    void *context;
};

/* Reads the rows that are wanted. With `is_version` the path names a version, which never changes:
 * its rows are kept in the cache folder, and if they are there the file is not asked for, which is
 * told as `source_unchanged`. Errors: as iso_aws_stream_csv(), and those of take(). */
enum iso_status iso_aws_read_table(const struct iso_aws_fetch *fetch, const char *region,
                                   const char *path, bool is_version,
                                   const struct iso_aws_table *table, struct iso_error *reterr);

/* The path of the CSV file of a list's current version in a region, by its index; "" when there is
 * none: the region is not in the index, or its partition has none, of which the storage behind the
 * price list says 403 as often as 404. `list` is "AmazonEC2" or that of Savings Plans, `member` has
 * the path. */
enum iso_status iso_aws_find_version(const struct iso_aws_fetch *fetch, const char *region,
                                     const char *list, const char *member,
                                     char ret_path[ISO_AWS_PLACE_BYTES], struct iso_error *reterr);

/* ---- Parts of the catalog: each fills dictionaries of the region ---- */

enum iso_status iso_aws_fetch_zones(const struct iso_aws_fetch *fetch,
                                    struct iso_aws_region *region, struct iso_error *reterr);
enum iso_status iso_aws_fetch_types(const struct iso_aws_fetch *fetch,
                                    struct iso_aws_region *region, struct iso_error *reterr);
enum iso_status iso_aws_fetch_prices(const struct iso_aws_fetch *fetch,
                                     struct iso_aws_region *region, struct iso_error *reterr);

/* ---- Rows: each sends them ---- */

enum iso_status iso_aws_send_offerings(const struct iso_aws_fetch *fetch,
                                       const struct iso_aws_region *region,
                                       struct iso_error *reterr);
enum iso_status iso_aws_send_spot(const struct iso_aws_fetch *fetch,
                                  const struct iso_aws_region *region, struct iso_error *reterr);
enum iso_status iso_aws_send_reserved(const struct iso_aws_fetch *fetch,
                                      const struct iso_aws_region *region,
                                      struct iso_error *reterr);
enum iso_status iso_aws_send_quotas(const struct iso_aws_fetch *fetch, const char *region,
                                    struct iso_error *reterr);
enum iso_status iso_aws_send_inventory(const struct iso_aws_fetch *fetch,
                                       struct iso_aws_region *region, struct iso_error *reterr);
enum iso_status iso_aws_send_usage(const struct iso_aws_fetch *fetch, const char *region,
                                   struct iso_error *reterr);
enum iso_status iso_aws_send_costs(const struct iso_aws_fetch *fetch, struct iso_error *reterr);

/* Savings Plans hold in all regions, so their rates are gathered first and sent at the end. */
enum iso_status iso_aws_gather_savings(const struct iso_aws_fetch *fetch,
                                       const struct iso_aws_region *region,
                                       struct iso_error *reterr);
/* The row of a type without price and place; offerings.c. */
struct iso_plugin_offering iso_aws_offering(const struct iso_aws_fetch *fetch, const char *region,
                                            const char *name, const struct iso_aws_type *type);

/* A copy that lives as long as the region is under way; NULL when memory is short. */
const char *iso_aws_keep(const struct iso_aws_fetch *fetch, const char *text);

/* The first part of a type's name, e.g. "m6i" of "m6i.large"; kept. */
const char *iso_aws_family(const struct iso_aws_fetch *fetch, const char *type);

enum iso_status iso_aws_full(struct iso_error *reterr); /* ISO_E_NOMEM, in words */

#endif
