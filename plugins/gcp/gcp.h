/* One fetch from Google Cloud: what the parts of this plugin share.
 *
 * A machine has no price of its own: the price list tells what an hour of a core, of a GiB of
 * memory and of a GPU cost in a region, and the price of a type is composed of them. */
#ifndef ISOCOST_GCP_H
#define ISOCOST_GCP_H

#include "isocost/plugin.h"
#include "isocost/sdk/dictionary.h"
#include "isocost/sdk/json_document.h"
#include "isocost/sdk/scratch.h"
#include "isocost/sdk/text.h"

#define ISO_GCP_REGION_BYTES 48
#define ISO_GCP_MAX_REGIONS 80
#define ISO_GCP_KEY_BYTES 192

struct iso_gcp_config {
    const char *project, *regions, *currency, *price_auth;
    bool spot, commitments;
    int64_t usage_seconds;
};

/* A configured instance. */
struct iso_gcp {
    const struct iso_gcp_config *config;
    const struct iso_host *host;
    size_t n_regions;
    char regions[ISO_GCP_MAX_REGIONS][ISO_GCP_REGION_BYTES];
};

/* A fetch under way. */
struct iso_gcp_fetch {
    const struct iso_gcp *gcp;
    const struct iso_host *host;
    const struct iso_fetch *what;
    struct iso_sink *sink;
    struct iso_failure *failure;
    struct iso_scratch *row;      /* memory of the row under way */
    struct iso_scratch *kept;     /* memory of the fetch */
    struct iso_dictionary *types; /* struct iso_gcp_type, by "zone/type" */
    struct iso_dictionary *parts; /* struct iso_gcp_price, by iso_gcp_part_key() */
    int64_t now_ns;
};

/* A type of machine in a zone. */
struct iso_gcp_type {
    const char *name, *region, *zone, *family, *arch;
    int64_t vcpus, memory_mib;
    int64_t
        cores_percent;    /* cores that are charged, in hundredths: shared cores are parts of one */
    const char *gpu;      /* e.g. "nvidia-l4"; "": none */
    int64_t n_gpus;       /* of one kind */
    bool has_other_parts; /* local disks or several kinds of GPU, which are not composed */
    bool deprecated, shared; /* shared: a part of a core */
};

enum iso_gcp_part { ISO_GCP_CORE, ISO_GCP_MEMORY, ISO_GCP_GPU };

enum iso_gcp_usage {
    ISO_GCP_ON_DEMAND,
    ISO_GCP_SPOT,
    ISO_GCP_ONE_YEAR,
    ISO_GCP_THREE_YEARS,
    ISO_GCP_N_USAGES
};

/* What an hour of a part costs. */
struct iso_gcp_price {
    const char *sku;
    iso_decimal hourly; /* of a core, a GiB or a GPU */
    char currency[4];
    bool ambiguous; /* several, and nothing to tell which */
    bool used;      /* by a type */
};

/* ---- Calls (call.c) ---- */

/* Takes a page, which is an object. */
typedef enum iso_status (*iso_gcp_on_page)(void *context, const struct iso_json *answer,
                                           struct iso_error *reterr);

/* What is asked, page by page with the token of the page before; `url` has a query. */
struct iso_gcp_call {
    const char *service, *url; /* service to the operator: "billing", "compute" or "monitoring" */
    const char *scope;         /* of the token; NULL: the API key is sent */
};

/* Errors: those of the host and on_page(); ISO_E_INVALID when a token comes twice,
 * ISO_E_UNAVAILABLE when an answer is no object. */
enum iso_status iso_gcp_ask(const struct iso_gcp_fetch *fetch, const struct iso_gcp_call *call,
                            iso_gcp_on_page on_page, void *context, struct iso_error *reterr);

/* Asks Compute Engine of something of the project; `path` is what follows the project, with a
 * query. */
enum iso_status iso_gcp_ask_compute(const struct iso_gcp_fetch *fetch, const char *path,
                                    iso_gcp_on_page on_page, void *context,
                                    struct iso_error *reterr);

/* ---- Names (names.c) ---- */

enum iso_gcp_reading { ISO_GCP_NAMED, ISO_GCP_LEFT_OUT, ISO_GCP_UNKNOWN };

/* Finds of which part of which family a SKU is, by its description; of a GPU the "family" is the
 * type of the accelerator. Left out: what is no part of a predefined machine. */
enum iso_gcp_reading iso_gcp_read_description(const char *description, bool gpu,
                                              const char **ret_family, enum iso_gcp_part *ret_part);

/* The family that a type is charged as, e.g. "n2" for "n2-standard-4"; lives as `memory`. NULL when
 * that is short. */
const char *iso_gcp_family(const char *type, struct iso_scratch *memory);

/* Hundredths of a core that a type is charged for, which share one; else 100 for each vCPU. */
int64_t iso_gcp_cores_percent(const char *type, int64_t vcpus);

/* ---- Parts of the catalog: each fills a dictionary ---- */

enum iso_status iso_gcp_fetch_types(const struct iso_gcp_fetch *fetch, struct iso_error *reterr);
enum iso_status iso_gcp_fetch_prices(const struct iso_gcp_fetch *fetch, struct iso_error *reterr);

/* The price of a part, or NULL if there is none or nothing tells which. */
struct iso_gcp_price *iso_gcp_find_price(const struct iso_gcp_fetch *fetch, const char *region,
                                         const char *family, enum iso_gcp_part part,
                                         enum iso_gcp_usage usage);

/* Composes the hourly price of a type. False: a part of it has no price that is known. */
bool iso_gcp_compose(const struct iso_gcp_fetch *fetch, const struct iso_gcp_type *type,
                     enum iso_gcp_usage usage, iso_decimal *ret_hourly, const char **ret_currency);

/* ---- Rows: each sends them ---- */

enum iso_status iso_gcp_send_offerings(const struct iso_gcp_fetch *fetch, struct iso_error *reterr);
enum iso_status iso_gcp_send_products(const struct iso_gcp_fetch *fetch, struct iso_error *reterr);
enum iso_status iso_gcp_send_quotas(const struct iso_gcp_fetch *fetch, const char *region,
                                    struct iso_error *reterr);

enum iso_status iso_gcp_send_project_quotas(const struct iso_gcp_fetch *fetch,
                                            struct iso_error *reterr);

/* ---- Instances (instances.c, usage.c) ---- */

/* A machine of the project in a configured region; key: its id, a number. */
struct iso_gcp_instance {
    const char *type, *region, *zone, *state, *os;
    bool spot;
    int64_t started_ns;
    const struct iso_plugin_label *labels;
    size_t n_labels;
};

enum iso_status iso_gcp_fetch_instances(const struct iso_gcp_fetch *fetch,
                                        struct iso_dictionary *instances, struct iso_error *reterr);
enum iso_status iso_gcp_send_inventory(const struct iso_gcp_fetch *fetch,
                                       const struct iso_dictionary *instances,
                                       struct iso_error *reterr);
enum iso_status iso_gcp_send_usage(const struct iso_gcp_fetch *fetch,
                                   const struct iso_dictionary *instances,
                                   struct iso_error *reterr);

/* ---- Texts ---- */

/* A copy that lives as long as the fetch; NULL when memory is short. */
const char *iso_gcp_keep(const struct iso_gcp_fetch *fetch, const char *text);

/* The configured region of that name, or NULL; the same of a zone, e.g. "us-central1-a". */
const char *iso_gcp_known_region(const struct iso_gcp *gcp, const char *name);
const char *iso_gcp_region_of_zone(const struct iso_gcp *gcp, const char *zone);

/* What stands behind the last '/' of a URL. */
const char *iso_gcp_last_name(const char *url);

/* An integer, written as a number or as text; `otherwise` if it is neither. */
int64_t iso_gcp_integer(const struct iso_gcp_fetch *fetch, const struct iso_json *value,
                        int64_t otherwise);

enum iso_status iso_gcp_full(struct iso_error *reterr); /* ISO_E_NOMEM, in words */

#endif
