#include "split.h"

#include <stdlib.h>

static int32_t root_of(int32_t *parent, int32_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

/* The smaller root stays, so components come in the order of their first cell. */
static void join(int32_t *parent, int32_t i, int32_t j)
{
    int32_t a = root_of(parent, i), b = root_of(parent, j);

    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

/* Joins the cells for which sees() holds and gives one of them, or -1. */
static int32_t join_seen(const struct iso_problem *problem, int32_t *parent, const uint8_t *seen)
{
    int32_t first = -1;

    for (int32_t cell = 0; cell < iso_problem_n_cells(problem); cell++) {
        if (!seen[cell])
            continue;
        if (first < 0)
            first = cell;
        else
            join(parent, first, cell);
    }
    return first;
}

/* Flags the cells with an option among the offerings flagged in `offerings`. */
static void cells_with(const struct iso_problem *problem, const uint8_t *offerings,
                       uint8_t *ret_seen)
{
    for (int32_t cell = 0; cell < iso_problem_n_cells(problem); cell++)
        ret_seen[cell] = 0;
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        int32_t cell = iso_problem_cell(problem, a);
        for (int32_t i = 0; i < workload->n_options && !ret_seen[cell]; i++)
            ret_seen[cell] = offerings[workload->options[i].offering];
    }
}

/* Rules over the whole model, and stages of the objective that a sum of parts would not keep. */
static bool is_whole(const struct iso_problem *problem)
{
    if (problem->moves.present || problem->options.work_limit > 0 || iso_tail_counts(problem))
        return true;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].service == ISO_SERVICE_PRIORITY)
            return true;
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].policy == ISO_POLICY_PREFER ||
            problem->limits[l].policy == ISO_POLICY_DEFAULT)
            return true;
    for (int32_t b = 0; b < problem->n_budgets; b++)
        if (problem->budgets[b].policy == ISO_POLICY_PREFER ||
            problem->budgets[b].policy == ISO_POLICY_DEFAULT)
            return true;
    return false;
}

/* A budget also sees the products that count in it. One that nobody may use goes with the first
 * budget that has a cell, so budgets are looked at twice. */
static void join_budget(struct iso_split *split, const struct iso_problem *problem, int32_t *parent,
                        uint8_t *seen, int32_t b)
{
    const struct iso_budget *budget = &problem->budgets[b];

    cells_with(problem, budget->offerings, seen);
    for (int32_t cell = 0; cell < iso_problem_n_cells(problem); cell++)
        seen[cell] &= budget->cells[cell];
    for (int32_t c = 0; c < problem->n_products; c++)
        if (budget->products[c] && split->product[c] >= 0)
            seen[split->product[c]] = 1;
    split->budget[b] = join_seen(problem, parent, seen);
    for (int32_t c = 0; c < problem->n_products; c++)
        if (budget->products[c] && split->product[c] < 0)
            split->product[c] = split->budget[b];
}

/* Flags the cells that may use a product and have an option that it covers. */
static void cells_of_product(const struct iso_problem *problem, const struct iso_product *product,
                             uint8_t *ret_seen)
{
    for (int32_t cell = 0; cell < iso_problem_n_cells(problem); cell++)
        ret_seen[cell] = 0;
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        int32_t cell = iso_problem_cell(problem, a);
        for (int32_t i = 0; i < product->n_eligible && product->cells[cell] && !ret_seen[cell]; i++)
            ret_seen[cell] = iso_workload_find_option(&problem->workloads[a],
                                                      product->eligible[i].offering) >= 0;
    }
}

static void join_rules(struct iso_split *split, const struct iso_problem *problem, int32_t *parent,
                       uint8_t *seen, uint8_t *offerings)
{

    for (int32_t l = 0; l < problem->n_limits; l++) {
        for (int32_t i = 0; i < problem->limits[l].n_terms; i++)
            offerings[problem->limits[l].terms[i].offering] = 1;
        cells_with(problem, offerings, seen);
        for (int32_t i = 0; i < problem->limits[l].n_terms; i++)
            offerings[problem->limits[l].terms[i].offering] = 0;
        split->limit[l] = join_seen(problem, parent, seen);
    }
    for (int32_t c = 0; c < problem->n_products; c++) {
        cells_of_product(problem, &problem->products[c], seen);
        split->product[c] = join_seen(problem, parent, seen);
    }
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_affinities; i++)
            join(parent, iso_problem_cell(problem, a),
                 iso_problem_cell(problem, problem->workloads[a].affinities[i].other));
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t m = 0; m < problem->workloads[a].n_traffic; m++)
            if (problem->workloads[a].traffic[m].other >= 0)
                join(parent, iso_problem_cell(problem, a),
                     iso_problem_cell(problem, problem->workloads[a].traffic[m].other));
    for (int32_t round = 0; round < 2 * problem->n_budgets; round++) /* twice: see below */
        join_budget(split, problem, parent, seen, round % problem->n_budgets);
}

/* From a cell of each rule to its component. */
static void settle(int32_t *component, int32_t n, int32_t *parent, const int32_t *number)
{
    for (int32_t i = 0; i < n; i++)
        component[i] = component[i] < 0 ? 0 : number[root_of(parent, component[i])];
}

enum iso_status iso_split_init(struct iso_split *split, const struct iso_problem *problem,
                               struct iso_error *reterr)
{
    int32_t n_cells = iso_problem_n_cells(problem);
    ISO_AUTO_MEM int32_t *parent = iso_calloc((size_t)n_cells, sizeof(*parent));
    ISO_AUTO_MEM int32_t *number = iso_calloc((size_t)n_cells, sizeof(*number));
    ISO_AUTO_MEM uint8_t *seen = iso_calloc((size_t)n_cells, 1);
    ISO_AUTO_MEM uint8_t *used = iso_calloc((size_t)n_cells, 1);
    ISO_AUTO_MEM uint8_t *offerings = iso_calloc((size_t)problem->n_offerings, 1);

    split->cell = iso_calloc((size_t)n_cells, sizeof(*split->cell));
    split->limit = iso_calloc((size_t)problem->n_limits, sizeof(*split->limit));
    split->budget = iso_calloc((size_t)problem->n_budgets, sizeof(*split->budget));
    split->product = iso_calloc((size_t)problem->n_products, sizeof(*split->product));
    if (!parent || !number || !seen || !used || !offerings || !split->cell || !split->limit ||
        !split->budget || !split->product)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to split a problem");
    for (int32_t cell = 0; cell < n_cells; cell++)
        parent[cell] = cell;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        used[iso_problem_cell(problem, a)] = 1;
    if (is_whole(problem))
        join_seen(problem, parent, used);
    else
        join_rules(split, problem, parent, seen, offerings);
    for (int32_t cell = 0; cell < n_cells; cell++) {
        if (used[cell] && root_of(parent, cell) == cell)
            number[cell] = split->n_components++;
        split->cell[cell] = used[cell] ? number[root_of(parent, cell)] : -1;
    }
    settle(split->limit, problem->n_limits, parent, number);
    settle(split->budget, problem->n_budgets, parent, number);
    settle(split->product, problem->n_products, parent, number);
    return ISO_OK;
}

void iso_split_fini(struct iso_split *split)
{
    free(split->cell);
    free(split->limit);
    free(split->budget);
    free(split->product);
    *split = (struct iso_split){0};
}
