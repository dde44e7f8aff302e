/* A node of the tree of problems, as a problem that every strategy solves.
 *
 * Gates. One that is shut is a maximum of 0, one that is open a minimum of the bound.
 *
 * Prices by volume, with S the volume, f_k and q_k the steps' begins and factors, q_0 = 1:
 *
 *   falling   phi(S) = min over k of  q_k S + a_k,   a_k = sum_{i <= k} f_i (q_{i-1} - q_i)
 *   rising    phi(S) = S + sum_k (q_k - q_{k-1}) max(0, S - f_k)
 *
 * Falling: a node that may use lines low .. high pays at least q_high S + a_low, and a single line
 * what it says, which is never below phi. Rising: each step is what a SOFT budget charges. Both are
 * linear. */
#include <stdlib.h>
#include <string.h>

#include "branches.h"
#include "search.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tree of problems");
}

enum iso_status iso_forks_init(struct iso_forks *forks, const struct iso_problem *problem,
                               struct iso_error *reterr)
{
    *forks = (struct iso_forks){.problem = problem};
    for (int32_t l = 0; l < problem->n_limits; l++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            struct iso_gate gate = {l, t};
            if (problem->limits[l].or_nothing && problem->limits[l].periods[t] &&
                !iso_append(&forks->gates, &forks->n_gates, sizeof(gate), &gate))
                return no_memory(reterr);
        }
    return ISO_OK;
}

void iso_forks_fini(struct iso_forks *forks)
{
    free(forks->gates);
}

void iso_forks_open(const struct iso_forks *forks, uint8_t *ret_choices)
{
    memset(ret_choices, 0, iso_forks_bytes(forks));
    for (int32_t i = 0; i < forks->problem->n_volumes; i++)
        iso_forks_lines(forks, ret_choices, i)[1] = (uint8_t)forks->problem->volumes[i].n_steps;
}

bool iso_volume_rises(const struct iso_volume *volume)
{
    return volume->steps[0].factor > ISO_DECIMAL_ONE;
}

double iso_volume_factor(const struct iso_volume *volume, int32_t line)
{
    return line == 0 ? 1 : iso_value(volume->steps[line - 1].factor);
}

double iso_volume_intercept(const struct iso_volume *volume, int32_t line)
{
    double intercept = 0;

    for (int32_t k = 1; k <= line; k++)
        intercept += iso_value(volume->steps[k - 1].from) *
                     (iso_volume_factor(volume, k - 1) - iso_volume_factor(volume, k));
    return intercept;
}

double iso_forks_constant(const struct iso_forks *forks, uint8_t *choices)
{
    double constant = 0;

    for (int32_t i = 0; i < forks->problem->n_volumes; i++)
        if (!iso_volume_rises(&forks->problem->volumes[i]))
            constant += iso_volume_intercept(&forks->problem->volumes[i],
                                             iso_forks_lines(forks, choices, i)[0]);
    return constant;
}

void iso_settled_fini(struct iso_settled *settled)
{
    free(settled->limits);
    free(settled->budgets);
    free(settled->windows);
    free(settled->flags);
    free(settled->everywhere);
    free(settled->nothing);
    free(settled->factors);
}

static enum iso_status settle_gates(struct iso_settled *settled, const struct iso_forks *forks,
                                    const uint8_t *choices, struct iso_error *reterr)
{
    const struct iso_problem *problem = forks->problem;
    size_t n = (size_t)problem->n_limits, n_periods = (size_t)problem->n_periods;

    settled->limits = iso_calloc(2 * n, sizeof(*settled->limits));
    settled->flags = iso_calloc(2 * n * n_periods, 1);
    if (!settled->limits || !settled->flags)
        return no_memory(reterr);
    if (n > 0)
        memcpy(settled->limits, problem->limits, n * sizeof(*settled->limits));
    settled->problem.limits = settled->limits;
    for (size_t l = 0; l < n; l++) {
        struct iso_limit *open = &settled->limits[l];
        if (!open->or_nothing)
            continue;
        struct iso_limit *shut = &settled->limits[settled->problem.n_limits++];
        *shut = *open;
        shut->minimum = shut->or_nothing = false;
        shut->bound = 0;
        open->periods = &settled->flags[2 * l * n_periods];
        shut->periods = &settled->flags[(2 * l + 1) * n_periods];
    }
    for (int32_t i = 0; i < forks->n_gates; i++) {
        const struct iso_gate *gate = &forks->gates[i];
        size_t row = 2 * (size_t)gate->limit + (choices[i] == ISO_WAY_SHUT);
        if (choices[i] != ISO_WAY_ANY)
            settled->flags[row * n_periods + (size_t)gate->period] = 1;
    }
    return ISO_OK;
}

/* Falling prices: the factor of the last line that is left. */
static enum iso_status settle_factors(struct iso_settled *settled, const struct iso_forks *forks,
                                      uint8_t *choices, struct iso_error *reterr)
{
    const struct iso_problem *problem = forks->problem;
    size_t n = (size_t)problem->n_offerings * (size_t)problem->n_periods;

    settled->factors = iso_calloc(n, sizeof(*settled->factors));
    if (!settled->factors)
        return no_memory(reterr);
    for (size_t i = 0; i < n; i++)
        settled->factors[i] = ISO_DECIMAL_ONE;
    for (int32_t i = 0; i < problem->n_volumes; i++) {
        const struct iso_volume *volume = &problem->volumes[i];
        int32_t line = iso_forks_lines(forks, choices, i)[1];
        for (int32_t o = 0; o < problem->n_offerings; o++)
            for (int32_t t = 0; t < problem->n_periods; t++)
                if (volume->offerings[o] && volume->periods[t] && line > 0 &&
                    !iso_volume_rises(volume))
                    settled->factors[(int64_t)o * problem->n_periods + t] =
                        volume->steps[line - 1].factor;
    }
    settled->problem.cost_factors = settled->factors;
    return ISO_OK;
}

/* Rising prices: a SOFT budget for each step. */
static enum iso_status settle_budgets(struct iso_settled *settled,
                                      const struct iso_problem *problem, struct iso_error *reterr)
{
    size_t n = (size_t)problem->n_budgets, n_steps = 0, next = 0;
    size_t n_cells = (size_t)iso_problem_n_cells(problem);

    for (int32_t i = 0; i < problem->n_volumes; i++)
        n_steps += (size_t)problem->volumes[i].n_steps;
    settled->budgets = iso_calloc(n + n_steps, sizeof(*settled->budgets));
    settled->windows = iso_calloc(n_steps, sizeof(*settled->windows));
    settled->everywhere = iso_calloc(n_cells, 1);
    settled->nothing = iso_calloc((size_t)problem->n_products, 1);
    if (!settled->budgets || !settled->windows || !settled->everywhere || !settled->nothing)
        return no_memory(reterr);
    memset(settled->everywhere, 1, n_cells);
    if (n > 0)
        memcpy(settled->budgets, problem->budgets, n * sizeof(*settled->budgets));
    for (int32_t i = 0; i < problem->n_volumes; i++) {
        const struct iso_volume *volume = &problem->volumes[i];
        iso_decimal before = ISO_DECIMAL_ONE;
        for (int32_t k = 0; k < volume->n_steps && iso_volume_rises(volume); k++) {
            struct iso_window *window = &settled->windows[next++];
            *window = (struct iso_window){.periods = volume->periods,
                                          .amount = volume->steps[k].from,
                                          .currency = problem->base_currency};
            settled->budgets[settled->problem.n_budgets++] =
                (struct iso_budget){.id = volume->id,
                                    .basis = ISO_BASIS_LIST,
                                    .offerings = volume->offerings,
                                    .cells = settled->everywhere,
                                    .products = settled->nothing,
                                    .policy = ISO_POLICY_SOFT,
                                    .price = volume->steps[k].factor - before,
                                    .n_windows = 1,
                                    .windows = window};
            before = volume->steps[k].factor;
        }
    }
    settled->problem.budgets = settled->budgets;
    return ISO_OK;
}

enum iso_status iso_settled_init(struct iso_settled *settled, const struct iso_forks *forks,
                                 uint8_t *choices, bool proof, struct iso_error *reterr)
{
    *settled = (struct iso_settled){.problem = *forks->problem};
    settled->problem.n_volumes = 0;
    ISO_TRY(settle_gates(settled, forks, choices, reterr));
    if (forks->problem->n_volumes == 0)
        return ISO_OK;
    settled->problem.options.strategy = ISO_STRATEGY_PLAIN_MIP;
    ISO_TRY(settle_factors(settled, forks, choices, reterr));
    return proof ? ISO_OK : settle_budgets(settled, forks->problem, reterr);
}
