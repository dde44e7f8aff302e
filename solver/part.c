/* A component as a problem of its own, and its plan in the words of the whole. */
#include <stdlib.h>
#include <string.h>

#include "search.h"
#include "split.h"

static void *many(int32_t n, size_t size)
{
    return iso_calloc((size_t)n, size);
}

static bool allocate(struct iso_part *part, const struct iso_problem *problem)
{
    int32_t n_cells = iso_problem_n_cells(problem), n_affinities = 0, n_traffic = 0;
    size_t n_flags = (size_t)(problem->n_budgets + problem->n_products) * (size_t)n_cells +
                     (size_t)problem->n_budgets * (size_t)problem->n_products;

    part->workloads = many(problem->n_workloads, sizeof(*part->workloads));
    part->teams = many(problem->n_teams, sizeof(*part->teams));
    part->limits = many(problem->n_limits, sizeof(*part->limits));
    part->budgets = many(problem->n_budgets, sizeof(*part->budgets));
    part->products = many(problem->n_products, sizeof(*part->products));
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        n_affinities += problem->workloads[a].n_affinities;
        n_traffic += problem->workloads[a].n_traffic;
    }
    part->affinities = many(n_affinities, sizeof(*part->affinities));
    part->traffic = many(n_traffic, sizeof(*part->traffic));
    part->workload = many(problem->n_workloads, sizeof(int32_t));
    part->team = many(problem->n_teams, sizeof(int32_t));
    part->limit = many(problem->n_limits, sizeof(int32_t));
    part->budget = many(problem->n_budgets, sizeof(int32_t));
    part->product = many(problem->n_products, sizeof(int32_t));
    part->cell = many(n_cells, sizeof(int32_t));
    part->flags = iso_calloc(n_flags, 1);
    return part->workloads && part->teams && part->limits && part->budgets && part->products &&
           part->affinities && part->traffic && part->workload && part->team && part->limit &&
           part->budget && part->product && part->cell && part->flags;
}

void iso_part_fini(struct iso_part *part)
{
    void *const arrays[] = {
        part->affinities, part->workloads,  part->teams,           part->limits,
        part->budgets,    part->products,   part->workload,        part->team,
        part->limit,      part->budget,     part->product,         part->cell,
        part->flags,      part->start_uses, part->start_purchases, part->traffic};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    memset(part, 0, sizeof(*part));
}

/* The other workload of each rule is in the component too. */
static void map_affinities(struct iso_part *part)
{
    struct iso_affinity *room = part->affinities;

    for (int32_t a = 0; a < part->problem.n_workloads; a++) {
        struct iso_workload *workload = &part->workloads[a];
        for (int32_t i = 0; i < workload->n_affinities; i++) {
            room[i] = workload->affinities[i];
            room[i].other = 0;
            while (part->workload[room[i].other] != workload->affinities[i].other)
                room[i].other++;
        }
        workload->affinities = room;
        room += workload->n_affinities;
    }
}

/* Likewise of dependencies. */
static void map_traffic(struct iso_part *part)
{
    struct iso_traffic *room = part->traffic;

    for (int32_t a = 0; a < part->problem.n_workloads; a++) {
        struct iso_workload *workload = &part->workloads[a];
        for (int32_t m = 0; m < workload->n_traffic; m++) {
            room[m] = workload->traffic[m];
            for (int32_t i = 0; i < part->problem.n_workloads && room[m].other >= 0; i++)
                if (part->workload[i] == workload->traffic[m].other)
                    room[m].other = i;
        }
        workload->traffic = room;
        room += workload->n_traffic;
    }
}

static void take_cells(struct iso_part *part, const struct iso_problem *problem,
                       const struct iso_selection *selection)
{
    struct iso_problem *p = &part->problem;

    p->n_workloads = p->n_teams = 0;
    for (int32_t g = 0; g < problem->n_teams; g++) {
        if (!selection->team[g])
            continue;
        part->team[p->n_teams] = g;
        part->teams[p->n_teams++] = problem->teams[g];
    }
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        int32_t team = 0;
        if (!selection->workload[a])
            continue;
        while (part->team[team] != workload->team)
            team++;
        part->workload[p->n_workloads] = a;
        part->workloads[p->n_workloads] = *workload;
        part->workloads[p->n_workloads++].team = team;
    }
    for (int32_t a = 0; a < p->n_workloads; a++)
        part->cell[a] = part->workload[a];
    for (int32_t g = 0; g < p->n_teams; g++)
        part->cell[p->n_workloads + g] = problem->n_workloads + part->team[g];
}

/* Flags of the part's cells; a team's pool that is not selected has none. */
static const uint8_t *cell_flags(struct iso_part *part, const struct iso_selection *selection,
                                 const uint8_t *flags, uint8_t **io_room)
{
    uint8_t *own = *io_room;
    int32_t n_cells = iso_problem_n_cells(&part->problem);

    for (int32_t cell = 0; cell < n_cells; cell++)
        own[cell] = flags[part->cell[cell]] && selection->cell[part->cell[cell]];
    *io_room += n_cells;
    return own;
}

static void take_rules(struct iso_part *part, const struct iso_problem *problem,
                       const struct iso_selection *selection)
{
    struct iso_problem *p = &part->problem;
    uint8_t *room = part->flags;

    p->n_limits = p->n_products = p->n_budgets = 0;
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (selection->limit[l]) {
            part->limit[p->n_limits] = l;
            part->limits[p->n_limits++] = problem->limits[l];
        }
    for (int32_t c = 0; c < problem->n_products; c++)
        if (selection->product[c]) {
            part->product[p->n_products] = c;
            part->products[p->n_products] = problem->products[c];
            part->products[p->n_products++].cells =
                cell_flags(part, selection, problem->products[c].cells, &room);
        }
    for (int32_t b = 0; b < problem->n_budgets; b++) {
        if (!selection->budget[b])
            continue;
        struct iso_budget *budget = &part->budgets[p->n_budgets];
        part->budget[p->n_budgets++] = b;
        *budget = problem->budgets[b];
        budget->cells = cell_flags(part, selection, problem->budgets[b].cells, &room);
        for (int32_t c = 0; c < p->n_products; c++)
            room[c] = problem->budgets[b].products[part->product[c]];
        budget->products = room;
        room += p->n_products;
    }
}

/* What the plan to start from says of what stays. False when memory is short. */
static bool take_start(struct iso_part *part, const struct iso_problem *problem)
{
    const struct iso_start_point *from = &problem->start;
    struct iso_start_point *start = &part->problem.start;
    ISO_AUTO_MEM int32_t *workload = many(problem->n_workloads, sizeof(*workload)); /* + 1 */
    ISO_AUTO_MEM int32_t *product = many(problem->n_products, sizeof(*product));    /* + 1 */

    part->start_uses = many(from->n_uses, sizeof(*part->start_uses));
    part->start_purchases = many(from->n_purchases, sizeof(*part->start_purchases));
    if (!workload || !product || !part->start_uses || !part->start_purchases)
        return false;
    *start = (struct iso_start_point){.uses = part->start_uses, .purchases = part->start_purchases};
    for (int32_t a = 0; a < part->problem.n_workloads; a++)
        workload[part->workload[a]] = a + 1;
    for (int32_t c = 0; c < part->problem.n_products; c++)
        product[part->product[c]] = c + 1;
    for (int32_t i = 0; i < from->n_uses; i++)
        if (workload[from->uses[i].workload] > 0) {
            part->start_uses[start->n_uses] = from->uses[i];
            part->start_uses[start->n_uses++].workload = workload[from->uses[i].workload] - 1;
        }
    for (int32_t i = 0; i < from->n_purchases; i++)
        if (product[from->purchases[i].product] > 0) {
            part->start_purchases[start->n_purchases] = from->purchases[i];
            part->start_purchases[start->n_purchases++].product =
                product[from->purchases[i].product] - 1;
        }
    return true;
}

bool iso_selection_init(struct iso_selection *selection, const struct iso_problem *problem)
{
    struct {
        uint8_t **flags;
        int32_t n;
    } sets[] = {{&selection->workload, problem->n_workloads},
                {&selection->team, problem->n_teams},
                {&selection->cell, iso_problem_n_cells(problem)},
                {&selection->limit, problem->n_limits},
                {&selection->budget, problem->n_budgets},
                {&selection->product, problem->n_products}};
    bool ok = true;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(sets); i++) {
        *sets[i].flags = many(sets[i].n, 1);
        if (*sets[i].flags)
            memset(*sets[i].flags, 1, (size_t)sets[i].n);
        ok &= *sets[i].flags != NULL;
    }
    return ok;
}

void iso_selection_fini(struct iso_selection *selection)
{
    free(selection->workload);
    free(selection->team);
    free(selection->cell);
    free(selection->limit);
    free(selection->budget);
    free(selection->product);
    *selection = (struct iso_selection){0};
}

enum iso_status iso_part_select(struct iso_part *part, const struct iso_problem *problem,
                                const struct iso_selection *selection, struct iso_error *reterr)
{
    if (!allocate(part, problem))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a part of a problem");
    part->problem = *problem;
    part->problem.workloads = part->workloads;
    part->problem.teams = part->teams;
    part->problem.limits = part->limits;
    part->problem.budgets = part->budgets;
    part->problem.products = part->products;
    take_cells(part, problem, selection);
    map_affinities(part);
    map_traffic(part);
    take_rules(part, problem, selection);
    return take_start(part, problem)
               ? ISO_OK
               : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a part of a problem");
}

enum iso_status iso_part_init(struct iso_part *part, const struct iso_problem *problem,
                              const struct iso_split *split, int32_t component,
                              struct iso_error *reterr)
{
    struct iso_selection selection __attribute__((cleanup(iso_selection_fini))) = {0};

    if (!iso_selection_init(&selection, problem))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a component");
    memset(selection.team, 0, (size_t)problem->n_teams); /* those that its workloads name */
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        selection.workload[a] = split->cell[iso_problem_cell(problem, a)] == component;
        selection.team[problem->workloads[a].team] |= selection.workload[a];
    }
    for (int32_t cell = 0; cell < iso_problem_n_cells(problem); cell++)
        selection.cell[cell] = split->cell[cell] == component;
    for (int32_t l = 0; l < problem->n_limits; l++)
        selection.limit[l] = split->limit[l] == component;
    for (int32_t b = 0; b < problem->n_budgets; b++)
        selection.budget[b] = split->budget[b] == component;
    for (int32_t c = 0; c < problem->n_products; c++)
        selection.product[c] = split->product[c] == component;
    return iso_part_select(part, problem, &selection, reterr);
}

enum iso_status iso_part_whole(struct iso_part *part, const struct iso_problem *problem,
                               struct iso_error *reterr)
{
    if (!allocate(part, problem))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a component");
    part->problem = *problem;
    for (int32_t i = 0; i < problem->n_workloads; i++)
        part->workload[i] = i;
    for (int32_t i = 0; i < problem->n_teams; i++)
        part->team[i] = i;
    for (int32_t i = 0; i < problem->n_limits; i++)
        part->limit[i] = i;
    for (int32_t i = 0; i < problem->n_budgets; i++)
        part->budget[i] = i;
    for (int32_t i = 0; i < problem->n_products; i++)
        part->product[i] = i;
    for (int32_t i = 0; i < iso_problem_n_cells(problem); i++)
        part->cell[i] = i;
    return ISO_OK;
}

/* --- the way back --- */

static void map_rule(const struct iso_part *part, struct iso_rule *rule)
{
    switch (rule->kind) {
    case ISO_RULE_LIMIT:
        rule->a = part->limit[rule->a];
        return;
    case ISO_RULE_BUDGET:
        rule->a = part->budget[rule->a];
        return;
    case ISO_RULE_MOVES:
        return;
    default:
        rule->a = part->workload[rule->a];
    }
}

static void map_dual(const struct iso_part *part, struct iso_dual *dual)
{
    switch (dual->kind) {
    case ISO_ROW_LIMIT:
        dual->a = part->limit[dual->a];
        return;
    case ISO_ROW_BUDGET:
        dual->a = part->budget[dual->a];
        return;
    case ISO_ROW_COMMIT:
        dual->a = part->product[dual->a];
        return;
    case ISO_ROW_MOVE:
        dual->a = part->cell[dual->a];
        return;
    case ISO_ROW_MOVES:
    case ISO_ROW_FREEZE:
        return;
    default:
        dual->a = part->workload[dual->a];
    }
}

/* Appends a mapped copy of each element of from->name to plan->name. */
#define MERGE(name, type, map)                                              \
    for (int32_t i = 0; i < from->n_##name; i++) {                          \
        type item = from->name[i];                                          \
        map;                                                                \
        if (!iso_append(&plan->name, &plan->n_##name, sizeof(item), &item)) \
            return false;                                                   \
    }

static bool merge_runs(const struct iso_part *part, const struct iso_plan *from,
                       struct iso_plan *plan)
{
    int32_t first_entry = plan->n_entries;

    MERGE(uses, struct iso_use, item.workload = part->workload[item.workload])
    MERGE(entries, struct iso_fill_entry, item.workload = part->workload[item.workload])
    MERGE(fills, struct iso_fill, item.team = part->team[item.team];
          item.first_entry += first_entry)
    MERGE(covers, struct iso_cover, item.product = part->product[item.product];
          item.cell = part->cell[item.cell])
    MERGE(purchases, struct iso_purchase, item.product = part->product[item.product])
    MERGE(unserved, struct iso_unserved, item.workload = part->workload[item.workload])
    MERGE(flows, struct iso_flow, item.workload = part->workload[item.workload])
    return true;
}

static bool has_period_first(enum iso_row_kind kind)
{
    return kind == ISO_ROW_DEMAND || kind == ISO_ROW_LIMIT || kind == ISO_ROW_COMMIT;
}

static bool has_period_second(enum iso_row_kind kind)
{
    return kind == ISO_ROW_SHARE_MAX || kind == ISO_ROW_SHARE_MIN || kind == ISO_ROW_SURVIVE;
}

/* Whether the row that `lead`'s multiplier belongs to is there in period t as well. */
static bool is_in(const struct iso_part *part, const struct iso_dual *lead, int32_t t)
{
    if (lead->kind == ISO_ROW_LIMIT)
        return part->problem.limits[lead->a].periods[t];
    return lead->kind != ISO_ROW_SURVIVE || part->problem.workloads[lead->a].demand[t] > 0;
}

/* Multipliers one by one, with the leads that they have. */
static bool rename_duals(const struct iso_part *part, const struct iso_plan *from,
                         struct iso_plan *plan)
{
    MERGE(leads, struct iso_lead, (void)part)
    MERGE(duals, struct iso_dual, map_dual(part, &item))
    return true;
}

/* Multipliers, each period with its own, as parts may have different leads; the whole then has
 * leads too, because some multipliers may be left out beside them. */
static bool merge_duals(const struct iso_part *part, const struct iso_plan *from,
                        struct iso_plan *plan)
{
    for (int32_t t = 0; from->n_leads > 0 && plan->n_leads < from->n_leads; t++) {
        struct iso_lead itself = {t};
        if (!iso_append(&plan->leads, &plan->n_leads, sizeof(itself), &itself))
            return false;
    }
    for (int32_t i = 0; i < from->n_duals; i++) {
        struct iso_dual item = from->duals[i];
        int32_t *period = has_period_first(item.kind)    ? &item.b
                          : has_period_second(item.kind) ? &item.c
                                                         : NULL;
        int32_t lead = period ? *period : -1;
        map_dual(part, &item);
        for (int32_t t = 0; t < (period && from->n_leads ? from->n_leads : 1); t++) {
            if (period && from->n_leads)
                *period = t;
            if (period && from->n_leads &&
                (from->leads[t].period != lead || !is_in(part, &from->duals[i], t)))
                continue;
            if (!iso_append(&plan->duals, &plan->n_duals, sizeof(item), &item))
                return false;
        }
    }
    return true;
}

static bool merge_reasons(const struct iso_part *part, const struct iso_plan *from,
                          struct iso_plan *plan)
{
    MERGE(bindings, struct iso_binding, map_rule(part, &item.rule))
    MERGE(runners_up, struct iso_runner_up, item.cell = part->cell[item.cell];
          item.workload = part->workload[item.workload];
          if (item.blocked) map_rule(part, &item.blocker))
    MERGE(value_functions, struct iso_value_function, item.workload = part->workload[item.workload])
    for (int32_t i = 0; i < from->n_components; i++) {
        struct iso_component item = from->components[i];
        item.workloads = iso_calloc((size_t)item.n_workloads, sizeof(*item.workloads));
        for (int32_t k = 0; item.workloads && k < item.n_workloads; k++)
            item.workloads[k] = part->workload[from->components[i].workloads[k]];
        if (!item.workloads ||
            !iso_append(&plan->components, &plan->n_components, sizeof(item), &item)) {
            free(item.workloads);
            return false;
        }
    }
    return true;
}

enum iso_status iso_part_merge(const struct iso_part *part, const struct iso_plan *from,
                               struct iso_plan *plan, struct iso_error *reterr)
{
    if (!merge_runs(part, from, plan) || !merge_duals(part, from, plan) ||
        !merge_reasons(part, from, plan))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to put components together");
    return ISO_OK;
}

enum iso_status iso_part_rename(const struct iso_part *part, const struct iso_plan *from,
                                struct iso_plan *plan, struct iso_error *reterr)
{
    if (!merge_runs(part, from, plan) || !rename_duals(part, from, plan) ||
        !merge_reasons(part, from, plan))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan in other words");
    return ISO_OK;
}
