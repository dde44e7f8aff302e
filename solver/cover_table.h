/* The covering table of one throughput workload that nothing couples to the rest. */
#ifndef ISOCOST_COVER_TABLE_H
#define ISOCOST_COVER_TABLE_H

#include "isocost/problem.h"

/* A commitment of the workload alone. One bought unit covers `instances` of one option. */
struct iso_cover_unit {
    int32_t product, start, option;
    int64_t instances;
    int32_t steps;
    double cost; /* of one unit over the horizon, base currency */
};

/* A commitment that the workload may use: one unit covers so many instances of one option. */
struct iso_cover_product {
    int32_t product, option;
    int64_t instances;
};

/* Periods in which every option costs the same. */
struct iso_cover_class {
    int32_t period; /* one of them */
    double *price;  /* of each option for the whole period, base currency */
    double *least;  /* G, [n_steps + 1] */
    int32_t *choice;
    double slope; /* G(q) >= slope * q */
};

/* Periods of one class that need the same. */
struct iso_cover_level {
    int32_t class, steps, n_periods;
};

struct iso_cover_table {
    const struct iso_problem *problem;
    int32_t workload, n_steps;
    iso_decimal step; /* divides what every option serves */
    int32_t *size;    /* steps of each option */
    int32_t n_units, n_classes, n_levels, n_products;
    struct iso_cover_product *products;
    struct iso_cover_unit *units; /* the cheapest start of each product that may be bought */
    struct iso_cover_class *classes;
    struct iso_cover_level *levels;
    int32_t *level_of;  /* n_periods */
    int64_t *held;      /* [period * n_options + option]: instances that existing units cover */
    double *reserve;    /* R, [n_steps + 1] */
    int32_t *last_unit; /* of R */
    int64_t *bought;    /* of each unit, as the least cost has it */
    int32_t reserved;   /* steps of what is bought */
    double cost;        /* least cost of the workload, without fees of existing units */
};

/* The greatest common divisor of what the options of a workload serve. */
iso_decimal iso_cover_step(const struct iso_workload *workload);

/* What one instance costs for a whole period, base currency. */
double iso_cover_price(const struct iso_problem *problem, int32_t offering, int32_t period);

/* Whether demand alone decides what a workload runs. */
bool iso_cover_alone(const struct iso_workload *workload);

/* Whether the workload and its products have the structure; a pure function. */
bool iso_cover_applies(const struct iso_problem *problem, int32_t workload);

/* Fills the tables and finds the least cost. *ret_small: whether they are small enough; otherwise
 * nothing was found. To be freed by iso_cover_fini() also on errors. Errors: ISO_E_NOMEM. */
enum iso_status iso_cover_init(struct iso_cover_table *table, const struct iso_problem *problem,
                               int32_t workload, bool *ret_small, struct iso_error *reterr);
void iso_cover_fini(struct iso_cover_table *table);

/* Instances of each option in a level, and how many of them commitments cover. Periods of a level
 * hold the same. */
void iso_cover_counts(const struct iso_cover_table *table, int32_t level, int32_t period,
                      int64_t *count, int64_t *covered);

/* Whether caps on instances hold in a period; `count[workload][option]` instances run. */
bool iso_cover_limits_hold(const struct iso_problem *problem, int64_t *const *count,
                           int32_t period);

/* The option that a product covers for a workload, or -1; *ret_instances: by one unit, whole. */
int32_t iso_cover_option(const struct iso_problem *problem, int32_t product, int32_t workload,
                         int64_t *ret_instances);

#endif
