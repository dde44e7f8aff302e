/* Columns that are not listed, priced in one period alone. */
#include <math.h>
#include <stdlib.h>

#include "cheapest.h"
#include "unlisted.h"

#define NEGATIVE 1e-9 /* of a reduced cost, relative to the price */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price a period");
}

/* What an instance of each offering costs in the period, limits included. */
static void find_costs(const struct iso_unlisted *u, int32_t t, const double *duals, double *costs)
{
    const struct iso_problem *problem = u->f->problem;

    for (int32_t o = 0; o < problem->n_offerings; o++)
        costs[o] = u->price[o * problem->n_periods + t];
    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        int32_t row = u->f->limit_row[l * problem->n_periods + t];
        for (int32_t i = 0; i < limit->n_terms && row >= 0 && duals[row] != 0; i++)
            costs[limit->terms[i].offering] -= duals[row] * iso_value(limit->terms[i].weight);
    }
}

/* The best options of a workload that the program does not have. */
static void choose(const struct iso_unlisted *u, const struct iso_lp *lp, int32_t a, int32_t t,
                   const double *costs, const double *worth, struct iso_cheapest *choice)
{
    const struct iso_workload *workload = &u->f->problem->workloads[a];
    const double *served = &u->served[u->f->reduction->reach.first_option[a]];
    const int32_t *column = &u->f->use_column[a][t];
    int32_t n_periods = u->f->problem->n_periods;

    for (int32_t i = 0; i < workload->n_options; i++) {
        int32_t class = u->class_of[a][i];
        if (class < 0)
            continue;
        double cost = costs[workload->options[i].offering];
        double reduced_cost = cost - served[i] * worth[class];
        if (reduced_cost >= -NEGATIVE * (1 + fabs(cost)))
            continue;
        int32_t j = column[(size_t)i * (size_t)n_periods];
        if (j < 0 || !iso_lp_has_column(lp, j))
            iso_cheapest_show(choice, i, reduced_cost);
    }
}

enum iso_status iso_price_period(struct iso_search *search, struct iso_lp *lp, int32_t t,
                                 double **io_duals, int32_t *io_n_new, struct iso_error *reterr)
{
    struct iso_unlisted *u = search->unlisted;
    const struct iso_problem *problem = search->problem;
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t n_columns = mip->n_columns, n_rows = mip->n_rows;
    ISO_AUTO_MEM double *costs = iso_calloc((size_t)problem->n_offerings, sizeof(*costs));
    ISO_AUTO_MEM double *worth =
        iso_calloc((size_t)u->first_class[problem->n_workloads], sizeof(*worth));
    ISO_AUTO_MEM int32_t *columns =
        iso_calloc(ISO_CHEAPEST * (size_t)problem->n_workloads, sizeof(*columns));
    int32_t n = 0;

    if (!costs || !worth || !columns || !iso_unlisted_worth(u, *io_duals, t, worth))
        return no_memory(reterr);
    find_costs(u, t, *io_duals, costs);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct iso_cheapest choice = {0};
        if (!iso_formulation_useful(u->f, &problem->workloads[a], t))
            continue;
        choose(u, lp, a, t, costs, worth, &choice);
        for (int32_t i = 0; i < choice.n; i++) {
            columns[n] = iso_formulation_list_use(u->f, a, choice.column[i], t);
            if (columns[n++] < 0)
                return no_memory(reterr);
        }
    }
    if (mip->n_columns > n_columns) {
        ISO_TRY(iso_search_grow_duals(search, n_rows, io_duals, reterr));
        ISO_TRY(iso_search_grow(search, n_columns, reterr));
        ISO_TRY(iso_lp_grow(lp, reterr));
        ISO_TRY(iso_unlisted_see(u, reterr));
    }
    for (int32_t i = 0; i < n; i++)
        ISO_TRY(iso_lp_add_column(lp, columns[i], reterr));
    *io_n_new += n;
    return ISO_OK;
}
