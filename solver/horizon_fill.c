/* Whole instances for one period in which shares or survival join what a workload runs.
 *
 * The linear program's point is rounded up from several fractions on; then each workload is filled
 * up: of the instances that caps and shares leave room for, the one that costs least for what it
 * gives to rows that still ask for something comes next. What is not needed in the end goes again.
 * The cheapest of these fillings is kept. A tree finds better ones, in some hundred times as long.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon_frontier.h"

#define MOST_STEPS 400 /* instances that are added to a workload */
#define FREE 1e-6      /* price of a unit served by what is free, so that little is wasted */

static const double up_from[] = {0.5, 0.7, 0.9, 1 - 1e-6}; /* fractions that are rounded up */

static double tolerance(const struct iso_hours *hours, int32_t row)
{
    const struct iso_mip_row *r = &hours->mip.rows[row];

    return CLOSE_TO_NOTHING * (1 + fabs(isinf(r->lower) ? r->upper : r->lower));
}

/* What a row still lacks: a demand that is missed, or a cap that is exceeded. */
static double lack(const struct iso_hours *hours, int32_t row)
{
    double slack = hours->slack[row];
    double missing = isinf(hours->mip.rows[row].lower) ? -slack : slack;

    return missing > tolerance(hours, row) ? missing : 0;
}

/* What one more of an item gives to rows that lack something, in units served; 0 when it would be
 * too much for a cap. */
static double gift(const struct iso_hours *hours, int32_t item)
{
    const struct iso_item *i = &hours->items[item];
    double sum = 0;

    for (int32_t e = i->first_entry; e < i->first_entry + i->n_entries; e++) {
        const struct iso_mip_entry *entry = &hours->mip.entries[e];
        bool cap = isinf(hours->mip.rows[entry->row].lower);
        double gives = cap ? -entry->coefficient : entry->coefficient;
        if (cap && gives < 0 && hours->slack[entry->row] + gives < -tolerance(hours, entry->row))
            return 0;
        if (gives > 0)
            sum += fmin(gives, lack(hours, entry->row));
    }
    return sum;
}

static bool is_filled(const struct iso_hours *hours, int32_t a)
{
    for (int32_t r = 0; r < hours->h->slice.n_rows; r++)
        if (hours->h->slice.rows[r].kind != ISO_ROW_LIMIT && hours->h->slice.rows[r].a == a &&
            lack(hours, r) > 0)
            return false;
    return true;
}

static bool fill_up(struct iso_hours *hours, int32_t a)
{
    for (int step = 0; !is_filled(hours, a); step++) {
        double least = INFINITY;
        int32_t best = -1;
        for (int32_t i = hours->first_item[a]; i < hours->first_item[a + 1]; i++) {
            double gives = gift(hours, i);
            double price = hours->items[i].price + FREE * hours->items[i].served;
            if (gives > 0 && price < least * gives) {
                least = price / gives;
                best = i;
            }
        }
        if (best < 0 || step == MOST_STEPS)
            return false;
        iso_hours_take(hours, best, 1);
    }
    return true;
}

/* Whether the rows of an item lack nothing. */
static bool is_idle(const struct iso_hours *hours, int32_t item)
{
    const struct iso_item *i = &hours->items[item];

    for (int32_t e = i->first_entry; e < i->first_entry + i->n_entries; e++)
        if (lack(hours, hours->mip.entries[e].row) > 0)
            return false;
    return true;
}

/* Gives back what is paid and not needed. */
static void give_back(struct iso_hours *hours, int32_t a)
{
    for (int32_t i = hours->first_item[a]; i < hours->first_item[a + 1]; i++)
        while (hours->count[i] > 0 && hours->items[i].price > 0) {
            iso_hours_take(hours, i, -1);
            if (is_idle(hours, i))
                continue;
            iso_hours_take(hours, i, 1);
            break;
        }
}

static double cost_of(const struct iso_hours *hours)
{
    double cost = 0;

    for (int32_t i = 0; i < hours->n_items; i++)
        cost += hours->items[i].price * (double)hours->count[i];
    return cost;
}

/* Fills all workloads from the point rounded up from a fraction on. False when it cannot. */
static bool fill(struct iso_hours *hours, double fraction)
{
    int32_t n_workloads = hours->h->problem->n_workloads;

    iso_hours_reset(hours);
    for (int32_t i = 0; i < hours->n_items; i++) {
        double whole = floor(fmax(0, hours->x[i]) + 1 - fraction);
        if (whole > 0)
            iso_hours_take(hours, i, (int64_t)whole);
    }
    for (int32_t r = n_workloads; r < hours->mip.n_rows; r++)
        if ((r >= hours->h->slice.n_rows || hours->h->slice.rows[r].kind == ISO_ROW_LIMIT) &&
            lack(hours, r) > 0)
            return false;
    for (int32_t a = 0; a < n_workloads; a++) {
        if (!fill_up(hours, a))
            return false;
        give_back(hours, a);
    }
    return true;
}

bool iso_hours_must_fill(const struct iso_hours *hours)
{
    for (int32_t j = hours->n_items; j < hours->mip.n_columns; j++)
        if (hours->mip.columns[j].kind != ISO_COLUMN_UNSERVED || !hours->mip.columns[j].b)
            return false;
    return true;
}

bool iso_hours_fill(struct iso_hours *hours, struct iso_frontier *frontiers)
{
    size_t size = (size_t)hours->n_items * sizeof(*hours->count);
    ISO_AUTO_MEM int64_t *best = iso_calloc((size_t)hours->n_items, sizeof(*best));
    double least = INFINITY;

    if (!best || !iso_hours_must_fill(hours))
        return false;
    for (size_t k = 0; k < ISO_ARRAY_LENGTH(up_from); k++) {
        if (!fill(hours, up_from[k]))
            continue;
        for (int32_t a = 0; frontiers && a < hours->h->problem->n_workloads; a++)
            if (!iso_frontier_offer(&frontiers[a]))
                return false;
        if (cost_of(hours) >= least)
            continue;
        least = cost_of(hours);
        memcpy(best, hours->count, size);
    }
    if (isinf(least))
        return false;
    memset(hours->paid, 0, (size_t)hours->h->slice.n_columns * sizeof(*hours->paid));
    memcpy(hours->count, best, size);
    return true;
}
