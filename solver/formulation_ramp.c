/* Ramps: caps on how many instances of a workload's cell start and stop from one period to the
 * next.
 *
 *   RAMP(a,o,t)        x_ot - x_o,t-1 - start_aot + stop_aot = 0            t > 0
 *   RAMP_CAP(a,t,0)    sum_o start_aot <= starts
 *   RAMP_CAP(a,t,1)    sum_o stop_aot <= stops
 *
 * Starts and stops cost nothing, so only the caps hold them down. Offerings that the reduction
 * dropped have no row: they never run. */
#include <math.h>
#include <string.h>

#include "formulation.h"

/* Whether the cell of a workload may run an offering. */
static bool may_run(const struct iso_formulation *f, int32_t a, int32_t offering)
{
    const struct iso_workload *workload = &f->problem->workloads[a];

    if (workload->replicas)
        return f->reduction->pools[workload->team][offering];
    int32_t option = iso_workload_find_option(workload, offering);
    return option >= 0 && f->reduction->options[a][option];
}

static bool add_cap_rows(struct iso_formulation *f, int32_t a)
{
    const struct iso_ramp *ramp = f->problem->workloads[a].ramp;
    bool ok = true;

    for (int32_t t = 1; t < f->problem->n_periods; t++) {
        ok &= iso_mip_add_row(
                  &f->mip,
                  &(struct iso_mip_row){ISO_ROW_RAMP_CAP, a, t, 0, -1, -INFINITY,
                                        ramp->starts < 0 ? INFINITY : (double)ramp->starts}) >= 0;
        ok &= iso_mip_add_row(&f->mip, &(struct iso_mip_row){
                                           ISO_ROW_RAMP_CAP, a, t, 1, -1, -INFINITY,
                                           ramp->stops < 0 ? INFINITY : (double)ramp->stops}) >= 0;
    }
    return ok;
}

bool iso_formulation_ramp_rows(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    size_t n = (size_t)problem->n_offerings * (size_t)problem->n_periods;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads && ok; a++) {
        if (!problem->workloads[a].ramp)
            continue;
        int32_t *rows = f->ramp_row[a] = iso_calloc(n, sizeof(*rows));
        if (!rows)
            return false;
        memset(rows, 0xff, n * sizeof(*rows));
        for (int32_t o = 0; o < problem->n_offerings; o++)
            for (int32_t t = 1; t < problem->n_periods && may_run(f, a, o); t++)
                ok &= (rows[o * problem->n_periods + t] = iso_mip_add_row(
                           &f->mip, &(struct iso_mip_row){ISO_ROW_RAMP, a, o, t, -1, 0, 0})) >= 0;
    }
    return ok;
}

bool iso_formulation_ramp_entries(struct iso_formulation *f, int32_t cell, int32_t offering,
                                  int32_t period)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const int32_t *rows = f->ramp_row[a];
        int32_t at = offering * problem->n_periods + period;
        if (!rows || iso_problem_cell(problem, a) != cell)
            continue;
        if (rows[at] >= 0)
            ok &= iso_mip_add_entry(&f->mip, rows[at], 1);
        if (period + 1 < problem->n_periods && rows[at + 1] >= 0)
            ok &= iso_mip_add_entry(&f->mip, rows[at + 1], -1);
    }
    return ok;
}

/* The columns of one RAMP row; `cap_row` is the first of the workload's RAMP_CAP rows. */
static bool add_changes(struct iso_formulation *f, int32_t row, int32_t cap_row)
{
    struct iso_mip_row at = f->mip.rows[row];
    bool ok = true;

    for (int32_t d = 0; d < 2; d++)
        ok &= iso_mip_add_column(&f->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_RAMP,
                                                                   .a = at.a,
                                                                   .b = at.b,
                                                                   .c = at.c,
                                                                   .d = d,
                                                                   .upper = INFINITY}) >= 0 &&
              iso_mip_add_entry(&f->mip, row, d == 0 ? -1 : 1) &&
              iso_mip_add_entry(&f->mip, cap_row + (at.c - 1) * 2 + d, 1);
    return ok;
}

bool iso_formulation_ramp_columns(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        int32_t cap_row = f->mip.n_rows;
        if (!f->ramp_row[a])
            continue;
        ok &= add_cap_rows(f, a);
        for (int32_t i = 0; i < problem->n_offerings * problem->n_periods; i++)
            if (f->ramp_row[a][i] >= 0)
                ok &= add_changes(f, f->ramp_row[a][i], cap_row);
    }
    return ok;
}
