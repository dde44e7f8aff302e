#include "pricing.h"

struct iso_worth_rule {
    enum iso_row_kind kind;
    int32_t
        rule; /* place among the workload's survive or spread rules or traffic; presence: level */
    enum iso_level level;
    int32_t n_domains;
    struct worth_domain {
        int32_t index, offering; /* an option of the workload in it */
        bool counts;
        struct iso_bounded worth; /* of one unit served there, in the open period */
    } * domains;
    int32_t *place; /* of each domain of the level in `domains`, or -1 */
    bool active;    /* has multipliers in the open period */
};

static enum iso_status no_memory(const struct iso_worth *unit)
{
    return iso_fail(unit->p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
}

static const struct iso_workload *workload_of(const struct iso_worth *unit)
{
    return &unit->p->v->problem->workloads[unit->workload];
}

static enum iso_status list_domains(struct iso_worth *unit, struct iso_worth_rule *rule)
{
    const struct iso_problem *problem = unit->p->v->problem;
    const struct iso_workload *workload = workload_of(unit);
    int32_t n = iso_problem_n_domains(problem, rule->level);

    rule->domains = iso_calloc((size_t)n, sizeof(*rule->domains));
    rule->place = iso_calloc((size_t)n, sizeof(*rule->place));
    if (!rule->domains || !rule->place)
        return no_memory(unit);
    memset(rule->place, 0xff, (size_t)n * sizeof(*rule->place));
    for (int32_t i = 0; i < workload->n_options; i++) {
        int32_t offering = workload->options[i].offering;
        int32_t index = iso_problem_domain(problem, offering, rule->level);
        if (rule->place[index] >= 0)
            continue;
        bool counts = rule->kind != ISO_ROW_SPREAD ||
                      iso_problem_spread_counts(problem, workload, offering, rule->level);
        rule->place[index] = rule->n_domains;
        rule->domains[rule->n_domains++] =
            (struct worth_domain){.index = index, .offering = offering, .counts = counts};
    }
    return ISO_OK;
}

/* Rows of a domain without an option that counts are not in the problem; but routes may lead to a
 * region without one. */
static enum iso_status check_domains(const struct iso_worth *unit,
                                     const struct iso_worth_rule *rule)
{
    struct iso_row_range rows =
        iso_pricing_rows(unit->p, rule->kind, unit->workload, rule->rule, -1);

    for (int32_t i = 0; i < rows.n && rule->kind != ISO_ROW_ARRIVAL; i++) {
        int32_t place = rule->place[rows.rows[i].d];
        if (place < 0 || !rule->domains[place].counts)
            return iso_verify_fail(unit->p->v, "duals", -1, "",
                                   "domain %d of rule %d holds no option of workload %s",
                                   rows.rows[i].d, rule->rule, workload_of(unit)->id);
    }
    return ISO_OK;
}

enum iso_status iso_worth_init(struct iso_worth *unit, struct iso_pricing *p, int32_t workload)
{
    const struct iso_workload *data = &p->v->problem->workloads[workload];

    *unit = (struct iso_worth){.p = p, .workload = workload};
    unit->rules = iso_calloc((size_t)data->n_survive + (size_t)data->n_spread +
                                 (size_t)data->n_traffic + (size_t)ISO_N_LEVELS,
                             sizeof(*unit->rules));
    unit->inside = iso_calloc((size_t)data->n_shares, sizeof(*unit->inside));
    unit->outside = iso_calloc((size_t)data->n_shares, sizeof(*unit->outside));
    unit->minimum = iso_calloc((size_t)data->n_shares, sizeof(*unit->minimum));
    if (!unit->rules || !unit->inside || !unit->outside || !unit->minimum)
        return no_memory(unit);
    for (int32_t i = 0; i < data->n_survive; i++)
        unit->rules[unit->n_rules++] = (struct iso_worth_rule){
            .kind = ISO_ROW_SURVIVE, .rule = i, .level = data->survive[i].level};
    for (int32_t i = 0; i < data->n_spread; i++)
        unit->rules[unit->n_rules++] = (struct iso_worth_rule){
            .kind = ISO_ROW_SPREAD, .rule = i, .level = data->spread[i].level};
    for (int32_t m = 0; m < data->n_traffic; m++)
        if (data->traffic[m].other < 0)
            unit->rules[unit->n_rules++] = (struct iso_worth_rule){
                .kind = ISO_ROW_ARRIVAL, .rule = m, .level = ISO_LEVEL_REGION};
    for (int level = 0; level < ISO_N_LEVELS; level++)
        if (iso_problem_is_placed(p->v->problem, workload, (enum iso_level)level, false))
            unit->rules[unit->n_rules++] = (struct iso_worth_rule){
                .kind = ISO_ROW_PRESENCE, .rule = level, .level = (enum iso_level)level};
    for (int32_t r = 0; r < unit->n_rules; r++) {
        ISO_TRY(list_domains(unit, &unit->rules[r]));
        ISO_TRY(check_domains(unit, &unit->rules[r]));
    }
    return ISO_OK;
}

void iso_worth_fini(struct iso_worth *unit)
{
    for (int32_t r = 0; r < unit->n_rules; r++) {
        free(unit->rules[r].domains);
        free(unit->rules[r].place);
    }
    free(unit->rules);
    free(unit->inside);
    free(unit->outside);
    free(unit->minimum);
}

/* Worth of one unit in `domain`, by the open period's rows. */
static struct iso_bounded worth_in(const struct iso_worth *unit, const struct iso_worth_rule *rule,
                                   const struct worth_domain *domain, struct iso_row_range rows)
{
    struct iso_bounded worth = {0, 0};

    for (int32_t i = 0; i < rows.n; i++) {
        double value = rule->kind == ISO_ROW_PRESENCE ? -rows.rows[i].value : rows.rows[i].value;
        bool in_row = rule->kind != ISO_ROW_SURVIVE
                          ? rows.rows[i].d == domain->index
                          : !iso_problem_falls_with(unit->p->v->problem, domain->offering,
                                                    rule->level, rows.rows[i].d);
        if (in_row)
            worth = iso_bounded_add(worth, iso_bounded_exact(value));
    }
    return worth;
}

void iso_worth_open(struct iso_worth *unit, int32_t period)
{
    struct iso_pricing *p = unit->p;
    const struct iso_workload *workload = workload_of(unit);

    unit->demand = iso_bounded_exact(p->demand[iso_verify_at(p->v, unit->workload, period)]);
    unit->scale = fabsl(unit->demand.value);
    for (int32_t i = 0; i < workload->n_shares; i++) {
        size_t at = iso_verify_at(p->v, p->first_share[unit->workload] + i, period);
        struct iso_bounded most = iso_bounded_exact(p->share_max[at]);
        iso_decimal maximum = workload->shares[i].maximum;
        unit->minimum[i] = iso_bounded_exact(p->share_min[at]);
        unit->outside[i] = iso_bounded_scale(-maximum, most);
        unit->inside[i] =
            iso_bounded_add(iso_bounded_scale(ISO_DECIMAL_ONE - maximum, most), unit->minimum[i]);
        unit->scale += fabsl(most.value) + fabsl(unit->minimum[i].value);
    }
    for (int32_t r = 0; r < unit->n_rules; r++) {
        struct iso_worth_rule *rule = &unit->rules[r];
        struct iso_row_range rows =
            iso_leads_rows(p, rule->kind, unit->workload, rule->rule, period);
        long double most = 0;
        rule->active = rows.n > 0;
        for (int32_t d = 0; d < rule->n_domains && rule->active; d++) {
            rule->domains[d].worth = worth_in(unit, rule, &rule->domains[d], rows);
            most = fmaxl(most, fabsl(rule->domains[d].worth.value));
        }
        unit->scale += most;
    }
}

static size_t put(long double *numbers, size_t n, struct iso_bounded number)
{
    if (numbers) {
        numbers[n] = number.value;
        numbers[n + 1] = number.error;
    }
    return n + 2;
}

size_t iso_worth_numbers(const struct iso_worth *unit, long double *numbers)
{
    size_t n = put(numbers, 0, unit->demand);

    for (int32_t i = 0; i < workload_of(unit)->n_shares; i++) {
        n = put(numbers, n, unit->inside[i]);
        n = put(numbers, n, unit->outside[i]);
        n = put(numbers, n, unit->minimum[i]);
    }
    for (int32_t r = 0; r < unit->n_rules; r++) {
        const struct iso_worth_rule *rule = &unit->rules[r];
        for (int32_t d = 0; d < rule->n_domains; d++)
            n = put(numbers, n, rule->active ? rule->domains[d].worth : (struct iso_bounded){0, 0});
    }
    return n;
}

int64_t iso_worth_n_terms(const struct iso_worth *unit)
{
    int64_t n = 1 + 2 * (int64_t)workload_of(unit)->n_shares;

    for (int32_t r = 0; r < unit->n_rules; r++)
        n += 1 + iso_problem_n_domains(unit->p->v->problem, unit->rules[r].level);
    return n;
}

static int32_t domain_of(const struct iso_worth *unit, const struct iso_worth_rule *rule,
                         int32_t option)
{
    return iso_problem_domain(unit->p->v->problem, workload_of(unit)->options[option].offering,
                              rule->level);
}

bool iso_worth_is_same(const struct iso_worth *unit, int32_t option, int32_t other)
{
    const struct iso_workload *workload = workload_of(unit);
    const struct iso_offering *offerings = unit->p->v->problem->offerings;

    if (offerings[workload->options[option].offering].spot !=
        offerings[workload->options[other].offering].spot)
        return false;
    for (int32_t i = 0; i < workload->n_shares; i++)
        if (workload->shares[i].member[option] != workload->shares[i].member[other])
            return false;
    for (int32_t r = 0; r < unit->n_rules; r++)
        if (domain_of(unit, &unit->rules[r], option) != domain_of(unit, &unit->rules[r], other))
            return false;
    return true;
}

uint64_t iso_worth_hash(const struct iso_worth *unit, int32_t option)
{
    const struct iso_workload *workload = workload_of(unit);
    uint64_t hash = unit->p->v->problem->offerings[workload->options[option].offering].spot;

    for (int32_t i = 0; i < workload->n_shares; i++)
        hash = 2 * hash + workload->shares[i].member[option];
    for (int32_t r = 0; r < unit->n_rules; r++)
        hash = hash * UINT64_C(0x100000001b3) + (uint64_t)domain_of(unit, &unit->rules[r], option);
    return hash;
}

/* `all`: also rules that take. */
static struct iso_bounded add_rules(const struct iso_worth *unit, int32_t option, bool all,
                                    struct iso_bounded worth)
{
    const struct iso_problem *problem = unit->p->v->problem;
    int32_t offering = workload_of(unit)->options[option].offering;

    for (int32_t r = 0; r < unit->n_rules; r++) {
        const struct iso_worth_rule *rule = &unit->rules[r];
        if (!rule->active || (rule->kind == ISO_ROW_PRESENCE && !all) ||
            (rule->kind == ISO_ROW_SURVIVE && problem->offerings[offering].spot))
            continue;
        int32_t place = rule->place[iso_problem_domain(problem, offering, rule->level)];
        worth = iso_bounded_add(worth, rule->domains[place].worth);
    }
    return worth;
}

struct iso_bounded iso_worth_of(const struct iso_worth *unit, int32_t option)
{
    const struct iso_workload *workload = workload_of(unit);
    struct iso_bounded worth = unit->demand;

    for (int32_t i = 0; i < workload->n_shares; i++)
        worth = iso_bounded_add(worth, workload->shares[i].member[option] ? unit->inside[i]
                                                                          : unit->outside[i]);
    return add_rules(unit, option, true, worth);
}

struct iso_bounded iso_worth_of_gains(const struct iso_worth *unit, int32_t option)
{
    const struct iso_workload *workload = workload_of(unit);
    struct iso_bounded worth = unit->demand;

    for (int32_t i = 0; i < workload->n_shares; i++)
        if (workload->shares[i].member[option])
            worth = iso_bounded_add(worth, unit->minimum[i]);
    return add_rules(unit, option, false, worth);
}

/* b_d in [0, 1] costs nothing: rc = eps * sum_t D_t lambda_SPREAD(t, d) - lambda_SPREAD_N. */
void iso_worth_price_domains(struct iso_worth *unit)
{
    struct iso_pricing *p = unit->p;
    const struct iso_workload *workload = workload_of(unit);

    for (int32_t r = 0; r < unit->n_rules; r++) {
        struct iso_worth_rule *rule = &unit->rules[r];
        if (rule->kind != ISO_ROW_SPREAD)
            continue;
        const struct iso_spread *spread = &workload->spread[rule->rule];
        struct iso_row_range all =
            iso_pricing_rows(p, ISO_ROW_SPREAD, unit->workload, rule->rule, -1);
        struct iso_row_range least =
            iso_pricing_rows(p, ISO_ROW_SPREAD_N, unit->workload, rule->rule, -1);
        struct iso_bounded at_least = iso_bounded_exact(least.n ? least.rows[0].value : 0);
        iso_pricing_add(p,
                        iso_bounded_multiply(iso_bounded_exact(spread->minimum_domains), at_least));
        for (int32_t d = 0; d < rule->n_domains; d++)
            rule->domains[d].worth = (struct iso_bounded){0, 0};
        for (int32_t i = 0; i < all.n; i++) {
            struct worth_domain *domain = &rule->domains[rule->place[all.rows[i].d]];
            struct iso_bounded needed =
                iso_bounded_multiply(iso_bounded_decimal(spread->minimum_share),
                                     iso_bounded_decimal(workload->demand[all.rows[i].c]));
            domain->worth = iso_bounded_add(
                domain->worth, iso_bounded_multiply(needed, iso_bounded_exact(all.rows[i].value)));
        }
        for (int32_t d = 0; d < rule->n_domains; d++)
            if (rule->domains[d].counts)
                iso_pricing_add_column(p, iso_bounded_subtract(rule->domains[d].worth, at_least),
                                       ISO_DECIMAL_ONE);
    }
}
