/* Parts of iso_changes_apply(): one function a kind of change.
 *
 * The model is copied as far as it is changed: a message is owned before it is written, together
 * with the list that it stands in; all else is shared with the base. */
#ifndef ISOCOST_SERVER_CHANGES_INTERNAL_H
#define ISOCOST_SERVER_CHANGES_INTERNAL_H

#include "changes.h"
#include "isocost/base/decimal.h"
#include "isocost/proto/change.h"

struct iso_change_run {
    Isocost__V1__Model *model; /* the struct is ours */
    struct iso_arena *arena;
    struct iso_violations *violations;
    const struct iso_product_source *source;
    const struct iso_changes *changes;
    const Isocost__V1__Change *change; /* being applied */
    size_t index;                      /* its place */
    bool catalog_owned;
};

/* Adds a violation of the change, at the target or the value of its text. */
__attribute__((format(printf, 3, 4))) void
iso_change_wrong(struct iso_change_run *run, enum iso_change_part part, const char *format, ...);
/* "no budget has the id "x"; there are a, b, c": `ids` of the n that there are, by their offset in
 * the messages of `list`. */
void iso_change_unknown(struct iso_change_run *run, const char *what, const char *id,
                        const void *list, size_t n, size_t id_offset);

enum iso_status iso_change_no_memory(struct iso_error *reterr);

/* A copy of n bytes in the arena; NULL when it is full. */
void *iso_change_copy(struct iso_change_run *run, const void *bytes, size_t n);
/* Copies the list and its message `i`, and gives the message. NULL when the arena is full. `list`
 * is a pointer to the array of pointers. */
void *iso_change_own(struct iso_change_run *run, void *list, size_t n, size_t i);
/* Copies the list and appends. False when the arena is full. */
bool iso_change_append(struct iso_change_run *run, void *list, size_t *n, void *message);

/* The model's catalog and currency, ours to change. NULL when the arena is full. */
Isocost__V1__Catalog *iso_change_catalog(struct iso_change_run *run);

/* Selector of one term. NULL when the arena is full. */
Isocost__V1__Selector *iso_change_selector_of(struct iso_change_run *run,
                                              Isocost__V1__SelectorTerm *term);

/* value * factor as decimals, rounded; false (and a violation) when out of range. */
bool iso_change_multiply(struct iso_change_run *run, double value, double factor,
                         enum iso_round round, double *ret_product);

typedef enum iso_status iso_change_apply_one(struct iso_change_run *run, struct iso_error *reterr);
/* changes_demand.c */
iso_change_apply_one iso_apply_demand, iso_apply_workload;
/* changes_money.c */
iso_change_apply_one iso_apply_budget, iso_apply_rate;
/* changes_rules.c */
iso_change_apply_one iso_apply_limit, iso_apply_forbid, iso_apply_require, iso_apply_rule;
/* changes_catalog.c */
iso_change_apply_one iso_apply_price, iso_apply_outage, iso_apply_offering, iso_apply_commitment;

#endif
