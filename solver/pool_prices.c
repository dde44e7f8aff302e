#include "pool_prices.h"

#include <math.h>

#include "priced.h"

/* Columns that are made for the question only: entries are added between begin and end. */
static enum iso_status begin_column(struct iso_mip *mip, enum iso_column_kind kind,
                                    struct iso_error *reterr)
{
    if (iso_mip_add_column(mip, &(struct iso_mip_column){.kind = kind}) < 0)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
    return ISO_OK;
}

static void end_column(struct iso_mip *mip, int32_t first_entry)
{
    mip->n_columns--;
    mip->n_entries = first_entry;
}

static int32_t place_row(const struct iso_formulation *f, int32_t team, int32_t list,
                         int32_t period, int32_t place)
{
    int32_t at = list * f->problem->n_periods + period;

    return f->place_row[team][at * f->pools[team].n_workloads + place];
}

static enum iso_status price_copies(struct iso_search *search, const double *duals, int32_t team,
                                    int32_t list, int32_t period, double *values,
                                    struct iso_error *reterr)
{
    struct iso_formulation *f = search->formulation;
    const struct iso_pattern_set *set = &f->pools[team];

    for (int32_t i = 0; i < set->n_workloads; i++) {
        int32_t w = set->workloads[i], place = place_row(f, team, list, period, i);
        int32_t option =
            iso_workload_find_option(&search->problem->workloads[w], set->lists[list].offering);
        int32_t first_entry = f->mip.n_entries;
        values[i] = 0;
        if (option < 0)
            continue;
        if (place >= 0) {
            values[i] = duals[place];
            continue;
        }
        ISO_TRY(begin_column(&f->mip, ISO_COLUMN_PLACE, reterr));
        if (!iso_formulation_service_entries(f, w, option, period, 1))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
        values[i] = -iso_reduced_cost(&f->mip, duals, f->mip.n_columns - 1);
        end_column(&f->mip, first_entry);
    }
    return ISO_OK;
}

static enum iso_status price_instance(struct iso_search *search, const double *duals, int32_t team,
                                      int32_t list, int32_t period, double *ret_price,
                                      struct iso_error *reterr)
{
    struct iso_formulation *f = search->formulation;
    const struct iso_problem *problem = search->problem;
    int32_t offering = f->pools[team].lists[list].offering;
    int32_t cell = problem->n_workloads + team, first_entry = f->mip.n_entries;
    int32_t link = f->pool_link[team][list * problem->n_periods + period];
    struct iso_mip_column column = {.kind = ISO_COLUMN_PATTERN, .a = team, .b = list, .c = period};

    ISO_TRY(begin_column(&f->mip, ISO_COLUMN_PATTERN, reterr));
    if (!iso_formulation_instance_entries(f, cell, offering, period, link))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
    *ret_price = iso_reduced_cost(&f->mip, duals, f->mip.n_columns - 1);
    end_column(&f->mip, first_entry);
    *ret_price += iso_formulation_coefficient(f, &column, &search->stage);
    for (int32_t k = 0; k < search->plan->n_tiers; k++) { /* earlier tiers, held */
        const struct iso_tier *tier = &search->plan->tiers[k];
        int32_t row = search->freeze_row[k];
        if (row >= 0 && duals[row] != 0)
            *ret_price -= duals[row] * iso_formulation_coefficient(f, &column, tier);
    }
    if (problem->moves.present && period == 0) {
        int32_t row = f->move_row[(int64_t)cell * problem->n_offerings + offering];
        *ret_price -= row >= 0 ? duals[row] : 0;
    }
    return ISO_OK;
}

enum iso_status iso_price_pool(struct iso_search *search, const double *duals, int32_t team,
                               int32_t period, double *ret_values, double *ret_prices,
                               struct iso_error *reterr)
{
    const struct iso_pattern_set *set = &search->formulation->pools[team];

    for (int32_t l = 0; l < set->n_lists; l++) {
        ISO_TRY(price_copies(search, duals, team, l, period,
                             &ret_values[(size_t)l * (size_t)set->n_workloads], reterr));
        ISO_TRY(price_instance(search, duals, team, l, period, &ret_prices[l], reterr));
    }
    return ISO_OK;
}

/* Rows of the last column that more copies help: the most copies that any of them asks for. */
static int32_t most_asked(const struct iso_mip *mip, int32_t first_entry)
{
    double most = 0;

    for (int32_t k = first_entry; k < mip->n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[k];
        const struct iso_mip_row *row = &mip->rows[entry->row];
        if (iso_row_direction(row) <= 0 || row->lower <= 0 || entry->coefficient <= 0)
            return INT32_MAX;
        most = fmax(most, ceil(row->lower / entry->coefficient - 1e-9));
    }
    return most < INT32_MAX ? (int32_t)most : INT32_MAX;
}

enum iso_status iso_pool_most(struct iso_search *search, int32_t team, int32_t list, int32_t period,
                              int32_t *ret_most, struct iso_error *reterr)
{
    struct iso_formulation *f = search->formulation;
    const struct iso_pattern_set *set = &f->pools[team];

    for (int32_t i = 0; i < set->n_workloads; i++) {
        int32_t w = set->workloads[i], first_entry = f->mip.n_entries;
        int32_t option =
            iso_workload_find_option(&search->problem->workloads[w], set->lists[list].offering);
        ret_most[i] = 0;
        if (option < 0)
            continue;
        ret_most[i] = search->problem->workloads[w].options[option].most;
        if (place_row(f, team, list, period, i) >= 0)
            continue;
        ISO_TRY(begin_column(&f->mip, ISO_COLUMN_PLACE, reterr));
        if (!iso_formulation_service_entries(f, w, option, period, 1))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
        int32_t asked = most_asked(&f->mip, first_entry);
        end_column(&f->mip, first_entry);
        ret_most[i] = asked < ret_most[i] ? asked : ret_most[i];
    }
    return ISO_OK;
}
