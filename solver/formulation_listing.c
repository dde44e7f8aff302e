/* What a large formulation lists as it goes on.
 *
 * Columns that are never worth it need neither room nor entries. What is known of all of them is
 * which are listed; a product that is not listed has no rows either, so that its multipliers are
 * those that price its coverage out. Rows of links come with their instances, so that coverage can
 * follow later. */
#include <stdlib.h>
#include <string.h>

#include "formulation.h"
#include "search.h"

#define LISTED_WHOLE 150000 /* columns of instances up to which every one is listed */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the columns of the formulation");
}

bool iso_formulation_prices_suffice(const struct iso_problem *problem)
{
    struct iso_tier tiers[ISO_MAX_TIERS];

    if (problem->moves.present || problem->n_scenarios > 0 || iso_tiers_of(problem, tiers) > 1)
        return false;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].replicas || problem->workloads[a].ramp ||
            problem->workloads[a].n_traffic > 0 || problem->workloads[a].box ||
            problem->workloads[a].n_affinities > 0)
            return false;
    return true;
}

bool iso_formulation_may_leave_out(const struct iso_problem *problem,
                                   const struct iso_reduction *reduction)
{
    int64_t n = 0;

    if (!iso_formulation_prices_suffice(problem))
        return false;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++)
            n += reduction->options[a][i] ? problem->n_periods : 0;
    return n > (problem->options.most_listed > 0 ? problem->options.most_listed : LISTED_WHOLE);
}

bool iso_formulation_lists_at_once(const struct iso_problem *problem, int32_t c)
{
    const struct iso_product *product = &problem->products[c];

    if (product->most != 0 && product->fee == 0 && product->upfront == 0)
        return true;
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (product->existing[t] > 0)
            return true;
    return false;
}

enum iso_status iso_formulation_open_listing(struct iso_formulation *f, struct iso_error *reterr)
{
    const struct iso_problem *problem = f->problem;

    f->use_column = iso_calloc((size_t)problem->n_workloads, sizeof(*f->use_column));
    if (!f->use_column)
        return no_memory(reterr);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        size_t n = (size_t)problem->workloads[a].n_options * (size_t)problem->n_periods;
        f->use_column[a] = iso_calloc(n, sizeof(**f->use_column));
        if (!f->use_column[a])
            return no_memory(reterr);
        memset(f->use_column[a], 0xff, n * sizeof(**f->use_column));
    }
    for (int32_t c = 0; c < problem->n_products; c++)
        if (iso_formulation_lists_at_once(problem, c) && !iso_formulation_list_product(f, c))
            return no_memory(reterr);
    return ISO_OK;
}

int32_t iso_formulation_list_use(struct iso_formulation *f, int32_t a, int32_t option,
                                 int32_t period)
{
    int32_t *column = &f->use_column[a][option * f->problem->n_periods + period];

    if (*column < 0 && iso_formulation_add_use(f, a, option, period))
        *column = f->mip.n_columns - 1;
    return *column;
}

/* The link row of a listed column of instances. */
static int32_t link_of(const struct iso_mip *mip, int32_t column)
{
    const struct iso_mip_column *use = &mip->columns[column];

    for (int32_t k = use->first_entry; k < use->first_entry + use->n_entries; k++)
        if (mip->rows[mip->entries[k].row].kind == ISO_ROW_LINK_COVER)
            return mip->entries[k].row;
    return -1;
}

bool iso_formulation_list_product(struct iso_formulation *f, int32_t c)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_product *product = &problem->products[c];

    if (f->commit_row[c] >= 0)
        return true;
    if (!iso_formulation_commit_rows(f, c) || !iso_formulation_add_purchases(f, c))
        return false;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < product->n_eligible && product->cells[a]; i++) {
            int32_t option =
                iso_workload_find_option(&problem->workloads[a], product->eligible[i].offering);
            for (int32_t t = 0; t < problem->n_periods && option >= 0; t++) {
                int32_t column = f->use_column[a][option * problem->n_periods + t];
                int32_t link = column < 0 ? -1 : link_of(&f->mip, column);
                if ((product->most != 0 || product->existing[t] > 0) && link >= 0 &&
                    !iso_formulation_add_cover(f, c, link, product->eligible[i].use))
                    return false;
            }
        }
    return true;
}

enum iso_status iso_formulation_list_all(struct iso_formulation *f, struct iso_error *reterr)
{
    const struct iso_problem *problem = f->problem;

    if (f->complete)
        return ISO_OK;
    for (int32_t c = 0; c < problem->n_products; c++)
        if (!iso_formulation_list_product(f, c))
            return no_memory(reterr);
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++)
            for (int32_t t = 0; t < problem->n_periods && f->reduction->options[a][i]; t++)
                if (iso_formulation_useful(f, &problem->workloads[a], t) &&
                    iso_formulation_list_use(f, a, i, t) < 0)
                    return no_memory(reterr);
    f->complete = true;
    return ISO_OK;
}
