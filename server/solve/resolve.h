/* From a model and a snapshot to a problem. Both the solver process and the supervisor (for the
 * verifier) run this on the same input and get the same indices. */
#ifndef ISOCOST_SERVER_RESOLVE_H
#define ISOCOST_SERVER_RESOLVE_H

#include "isocost/problem.h"
#include "isocost/proto/day.h"
#include "isocost/proto/violations.h"
#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/plan.pb-c.h"
#include "resolve_cache.h"
#include "snapshot_file.h"

/* What the plan message needs beside the problem. All in the arena. */
struct iso_resolved {
    struct iso_problem problem;
    int32_t n_warnings;
    const char **warnings;
    int32_t n_filters;
    Isocost__V1__FilterCount **filters;
    int32_t n_reliances; /* quotas that are unknown or stale: what to report when used */
    struct iso_reliance {
        const char *place, *metric, *state;
        int32_t n_offerings;
        const int32_t *offerings; /* used together */
        const iso_decimal *weights;
    } * reliances;
    const int64_t *observed_ns;     /* n_offerings; 0 = not said */
    int32_t n_spans;                /* stretches of days in which no price changes */
    const int32_t *span_of_period;  /* of the periods of the model */
    const char *const *price_notes; /* n_offerings times n_spans: what made a price; "": the list */
    int32_t n_egress_notes;         /* pairs of places that the snapshot prices, by from and to */
    const struct iso_egress_note {
        int32_t from, to; /* places */
        const char *text;
        int64_t observed_ns; /* 0 = not said */
    } * egress_notes;
    char price_date[ISO_DAY_TEXT_SIZE]; /* "": no price has dates, or each period has its day */
    bool depends_on_today;              /* it is that on which the model is solved */
    const iso_decimal
        *hours_after;             /* n_products: term hours after the horizon for its first start */
    const int32_t *level_of_hour; /* load levels: n_hours places in periods; otherwise NULL */
    int32_t n_hours;
    int32_t n_roundings; /* load levels that round: of workloads with a value an hour */
    const struct iso_rounding {
        const char *workload;
        double demand, added; /* units times hours, over the horizon */
        double largest;       /* units added in one hour */
    } * roundings;
    char model_digest[ISO_DIGEST_TEXT_SIZE], problem_digest[ISO_DIGEST_TEXT_SIZE];
    char snapshot_digest[ISO_DIGEST_TEXT_SIZE]; /* of what was used; empty: the model needs none */
};

/* Checks the shape of a model: types, ranges, unique ids, dangling references, rules that are not
 * served (each refused by name). Needs no catalog. Adds every problem found. */
ISO_EXPORT void iso_model_check(const Isocost__V1__Model *model, const char *path,
                                struct iso_violations *violations);

/* Whether a model says when its periods are; otherwise it has the prices of one day. */
ISO_EXPORT bool iso_model_says_when(const Isocost__V1__Model *model);

/* Resolves a model that passed iso_model_check(); `snapshot` may be NULL when the model uses none,
 * `cache` when nothing is to be kept from one model to the next (the result is the same). `today`,
 * in days since 1970, is the day whose prices a model has that does not say when.
 * The result lives in the arena and borrows strings from the snapshot, which must outlive it.
 * The problem has passed iso_problem_check(); its digests are empty.
 * Errors: ISO_E_INVALID (violations say where: a catalog selector that matches nothing, an unknown
 * offering in `current`, a missing rate, ...), ISO_E_LIMIT (arena full or too many). */
ISO_EXPORT enum iso_status iso_resolve(const Isocost__V1__Model *model,
                                       const struct iso_snapshot *snapshot, int32_t today,
                                       struct iso_resolve_cache *cache, struct iso_arena *arena,
                                       struct iso_violations *violations,
                                       struct iso_resolved **ret_resolved,
                                       struct iso_error *reterr);

/* Where the snapshot's price of a pair of places is from; NULL: the model gives it, or it is free.
 */
const struct iso_egress_note *iso_egress_note_find(const struct iso_resolved *resolved,
                                                   int32_t from, int32_t to);

/* Fills in the digests of the model and the problem of what iso_resolve() gave, for whoever tells
 * them. `model_digest` is the model's, or "": not known yet. Errors: ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_resolve_digests(const Isocost__V1__Model *model,
                                               const char *model_digest,
                                               struct iso_resolved *resolved,
                                               struct iso_error *reterr);

#endif
