/* Fix-and-optimise: a plan gets better one neighbourhood at a time.
 *
 * At multipliers lambda of the relaxation a plan x is above the bound by
 *     sum_j rc_j x_j + sum_i lambda_i (a_i x - b_i),
 * a sum over blocks (cell, period) of what is visibly lost there. Neighbourhoods are tried where
 * most is lost: each block by itself, then groups of two and more cells of one level. A group is
 * tried again only after one of its blocks changed. Commitments move in between
 * (commitment_moves.c). Work limits, not time limits, end the small trees, so that equal input goes
 * equal ways. */
#include "improve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_COLUMNS 80 /* of a group of cells */
#define GROUP_NODES 150
#define GROUP_GAP 0.0005
#define WORTHWHILE 1e-6 /* relative gain of a round below which groups grow */
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
                             double kept_below)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;
    const struct iso_blocks *blocks = &improver->blocks;
    int32_t n = 0;

    for (int32_t at = blocks->first[block]; at < blocks->first[block + 1]; at++) {
        int32_t j = blocks->columns[at];
        double now = improver->n.x[j], kept = floor(improver->relaxed[j]) - kept_below;
        if (n >= n_columns && now == 0 && improver->relaxed[j] == 0)
            continue;
        iso_neighbourhood_free(&improver->n, j, fmax(mip->columns[j].lower, fmin(floor(now), kept)),
                               mip->columns[j].upper);
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

struct iso_mip_limits iso_improver_limits(const struct iso_improver *improver, double gap,
                                          int32_t n_cells, int64_t nodes)
{
    double bound = fabs(improver->search->tier_bound) / improver->blocks.n_blocks;

    return (struct iso_mip_limits){.seconds = fmax(1e-3, iso_search_left(improver->search)),
                                   .absolute_gap = gap * n_cells * bound,
                                   .nodes = nodes,
                                   .plans = true};
}

static bool ends(struct iso_improver *improver)
{
    struct iso_search *search = improver->search;

    if (improver->n.n_priced > 0)
        return iso_search_stops(search);
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

int32_t iso_improver_cells(struct iso_improver *improver, int32_t period, int32_t *ret_cells)
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

/* Groups of `size` cells of a level: the one with most lost with each run of others. */
static enum iso_status improve_groups(struct iso_improver *improver, int32_t period, int32_t size,
                                      struct iso_error *reterr)
{
    const struct iso_blocks *blocks = &improver->blocks;
    int32_t n = iso_improver_cells(improver, period, improver->cells);
    int32_t group[ISO_LARGEST_GROUP];
    struct iso_mip_limits limits = iso_improver_limits(improver, GROUP_GAP, size, GROUP_NODES);

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
                                            GROUP_COLUMNS / size, INFINITY);
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

enum iso_status iso_improve_groups(struct iso_improver *improver, int32_t size,
                                   struct iso_error *reterr)
{
    int64_t began = improver->clock++;

    ISO_TRY(order_levels(improver, reterr));
    for (int32_t i = 0; i < improver->blocks.n_periods && !ends(improver); i++)
        ISO_TRY(improve_groups(improver, improver->order[i], size, reterr));
    improver->since[size] = began;
    return ISO_OK;
}

static enum iso_status improve(struct iso_improver *improver, struct iso_error *reterr)
{
    struct iso_search *search = improver->search;
    int32_t size = 1;

    if (starts_anew(search))
        ISO_TRY(iso_construct(improver, reterr));
    if (!search->has_best)
        return ISO_OK;
    if (starts_anew(search))
        iso_neighbourhood_move(&improver->n, search->best);
    iso_followers_look(&improver->followers, &improver->n);
    while (size <= ISO_LARGEST_GROUP && !ends(improver)) {
        double before = search->best_value;
        for (int32_t k = 1; k <= size && !ends(improver); k++) {
            ISO_TRY(iso_improve_groups(improver, k, reterr));
            ISO_TRY(publish(improver, reterr));
        }
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
