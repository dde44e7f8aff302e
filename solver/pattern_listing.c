/* All patterns that a better plan may use.
 *
 * Let L be the relaxation's bound, U the value of the best plan and r_p >= 0 the reduced costs
 * under the relaxation's multipliers. A plan that uses pattern p costs at least L + r_p, so a
 * better one uses only patterns with
 *
 *     price_o - sum_j value_j n_j  <=  U - L.
 *
 * More copies than all rows ask for are of no use, and a pattern may be filled up as long as a row
 * asks for more: patterns with n_j <= asked_j to which nothing can be added are enough. They are
 * enumerated by depth-first search. What the copies still open can add is bounded by tables over
 * the two resources that most copies need,
 *
 *     T_k(c, m) = max over 0 <= n <= asked_k of  T_{k+1}(c - n need_kc, m - n need_km) + n value_k
 *
 * on a grid of common divisors, or coarser with needs rounded down and room up. When the list is
 * complete, a tree over it is exact. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pool_prices.h"

#define MOST_LISTED 1000     /* columns; beyond, a tree closes nothing */
#define MOST_NODES 4000000   /* of all searches of a pool and period together */
#define MOST_CELLS 3000000.0 /* of the tables of one offering together */
#define TOLERANCE 1e-9

enum { GRID = 2 };

struct listing {
    struct iso_search *search;
    const struct iso_pattern_set *set;
    int32_t team, period, list;
    double gap;
    double *values, *prices; /* of all lists; see pool_prices.h */
    const double *value;     /* of the list at hand */
    int32_t *most, *counts, *order;
    iso_decimal room[ISO_N_RESOURCES];
    int axis[GRID]; /* -1 = none */
    iso_decimal unit[GRID];
    int32_t size[GRID]; /* cells are 0 .. size */
    double *tables;     /* n_workloads + 1 of them, by place in the order; the last is 0 */
    double asked;       /* the least worth of a pattern that is looked for */
    int64_t nodes;      /* that are left */
    int32_t n_listed;
    bool complete;
    enum iso_status status;
    struct iso_error *reterr;
};

static const struct iso_workload *copy_of(const struct listing *listing, int32_t i)
{
    return &listing->search->problem->workloads[listing->set->workloads[i]];
}

/* Copies of place i that still fit and are of use. */
static int32_t fits(const struct listing *listing, int32_t i)
{
    const struct iso_workload *copy = copy_of(listing, i);
    int64_t n = listing->most[i] - listing->counts[i];

    for (int k = 0; k < ISO_N_RESOURCES && n > 0; k++)
        if (copy->need[k] > 0 && listing->room[k] / copy->need[k] < n)
            n = listing->room[k] / copy->need[k];
    return (int32_t)(n > 0 ? n : 0);
}

static void take(struct listing *listing, int32_t i, int32_t n)
{
    const struct iso_workload *copy = copy_of(listing, i);

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        listing->room[k] -= n * copy->need[k];
    listing->counts[i] += n;
}

/* Room of an empty instance, and how many copies of each place are of use there. */
static enum iso_status open_instance(struct listing *listing)
{
    const struct iso_problem *problem = listing->search->problem;
    int32_t offering = listing->set->lists[listing->list].offering;

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        listing->room[k] = iso_pattern_room(problem, listing->team, offering, k);
    ISO_TRY(iso_pool_most(listing->search, listing->team, listing->list, listing->period,
                          listing->most, listing->reterr));
    for (int32_t i = 0; i < listing->set->n_workloads; i++)
        listing->most[i] = fits(listing, i);
    return ISO_OK;
}

/* Places by what they take of the instance, most first: the end fills up whatever is left. */
static void choose_order(struct listing *listing)
{
    for (int32_t i = 0; i < listing->set->n_workloads; i++) {
        int32_t at = i;
        double share = 0;
        for (; at > 0; at--) {
            double own = 0, before = 0;
            for (int k = 0; k < ISO_N_RESOURCES; k++)
                if (listing->room[k] > 0) {
                    double room = (double)listing->room[k];
                    own += (double)copy_of(listing, i)->need[k] / room;
                    before += (double)copy_of(listing, listing->order[at - 1])->need[k] / room;
                }
            share = own;
            if (before >= share)
                break;
            listing->order[at] = listing->order[at - 1];
        }
        listing->order[at] = i;
    }
}

static iso_decimal divisor(iso_decimal a, iso_decimal b)
{
    while (b != 0) {
        iso_decimal rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void choose_grid(struct listing *listing)
{
    int32_t users[ISO_N_RESOURCES] = {0}, n = listing->set->n_workloads;
    bool exact = true;

    for (int32_t i = 0; i < n; i++)
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            users[k] += listing->most[i] > 0 && copy_of(listing, i)->need[k] > 0;
    for (int g = 0; g < GRID; g++) {
        listing->axis[g] = -1;
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            if (users[k] > 0 && (listing->axis[g] < 0 || users[k] > users[listing->axis[g]]))
                listing->axis[g] = k;
        listing->unit[g] = 0;
        for (int32_t i = 0; i < n && listing->axis[g] >= 0; i++)
            if (listing->most[i] > 0)
                listing->unit[g] =
                    divisor(copy_of(listing, i)->need[listing->axis[g]], listing->unit[g]);
        if (listing->axis[g] >= 0)
            users[listing->axis[g]] = 0;
    }
    for (;;) {
        double cells = n + 1;
        int finest = 0;
        for (int g = 0; g < GRID; g++) {
            iso_decimal room = listing->axis[g] < 0 ? 0 : listing->room[listing->axis[g]];
            listing->size[g] = listing->unit[g] ? (int32_t)(room / listing->unit[g] + !exact) : 0;
            cells *= listing->size[g] + 1;
            if (listing->size[g] > listing->size[finest])
                finest = g;
        }
        if (cells <= MOST_CELLS)
            return;
        listing->unit[finest] *= 2;
        exact = false;
    }
}

static size_t n_cells(const struct listing *listing)
{
    return (size_t)(listing->size[0] + 1) * (size_t)(listing->size[1] + 1);
}

/* The cell of the room at hand, rounded up, in table `at`. */
static double bound_at(const struct listing *listing, int32_t at)
{
    size_t cell = 0;

    for (int g = 0; g < GRID; g++) {
        int32_t place = 0;
        if (listing->axis[g] >= 0) {
            iso_decimal room = listing->room[listing->axis[g]];
            place = (int32_t)(room / listing->unit[g]);
            if (place < listing->size[g] && room % listing->unit[g] != 0)
                place++;
        }
        cell = cell * (size_t)(listing->size[g] + 1) + (size_t)place;
    }
    return listing->tables[(size_t)at * n_cells(listing) + cell];
}

/* Table of place `at` of the order from the one behind it. */
static void fill_table(struct listing *listing, int32_t at)
{
    int32_t i = listing->order[at], step[GRID], stride = listing->size[1] + 1;
    double *own = &listing->tables[(size_t)at * n_cells(listing)];
    const double *behind = own + n_cells(listing);
    double value = fmax(0, listing->value[i]);

    for (int g = 0; g < GRID; g++)
        step[g] = listing->axis[g] < 0
                      ? 0
                      : (int32_t)(copy_of(listing, i)->need[listing->axis[g]] / listing->unit[g]);
    memcpy(own, behind, n_cells(listing) * sizeof(*own));
    for (int32_t n = 1; n <= listing->most[i] && value > 0; n++)
        for (int32_t c = n * step[0]; c <= listing->size[0]; c++) {
            const double *from = &behind[(c - n * step[0]) * stride];
            double *to = &own[c * stride + n * step[1]];
            for (int32_t m = 0; m <= listing->size[1] - n * step[1]; m++)
                to[m] = fmax(to[m], from[m] + n * value);
        }
}

static void list_pattern(struct listing *listing)
{
    struct iso_formulation *f = listing->search->formulation;
    bool is_new;

    for (int32_t i = 0; i < listing->set->n_workloads; i++)
        if (fits(listing, i) > 0)
            return;
    if (listing->n_listed++ >= MOST_LISTED) {
        listing->complete = false;
        return;
    }
    int32_t pattern = iso_pattern_add(listing->set, &f->pools[listing->team].lists[listing->list],
                                      listing->counts, &is_new);
    if (pattern < 0)
        listing->status = iso_fail(listing->reterr, ISO_E_NOMEM, "", "no memory for a pattern");
    for (int32_t t = 0; t < f->problem->n_periods && listing->status == ISO_OK && is_new; t++)
        listing->status = iso_formulation_add_pattern(f, listing->team, listing->list, pattern, t,
                                                      listing->reterr);
}

static void search_from(struct listing *listing, int32_t at, double worth)
{
    if (!listing->complete || listing->status != ISO_OK ||
        worth + bound_at(listing, at) < listing->asked)
        return;
    if (at == listing->set->n_workloads) {
        list_pattern(listing);
        return;
    }
    int32_t i = listing->order[at];
    int32_t most = fits(listing, i);
    for (int32_t n = most; n >= 0; n--) {
        if (listing->nodes-- <= 0)
            listing->complete = false;
        take(listing, i, n);
        search_from(listing, at + 1, worth + n * fmax(0, listing->value[i]));
        take(listing, i, -n);
    }
}

static enum iso_status list_offering(struct listing *listing)
{
    int32_t n = listing->set->n_workloads;

    if (iso_search_stops(listing->search)) {
        listing->complete = false;
        return ISO_OK;
    }
    listing->value = &listing->values[(size_t)listing->list * (size_t)n];
    listing->asked = listing->prices[listing->list] - listing->gap -
                     TOLERANCE * (1 + fabs(listing->prices[listing->list]));
    ISO_TRY(open_instance(listing));
    choose_order(listing);
    choose_grid(listing);
    free(listing->tables);
    listing->tables = iso_calloc(n_cells(listing) * (size_t)(n + 1), sizeof(*listing->tables));
    if (!listing->tables)
        return iso_fail(listing->reterr, ISO_E_NOMEM, "", "no memory to list patterns");
    for (int32_t at = n - 1; at >= 0; at--)
        fill_table(listing, at);
    search_from(listing, 0, 0);
    return listing->status;
}

static void listing_fini(struct listing *listing)
{
    free(listing->values);
    free(listing->prices);
    free(listing->most);
    free(listing->counts);
    free(listing->order);
    free(listing->tables);
}

static enum iso_status list_pool(struct listing *listing, const double *duals)
{
    size_t n = (size_t)listing->set->n_workloads, n_lists = (size_t)listing->set->n_lists;

    listing->values = iso_calloc(n_lists * n, sizeof(*listing->values));
    listing->prices = iso_calloc(n_lists, sizeof(*listing->prices));
    listing->most = iso_calloc(n, sizeof(*listing->most));
    listing->counts = iso_calloc(n, sizeof(*listing->counts));
    listing->order = iso_calloc(n, sizeof(*listing->order));
    if (!listing->values || !listing->prices || !listing->most || !listing->counts ||
        !listing->order)
        return iso_fail(listing->reterr, ISO_E_NOMEM, "", "no memory to list patterns");
    for (int32_t t = 0; t < listing->search->problem->n_periods && listing->complete; t++) {
        listing->period = t;
        ISO_TRY(iso_price_pool(listing->search, duals, listing->team, t, listing->values,
                               listing->prices, listing->reterr));
        for (int32_t l = 0; l < listing->set->n_lists && listing->complete; l++) {
            listing->list = l;
            if (!listing->set->lists[l].complete)
                ISO_TRY(list_offering(listing));
        }
    }
    return ISO_OK;
}

enum iso_status iso_list_patterns(struct iso_search *search, const double *duals,
                                  struct iso_error *reterr)
{
    int32_t before = search->formulation->mip.n_columns, n_listed = 0;

    search->listed = true;
    for (int32_t g = 0; g < search->problem->n_teams && search->listed; g++) {
        struct listing listing __attribute__((cleanup(listing_fini))) = {
            .search = search,
            .set = &search->formulation->pools[g],
            .team = g,
            .gap = search->best_value - search->tier_bound,
            .nodes = MOST_NODES,
            .n_listed = n_listed,
            .complete = true,
            .reterr = reterr};
        if (listing.set->n_lists > 0)
            ISO_TRY(list_pool(&listing, duals));
        n_listed = listing.n_listed;
        search->listed = listing.complete;
    }
    return iso_search_grow(search, before, reterr);
}
