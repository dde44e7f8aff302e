#include "pattern_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CELLS 300000        /* of the grid */
#define MOST_TABLE_CELLS 4e6     /* of all tables together */
#define MOST_TAKEN 1024          /* plain copies on one instance */
#define GROUP_STEPS 4            /* towards a multiplier for several offerings */
#define STEPS 5                  /* for one */
#define ROUNDING 1e-12           /* relative: of sums in another order */
#define MOST_NODES 4000          /* of a search in a table of several offerings */
#define MOST_NODES_ALONE 1000000 /* of one in a table of its own */

enum { GRID = 2 };

struct iso_pattern_table {
    const struct iso_problem *problem;
    const struct iso_pattern_set *set;
    int32_t team;
    int32_t n_offerings;
    int axis[GRID];                /* resources of the grid; -1 = none */
    iso_decimal unit[GRID];        /* one step of the grid */
    bool exact;                    /* every need and every room is a multiple of the units */
    int32_t size[GRID];            /* cells are 0 .. size */
    double price[ISO_N_RESOURCES]; /* u of the other resources */
    int32_t n_plain, n_special;
    int32_t *plain, *special; /* places in the set */
    int32_t *need[GRID];      /* of each place, in steps, rounded down */
    double *values;           /* of each place, <= 0 where it is worth nothing */
    double *tables;           /* (n_special + 1) tables; the last is that of plain copies */
};

static size_t n_cells(const struct iso_pattern_table *table)
{
    return (size_t)(table->size[0] + 1) * (size_t)(table->size[1] + 1);
}

static size_t cell_at(const struct iso_pattern_table *table, int32_t c, int32_t m)
{
    return (size_t)c * (size_t)(table->size[1] + 1) + (size_t)m;
}

static const struct iso_workload *copy_of(const struct iso_pattern_table *table, int32_t i)
{
    return &table->problem->workloads[table->set->workloads[i]];
}

static iso_decimal room_of(const struct iso_pattern_table *table, int32_t offering, int k)
{
    return iso_pattern_room(table->problem, table->team, offering, k);
}

static iso_decimal gcd(iso_decimal a, iso_decimal b)
{
    while (b != 0) {
        iso_decimal rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The two resources that most copies need are the grid. */
static void choose_axes(struct iso_pattern_table *table)
{
    int32_t users[ISO_N_RESOURCES] = {0};

    for (int32_t i = 0; i < table->set->n_workloads; i++)
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            users[k] += table->values[i] > 0 && copy_of(table, i)->need[k] > 0;
    for (int g = 0; g < GRID; g++) {
        int best = -1;
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            if (users[k] > 0 && (best < 0 || users[k] > users[best]))
                best = k;
        table->axis[g] = best;
        if (best >= 0)
            users[best] = 0;
    }
}

static bool is_special(const struct iso_pattern_table *table, int32_t i)
{
    const struct iso_workload *workload = copy_of(table, i);

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (workload->need[k] > 0 && k != table->axis[0] && k != table->axis[1])
            return true;
    return workload->maximum_per_instance > 0;
}

static int32_t n_special(const struct iso_pattern_table *table)
{
    int32_t n = 0;

    for (int32_t i = 0; i < table->set->n_workloads; i++)
        n += table->values[i] > 0 && is_special(table, i);
    return n;
}

/* Units and size of the grid: the common divisor of all needs, or coarser. */
static void choose_grid(struct iso_pattern_table *table, const int32_t *offerings,
                        int32_t n_offerings)
{
    iso_decimal most[GRID] = {0, 0};

    table->exact = true;
    for (int g = 0; g < GRID; g++) {
        table->unit[g] = 0;
        for (int32_t i = 0; i < table->set->n_workloads && table->axis[g] >= 0; i++)
            if (table->values[i] > 0)
                table->unit[g] = gcd(copy_of(table, i)->need[table->axis[g]], table->unit[g]);
        for (int32_t o = 0; o < n_offerings && table->axis[g] >= 0; o++)
            if (room_of(table, offerings[o], table->axis[g]) > most[g])
                most[g] = room_of(table, offerings[o], table->axis[g]);
        if (table->unit[g] == 0)
            table->unit[g] = 1 + most[g];
    }
    while ((double)(most[0] / table->unit[0] + 2) * (double)(most[1] / table->unit[1] + 2) >
           fmin(MOST_CELLS, MOST_TABLE_CELLS / (1 + n_special(table)))) {
        int g = most[0] / table->unit[0] > most[1] / table->unit[1] ? 0 : 1;
        table->unit[g] *= 2;
        table->exact = false;
    }
    for (int g = 0; g < GRID; g++)
        table->size[g] = (int32_t)(most[g] / table->unit[g]) + !table->exact;
}

static bool list_copies(struct iso_pattern_table *table)
{
    size_t n = (size_t)table->set->n_workloads;

    table->plain = iso_calloc(n, sizeof(*table->plain));
    table->special = iso_calloc(n, sizeof(*table->special));
    for (int g = 0; g < GRID; g++)
        table->need[g] = iso_calloc(n, sizeof(*table->need[g]));
    if (!table->plain || !table->special || !table->need[0] || !table->need[1])
        return false;
    for (int32_t i = 0; i < table->set->n_workloads; i++) {
        if (table->values[i] <= 0)
            continue;
        for (int g = 0; g < GRID; g++)
            table->need[g][i] =
                table->axis[g] < 0
                    ? 0
                    : (int32_t)(copy_of(table, i)->need[table->axis[g]] / table->unit[g]);
        bool nothing = table->need[0][i] == 0 && table->need[1][i] == 0;
        if (is_special(table, i) || nothing)
            table->special[table->n_special++] = i;
        else
            table->plain[table->n_plain++] = i;
    }
    return true;
}

/* The bound of an offering from the table of all copies under given multipliers. */
static double trial_bound(const struct iso_pattern_table *table, const double *table_values,
                          int32_t offering, const double *price)
{
    int32_t cell[GRID];
    double bound;

    for (int g = 0; g < GRID; g++)
        cell[g] = table->axis[g] < 0
                      ? 0
                      : (int32_t)(room_of(table, offering, table->axis[g]) / table->unit[g]) +
                            !table->exact;
    bound = table_values[cell_at(table, cell[0], cell[1])];
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (price[k] > 0)
            bound += price[k] * iso_decimal_to_double(room_of(table, offering, k));
    return bound;
}

/* own = max(own, from + value), cell by cell; the two do not overlap. */
static void raise_cells(double *restrict own, const double *restrict from, double value, int32_t n)
{
    for (int32_t m = 0; m < n; m++) {
        double with = from[m] + value;
        own[m] = with > own[m] ? with : own[m];
    }
}

/* Adds copies of place i, as many as fit, to a table that is full for the copies before it. */
static void add_copies(const struct iso_pattern_table *table, double *values, int32_t i,
                       double value, int32_t most)
{
    int32_t a = table->need[0][i], b = table->need[1][i], width = table->size[1] + 1;

    if (value <= 0)
        return;
    if (a == 0 && b == 0) { /* rounded to nothing, or other resources only: at most so many */
        for (size_t cell = 0; cell < n_cells(table); cell++)
            values[cell] += value * most;
        return;
    }
    int32_t run = a == 0 ? b : width; /* with a = 0, cells that were raised are read again */
    for (int32_t c = a; c <= table->size[0]; c++)
        for (int32_t m = b; m < width; m += run)
            raise_cells(&values[cell_at(table, c, m)], &values[cell_at(table, c - a, m - b)], value,
                        run < width - m ? run : width - m);
}

static int32_t most_copies(const struct iso_pattern_table *table, int32_t i)
{
    return copy_of(table, i)->maximum_per_instance > 0 ? copy_of(table, i)->maximum_per_instance
                                                       : 1000000;
}

static double reduced_value(const struct iso_pattern_table *table, int32_t i, const double *price)
{
    double value = table->values[i];

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (k != table->axis[0] && k != table->axis[1] && price[k] > 0)
            value -= price[k] * iso_decimal_to_double(copy_of(table, i)->need[k]);
    return value;
}

/* Fills the tables of special copies from the last to the first under the multipliers. */
static void fill_special(struct iso_pattern_table *table, const double *price)
{
    size_t n = n_cells(table);

    for (int32_t s = table->n_special - 1; s >= 0; s--) {
        double *own = &table->tables[(size_t)s * n];
        memcpy(own, own + n, n * sizeof(*own));
        add_copies(table, own, table->special[s], reduced_value(table, table->special[s], price),
                   most_copies(table, table->special[s]));
    }
}

/* What a unit of resource k earns beyond what plain copies earn in the place that special copy s
 * takes of the grid. */
static double margin(const struct iso_pattern_table *table, int32_t s, int k)
{
    int32_t i = table->special[s];
    iso_decimal need = copy_of(table, i)->need[k];
    const double *plain = &table->tables[(size_t)table->n_special * n_cells(table)];

    if (need == 0 || table->need[0][i] > table->size[0] || table->need[1][i] > table->size[1])
        return 0;
    double left = reduced_value(table, i, table->price) -
                  plain[cell_at(table, table->need[0][i], table->need[1][i])];
    return left > 0 ? left / iso_decimal_to_double(need) : 0;
}

/* Sum of the logarithms of the bounds under multipliers; a price below 0 does not count. */
static double judge(struct iso_pattern_table *table, const int32_t *offerings, int32_t n_offerings)
{
    size_t n = n_cells(table);
    double sum = 0;

    memcpy(table->tables, &table->tables[(size_t)table->n_special * n], n * sizeof(double));
    for (int32_t s = 0; s < table->n_special; s++)
        add_copies(table, table->tables, table->special[s],
                   reduced_value(table, table->special[s], table->price),
                   most_copies(table, table->special[s]));
    for (int32_t o = 0; o < n_offerings; o++)
        sum += log(1e-12 + trial_bound(table, table->tables, offerings[o], table->price));
    return sum;
}

/* Sets the multiplier of k to the best of a few shares of the largest margin, then nearer to it
 * by thirds: for one offering the bound is convex in each multiplier, for several the product of
 * their bounds is the measure. */
static void choose_price(struct iso_pattern_table *table, const int32_t *offerings,
                         int32_t n_offerings, int k)
{
    int n_steps = n_offerings > 1 ? GROUP_STEPS : STEPS;
    double low = 0, high = 0, zero;

    table->price[k] = 0;
    for (int32_t s = 0; s < table->n_special; s++)
        high = fmax(high, margin(table, s, k));
    if (high == 0)
        return;
    zero = judge(table, offerings, n_offerings);
    for (int step = 0; step < n_steps; step++) {
        double left = low + (high - low) / 3, right = high - (high - low) / 3;
        table->price[k] = left;
        double at_left = judge(table, offerings, n_offerings);
        table->price[k] = right;
        if (at_left <= judge(table, offerings, n_offerings))
            high = right;
        else
            low = left;
    }
    table->price[k] = (low + high) / 2;
    if (judge(table, offerings, n_offerings) > zero)
        table->price[k] = 0;
}

static void choose_prices(struct iso_pattern_table *table, const int32_t *offerings,
                          int32_t n_offerings)
{
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        if (k != table->axis[0] && k != table->axis[1])
            choose_price(table, offerings, n_offerings, k);
}

enum iso_status iso_pattern_table_new(const struct iso_problem *problem,
                                      const struct iso_pattern_set *set, int32_t team,
                                      const double *values, const int32_t *offerings,
                                      int32_t n_offerings, const double *prices,
                                      struct iso_pattern_table **ret_table,
                                      struct iso_error *reterr)
{
    ISO_AUTO(iso_pattern_table) table = iso_calloc(1, sizeof(*table));
    size_t n = (size_t)set->n_workloads;

    if (!table)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
    table->problem = problem;
    table->set = set;
    table->team = team;
    table->n_offerings = n_offerings;
    table->values = iso_calloc(n, sizeof(*table->values));
    if (!table->values)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
    memcpy(table->values, values, n * sizeof(*values));
    choose_axes(table);
    choose_grid(table, offerings, n_offerings);
    if (!list_copies(table))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
    size_t cells = n_cells(table);
    table->tables = iso_calloc(cells * (size_t)(table->n_special + 1), sizeof(*table->tables));
    if (!table->tables)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price patterns");
    double *plain = &table->tables[(size_t)table->n_special * cells];
    for (int32_t at = 0; at < table->n_plain; at++)
        add_copies(table, plain, table->plain[at], table->values[table->plain[at]], 0);
    if (table->n_special > 0) {
        if (prices)
            memcpy(table->price, prices, sizeof(table->price));
        else
            choose_prices(table, offerings, n_offerings);
        fill_special(table, table->price);
    }
    *ret_table = ISO_STEAL(table);
    return ISO_OK;
}

const double *iso_pattern_table_prices(const struct iso_pattern_table *table)
{
    return table->price;
}

void iso_pattern_table_free(struct iso_pattern_table *table)
{
    if (!table)
        return;
    free(table->plain);
    free(table->special);
    free(table->need[0]);
    free(table->need[1]);
    free(table->values);
    free(table->tables);
    free(table);
}

double iso_pattern_table_bound(const struct iso_pattern_table *table, int32_t offering)
{
    return trial_bound(table, table->tables, offering, table->price);
}

/* --- one offering --- */

struct filling {
    struct iso_pattern_table *table;
    const int32_t *most;
    iso_decimal room[ISO_N_RESOURCES];
    int32_t *counts, *best;
    double value, best_value;
    int64_t nodes;
};

static int32_t fits(const struct filling *filling, int32_t i)
{
    const struct iso_workload *workload = copy_of(filling->table, i);
    int64_t n = filling->most[i] - filling->counts[i];

    for (int k = 0; k < ISO_N_RESOURCES && n > 0; k++)
        if (workload->need[k] > 0 && filling->room[k] / workload->need[k] < n)
            n = filling->room[k] / workload->need[k];
    return (int32_t)(n > 0 ? n : 0);
}

static void take(struct filling *filling, int32_t i, int32_t n)
{
    const struct iso_workload *workload = copy_of(filling->table, i);

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        filling->room[k] -= n * workload->need[k];
    filling->counts[i] += n;
    filling->value += n * filling->table->values[i];
}

static void cells_of(const struct filling *filling, int32_t *ret_cell)
{
    const struct iso_pattern_table *table = filling->table;

    for (int g = 0; g < GRID; g++)
        ret_cell[g] = table->axis[g] < 0
                          ? 0
                          : (int32_t)(filling->room[table->axis[g]] / table->unit[g]) +
                                (!table->exact && table->unit[g] > 0 &&
                                 filling->room[table->axis[g]] % table->unit[g] != 0);
}

/* The plain copy that is taken at a cell of the table of plain copies; -1 = none. Sums in another
 * order differ by rounding. */
static int32_t taken_at(const struct iso_pattern_table *table, const int32_t *cell)
{
    const double *plain = &table->tables[(size_t)table->n_special * n_cells(table)];
    double value = plain[cell_at(table, cell[0], cell[1])];

    for (int32_t at = 0; at < table->n_plain && value > 0; at++) {
        int32_t i = table->plain[at], c = cell[0] - table->need[0][i],
                m = cell[1] - table->need[1][i];
        if (c >= 0 && m >= 0 &&
            plain[cell_at(table, c, m)] + table->values[i] >= value * (1 - ROUNDING))
            return i;
    }
    return -1;
}

/* Fills what is left with plain copies as the table says, as far as they really fit. */
static void fill_plain(struct filling *filling)
{
    const struct iso_pattern_table *table = filling->table;
    int32_t cell[GRID], taken[MOST_TAKEN], n_taken = 0;

    cells_of(filling, cell);
    while (n_taken < MOST_TAKEN) {
        int32_t i = taken_at(table, cell);
        if (i < 0)
            break;
        cell[0] -= table->need[0][i];
        cell[1] -= table->need[1][i];
        if (fits(filling, i) == 0)
            continue;
        take(filling, i, 1);
        taken[n_taken++] = i;
    }
    if (filling->value > filling->best_value) {
        filling->best_value = filling->value;
        memcpy(filling->best, filling->counts,
               (size_t)table->set->n_workloads * sizeof(*filling->best));
    }
    while (n_taken > 0)
        take(filling, taken[--n_taken], -1);
}

static double branch_bound(const struct filling *filling, int32_t s)
{
    const struct iso_pattern_table *table = filling->table;
    int32_t cell[GRID];
    double bound;

    cells_of(filling, cell);
    bound = filling->value +
            table->tables[(size_t)s * n_cells(table) + cell_at(table, cell[0], cell[1])];
    for (int k = 0; k < ISO_N_RESOURCES && s < table->n_special; k++)
        if (k != table->axis[0] && k != table->axis[1] && table->price[k] > 0)
            bound += table->price[k] * iso_decimal_to_double(filling->room[k]);
    return bound;
}

static void search(struct filling *filling, int32_t s)
{
    if (s == filling->table->n_special) {
        fill_plain(filling);
        return;
    }
    if (filling->nodes <= 0 || branch_bound(filling, s) <= filling->best_value * (1 + 1e-12))
        return;
    int32_t i = filling->table->special[s];
    for (int32_t n = fits(filling, i); n >= 0; n--) {
        filling->nodes--;
        take(filling, i, n);
        search(filling, s + 1);
        take(filling, i, -n);
    }
}

/* The same with a table, and multipliers, for the one offering. */
static double best_alone(const struct iso_pattern_table *group, int32_t offering,
                         const int32_t *most, double worth, int32_t *ret_counts, double *ret_bound)
{
    ISO_AUTO(iso_pattern_table) table = NULL;
    struct iso_error error;

    memset(ret_counts, 0, (size_t)group->set->n_workloads * sizeof(*ret_counts));
    if (iso_pattern_table_new(group->problem, group->set, group->team, group->values, &offering, 1,
                              NULL, &table, &error) != ISO_OK)
        return 0;
    return iso_pattern_table_best(table, offering, most, worth, true, ret_counts, ret_bound);
}

double iso_pattern_table_best(struct iso_pattern_table *table, int32_t offering,
                              const int32_t *most, double worth, bool thorough, int32_t *ret_counts,
                              double *ret_bound)
{
    size_t n = (size_t)table->set->n_workloads;
    ISO_AUTO_MEM int32_t *counts = iso_calloc(n, sizeof(*counts));
    double bound = iso_pattern_table_bound(table, offering);

    memset(ret_counts, 0, n * sizeof(*ret_counts));
    *ret_bound = bound;
    if (!counts || bound <= worth)
        return 0;
    struct filling filling = {.table = table,
                              .most = most,
                              .counts = counts,
                              .best = ret_counts,
                              .best_value = worth > 0 ? worth : 0,
                              .nodes = table->n_offerings > 1 ? MOST_NODES : MOST_NODES_ALONE};
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        filling.room[k] = room_of(table, offering, k);
    search(&filling, 0);
    if (filling.nodes <= 0 && table->n_offerings > 1 && thorough)
        return best_alone(table, offering, most, worth, ret_counts, ret_bound);
    double value = 0;
    for (size_t i = 0; i < n; i++)
        value += ret_counts[i] * table->values[i];
    if (filling.nodes > 0 && table->exact)
        *ret_bound = fmax(filling.best_value, value);
    return value;
}
