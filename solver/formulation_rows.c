/* Rows of the plain MIP.
 *
 *   DEMAND(a,t)      sum s + u >= required
 *   LIMIT(l,t)       sum weight x - over <= bound        (minimum: + over >= bound)
 *   BUDGET(b,w)      spend - over <= amount - fees of existing commitments that count
 *   COMMIT(c,t)      sum nu v - lot sum_y y win <= lot existing
 *   SHARE(a,r,t)     sum_S s - max sum s <= 0;   sum_S s + min u >= min D
 *   SURVIVE(a,r,d,t) sum_{not falling, on demand} s + theta u >= theta D          where D > 0
 *   SPREAD(a,r,d,t)  sum_{in d} s + eps u - eps D b_d >= 0                        where D > 0
 *   SPREAD_N(a,r)    sum_d b_d >= N
 *   Right sides of DEMAND, SHARE_MIN and SURVIVE are rounded up for must-serve copies.
 *   MOVES            m - sum e- >= -forced stops
 *   and those of formulation_affinity.c, formulation_ramp.c, formulation_fair.c,
 *   formulation_box.c and formulation_tail.c */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formulation.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the rows of the formulation");
}

static int32_t add(struct iso_formulation *formulation, int kind, int32_t a, int32_t b, int32_t c,
                   int32_t d, double lower, double upper)
{
    return iso_mip_add_row(&formulation->mip,
                           &(struct iso_mip_row){kind, a, b, c, d, lower, upper});
}

/* What a row of copies asks for, rounded up where the copies are whole and all are served: then no
 * fraction can meet it. A hair below is for products that are not exact. */
static double whole_side(const struct iso_workload *workload, double amount)
{
    bool whole = workload->replicas && workload->service == ISO_SERVICE_MUST;

    return whole ? ceil(amount * (1 - 1e-12)) : amount;
}

/* The right side of DEMAND: required or, where more, what SURVIVE rows ask for together. Each copy
 * counts in all but one at most of the rows of a rule, so that (n - 1) sum s >= n h. */
static bool demand_side(const struct iso_problem *problem, int32_t a, int32_t t, int32_t *domains,
                        double *ret_side)
{
    const struct iso_workload *workload = &problem->workloads[a];

    *ret_side = whole_side(workload, iso_value(workload->required[t]));
    if (!workload->replicas || workload->service != ISO_SERVICE_MUST || workload->demand[t] == 0)
        return true;
    for (int32_t r = 0; r < workload->n_survive; r++) {
        int32_t n =
            iso_workload_domains(problem, workload, workload->survive[r].level, false, domains);
        double h = whole_side(workload, iso_value(workload->survive[r].share) *
                                            iso_value(workload->demand[t]));
        if (n < 0)
            return false;
        if (n >= 2)
            *ret_side = fmax(*ret_side, ceil(n * h / (n - 1) * (1 - 1e-12)));
    }
    return true;
}

int32_t iso_workload_domains(const struct iso_problem *problem, const struct iso_workload *workload,
                             enum iso_level level, bool spread, int32_t *ret_domains)
{
    int32_t n_domains = iso_problem_n_domains(problem, level), n = 0;
    ISO_AUTO_MEM uint8_t *seen = iso_calloc((size_t)n_domains, 1);

    if (!seen)
        return -1;
    for (int32_t i = 0; i < workload->n_options; i++) {
        int32_t offering = workload->options[i].offering;
        if (!spread || iso_problem_spread_counts(problem, workload, offering, level))
            seen[iso_problem_domain(problem, offering, level)] = 1;
    }
    for (int32_t d = 0; d < n_domains; d++)
        if (seen[d])
            ret_domains[n++] = d;
    return n;
}

static double existing_fees(const struct iso_problem *problem, const struct iso_budget *budget,
                            const struct iso_window *window)
{
    double spend = 0;

    if (budget->basis == ISO_BASIS_LIST)
        return 0;
    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        for (int32_t t = 0; t < problem->n_periods && budget->products[c]; t++)
            if (window->periods[t])
                spend +=
                    iso_value(problem->periods[t].hours) * iso_value(product->fee) *
                    iso_value(product->existing[t]) *
                    iso_value(iso_problem_rate(problem, product->currency, window->currency, t));
    }
    return spend;
}

bool iso_formulation_commit_rows(struct iso_formulation *f, int32_t c)
{
    const struct iso_product *product = &f->problem->products[c];
    bool ok = true;

    f->commit_row[c] = f->mip.n_rows;
    for (int32_t t = 0; t < f->problem->n_periods; t++)
        ok &= add(f, ISO_ROW_COMMIT, c, t, -1, -1, -INFINITY,
                  iso_value(product->lot) * iso_value(product->existing[t])) >= 0;
    return ok;
}

static bool add_global_rows(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    int32_t n_periods = problem->n_periods;
    bool ok = true;

    for (int32_t l = 0; l < problem->n_limits; l++)
        for (int32_t t = 0; t < n_periods; t++) {
            const struct iso_limit *limit = &problem->limits[l];
            double bound = iso_value(limit->bound);
            int32_t row = -1;
            if (limit->periods[t])
                ok &= (row = add(f, ISO_ROW_LIMIT, l, t, -1, -1, limit->minimum ? bound : -INFINITY,
                                 limit->minimum ? INFINITY : bound)) >= 0;
            f->limit_row[l * n_periods + t] = row;
        }
    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        f->budget_row[b] = f->mip.n_rows;
        for (int32_t w = 0; w < budget->n_windows; w++)
            ok &= add(f, ISO_ROW_BUDGET, b, w, -1, -1, -INFINITY,
                      iso_value(budget->windows[w].amount) -
                          existing_fees(problem, budget, &budget->windows[w])) >= 0;
    }
    for (int32_t c = 0; c < problem->n_products && f->complete; c++)
        ok &= iso_formulation_commit_rows(f, c);
    f->moves_row = -1;
    if (problem->moves.present)
        ok &= (f->moves_row = add(f, ISO_ROW_MOVES, -1, -1, -1, -1,
                                  -(double)problem->moves.forced_stops, INFINITY)) >= 0;
    return ok;
}

static bool add_share_rows(struct iso_formulation *f, int32_t a)
{
    const struct iso_workload *workload = &f->problem->workloads[a];
    bool ok = true;

    f->share_row[a] = f->mip.n_rows;
    for (int32_t s = 0; s < workload->n_shares; s++)
        for (int32_t t = 0; t < f->problem->n_periods; t++) {
            const struct iso_share *share = &workload->shares[s];
            ok &= add(f, ISO_ROW_SHARE_MAX, a, s, t, -1, -INFINITY,
                      share->has_maximum ? 0 : INFINITY) >= 0;
            ok &= add(f, ISO_ROW_SHARE_MIN, a, s, t, -1,
                      share->has_minimum ? whole_side(workload, iso_value(share->minimum) *
                                                                    iso_value(workload->demand[t]))
                                         : -INFINITY,
                      INFINITY) >= 0;
            if (share->has_maximum && workload->replicas)
                f->capped[a] = 1;
        }
    return ok;
}

/* Domain rules: for each rule, for each of its domains, for each period one row (free where D = 0),
 * then for spread rules one row that counts domains. */
static bool add_domain_rows(struct iso_formulation *f, int32_t a, int32_t *domains)
{
    const struct iso_workload *workload = &f->problem->workloads[a];
    bool ok = true;

    f->survive_row[a] = f->mip.n_rows;
    for (int32_t r = 0; r < workload->n_survive; r++) {
        int32_t n =
            iso_workload_domains(f->problem, workload, workload->survive[r].level, false, domains);
        ok &= n >= 0;
        for (int32_t i = 0; i < n; i++)
            for (int32_t t = 0; t < f->problem->n_periods; t++) {
                double demand = iso_value(workload->demand[t]);
                ok &= add(f, ISO_ROW_SURVIVE, a, r, t, domains[i],
                          demand > 0
                              ? whole_side(workload, iso_value(workload->survive[r].share) * demand)
                              : -INFINITY,
                          INFINITY) >= 0;
            }
    }
    f->spread_row[a] = f->mip.n_rows;
    for (int32_t r = 0; r < workload->n_spread; r++) {
        int32_t n =
            iso_workload_domains(f->problem, workload, workload->spread[r].level, true, domains);
        ok &= n >= 0;
        for (int32_t i = 0; i < n; i++)
            for (int32_t t = 0; t < f->problem->n_periods; t++)
                ok &= add(f, ISO_ROW_SPREAD, a, r, t, domains[i],
                          workload->demand[t] > 0 ? 0 : -INFINITY, INFINITY) >= 0;
        ok &= add(f, ISO_ROW_SPREAD_N, a, r, -1, -1, workload->spread[r].minimum_domains,
                  INFINITY) >= 0;
    }
    return ok;
}

static bool allocate_maps(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    size_t n_periods = (size_t)problem->n_periods, n_workloads = (size_t)problem->n_workloads;

    f->demand_row = iso_calloc(n_workloads * n_periods, sizeof(int32_t));
    f->limit_row = iso_calloc((size_t)problem->n_limits * n_periods, sizeof(int32_t));
    f->budget_row = iso_calloc((size_t)problem->n_budgets, sizeof(int32_t));
    f->commit_row = iso_calloc((size_t)problem->n_products, sizeof(int32_t));
    f->share_row = iso_calloc(n_workloads, sizeof(int32_t));
    f->survive_row = iso_calloc(n_workloads, sizeof(int32_t));
    f->spread_row = iso_calloc(n_workloads, sizeof(int32_t));
    f->presence_row = iso_calloc(n_workloads * ISO_N_LEVELS, sizeof(int32_t));
    f->presence_end = iso_calloc(n_workloads * ISO_N_LEVELS, sizeof(int32_t));
    f->ramp_row = iso_calloc(n_workloads, sizeof(*f->ramp_row));
    f->traffic_row = iso_calloc(n_workloads, sizeof(int32_t));
    f->capped = iso_calloc(n_workloads, 1);
    f->fair_row = iso_calloc(n_workloads, sizeof(int32_t));
    f->box_row = iso_calloc(n_workloads, sizeof(int32_t));
    f->pool_link = iso_calloc((size_t)problem->n_teams, sizeof(*f->pool_link));
    f->place_row = iso_calloc((size_t)problem->n_teams, sizeof(*f->place_row));
    for (int32_t c = 0; c < problem->n_products && f->commit_row; c++)
        f->commit_row[c] = -1;
    if (problem->moves.present) {
        size_t n = (size_t)iso_problem_n_cells(problem) * (size_t)problem->n_offerings;
        f->move_row = iso_calloc(n, sizeof(int32_t));
        if (f->move_row)
            memset(f->move_row, 0xff, n * sizeof(int32_t));
    }
    return f->demand_row && f->limit_row && f->budget_row && f->commit_row && f->share_row &&
           f->survive_row && f->spread_row && f->presence_row && f->presence_end && f->ramp_row &&
           f->traffic_row && f->capped && f->fair_row && f->box_row && f->pool_link &&
           f->place_row && (f->move_row || !problem->moves.present);
}

enum iso_status iso_formulation_rows(struct iso_formulation *f, struct iso_error *reterr)
{
    const struct iso_problem *problem = f->problem;
    int32_t n_domains = problem->n_zones + problem->n_regions + problem->n_providers;
    ISO_AUTO_MEM int32_t *domains = iso_calloc((size_t)n_domains + 1, sizeof(*domains));

    if (!domains || !allocate_maps(f))
        return no_memory(reterr);
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            double side;
            int32_t row = demand_side(problem, a, t, domains, &side)
                              ? add(f, ISO_ROW_DEMAND, a, t, -1, -1, side, INFINITY)
                              : -1;
            if (row < 0)
                return no_memory(reterr);
            f->demand_row[a * problem->n_periods + t] = row;
        }
    if (!add_global_rows(f))
        return no_memory(reterr);
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (!add_share_rows(f, a) || !add_domain_rows(f, a, domains))
            return no_memory(reterr);
    if (!iso_formulation_affinity_rows(f, domains) || !iso_formulation_ramp_rows(f) ||
        !iso_formulation_fair_rows(f) || !iso_formulation_box_rows(f) ||
        !iso_formulation_traffic_rows(f) || !iso_formulation_tail_rows(f))
        return no_memory(reterr);
    return ISO_OK;
}
