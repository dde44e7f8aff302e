/* Demand that rises in at most Gamma periods, where unserved demand costs or counts.
 *
 * u_t is what is short of the demand that has risen, r_t what of it is asked only where demand
 * rises, w_t what one unit counts (h_t, or h_t / D_t). The loss is that of the worst Gamma periods:
 *
 *   sum_t w_t (u_t - min(u_t, r_t)) + max over Z, |Z| <= Gamma, of sum_{t in Z} w_t min(u_t, r_t)
 *
 * By duality of the maximum, whose polytope (0 <= z_t <= 1, sum z <= Gamma) has whole vertices, it
 * is the least  sum_t w_t e_t + Gamma q + sum_t p_t  with
 *
 *   BEYOND(a,t)  e_t - u_t >= -r_t          what is short of the demand as it is said
 *   BOX(a,t)     p_t + q + w_t e_t - w_t u_t >= 0
 *
 * (D. Bertsimas and M. Sim, "The price of robustness", Operations Research 52, 2004). An e_t above
 * u_t - r_t takes from p_t no more than it costs. In rows by period, Gamma has no part: each has
 * one number that may rise, so each is kept where it has risen.
 *
 * The loss is at least Gamma / n of sum_t w_t u_t over the n periods that may rise: that is what a
 * proof prices. */
#include <math.h>

#include "formulation.h"

static double weight(const struct iso_problem *problem, const struct iso_workload *workload,
                     int32_t period)
{
    double hours = iso_value(problem->periods[period].hours);

    return workload->service == ISO_SERVICE_PENALTY ? hours
                                                    : hours / iso_value(workload->demand[period]);
}

bool iso_formulation_box_rows(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        f->box_row[a] = iso_box_counts(problem, workload) ? f->mip.n_rows : -1;
        for (int32_t t = 0; t < problem->n_periods && f->box_row[a] >= 0; t++) {
            double rise = iso_value(workload->required[t] - workload->box->required[t]);
            ok &= iso_mip_add_row(&f->mip, &(struct iso_mip_row){ISO_ROW_BEYOND, a, t, -1, -1,
                                                                 -rise, INFINITY}) >= 0 &&
                  iso_mip_add_row(
                      &f->mip, &(struct iso_mip_row){ISO_ROW_BOX, a, t, -1, -1, 0, INFINITY}) >= 0;
        }
    }
    return ok;
}

bool iso_formulation_box_entries(struct iso_formulation *f, int32_t a, int32_t period)
{
    const struct iso_workload *workload = &f->problem->workloads[a];
    int32_t row = f->box_row[a] + 2 * period;

    return f->box_row[a] < 0 ||
           (iso_mip_add_entry(&f->mip, row, -1) &&
            iso_mip_add_entry(&f->mip, row + 1, -weight(f->problem, workload, period)));
}

static bool add_column(struct iso_formulation *f, enum iso_column_kind kind, int32_t a, int32_t t)
{
    return iso_mip_add_column(
               &f->mip,
               &(struct iso_mip_column){
                   .kind = kind, .a = a, .b = t, .c = -1, .d = -1, .upper = INFINITY}) >= 0;
}

bool iso_formulation_box_columns(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        int32_t row = f->box_row[a];
        if (row < 0)
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (workload->required[t] > 0)
                ok &= add_column(f, ISO_COLUMN_BEYOND, a, t) &&
                      iso_mip_add_entry(&f->mip, row + 2 * t, 1) &&
                      iso_mip_add_entry(&f->mip, row + 2 * t + 1, weight(problem, workload, t)) &&
                      add_column(f, ISO_COLUMN_ABOVE_RISE, a, t) &&
                      iso_mip_add_entry(&f->mip, row + 2 * t + 1, 1);
        ok &= add_column(f, ISO_COLUMN_RISE, a, -1);
        for (int32_t t = 0; t < problem->n_periods; t++)
            ok &= iso_mip_add_entry(&f->mip, row + 2 * t + 1, 1);
    }
    return ok;
}

double iso_formulation_box_loss(const struct iso_formulation *f,
                                const struct iso_mip_column *column)
{
    const struct iso_problem *problem = f->problem;

    switch (column->kind) {
    case ISO_COLUMN_BEYOND:
        return weight(problem, &problem->workloads[column->a], column->b);
    case ISO_COLUMN_ABOVE_RISE:
        return 1;
    case ISO_COLUMN_RISE:
        return problem->workloads[column->a].box->periods;
    default:
        return 0;
    }
}

double iso_formulation_box_average(const struct iso_formulation *f, int32_t a)
{
    const struct iso_workload *workload = &f->problem->workloads[a];

    return f->box_row[a] < 0
               ? 1
               : workload->box->periods / (double)iso_box_n_rising(f->problem, workload);
}
