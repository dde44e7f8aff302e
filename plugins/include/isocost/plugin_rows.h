/* The rows of the plugin ABI: what a plugin sends. Part of isocost/plugin.h, which tells the rules.
 */
#ifndef ISOCOST_PLUGIN_ROWS_H
#define ISOCOST_PLUGIN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isocost/base/decimal.h"

/* A number that may be absent. Absent is unknown, which is not zero. */
struct iso_amount {
    bool present;
    iso_decimal value; /* in units of 1e-9 */
};

/* The values of the enums below are those of the contract (isocost/v1/offering.proto). */

enum iso_plugin_purchase {
    ISO_PLUGIN_PURCHASE_UNSPECIFIED,
    ISO_PLUGIN_PURCHASE_ON_DEMAND,
    ISO_PLUGIN_PURCHASE_SPOT,
};

enum iso_plugin_kind {
    ISO_PLUGIN_KIND_UNSPECIFIED, /* read as a virtual machine */
    ISO_PLUGIN_KIND_VM,
    ISO_PLUGIN_KIND_DISK,
    ISO_PLUGIN_KIND_GPU,
    ISO_PLUGIN_KIND_HOST,
    ISO_PLUGIN_KIND_OTHER,
};

enum iso_plugin_status {
    ISO_PLUGIN_STATUS_UNSPECIFIED, /* read as available */
    ISO_PLUGIN_STATUS_AVAILABLE,
    ISO_PLUGIN_STATUS_RESTRICTED,
    ISO_PLUGIN_STATUS_SOLD_OUT,
    ISO_PLUGIN_STATUS_DEPRECATED,
    ISO_PLUGIN_STATUS_UNKNOWN,
};

enum iso_plugin_price_unit {
    ISO_PLUGIN_PRICE_UNIT_UNSPECIFIED, /* read as an hour */
    ISO_PLUGIN_PRICE_UNIT_HOUR,
    ISO_PLUGIN_PRICE_UNIT_MONTH, /* 730 hours */
};

enum iso_plugin_resource {
    ISO_PLUGIN_RESOURCE_UNSPECIFIED, /* in a quota: instances */
    ISO_PLUGIN_RESOURCE_VCPU,        /* threads */
    ISO_PLUGIN_RESOURCE_MEMORY_GIB,
    ISO_PLUGIN_RESOURCE_GPU,
    ISO_PLUGIN_RESOURCE_GPU_MEMORY_GIB, /* of all accelerators together */
    ISO_PLUGIN_RESOURCE_LOCAL_DISK_GIB,
    ISO_PLUGIN_RESOURCE_DISK_GIB,
    ISO_PLUGIN_RESOURCE_NETWORK_GBPS,
    ISO_PLUGIN_RESOURCE_IOPS,
    ISO_PLUGIN_N_RESOURCES /* length of a vector that enum iso_plugin_resource indexes */
};

struct iso_plugin_label {
    const char *key, *value;
};

/* One offering. Text that is NULL or "" was not said. What the source says wrongly but readably,
 * a price of zero for example, is sent as it is: the server judges every row and keeps its reason.
 * A row that cannot be expressed here is sent as a diagnostic instead, so that none is lost. */
struct iso_plugin_offering {
    const char *provider;  /* lower case; required */
    const char *region;    /* default "*" */
    const char *zone;      /* default "*" */
    const char *type;      /* required */
    const char *os;        /* default "linux" */
    const char *native_id; /* the vendor's spelling of the type */
    const char *family, *arch, *tenancy;
    const char *gpu_model;
    const char *source;                                  /* where the price is from */
    int32_t purchase;                                    /* enum iso_plugin_purchase; required */
    int32_t kind;                                        /* enum iso_plugin_kind */
    int32_t status;                                      /* enum iso_plugin_status */
    int32_t price_unit;                                  /* enum iso_plugin_price_unit */
    struct iso_amount resources[ISO_PLUGIN_N_RESOURCES]; /* of one instance; [0] is unused */
    struct iso_amount lot;                               /* price units in an instance */
    struct iso_amount price;                             /* of one price unit, in `currency` */
    const char *currency;                                /* ISO 4217, upper case */
    struct iso_amount availability;                      /* share of time, in (0, 1] */
    const struct iso_plugin_label *labels;
    size_t n_labels;
    int64_t observed_ns; /* since 1970, UTC; 0: not said */
};

/* Fields that a condition may be about. */
enum iso_plugin_field {
    ISO_PLUGIN_FIELD_PROVIDER,
    ISO_PLUGIN_FIELD_REGION,
    ISO_PLUGIN_FIELD_ZONE,
    ISO_PLUGIN_FIELD_FAMILY,
    ISO_PLUGIN_FIELD_TYPE,
    ISO_PLUGIN_FIELD_ARCH,
    ISO_PLUGIN_FIELD_OS,
    ISO_PLUGIN_FIELD_OFFERING, /* a whole offering id */
    ISO_PLUGIN_FIELD_PURCHASE, /* "on-demand" or "spot" */
    ISO_PLUGIN_FIELD_KIND,     /* "vm", "disk", "gpu", "host" or "other" */
    ISO_PLUGIN_FIELD_LABEL,    /* the label `key` */
};

/* One condition on offerings. Several on one field of a term are alternatives, except labels,
 * which must all hold; a value may end in '*', which stands for any rest. */
struct iso_plugin_condition {
    int32_t field;   /* enum iso_plugin_field */
    const char *key; /* of a label; else NULL */
    const char *value;
};

/* All fields named must hold. */
struct iso_plugin_term {
    const struct iso_plugin_condition *conditions;
    size_t n_conditions;
};

/* Any of `include` and none of `exclude`; no `include` is everything. These three never grow. */
struct iso_plugin_selector {
    const struct iso_plugin_term *include;
    size_t n_include;
    const struct iso_plugin_term *exclude;
    size_t n_exclude;
};

/* How much of a commitment one covered instance uses; exactly one amount is present. */
struct iso_plugin_rate {
    struct iso_plugin_selector offerings;
    struct iso_amount units;       /* UNIT: units, > 0 */
    struct iso_amount price_ratio; /* SPEND: share of the instance's price, in (0, 1] */
};

enum iso_plugin_commitment {
    ISO_PLUGIN_COMMITMENT_UNSPECIFIED,
    ISO_PLUGIN_COMMITMENT_UNIT,  /* counted in units of capacity */
    ISO_PLUGIN_COMMITMENT_SPEND, /* counted in money an hour */
};

/* A commitment that may be bought. */
struct iso_plugin_product {
    const char *id, *provider; /* required */
    const char *display_name, *source;
    int32_t kind;                        /* enum iso_plugin_commitment; required */
    struct iso_plugin_selector eligible; /* on-demand offerings that it can cover */
    const struct iso_plugin_rate *rates; /* the first whose selector holds counts */
    size_t n_rates;                      /* 0: 1 unit, or the whole price */
    size_t rate_bytes;                   /* sizeof(struct iso_plugin_rate) */
    struct iso_amount term_hours;        /* > 0; 8760 for a year; required */
    struct iso_amount hourly_fee;        /* of one unit or lot for an hour */
    struct iso_amount upfront;           /* of one unit or lot, once */
    const char *currency;                /* of both; ISO 4217, upper case */
    struct iso_amount lot;               /* SPEND: money an hour in one lot */
    struct iso_amount purchasable_maximum;
};

/* A provider's cap on what one account may run. */
struct iso_plugin_quota {
    const char *provider; /* required */
    const char *region;   /* default "*": all together */
    const char *code;
    struct iso_plugin_selector scope;
    int32_t resource;        /* enum iso_plugin_resource */
    struct iso_amount limit; /* >= 0; absent: unknown */
    struct iso_amount used;  /* what others use already, >= 0 */
    bool unlimited;
    int64_t observed_ns;
};

/* A change of the catalog that belongs to a tenant; at most one of price and factor is present. */
struct iso_plugin_overlay {
    struct iso_plugin_selector offerings;
    struct iso_amount price; /* of one price unit, in `currency` */
    const char *currency;
    struct iso_amount price_factor; /* > 0; 0.9 is 10 % off */
    int32_t status;                 /* enum iso_plugin_status; unspecified: unchanged */
    struct iso_amount availability;
    /* Since 1.3. */
    const char *valid_from, *valid_until; /* first and last day, YYYY-MM-DD; "": no bound */
    const char *note;                     /* e.g. the number of the contract */
};

/* What a GB costs by the price list that leaves a region; the steps of a price are rows of their
 * own. Since 1.3. */
struct iso_plugin_egress_rate {
    const char *provider; /* that sends, and bills; required */
    const char *region;   /* default "*"; may end in '*' */
    const char *to;       /* "internet", a provider, "provider/region", which may end in '*', or
                           * "*"; required */
    struct iso_amount from_gb;            /* GB a month from which on the price holds; default 0 */
    struct iso_amount price;              /* of one GB, in `currency`, >= 0 */
    const char *currency;                 /* ISO 4217, upper case */
    const char *valid_from, *valid_until; /* first and last day, YYYY-MM-DD; "": no bound */
    const char *source;
    int64_t observed_ns; /* since 1970, UTC; 0: not said */
};

enum iso_plugin_statistic {
    ISO_PLUGIN_STATISTIC_UNSPECIFIED, /* read as the average */
    ISO_PLUGIN_STATISTIC_AVERAGE,
    ISO_PLUGIN_STATISTIC_MAXIMUM,
    ISO_PLUGIN_STATISTIC_MINIMUM,
    ISO_PLUGIN_STATISTIC_SUM,
    ISO_PLUGIN_STATISTIC_P95,
};

/* What one resource did in one span of time. Metrics: "cpu_ratio" and "gpu_ratio" in [0, 1],
 * "memory_bytes", "network_bytes_per_second", "requests_per_second"; "consumed:UNIT" is an amount
 * in a unit of the bill, e.g. "consumed:gb-month", with the statistic SUM. A span without a value
 * is not sent. */
struct iso_plugin_usage {
    const char *provider, *resource, *metric; /* required */
    const char *account, *region, *type;
    int32_t statistic;           /* enum iso_plugin_statistic */
    int64_t start_ns, length_ns; /* since 1970, UTC; > 0 */
    double value;                /* finite */
};

enum iso_plugin_cost_category {
    ISO_PLUGIN_COST_CATEGORY_UNSPECIFIED,
    ISO_PLUGIN_COST_CATEGORY_USAGE,
    ISO_PLUGIN_COST_CATEGORY_PURCHASE,
    ISO_PLUGIN_COST_CATEGORY_TAX,
    ISO_PLUGIN_COST_CATEGORY_CREDIT,
    ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT,
};

enum iso_plugin_cost_pricing {
    ISO_PLUGIN_COST_PRICING_UNSPECIFIED,
    ISO_PLUGIN_COST_PRICING_STANDARD,
    ISO_PLUGIN_COST_PRICING_DYNAMIC,
    ISO_PLUGIN_COST_PRICING_COMMITTED,
    ISO_PLUGIN_COST_PRICING_OTHER,
};

enum iso_plugin_commitment_use {
    ISO_PLUGIN_COMMITMENT_USE_UNSPECIFIED,
    ISO_PLUGIN_COMMITMENT_USE_USED,
    ISO_PLUGIN_COMMITMENT_USE_UNUSED,
};

/* One charge, with the meanings of FOCUS (focus.finops.org): invoices are the sum of `billed`, time
 * costs the sum of `effective`. */
struct iso_plugin_cost {
    const char *provider; /* required */
    const char *account, *resource, *region, *zone, *service, *sku, *unit, *commitment, *place;
    int32_t category;                          /* enum iso_plugin_cost_category; required */
    int32_t pricing;                           /* enum iso_plugin_cost_pricing */
    int32_t commitment_use;                    /* enum iso_plugin_commitment_use */
    int64_t start_ns, end_ns;                  /* since 1970, UTC; half-open */
    struct iso_amount billed, effective, list; /* in `currency`; may be negative */
    const char *currency;                      /* ISO 4217, upper case */
    struct iso_amount quantity;
    bool correction;            /* of an earlier invoice */
    bool effective_from_billed; /* the source's was missing or faulty */
    const struct iso_plugin_label *tags;
    size_t n_tags;
};

/* Something that runs now. */
struct iso_plugin_running {
    const char *provider, *resource, *type; /* required */
    const char *account, *region, *zone;
    const char *os;          /* default "linux" */
    const char *state;       /* in the provider's words */
    int32_t purchase;        /* enum iso_plugin_purchase */
    struct iso_amount count; /* default 1 */
    int64_t started_ns;      /* 0: not said */
    const struct iso_plugin_label *tags;
    size_t n_tags;
};

/* Something wrong with the source. */
struct iso_plugin_diagnostic {
    const char *code;  /* one word, e.g. "missing_price", "non_finite_price", "invalid_value" */
    bool quarantined;  /* true: it stands for a row that was not sent */
    const char *place; /* e.g. "prices.csv:17" */
    const char *text;  /* what was found and what is allowed */
    int64_t count;     /* rows that it tells of; 0: one */
};

#endif
