/* A period in exact numbers: its counts checked against every row in decimals, what goes unserved,
 * and what commitments cover. */
#include <string.h>

#include "horizon_hours.h"

/* The least u with  served + factor u >= factor D. */
static iso_decimal least(iso_wide served, iso_decimal factor, iso_decimal demand)
{
    if (factor == 0)
        return 0;
    iso_wide reached = iso_wide_divide(served * ISO_DECIMAL_ONE, factor, ISO_ROUND_DOWN);
    return reached >= demand ? 0 : (iso_decimal)(demand - reached);
}

struct served {
    const struct iso_hours *hours;
    const int64_t *count; /* [slice column] */
};

/* What the instances of a workload serve that count in a row. */
static iso_wide served_in(const struct served *served, const struct iso_slice_row *row)
{
    const struct iso_problem *problem = served->hours->h->problem;
    const struct iso_slice *slice = &served->hours->h->slice;
    const struct iso_workload *workload = &problem->workloads[row->a];
    iso_wide sum = 0;

    for (int32_t j = slice->first_column[row->a]; j < slice->first_column[row->a + 1]; j++) {
        int32_t option = slice->columns[j].option, offering = slice->columns[j].offering;
        bool counts = row->kind == ISO_ROW_DEMAND;
        if (served->count[j] == 0)
            continue;
        if (row->kind == ISO_ROW_SHARE_MAX || row->kind == ISO_ROW_SHARE_MIN)
            counts = workload->shares[row->b].member[option];
        else if (row->kind == ISO_ROW_SURVIVE)
            counts =
                !problem->offerings[offering].spot &&
                !iso_problem_falls_with(problem, offering, workload->survive[row->b].level, row->d);
        if (counts)
            sum += (iso_wide)served->count[j] * workload->options[option].served;
    }
    return sum;
}

static iso_wide used_of(const struct served *served, const struct iso_limit *limit)
{
    const struct iso_slice *slice = &served->hours->h->slice;
    iso_wide sum = 0;
    int32_t term = 0, before = 0;

    for (int32_t j = 0; j < slice->n_columns; j++) {
        int32_t offering = slice->columns[j].offering;
        if (served->count[j] == 0)
            continue;
        if (offering < before)
            term = 0; /* columns are by workload, then offering */
        before = offering;
        while (term < limit->n_terms && limit->terms[term].offering < offering)
            term++;
        if (term < limit->n_terms && limit->terms[term].offering == offering)
            sum += (iso_wide)limit->terms[term].weight * served->count[j];
    }
    return sum;
}

/* Checks every row of the period and finds the least that goes unserved of each workload. */
static bool check_period(const struct served *served, iso_decimal *unserved)
{
    const struct iso_horizon_case *h = served->hours->h;
    const struct iso_problem *problem = h->problem;
    int32_t t = served->hours->period;

    memset(unserved, 0, (size_t)problem->n_workloads * sizeof(*unserved));
    for (int32_t r = 0; r < h->slice.n_rows; r++) {
        const struct iso_slice_row *row = &h->slice.rows[r];
        iso_decimal missing = 0;
        if (row->kind == ISO_ROW_LIMIT) {
            const struct iso_limit *limit = &problem->limits[row->a];
            if (!limit->periods[t] || limit->policy != ISO_POLICY_HARD)
                continue;
            iso_wide used = used_of(served, limit);
            if (limit->minimum ? used < limit->bound : used > limit->bound)
                return false;
            continue;
        }
        const struct iso_workload *workload = &problem->workloads[row->a];
        iso_wide inside = served_in(served, row);
        if (row->kind == ISO_ROW_DEMAND) {
            missing = least(inside, ISO_DECIMAL_ONE, workload->required[t]);
        } else if (row->kind == ISO_ROW_SHARE_MIN) {
            missing = least(inside, workload->shares[row->b].minimum, workload->demand[t]);
        } else if (row->kind == ISO_ROW_SURVIVE && workload->demand[t] > 0) {
            missing = least(inside, workload->survive[row->b].share, workload->demand[t]);
        } else if (row->kind == ISO_ROW_SHARE_MAX) {
            struct iso_slice_row all = {.kind = ISO_ROW_DEMAND, .a = row->a};
            if (inside * ISO_DECIMAL_ONE >
                served_in(served, &all) * workload->shares[row->b].maximum)
                return false;
        }
        if (missing > unserved[row->a])
            unserved[row->a] = missing;
    }
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        if (unserved[a] > 0 && workload->service == ISO_SERVICE_MUST)
            return false;
        if (unserved[a] > workload->required[t])
            return false;
    }
    return true;
}

/* What is held covers the instances where a unit of it saves most. */
static bool add_covers(const struct iso_hours *hours, int64_t *count, iso_wide *left,
                       struct iso_plan *plan)
{
    const struct iso_horizon_case *h = hours->h;
    const struct iso_slice *slice = &h->slice;
    int32_t t = hours->period;
    ISO_AUTO_MEM iso_wide *open = iso_calloc((size_t)slice->n_columns, sizeof(*open));

    if (!open)
        return false;
    for (int32_t j = 0; j < slice->n_columns; j++)
        open[j] = (iso_wide)count[j] * ISO_DECIMAL_ONE;
    for (int32_t c = 0; c < h->problem->n_products; c++) {
        const struct iso_product *product = &h->problem->products[c];
        left[c] = 0;
        if (!hours->held[c])
            continue;
        left[c] = product->existing[t];
        for (int32_t s = 0; s < product->n_starts; s++)
            if (product->starts[s].window[t])
                left[c] += (iso_wide)h->bought[h->first_start[c] + s] * ISO_DECIMAL_ONE;
        left[c] *= product->lot;
    }
    for (int32_t i = 0; i < hours->n_savings; i++) {
        const struct iso_slice_cover *cover = &slice->covers[hours->savings[i].cover];
        int32_t j = hours->savings[i].column;
        if (open[j] == 0 || left[cover->product] <= 0)
            continue;
        iso_wide most = left[cover->product] / cover->exact_use;
        if (most > open[j])
            most = open[j];
        struct iso_cover made = {cover->product, slice->columns[j].workload,
                                 slice->columns[j].offering, t, (iso_decimal)most};
        if (most <= 0)
            continue;
        open[j] -= most;
        left[cover->product] -= most * cover->exact_use;
        if (!iso_append(&plan->covers, &plan->n_covers, sizeof(made), &made))
            return false;
    }
    return true;
}

bool iso_hours_settle(const struct iso_hours *hours, struct iso_plan *plan, bool *ret_holds)
{
    const struct iso_horizon_case *h = hours->h;
    size_t n_columns = (size_t)h->slice.n_columns;
    ISO_AUTO_MEM int64_t *count = iso_calloc(n_columns, sizeof(*count));
    ISO_AUTO_MEM iso_wide *left = iso_calloc((size_t)h->problem->n_products, sizeof(*left));
    ISO_AUTO_MEM iso_decimal *unserved =
        iso_calloc((size_t)h->problem->n_workloads, sizeof(*unserved));
    struct served served = {hours, count};

    if (!count || !left || !unserved)
        return false;
    for (int32_t i = 0; i < hours->n_items; i++)
        count[hours->items[i].column] += hours->count[i];
    for (int32_t j = 0; j < h->slice.n_columns; j++)
        count[j] += hours->paid[j];
    *ret_holds = check_period(&served, unserved);
    if (!*ret_holds)
        return true;
    for (int32_t j = 0; j < h->slice.n_columns; j++) {
        const struct iso_slice_column *column = &h->slice.columns[j];
        struct iso_use use = {column->workload, column->offering, hours->period, count[j]};
        if (count[j] > 0 && !iso_append(&plan->uses, &plan->n_uses, sizeof(use), &use))
            return false;
    }
    for (int32_t a = 0; a < h->problem->n_workloads; a++) {
        struct iso_unserved made = {a, hours->period, unserved[a]};
        if (made.amount > 0 && !iso_append(&plan->unserved, &plan->n_unserved, sizeof(made), &made))
            return false;
    }
    return add_covers(hours, count, left, plan);
}
