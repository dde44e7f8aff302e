#include "variant.h"

#include <stdlib.h>
#include <string.h>

#include "search.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a variant of the problem");
}

static void *copy_of(const void *array, int32_t n, size_t size)
{
    void *copy = iso_calloc((size_t)n, size);
    if (copy && n > 0)
        memcpy(copy, array, (size_t)n * size);
    return copy;
}

enum iso_status iso_variant_init(struct iso_variant *variant, const struct iso_problem *problem,
                                 struct iso_error *reterr)
{
    memset(variant, 0, sizeof(*variant));
    variant->problem = *problem;
    variant->workloads =
        copy_of(problem->workloads, problem->n_workloads, sizeof(*variant->workloads));
    variant->limits = copy_of(problem->limits, problem->n_limits, sizeof(*variant->limits));
    variant->budgets = copy_of(problem->budgets, problem->n_budgets, sizeof(*variant->budgets));
    variant->products = copy_of(problem->products, problem->n_products, sizeof(*variant->products));
    variant->zeros = iso_calloc((size_t)problem->n_periods, sizeof(*variant->zeros));
    if (!variant->workloads || !variant->limits || !variant->budgets || !variant->products ||
        !variant->zeros)
        return no_memory(reterr);
    variant->problem.workloads = variant->workloads;
    variant->problem.limits = variant->limits;
    variant->problem.budgets = variant->budgets;
    variant->problem.products = variant->products;
    variant->problem.options.want = 0;
    return ISO_OK;
}

void iso_variant_fini(struct iso_variant *variant)
{
    for (int32_t i = 0; i < variant->n_owned; i++)
        free(variant->owned[i]);
    free(variant->owned);
    free(variant->workloads);
    free(variant->limits);
    free(variant->budgets);
    free(variant->products);
    free(variant->zeros);
    memset(variant, 0, sizeof(*variant));
}

void *iso_variant_own(struct iso_variant *variant, int32_t n, size_t size)
{
    void *memory = iso_calloc((size_t)n, size);

    if (!memory || iso_append(&variant->owned, &variant->n_owned, sizeof(memory), &memory))
        return memory;
    free(memory);
    return NULL;
}

enum iso_status iso_variant_keep(struct iso_variant *variant,
                                 bool (*keeps)(const struct iso_problem *, int32_t, int32_t),
                                 int32_t argument, struct iso_error *reterr)
{
    for (int32_t a = 0; a < variant->problem.n_workloads; a++) {
        struct iso_workload *workload = &variant->workloads[a];
        struct iso_option *options =
            iso_variant_own(variant, workload->n_options, sizeof(*options));
        struct iso_share *shares = iso_variant_own(variant, workload->n_shares, sizeof(*shares));
        if (!options || !shares)
            return no_memory(reterr);
        for (int32_t s = 0; s < workload->n_shares; s++) {
            uint8_t *member = iso_variant_own(variant, workload->n_options, 1);
            if (!member)
                return no_memory(reterr);
            int32_t n = 0;
            for (int32_t i = 0; i < workload->n_options; i++)
                if (keeps(&variant->problem, workload->options[i].offering, argument))
                    member[n++] = workload->shares[s].member[i];
            shares[s] = workload->shares[s];
            shares[s].member = member;
        }
        int32_t n = 0;
        for (int32_t i = 0; i < workload->n_options; i++)
            if (keeps(&variant->problem, workload->options[i].offering, argument))
                options[n++] = workload->options[i];
        workload->options = options;
        workload->n_options = n;
        workload->shares = shares;
    }
    return ISO_OK;
}

/* Rules of a workload are dropped by making them ask for nothing, so that places stay valid. */
static void drop_share(struct iso_variant *variant, struct iso_rule rule)
{
    struct iso_workload *workload = &variant->workloads[rule.a];
    struct iso_share *shares = iso_variant_own(variant, workload->n_shares, sizeof(*shares));

    if (!shares)
        return;
    memcpy(shares, workload->shares, (size_t)workload->n_shares * sizeof(*shares));
    shares[rule.b].has_minimum = shares[rule.b].has_maximum = false;
    workload->shares = shares;
}

static void drop_survive(struct iso_variant *variant, struct iso_rule rule)
{
    struct iso_workload *workload = &variant->workloads[rule.a];
    struct iso_survive *rules = iso_variant_own(variant, workload->n_survive, sizeof(*rules));

    if (!rules)
        return;
    memcpy(rules, workload->survive, (size_t)workload->n_survive * sizeof(*rules));
    rules[rule.b].share = 0;
    workload->survive = rules;
}

static void drop_spread(struct iso_variant *variant, struct iso_rule rule)
{
    struct iso_workload *workload = &variant->workloads[rule.a];
    struct iso_spread *rules = iso_variant_own(variant, workload->n_spread, sizeof(*rules));

    if (!rules)
        return;
    memcpy(rules, workload->spread, (size_t)workload->n_spread * sizeof(*rules));
    rules[rule.b].minimum_domains = 0;
    workload->spread = rules;
}

static void drop_affinity(struct iso_variant *variant, struct iso_rule rule)
{
    struct iso_workload *workload = &variant->workloads[rule.a];
    struct iso_affinity *rules = iso_variant_own(variant, workload->n_affinities, sizeof(*rules));

    if (!rules)
        return;
    memcpy(rules, workload->affinities, (size_t)workload->n_affinities * sizeof(*rules));
    rules[rule.b].other = rule.a;
    rules[rule.b].apart = false;
    workload->affinities = rules;
}

static void drop_latency(struct iso_variant *variant, struct iso_rule rule)
{
    struct iso_workload *workload = &variant->workloads[rule.a];
    struct iso_traffic *traffic = iso_variant_own(variant, workload->n_traffic, sizeof(*traffic));

    if (!traffic)
        return;
    memcpy(traffic, workload->traffic, (size_t)workload->n_traffic * sizeof(*traffic));
    traffic[rule.b].maximum_latency = ISO_UNKNOWN;
    workload->traffic = traffic;
}

void iso_variant_drop(struct iso_variant *variant, struct iso_rule rule)
{
    switch (rule.kind) {
    case ISO_RULE_DEMAND:
    case ISO_RULE_ALLOWED:
        variant->workloads[rule.a].demand = variant->zeros;
        variant->workloads[rule.a].required = variant->zeros;
        variant->workloads[rule.a].box = NULL;
        for (int32_t i = 0; i < variant->workloads[rule.a].n_spread; i++)
            drop_spread(variant, (struct iso_rule){ISO_RULE_SPREAD, rule.a, i});
        break;
    case ISO_RULE_LIMIT:
        variant->limits[rule.a].n_terms = 0;
        if (variant->limits[rule.a].minimum)
            variant->limits[rule.a].bound = 0;
        break;
    case ISO_RULE_BUDGET:
        variant->budgets[rule.a].n_windows = 0;
        break;
    case ISO_RULE_SHARE:
        drop_share(variant, rule);
        break;
    case ISO_RULE_SURVIVE:
        drop_survive(variant, rule);
        break;
    case ISO_RULE_SPREAD:
        drop_spread(variant, rule);
        break;
    case ISO_RULE_MOVES:
        variant->problem.moves.maximum = -1;
        break;
    case ISO_RULE_AFFINITY:
        drop_affinity(variant, rule);
        break;
    case ISO_RULE_RAMP:
        variant->workloads[rule.a].ramp = NULL;
        break;
    case ISO_RULE_LATENCY:
        drop_latency(variant, rule);
        break;
    case ISO_RULE_BOX:
        if (!variant->workloads[rule.a].box)
            break; /* with the demand */
        variant->workloads[rule.a].demand = variant->workloads[rule.a].box->demand;
        variant->workloads[rule.a].required = variant->workloads[rule.a].box->required;
        variant->workloads[rule.a].box = NULL;
        break;
    }
}

static bool add_rule(struct iso_rule **rules, int32_t *n, enum iso_rule_kind kind, int32_t a,
                     int32_t b)
{
    return iso_append(rules, n, sizeof(**rules), &(struct iso_rule){kind, a, b});
}

static bool asks(const struct iso_problem *problem, const struct iso_workload *workload)
{
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (workload->required[t] > 0)
            return true;
    return false;
}

enum iso_status iso_rules_of(const struct iso_problem *problem, struct iso_rule **ret_rules,
                             int32_t *ret_n_rules, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_rule *rules = NULL;
    int32_t n = 0;
    bool ok = true;

    for (int32_t b = 0; b < problem->n_budgets; b++)
        if (problem->budgets[b].policy == ISO_POLICY_HARD)
            ok &= add_rule(&rules, &n, ISO_RULE_BUDGET, b, -1);
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].policy == ISO_POLICY_HARD)
            ok &= add_rule(&rules, &n, ISO_RULE_LIMIT, l, -1);
    if (problem->moves.present && problem->moves.maximum >= 0)
        ok &= add_rule(&rules, &n, ISO_RULE_MOVES, -1, -1);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        for (int32_t i = 0; i < workload->n_spread; i++)
            ok &= add_rule(&rules, &n, ISO_RULE_SPREAD, a, i);
        for (int32_t i = 0; i < workload->n_affinities; i++)
            ok &= add_rule(&rules, &n, ISO_RULE_AFFINITY, a, i);
        if (workload->ramp)
            ok &= add_rule(&rules, &n, ISO_RULE_RAMP, a, -1);
        if (workload->box && workload->service == ISO_SERVICE_MUST)
            ok &= add_rule(&rules, &n, ISO_RULE_BOX, a, -1);
        for (int32_t i = 0; i < workload->n_survive; i++)
            ok &= add_rule(&rules, &n, ISO_RULE_SURVIVE, a, i);
        for (int32_t i = 0; i < workload->n_shares; i++)
            ok &= add_rule(&rules, &n, ISO_RULE_SHARE, a, i);
        for (int32_t i = 0; i < workload->n_traffic; i++)
            if (workload->traffic[i].maximum_latency != ISO_UNKNOWN)
                ok &= add_rule(&rules, &n, ISO_RULE_LATENCY, a, i);
    }
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].service == ISO_SERVICE_MUST &&
            asks(problem, &problem->workloads[a]))
            ok &= add_rule(&rules, &n,
                           problem->workloads[a].n_options ? ISO_RULE_DEMAND : ISO_RULE_ALLOWED, a,
                           -1);
    if (!ok)
        return no_memory(reterr);
    *ret_rules = ISO_STEAL(rules);
    *ret_n_rules = n;
    return ISO_OK;
}
