/* The tree of problems of branches.c: what a node has settled, and the node as a problem. */
#ifndef ISOCOST_BRANCHES_H
#define ISOCOST_BRANCHES_H

#include "isocost/problem.h"

enum iso_way { ISO_WAY_ANY, ISO_WAY_SHUT, ISO_WAY_OPEN };

struct iso_gate {
    int32_t limit, period;
};

/* What can be settled. A node's choices are bytes: the enum iso_way of each gate, then for each
 * volume the first and the last of the lines of its price that are left. */
struct iso_forks {
    const struct iso_problem *problem;
    int32_t n_gates;
    struct iso_gate *gates; /* owned */
};

static inline size_t iso_forks_bytes(const struct iso_forks *forks)
{
    return (size_t)forks->n_gates + 2 * (size_t)forks->problem->n_volumes;
}

/* The two bytes of a volume. */
static inline uint8_t *iso_forks_lines(const struct iso_forks *forks, uint8_t *choices,
                                       int32_t volume)
{
    return &choices[forks->n_gates + 2 * volume];
}

/* Errors: ISO_E_NOMEM. To be freed by iso_forks_fini() also then. */
enum iso_status iso_forks_init(struct iso_forks *forks, const struct iso_problem *problem,
                               struct iso_error *reterr);
void iso_forks_fini(struct iso_forks *forks);

/* Choices of the root: nothing is settled. */
void iso_forks_open(const struct iso_forks *forks, uint8_t *ret_choices);

bool iso_volume_rises(const struct iso_volume *volume);

/* Line k of the price of a volume whose factors fall: it costs its factor times S and an intercept,
 * in the base currency. Line 0 is the price as it is. */
double iso_volume_factor(const struct iso_volume *volume, int32_t line);
double iso_volume_intercept(const struct iso_volume *volume, int32_t line);

/* What no column of a node's problem carries. */
double iso_forks_constant(const struct iso_forks *forks, uint8_t *choices);

/* A node as a problem. */
struct iso_settled {
    struct iso_problem problem;
    struct iso_limit *limits; /* the problem's own, then a maximum of 0 for each */
    struct iso_budget *budgets;
    struct iso_window *windows;
    uint8_t *flags, *everywhere, *nothing;
    iso_decimal *factors;
};

/* `proof`: the problem whose rows are all the original's, for a bound that can be checked.
 * Errors: ISO_E_NOMEM. To be freed by iso_settled_fini() also then. */
enum iso_status iso_settled_init(struct iso_settled *settled, const struct iso_forks *forks,
                                 uint8_t *choices, bool proof, struct iso_error *reterr);
void iso_settled_fini(struct iso_settled *settled);

#endif
