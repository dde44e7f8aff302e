/* Whole periods as small trees: they raise the bound of a relaxation, and are plans.
 *
 * Rows that join periods (budgets, commitments) are priced by the multipliers lambda at hand; what
 * is left is one problem a period. With K_t the other rows of period t,
 *
 *     z_t = min  sum_j (rc_j + sum_{i in K_t} lambda_i a_ij) x_j     over whole x that keep K_t,
 *
 * where rc_j is the reduced cost of an instance, paid or covered, whichever is less. The relaxation
 * of z_t is worth r_t = sum_{i in K_t} lambda_i b_i, so every plan costs at least
 *
 *     bound + sum_t (z_t - r_t)
 *
 * (Lagrangian relaxation without the integrality property: A. M. Geoffrion, Mathematical
 * Programming Study 2, 1974). Instances with rc_j > delta are left out; a point with one of them
 * costs r_t + delta at least, so min(z_t, r_t + delta) is what is proved. A tree that is stopped
 * proves its own bound. Since that is a tree's word, such a proof is a SEARCH. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "glpk_mip.h"
#include "reduced_uses.h"

#define DELTA 0.02     /* of r_t: reduced costs that are looked at */
#define MOST_ITEMS 400 /* instances of a period that are looked at */
#define ROOM (4 * MOST_ITEMS)
#define NODES 200
#define TREE_GAP 0.0005 /* of r_t, at which a tree ends */
#define PATIENCE 0.3    /* of the time that is left, for all trees */
#define DIGITS 1e-7     /* of r_t that sums may be wrong by */
#define PROBES 4        /* trees after which too little gained ends it */
#define WORTHWHILE 0.05 /* of what the best plan is above the bound, in as many periods */

struct item {
    int32_t workload, option;
    double reduced_cost;
};

struct period {
    double relaxed, delta; /* r_t */
    int32_t n_items;
    struct item *items;
};

struct trees {
    struct iso_search *search;
    const double *duals;
    struct iso_reduced_uses uses;
    struct period *periods;
    int32_t *place;    /* [row]: in the tree at hand, -1 = not in it */
    struct run *point; /* of the trees */
    int32_t n_point;
    bool *planned; /* [period] */
};

/* Instances of a tree's point. */
struct run {
    int32_t workload, option, period;
    double count;
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for trees of periods");
}

static void trees_fini(struct trees *trees)
{
    for (int32_t t = 0; trees->periods && t < trees->search->problem->n_periods; t++)
        free(trees->periods[t].items);
    iso_reduced_uses_fini(&trees->uses);
    void *const arrays[] = {trees->periods, trees->place, trees->point, trees->planned};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

static int by_reduced_cost(const void *left, const void *right)
{
    const struct item *a = left, *b = right;

    if (a->reduced_cost != b->reduced_cost)
        return a->reduced_cost < b->reduced_cost ? -1 : 1;
    if (a->workload != b->workload)
        return a->workload < b->workload ? -1 : 1;
    return (a->option > b->option) - (a->option < b->option);
}

/* Keeps the cheapest; what is left out then costs `delta` at least. */
static void cut(struct period *period)
{
    qsort(period->items, (size_t)period->n_items, sizeof(*period->items), by_reduced_cost);
    if (period->n_items <= MOST_ITEMS)
        return;
    period->delta = fmax(0, period->items[MOST_ITEMS].reduced_cost);
    period->n_items = MOST_ITEMS;
}

static void show(struct trees *trees, int32_t t, struct item item)
{
    struct period *period = &trees->periods[t];

    if (item.reduced_cost > period->delta)
        return;
    if (period->n_items == ROOM)
        cut(period);
    period->items[period->n_items++] = item;
}

/* Shows an option to all periods. */
static void look_at(struct trees *trees, int32_t a, int32_t option)
{
    const struct iso_problem *problem = trees->search->problem;
    const double *reduced_costs = iso_reduced_use(&trees->uses, a, option);

    for (int32_t t = 0; t < problem->n_periods; t++)
        if (iso_formulation_useful(trees->search->formulation, &problem->workloads[a], t))
            show(trees, t, (struct item){a, option, reduced_costs[t]});
}

static enum iso_status init(struct trees *trees, struct iso_search *search, const double *duals,
                            struct iso_error *reterr)
{
    const struct iso_problem *problem = search->problem;
    const struct iso_mip *mip = &search->formulation->mip;
    size_t n_periods = (size_t)problem->n_periods;

    trees->search = search;
    trees->duals = duals;
    trees->periods = iso_calloc(n_periods, sizeof(*trees->periods));
    trees->place = iso_calloc((size_t)mip->n_rows, sizeof(*trees->place));
    trees->planned = iso_calloc(n_periods, sizeof(*trees->planned));
    if (!trees->periods || !trees->place || !trees->planned)
        return no_memory(reterr);
    for (int32_t t = 0; t < problem->n_periods; t++) {
        trees->periods[t].items = iso_calloc(ROOM, sizeof(struct item));
        if (!trees->periods[t].items)
            return no_memory(reterr);
    }
    for (int32_t i = 0; i < mip->n_rows; i++) {
        int32_t t = iso_mip_row_period(&mip->rows[i]);
        double side = duals[i] > 0 ? mip->rows[i].lower : mip->rows[i].upper;
        trees->place[i] = -1;
        if (t >= 0 && duals[i] != 0)
            trees->periods[t].relaxed += duals[i] * side;
    }
    for (int32_t t = 0; t < problem->n_periods; t++)
        trees->periods[t].delta = DELTA * fabs(trees->periods[t].relaxed);
    ISO_TRY(iso_reduced_uses_init(&trees->uses, search, duals, reterr));
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++)
            if (iso_reduced_use_exists(&trees->uses, a, i))
                look_at(trees, a, i);
    for (int32_t t = 0; t < problem->n_periods; t++)
        cut(&trees->periods[t]);
    return ISO_OK;
}

/* Copies the entries of a column of the formulation that are in rows of the tree. */
static bool copy_column(const struct trees *trees, int32_t j, double reduced_cost, double upper,
                        struct iso_mip *tree)
{
    const struct iso_mip *mip = &trees->search->formulation->mip;
    struct iso_mip_column column = mip->columns[j];
    double cost = reduced_cost;

    column.upper = upper;
    int32_t made = iso_mip_add_column(tree, &column);
    if (made < 0)
        return false;
    for (int32_t k = 0; k < column.n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[column.first_entry + k];
        if (trees->place[entry->row] < 0)
            continue;
        cost += trees->duals[entry->row] * entry->coefficient;
        if (!iso_mip_add_entry(tree, trees->place[entry->row], entry->coefficient))
            return false;
    }
    tree->objective[made] = cost;
    return true;
}

/* An instance, by way of a scratch column at the end of the formulation. */
static bool add_item(const struct trees *trees, int32_t t, const struct item *item,
                     struct iso_mip *tree)
{
    struct iso_formulation *f = trees->search->formulation;
    const struct iso_option *option = &f->problem->workloads[item->workload].options[item->option];
    double delta = trees->periods[t].delta;
    double upper = item->reduced_cost > 0 ? fmax(1, floor(delta / item->reduced_cost)) : INFINITY;
    struct iso_mip_column column = {.kind = ISO_COLUMN_USE,
                                    .a = item->workload,
                                    .b = item->option,
                                    .c = t,
                                    .d = -1,
                                    .upper = INFINITY,
                                    .integer = true};
    int32_t j = iso_mip_add_column(&f->mip, &column);
    bool ok = j >= 0 &&
              iso_formulation_instance_entries(f, item->workload, option->offering, t, -1) &&
              iso_formulation_service_entries(f, item->workload, item->option, t,
                                              iso_value(option->served)) &&
              copy_column(trees, j, item->reduced_cost, upper, tree);

    if (j >= 0)
        f->mip.n_entries = f->mip.columns[--f->mip.n_columns].first_entry;
    return ok;
}

/* The problem of a period. False when memory is short. */
static bool build(struct trees *trees, int32_t t, struct iso_mip *tree)
{
    const struct iso_mip *mip = &trees->search->formulation->mip;
    bool ok = true;

    for (int32_t i = 0; i < mip->n_rows && ok; i++)
        if (iso_mip_row_period(&mip->rows[i]) == t) {
            trees->place[i] = iso_mip_add_row(tree, &mip->rows[i]);
            ok = trees->place[i] >= 0;
        }
    for (int32_t j = 0; j < mip->n_columns && ok; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (iso_column_is_slack(column, t))
            ok = copy_column(trees, j, iso_reduced_cost(mip, trees->duals, j), column->upper, tree);
    }
    for (int32_t k = 0; k < trees->periods[t].n_items && ok; k++)
        ok = add_item(trees, t, &trees->periods[t].items[k], tree);
    for (int32_t i = 0; i < mip->n_rows; i++)
        trees->place[i] = -1;
    return ok;
}

/* Notes the instances of a tree's point. False when memory is short. */
static bool keep_point(struct trees *trees, int32_t t, const struct iso_mip *tree, const double *x)
{
    bool ok = true;

    for (int32_t j = 0; j < tree->n_columns && ok; j++) {
        const struct iso_mip_column *column = &tree->columns[j];
        struct run run = {column->a, column->b, t, round(x[j])};
        if (column->kind == ISO_COLUMN_USE && run.count > 0)
            ok = iso_append(&trees->point, &trees->n_point, sizeof(run), &run);
    }
    trees->planned[t] = ok;
    return ok;
}

/* Solves a period; *ret_lift: by how much it raises the bound. */
static enum iso_status solve(struct trees *trees, int32_t t, double seconds, double *ret_lift,
                             struct iso_error *reterr)
{
    struct iso_search *search = trees->search;
    struct iso_mip tree __attribute__((cleanup(iso_mip_fini))) = {0};
    const struct period *period = &trees->periods[t];
    struct iso_control control = iso_search_control(search);
    struct iso_mip_limits limits = {
        .seconds = seconds, .absolute_gap = TREE_GAP * fabs(period->relaxed), .nodes = NODES};
    struct iso_mip_result result;

    *ret_lift = 0;
    if (!build(trees, t, &tree))
        return no_memory(reterr);
    ISO_AUTO_MEM double *x = iso_calloc((size_t)tree.n_columns, sizeof(*x));
    if (!x)
        return no_memory(reterr);
    ISO_TRY(iso_mip_solve(&tree, NULL, INFINITY, &limits, &control, &result, x, reterr));
    search->nodes += result.nodes;
    if (result.has_x && !keep_point(trees, t, &tree, x))
        return no_memory(reterr);
    double proved = fmin(result.bound, period->relaxed + period->delta);
    *ret_lift = fmax(0, proved - period->relaxed - DIGITS * fabs(period->relaxed));
    return ISO_OK;
}

/* The columns of the points, listed where they are not; -1 where one is not known. */
static bool list_point(struct trees *trees, int32_t *ret_columns)
{
    struct iso_formulation *f = trees->search->formulation;
    int32_t n_periods = trees->search->problem->n_periods;
    const int32_t *first = f->reduction->reach.first_option;
    size_t n = (size_t)first[trees->search->problem->n_workloads] * (size_t)n_periods;
    ISO_AUTO_MEM int32_t *column = f->complete ? iso_calloc(n, sizeof(*column)) : NULL;

    if (f->complete && !column)
        return false;
    for (int32_t j = 0; j < f->mip.n_columns && f->complete; j++) {
        const struct iso_mip_column *use = &f->mip.columns[j];
        if (use->kind == ISO_COLUMN_USE)
            column[(first[use->a] + use->b) * n_periods + use->c] = j + 1;
    }
    for (int32_t k = 0; k < trees->n_point; k++) {
        const struct run *run = &trees->point[k];
        ret_columns[k] =
            f->complete ? column[(first[run->workload] + run->option) * n_periods + run->period] - 1
                        : iso_formulation_list_use(f, run->workload, run->option, run->period);
        if (ret_columns[k] < 0)
            return false;
    }
    return true;
}

/* Offers the trees' points together; periods without one stay as they are in the best plan. */
static enum iso_status offer(struct trees *trees, struct iso_error *reterr)
{
    struct iso_search *search = trees->search;
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t n_columns = mip->n_columns;
    ISO_AUTO_MEM int32_t *columns = iso_calloc((size_t)trees->n_point, sizeof(*columns));

    if (!columns || !list_point(trees, columns))
        return no_memory(reterr);
    ISO_AUTO_MEM double *x = NULL;
    ISO_TRY(iso_search_new_point(search, n_columns, &x, reterr));
    for (int32_t j = 0; j < mip->n_columns && search->has_best; j++)
        if (mip->columns[j].kind != ISO_COLUMN_USE || !trees->planned[mip->columns[j].c])
            x[j] = search->best[j];
    for (int32_t k = 0; k < trees->n_point; k++)
        x[columns[k]] = trees->point[k].count;
    return iso_first_plans(search, x, NULL, 1, reterr);
}

/* Whether the first trees raise the bound by so little that the others are not worth their time:
 * where what is lost is lost between periods. */
static bool gains_little(const struct iso_search *search, int32_t n_solved, double lifts)
{
    double gap = search->best_value - search->proven.checked_bound;

    return n_solved >= PROBES && search->has_best &&
           lifts < WORTHWHILE * gap * n_solved / search->problem->n_periods;
}

bool iso_period_trees_apply(const struct iso_search *search)
{
    return search->tier == ISO_TIER_MONEY && search->proved &&
           iso_formulation_prices_suffice(search->problem) && search->problem->n_volumes == 0;
}

enum iso_status iso_try_period_trees(struct iso_search *search, const double *duals,
                                     struct iso_error *reterr)
{
    struct trees trees __attribute__((cleanup(trees_fini))) = {0};
    double seconds = PATIENCE * iso_search_left(search);
    double begin = search->control->now(search->control->context);
    double lifts = 0;

    ISO_TRY(init(&trees, search, duals, reterr));
    for (int32_t t = 0; t < search->problem->n_periods; t++) {
        double spent = search->control->now(search->control->context) - begin, lift;
        bool late = spent > seconds && !search->problem->options.deterministic;
        if (late || gains_little(search, t, lifts) || iso_search_stops(search))
            break;
        ISO_TRY(solve(&trees, t, fmax(1e-3, iso_search_left(search)), &lift, reterr));
        lifts += lift;
    }
    if (search->proven.checked_bound + lifts > search->tier_bound)
        search->tier_bound = search->proven.checked_bound + lifts;
    return trees.n_point > 0 ? offer(&trees, reterr) : ISO_OK;
}
