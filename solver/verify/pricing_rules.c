/* Rows and columns of a dual proof other than instances. In this order, because each repair lowers
 * multipliers that the next ones read:
 *
 *   violation of LIMIT    rc = cost - |lambda|           SOFT, PREFER: lambda cut to the cost;
 *   violation of BUDGET   rc = cost - |lambda|           DEFAULT: at most `today`
 *   moves                 rc = cost - lambda_MOVES       at most `maximum`, or cut
 *   buying (y)            rc = fees + upfront by objective and budgets - lot sum_t |lambda_COMMIT|
 *                         at most `most`, or the product's multipliers shrink by one factor
 *   unserved (u)          rc = cost - lambda_DEMAND - sum minimum lambda_SHARE_MIN
 *                              - sum theta lambda_SURVIVE - sum eps lambda_SPREAD
 *                              - sum share lambda_FLOW; at most required
 *   flows                 see pricing_flows.c
 *   start, stop           handled with the MOVE rows in pricing_costs.c
 *
 * and the right side of every row times its multiplier. */
#include "pricing.h"

void iso_pricing_add_column(struct iso_pricing *p, struct iso_bounded rc, iso_decimal upper)
{
    p->v->verdict.columns_priced++;
    if (iso_bounded_low(rc) >= 0)
        return;
    struct iso_bounded low = {iso_bounded_low(rc), LDBL_EPSILON * fabsl(rc.value)};
    iso_pricing_add(p, iso_bounded_scale(upper, low));
}

double iso_pricing_at_most(struct iso_bounded number)
{
    double low = (double)iso_bounded_low(number);

    return low > 0 ? nextafter(low, 0) : 0;
}

/* What breaking a rule by one unit costs. `price`: SOFT, in money; `scale`: PREFER and DEFAULT. */
static struct iso_bounded violation_cost(const struct iso_pricing *p, enum iso_policy policy,
                                         struct iso_bounded price, struct iso_bounded scale)
{
    if (policy == ISO_POLICY_SOFT)
        return iso_bounded_multiply(iso_bounded_exact(p->money), price);
    return iso_bounded_multiply(iso_bounded_exact(p->prefer), scale);
}

/* Prices a violation column whose row has multiplier *lambda; cuts it where nothing caps the
 * violation. */
static void price_violation(struct iso_pricing *p, enum iso_policy policy, iso_decimal today,
                            struct iso_bounded cost, double *lambda)
{
    struct iso_bounded size = iso_bounded_exact(fabs(*lambda));
    struct iso_bounded rc = iso_bounded_subtract(cost, size);

    if (policy == ISO_POLICY_HARD)
        return;
    if (policy == ISO_POLICY_DEFAULT) {
        iso_pricing_add_column(p, rc, today);
        return;
    }
    p->v->verdict.columns_priced++;
    if (iso_bounded_low(rc) < 0)
        *lambda = copysign(iso_pricing_at_most(cost), *lambda);
}

static struct iso_bounded one_over(iso_decimal amount)
{
    return iso_bounded_divide(iso_bounded_exact(1),
                              iso_bounded_decimal(amount > 0 ? amount : ISO_DECIMAL_ONE));
}

static void price_limits(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;
    struct iso_bounded horizon = {0, 0};

    for (int32_t t = 0; t < problem->n_periods; t++)
        horizon = iso_bounded_add(horizon, iso_bounded_decimal(problem->periods[t].hours));
    for (int32_t l = 0; l < problem->n_limits; l++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            const struct iso_limit *limit = &problem->limits[l];
            double *lambda = &p->limit[iso_verify_at(p->v, l, t)];
            struct iso_bounded hours = iso_bounded_decimal(problem->periods[t].hours);
            if (*lambda == 0)
                continue;
            price_violation(p, limit->policy, limit->today,
                            violation_cost(p, limit->policy, iso_bounded_scale(limit->price, hours),
                                           iso_bounded_multiply(iso_bounded_divide(hours, horizon),
                                                                one_over(limit->bound))),
                            lambda);
            iso_pricing_add(p, iso_bounded_scale(limit->bound, iso_bounded_exact(*lambda)));
        }
}

/* Fees of what is held already, in a window's currency: a constant of its spend. */
static struct iso_bounded existing_fees(const struct iso_pricing *p, const uint8_t *periods,
                                        const uint8_t *products, int32_t currency)
{
    const struct iso_problem *problem = p->v->problem;
    struct iso_bounded sum = {0, 0};

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            const struct iso_product *product = &problem->products[c];
            if ((products && !products[c]) || (periods && !periods[t]) ||
                product->existing[t] == 0 || product->fee == 0)
                continue;
            struct iso_bounded rate =
                iso_bounded_decimal(iso_problem_rate(problem, product->currency, currency, t));
            sum = iso_bounded_add(
                sum, iso_bounded_scale(
                         product->existing[t],
                         iso_bounded_scale(product->fee,
                                           iso_bounded_scale(problem->periods[t].hours, rate))));
        }
    return sum;
}

static void price_budgets(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;

    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++) {
            const struct iso_budget *budget = &problem->budgets[b];
            const struct iso_window *window = &budget->windows[w];
            double *lambda = &p->budget[p->v->first_window[b] + w];
            struct iso_bounded amount = iso_bounded_decimal(window->amount);
            if (*lambda == 0)
                continue;
            price_violation(p, budget->policy, window->today,
                            violation_cost(p, budget->policy, iso_bounded_decimal(budget->price),
                                           one_over(window->amount)),
                            lambda);
            if (budget->basis != ISO_BASIS_LIST)
                amount = iso_bounded_subtract(
                    amount, existing_fees(p, window->periods, budget->products, window->currency));
            iso_pricing_add(p, iso_bounded_multiply(amount, iso_bounded_exact(*lambda)));
        }
}

/* What one unit of base currency spent on moves weighs. */
static struct iso_bounded move_weight(const struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;
    struct iso_bounded sum = iso_bounded_exact(p->money);

    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++) {
            const struct iso_budget *budget = &problem->budgets[b];
            double lambda = p->budget[p->v->first_window[b] + w];
            if (!budget->moves || !budget->windows[w].periods[0] || lambda == 0)
                continue;
            iso_decimal rate =
                iso_problem_rate(problem, problem->base_currency, budget->windows[w].currency, 0);
            sum = iso_bounded_add(sum, iso_bounded_scale(rate, iso_bounded_exact(-lambda)));
        }
    return sum;
}

static void price_moves(struct iso_pricing *p)
{
    const struct iso_moves *moves = &p->v->problem->moves;

    if (!moves->present)
        return;
    struct iso_bounded weight = move_weight(p);
    struct iso_bounded cost = iso_bounded_add(iso_bounded_scale(moves->move_cost, weight),
                                              iso_bounded_exact(p->move_count));
    struct iso_bounded rc = iso_bounded_subtract(cost, iso_bounded_exact(p->moves));
    p->start_cost = iso_bounded_scale(moves->start_cost, weight);
    p->stop_cost = iso_bounded_scale(moves->stop_cost, weight);
    if (moves->maximum >= 0) {
        struct iso_bounded most = {(long double)moves->maximum, 0};
        struct iso_bounded low = {iso_bounded_low(rc), LDBL_EPSILON * fabsl(rc.value)};
        if (low.value < 0)
            iso_pricing_add(p, iso_bounded_multiply(most, low));
    } else if (iso_bounded_low(rc) < 0) {
        p->moves = iso_pricing_at_most(cost);
    }
    p->v->verdict.columns_priced++;
    struct iso_bounded forced = {(long double)moves->forced_stops, 0};
    iso_pricing_add(p, iso_bounded_multiply(forced, iso_bounded_exact(-p->moves)));
}

/* Sum of h_t * rate(from -> to, t) over the flagged periods that lie in a window (NULL: in any);
 * those in a row that are alike are counted and added at once. */
static struct iso_bounded hours_at_rate(const struct iso_problem *problem, const uint8_t *term,
                                        const uint8_t *periods, int32_t from, int32_t to)
{
    struct iso_bounded sum = {0, 0};
    iso_decimal hours = 0, rate = 0;
    int32_t n = 0;

    for (int32_t t = 0; t <= problem->n_periods; t++) {
        bool counts = t < problem->n_periods && term[t] && (!periods || periods[t]);
        iso_decimal own_hours = counts ? problem->periods[t].hours : 0;
        iso_decimal own_rate = counts ? iso_problem_rate(problem, from, to, t) : 0;
        if (n > 0 && (own_hours != hours || own_rate != rate)) {
            struct iso_bounded one = iso_bounded_scale(rate, iso_bounded_decimal(hours));
            sum = iso_bounded_add(sum, iso_bounded_multiply(iso_bounded_exact(n), one));
            n = 0;
        }
        hours = own_hours;
        rate = own_rate;
        n += counts;
    }
    return sum;
}

static struct iso_bounded term_hours(struct iso_pricing *p, const uint8_t *term,
                                     const uint8_t *periods, int32_t from, int32_t to)
{
    const struct iso_pricing_hours *last = &p->last_hours;

    if (last->term != term || last->periods != periods || last->from != from || last->to != to)
        p->last_hours = (struct iso_pricing_hours){
            term, periods, from, to, hours_at_rate(p->v->problem, term, periods, from, to)};
    return p->last_hours.sum;
}

/* What one bought unit of a start adds to the objective and the budgets: its fee over the term and
 * its upfront by basis. */
struct iso_bounded iso_pricing_purchase(struct iso_pricing *p, const struct iso_product *product,
                                        int32_t c, const struct iso_start *start)
{
    const struct iso_problem *problem = p->v->problem;
    struct iso_bounded sum = {0, 0}, term = iso_bounded_decimal(product->term_hours);
    struct iso_bounded fee = iso_bounded_decimal(product->fee);
    struct iso_bounded upfront = iso_bounded_decimal(product->upfront);

    /* b = -1 is the objective: every period, base currency, upfront by hours_inside. */
    for (int32_t b = -1; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = b < 0 ? NULL : &problem->budgets[b];
        if (budget && (budget->basis == ISO_BASIS_LIST || !budget->products[c]))
            continue;
        for (int32_t w = 0; w < (budget ? budget->n_windows : 1); w++) {
            const struct iso_window *window = budget ? &budget->windows[w] : NULL;
            double weight = budget ? -p->budget[p->v->first_window[b] + w] : p->money;
            int32_t currency = window ? window->currency : problem->base_currency;
            struct iso_bounded spent;
            if (weight == 0)
                continue;
            spent = iso_bounded_multiply(fee, term_hours(p, start->window,
                                                         window ? window->periods : NULL,
                                                         product->currency, currency));
            struct iso_bounded inside =
                iso_bounded_decimal(window ? iso_verify_term_hours(problem, start, window->periods)
                                           : start->hours_inside);
            iso_decimal rate =
                iso_problem_rate(problem, product->currency, currency, start->period);
            struct iso_bounded paid = iso_bounded_scale(rate, upfront);
            if (budget && budget->basis == ISO_BASIS_CASH)
                paid = window->periods[start->period] ? paid : (struct iso_bounded){0, 0};
            else
                paid = iso_bounded_multiply(paid, iso_bounded_divide(inside, term));
            sum = iso_bounded_add(
                sum, iso_bounded_multiply(iso_bounded_exact(weight), iso_bounded_add(spent, paid)));
        }
    }
    return sum;
}

static void price_product(struct iso_pricing *p, int32_t c)
{
    const struct iso_problem *problem = p->v->problem;
    const struct iso_product *product = &problem->products[c];
    double shrink = 1;

    if (p->commit_row[c] < 0)
        return; /* nothing, or implied */
    double *row = &p->commit[iso_verify_at(p->v, p->commit_row[c], 0)];

    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
        const struct iso_start *start = &product->starts[s];
        struct iso_bounded worth = {0, 0};
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (start->window[t] && row[t] != 0)
                worth = iso_bounded_add(
                    worth, iso_bounded_scale(product->lot, iso_bounded_exact(-row[t])));
        if (worth.value <= 0)
            continue;
        struct iso_bounded cost = iso_pricing_purchase(p, product, c, start);
        struct iso_bounded rc = iso_bounded_subtract(cost, worth);
        if (product->most > 0) {
            iso_pricing_add_column(p, rc, product->most * ISO_DECIMAL_ONE);
            continue;
        }
        p->v->verdict.columns_priced++;
        if (iso_bounded_low(rc) < 0)
            shrink = fmin(shrink, iso_pricing_at_most(iso_bounded_divide(cost, worth)));
    }
    for (int32_t t = 0; t < problem->n_periods; t++) {
        double *lambda = &row[t];
        if (*lambda == 0)
            continue;
        if (shrink < 1)
            *lambda = -nextafter(-*lambda * shrink, 0);
        iso_pricing_add(p, iso_bounded_multiply(iso_bounded_decimal(product->lot),
                                                iso_bounded_scale(product->existing[t],
                                                                  iso_bounded_exact(*lambda))));
    }
}

/* What one unit unserved adds to the loss of a workload that is served evenly, weighed. */
static struct iso_bounded loss_cost(const struct iso_pricing *p, int32_t a, int32_t t)
{
    const struct iso_problem *problem = p->v->problem;
    struct iso_bounded asked = {0, 0};

    if (p->loss[a] == 0)
        return asked;
    for (int32_t s = 0; s < problem->n_periods; s++)
        asked = iso_bounded_add(asked,
                                iso_bounded_scale(problem->workloads[a].required[s],
                                                  iso_bounded_decimal(problem->periods[s].hours)));
    struct iso_bounded part =
        iso_bounded_divide(iso_bounded_decimal(problem->periods[t].hours), asked);
    return iso_bounded_multiply(iso_bounded_exact(p->loss[a]), part);
}

/* Of n periods that may rise the worst Gamma lose at least Gamma / n of what is unserved in all. */
static struct iso_bounded average_part(const struct iso_problem *problem,
                                       const struct iso_workload *workload)
{
    int32_t n = 0;

    for (int32_t t = 0; t < problem->n_periods && workload->box; t++)
        n += workload->required[t] > workload->box->required[t];
    if (!workload->box || workload->box->periods >= n)
        return iso_bounded_exact(1);
    return iso_bounded_divide(iso_bounded_exact(workload->box->periods), iso_bounded_exact(n));
}

/* What one unit unserved costs in the objective. */
static struct iso_bounded unserved_cost(const struct iso_pricing *p, int32_t a, int32_t t)
{
    const struct iso_workload *workload = &p->v->problem->workloads[a];
    struct iso_bounded hours = iso_bounded_decimal(p->v->problem->periods[t].hours);

    struct iso_bounded average = average_part(p->v->problem, workload);

    if (workload->service == ISO_SERVICE_PENALTY)
        return iso_bounded_multiply(iso_bounded_multiply(iso_bounded_exact(p->money), average),
                                    iso_bounded_scale(workload->penalty, hours));
    if (workload->service != ISO_SERVICE_PRIORITY || workload->demand[t] == 0)
        return loss_cost(p, a, t);
    struct iso_bounded part = iso_bounded_divide(iso_bounded_scale(workload->weight, hours),
                                                 iso_bounded_decimal(workload->demand[t]));
    part = iso_bounded_multiply(part, average);
    return iso_bounded_add(iso_bounded_multiply(iso_bounded_exact(p->unserved[a]), part),
                           loss_cost(p, a, t));
}

/* Rules with a right side share * D and a term share * u: adds share * D * lambda to the bound and
 * share * lambda to what one unit unserved is worth. `whole`: the right side is rounded up. */
static void add_rule(struct iso_pricing *p, iso_decimal share, iso_decimal right_side, bool whole,
                     double lambda, struct iso_bounded *worth)
{
    struct iso_bounded scaled = iso_bounded_scale(share, iso_bounded_exact(lambda));

    if (lambda == 0)
        return;
    struct iso_bounded part = iso_bounded_scale(right_side, scaled);
    if (whole) {
        struct iso_bounded raised =
            iso_bounded_scale(iso_pricing_whole(share, right_side), iso_bounded_exact(lambda));
        p->v->whole_worth += (double)(raised.value - part.value);
        part = raised;
    }
    iso_pricing_add(p, part);
    *worth = iso_bounded_add(*worth, scaled);
}

static void price_demand(struct iso_pricing *p, int32_t a, int32_t t)
{
    const struct iso_workload *workload = &p->v->problem->workloads[a];
    iso_decimal demand = workload->demand[t], required = workload->required[t];
    struct iso_bounded mu = iso_bounded_exact(p->demand[iso_verify_at(p->v, a, t)]);
    struct iso_bounded worth = mu;
    bool whole = iso_pricing_counts_whole(workload);

    iso_decimal served = iso_pricing_asked(p->v, a, t);
    iso_pricing_add(p, iso_bounded_scale(served, mu));
    p->v->whole_worth +=
        iso_decimal_to_double(served - required) * p->demand[iso_verify_at(p->v, a, t)];
    for (int32_t i = 0; i < workload->n_shares; i++)
        add_rule(p, workload->shares[i].minimum, demand, whole,
                 p->share_min[iso_verify_at(p->v, p->first_share[a] + i, t)], &worth);
    for (int32_t i = 0; i < workload->n_survive; i++) {
        struct iso_row_range rows = iso_leads_rows(p, ISO_ROW_SURVIVE, a, i, t);
        for (int32_t k = 0; k < rows.n; k++)
            add_rule(p, workload->survive[i].share, demand, whole, rows.rows[k].value, &worth);
    }
    for (int32_t i = 0; i < workload->n_spread; i++) {
        struct iso_row_range rows = iso_leads_rows(p, ISO_ROW_SPREAD, a, i, t);
        for (int32_t k = 0; k < rows.n; k++)
            add_rule(p, workload->spread[i].minimum_share, 0, false, rows.rows[k].value, &worth);
    }
    worth = iso_bounded_add(worth, iso_pricing_flow_rows(p, a, t));
    if (workload->service != ISO_SERVICE_MUST && worth.value > 0)
        iso_pricing_add_column(p, iso_bounded_subtract(unserved_cost(p, a, t), worth), required);
}

enum iso_status iso_pricing_rules(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;

    price_limits(p);
    price_budgets(p);
    price_moves(p);
    for (int32_t c = 0; c < problem->n_products; c++)
        price_product(p, c);
    if (p->money != 0)
        iso_pricing_add(p,
                        iso_bounded_multiply(iso_bounded_exact(p->money),
                                             existing_fees(p, NULL, NULL, problem->base_currency)));
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            price_demand(p, a, t);
    iso_pricing_flows(p);
    return ISO_OK;
}
