/* The slice: one period as rows and columns.
 *
 *   DEMAND(a)      sum s + u >= required
 *   LIMIT(l)       sum weight x - over <= bound          (minimum: + over >= bound)
 *   SHARE(a,r)     sum_S s - max sum s <= 0;   sum_S s + min u >= min D
 *   SURVIVE(a,r,d) sum_{not falling, on demand} s + theta u >= theta D
 *
 * Dominated options are left out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a long horizon");
}

static bool add_row(struct iso_slice *slice, enum iso_row_kind kind, int32_t a, int32_t b,
                    int32_t d, bool asks)
{
    struct iso_slice_row row = {kind, a, b, d, asks};

    return iso_append(&slice->rows, &slice->n_rows, sizeof(row), &row);
}

static bool add_survive_rows(struct iso_horizon_case *h, int32_t a, int32_t *domains)
{
    const struct iso_workload *workload = &h->problem->workloads[a];
    bool ok = true;

    for (int32_t r = 0; r < workload->n_survive; r++) {
        int32_t n =
            iso_workload_domains(h->problem, workload, workload->survive[r].level, false, domains);
        ok &= n >= 0;
        for (int32_t i = 0; i < n; i++)
            ok &= add_row(&h->slice, ISO_ROW_SURVIVE, a, r, domains[i], true);
    }
    return ok;
}

static bool add_rows(struct iso_horizon_case *h)
{
    const struct iso_problem *problem = h->problem;
    struct iso_slice *slice = &h->slice;
    size_t n_domains = (size_t)(problem->n_zones + problem->n_regions + problem->n_providers);
    ISO_AUTO_MEM int32_t *domains = iso_calloc(n_domains + 1, sizeof(*domains));
    bool ok = domains != NULL;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        ok &= add_row(slice, ISO_ROW_DEMAND, a, -1, -1, true);
    for (int32_t l = 0; l < problem->n_limits; l++)
        ok &= add_row(slice, ISO_ROW_LIMIT, l, -1, -1, problem->limits[l].minimum);
    for (int32_t a = 0; a < problem->n_workloads && ok; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        for (int32_t s = 0; s < workload->n_shares; s++) {
            if (workload->shares[s].has_maximum)
                ok &= add_row(slice, ISO_ROW_SHARE_MAX, a, s, -1, false);
            if (workload->shares[s].has_minimum)
                ok &= add_row(slice, ISO_ROW_SHARE_MIN, a, s, -1, true);
        }
        ok &= add_survive_rows(h, a, domains);
    }
    return ok;
}

/* Coefficient of one unit served by an option in a row of its workload. */
static double service(const struct iso_problem *problem, const struct iso_slice_row *row,
                      int32_t option)
{
    const struct iso_workload *workload = &problem->workloads[row->a];
    int32_t offering = workload->options[option].offering;

    switch (row->kind) {
    case ISO_ROW_DEMAND:
        return 1;
    case ISO_ROW_SHARE_MAX:
        return workload->shares[row->b].member[option] -
               iso_value(workload->shares[row->b].maximum);
    case ISO_ROW_SHARE_MIN:
        return workload->shares[row->b].member[option];
    case ISO_ROW_SURVIVE:
        return !problem->offerings[offering].spot &&
               !iso_problem_falls_with(problem, offering, workload->survive[row->b].level, row->d);
    default:
        return 0;
    }
}

static double relief_of(const struct iso_problem *problem, const struct iso_slice_row *row)
{
    const struct iso_workload *workload = &problem->workloads[row->a];

    switch (row->kind) {
    case ISO_ROW_DEMAND:
        return 1;
    case ISO_ROW_SHARE_MIN:
        return iso_value(workload->shares[row->b].minimum);
    case ISO_ROW_SURVIVE:
        return iso_value(workload->survive[row->b].share);
    default:
        return 0;
    }
}

static bool add_entry(struct iso_slice *slice, int32_t row, double coefficient)
{
    struct iso_mip_entry entry = {row, coefficient};

    return coefficient == 0 ||
           iso_append(&slice->entries, &slice->n_entries, sizeof(entry), &entry);
}

/* Limits are named by the offering's mentions; their rows follow the n_workloads of demand. */
static bool add_column(struct iso_horizon_case *h, int32_t a, int32_t option,
                       const int32_t *own_rows, int32_t n_own)
{
    const struct iso_problem *problem = h->problem;
    struct iso_slice *slice = &h->slice;
    const struct iso_option *choice = &problem->workloads[a].options[option];
    const struct iso_mentions *limits = &h->reduction.limits, *products = &h->reduction.products;
    int32_t o = choice->offering;
    struct iso_slice_column column = {
        a, option, o, iso_value(choice->served), slice->n_entries, 0, slice->n_covers, 0};
    bool ok = true;

    for (int32_t i = 0; i < n_own; i++)
        ok &= add_entry(slice, own_rows[i],
                        column.served * service(problem, &slice->rows[own_rows[i]], option));
    for (int32_t at = limits->first[o]; at < limits->first[o + 1]; at++) {
        const struct iso_limit *limit = &problem->limits[limits->items[at].set];
        ok &= add_entry(slice, problem->n_workloads + limits->items[at].set,
                        iso_value(limit->terms[limits->items[at].place].weight));
    }
    for (int32_t at = products->first[o]; at < products->first[o + 1]; at++) {
        const struct iso_product *product = &problem->products[products->items[at].set];
        iso_decimal use = product->eligible[products->items[at].place].use;
        struct iso_slice_cover cover = {products->items[at].set, iso_value(use), use};
        if (product->cells[a] && !problem->offerings[o].spot)
            ok &= iso_append(&slice->covers, &slice->n_covers, sizeof(cover), &cover);
    }
    column.n_entries = slice->n_entries - column.first_entry;
    column.n_covers = slice->n_covers - column.first_cover;
    return ok && iso_append(&slice->columns, &slice->n_columns, sizeof(column), &column);
}

static bool add_workload(struct iso_horizon_case *h, int32_t a)
{
    struct iso_slice *slice = &h->slice;
    ISO_AUTO_MEM int32_t *own = iso_calloc((size_t)slice->n_rows, sizeof(*own));
    int32_t n_own = 0;
    bool ok = own != NULL;

    slice->first_column[a] = slice->n_columns;
    slice->first_relief[a] = slice->n_relief;
    for (int32_t r = 0; r < slice->n_rows && ok; r++) {
        if (slice->rows[r].a != a || slice->rows[r].kind == ISO_ROW_LIMIT)
            continue;
        struct iso_mip_entry entry = {r, relief_of(h->problem, &slice->rows[r])};
        own[n_own++] = r;
        if (entry.coefficient != 0)
            ok = iso_append(&slice->relief, &slice->n_relief, sizeof(entry), &entry);
    }
    for (int32_t i = 0; i < h->problem->workloads[a].n_options && ok; i++)
        if (h->reduction.options[a][i])
            ok = add_column(h, a, i, own, n_own);
    return ok;
}

enum iso_status iso_slice_init(struct iso_horizon_case *h, bool dominance, struct iso_error *reterr)
{
    const struct iso_problem *problem = h->problem;
    struct iso_slice *slice = &h->slice;
    size_t n_workloads = (size_t)problem->n_workloads;

    ISO_TRY(iso_reduction_init(&h->reduction, problem, dominance, reterr));
    slice->first_column = iso_calloc(n_workloads + 1, sizeof(*slice->first_column));
    slice->first_relief = iso_calloc(n_workloads + 1, sizeof(*slice->first_relief));
    h->first_start = iso_calloc((size_t)problem->n_products + 1, sizeof(*h->first_start));
    if (!slice->first_column || !slice->first_relief || !h->first_start || !add_rows(h))
        return no_memory(reterr);
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (!add_workload(h, a))
            return no_memory(reterr);
    slice->first_column[n_workloads] = slice->n_columns;
    slice->first_relief[n_workloads] = slice->n_relief;
    for (int32_t c = 0; c < problem->n_products; c++)
        h->first_start[c + 1] = h->first_start[c] + problem->products[c].n_starts;
    h->bought = iso_calloc((size_t)h->first_start[problem->n_products], sizeof(*h->bought));
    return h->bought && iso_start_costs_init(h) ? ISO_OK : no_memory(reterr);
}

void iso_slice_fini(struct iso_horizon_case *h)
{
    for (int32_t s = 0; s < h->n_seasons && h->seasons; s++)
        free(h->seasons[s].price);
    void *const arrays[] = {h->slice.rows,    h->slice.columns, h->slice.first_column,
                            h->slice.entries, h->slice.covers,  h->slice.first_relief,
                            h->slice.relief,  h->seasons,       h->season_of,
                            h->first_start,   h->bought,        h->start_cost};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_reduction_fini(&h->reduction);
}

double iso_slice_right(const struct iso_horizon_case *h, int32_t row, int32_t period)
{
    const struct iso_problem *problem = h->problem;
    const struct iso_slice_row *r = &h->slice.rows[row];
    const struct iso_workload *workload = &problem->workloads[r->a];

    switch (r->kind) {
    case ISO_ROW_DEMAND:
        return iso_value(workload->required[period]);
    case ISO_ROW_LIMIT:
        if (problem->limits[r->a].periods[period])
            return iso_value(problem->limits[r->a].bound);
        return r->asks ? -INFINITY : INFINITY;
    case ISO_ROW_SHARE_MIN:
        return iso_value(workload->shares[r->b].minimum) * iso_value(workload->demand[period]);
    case ISO_ROW_SURVIVE:
        return iso_value(workload->survive[r->b].share) * iso_value(workload->demand[period]);
    default:
        return 0;
    }
}

double iso_slice_supply(const struct iso_horizon_case *h, int32_t product, int32_t period)
{
    const struct iso_product *c = &h->problem->products[product];
    double held = iso_value(c->existing[period]);

    for (int32_t s = 0; s < c->n_starts; s++)
        if (c->starts[s].window[period])
            held += (double)h->bought[h->first_start[product] + s];
    return iso_value(c->lot) * held;
}
