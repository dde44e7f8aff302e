/* Fewer load levels than there are different hours: levels are grouped, and a group asks of every
 * workload the most that any of its hours asks.
 *
 * Grouping C adds  sum_a worth_a sum_{h in C} (max_{C} D_a - D_ah),  worth_a = 1 / sum_h D_ah, so
 * that workloads count by their share of demand and not by their unit. Of that only
 *     cost(C) = |C| sum_a worth_a max_C D_a
 * depends on the grouping. Beginning with one group a segment, the group with the largest gain
 * cost(C) - cost(left) - cost(right) is cut in two until there are enough. A cut sorts the group by
 * one workload's demand; the few workloads that differ most inside the group are tried. That is no
 * best grouping, but a good one in O(n log n) a cut, and the same on every machine: ties go to the
 * first workload, the first place and the first group. */
#include "level_rounding.h"

#include <stdlib.h>

#include "number.h"

#define WORKLOADS_TRIED 8

struct keyed_level {
    double value;
    int32_t level;
};

struct group {
    int32_t begin, end; /* of `order` */
    int32_t cut;        /* where its best cut is, counted from begin; 0: nothing is gained */
    size_t along;       /* the workload by which it is sorted before the cut */
    double gain;
};

struct grouping {
    const struct iso_demands *demands;
    const struct iso_levels *levels;
    double *worth;                      /* a unit of each workload */
    struct keyed_level *order, *sorted; /* levels->n */
    double *most;                       /* of each workload, in what was passed so far */
    double *tail_cost;                  /* levels->n: cost of what begins at a place of `sorted` */
    struct group *groups;
    int32_t n_groups;
};

static double asked(const struct grouping *g, size_t a, int32_t level)
{
    return g->demands->series[a][g->levels->hour[level]];
}

static int compare_keyed(const void *a, const void *b)
{
    const struct keyed_level *left = a, *right = b;

    if (left->value != right->value)
        return left->value < right->value ? -1 : 1;
    return (left->level > right->level) - (left->level < right->level);
}

static void sort_along(const struct grouping *g, const struct group *group, size_t a,
                       struct keyed_level *to)
{
    int32_t n = group->end - group->begin;

    for (int32_t i = 0; i < n; i++) {
        int32_t level = g->order[group->begin + i].level;
        to[i] = (struct keyed_level){asked(g, a, level), level};
    }
    qsort(to, (size_t)n, sizeof(*to), compare_keyed);
}

/* Adds a level to what was passed, of which there are then `hours`; the cost of it all. */
static double pass(const struct grouping *g, int32_t level, double hours)
{
    double sum = 0;

    for (size_t a = 0; a < g->demands->n; a++) {
        double value = asked(g, a, level);
        if (value > g->most[a])
            g->most[a] = value;
        sum += g->worth[a] * g->most[a];
    }
    return sum * hours;
}

static void forget_most(const struct grouping *g)
{
    for (size_t a = 0; a < g->demands->n; a++)
        g->most[a] = 0;
}

static void try_along(const struct grouping *g, struct group *group, size_t a)
{
    int32_t n = group->end - group->begin;
    double hours = 0;

    sort_along(g, group, a, g->sorted);
    forget_most(g);
    for (int32_t i = n; i-- > 0;) {
        hours += g->levels->count[g->sorted[i].level];
        g->tail_cost[i] = pass(g, g->sorted[i].level, hours);
    }
    forget_most(g);
    hours = 0;
    for (int32_t i = 0; i + 1 < n; i++) {
        hours += g->levels->count[g->sorted[i].level];
        double gain = g->tail_cost[0] - pass(g, g->sorted[i].level, hours) - g->tail_cost[i + 1];
        if (gain > group->gain) {
            group->gain = gain;
            group->cut = i + 1;
            group->along = a;
        }
    }
}

/* How much the workload differs inside the group, in shares of its demand. */
static double spread_of(const struct grouping *g, const struct group *group, size_t a)
{
    double low = asked(g, a, g->order[group->begin].level), high = low;

    for (int32_t i = group->begin + 1; i < group->end; i++) {
        double value = asked(g, a, g->order[i].level);
        if (value < low)
            low = value;
        if (value > high)
            high = value;
    }
    return g->worth[a] * (high - low);
}

static void find_cut(const struct grouping *g, struct group *group)
{
    struct {
        double spread;
        size_t a;
    } widest[WORKLOADS_TRIED];
    size_t n = 0;

    group->gain = 0;
    group->cut = 0;
    for (size_t a = 0; a < g->demands->n; a++) {
        double spread = spread_of(g, group, a);
        if (spread <= 0 || (n == WORKLOADS_TRIED && spread <= widest[n - 1].spread))
            continue;
        size_t at = n < WORKLOADS_TRIED ? n++ : n - 1;
        for (; at > 0 && widest[at - 1].spread < spread; at--)
            widest[at] = widest[at - 1];
        widest[at].spread = spread;
        widest[at].a = a;
    }
    for (size_t i = 0; i < n; i++)
        try_along(g, group, widest[i].a);
}

static bool cut_best(struct grouping *g)
{
    struct group *best = &g->groups[0];

    for (int32_t i = 1; i < g->n_groups; i++)
        if (g->groups[i].gain > best->gain)
            best = &g->groups[i];
    if (best->cut == 0)
        return false;
    sort_along(g, best, best->along, &g->order[best->begin]);
    struct group *right = &g->groups[g->n_groups++];
    *right = (struct group){.begin = best->begin + best->cut, .end = best->end};
    best->end = right->begin;
    find_cut(g, best);
    find_cut(g, right);
    return true;
}

/* One group a segment, levels in their order. */
static void begin_groups(struct grouping *g)
{
    const int32_t *segment_of_hour = g->demands->segment_of_hour;

    for (int32_t l = 0; l < g->levels->n; l++)
        g->order[l] = (struct keyed_level){(double)segment_of_hour[g->levels->hour[l]], l};
    qsort(g->order, (size_t)g->levels->n, sizeof(*g->order), compare_keyed);
    for (int32_t l = 0; l < g->levels->n; l++) {
        if (l == 0 || g->order[l].value > g->order[l - 1].value)
            g->groups[g->n_groups++] = (struct group){.begin = l};
        g->groups[g->n_groups - 1].end = l + 1;
    }
}

static void weigh(struct grouping *g)
{
    for (size_t a = 0; a < g->demands->n; a++) {
        double sum = 0;
        for (int32_t l = 0; l < g->levels->n; l++)
            sum += asked(g, a, l) * g->levels->count[l];
        g->worth[a] = sum > 0 ? 1 / sum : 0;
    }
}

/* Numbers groups by their first levels; `cut` is no longer needed and holds the number. */
static void number_groups(const struct grouping *g, int32_t *group)
{
    int32_t n = 0;

    for (int32_t i = 0; i < g->n_groups; i++)
        for (int32_t at = g->groups[i].begin; at < g->groups[i].end; at++)
            group[g->order[at].level] = i;
    for (int32_t i = 0; i < g->n_groups; i++)
        g->groups[i].cut = -1;
    for (int32_t l = 0; l < g->levels->n; l++) {
        struct group *of = &g->groups[group[l]];
        if (of->cut < 0)
            of->cut = n++;
        group[l] = of->cut;
    }
}

enum iso_status iso_group_levels(struct iso_resolve *r, const struct iso_demands *demands,
                                 const struct iso_levels *levels, int32_t most, int32_t *ret_group,
                                 int32_t *ret_n, struct iso_error *reterr)
{
    size_t n = (size_t)levels->n;
    struct grouping g = {
        .demands = demands,
        .levels = levels,
        .worth = iso_arena_calloc(r->arena, demands->n + 1, sizeof(*g.worth)),
        .order = iso_arena_calloc(r->arena, n, sizeof(*g.order)),
        .sorted = iso_arena_calloc(r->arena, n, sizeof(*g.sorted)),
        .most = iso_arena_calloc(r->arena, demands->n + 1, sizeof(*g.most)),
        .tail_cost = iso_arena_calloc(r->arena, n, sizeof(*g.tail_cost)),
        .groups = iso_arena_calloc(r->arena, n, sizeof(*g.groups)),
    };

    if (!g.worth || !g.order || !g.sorted || !g.most || !g.tail_cost || !g.groups)
        return iso_resolve_full(reterr);
    weigh(&g);
    begin_groups(&g);
    for (int32_t i = 0; i < g.n_groups; i++)
        find_cut(&g, &g.groups[i]);
    while (g.n_groups < most && cut_best(&g))
        ;
    number_groups(&g, ret_group);
    *ret_n = g.n_groups;
    return ISO_OK;
}

/* Demand over the horizon, what rounding adds to it, and the most that it adds in one hour. */
static struct iso_rounding rounding_of(const struct iso_resolve *r, const double *series, size_t n)
{
    struct iso_rounding rounding = {0};

    for (int32_t t = 0; t < r->problem->n_periods; t++) {
        double most = iso_resolve_series(r, series, n, t);
        for (int32_t h = r->level_hour[t]; h >= 0; h = r->next_hour[h]) {
            double added = most - series[h];
            rounding.demand += series[h];
            rounding.added += added;
            if (added > rounding.largest)
                rounding.largest = added;
        }
    }
    return rounding;
}

enum iso_status iso_note_rounding(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;
    struct iso_rounding *list = iso_arena_calloc(r->arena, model->n_workloads, sizeof(*list));
    const struct iso_rounding *worst = NULL;
    int32_t n_list = 0;

    if (!list)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < model->n_workloads; i++) {
        size_t n;
        const double *series = iso_demand_series(model->workloads[i], &n);
        if (n <= 1)
            continue;
        struct iso_rounding *rounding = &list[n_list++];
        *rounding = rounding_of(r, series, n);
        rounding->workload = model->workloads[i]->id;
        if (rounding->added > 0 &&
            (!worst || rounding->added * worst->demand > worst->added * rounding->demand))
            worst = rounding;
    }
    r->out->roundings = list;
    r->out->n_roundings = n_list;
    if (worst)
        iso_resolve_warn(r,
                         "load_levels: %d hours became %d levels by rounding demand up; most for "
                         "workload %s: %.3g %% more over the horizon, at most %.9g more in one "
                         "hour; cost and bound are those of the rounded demand",
                         r->out->n_hours, r->problem->n_periods, worst->workload,
                         100 * worst->added / worst->demand, worst->largest);
    return ISO_OK;
}
