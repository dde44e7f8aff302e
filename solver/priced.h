/* Prices under multipliers: what an instance costs once every rule is paid for, and what a unit
 * served earns. Proofs and runners-up are made of these. */
#ifndef ISOCOST_PRICED_H
#define ISOCOST_PRICED_H

#include "search.h"

#define ISO_PROOF_MARGIN 1e-11 /* relative; well above the rounding of sums in double */

struct iso_priced {
    const struct iso_search *search;
    struct iso_formulation *f;
    struct iso_mip *mip;
    double *dual;   /* n_rows multipliers */
    bool objective; /* false: all costs are 0 */
    double money;   /* weight of money in the objective, frozen tiers included */
    double factor;
    double *factors; /* n_workloads, in its place where not everything is listed; else NULL */
};

/* Sums of multiplier times entry of one column: over scaled rows, and over the others. */
struct iso_weights {
    double gain, rest;
};

/* +1 for rows that ask for more, -1 for caps, 0 for equations. */
int iso_row_direction(const struct iso_mip_row *row);

/* Rows whose multipliers a proof scales by its factor: those that ask for more, and caps on shares,
 * whose right side is 0. */
bool iso_row_is_scaled(const struct iso_mip_row *row);

/* c_j of the tier at hand plus what frozen tiers add through their multipliers. */
double iso_priced_cost(const struct iso_priced *priced, const struct iso_mip_column *column);

/* What one entry of a column takes off its cost. Frozen tiers are in iso_priced_cost() already. */
double iso_priced_part(const struct iso_priced *priced, const struct iso_mip_entry *entry);

/* Weight of money in the objective, frozen tiers included. */
double iso_priced_money(const struct iso_priced *priced);

/* What the rules give for `amount` units served by an option; INFINITY when memory is short. */
double iso_priced_service(struct iso_priced *priced, int32_t workload, int32_t option,
                          int32_t period, double amount);

/* What one instance costs before what it serves is counted, and what floors on instances give for
 * it; -INFINITY when memory is short. */
double iso_priced_instance(struct iso_priced *priced, int32_t cell, int32_t offering,
                           int32_t period, double *ret_gain);

/* The rule that adds most to the cost of one instance of an option, if any adds anything. */
bool iso_priced_dearest(struct iso_priced *priced, int32_t cell, int32_t workload, int32_t option,
                        int32_t period, struct iso_rule *ret_rule);

/* Lowers the factor until `gain` scaled by it is at most `available`. */
void iso_priced_shrink(struct iso_priced *priced, double available, double gain);

/* The same for every filling of an instance of every pool, in every period. Errors: ISO_E_NOMEM. */
enum iso_status iso_priced_fit_pools(struct iso_priced *priced, struct iso_error *reterr);

/* The part of what a unit served is worth that its region gives: ARRIVAL rows. */
double iso_priced_arrival(struct iso_priced *priced, int32_t workload, int32_t option,
                          int32_t period);

/* --- where not everything is listed, see proof_unlisted.c --- */

/* Whether the verifier finds the multipliers of a product itself. */
bool iso_priced_is_implied(const struct iso_priced *priced, int32_t product);

/* Takes away the multipliers of such products. */
void iso_priced_drop_implied(struct iso_priced *priced);

/* Sets the factors of workloads, and the least of them. Errors: ISO_E_NOMEM. */
enum iso_status iso_priced_fit_unlisted(struct iso_priced *priced, struct iso_error *reterr);

/* What purchases of such products that are capped may take off the bound. Errors: ISO_E_NOMEM. */
enum iso_status iso_priced_capped_purchases(const struct iso_priced *priced, long double *ret_sum,
                                            struct iso_error *reterr);

#endif
