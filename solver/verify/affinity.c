/* TOGETHER, APART: with run(a) the domains in which workload a runs anything in any period,
 *
 *   together  run(a) = run(a')            apart  no d in run(a) and d' in run(a') may be one place
 *
 * and what a is served in one domain in period t is at most M_at = iso_problem_most_in_domain().
 * For bounds, b_ad = [d in run(a)]:
 *
 *   PRESENCE  M_at b_ad - sum_{in d} s_at >= 0        APART  b_ad + b_a'd' <= 1
 *   b_ad      rc = - sum_t M_at lambda_PRESENCE - sum lambda_APART (those in which it stands); at
 *             most 1 */
#include "pricing.h"

bool iso_verify_apart_row_exists(const struct iso_problem *problem, const struct iso_dual *dual)
{
    const struct iso_affinity *rule = &problem->workloads[dual->a].affinities[dual->b];
    int32_t n = iso_problem_n_domains(problem, rule->level);

    return dual->c >= 0 && dual->c < n && dual->d >= 0 && dual->d < n &&
           iso_problem_domains_meet(problem, rule->level, dual->c, dual->d);
}

/* Flags where a workload runs anything. */
static void find_run(const struct iso_verifier *v, int32_t a, enum iso_level level, uint8_t *run)
{
    const struct iso_workload *workload = &v->problem->workloads[a];

    memset(run, 0, (size_t)iso_problem_n_domains(v->problem, level));
    for (int32_t t = 0; t < v->problem->n_periods; t++) {
        size_t at = iso_verify_at(v, a, t);
        for (int32_t p = v->first_part[at]; p < v->first_part[at + 1]; p++)
            if (v->parts[p].served > 0)
                run[iso_problem_domain(v->problem, workload->options[v->parts[p].option].offering,
                                       level)] = 1;
    }
}

static const char *domain_name(const struct iso_problem *problem, enum iso_level level,
                               int32_t domain)
{
    if (level == ISO_LEVEL_PROVIDER)
        return problem->provider_names[domain];
    if (level == ISO_LEVEL_REGION)
        return problem->region_names[domain];
    return domain < problem->n_zones ? problem->zone_names[domain]
                                     : problem->region_names[domain - problem->n_zones];
}

static enum iso_status check_rule(struct iso_verifier *v, int32_t a,
                                  const struct iso_affinity *rule)
{
    const struct iso_problem *problem = v->problem;
    const char *mine = problem->workloads[a].id, *its = problem->workloads[rule->other].id;
    int32_t n = iso_problem_n_domains(problem, rule->level);
    ISO_AUTO_MEM uint8_t *run = iso_calloc((size_t)n, 1);
    ISO_AUTO_MEM uint8_t *other = iso_calloc((size_t)n, 1);

    if (!run || !other)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for %d domains", n);
    find_run(v, a, rule->level, run);
    find_run(v, rule->other, rule->level, other);
    v->verdict.rules_checked++;
    for (int32_t d = 0; d < n; d++) {
        if (!rule->apart && run[d] != other[d])
            return iso_verify_fail(v, "uses", -1, "", "rule %s: only %s runs in %s", rule->id,
                                   run[d] ? mine : its, domain_name(problem, rule->level, d));
        for (int32_t k = 0; k < n && rule->apart && run[d]; k++)
            if (other[k] && iso_problem_domains_meet(problem, rule->level, d, k))
                return iso_verify_fail(v, "uses", -1, "", "rule %s: %s and %s both run in %s",
                                       rule->id, mine, its, domain_name(problem, rule->level, d));
    }
    return ISO_OK;
}

static enum iso_status check_most(struct iso_verifier *v, int32_t a, enum iso_level level)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    size_t n = (size_t)iso_problem_n_domains(v->problem, level);
    ISO_AUTO_MEM iso_wide *sums = iso_calloc(n, sizeof(*sums));

    if (!sums)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for %zu domains", n);
    for (int32_t t = 0; t < v->problem->n_periods; t++) {
        size_t at = iso_verify_at(v, a, t);
        iso_decimal most = iso_problem_most_in_domain(v->problem, a, t);
        memset(sums, 0, n * sizeof(*sums));
        for (int32_t p = v->first_part[at]; p < v->first_part[at + 1]; p++) {
            int32_t domain = iso_problem_domain(
                v->problem, workload->options[v->parts[p].option].offering, level);
            sums[domain] += v->parts[p].served;
            if (sums[domain] > most)
                return iso_verify_fail(
                    v, "uses", -1, "", "workload %s is served more than %g in %s in period %s",
                    workload->id, iso_decimal_to_double(most),
                    domain_name(v->problem, level, domain), v->problem->periods[t].id);
        }
        v->verdict.rules_checked++;
    }
    return ISO_OK;
}

enum iso_status iso_verify_affinities(struct iso_verifier *v)
{
    for (int32_t a = 0; a < v->problem->n_workloads; a++) {
        const struct iso_workload *workload = &v->problem->workloads[a];
        for (int32_t i = 0; i < workload->n_affinities; i++)
            ISO_TRY(check_rule(v, a, &workload->affinities[i]));
        for (int level = 0; level < ISO_N_LEVELS; level++)
            if (iso_problem_is_placed(v->problem, a, (enum iso_level)level, false))
                ISO_TRY(check_most(v, a, (enum iso_level)level));
    }
    return ISO_OK;
}

/* --- bounds --- */

/* Takes the multipliers of PRESENCE rows off the columns of a workload. */
static void take_presence(const struct iso_pricing *p, int32_t a, enum iso_level level,
                          struct iso_bounded *costs)
{
    struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_PRESENCE, a, (int32_t)level, -1);

    for (int32_t i = 0; i < rows.n; i++) {
        iso_decimal most = iso_problem_most_in_domain(p->v->problem, a, rows.rows[i].c);
        struct iso_bounded *cost = &costs[rows.rows[i].d];
        *cost =
            iso_bounded_add(*cost, iso_bounded_scale(most, iso_bounded_exact(-rows.rows[i].value)));
    }
}

/* The same for APART rows of any rule of this level in which the workload's columns stand. */
static void take_apart(const struct iso_pricing *p, int32_t a, enum iso_level level,
                       struct iso_bounded *costs)
{
    const struct iso_problem *problem = p->v->problem;

    for (int32_t i = 0; i < p->kinds[ISO_ROW_APART].n; i++) {
        const struct iso_dual *dual = &p->kinds[ISO_ROW_APART].rows[i];
        const struct iso_affinity *rule = &problem->workloads[dual->a].affinities[dual->b];
        if (rule->level != level)
            continue;
        if (dual->a == a)
            costs[dual->c] = iso_bounded_add(costs[dual->c], iso_bounded_exact(-dual->value));
        if (rule->other == a)
            costs[dual->d] = iso_bounded_add(costs[dual->d], iso_bounded_exact(-dual->value));
    }
}

static enum iso_status price_level(struct iso_pricing *p, int32_t a, enum iso_level level)
{
    int32_t n = iso_problem_n_domains(p->v->problem, level);
    ISO_AUTO_MEM struct iso_bounded *costs = iso_calloc((size_t)n, sizeof(*costs));

    if (!costs)
        return iso_fail(p->v->reterr, ISO_E_NOMEM, "", "no memory for %d domains", n);
    take_presence(p, a, level, costs);
    take_apart(p, a, level, costs);
    for (int32_t d = 0; d < n; d++)
        if (costs[d].value != 0)
            iso_pricing_add_column(p, costs[d], ISO_DECIMAL_ONE);
    return ISO_OK;
}

enum iso_status iso_pricing_presence(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;

    for (int32_t i = 0; i < p->kinds[ISO_ROW_APART].n; i++)
        iso_pricing_add(p, iso_bounded_exact(p->kinds[ISO_ROW_APART].rows[i].value));
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int level = 0; level < ISO_N_LEVELS; level++)
            if (iso_problem_is_placed(problem, a, (enum iso_level)level, false))
                ISO_TRY(price_level(p, a, (enum iso_level)level));
    return ISO_OK;
}
