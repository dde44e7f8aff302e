/* The cheapest x that no cut forbids and that is within none of those that failed.
 *
 * x is enumerated depth first, dearest kind first. A branch ends when some cut needs more than what
 * is left of the cost of the best plan buys, at the best F_ck / c_k of the kinds to come. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"

#define NODES_A_WORK 20000
#define HAIR 1e-9 /* relative: what is cheaper by less is not cheaper */

struct cheapest {
    const struct iso_counts *counts;
    const int32_t *failed; /* [n_failed * n_kinds] */
    int32_t n_failed;
    double *needed; /* [cut] what is still to be worth */
    double *ratio;  /* [kind * cuts + cut] best worth for the price of kinds <= kind */
    int32_t *x, *best;
    double best_cost, enough; /* nothing costs less than `enough` */
    int64_t nodes;
    bool found;
};

static bool has_failed(const struct cheapest *cheapest)
{
    int32_t n = cheapest->counts->n_kinds;

    for (int32_t f = 0; f < cheapest->n_failed; f++) {
        bool within = true;
        for (int32_t k = 0; k < n && within; k++)
            within = cheapest->x[k] <= cheapest->failed[f * n + k];
        if (within)
            return true;
    }
    return false;
}

/* What the kinds up to `kind` must cost at least so that no cut is broken; infinite when they
 * cannot. */
static double least_cost(const struct cheapest *cheapest, int32_t kind)
{
    int32_t n_cuts = iso_counts_n_cuts(cheapest->counts);
    double least = 0;

    for (int32_t c = 0; c < n_cuts; c++) {
        double needed = cheapest->needed[c];
        if (needed <= 0)
            continue;
        double ratio = kind < 0 ? 0 : cheapest->ratio[kind * n_cuts + c];
        if (ratio <= 0)
            return INFINITY;
        least = fmax(least, needed / ratio);
    }
    return least;
}

static void enumerate(struct cheapest *cheapest, int32_t kind, double cost)
{
    const struct iso_counts *counts = cheapest->counts;
    int32_t n_cuts = iso_counts_n_cuts(counts), taken = 0;

    if (cheapest->nodes-- <= 0 || cheapest->best_cost <= cheapest->enough ||
        cost + least_cost(cheapest, kind) * (1 - HAIR) >= cheapest->best_cost)
        return;
    if (kind < 0) {
        if (has_failed(cheapest))
            return;
        cheapest->found = true;
        cheapest->best_cost = cost;
        memcpy(cheapest->best, cheapest->x, (size_t)counts->n_kinds * sizeof(*cheapest->x));
        return;
    }
    for (; cost < cheapest->best_cost; taken++) {
        enumerate(cheapest, kind - 1, cost);
        cheapest->x[kind]++;
        cost += counts->price[kind];
        for (int32_t c = 0; c < n_cuts; c++)
            cheapest->needed[c] -= counts->worth[c * counts->n_kinds + kind];
    }
    cheapest->x[kind] = 0;
    for (int32_t c = 0; c < n_cuts; c++)
        cheapest->needed[c] += taken * counts->worth[c * counts->n_kinds + kind];
}

static bool prepare(struct cheapest *cheapest)
{
    const struct iso_counts *counts = cheapest->counts;
    int32_t n_cuts = iso_counts_n_cuts(counts), n = counts->n_kinds;

    cheapest->needed = iso_calloc((size_t)n_cuts, sizeof(double));
    cheapest->ratio = iso_calloc((size_t)(n * n_cuts), sizeof(double));
    cheapest->x = iso_calloc((size_t)n, sizeof(int32_t));
    if (!cheapest->needed || !cheapest->ratio || !cheapest->x)
        return false;
    for (int32_t c = 0; c < n_cuts; c++) {
        for (int32_t i = 0; i < counts->n; i++)
            cheapest->needed[c] += counts->multipliers[c * counts->n + i] * counts->demand[i];
        cheapest->needed[c] *= 1 - ISO_CUT_SLACK;
        for (int32_t k = 0; k < n; k++) {
            double own = counts->worth[c * n + k] / counts->price[k];
            cheapest->ratio[k * n_cuts + c] =
                k == 0 ? own : fmax(own, cheapest->ratio[(k - 1) * n_cuts + c]);
        }
    }
    return true;
}

enum iso_status iso_counts_cheapest(struct iso_counts *counts, const int32_t *failed,
                                    int32_t n_failed, double enough, int32_t *ret_x,
                                    double *ret_cost, struct iso_error *reterr)
{
    double constant = iso_formulation_constant(counts->search->formulation, counts->search->tier);
    struct cheapest cheapest = {.counts = counts,
                                .failed = failed,
                                .n_failed = n_failed,
                                .best = ret_x,
                                .best_cost = (counts->search->best_value - constant) * (1 - HAIR),
                                .enough = enough,
                                .nodes = counts->work * NODES_A_WORK};
    bool ok = prepare(&cheapest);

    if (ok)
        enumerate(&cheapest, counts->n_kinds - 1, 0);
    free(cheapest.needed);
    free(cheapest.ratio);
    free(cheapest.x);
    counts->work = cheapest.nodes / NODES_A_WORK;
    *ret_cost = cheapest.found ? cheapest.best_cost : INFINITY;
    return ok ? ISO_OK : iso_fail(reterr, ISO_E_NOMEM, "", "no memory to count instances");
}
