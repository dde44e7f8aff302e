/* Runners-up of plans whose periods were solved by covering tables.
 *
 * Take a workload and a period of a plan, with what commitments cover as it is. Paid instances
 * cover the r steps that are left (cover_table.c) for G(r) at least. With an instance of option j
 * among them they cost p_j + G(max(0, r - a_j)), so the reduced cost of j,
 *
 *     rc_j = p_j + G(max(0, r - a_j)) - G(r) >= 0,
 *
 * is exact: no relaxation, no estimate. It goes to the units that are asked for and that the
 * instance would serve, min(a_j, r) steps, or of the whole demand where nothing is left to pay. On
 * top of what a unit costs with the chosen offering that is what a unit costs with j; the runner-up
 * is the option that has least. What an instance serves beyond the demand is so paid for by the
 * rest, and a large one does not look cheap because it serves more than anyone asks for. */
#include <math.h>
#include <stdlib.h>

#include "cover_table.h"
#include "explain.h"

#define MOST_CELLS 2e7 /* of a table, options times steps; a larger one is passed over */

struct table {
    const struct iso_problem *problem;
    int32_t workload, period; /* of what follows; -1: nothing yet */
    int32_t asked, left;      /* steps: q, r */
    bool exact;               /* steps divide what every option serves */
    double *price;            /* [option] */
    int32_t *size;            /* [option] */
    double *least;            /* G, [left + 1] */
    uint8_t *runs;            /* [offering]: in the plan */
};

/* Keeps the flags of offerings, whose number does not change. */
static void close_table(struct table *table)
{
    free(table->price);
    free(table->size);
    free(table->least);
    table->price = table->least = NULL;
    table->size = NULL;
    table->workload = -1;
}

static const struct iso_value_function *function_of(const struct iso_plan *plan, int32_t a)
{
    for (int32_t i = 0; i < plan->n_value_functions; i++)
        if (plan->value_functions[i].workload == a)
            return &plan->value_functions[i];
    return NULL;
}

/* What commitments cover of the workload, in units of demand. */
static iso_wide covered_of(const struct iso_problem *problem, const struct iso_plan *plan,
                           int32_t a, int32_t t)
{
    const struct iso_workload *workload = &problem->workloads[a];
    iso_wide covered = 0;

    for (int32_t i = 0; i < plan->n_covers; i++) {
        const struct iso_cover *cover = &plan->covers[i];
        if (cover->cell == a && cover->period == t)
            covered +=
                (iso_wide)(cover->instances / ISO_DECIMAL_ONE) *
                workload->options[iso_workload_find_option(workload, cover->offering)].served;
    }
    return covered;
}

/* G, as far as it is needed. */
static void cover(struct table *table, int32_t n_options)
{
    table->least[0] = 0;
    for (int32_t q = 1; q <= table->left; q++) {
        table->least[q] = INFINITY;
        for (int32_t j = 0; j < n_options; j++) {
            int32_t rest = q > table->size[j] ? q - table->size[j] : 0;
            table->least[q] = fmin(table->least[q], table->price[j] + table->least[rest]);
        }
    }
}

/* *ret_open is false where the table would be too large, or demand is all that counts no more. */
static enum iso_status open_table(struct table *table, const struct iso_plan *plan, int32_t a,
                                  int32_t t, bool *ret_open, struct iso_error *reterr)
{
    const struct iso_workload *workload = &table->problem->workloads[a];
    const struct iso_value_function *function = function_of(plan, a);
    size_t n = (size_t)workload->n_options;

    *ret_open = table->workload == a && table->period == t;
    if (*ret_open || !function || !iso_cover_alone(workload))
        return ISO_OK;
    close_table(table);
    iso_wide asked = iso_wide_divide(workload->required[t], function->step, ISO_ROUND_UP);
    if (asked == 0 || (double)asked * workload->n_options > MOST_CELLS)
        return ISO_OK;
    iso_wide covered = covered_of(table->problem, plan, a, t) / function->step;
    table->asked = (int32_t)asked;
    table->left = covered < asked ? (int32_t)(asked - covered) : 0;
    table->exact = table->problem->n_limits == 0; /* they may forbid an option */
    table->price = iso_calloc(n, sizeof(*table->price));
    table->size = iso_calloc(n, sizeof(*table->size));
    table->least = iso_calloc((size_t)table->left + 1, sizeof(*table->least));
    if (!table->price || !table->size || !table->least)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a runner-up");
    for (int32_t j = 0; j < workload->n_options; j++) {
        iso_wide size = iso_wide_divide(workload->options[j].served, function->step, ISO_ROUND_UP);
        table->size[j] = size < asked ? (int32_t)size : table->asked;
        table->exact &= workload->options[j].served % function->step == 0;
        table->price[j] = iso_cover_price(table->problem, workload->options[j].offering, t);
    }
    cover(table, workload->n_options);
    iso_mark_running(table->problem, plan, a, t, table->runs);
    table->workload = a;
    table->period = t;
    *ret_open = true;
    return ISO_OK;
}

/* The runner-up of a line in the period that the table is open for; false when there is none. */
static bool find_runner_up(const struct table *table, const struct iso_line *line, double step,
                           struct iso_runner_up *ret_runner_up)
{
    int32_t a = table->workload, t = table->period, best = -1;
    const struct iso_workload *workload = &table->problem->workloads[a];
    double hours = iso_value(table->problem->periods[t].hours), least = INFINITY, reduced = 0;
    int32_t asked = table->left > 0 ? table->left : table->asked;

    for (int32_t j = 0; j < workload->n_options; j++) {
        int32_t rest = table->left > table->size[j] ? table->left - table->size[j] : 0;
        int32_t useful = table->size[j] < asked ? table->size[j] : asked;
        double rc = fmax(0, table->price[j] + table->least[rest] - table->least[table->left]);
        double unit = rc / hours / (useful * step);
        if (unit >= least || table->runs[workload->options[j].offering])
            continue;
        best = j;
        least = unit;
        reduced = rc;
    }
    if (best < 0)
        return false;
    int32_t chosen = iso_workload_find_option(workload, line->offering);
    double mine = line->covered < line->quantity
                      ? table->price[chosen] / hours / iso_value(workload->options[chosen].served)
                      : 0;
    if (reduced <= 1e-12 * table->price[best])
        reduced = least = 0; /* rounding of the sums */
    *ret_runner_up = (struct iso_runner_up){.cell = a,
                                            .workload = a,
                                            .period = t,
                                            .chosen = line->offering,
                                            .offering = workload->options[best].offering,
                                            .chosen_unit_cost = mine,
                                            .unit_cost = mine + least,
                                            .reduced_cost = reduced,
                                            .resolved = table->exact};
    return true;
}

enum iso_status iso_explain_tables(struct iso_search *search, struct iso_error *reterr)
{
    struct table table
        __attribute__((cleanup(close_table))) = {.problem = search->problem, .workload = -1};
    struct iso_plan *plan = search->plan;
    ISO_AUTO_MEM uint8_t *runs = iso_calloc((size_t)search->problem->n_offerings, 1);

    if (!runs)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a runner-up");
    table.runs = runs;
    if (!(search->problem->options.want & ISO_WANT_RUNNERS_UP))
        return ISO_OK;
    for (int32_t i = 0; i < plan->n_lines && plan->n_runners_up < ISO_MOST_RUNNERS_UP; i++) {
        const struct iso_line *line = &plan->lines[i];
        struct iso_runner_up runner_up;
        bool open;
        if (line->kind != ISO_LINE_INSTANCE || iso_search_stops(search))
            continue;
        ISO_TRY(open_table(&table, plan, line->cell, line->period, &open, reterr));
        if (!open)
            continue;
        double step = iso_value(function_of(plan, line->cell)->step);
        if (find_runner_up(&table, line, step, &runner_up) &&
            !iso_append(&plan->runners_up, &plan->n_runners_up, sizeof(runner_up), &runner_up))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a runner-up");
    }
    return ISO_OK;
}
