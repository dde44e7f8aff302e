/* The bound of a long horizon by covering tables.
 *
 * It starts from the multipliers of the clusters: the tables alone raise what these prove, since
 * they know that instances are whole. Then the periods choose again, each the set of multipliers
 * that proves most of it, and the periods that chose the same set get the best ones that they can
 * share (horizon_pool_improve.c). What is bought moves along to where all sets together prove
 * least, so that their prices of units stay such as add up to what these cost. */
#include "horizon_tabled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon_hours.h"

#define ROUNDS 8       /* of choosing again */
#define PARTS 24       /* that the periods are improved in, at least */
#define MOST_SAMPLE 24 /* periods of a part that are looked at */
#define MOST_STARTS 64 /* whose purchases move */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the tables of a bound");
}

/* Products that the master brought in, unless their starts are too many. */
static enum iso_status activate(struct iso_tabled *tabled, struct iso_error *reterr)
{
    const struct iso_horizon_case *h = tabled->h;
    const struct iso_master *master = tabled->master;
    ISO_AUTO_MEM double *x = iso_calloc((size_t)master->mip.n_columns, sizeof(*x));
    int32_t n_starts = 0;

    if (!x)
        return no_memory(reterr);
    iso_program_values(master->lp, x);
    for (int32_t c = 0; c < h->problem->n_products; c++) {
        n_starts += master->priced_in[c] ? h->problem->products[c].n_starts : 0;
        tabled->pool.active[c] = master->priced_in[c];
    }
    if (n_starts > MOST_STARTS)
        memset(tabled->pool.active, 0, (size_t)h->problem->n_products);
    for (int32_t i = 0; i < h->first_start[h->problem->n_products]; i++)
        if (master->buy_column[i] >= 0)
            tabled->pool.bought[i] = fmax(0, x[master->buy_column[i]]);
    return ISO_OK;
}

/* By how much prices of a product may rise before a unit is worth what it costs: that can only make
 * instances dearer. */
static double room_of(const struct iso_tabled *tabled, int32_t c)
{
    const struct iso_horizon_case *h = tabled->h;
    const struct iso_product *product = &h->problem->products[c];
    double room = INFINITY;

    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
        double gain = 0;
        for (int32_t k = 0; k < h->n_clusters; k++)
            if (iso_master_in_term(h, c, s, k))
                gain -= iso_value(product->lot) * tabled->psi[c * h->n_clusters + k];
        if (gain > 0)
            room = fmin(room, iso_start_cost(h, c, s) / gain);
    }
    return isfinite(room) && room > 1 ? room : 1;
}

/* A set for each cluster, which its periods take. */
static enum iso_status add_clusters(struct iso_tabled *tabled, struct iso_error *reterr)
{
    const struct iso_horizon_case *h = tabled->h;
    int32_t n_workloads = h->problem->n_workloads;
    ISO_AUTO_MEM double *room = iso_calloc((size_t)h->problem->n_products, sizeof(*room));

    if (!room)
        return no_memory(reterr);
    for (int32_t c = 0; c < h->problem->n_products; c++)
        room[c] = room_of(tabled, c);
    for (int32_t k = 0; k < h->n_clusters; k++) {
        const struct iso_cluster *cluster = &h->clusters[k];
        const double *duals = &tabled->master->duals[k * h->slice.n_rows];
        struct iso_multipliers prices;
        if (!iso_multipliers_init(&prices, h, cluster->season)) {
            iso_multipliers_fini(&prices);
            return no_memory(reterr);
        }
        for (int32_t c = 0; c < h->problem->n_products; c++)
            prices.unit[c] = iso_master_may_hold(h, c, k) ? -tabled->psi[c * h->n_clusters + k] *
                                                                room[c] / cluster->n_periods
                                                          : INFINITY;
        for (int32_t l = 0; l < h->problem->n_limits; l++)
            prices.cap[l] = fmax(0, -duals[n_workloads + l]) / cluster->n_periods;
        ISO_TRY(iso_pool_add(&tabled->pool, prices, reterr));
        tabled->pool.sets[k].n_periods = cluster->n_periods;
    }
    memcpy(tabled->pool.set_of, h->cluster_of,
           (size_t)h->problem->n_periods * sizeof(*h->cluster_of));
    return ISO_OK;
}

enum iso_status iso_tabled_init(struct iso_tabled *tabled, const struct iso_master *master,
                                const double *psi, struct iso_error *reterr)
{
    *tabled = (struct iso_tabled){.h = master->h, .master = master, .psi = psi};
    ISO_TRY(iso_pool_init(&tabled->pool, tabled->h, reterr));
    ISO_TRY(activate(tabled, reterr));
    return add_clusters(tabled, reterr);
}

void iso_tabled_fini(struct iso_tabled *tabled)
{
    iso_pool_fini(&tabled->pool);
}

/* A period, and by what those of a set are told apart. */
struct turn {
    int32_t set, period;
    double total;
};

static int by_turn(const void *left, const void *right)
{
    const struct turn *a = left, *b = right;

    if (a->set != b->set)
        return a->set < b->set ? -1 : 1;
    if (a->total != b->total)
        return a->total < b->total ? -1 : 1;
    return (a->period > b->period) - (a->period < b->period);
}

/* What all demands of a period cost at the set that it takes, so at one scale for all workloads. */
static void list_turns(const struct iso_pool *pool, struct turn *turns)
{
    for (int32_t t = 0; t < pool->h->problem->n_periods; t++)
        turns[t] = (struct turn){pool->set_of[t], t, (double)pool->sets[pool->set_of[t]].value[t]};
    qsort(turns, (size_t)pool->h->problem->n_periods, sizeof(*turns), by_turn);
}

/* Improves the multipliers of the periods in parts of about equal size that took the same set. */
static enum iso_status improve(struct iso_pool *pool, struct iso_error *reterr)
{
    int32_t n_periods = pool->h->problem->n_periods, n_sets = pool->n_sets;
    ISO_AUTO_MEM struct turn *turns = iso_calloc((size_t)n_periods, sizeof(*turns));
    int32_t sample[MOST_SAMPLE], first = 0;

    if (!turns)
        return no_memory(reterr);
    list_turns(pool, turns);
    for (int32_t k = 0; k < n_sets; k++) {
        int32_t n = pool->sets[k].n_periods;
        int32_t n_parts = (int32_t)((int64_t)n * PARTS / n_periods) + 1;
        for (int32_t part = 0; part < n_parts; part++) {
            int32_t begin = (int32_t)((int64_t)n * part / n_parts);
            int32_t size = (int32_t)((int64_t)n * (part + 1) / n_parts) - begin;
            int32_t n_sample = size < MOST_SAMPLE ? size : MOST_SAMPLE;
            for (int32_t i = 0; i < n_sample; i++)
                sample[i] =
                    turns[first + begin + (int32_t)((int64_t)size * (2 * i + 1) / (2 * n_sample))]
                        .period;
            if (n_sample > 0)
                ISO_TRY(iso_pool_improve(pool, k, sample, n_sample, reterr));
        }
        first += n;
    }
    return ISO_OK;
}

enum iso_status iso_tabled_prove(struct iso_tabled *tabled, double *ret_bound,
                                 struct iso_error *reterr)
{
    struct iso_pool *pool = &tabled->pool;
    struct iso_search *search = &tabled->h->search;

    for (int round = 0; round < ROUNDS && !iso_search_stops(search); round++) {
        ISO_TRY(iso_pool_settle(pool, reterr));
        ISO_TRY(improve(pool, reterr));
    }
    ISO_TRY(iso_pool_settle(pool, reterr));
    *ret_bound = iso_pool_prove(pool);
    return ISO_OK;
}

static bool emit_set(const struct iso_tabled *tabled, int32_t k, int32_t t)
{
    const struct iso_horizon_case *h = tabled->h;
    const struct iso_multipliers *prices = &tabled->pool.sets[k].prices;
    struct iso_plan *plan = h->search.plan;
    bool ok = true;

    for (int32_t l = 0; l < h->problem->n_limits && ok; l++) {
        struct iso_dual dual = {ISO_ROW_LIMIT, l, t, -1, -1, -prices->cap[l]};
        ok = prices->cap[l] == 0 || iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual);
    }
    for (int32_t c = 0; c < h->problem->n_products && ok; c++) {
        struct iso_dual dual = {ISO_ROW_COMMIT, c, t, -1, -1, -prices->unit[c]};
        ok = prices->unit[c] == 0 || isinf(prices->unit[c]) ||
             iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual);
    }
    return ok;
}

/* The first period of each set leads it. */
static bool emit_sets(const struct iso_tabled *tabled)
{
    const struct iso_problem *problem = tabled->h->problem;
    struct iso_plan *plan = tabled->h->search.plan;
    ISO_AUTO_MEM int32_t *lead = iso_calloc((size_t)tabled->pool.n_sets, sizeof(*lead));
    bool ok = true;

    plan->leads = iso_calloc((size_t)problem->n_periods, sizeof(*plan->leads));
    if (!lead || !plan->leads)
        return false;
    plan->n_leads = problem->n_periods;
    for (int32_t k = 0; k < tabled->pool.n_sets; k++)
        lead[k] = -1;
    for (int32_t t = 0; t < problem->n_periods && ok; t++) {
        int32_t k = tabled->pool.set_of[t];
        if (lead[k] < 0) {
            lead[k] = t;
            ok = emit_set(tabled, k, t);
        }
        plan->leads[t].period = lead[k];
    }
    return ok;
}

enum iso_status iso_tabled_emit(const struct iso_tabled *tabled, struct iso_tier *tier,
                                struct iso_error *reterr)
{
    struct iso_plan *plan = tabled->h->search.plan;
    bool ok = true;

    for (int32_t a = 0; a < tabled->h->problem->n_workloads; a++) {
        struct iso_value_function function = {a, tabled->pool.whole.workloads[a].step};
        ok &= iso_append(&plan->value_functions, &plan->n_value_functions, sizeof(function),
                         &function);
    }
    tier->first_dual = plan->n_duals;
    if (!ok || !emit_sets(tabled))
        return no_memory(reterr);
    tier->n_duals = plan->n_duals - tier->first_dual;
    return ISO_OK;
}
