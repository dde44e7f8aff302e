/* The best filling of every kind of instance at once, no class beyond what is asked.
 *
 *   T_0 = 0,  T_{i+1}(c, m) = max over 0 <= t <= d_i of  T_i(c - t need_ic, m - t need_im) + t v_i
 *
 * on the grid of common divisors, so that nothing is rounded; F_k = T_n(room of kind k). All layers
 * are kept: a filling is read off backwards, and all fillings that are worth nearly F_k are found
 * by a depth-first search that a branch leaves when its layer says that it cannot end there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"

#define MOST_CELLS 4e6 /* of all layers together */
#define MOST_LISTED 100000
#define NODES_A_WORK 20000 /* of a search */
#define TIE 1e-9           /* relative */

enum { GRID = 2 };

struct iso_counts_table {
    int32_t n, n_kinds;
    int32_t size[GRID];    /* cells are 0 .. size - 1 */
    int32_t *need[GRID];   /* [class] in steps */
    int32_t *room[GRID];   /* [kind] in steps */
    const int32_t *demand; /* [class] */
    double *layers;        /* n + 1 tables */
    double value[];        /* [class] */
};

static iso_decimal divisor(iso_decimal a, iso_decimal b)
{
    return b == 0 ? a : divisor(b, a % b);
}

static iso_decimal room_of(const struct iso_counts *counts, int32_t kind, int k)
{
    const struct iso_problem *problem = counts->search->problem;
    int32_t team = counts->team;
    int32_t offering = counts->search->formulation->pools[team].lists[counts->list[kind]].offering;

    return iso_pattern_room(problem, team, offering, k);
}

static const struct iso_workload *copy_of(const struct iso_counts *counts, int32_t class)
{
    const struct iso_pattern_set *set = &counts->search->formulation->pools[counts->team];

    return &counts->search->problem->workloads[set->workloads[counts->place[class]]];
}

/* The resources that some class needs; false when they are more than the grid has. */
static bool choose_axes(const struct iso_counts *counts, int *ret_axis)
{
    int n = 0;

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        bool used = false;
        for (int32_t i = 0; i < counts->n; i++)
            used |= copy_of(counts, i)->need[k] > 0;
        if (used && n == GRID)
            return false;
        if (used)
            ret_axis[n++] = k;
    }
    for (int g = n; g < GRID; g++)
        ret_axis[g] = -1;
    return n > 0;
}

/* Whether each class may run wherever it fits, so that kinds differ in their room only. */
static bool is_uniform(const struct iso_counts *counts)
{
    for (int32_t i = 0; i < counts->n; i++)
        for (int32_t kind = 0; kind < counts->n_kinds; kind++) {
            const struct iso_workload *copy = copy_of(counts, i);
            const struct iso_pattern_set *set = &counts->search->formulation->pools[counts->team];
            bool fits = true;
            for (int k = 0; k < ISO_N_RESOURCES; k++)
                fits &= copy->need[k] <= room_of(counts, kind, k);
            if (copy->maximum_per_instance > 0 ||
                fits !=
                    (iso_workload_find_option(copy, set->lists[counts->list[kind]].offering) >= 0))
                return false;
        }
    return true;
}

static bool measure(struct iso_counts_table *table, const struct iso_counts *counts,
                    const int *axis)
{
    for (int g = 0; g < GRID; g++) {
        iso_decimal step = 0, most = 0;
        table->need[g] = iso_calloc((size_t)table->n, sizeof(int32_t));
        table->room[g] = iso_calloc((size_t)table->n_kinds, sizeof(int32_t));
        table->size[g] = 1;
        if (!table->need[g] || !table->room[g])
            return false;
        if (axis[g] < 0)
            continue;
        for (int32_t i = 0; i < table->n; i++)
            step = divisor(copy_of(counts, i)->need[axis[g]], step);
        for (int32_t k = 0; k < table->n_kinds; k++)
            most = room_of(counts, k, axis[g]) > most ? room_of(counts, k, axis[g]) : most;
        if ((double)(most / step) > MOST_CELLS)
            return false;
        table->size[g] = (int32_t)(most / step) + 1;
        for (int32_t i = 0; i < table->n; i++) {
            iso_decimal steps = copy_of(counts, i)->need[axis[g]] / step;
            table->need[g][i] = steps < table->size[g] ? (int32_t)steps : table->size[g];
        }
        for (int32_t k = 0; k < table->n_kinds; k++)
            table->room[g][k] = (int32_t)(room_of(counts, k, axis[g]) / step);
    }
    return true;
}

static size_t n_cells(const struct iso_counts_table *table)
{
    return (size_t)table->size[0] * (size_t)table->size[1];
}

void iso_counts_table_free(struct iso_counts_table *table)
{
    if (!table)
        return;
    for (int g = 0; g < GRID; g++) {
        free(table->need[g]);
        free(table->room[g]);
    }
    free(table->layers);
    free(table);
}

struct iso_counts_table *iso_counts_table_new(const struct iso_counts *counts)
{
    int axis[GRID];
    size_t n = (size_t)counts->n;
    struct iso_counts_table *table = iso_calloc(1, sizeof(*table) + n * sizeof(double));

    if (!table)
        return NULL;
    table->n = counts->n;
    table->n_kinds = counts->n_kinds;
    table->demand = counts->demand;
    bool ok = choose_axes(counts, axis) && is_uniform(counts) && measure(table, counts, axis) &&
              (double)(n + 1) * (double)table->size[0] * table->size[1] <= MOST_CELLS;
    if (ok)
        table->layers = iso_calloc((n + 1) * n_cells(table), sizeof(double));
    if (!table->layers) {
        iso_counts_table_free(table);
        return NULL;
    }
    return table;
}

/* Lets a layer hold one lot of `times` copies of a class, at most once. */
static void admit(const struct iso_counts_table *table, double *layer, int32_t i, int32_t times)
{
    int64_t a = (int64_t)times * table->need[0][i], b = (int64_t)times * table->need[1][i];
    double value = times * table->value[i];

    for (int64_t c = table->size[0] - 1; c >= a; c--) {
        const double *from = &layer[(c - a) * table->size[1]];
        double *to = &layer[c * table->size[1]];
        for (int64_t m = table->size[1] - 1; m >= b; m--)
            if (from[m - b] + value > to[m])
                to[m] = from[m - b] + value;
    }
}

void iso_counts_table_fill(struct iso_counts_table *table, const double *multipliers,
                           double *ret_worth)
{
    size_t cells = n_cells(table);
    const double *last = &table->layers[(size_t)table->n * cells];

    memset(table->layers, 0, cells * sizeof(double));
    for (int32_t i = 0; i < table->n; i++) {
        double *own = &table->layers[(size_t)(i + 1) * cells];
        int32_t left = table->demand[i];
        table->value[i] = multipliers[i];
        memcpy(own, own - cells, cells * sizeof(double));
        for (int32_t lot = 1; left > 0 && multipliers[i] > 0; lot *= 2) { /* 1, 2, 4, ... , rest */
            int32_t times = lot < left ? lot : left;
            admit(table, own, i, times);
            left -= times;
        }
    }
    for (int32_t k = 0; k < table->n_kinds; k++)
        ret_worth[k] =
            last[(size_t)table->room[0][k] * (size_t)table->size[1] + (size_t)table->room[1][k]];
}

/* --- fillings --- */

struct filling {
    const struct iso_counts_table *table;
    int32_t room[GRID];
    int32_t *content;
    double asked; /* the least worth */
    int32_t **io_list;
    int32_t *io_n; /* numbers in the list */
    int64_t nodes;
    bool complete;
};

static int32_t fits(const struct filling *filling, int32_t i)
{
    int32_t most = filling->table->demand[i] - filling->content[i];

    for (int g = 0; g < GRID; g++)
        if (filling->table->need[g][i] > 0 && filling->room[g] / filling->table->need[g][i] < most)
            most = filling->room[g] / filling->table->need[g][i];
    return most;
}

static void take(struct filling *filling, int32_t i, int32_t times)
{
    filling->content[i] += times;
    for (int g = 0; g < GRID; g++)
        filling->room[g] -= times * filling->table->need[g][i];
}

static double rest_at(const struct filling *filling, int32_t layer)
{
    const struct iso_counts_table *table = filling->table;

    return table
        ->layers[(size_t)layer * n_cells(table) +
                 (size_t)filling->room[0] * (size_t)table->size[1] + (size_t)filling->room[1]];
}

/* A filling is listed when no copy can be added. */
static void list_filling(struct filling *filling)
{
    int32_t n = filling->table->n;

    for (int32_t i = 0; i < n; i++)
        if (fits(filling, i) > 0)
            return;
    if (*filling->io_n >= MOST_LISTED * n) {
        filling->complete = false;
        return;
    }
    for (int32_t i = 0; i < n; i++)
        filling->complete &=
            iso_append(filling->io_list, filling->io_n, sizeof(int32_t), &filling->content[i]);
}

/* Classes from layer - 1 down; `worth` is that of what is taken. */
static void search_from(struct filling *filling, int32_t layer, double worth)
{
    if (!filling->complete || worth + rest_at(filling, layer) < filling->asked)
        return;
    if (filling->nodes-- <= 0)
        filling->complete = false;
    if (layer == 0) {
        list_filling(filling);
        return;
    }
    int32_t i = layer - 1;
    for (int32_t times = fits(filling, i); times >= 0; times--) {
        take(filling, i, times);
        search_from(filling, i, worth + times * filling->table->value[i]);
        take(filling, i, -times);
    }
}

bool iso_counts_table_list(const struct iso_counts_table *table, int32_t kind, double asked,
                           int32_t **io_list, int32_t *io_n, int64_t *io_work)
{
    ISO_AUTO_MEM int32_t *content = iso_calloc((size_t)table->n, sizeof(*content));
    struct filling filling = {.table = table,
                              .room = {table->room[0][kind], table->room[1][kind]},
                              .content = content,
                              .asked = asked,
                              .io_list = io_list,
                              .io_n = io_n,
                              .nodes = *io_work * NODES_A_WORK,
                              .complete = content};

    if (content)
        search_from(&filling, table->n, 0);
    *io_work = filling.nodes > 0 ? filling.nodes / NODES_A_WORK : 0;
    return filling.complete;
}

void iso_counts_table_best(const struct iso_counts_table *table, int32_t kind, int32_t *ret_content)
{
    struct filling filling = {.table = table,
                              .room = {table->room[0][kind], table->room[1][kind]},
                              .content = ret_content};

    memset(ret_content, 0, (size_t)table->n * sizeof(*ret_content));
    for (int32_t i = table->n - 1; i >= 0; i--) {
        double whole = rest_at(&filling, i + 1);
        int32_t most = fits(&filling, i), times = 0;
        for (; times < most; times++) {
            take(&filling, i, times);
            bool found =
                rest_at(&filling, i) + times * table->value[i] >= whole - TIE * fabs(whole);
            take(&filling, i, -times);
            if (found)
                break;
        }
        take(&filling, i, times);
    }
    for (int32_t i = 0; i < table->n; i++) /* room that is worth nothing */
        take(&filling, i, fits(&filling, i));
}
