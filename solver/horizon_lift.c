/* From the multipliers of the clusters to those of the periods.
 *
 * Each period t of cluster k takes the share h_t / H_k of the cluster's multipliers. A column of
 * the period is then the cluster's column times h_t / H_k, so it prices out when that does, and the
 * right sides add up to the cluster's: the bound is the same. Rounding aside, the repairs are those
 * of proof.c, done once a cluster:
 *   1. psi_ck is what prices out every instance that product c covers, and a hair more;
 *   2. all multipliers of >= rows, caps on shares and COMMIT are scaled by one factor <= 1 until
 *      every paid instance and every purchase without a cap prices out.
 * A purchase with a cap may be worth more than it costs: that takes rc * most off the bound. The
 * multipliers of COMMIT are not sent: beside leads, the verifier finds the least ones itself. */
#include <math.h>
#include <stdlib.h>

#include "horizon_tabled.h"

#define HAIR 1e-10 /* relative; well above the rounding of sums in double */

struct lift {
    struct iso_master *master;
    const struct iso_horizon_case *h;
    double *psi; /* [product * n_clusters + cluster], <= 0 */
    double factor;
};

static double right_sign(const struct iso_slice_row *row, double dual)
{
    return row->asks ? fmax(0, dual) : fmin(0, dual);
}

/* Signs, and what a violation costs caps the multiplier of its limit. */
static void clip(const struct lift *lift)
{
    const struct iso_horizon_case *h = lift->h;

    for (int32_t k = 0; k < h->n_clusters; k++)
        for (int32_t r = 0; r < h->slice.n_rows; r++) {
            const struct iso_slice_row *row = &h->slice.rows[r];
            double *dual = &lift->master->duals[k * h->slice.n_rows + r];
            *dual = isinf(h->clusters[k].right[r]) ? 0 : right_sign(row, *dual);
            if (row->kind != ISO_ROW_LIMIT || h->problem->limits[row->a].policy != ISO_POLICY_SOFT)
                continue;
            double most =
                h->clusters[k].hours * iso_value(h->problem->limits[row->a].price) * (1 - HAIR);
            *dual = fmax(-most, fmin(most, *dual));
        }
}

static void shrink(struct lift *lift, double cost, double gain)
{
    if (gain > 0)
        lift->factor = fmin(lift->factor, fmax(0, cost) * (1 - HAIR) / gain);
}

static void price_cluster(struct lift *lift, int32_t k)
{
    const struct iso_horizon_case *h = lift->h;
    const struct iso_cluster *cluster = &h->clusters[k];

    for (int32_t j = 0; j < h->slice.n_columns; j++) {
        const struct iso_slice_column *column = &h->slice.columns[j];
        double list = cluster->hours * h->seasons[cluster->season].price[j], caps = 0;
        double worth = iso_master_worth(lift->master, k, j);
        for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++)
            if (h->slice.rows[h->slice.entries[e].row].kind == ISO_ROW_LIMIT)
                caps -=
                    fmin(0, lift->master->duals[k * h->slice.n_rows + h->slice.entries[e].row]) *
                    h->slice.entries[e].coefficient;
        shrink(lift, list + caps, worth + caps);
        for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++) {
            const struct iso_slice_cover *cover = &h->slice.covers[i];
            double *psi = &lift->psi[cover->product * h->n_clusters + k];
            double least = (fmax(0, worth) * (1 + HAIR) + list * HAIR) / cover->use;
            *psi = fmin(*psi, -least);
        }
    }
}

/* sum over the clusters in the term of lot |psi|. */
static double purchase_gain(const struct lift *lift, int32_t c, int32_t s)
{
    const struct iso_horizon_case *h = lift->h;
    double gain = 0;

    for (int32_t k = 0; k < h->n_clusters; k++)
        if (h->problem->products[c]
                .starts[s]
                .window[h->seasons[h->clusters[k].season].first_period])
            gain -= iso_value(h->problem->products[c].lot) * lift->psi[c * h->n_clusters + k];
    return gain;
}

static void price_purchases(struct lift *lift)
{
    const struct iso_horizon_case *h = lift->h;
    const struct iso_problem *problem = h->problem;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t s = 0; s < problem->products[c].n_starts; s++)
            if (problem->products[c].most < 0)
                shrink(lift, iso_start_cost(h, c, s), purchase_gain(lift, c, s));
}

static void scale(struct lift *lift)
{
    const struct iso_horizon_case *h = lift->h;
    double factor = lift->factor * (1 - HAIR);

    for (int32_t k = 0; k < h->n_clusters; k++)
        for (int32_t r = 0; r < h->slice.n_rows; r++)
            if (h->slice.rows[r].asks || h->slice.rows[r].kind == ISO_ROW_SHARE_MAX)
                lift->master->duals[k * h->slice.n_rows + r] *= factor;
    for (int32_t i = 0; i < h->problem->n_products * h->n_clusters; i++)
        lift->psi[i] *= lift->factor;
}

static double bound_of(const struct lift *lift)
{
    const struct iso_horizon_case *h = lift->h;
    const struct iso_problem *problem = h->problem;
    long double sum = iso_existing_fees(problem);

    for (int32_t k = 0; k < h->n_clusters; k++) {
        const struct iso_cluster *cluster = &h->clusters[k];
        const double *duals = &lift->master->duals[k * h->slice.n_rows];
        int32_t t = h->seasons[cluster->season].first_period;
        for (int32_t r = 0; r < h->slice.n_rows; r++)
            if (duals[r] != 0)
                sum += (long double)duals[r] * cluster->right[r];
        for (int32_t c = 0; c < problem->n_products; c++)
            sum += (long double)lift->psi[c * h->n_clusters + k] *
                   iso_value(problem->products[c].lot) *
                   iso_value(problem->products[c].existing[t]);
        for (int32_t a = 0; a < problem->n_workloads; a++) {
            if (problem->workloads[a].service == ISO_SERVICE_MUST)
                continue;
            long double reduced = cluster->hours * iso_value(problem->workloads[a].penalty);
            for (int32_t e = h->slice.first_relief[a]; e < h->slice.first_relief[a + 1]; e++)
                reduced -=
                    (long double)duals[h->slice.relief[e].row] * h->slice.relief[e].coefficient;
            sum += reduced < 0 ? reduced * cluster->right[a] : 0;
        }
    }
    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t s = 0; s < problem->products[c].n_starts; s++) {
            double reduced = iso_start_cost(h, c, s) - purchase_gain(lift, c, s);
            if (problem->products[c].most >= 0 && reduced < 0)
                sum += (long double)reduced * (long double)problem->products[c].most;
        }
    return (double)sum;
}

static bool emit_dual(struct iso_plan *plan, enum iso_row_kind kind, int32_t a, int32_t b,
                      int32_t c, int32_t d, double value)
{
    struct iso_dual dual = {kind, a, b, c, d, value};

    return value == 0 || iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual);
}

static bool emit_period(const struct lift *lift, struct iso_plan *plan, int32_t t)
{
    const struct iso_horizon_case *h = lift->h;
    int32_t k = h->cluster_of[t];
    double share = iso_value(h->problem->periods[t].hours) / h->clusters[k].hours;
    bool ok = true;

    for (int32_t r = 0; r < h->slice.n_rows && ok; r++) {
        const struct iso_slice_row *row = &h->slice.rows[r];
        double value = lift->master->duals[k * h->slice.n_rows + r] * share;
        if (row->kind == ISO_ROW_DEMAND || row->kind == ISO_ROW_LIMIT)
            ok = emit_dual(plan, row->kind, row->a, t, -1, -1, value);
        else if (row->kind != ISO_ROW_SURVIVE || h->problem->workloads[row->a].demand[t] > 0)
            ok = emit_dual(plan, row->kind, row->a, row->b, t, row->d, value);
    }
    return ok;
}

static bool lacks_demand(const struct iso_problem *problem, int32_t t)
{
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].demand[t] == 0)
            return true;
    return false;
}

/* The first period of each cluster leads it; rather one in which all have demand, so that no row
 * is missing there. */
static bool choose_leads(const struct iso_horizon_case *h)
{
    const struct iso_problem *problem = h->problem;
    struct iso_plan *plan = h->search.plan;
    ISO_AUTO_MEM int32_t *lead = iso_calloc((size_t)h->n_clusters, sizeof(*lead));
    struct iso_lead *leads = iso_calloc((size_t)problem->n_periods, sizeof(*leads));

    plan->leads = leads;
    if (!lead || !leads)
        return false;
    plan->n_leads = problem->n_periods;
    for (int32_t k = 0; k < h->n_clusters; k++)
        lead[k] = -1;
    for (int32_t t = 0; t < problem->n_periods; t++) {
        int32_t *at = &lead[h->cluster_of[t]];
        if (*at < 0 || (lacks_demand(problem, *at) && !lacks_demand(problem, t)))
            *at = t;
    }
    for (int32_t t = 0; t < problem->n_periods; t++)
        leads[t].period = lead[h->cluster_of[t]];
    return true;
}

/* Puts covering tables in the place of what demands are worth, when they prove more. */
static enum iso_status take_tables(const struct lift *lift, struct iso_tier *tier, bool *ret_taken,
                                   struct iso_error *reterr)
{
    double bound;

    *ret_taken = false;
    if (!iso_whole_applies(lift->h))
        return ISO_OK;
    struct iso_tabled tabled __attribute__((cleanup(iso_tabled_fini))) = {0};
    ISO_TRY(iso_tabled_init(&tabled, lift->master, lift->psi, reterr));
    ISO_TRY(iso_tabled_prove(&tabled, &bound, reterr));
    if (!(bound > tier->checked_bound))
        return ISO_OK;
    *ret_taken = true;
    tier->checked_bound = bound;
    tier->proof = ISO_PROOF_VALUE_FUNCTION;
    return iso_tabled_emit(&tabled, tier, reterr);
}

enum iso_status iso_lift(struct iso_master *master, struct iso_tier *tier, struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    size_t n_psi = (size_t)h->problem->n_products * (size_t)h->n_clusters;
    ISO_AUTO_MEM double *psi = iso_calloc(n_psi, sizeof(*psi));
    struct lift lift = {.master = master, .h = h, .psi = psi, .factor = 1};
    struct iso_plan *plan = h->search.plan;
    bool taken;

    if (!psi)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    clip(&lift);
    for (int32_t k = 0; k < h->n_clusters; k++)
        price_cluster(&lift, k);
    price_purchases(&lift);
    scale(&lift);
    tier->checked_bound = bound_of(&lift);
    tier->first_dual = plan->n_duals;
    ISO_TRY(take_tables(&lift, tier, &taken, reterr));
    if (taken)
        return ISO_OK;
    if (!choose_leads(h))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    for (int32_t t = 0; t < h->problem->n_periods; t++)
        if (plan->leads[t].period == t && !emit_period(&lift, plan, t))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    tier->n_duals = plan->n_duals - tier->first_dual;
    return ISO_OK;
}
