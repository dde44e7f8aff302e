/* Multipliers of COMMIT rows that a plan with leads need not send. For product c and period t, over
 * the throughput workloads a that may use it and their options o,
 *
 *   psi_ct = max(0, max_{a,o} (served_ao worth_ao + floor_o - covered_aoc) / use_co)
 *
 * is the least that prices out every instance that c covers, rounded up. What is held takes
 * lot existing psi off the bound; a purchase is worth lot times the sum of psi over its term. */
#include "precedents.h"

#define UP (1 + 16 * LDBL_EPSILON) /* covers a few roundings of positive numbers */

struct iso_implied {
    uint8_t *is_implied;      /* n_products */
    double *psi;              /* n_products: of the open period */
    double **saved;           /* n_periods: psi of leads; NULL: not saved */
    struct iso_bounded *gain; /* one a start: lot * sum of psi over its term so far */
};

static bool may_be_implied(const struct iso_pricing *p, int32_t c)
{
    const struct iso_problem *problem = p->v->problem;

    if (p->v->plan->n_leads == 0 || p->commit_row[c] >= 0 || problem->moves.present)
        return false;
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        int32_t pool = problem->n_workloads + workload->team;
        if (p->tabled[a] && problem->products[c].cells[a])
            return false; /* worth is not known of a table */
        if (workload->replicas && problem->products[c].cells[pool])
            return false;
    }
    return true;
}

enum iso_status iso_implied_init(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;
    size_t n_products = (size_t)problem->n_products;
    struct iso_implied *implied = iso_calloc(1, sizeof(*implied));

    p->implied = implied;
    if (!implied)
        return iso_fail(p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
    implied->is_implied = iso_calloc(n_products, 1);
    implied->psi = iso_calloc(n_products, sizeof(*implied->psi));
    implied->saved = iso_calloc((size_t)problem->n_periods, sizeof(double *));
    implied->gain =
        iso_calloc((size_t)p->v->first_start[problem->n_products], sizeof(*implied->gain));
    if (!implied->is_implied || !implied->psi || !implied->saved || !implied->gain)
        return iso_fail(p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
    for (int32_t c = 0; c < problem->n_products; c++)
        implied->is_implied[c] = may_be_implied(p, c);
    for (int32_t t = 0; t < p->v->plan->n_leads; t++) {
        int32_t lead = p->v->plan->leads[t].period;
        if (lead == t || implied->saved[lead])
            continue;
        implied->saved[lead] = iso_calloc(n_products, sizeof(double));
        if (!implied->saved[lead])
            return iso_fail(p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
    }
    return ISO_OK;
}

void iso_implied_fini(struct iso_pricing *p)
{
    struct iso_implied *implied = p->implied;

    if (!implied)
        return;
    for (int32_t t = 0; t < p->v->problem->n_periods && implied->saved; t++)
        free(implied->saved[t]);
    free(implied->is_implied);
    free(implied->psi);
    free(implied->saved);
    free(implied->gain);
    free(implied);
}

double iso_pricing_commit(const struct iso_pricing *p, int32_t product, int32_t period)
{
    int32_t row = p->commit_row[product];

    return row >= 0 ? p->commit[iso_verify_at(p->v, row, period)] : -p->implied->psi[product];
}

/* Raises psi of the products that may cover an option of a workload. */
static void raise_option(struct iso_pricing *p, const struct iso_costs *costs,
                         const struct iso_worth *unit, int32_t a, int32_t option)
{
    const struct iso_verifier *v = p->v;
    const struct iso_option *choice = &v->problem->workloads[a].options[option];
    int32_t o = choice->offering, k = v->first_option[a] + option;
    long double gain = -1;

    for (int32_t i = v->first_reach[k]; i < v->first_reach[k + 1]; i++) {
        int32_t c = v->reach[i].index;
        if (!p->implied->is_implied[c] || v->problem->offerings[o].spot ||
            !p->supply[iso_verify_at(v, c, costs->period)])
            continue;
        if (gain < 0)
            gain = fmaxl(0, iso_bounded_high(iso_bounded_add(
                                iso_bounded_scale(choice->served, iso_worth_of(unit, option)),
                                iso_costs_floor(costs, o))));
        long double need = gain - iso_bounded_low(iso_costs_covered(costs, a, o, c));
        if (need <= 0)
            continue;
        need = need / ((long double)v->reach[i].weight / 1e9L) * UP;
        if (need > p->implied->psi[c])
            p->implied->psi[c] = nextafter((double)need, INFINITY);
    }
}

/* Whether any product may cover an option of a throughput workload. */
static bool is_covered(const struct iso_verifier *v, int32_t a)
{
    return v->first_reach[v->first_option[a]] < v->first_reach[v->first_option[a + 1]];
}

/* What the multipliers of a period add to the bound and to the worth of purchases. */
static void account(struct iso_pricing *p, const double *psi, int32_t period)
{
    const struct iso_problem *problem = p->v->problem;

    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        struct iso_bounded worth;
        if (psi[c] == 0)
            continue;
        worth = iso_bounded_scale(product->lot, iso_bounded_exact(psi[c]));
        if (product->existing[period] > 0)
            iso_pricing_add(p, iso_bounded_scale(-product->existing[period], worth));
        for (int32_t s = 0; s < product->n_starts; s++) {
            struct iso_bounded *gain = &p->implied->gain[p->v->first_start[c] + s];
            if (product->starts[s].window[period])
                *gain = iso_bounded_add(*gain, worth);
        }
    }
}

/* Raises psi of the products that may cover a workload, or takes them over. */
static void raise_workload(struct iso_pricing *p, const struct iso_costs *costs,
                           const struct iso_worth *unit, const struct iso_precedents *precedents)
{
    int32_t a = unit->workload, n_options = p->v->problem->workloads[a].n_options;
    double *psi = precedents->at < 0 ? NULL : precedents->precedents[precedents->at].psi;

    for (int32_t i = 0; i < n_options && !precedents->found; i++)
        raise_option(p, costs, unit, a, i);
    for (int32_t k = 0; k < precedents->n_products && psi; k++)
        if (precedents->found)
            p->implied->psi[precedents->products[k]] = psi[k];
        else
            psi[k] = p->implied->psi[precedents->products[k]];
}

void iso_implied_open(struct iso_pricing *p, struct iso_costs *costs, struct iso_worth *units,
                      struct iso_precedents *precedents, int32_t period)
{
    const struct iso_problem *problem = p->v->problem;
    struct iso_implied *implied = p->implied;

    if (p->v->plan->n_leads == 0)
        return;
    memset(implied->psi, 0, (size_t)problem->n_products * sizeof(*implied->psi));
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        if (problem->workloads[a].replicas || !is_covered(p->v, a))
            continue;
        iso_worth_open(&units[a], period);
        iso_precedents_open(&precedents[a], &units[a], costs);
        raise_workload(p, costs, &units[a], &precedents[a]);
    }
    account(p, implied->psi, period);
    if (implied->saved[period])
        memcpy(implied->saved[period], implied->psi,
               (size_t)problem->n_products * sizeof(*implied->psi));
}

void iso_implied_repeat(struct iso_pricing *p, int32_t lead, int32_t period)
{
    account(p, p->implied->saved[lead], period);
}

void iso_implied_settle(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;

    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
            struct iso_bounded gain = p->implied->gain[p->v->first_start[c] + s];
            if (!p->implied->is_implied[c] || gain.value <= 0)
                continue;
            struct iso_bounded rc = iso_bounded_subtract(
                iso_pricing_purchase(p, product, c, &product->starts[s]), gain);
            if (product->most > 0)
                iso_pricing_add_column(p, rc, product->most * ISO_DECIMAL_ONE);
            else if (iso_bounded_low(rc) < 0)
                p->nothing = true;
            p->v->verdict.columns_priced += product->most < 0;
        }
    }
}
