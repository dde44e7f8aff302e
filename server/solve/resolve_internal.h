/* The stages of iso_resolve(), in the order in which they run. Each fills its part of the problem;
 * what a user got wrong becomes a violation, and the stage goes on where it can. */
#ifndef ISOCOST_SERVER_RESOLVE_INTERNAL_H
#define ISOCOST_SERVER_RESOLVE_INTERNAL_H

#include "limit_weight.h"
#include "names.h"
#include "resolve.h"
#include "resolve_cache.h"
#include "selector.h"

/* What a selector matches. */
struct iso_scope {
    const struct iso_selector *selector;
    const uint64_t *rows; /* the places among the chosen rows that it matches; NULL: not known */
};

/* The rows of the snapshot that the catalog's selectors choose; see resolve_rows.c. */
struct iso_rows {
    unsigned char digest[ISO_SHA256_BYTES]; /* of the snapshot and those selectors */
    int32_t n;
    const int32_t *stored;   /* of each place the row in the snapshot, rising */
    const int32_t *hits;     /* of each of the catalog's selectors: whether it chooses any */
    const uint64_t *on_sale; /* places whose rows, as stored, can be bought at a price */
    uint64_t *looked_at;     /* places that are looked at one by one; NULL: there are no rows */
    int64_t n_replaced;      /* rows that are not chosen, and replaced by the model's own */
    const struct iso_cached **held; /* heap */
    size_t n_held, held_capacity, n_held_bytes;
};

/* Words of 64 bits in a set of places. */
static inline size_t iso_rows_n_words(const struct iso_rows *rows)
{
    return ((size_t)rows->n + 63) / 64;
}

/* Whether an offering is in a scope; `place` is that of its row, or -1. */
static inline bool iso_scope_has(const struct iso_scope *scope,
                                 const struct iso_snapshot_offering *view, int32_t place)
{
    return place >= 0 ? scope->rows[place / 64] >> place % 64 & 1
                      : iso_selector_matches(scope->selector, view);
}

/* An offering of the problem, as the catalog knows it. */
struct iso_kept {
    struct iso_snapshot_offering view;  /* overlays applied */
    const Isocost__V1__Offering *given; /* inline, or NULL */
    const char **notes;                 /* by span: what made the price; NULL: no overlay has */
};

/* The first and last day on which a price holds. */
struct iso_validity {
    int32_t first, last;
};

/* When prices with dates hold; see resolve_dates.c. */
struct iso_price_days {
    bool is_one, is_today; /* one day for all periods; that on which the model is solved */
    bool dated;            /* a price that the model may use has dates */
    int32_t first, last;   /* days on which the first and the last period begin */
    int32_t n_spans;       /* stretches of days in which no price changes */
    const int32_t *begins; /* n_spans: first day of each, rising */
};

struct iso_overlay {
    const Isocost__V1__Overlay *message;
    struct iso_scope scope;
    struct iso_validity validity;
    int32_t index;  /* in model.catalog.overlays, or -1: the snapshot's */
    int32_t stored; /* in the snapshot, or -1 */
    bool matched, reported;
};

/* What egress costs by the snapshot, between places that patterns name. */
struct iso_egress_tariff {
    const char *provider, *region, *to; /* as in EgressRate */
    iso_decimal price;                  /* the dearest of its steps */
    const char *currency;
    const char *note;
    int64_t observed_ns; /* of the oldest step; 0: not said */
    int32_t n_steps;
};

struct iso_quota {
    const Isocost__V1__Quota *message;
    const struct iso_selector *scope;
    const char *provider, *region; /* folded; region may be "*" */
    int resource;                  /* enum iso_resource, or -1: instances */
    bool known;                    /* has a limit, or is unlimited */
};

struct iso_limit_rule {
    const Isocost__V1__Limit *message;
    const struct iso_selector *scope;
    int32_t index; /* in model.limits */
    int resource;  /* enum iso_resource, -1: instances, or ISO_WEIGHT_CARBON */
    bool hard_maximum;
};

/* Why an offering is not an option of a workload, in the order of testing. */
enum iso_filter {
    ISO_FILTER_SELECTED,
    ISO_FILTER_STATUS,
    ISO_FILTER_FORBIDDEN,
    ISO_FILTER_NOT_ALLOWED,
    ISO_FILTER_NO_PERFORMANCE,
    ISO_FILTER_RESOURCES_UNKNOWN,
    ISO_FILTER_TOO_SMALL,
    ISO_FILTER_QUOTA_UNKNOWN,
    ISO_FILTER_KEPT,
    ISO_N_FILTERS
};

/* A workload while its options are collected. */
struct iso_chooser {
    const Isocost__V1__Workload *message;
    struct iso_scope allowed, forbidden;
    bool has_forbidden;
    const struct iso_selector_index *performance; /* of `rows`; in the scratch arena */
    struct iso_performance_row {
        int resource; /* enum iso_resource, or -1: per instance */
        iso_decimal rate;
    } * rows;
    iso_decimal need[ISO_N_RESOURCES], overhead[ISO_N_RESOURCES];
    struct iso_option *options; /* heap */
    size_t n_options, options_capacity;
    int64_t counts[ISO_N_FILTERS];
};

/* SOFT rules: a violation beyond `from` costs `adds` more a unit than before it. */
struct iso_penalty_step {
    iso_decimal from; /* 0 for the first */
    iso_decimal adds; /* base currency, > 0 */
};

struct iso_resolve {
    const Isocost__V1__Model *model;
    const struct iso_snapshot *snapshot; /* NULL when the model does not use it */
    struct iso_resolve_cache *cache;
    struct iso_arena *arena;   /* holds the problem */
    struct iso_arena *scratch; /* holds what only resolving needs; ends with it */
    struct iso_violations *violations;
    struct iso_resolved *out;
    struct iso_problem *problem; /* &out->problem */
    int32_t warnings_capacity;

    int32_t today; /* days since 1970, UTC */
    struct iso_price_days days;
    int32_t n_tariffs;
    const struct iso_egress_tariff *tariffs; /* the one that is closer comes first */

    struct iso_names periods, teams, workloads, currencies, providers, regions, zones;
    int32_t *zone_region; /* heap */
    size_t zone_capacity;

    bool chronological;        /* time is known: starts, or hours of load levels */
    int64_t origin_ns;         /* load levels: start of the first hour, 0 = not known */
    const int32_t *level_hour; /* load levels: the first hour of each level */
    int32_t *level_of_hour;    /* load levels: of each hour */
    const int32_t *next_hour;  /* levels that round: the next hour of the same level, -1: none */

    int32_t n_products, n_quotas, n_overlays, n_limit_rules;
    const Isocost__V1__CommitmentProduct **products; /* checked */
    const char **product_paths;                      /* for violations */
    struct iso_quota *quotas;
    struct iso_overlay *overlays;
    struct iso_limit_rule *limit_rules;
    struct iso_chooser *choosers; /* n_workloads */

    const iso_decimal *none_held; /* zeros, shared by products of which nothing is held */
    uint8_t *scratch_window;      /* n_periods */
    const uint8_t *last_window;   /* shared by starts that cover the same periods */
    uint8_t *scratch_cells;       /* n_cells */
    const uint8_t *last_cells;    /* shared by products that the same may use */
    struct iso_start last_start;  /* the one that was made last, and its term */
    iso_decimal last_term_hours;

    struct iso_rows rows;
    struct iso_names current_ids;   /* folded ids of offerings that run today */
    struct iso_kept *kept;          /* heap */
    struct iso_offering *offerings; /* heap, as `kept` */
    size_t n_kept, kept_capacity, offerings_capacity;
    struct iso_price_exception *exceptions; /* heap */
    size_t n_exceptions, exceptions_capacity;

    /* The quotas that may count an offering of this region, for runs of offerings of one region. */
    const char *near_provider, *near_region;
    int32_t n_near;
    int32_t *near;
};

/* Fails for an arena that is full. */
enum iso_status iso_resolve_full(struct iso_error *reterr);

/* Refuses a rule that only a tree settles when the problem has too many columns for one. The field
 * is `list`[`index`].`field`, or `list`[`index`] when `field` is empty. To be called when workloads
 * have their options. */
void iso_resolve_check_size(struct iso_resolve *r, const char *list, int32_t index,
                            const char *field);

__attribute__((format(printf, 2, 3))) void iso_resolve_warn(struct iso_resolve *r,
                                                            const char *format, ...);

/* Grows a heap array to hold `needed` elements; the array's address is passed as void pointer. */
enum iso_status iso_resolve_reserve(void *address_of_array, size_t *capacity, size_t needed,
                                    size_t size, struct iso_error *reterr);

/* What the workload asks: a value a period or hour, or one for all. */
const double *iso_demand_series(const Isocost__V1__Workload *workload, size_t *ret_n);

/* Value of a series of the model in period t: the most of the hours of a level that rounds. */
double iso_resolve_series(const struct iso_resolve *r, const double *values, size_t n, int32_t t);

/* Flags of the periods named, all when none is. NULL when the arena is full. */
uint8_t *iso_resolve_period_flags(struct iso_resolve *r, char **ids, size_t n);

enum iso_policy iso_resolve_policy(const Isocost__V1__Policy *policy);

/* The number of a currency, which is added when it is new; -1 when the arena is full. */
int32_t iso_resolve_currency(struct iso_resolve *r, const char *code);

/* The number of a provider, folded, which is added when it is new; -1 when the arena is full. */
int32_t iso_resolve_provider(struct iso_resolve *r, const char *name);

/* Money in the base currency with the first period's rate; violations go to `path`. */
bool iso_resolve_to_base(struct iso_resolve *r, const Google__Type__Money *money, bool above_zero,
                         const char *path, iso_decimal *ret_amount);

/* The steps of a SOFT policy's price, the first at 0; see penalty_steps.c. Violations go to
 * `path`. Gives none when there was a violation. */
enum iso_status iso_resolve_penalty(struct iso_resolve *r, const Isocost__V1__Policy *policy,
                                    const char *path, struct iso_penalty_step **ret_steps,
                                    int32_t *ret_n, struct iso_error *reterr);

bool iso_resolve_quota_counts(const struct iso_quota *quota,
                              const struct iso_snapshot_offering *view);

/* Which days count: to be called first. */
void iso_days_open(struct iso_resolve *r);
/* Whether a record of the days (as in Overlay; each may be "") holds on a day that counts, and
 * when it holds. Notes that there are prices with dates. */
bool iso_days_meet(struct iso_resolve *r, const char *valid_from, const char *valid_until,
                   struct iso_validity *ret_validity);
/* Cuts the horizon into spans, when the overlays are known. */
enum iso_status iso_days_cut(struct iso_resolve *r, struct iso_error *reterr);
/* Load levels: the first hour that begins in a span or later. */
int64_t iso_days_hour(const struct iso_resolve *r, int32_t span);
/* The span of a time in nanoseconds since 1970. */
int32_t iso_days_span(const struct iso_resolve *r, int64_t ns);
/* The span of each period, when these are known. */
enum iso_status iso_days_of_periods(struct iso_resolve *r, struct iso_error *reterr);
/* Writes the day of a model whose prices are all of one, when it matters. */
void iso_days_tell(struct iso_resolve *r);
/* Whether an overlay holds in a span. */
static inline bool iso_overlay_holds(const struct iso_resolve *r, const struct iso_overlay *overlay,
                                     int32_t span)
{
    int32_t day = r->days.begins[span];

    return overlay->validity.first <= day && day <= overlay->validity.last;
}

/* What egress costs by the snapshot: one tariff for each provider, region and destination. */
enum iso_status iso_resolve_tariffs(struct iso_resolve *r, struct iso_error *reterr);
/* Whether a tariff is of data from one place to another, both `provider/region` or alike. */
bool iso_tariff_covers(const struct iso_egress_tariff *tariff, const char *from, const char *to);

/* Names, products, overlays, quotas and limits, made ready. */
enum iso_status iso_resolve_names(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_records(struct iso_resolve *r, struct iso_error *reterr);
/* Periods, or load levels. */
enum iso_status iso_resolve_time(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_load_levels(struct iso_resolve *r, struct iso_error *reterr);
/* Which offerings each workload may use. */
enum iso_status iso_resolve_choosers(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_offerings(struct iso_resolve *r, struct iso_error *reterr);
/* Tells whether `view` is an option of the workload, and what filters it. `place` is that of its
 * row, or -1. Fills *ret_option but for its offering. */
enum iso_filter iso_resolve_choose(const struct iso_chooser *chooser,
                                   const struct iso_snapshot_offering *view, int32_t place,
                                   struct iso_option *ret_option);
/* Finds the rows that the catalog chooses, what each scope matches of them, and which have to be
 * looked at one by one. Nothing without a snapshot. */
enum iso_status iso_rows_open(struct iso_resolve *r, struct iso_error *reterr);
void iso_rows_close(struct iso_resolve *r);
/* Notes that an offering of the model's own, with this id, replaces a row. */
void iso_rows_replace(struct iso_resolve *r, const char *id);
/* The first place from `place` on that is looked at; rows->n when there is none. */
int32_t iso_rows_next(const struct iso_rows *rows, int32_t place);
/* Counts, for each workload, what filters the rows that are not looked at. */
void iso_rows_count_others(struct iso_resolve *r);
/* The row with an id in a snapshot (which may be NULL), or -1. */
int32_t iso_resolve_find_stored(const struct iso_snapshot *snapshot, const char *id);
bool iso_resolve_can_be_bought(const struct iso_snapshot_offering *view);
/* price * lot a price unit as a price of an instance for one hour; false when that is not above 0.
 */
bool iso_resolve_to_hourly(const struct iso_snapshot_offering *view, iso_decimal price,
                           iso_decimal *ret_price);
/* Whether a hard cap weighs something that the catalog does not know of the offering. */
bool iso_resolve_weight_unknown(struct iso_resolve *r, const struct iso_snapshot_offering *view);
/* Whether the model refuses the offering because no known quota counts it. */
bool iso_resolve_quota_unknown(struct iso_resolve *r, const struct iso_snapshot_offering *view);
/* An offering with its overlays as in the first span; the hourly price, or false when it has none
 * above 0. `place` is that of its row, or -1. */
bool iso_resolve_apply_overlays(struct iso_resolve *r, struct iso_snapshot_offering *view,
                                int32_t place, iso_decimal *ret_price);
/* An inline offering as readers of a catalog see it, with its id. False when the arena is full. */
bool iso_resolve_view(struct iso_resolve *r, const Isocost__V1__Offering *offering,
                      struct iso_snapshot_offering *view);
/* An offering at a price that overlays are not in, in a span of days. */
struct iso_priced {
    const struct iso_snapshot_offering *view;
    int32_t place; /* of its row, or -1 */
    iso_decimal price;
};
/* The price of one unit of the offering with overlays applied. */
iso_decimal iso_resolve_unit_price(struct iso_resolve *r, const struct iso_priced *at,
                                   int32_t span);
/* The same as a price of an instance for one hour; false when that is not above 0. */
bool iso_resolve_hourly(struct iso_resolve *r, const struct iso_priced *at, int32_t span,
                        iso_decimal *ret_price);
/* What overlays made the price in a span: their notes; "": none. NULL when the arena is full. */
const char *iso_resolve_price_note(struct iso_resolve *r, const struct iso_priced *at,
                                   int32_t span);
/* Takes an offering into the problem. `listed`: its price without overlays, of one price unit;
 * `price`: of an hour in the first span. */
enum iso_status iso_resolve_keep(struct iso_resolve *r, const struct iso_priced *listed,
                                 const Isocost__V1__Offering *given, iso_decimal price,
                                 struct iso_error *reterr);
/* Currencies and rates; then what needs them. */
enum iso_status iso_resolve_currencies(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_workloads(struct iso_resolve *r, struct iso_error *reterr);
/* Traffic and dependencies of the problem's workloads, given once more to be written to. */
enum iso_status iso_resolve_traffic(struct iso_resolve *r, struct iso_workload *workloads,
                                    struct iso_error *reterr);
enum iso_status iso_resolve_current(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_products(struct iso_resolve *r, struct iso_error *reterr);
/* What each product covers, and how much of it that uses. */
enum iso_status iso_resolve_eligible(struct iso_resolve *r, struct iso_product *products,
                                     struct iso_error *reterr);
enum iso_status iso_resolve_limits(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_reliances(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_budgets(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_start(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_scenarios(struct iso_resolve *r, struct iso_error *reterr);
enum iso_status iso_resolve_volumes(struct iso_resolve *r, struct iso_error *reterr);
void iso_resolve_options(const Isocost__V1__Options *message, struct iso_options *options);

#endif
