/* What the lines of a bill and its penalties share. */
#ifndef ISOCOST_PROBLEM_LEDGER_SUMS_H
#define ISOCOST_PROBLEM_LEDGER_SUMS_H

#include "isocost/ledger.h"

/* All that a cell runs of one offering in one period. */
struct iso_ledger_amount {
    int32_t period, cell, offering;
    int64_t count;
    iso_wide served;
    int32_t first_cover, n_covers; /* in iso_ledger.covers */
    int32_t line;                  /* of the bill */
};

struct iso_ledger {
    const struct iso_problem *problem;
    const struct iso_plan *plan;
    struct iso_ledger_amount *amounts; /* by (period, cell, offering), distinct */
    struct iso_cover *covers;          /* the plan's, in the same order */
    int32_t n_amounts;
    struct iso_line *lines; /* grows */
    int32_t n_lines, lines_capacity;
    iso_wide starts, stops, moves; /* in period 0 */
};

/* Whether all that the plan names is there, in numbers that can be counted. */
enum iso_status iso_ledger_check(const struct iso_problem *problem, const struct iso_plan *plan,
                                 struct iso_error *reterr);

/* Instances of an amount that the flagged products cover; NULL: all of them. */
iso_wide iso_ledger_covered(const struct iso_ledger *ledger, const struct iso_ledger_amount *amount,
                            const uint8_t *products);

/* Units or lots of a product that are in force in each period, in 1e-9, to `ret_held` with a place
 * for each; false when there are none in any. */
bool iso_ledger_held(const struct iso_ledger *ledger, int32_t product, iso_wide *ret_held);

/* Adds a line of one period to the bill. ISO_E_NOMEM without a text when memory is short. */
enum iso_status iso_ledger_add(struct iso_ledger *ledger, const struct iso_line *line);

/* round(quantity * upfront * rate * inside / term), half to even; false when out of range. All >=
 * 0, term > 0. */
bool iso_ledger_amortised(int64_t quantity, iso_decimal upfront, iso_decimal rate,
                          iso_decimal inside, iso_decimal term, iso_decimal *ret_value);

/* The EGRESS line of a flow in a direction, but for its `start`; false when out of range. */
bool iso_ledger_egress(const struct iso_problem *problem, const struct iso_flow *flow,
                       enum iso_direction direction, struct iso_line *ret_line);

/* What egress adds to the spend of a window; false when out of range. */
bool iso_ledger_egress_spend(const struct iso_ledger *ledger, const struct iso_budget *budget,
                             const struct iso_window *window, iso_wide *io_spend);

/* Adds the INSTANCE and FEE lines, in runs. */
enum iso_status iso_ledger_instances(struct iso_ledger *ledger, struct iso_error *reterr);
enum iso_status iso_ledger_fees(struct iso_ledger *ledger, struct iso_error *reterr);

/* Adds the VOLUME lines, after all INSTANCE lines. */
enum iso_status iso_ledger_volumes(struct iso_ledger *ledger, struct iso_error *reterr);

/* The penalties of each scenario, or in ret_sums[0] of all. */
enum iso_status iso_ledger_penalties(const struct iso_ledger *ledger, iso_wide *ret_sums,
                                     struct iso_error *reterr);

/* What each scenario costs, from the lines and its penalties; false when out of range. */
bool iso_ledger_scenarios(const struct iso_ledger *ledger, const iso_wide *penalties,
                          struct iso_bill *ret_bills);

/* tail_weight * (conditional value at risk - mean), at least 0; see docs/reference/model.md. False
 * when out of range. */
bool iso_ledger_risk(const struct iso_problem *problem, const struct iso_bill *bills,
                     iso_decimal *ret_risk);

/* Failures of all of them. */
enum iso_status iso_ledger_out_of_range(struct iso_error *reterr, const char *field);
enum iso_status iso_ledger_no_memory(struct iso_error *reterr);

/* Whole things as a decimal; false when out of range. */
static inline bool iso_ledger_whole(iso_wide count, iso_decimal *ret_value)
{
    return iso_wide_to_decimal(count * ISO_DECIMAL_ONE, ret_value);
}

#endif
