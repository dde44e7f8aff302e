/* Where the search for the cheapest plan begins when a problem like it was solved before: the plan,
 * the multipliers and the basis of that solve, all by the names of rows and columns.
 *
 * Problems are alike when they have the same workloads, options, rules, products and periods by
 * name; prices, demands, limits, budgets and rates may differ. Then the old basis is dual feasible
 * when sides of rows have changed, and primal feasible when prices have, so that few steps of the
 * simplex are left (G. B. Dantzig, Linear Programming and Extensions, 1963, chapter 12). Nothing
 * here is believed: the plan is mended and checked like any other, the basis is one to go on from,
 * and multipliers are those that the new relaxation has. */
#ifndef ISOCOST_WARM_START_H
#define ISOCOST_WARM_START_H

#include "past_entries.h"
#include "search.h"

/* A row or column by what it stands for. */
struct iso_mip_name {
    int32_t kind, a, b, c, d;
};

struct iso_named_value {
    struct iso_mip_name name;
    double value;
};

struct iso_name_list {
    int32_t n;
    struct iso_mip_name *items;
};

struct iso_value_list {
    int32_t n;
    struct iso_named_value *items;
};

struct iso_warm_start {
    bool known;                                /* the past had one */
    struct iso_value_list plan, duals;         /* what is not 0 */
    struct iso_name_list columns_in, rows_out; /* of the basis */
};

void iso_warm_start_fini(struct iso_warm_start *start);

/* Asks a past, which may be NULL, for the start of the problem that this one differs least from:
 * in the fewest of its workloads' demands and prices, limits and budgets. Errors: ISO_E_NOMEM. */
enum iso_status iso_warm_start_recall(struct iso_past *past, const struct iso_problem *problem,
                                      struct iso_warm_start *ret_start, struct iso_error *reterr);

/* Keeps a start, beside a few of problems like this one. Errors: ISO_E_NOMEM. */
enum iso_status iso_warm_start_keep(struct iso_past *past, const struct iso_problem *problem,
                                    const struct iso_warm_start *start, struct iso_error *reterr);

/* Lists the columns of a start that is known, sets the basis that the relaxation starts from, and
 * offers the plan. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_warm_start_begin(struct iso_search *search, const struct iso_warm_start *start,
                                     struct iso_error *reterr);

/* Multipliers that differ from those of the start by digits alone are made equal to them: then what
 * is made of them is equal too. Errors: ISO_E_NOMEM. */
enum iso_status iso_warm_start_snap(const struct iso_search *search,
                                    const struct iso_warm_start *start, double *duals,
                                    struct iso_error *reterr);

/* Takes the basis of a relaxation that is solved, and its multipliers, in the place of what the
 * start had. Errors: ISO_E_NOMEM. */
enum iso_status iso_warm_start_note(const struct iso_search *search, const struct iso_lp *lp,
                                    const double *duals, struct iso_warm_start *start,
                                    struct iso_error *reterr);

/* Keeps what was noted, with the best plan, for the next problem of the kind. Errors: ISO_E_NOMEM.
 */
enum iso_status iso_warm_start_end(const struct iso_search *search, struct iso_warm_start *start,
                                   struct iso_error *reterr);

#endif
