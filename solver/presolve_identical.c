/* Replica workloads that nothing tells apart.
 *
 * Workloads i and j of one team are one workload with n_it + n_jt copies when a copy of either may
 * stand in for a copy of the other: they must be served, need the same of every resource, may run
 * on the same offerings, and no rule names one of them. Any content of an instance with c copies of
 * the one is a content of c copies of both, in any mixture, so every plan has its like.
 *
 * The way back deals the copies of each filling out to the members in order, as long as they need
 * any; what is beyond all needs goes to the last. A filling of which members get different parts
 * becomes several. Premises: needs, options and rules of the workloads. */
#include <string.h>

#include "presolve.h"
#include "search.h"

static bool has_rules(const struct iso_problem *problem, int32_t a)
{
    const struct iso_workload *workload = &problem->workloads[a];

    for (int32_t b = 0; b < problem->n_workloads; b++)
        for (int32_t m = 0; m < problem->workloads[b].n_traffic; m++)
            if (problem->workloads[b].traffic[m].other == a)
                return true;
    return iso_presolve_is_placed(problem, a) || workload->n_traffic > 0 || workload->box ||
           workload->n_shares > 0 || workload->n_survive > 0 || workload->n_spread > 0 ||
           workload->n_affinities > 0 || workload->ramp || workload->maximum_per_instance > 0;
}

static bool may_merge(const struct iso_problem *problem, int32_t a)
{
    const struct iso_workload *workload = &problem->workloads[a];

    if (!workload->replicas || workload->service != ISO_SERVICE_MUST || has_rules(problem, a))
        return false;
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (workload->required[t] % ISO_DECIMAL_ONE != 0)
            return false;
    return true;
}

static bool are_alike(const struct iso_workload *one, const struct iso_workload *other)
{
    if (one->team != other->team || one->n_options != other->n_options ||
        memcmp(one->need, other->need, sizeof(one->need)) != 0)
        return false;
    for (int32_t i = 0; i < one->n_options; i++)
        if (one->options[i].offering != other->options[i].offering ||
            one->options[i].most != other->options[i].most)
            return false;
    return true;
}

/* The sums, unless one leaves the range. */
static bool add_up(struct iso_presolve *presolve, const struct iso_identical *identical,
                   iso_decimal *demand, iso_decimal *required)
{
    for (int32_t t = 0; t < presolve->work.n_periods; t++) {
        iso_wide copies = 0, needed = 0;
        for (int32_t i = 0; i < identical->n_members; i++) {
            copies += presolve->workloads[identical->members[i]].demand[t];
            needed += presolve->workloads[identical->members[i]].required[t];
        }
        if (needed > ISO_DECIMAL_MAX)
            return false;
        demand[t] = (iso_decimal)copies;
        required[t] = (iso_decimal)needed;
    }
    return true;
}

/* Lets the first of the workloads that are like `a` stand for all. */
static enum iso_status merge(struct iso_presolve *presolve, int32_t a, struct iso_error *reterr)
{
    struct iso_problem *problem = &presolve->work;
    size_t n_periods = (size_t)problem->n_periods;
    struct iso_identical identical = {0};
    uint8_t *stays = presolve->selection.workload;

    identical.members = iso_presolve_array(presolve, (size_t)problem->n_workloads, sizeof(int32_t));
    iso_decimal *demand = iso_presolve_array(presolve, n_periods, sizeof(*demand));
    iso_decimal *required = iso_presolve_array(presolve, n_periods, sizeof(*required));
    if (!identical.members || !demand || !required)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to merge workloads");
    for (int32_t b = a; b < problem->n_workloads; b++)
        if (b == a || (stays[b] && may_merge(problem, b) &&
                       are_alike(&problem->workloads[a], &problem->workloads[b])))
            identical.members[identical.n_members++] = b;
    if (identical.n_members == 1 || !add_up(presolve, &identical, demand, required))
        return ISO_OK;
    for (int32_t i = 1; i < identical.n_members; i++)
        stays[identical.members[i]] = presolve->selection.cell[identical.members[i]] = 0;
    presolve->workloads[a].demand = demand;
    presolve->workloads[a].required = required;
    presolve->changed = presolve->renames = true;
    if (!iso_append(&presolve->identical, &presolve->n_identical, sizeof(identical), &identical))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to merge workloads");
    return ISO_OK;
}

static bool has_twin(const struct iso_presolve *presolve, int32_t a)
{
    const struct iso_problem *problem = &presolve->work;

    for (int32_t b = a + 1; b < problem->n_workloads; b++)
        if (presolve->selection.workload[b] &&
            are_alike(&problem->workloads[a], &problem->workloads[b]))
            return true;
    return false;
}

enum iso_status iso_presolve_identical(struct iso_presolve *presolve, struct iso_error *reterr)
{
    if (presolve->original->moves.present) /* today's copies are told by workload */
        return ISO_OK;
    for (int32_t a = 0; a < presolve->work.n_workloads; a++)
        if (presolve->selection.workload[a] && may_merge(&presolve->work, a) &&
            has_twin(presolve, a))
            ISO_TRY(merge(presolve, a, reterr));
    return ISO_OK;
}

/* --- the way back --- */

/* What each member still needs in the period at hand; the last takes what nobody needs. */
struct needs {
    const struct iso_presolve *presolve;
    const struct iso_identical *identical;
    iso_decimal *left; /* whole copies, n_members */
    int32_t period, member;
};

static void open_period(struct needs *needs, int32_t period)
{
    const struct iso_problem *problem = needs->presolve->original;

    needs->period = period;
    needs->member = 0;
    for (int32_t i = 0; i < needs->identical->n_members; i++) {
        iso_decimal required = problem->workloads[needs->identical->members[i]].required[period];
        needs->left[i] = (required + ISO_DECIMAL_ONE - 1) / ISO_DECIMAL_ONE;
    }
}

/* The member that is next and how many copies it takes at most. */
static int64_t next_need(struct needs *needs)
{
    while (needs->member < needs->identical->n_members - 1 && needs->left[needs->member] == 0)
        needs->member++;
    return needs->member == needs->identical->n_members - 1 ? INT64_MAX
                                                            : needs->left[needs->member];
}

static void take(struct needs *needs, int64_t copies)
{
    iso_decimal *left = &needs->left[needs->member];

    *left = copies < *left ? *left - copies : 0;
}

static bool add_entry(struct iso_plan *plan, struct iso_fill *fill, int32_t workload, int64_t count)
{
    struct iso_fill_entry entry = {workload, (int32_t)count};

    if (!iso_append(&plan->entries, &plan->n_entries, sizeof(entry), &entry))
        return false;
    fill->n_entries++;
    return true;
}

/* The entries of a filling but those of the workload that stood for all. */
static bool copy_others(struct iso_plan *plan, const struct iso_fill *from, int32_t merged,
                        struct iso_fill *fill)
{
    for (int32_t e = 0; e < from->n_entries; e++) {
        struct iso_fill_entry entry = plan->entries[from->first_entry + e];
        if (entry.workload != merged && !add_entry(plan, fill, entry.workload, entry.count))
            return false;
    }
    return true;
}

static int by_workload(const void *left, const void *right)
{
    const struct iso_fill_entry *a = left, *b = right;

    return (a->workload > b->workload) - (a->workload < b->workload);
}

/* As many of the instances as get the same part; *io_instances are left afterwards. */
static bool deal_some(struct needs *needs, const struct iso_fill *from, int32_t count,
                      int64_t *io_instances, struct iso_plan *plan)
{
    struct iso_fill fill = *from;
    int64_t whole = next_need(needs) / count;

    fill.first_entry = plan->n_entries;
    fill.n_entries = 0;
    fill.instances = whole == 0 ? 1 : whole < *io_instances ? whole : *io_instances;
    *io_instances -= fill.instances;
    if (!copy_others(plan, from, needs->identical->members[0], &fill))
        return false;
    for (int64_t missing = count; missing > 0;) {
        int64_t most = next_need(needs), part = whole > 0 || most > missing ? missing : most;
        if (!add_entry(plan, &fill, needs->identical->members[needs->member], part))
            return false;
        take(needs, part * fill.instances);
        missing -= part;
    }
    qsort(&plan->entries[fill.first_entry], (size_t)fill.n_entries, sizeof(*plan->entries),
          by_workload);
    return iso_append(&plan->fills, &plan->n_fills, sizeof(fill), &fill);
}

static int32_t count_in(const struct iso_plan *plan, const struct iso_fill *fill, int32_t workload)
{
    for (int32_t e = 0; e < fill->n_entries; e++)
        if (plan->entries[fill->first_entry + e].workload == workload)
            return plan->entries[fill->first_entry + e].count;
    return 0;
}

/* Fills are by period, so the needs of one are open at a time. */
static bool deal(struct needs *needs, struct iso_plan *plan)
{
    int32_t n_before = plan->n_fills;
    ISO_AUTO_MEM struct iso_fill *before = plan->fills;

    plan->fills = NULL;
    plan->n_fills = 0;
    for (int32_t i = 0; i < n_before; i++) {
        int32_t count = count_in(plan, &before[i], needs->identical->members[0]);
        int64_t instances = before[i].instances;
        if (before[i].period != needs->period)
            open_period(needs, before[i].period);
        if (count == 0 && !iso_append(&plan->fills, &plan->n_fills, sizeof(before[i]), &before[i]))
            return false;
        while (count > 0 && instances > 0)
            if (!deal_some(needs, &before[i], count, &instances, plan))
                return false;
    }
    return true;
}

static bool join_components(const struct iso_identical *identical, struct iso_plan *plan)
{
    for (int32_t i = 0; i < plan->n_components; i++) {
        struct iso_component *component = &plan->components[i];
        bool named = false;
        for (int32_t k = 0; k < component->n_workloads; k++)
            named |= component->workloads[k] == identical->members[0];
        if (!named)
            continue;
        size_t n_more = (size_t)identical->n_members - 1;
        int32_t *moved = iso_realloc(component->workloads, (size_t)component->n_workloads + n_more,
                                     sizeof(*moved));
        if (!moved)
            return false;
        memcpy(&moved[component->n_workloads], &identical->members[1], n_more * sizeof(*moved));
        component->workloads = moved;
        component->n_workloads += (int32_t)n_more;
    }
    return true;
}

bool iso_expand_identical(const struct iso_presolve *presolve,
                          const struct iso_identical *identical, struct iso_plan *plan)
{
    ISO_AUTO_MEM iso_decimal *left = iso_calloc((size_t)identical->n_members, sizeof(*left));
    struct needs needs = {presolve, identical, left, -1, 0};

    return left && deal(&needs, plan) &&
           iso_expand_duals(plan, ISO_ROW_DEMAND, identical->members, identical->n_members) &&
           join_components(identical, plan);
}
