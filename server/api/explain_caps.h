/* Quotas and hard caps of a plan's model, as things that may be raised. */
#ifndef ISOCOST_SERVER_EXPLAIN_CAPS_H
#define ISOCOST_SERVER_EXPLAIN_CAPS_H

#include "explain.h"
#include "selector.h"

#define ISO_CAPS_MAX 60 /* sets of them are bits of a number */

struct iso_cap {
    const char *id; /* of the limit, or provider/region/code */
    bool quota;
    size_t place;   /* in model.limits, or in the flat catalog's quotas */
    double current; /* what is allowed now */
    double used;    /* of a quota: what others use of it */
    const struct iso_selector *scope;
    const char *provider, *region; /* of a quota */
    int resource;                  /* enum iso_resource; -1: instances; -2: carbon */
    char **periods;                /* of a limit: where it holds; none: everywhere */
    size_t n_periods;
};

struct iso_caps {
    size_t n, n_all; /* `n` of `n_all` that there are are kept */
    struct iso_cap items[ISO_CAPS_MAX];
};

/* Finds those that count any offering of the catalog, limits first; of `only`, if it names any. */
enum iso_status iso_caps_find(struct iso_explanation *e, char *const *only, size_t n_only,
                              struct iso_caps **ret_caps, struct iso_error *reterr);

/* The model without the caps of a set; NULL when the arena is full. */
const Isocost__V1__Model *iso_caps_lift(struct iso_explanation *e, const struct iso_caps *caps,
                                        uint64_t set);

/* The most that a plan uses of a cap at once, what others use included. False when the plan has
 * more lines than it shows. */
bool iso_cap_use(struct iso_explanation *e, const struct iso_cap *cap,
                 const Isocost__V1__Plan *plan, double *ret_use);

#endif
