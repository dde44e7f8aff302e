/* Records in the store: samples of usage, costs, and what runs.
 *
 * A refresh writes a set of rows that nobody sees, in as many transactions as it takes, and then
 * publishes it in one small transaction: from then on the set is what there is of its source in its
 * range of time, and what was there before is not. Which set serves which range is kept in
 * segments; rows that no segment covers are removed later, by retention.
 *
 *     begin -> add ... add -> publish      or, when the refresh fails:  -> drop
 *
 * Every call is safe from any thread and blocks, as those of store.h. */
#ifndef ISOCOST_SERVER_RECORD_STORE_H
#define ISOCOST_SERVER_RECORD_STORE_H

#include "store.h"

enum iso_record_kind {
    ISO_RECORD_USAGE = 1,
    ISO_RECORD_COST = 2,
    ISO_RECORD_RUNNING = 3, /* of now: a set replaces all of its source */
};

/* A set that is being written. */
struct iso_record_set {
    enum iso_record_kind kind;
    int64_t id;
    int64_t n_rows; /* added so far */
};

/* Begins a set of what `source`, a provider instance, has in [from_ns, to_ns); of
 * ISO_RECORD_RUNNING the range is not used. */
ISO_EXPORT enum iso_status
iso_store_begin_records(struct iso_store *store, const struct iso_principal *principal,
                        const char *source, enum iso_record_kind kind, int64_t from_ns,
                        int64_t to_ns, struct iso_record_set *ret_set, struct iso_error *reterr);

/* An amount of money in 1e-9 of its currency; absent is unknown, not 0. */
struct iso_record_amount {
    bool present;
    int64_t value;
};

/* A row of any kind: what queries ask for, and the message. What a kind does not have is "". */
struct iso_record_row {
    int64_t start_ns;
    const char *provider, *account, *region;
    const char *resource, *metric; /* of usage; the resource also of what runs */
    const char *service;           /* of costs, and so the rest */
    int category;                  /* isocost.v1.CostCategory */
    const char *currency;
    struct iso_record_amount billed, effective, list;
    bool effective_from_billed;
    struct iso_bytes message; /* packed isocost.v1.UsageSample, CostRecord or RunningResource */
};
/* Adds rows, in one transaction. Errors: ISO_E_CONFLICT (the set is not written any more). */
ISO_EXPORT enum iso_status iso_store_add_records(struct iso_store *store,
                                                 struct iso_record_set *set,
                                                 const struct iso_record_row *rows, int n_rows,
                                                 struct iso_error *reterr);

/* Makes sets of one refresh visible, all at once. `refresh` is kept with them: a packed
 * isocost.v1.UsageRefresh. Errors: ISO_E_CONFLICT, as above. */
ISO_EXPORT enum iso_status
iso_store_publish_records(struct iso_store *store, const struct iso_principal *principal,
                          const struct iso_record_set *sets, int n_sets, struct iso_bytes refresh,
                          const struct iso_audit *audit, struct iso_error *reterr);
/* Gives sets up that were not published. */
ISO_EXPORT enum iso_status iso_store_drop_records(struct iso_store *store,
                                                  const struct iso_record_set *sets, int n_sets,
                                                  struct iso_error *reterr);

/* How many rows there are of a source in a range. */
ISO_EXPORT enum iso_status iso_store_count_records(struct iso_store *store,
                                                   const struct iso_principal *principal,
                                                   const char *source, enum iso_record_kind kind,
                                                   int64_t from_ns, int64_t to_ns,
                                                   int64_t *ret_n_rows, struct iso_error *reterr);

/* Until when a source has records without a gap from `from_ns` on: refreshes were published of all
 * of [from_ns, *ret_until_ns), whatever they found. from_ns if that begins with a gap. */
ISO_EXPORT enum iso_status iso_store_records_until(struct iso_store *store,
                                                   const struct iso_principal *principal,
                                                   const char *source, enum iso_record_kind kind,
                                                   int64_t from_ns, int64_t *ret_until_ns,
                                                   struct iso_error *reterr);

/* Which rows; "" is any. */
struct iso_record_filter {
    int64_t from_ns, to_ns;
    const char *source, *provider, *account, *region;
    const char *resource, *metric; /* not of costs */
    const char *service;           /* of costs */
    int category;                  /* of costs; 0: any */
};

/* Where a list goes on: after this row. Zero: from the begin. */
struct iso_record_place {
    int64_t start_ns, set_id, number;
};
struct iso_record_message {
    struct iso_record_place place;
    struct iso_bytes message;
};
/* Messages of usage or of what runs, by begin. */
ISO_EXPORT enum iso_status
iso_store_list_records(struct iso_store *store, const struct iso_principal *principal,
                       enum iso_record_kind kind, const struct iso_record_filter *filter,
                       struct iso_record_place after, int limit, struct iso_arena *arena,
                       struct iso_record_message **ret_messages, int *ret_n_messages,
                       struct iso_error *reterr);

/* When the oldest set was begun that serves what runs; 0: there is none. */
ISO_EXPORT enum iso_status iso_store_running_since(struct iso_store *store,
                                                   const struct iso_principal *principal,
                                                   const struct iso_record_filter *filter,
                                                   int64_t *ret_ns, struct iso_error *reterr);

/* What costs are summed by. */
struct iso_cost_grouping {
    bool provider, account, service, region, category, month;
};
/* An exact sum: units + nanos * 1e-9, where nanos may be of any size and of either sign. */
struct iso_exact_sum {
    int64_t n_rows; /* that have the amount */
    int64_t units, nanos;
};
/* The costs of one group in one currency; what is not grouped by is "" or 0. */
struct iso_cost_sum {
    const char *provider, *account, *service, *region, *currency;
    int category, month; /* year * 100 + month, of the begin of charges, in UTC */
    int64_t n_rows, n_effective_from_billed;
    struct iso_exact_sum billed, effective, list;
};
/* Sums in order of their groups, from the `offset`-th on. */
ISO_EXPORT enum iso_status iso_store_sum_costs(struct iso_store *store,
                                               const struct iso_principal *principal,
                                               const struct iso_record_filter *filter,
                                               const struct iso_cost_grouping *grouping,
                                               int64_t offset, int limit, struct iso_arena *arena,
                                               struct iso_cost_sum **ret_sums, int *ret_n_sums,
                                               struct iso_error *reterr);

/* Refreshes that were published, newest first: packed isocost.v1.UsageRefresh. `before_id` 0: from
 * the newest. source "": of all. */
struct iso_refresh_record {
    int64_t id;
    struct iso_bytes refresh;
};
ISO_EXPORT enum iso_status iso_store_list_refreshes(struct iso_store *store,
                                                    const struct iso_principal *principal,
                                                    const char *source, int64_t before_id,
                                                    int limit, struct iso_arena *arena,
                                                    struct iso_refresh_record **ret_refreshes,
                                                    int *ret_n_refreshes, struct iso_error *reterr);

#endif
