/* Where a plan from nothing runs.
 *
 * At least N domains are asked for by flags b_d: until a flag is set its rows ask for nothing, so a
 * greedy cover would never set one. Before it, the N flags of each rule are set whose rows cost
 * least to fill: for each period what the domain must hold, times the least price of a unit there.
 */
#include <math.h>
#include <stdlib.h>

#include "ranked.h"
#include "search.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a first plan");
}

/* [row]: least price of a unit of SPREAD rows; INFINITY where nothing counts. */
static void find_units(const struct iso_search *search, double *units)
{
    const struct iso_mip *mip = &search->formulation->mip;

    for (int32_t i = 0; i < mip->n_rows; i++)
        units[i] = INFINITY;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t k = 0; k < column->n_entries && column->kind != ISO_COLUMN_DOMAIN; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            if (mip->rows[entry->row].kind == ISO_ROW_SPREAD && entry->coefficient > 0)
                units[entry->row] = fmin(units[entry->row], search->money[j] / entry->coefficient);
        }
    }
}

/* What it costs to fill the rows of a flag. */
static double cost_of(const struct iso_mip *mip, const struct iso_mip_column *flag,
                      const double *units)
{
    double cost = 0;

    for (int32_t k = flag->first_entry; k < flag->first_entry + flag->n_entries; k++)
        if (mip->entries[k].coefficient < 0)
            cost -= mip->entries[k].coefficient * units[mip->entries[k].row];
    return cost;
}

enum iso_status iso_first_domains(const struct iso_search *search, double *x,
                                  struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO_MEM double *units = iso_calloc((size_t)mip->n_rows, sizeof(*units));
    ISO_AUTO_MEM struct iso_ranked *ranked = iso_calloc((size_t)mip->n_columns, sizeof(*ranked));

    if (!units || !ranked)
        return no_memory(reterr);
    find_units(search, units);
    for (int32_t j = 0; j < mip->n_columns;) {
        const struct iso_mip_column *first = &mip->columns[j];
        size_t n = 0;
        for (; j < mip->n_columns && mip->columns[j].kind == ISO_COLUMN_DOMAIN &&
               mip->columns[j].a == first->a && mip->columns[j].b == first->b;
             j++)
            ranked[n++] = (struct iso_ranked){cost_of(mip, &mip->columns[j], units), j};
        if (n == 0) {
            j++;
            continue;
        }
        int32_t asked = search->problem->workloads[first->a].spread[first->b].minimum_domains;
        iso_rank_rising(ranked, n);
        for (size_t i = 0; i < n && (int32_t)i < asked; i++)
            x[ranked[i].place] = 1;
    }
    return ISO_OK;
}
