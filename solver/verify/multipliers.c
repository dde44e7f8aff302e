/* The multipliers of a tier, checked and laid out in tables. */
#include "pricing.h"

#define NOISE 1e-20      /* of the largest multiplier */
#define LESS (1 - 1e-15) /* keeps rounding from making an average more than it is */

static int compare_duals(const void *left, const void *right)
{
    const struct iso_dual *a = left, *b = right;
    const int32_t keys[][2] = {{(int32_t)a->kind, (int32_t)b->kind},
                               {a->a, b->a},
                               {a->b, b->b},
                               {a->c, b->c},
                               {a->d, b->d}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

struct iso_row_range iso_pricing_rows(const struct iso_pricing *p, enum iso_row_kind kind,
                                      int32_t a, int32_t b, int32_t c)
{
    const struct iso_row_range *all = &p->kinds[kind];
    int32_t low = 0, high = all->n, end;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        const struct iso_dual *row = &all->rows[middle];
        if (row->a < a || (row->a == a && (row->b < b || (row->b == b && row->c < c))))
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < all->n; end++) {
        const struct iso_dual *row = &all->rows[end];
        if (row->a != a || row->b != b || (c >= 0 && row->c != c))
            break;
    }
    return (struct iso_row_range){&all->rows[low], end - low};
}

static bool below(int32_t index, int32_t n)
{
    return index >= 0 && index < n;
}

static const struct iso_workload *workload_of(const struct iso_problem *problem,
                                              const struct iso_dual *dual)
{
    return below(dual->a, problem->n_workloads) ? &problem->workloads[dual->a] : NULL;
}

/* Whether such a row is in the problem, all indices -1 that do not apply. One case a kind, all in
 * one place so that a new kind is seen to be missing: hence long. */
static bool row_exists(const struct iso_pricing *p, const struct iso_dual *dual)
{
    const struct iso_problem *problem = p->v->problem;
    const struct iso_workload *workload = workload_of(problem, dual);
    int32_t n_periods = problem->n_periods;
    bool no_c = dual->c == -1, no_d = dual->d == -1, no_cd = no_c && no_d;

    switch (dual->kind) {
    case ISO_ROW_DEMAND:
        return workload && below(dual->b, n_periods) && no_cd;
    case ISO_ROW_LIMIT:
        return below(dual->a, problem->n_limits) && below(dual->b, n_periods) &&
               problem->limits[dual->a].periods[dual->b] && !problem->limits[dual->a].or_nothing &&
               no_cd;
    case ISO_ROW_BUDGET:
        return below(dual->a, problem->n_budgets) &&
               below(dual->b, problem->budgets[dual->a].n_windows) && no_cd;
    case ISO_ROW_COMMIT:
        return below(dual->a, problem->n_products) && below(dual->b, n_periods) && no_cd;
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_SHARE_MIN:
        return workload && below(dual->b, workload->n_shares) && below(dual->c, n_periods) &&
               no_d &&
               (dual->kind == ISO_ROW_SHARE_MAX ? workload->shares[dual->b].has_maximum
                                                : workload->shares[dual->b].has_minimum);
    case ISO_ROW_SURVIVE:
        return workload && below(dual->b, workload->n_survive) && below(dual->c, n_periods) &&
               workload->demand[dual->c] > 0 &&
               below(dual->d, iso_problem_n_domains(problem, workload->survive[dual->b].level));
    case ISO_ROW_SPREAD:
        return workload && below(dual->b, workload->n_spread) && below(dual->c, n_periods) &&
               workload->demand[dual->c] > 0 &&
               below(dual->d, iso_problem_n_domains(problem, workload->spread[dual->b].level));
    case ISO_ROW_SPREAD_N:
        return workload && below(dual->b, workload->n_spread) && no_cd;
    case ISO_ROW_MOVE:
        return problem->moves.present && below(dual->a, iso_problem_n_cells(problem)) &&
               below(dual->b, problem->n_offerings) && no_cd;
    case ISO_ROW_MOVES:
        return problem->moves.present && dual->a == -1 && dual->b == -1 && no_cd;
    case ISO_ROW_PRESENCE:
        return workload && below(dual->b, ISO_N_LEVELS) && below(dual->c, n_periods) &&
               below(dual->d, iso_problem_n_domains(problem, (enum iso_level)dual->b)) &&
               iso_problem_is_placed(problem, dual->a, (enum iso_level)dual->b, false);
    case ISO_ROW_APART:
        return workload && below(dual->b, workload->n_affinities) &&
               workload->affinities[dual->b].apart && iso_verify_apart_row_exists(problem, dual);
    case ISO_ROW_RAMP:
        return workload && workload->ramp && below(dual->b, problem->n_offerings) && dual->c >= 1 &&
               dual->c < n_periods && no_d;
    case ISO_ROW_RAMP_CAP:
        return workload && workload->ramp && dual->b >= 1 && dual->b < n_periods &&
               below(dual->c, 2) && no_d &&
               (dual->c == 0 ? workload->ramp->starts : workload->ramp->stops) >= 0;
    case ISO_ROW_FLOW:
        return workload && below(dual->b, workload->n_traffic) && below(dual->c, n_periods) &&
               workload->traffic[dual->b].other < 0 &&
               below(dual->d, workload->traffic[dual->b].n_sources);
    case ISO_ROW_ARRIVAL:
        return workload && below(dual->b, workload->n_traffic) && below(dual->c, n_periods) &&
               workload->traffic[dual->b].other < 0 && below(dual->d, problem->n_regions);
    case ISO_ROW_FREEZE:
        return below(dual->a, p->tier) && !p->ray && dual->b == -1 && no_cd;
    case ISO_N_ROW_KINDS:
        break;
    }
    return false;
}

/* 1: multipliers are >= 0, -1: <= 0, 0: free. */
static int sign_of(const struct iso_problem *problem, const struct iso_dual *dual)
{
    switch (dual->kind) {
    case ISO_ROW_LIMIT:
        return problem->limits[dual->a].minimum ? 1 : -1;
    case ISO_ROW_BUDGET:
    case ISO_ROW_COMMIT:
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_FREEZE:
    case ISO_ROW_APART:
    case ISO_ROW_RAMP_CAP:
        return -1;
    case ISO_ROW_MOVE:
    case ISO_ROW_RAMP:
        return 0;
    default:
        return 1;
    }
}

static enum iso_status check_duals(const struct iso_pricing *p)
{
    const struct iso_tier *tier = &p->v->plan->tiers[p->tier];

    for (int32_t i = 0; i < tier->n_duals; i++) {
        const struct iso_dual *dual = &p->v->plan->duals[tier->first_dual + i];
        int64_t place = tier->first_dual + i;
        if (!row_exists(p, dual) || !iso_leads_may_have(p->v, dual))
            return iso_verify_fail(p->v, "duals", place, "",
                                   "row %d (%d, %d, %d, %d) does not exist", (int)dual->kind,
                                   dual->a, dual->b, dual->c, dual->d);
        int sign = sign_of(p->v->problem, dual);
        if (!isfinite(dual->value) || dual->value * sign < 0)
            return iso_verify_fail(p->v, "duals", place, "value",
                                   "is %g; multipliers of %s rows are %s", dual->value,
                                   sign > 0   ? ">="
                                   : sign < 0 ? "<="
                                              : "=",
                                   sign > 0   ? ">= 0"
                                   : sign < 0 ? "<= 0"
                                              : "finite");
    }
    for (int32_t i = 1; i < tier->n_duals; i++)
        if (compare_duals(&p->duals[i - 1], &p->duals[i]) == 0)
            return iso_verify_fail(p->v, "duals", -1, "", "tier %d has two multipliers of one row",
                                   p->tier);
    return ISO_OK;
}

/* Multipliers that can only be noise count as 0: any multipliers will do, and these may be in the
 * way of a column that costs nothing. */
static void drop_noise(struct iso_pricing *p, int32_t n)
{
    double most = 0;

    for (int32_t i = 0; i < n; i++)
        most = fmax(most, fabs(p->duals[i].value));
    for (int32_t i = 0; i < n; i++)
        if (fabs(p->duals[i].value) < NOISE * most)
            p->duals[i].value = 0;
}

static void fill_tables(struct iso_pricing *p)
{
    const struct iso_verifier *v = p->v;
    const struct iso_tier *tiers = v->plan->tiers;

    for (int32_t i = 0; i < tiers[p->tier].n_duals; i++) {
        const struct iso_dual *dual = &p->duals[i];
        struct iso_row_range *range = &p->kinds[dual->kind];
        if (range->n++ == 0)
            range->rows = dual;
        switch (dual->kind) {
        case ISO_ROW_DEMAND:
            p->demand[iso_verify_at(v, dual->a, dual->b)] = dual->value;
            break;
        case ISO_ROW_LIMIT:
            p->limit[iso_verify_at(v, dual->a, dual->b)] = dual->value;
            break;
        case ISO_ROW_BUDGET:
            p->budget[v->first_window[dual->a] + dual->b] = dual->value;
            break;
        case ISO_ROW_COMMIT:
            p->commit[iso_verify_at(v, p->commit_row[dual->a], dual->b)] = dual->value;
            break;
        case ISO_ROW_SHARE_MAX:
            p->share_max[iso_verify_at(v, p->first_share[dual->a] + dual->b, dual->c)] =
                dual->value;
            break;
        case ISO_ROW_SHARE_MIN:
            p->share_min[iso_verify_at(v, p->first_share[dual->a] + dual->b, dual->c)] =
                dual->value;
            break;
        case ISO_ROW_MOVES:
            p->moves = dual->value;
            break;
        default:
            break;
        }
    }
}

/* The k largest of n losses are at least k / n of them all: that is the row, or the objective, that
 * is priced. */
static void add_fair_weight(struct iso_pricing *p, const struct iso_tier *tier, double weight)
{
    const struct iso_problem *problem = p->v->problem;
    int32_t n = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n += problem->workloads[a].fair && problem->workloads[a].priority == tier->priority;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].fair && problem->workloads[a].priority == tier->priority)
            p->loss[a] += weight * tier->worst / n * LESS;
}

static void add_weight(struct iso_pricing *p, const struct iso_tier *tier, double weight)
{
    const struct iso_problem *problem = p->v->problem;

    p->money += tier->kind == ISO_TIER_MONEY ? weight : 0;
    p->prefer += tier->kind == ISO_TIER_PREFER ? weight : 0;
    p->move_count += tier->kind == ISO_TIER_MOVES ? weight : 0;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (tier->kind == ISO_TIER_UNSERVED &&
            problem->workloads[a].service == ISO_SERVICE_PRIORITY &&
            problem->workloads[a].priority == tier->priority)
            p->unserved[a] += weight;
    if (tier->kind == ISO_TIER_FAIR)
        add_fair_weight(p, tier, weight);
}

/* Each objective occurs once among the tiers (checked before), so the sums above are exact. */
static void weigh_tiers(struct iso_pricing *p)
{
    const struct iso_tier *tiers = p->v->plan->tiers;

    if (!p->ray)
        add_weight(p, &tiers[p->tier], 1);
    for (int32_t i = 0; i < p->kinds[ISO_ROW_FREEZE].n; i++) {
        const struct iso_dual *freeze = &p->kinds[ISO_ROW_FREEZE].rows[i];
        add_weight(p, &tiers[freeze->a], -freeze->value);
        iso_pricing_add(p, iso_bounded_multiply(iso_bounded_exact(freeze->value),
                                                iso_bounded_exact(tiers[freeze->a].frozen)));
    }
}

static void find_supply(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            const struct iso_product *product = &problem->products[c];
            bool any = product->existing[t] > 0;
            for (int32_t s = 0; s < product->n_starts && product->most != 0; s++)
                any = any || product->starts[s].window[t];
            p->supply[iso_verify_at(p->v, c, t)] = any;
        }
}

/* Rows of the products that have multipliers. */
static enum iso_status open_commitments(struct iso_pricing *p, int32_t n_duals)
{
    const struct iso_problem *problem = p->v->problem;
    int32_t n_rows = 0;

    for (int32_t c = 0; c < problem->n_products; c++)
        p->commit_row[c] = -1;
    for (int32_t i = 0; i < n_duals; i++)
        if (p->duals[i].kind == ISO_ROW_COMMIT && p->commit_row[p->duals[i].a] < 0)
            p->commit_row[p->duals[i].a] = n_rows++;
    p->commit = iso_calloc((size_t)n_rows * (size_t)problem->n_periods, sizeof(*p->commit));
    if (!p->commit)
        return iso_fail(p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
    return iso_implied_init(p);
}

enum iso_status iso_pricing_init(struct iso_pricing *p, struct iso_verifier *v, int32_t tier,
                                 bool ray)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_tier *data = &v->plan->tiers[tier];
    size_t n_periods = (size_t)problem->n_periods, n_products = (size_t)problem->n_products;

    *p = (struct iso_pricing){.v = v, .tier = tier, .ray = ray};
    p->first_share = iso_calloc((size_t)problem->n_workloads + 1, sizeof(*p->first_share));
    p->unserved = iso_calloc((size_t)problem->n_workloads, sizeof(*p->unserved));
    p->loss = iso_calloc((size_t)problem->n_workloads, sizeof(*p->loss));
    p->duals = iso_calloc((size_t)data->n_duals, sizeof(*p->duals));
    p->demand = iso_calloc((size_t)problem->n_workloads * n_periods, sizeof(*p->demand));
    p->limit = iso_calloc((size_t)problem->n_limits * n_periods, sizeof(*p->limit));
    p->budget = iso_calloc((size_t)v->first_window[problem->n_budgets], sizeof(*p->budget));
    p->commit_row = iso_calloc(n_products, sizeof(*p->commit_row));
    p->supply = iso_calloc(n_products * n_periods, sizeof(*p->supply));
    if (!p->first_share || !p->unserved || !p->loss || !p->duals || !p->demand || !p->limit ||
        !p->budget || !p->commit_row || !p->supply)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
    for (int32_t a = 0; a < problem->n_workloads; a++)
        p->first_share[a + 1] = p->first_share[a] + problem->workloads[a].n_shares;
    size_t n_shares = (size_t)p->first_share[problem->n_workloads] * n_periods;
    p->share_max = iso_calloc(n_shares, sizeof(*p->share_max));
    p->share_min = iso_calloc(n_shares, sizeof(*p->share_min));
    if (!p->share_max || !p->share_min)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
    if (data->n_duals > 0) {
        memcpy(p->duals, &v->plan->duals[data->first_dual],
               (size_t)data->n_duals * sizeof(*p->duals));
        qsort(p->duals, (size_t)data->n_duals, sizeof(*p->duals), compare_duals);
    }
    ISO_TRY(check_duals(p));
    ISO_TRY(iso_value_functions_init(p));
    ISO_TRY(open_commitments(p, data->n_duals));
    drop_noise(p, data->n_duals);
    fill_tables(p);
    iso_leads_spread(p);
    weigh_tiers(p);
    find_supply(p);
    iso_value_functions_reserve(p);
    return ISO_OK;
}

void iso_pricing_fini(struct iso_pricing *p)
{
    void *const arrays[] = {p->duals,      p->demand,    p->limit,       p->budget, p->commit,
                            p->share_max,  p->share_min, p->first_share, p->supply, p->unserved,
                            p->commit_row, p->tabled,    p->reserved,    p->loss};

    iso_implied_fini(p);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}
