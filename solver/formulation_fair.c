/* Workloads of one rank that are served evenly. Of what workload a asks over the horizon
 *
 *   loss_a = sum_t h_t u_at / sum_t h_t required_at
 *
 * is not served. Of n workloads, stage k = 1 .. n of the rank makes the sum of the k largest losses
 * least:
 *
 *   k q_k + sum_a p_ak,   FAIR(a,k)   p_ak + q_k - loss_a >= 0,   p, q in [0, 1]
 *
 * where q_k is the k-th largest loss and p_ak what workload a has above it (W. Ogryczak and A.
 * Tamir, "Minimizing the sum of the k largest functions in linear time", Information Processing
 * Letters 85, 2003). One stage after the other this is lexicographic max-min, also where the plans
 * are no convex set, so that nobody needs to be told apart who cannot get more (W. Ogryczak and T.
 * Sliwinski, "On solving linear programs with the ordered weighted averaging objective", European
 * Journal of Operational Research 148, 2003).
 *
 * The k largest losses are at least k/n of the sum of all: that is what a proof prices. */
#include <math.h>
#include <string.h>

#include "formulation.h"

static int32_t n_fair(const struct iso_problem *problem, int32_t priority)
{
    int32_t n = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n += problem->workloads[a].fair && problem->workloads[a].priority == priority;
    return n;
}

/* What one unit of u_at adds to loss_a. */
static double loss(const struct iso_problem *problem, int32_t a, int32_t period)
{
    const struct iso_workload *workload = &problem->workloads[a];
    double asked = 0;

    for (int32_t t = 0; t < problem->n_periods; t++)
        asked += iso_value(problem->periods[t].hours) * iso_value(workload->required[t]);
    return asked > 0 ? iso_value(problem->periods[period].hours) / asked : 0;
}

bool iso_formulation_fair_rows(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        int32_t n = workload->fair ? n_fair(problem, workload->priority) : 0;
        f->fair_row[a] = workload->fair ? f->mip.n_rows : -1;
        for (int32_t k = 1; k <= n; k++)
            ok &= iso_mip_add_row(
                      &f->mip, &(struct iso_mip_row){ISO_ROW_FAIR, a, k, -1, -1, 0, INFINITY}) >= 0;
    }
    return ok;
}

bool iso_formulation_fair_entries(struct iso_formulation *f, int32_t a, int32_t period)
{
    const struct iso_workload *workload = &f->problem->workloads[a];
    int32_t n = workload->fair ? n_fair(f->problem, workload->priority) : 0;
    bool ok = true;

    for (int32_t k = 0; k < n; k++)
        ok &= iso_mip_add_entry(&f->mip, f->fair_row[a] + k, -loss(f->problem, a, period));
    return ok;
}

static bool add_column(struct iso_formulation *f, enum iso_column_kind kind, int32_t a, int32_t k)
{
    return iso_mip_add_column(&f->mip,
                              &(struct iso_mip_column){
                                  .kind = kind, .a = a, .b = k, .c = -1, .d = -1, .upper = 1}) >= 0;
}

bool iso_formulation_fair_columns(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        int32_t n = workload->fair ? n_fair(problem, workload->priority) : 0;
        bool first = true; /* of its rank */
        for (int32_t i = 0; i < a; i++)
            first &=
                !problem->workloads[i].fair || problem->workloads[i].priority != workload->priority;
        for (int32_t k = 1; k <= n; k++) {
            ok &= add_column(f, ISO_COLUMN_ABOVE_WORST, a, k) &&
                  iso_mip_add_entry(&f->mip, f->fair_row[a] + k - 1, 1);
            if (!first)
                continue;
            ok &= add_column(f, ISO_COLUMN_WORST, workload->priority, k);
            for (int32_t i = a; i < problem->n_workloads; i++)
                if (problem->workloads[i].fair &&
                    problem->workloads[i].priority == workload->priority)
                    ok &= iso_mip_add_entry(&f->mip, f->fair_row[i] + k - 1, 1);
        }
    }
    return ok;
}

double iso_formulation_fair(const struct iso_problem *problem, const struct iso_mip_column *column,
                            const struct iso_tier *tier)
{
    if (column->kind == ISO_COLUMN_WORST && column->a == tier->priority && column->b == tier->worst)
        return tier->worst;
    return column->kind == ISO_COLUMN_ABOVE_WORST && column->b == tier->worst &&
           problem->workloads[column->a].priority == tier->priority;
}

double iso_formulation_fair_average(const struct iso_problem *problem,
                                    const struct iso_mip_column *column,
                                    const struct iso_tier *tier)
{
    if (column->kind != ISO_COLUMN_UNSERVED || !problem->workloads[column->a].fair ||
        problem->workloads[column->a].priority != tier->priority)
        return 0;
    return (double)tier->worst / n_fair(problem, tier->priority) *
           loss(problem, column->a, column->b);
}
