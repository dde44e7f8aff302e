/* Packing: whole numbers of instances from a relaxation over fill patterns.
 *
 * Dive: what the relaxation uses at least once stays (its floor becomes a lower bound); when
 * nothing new does, the largest fraction is rounded up; the relaxation is repaired by dual simplex
 * and new patterns, cut to what is left to place, come in. At every step a finisher places what the
 * floors leave over, and the best of all these plans is kept: the dive alone ends 1 to 4 % higher.
 *
 * Then large neighbourhoods: a tenth to a third of the instances, rather those that waste
 * (reduced cost / price), are taken out and the rest is dived again, until nothing comes of it for
 * a number of rounds. */
#include "packing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "repack.h"

#define WHOLE 1e-6
#define BURST 500           /* most rounds of repacking between two looks at the clock */
#define BURST_EACH 20       /* and of each instance */
#define CYCLE 40            /* bursts from hot to cold */
#define COLDEST 0.0005      /* in shares of the mean price of an instance */
#define FRUITLESS_CYCLES 20 /* after which repacking ends */
#define FRUITLESS_ROUNDS 60
#define MOST_STEPS 2000
#define FIRST_WORK 60   /* of counting instances before repacking */
#define SECOND_WORK 250 /* and after some of it */
#define MANY_ROUNDS 100000

static double random_share(struct iso_packing *packing)
{
    packing->random ^= packing->random << 13;
    packing->random ^= packing->random >> 7;
    packing->random ^= packing->random << 17;
    return (double)(packing->random >> 11) * 0x1p-53;
}

/* Makes room for columns that came in. */
static enum iso_status grow(struct iso_packing *packing, struct iso_error *reterr)
{
    size_t n = (size_t)packing->search->formulation->mip.n_columns;
    double **arrays[] = {&packing->x, &packing->lower, &packing->floors};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays) && n > packing->room; i++) {
        double *moved = iso_realloc(*arrays[i], n, sizeof(double));
        if (!moved)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
        for (size_t j = packing->room; j < n; j++)
            moved[j] = 0;
        *arrays[i] = moved;
    }
    packing->room = n > packing->room ? n : packing->room;
    return ISO_OK;
}

/* Takes columns from `before` on, which the search knows, into the linear program. */
static enum iso_status load_columns(struct iso_packing *packing, int32_t before,
                                    struct iso_error *reterr)
{
    const struct iso_mip *mip = &packing->search->formulation->mip;

    ISO_TRY(iso_lp_grow(packing->lp, reterr));
    for (int32_t j = before; j < mip->n_columns; j++)
        ISO_TRY(iso_lp_add_column(packing->lp, j, reterr));
    return grow(packing, reterr);
}

static enum iso_status take_columns(struct iso_packing *packing, int32_t before,
                                    struct iso_error *reterr)
{
    if (packing->search->formulation->mip.n_columns == before)
        return ISO_OK;
    ISO_TRY(iso_search_grow(packing->search, before, reterr));
    return load_columns(packing, before, reterr);
}

/* Turns a finished filling into a point and offers it. */
static enum iso_status offer(struct iso_packing *packing, struct iso_error *reterr)
{
    struct iso_search *search = packing->search;
    struct iso_mip *mip = &search->formulation->mip;
    int32_t before = mip->n_columns;
    bool taken;

    ISO_TRY(iso_bins_list(&packing->bins, search, reterr));
    ISO_TRY(take_columns(packing, before, reterr));
    ISO_AUTO_MEM double *point = iso_calloc((size_t)mip->n_columns, sizeof(*point));
    if (!point)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    for (int32_t j = 0; j < mip->n_columns; j++)
        point[j] = mip->columns[j].kind == ISO_COLUMN_PLACE ? ceil(packing->x[j] - WHOLE)
                                                            : packing->floors[j];
    iso_bins_add(&packing->bins, search, point);
    return iso_search_offer(search, point, &taken, reterr);
}

/* Whether a column is of throughput workloads, whose instances stay those of the best plan. */
static bool is_others(const struct iso_packing *packing, int32_t j)
{
    const struct iso_search *search = packing->search;
    const struct iso_mip_column *column = &search->formulation->mip.columns[j];

    return search->has_best &&
           (column->kind == ISO_COLUMN_USE ||
            (column->kind == ISO_COLUMN_DOMAIN && !search->problem->workloads[column->a].replicas));
}

/* Places what the floors leave over; offers the plan when it could be the best. */
static enum iso_status finish(struct iso_packing *packing, struct iso_error *reterr)
{
    struct iso_search *search = packing->search;
    const struct iso_mip *mip = &search->formulation->mip;
    double constant = iso_formulation_constant(search->formulation, search->tier), cost = 0;
    double *floors = packing->floors;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        floors[j] = mip->columns[j].kind == ISO_COLUMN_PATTERN ? floor(packing->x[j] + WHOLE)
                    : is_others(packing, j)                    ? search->best[j]
                    : mip->columns[j].integer && mip->columns[j].kind != ISO_COLUMN_PLACE
                        ? ceil(packing->x[j] - WHOLE)
                        : 0;
        cost += mip->columns[j].kind == ISO_COLUMN_PATTERN
                    ? floors[j] * mip->objective[j]
                    : fmax(0, packing->x[j]) * mip->objective[j];
    }
    ISO_TRY(iso_bins_fill(&packing->bins, search, packing->duals, packing->x, floors, reterr));
    cost += packing->bins.cost + constant;
    /* with other columns than patterns the sum is a guess; then every plan is offered */
    if (!packing->bins.complete ||
        (search->has_best && packing->only_patterns && cost >= search->best_value))
        return ISO_OK;
    return offer(packing, reterr);
}

static enum iso_status set_lower(struct iso_packing *packing, int32_t j, double value,
                                 struct iso_error *reterr)
{
    packing->lower[j] = value;
    return iso_lp_set_bounds(packing->lp, j, value, INFINITY, reterr);
}

/* Raises lower bounds to the floors, or the largest fraction when no floor is new. *ret_done: all
 * are whole. */
static enum iso_status raise_bounds(struct iso_packing *packing, bool *ret_done,
                                    struct iso_error *reterr)
{
    const struct iso_mip *mip = &packing->search->formulation->mip;
    bool any = false;
    int32_t largest = -1;
    double fraction = WHOLE;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        double low = floor(packing->x[j] + WHOLE);
        if (mip->columns[j].kind != ISO_COLUMN_PATTERN)
            continue;
        if (low > packing->lower[j]) {
            ISO_TRY(set_lower(packing, j, low, reterr));
            any = true;
        } else if (packing->x[j] - low > fraction) {
            fraction = packing->x[j] - low;
            largest = j;
        }
    }
    *ret_done = !any && largest < 0;
    if (!any && largest >= 0)
        return set_lower(packing, largest, packing->lower[largest] + 1, reterr);
    return ISO_OK;
}

/* From the lower bounds at hand to a whole point; keeps the best plan on the way. */
static enum iso_status dive(struct iso_packing *packing, bool finish_always,
                            struct iso_error *reterr)
{
    struct iso_search *search = packing->search;
    struct iso_control control = iso_search_control(search);
    double constant = iso_formulation_constant(search->formulation, search->tier);
    bool done = false;

    for (int32_t steps = 0; steps < MOST_STEPS && !done && !iso_search_stops(search); steps++) {
        enum iso_lp_outcome outcome;
        ISO_TRY(iso_lp_solve(packing->lp, &control, &search->iterations, &outcome, reterr));
        if (outcome != ISO_LP_OPTIMAL ||
            (search->has_best && iso_lp_objective(packing->lp) + constant >= search->best_value))
            return ISO_OK;
        iso_lp_values(packing->lp, packing->x);
        iso_lp_duals(packing->lp, packing->duals);
        if (finish_always || steps % 4 == 0)
            ISO_TRY(finish(packing, reterr));
        if (iso_search_gap_reached(search))
            return ISO_OK;
        ISO_TRY(raise_bounds(packing, &done, reterr));
    }
    return finish(packing, reterr);
}

static enum iso_status clear_bounds(struct iso_packing *packing, struct iso_error *reterr)
{
    const struct iso_mip *mip = &packing->search->formulation->mip;

    for (int32_t j = 0; j < mip->n_columns; j++)
        if (mip->columns[j].kind == ISO_COLUMN_PATTERN && packing->lower[j] != 0)
            ISO_TRY(set_lower(packing, j, 0, reterr));
    return ISO_OK;
}

/* Keeps most instances of the best plan; those that waste go first. */
static enum iso_status destroy(struct iso_packing *packing, struct iso_error *reterr)
{
    const struct iso_mip *mip = &packing->search->formulation->mip;
    double share = 0.08 + 0.25 * random_share(packing);

    for (int32_t j = 0; j < mip->n_columns; j++) {
        double count = packing->search->best[j], kept = 0;
        if (mip->columns[j].kind != ISO_COLUMN_PATTERN || count < 1)
            continue;
        double lost = iso_reduced_cost(mip, packing->root_duals, j);
        double waste = mip->objective[j] > 0 ? fmax(0, lost / mip->objective[j]) : 0;
        double chance = fmin(1, share * (0.4 + 12 * waste));
        if (count > 30) /* many alike: a share of them */
            kept = count - floor(count * chance * random_share(packing) * 2);
        else
            for (int32_t i = 0; i < (int32_t)count; i++)
                kept += random_share(packing) >= chance;
        if (kept > 0)
            ISO_TRY(set_lower(packing, j, kept, reterr));
    }
    return ISO_OK;
}

static void packing_fini(struct iso_packing *packing)
{
    free(packing->x);
    free(packing->lower);
    free(packing->floors);
    free(packing->duals);
    free(packing->root_duals);
    iso_bins_fini(&packing->bins);
}

static enum iso_status packing_init(struct iso_packing *packing, const double *x,
                                    const double *duals, struct iso_error *reterr)
{
    const struct iso_mip *mip = &packing->search->formulation->mip;
    size_t n_rows = (size_t)mip->n_rows;

    packing->duals = iso_calloc(n_rows, sizeof(*packing->duals));
    packing->root_duals = iso_calloc(n_rows, sizeof(*packing->root_duals));
    ISO_TRY(grow(packing, reterr));
    if (!packing->duals || !packing->root_duals)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to pack");
    memcpy(packing->x, x, (size_t)mip->n_columns * sizeof(*x));
    memcpy(packing->duals, duals, n_rows * sizeof(*duals));
    memcpy(packing->root_duals, duals, n_rows * sizeof(*duals));
    packing->random = 0x9e3779b97f4a7c15u ^ (uint64_t)packing->search->problem->options.seed;
    packing->only_patterns = true;
    for (int32_t j = 0; j < mip->n_columns; j++)
        packing->only_patterns &= mip->columns[j].kind == ISO_COLUMN_PATTERN;
    return iso_bins_init(&packing->bins, packing->search, reterr);
}

static enum iso_status improve(struct iso_packing *packing, struct iso_error *reterr)
{
    struct iso_search *search = packing->search;
    int32_t fruitless = 0;

    for (int32_t round = 0; round < MANY_ROUNDS && fruitless < FRUITLESS_ROUNDS; round++) {
        double before = search->best_value;
        if (iso_search_stops(search) || iso_search_gap_reached(search))
            return ISO_OK;
        ISO_TRY(destroy(packing, reterr));
        ISO_TRY(dive(packing, false, reterr));
        ISO_TRY(clear_bounds(packing, reterr));
        fruitless = search->best_value < before ? 0 : fruitless + 1;
    }
    return ISO_OK;
}

/* Repacks one pool in one period until nothing comes of so many cycles. */
static enum iso_status repack_pool(struct iso_packing *packing, int32_t team, int32_t period,
                                   int32_t most_fruitless, struct iso_error *reterr)
{
    struct iso_search *search = packing->search;
    ISO_AUTO(iso_repack) repack = NULL;
    int32_t before = search->formulation->mip.n_columns, fruitless = 0;
    double open = 0;

    ISO_TRY(iso_repack_new(search, team, period, packing->root_duals, packing->random, &repack,
                           reterr));
    static const double hottest[] = {0.005, 0.02, 0.06};
    int32_t cycle = 0;
    for (int32_t burst = 0; repack && fruitless < most_fruitless && !iso_search_stops(search) &&
                            !iso_search_gap_reached(search);
         burst = (burst + 1) % CYCLE) {
        double hot = hottest[cycle % (int32_t)ISO_ARRAY_LENGTH(hottest)];
        double heat = burst < CYCLE - 4 ? hot * pow(COLDEST / hot, burst / (CYCLE - 4.0)) : 0;
        int64_t rounds = (int64_t)BURST_EACH * iso_repack_n_instances(repack);
        open += iso_repack_rounds(repack, rounds < BURST ? (int32_t)rounds : BURST, heat);
        if (burst < CYCLE - 1)
            continue;
        cycle++;
        fruitless = open > 1e-9 * fabs(search->best_value) ? 0 : fruitless + 1;
        if (open > 0)
            ISO_TRY(iso_repack_offer(repack, reterr));
        open = 0;
    }
    if (open > 0)
        ISO_TRY(iso_repack_offer(repack, reterr));
    return load_columns(packing, before, reterr);
}

static enum iso_status repack_all(struct iso_packing *packing, int32_t most_fruitless,
                                  struct iso_error *reterr)
{
    const struct iso_problem *problem = packing->search->problem;

    for (int32_t g = 0; g < problem->n_teams; g++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (packing->search->formulation->pools[g].n_lists > 0)
                ISO_TRY(repack_pool(packing, g, t, most_fruitless, reterr));
    return ISO_OK;
}

/* Tries to settle a small packing exactly; *ret_counts: it is one. */
static enum iso_status count_instances(struct iso_packing *packing, int64_t work, bool *ret_counts,
                                       struct iso_error *reterr)
{
    int32_t before = packing->search->formulation->mip.n_columns;

    *ret_counts = false;
    if (!packing->search->priced_out || iso_search_stops(packing->search) ||
        iso_search_gap_reached(packing->search))
        return ISO_OK;
    ISO_TRY(iso_count_instances(packing->search, packing->root_duals, work, ret_counts, reterr));
    return load_columns(packing, before, reterr);
}

/* From the relaxation to a packing; small ones are settled. */
static enum iso_status pack_first(struct iso_packing *packing, bool among_others,
                                  struct iso_error *reterr)
{
    bool counts;

    ISO_TRY(dive(packing, !among_others, reterr));
    ISO_TRY(clear_bounds(packing, reterr));
    if (among_others)
        return repack_all(packing, 1, reterr);
    ISO_TRY(count_instances(packing, FIRST_WORK, &counts, reterr));
    if (!counts || iso_search_gap_reached(packing->search))
        return ISO_OK;
    ISO_TRY(repack_all(packing, 1, reterr));
    return count_instances(packing, SECOND_WORK, &counts, reterr);
}

enum iso_status iso_pack(struct iso_search *search, struct iso_lp *lp, const double *x,
                         const double *duals, bool again, struct iso_error *reterr)
{
    struct iso_packing packing
        __attribute__((cleanup(packing_fini))) = {.search = search, .lp = lp};
    bool among_others = iso_has_throughput(search->problem);

    ISO_TRY(packing_init(&packing, x, duals, reterr));
    if (!again)
        ISO_TRY(pack_first(&packing, among_others, reterr));
    else if (among_others)
        ISO_TRY(repack_all(&packing, 1, reterr));
    if (among_others)
        return ISO_OK;
    for (double before = INFINITY; search->has_best && search->best_value < before;) {
        before = search->best_value;
        ISO_TRY(repack_all(&packing, FRUITLESS_CYCLES, reterr));
        ISO_TRY(improve(&packing, reterr));
        random_share(&packing);
    }
    return ISO_OK;
}
