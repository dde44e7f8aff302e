/* Which columns of a throughput workload must be priced so that all of them are.
 *
 * Take options o and p of one *class*: their prices are in one currency and both are spot or
 * neither is; the same budgets, volume prices and limits count them, and the same products may
 * cover them; they are in the same shares and, at each level at which the workload has a rule, in
 * the same domain. Then for any multipliers, with s_o > 0 what o serves,
 *
 *   rc_ot = cost_ot - floor_ot - s_o worth_t
 *   cost_ot  = min(h_t price_ot w_t, min over products c of h_t price_ot w_ct + use_oc |lambda_ct|)
 *              + sum over caps |lambda_lt| weight_ol
 *   floor_ot = sum over minima lambda_lt weight_ol
 *
 * where w, w_c, lambda >= 0 and worth are the same for the whole class: each term but the last is
 * one number of the option times a factor of its own sign. So p *stands for* o when
 *
 *   price_pt / s_p <= price_ot / s_o      use_pc / s_p <= use_oc / s_o        for each c
 *   weight_pl / s_p <= weight_ol / s_o    for caps, >= for minima             for each l
 *
 * because then rc_ot / s_o >= rc_pt / s_p, and (cost - floor) / s alike, whatever the multipliers.
 * What stands for what follows from the problem alone. It is found in integers: fractions are
 * compared by their products in 128 bits.
 *
 * Periods in which every offering has the same price are one *price group*; in each, the options
 * that nothing else stands for are listed by class, some others too: an option is held against a
 * few others only, and keeps its place where none of these stands for it. */
#ifndef ISOCOST_VERIFY_COLUMN_CLASSES_H
#define ISOCOST_VERIFY_COLUMN_CLASSES_H

#include "pricing.h"

struct iso_column_classes {
    int32_t n_groups, n_classes;
    int32_t *group_of;     /* n_periods */
    int32_t *first_class;  /* [workload * n_groups + group], and one after the last */
    int32_t *first_option; /* of each class in `options`, and one after the last */
    int32_t *options;      /* places among the options of the workload */
    /* The class of each option of a workload in a group: those of option i are at
     * first_of[workload] + group * n_options + i. */
    size_t *first_of; /* n_workloads */
    int32_t *class_of;
};

/* The classes of the options of a workload in a period. */
static inline const int32_t *iso_column_classes_of(const struct iso_column_classes *classes,
                                                   const struct iso_problem *problem,
                                                   int32_t workload, int32_t period)
{
    return &classes->class_of[classes->first_of[workload] +
                              (size_t)classes->group_of[period] *
                                  (size_t)problem->workloads[workload].n_options];
}

/* Finds the classes of all throughput workloads. `units` are the worths of the workloads, of which
 * only the structure counts. Errors: ISO_E_NOMEM. */
enum iso_status iso_column_classes_new(const struct iso_verifier *v, const struct iso_worth *units,
                                       struct iso_column_classes **ret_classes);
void iso_column_classes_free(struct iso_column_classes *classes); /* accepts NULL */

#endif
