/* Columns of the pools of replica workloads: one a fill pattern, offering and period.
 *
 *   LINK_PLACE(w,o,t)  sum_j n_wj lambda_jot - f_wot >= 0     for workloads with a cap on a share
 *
 * Other workloads are counted in their rows by n_wj itself. */
#include <math.h>
#include <string.h>

#include "formulation.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the columns of the pools");
}

/* Makes the PLACE row and column of one capped workload. */
static bool add_place(struct iso_formulation *f, int32_t w, int32_t offering, int32_t period,
                      int32_t *ret_row)
{
    int32_t option = iso_workload_find_option(&f->problem->workloads[w], offering);

    *ret_row = -1;
    if (option < 0 || !f->capped[w])
        return true;
    *ret_row = iso_mip_add_row(
        &f->mip, &(struct iso_mip_row){ISO_ROW_LINK_PLACE, w, offering, period, -1, 0, INFINITY});
    return *ret_row >= 0 &&
           iso_mip_add_column(&f->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE,
                                                                .a = w,
                                                                .b = option,
                                                                .c = period,
                                                                .d = -1,
                                                                .upper = INFINITY,
                                                                .integer = true}) >= 0 &&
           iso_mip_add_entry(&f->mip, *ret_row, -1) &&
           iso_formulation_service_entries(f, w, option, period, 1);
}

enum iso_status iso_formulation_add_pattern(struct iso_formulation *f, int32_t team, int32_t list,
                                            int32_t pattern, int32_t period,
                                            struct iso_error *reterr)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_pattern_set *set = &f->pools[team];
    int32_t offering = set->lists[list].offering;
    const int32_t *counts = &set->lists[list].counts[pattern * set->n_workloads];
    int32_t at = list * problem->n_periods + period;
    int32_t cell = problem->n_workloads + team, move = -2;

    if (problem->moves.present && period == 0)
        move = iso_formulation_move(f, cell, offering);
    bool ok = move != -1 &&
              iso_mip_add_column(&f->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PATTERN,
                                                                   .a = team,
                                                                   .b = list,
                                                                   .c = period,
                                                                   .d = pattern,
                                                                   .upper = INFINITY,
                                                                   .integer = true}) >= 0 &&
              iso_formulation_instance_entries(f, cell, offering, period, f->pool_link[team][at]) &&
              (move < 0 || iso_mip_add_entry(&f->mip, move, 1));
    for (int32_t i = 0; ok && i < set->n_workloads; i++) {
        int32_t w = set->workloads[i], place = f->place_row[team][at * set->n_workloads + i];
        if (counts[i] == 0)
            continue;
        if (place >= 0)
            ok = iso_mip_add_entry(&f->mip, place, counts[i]);
        else
            ok = iso_formulation_service_entries(
                f, w, iso_workload_find_option(&problem->workloads[w], offering), period,
                counts[i]);
    }
    return ok ? ISO_OK : no_memory(reterr);
}

/* Whether any workload of the pool can use instances in the period. */
static bool pool_is_useful(const struct iso_formulation *f, const struct iso_pattern_set *set,
                           int32_t period)
{
    for (int32_t i = 0; i < set->n_workloads; i++)
        if (iso_formulation_useful(f, &f->problem->workloads[set->workloads[i]], period))
            return true;
    return false;
}

static enum iso_status add_list(struct iso_formulation *f, int32_t team, int32_t list,
                                int32_t period, struct iso_error *reterr)
{
    const struct iso_pattern_set *set = &f->pools[team];
    int32_t offering = set->lists[list].offering, at = list * f->problem->n_periods + period;
    int32_t cell = f->problem->n_workloads + team;

    f->pool_link[team][at] = iso_formulation_cover(f, cell, offering, period);
    if (f->pool_link[team][at] == -2)
        return no_memory(reterr);
    for (int32_t i = 0; i < set->n_workloads; i++)
        if (!add_place(f, set->workloads[i], offering, period,
                       &f->place_row[team][at * set->n_workloads + i]))
            return no_memory(reterr);
    for (int32_t p = 0; p < set->lists[list].n_patterns; p++)
        ISO_TRY(iso_formulation_add_pattern(f, team, list, p, period, reterr));
    return ISO_OK;
}

enum iso_status iso_formulation_pool_columns(struct iso_formulation *f, struct iso_error *reterr)
{
    for (int32_t g = 0; g < f->problem->n_teams; g++) {
        const struct iso_pattern_set *set = &f->pools[g];
        size_t n_places = (size_t)set->n_lists * (size_t)f->problem->n_periods;
        f->pool_link[g] = iso_calloc(n_places, sizeof(int32_t));
        f->place_row[g] = iso_calloc(n_places * (size_t)(set->n_workloads ? set->n_workloads : 1),
                                     sizeof(int32_t));
        if (!f->pool_link[g] || !f->place_row[g])
            return no_memory(reterr);
        size_t n_rows = n_places * (size_t)set->n_workloads;
        memset(f->pool_link[g], 0xff, n_places * sizeof(int32_t));
        memset(f->place_row[g], 0xff, n_rows * sizeof(int32_t)); /* also where the pool is idle */
        for (int32_t list = 0; list < set->n_lists; list++)
            for (int32_t t = 0; t < f->problem->n_periods; t++)
                if (pool_is_useful(f, set, t))
                    ISO_TRY(add_list(f, g, list, t, reterr));
    }
    return ISO_OK;
}
