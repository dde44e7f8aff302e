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
 * ends when its bound by B_i is not above the best so far, and the leaf is T.
 *
 * Tables are binary64, so that the processor fills several cells at once. A cell is a sum of worths
 * that were rounded up, one for each copy, and each copy takes a step of some axis. With N steps on
 * all axes its rounding errors are below N eps of it; what is made of cells is raised by (N + 64)
 * eps of itself, the 64 for the few operations around them. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "pricing.h"

#define MOST_CELLS 400000.0
#define MOST_ALL_CELLS 2e6
#define MOST_CELLS_ALONE 3e6 /* of a table for one offering */
#define MOST_NODES 20000
#define MOST_NODES_ALONE 2000000

enum { N_AXES = 3 };

struct iso_content_grid {
    const struct iso_problem *problem;
    int32_t team, n, n_bulky, n_plain;
    const int32_t *workloads;
    long double *worth;
    int32_t *bulky, *plain; /* places in `workloads` */
    int n_axes;             /* resources of the table: 2, or 3 for one offering alone */
    int axis[N_AXES];       /* the last ones; -1 = none */
    iso_decimal step[N_AXES];
    int32_t size[N_AXES];
    long double price[ISO_N_RESOURCES];
    double *table;     /* n_bulky + 1 tables; the last is T */
    long double raise; /* what covers the rounding of a cell and of sums with it */
    int64_t n_nodes, most_nodes;
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

static bool on_axis(const struct iso_content_grid *grid, int k)
{
    return k == grid->axis[0] || k == grid->axis[1] || k == grid->axis[2];
}

/* The resources that most workloads need. */
static void choose_axes(struct iso_content_grid *grid)
{
    int32_t users[ISO_N_RESOURCES] = {0};

    for (int32_t i = 0; i < grid->n; i++)
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            users[k] += grid->worth[i] > 0 && at_place(grid, i)->need[k] > 0;
    for (int c = 0; c < N_AXES; c++) {
        grid->axis[c] = -1;
        for (int k = 0; k < ISO_N_RESOURCES && c >= N_AXES - grid->n_axes; k++)
            if (users[k] > 0 && (grid->axis[c] < 0 || users[k] > users[grid->axis[c]]))
                grid->axis[c] = k;
        if (grid->axis[c] >= 0)
            users[grid->axis[c]] = 0;
    }
}

/* Sorts the workloads and sizes the table; false when it would be too large. */
static bool lay_out(struct iso_content_grid *grid, const int32_t *offerings, int32_t n_offerings)
{
    for (int32_t i = 0; i < grid->n; i++) {
        const struct iso_workload *workload = at_place(grid, i);
        bool bulky = workload->maximum_per_instance > 0, in_table = false;
        for (int k = 0; k < ISO_N_RESOURCES; k++) {
            bulky |= workload->need[k] > 0 && !on_axis(grid, k);
            in_table |= workload->need[k] > 0 && on_axis(grid, k);
        }
        if (grid->worth[i] <= 0)
            continue;
        if (bulky || !in_table)
            grid->bulky[grid->n_bulky++] = i;
        else
            grid->plain[grid->n_plain++] = i;
    }
    double cells = 1;
    for (int c = 0; c < N_AXES; c++) {
        iso_decimal largest = 0;
        grid->step[c] = 0;
        for (int32_t i = 0; i < grid->n && grid->axis[c] >= 0; i++)
            if (grid->worth[i] > 0)
                grid->step[c] = divisor(at_place(grid, i)->need[grid->axis[c]], grid->step[c]);
        for (int32_t o = 0; o < n_offerings && grid->axis[c] >= 0; o++)
            if (room_for(grid, offerings[o], grid->axis[c]) > largest)
                largest = room_for(grid, offerings[o], grid->axis[c]);
        if (grid->step[c] == 0)
            grid->step[c] = largest + 1;
        if (largest / grid->step[c] > INT32_MAX - 1)
            return false;
        grid->size[c] = (int32_t)(largest / grid->step[c]) + 1;
        cells *= grid->size[c];
    }
    return n_offerings == 1 ? cells * (grid->n_bulky + 1) <= MOST_CELLS_ALONE
                            : cells <= MOST_CELLS && cells * (grid->n_bulky + 1) <= MOST_ALL_CELLS;
}

static size_t n_cells(const struct iso_content_grid *grid)
{
    return (size_t)grid->size[0] * (size_t)grid->size[1] * (size_t)grid->size[2];
}

static size_t row_at(const struct iso_content_grid *grid, int32_t i, int32_t j)
{
    return ((size_t)i * (size_t)grid->size[1] + (size_t)j) * (size_t)grid->size[2];
}

/* own = max(own, from + worth), cell by cell; the two do not overlap. */
static void raise_cells(double *restrict own, const double *restrict from, double worth, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        double with = from[i] + worth;
        own[i] = with > own[i] ? with : own[i];
    }
}

/* The steps that a copy takes of each axis; false when it takes none. */
static bool steps_of(const struct iso_content_grid *grid, int32_t place, int32_t *ret_step)
{
    bool any = false;

    for (int c = 0; c < N_AXES; c++) {
        ret_step[c] = 0;
        if (grid->axis[c] < 0)
            continue;
        iso_decimal need = at_place(grid, place)->need[grid->axis[c]] / grid->step[c];
        ret_step[c] = need < grid->size[c] ? (int32_t)need : grid->size[c];
        any |= ret_step[c] > 0;
    }
    return any;
}

/* Lets a table hold any number of copies of one more workload. */
static void admit(const struct iso_content_grid *grid, double *table, int32_t place,
                  long double worth)
{
    double each = nextafter((double)worth, INFINITY);
    int32_t step[N_AXES], width = grid->size[2];

    if (worth <= 0)
        return;
    if (!steps_of(grid, place, step)) { /* any number: only a cap or a price could hold them */
        for (size_t cell = 0; cell < n_cells(grid); cell++)
            table[cell] = HUGE_VAL;
        return;
    }
    bool same_row = step[0] == 0 && step[1] == 0; /* then cells that were raised are read again */
    for (int32_t i = step[0]; i < grid->size[0]; i++)
        for (int32_t j = step[1]; j < grid->size[1]; j++) {
            double *own = &table[row_at(grid, i, j)];
            const double *from = &table[row_at(grid, i - step[0], j - step[1])];
            int32_t run = same_row ? step[2] : width;
            for (int32_t k = step[2]; k < width; k += run)
                raise_cells(&own[k], &from[k - step[2]], each, run < width - k ? run : width - k);
        }
}

/* What a bulky workload is worth when the resources beside the axes have their prices. */
static long double reduced_worth(const struct iso_content_grid *grid, int32_t bulky)
{
    const struct iso_workload *workload = at_place(grid, grid->bulky[bulky]);
    long double worth = grid->worth[grid->bulky[bulky]];

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        worth -= grid->price[k] * ((long double)workload->need[k] / 1e9L);
    return worth;
}

static void fill_bulky(struct iso_content_grid *grid)
{
    size_t cells = n_cells(grid);

    for (int32_t b = grid->n_bulky - 1; b >= 0; b--) {
        double *own = &grid->table[(size_t)b * cells];
        memcpy(own, own + cells, cells * sizeof(*own));
        admit(grid, own, grid->bulky[b], reduced_worth(grid, b));
    }
}

/* Fills the first table only, which bounds whole contents. */
static void fill_first(struct iso_content_grid *grid)
{
    size_t cells = n_cells(grid);

    memcpy(grid->table, &grid->table[(size_t)grid->n_bulky * cells], cells * sizeof(*grid->table));
    for (int32_t b = 0; b < grid->n_bulky; b++)
        admit(grid, grid->table, grid->bulky[b], reduced_worth(grid, b));
}

/* Bound of table `b` for a room, prices included. */
static long double bound_at(const struct iso_content_grid *grid, int32_t b, const iso_decimal *room)
{
    size_t at = 0;

    for (int c = 0; c < N_AXES; c++)
        at = at * (size_t)grid->size[c] +
             (grid->axis[c] < 0 ? 0 : (size_t)(room[grid->axis[c]] / grid->step[c]));
    long double bound = grid->table[(size_t)b * n_cells(grid) + at];

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

/* Whether each bulky workload fits by itself; the worths are those of such offerings. */
static bool holds_each(const struct iso_content_grid *grid, const iso_decimal *room)
{
    for (int32_t b = 0; b < grid->n_bulky; b++)
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            if (at_place(grid, grid->bulky[b])->need[k] > room[k])
                return false;
    return true;
}

/* One resource after the other: the share of its densest workload's worth that gives the least
 * product of the bounds of the offerings that hold each of the bulky. */
static void choose_prices(struct iso_content_grid *grid, const int32_t *offerings,
                          int32_t n_offerings)
{
    static const long double shares[] = {0,    0.03L, 0.06L, 0.1L,  0.15L, 0.2L,
                                         0.3L, 0.45L, 0.6L,  0.75L, 0.9L,  1};
    iso_decimal room[ISO_N_RESOURCES];

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        long double densest = 0, least = HUGE_VALL, best = 0;
        for (int32_t b = 0; b < grid->n_bulky && !on_axis(grid, k); b++) {
            iso_decimal need = at_place(grid, grid->bulky[b])->need[k];
            if (need > 0 && grid->worth[grid->bulky[b]] / ((long double)need / 1e9L) > densest)
                densest = grid->worth[grid->bulky[b]] / ((long double)need / 1e9L);
        }
        for (size_t share = 0; share < ISO_ARRAY_LENGTH(shares) && densest > 0; share++) {
            long double product = 0;
            grid->price[k] = densest * shares[share];
            fill_first(grid);
            for (int32_t o = 0; o < n_offerings; o++) {
                open_room(grid, offerings[o], room);
                if (n_offerings == 1 || holds_each(grid, room))
                    product += logl(1e-12L + bound_at(grid, 0, room));
            }
            if (product < least) {
                least = product;
                best = grid->price[k];
            }
        }
        grid->price[k] = best;
    }
    fill_bulky(grid);
}

/* A table over `n_axes` resources without multipliers; NULL when it would be too large. */
static struct iso_content_grid *table_new(const struct iso_content_grid *plan,
                                          const long double *worth, const int32_t *offerings,
                                          int32_t n_offerings)
{
    struct iso_content_grid *grid = iso_calloc(1, sizeof(*grid));
    size_t n = (size_t)plan->n;

    if (!grid)
        return NULL;
    *grid = *plan;
    grid->worth = iso_calloc(n, sizeof(*grid->worth));
    grid->bulky = iso_calloc(n, sizeof(*grid->bulky));
    grid->plain = iso_calloc(n, sizeof(*grid->plain));
    bool ready = grid->worth && grid->bulky && grid->plain;
    if (ready) {
        memcpy(grid->worth, worth, n * sizeof(*worth));
        choose_axes(grid);
        ready = lay_out(grid, offerings, n_offerings);
    }
    if (ready)
        grid->table = iso_calloc(n_cells(grid) * (size_t)(grid->n_bulky + 1), sizeof(*grid->table));
    if (!grid->table) {
        iso_content_grid_free(grid);
        return NULL;
    }
    grid->raise = 1 + (long double)DBL_EPSILON *
                          (64 + (long double)grid->size[0] + grid->size[1] + grid->size[2]);
    double *plain = &grid->table[(size_t)grid->n_bulky * n_cells(grid)];
    for (int32_t i = 0; i < grid->n_plain; i++)
        admit(grid, plain, grid->plain[i], grid->worth[grid->plain[i]]);
    return grid;
}

struct iso_content_grid *iso_content_grid_new(const struct iso_problem *problem, int32_t team,
                                              const int32_t *workloads, int32_t n,
                                              const long double *worth, const int32_t *offerings,
                                              int32_t n_offerings)
{
    struct iso_content_grid plan = {.problem = problem,
                                    .team = team,
                                    .workloads = workloads,
                                    .n = n,
                                    .n_axes = 2,
                                    .most_nodes = MOST_NODES};
    struct iso_content_grid *grid = table_new(&plan, worth, offerings, n_offerings);

    if (grid && grid->n_bulky > 0)
        choose_prices(grid, offerings, n_offerings);
    return grid;
}

/* A table for one offering: over three resources with the multipliers of a table for many, or over
 * two with multipliers of its own. */
static struct iso_content_grid *table_alone(const struct iso_content_grid *many, int32_t offering)
{
    struct iso_content_grid plan = {.problem = many->problem,
                                    .team = many->team,
                                    .workloads = many->workloads,
                                    .n = many->n,
                                    .n_axes = N_AXES,
                                    .most_nodes = MOST_NODES_ALONE};
    struct iso_content_grid *grid = table_new(&plan, many->worth, &offering, 1);

    if (grid) {
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            grid->price[k] = on_axis(grid, k) ? 0 : many->price[k];
        fill_bulky(grid);
        return grid;
    }
    plan.n_axes = 2;
    grid = table_new(&plan, many->worth, &offering, 1);
    if (grid)
        choose_prices(grid, &offering, 1);
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
    if (bound * grid->raise <= best)
        return best;
    if (b == grid->n_bulky)
        return bound * grid->raise;
    if (grid->n_nodes > grid->most_nodes)
        return bound * grid->raise;
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

static long double search(struct iso_content_grid *grid, int32_t offering, long double floor)
{
    iso_decimal room[ISO_N_RESOURCES];

    open_room(grid, offering, room);
    grid->n_nodes = 0;
    return enumerate(grid, 0, room, 0, floor > 0 ? floor : 0);
}

long double iso_content_grid_best(struct iso_content_grid *grid, int32_t offering,
                                  long double floor)
{
    long double best = search(grid, offering, floor);

    if (grid->n_nodes <= grid->most_nodes)
        return best;
    struct iso_content_grid *alone = table_alone(grid, offering);
    if (alone) {
        long double exact = search(alone, offering, floor);
        best = exact < best ? exact : best;
    }
    iso_content_grid_free(alone);
    return best;
}
