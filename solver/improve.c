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
#define LEAST_GAIN 1e-7 /* of the best value, that is worth a tree */
#define MOST_EFFORT 4   /* times the columns and nodes, when nothing gains any more */
#define WORTHWHILE 1e-6 /* relative gain of a round below which groups grow */
#define FAR 0.05 /* gap from which a new plan is built rather than the one at hand improved */
#define NEAR \
    0.005 /* the same where levels are small: what is built is better than what is rounded */
#define SMALL_LEVEL 20 /* cells */

/* Without a plan worth improving. A packing alone goes on from the one it has: the trees of whole
 * levels know few fillings of its pools. */
static bool starts_anew(const struct iso_search *search)
{
    double far = iso_problem_n_cells(search->problem) <= SMALL_LEVEL ? NEAR : FAR;

    return !search->has_best ||
           (!search->built &&
            (search->choice.strategy != ISO_STRATEGY_PATTERNS ||
             iso_has_throughput(search->problem)) &&
            search->best_value - search->tier_bound > far * fabs(search->best_value));
}

static enum iso_status improver_init(struct iso_improver *improver, struct iso_search *search,
                                     const double *x, const double *duals, struct iso_error *reterr)
{
    const struct iso_formulation *f = search->formulation;

    *improver = (struct iso_improver){.search = search, .relaxed = x, .duals = duals, .effort = 1};
    ISO_TRY(iso_blocks_init(&improver->blocks, f, duals, reterr));
    ISO_TRY(iso_followers_init(&improver->followers, f, reterr));
    ISO_TRY(iso_neighbourhood_init(&improver->n, search, starts_anew(search) ? x : search->best,
                                   reterr));
    size_t n_blocks = (size_t)improver->blocks.n_blocks;
    improver->lost =
        iso_calloc(n_blocks + (size_t)improver->blocks.n_periods, sizeof(*improver->lost));
    improver->changed = iso_calloc(n_blocks, sizeof(*improver->changed));
    improver->cells = iso_calloc((size_t)improver->blocks.n_cells, sizeof(*improver->cells));
    if (!improver->lost || !improver->changed || !improver->cells)
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

static void find_lost(struct iso_improver *improver)
{
    iso_blocks_lost(&improver->blocks, improver->search->formulation, improver->duals,
                    improver->n.x, improver->n.activity, improver->lost, &improver->lost_rest);
}

/* What a group loses, and the rows that it shares: it can gain no more by any point, and by one
 * with x_j no more than that less rc_j x_j. */
static double most_to_gain(const struct iso_improver *improver, const struct iso_group *group)
{
    const struct iso_blocks *blocks = &improver->blocks;
    double most = improver->lost[blocks->n_blocks + group->period] + improver->lost_rest;

    for (int32_t i = 0; i < group->n_cells; i++)
        most += improver->lost[group->cells[i] * blocks->n_periods + group->period];
    return most;
}

/* Frees the cheapest columns of a group and those in use, each as far as it may lead to a gain. */
static void free_group(struct iso_improver *improver, const struct iso_group *group, double most)
{
    struct iso_neighbourhood *n = &improver->n;

    iso_neighbourhood_clear(n);
    for (int32_t i = 0; i < group->n_cells; i++)
        iso_improver_free_block(improver,
                                group->cells[i] * improver->blocks.n_periods + group->period,
                                improver->effort * GROUP_COLUMNS / group->n_cells, INFINITY);
    for (int32_t i = 0; i < n->n_free && !isinf(most); i++) {
        int32_t j = n->free_columns[i];
        double reduced_cost = improver->blocks.reduced_cost[j];
        if (reduced_cost > 0)
            n->upper[i] = fmin(n->upper[i], fmax(n->x[j], floor(most / reduced_cost)));
    }
    iso_followers_free(&improver->followers, n);
}

/* Solves the free set of a group for less than it costs now; marks the blocks when the point moved.
 */
static enum iso_status try_group(struct iso_improver *improver, const struct iso_group *group,
                                 struct iso_error *reterr)
{
    struct iso_mip_limits limits =
        iso_improver_limits(improver, GROUP_GAP, group->n_cells, improver->effort * GROUP_NODES);
    double least = LEAST_GAIN * (1 + fabs(improver->search->best_value));
    double most = improver->n.n_priced > 0 ? INFINITY : most_to_gain(improver, group);
    bool found, solved;

    if (most <= least)
        return ISO_OK;
    free_group(improver, group, most);
    double now = iso_neighbourhood_value(&improver->n);
    ISO_TRY(iso_neighbourhood_solve(&improver->n, now - least, &limits, &found, &solved, reterr));
    if (!found)
        return ISO_OK;
    improver->gain += now - iso_neighbourhood_value(&improver->n);
    improver->clock++;
    for (int32_t i = 0; i < group->n_cells; i++)
        improver->changed[group->cells[i] * improver->blocks.n_periods + group->period] =
            improver->clock;
    find_lost(improver);
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

static int most_lost_group_first(const void *left, const void *right)
{
    const struct iso_group *a = left, *b = right;

    if (a->lost != b->lost)
        return a->lost > b->lost ? -1 : 1;
    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    return memcmp(a->cells, b->cells, sizeof(a->cells));
}

/* Groups of `size` cells of one period: each cell with each run of those that lose less. */
static int32_t list_groups(struct iso_improver *improver, int32_t size,
                           struct iso_group *ret_groups)
{
    int32_t n_groups = 0, n_periods = improver->blocks.n_periods;

    for (int32_t t = 0; t < n_periods; t++) {
        int32_t n = iso_improver_cells(improver, t, improver->cells);
        for (int32_t lead = 0; lead + size <= n; lead++)
            for (int32_t other = lead + 1; other + size - 1 <= n; other++) {
                struct iso_group group = {.period = t, .n_cells = size};
                for (int32_t i = 0; i < size; i++) {
                    group.cells[i] = improver->cells[i == 0 ? lead : other + i - 1];
                    group.lost += improver->lost[group.cells[i] * n_periods + t];
                }
                ret_groups[n_groups++] = group;
                if (size == 1)
                    break;
            }
    }
    qsort(ret_groups, (size_t)n_groups, sizeof(*ret_groups), most_lost_group_first);
    return n_groups;
}

static int64_t last_change(const struct iso_improver *improver, const struct iso_group *group)
{
    int64_t newest = 0;

    for (int32_t i = 0; i < group->n_cells; i++) {
        int64_t at =
            improver->changed[group->cells[i] * improver->blocks.n_periods + group->period];
        newest = at > newest ? at : newest;
    }
    return newest;
}

enum iso_status iso_improve_groups(struct iso_improver *improver, int32_t size,
                                   struct iso_error *reterr)
{
    size_t n_cells = (size_t)improver->blocks.n_cells;
    size_t room = (size_t)improver->blocks.n_periods * n_cells * (size == 1 ? 1 : n_cells);
    ISO_AUTO_MEM struct iso_group *groups = iso_calloc(room, sizeof(*groups));
    int64_t began = improver->clock++;

    if (!groups)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to improve a plan");
    find_lost(improver);
    int32_t n = list_groups(improver, size, groups);
    for (int32_t i = 0; i < n && !ends(improver); i++)
        if (last_change(improver, &groups[i]) > improver->since[size])
            ISO_TRY(try_group(improver, &groups[i], reterr));
    improver->since[size] = began;
    return ISO_OK;
}

/* Groups of growing size, commitments in between, until nothing gains any more. */
static enum iso_status improve_all(struct iso_improver *improver, int32_t largest_group,
                                   struct iso_error *reterr)
{
    struct iso_search *search = improver->search;
    int32_t size = 1;

    memset(improver->since, 0, sizeof(improver->since));
    improver->n_moves = ISO_MOVES_A_ROUND;
    while (size <= largest_group && !ends(improver)) {
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

static enum iso_status improve(struct iso_improver *improver, int32_t largest_group,
                               struct iso_error *reterr)
{
    struct iso_search *search = improver->search;

    bool anew = starts_anew(search);
    if (anew)
        ISO_TRY(iso_construct(improver, reterr));
    search->built |= anew;
    if (!search->has_best)
        return ISO_OK;
    if (anew)
        iso_neighbourhood_move(&improver->n, search->best);
    iso_followers_look(&improver->followers, &improver->n);
    for (; improver->effort <= MOST_EFFORT && !ends(improver); improver->effort *= 4) {
        ISO_TRY(improve_all(improver, largest_group, reterr));
        if (largest_group < ISO_LARGEST_GROUP)
            return ISO_OK;
    }
    return ISO_OK;
}

enum iso_status iso_improve(struct iso_search *search, const double *x, const double *duals,
                            int32_t largest_group, struct iso_error *reterr)
{
    struct iso_improver improver __attribute__((cleanup(improver_fini)));

    ISO_TRY(improver_init(&improver, search, x, duals, reterr));
    return improve(&improver, largest_group, reterr);
}
