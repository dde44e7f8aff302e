/* Long horizons in which nothing but caps that do not bind joins the workloads: each by itself.
 *
 * Clusters of periods stand for the demands of all workloads at once, and twenty demands that move
 * by themselves are never alike in many periods: the mean over a cluster loses what they differ by.
 * A workload alone has one demand a period, which as many clusters follow closely. Without caps the
 * bounds of the workloads add up, as every multiplier of a cap may be nought; and what each one
 * buys is found among its own products. */
#include "horizon_apart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon_whole.h"

#define CLUSTERS 48 /* of one workload's periods */
#define WORTH 1e-3  /* part of the bound that caps may add */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for workloads by themselves");
}

/* A workload with the products that cover it, and no limits. */
struct alone {
    struct iso_problem problem;
    struct iso_product *products;
    int32_t *product; /* of the whole problem, by product of this one */
    struct iso_horizon_case h;
    struct iso_master master;
    struct iso_tier tier; /* what is proved of it; its multipliers are in h.search.plan */
};

/* Workloads that a product covers, at most 2. */
static int covers(const struct iso_problem *problem, int32_t c)
{
    int n = 0;

    for (int32_t a = 0; a < problem->n_workloads && n < 2; a++)
        n += problem->products[c].cells[a] != 0;
    return n;
}

bool iso_apart_applies(const struct iso_master *master, const struct iso_tier *tier)
{
    const struct iso_horizon_case *h = master->h;
    double caps = 0;

    if (h->problem->n_workloads < 2 || h->n_clusters == h->problem->n_periods ||
        iso_whole_applies(h))
        return false;
    for (int32_t c = 0; c < h->problem->n_products; c++)
        if (covers(h->problem, c) != 1)
            return false;
    for (int32_t r = 0; r < h->slice.n_rows; r++) {
        if (h->slice.rows[r].kind != ISO_ROW_LIMIT)
            continue;
        if (h->slice.rows[r].asks)
            return false;
        for (int32_t k = 0; k < h->n_clusters; k++)
            if (isfinite(h->clusters[k].right[r]))
                caps -= fmin(0, master->duals[k * h->slice.n_rows + r]) * h->clusters[k].right[r];
    }
    return caps <= WORTH * fabs(tier->checked_bound);
}

static void alone_fini(struct alone *alone)
{
    iso_master_fini(&alone->master);
    iso_clusters_fini(&alone->h);
    iso_slice_fini(&alone->h);
    iso_plan_free(alone->h.search.plan);
    free(alone->products);
    free(alone->product);
}

static enum iso_status alone_init(struct alone *alone, const struct iso_horizon_case *h, int32_t a,
                                  struct iso_error *reterr)
{
    const struct iso_problem *whole = h->problem;
    size_t n_products = (size_t)whole->n_products;
    int32_t n = 0;

    alone->problem = *whole;
    alone->products = iso_calloc(n_products, sizeof(*alone->products));
    alone->product = iso_calloc(n_products, sizeof(*alone->product));
    if (!alone->products || !alone->product)
        return no_memory(reterr);
    for (int32_t c = 0; c < whole->n_products; c++) {
        if (!whole->products[c].cells[a])
            continue;
        alone->products[n] = whole->products[c];
        alone->products[n].cells += a;
        alone->product[n++] = c;
    }
    alone->problem.products = alone->products;
    alone->problem.n_products = n;
    alone->problem.workloads += a;
    alone->problem.n_workloads = 1;
    alone->problem.n_limits = 0;
    alone->h.problem = &alone->problem;
    alone->h.search = h->search;
    alone->h.search.problem = &alone->problem;
    alone->h.search.plan = iso_plan_new();
    alone->tier = (struct iso_tier){
        .kind = ISO_TIER_MONEY, .proof = ISO_PROOF_DUAL, .checked_bound = -INFINITY};
    if (!alone->h.search.plan)
        return no_memory(reterr);
    ISO_TRY(iso_slice_init(&alone->h, true, reterr));
    ISO_TRY(iso_seasons_init(&alone->h, reterr));
    return iso_clusters_init(&alone->h, CLUSTERS, reterr);
}

/* The bound of a workload by itself and what it buys. *ret_outcome: that of its master. */
static enum iso_status solve_alone(struct alone *alone, enum iso_lp_outcome *ret_outcome,
                                   struct iso_error *reterr)
{
    ISO_TRY(iso_master_init(&alone->master, &alone->h, reterr));
    ISO_TRY(iso_master_solve(&alone->master, ret_outcome, reterr));
    if (*ret_outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    ISO_TRY(iso_lift(&alone->master, &alone->tier, reterr));
    return iso_master_dive(&alone->master, reterr);
}

static void take_purchases(const struct alone *alone, struct iso_horizon_case *h)
{
    for (int32_t c = 0; c < alone->problem.n_products; c++)
        memcpy(&h->bought[h->first_start[alone->product[c]]],
               &alone->h.bought[alone->h.first_start[c]],
               (size_t)alone->problem.products[c].n_starts * sizeof(*h->bought));
}

/* --- the proof --- */

/* The period of a multiplier. */
static int32_t *period_of(struct iso_dual *dual)
{
    return dual->kind == ISO_ROW_DEMAND || dual->kind == ISO_ROW_COMMIT ? &dual->b : &dual->c;
}

/* Copies the multipliers of a workload's lead to a period. `first` by lead: places in its plan. */
static bool copy_duals(const struct alone *alone, int32_t a, int32_t t, const int32_t *first,
                       struct iso_plan *plan)
{
    const struct iso_plan *from = alone->h.search.plan;
    int32_t lead = from->leads[t].period;
    bool ok = true;

    for (int32_t i = first[lead]; i < first[lead + 1] && ok; i++) {
        struct iso_dual dual = from->duals[i];
        dual.a = dual.kind == ISO_ROW_COMMIT ? alone->product[dual.a] : a;
        *period_of(&dual) = t;
        ok = iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual);
    }
    return ok;
}

/* Multipliers stand by rising leads. */
static void index_duals(const struct alone *alone, int32_t *first)
{
    const struct iso_plan *plan = alone->h.search.plan;
    int32_t next = 0;

    for (int32_t t = 0; t < alone->problem.n_periods; t++) {
        first[t] = next;
        while (next < plan->n_duals && *period_of(&plan->duals[next]) == t)
            next++;
    }
    first[alone->problem.n_periods] = next;
}

/* Tables of whole instances prove what workloads with nothing but demands cost. */
static bool copy_functions(const struct alone *alone, int32_t a, struct iso_plan *plan)
{
    const struct iso_plan *from = alone->h.search.plan;
    bool ok = true;

    for (int32_t i = 0; i < from->n_value_functions && ok; i++) {
        struct iso_value_function function = from->value_functions[i];
        function.workload = a;
        ok = iso_append(&plan->value_functions, &plan->n_value_functions, sizeof(function),
                        &function);
    }
    return ok;
}

/* Every period leads itself. */
static enum iso_status emit(const struct iso_horizon_case *h, const struct alone *alone,
                            struct iso_tier *tier, struct iso_error *reterr)
{
    int32_t n_workloads = h->problem->n_workloads, n_periods = h->problem->n_periods;
    size_t n_index = (size_t)n_periods + 1;
    struct iso_plan *plan = h->search.plan;
    ISO_AUTO_MEM int32_t *first = iso_calloc((size_t)n_workloads * n_index, sizeof(*first));

    if (!first)
        return no_memory(reterr);
    plan->n_duals = tier->first_dual;
    for (int32_t a = 0; a < n_workloads; a++) {
        index_duals(&alone[a], &first[(size_t)a * n_index]);
        if (!copy_functions(&alone[a], a, plan))
            return no_memory(reterr);
    }
    if (plan->n_value_functions > 0)
        tier->proof = ISO_PROOF_VALUE_FUNCTION;
    for (int32_t t = 0; t < n_periods; t++) {
        plan->leads[t].period = t;
        for (int32_t a = 0; a < n_workloads; a++)
            if (!copy_duals(&alone[a], a, t, &first[(size_t)a * n_index], plan))
                return no_memory(reterr);
    }
    tier->n_duals = plan->n_duals - tier->first_dual;
    return ISO_OK;
}

static enum iso_status solve_all(struct iso_master *master, struct alone *alone,
                                 struct iso_tier *tier, struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    enum iso_lp_outcome outcome = ISO_LP_OPTIMAL;
    double bound = 0;

    for (int32_t a = 0; a < h->problem->n_workloads; a++) {
        ISO_TRY(alone_init(&alone[a], h, a, reterr));
        ISO_TRY(solve_alone(&alone[a], &outcome, reterr));
        if (outcome != ISO_LP_OPTIMAL || iso_search_stops(&h->search))
            return ISO_OK;
        bound += alone[a].tier.checked_bound;
    }
    memset(h->bought, 0, (size_t)h->first_start[h->problem->n_products] * sizeof(*h->bought));
    for (int32_t a = 0; a < h->problem->n_workloads; a++)
        take_purchases(&alone[a], h);
    if (bound <= tier->checked_bound)
        return ISO_OK;
    tier->checked_bound = bound;
    return emit(h, alone, tier, reterr);
}

enum iso_status iso_apart_solve(struct iso_master *master, struct iso_tier *tier,
                                struct iso_error *reterr)
{
    int32_t n_workloads = master->h->problem->n_workloads;
    struct alone *alone = iso_calloc((size_t)n_workloads, sizeof(*alone));

    if (!alone)
        return no_memory(reterr);
    enum iso_status status = solve_all(master, alone, tier, reterr);
    for (int32_t a = 0; a < n_workloads; a++)
        alone_fini(&alone[a]);
    free(alone);
    return status;
}
