/* First plans: an answer in milliseconds, whatever the tree does later.
 *
 * For several thresholds theta: x = floor(x_LP + 1 - theta) for the whole columns, then for each
 * row that asks for more (flows of traffic first) the column with the least cost for what it adds
 * is taken, as long as no cap breaks; where rounding broke the cap on a share others serve more;
 * then whatever can go again goes, and what caps on starts and stops ask for is kept on. The rest
 * of the columns follow by a linear program.
 *
 * As long as there is no plan, limits and budgets that stood in the way take a toll of every column
 * under them, and the rows are filled again: what can do without a scarce thing leaves it to what
 * cannot (multipliers raised by what is asked too much, as in Lagrangian heuristics). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "incumbent_state.h"

#define TOLL_ROUNDS 12 /* times that tolls are raised */

/* A share's cap may stand in the way of some columns until others have come in, so the choice is
 * made anew after each step. */
void iso_greedy_fill_row(struct iso_greedy *greedy, int32_t i)
{
    const struct iso_mip_row *row = &greedy->mip->rows[i];

    for (int32_t steps = 0; steps < 100000; steps++) {
        double missing = row->lower - greedy->activity[i], best_score = INFINITY, best_step = 0;
        int32_t best = -1, in_the_way;
        if (missing <= iso_greedy_tolerance(row->lower) ||
            (steps % 64 == 63 && iso_search_stops(greedy->search)))
            return;
        for (int32_t at = greedy->first[i]; at < greedy->first[i + 1]; at++) {
            int32_t j = greedy->columns[at];
            double served = fmin(greedy->coefficients[at], missing);
            double score = (greedy->price[j] + 1e-12) / served;
            if (score >= best_score)
                continue;
            double room = iso_greedy_room(
                greedy, j, fmax(1, floor(missing / greedy->coefficients[at])), &in_the_way);
            if (room < 1)
                continue;
            best = j;
            best_score = score;
            best_step = room;
        }
        if (best < 0) {
            iso_greedy_note_blocked(greedy, i);
            return;
        }
        iso_greedy_change(greedy, best, best_step);
    }
}

static double coefficient_in(const struct iso_mip *mip, int32_t row, int32_t column)
{
    for (int32_t k = 0; k < mip->columns[column].n_entries; k++)
        if (mip->entries[mip->columns[column].first_entry + k].row == row)
            return mip->entries[mip->columns[column].first_entry + k].coefficient;
    return 0;
}

/* Where rounding broke the cap i on a share, the cheapest others serve more until it holds. */
static void mend_share(struct iso_greedy *greedy, int32_t i)
{
    const struct iso_mip_row *row = &greedy->mip->rows[i];
    const struct iso_formulation *f = greedy->search->formulation;
    int32_t demand_row = f->demand_row[row->a * f->problem->n_periods + row->c], in_the_way;

    for (;;) {
        double over = greedy->activity[i] - row->upper, best_score = INFINITY, best_step = 0;
        int32_t best = -1;
        if (over <= iso_greedy_tolerance(row->upper))
            return;
        for (int32_t at = greedy->first[demand_row]; at < greedy->first[demand_row + 1]; at++) {
            int32_t j = greedy->columns[at];
            double relief = -coefficient_in(greedy->mip, i, j);
            double score = (greedy->price[j] + 1e-12) / fmin(relief, over);
            if (relief <= 0 || score >= best_score)
                continue;
            double room = iso_greedy_room(greedy, j, ceil(over / relief), &in_the_way);
            if (room < 1)
                continue;
            best = j;
            best_score = score;
            best_step = room;
        }
        if (best < 0)
            return;
        iso_greedy_change(greedy, best, best_step);
    }
}

static void mend_shares(struct iso_greedy *greedy)
{
    for (int32_t i = 0; i < greedy->mip->n_rows; i++)
        if (greedy->mip->rows[i].kind == ISO_ROW_SHARE_MAX && !isinf(greedy->mip->rows[i].upper))
            mend_share(greedy, i);
}

/* Whether one less of column j leaves every row satisfied. */
static bool can_go(const struct iso_greedy *greedy, int32_t j)
{
    const struct iso_mip_column *column = &greedy->mip->columns[j];

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &greedy->mip->entries[column->first_entry + k];
        const struct iso_mip_row *row = &greedy->mip->rows[entry->row];
        double after = greedy->activity[entry->row] - entry->coefficient;
        if (iso_greedy_adapts(row))
            continue;
        if (entry->coefficient > 0 ? after < row->lower - iso_greedy_tolerance(row->lower)
                                   : after > row->upper + iso_greedy_tolerance(row->upper))
            return false;
    }
    return true;
}

static int dearest_first(const void *left, const void *right, void *context)
{
    const double *price = context;
    double a = price[*(const int32_t *)left], b = price[*(const int32_t *)right];

    if (a != b)
        return a > b ? -1 : 1;
    return (*(const int32_t *)left > *(const int32_t *)right) -
           (*(const int32_t *)left < *(const int32_t *)right);
}

static void remove_superfluous(struct iso_greedy *greedy, int32_t *order)
{
    int32_t n = 0;

    for (int32_t j = 0; j < greedy->mip->n_columns; j++)
        if (iso_greedy_decides(&greedy->mip->columns[j]) && greedy->x[j] >= 1)
            order[n++] = j;
    qsort_r(order, (size_t)n, sizeof(*order), dearest_first, greedy->price);
    for (int32_t at = 0; at < n; at++)
        while (greedy->x[order[at]] >= 1 && can_go(greedy, order[at]))
            iso_greedy_change(greedy, order[at], -1);
}

/* Placing rows first: capped replica workloads need room before they can be placed. */
static void fill_all(struct iso_greedy *greedy)
{
    static const int order[] = {
        ISO_ROW_LEAVE,     ISO_ROW_ENTER,   ISO_ROW_SPREAD, ISO_ROW_SHARE_MIN, ISO_ROW_DEMAND,
        ISO_ROW_SHARE_MIN, ISO_ROW_SURVIVE, ISO_ROW_DEMAND, ISO_ROW_LIMIT,     ISO_ROW_PRESENT};

    for (size_t pass = 0; pass < ISO_ARRAY_LENGTH(order); pass++)
        for (int32_t i = 0; i < greedy->mip->n_rows; i++)
            if (greedy->mip->rows[i].kind == order[pass] && !isinf(greedy->mip->rows[i].lower))
                iso_greedy_fill_row(greedy, i);
}

static double rounded(const struct iso_mip_column *column, double value, double threshold)
{
    if (!column->integer)
        return value;
    if (column->kind == ISO_COLUMN_DOMAIN)
        return value > 1e-6 ? 1 : 0;
    return fmin(floor(value + 1 - threshold + 1e-7), column->upper);
}

/* As many of column j as the domain that it is in has room for. */
static double present(const struct iso_greedy *greedy, int32_t j, double value)
{
    const struct iso_mip_column *column = &greedy->mip->columns[j];

    for (int32_t k = 0; k < column->n_entries && greedy->has_presence; k++) {
        const struct iso_mip_entry *entry = &greedy->mip->entries[column->first_entry + k];
        if (greedy->mip->rows[entry->row].kind == ISO_ROW_PRESENCE)
            value = fmin(value, floor((greedy->activity[entry->row] + ISO_GREEDY_SLACK) /
                                      -entry->coefficient));
    }
    return value;
}

static void start_from(struct iso_greedy *greedy, const double *x, const uint8_t *set,
                       double threshold)
{
    const struct iso_mip *mip = greedy->mip;

    memset(greedy->activity, 0, (size_t)mip->n_rows * sizeof(*greedy->activity));
    memset(greedy->x, 0, (size_t)mip->n_columns * sizeof(*greedy->x));
    for (int32_t j = 0; j < mip->n_columns; j++)
        if (set[j])
            iso_greedy_change(greedy, j, 1);
    for (int32_t j = 0; j < mip->n_columns; j++) {
        if (mip->columns[j].kind == ISO_COLUMN_PRESENCE)
            continue;
        double value = present(greedy, j, rounded(&mip->columns[j], x[j], threshold));
        if (value != 0)
            iso_greedy_change(greedy, j, value);
    }
}

/* Whether purchases may bring spending down that is too high without. */
static bool may_save(const struct iso_greedy *greedy)
{
    const struct iso_problem *problem = greedy->search->problem;

    return problem->n_budgets > 0 && problem->n_products > 0;
}

/* Fills the rows from a point; columns that go again go in `order`, a scratch list. */
static enum iso_status fill_from(struct iso_greedy *greedy, const double *x, const uint8_t *set,
                                 double threshold, int32_t *order, struct iso_error *reterr)
{
    start_from(greedy, x, set, threshold);
    ISO_TRY(iso_greedy_ramps(greedy, true, reterr));
    ISO_TRY(iso_greedy_flows(greedy, reterr));
    fill_all(greedy);
    mend_shares(greedy);
    remove_superfluous(greedy, order);
    return iso_greedy_ramps(greedy, false, reterr);
}

/* The same plan with what it should buy. */
static enum iso_status offer_with_purchases(struct iso_greedy *greedy, bool *ret_taken,
                                            struct iso_error *reterr)
{
    bool bought;

    ISO_TRY(iso_greedy_purchases(greedy, &bought, reterr));
    return bought ? iso_search_offer(greedy->search, greedy->x, ret_taken, reterr) : ISO_OK;
}

/* Offers what the rows are filled with: without purchases, which is there at once, then with; where
 * that spends too much, filled as if there were no budgets and then with purchases alone. */
static enum iso_status try_point(struct iso_greedy *greedy, const double *x, const uint8_t *set,
                                 double threshold, int32_t *order, bool *ret_taken,
                                 struct iso_error *reterr)
{
    bool better;

    ISO_TRY(fill_from(greedy, x, set, threshold, order, reterr));
    ISO_TRY(iso_search_offer(greedy->search, greedy->x, ret_taken, reterr));
    if (*ret_taken)
        return offer_with_purchases(greedy, &better, reterr);
    if (greedy->search->has_best || !may_save(greedy))
        return ISO_OK;
    greedy->overspends = true;
    ISO_TRY(fill_from(greedy, x, set, threshold, order, reterr));
    ISO_TRY(offer_with_purchases(greedy, ret_taken, reterr));
    greedy->overspends = false;
    return ISO_OK;
}

enum iso_status iso_first_plans(struct iso_search *search, const double *x, const double *duals,
                                int32_t n_thresholds, struct iso_error *reterr)
{
    static const double thresholds[] = {0.7, 1.0, 0.5, 0.9, 0.3};
    struct iso_greedy greedy __attribute__((cleanup(iso_greedy_fini))) = {0};
    size_t n = (size_t)search->formulation->mip.n_columns;
    ISO_AUTO_MEM int32_t *order = iso_calloc(n, sizeof(*order));
    ISO_AUTO_MEM uint8_t *set = iso_calloc(n, 1);

    if (!order || !set)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a first plan");
    ISO_TRY(iso_greedy_init(&greedy, search, reterr));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(thresholds) && (int32_t)i < n_thresholds; i++) {
        iso_greedy_start_tolls(&greedy, duals);
        for (int round = 0; round < TOLL_ROUNDS; round++) {
            bool taken, generous = round > 0;
            if (search->has_best && iso_search_stops(search))
                return ISO_OK;
            if (greedy.has_presence)
                ISO_TRY(iso_first_presence(search, x, generous, set, reterr));
            ISO_TRY(try_point(&greedy, x, set, thresholds[i], order, &taken, reterr));
            if (taken || iso_search_stops(search) ||
                (iso_greedy_raise_tolls(&greedy) == 0 && (generous || !greedy.has_presence)))
                break;
        }
    }
    return ISO_OK;
}
