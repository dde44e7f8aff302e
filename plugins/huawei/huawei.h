/* One fetch from Huawei Cloud: what the parts of this plugin share.
 *
 * ECS and Cloud Eye have a host in each region and are asked within a project; prices and costs are
 * the account's (BSS) and have one host, whatever the region. All answer with JSON. */
#ifndef ISOCOST_HUAWEI_H
#define ISOCOST_HUAWEI_H

#include "isocost/plugin.h"
#include "isocost/sdk/dictionary.h"
#include "isocost/sdk/json_document.h"
#include "isocost/sdk/scratch.h"
#include "isocost/sdk/text.h"

#define ISO_HUAWEI_REGION_BYTES 48
#define ISO_HUAWEI_PROJECT_BYTES 72
#define ISO_HUAWEI_MAX_REGIONS 64
#define ISO_HUAWEI_MAX_ZONES 32
#define ISO_HUAWEI_PLACE_BYTES 192

struct iso_huawei_config {
    const char *projects, *site, *domain_id, *types, *price, *subscriptions, *usage_period_seconds;
};

/* A region and the project that is asked in it. */
struct iso_huawei_place {
    char region[ISO_HUAWEI_REGION_BYTES], project[ISO_HUAWEI_PROJECT_BYTES];
};

/* A configured instance. */
struct iso_huawei {
    const struct iso_huawei_config *config;
    const struct iso_host *host;
    size_t n_places;
    struct iso_huawei_place places[ISO_HUAWEI_MAX_REGIONS];
};

/* A fetch under way. */
struct iso_huawei_fetch {
    const struct iso_huawei *huawei;
    const struct iso_host *host;
    const struct iso_fetch *what;
    struct iso_sink *sink;
    struct iso_failure *failure;
    struct iso_scratch *row;              /* memory of the row under way */
    struct iso_scratch *kept;             /* memory of the region, or of the costs, under way */
    const struct iso_huawei_place *place; /* the region under way; NULL: the account */
    int64_t now_ns;
};

/* What is said of a type in a zone: a word of os_extra_specs, and what it means. */
struct iso_huawei_state {
    const char *word; /* NULL: one that is not known */
    int32_t status;   /* enum iso_plugin_status; 0: it is not offered there */
};

/* A zone of the region. */
struct iso_huawei_zone {
    const char *name;
    bool of_account; /* false: only types name it, and the account does not have it */
};

/* For how long something is paid. */
enum iso_huawei_term { ISO_HUAWEI_HOUR, ISO_HUAWEI_MONTH, ISO_HUAWEI_YEAR, ISO_HUAWEI_N_TERMS };

struct iso_huawei_price {
    struct iso_amount amount;
    char currency[4];
};

/* A type of instance ("flavor") as a region offers it; key: its id. */
struct iso_huawei_type {
    const char *family, *arch, *gpu_model;
    struct iso_amount resources[ISO_PLUGIN_N_RESOURCES];
    const struct iso_huawei_state *states[ISO_HUAWEI_MAX_ZONES]; /* by zone; NULL: not offered */
    bool on_demand, subscribed;                                  /* the ways in which it is sold */
    struct iso_huawei_price prices[ISO_HUAWEI_N_TERMS];
};

/* A region under way. */
struct iso_huawei_region {
    size_t n_zones;
    struct iso_huawei_zone zones[ISO_HUAWEI_MAX_ZONES];
    struct iso_dictionary *types; /* struct iso_huawei_type */
};

/* ---- Calls (call.c) ---- */

struct iso_huawei_call {
    const char *service; /* to the operator: "ecs", "ces" or "bss" */
    const char *path;    /* behind the host, with its query */
    const char *body;    /* of a POST; NULL: a GET */
};

/* Asks once, in the region under way; BSS is the account's. The caller frees *ret_answer, and
 * *ret_refusal: what the service said when it refused, in JSON, or NULL. `ret_refusal` may be NULL.
 * Errors: those of the host; an answer of status 200 that is an error is judged by its code. */
enum iso_status iso_huawei_ask(const struct iso_huawei_fetch *fetch,
                               const struct iso_huawei_call *call, struct iso_json **ret_answer,
                               struct iso_json **ret_refusal, struct iso_error *reterr);

/* The list at a path. Errors: ISO_E_UNAVAILABLE when there is none: what a service that works sends
 * has it. */
enum iso_status iso_huawei_list(const struct iso_json *answer, const char *path,
                                const struct iso_json **ret_list, struct iso_error *reterr);

/* Adds the id of the last item to the cursor of the next page. Errors: ISO_E_UNAVAILABLE when it
 * has none, so that no page can be missed. */
enum iso_status iso_huawei_add_last_id(const struct iso_json *list, struct iso_text *next,
                                       struct iso_error *reterr);

/* ---- Parts of the catalog: each fills the region ---- */

enum iso_status iso_huawei_fetch_zones(const struct iso_huawei_fetch *fetch,
                                       struct iso_huawei_region *region, struct iso_error *reterr);
enum iso_status iso_huawei_fetch_types(const struct iso_huawei_fetch *fetch,
                                       struct iso_huawei_region *region, struct iso_error *reterr);
enum iso_status iso_huawei_fetch_prices(const struct iso_huawei_fetch *fetch,
                                        struct iso_huawei_region *region, struct iso_error *reterr);

/* Reads in which zones a type is offered and how, from its os_extra_specs; zones.c. */
enum iso_status iso_huawei_read_states(const struct iso_huawei_fetch *fetch,
                                       struct iso_huawei_region *region, const char *name,
                                       const struct iso_json *specs, struct iso_huawei_type *type,
                                       struct iso_error *reterr);

/* Reads what accelerators a type has, from its os_extra_specs; accelerators.c. */
enum iso_status iso_huawei_read_accelerators(const struct iso_huawei_fetch *fetch, const char *name,
                                             const struct iso_json *specs,
                                             struct iso_huawei_type *type,
                                             struct iso_error *reterr);

/* ---- Rows: each sends them ---- */

enum iso_status iso_huawei_send_offerings(const struct iso_huawei_fetch *fetch,
                                          const struct iso_huawei_region *region,
                                          struct iso_error *reterr);
enum iso_status iso_huawei_send_products(const struct iso_huawei_fetch *fetch,
                                         const struct iso_huawei_region *region,
                                         struct iso_error *reterr);
enum iso_status iso_huawei_send_quotas(const struct iso_huawei_fetch *fetch,
                                       struct iso_error *reterr);
enum iso_status iso_huawei_send_inventory(const struct iso_huawei_fetch *fetch,
                                          struct iso_error *reterr);
enum iso_status iso_huawei_send_usage(const struct iso_huawei_fetch *fetch,
                                      struct iso_error *reterr);
enum iso_status iso_huawei_send_costs(const struct iso_huawei_fetch *fetch,
                                      struct iso_error *reterr);

/* Gives all servers of the project, one after the other; inventory.c. Errors: those of on_server();
 * ISO_E_UNAVAILABLE when fewer come than the service counts. */
typedef enum iso_status (*iso_huawei_on_server)(void *context, const struct iso_json *server,
                                                struct iso_error *reterr);
enum iso_status iso_huawei_each_server(const struct iso_huawei_fetch *fetch,
                                       iso_huawei_on_server on_server, void *context,
                                       struct iso_error *reterr);

/* ---- Small things (plugin.c) ---- */

/* A copy that lives as long as fetch->kept; NULL when memory is short. */
const char *iso_huawei_keep(const struct iso_huawei_fetch *fetch, const char *text);

/* The currency of an answer, or that of the site where it names none. False: it is no code. */
bool iso_huawei_currency(const struct iso_huawei *huawei, const char *said, char ret[4]);

bool iso_huawei_is_international(const struct iso_huawei *huawei);

/* Length of a sample of usage. */
int64_t iso_huawei_usage_period_s(const struct iso_huawei *huawei);

/* Writes "REGION/NAME" for a diagnostic. */
const char *iso_huawei_place_of(const struct iso_huawei_fetch *fetch, const char *name,
                                char buffer[ISO_HUAWEI_PLACE_BYTES]);

enum iso_status iso_huawei_full(struct iso_error *reterr); /* ISO_E_NOMEM, in words */

#endif
