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
 * within some percent of the bound. */
#include "counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ranked.h"

#define MOST_CLASSES 30
#define MOST_COPIES 300
#define MOST_CUTS 400
#define MOST_FAILED 1000
#define ISO_CUT_SLACK 1e-9 /* relative */
#define HAIR 1e-9          /* relative: what is cheaper by less is not cheaper */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to count instances");
}

/* --- the packing --- */

/* Whether there is nothing but patterns of one pool in one period, in rows of demand. */
static bool is_pure(const struct iso_search *search)
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

static enum iso_status find_kinds(struct iso_counts *counts, struct iso_error *reterr)
{
    const struct iso_mip *mip = &counts->search->formulation->mip;
    int32_t n_lists = counts->search->formulation->pools[counts->team].n_lists;
    ISO_AUTO_MEM struct iso_ranked *priced = iso_calloc((size_t)n_lists, sizeof(*priced));

    counts->list = iso_calloc((size_t)n_lists, sizeof(*counts->list));
    counts->price = iso_calloc((size_t)n_lists, sizeof(*counts->price));
    if (!priced || !counts->list || !counts->price)
        return no_memory(reterr);
    for (int32_t l = 0; l < n_lists; l++)
        priced[l] = (struct iso_ranked){INFINITY, l};
    for (int32_t j = 0; j < mip->n_columns; j++)
        priced[mip->columns[j].b].value = mip->objective[j];
    iso_rank_rising(priced, (size_t)n_lists);
    for (; counts->n_kinds < n_lists && !isinf(priced[counts->n_kinds].value); counts->n_kinds++) {
        counts->list[counts->n_kinds] = priced[counts->n_kinds].place;
        counts->price[counts->n_kinds] = priced[counts->n_kinds].value;
    }
    return ISO_OK;
}

static int32_t demand_row(const struct iso_search *search, int32_t place)
{
    const struct iso_formulation *f = search->formulation;
    int32_t team = f->mip.columns[0].a, period = f->mip.columns[0].c;

    return f->demand_row[f->pools[team].workloads[place] * f->problem->n_periods + period];
}

/* Workloads that ask for copies; false when they are none or too many. */
static bool find_classes(struct iso_counts *counts)
{
    const struct iso_formulation *f = counts->search->formulation;
    int32_t n_places = f->pools[counts->team].n_workloads;
    double n_copies = 0;

    counts->demand = iso_calloc((size_t)n_places, sizeof(*counts->demand));
    counts->place = iso_calloc((size_t)n_places, sizeof(*counts->place));
    for (int32_t i = 0; i < n_places && counts->demand && counts->place; i++) {
        double asked = ceil(f->mip.rows[demand_row(counts->search, i)].lower - 1e-9);
        if (asked <= 0)
            continue;
        n_copies += asked;
        counts->place[counts->n] = i;
        counts->demand[counts->n++] = (int32_t)fmin(asked, MOST_COPIES);
    }
    return counts->n > 0 && counts->n <= MOST_CLASSES && n_copies <= MOST_COPIES;
}

/* --- cuts --- */

/* The oldest but the first makes place. */
static int32_t place_of_cut(const struct iso_counts *counts)
{
    return counts->n_cuts < MOST_CUTS ? counts->n_cuts : 1 + (counts->n_cuts - 1) % (MOST_CUTS - 1);
}

const double *iso_counts_price(struct iso_counts *counts, const double *multipliers)
{
    int32_t cut = place_of_cut(counts);
    double *worth = &counts->worth[cut * counts->n_kinds];

    memcpy(&counts->multipliers[cut * counts->n], multipliers,
           (size_t)counts->n * sizeof(*multipliers));
    iso_counts_table_fill(counts->table, multipliers, worth);
    return worth;
}

void iso_counts_keep(struct iso_counts *counts)
{
    counts->n_cuts++;
}

int32_t iso_counts_n_cuts(const struct iso_counts *counts)
{
    return counts->n_cuts < MOST_CUTS ? counts->n_cuts : MOST_CUTS;
}

static double needed_by(const struct iso_counts *counts, int32_t cut, const int32_t *left)
{
    double needed = 0;

    for (int32_t i = 0; i < counts->n; i++)
        needed += counts->multipliers[cut * counts->n + i] * left[i];
    return needed;
}

static double worth_of(const struct iso_counts *counts, int32_t cut, const int32_t *x)
{
    double worth = 0;

    for (int32_t k = 0; k < counts->n_kinds; k++)
        worth += counts->worth[cut * counts->n_kinds + k] * x[k];
    return worth;
}

double iso_counts_slack(const struct iso_counts *counts, int32_t cut, const int32_t *x)
{
    double needed = needed_by(counts, cut, counts->demand);

    return fmax(0, worth_of(counts, cut, x) - needed) + ISO_CUT_SLACK * needed;
}

static bool cuts(const struct iso_counts *counts, int32_t cut, const int32_t *left,
                 const int32_t *x)
{
    return worth_of(counts, cut, x) < needed_by(counts, cut, left) * (1 - ISO_CUT_SLACK);
}

bool iso_counts_is_cut(const struct iso_counts *counts, const int32_t *left, const int32_t *x)
{
    for (int32_t c = iso_counts_n_cuts(counts) - 1; c >= 0; c--)
        if (cuts(counts, c, left, x))
            return true;
    return false;
}

bool iso_counts_next_cuts(const struct iso_counts *counts, const int32_t *left, const int32_t *x)
{
    return cuts(counts, place_of_cut(counts), left, x);
}

bool iso_counts_loses_too_much(const struct iso_counts *counts, int32_t kind,
                               const int32_t *content, const int32_t *x)
{
    for (int32_t c = 0; c < iso_counts_n_cuts(counts); c++)
        if (counts->worth[c * counts->n_kinds + kind] - needed_by(counts, c, content) >
            iso_counts_slack(counts, c, x))
            return true;
    return false;
}

bool iso_counts_stops(const struct iso_counts *counts)
{
    return counts->work <= 0 || iso_search_stops(counts->search);
}

/* --- the loop --- */

/* Lists the fillings that are used and offers the plan. */
static enum iso_status offer(const struct iso_counts *counts, const int32_t *x, const int32_t *used,
                             struct iso_error *reterr)
{
    struct iso_search *search = counts->search;
    struct iso_formulation *f = search->formulation;
    struct iso_pattern_set *set = &f->pools[counts->team];
    int32_t before = f->mip.n_columns, period = f->mip.columns[0].c, n_used = 0;
    ISO_AUTO_MEM int32_t *content = iso_calloc((size_t)set->n_workloads, sizeof(*content));
    ISO_AUTO_MEM int32_t *chosen = NULL; /* list and pattern in turn */
    bool taken, is_new;

    if (!content)
        return no_memory(reterr);
    for (int32_t k = counts->n_kinds - 1, u = 0; k >= 0; k--)
        for (int32_t i = 0; i < x[k] && used[u] >= 0; i++, u++) {
            int32_t l = counts->list[k];
            for (int32_t c = 0; c < counts->n; c++)
                content[counts->place[c]] = counts->fillings[used[u] * counts->n + c];
            int32_t pattern = iso_pattern_add(set, &set->lists[l], content, &is_new);
            if (pattern < 0 || !iso_append(&chosen, &n_used, sizeof(l), &l) ||
                !iso_append(&chosen, &n_used, sizeof(pattern), &pattern))
                return no_memory(reterr);
            for (int32_t t = 0; t < f->problem->n_periods && is_new; t++)
                ISO_TRY(iso_formulation_add_pattern(f, counts->team, l, pattern, t, reterr));
        }
    ISO_TRY(iso_search_grow(search, before, reterr));
    ISO_AUTO_MEM double *point = iso_calloc((size_t)f->mip.n_columns, sizeof(*point));
    if (!point)
        return no_memory(reterr);
    for (int32_t j = 0; j < f->mip.n_columns; j++)
        for (int32_t u = 0; u < n_used; u += 2)
            point[j] += f->mip.columns[j].c == period && f->mip.columns[j].b == chosen[u] &&
                        f->mip.columns[j].d == chosen[u + 1];
    return iso_search_offer(search, point, &taken, reterr);
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
    double cost = 0;

    if (!failed || !x)
        return no_memory(reterr);
    for (int32_t n_failed = 0; n_failed < MOST_FAILED && !iso_counts_stops(counts);) {
        enum iso_check check;
        int32_t n_used = 1;
        ISO_TRY(iso_counts_cheapest(counts, failed, n_failed, cost, x, &cost, reterr));
        if (counts->work <= 0)
            return ISO_OK;
        raise_bound(search, cost);
        if (isinf(cost) || iso_search_gap_reached(search))
            return ISO_OK;
        for (int32_t k = 0; k < counts->n_kinds; k++)
            n_used += x[k];
        ISO_AUTO_MEM int32_t *used = iso_calloc((size_t)n_used, sizeof(*used));
        if (!used)
            return no_memory(reterr);
        ISO_TRY(iso_counts_check(counts, x, used, &check, reterr));
        if (check == ISO_CHECK_STOPPED)
            return ISO_OK;
        if (check == ISO_CHECK_PACKS)
            return offer(counts, x, used, reterr);
        if (!iso_counts_is_cut(counts, counts->demand, x))
            memcpy(&failed[n_failed++ * counts->n_kinds], x, (size_t)counts->n_kinds * sizeof(*x));
    }
    return ISO_OK;
}

static void counts_fini(struct iso_counts *counts)
{
    iso_counts_close(counts);
    iso_counts_table_free(counts->table);
    free(counts->demand);
    free(counts->place);
    free(counts->list);
    free(counts->price);
    free(counts->multipliers);
    free(counts->worth);
    free(counts->fillings);
    free(counts->first);
}

/* The first cut: what the relaxation gives for a copy. */
static void cut_by_relaxation(struct iso_counts *counts, const double *duals, double *multipliers)
{
    for (int32_t i = 0; i < counts->n; i++)
        multipliers[i] = fmax(0, duals[demand_row(counts->search, counts->place[i])]);
    iso_counts_price(counts, multipliers);
    iso_counts_keep(counts);
}

enum iso_status iso_count_instances(struct iso_search *search, const double *duals, int64_t work,
                                    bool *ret_counts, struct iso_error *reterr)
{
    struct iso_counts counts
        __attribute__((cleanup(counts_fini))) = {.search = search, .work = work};

    *ret_counts = false;
    if (!search->has_best || !is_pure(search))
        return ISO_OK;
    counts.team = search->formulation->mip.columns[0].a;
    if (!find_classes(&counts))
        return ISO_OK;
    ISO_TRY(find_kinds(&counts, reterr));
    counts.table = iso_counts_table_new(&counts);
    if (!counts.table)
        return ISO_OK;
    size_t n = (size_t)counts.n, n_kinds = (size_t)counts.n_kinds;
    ISO_AUTO_MEM double *multipliers = iso_calloc(n, sizeof(*multipliers));
    counts.multipliers = iso_calloc(MOST_CUTS * n, sizeof(double));
    counts.worth = iso_calloc(MOST_CUTS * n_kinds, sizeof(double));
    counts.first = iso_calloc(n_kinds + 1, sizeof(*counts.first));
    if (!multipliers || !counts.multipliers || !counts.worth || !counts.first)
        return no_memory(reterr);
    ISO_TRY(iso_counts_open(&counts, reterr));
    cut_by_relaxation(&counts, duals, multipliers);
    *ret_counts = true;
    return settle(&counts, reterr);
}
