/* Limits and quotas, both as weighted caps on what runs at once. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model_check.h"
#include "number.h"
#include "resolve_internal.h"

#define STALE_AFTER_HOURS 168

enum iso_policy iso_resolve_policy(const Isocost__V1__Policy *policy)
{
    switch (policy ? policy->kind : ISOCOST__V1__POLICY_KIND__POLICY_KIND_HARD) {
    case ISOCOST__V1__POLICY_KIND__POLICY_KIND_SOFT:
        return ISO_POLICY_SOFT;
    case ISOCOST__V1__POLICY_KIND__POLICY_KIND_PREFER:
        return ISO_POLICY_PREFER;
    case ISOCOST__V1__POLICY_KIND__POLICY_KIND_DEFAULT:
        return ISO_POLICY_DEFAULT;
    default:
        return ISO_POLICY_HARD;
    }
}

static bool region_matches(const char *pattern, const char *region)
{
    return strcmp(pattern, "*") == 0 || strcmp(pattern, region) == 0;
}

bool iso_resolve_quota_counts(const struct iso_quota *quota,
                              const struct iso_snapshot_offering *view)
{
    return strcmp(quota->provider, view->provider) == 0 &&
           region_matches(quota->region, view->region) && iso_selector_matches(quota->scope, view);
}

/* Lists the quotas of the offering's place; most offerings lie where the one before did. */
static void look_near(struct iso_resolve *r, const struct iso_snapshot_offering *view)
{
    if (r->near_region && strcmp(r->near_region, view->region) == 0 &&
        strcmp(r->near_provider, view->provider) == 0)
        return;
    r->near_provider = view->provider;
    r->near_region = view->region;
    r->n_near = 0;
    for (int32_t i = 0; i < r->n_quotas; i++)
        if (strcmp(r->quotas[i].provider, view->provider) == 0 &&
            region_matches(r->quotas[i].region, view->region))
            r->near[r->n_near++] = i;
}

bool iso_resolve_weight_unknown(struct iso_resolve *r, const struct iso_snapshot_offering *view)
{
    for (int32_t i = 0; i < r->n_limit_rules; i++) {
        const struct iso_limit_rule *rule = &r->limit_rules[i];
        if (rule->hard_maximum && iso_weight_of_instance(view, rule->resource) == ISO_UNKNOWN &&
            iso_selector_matches(rule->scope, view))
            return true;
    }
    look_near(r, view);
    for (int32_t i = 0; i < r->n_near; i++) {
        const struct iso_quota *quota = &r->quotas[r->near[i]];
        if (quota->message->opt_limit_case &&
            iso_weight_of_instance(view, quota->resource) == ISO_UNKNOWN &&
            iso_selector_matches(quota->scope, view))
            return true;
    }
    return false;
}

/* Whether a quota with a known cap, or known to have none, counts the offering. */
static bool is_counted(struct iso_resolve *r, const struct iso_snapshot_offering *view)
{
    look_near(r, view);
    for (int32_t i = 0; i < r->n_near; i++)
        if (r->quotas[r->near[i]].known && iso_selector_matches(r->quotas[r->near[i]].scope, view))
            return true;
    return false;
}

bool iso_resolve_quota_unknown(struct iso_resolve *r, const struct iso_snapshot_offering *view)
{
    const Isocost__V1__Options *options = r->model->options;

    return options && options->unknown_quota == ISOCOST__V1__UNKNOWN_QUOTA__UNKNOWN_QUOTA_REFUSE &&
           !is_counted(r, view);
}

/* How much the placement of today is on the wrong side of the bound, or 0. */
static iso_decimal broken_today(const struct iso_resolve *r, const struct iso_limit *limit)
{
    const struct iso_moves *moves = &r->problem->moves;
    iso_wide sum = 0; /* in 1e-9; counts are whole */
    iso_decimal today = 0;
    int32_t n_active = 0;

    for (int32_t t = 0; t < r->problem->n_periods; t++)
        n_active += limit->periods[t];
    for (int32_t i = 0; i < limit->n_terms; i++)
        for (int32_t j = 0; j < moves->n_current; j++)
            if (moves->current[j].offering == limit->terms[i].offering)
                sum += (iso_wide)limit->terms[i].weight * moves->current[j].count;
    sum = limit->minimum ? limit->bound - sum : sum - limit->bound;
    if (n_active == 0 || sum <= 0)
        return 0;
    return iso_wide_to_decimal(sum, &today) ? today : ISO_DECIMAL_MAX;
}

static const char *weight_name(int resource)
{
    return resource == ISO_WEIGHT_CARBON ? "carbon_kg_per_hour" : iso_resource_name(resource);
}

/* Terms of the offerings flagged in `counts`. */
static enum iso_status fill_terms(struct iso_resolve *r, const uint8_t *counts, int resource,
                                  struct iso_limit *limit, int32_t *ret_n_unknown,
                                  struct iso_error *reterr)
{
    size_t n = 0;

    for (int32_t o = 0; o < r->problem->n_offerings; o++)
        n += counts[o];
    struct iso_limit_term *terms = iso_arena_calloc(r->arena, n, sizeof(*terms));
    if (!terms)
        return iso_resolve_full(reterr);
    for (int32_t o = 0; o < r->problem->n_offerings; o++) {
        iso_decimal weight = counts[o] ? iso_weight_of_instance(&r->kept[o].view, resource) : 0;
        *ret_n_unknown += weight == ISO_UNKNOWN;
        if (weight > 0)
            terms[limit->n_terms++] = (struct iso_limit_term){o, weight};
    }
    limit->terms = terms;
    return ISO_OK;
}

static enum iso_status fill_limit(struct iso_resolve *r, const struct iso_limit_rule *rule,
                                  uint8_t *counts, struct iso_limit *limit,
                                  struct iso_error *reterr)
{
    const Isocost__V1__Limit *message = rule->message;
    int32_t n_matched = 0, n_unknown = 0;

    limit->id = message->id;
    limit->minimum = message->bound_case == ISOCOST__V1__LIMIT__BOUND_MINIMUM;
    limit->or_nothing = message->or_nothing;
    limit->bound = iso_number(limit->minimum ? message->minimum : message->maximum);
    limit->policy = iso_resolve_policy(message->policy);
    limit->periods = iso_resolve_period_flags(r, message->periods, message->n_periods);
    if (!limit->periods)
        return iso_resolve_full(reterr);
    for (int32_t o = 0; o < r->problem->n_offerings; o++) {
        counts[o] = iso_selector_matches(rule->scope, &r->kept[o].view);
        n_matched += counts[o];
    }
    ISO_TRY(fill_terms(r, counts, rule->resource, limit, &n_unknown, reterr));
    if (n_matched == 0)
        iso_resolve_warn(r, "limit %s: its scope matches no usable offering", message->id);
    if (n_unknown > 0)
        iso_resolve_warn(r, "limit %s: %d offerings do not say their %s and are not counted",
                         message->id, n_unknown, weight_name(rule->resource));
    if (limit->policy == ISO_POLICY_PREFER || limit->policy == ISO_POLICY_DEFAULT)
        limit->today = broken_today(r, limit);
    if (limit->policy == ISO_POLICY_DEFAULT && !r->model->current)
        iso_resolve_warn(r, "limit %s: without a current placement DEFAULT may not be broken",
                         message->id);
    return ISO_OK;
}

static enum iso_status fill_quota(struct iso_resolve *r, const struct iso_quota *quota,
                                  uint8_t *counts, struct iso_limit *limit,
                                  struct iso_error *reterr)
{
    iso_decimal cap = iso_number(quota->message->limit), used = iso_number(quota->message->used);
    int32_t n_unknown = 0; /* such offerings are no options; they may run today */

    limit->id = iso_arena_printf(r->arena, "quota %s/%s %s", quota->provider, quota->region,
                                 quota->message->code);
    limit->quota = true;
    limit->bound = cap > used ? cap - used : 0;
    limit->policy = ISO_POLICY_HARD;
    limit->periods = iso_resolve_period_flags(r, NULL, 0);
    if (!limit->id || !limit->periods)
        return iso_resolve_full(reterr);
    for (int32_t o = 0; o < r->problem->n_offerings; o++)
        counts[o] = iso_resolve_quota_counts(quota, &r->kept[o].view);
    return fill_terms(r, counts, quota->resource, limit, &n_unknown, reterr);
}

/* Adds the limit, once for each step of its price. */
static enum iso_status add_limit(struct iso_resolve *r, const struct iso_limit_rule *rule,
                                 uint8_t *counts, struct iso_limit *limits,
                                 struct iso_error *reterr)
{
    struct iso_limit limit = {0};
    struct iso_penalty_step *steps = NULL;
    char path[ISO_PATH_SIZE];
    int32_t n_steps = 0;

    ISO_TRY(fill_limit(r, rule, counts, &limit, reterr));
    if (limit.or_nothing)
        iso_resolve_check_size(r, "limits", rule->index, "or_nothing");
    if (limit.policy != ISO_POLICY_SOFT) {
        limits[r->problem->n_limits++] = limit;
        return ISO_OK;
    }
    snprintf(path, sizeof(path), "model.limits[%d].policy", rule->index);
    ISO_TRY(iso_resolve_penalty(r, rule->message->policy, path, &steps, &n_steps, reterr));
    for (int32_t i = 0; i < n_steps; i++) {
        iso_wide bound = (iso_wide)limit.bound + (limit.minimum ? -1 : 1) * (iso_wide)steps[i].from;
        struct iso_limit step = limit;
        step.price = steps[i].adds;
        step.later_step = i > 0;
        if (i > 0 && (bound <= 0 || !iso_wide_to_decimal(bound, &step.bound)))
            break; /* nothing breaks the rule by so much */
        limits[r->problem->n_limits++] = step;
    }
    return ISO_OK;
}

enum iso_status iso_resolve_limits(struct iso_resolve *r, struct iso_error *reterr)
{
    struct iso_problem *problem = r->problem;
    size_t n_most = (size_t)(r->n_limit_rules + r->n_quotas);

    for (int32_t i = 0; i < r->n_limit_rules; i++)
        n_most +=
            r->limit_rules[i].message->policy ? r->limit_rules[i].message->policy->n_steps : 0;
    struct iso_limit *limits = iso_arena_calloc(r->arena, n_most, sizeof(*limits));
    uint8_t *counts = iso_arena_calloc(r->arena, (size_t)problem->n_offerings, 1);

    if (!limits || !counts)
        return iso_resolve_full(reterr);
    for (int32_t i = 0; i < r->n_limit_rules; i++)
        ISO_TRY(add_limit(r, &r->limit_rules[i], counts, limits, reterr));
    for (int32_t i = 0; i < r->n_quotas; i++) {
        if (!r->quotas[i].message->opt_limit_case)
            continue;
        struct iso_limit limit = {0};
        ISO_TRY(fill_quota(r, &r->quotas[i], counts, &limit, reterr));
        if (limit.n_terms > 0) /* quotas of other places are no part of this problem */
            limits[problem->n_limits++] = limit;
    }
    problem->limits = limits;
    return ISO_OK;
}

/* Adds what a plan relies on: the offerings flagged in `counts`. */
static enum iso_status add_reliance(struct iso_resolve *r, const char *place, int resource,
                                    const char *state, const uint8_t *counts,
                                    struct iso_error *reterr)
{
    struct iso_limit weighted = {0};
    int32_t n_unknown = 0;

    ISO_TRY(fill_terms(r, counts, resource, &weighted, &n_unknown, reterr));
    if (weighted.n_terms == 0)
        return ISO_OK;
    size_t n = (size_t)weighted.n_terms;
    int32_t *offerings = iso_arena_calloc(r->arena, n, sizeof(*offerings));
    iso_decimal *weights = iso_arena_calloc(r->arena, n, sizeof(*weights));
    if (!offerings || !weights || !place)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < n; i++) {
        offerings[i] = weighted.terms[i].offering;
        weights[i] = weighted.terms[i].weight;
    }
    r->out->reliances[r->out->n_reliances++] = (struct iso_reliance){
        .place = place,
        .metric = resource < 0 ? "instances" : iso_resource_name(resource),
        .state = state,
        .n_offerings = weighted.n_terms,
        .offerings = offerings,
        .weights = weights,
    };
    return ISO_OK;
}

/* What is stale depends on the clock; it changes what is reported, never the problem. */
static const char *state_of(const struct iso_resolve *r, const struct iso_quota *quota,
                            int64_t now_s)
{
    const Google__Protobuf__Timestamp *observed = quota->message->observed_at;
    double hours = r->model->catalog->stale_after_hours;

    if (!quota->known)
        return "unknown";
    if (quota->message->unlimited || !observed)
        return NULL;
    if (hours <= 0)
        hours = STALE_AFTER_HOURS;
    return (double)(now_s - observed->seconds) > hours * 3600 ? "stale" : NULL;
}

/* Adds, for each region, the offerings that no quota lists: their quotas are unknown. */
static enum iso_status add_unlisted(struct iso_resolve *r, const uint8_t *listed,
                                    struct iso_error *reterr)
{
    const struct iso_problem *problem = r->problem;
    size_t n_offerings = (size_t)problem->n_offerings, n_regions = (size_t)problem->n_regions;
    int32_t *end = iso_arena_calloc(r->arena, n_regions, sizeof(*end)); /* in `by_region` */
    int32_t *by_region = iso_arena_calloc(r->arena, n_offerings, sizeof(*by_region));
    iso_decimal *weights = iso_arena_calloc(r->arena, n_offerings, sizeof(*weights));

    if (!end || !by_region || !weights)
        return iso_resolve_full(reterr);
    for (size_t o = 0; o < n_offerings; o++)
        end[problem->offerings[o].region] += !listed[o];
    for (size_t region = 0, first = 0; region < n_regions; region++) {
        int32_t n = end[region];
        end[region] = (int32_t)first; /* grows as its offerings come */
        if (n > 0)
            r->out->reliances[r->out->n_reliances++] = (struct iso_reliance){
                .place = problem->region_names[region],
                .metric = "instances",
                .state = "unknown",
                .n_offerings = n,
                .offerings = by_region + first,
                .weights = weights + first,
            };
        first += (size_t)n;
    }
    for (size_t o = 0; o < n_offerings; o++) {
        weights[o] = ISO_DECIMAL_ONE;
        if (!listed[o])
            by_region[end[problem->offerings[o].region]++] = (int32_t)o;
    }
    return ISO_OK;
}

enum iso_status iso_resolve_reliances(struct iso_resolve *r, struct iso_error *reterr)
{
    const struct iso_problem *problem = r->problem;
    size_t most = (size_t)r->n_quotas + (size_t)problem->n_regions;
    uint8_t *counts = iso_arena_calloc(r->arena, (size_t)problem->n_offerings, 1);
    uint8_t *listed = iso_arena_calloc(r->arena, (size_t)problem->n_offerings, 1);
    int64_t now_s = (int64_t)time(NULL);

    r->out->reliances = iso_arena_calloc(r->arena, most, sizeof(*r->out->reliances));
    if (!counts || !listed || !r->out->reliances)
        return iso_resolve_full(reterr);
    for (int32_t i = 0; i < r->n_quotas; i++) {
        const struct iso_quota *quota = &r->quotas[i];
        const char *state = state_of(r, quota, now_s);
        for (int32_t o = 0; o < problem->n_offerings; o++) {
            counts[o] = iso_resolve_quota_counts(quota, &r->kept[o].view);
            listed[o] |= counts[o];
        }
        if (state)
            ISO_TRY(
                add_reliance(r, iso_arena_printf(r->arena, "%s/%s", quota->provider, quota->region),
                             quota->resource, state, counts, reterr));
    }
    return add_unlisted(r, listed, reterr);
}
