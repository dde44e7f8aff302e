/* Periods, and load levels: hours that are equal in everything a plan can see become one period.
 *
 * Two hours merge when every workload asks the same of both and both lie in the same budget
 * windows, commitment terms and spans of prices with dates. Levels are numbered by their first
 * hour. A ramp looks at each hour and the one before, so with a ramp no hours merge, and levels are
 * hours in their order. When the model wants fewer levels than that, level_rounding.c groups them.
 */
#include <stdlib.h>
#include <string.h>

#include "level_rounding.h"
#include "number.h"
#include "resolve_internal.h"

#define HOUR_NS INT64_C(3600000000000)
#define MAXIMUM_SIGNATURE_BYTES                                       \
    (1u << 22) /* above it segments are not compared, only told apart \
                */

/* Hours [begin, end) that something covers. */
struct interval {
    int32_t begin, end;
};

struct intervals {
    struct interval *items;
    size_t n;
    int32_t n_hours;
};

static void add_interval(struct intervals *intervals, int64_t begin, int64_t end)
{
    if (end > intervals->n_hours)
        end = intervals->n_hours;
    if (begin < end && (begin > 0 || end < intervals->n_hours))
        intervals->items[intervals->n++] = (struct interval){(int32_t)begin, (int32_t)end};
}

static int64_t round_up(int64_t a, int64_t b)
{
    return a <= 0 ? 0 : (a - 1) / b + 1;
}

static void add_product_intervals(struct iso_resolve *r, struct intervals *intervals,
                                  const Isocost__V1__CommitmentProduct *product)
{
    add_interval(intervals, 0, round_up(iso_number(product->term_hours), ISO_DECIMAL_ONE));
    for (size_t i = 0; i < product->n_existing; i++) {
        const Google__Protobuf__Timestamp *end = product->existing[i]->expires_at;
        if (end)
            add_interval(intervals, 0,
                         round_up(end->seconds * 1000000000 + end->nanos - r->origin_ns, HOUR_NS));
    }
}

static int compare_intervals(const void *a, const void *b)
{
    const struct interval *left = a, *right = b;

    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return (left->end > right->end) - (left->end < right->end);
}

static enum iso_status collect_intervals(struct iso_resolve *r, struct intervals *intervals,
                                         struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;
    size_t most = 0, n = 0;

    for (size_t i = 0; i < model->n_budgets; i++)
        most += model->budgets[i]->n_windows;
    for (int32_t i = 0; i < r->n_products; i++)
        most += 1 + r->products[i]->n_existing;
    most += (size_t)r->days.n_spans;
    intervals->items = iso_arena_calloc(r->arena, most, sizeof(*intervals->items));
    if (!intervals->items)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < model->n_budgets; i++)
        for (size_t w = 0; !model->budgets[i]->disabled && w < model->budgets[i]->n_windows; w++) {
            const Isocost__V1__BudgetWindow *window = model->budgets[i]->windows[w];
            add_interval(intervals, window->from_hour,
                         window->to_hour == 0 ? intervals->n_hours : window->to_hour);
        }
    for (int32_t i = 0; i < r->n_products; i++)
        add_product_intervals(r, intervals, r->products[i]);
    for (int32_t s = 1; s < r->days.n_spans; s++)
        add_interval(intervals, 0, iso_days_hour(r, s));

    qsort(intervals->items, intervals->n, sizeof(*intervals->items), compare_intervals);
    for (size_t i = 0; i < intervals->n; i++)
        if (n == 0 || compare_intervals(&intervals->items[n - 1], &intervals->items[i]) != 0)
            intervals->items[n++] = intervals->items[i];
    intervals->n = n;
    return ISO_OK;
}

static bool covers(const struct interval *interval, int32_t hour)
{
    return interval->begin <= hour && hour < interval->end;
}

static bool equally_covered(const struct intervals *intervals, int32_t hour, int32_t other)
{
    for (size_t i = 0; i < intervals->n; i++)
        if (covers(&intervals->items[i], hour) != covers(&intervals->items[i], other))
            return false;
    return true;
}

/* Numbers stretches of hours so that equally covered hours have an equal number: that of the first
 * stretch covered like them. */
static enum iso_status number_segments(struct iso_resolve *r, const struct intervals *intervals,
                                       int32_t *segment_of_hour, struct iso_error *reterr)
{
    size_t n_hours = (size_t)intervals->n_hours, n_segments = 0;
    uint8_t *breaks = iso_arena_calloc(r->arena, n_hours + 1, 1);
    int32_t *firsts = iso_arena_calloc(r->arena, 2 * intervals->n + 1, sizeof(*firsts));

    if (!breaks || !firsts)
        return iso_resolve_full(reterr);
    breaks[0] = 1;
    for (size_t i = 0; i < intervals->n; i++)
        breaks[intervals->items[i].begin] = breaks[intervals->items[i].end] = 1;
    for (int32_t h = 0; h < intervals->n_hours; h++) {
        if (!breaks[h]) {
            segment_of_hour[h] = segment_of_hour[h - 1];
            continue;
        }
        size_t s = n_segments;
        if ((n_segments + 1) * intervals->n <= MAXIMUM_SIGNATURE_BYTES / (intervals->n + 1))
            for (s = 0; s < n_segments && !equally_covered(intervals, firsts[s], h); s++)
                ;
        if (s == n_segments)
            firsts[n_segments++] = h;
        segment_of_hour[h] = (int32_t)s;
    }
    return ISO_OK;
}

const double *iso_demand_series(const Isocost__V1__Workload *workload, size_t *ret_n)
{
    if (workload->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT) {
        *ret_n = workload->throughput->n_rate;
        return workload->throughput->rate;
    }
    *ret_n = workload->replicas->n_count;
    return workload->replicas->count;
}

static bool equal_hours(const struct iso_demands *demands, int32_t a, int32_t b)
{
    if (demands->segment_of_hour[a] != demands->segment_of_hour[b])
        return false;
    for (size_t i = 0; i < demands->n; i++)
        if (demands->series[i][a] != demands->series[i][b])
            return false;
    return true;
}

static uint64_t hash_hour(const struct iso_demands *demands, int32_t hour)
{
    uint64_t hash = (uint64_t)demands->segment_of_hour[hour] + UINT64_C(0x9e3779b97f4a7c15), bits;

    for (size_t i = 0; i < demands->n; i++) {
        double value = demands->series[i][hour] + 0.0; /* -0 hashes as 0 */
        memcpy(&bits, &value, sizeof(bits));
        hash = (hash ^ bits) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    return hash;
}

/* Levels into groups, of which there are then *n; a violation when hours that may not merge leave
 * more of them than the model wants. */
static enum iso_status group_levels(struct iso_resolve *r, const struct iso_demands *demands,
                                    int32_t *level_hour, int32_t *counts, int32_t *n,
                                    struct iso_error *reterr)
{
    int32_t most = r->model->load_levels->levels, n_groups;
    struct iso_levels levels = {.n = *n, .hour = level_hour, .count = counts};
    int32_t *group = iso_arena_calloc(r->arena, (size_t)*n, sizeof(*group));

    if (!group)
        return iso_resolve_full(reterr);
    ISO_TRY(iso_group_levels(r, demands, &levels, most, group, &n_groups, reterr));
    if (n_groups > most) {
        iso_violations_add(r->violations, "model.load_levels.levels",
                           "%d; at least %d are needed: hours in different budget windows, terms "
                           "of commitments or days of prices do not merge, and under a ramp none "
                           "do",
                           most, n_groups);
        return ISO_OK;
    }
    for (int32_t h = 0; h < r->out->n_hours; h++)
        r->level_of_hour[h] = group[r->level_of_hour[h]];
    for (int32_t g = 0, l = 0; l < *n; l++) { /* groups are in order of their first levels */
        bool is_first = group[l] == g;
        if (is_first)
            level_hour[g++] = level_hour[l];
        counts[group[l]] = (is_first ? 0 : counts[group[l]]) + counts[l];
    }
    *n = n_groups;
    return ISO_OK;
}

/* Which hours are of the same level: r->next_hour. */
static enum iso_status chain_hours(struct iso_resolve *r, int32_t n_levels,
                                   struct iso_error *reterr)
{
    int32_t n_hours = r->out->n_hours;
    int32_t *next = iso_arena_calloc(r->arena, (size_t)n_hours, sizeof(*next));
    int32_t *later = iso_arena_calloc(r->arena, (size_t)n_levels, sizeof(*later));

    if (!next || !later)
        return iso_resolve_full(reterr);
    for (int32_t h = n_hours; h-- > 0;) {
        int32_t level = r->level_of_hour[h];
        next[h] = later[level] > 0 ? later[level] : -1;
        later[level] = h;
    }
    r->next_hour = next;
    return ISO_OK;
}

/* "level-N"; there may be a year of hours of them. */
static const char *level_id(struct iso_arena *arena, int32_t number)
{
    char text[] = "level-2147483647", *id = NULL;
    size_t end = sizeof(text) - 1, at = end, n;

    for (; number > 0; number /= 10)
        text[--at] = (char)('0' + number % 10);
    n = end - at;
    id = iso_arena_calloc(arena, strlen("level-") + n + 1, 1);
    if (!id)
        return NULL;
    memcpy(id, text, strlen("level-"));
    memcpy(id + strlen("level-"), text + at, n);
    return id;
}

static enum iso_status number_levels(struct iso_resolve *r, const int32_t *counts, int32_t n_levels,
                                     struct iso_error *reterr)
{
    struct iso_period *periods = iso_arena_calloc(r->arena, (size_t)n_levels, sizeof(*periods));

    if (!periods)
        return iso_resolve_full(reterr);
    for (int32_t t = 0; t < n_levels; t++) {
        periods[t].id = level_id(r->arena, t + 1);
        periods[t].hours = counts[t] * ISO_DECIMAL_ONE;
        if (!periods[t].id)
            return iso_resolve_full(reterr);
        iso_names_add(&r->periods, periods[t].id);
    }
    r->problem->periods = periods;
    r->problem->n_periods = n_levels;
    return ISO_OK;
}

static enum iso_status merge_hours(struct iso_resolve *r, const struct iso_demands *demands,
                                   int32_t n_hours, struct iso_error *reterr)
{
    size_t n_slots = 16;

    while (n_slots < 2 * (size_t)n_hours)
        n_slots *= 2;
    int32_t *slots = iso_arena_calloc(r->arena, n_slots, sizeof(*slots)); /* level + 1 */
    int32_t *level_of_hour = iso_arena_calloc(r->arena, (size_t)n_hours, sizeof(*level_of_hour));
    int32_t *level_hour = iso_arena_calloc(r->arena, (size_t)n_hours, sizeof(*level_hour));
    int32_t *counts = iso_arena_calloc(r->arena, (size_t)n_hours, sizeof(*counts));
    int32_t n_levels = 0;
    if (!slots || !level_of_hour || !level_hour || !counts)
        return iso_resolve_full(reterr);
    for (int32_t h = 0; h < n_hours; h++) {
        size_t at = hash_hour(demands, h) & (n_slots - 1);
        while (slots[at] != 0 && !equal_hours(demands, level_hour[slots[at] - 1], h))
            at = (at + 1) & (n_slots - 1);
        if (slots[at] == 0) {
            level_hour[n_levels] = h;
            slots[at] = ++n_levels;
        }
        level_of_hour[h] = slots[at] - 1;
        counts[slots[at] - 1]++;
    }
    r->level_hour = level_hour;
    r->level_of_hour = level_of_hour;
    r->out->level_of_hour = level_of_hour;
    r->out->n_hours = n_hours;

    const Isocost__V1__LoadLevels *wanted = r->model->load_levels;
    bool rounds = wanted->merge_case == ISOCOST__V1__LOAD_LEVELS__MERGE_LEVELS;
    if (rounds && n_levels > wanted->levels)
        ISO_TRY(group_levels(r, demands, level_hour, counts, &n_levels, reterr));
    ISO_TRY(number_levels(r, counts, n_levels, reterr));
    if (!rounds)
        return ISO_OK;
    ISO_TRY(chain_hours(r, n_levels, reterr));
    return iso_note_rounding(r, reterr);
}

/* Ramps look at neighbours, and a box counts hours where demand may stay unserved. */
static bool any_rule_of_hours(const Isocost__V1__Model *model)
{
    for (size_t i = 0; i < model->n_workloads; i++) {
        const Isocost__V1__Workload *workload = model->workloads[i];
        bool box = workload->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT &&
                   workload->throughput->box;
        if (workload->ramp ||
            (box && workload->service_case != ISOCOST__V1__WORKLOAD__SERVICE_MUST_SERVE))
            return true;
    }
    return false;
}

enum iso_status iso_resolve_load_levels(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;
    struct intervals intervals = {.n_hours = model->load_levels->hours};
    struct iso_demands demands = {
        .series = iso_arena_calloc(r->arena, model->n_workloads, sizeof(*demands.series))};
    int32_t *segment_of_hour =
        iso_arena_calloc(r->arena, (size_t)intervals.n_hours, sizeof(*segment_of_hour));

    if (!demands.series || !segment_of_hour)
        return iso_resolve_full(reterr);
    if (model->load_levels->start)
        r->origin_ns =
            model->load_levels->start->seconds * 1000000000 + model->load_levels->start->nanos;
    r->chronological = true;
    ISO_TRY(collect_intervals(r, &intervals, reterr));
    ISO_TRY(number_segments(r, &intervals, segment_of_hour, reterr));
    if (any_rule_of_hours(model))
        for (int32_t h = 0; h < intervals.n_hours; h++)
            segment_of_hour[h] = h;
    demands.segment_of_hour = segment_of_hour;
    for (size_t i = 0; i < model->n_workloads; i++) {
        size_t n;
        const double *series = iso_demand_series(model->workloads[i], &n);
        if (n > 1)
            demands.series[demands.n++] = series;
    }
    return merge_hours(r, &demands, intervals.n_hours, reterr);
}

enum iso_status iso_resolve_time(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;

    if (model->load_levels) {
        ISO_TRY(iso_resolve_load_levels(r, reterr));
        return iso_days_of_periods(r, reterr);
    }
    struct iso_period *periods = iso_arena_calloc(r->arena, model->n_periods, sizeof(*periods));
    if (!periods)
        return iso_resolve_full(reterr);
    for (size_t t = 0; t < model->n_periods; t++) {
        const Isocost__V1__Period *period = model->periods[t];
        periods[t] = (struct iso_period){
            .id = period->id,
            .hours = iso_number(period->hours),
            .has_start = period->start != NULL,
            .start_ns =
                period->start ? period->start->seconds * 1000000000 + period->start->nanos : 0,
        };
        iso_names_add(&r->periods, period->id);
    }
    r->problem->periods = periods;
    r->problem->n_periods = (int32_t)model->n_periods;
    r->chronological = model->n_periods > 0 && periods[0].has_start;
    return iso_days_of_periods(r, reterr);
}
