/* Small packings exactly.
 *
 * What a packing costs is told by x_k, how many instances of each kind k it rents. So the cheapest
 * x that nothing speaks against is looked for:
 *
 *     min sum_k c_k x_k :  sum_k F_ck x_k >= v_c d for every cut c,  x not <= any x that failed
 *
 * and then a packing into it (counts_check.c). Where there is none, the check has left new cuts, or
 * x itself failed, and with it all that rents no more of anything. The cost of x is a bound at
 * every step, and the first x that packs is best: Benders' decomposition with a combinatorial
 * second stage (J. N. Hooker and G. Ottosson, Mathematical Programming 96, 2003). It closes
 * packings of ten classes, where a tree over patterns does not: a handful of instances has few x
 * within some percent of the bound.
 *
 * x is enumerated depth first, dearest kind first. A branch ends when some cut needs more than what
 * is left of the cost of the best plan buys, at the best F_ck / c_k of the kinds to come. */
#include "counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "glpk_lp.h"

#define MOST_PATTERNS 8000
#define MOST_CUTS 400
#define MOST_FAILED 2000
#define MOST_COUNT_NODES 20000000
#define MOST_CHECK_NODES 200000
#define CUT_SLACK 1e-9 /* relative */
#define HAIR 1e-9      /* relative: what is cheaper by less is not cheaper */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to count instances");
}

/* --- the packing --- */

bool iso_is_pure_packing(const struct iso_search *search)
{
    const struct iso_mip *mip = &search->formulation->mip;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_PATTERN || column->a != mip->columns[0].a ||
            column->c != mip->columns[0].c || mip->objective[j] <= 0)
            return false;
        for (int32_t k = 0; k < column->n_entries; k++)
            if (mip->rows[mip->entries[column->first_entry + k].row].kind != ISO_ROW_DEMAND)
                return false;
    }
    return mip->n_columns > 0;
}

struct priced {
    double price;
    int32_t list, column;
};

static int cheapest_first(const void *left, const void *right)
{
    const struct priced *a = left, *b = right;

    if (a->price != b->price)
        return a->price < b->price ? -1 : 1;
    if (a->list != b->list)
        return a->list < b->list ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

/* Patterns that a better plan may use, by kind. */
static int32_t choose_patterns(const struct iso_search *search, const double *duals,
                               struct priced *chosen)
{
    const struct iso_mip *mip = &search->formulation->mip;
    double gap = search->best_value - search->tier_bound;
    int32_t n = 0;

    for (int32_t j = 0; j < mip->n_columns; j++)
        if (iso_reduced_cost(mip, duals, j) <= gap + 1e-6 * (1 + fabs(search->best_value)))
            chosen[n++] = (struct priced){mip->objective[j], mip->columns[j].b, j};
    qsort(chosen, (size_t)n, sizeof(*chosen), cheapest_first);
    return n;
}

/* Classes are rows that ask for copies; place[row] is the class, -1 = none. */
static bool find_classes(struct iso_counts *counts, int32_t *place)
{
    const struct iso_mip *mip = &counts->search->formulation->mip;

    for (int32_t i = 0; i < mip->n_rows; i++) {
        int32_t demand = (int32_t)fmin(ceil(mip->rows[i].lower - 1e-9), INT32_MAX / 2);
        place[i] = -1;
        if (mip->rows[i].kind != ISO_ROW_DEMAND || demand <= 0)
            continue;
        place[i] = counts->n;
        if (!iso_append(&counts->demand, &counts->n, sizeof(demand), &demand))
            return false;
    }
    return true;
}

static bool add_kind(struct iso_counts *counts, double price)
{
    int32_t n_prices = counts->n_kinds, n_first = counts->n_kinds;

    if (!iso_append(&counts->price, &n_prices, sizeof(price), &price) ||
        !iso_append(&counts->first, &n_first, sizeof(counts->n_patterns), &counts->n_patterns))
        return false;
    counts->n_kinds++;
    return true;
}

static enum iso_status read_packing(struct iso_counts *counts, const double *duals,
                                    struct iso_error *reterr)
{
    const struct iso_mip *mip = &counts->search->formulation->mip;
    ISO_AUTO_MEM struct priced *chosen = iso_calloc((size_t)mip->n_columns, sizeof(*chosen));
    ISO_AUTO_MEM int32_t *place = iso_calloc((size_t)mip->n_rows, sizeof(*place));

    if (!chosen || !place || !find_classes(counts, place))
        return no_memory(reterr);
    int32_t n = choose_patterns(counts->search, duals, chosen);
    counts->counts = iso_calloc((size_t)n * (size_t)counts->n, sizeof(*counts->counts));
    counts->column = iso_calloc((size_t)n, sizeof(*counts->column));
    if (!counts->counts || !counts->column)
        return no_memory(reterr);
    for (int32_t p = 0; p < n; p++) {
        const struct iso_mip_column *column = &mip->columns[chosen[p].column];
        if ((p == 0 || chosen[p].list != chosen[p - 1].list) && !add_kind(counts, chosen[p].price))
            return no_memory(reterr);
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            int32_t i = place[entry->row];
            if (i >= 0)
                counts->counts[p * counts->n + i] =
                    (int32_t)fmin(entry->coefficient, counts->demand[i]);
        }
        counts->column[p] = chosen[p].column;
        counts->n_patterns++;
    }
    int32_t n_first = counts->n_kinds;
    return iso_append(&counts->first, &n_first, sizeof(n), &n) ? ISO_OK : no_memory(reterr);
}

/* --- cuts --- */

enum iso_status iso_counts_cut(struct iso_counts *counts, const double *multipliers,
                               struct iso_error *reterr)
{
    int32_t n = counts->n, cut = counts->n_cuts % MOST_CUTS; /* the oldest makes place */
    double *own;

    if (!counts->multipliers) {
        counts->multipliers = iso_calloc(MOST_CUTS * (size_t)n, sizeof(double));
        counts->worth = iso_calloc(MOST_CUTS * (size_t)counts->n_kinds, sizeof(double));
        if (!counts->multipliers || !counts->worth)
            return no_memory(reterr);
    }
    own = &counts->multipliers[cut * n];
    memcpy(own, multipliers, (size_t)n * sizeof(*own));
    for (int32_t k = 0; k < counts->n_kinds; k++) {
        double most = 0;
        for (int32_t p = counts->first[k]; p < counts->first[k + 1]; p++) {
            double worth = 0;
            for (int32_t i = 0; i < n; i++)
                worth += own[i] * counts->counts[p * n + i];
            most = fmax(most, worth);
        }
        counts->worth[cut * counts->n_kinds + k] = most;
    }
    counts->n_cuts++;
    return ISO_OK;
}

static int32_t cuts_at_hand(const struct iso_counts *counts)
{
    return counts->n_cuts < MOST_CUTS ? counts->n_cuts : MOST_CUTS;
}

bool iso_counts_is_cut(const struct iso_counts *counts, const int32_t *left, const int32_t *x)
{
    for (int32_t c = cuts_at_hand(counts) - 1; c >= 0; c--) {
        double needed = 0, worth = 0;
        for (int32_t i = 0; i < counts->n; i++)
            needed += counts->multipliers[c * counts->n + i] * left[i];
        for (int32_t k = 0; k < counts->n_kinds; k++)
            worth += counts->worth[c * counts->n_kinds + k] * x[k];
        if (worth < needed * (1 - CUT_SLACK))
            return true;
    }
    return false;
}

/* --- the cheapest x --- */

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
    int32_t n_cuts = cuts_at_hand(cheapest->counts);
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
    int32_t n_cuts = cuts_at_hand(counts), taken = 0;

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
    int32_t n_cuts = cuts_at_hand(counts), n = counts->n_kinds;

    cheapest->needed = iso_calloc((size_t)n_cuts, sizeof(double));
    cheapest->ratio = iso_calloc((size_t)(n * n_cuts), sizeof(double));
    cheapest->x = iso_calloc((size_t)n, sizeof(int32_t));
    if (!cheapest->needed || !cheapest->ratio || !cheapest->x)
        return false;
    for (int32_t c = 0; c < n_cuts; c++) {
        for (int32_t i = 0; i < counts->n; i++)
            cheapest->needed[c] += counts->multipliers[c * counts->n + i] * counts->demand[i];
        cheapest->needed[c] *= 1 - CUT_SLACK;
        for (int32_t k = 0; k < n; k++) {
            double own = counts->worth[c * n + k] / counts->price[k];
            cheapest->ratio[k * n_cuts + c] =
                k == 0 ? own : fmax(own, cheapest->ratio[(k - 1) * n_cuts + c]);
        }
    }
    return true;
}

/* --- the loop --- */

/* Offers the packing that was found. */
static enum iso_status offer(const struct iso_counts *counts, const int32_t *used,
                             struct iso_error *reterr)
{
    const struct iso_mip *mip = &counts->search->formulation->mip;
    ISO_AUTO_MEM double *point = iso_calloc((size_t)mip->n_columns, sizeof(*point));
    bool taken;

    if (!point)
        return no_memory(reterr);
    for (int32_t i = 0; used[i] >= 0; i++)
        point[counts->column[used[i]]]++;
    return iso_search_offer(counts->search, point, &taken, reterr);
}

static enum iso_status find_cheapest(const struct iso_counts *counts, const int32_t *failed,
                                     int32_t n_failed, double enough, int64_t *io_nodes,
                                     int32_t *ret_x, double *ret_cost, struct iso_error *reterr)
{
    double constant = iso_formulation_constant(counts->search->formulation, counts->search->tier);
    struct cheapest cheapest = {.counts = counts,
                                .failed = failed,
                                .n_failed = n_failed,
                                .best = ret_x,
                                .best_cost = (counts->search->best_value - constant) * (1 - HAIR),
                                .enough = enough,
                                .nodes = *io_nodes};
    bool ok = prepare(&cheapest);

    if (ok)
        enumerate(&cheapest, counts->n_kinds - 1, 0);
    free(cheapest.needed);
    free(cheapest.ratio);
    free(cheapest.x);
    *io_nodes = cheapest.nodes;
    *ret_cost = cheapest.found ? cheapest.best_cost : INFINITY;
    return ok ? ISO_OK : no_memory(reterr);
}

/* Raises the bound; it never passes the best plan. */
static void raise_bound(struct iso_search *search, double cost)
{
    double bound = fmin(cost + iso_formulation_constant(search->formulation, search->tier),
                        search->best_value);

    search->tier_bound = fmax(search->tier_bound, bound);
}

static enum iso_status settle(struct iso_counts *counts, struct iso_error *reterr)
{
    struct iso_search *search = counts->search;
    ISO_AUTO_MEM int32_t *failed =
        iso_calloc(MOST_FAILED * (size_t)counts->n_kinds, sizeof(*failed));
    ISO_AUTO_MEM int32_t *x = iso_calloc((size_t)counts->n_kinds, sizeof(*x));
    int64_t nodes = MOST_COUNT_NODES;
    double cost = 0;

    if (!failed || !x)
        return no_memory(reterr);
    for (int32_t n_failed = 0; n_failed < MOST_FAILED && !iso_search_stops(search);) {
        enum iso_check check;
        int32_t n_cuts = counts->n_cuts, n_used = 1;
        ISO_TRY(find_cheapest(counts, failed, n_failed, cost, &nodes, x, &cost, reterr));
        if (nodes <= 0)
            return ISO_OK;
        raise_bound(search, cost);
        if (isinf(cost) || iso_search_gap_reached(search))
            return ISO_OK;
        for (int32_t k = 0; k < counts->n_kinds; k++)
            n_used += x[k];
        ISO_AUTO_MEM int32_t *used = iso_calloc((size_t)n_used, sizeof(*used));
        if (!used)
            return no_memory(reterr);
        counts->nodes = MOST_CHECK_NODES;
        ISO_TRY(iso_counts_check(counts, x, used, &check, reterr));
        if (check == ISO_CHECK_STOPPED)
            return ISO_OK;
        if (check == ISO_CHECK_PACKS)
            return offer(counts, used, reterr);
        if (counts->n_cuts == n_cuts || !iso_counts_is_cut(counts, counts->demand, x))
            memcpy(&failed[n_failed++ * counts->n_kinds], x, (size_t)counts->n_kinds * sizeof(*x));
    }
    return ISO_OK;
}

static void counts_fini(struct iso_counts *counts)
{
    iso_counts_close(counts);
    free(counts->demand);
    free(counts->price);
    free(counts->first);
    free(counts->counts);
    free(counts->column);
    free(counts->multipliers);
    free(counts->worth);
}

enum iso_status iso_count_instances(struct iso_search *search, const double *duals,
                                    struct iso_error *reterr)
{
    struct iso_counts counts __attribute__((cleanup(counts_fini))) = {.search = search};

    if (!iso_is_pure_packing(search))
        return ISO_OK;
    ISO_TRY(read_packing(&counts, duals, reterr));
    if (counts.n_patterns == 0 || counts.n_patterns > MOST_PATTERNS || counts.n == 0)
        return ISO_OK;
    ISO_TRY(iso_counts_open(&counts, reterr));
    return settle(&counts, reterr);
}
