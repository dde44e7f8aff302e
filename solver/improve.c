/* Fix-and-optimise: a plan gets better one neighbourhood at a time.
 *
 * At multipliers lambda of the relaxation a plan x is above the bound by
 *     sum_j rc_j x_j + sum_i lambda_i (a_i x - b_i),
 * a sum over blocks (cell, period) of what is visibly lost there. Neighbourhoods are tried where
 * most is lost: first whole levels around the relaxation's point (columns keep at least floor(x) -
 * 2, so that the small tree decides fractions only), then groups of one, two and more cells of one
 * level with nothing fixed. A group is tried again only after one of its blocks changed.
 * Commitments move in between (commitment_moves.c). Work limits, not time limits, end the small
 * trees, so that equal input goes equal ways. */
#include "improve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL_COLUMNS 160 /* instance columns of a whole level */
#define GROUP_COLUMNS 80  /* of a group of cells */
#define ATTEMPTS 4 /* at a level without a plan; each with four times the columns and nodes */
#define LEVEL_NODES 300
#define GROUP_NODES 150
#define LEVEL_GAP 0.002
#define GROUP_GAP 0.0005
#define KEPT_BELOW 2.0  /* how far below its relaxation a column may go in a level */
#define WORTHWHILE 1e-6 /* relative gain of a round below which groups grow */
#define PRICE_ROUNDS 12
#define FIRST_PRICE 0.5 /* of a unit that a budget is overspent by while a plan is built */
#define DEARER 2.0
#define FAR 0.05 /* gap from which a new plan is built rather than the one at hand improved */

/* Without a plan worth improving. */
static bool starts_anew(const struct iso_search *search)
{
    return !search->has_best ||
           search->best_value - search->tier_bound > FAR * fabs(search->best_value);
}

static enum iso_status improver_init(struct iso_improver *improver, struct iso_search *search,
                                     const double *x, const double *duals, struct iso_error *reterr)
{
    const struct iso_formulation *f = search->formulation;

    *improver = (struct iso_improver){.search = search, .relaxed = x, .duals = duals};
    ISO_TRY(iso_blocks_init(&improver->blocks, f, duals, reterr));
    ISO_TRY(iso_followers_init(&improver->followers, f, reterr));
    ISO_TRY(iso_neighbourhood_init(&improver->n, search, starts_anew(search) ? x : search->best,
                                   reterr));
    size_t n_blocks = (size_t)improver->blocks.n_blocks;
    improver->lost = iso_calloc(n_blocks, sizeof(*improver->lost));
    improver->changed = iso_calloc(n_blocks, sizeof(*improver->changed));
    improver->order = iso_calloc(n_blocks, sizeof(*improver->order));
    improver->cells = iso_calloc((size_t)improver->blocks.n_cells, sizeof(*improver->cells));
    if (!improver->lost || !improver->changed || !improver->order || !improver->cells)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to improve a plan");
    for (size_t b = 0; b < n_blocks; b++)
        improver->changed[b] = 1;
    return ISO_OK;
}

static void improver_fini(struct iso_improver *improver)
{
    iso_blocks_fini(&improver->blocks);
    iso_followers_fini(&improver->followers);
    iso_neighbourhood_fini(&improver->n);
    free(improver->lost);
    free(improver->changed);
    free(improver->order);
    free(improver->cells);
}

void iso_improver_free_block(struct iso_improver *improver, int32_t block, int32_t n_columns,
                             bool keep)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;
    const struct iso_blocks *blocks = &improver->blocks;
    int32_t n = 0;

    for (int32_t at = blocks->first[block]; at < blocks->first[block + 1]; at++) {
        int32_t j = blocks->columns[at];
        double now = improver->n.x[j], lower = mip->columns[j].lower;
        if (n >= n_columns && now == 0 && improver->relaxed[j] == 0)
            continue;
        if (keep)
            lower = fmax(lower, fmin(floor(now), floor(improver->relaxed[j]) - KEPT_BELOW));
        iso_neighbourhood_free(&improver->n, j, lower, mip->columns[j].upper);
        n++;
    }
}

/* What is lost in each block by the point at hand. */
static void find_lost(struct iso_improver *improver)
{
    const struct iso_formulation *f = improver->search->formulation;
    const struct iso_mip *mip = &f->mip;
    int32_t n_periods = improver->blocks.n_periods;

    memset(improver->lost, 0, (size_t)improver->blocks.n_blocks * sizeof(*improver->lost));
    for (int32_t b = 0; b < improver->blocks.n_blocks; b++)
        for (int32_t at = improver->blocks.first[b]; at < improver->blocks.first[b + 1]; at++) {
            int32_t j = improver->blocks.columns[at];
            improver->lost[b] += improver->blocks.reduced_cost[j] * improver->n.x[j];
        }
    for (int32_t i = 0; i < mip->n_rows; i++) {
        const struct iso_mip_row *row = &mip->rows[i];
        if (row->kind != ISO_ROW_DEMAND)
            continue;
        const struct iso_workload *workload = &f->problem->workloads[row->a];
        int32_t cell = workload->replicas ? f->problem->n_workloads + workload->team : row->a;
        improver->lost[cell * n_periods + row->b] +=
            improver->duals[i] * (improver->n.activity[i] - row->lower);
    }
}

/* Solves the free set for less than it costs now; marks the blocks when the point moved. */
static enum iso_status try_free(struct iso_improver *improver, const struct iso_mip_limits *limits,
                                const int32_t *cells, int32_t n_cells, int32_t period,
                                struct iso_error *reterr)
{
    bool found, solved;

    iso_followers_look(&improver->followers, &improver->n);
    iso_followers_free(&improver->followers, &improver->n);
    double now = iso_neighbourhood_value(&improver->n);
    double step = 1e-7 * (1 + fabs(improver->search->best_value) / improver->blocks.n_blocks);
    ISO_TRY(iso_neighbourhood_solve(&improver->n, now - step, limits, &found, &solved, reterr));
    improver->n_tried++;
    if (!found)
        return ISO_OK;
    improver->gain += now - iso_neighbourhood_value(&improver->n);
    improver->clock++;
    for (int32_t i = 0; i < n_cells; i++)
        improver->changed[cells[i] * improver->blocks.n_periods + period] = improver->clock;
    return ISO_OK;
}

static struct iso_mip_limits limits_of(struct iso_improver *improver, double gap, int64_t nodes)
{
    return (struct iso_mip_limits){.seconds = fmax(1e-3, iso_search_left(improver->search)),
                                   .relative_gap = gap,
                                   .nodes = nodes,
                                   .plans = true};
}

static bool ends(struct iso_improver *improver)
{
    struct iso_search *search = improver->search;
    double gap = search->tier == ISO_TIER_MONEY ? search->problem->options.gap : 0;
    double value = search->best_value - improver->gain;

    return iso_search_stops(search) || value - search->tier_bound <= 0.999 * gap * fabs(value);
}

/* Offers the point at hand as a plan. */
static enum iso_status publish(struct iso_improver *improver, struct iso_error *reterr)
{
    struct iso_search *search = improver->search;
    bool taken;

    if (improver->gain <= 0)
        return ISO_OK;
    ISO_TRY(iso_search_offer(search, improver->n.x, &taken, reterr));
    improver->gain = 0;
    iso_neighbourhood_move(&improver->n, search->best);
    return ISO_OK;
}

static int most_lost_first(const void *left, const void *right, void *context)
{
    const double *lost = context;
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;

    if (lost[a] != lost[b])
        return lost[a] > lost[b] ? -1 : 1;
    return (a > b) - (a < b);
}

/* Cells with columns in a period, most lost first. */
static int32_t cells_of_level(struct iso_improver *improver, int32_t period, int32_t *ret_cells)
{
    const struct iso_blocks *blocks = &improver->blocks;
    int32_t n = 0;

    for (int32_t cell = 0; cell < blocks->n_cells; cell++) {
        int32_t b = cell * blocks->n_periods + period;
        if (blocks->first[b + 1] > blocks->first[b])
            ret_cells[n++] = b;
    }
    qsort_r(ret_cells, (size_t)n, sizeof(*ret_cells), most_lost_first, improver->lost);
    for (int32_t i = 0; i < n; i++)
        ret_cells[i] /= blocks->n_periods;
    return n;
}

/* One tree a level over all its cells, near the relaxation's point. */
static enum iso_status improve_level(struct iso_improver *improver, int32_t period,
                                     struct iso_error *reterr)
{
    int32_t n = cells_of_level(improver, period, improver->cells);

    if (n == 0)
        return ISO_OK;
    iso_neighbourhood_clear(&improver->n);
    for (int32_t i = 0; i < n; i++)
        iso_improver_free_block(improver, improver->cells[i] * improver->blocks.n_periods + period,
                                LEVEL_COLUMNS / n, true);
    struct iso_mip_limits limits = limits_of(improver, LEVEL_GAP, LEVEL_NODES);
    return try_free(improver, &limits, improver->cells, n, period, reterr);
}

/* Groups of `size` cells of a level: the one with most lost with each run of others. */
static enum iso_status improve_groups(struct iso_improver *improver, int32_t period, int32_t size,
                                      struct iso_error *reterr)
{
    const struct iso_blocks *blocks = &improver->blocks;
    int32_t n = cells_of_level(improver, period, improver->cells);
    int32_t group[ISO_LARGEST_GROUP];
    struct iso_mip_limits limits = limits_of(improver, GROUP_GAP, GROUP_NODES);

    for (int32_t lead = 0; lead < n && size <= n; lead++)
        for (int32_t other = lead + 1; other < n || size == 1; other++) {
            int64_t newest = 0;
            int32_t n_group = 0;
            for (int32_t i = 0; i < size && (i == 0 || other + i - 1 < n); i++)
                group[n_group++] = improver->cells[i == 0 ? lead : other + i - 1];
            if (ends(improver))
                return ISO_OK;
            for (int32_t i = 0; i < n_group; i++)
                if (improver->changed[group[i] * blocks->n_periods + period] > newest)
                    newest = improver->changed[group[i] * blocks->n_periods + period];
            if (n_group == size && newest > improver->since[size]) {
                iso_neighbourhood_clear(&improver->n);
                for (int32_t i = 0; i < n_group; i++)
                    iso_improver_free_block(improver, group[i] * blocks->n_periods + period,
                                            GROUP_COLUMNS / size, false);
                ISO_TRY(try_free(improver, &limits, group, n_group, period, reterr));
            }
            if (size == 1)
                break;
        }
    return ISO_OK;
}

/* Puts the levels in order, those that lose most first. */
static enum iso_status order_levels(struct iso_improver *improver, struct iso_error *reterr)
{
    const struct iso_blocks *blocks = &improver->blocks;
    ISO_AUTO_MEM double *level = iso_calloc((size_t)blocks->n_periods, sizeof(*level));

    if (!level)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to improve a plan");
    find_lost(improver);
    for (int32_t b = 0; b < blocks->n_blocks; b++)
        level[b % blocks->n_periods] += improver->lost[b];
    for (int32_t t = 0; t < blocks->n_periods; t++)
        improver->order[t] = t;
    qsort_r(improver->order, (size_t)blocks->n_periods, sizeof(*improver->order), most_lost_first,
            level);
    return ISO_OK;
}

static enum iso_status improve_levels(struct iso_improver *improver, struct iso_error *reterr)
{
    ISO_TRY(order_levels(improver, reterr));
    for (int32_t i = 0; i < improver->blocks.n_periods && !ends(improver); i++)
        ISO_TRY(improve_level(improver, improver->order[i], reterr));
    return publish(improver, reterr);
}

/* Groups of one size in all levels; only those with a change since the last time. */
static enum iso_status improve_all_groups(struct iso_improver *improver, int32_t size,
                                          struct iso_error *reterr)
{
    int64_t began = improver->clock++;

    ISO_TRY(order_levels(improver, reterr));
    for (int32_t i = 0; i < improver->blocks.n_periods && !ends(improver); i++)
        ISO_TRY(improve_groups(improver, improver->order[i], size, reterr));
    improver->since[size] = began;
    return publish(improver, reterr);
}

/* One level whole, the others as they are: near the relaxation, and wider as long as there is none.
 * `again`: it has been whole before and may go anywhere. */
static enum iso_status construct_level(struct iso_improver *improver, int32_t t, bool again,
                                       bool *ret_found, struct iso_error *reterr)
{
    int32_t n = cells_of_level(improver, t, improver->cells);
    bool solved;

    *ret_found = n == 0;
    for (int attempt = 0; attempt < (again ? 1 : ATTEMPTS) && !*ret_found; attempt++) {
        struct iso_mip_limits limits = limits_of(improver, LEVEL_GAP, LEVEL_NODES << 2 * attempt);
        limits.no_cuts = attempt > 0;
        iso_neighbourhood_clear(&improver->n);
        for (int32_t i = 0; i < n; i++)
            iso_improver_free_block(improver, improver->cells[i] * improver->blocks.n_periods + t,
                                    (1 << 2 * attempt) * LEVEL_COLUMNS / n, attempt == 0 && !again);
        iso_followers_free(&improver->followers, &improver->n);
        ISO_TRY(
            iso_neighbourhood_solve(&improver->n, INFINITY, &limits, ret_found, &solved, reterr));
    }
    return ISO_OK;
}

/* Prices of overspent budgets: at first what the relaxation pays for a unit or a fraction of it,
 * and more for those that the point at hand overspends. False when it overspends none. */
static bool price_budgets(struct iso_improver *improver, bool first, double *price)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;
    bool over = false;

    for (int32_t i = 0; i < mip->n_rows; i++) {
        double upper = mip->rows[i].upper, excess = improver->n.activity[i] - upper;
        if (mip->rows[i].kind != ISO_ROW_BUDGET || isinf(upper))
            continue;
        if (first) {
            price[i] = fmax(FIRST_PRICE, -improver->duals[i]);
        } else if (excess > 1e-9 * (1 + fabs(upper))) {
            price[i] *= DEARER;
            over = true;
        }
    }
    return over;
}

/* Without a plan: level by level, the levels to come at their relaxation. Levels hang together
 * through budgets: what one level overspends, because whole instances cost more, the next ones save
 * as long as that is worth the price of overspending, which rises until the budgets hold. */
static enum iso_status construct(struct iso_improver *improver, struct iso_error *reterr)
{
    struct iso_search *search = improver->search;
    int32_t n_levels = improver->blocks.n_periods;
    ISO_AUTO_MEM double *price =
        iso_calloc((size_t)search->formulation->mip.n_rows, sizeof(*price));
    bool found = true, taken;

    if (!price)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to build a plan");
    iso_followers_look(&improver->followers, &improver->n);
    price_budgets(improver, true, price);
    improver->n.price = price;
    for (int32_t t = 0; t < n_levels && found && !iso_search_stops(search); t++)
        ISO_TRY(construct_level(improver, t, false, &found, reterr));
    for (int round = 0; round < PRICE_ROUNDS && found && !iso_search_stops(search); round++) {
        bool over = price_budgets(improver, false, price), moved;
        for (int32_t t = 0; t < n_levels && over && !iso_search_stops(search); t++)
            ISO_TRY(construct_level(improver, (t + round) % n_levels, true, &moved, reterr));
        if (!over)
            break;
    }
    improver->n.price = NULL;
    if (!found)
        return ISO_OK;
    ISO_TRY(iso_search_offer(search, improver->n.x, &taken, reterr));
    if (taken)
        iso_neighbourhood_move(&improver->n, search->best);
    return ISO_OK;
}

static enum iso_status improve(struct iso_improver *improver, struct iso_error *reterr)
{
    struct iso_search *search = improver->search;
    int32_t size = 1;

    if (starts_anew(search))
        ISO_TRY(construct(improver, reterr));
    if (!search->has_best)
        return ISO_OK;
    if (starts_anew(search))
        iso_neighbourhood_move(&improver->n, search->best);
    ISO_TRY(improve_levels(improver, reterr));
    while (size <= ISO_LARGEST_GROUP && !ends(improver)) {
        double before = search->best_value;
        for (int32_t k = 1; k <= size && !ends(improver); k++)
            ISO_TRY(improve_all_groups(improver, k, reterr));
        if (!ends(improver))
            ISO_TRY(iso_move_commitments(improver, reterr));
        ISO_TRY(publish(improver, reterr));
        if (before - search->best_value <= WORTHWHILE * fabs(before))
            size++;
    }
    return ISO_OK;
}

enum iso_status iso_improve(struct iso_search *search, const double *x, const double *duals,
                            struct iso_error *reterr)
{
    struct iso_improver improver __attribute__((cleanup(improver_fini)));

    ISO_TRY(improver_init(&improver, search, x, duals, reterr));
    return improve(&improver, reterr);
}
