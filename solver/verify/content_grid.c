/* The best content of an instance from a table over two resources, for many offerings at once.
 *
 * Steps of the table are common divisors of what the workloads need of the two resources, so that
 * nothing is rounded there: T(p, q) is the most that whole copies within p and q steps are worth.
 * Workloads that need a third resource, or have a cap on an instance, are "bulky". For multipliers
 * u >= 0 of the third resources
 *
 *   best content <= B_0(room) + sum_k u_k room_k
 *
 * where B_i is the table over the plain workloads and the bulky ones from i on, each worth
 * worth_w - sum_k u_k need_wk and without its cap. The bulky ones are then enumerated: a branch
 * ends when its bound by B_i is not above the best so far, and the leaf is T. Sums are of numbers
 * >= 0 in long double, each at most 1e6 terms; results are raised by 1e-12 of themselves. */
#include <string.h>

#include "pricing.h"

#define MOST_CELLS 400000.0
#define MOST_ALL_CELLS 2e6
#define MOST_NODES 400000
#define RAISE (1 + 1e-12L)

struct iso_content_grid {
    const struct iso_problem *problem;
    int32_t team, n, n_bulky, n_plain;
    const int32_t *workloads;
    long double *worth;
    int32_t *bulky, *plain; /* places in `workloads` */
    int first, second;      /* resources of the table; -1 = none */
    iso_decimal step[2];
    int32_t size[2];
    long double price[ISO_N_RESOURCES];
    long double *table; /* n_bulky + 1 tables; the last is T */
    int64_t n_nodes;
};

static const struct iso_workload *at_place(const struct iso_content_grid *grid, int32_t place)
{
    return &grid->problem->workloads[grid->workloads[place]];
}

/* Room of an offering; -1 when it is not known. */
static iso_decimal room_for(const struct iso_content_grid *grid, int32_t offering, int k)
{
    iso_decimal capacity = grid->problem->offerings[offering].capacity[k];

    return capacity == ISO_UNKNOWN ? -1 : capacity - grid->problem->teams[grid->team].overhead[k];
}

static iso_decimal divisor(iso_decimal a, iso_decimal b)
{
    return b == 0 ? a : divisor(b, a % b);
}

/* The two resources that most workloads need. */
static void choose_resources(struct iso_content_grid *grid)
{
    int32_t users[ISO_N_RESOURCES] = {0};
    int *const chosen[] = {&grid->first, &grid->second};

    for (int32_t i = 0; i < grid->n; i++)
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            users[k] += grid->worth[i] > 0 && at_place(grid, i)->need[k] > 0;
    for (int c = 0; c < 2; c++) {
        *chosen[c] = -1;
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            if (users[k] > 0 && (*chosen[c] < 0 || users[k] > users[*chosen[c]]))
                *chosen[c] = k;
        if (*chosen[c] >= 0)
            users[*chosen[c]] = 0;
    }
}

/* Sorts the workloads and sizes the table; false when it would be too large. */
static bool lay_out(struct iso_content_grid *grid, const int32_t *offerings, int32_t n_offerings)
{
    const int resource[] = {grid->first, grid->second};

    for (int32_t i = 0; i < grid->n; i++) {
        const struct iso_workload *workload = at_place(grid, i);
        bool bulky = workload->maximum_per_instance > 0, in_table = false;
        for (int k = 0; k < ISO_N_RESOURCES; k++) {
            bulky |= workload->need[k] > 0 && k != grid->first && k != grid->second;
            in_table |= workload->need[k] > 0 && (k == grid->first || k == grid->second);
        }
        if (grid->worth[i] <= 0)
            continue;
        if (bulky || !in_table)
            grid->bulky[grid->n_bulky++] = i;
        else
            grid->plain[grid->n_plain++] = i;
    }
    for (int c = 0; c < 2; c++) {
        iso_decimal largest = 0;
        grid->step[c] = 0;
        for (int32_t i = 0; i < grid->n && resource[c] >= 0; i++)
            if (grid->worth[i] > 0)
                grid->step[c] = divisor(at_place(grid, i)->need[resource[c]], grid->step[c]);
        for (int32_t o = 0; o < n_offerings && resource[c] >= 0; o++)
            if (room_for(grid, offerings[o], resource[c]) > largest)
                largest = room_for(grid, offerings[o], resource[c]);
        if (grid->step[c] == 0)
            grid->step[c] = largest + 1;
        if (largest / grid->step[c] > INT32_MAX - 1)
            return false;
        grid->size[c] = (int32_t)(largest / grid->step[c]) + 1;
    }
    double cells = (double)grid->size[0] * grid->size[1];
    return cells <= MOST_CELLS && cells * (grid->n_bulky + 1) <= MOST_ALL_CELLS;
}

static size_t n_cells(const struct iso_content_grid *grid)
{
    return (size_t)grid->size[0] * (size_t)grid->size[1];
}

/* Lets a table hold any number of copies of one more workload. */
static void admit(const struct iso_content_grid *grid, long double *table, int32_t place,
                  long double worth)
{
    const struct iso_workload *workload = at_place(grid, place);
    int32_t p = 0, q = 0;

    if (grid->first >= 0)
        p = (int32_t)(workload->need[grid->first] / grid->step[0] < grid->size[0]
                          ? workload->need[grid->first] / grid->step[0]
                          : grid->size[0]);
    if (grid->second >= 0)
        q = (int32_t)(workload->need[grid->second] / grid->step[1] < grid->size[1]
                          ? workload->need[grid->second] / grid->step[1]
                          : grid->size[1]);
    if (worth <= 0)
        return;
    for (int32_t i = p; i < grid->size[0]; i++)
        for (int32_t j = q; j < grid->size[1]; j++) {
            long double with = table[(size_t)(i - p) * (size_t)grid->size[1] + (size_t)(j - q)];
            long double *own = &table[(size_t)i * (size_t)grid->size[1] + (size_t)j];
            if (p == 0 && q == 0)
                *own = HUGE_VALL; /* any number of them: only a cap or a price could hold them */
            else if (with + worth > *own)
                *own = with + worth;
        }
}

static void fill_bulky(struct iso_content_grid *grid)
{
    size_t cells = n_cells(grid);

    for (int32_t b = grid->n_bulky - 1; b >= 0; b--) {
        const struct iso_workload *workload = at_place(grid, grid->bulky[b]);
        long double worth = grid->worth[grid->bulky[b]];
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            worth -= grid->price[k] * ((long double)workload->need[k] / 1e9L);
        memcpy(&grid->table[(size_t)b * cells], &grid->table[(size_t)(b + 1) * cells],
               cells * sizeof(*grid->table));
        admit(grid, &grid->table[(size_t)b * cells], grid->bulky[b], worth);
    }
}

/* Bound of table `b` for a room, prices included. */
static long double bound_at(const struct iso_content_grid *grid, int32_t b, const iso_decimal *room)
{
    size_t p = grid->first < 0 ? 0 : (size_t)(room[grid->first] / grid->step[0]);
    size_t q = grid->second < 0 ? 0 : (size_t)(room[grid->second] / grid->step[1]);
    long double bound = grid->table[(size_t)b * n_cells(grid) + p * (size_t)grid->size[1] + q];

    for (int k = 0; k < ISO_N_RESOURCES && b < grid->n_bulky; k++)
        bound += grid->price[k] * ((long double)room[k] / 1e9L);
    return bound;
}

static void open_room(const struct iso_content_grid *grid, int32_t offering, iso_decimal *ret_room)
{
    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        ret_room[k] = room_for(grid, offering, k);
        if (ret_room[k] < 0)
            ret_room[k] = 0;
    }
}

/* One resource after the other: the share of its densest workload's worth that gives the least
 * bound for the offering with most of it. */
static void choose_prices(struct iso_content_grid *grid, const int32_t *offerings,
                          int32_t n_offerings)
{
    iso_decimal room[ISO_N_RESOURCES];

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        long double densest = 0, least = HUGE_VALL, best = 0;
        int32_t widest = -1;
        for (int32_t b = 0; b < grid->n_bulky && k != grid->first && k != grid->second; b++) {
            iso_decimal need = at_place(grid, grid->bulky[b])->need[k];
            if (need > 0 && grid->worth[grid->bulky[b]] / ((long double)need / 1e9L) > densest)
                densest = grid->worth[grid->bulky[b]] / ((long double)need / 1e9L);
        }
        for (int32_t o = 0; o < n_offerings; o++)
            if (room_for(grid, offerings[o], k) > 0 &&
                (widest < 0 ||
                 room_for(grid, offerings[o], k) > room_for(grid, offerings[widest], k)))
                widest = o;
        for (int tenth = 0; tenth <= 10 && densest > 0 && widest >= 0; tenth++) {
            grid->price[k] = densest * tenth / 10;
            fill_bulky(grid);
            open_room(grid, offerings[widest], room);
            long double bound = bound_at(grid, 0, room);
            if (bound < least) {
                least = bound;
                best = grid->price[k];
            }
        }
        grid->price[k] = best;
    }
    fill_bulky(grid);
}

struct iso_content_grid *iso_content_grid_new(const struct iso_problem *problem, int32_t team,
                                              const int32_t *workloads, int32_t n,
                                              const long double *worth, const int32_t *offerings,
                                              int32_t n_offerings)
{
    struct iso_content_grid *grid = iso_calloc(1, sizeof(*grid));

    if (!grid)
        return NULL;
    *grid =
        (struct iso_content_grid){.problem = problem, .team = team, .workloads = workloads, .n = n};
    grid->worth = iso_calloc((size_t)n, sizeof(*grid->worth));
    grid->bulky = iso_calloc((size_t)n, sizeof(*grid->bulky));
    grid->plain = iso_calloc((size_t)n, sizeof(*grid->plain));
    bool ready = grid->worth && grid->bulky && grid->plain;
    if (ready) {
        memcpy(grid->worth, worth, (size_t)n * sizeof(*worth));
        choose_resources(grid);
        ready = lay_out(grid, offerings, n_offerings);
    }
    if (ready)
        grid->table = iso_calloc(n_cells(grid) * (size_t)(grid->n_bulky + 1), sizeof(*grid->table));
    if (!grid->table) {
        iso_content_grid_free(grid);
        return NULL;
    }
    long double *plain = &grid->table[(size_t)grid->n_bulky * n_cells(grid)];
    for (int32_t i = 0; i < grid->n_plain; i++)
        admit(grid, plain, grid->plain[i], grid->worth[grid->plain[i]]);
    if (grid->n_bulky > 0)
        choose_prices(grid, offerings, n_offerings);
    return grid;
}

void iso_content_grid_free(struct iso_content_grid *grid)
{
    if (!grid)
        return;
    free(grid->worth);
    free(grid->bulky);
    free(grid->plain);
    free(grid->table);
    free(grid);
}

bool iso_content_grid_is_for(const struct iso_content_grid *grid, const long double *worth)
{
    for (int32_t i = 0; i < grid->n; i++)
        if (grid->worth[i] != worth[i])
            return false;
    return true;
}

/* Enumerates the bulky workloads from b on; gives the best content above `best`, or `best`. */
static long double enumerate(struct iso_content_grid *grid, int32_t b, iso_decimal *room,
                             long double value, long double best)
{
    long double bound = value + bound_at(grid, b, room);

    grid->n_nodes++;
    if (bound * RAISE <= best)
        return best;
    if (b == grid->n_bulky)
        return bound * RAISE;
    if (grid->n_nodes > MOST_NODES)
        return bound * RAISE;
    const struct iso_workload *workload = at_place(grid, grid->bulky[b]);
    int64_t most = workload->maximum_per_instance > 0 ? workload->maximum_per_instance : INT32_MAX;
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (workload->need[k] > 0 && room[k] / workload->need[k] < most)
            most = room[k] / workload->need[k];
    for (int64_t count = most; count >= 0; count--) {
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            room[k] -= count * workload->need[k];
        best = enumerate(grid, b + 1, room,
                         value + (long double)count * grid->worth[grid->bulky[b]], best);
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            room[k] += count * workload->need[k];
    }
    return best;
}

long double iso_content_grid_best(struct iso_content_grid *grid, int32_t offering,
                                  long double floor)
{
    iso_decimal room[ISO_N_RESOURCES];
    long double best = floor > 0 ? floor : 0;

    open_room(grid, offering, room);
    grid->n_nodes = 0;
    return enumerate(grid, 0, room, 0, best);
}
