/* What a plan depends on, in the groups of a cost bridge: rates, list prices, catalog, demand,
 * commitments, rules. Mixing two models group by group leads from the first to the second. */
#ifndef ISOCOST_SERVER_INPUT_GROUPS_H
#define ISOCOST_SERVER_INPUT_GROUPS_H

#include "catalog_flat.h"
#include "isocost/proto/differences.h"
#include "isocost/v1/explanation.pb-c.h"

/* Groups are numbered as in isocost.v1.InputGroup. */
enum {
    ISO_FIRST_INPUT_GROUP = ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_RATES,
    ISO_LAST_INPUT_GROUP = ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_RULES,
    ISO_N_INPUT_GROUPS = ISO_LAST_INPUT_GROUP + 1, /* for arrays by group */
};

struct iso_inputs {
    const Isocost__V1__Model *model;
    const struct iso_flat_catalog *catalog; /* NULL in both: their catalogs are the same */
};

/* What differs, by group. What does not bear on cost does not count: names, labels, where prices
 * are from and when they were seen, and options that only say how to search. */
ISO_EXPORT enum iso_status iso_input_groups_compare(const struct iso_inputs *before,
                                                    const struct iso_inputs *after,
                                                    struct iso_arena *arena,
                                                    struct iso_differences ret[ISO_N_INPUT_GROUPS],
                                                    struct iso_error *reterr);

/* The first model with all groups up to `last` as in the second; how to search is the second's. It
 * may be no sound model: rules of the one may name what only the other has. Borrows from both. NULL
 * when the arena is full. */
ISO_EXPORT Isocost__V1__Model *iso_input_groups_mix(const struct iso_inputs *before,
                                                    const struct iso_inputs *after, int last,
                                                    struct iso_arena *arena);

#endif
