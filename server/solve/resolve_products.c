/* Commitments: what they cover, when they may start, who may use them, what is held. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "model_check.h"
#include "number.h"
#include "provider_alias.h"
#include "resolve_internal.h"

#define DAY_HOURS (24 * ISO_DECIMAL_ONE)
#define SECOND_NS INT64_C(1000000000)

static iso_decimal horizon_hours(const struct iso_problem *problem)
{
    iso_wide sum = 0;
    iso_decimal hours = ISO_DECIMAL_MAX;

    for (int32_t t = 0; t < problem->n_periods; t++)
        sum += problem->periods[t].hours;
    iso_wide_to_decimal(sum, &hours);
    return hours;
}

/* When period t begins, in nanoseconds after the first one's begin. */
static iso_wide begin_of(const struct iso_resolve *r, int32_t t)
{
    if (r->level_hour)
        return (iso_wide)r->level_hour[t] * 3600 * SECOND_NS;
    return (iso_wide)r->problem->periods[t].start_ns - r->problem->periods[0].start_ns;
}

/* The periods that a term starting in `first` covers, and its hours inside the horizon. */
static enum iso_status fill_start(struct iso_resolve *r, iso_decimal term_hours, int32_t first,
                                  struct iso_start *start, struct iso_error *reterr)
{
    const struct iso_problem *problem = r->problem;
    size_t n_periods = (size_t)problem->n_periods;
    iso_wide inside = 0;

    if (r->last_window && r->last_start.period == first && r->last_term_hours == term_hours) {
        *start = r->last_start;
        return ISO_OK;
    }
    if (!r->scratch_window)
        r->scratch_window = iso_arena_calloc(r->arena, n_periods, 1);
    if (!r->scratch_window)
        return iso_resolve_full(reterr);
    uint8_t *window = r->scratch_window;
    memset(window, 0, n_periods);
    for (int32_t t = 0; t < problem->n_periods; t++) {
        if (r->chronological) {
            iso_wide after = begin_of(r, t) - begin_of(r, first);
            if (after < 0 || after >= (iso_wide)term_hours * 3600)
                continue;
        }
        window[t] = 1;
        inside += problem->periods[t].hours;
    }
    if (!r->last_window || memcmp(r->last_window, window, n_periods) != 0) {
        r->last_window = window; /* kept; the next one is computed elsewhere */
        r->scratch_window = NULL;
    }
    *start =
        (struct iso_start){.period = first, .window = r->last_window, .hours_inside = term_hours};
    if (inside < term_hours)
        start->hours_inside = (iso_decimal)inside;
    r->last_start = *start;
    r->last_term_hours = term_hours;
    return ISO_OK;
}

static enum iso_status fill_starts(struct iso_resolve *r, int32_t c, struct iso_product *product,
                                   struct iso_error *reterr)
{
    const Isocost__V1__CommitmentProduct *message = r->products[c];
    size_t n = message->n_start_periods > 0 ? message->n_start_periods : 1;
    struct iso_start *starts = iso_arena_calloc(r->arena, n, sizeof(*starts));
    size_t n_seen = message->n_start_periods > 0 ? (size_t)r->problem->n_periods : 1;
    uint8_t *seen = iso_arena_calloc(r->scratch, n_seen, 1);

    if (!starts || !seen)
        return iso_resolve_full(reterr);
    if (!r->chronological && product->term_hours < horizon_hours(r->problem)) {
        iso_violations_add(r->violations, r->product_paths[c],
                           "the term of product %s is shorter than the periods together; then "
                           "the periods need a start",
                           message->id);
        return ISO_OK;
    }
    for (size_t i = 0; i < n; i++) {
        int32_t first = message->n_start_periods > 0
                            ? iso_names_find(&r->periods, message->start_periods[i])
                            : 0;
        if (first < 0 || seen[first]) {
            iso_violations_add(r->violations, r->product_paths[c],
                               "start_periods[%zu]: \"%.64s\" is %s", i, message->start_periods[i],
                               first < 0 ? "not the id of a period" : "there twice");
            continue;
        }
        seen[first] = 1;
        ISO_TRY(fill_start(r, product->term_hours, first, &starts[product->n_starts++], reterr));
    }
    product->starts = starts;
    return ISO_OK;
}

static enum iso_status fill_existing(struct iso_resolve *r, int32_t c, struct iso_product *product,
                                     struct iso_error *reterr)
{
    const Isocost__V1__CommitmentProduct *message = r->products[c];
    int32_t n_periods = r->problem->n_periods;
    bool shared = message->n_existing == 0 && r->none_held;
    iso_decimal *existing =
        shared ? NULL : iso_arena_calloc(r->arena, (size_t)n_periods, sizeof(*existing));
    bool dated = r->chronological && (!r->level_hour || r->origin_ns > 0);
    int64_t origin_ns = r->level_hour ? r->origin_ns : r->problem->periods[0].start_ns;

    if (shared) {
        product->existing = r->none_held;
        return ISO_OK;
    }
    if (!existing)
        return iso_resolve_full(reterr);
    if (message->n_existing == 0)
        r->none_held = existing;
    for (int32_t t = 0; t < n_periods; t++) {
        iso_wide sum = 0;
        for (size_t i = 0; i < message->n_existing; i++) {
            const Google__Protobuf__Timestamp *end = message->existing[i]->expires_at;
            if (end && dated &&
                origin_ns + begin_of(r, t) >= (iso_wide)end->seconds * SECOND_NS + end->nanos)
                continue;
            sum += iso_number(message->existing[i]->quantity);
        }
        if (!iso_wide_to_decimal(sum, &existing[t])) {
            iso_violations_add(r->violations, r->product_paths[c],
                               "existing: all together are above 9223372036");
            break;
        }
    }
    for (size_t i = 0; !dated && i < message->n_existing; i++)
        if (message->existing[i]->expires_at)
            iso_resolve_warn(r, "product %s: without a start its expiry is not looked at",
                             message->id);
    product->existing = existing;
    return ISO_OK;
}

static bool is_listed(char **list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return n == 0;
}

static bool may_use(const Isocost__V1__CommitmentScope *scope,
                    const Isocost__V1__Workload *workload)
{
    return !scope || (is_listed(scope->workloads, scope->n_workloads, workload->id) &&
                      is_listed(scope->teams, scope->n_teams,
                                workload->team[0] ? workload->team : "default") &&
                      is_listed(scope->accounts, scope->n_accounts, workload->account));
}

/* A pool may use a commitment when all of its replica workloads may: they share the instances. */
static enum iso_status fill_scope(struct iso_resolve *r, int32_t c, struct iso_product *product,
                                  struct iso_error *reterr)
{
    const Isocost__V1__CommitmentProduct *message = r->products[c];
    const struct iso_problem *problem = r->problem;
    size_t n_cells = (size_t)iso_problem_n_cells(problem);
    int32_t n_admitted = 0;

    if (!r->scratch_cells)
        r->scratch_cells = iso_arena_calloc(r->arena, n_cells, 1);
    if (!r->scratch_cells)
        return iso_resolve_full(reterr);
    uint8_t *cells = r->scratch_cells;
    memset(cells, 0, n_cells);
    for (int32_t g = 0; g < problem->n_teams; g++) {
        int32_t n_users = 0, n_allowed = 0;
        for (int32_t a = 0; a < problem->n_workloads; a++)
            if (problem->workloads[a].replicas && problem->workloads[a].team == g) {
                n_users++;
                n_allowed += may_use(message->scope, r->model->workloads[a]);
            }
        cells[problem->n_workloads + g] = n_users > 0 && n_allowed == n_users;
        n_admitted += n_users > 0 && n_allowed == n_users;
        if (n_allowed > 0 && n_allowed < n_users)
            iso_resolve_warn(r,
                             "product %s: team %s cannot use it, because only some of its replica "
                             "workloads may",
                             message->id, problem->teams[g].id);
    }
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (!problem->workloads[a].replicas) {
            cells[a] = may_use(message->scope, r->model->workloads[a]);
            n_admitted += cells[a];
        }
    if (n_admitted == 0)
        iso_resolve_warn(r, "product %s: no workload may use it", message->id);
    if (!r->last_cells || memcmp(r->last_cells, cells, n_cells) != 0) {
        r->last_cells = cells; /* kept; the next ones are computed elsewhere */
        r->scratch_cells = NULL;
    }
    product->cells = r->last_cells;
    return ISO_OK;
}

static void fill_money(struct iso_resolve *r, int32_t c, struct iso_product *product)
{
    const Isocost__V1__CommitmentProduct *message = r->products[c];
    const Google__Type__Money *money = message->hourly_fee ? message->hourly_fee : message->upfront;

    product->currency =
        money ? iso_names_find(&r->currencies, money->currency_code) : r->problem->base_currency;
    if (message->hourly_fee)
        iso_money_to_decimal(message->hourly_fee, &product->fee, NULL);
    if (message->upfront)
        iso_money_to_decimal(message->upfront, &product->upfront, NULL);
}

static int64_t most_of(struct iso_resolve *r, const Isocost__V1__CommitmentProduct *message)
{
    const Isocost__V1__Options *options = r->model->options;
    int64_t most =
        message->opt_purchasable_maximum_case ? (int64_t)floor(message->purchasable_maximum) : -1;

    if (most != 0 && !(options && options->horizon_repeats) &&
        horizon_hours(r->problem) < DAY_HOURS) {
        iso_resolve_warn(r,
                         "product %s is not bought: the horizon is shorter than 24 hours; set "
                         "options.horizon_repeats if it repeats",
                         message->id);
        return 0;
    }
    return most;
}

static enum iso_status fill_product(struct iso_resolve *r, int32_t c, struct iso_product *product,
                                    iso_decimal *hours_after, struct iso_error *reterr)
{
    const Isocost__V1__CommitmentProduct *message = r->products[c];
    char buffer[ISO_PROVIDER_BUFFER_SIZE];
    const char *provider = iso_provider_fold(message->provider, buffer);

    product->id = message->id;
    product->provider = iso_resolve_provider(r, provider ? provider : message->provider);
    if (product->provider < 0)
        return iso_resolve_full(reterr);
    product->spend = message->kind == ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_SPEND;
    product->lot =
        product->spend && message->opt_lot_case ? iso_number(message->lot) : ISO_DECIMAL_ONE;
    product->term_hours = iso_number(message->term_hours);
    product->most = most_of(r, message);
    fill_money(r, c, product);
    ISO_TRY(fill_existing(r, c, product, reterr));
    ISO_TRY(fill_starts(r, c, product, reterr));
    ISO_TRY(fill_scope(r, c, product, reterr));
    if (product->n_starts > 0)
        *hours_after = product->term_hours - product->starts[0].hours_inside;
    return ISO_OK;
}

enum iso_status iso_resolve_products(struct iso_resolve *r, struct iso_error *reterr)
{
    struct iso_product *products =
        iso_arena_calloc(r->arena, (size_t)r->n_products, sizeof(*products));
    iso_decimal *hours_after =
        iso_arena_calloc(r->arena, (size_t)r->n_products, sizeof(*hours_after));

    if (!products || !hours_after)
        return iso_resolve_full(reterr);
    for (int32_t c = 0; c < r->n_products; c++)
        ISO_TRY(fill_product(r, c, &products[c], &hours_after[c], reterr));
    ISO_TRY(iso_resolve_eligible(r, products, reterr));
    r->problem->products = products;
    r->problem->n_products = r->n_products;
    r->problem->n_providers = r->providers.n; /* a product may bring one that sells nothing else */
    r->problem->provider_names = r->providers.texts;
    r->out->hours_after = hours_after;
    return ISO_OK;
}
