#include "presolve.h"

#include <stdlib.h>

#include "isocost/ledger.h"
#include "search.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for presolve");
}

void *iso_presolve_array(struct iso_presolve *presolve, size_t n, size_t size)
{
    void *block = iso_calloc(n, size);

    if (block && iso_append(&presolve->blocks, &presolve->n_blocks, sizeof(block), &block))
        return block;
    free(block);
    return NULL;
}

bool iso_presolve_is_placed(const struct iso_problem *problem, int32_t workload)
{
    for (int level = 0; level < ISO_N_LEVELS; level++)
        if (iso_problem_is_placed(problem, workload, (enum iso_level)level, false))
            return true;
    return false;
}

void iso_presolve_fini(struct iso_presolve *presolve)
{
    for (int32_t i = 0; i < presolve->n_blocks; i++)
        free(presolve->blocks[i]);
    free(presolve->blocks);
    free(presolve->identical);
    free(presolve->orbits);
    iso_selection_fini(&presolve->selection);
    iso_part_fini(&presolve->part);
    *presolve = (struct iso_presolve){0};
}

/* `work` is a copy whose workloads and limits may be changed. */
static bool copy_problem(struct iso_presolve *presolve, const struct iso_problem *problem)
{
    size_t n_workloads = (size_t)problem->n_workloads, n_limits = (size_t)problem->n_limits;

    presolve->original = problem;
    presolve->work = *problem;
    presolve->workloads = iso_presolve_array(presolve, n_workloads, sizeof(*presolve->workloads));
    presolve->limits = iso_presolve_array(presolve, n_limits, sizeof(*presolve->limits));
    presolve->places = iso_presolve_array(presolve, n_workloads, sizeof(*presolve->places));
    if (!presolve->workloads || !presolve->limits || !presolve->places ||
        !iso_selection_init(&presolve->selection, problem))
        return false;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        presolve->workloads[a] = problem->workloads[a];
    for (int32_t l = 0; l < problem->n_limits; l++)
        presolve->limits[l] = problem->limits[l];
    presolve->work.workloads = presolve->workloads;
    presolve->work.limits = presolve->limits;
    return true;
}

enum iso_status iso_presolve(struct iso_presolve *presolve, const struct iso_problem *problem,
                             struct iso_error *reterr)
{
    static const struct {
        enum iso_reduction_kind kind;
        enum iso_status (*run)(struct iso_presolve *, struct iso_error *);
    } steps[] = {
        {ISO_REDUCE_ROUNDING, iso_presolve_rounding},
        {ISO_REDUCE_REDUNDANT, iso_presolve_redundant},
        {ISO_REDUCE_IDENTICAL, iso_presolve_identical},
        {ISO_REDUCE_ORBITS, iso_presolve_orbits},
    };

    if (!copy_problem(presolve, problem))
        return no_memory(reterr);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(steps); i++)
        if (!(problem->options.without & steps[i].kind))
            ISO_TRY(steps[i].run(presolve, reterr));
    return presolve->renames
               ? iso_part_select(&presolve->part, &presolve->work, &presolve->selection, reterr)
               : ISO_OK;
}

/* --- the way back --- */

bool iso_expand_duals(struct iso_plan *plan, enum iso_row_kind kind, const int32_t *members,
                      int32_t n)
{
    ISO_AUTO_MEM struct iso_dual *before = plan->duals;

    plan->duals = NULL;
    plan->n_duals = 0;
    for (int32_t k = 0; k < plan->n_tiers; k++) {
        struct iso_tier *tier = &plan->tiers[k];
        const struct iso_dual *own = before + tier->first_dual;
        int32_t n_own = tier->n_duals;
        tier->first_dual = plan->n_duals;
        for (int32_t i = 0; i < n_own; i++) {
            struct iso_dual dual = own[i];
            int32_t n_copies = dual.kind == kind && dual.a == members[0] ? n : 1;
            for (int32_t m = 0; m < n_copies; m++) {
                dual.a = n_copies > 1 ? members[m] : dual.a;
                if (!iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual))
                    return false;
            }
        }
        tier->n_duals = plan->n_duals - tier->first_dual;
    }
    return true;
}

static bool expand(const struct iso_presolve *presolve, struct iso_plan *plan)
{
    for (int32_t i = presolve->n_orbits - 1; i >= 0; i--)
        if (!iso_expand_orbit(presolve, &presolve->orbits[i], plan))
            return false;
    for (int32_t i = presolve->n_identical - 1; i >= 0; i--) {
        iso_plan_sort(plan);
        if (!iso_expand_identical(presolve, &presolve->identical[i], plan))
            return false;
    }
    iso_expand_redundant(presolve, plan);
    iso_plan_sort(plan);
    return iso_plan_pack_entries(plan);
}

/* What a plan says beside what it runs and proves. */
static bool copy_rest(const struct iso_plan *from, struct iso_plan *plan)
{
    for (int32_t k = 0; k < from->n_tiers; k++)
        if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(*plan->tiers), &from->tiers[k]))
            return false;
    for (int32_t i = 0; i < from->n_baselines; i++)
        if (!iso_append(&plan->baselines, &plan->n_baselines, sizeof(*plan->baselines),
                        &from->baselines[i]))
            return false;
    plan->reason = from->reason;
    plan->stop = from->stop;
    plan->has_solution = from->has_solution;
    plan->stats = from->stats;
    plan->reproducible = from->reproducible;
    return true;
}

enum iso_status iso_presolve_expand(const struct iso_presolve *presolve,
                                    const struct iso_plan *from, struct iso_plan **ret_plan,
                                    struct iso_error *reterr)
{
    ISO_AUTO(iso_plan) plan = iso_plan_new();

    if (!plan || !copy_rest(from, plan))
        return no_memory(reterr);
    ISO_TRY(iso_part_rename(&presolve->part, from, plan, reterr));
    if (!expand(presolve, plan))
        return no_memory(reterr);
    if (plan->has_solution) {
        ISO_TRY(iso_plan_account(presolve->original, plan, reterr));
        iso_settle_tiers(presolve->original, plan);
    }
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}
